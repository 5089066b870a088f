//! Outcomes that were handed in and whose receipt has not come: a bounded set, pure. It is what
//! keeps them from being sent again at once, and from being sent without end ahead of a
//! receiver that is not there. Forgotten with the connection.

use std::collections::BTreeMap;

use super::lane::Lane;
use crate::store::Urgency;

/// Outcomes sent ahead of their receipts: some seconds at full speed, 32 kB.
pub(super) const AHEAD: usize = 1024;
/// Of those, kept free for what is urgent.
const KEPT_FOR_URGENT: usize = 64;

/// Sequence, and how many times the wait was over since it was handed in.
#[derive(Debug, Default)]
pub(super) struct Awaiting(BTreeMap<u64, u8>);

impl Awaiting {
    pub fn has_room(&self, lane: Lane) -> bool {
        let most = if lane == Lane::Outbox(Urgency::Urgent) { AHEAD } else { AHEAD - KEPT_FOR_URGENT };
        self.0.len() < most
    }

    pub fn contains(&self, sequence: u64) -> bool {
        self.0.contains_key(&sequence)
    }

    pub fn insert(&mut self, sequence: u64) {
        self.0.insert(sequence, 0);
    }

    pub fn remove(&mut self, sequence: u64) -> bool {
        self.0.remove(&sequence).is_some()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// One wait is over. Returns how many have waited for a whole one and are given up.
    pub fn overdue(&mut self) -> usize {
        let before = self.0.len();
        self.0.retain(|_, waits| {
            *waits += 1;
            *waits < 2
        });
        before - self.0.len()
    }
}
