//! SIGKILL to gateway, reader, both or the collector, at random microseconds and at every step that the
//! program names (`os::step`), under load; after each a restart, and in the end three ledgers.
//!
//! A device lives for [`KILLS_A_LIFE`] kills; then it must bring everything home.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use crate::Mode;
use crate::collector::Collector;
use crate::images::Template;
use crate::life::{Life, Tally};
use crate::plan::Plan;
use crate::random::Random;
use crate::receiver::Receiver;
use crate::site::{Daemon, Site, Started};

pub const MODE: Mode = Mode {
    name: "kills",
    claim: "no kill loses an image answered 0x0000, doubles an outcome or breaks the chain",
    few: 200,
    run,
};

/// Kills before a device must bring everything home.
const KILLS_A_LIFE: u64 = 100;
/// Longest start that a kill falls into; a longer one is simply killed earlier.
const START: Duration = Duration::from_millis(150);
/// From readiness to a kill at most.
const WORK: Duration = Duration::from_millis(60);
/// For a step to be met under load.
const STEP_LIMIT: Duration = Duration::from_secs(5);
/// The nth time that a step is met is chosen up to here.
const NTH: u64 = 3;

/// The gateway's steps, in the order in which a start and then an image meets them.
const GATEWAY_STEPS: [&str; 17] = [
    "opened",
    "swept",
    "reader-up",
    "listening",
    "created",
    "spooled",
    "synced",
    "moved",
    "renamed",
    "accepted",
    "answered",
    "taken",
    "read",
    "concluding",
    "sealed",
    "handed-in",
    "struck",
];
/// Those of a device that leaves the last word to the broker, and to a receiver.
const ACKNOWLEDGED_STEPS: [&str; 2] = ["acknowledged", "recorded"];
const RECEIPTED_STEPS: [&str; 1] = ["receipted"];
/// The collector's.
const COLLECTOR_STEP: &str = "kept-unfinished";
/// The reader's steps.
const READER_STEPS: [&str; 5] =
    ["reader-walled", "reader-loaded", "reader-asked", "reader-answering", "reader-answered"];

/// Steps that a process meets once.
const ONCE: [&str; 7] = ["opened", "swept", "reader-up", "listening", "struck", "reader-walled", "reader-loaded"];

/// What a kill hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kill {
    Gateway,
    Reader,
    Both,
    WhileStarting,
    Collector,
    Step(&'static str),
}

fn run(plan: &Plan) -> Result<String, String> {
    let receiver = Receiver::start();
    let (chest, foreign) = (Template::chest(128, 160), Template::foreign());
    let mut sum = Sum::default();
    let start = Instant::now();
    while sum.kills < plan.count {
        let number = sum.lives;
        let site = Site::new(&format!("life-{number}"), receiver.broker);
        let life = Life::new(&site, &receiver, &chest, &foreign);
        // Every other device is receipted by a collector, which dies like everybody else.
        let collector = (number % 2 == 1).then(|| Collector::start(&site, &receiver));
        let mut killer = Killer { random: Random::new(plan.seed, number), daemon: None, collector, sum: &mut sum };
        let tally = std::thread::scope(|scope| {
            let _over = Over(&life);
            for _ in 0..2 {
                scope.spawn(|| life.send());
            }
            let until = plan.count.min(killer.sum.kills + KILLS_A_LIFE);
            while killer.sum.kills < until {
                killer.kill(&life)?;
                plan.progress.at(killer.sum.kills, &format!("{} instances", killer.sum.instances));
            }
            killer.daemon = None;
            let tally = life.conclude(killer.collector.as_mut())?;
            if number < 2 {
                life.doubt(killer.collector.as_ref())?;
            }
            Ok(tally)
        });
        let keep = |why: String| format!("life {number}: {why}\n{}", kept(plan, &site));
        let tally = tally.map_err(keep)?;
        drop(killer);
        sum.add(&tally);
        receiver.forget(&site.device);
    }
    Ok(sum.figures(start.elapsed()))
}

