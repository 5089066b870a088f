//! Call 1, 2, … of a run fails: the disk is full, or fails, or a write is short. What was
//! asked gets a clean error of the right class; once the fault is gone everything that was
//! left is done; and then the power goes, too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use residentd::audit::AuditError;
use residentd::os::disk::is_full;
use residentd::os::disk::watch::{Fault, FaultKind, Operation, Span, Watch};
use residentd::seal::key::DeviceKey;
use residentd::store::StoreError;

use crate::check::{Depth, holds, lay_out, reopened};
use crate::cut::{Disk, State};
use crate::ledger::Ledger;
use crate::random::Random;
use crate::run::{Image, Life, Run, images};

/// Out of resources, and processing failure (PS3.4 table B.2-1, PS3.7 C.4.1).
const FULL: u16 = 0xA700;
const FAILED: u16 = 0x0110;
const KINDS: [(FaultKind, Span); 6] = [
    (FaultKind::Full, Span::Once),
    (FaultKind::Full, Span::Lasting),
    (FaultKind::Io, Span::Once),
    (FaultKind::Io, Span::Lasting),
    (FaultKind::Short, Span::Once),
    (FaultKind::ShortThenFull, Span::Once),
];
/// States of a power cut after each.
const STATES_AFTER: u64 = 3;
const MOST_SHOWN: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Provision,
    Start,
    Send(usize),
    Conclude,
    Deliver,
    Retire,
    Checkpoint,
    Stop,
}

use Step::{Checkpoint, Conclude, Deliver, Provision, Retire, Send, Start, Stop};
const STEPS: [Step; 19] = [
    Provision,
    Start,
    Send(0),
    Send(1),
    Send(0),
    Conclude,
    Deliver,
    Conclude,
    Checkpoint,
    Deliver,
    Retire,
    Send(2),
    Stop,
    Start,
    Send(3),
    Conclude,
    Deliver,
    Retire,
    Stop,
];

/// What came of faults of one kind.
#[derive(Default)]
struct Tally {
    runs: u64,
    answers: BTreeMap<&'static str, u64>,
}

/// Fails each `every`th call in each way; true where all is as it must be.
pub fn all(every: u64) -> bool {
    let began = Instant::now();
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let key = Arc::new(DeviceKey::generate().unwrap());
    let mut images = images(folder.path(), 4);
    let mut failures = Vec::new();
    for (kind, span) in KINDS {
        let mut tally = Tally::default();
        let mut call = 1;
        // The call that was struck may be later than the one asked for; after the last
        // none is.
        while let Some(struck) =
            one(&runtime, folder.path(), &key, &mut images, Fault { call, kind, span }, &mut tally, &mut failures)
        {
            if failures.len() >= MOST_SHOWN {
                break;
            }
            call = struck + every;
        }
        println!("{kind:?} {span:?}: {} runs, each with its call struck; {:?}", tally.runs, tally.answers);
    }
    for failure in &failures {
        println!("FAILED: {failure}");
    }
    println!("faults: every {every}. call, {} not as promised, {:.0} s", failures.len(), began.elapsed().as_secs_f32());
    failures.is_empty()
}

/// A run with `fault`; the call that it struck.
fn one(
    runtime: &tokio::runtime::Runtime,
    folder: &Path,
    key: &Arc<DeviceKey>,
    images: &mut [Image],
    fault: Fault,
    tally: &mut Tally,
    failures: &mut Vec<String>,
) -> Option<u64> {
    let (disk, lower) = (folder.join("disk"), folder.join("state"));
    let _ = std::fs::remove_dir_all(&disk);
    std::fs::create_dir(&disk).unwrap();
    let watch = Watch::over(&disk, Some(fault));
    let run = Run::new(runtime, watch.clone(), &disk, key, Ledger::default());
    let mut faulty =
        Faulty { run, life: None, fault, tally, wrong: Vec::new(), roomy_segment: None, log_has_reserve: false };
    for step in STEPS {
        faulty.step(step, &disk, images);
    }
    let struck = watch.struck()?;
    watch.lift();
    let done = faulty.finish(&disk, images);
    let Faulty { run, wrong, .. } = faulty;
    let place = format!("{:?} {:?} at call {struck}", fault.kind, fault.span);
    failures.extend(wrong.into_iter().chain(done.err()).map(|why| format!("{place}: {why}")));
    tally.runs += 1;

    // A write whose sync failed is lost or not, however well a later sync goes.
    let mut random = Random::new(struck);
    let (ledger, log) = (run.ledger, watch.take_log());
    let mut left = Disk::holding(State::default());
    for operation in &log {
        left.follow(operation, &mut random);
    }
    left.states(STATES_AFTER, &mut random, |state| {
        lay_out(&state, &lower);
        if let Err(why) = reopened(&lower, &ledger, log.len(), key, Depth::GoOn) {
            let from =
                log.iter().position(|o| matches!(o, Operation::SyncFailed { .. })).unwrap_or(0).saturating_sub(14);
            let shown: Vec<String> = log[from..].iter().take(400).map(crate::replay::shown).collect();
            failures.push(format!("{place}, then a power cut: {why}\n    {}", shown.join("\n    ")));
        }
    });
    Some(struck)
}

