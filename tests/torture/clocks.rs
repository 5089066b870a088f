//! A daemon in this process whose clock is ours: before synchronisation, back, forward,
//! across a leap second, and jumping about under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};

use residentd::clock::Moment;
use residentd::config::Configuration;
use residentd::daemon::Daemon;
use residentd::seal::header::{Clock, Header, Kind};
use residentd::seal::jws::open;
use residentd::seal::public::PublicKey;
use residentd::seal::verify::verify;
use tokio::sync::oneshot;

use crate::Mode;
use crate::images::Template;
use crate::plan::Plan;
use crate::random::Random;
use crate::receiver::Receiver;
use crate::site::{LIMIT, Site};

pub const MODE: Mode = Mode {
    name: "clocks",
    claim: "whatever the clock does, order is by sequence and a time that is not to be believed says so",
    few: 40,
    run,
};

/// 2027-01-15T08:00:00Z.
const NOON: i64 = 1_800_000_000_000;
const HOUR: i64 = 3_600_000;
const YEAR: i64 = 365 * 24 * HOUR;
/// 2016-12-31T23:59:59Z, the second that a leap second repeats in Unix time.
const LAST_OF_2016: i64 = 1_483_228_799_000;

static UNIX_MS: AtomicI64 = AtomicI64::new(0);
static SYNCHRONISED: AtomicBool = AtomicBool::new(false);

fn now() -> Moment {
    Moment { unix_ms: UNIX_MS.load(SeqCst), synchronised: SYNCHRONISED.load(SeqCst) }
}

fn set(unix_ms: i64, synchronised: bool) {
    UNIX_MS.store(unix_ms, SeqCst);
    SYNCHRONISED.store(synchronised, SeqCst);
}

/// What the clock says while an image goes through.
type Story = &'static [(i64, bool)];

/// Each story is told to a device of its own, from its boot on.
const STORIES: &[(&str, Story)] = &[
    ("before synchronisation, then after", &[(0, false), (5 * HOUR, false), (NOON, true)]),
    ("back an hour", &[(NOON, true), (NOON - HOUR, true), (NOON - HOUR + 1, true)]),
    ("back a year", &[(NOON, true), (NOON - YEAR, true), (NOON - YEAR, false)]),
    ("forward a year and back", &[(NOON, true), (NOON + YEAR, true), (NOON, true)]),
    ("before 1970", &[(-YEAR, false), (NOON, true)]),
    (
        "across a leap second",
        &[
            (LAST_OF_2016 + 900, true),
            (LAST_OF_2016 + 100, true),
            (LAST_OF_2016 + 900, true),
            (LAST_OF_2016 + 1000, true),
        ],
    ),
];

fn run(plan: &Plan) -> Result<String, String> {
    let receiver = Arc::new(Receiver::start());
    let foreign = Template::foreign();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut images = 0;
        for (number, (name, story)) in STORIES.iter().enumerate() {
            let site = Site::new(&format!("clock-{number}"), receiver.broker);
            let told = tell(&site, &receiver, story, &foreign).await.map_err(|why| format!("{name}: {why}"))?;
            images += told;
        }
        jumping(plan, &receiver, &foreign).await?;
        Ok(format!("{} stories with {images} images, {} images under a jumping clock", STORIES.len(), plan.count))
    })
}

/// One image for each time of the story; its outcome must say what the clock said.
async fn tell(site: &Site, receiver: &Arc<Receiver>, story: Story, image: &Template) -> Result<usize, String> {
    set(story[0].0, story[0].1);
    let (stop, running) = start(site).await?;
    for (at, (unix_ms, synchronised)) in story.iter().enumerate() {
        set(*unix_ms, *synchronised);
        send(site, image, at as u64).await?;
        arrived(receiver, site, at + 1).await?;
    }
    stop.send(()).map_err(|()| "the daemon ended")?;
    running.await.map_err(|e| e.to_string())??;
    let headers = headers(site)?;
    for (header, (unix_ms, synchronised)) in headers.iter().zip(story) {
        let moment = Moment { unix_ms: *unix_ms, synchronised: *synchronised };
        let clock = if *synchronised { Clock::Synchronised } else { Clock::Unsynchronised };
        if header.sealed_at != moment.rfc3339() || header.clock != clock {
            return Err(format!("outcome {} says {} ({:?})", header.seq, header.sealed_at, header.clock));
        }
    }
    (headers.len() == story.len()).then_some(story.len()).ok_or("an outcome is missing".to_owned())
}

