//! The log's own promises: chain, segments, retention, power cuts, a disk that fails.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::verify::verify;
use super::*;
use crate::clock::Moment;
use crate::digest::Digest;
use crate::os::disk::Disk;
use crate::os::disk::watch::{Fault, FaultKind, Operation, Span, Watch};
use crate::seal::key::DeviceKey;

const NOW: Moment = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
const DEADLINE: Duration = Duration::from_secs(20);

fn key() -> Arc<DeviceKey> {
    Arc::new(DeviceKey::generate().unwrap())
}

fn event(n: u64) -> Event {
    Event::Sealed {
        sequence: n,
        outcome: Digest::of(&n.to_le_bytes()),
        report_id: "r".into(),
        instance: Digest::of(b"i"),
    }
}

fn open(folder: &Path, limits: Limits, key: &Arc<DeviceKey>) -> Opened {
    Log::open(folder, limits, Some(Arc::clone(key))).unwrap()
}

fn write(log: &mut Log, count: u64) {
    (0..count).for_each(|n| log.append(&[(NOW, event(n))]).unwrap());
}

fn verified(folder: &Path, key: &DeviceKey, more: &[&str]) -> verify::Verified {
    let (segments, local) = Segment::all(folder).unwrap();
    let all = local.iter().map(String::as_str).chain(more.iter().copied());
    let checkpoints: Vec<_> = all.map(|jws| Checkpoint::open(jws, &[key.public().clone()]).unwrap()).collect();
    verify(&segments, &checkpoints)
}

fn last_segment(folder: &Path) -> PathBuf {
    segment::lines_path(folder, *segment::list(folder).unwrap().last().unwrap())
}

#[test]
fn a_log_goes_on_where_it_ended_and_holds_under_its_checkpoint() {
    let (folder, key) = (tempfile::tempdir().unwrap(), key());
    for starts in 0..3 {
        let mut opened = open(folder.path(), Limits::default(), &key);
        assert_eq!((opened.first.len(), opened.log.head().seq), (0, starts * 10));
        write(&mut opened.log, 10);
        opened.log.checkpoint(NOW).unwrap().unwrap();
    }
    let verified = verified(folder.path(), &key, &[]);
    assert!(verified.passed(), "{verified}");
    assert_eq!((verified.holds_to, verified.later), (Some(30), 0));
}

#[test]
fn segments_chain_and_the_oldest_goes_only_under_a_signed_word() {
    let (folder, key) = (tempfile::tempdir().unwrap(), key());
    let limits = Limits { segment_bytes: 2000, segments: 3 };
    let mut log = open(folder.path(), limits, &key).log;
    let early = {
        write(&mut log, 5);
        log.checkpoint(NOW).unwrap().unwrap()
    };
    write(&mut log, 200);
    let end = log.checkpoint(NOW).unwrap().unwrap();
    let segments = segment::list(folder.path()).unwrap();
    assert!(segments.len() == 3 && segments[0] > 1, "{segments:?}");
    let held = verified(folder.path(), &key, &[&early, &end]);
    assert!(held.passed() && held.later == 0, "{held}");
    assert!(held.to_string().contains("were retired by the device"), "{held}");

    // The same without the device's word: the first kept segment taken away too.
    std::fs::remove_file(segment::lines_path(folder.path(), segments[0])).unwrap();
    let cut = verified(folder.path(), &key, &[]);
    assert!(!cut.passed(), "{cut}");
}