struct Faulty<'a, 'b> {
    run: Run<'a>,
    life: Option<Life>,
    fault: Fault,
    tally: &'b mut Tally,
    wrong: Vec<String>,
    /// The segment of the audit log that took its room before anything failed.
    roomy_segment: Option<PathBuf>,
    /// The log has its reserve.
    log_has_reserve: bool,
}

impl Faulty<'_, '_> {
    fn step(&mut self, step: Step, folder: &Path, images: &mut [Image]) {
        if step != Provision {
            self.audited(step);
        }
        match (step, self.life.take()) {
            (Provision, life) => {
                self.life = life;
                if self.run.provision(folder).is_err() {
                    self.answered("no key");
                }
            }
            (Start, None) => match self.run.start() {
                Ok(life) => self.life = Some(life),
                Err(e) => self.failed(step, &e),
            },
            (Stop, Some(life)) => self.run.stop(life),
            (_, None) => {}
            (step, Some(life)) => {
                self.working(step, &life, images);
                self.life = Some(life);
            }
        }
    }

    fn working(&mut self, step: Step, life: &Life, images: &mut [Image]) {
        let result = match step {
            Send(at) => {
                let status = self.run.send(life, &mut images[at]);
                return self.status(status, life.store.reserve().is_whole());
            }
            Conclude => self.run.conclude(life).map(drop),
            Deliver => self.run.deliver(life).map(drop),
            Retire => self.run.retire(life, 1).map(drop),
            // SQLite's own business: what it cannot write back it writes back later.
            _ => return drop(self.run.checkpoint("PASSIVE")),
        };
        if let Err(e) = result {
            self.failed(step, &e);
        }
    }

    /// The audit log around a step: what happened is noted, made durable, signed for. Where it
    /// fails, its writer keeps the event and tries again. Once it has room of its own, a full
    /// disk fails no line; the reserve for checkpoints is not seen here to make room, so
    /// that a disk which stays full fails those.
    fn audited(&mut self, step: Step) {
        if step == Start || self.run.log.is_none() {
            (self.roomy_segment, self.log_has_reserve) = (None, false);
            if let Err(error) = self.run.open_log() {
                return self.log_failed(step, &error, true);
            }
        }
        let stays_full = self.fault.span == Span::Lasting || self.fault.kind == FaultKind::ShortThenFull;
        if let Err(error) = self.run.note().and_then(|()| self.run.sync_log()) {
            // Where a segment ends, lines too need what only the reserve has room for.
            let in_room = matches!(&error, AuditError::Io { path, .. } if self.roomy_segment.as_ref() == Some(path));
            let may_be_full = self.roomy_segment.is_none() || (stays_full && !in_room);
            return self.log_failed(step, &error, may_be_full);
        }
        if self.run.watch.struck().is_none() {
            self.roomy_segment = newest_segment(&self.run.state);
        }
        if let Err(error) = self.run.sign_log() {
            return self.log_failed(step, &error, stays_full || !self.log_has_reserve);
        }
        self.log_has_reserve |= self.run.watch.struck().is_none();
    }

