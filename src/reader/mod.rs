//! The reader: the pure stages composed, the sandboxed process that runs them, its supervisor.

pub mod resident;
pub mod serve;
pub mod supervise;
pub mod wire;
pub mod write;

use crate::report::compose::compose;
use crate::report::reading::{Outcome, Reading, Reason};

/// The reading of an image that no reader survived.
#[must_use]
pub fn failed(reason: Reason) -> Reading {
    let outcome = Outcome::Failure(reason);
    let text = compose(&outcome, None);
    Reading { study: None, outcome, text, pixels_sha256: None, timings: Vec::new() }
}
