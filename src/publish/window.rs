//! The window over the outbox, pure: no socket, no clock, no store. Invariants:
//! 1. A report is delivered only by a success acknowledgement of that very hand-in or, where the
//!    site has receivers, by nothing but a receipt, which the store holds against the bytes.
//! 2. At most `limit` hand-ins are outstanding, counted from the oldest unacknowledged one, so
//!    that a client which cycles its packet ids through 1..=limit can never reuse a live one.
//! 3. Within a connection the outcomes of a lane are handed in in order; only a refusal goes
//!    back, or a new round for what was never receipted. Urgent ones go before routine ones.
//! 4. What was refused, lost, skipped or not receipted stays in the outbox and is met again.
//! 5. At most `AHEAD` outcomes are ahead of their receipts. Rounds go on at the end of the
//!    outbox before they start again, so that an outcome which nobody receipts holds up none.

use crate::mqtt::Verdict;
use crate::store::{Outgoing, Urgency};

use super::awaiting::Awaiting;
use super::lane::{Asked, Fetch, Forward, Lane, Parcel, Request};
use super::slots::{Handed, Slots};

/// Hand-ins outstanding at once. A client that pre-allocates per packet id stays at some
/// kilobytes, and a round trip of 10 ms still carries 1,600 outcomes a second.
pub const WINDOW: usize = 16;
/// Outcomes fetched at once; they lie in memory with their payload.
const FETCH: u32 = 16;

/// On whose word an outcome is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The broker's.
    Acknowledgement,
    /// A receiver's.
    Receipt,
}

/// An acknowledgement, resolved to what was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acknowledged<N> {
    /// This outcome arrived: record it.
    Delivered(u64),
    /// The broker has this outcome, which proves nothing yet.
    Taken(u64),
    /// This outcome did not arrive; it stays where it was.
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

/// The window. `N` is what a notice is.
#[derive(Debug)]
pub struct Window<N> {
    proof: Proof,
    slots: Slots<N>,
    max_packet_bytes: usize,
    urgent: Forward,
    routine: Forward,
    asked: Asked,
    /// Whose turn it is between what was asked for and what is routine.
    turn: Lane,
    fetching: bool,
    paused: bool,
    failures: u32,
    /// Acknowledged, not yet written to the store. A fetch first writes these, so there
    /// are never more than one fetch and one window of them.
    unrecorded: Vec<u64>,
    awaiting: Awaiting,
    /// Some receivers, not all that are required, have something.
    noted: bool,
}

impl<N> Window<N> {
    /// A window without a connection.
    #[must_use]
    pub fn new(proof: Proof) -> Self {
        Self {
            proof,
            slots: Slots::default(),
            max_packet_bytes: usize::MAX,
            urgent: Forward::default(),
            routine: Forward::default(),
            asked: Asked::default(),
            turn: Lane::Asked,
            fetching: false,
            paused: false,
            failures: 0,
            unrecorded: Vec::new(),
            awaiting: Awaiting::default(),
            noted: false,
        }
    }

    /// A connection stands: forget the one before and start at the outbox's head. A
    /// receive maximum of 0 (a protocol error) leaves the window shut.
    pub fn connected(&mut self, receive_maximum: Option<u16>, max_packet_bytes: Option<u32>) {
        self.slots.clear();
        self.slots.limit = receive_maximum.map_or(WINDOW, |maximum| WINDOW.min(maximum.into()));
        self.max_packet_bytes = max_packet_bytes.map_or(usize::MAX, |bytes| bytes as usize);
        self.paused = false;
        self.rewind();
    }

    /// The connection is gone and its last acknowledgement was seen. Returns the notices
    /// that were never answered, oldest first.
    pub fn disconnected(&mut self) -> Vec<N> {
        self.slots.limit = 0;
        self.rewind();
        self.slots.clear()
    }

