//! Brokers die: mosquitto is killed again and again while outcomes drain, at random moments and
//! just between its acknowledgement and the delivery. Whatever it had acknowledged is gone with
//! it; nothing may be missing at the collector in the end, and nothing there twice.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use residentd::seal::key::DeviceKey;
use residentd::store::Store;

use crate::Mode;
use crate::plan::Plan;
use crate::random::Random;
use crate::rig::{Broker, Collector, Publishing, compare, fill, has_broker, wait};

pub const MODE: Mode = Mode {
    name: "brokers",
    claim: "however often the broker is killed, the collector has every outcome once",
    few: 16,
    run,
};

/// Devices, brokers and collectors side by side: most of a kill is waiting.
const RIGS: u64 = 8;
/// Outcomes concluded before each kill, at most.
const BURST: u64 = 40;
/// Bytes of an outcome's payload.
const PAYLOAD_BYTES: usize = 2000;
/// Longest wait for what a kill aims at; then it comes anyway.
const AIM_LIMIT: Duration = Duration::from_secs(5);
/// Longest wait for the last outcome after the last kill; back-off included.
const DRAIN_LIMIT: Duration = Duration::from_mins(3);

/// When the broker is killed.
#[derive(Debug, Clone, Copy)]
enum Aim {
    /// As soon as it acknowledged one more: what it acknowledged is not delivered yet.
    Acknowledged,
    /// As soon as one more was receipted.
    Receipted,
    /// So many milliseconds after the publisher reached it.
    Connected(u64),
    /// So many milliseconds after its start.
    Started(u64),
}

#[derive(Default)]
struct Tally {
    kills: AtomicU64,
    outcomes: AtomicU64,
    handed_in: AtomicU64,
    collector_kills: AtomicU64,
}

fn run(plan: &Plan) -> Result<String, String> {
    if !has_broker() {
        return Ok("skipped: mosquitto is not installed".to_owned());
    }
    let tally = Tally::default();
    let rigs = RIGS.min(plan.count);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..rigs)
            .map(|rig| {
                let (kills, random, tally) =
                    (plan.count / rigs + u64::from(rig < plan.count % rigs), Random::new(plan.seed, rig), &tally);
                // Every other collector is two processes that share a subscription and a database.
                let shared_by = 1 + rig % 2;
                scope.spawn(move || torment(kills, shared_by, random, tally, plan))
            })
            .collect();
        running.into_iter().try_for_each(|rig| rig.join().map_err(|_| "a rig panicked, see above".to_owned())?)
    })?;
    let of = |counter: &AtomicU64| counter.load(Relaxed);
    let again = of(&tally.handed_in).saturating_sub(of(&tally.outcomes));
    Ok(format!(
        "{} broker kills, {} collector kills, {} outcomes: 0 missing, 0 doubled; handed in again {again} times",
        of(&tally.kills),
        of(&tally.collector_kills),
        of(&tally.outcomes),
    ))
}

/// Kills one rig's broker `kills` times, lets it drain, and compares.
fn torment(kills: u64, shared_by: u64, mut random: Random, tally: &Tally, plan: &Plan) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let key = DeviceKey::generate().unwrap();
    key.save_public(&folder.path().join("device.key")).unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut broker = Broker::new(folder.path());
    let mut collector = Collector::new(folder.path(), broker.port, shared_by);
    broker.start();
    collector.start();
    let publishing = Publishing::start(&store, &key, broker.port, collector.public_key());
    for _ in 0..kills {
        fill(&store, &key, 1 + random.below(BURST), PAYLOAD_BYTES);
        publishing.bell.notify_one();
        take_aim(&publishing, &mut random);
        broker.kill();
        if random.below(50) == 0 {
            collector.kill();
            collector.start();
            tally.collector_kills.fetch_add(1, Relaxed);
        }
        broker.start();
        let killed = tally.kills.fetch_add(1, Relaxed) + 1;
        plan.progress.at(killed, &format!("{} waiting", store.undelivered().unwrap_or(0)));
    }
    let drained = wait(DRAIN_LIMIT, || store.undelivered().is_ok_and(|waiting| waiting == 0));
    if !drained {
        let waiting = store.undelivered().unwrap_or(0);
        return Err(format!("{waiting} outcomes still wait; the collector says:\n{}", collector.log()));
    }
    let outcomes = compare(&store, &collector.kept())?;
    tally.outcomes.fetch_add(outcomes, Relaxed);
    tally.handed_in.fetch_add(publishing.state.handed_in(), Relaxed);
    Ok(())
}

fn take_aim(publishing: &Publishing, random: &mut Random) {
    let aims = [Aim::Acknowledged, Aim::Receipted, Aim::Connected(random.below(60)), Aim::Started(random.below(1500))];
    let state = &publishing.state;
    match random.one_of(&aims) {
        Aim::Acknowledged => {
            let before = state.acknowledged() + random.below(BURST / 2);
            wait(AIM_LIMIT, || state.acknowledged() > before);
        }
        Aim::Receipted => {
            let before = state.receipted();
            wait(AIM_LIMIT, || state.receipted() > before);
        }
        Aim::Connected(ms) => {
            wait(AIM_LIMIT, || state.is_connected());
            std::thread::sleep(Duration::from_millis(ms));
        }
        Aim::Started(ms) => std::thread::sleep(Duration::from_millis(ms)),
    }
}
