//! What a log looks like when the daemon starts: whole, torn by a power cut, or broken.

use std::io;
use std::path::Path;

use super::checkpoint::Checkpoint;
use super::current::SECTOR_BYTES;
use super::event::After;
use super::line::{self, Head, Line};
use super::segment::{self, Segment};
use crate::digest::Digest;
use crate::seal::public::PublicKey;

/// Broken logs that are kept beside the new one; the last place is used again.
const MAX_SET_ASIDE: u32 = 3;

/// What was found.
pub(super) enum State {
    /// No log.
    Nothing,
    /// A log that goes on, perhaps after its torn end is cut off.
    Whole(Found),
    /// A log that contradicts itself or its checkpoint, in words.
    Broken(String),
}

/// Where a log goes on.
pub(super) struct Found {
    /// First line of the last segment.
    pub first: u64,
    /// Bytes of it that stay.
    pub kept: Vec<u8>,
    /// Whether a checkpoint is about the last line, which was durable then.
    pub signed: bool,
    /// The last line.
    pub head: Head,
    /// How it ended.
    pub after: After,
    /// Length and digest of what goes.
    pub torn: Option<(u64, Digest)>,
}

/// Looks at the last segment, at how it follows the one before, and at their checkpoints.
pub(super) fn look(folder: &Path, keys: &[PublicKey]) -> io::Result<State> {
    let segments = segment::list(folder)?;
    let Some(&first) = segments.last() else { return Ok(State::Nothing) };
    let before = segments.iter().rev().nth(1).copied();
    let mut walked = Vec::new();
    if let Some(before) = before {
        let segment = segment::read(folder, before)?;
        let walk = Walk::of(&segment, None);
        if walk.kept < segment.bytes.len() || walk.next_seq(before) != first {
            return Ok(State::Broken(format!("the segment of line {before} does not end where the next begins")));
        }
        walked.push((before, walk));
    }
    let segment = segment::read(folder, first)?;
    let known = walked.last().and_then(|(_, walk)| walk.lines.last().copied());
    let known = known.or((first == 1).then_some(Head::GENESIS.sha256));
    let walk = Walk::of(&segment, known);
    let tail = &segment.bytes[walk.kept..];
    let torn = (!tail.is_empty()).then(|| (tail.len() as u64, Digest::of(tail)));
    let kept = walk.kept;
    let ended = walk.ended;
    walked.push((first, walk));
    let last = walked.iter().rev().find_map(|(first, walk)| Some((first, walk, walk.lines.last()?)));
    let head =
        last.map_or(Head::GENESIS, |(first, walk, sha256)| Head { seq: walk.next_seq(*first) - 1, sha256: *sha256 });
    if head.seq + 1 < first {
        return Ok(State::Broken(format!("line {first} and what was before it are not here")));
    }
    let mut signed_to = 0;
    for at in before.into_iter().chain([first]) {
        let signed = segment::read_checkpoint(folder, at)?.and_then(|jws| Checkpoint::open(&jws, keys).ok());
        signed_to = signed.as_ref().map_or(signed_to, |signed| signed.seq);
        if let Some(why) = signed.and_then(|signed| contradiction(&signed, &walked, head)) {
            return Ok(State::Broken(why));
        }
    }
    let mut kept_bytes = segment.bytes;
    kept_bytes.truncate(kept);
    Ok(State::Whole(Found { first, kept: kept_bytes, signed: signed_to >= head.seq, head, after: ended, torn }))
}

impl Found {
    /// The lines behind the last that ends with a sector, where no checkpoint is about them.
    pub fn loose(&self) -> &[u8] {
        if self.signed { &[] } else { loose(&self.kept) }
    }
}

fn loose(kept: &[u8]) -> &[u8] {
    let ends = (0..=kept.len() / SECTOR_BYTES).rev().map(|sectors| sectors * SECTOR_BYTES);
    let synced = ends.into_iter().find(|end| *end == 0 || kept[end - 1] == b'\n').unwrap_or(0);
    &kept[synced..]
}

/// What `signed` says against the lines that are here.
fn contradiction(signed: &Checkpoint, walked: &[(u64, Walk)], head: Head) -> Option<String> {
    if signed.seq > head.seq {
        return Some(format!("a checkpoint signs for line {}, the log ends at {}", signed.seq, head.seq));
    }
    let (first, walk) = walked.iter().rev().find(|(first, _)| *first <= signed.seq)?;
    let found = walk.lines.get(usize::try_from(signed.seq - first).ok()?)?;
    (*found != signed.head).then(|| format!("line {} is not the one that a checkpoint signs for", signed.seq))
}

/// The lines of a segment that follow one another.
struct Walk {
    /// Their hashes.
    lines: Vec<Digest>,
    /// Their bytes.
    kept: usize,
    /// What the last of them says.
    ended: After,
}

impl Walk {
    /// `known` is the hash of the line before, where it is known.
    fn of(segment: &Segment, known: Option<Digest>) -> Self {
        let mut walk = Self { lines: Vec::new(), kept: 0, ended: After::Cut };
        let mut prev = known;
        for bytes in line::complete(&segment.bytes).0 {
            let Some(line) = Line::read(bytes) else { break };
            if line.seq != walk.next_seq(segment.first) || prev.is_some_and(|prev| prev != line.prev) {
                break;
            }
            let sha256 = Digest::of(bytes);
            prev = Some(sha256);
            walk.lines.push(sha256);
            walk.kept += bytes.len() + 1;
            walk.ended = if line.event == "stopped" { After::Stop } else { After::Cut };
        }
        walk
    }

    fn next_seq(&self, first: u64) -> u64 {
        first + self.lines.len() as u64
    }
}

/// Moves `folder` out of the way; returns the name that it has now.
pub(super) fn set_aside(folder: &Path) -> io::Result<String> {
    let name = |n: u32| format!("{}-set-aside-{n}", folder.file_name().unwrap_or_default().display());
    let free = (1..MAX_SET_ASIDE).find(|n| !folder.with_file_name(name(*n)).exists()).unwrap_or(MAX_SET_ASIDE);
    let aside = folder.with_file_name(name(free));
    match std::fs::remove_dir_all(&aside) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    std::fs::rename(folder, &aside)?;
    Ok(name(free))
}
