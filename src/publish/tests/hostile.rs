//! Scripted brokers that break the protocol or refuse for ever: nothing is deleted, and the
//! publisher does not run hot.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener as Listener, TcpStream};

use super::*;

/// What the scripted broker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    /// CONNACK with receive maximum 0 (a protocol error, MQTT 5 3.2.2.3.3).
    ReceiveMaximumZero,
    /// Bytes that are no MQTT.
    Garbage,
    /// A CONNACK whose lengths lie.
    LyingLengths,
    /// Accepts TCP and then nothing.
    NeverAnswers,
    /// CONNACK and then nothing.
    SilentAfterConnack,
    /// CONNACK that asks for a ping every 0 seconds.
    KeepAliveZero,
    /// Answers every report with this reason.
    Answers(u8),
    /// Answers pings and statuses, reports only once released.
    WithholdsUntilReleased,
    /// Answers with packet ids that nobody used.
    WrongPacketIds,
    /// CONNACK with a receive maximum that is smaller each time, down to 0, and no answers.
    Shrinking,
    /// CONNACK with a maximum packet size that no outcome fits.
    PacketTooLarge,
}

/// The receive maximum of [`Script::Shrinking`] on the first connections; 0 from then on.
const SHRINKING: [u8; 4] = [16, 4, 2, 1];

struct Fake {
    port: u16,
    connections: Arc<AtomicU64>,
    reports: Arc<AtomicU64>,
    released: Arc<AtomicBool>,
}

impl Fake {
    async fn start(script: Script) -> Self {
        let listener = Listener::bind(localhost(0)).await.unwrap();
        let fake = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            reports: Arc::default(),
            released: Arc::default(),
        };
        let (connections, reports, released) =
            (Arc::clone(&fake.connections), Arc::clone(&fake.reports), Arc::clone(&fake.released));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let nth = connections.fetch_add(1, SeqCst);
                tokio::spawn(serve(stream, script, nth, Arc::clone(&reports), Arc::clone(&released)));
            }
        });
        fake
    }
}

/// One packet: its first byte and its body.
async fn packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let first = stream.read_u8().await.ok()?;
    let mut length = 0usize;
    for shift in [0, 7, 14, 21] {
        let byte = stream.read_u8().await.ok()?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((first, body))
}

async fn serve(
    mut stream: TcpStream,
    script: Script,
    nth: u64,
    reports: Arc<AtomicU64>,
    released: Arc<AtomicBool>,
) -> Option<()> {
    let _connect = packet(&mut stream).await?;
    let maximum = usize::try_from(nth).ok().and_then(|nth| SHRINKING.get(nth)).copied().unwrap_or(0);
    let shrinking = [0x20, 6, 0, 0, 3, 0x21, 0, maximum];
    let connack: &[u8] = match script {
        Script::Shrinking => &shrinking,
        Script::PacketTooLarge => &[0x20, 8, 0, 0, 5, 0x27, 0, 0, 4, 0],
        Script::ReceiveMaximumZero => &[0x20, 6, 0, 0, 3, 0x21, 0, 0],
        Script::KeepAliveZero => &[0x20, 6, 0, 0, 3, 0x13, 0, 0],
        Script::Garbage => &[0xff; 64],
        Script::LyingLengths => &[0x20, 2, 0, 0, 0x40, 1, 0],
        Script::NeverAnswers => &[],
        _ => &[0x20, 3, 0, 0, 0],
    };
    stream.write_all(connack).await.ok()?;
    let mut withheld: Vec<[u8; 4]> = Vec::new();
    loop {
        if script == Script::WithholdsUntilReleased && released.load(SeqCst) {
            for ack in withheld.drain(..) {
                stream.write_all(&ack).await.ok()?;
            }
        }
        let next = tokio::time::timeout(Duration::from_millis(20), packet(&mut stream)).await;
        let Ok(next) = next else { continue };
        let (first, body) = next?;
        if matches!(script, Script::SilentAfterConnack | Script::NeverAnswers) {
            continue;
        }
        match first >> 4 {
            3 => {
                let topic_bytes = usize::from(body[0]) << 8 | usize::from(body[1]);
                let pkid = [body[2 + topic_bytes], body[3 + topic_bytes]];
                let is_report = body[..2 + topic_bytes].ends_with(b"/report");
                reports.fetch_add(u64::from(is_report), SeqCst);
                match script {
                    Script::Shrinking if is_report => {}
                    Script::WithholdsUntilReleased if is_report => withheld.push([0x40, 2, pkid[0], pkid[1]]),
                    Script::Answers(reason) if is_report => {
                        stream.write_all(&[0x40, 3, pkid[0], pkid[1], reason]).await.ok()?;
                    }
                    Script::WrongPacketIds => stream.write_all(&[0x40, 2, 0x7f, pkid[1]]).await.ok()?,
                    _ => stream.write_all(&[0x40, 2, pkid[0], pkid[1]]).await.ok()?,
                }
            }
            12 => stream.write_all(&[0xd0, 0]).await.ok()?,
            _ => {}
        }
    }
}

