//! Runs, the cuts in them, and cuts while the store recovers from a cut.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use residentd::os::disk::watch::{Operation, Watch};
use residentd::seal::key::DeviceKey;

use crate::check::{Depth, lay_out, reopened};
use crate::cut::{Disk, State};
use crate::ledger::Ledger;
use crate::random::Random;
use crate::run::{Image, Run, images};

/// States that one run is cut into, so that a long replay sees many runs.
const STATES_A_RUN: u64 = 5_000;
/// What a run does, beside starting and stopping.
const STEPS: u64 = 30;
const IMAGES: u64 = 14;
/// So manieth state is worked on until nothing is left to do.
const GO_ON: u64 = 8;
/// So manieth state is recovered on a watched disk, and the power cut again meanwhile.
const AGAIN: u64 = 400;
/// States of such a recovery.
const STATES_AGAIN: u64 = 60;
/// Failures shown before it is enough.
const MOST_SHOWN: usize = 5;

/// What came of it.
#[derive(Default)]
struct Tally {
    runs: u64,
    operations: usize,
    cuts: u64,
    states: u64,
    seen: HashSet<u64>,
    again: u64,
    failures: Vec<String>,
}

/// Everything a replay works with.
struct Replay<'a> {
    key: &'a Arc<DeviceKey>,
    runtime: &'a tokio::runtime::Runtime,
    folder: &'a Path,
    tally: Tally,
    random: Random,
}

/// Reopens `states` different states; true where all hold.
pub fn all(states: u64, seed: u64) -> bool {
    let began = Instant::now();
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let key = Arc::new(DeviceKey::generate().unwrap());
    let mut images = images(folder.path(), IMAGES);
    let mut replay = Replay {
        key: &key,
        runtime: &runtime,
        folder: folder.path(),
        tally: Tally::default(),
        random: Random::new(seed),
    };
    let mut told = Instant::now();
    while (replay.tally.seen.len() as u64) < states && replay.tally.failures.len() < MOST_SHOWN {
        let wanted = (states - replay.tally.seen.len() as u64).min(STATES_A_RUN);
        replay.run(&mut images, wanted);
        if told.elapsed().as_secs() >= 10 {
            told = Instant::now();
            eprintln!(
                "power cut: {} of {states} states, {:.0} s",
                replay.tally.seen.len(),
                began.elapsed().as_secs_f32()
            );
        }
    }
    let Tally { runs, operations, cuts, states, seen, again, failures } = replay.tally;
    for failure in &failures {
        println!("FAILED: {failure}");
    }
    println!(
        "power cut: seed {seed}: {runs} runs of {operations} operations, cut at {cuts} places: {states} states, \
         {} of them different and reopened ({again} of them cut again while recovering), {} not as promised, {:.0} s",
        seen.len(),
        failures.len(),
        began.elapsed().as_secs_f32()
    );
    failures.is_empty()
}

