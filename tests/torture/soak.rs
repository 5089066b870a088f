//! Years in minutes: instances with faults among them through one daemon that is never
//! restarted, and what it costs over time: memory, descriptors, threads, disk, latency.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use residentd::digest::Digest;
use residentd::report::identity::report_id;
use residentd::seal::header::Kind;
use residentd::seal::jws::open;
use residentd::seal::public::PublicKey;

use crate::Mode;
use crate::curves::{Curves, Panel};
use crate::images::Template;
use crate::plan::Plan;
use crate::proxy::Wire;
use crate::receiver::{Arrived, Receiver};
use crate::site::{Daemon, LIMIT, Site, Started, runtime};

pub const MODE: Mode = Mode {
    name: "soak",
    claim: "instances by the thousand with faults among them leave memory, descriptors and threads where they were",
    few: 300,
    run,
};

/// An equivalent day: what a busy X-ray room sends.
const DAY: f64 = 400.0;
/// Most growth an equivalent day, MB, in runs long enough to tell.
const MOST_MB_A_DAY: f64 = 1.0;
/// Below this a run is warm-up, and its slope is told but proves nothing.
const LONG: u64 = 3000;
/// Samples a run.
const SAMPLES: u64 = 300;
/// Instances between answer and receiver.
const AHEAD: usize = 8;
/// Every so many an image that a bundle reads; the others are abstentions.
const READ_EVERY: u64 = 4;
/// Faults, each after so many instances.
const SAME_AGAIN_EVERY: u64 = 31;
const BROKEN_EVERY: u64 = 37;
const OTHER_BYTES_EVERY: u64 = 41;
const ABANDONED_EVERY: u64 = 43;
const READER_KILLED_EVERY: u64 = 499;
const WIRE_CUT_EVERY: u64 = 997;
/// Descriptors and threads may differ by a few associations and tasks in flight.
const SLACK: f64 = 24.0;
/// A sender's pause where the receiver is behind.
const PAUSE: Duration = Duration::from_millis(1);

const COLUMNS: [&str; 12] = [
    "instances",
    "seconds",
    "gateway MB",
    "reader MB",
    "gateway files",
    "reader files",
    "gateway threads",
    "reader threads",
    "database MB",
    "p50 ms",
    "p99 ms",
    "slowest ms",
];
const PANELS: [Panel; 5] = [
    Panel { title: "resident memory", columns: &["gateway MB", "reader MB"] },
    Panel { title: "open descriptors", columns: &["gateway files", "reader files"] },
    Panel { title: "threads", columns: &["gateway threads", "reader threads"] },
    Panel { title: "database with its log", columns: &["database MB"] },
    Panel { title: "C-STORE begun to outcome received", columns: &["p50 ms", "p99 ms", "slowest ms"] },
];