/// Runs against `script` until `attempts` connections were tried; checks that nothing was
/// deleted and that the attempts were spaced as the back-off says.
async fn survives(script: Script, attempts: u64) {
    let fake = Fake::start(script).await;
    let mut site = Site::new(fake.port).with_outcomes(20);
    site.pace.silence = Duration::from_millis(300);
    let started = Instant::now();
    let running = site.start();
    until("enough attempts", || running.state.attempts() >= attempts).await;
    // Waits are at least 0.5, 1, 2 … s.
    let least: u64 = (0..attempts - 1).map(|n| 500 << n).sum();
    assert!(started.elapsed() >= Duration::from_millis(least), "{script:?} is met too often");
    assert!(fake.connections.load(SeqCst) <= attempts);
    assert_eq!((running.undelivered(), running.state.acknowledged()), (20, 0), "{script:?}");
    assert!(!running.task.is_finished());
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receive_maximum_of_zero_deletes_nothing_and_is_not_met_often() {
    survives(Script::ReceiveMaximumZero, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_deletes_nothing_and_is_not_met_often() {
    survives(Script::Garbage, 3).await;
    survives(Script::LyingLengths, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_packet_ids_delete_nothing_and_are_not_met_often() {
    survives(Script::WrongPacketIds, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_deletes_nothing_and_ends_the_connection() {
    survives(Script::SilentAfterConnack, 3).await;
    survives(Script::NeverAnswers, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_asks_for_no_keep_alive_is_served() {
    let fake = Fake::start(Script::KeepAliveZero).await;
    let running = Site::new(fake.port).with_outcomes(20).start();
    running.drained().await;
    assert_eq!(fake.connections.load(SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_that_never_ends_deletes_nothing_and_backs_off() {
    let fake = Fake::start(Script::Answers(0x97)).await;
    let started = Instant::now();
    let running = Site::new(fake.port).with_outcomes(20).start();
    until("three rounds", || running.state.refused() >= 3 * 16).await;
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(1500), "rounds after 0.5 to 1 and 1 to 2 s, not {took:?}");
    assert_eq!((running.undelivered(), running.state.acknowledged()), (20, 0));
    assert_eq!(fake.connections.load(SeqCst), 1);
    assert!(fake.reports.load(SeqCst) <= 4 * 16);
    assert!(running.state.is_connected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_reason_deletes_nothing() {
    survives(Script::Answers(0x42), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_answers_pings_but_no_report_is_left_and_met_again() {
    let fake = Fake::start(Script::WithholdsUntilReleased).await;
    let mut site = Site::new(fake.port).with_outcomes(20);
    site.pace.answer = Duration::from_millis(300);
    site.settings.heartbeat_s = 3600.try_into().unwrap();
    let running = site.start();
    until("a third connection", || fake.connections.load(SeqCst) >= 3).await;
    assert_eq!((running.undelivered(), running.state.acknowledged()), (20, 0));
    fake.released.store(true, SeqCst);
    running.drained().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_is_delivered_only_after_its_acknowledgement() {
    let fake = Fake::start(Script::WithholdsUntilReleased).await;
    let running = Site::new(fake.port).with_outcomes(20).start();
    until("a full window", || fake.reports.load(SeqCst) >= 15).await;
    until("heartbeats take their turn", || running.state.pulse().beats() > 28).await;
    assert!(fake.reports.load(SeqCst) <= 16, "more than the window");
    assert_eq!((running.undelivered(), running.state.acknowledged()), (20, 0));
    fake.released.store(true, SeqCst);
    running.drained().await;
    assert_eq!(running.state.acknowledged(), 20);
}

/// Every way in which a broker can fail to take outcomes: a person hears of it within the
/// alarm's time, nothing is deleted, and the publisher does not run hot.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_broker_does_instead_of_taking_outcomes_there_is_an_alarm_and_nothing_is_deleted() {
    assert!(Pace::default().alarm < Duration::from_mins(1));
    let scripts = [
        Script::Answers(0x10),
        Script::Answers(0x80),
        Script::Answers(0x83),
        Script::Answers(0x87),
        Script::Answers(0x90),
        Script::Answers(0x97),
        Script::Answers(0x99),
        Script::ReceiveMaximumZero,
        Script::Shrinking,
        Script::PacketTooLarge,
        Script::Garbage,
        Script::LyingLengths,
        Script::NeverAnswers,
        Script::SilentAfterConnack,
        Script::WithholdsUntilReleased,
        Script::WrongPacketIds,
    ];
    for script in scripts {
        let fake = Fake::start(script).await;
        let mut site = Site::new(fake.port).with_outcomes(20);
        (site.pace.alarm, site.pace.silence) = (Duration::from_millis(400), Duration::from_millis(200));
        site.pace.answer = Duration::from_millis(200);
        let running = site.start();
        if script == Script::PacketTooLarge {
            // Told one by one, at once.
            until("each is told", || running.state.too_large() == 20).await;
        } else {
            until("the alarm", || running.state.alarms() >= 1).await;
        }
        assert_eq!((running.undelivered(), running.state.acknowledged()), (20, 0), "{script:?}");
        assert!(
            fake.connections.load(SeqCst) <= 4 && fake.reports.load(SeqCst) <= 4 * 16,
            "{script:?} is met too often"
        );
        assert!(running.state.alarms() <= 1, "{script:?}: one alarm a state");
        running.stopped().await;
    }
}

/// Found on paper: each new connection looked like progress, so that the alarm never came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_is_not_put_off_by_connections_that_come_to_nothing() {
    for script in
        [Script::SilentAfterConnack, Script::WithholdsUntilReleased, Script::WrongPacketIds, Script::Shrinking]
    {
        let fake = Fake::start(script).await;
        let mut site = Site::new(fake.port).with_outcomes(20);
        site.pace.reconnect = BackOff { first: Duration::from_millis(10), longest: Duration::from_millis(20) };
        (site.pace.silence, site.pace.answer) = (Duration::from_millis(100), Duration::from_millis(100));
        site.pace.alarm = Duration::from_secs(1);
        let running = site.start();
        until("the alarm", || running.state.alarms() == 1).await;
        assert!(running.state.attempts() >= 4, "{script:?}");
        running.stopped().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receive_maximum_that_shrinks_is_kept_to_and_met_anew() {
    let fake = Fake::start(Script::Shrinking).await;
    let mut site = Site::new(fake.port).with_outcomes(40);
    site.pace.answer = Duration::from_millis(100);
    site.pace.reconnect = BackOff { first: Duration::from_millis(50), longest: Duration::from_millis(100) };
    let running = site.start();
    until("it has shrunk to nothing", || fake.connections.load(SeqCst) > 6).await;
    // The birth takes one place of each window.
    let most: u64 = SHRINKING.iter().map(|maximum| u64::from(*maximum)).sum();
    assert!((10..=most).contains(&fake.reports.load(SeqCst)), "{}", fake.reports.load(SeqCst));
    assert_eq!(running.undelivered(), 40);
    running.stopped().await;
}