impl Replay<'_> {
    /// One run, and about `wanted` states of it.
    fn run(&mut self, images: &mut [Image], wanted: u64) {
        let (disk, lower) = (self.folder.join("disk"), self.folder.join("state"));
        let _ = std::fs::remove_dir_all(&disk);
        std::fs::create_dir(&disk).unwrap();
        let watch = Watch::over(&disk, None);
        let mut run = Run::new(self.runtime, watch.clone(), &disk, self.key, Ledger::default());
        life(&mut run, &disk, images, &mut self.random);
        let (ledger, log) = (run.ledger, watch.take_log());
        self.tally.runs += 1;
        self.tally.operations += log.len();
        let picked = self.cut(&log, State::default(), &ledger, wanted, &lower, 0);
        for (state, cut) in picked {
            self.recover(&state, &ledger, cut);
        }
    }

    /// Cuts after every operation of `log`; some of the states, with where they were cut.
    /// The ledger counts `ahead` operations more than the log: those before it began.
    fn cut(
        &mut self,
        log: &[Operation],
        before: State,
        ledger: &Ledger,
        wanted: u64,
        folder: &Path,
        ahead: usize,
    ) -> Vec<(State, usize)> {
        let each = wanted.div_ceil(log.len() as u64 + 1).max(2);
        let mut disk = Disk::holding(before);
        let mut picked = Vec::new();
        for at in 0..=log.len() {
            if let Some(operation) = at.checked_sub(1).map(|last| &log[last]) {
                disk.follow(operation, &mut self.random);
            }
            self.tally.cuts += 1;
            let cut = ahead + at;
            let mut states = Vec::new();
            disk.states(each, &mut self.random, |state| states.push(state));
            for state in states {
                self.tally.states += 1;
                let mut hasher = DefaultHasher::new();
                (&state, ledger.promises(cut), &ledger.key.as_ref().map(|(bytes, _)| bytes)).hash(&mut hasher);
                if !self.tally.seen.insert(hasher.finish()) {
                    continue;
                }
                let depth = if self.random.once_in(GO_ON) { Depth::GoOn } else { Depth::Look };
                lay_out(&state, folder);
                if let Err(why) = reopened(folder, ledger, cut, self.key, depth) {
                    self.failed(&why, &state, log, at);
                    if self.tally.failures.len() >= MOST_SHOWN {
                        return Vec::new();
                    }
                }
                if self.random.once_in(AGAIN) {
                    picked.push((state, cut));
                }
            }
        }
        picked
    }

    /// Recovers from `state` on a watched disk, and cuts that.
    fn recover(&mut self, state: &State, ledger: &Ledger, cut: usize) {
        let (disk, lower) = (self.folder.join("disk"), self.folder.join("state"));
        lay_out(state, &disk);
        let watch = Watch::over(&disk, None);
        // What was promised by then stays promised; nothing else was.
        let mut ledger = ledger.clone();
        ledger.bound_by(cut);
        let mut run = Run::new(self.runtime, watch.clone(), &disk, self.key, ledger);
        if let Err(e) = run.open_log().and_then(|()| run.note()).and_then(|()| run.sync_log()) {
            return self.tally.failures.push(format!("the audit log does not go on: {e}"));
        }
        let life = match run.start() {
            Ok(life) => life,
            Err(e) => return self.tally.failures.push(format!("does not start on a watched disk: {e}")),
        };
        while run.conclude(&life).unwrap().is_some() {}
        run.deliver(&life).unwrap();
        run.retire(&life, 1).unwrap();
        run.note().and_then(|()| run.sign_log()).unwrap();
        run.stop(life);
        let (ledger, log) = (run.ledger, watch.take_log());
        let before = self.tally.seen.len() as u64;
        self.cut(&log, state.clone(), &ledger, STATES_AGAIN, &lower, 0);
        self.tally.again += self.tally.seen.len() as u64 - before;
    }

    fn failed(&mut self, why: &str, state: &State, log: &[Operation], at: usize) {
        let last: Vec<String> = log[at.saturating_sub(12)..at].iter().map(shown).collect();
        let files: Vec<String> = state.files.iter().map(|(p, b)| format!("{} ({})", p.display(), b.len())).collect();
        let text = format!("{why}\n  after operation {at}:\n    {}\n  left: {}", last.join("\n    "), files.join(", "));
        self.tally.failures.push(text);
    }
}

/// What a run does: everything that there is to do, in an order that the seed gives.
fn life(run: &mut Run, folder: &Path, images: &mut [Image], random: &mut Random) {
    run.provision(folder).unwrap();
    run.open_log().unwrap();
    let mut life = run.start().unwrap();
    let mut next = 0;
    for step in 0..STEPS {
        // An event in the log for most of what happens, durable a little later.
        match random.below(8) {
            0 | 1 => run.sync_log().unwrap(),
            2 => run.sign_log().unwrap(),
            _ => run.note().unwrap(),
        }
        match random.below(12) {
            // One image again that was here before; success, and nothing new.
            0 if next > 0 => assert_eq!(run.send(&life, &mut images[next - 1]), 0),
            0..=3 if next < images.len() => {
                assert_eq!(run.send(&life, &mut images[next]), 0);
                next += 1;
            }
            4..=6 => drop(run.conclude(&life).unwrap()),
            7 | 8 => drop(run.deliver(&life).unwrap()),
            9 => drop(run.retire(&life, 2).unwrap()),
            10 => run.checkpoint(if step % 2 == 0 { "PASSIVE" } else { "RESTART" }).unwrap(),
            11 => {
                run.stop(life);
                run.open_log().unwrap();
                life = run.start().unwrap();
            }
            _ => {}
        }
    }
    run.stop(life);
}

/// An operation without its bytes.
pub fn shown(operation: &Operation) -> String {
    match operation {
        Operation::Write { file, offset, bytes } => {
            format!("Write {{ file: {file}, offset: {offset}, {} bytes }}", bytes.len())
        }
        other => format!("{other:?}"),
    }
}
