//! The process that a target runs in: it changes inputs, keeps those that reach something
//! new, and lies down with the input that breaks the target. The last input stands in a
//! file at any time, for whoever finds this process dead.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::coverage::Coverage;
use crate::mutate::Mutator;
use crate::pool::{self, Pool};
use crate::random::Random;
use crate::targets::Target;

/// Exit codes: the target panicked, or did not come back.
pub const PANICKED: i32 = 70;
pub const HUNG: i32 = 71;
/// Of the thread that runs the target: what tokio gives its own.
const STACK_BYTES: usize = 2 * 1024 * 1024;
/// Of this process: twice what a reader has on the smallest board.
const MEMORY_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Nothing bounded takes so long, on however slow a machine.
const HANG_S: u32 = 60;
const PROGRESS_EVERY: Duration = Duration::from_secs(1);
/// Changes made before anything runs, so that our own code is known.
const WARM_UP: u32 = 5_000;

static EXECUTED: AtomicU64 = AtomicU64::new(0);

/// What to do, and where.
#[derive(Debug, Clone)]
pub struct Job {
    /// Executions after those of seeds and corpus.
    pub runs: u64,
    pub seconds: u64,
    pub seed: u64,
    /// Where inputs that reach something new are kept.
    pub corpus: PathBuf,
    /// Where the last input stands.
    pub last: PathBuf,
}

/// How far it is, as one line between the two processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    pub executed: u64,
    pub edges: usize,
    pub all_edges: usize,
    pub pool: usize,
    pub slowest_ms: u64,
}

struct Fuzzer {
    target: &'static Target,
    coverage: Coverage,
    pool: Pool,
    last: File,
    /// What is written to `last`: a length and an input.
    noted: Vec<u8>,
    slowest: Duration,
}

/// Runs `work` with the limits of a target, in a thread of its own; does not come back.
pub fn limited(work: impl FnOnce() + Send + 'static) -> ! {
    // More memory than that is a finding, and so an abort; a core file of it helps nobody.
    for (resource, most) in [(Resource::As, MEMORY_BYTES), (Resource::Core, 0)] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).expect("a lower limit is allowed");
    }
    std::thread::spawn(watch_for_hangs);
    let done = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).expect("a thread").join();
    exit(if done.is_ok() { 0 } else { PANICKED })
}

fn watch_for_hangs() {
    let (mut before, mut still) = (0, 0);
    while still < HANG_S {
        std::thread::sleep(Duration::from_secs(1));
        let now = EXECUTED.load(Relaxed);
        still = if now == before { still + 1 } else { 0 };
        before = now;
    }
    eprintln!("nothing came back for {HANG_S} s");
    exit(HUNG);
}

/// Fuzzes until the job is done or the target is broken.
pub fn fuzz(target: &'static Target, job: &Job) {
    let last = File::create(&job.last).unwrap_or_else(|e| panic!("{}: {e}", job.last.display()));
    let coverage = Coverage::new();
    let mut fuzzer =
        Fuzzer { target, coverage, pool: Pool::default(), last, noted: Vec::new(), slowest: Duration::ZERO };
    let seeds = pool::seeds(target.name);
    assert!(!seeds.is_empty(), "{} has no seeds", target.name);
    let mut tokens = pool::words(&seeds);
    tokens.extend(target.tokens.iter().flat_map(|tokens| tokens.iter().map(|token| token.to_vec())));
    let mut mutator = Mutator::new(Random::new(job.seed, 1), tokens, target.most_bytes);
    fuzzer.warm_up(&mut mutator, &seeds);
    for seed in seeds {
        fuzzer.execute(&seed);
        fuzzer.pool.add(seed);
    }
    if fuzzer.coverage.is_there() {
        let mut kept = pool::files(&job.corpus);
        kept.sort_by_key(Vec::len);
        for input in kept {
            if fuzzer.execute(&input) {
                fuzzer.pool.add(input);
            }
        }
    }
    fuzzer.run(&mut mutator, job);
}

