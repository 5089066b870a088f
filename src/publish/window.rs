//! The window over the outbox, pure: no socket, no clock, no store. Invariants:
//! 1. A report is delivered only by a success acknowledgement of that very hand-in.
//! 2. At most `limit` hand-ins are outstanding, counted from the oldest unacknowledged one, so
//!    that a client which cycles its packet ids through 1..=limit can never reuse a live one.
//! 3. Within a connection sequences are handed in in order; only a refusal goes back.
//! 4. What was refused, lost or skipped stays in the outbox and is met again.

use std::collections::VecDeque;
use std::fmt;

use crate::store::Outgoing;

/// Hand-ins outstanding at once. A client that pre-allocates per packet id stays at some
/// kilobytes, and a round trip of 10 ms still carries 1,600 outcomes a second.
pub const WINDOW: usize = 16;
/// Outcomes fetched at once; they lie in memory with their payload.
const FETCH: u32 = 16;

/// What an acknowledgement says (MQTT 5, 3.4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 0x00: the broker has it, and someone to give it to.
    Taken,
    /// 0x10: the broker had nobody to give it to and forgot it.
    NoSubscriber,
    /// 0x80 and above: the broker did not take it.
    Refused(u8),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, words) = match self {
            Self::Taken => (0x00, "taken"),
            Self::NoSubscriber => (0x10, "nobody subscribes"),
            Self::Refused(code) => match code {
                0x83 => (*code, "refused by the broker's own rule"),
                0x87 => (*code, "not authorised"),
                0x90 => (*code, "topic name refused"),
                0x91 => (*code, "packet id in use"),
                0x97 => (*code, "quota exceeded"),
                0x99 => (*code, "payload format refused"),
                _ => (*code, "refused without a reason"),
            },
        };
        write!(f, "{words} (0x{code:02x})")
    }
}

/// What was handed to the client: a report by its sequence, or a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed<N> {
    /// The outcome with this sequence.
    Report(u64),
    /// A status or an alert, which shares the packet ids.
    Notice(N),
}

/// An acknowledgement, resolved to what was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acknowledged<N> {
    /// This outcome arrived: record it.
    Delivered(u64),
    /// This outcome did not; it stays in the outbox.
    Refused {
        /// Which.
        sequence: u64,
        /// Why.
        verdict: Verdict,
        /// Set for the first refusal of a round: call [`Window::resume`] after the wait
        /// for that many failures in a row.
        back_off: Option<u32>,
    },
    /// A notice was answered.
    Notice(N, Verdict),
    /// Nothing outstanding has that packet id.
    Unknown,
}

/// What to hand in next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// This outcome; it counts as handed in.
    Send(Outgoing),
    /// This outcome exceeds the broker's maximum packet size and was passed over.
    TooLarge {
        /// Which.
        sequence: u64,
        /// Its packet.
        packet_bytes: usize,
    },
    /// Nothing now.
    Nothing,
}

/// A question to the store; hand its answer to [`Window::fetched`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    epoch: u64,
    /// Only sequences above this.
    pub after: u64,
    /// At most so many.
    pub limit: u32,
}

/// An outcome of the outbox and the size of the packet it would make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The outcome.
    pub outgoing: Outgoing,
    /// Size of its PUBLISH packet, at most a few bytes too large.
    pub packet_bytes: usize,
}

/// One hand-in, until everything before it is acknowledged.
#[derive(Debug)]
struct Slot<N> {
    /// `None` once acknowledged.
    handed: Option<Handed<N>>,
    /// 0 until the client says which packet id it gave.
    pkid: u16,
}

/// The window. `N` is what a notice is.
#[derive(Debug)]
pub struct Window<N> {
    slots: heapless::Deque<Slot<N>, WINDOW>,
    /// Hand-ins allowed now; 0 while not connected.
    limit: usize,
    max_packet_bytes: usize,
    /// Tells the answer to an old question from the answer to the last one.
    epoch: u64,
    /// Everything up to here is delivered.
    floor: u64,
    /// Everything up to here was fetched on this connection.
    cursor: u64,
    ready: VecDeque<Parcel>,
    fetching: bool,
    /// The store may have more above the cursor.
    stale: bool,
    paused: bool,
    failures: u32,
    /// Acknowledged, not yet written to the store. A fetch first writes these, so there
    /// are never more than one fetch and one window of them.
    unrecorded: Vec<u64>,
}

impl<N> Default for Window<N> {
    fn default() -> Self {
        Self {
            slots: heapless::Deque::new(),
            limit: 0,
            max_packet_bytes: usize::MAX,
            epoch: 0,
            floor: 0,
            cursor: 0,
            ready: VecDeque::new(),
            fetching: false,
            stale: true,
            paused: false,
            failures: 0,
            unrecorded: Vec::new(),
        }
    }
}

impl<N> Window<N> {
    /// A connection stands: forget the one before and start at the outbox's head. A
    /// receive maximum of 0 (a protocol error) leaves the window shut.
    pub fn connected(&mut self, receive_maximum: Option<u16>, max_packet_bytes: Option<u32>) {
        self.slots.clear();
        self.limit = receive_maximum.map_or(WINDOW, |maximum| WINDOW.min(maximum.into()));
        self.max_packet_bytes = max_packet_bytes.map_or(usize::MAX, |bytes| bytes as usize);
        self.paused = false;
        self.back_to(self.floor);
    }