#[test]
fn a_torn_end_is_cut_off_with_a_word_wherever_the_power_went() {
    let (folder, key) = (tempfile::tempdir().unwrap(), key());
    let mut log = open(folder.path(), Limits::default(), &key).log;
    write(&mut log, 4);
    log.checkpoint(NOW).unwrap();
    write(&mut log, 3);
    let (path, signed) = (last_segment(folder.path()), log.head().seq - 3);
    let whole = std::fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').map(|at| at + 1).collect();
    let near = |length: usize| length.is_multiple_of(37) || ends.iter().any(|end| end.abs_diff(length) <= 1);
    for length in (ends[3]..=whole.len()).filter(|length| near(*length)) {
        for tail in [&b""[..], &[0; 40], b"\n\n", b"{\"seq\":99}\n"] {
            std::fs::write(&path, [&whole[..length], tail].concat()).unwrap();
            let mut opened = open(folder.path(), Limits::default(), &key);
            // One line feed may be all that half a line lacks.
            let fed = usize::from(tail.starts_with(b"\n") && ends.contains(&(length + 1)));
            let lines = ends.iter().filter(|end| **end <= length).count() + fed;
            let torn = tail.len() > fed || (fed == 0 && !ends.contains(&length));
            assert_eq!(opened.log.head().seq, lines as u64, "{length} {tail:?}");
            assert_eq!(opened.first.len(), usize::from(torn), "{length} {tail:?}");
            opened.first.into_iter().for_each(|event| opened.log.append(&[(NOW, event)]).unwrap());
            write(&mut opened.log, 1);
            opened.log.checkpoint(NOW).unwrap();
            let verified = verified(folder.path(), &key, &[]);
            assert!(verified.passed() && verified.holds_to > Some(signed), "{verified}");
            // As it was for the next round, with the checkpoint that was there.
            std::fs::write(&path, &whole).unwrap();
            let cp = checkpoint::sign(&key, head_at(&whole, &ends, 4), NOW).unwrap();
            std::fs::write(segment::checkpoint_path(folder.path(), 1), cp).unwrap();
        }
    }
}

fn head_at(whole: &[u8], ends: &[usize], seq: usize) -> Head {
    let start = if seq == 1 { 0 } else { ends[seq - 2] };
    Head { seq: seq as u64, sha256: Digest::of(&whole[start..ends[seq - 1] - 1]) }
}