    /// True where one more may be handed in.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.slots.has_room()
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
        self.slots.push(Handed::Notice(notice));
        Ok(())
    }

    /// Decides what report to hand in next, if any.
    pub fn next_report(&mut self) -> Next {
        while self.has_room() && !self.paused {
            let Some((lane, Parcel { outgoing, packet_bytes })) = self.next_parcel() else { break };
            let sequence = outgoing.sequence;
            let awaits = lane != Lane::Asked && self.proof == Proof::Receipt;
            if self.unrecorded.contains(&sequence) || awaits && self.awaiting.contains(sequence) {
                continue;
            }
            if !self.fits(packet_bytes) {
                return Next::TooLarge { sequence, packet_bytes };
            }
            if awaits {
                self.awaiting.insert(sequence);
            }
            if self.slots.holds(sequence) {
                continue;
            }
            self.slots.push(Handed::Report(lane, sequence));
            return Next::Send(outgoing);
        }
        Next::Nothing
    }

    /// Urgent first, then in turn what was asked for and what is routine.
    fn next_parcel(&mut self) -> Option<(Lane, Parcel)> {
        let (urgent, routine) = (Lane::Outbox(Urgency::Urgent), Lane::Outbox(Urgency::Routine));
        let open = [urgent, routine].map(|lane| self.proof == Proof::Acknowledgement || self.awaiting.has_room(lane));
        if let Some(parcel) = self.urgent.ready.pop_front_if(|_| open[0]) {
            return Some((urgent, parcel));
        }
        let turns = if self.turn == Lane::Asked { [Lane::Asked, routine] } else { [routine, Lane::Asked] };
        turns.into_iter().find_map(|lane| {
            let parcel = match lane {
                Lane::Asked => self.asked.ready.pop_front(),
                Lane::Outbox(_) => self.routine.ready.pop_front_if(|_| open[1]),
            };
            self.turn = if lane == Lane::Asked { routine } else { Lane::Asked };
            parcel.map(|parcel| (lane, parcel))
        })
    }

    /// The client gave packet id `pkid` to the oldest hand-in that has none.
    pub fn outgoing(&mut self, pkid: u16) {
        self.slots.outgoing(pkid);
    }

    /// The broker answered packet id `pkid`.
    pub fn acknowledged(&mut self, pkid: u16, verdict: Verdict) -> Acknowledged<N> {
        match self.slots.answered(pkid) {
            None => Acknowledged::Unknown,
            Some(Handed::Notice(notice)) => Acknowledged::Notice(notice, verdict),
            Some(Handed::Report(lane, sequence)) if verdict == Verdict::Taken => {
                self.failures = 0;
                if lane == Lane::Asked || self.proof == Proof::Receipt {
                    return Acknowledged::Taken(sequence);
                }
                self.unrecorded.push(sequence);
                Acknowledged::Delivered(sequence)
            }
            Some(Handed::Report(lane, sequence)) => {
                let awaited = self.awaiting.remove(sequence);
                if awaited || lane != Lane::Asked {
                    self.urgent.refused(sequence);
                    self.routine.refused(sequence);
                }
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
        (self.urgent.stale, self.routine.stale) = (true, true);
    }

    /// A receiver asks for outcomes again.
    pub fn ask(&mut self, from: u64, to: u64) -> Request {
        self.asked.ask(from, to)
    }

    /// A receipt was held against the store: this outcome is delivered, or not yet by all.
    /// True where it was awaited.
    pub fn receipted(&mut self, sequence: u64, by_all: bool) -> bool {
        self.noted |= !by_all;
        self.awaiting.remove(sequence)
    }

    /// True while a receipt is awaited.
    #[must_use]
    pub fn awaits_receipts(&self) -> bool {
        !self.awaiting.is_empty()
    }

    /// The wait for receipts is over once more. What was handed in before the last time is
    /// met again; returns how many these are.
    pub fn overdue(&mut self) -> usize {
        let overdue = self.awaiting.overdue();
        if overdue > 0 {
            self.new_round();
        }
        overdue
    }

    /// The long wait is over: what some receivers have and others not is met again.
    pub fn remind(&mut self) {
        if std::mem::take(&mut self.noted) {
            self.new_round();
        }
    }

    /// True unless it is known that no outcome waits: nothing is under way, unreceipted, to be
    /// read, or to be met again.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        let read = self.urgent.is_done() && self.routine.is_done() && !self.fetching;
        !read || self.paused || self.awaits_receipts() || self.slots.reports().next().is_some()
    }

    /// What to ask the store for, if anything; the outcomes in [`Self::unrecorded`] must be
    /// written before it is asked.
    pub fn fetch(&mut self) -> Option<Fetch> {
        if self.slots.limit == 0 || self.paused || self.fetching {
            return None;
        }
        let fetch = self.question()?;
        self.fetching = true;
        if let Lane::Outbox(urgency) = fetch.lane {
            self.forward(urgency).stale = false;
        }
        Some(fetch)
    }

    fn question(&mut self) -> Option<Fetch> {
        let asked = self.asked.wants().map(|(after, until)| Fetch {
            epoch: self.asked.epoch,
            lane: Lane::Asked,
            after,
            until,
            limit: FETCH,
        });
        let turn = self.turn;
        let mut outbox = |urgency| {
            let forward = self.forward(urgency);
            forward.wants().then(|| {
                let (epoch, after) = (forward.epoch, forward.cursor);
                Fetch { epoch, lane: Lane::Outbox(urgency), after, until: u64::MAX, limit: FETCH }
            })
        };
        let urgent = outbox(Urgency::Urgent);
        match turn {
            Lane::Asked => urgent.or(asked).or_else(|| outbox(Urgency::Routine)),
            Lane::Outbox(_) => urgent.or_else(|| outbox(Urgency::Routine)).or(asked),
        }
    }

    /// The store's answer, in order; an answer to an old question is dropped.
    pub fn fetched(&mut self, fetch: Fetch, parcels: Vec<Parcel>) {
        self.fetching = false;
        let full = parcels.len() >= fetch.limit as usize;
        match fetch.lane {
            Lane::Outbox(urgency) if fetch.epoch == self.forward(urgency).epoch => {
                self.forward(urgency).fetched(fetch.after, full, parcels);
            }
            Lane::Asked if fetch.epoch == self.asked.epoch => self.asked.fetched(full, parcels),
            _ => {}
        }
    }

    /// The store did not answer.
    pub fn fetch_failed(&mut self) {
        self.fetching = false;
        self.ring();
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

    fn forward(&mut self, urgency: Urgency) -> &mut Forward {
        match urgency {
            Urgency::Urgent => &mut self.urgent,
            Urgency::Routine => &mut self.routine,
        }
    }

    fn new_round(&mut self) {
        self.urgent.again();
        self.routine.again();
    }

    /// Back to the outbox's head, with nothing under way.
    fn rewind(&mut self) {
        self.urgent.restart();
        self.routine.restart();
        self.asked.forget();
        self.awaiting.clear();
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
