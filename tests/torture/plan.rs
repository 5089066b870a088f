//! What a mode is told.

use std::path::PathBuf;

pub use crate::progress::Progress;

/// What a mode is told.
pub struct Plan {
    /// How many of what the mode counts.
    pub count: u64,
    /// What all random numbers start from.
    pub seed: u64,
    /// Folder for what it writes.
    pub out: Option<PathBuf>,
    /// Where it says how far it is.
    pub progress: Progress,
}
