//! Hand-ins by packet id, pure: what is outstanding, in the order in which it was handed in.

use super::lane::Lane;
use super::window::WINDOW;

/// What was handed to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Handed<N> {
    /// The outcome with this sequence.
    Report(Lane, u64),
    /// A status, an alert or a subscription, which share the packet ids.
    Notice(N),
}

/// One hand-in, until everything before it is acknowledged.
#[derive(Debug)]
struct Slot<N> {
    /// `None` once acknowledged.
    handed: Option<Handed<N>>,
    /// 0 until the client says which packet id it gave.
    pkid: u16,
}

/// The outstanding hand-ins and how many there may be; none while not connected.
#[derive(Debug)]
pub(super) struct Slots<N> {
    slots: heapless::Deque<Slot<N>, WINDOW>,
    pub limit: usize,
}

impl<N> Default for Slots<N> {
    fn default() -> Self {
        Self { slots: heapless::Deque::new(), limit: 0 }
    }
}

impl<N> Slots<N> {
    pub fn has_room(&self) -> bool {
        self.slots.len() < self.limit
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub fn push(&mut self, handed: Handed<N>) {
        let pushed = self.slots.push_back(Slot { handed: Some(handed), pkid: 0 });
        debug_assert!(pushed.is_ok(), "the caller asked for room");
    }

    /// The client gave packet id `pkid` to the oldest hand-in that has none.
    pub fn outgoing(&mut self, pkid: u16) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.pkid == 0) {
            slot.pkid = pkid;
        }
    }

    /// What packet id `pkid` stands for; it stands for nothing afterwards.
    pub fn answered(&mut self, pkid: u16) -> Option<Handed<N>> {
        let handed = self
            .slots
            .iter_mut()
            .find(|slot| pkid != 0 && slot.pkid == pkid && slot.handed.is_some())
            .and_then(|slot| slot.handed.take());
        while self.slots.front().is_some_and(|slot| slot.handed.is_none()) {
            self.slots.pop_front();
        }
        handed
    }

    /// True where this outcome is outstanding.
    pub fn holds(&self, sequence: u64) -> bool {
        self.reports().any(|held| held == sequence)
    }

    /// The outstanding outcomes.
    pub fn reports(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().filter_map(|slot| match slot.handed {
            Some(Handed::Report(_, sequence)) => Some(sequence),
            _ => None,
        })
    }

    /// Forgets everything; returns the notices that were never answered, oldest first.
    pub fn clear(&mut self) -> Vec<N> {
        let mut unanswered = Vec::new();
        while let Some(slot) = self.slots.pop_front() {
            if let Some(Handed::Notice(notice)) = slot.handed {
                unanswered.push(notice);
            }
        }
        unanswered
    }
}
