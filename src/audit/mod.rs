//! The audit log: what this box did and what was done to it, append-only and hash-chained.
//!
//! ```text
//! <state_dir>/audit/00000000000000000001.jsonl        a segment, named by its first line's seq
//!                   00000000000000000001.checkpoint   the last signed checkpoint made in it
//! {"seq":1,"prev":"000…0","at":"2026-11-24T10:00:00.123Z","synchronised":true,"event":"started",…}
//! ```
//! The format, version 1:
//! 1. A line is one JSON object, perhaps spaces, and a line feed: at most [`MAX_LINE_BYTES`]. It
//!    opens with `seq`, `prev`, `at` (RFC 3339, UTC, milliseconds), `synchronised` (whether the kernel
//!    believed its clock then) and `event`; what follows is the event's ([`Event`]).
//! 2. `seq` starts at 1 and has no gap, across segments and starts.
//! 3. `prev` is the SHA-256 of the bytes of the line before, without its line feed; 64 zeros
//!    where `seq` is 1.
//! 4. A checkpoint is a message (`seal::message`) of type `residentd-checkpoint+jws` with the
//!    payload `{"audit":1,"seq","head","at","synchronised"}`: `head` is the SHA-256 of line
//!    `seq`. It is signed only after that line is durable, and published only after the
//!    checkpoint is durable itself. One is made before each heartbeat that follows a new
//!    line, at the end of each segment, and at a stop.
//! 5. Order is the order in which events were noted. A line is written at once and made
//!    durable within [`SYNC_WITHIN`]: a killed process loses what no thread had written yet,
//!    a power cut at most that time more. Outcomes are in the store anyway, and each
//!    `started` says how far the store had come. The last line before a sync is padded with
//!    spaces to the end of a sector, so that no later write can spoil it. What an earlier
//!    process wrote is not taken for durable where no checkpoint is about it: it is written anew.
//! 6. A log that ends in half a line, or in bytes that chain to nothing after the last
//!    checkpoint, is what a power cut leaves: the tail is cut off at the next start, and a
//!    `recovered` line says how many bytes with which SHA-256 went. A log that breaks at or
//!    before its last checkpoint is no accident: it is set aside whole and a new one begins
//!    at 1, which every published checkpoint then contradicts.
//! 7. Nothing waits for the log. What finds [`MAX_WAITING`] events waiting is counted, and an
//!    `audit-gap` line with the count follows when the log can be written again. On a full disk
//!    it can: it has room of its own, for some hundred syncs and a checkpoint.
//! 8. What a stranger can repeat at will is written once in [`REPEAT_WINDOW`], and then as a
//!    count (`more`), so that nobody rotates the log away from outside.
//! 9. A segment ends at [`Limits::segment_bytes`]; of more than [`Limits::segments`] the oldest
//!    goes. A `retired` line with the last `seq` and hash of what goes is durable and under a
//!    checkpoint before it is gone; a log that starts later than 1 without such a line was cut.
//! 10. No patient is in it: an instance is its SHA-256, an outcome its sequence, hash and
//!     report id. AE titles and addresses are those of machines.

mod checkpoint;
mod current;
mod event;
mod handle;
mod line;
mod log;
#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod mutation_tests;
mod recover;
mod repeats;
mod segment;
pub mod verify;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use checkpoint::Checkpoint;
pub use event::{After, Event, Outcome, Why};
pub use handle::Audit;
pub use line::{Head, Line, MAX_LINE_BYTES};
pub use log::{AuditError, Log, Opened};
pub use segment::Segment;
pub use writer::Writer;

/// Events that wait for the disk: some seconds of a busy box, half a megabyte at most.
pub const MAX_WAITING: usize = 1024;
/// From a line's writing to its `fsync`: an SD card wears out by syncs, not by bytes.
pub const SYNC_WITHIN: Duration = Duration::from_secs(1);
/// How long what repeats is only counted.
pub const REPEAT_WINDOW: Duration = Duration::from_mins(10);

/// How large the log may grow.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes after which a segment ends.
    pub segment_bytes: u64,
    /// Segments that are kept.
    pub segments: usize,
}

impl Default for Limits {
    /// 256 MiB: more than sixty thousand syncs, which one image alone needs two of and which
    /// a busy box shares among many.
    fn default() -> Self {
        Self { segment_bytes: 4 * 1024 * 1024, segments: 64 }
    }
}

/// Where the log of the state folder `state_dir` is.
#[must_use]
pub fn folder_of(state_dir: &Path) -> PathBuf {
    state_dir.join("audit")
}
