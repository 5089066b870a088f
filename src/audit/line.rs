//! One line: written once, read back as far as the chain needs it.

use serde::{Deserialize, Serialize};

use super::event::Event;
use crate::clock::Moment;
use crate::digest::Digest;

/// Longest line with its line feed: the longest event is a twelfth of that, and is padded
/// by less than a sector of 4096 bytes.
pub const MAX_LINE_BYTES: usize = 8192;

/// Where the log stands: its last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its `seq`; 0 before the first.
    pub seq: u64,
    /// Its SHA-256 without the line feed; zeros before the first.
    pub sha256: Digest,
}

impl Head {
    /// Before the first line.
    pub const GENESIS: Self = Self { seq: 0, sha256: Digest::from_bytes([0; 32]) };
}

#[derive(Serialize)]
struct Written<'a> {
    seq: u64,
    prev: Digest,
    at: String,
    synchronised: bool,
    #[serde(flatten)]
    event: &'a Event,
}

/// What is read of a line. What it does not name is the event's and stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Line {
    /// Its place.
    pub seq: u64,
    /// SHA-256 of the line before.
    pub prev: Digest,
    /// When, RFC 3339.
    pub at: String,
    /// Whether the clock was believed.
    pub synchronised: bool,
    /// The event's name.
    pub event: String,
    /// Of `retired`: the last line that is gone.
    pub through: Option<u64>,
    /// Of `retired`: its hash.
    #[serde(default, deserialize_with = "digest_or_nothing")]
    pub head: Option<Digest>,
}

/// Writes the line that follows `head` to the end of `bytes`; returns the new head.
pub(super) fn write(bytes: &mut Vec<u8>, head: Head, at: Moment, event: &Event) -> Head {
    let start = bytes.len();
    let seq = head.seq + 1;
    let line = Written { seq, prev: head.sha256, at: at.rfc3339(), synchronised: at.synchronised, event };
    serde_json::to_writer(&mut *bytes, &line).expect("an event is JSON and a vector takes it");
    let sha256 = Digest::of(&bytes[start..]);
    bytes.push(b'\n');
    debug_assert!(bytes.len() - start <= MAX_LINE_BYTES / 2, "events are bounded");
    Head { seq, sha256 }
}

impl Line {
    /// Reads `bytes`, a line without its line feed; `None` where it is none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() >= MAX_LINE_BYTES || bytes.first() != Some(&b'{') || bytes.trim_ascii_end().last() != Some(&b'}')
        {
            return None;
        }
        serde_json::from_slice(bytes).ok()
    }
}

/// `head` of another event is not ours to judge.
fn digest_or_nothing<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Digest>, D::Error> {
    let text = serde_json::Value::deserialize(from)?;
    Ok(text.as_str().and_then(|text| text.parse().ok()))
}

/// The complete lines of `text`, without their line feeds, and how many bytes of `text` they
/// are; what follows is half a line.
pub(super) fn complete(text: &[u8]) -> (impl Iterator<Item = &[u8]>, usize) {
    let end = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    (text[..end].split_inclusive(|b| *b == b'\n').map(|line| &line[..line.len() - 1]), end)
}