/// The clock jumps by up to a year either way all the time. Whatever has a limit here is
/// limited by monotonic time: no association, reader or connection may end for it.
async fn jumping(plan: &Plan, receiver: &Arc<Receiver>, image: &Template) -> Result<(), String> {
    set(NOON, true);
    let site = Site::new("clock-jumping", receiver.broker);
    let (stop, running) = start(&site).await?;
    let over = Arc::new(AtomicBool::new(false));
    let jumps = {
        let (over, mut random) = (Arc::clone(&over), Random::new(plan.seed, 7));
        std::thread::spawn(move || {
            while !over.load(SeqCst) {
                let offset = i64::try_from(random.below(2 * YEAR.unsigned_abs())).unwrap_or(0) - YEAR;
                set(NOON + offset, random.below(2) == 0);
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        })
    };
    let mut sent = Ok(());
    for number in 0..plan.count {
        plan.progress.at(number, "images under a jumping clock");
        sent = sent.and(send(&site, image, number).await);
    }
    let arrived = arrived(receiver, &site, usize::try_from(plan.count).unwrap_or(usize::MAX)).await;
    over.store(true, SeqCst);
    jumps.join().map_err(|_| "the jumping thread panicked")?;
    sent.and(arrived)?;
    stop.send(()).map_err(|()| "the daemon ended")?;
    running.await.map_err(|e| e.to_string())??;
    let odd = headers(&site)?.into_iter().find(|header| header.kind != Kind::Abstention);
    odd.map_or(Ok(()), |header| Err(format!("outcome {} is a {}", header.seq, header.kind.as_str())))
}

type Running = tokio::task::JoinHandle<Result<(), String>>;

async fn start(site: &Site) -> Result<(oneshot::Sender<()>, Running), String> {
    let config = Configuration::load(&site.path("residentd.toml")).map_err(|e| e.to_string())?;
    let daemon = Daemon::start(&config, now).await.map_err(|e| e.to_string())?;
    let (stop, stopped) = oneshot::channel();
    let until = async {
        let _ = stopped.await;
    };
    let running = tokio::spawn(async { daemon.run(until, || {}).await.map_err(|e| e.to_string()) });
    Ok((stop, running))
}

async fn send(site: &Site, image: &Template, number: u64) -> Result<(), String> {
    match site.send("image.dcm", &image.copy(number).1).await? {
        0 => Ok(()),
        status => Err(format!("image {number} was answered 0x{status:04X}")),
    }
}

async fn arrived(receiver: &Arc<Receiver>, site: &Site, count: usize) -> Result<(), String> {
    let (receiver, device) = (Arc::clone(receiver), site.device.clone());
    let waited = tokio::task::spawn_blocking(move || receiver.wait_for(&device, count, LIMIT));
    if waited.await.map_err(|e| e.to_string())? { Ok(()) } else { Err(format!("outcome {count} did not arrive")) }
}

/// The headers in sequence, of a chain that verifies and was received in that order.
fn headers(site: &Site) -> Result<Vec<Header>, String> {
    let key = PublicKey::load(&site.path("device.pub.pem")).map_err(|e| e.to_string())?;
    let stored = site.outcomes();
    let stream = stored.iter().map(|o| o.jws.as_str()).collect::<Vec<_>>().join("\n");
    let verified = verify(&stream, std::slice::from_ref(&key));
    if !verified.passed() {
        return Err(format!("the chain does not verify: {verified}"));
    }
    let opened = stored.iter().map(|o| open(&o.jws, std::slice::from_ref(&key)).map(|opened| opened.header));
    opened.collect::<Result<_, _>>().map_err(|e| e.to_string())
}
