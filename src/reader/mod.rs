//! The reader: the pure stages composed, the sandboxed process that runs them, its supervisor.

mod drafting;
pub mod resident;
pub mod serve;
pub mod supervise;
pub mod wire;
pub mod write;

use crate::report::reading::{Outcome, Reading, Reason, Text};
use crate::study::Study;

/// The reading of an image that no reader survived; `study` is what is known all the same.
#[must_use]
pub fn failed(reason: Reason, study: Option<Study>) -> Reading {
    Reading {
        study,
        outcome: Outcome::Failure(reason),
        text: Text::default(),
        written: None,
        pixels_sha256: None,
        timings: Vec::new(),
    }
}