#[test]
fn a_cut_while_a_segment_turns_loses_nothing_that_was_signed() {
    let (folder, key) = (tempfile::tempdir().unwrap(), key());
    let limits = Limits { segment_bytes: 1000, segments: 100 };
    let mut log = open(folder.path(), limits, &key).log;
    write(&mut log, 40);
    log.checkpoint(NOW).unwrap();
    let segments = segment::list(folder.path()).unwrap();
    for torn in [&b""[..], b"{\"seq\":"] {
        // The next segment exists, and holds no whole line.
        std::fs::write(segment::lines_path(folder.path(), log.head().seq + 1), torn).unwrap();
        let mut opened = open(folder.path(), limits, &key);
        assert_eq!(opened.log.head(), log.head());
        assert_eq!(opened.first.len(), usize::from(!torn.is_empty()));
        write(&mut opened.log, 1);
        opened.log.checkpoint(NOW).unwrap();
        assert!(verified(folder.path(), &key, &[]).passed());
        for path in [segment::lines_path(folder.path(), 41), segment::checkpoint_path(folder.path(), 41)] {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(segment::list(folder.path()).unwrap(), segments);
}

#[test]
fn a_log_that_contradicts_its_checkpoint_is_set_aside_and_never_mended() {
    for damage in ["changed", "cut"] {
        let (state, key) = (tempfile::tempdir().unwrap(), key());
        let folder = state.path().join("audit");
        let mut log = open(&folder, Limits::default(), &key).log;
        write(&mut log, 9);
        let published = log.checkpoint(NOW).unwrap().unwrap();
        let path = last_segment(&folder);
        let mut bytes = std::fs::read(&path).unwrap();
        let length = bytes.len();
        match damage {
            "cut" => bytes.truncate(length - 10),
            _ => bytes[length / 2] ^= 1,
        }
        std::fs::write(&path, &bytes).unwrap();

        let mut opened = open(&folder, Limits::default(), &key);
        assert!(matches!(opened.first[..], [Event::SetAside { .. }]), "{damage}: {:?}", opened.first);
        opened.log.append(&[(NOW, opened.first[0].clone())]).unwrap();
        opened.log.checkpoint(NOW).unwrap();
        let kept = std::fs::read(state.path().join("audit-set-aside-1").join(path.file_name().unwrap())).unwrap();
        assert_eq!(kept, bytes, "what broke is kept as it was");
        let verified = verified(&folder, &key, &[&published]);
        assert!(!verified.passed(), "{damage}: {verified}");
    }
}

#[test]
fn a_checkpoint_is_made_once_for_a_line_and_by_no_other_key() {
    let (folder, key) = (tempfile::tempdir().unwrap(), key());
    let mut log = open(folder.path(), Limits::default(), &key).log;
    assert_eq!(log.checkpoint(NOW).unwrap(), None, "there is nothing to sign for");
    write(&mut log, 2);
    let first = log.checkpoint(NOW).unwrap().unwrap();
    let later = Moment { unix_ms: NOW.unix_ms + 1, ..NOW };
    assert_eq!(log.checkpoint(later).unwrap().unwrap(), first);
    let stranger = DeviceKey::generate().unwrap();
    assert!(Checkpoint::open(&first, &[stranger.public().clone()]).is_err());
}

#[test]
fn what_a_failed_write_left_is_written_over_and_no_line_comes_twice() {
    let (folder, key) = (tempfile::tempdir().unwrap(), key());
    let mut log = open(folder.path(), Limits::default(), &key).log;
    write(&mut log, 3);
    log.break_end(b"half a line that a full disk left");
    write(&mut log, 3);
    log.break_end(b"");
    log.checkpoint(NOW).unwrap();
    let verified = verified(folder.path(), &key, &[]);
    assert!(verified.passed() && verified.holds_to == Some(6), "{verified}");
}

static CLOCK: AtomicI64 = AtomicI64::new(NOW.unix_ms);

fn stepping() -> Moment {
    Moment { unix_ms: CLOCK.load(Relaxed), synchronised: true }
}

fn events(folder: &Path) -> Vec<String> {
    let (segments, _) = Segment::all(folder).unwrap();
    let lines = segments.iter().flat_map(|segment| line::complete(&segment.bytes).0.filter_map(Line::read));
    lines.map(|line| line.event).collect()
}

#[test]
fn noted_events_are_durable_and_signed_when_a_checkpoint_is_asked_for() {
    let (folder, key) = (tempfile::tempdir().unwrap(), key());
    let writer = Writer::start(open(folder.path(), Limits::default(), &key), || NOW, |_| {}).unwrap();
    let audit = writer.audit();
    (0..500).for_each(|n| audit.note(event(n)));
    let jws = audit.checkpoint(DEADLINE).unwrap();
    let seq = Checkpoint::open(&jws, &[key.public().clone()]).unwrap().seq;
    let sealed = events(folder.path()).iter().filter(|event| *event == "sealed").count();
    assert!(seq >= 500 && sealed == 500, "{seq} {sealed}");
    assert_eq!(audit.latest(), Some(jws));
    writer.close();
    assert_eq!(events(folder.path()).last().unwrap(), "stopped");
    assert!(open(folder.path(), Limits::default(), &key).after == After::Stop);
    audit.note(event(1));
    assert_eq!(events(folder.path()).last().unwrap(), "stopped", "a closed log takes no more");
}

#[test]
fn a_clock_that_was_set_is_a_line() {
    let (folder, key) = (tempfile::tempdir().unwrap(), key());
    let writer = Writer::start(open(folder.path(), Limits::default(), &key), stepping, |_| {}).unwrap();
    writer.audit().note(event(1));
    CLOCK.fetch_sub(3_600_000, Relaxed);
    writer.audit().note(event(2));
    writer.close();
    assert!(events(folder.path()).contains(&"clock-stepped".to_owned()));
}

#[test]
fn a_log_that_cannot_be_written_blocks_nobody_and_says_what_was_lost() {
    let (state, key) = (tempfile::tempdir().unwrap(), key());
    let folder = state.path().join("audit");
    let opened = open(&folder, Limits::default(), &key);
    // Nothing can be made where a folder should be.
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    let (said, heard) = std::sync::mpsc::channel();
    let writer = Writer::start(opened, || NOW, move |why| said.send(why).unwrap()).unwrap();
    let audit = writer.audit();
    audit.note(event(0));
    heard.recv_timeout(DEADLINE).expect("the trouble is said");
    let start = Instant::now();
    (0..5000).for_each(|n| audit.note(event(n)));
    assert!(start.elapsed() < DEADLINE);
    assert_eq!(audit.checkpoint(Duration::from_millis(1)), None, "nothing is signed that is not durable");

    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let checkpoint = audit.checkpoint(DEADLINE).expect("the disk is back");
    assert!(heard.try_recv().is_err(), "the trouble is said once");
    let text = std::fs::read_to_string(last_segment(&folder)).unwrap();
    let kept = text.lines().filter(|line| line.contains("\"sealed\"")).count();
    let gap = text.lines().find(|line| line.contains("audit-gap")).expect("what is lost is counted");
    assert!(gap.contains(&format!("\"lost\":{}", 5001 - kept)), "{kept} kept, {gap}");
    assert!(kept >= MAX_WAITING);
    assert!(verified(&folder, &key, &[&checkpoint]).passed());
    writer.close();
}

/// The sequences in the `sealed` lines that are kept.
fn sequences(folder: &Path) -> Vec<u64> {
    let (segments, _) = Segment::all(folder).unwrap();
    let lines = segments.iter().flat_map(|segment| line::complete(&segment.bytes).0);
    let values = lines.map(|line| serde_json::from_slice::<serde_json::Value>(line).unwrap());
    values.filter_map(|value| value["sequence"].as_u64()).collect()
}

/// A full disk, a failing one and short writes in turn, at every call there is: what was
/// appended is there once and in order, and what was not is nowhere.
#[test]
fn a_fault_at_any_call_doubles_no_line_and_loses_none_that_was_written() {
    const KINDS: [FaultKind; 4] = [FaultKind::Full, FaultKind::Io, FaultKind::Short, FaultKind::ShortThenFull];
    let key = key();
    let limits = Limits { segment_bytes: 300, segments: 3 };
    let mut struck = 0;
    for (first, kind) in (1..).zip(KINDS) {
        for call in (first..).step_by(KINDS.len()) {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join("audit");
            let watch = Watch::over(root.path(), Some(Fault { call, kind, span: Span::Once }));
            let open = || Log::open_on(&Disk::Watched(Arc::clone(&watch)), &folder, limits, Some(Arc::clone(&key)));
            let opened = open().or_else(|_| {
                watch.lift();
                open()
            });
            let mut log = opened.unwrap().log;
            let mut published = Vec::new();
            for n in 0..6 {
                if log.append(&[(NOW, event(n))]).is_err() {
                    watch.lift();
                    log.append(&[(NOW, event(n))]).unwrap();
                }
                let made = log.checkpoint(NOW).or_else(|_| {
                    watch.lift();
                    log.checkpoint(NOW)
                });
                let made = made.unwrap().unwrap();
                published.push(made);
            }
            let published: Vec<&str> = published.iter().map(|jws| &**jws).collect();
            let held = verified(&folder, &key, &published);
            assert!(held.passed() && held.later == 0, "{kind:?} at call {call}: {held}");
            let sealed = sequences(&folder);
            let consecutive = sealed.windows(2).all(|pair| pair[1] == pair[0] + 1);
            assert!(consecutive && sealed.last() == Some(&5), "{kind:?} at call {call}: {sealed:?}");
            let again = Log::open(&folder, limits, Some(Arc::clone(&key))).unwrap();
            assert!(again.first.is_empty(), "{kind:?} at call {call}: {:?}", again.first);
            if watch.struck().is_none() {
                break;
            }
            struck += 1;
        }
    }
    assert!(struck > 60, "{struck} faults");
}

#[test]
fn what_is_durable_shares_no_sector_with_what_is_written_later() {
    let (folder, key) = (tempfile::tempdir().unwrap(), key());
    let mut log = open(folder.path(), Limits::default(), &key).log;
    let mut durable = Vec::new();
    for count in [1, 5, 40, 1] {
        write(&mut log, count);
        log.sync().unwrap();
        let bytes = std::fs::read(last_segment(folder.path())).unwrap();
        assert!(bytes.len().is_multiple_of(4096), "{}", bytes.len());
        assert!(bytes.starts_with(&durable), "durable lines were changed");
        durable = bytes;
    }
    log.checkpoint(NOW).unwrap();
    assert!(verified(folder.path(), &key, &[]).passed());
}

#[test]
fn lines_of_a_killed_process_are_written_anew_before_they_are_signed_for() {
    let (root, key) = (tempfile::tempdir().unwrap(), key());
    let folder = root.path().join("audit");
    let watch = Watch::over(root.path(), None);
    let open = || Log::open_on(&Disk::Watched(Arc::clone(&watch)), &folder, Limits::default(), Some(Arc::clone(&key)));
    write(&mut open().unwrap().log, 3);
    let _ = watch.take_log();
    let mut log = open().unwrap().log;
    let done = watch.take_log();
    // Not in place: what is there may be durable, and a write may spoil it.
    let at = |is: fn(&Operation) -> bool| done.iter().position(is);
    let created = at(|operation| matches!(operation, Operation::Create { .. }));
    let synced = at(|operation| matches!(operation, Operation::Sync { .. }));
    let renamed = at(|operation| matches!(operation, Operation::Rename { .. }));
    let listed = at(|operation| matches!(operation, Operation::SyncFolder { path } if path == Path::new("audit")));
    assert!(created.is_some() && created < synced && synced < renamed && renamed < listed, "{done:?}");
    let signed = log.checkpoint(NOW).unwrap().unwrap();
    assert_eq!(Checkpoint::open(&signed, &[key.public().clone()]).unwrap().seq, 3);
    assert!(verified(&folder, &key, &[]).passed());
    drop(log);
    let _ = watch.take_log();
    drop(open().unwrap());
    let wrote = watch.take_log().iter().any(|operation| matches!(operation, Operation::Create { .. }));
    assert!(!wrote, "what a checkpoint is about is durable");
}

/// From some call on the disk is full. Lines have their room, for a checkpoint the reserve is
/// given up, which a watch does not see: there, the disk is full for one call alone.
#[test]
fn a_full_disk_stops_no_line_and_no_checkpoint() {
    let key = key();
    let written = |fault: Option<Fault>| {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("audit");
        let watch = Watch::over(root.path(), fault);
        let disk = Disk::Watched(Arc::clone(&watch));
        let mut log = Log::open_on(&disk, &folder, Limits::default(), Some(Arc::clone(&key))).unwrap().log;
        write(&mut log, 1);
        let first = log.checkpoint(NOW).unwrap();
        let calls = watch.calls();
        for n in 0..50 {
            log.append(&[(NOW, event(n))]).unwrap();
            log.sync().unwrap();
        }
        let last = log.checkpoint(NOW);
        assert!(verified(&folder, &key, &[]).passed());
        (calls, last.is_ok_and(|last| last != first))
    };
    let (calls, _) = written(None);
    let full = |span| Some(Fault { call: calls + 1, kind: FaultKind::Full, span });
    assert!(written(full(Span::Once)).1, "the reserve was given up for a checkpoint");
    assert!(!written(full(Span::Lasting)).1);
}
