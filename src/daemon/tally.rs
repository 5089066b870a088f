//! What the reading loop does, for telemetry and the lights: counts and no decisions.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::infer::findings::BundleIdentity;
use crate::reader::supervise::Supervised;
use crate::reader::write::Serving;
use crate::report::reading::{Outcome, Reason, ReasonCode};

/// What happened since the daemon started, and what happens now.
#[derive(Debug, Default)]
pub struct Tally {
    read: AtomicU64,
    abstained: AtomicU64,
    failed: AtomicU64,
    retakes: AtomicU64,
    reading: AtomicBool,
    stuck: AtomicBool,
    reader_pid: AtomicU32,
    serving: Mutex<Vec<BundleIdentity>>,
}

/// What an outcome counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A report.
    Read,
    /// An abstention.
    Abstained,
    /// An abstention that asks for another image.
    Retake,
    /// A failure.
    Failed,
}

impl From<&Outcome> for Kind {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Report(_) => Self::Read,
            Outcome::Abstention(Reason { code: ReasonCode::Unfit, .. }) => Self::Retake,
            Outcome::Abstention(_) => Self::Abstained,
            Outcome::Failure(_) => Self::Failed,
        }
    }
}

/// Outcomes by their kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcomes {
    /// Reports.
    pub read: u64,
    /// Abstentions.
    pub abstained: u64,
    /// Failures.
    pub failed: u64,
    /// Abstentions that ask for another image.
    pub retakes: u64,
}

/// An image is in the reader until this is dropped.
pub struct Busy<'a>(&'a Tally);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.reading.store(false, Relaxed);
    }
}

impl Tally {
    /// An image is being read.
    pub fn begin(&self) -> Busy<'_> {
        self.reading.store(true, Relaxed);
        Busy(self)
    }

    /// An outcome was sealed.
    pub fn sealed(&self, kind: Kind) {
        let count = match kind {
            Kind::Read => &self.read,
            Kind::Abstained | Kind::Retake => &self.abstained,
            Kind::Failed => &self.failed,
        };
        count.fetch_add(1, Relaxed);
        self.retakes.fetch_add((kind == Kind::Retake).into(), Relaxed);
    }

    /// This reader serves from now on.
    pub fn serves(&self, reader: &Supervised) {
        self.reader_pid.store(reader.pid().unwrap_or_default(), Relaxed);
        let writer = reader.writer.as_ref().and_then(|serving| match serving {
            Serving::Ready(identity) => Some(identity),
            Serving::Unusable(_) => None,
        });
        let serving = reader.identities().chain(writer).cloned().collect();
        *self.serving.lock().unwrap_or_else(PoisonError::into_inner) = serving;
    }

    /// Reading goes on, or cannot: the store or the reader fails.
    pub fn stuck(&self, stuck: bool) {
        self.stuck.store(stuck, Relaxed);
    }

    /// Outcomes so far.
    pub fn outcomes(&self) -> Outcomes {
        Outcomes {
            read: self.read.load(Relaxed),
            abstained: self.abstained.load(Relaxed),
            failed: self.failed.load(Relaxed),
            retakes: self.retakes.load(Relaxed),
        }
    }

    /// True while an image is in the reader.
    pub fn is_reading(&self) -> bool {
        self.reading.load(Relaxed)
    }

    /// True while reading cannot go on.
    pub fn is_stuck(&self) -> bool {
        self.stuck.load(Relaxed)
    }

    /// Process id of the reader.
    pub fn reader_pid(&self) -> Option<u32> {
        Some(self.reader_pid.load(Relaxed)).filter(|pid| *pid != 0)
    }

    /// What serves.
    pub fn serving(&self) -> Vec<BundleIdentity> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
