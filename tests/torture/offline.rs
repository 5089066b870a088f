//! Weeks offline: outcomes queue in the store of a real daemon that reaches no broker, then drain
//! to a real collector. The gateway's memory does not know how many there are.

use std::time::{Duration, Instant};

use residentd::seal::key::DeviceKey;

use crate::Mode;
use crate::plan::Plan;
use crate::rig::{Broker, Collector, compare, fill, has_broker, wait};
use crate::site::{Site, Started};

pub const MODE: Mode = Mode {
    name: "offline",
    claim: "what queued while nobody was reached drains in order, fast, from a flat memory",
    few: 300,
    run,
};

/// Bytes of an outcome's payload: a report's.
const PAYLOAD_BYTES: usize = 6000;
/// Outcomes drained in a second, at least.
const LEAST_RATE: f64 = 200.0;
/// What the gateway's resident memory may grow by, from idle and alone to the end.
const GROWTH_KIB: u64 = 16 * 1024;
/// How long the daemon meets no broker, and longest wait for it to find one afterwards.
const ALONE: Duration = Duration::from_secs(6);
/// Longest wait for the last outcome.
const DRAIN_LIMIT: Duration = Duration::from_mins(5);

fn run(plan: &Plan) -> Result<String, String> {
    if !has_broker() {
        return Ok("skipped: mosquitto is not installed".to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Broker::new(folder.path());
    let site = Site::new("offline", ([127, 0, 0, 1], broker.port).into());
    let key = DeviceKey::load(&site.path("device.key")).map_err(|e| e.to_string())?;
    key.save_public(&folder.path().join("device.key")).map_err(|e| e.to_string())?;
    let mut collector = Collector::new(folder.path(), broker.port, 1);
    let section = format!("[receiver]\nkeys = [\"{}\"]\n\n[retention]\n", collector.public_key().display());
    site.edit("[retention]\n", &section);

    let mut daemon = site.spawn(&[]);
    if site.wait_ready(&mut daemon) == Started::Ended {
        return Err(format!("the daemon ended; its log:\n{}", site.log()));
    }
    let empty_kib = rss_kib(daemon.pid())?;
    let store = site.store();
    for done in (0..plan.count).step_by(100) {
        fill(&store, &key, 100.min(plan.count - done), PAYLOAD_BYTES);
        plan.progress.at(done, "queued");
    }
    std::thread::sleep(ALONE);
    let queued_kib = rss_kib(daemon.pid())?;

    broker.start();
    collector.start();
    let mut most_kib = queued_kib;
    let mut first = None;
    let drained = wait(DRAIN_LIMIT, || {
        std::thread::sleep(Duration::from_millis(20));
        let kept = collector.count();
        if kept > 0 {
            first.get_or_insert((Instant::now(), kept));
        }
        most_kib = most_kib.max(rss_kib(daemon.pid()).unwrap_or(0));
        plan.progress.at(kept, "drained");
        store.undelivered().is_ok_and(|waiting| waiting == 0)
    });
    if !drained {
        return Err(format!("it did not drain; the collector says:\n{}\nthe daemon:\n{}", collector.log(), site.log()));
    }
    let (from, already) = first.ok_or("nothing was seen to arrive")?;
    let rate = (plan.count - already) as f64 / from.elapsed().as_secs_f64().max(0.001);
    compare(&store, &collector.kept())?;
    let figures = format!(
        "{} outcomes at {rate:.0} a second; gateway RSS {empty_kib} KiB empty, {queued_kib} KiB with all queued, {most_kib} KiB at most while draining",
        plan.count
    );
    let slow = plan.count >= 1000 && rate < LEAST_RATE;
    if slow || most_kib > empty_kib + GROWTH_KIB { Err(figures) } else { Ok(figures) }
}

/// Resident memory of a process in KiB.
fn rss_kib(pid: u32) -> Result<u64, String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).map_err(|e| e.to_string())?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
    line.ok_or_else(|| "no VmRSS".to_owned())
}
