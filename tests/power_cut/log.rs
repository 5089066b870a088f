//! The audit log beside the rest of a run: events noted, made durable, signed for; and what
//! a power cut must have left of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use residentd::audit::verify::verify;
use residentd::audit::{self, AuditError, Checkpoint, Event, Limits, Log, Segment};
use residentd::digest::Digest;
use residentd::os::disk::Disk;
use residentd::seal::key::DeviceKey;

use crate::ledger::Ledger;
use crate::run::NOW;

/// Small, so that segments turn and retire within a run; room for what a run syncs.
const LIMITS: Limits = Limits { segment_bytes: 20_000, segments: 4 };

/// Opens the log of `state`, and writes what had to be mended.
pub fn open(disk: &Disk, state: &Path, key: &Arc<DeviceKey>) -> Result<Log, AuditError> {
    let opened = Log::open_on(disk, &audit::folder_of(state), LIMITS, Some(Arc::clone(key)))?;
    let mut log = opened.log;
    let first: Vec<_> = opened.first.into_iter().map(|event| (NOW, event)).collect();
    log.append(&first)?;
    Ok(log)
}

/// An event like any other.
pub fn event(n: u64) -> Event {
    let instance = Digest::of(&n.to_le_bytes());
    Event::Sealed { sequence: n, outcome: instance, report_id: "an-id".into(), instance }
}

/// What is wrong with the log in `state` after a cut at `cut`.
pub fn holds(state: &Path, ledger: &Ledger, cut: usize, key: &Arc<DeviceKey>) -> Result<(), String> {
    let folder = audit::folder_of(state);
    let opened = Log::open(&folder, LIMITS, Some(Arc::clone(key))).map_err(|e| format!("audit: does not open: {e}"))?;
    if let Some(Event::SetAside { why, .. }) = opened.first.first() {
        return Err(format!("audit: a log that nobody touched is set aside: {why}"));
    }
    let (segments, local) = Segment::all(&folder).map_err(|e| format!("audit: {e}"))?;
    let lines = lines(&segments);
    let first = lines.keys().next().copied().unwrap_or(1);
    for (head, _) in ledger.audited.iter().filter(|(_, span)| span.must_show(cut)) {
        // What was retired is gone under a signed word, which the checkpoints below hold.
        if head.seq >= first && lines.get(&head.seq) != Some(&head.sha256) {
            return Err(format!("audit: LOST: line {} was durable, {} to {} are here", head.seq, first, lines.len()));
        }
    }
    let published = ledger.checkpoints.iter().filter(|(_, span)| span.must_show(cut)).map(|(jws, _)| jws);
    let opened: Result<Vec<_>, _> =
        published.chain(&local).map(|jws| Checkpoint::open(jws, &[key.public().clone()])).collect();
    let checkpoints = opened.map_err(|e| format!("audit: a checkpoint is damaged: {e}"))?;
    let verified = verify(&segments, &checkpoints);
    if !checkpoints.is_empty() && !verified.passed() {
        return Err(format!("audit: does not verify: {verified}"));
    }
    Ok(())
}

/// Each line's hash, by its place.
fn lines(segments: &[Segment]) -> BTreeMap<u64, Digest> {
    let mut lines = BTreeMap::new();
    for segment in segments {
        let complete = segment.bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        lines.extend((segment.first..).zip(complete.map(|line| Digest::of(&line[..line.len() - 1]))));
    }
    lines
}
