//! The reader: the pure stages composed, the sandboxed process that runs them, its supervisor.

mod drafting;
pub mod resident;
pub mod serve;
pub mod supervise;
pub mod wire;
pub mod write;

use crate::report::reading::{Outcome, Reading, Reason, Text};

/// The reading of an image that no reader survived.
#[must_use]
pub fn failed(reason: Reason) -> Reading {
    Reading {
        study: None,
        outcome: Outcome::Failure(reason),
        text: Text::default(),
        written: None,
        pixels_sha256: None,
        timings: Vec::new(),
    }
}