    fn log_failed(&mut self, step: Step, error: &AuditError, may_be_full: bool) {
        let is_full = matches!(error, AuditError::Io { source, .. } if is_full(source));
        let right = match self.fault.kind {
            FaultKind::Full | FaultKind::ShortThenFull => is_full && may_be_full,
            FaultKind::Io => !is_full,
            FaultKind::Short => false,
        };
        self.answered("audit failed");
        if !right {
            self.wrong.push(format!("{step:?}, audit: {error}"));
        }
    }

    /// The scanner was answered.
    fn status(&mut self, status: u16, reserve_is_whole: bool) {
        let right = match (status, self.fault.kind) {
            (0, _) => return,
            (FULL, FaultKind::Full | FaultKind::ShortThenFull) | (FAILED, FaultKind::Io) => true,
            // Without its reserve the box takes nothing in, whyever it has none.
            (FULL, FaultKind::Io) => !reserve_is_whole,
            _ => false,
        };
        self.answered(if status == FULL { "0xA700" } else { "0x0110" });
        if !right {
            self.wrong.push(format!("the scanner was answered 0x{status:04X}"));
        }
    }

    /// The store said no.
    fn failed(&mut self, step: Step, error: &StoreError) {
        // A name that cannot be made is "unable to open the database file", full or not.
        let cannot_open = matches!(step, Start | Checkpoint) && error.to_string().contains("unable to open");
        let right = match self.fault.kind {
            FaultKind::Full | FaultKind::ShortThenFull => error.is_full() || cannot_open,
            FaultKind::Io => !error.is_full() || is_shared_memory(error),
            FaultKind::Short => false,
        };
        self.answered(match step {
            Start => "start failed",
            Conclude => "conclude failed",
            Deliver => "deliver failed",
            _ => "retire failed",
        });
        if !right {
            self.wrong.push(format!("{step:?} failed with: {error}"));
        }
    }

    fn answered(&mut self, what: &'static str) {
        *self.tally.answers.entry(what).or_default() += 1;
    }

    /// The fault is gone: everything that was left is done, by the same process where it lives.
    fn finish(&mut self, folder: &Path, images: &mut [Image]) -> Result<(), String> {
        let fail = |e: StoreError| format!("afterwards: {e}");
        if self.run.ledger.key.is_none() && self.run.provision(folder).is_err() {
            // As the error says: what a broken start left is moved away.
            let left = self.run.disk().remove(&folder.join("device.key"));
            left.map_err(|e| format!("afterwards: no key and none in the way: {e}"))?;
            self.run.provision(folder).map_err(|e| format!("afterwards: {e}"))?;
        }
        if self.run.log.is_none() {
            self.run.open_log().map_err(|e| format!("afterwards: {e}"))?;
        }
        let audited = self.run.note().and_then(|()| self.run.sign_log());
        audited.map_err(|e| format!("afterwards: {e}"))?;
        let life = match self.life.take() {
            Some(life) => life,
            None => self.run.start().map_err(fail)?,
        };
        for image in images {
            let status = self.run.send(&life, image);
            if status != 0 {
                return Err(format!("afterwards: an image was answered 0x{status:04X}"));
            }
        }
        while self.run.conclude(&life).map_err(fail)?.is_some() {}
        while self.run.deliver(&life).map_err(fail)?.is_some() {}
        self.run.retire(&life, 1).map_err(fail)?;
        life.store.reserve().refill(u64::MAX, 0).map_err(|e| format!("afterwards: no reserve: {e}"))?;
        if !life.store.reserve().is_whole() {
            return Err("afterwards: no reserve".to_owned());
        }
        let cut = self.run.watch.position();
        // What is left of failed receptions is swept at the next start, not before.
        let swept = life.store.sweep().map_err(fail)?;
        if swept > 1 {
            return Err(format!("{swept} files were left behind"));
        }
        let held = holds(&life.store, &self.run.state, &self.run.ledger, cut);
        self.run.stop(life);
        held
    }
}

/// The segment that the audit log writes to.
fn newest_segment(state: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(residentd::audit::folder_of(state)).ok()?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl")).max()
}

/// Growing the shared memory file failed, which `SQLite` calls the same whatever the reason.
fn is_shared_memory(error: &StoreError) -> bool {
    let StoreError::Sqlite { source: rusqlite::Error::SqliteFailure(source, _), .. } = error else { return false };
    source.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
}