impl Fuzzer {
    fn run(&mut self, mutator: &mut Mutator, job: &Job) {
        let (start, mut told) = (Instant::now(), Instant::now());
        let mut picks = Random::new(job.seed, 2);
        for _ in 0..job.runs {
            let input = mutator.mutate(self.pool.pick(&mut picks), self.pool.pick(&mut picks));
            if self.execute(&input) {
                pool::keep(&job.corpus, "", &input);
                self.pool.add(input);
            }
            if told.elapsed() >= PROGRESS_EVERY {
                told = Instant::now();
                self.tell();
                if start.elapsed().as_secs() >= job.seconds {
                    break;
                }
            }
        }
        self.tell();
    }

    /// Makes our own code known to the coverage, so that it is not taken for the target's.
    fn warm_up(&mut self, mutator: &mut Mutator, seeds: &[Vec<u8>]) {
        let mut picks = Random::new(0, 3);
        let (target, mut pool) = (self.target, Pool::default());
        self.target = &Target { name: "nothing", run: |_| (), tokens: &[], most_bytes: 0, few: 0 };
        for n in 0..WARM_UP {
            pool.add(seeds[n as usize % seeds.len()].clone());
            let input = mutator.mutate(pool.pick(&mut picks), pool.pick(&mut picks));
            self.note(&input);
        }
        for seed in seeds {
            self.execute(seed);
        }
        self.coverage.ignore();
        self.target = target;
        EXECUTED.store(0, Relaxed);
    }

    /// Runs the target; true where it reached something new.
    fn execute(&mut self, input: &[u8]) -> bool {
        self.note(input);
        let start = Instant::now();
        if catch_unwind(AssertUnwindSafe(|| (self.target.run)(input))).is_err() {
            exit(PANICKED);
        }
        self.slowest = self.slowest.max(start.elapsed());
        EXECUTED.fetch_add(1, Relaxed);
        self.coverage.harvest()
    }

    fn note(&mut self, input: &[u8]) {
        self.noted.clear();
        self.noted.extend_from_slice(&u32::try_from(input.len()).expect("inputs are bounded").to_le_bytes());
        self.noted.extend_from_slice(input);
        self.last.write_all_at(&self.noted, 0).expect("the last input can be noted");
    }

    fn tell(&self) {
        let (edges, all_edges) = self.coverage.edges();
        let slowest_ms = u64::try_from(self.slowest.as_millis()).unwrap_or(u64::MAX);
        let figures = Figures { executed: EXECUTED.load(Relaxed), edges, all_edges, pool: self.pool.len(), slowest_ms };
        let mut out = std::io::stdout().lock();
        // Nobody who listens is nobody to tell.
        let _ = writeln!(out, "{}", figures.line()).and_then(|()| out.flush());
    }
}

/// The input that stood in `last` when its process ended.
pub fn last_input(last: &Path) -> Vec<u8> {
    let noted = std::fs::read(last).unwrap_or_default();
    let Some((length, rest)) = noted.split_first_chunk::<4>() else { return Vec::new() };
    let length = u32::from_le_bytes(*length) as usize;
    rest[..length.min(rest.len())].to_vec()
}

impl Figures {
    fn line(self) -> String {
        let Self { executed, edges, all_edges, pool, slowest_ms } = self;
        format!("{executed} {edges} {all_edges} {pool} {slowest_ms}")
    }

    /// Reads what [`Figures::line`] wrote.
    pub fn read(line: &str) -> Option<Self> {
        let mut numbers = line.split(' ').map(str::parse::<u64>);
        let mut next = || numbers.next()?.ok();
        let count = |n: u64| usize::try_from(n).ok();
        Some(Self {
            executed: next()?,
            edges: count(next()?)?,
            all_edges: count(next()?)?,
            pool: count(next()?)?,
            slowest_ms: next()?,
        })
    }
}