/// What failed, where `--out` wants it kept: the whole folder of the device.
fn kept(plan: &Plan, site: &Site) -> String {
    let Some(out) = &plan.out else { return format!("{}\n(--out FOLDER keeps the state)", tail(&site.log())) };
    let to = out.join(&site.device);
    let copied = std::fs::create_dir_all(out)
        .and_then(|()| std::process::Command::new("cp").arg("-a").arg(site.path("")).arg(&to).status());
    format!("state kept in {}: {copied:?}", to.display())
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Ends the senders also where a check panics.
struct Over<'a>(&'a Life<'a>);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

struct Killer<'a, 'b> {
    random: Random,
    daemon: Option<Daemon>,
    collector: Option<Collector<'a>>,
    sum: &'b mut Sum,
}

impl Killer<'_, '_> {
    /// One kill, or two where the first one only hit the reader.
    fn kill(&mut self, life: &Life) -> Result<(), String> {
        self.revive_collector();
        let steps = if self.collector.is_some() { &RECEIPTED_STEPS[..] } else { &ACKNOWLEDGED_STEPS[..] };
        let kill = match self.random.below(100) {
            0..25 => Kill::Gateway,
            25..40 => Kill::Reader,
            40..50 => Kill::Both,
            50..60 => Kill::WhileStarting,
            60..80 => Kill::Step(self.random.one_of(&GATEWAY_STEPS)),
            80..85 => Kill::Step(self.random.one_of(steps)),
            85..90 if self.collector.is_some() => Kill::Collector,
            _ => Kill::Step(self.random.one_of(&READER_STEPS)),
        };
        match kill {
            Kill::Step(step) => {
                self.at_step(life, step);
                Ok(())
            }
            Kill::WhileStarting => {
                self.fresh(life, &[]);
                self.pause(START);
                self.gateway(kill);
                Ok(())
            }
            Kill::Collector => {
                self.pause(WORK);
                self.collector();
                Ok(())
            }
            Kill::Gateway | Kill::Reader | Kill::Both => self.at_random(life, kill),
        }
    }

    /// Kills the collector; the next one may have a step to die at.
    fn collector(&mut self) {
        let nth = self.random.below(2 * NTH);
        let step = [("RESIDENTD_KILL_AT", format!("{COLLECTOR_STEP}:{nth}"))];
        let Some(collector) = &mut self.collector else { return };
        collector.kill(if nth == 0 { &[] } else { &step });
        self.sum.count(Kill::Collector);
    }

    /// A collector that met its step is followed by one that has none.
    fn revive_collector(&mut self) {
        if let Some(collector) = &mut self.collector
            && collector.has_ended()
        {
            collector.kill(&[]);
            self.sum.count(Kill::Step(COLLECTOR_STEP));
        }
    }

    fn at_random(&mut self, life: &Life, kill: Kill) -> Result<(), String> {
        if self.daemon.is_none() {
            self.ready(life)?;
        }
        self.pause(WORK);
        if kill != Kill::Gateway && self.daemon.as_ref().is_some_and(Daemon::kill_reader) {
            self.sum.count(Kill::Reader);
        }
        if kill != Kill::Reader {
            self.gateway(kill);
        }
        Ok(())
    }

    fn at_step(&mut self, life: &Life, step: &'static str) {
        let nth = if ONCE.contains(&step) { 1 } else { 1 + self.random.below(NTH) };
        let environment = [("RESIDENTD_KILL_AT", format!("{step}:{nth}"))];
        self.fresh(life, &environment);
        let deadline = Instant::now() + STEP_LIMIT;
        let mut first_reader: Option<u32> = None;
        while Instant::now() < deadline {
            let daemon = self.daemon.as_mut().expect("it was just started");
            if daemon.wait_ended(Duration::from_millis(10)) {
                self.sum.count(Kill::Step(step));
                self.daemon = None;
                return;
            }
            let reader = daemon.reader();
            if step == "struck" && reader.is_some() {
                daemon.kill_reader();
            }
            first_reader = first_reader.or(reader);
            if READER_STEPS.contains(&step) && first_reader != reader {
                self.sum.count(Kill::Step(step));
                self.pause(WORK);
                self.gateway(Kill::Gateway);
                return;
            }
        }
        // Not met: chance had it that nothing went that way.
        self.sum.unmet += 1;
        self.gateway(Kill::Gateway);
    }

    /// A daemon that has nothing of the one before but its state.
    fn fresh(&mut self, life: &Life, environment: &[(&str, String)]) {
        if self.daemon.is_some() {
            self.gateway(Kill::Gateway);
        }
        self.daemon = Some(life.site.spawn(environment));
    }

    fn ready(&mut self, life: &Life) -> Result<(), String> {
        let incoming = || -> HashSet<_> {
            let entries = std::fs::read_dir(life.site.path("state/spool/incoming"));
            entries.into_iter().flatten().flatten().map(|entry| entry.file_name()).collect()
        };
        let before = incoming();
        self.fresh(life, &[]);
        let daemon = self.daemon.as_mut().expect("it was just started");
        let start = Instant::now();
        if life.site.wait_ready(daemon) == Started::Ended {
            return Err("a daemon did not start".to_owned());
        }
        self.sum.starts.push(start.elapsed());
        match incoming().intersection(&before).count() {
            0 => Ok(()),
            partial => Err(format!("{partial} files half received before the kill are there after the start")),
        }
    }

    fn gateway(&mut self, kill: Kill) {
        if let Some(daemon) = self.daemon.take() {
            daemon.kill();
            self.sum.count(kill);
        }
    }

    /// Up to `most`, to the microsecond.
    fn pause(&mut self, most: Duration) {
        let us = self.random.below(u64::try_from(most.as_micros()).unwrap_or(u64::MAX));
        std::thread::sleep(Duration::from_micros(us));
    }
}

/// What all lives came to.
#[derive(Default)]
struct Sum {
    kills: u64,
    by_kind: BTreeMap<Kill, u64>,
    unmet: u64,
    lives: u64,
    starts: Vec<Duration>,
    instances: u64,
    reports: u64,
    failures: u64,
    received_again: u64,
}

impl Sum {
    fn count(&mut self, kill: Kill) {
        self.kills += 1;
        *self.by_kind.entry(kill).or_default() += 1;
    }

    fn add(&mut self, tally: &Tally) {
        self.lives += 1;
        self.instances += tally.instances;
        self.reports += tally.reports;
        self.failures += tally.failures;
        self.received_again += tally.received_again;
    }

    fn figures(&mut self, took: Duration) -> String {
        let of = |kill| self.by_kind.get(&kill).copied().unwrap_or_default();
        let named = GATEWAY_STEPS.iter().chain(&READER_STEPS).chain(&ACKNOWLEDGED_STEPS).chain(&RECEIPTED_STEPS);
        let steps: Vec<u64> = named.chain([&COLLECTOR_STEP]).map(|step| of(Kill::Step(step))).collect();
        let met = steps.iter().filter(|n| **n > 0).count();
        let at_random = format!(
            "gateway {}, reader {}, both {}, while starting {}, collector {}",
            of(Kill::Gateway),
            of(Kill::Reader),
            of(Kill::Both),
            of(Kill::WhileStarting),
            of(Kill::Collector)
        );
        self.starts.sort();
        let start = self.starts.get(self.starts.len() / 2).copied().unwrap_or_default();
        format!(
            "{} kills in {} lives, {:.1} a second ({at_random}, at {met} of {} steps {}, {} times a step was not met); \
             {} instances: 0 lost, 0 doubled ({} reports, {} failures, {} received again); start {start:.0?}",
            self.kills,
            self.lives,
            self.kills as f64 / took.as_secs_f64(),
            steps.len(),
            steps.iter().sum::<u64>(),
            self.unmet,
            self.instances,
            self.reports,
            self.failures,
            self.received_again,
        )
    }
}
