//! The end that notes events: it never waits for a disk, and counts what it cannot keep.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::MAX_WAITING;
use super::event::Event;
use super::repeats::Repeats;
use crate::clock::Moment;

/// Two clocks that were read together more than this apart are not held against each other.
const CLOCKS_APART: Duration = Duration::from_millis(100);

/// Notes events; clones write to one log.
#[derive(Clone)]
pub struct Audit {
    pub(super) desk: Arc<Desk>,
}

/// What handle and writer share.
pub(super) struct Desk {
    state: Mutex<Desktop>,
    /// Rings for the writer.
    pub work: Condvar,
    /// Rings for those who wait for it.
    pub done: Condvar,
    pub now: fn() -> Moment,
}

/// What lies on the desk.
pub(super) struct Desktop {
    pub waiting: VecDeque<Noted>,
    pub repeats: Repeats,
    /// Events that found no room.
    pub lost: u64,
    /// Checkpoints that were asked for, and how many of those are answered.
    pub asked: u64,
    pub answered: u64,
    pub latest: Option<Arc<str>>,
    pub hours: Hours,
}

/// An event and when it was.
pub(super) struct Noted {
    pub at: Moment,
    /// The monotonic clock, where it was read at the same moment.
    pub instant: Option<Instant>,
    pub event: Event,
}

/// Whether anyone writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hours {
    Open,
    Closing,
    Closed,
}

impl Audit {
    pub(super) fn new(now: fn() -> Moment, hours: Hours) -> Self {
        let state = Desktop {
            waiting: VecDeque::new(),
            repeats: Repeats::default(),
            lost: 0,
            asked: 0,
            answered: 0,
            latest: None,
            hours,
        };
        Self { desk: Arc::new(Desk { state: Mutex::new(state), work: Condvar::new(), done: Condvar::new(), now }) }
    }

    /// A handle that keeps nothing: for a part that is tried out without a daemon around it.
    #[must_use]
    pub fn nowhere() -> Self {
        Self::new(|| Moment { unix_ms: 0, synchronised: false }, Hours::Closed)
    }

    /// Notes that `event` happened now. Returns at once.
    pub fn note(&self, event: Event) {
        let before = Instant::now();
        let at = (self.desk.now)();
        let after = Instant::now();
        let mut desktop = self.desk.lock();
        if desktop.hours == Hours::Closed {
            return;
        }
        let Some(event) = desktop.repeats.admit(event, after) else { return };
        if desktop.waiting.len() < MAX_WAITING {
            let instant = (after - before < CLOCKS_APART).then_some(after);
            desktop.waiting.push_back(Noted { at, instant, event });
        } else {
            desktop.lost += 1;
        }
        drop(desktop);
        self.desk.work.notify_one();
    }

    /// Makes the log durable and signs where it stands, in at most `within`; returns the
    /// newest checkpoint, which is an older one where the disk does not answer. Blocks.
    #[must_use]
    pub fn checkpoint(&self, within: Duration) -> Option<Arc<str>> {
        let mut desktop = self.desk.lock();
        if desktop.hours != Hours::Closed {
            desktop.asked += 1;
            let ticket = desktop.asked;
            self.desk.work.notify_one();
            let waited = self.desk.done.wait_timeout_while(desktop, within, |desktop| {
                desktop.answered < ticket && desktop.hours != Hours::Closed
            });
            desktop = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        desktop.latest.clone()
    }

    /// The newest checkpoint. Returns at once.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<str>> {
        self.desk.lock().latest.clone()
    }
}

impl Desk {
    /// Every change under the lock is whole, so a panic elsewhere does no harm.
    pub fn lock(&self) -> MutexGuard<'_, Desktop> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Audit")
    }
}