fn run(plan: &Plan) -> Result<String, String> {
    let receiver = Receiver::start();
    let wire = Wire::to(receiver.broker);
    let site = Site::new("soak", wire.address);
    let mut daemon = site.spawn(&[]);
    if site.wait_ready(&mut daemon) == Started::Ended {
        return Err(format!("it did not start; its log:\n{}", site.log()));
    }
    let soak = Soak {
        site: &site,
        receiver: &receiver,
        wire: &wire,
        daemon: &daemon,
        chest: Template::chest(128, 160),
        foreign: Template::foreign(),
        count: plan.count,
        next: AtomicU64::new(1),
        answered: Mutex::default(),
        odd: Mutex::default(),
        over: AtomicBool::new(false),
    };
    let start = Instant::now();
    let (curves, kinds) = std::thread::scope(|scope| {
        let _over = Over(&soak.over);
        for _ in 0..2 {
            scope.spawn(|| soak.send());
        }
        soak.watch(plan, start)
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let alive = !daemon.has_ended();
    if !alive || !daemon.stop() {
        return Err("the daemon did not end well".to_owned());
    }
    if let Some(out) = &plan.out {
        let title = format!("{} instances in {seconds:.0} s", plan.count);
        curves.save(out, "soak", &title, &PANELS).map_err(|e| format!("{}: {e}", out.display()))?;
    }
    judge(plan, &curves, &kinds, seconds)
}

fn judge(plan: &Plan, curves: &Curves, kinds: &Kinds, seconds: f64) -> Result<String, String> {
    let slope = |name| curves.slope(name) * DAY;
    let last = |name| curves.column(name).last().copied().unwrap_or_default();
    let (gateway, reader) = (slope("gateway MB"), slope("reader MB"));
    for name in ["gateway files", "gateway threads", "reader files", "reader threads"] {
        let values = curves.column(name);
        let grown = slope(name) * (plan.count as f64 / DAY) / 2.0;
        if plan.count >= LONG && grown > SLACK {
            return Err(format!("{name} grew by {grown:.0} in the second half, to {:?}", values.last()));
        }
    }
    if plan.count >= LONG && gateway.max(reader) > MOST_MB_A_DAY {
        return Err(format!("memory grows by {gateway:.2} MB (gateway), {reader:.2} MB (reader) an equivalent day"));
    }
    Ok(format!(
        "{} instances at {:.1} a second ({} reports, {} abstentions, {} failures); memory slope a day of {DAY} instances: \
         gateway {gateway:+.3} MB, reader {reader:+.3} MB; at the end gateway {:.1} MB, {} files, {} threads, reader {:.1} MB, \
         database {:.1} MB; latency at the end p50 {:.1} ms, p99 {:.1} ms, slowest ever {:.0} ms",
        plan.count,
        plan.count as f64 / seconds,
        kinds.reports,
        kinds.abstentions,
        kinds.failures,
        last("gateway MB"),
        last("gateway files"),
        last("gateway threads"),
        last("reader MB"),
        last("database MB"),
        last("p50 ms"),
        last("p99 ms"),
        curves.column("slowest ms").into_iter().fold(0.0, f64::max),
    ))
}

/// Ends the senders however the run went.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[derive(Default)]
struct Kinds {
    reports: u64,
    abstentions: u64,
    failures: u64,
}

struct Soak<'a> {
    site: &'a Site,
    receiver: &'a Receiver,
    wire: &'a Wire,
    daemon: &'a Daemon,
    chest: Template,
    foreign: Template,
    count: u64,
    next: AtomicU64,
    /// When each was answered, by report id, until it arrives.
    answered: Mutex<HashMap<String, Instant>>,
    odd: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Soak<'_> {
    fn send(&self) {
        runtime().block_on(async {
            while !self.over.load(Relaxed) {
                let started = usize::try_from(self.next.load(Relaxed)).unwrap_or(usize::MAX);
                if started > self.receiver.count(&self.site.device) + AHEAD {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                let number = self.next.fetch_add(1, Relaxed);
                if number > self.count {
                    return;
                }
                self.faults(number).await;
                self.image(number).await;
            }
        });
    }

    async fn image(&self, number: u64) {
        let template = if number.is_multiple_of(READ_EVERY) { &self.chest } else { &self.foreign };
        let (uid, file) = template.copy(number);
        let id = report_id(&format!("torture/{}", self.site.device), &uid);
        self.answered.lock().unwrap().insert(id, Instant::now());
        self.expect(number, &file, |status| status == 0, "an image").await;
        if number.is_multiple_of(SAME_AGAIN_EVERY) {
            self.expect(number, &file, |status| status == 0, "the same image again").await;
        }
        if number.is_multiple_of(OTHER_BYTES_EVERY) {
            let mut other = file;
            let last = other.len() - 1;
            other[last] ^= 1;
            self.expect(number, &other, |status| status == 0x0111, "other bytes under its UID").await;
        }
    }

    /// What goes wrong between images.
    async fn faults(&self, number: u64) {
        if number.is_multiple_of(BROKEN_EVERY) {
            let (_, mut file) = self.foreign.copy(1_000_000_000 + number);
            file.truncate(file.len() - 7);
            self.expect(number, &file, |status| status >> 12 == 0xC || status == 0xA900, "a broken file").await;
        }
        if number.is_multiple_of(ABANDONED_EVERY) {
            // Connects, says something that is no DICOM, and goes.
            use tokio::io::AsyncWriteExt;
            if let Ok(mut stream) = tokio::net::TcpStream::connect(self.site.dicom).await {
                let _ = stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await;
            }
        }
        if number.is_multiple_of(READER_KILLED_EVERY) {
            self.daemon.kill_reader();
        }
        if number.is_multiple_of(WIRE_CUT_EVERY) {
            self.wire.cut();
        }
    }

    async fn expect(&self, number: u64, file: &[u8], right: impl Fn(u16) -> bool, what: &str) {
        let name = format!("{number}.dcm");
        // Two at once is what one address may; an abandoned one may still hold a seat.
        let deadline = Instant::now() + LIMIT;
        loop {
            match self.site.send(&name, file).await {
                Ok(status) if right(status) => return,
                Err(_) if Instant::now() < deadline && !self.over.load(Relaxed) => tokio::time::sleep(PAUSE).await,
                other => {
                    self.odd.lock().unwrap().push(format!("{what} ({number}) was answered {other:?}"));
                    return;
                }
            }
        }
    }

    /// Takes what arrives, checks it, and samples.
    fn watch(&self, plan: &Plan, start: Instant) -> Result<(Curves, Kinds), String> {
        let key = PublicKey::load(&self.site.path("device.pub.pem")).map_err(|e| e.to_string())?;
        let every = usize::try_from((self.count / SAMPLES).max(20)).unwrap_or(usize::MAX);
        let total = usize::try_from(self.count).unwrap_or(usize::MAX);
        let mut curves = Curves::new(&COLUMNS);
        let (mut kinds, mut last, mut seen) = (Kinds::default(), None, 0);
        while seen < total {
            let until = (seen + every).min(total);
            if !self.receiver.wait_for(&self.site.device, until, LIMIT) {
                let arrived = self.receiver.count(&self.site.device);
                return Err(format!("outcome {until} did not arrive, {arrived} did; {:?}", self.odd.lock().unwrap()));
            }
            if let Some(odd) = self.odd.lock().unwrap().first() {
                return Err(odd.clone());
            }
            let arrived = self.receiver.take(&self.site.device);
            seen += arrived.len();
            for outcome in &arrived {
                Self::check(outcome, &key, &mut last, &mut kinds)?;
            }
            let latencies = self.latencies(&arrived);
            curves.push(self.sample(seen, start, &latencies));
            plan.progress.at(seen as u64, "instances");
        }
        let received = self.receiver.received(&self.site.device);
        match received.altered.first() {
            Some(id) => Err(format!("{id} arrived twice with different bytes")),
            None => Ok((curves, kinds)),
        }
    }

    /// The next of the chain, signed, in its place.
    fn check(outcome: &Arrived, key: &PublicKey, last: &mut Option<Digest>, kinds: &mut Kinds) -> Result<(), String> {
        let jws = String::from_utf8_lossy(&outcome.jws);
        let header = open(&jws, std::slice::from_ref(key)).map_err(|e| e.to_string())?.header;
        if last.is_some_and(|last| last != header.prev) {
            return Err(format!("outcome {} is not the next of the chain", header.seq));
        }
        *last = Some(Digest::of(&outcome.jws));
        match header.kind {
            Kind::Report => kinds.reports += 1,
            Kind::Abstention => kinds.abstentions += 1,
            Kind::Failure => kinds.failures += 1,
        }
        Ok(())
    }

    /// From the start of sending to arrival, sorted, ms.
    fn latencies(&self, arrived: &[Arrived]) -> Vec<f64> {
        let mut answered = self.answered.lock().unwrap();
        let sent = arrived.iter().filter_map(|o| answered.remove(&o.report_id).map(|sent| (sent, o.at)));
        let mut all: Vec<f64> = sent.map(|(sent, at)| at.duration_since(sent).as_secs_f64() * 1e3).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    fn sample(&self, seen: usize, start: Instant, latencies: &[f64]) -> Vec<f64> {
        let (gateway, reader) = (Process(Some(self.daemon.pid())), Process(self.daemon.reader()));
        let size = |name: &str| std::fs::metadata(self.site.path(name)).map_or(0.0, |m| m.len() as f64 / 1e6);
        let percentile = |p: usize| latencies.get(latencies.len() * p / 100).copied().unwrap_or_default();
        vec![
            seen as f64,
            start.elapsed().as_secs_f64(),
            gateway.status("VmRSS:") / 1024.0,
            reader.status("VmRSS:") / 1024.0,
            gateway.files(),
            reader.files(),
            gateway.status("Threads:"),
            reader.status("Threads:"),
            size("state/residentd.sqlite") + size("state/residentd.sqlite-wal"),
            percentile(50),
            percentile(99),
            latencies.last().copied().unwrap_or_default(),
        ]
    }
}

/// A process as `/proc` shows it; zeros where it is gone.
struct Process(Option<u32>);

impl Process {
    fn status(&self, what: &str) -> f64 {
        let text = self.0.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok());
        let line = text.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix(what)));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
    }

    fn files(&self) -> f64 {
        let folder = self.0.map(|pid| format!("/proc/{pid}/fd"));
        folder.and_then(|folder| std::fs::read_dir(Path::new(&folder)).ok()).map_or(0.0, |all| all.count() as f64)
    }
}
