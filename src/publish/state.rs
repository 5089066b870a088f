//! What others may read of the publisher at any time: atomics, no lock.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::pulse::Pulse;

/// The publisher's state, shared by `Arc`.
#[derive(Debug, Default)]
pub struct PublisherState {
    pub(super) connected: AtomicBool,
    pub(super) last_acknowledged: AtomicU64,
    pub(super) acknowledged: AtomicU64,
    pub(super) no_subscriber: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) too_large: AtomicU64,
    pub(super) turned_away: AtomicU64,
    pub(super) attempts: AtomicU64,
    pub(super) receipted: AtomicU64,
    pub(super) disbelieved: AtomicU64,
    pub(super) sent_again: AtomicU64,
    pub(super) handed_in: AtomicU64,
    pub(super) alarms: AtomicU64,
    pub(super) pulse: Pulse,
}

impl PublisherState {
    /// True while a broker has accepted the connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected.load(Relaxed)
    }

    /// Highest sequence that a broker acknowledged since the start; 0 before the first.
    #[must_use]
    pub fn last_acknowledged(&self) -> u64 {
        self.last_acknowledged.load(Relaxed)
    }

    /// Outcomes acknowledged since the start.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Relaxed)
    }

    /// Answers "nobody subscribes" (0x10) to reports since the start.
    #[must_use]
    pub fn no_subscriber(&self) -> u64 {
        self.no_subscriber.load(Relaxed)
    }

    /// Refusals (0x80 and above) of reports since the start.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Outcomes found larger than the broker's maximum packet size since the start.
    #[must_use]
    pub fn too_large(&self) -> u64 {
        self.too_large.load(Relaxed)
    }

    /// Connections that the broker refused by its CONNACK since the start.
    #[must_use]
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Relaxed)
    }

    /// Connections tried since the start.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.attempts.load(Relaxed)
    }

    /// Outcomes delivered on receivers' signed receipts since the start.
    #[must_use]
    pub fn receipted(&self) -> u64 {
        self.receipted.load(Relaxed)
    }

    /// Receipts and commands that were not believed since the start.
    #[must_use]
    pub fn disbelieved(&self) -> u64 {
        self.disbelieved.load(Relaxed)
    }

    /// Outcomes whose receipt did not come in time, so that they are sent again.
    #[must_use]
    pub fn sent_again(&self) -> u64 {
        self.sent_again.load(Relaxed)
    }

    /// Outcomes handed to the broker since the start, each time that they were.
    #[must_use]
    pub fn handed_in(&self) -> u64 {
        self.handed_in.load(Relaxed)
    }

    /// Alarms since the start: nothing arrived for some time although something should have.
    #[must_use]
    pub fn alarms(&self) -> u64 {
        self.alarms.load(Relaxed)
    }

    /// Beats while the publisher's loop turns and no errand to the store is stuck.
    #[must_use]
    pub const fn pulse(&self) -> &Pulse {
        &self.pulse
    }
}

/// Adds one to a count.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