    /// The connection is gone and its last acknowledgement was seen. Returns the notices
    /// that were never answered, oldest first.
    pub fn disconnected(&mut self) -> Vec<N> {
        self.limit = 0;
        self.back_to(self.floor);
        let mut unanswered = Vec::new();
        while let Some(slot) = self.slots.pop_front() {
            if let Some(Handed::Notice(notice)) = slot.handed {
                unanswered.push(notice);
            }
        }
        unanswered
    }

    /// True where one more may be handed in.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.slots.len() < self.limit
    }

    /// True where the broker takes a packet of that size.
    #[must_use]
    pub fn fits(&self, packet_bytes: usize) -> bool {
        packet_bytes <= self.max_packet_bytes
    }

    /// True while a hand-in is unacknowledged.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.slots.is_empty()
    }

    /// Counts a notice as handed in; gives it back where there is no room.
    ///
    /// # Errors
    /// The notice itself.
    pub fn hand_in_notice(&mut self, notice: N) -> Result<(), N> {
        if !self.has_room() {
            return Err(notice);
        }
        self.push(Handed::Notice(notice));
        Ok(())
    }

    /// Decides what report to hand in next, if any.
    pub fn next_report(&mut self) -> Next {
        while self.has_room() && !self.paused {
            let Some(Parcel { outgoing, packet_bytes }) = self.ready.pop_front() else { break };
            let sequence = outgoing.sequence;
            if self.holds(sequence) || self.unrecorded.contains(&sequence) {
                continue;
            }
            if !self.fits(packet_bytes) {
                return Next::TooLarge { sequence, packet_bytes };
            }
            self.push(Handed::Report(sequence));
            return Next::Send(outgoing);
        }
        Next::Nothing
    }

    /// The client gave packet id `pkid` to the oldest hand-in that has none.
    pub fn outgoing(&mut self, pkid: u16) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.pkid == 0) {
            slot.pkid = pkid;
        }
    }

    /// The broker answered packet id `pkid`.
    pub fn acknowledged(&mut self, pkid: u16, verdict: Verdict) -> Acknowledged<N> {
        let handed = self
            .slots
            .iter_mut()
            .find(|slot| pkid != 0 && slot.pkid == pkid && slot.handed.is_some())
            .and_then(|slot| slot.handed.take());
        while self.slots.front().is_some_and(|slot| slot.handed.is_none()) {
            self.slots.pop_front();
        }
        match handed {
            None => Acknowledged::Unknown,
            Some(Handed::Notice(notice)) => Acknowledged::Notice(notice, verdict),
            Some(Handed::Report(sequence)) if verdict == Verdict::Taken => {
                self.failures = 0;
                self.unrecorded.push(sequence);
                Acknowledged::Delivered(sequence)
            }
            Some(Handed::Report(sequence)) => {
                // What was fetched and not handed in is forgotten with it: before that, too.
                let unhanded = self.ready.front().map_or(u64::MAX, |parcel| parcel.outgoing.sequence - 1);
                self.back_to(self.cursor.min(sequence - 1).min(unhanded));
                let first = !std::mem::replace(&mut self.paused, true);
                let back_off = first.then_some(self.failures);
                self.failures = self.failures.saturating_add(u32::from(first));
                Acknowledged::Refused { sequence, verdict, back_off }
            }
        }
    }

    /// The wait after a refusal is over.
    pub fn resume(&mut self) {
        self.paused = false;
    }

    /// The store may have a new outcome.
    pub fn ring(&mut self) {
        self.stale = true;
    }

    /// What to ask the store for, if anything; the outcomes in [`Self::unrecorded`] must be
    /// written before it is asked.
    pub fn fetch(&mut self) -> Option<Fetch> {
        let wanted = self.limit > 0 && !self.paused && self.ready.is_empty() && self.stale && !self.fetching;
        wanted.then(|| {
            (self.fetching, self.stale) = (true, false);
            Fetch { epoch: self.epoch, after: self.cursor, limit: FETCH }
        })
    }

    /// The store's answer, in order; an answer to an old question is dropped.
    pub fn fetched(&mut self, fetch: Fetch, parcels: Vec<Parcel>) {
        self.fetching = false;
        if fetch.epoch != self.epoch {
            return;
        }
        if let (true, Some(first)) = (fetch.after == self.floor, parcels.first()) {
            self.floor = first.outgoing.sequence - 1;
        }
        if let Some(last) = parcels.last() {
            self.cursor = last.outgoing.sequence;
        }
        self.stale |= parcels.len() >= fetch.limit as usize;
        self.ready.extend(parcels);
    }

    /// The store did not answer.
    pub fn fetch_failed(&mut self) {
        (self.fetching, self.stale) = (false, true);
    }

    /// Acknowledged outcomes that the store does not know of yet.
    #[must_use]
    pub fn unrecorded(&self) -> &[u64] {
        &self.unrecorded
    }

    /// The store knows of these now.
    pub fn recorded(&mut self, sequences: &[u64]) {
        self.unrecorded.retain(|sequence| !sequences.contains(sequence));
    }

    fn holds(&self, sequence: u64) -> bool {
        self.slots.iter().any(|slot| matches!(slot.handed, Some(Handed::Report(held)) if held == sequence))
    }

    fn push(&mut self, handed: Handed<N>) {
        let pushed = self.slots.push_back(Slot { handed: Some(handed), pkid: 0 });
        debug_assert!(pushed.is_ok(), "the caller asked for room");
    }

    fn back_to(&mut self, cursor: u64) {
        self.cursor = cursor;
        self.epoch += 1;
        self.stale = true;
        self.ready.clear();
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
