//! A site whose receivers sign receipts: what takes an outcome out of the outbox, and what must not.

use std::collections::BTreeMap;

use super::mosquitto::Mosquitto;
use super::*;
use crate::config::{Commands, Receiver, RequiredReceipts};
use crate::mqtt::{Event, JOSE, Link, Manner, Message, Qos, Retain, Retained};
use crate::seal::key::DeviceKey;
use crate::seal::message::{MessageType, sign};
use crate::seal::receiver::{Command, Held, Receipt};

const BASE: &str = "residentd/clinic/cart-7";
/// What the tests' device says that its key is.
const DEVICE: &str = "key-thumbprint";

/// A receiver that does what a test tells it to.
struct Hospital {
    key: DeviceKey,
    link: Link,
    /// Sequence of each outcome that came, how often, and its hash.
    got: BTreeMap<u64, (u64, Digest)>,
}

impl Hospital {
    /// Connects and subscribes to `filter` before anything is sent.
    async fn new(port: u16, key: DeviceKey, filter: &str) -> Self {
        let mut settings = Site::new(port).settings;
        settings.heartbeat_s = 3600.try_into().unwrap();
        let access = Access::read(&settings, format!("hospital-{}", key.id()), || NOW).unwrap();
        let manner = Manner { will: None, window: 4000, receive_maximum: 64, max_incoming_bytes: 1 << 20 };
        let mut link = Link::open(&access, manner);
        loop {
            match tokio::time::timeout(DEADLINE, link.next()).await.expect("a broker") {
                Event::Connected(_) => {
                    link.subscribe(&[format!("{BASE}/{filter}")], Retained::Unwanted).unwrap();
                }
                Event::Subscribed(..) => return Self { key, link, got: BTreeMap::new() },
                _ => {}
            }
        }
    }

    fn say(&self, topic: &str, payload: String, retain: Retain) {
        let topic = format!("{BASE}/{topic}");
        let (correlation, user_properties) = (None, Vec::new());
        let message =
            Message { topic, qos: Qos::AtLeastOnce, retain, payload, content_type: JOSE, correlation, user_properties };
        self.link.hand_in(message).unwrap();
    }

    fn receipt(&self, outcomes: &[(u64, Digest)]) -> String {
        let outcomes = outcomes.iter().map(|(seq, sha256)| Held { seq: *seq, sha256: *sha256 }).collect();
        Receipt { device: DEVICE.to_owned(), outcomes }.sign(&self.key).unwrap()
    }

    /// Takes messages until `enough`; `answer` says what is done about each outcome.
    async fn until(&mut self, enough: impl Fn(&Self) -> bool, answer: impl Fn(&Self, u64, Digest)) {
        let all = async {
            while !enough(self) {
                let Event::Arrived(arrival) = self.link.next().await else { continue };
                let text = std::str::from_utf8(arrival.payload()).unwrap();
                let sequence = text.split('.').nth(1).unwrap().parse().unwrap();
                let sha256 = Digest::of(arrival.payload());
                self.got.entry(sequence).or_insert((0, sha256)).0 += 1;
                answer(self, sequence, sha256);
            }
        };
        tokio::time::timeout(DEADLINE, all).await.expect("outcomes come");
    }

    /// Goes on listening, without an answer, until `condition` holds.
    async fn listening_until(&mut self, what: &str, condition: impl Fn() -> bool) {
        let started = Instant::now();
        while !condition() {
            assert!(started.elapsed() < DEADLINE, "never happened: {what}");
            drop(tokio::time::timeout(Duration::from_millis(5), self.link.next()).await);
        }
    }

    fn came(&self, times: u64) -> usize {
        self.got.values().filter(|(came, _)| *came >= times).count()
    }
}

/// A site that believes `keys`, in a hurry.
fn believing(port: u16, keys: &[&DeviceKey], required: RequiredReceipts, commands: Commands) -> Site {
    let mut site = Site::new(port);
    let path = |n: usize| site.folder.path().join(format!("receiver-{n}.pem"));
    for (n, key) in keys.iter().enumerate() {
        std::fs::write(path(n), key.public().to_pem()).unwrap();
    }
    site.receiver = Some(Receiver { keys: (0..keys.len()).map(path).collect(), required, commands });
    let (first, longest) = (Duration::from_millis(100), Duration::from_millis(400));
    site.pace.receipt = BackOff { first, longest };
    site
}

fn key() -> DeviceKey {
    DeviceKey::generate().unwrap()
}

fn broker() -> u16 {
    EmbeddedBroker::start(localhost(0)).unwrap().local_addr().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_leaves_on_its_receipt_however_often_that_is_lost_or_said() {
    let port = broker();
    let mut hospital = Hospital::new(port, key(), "report").await;
    let site = believing(port, &[&hospital.key], RequiredReceipts::Any, Commands::Accept).with_outcomes(60);
    let running = site.start();
    // The receipts for the first time are lost.
    hospital.until(|hospital| hospital.came(1) == 60, |_, _, _| ()).await;
    assert_eq!((running.undelivered(), running.state.receipted()), (60, 0), "the broker's word is not enough");
    let twice = |hospital: &Hospital, sequence, sha256| {
        let receipt = hospital.receipt(&[(sequence, sha256)]);
        hospital.say("receipt", receipt.clone(), Retain::No);
        hospital.say("receipt", receipt, Retain::No);
    };
    hospital.until(|hospital| hospital.came(2) == 60, twice).await;
    hospital.listening_until("all are receipted", || running.undelivered() == 0).await;
    let receipted = running.state.receipted();
    assert!(receipted >= 60, "{receipted}");
    assert!(running.state.sent_again() >= 60);
    assert_eq!(running.state.disbelieved(), 0);
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_for_other_bytes_of_others_malformed_or_retained_count_for_nothing() {
    // The embedded broker does not pass on who asked for retaining; mosquitto does.
    let Some(mosquitto) = Mosquitto::start("", |_| {}).await else { return };
    let port = mosquitto.port;
    let mut hospital = Hospital::new(port, key(), "report").await;
    let site = believing(port, &[&hospital.key], RequiredReceipts::Any, Commands::Refuse).with_outcomes(20);
    let running = site.start();
    hospital.until(|hospital| hospital.came(1) == 20, |_, _, _| ()).await;
    let all: Vec<(u64, Digest)> = hospital.got.iter().map(|(sequence, (_, sha256))| (*sequence, *sha256)).collect();
    let shifted: Vec<(u64, Digest)> = all.iter().map(|(sequence, sha256)| (sequence % 20 + 1, *sha256)).collect();
    let outcomes: Vec<Held> = all.iter().map(|(seq, sha256)| Held { seq: *seq, sha256: *sha256 }).collect();
    let right = Receipt { device: DEVICE.to_owned(), outcomes };
    let command = Command::Resend { device: DEVICE.to_owned(), from: 1, to: 5, issued_at: NOW.rfc3339() };
    let wrong = [
        ("receipt", hospital.receipt(&shifted), Retain::No),
        ("receipt", right.sign(&key()).unwrap(), Retain::No),
        ("receipt", Receipt { device: "another".to_owned(), ..right.clone() }.sign(&hospital.key).unwrap(), Retain::No),
        ("receipt", sign(&hospital.key, MessageType::Receipt, "{}").unwrap(), Retain::No),
        (
            "receipt",
            sign(&hospital.key, MessageType::Command, &serde_json::to_string(&right).unwrap()).unwrap(),
            Retain::No,
        ),
        ("receipt", hospital.receipt(&all), Retain::Yes),
        ("receipt", "x".repeat(60_000), Retain::No),
        ("command", command.sign(&hospital.key).unwrap(), Retain::No),
    ];
    for (topic, payload, retain) in wrong {
        hospital.say(topic, payload, retain);
    }
    hospital.listening_until("all are disbelieved", || running.state.disbelieved() >= 7 + 20).await;
    assert_eq!((running.undelivered(), running.state.receipted()), (20, 0));
    hospital.say("receipt", hospital.receipt(&all), Retain::No);
    hospital.listening_until("all are receipted", || running.undelivered() == 0).await;
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_says_nothing_is_an_alarm_until_it_speaks() {
    let port = broker();
    let mut hospital = Hospital::new(port, key(), "report").await;
    let mut site = believing(port, &[&hospital.key], RequiredReceipts::Any, Commands::Accept).with_outcomes(3);
    site.pace.alarm = Duration::from_secs(1);
    let running = site.start();
    hospital.listening_until("the alarm", || running.state.alarms() == 1).await;
    let receipt = |hospital: &Hospital, sequence, sha256| {
        hospital.say("receipt", hospital.receipt(&[(sequence, sha256)]), Retain::No);
    };
    hospital.until(|_| running.undelivered() == 0, receipt).await;
    assert!(running.state.sent_again() >= 3);
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_may_ask_again_for_what_was_delivered_but_not_in_a_flood() {
    let port = broker();
    let mut hospital = Hospital::new(port, key(), "report").await;
    let site = believing(port, &[&hospital.key], RequiredReceipts::Any, Commands::Accept).with_outcomes(30);
    let running = site.start();
    let receipt = |hospital: &Hospital, sequence, sha256| {
        hospital.say("receipt", hospital.receipt(&[(sequence, sha256)]), Retain::No);
    };
    hospital.until(|hospital| hospital.came(1) == 30, receipt).await;
    hospital.listening_until("all are receipted", || running.undelivered() == 0).await;
    let before = running.state.handed_in();
    let ask = |from, to| {
        Command::Resend { device: DEVICE.to_owned(), from, to, issued_at: NOW.rfc3339() }.sign(&hospital.key).unwrap()
    };
    let first = ask(5, 9);
    for _ in 0..20 {
        hospital.say("command", first.clone(), Retain::No);
    }
    let asked = |hospital: &Hospital| (5..=9).all(|sequence| hospital.got[&sequence].0 >= 2);
    hospital.until(asked, |_, _, _| ()).await;
    hospital.listening_until("the flood is counted", || running.state.disbelieved() >= 18).await;
    assert!(running.state.handed_in() - before <= 10, "{}", running.state.handed_in() - before);
    assert_eq!(running.undelivered(), 0);
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_are_required_one_receiver_is_not_held_up_by_another_that_is_absent() {
    let port = broker();
    let (mut here, absent) = (Hospital::new(port, key(), "report").await, key());
    let site = believing(port, &[&here.key, &absent], RequiredReceipts::All, Commands::Accept).with_outcomes(1100);
    let running = site.start();
    let receipt = |hospital: &Hospital, sequence, sha256| {
        hospital.say("receipt", hospital.receipt(&[(sequence, sha256)]), Retain::No);
    };
    here.until(|hospital| hospital.came(1) == 1100, receipt).await;
    assert_eq!(running.undelivered(), 1100, "it stays until both have it");
    let mut late = Hospital::new(port, absent, "nothing").await;
    let all: Vec<(u64, Digest)> = here.got.iter().map(|(sequence, (_, sha256))| (*sequence, *sha256)).collect();
    for some in all.chunks(200) {
        late.say("receipt", late.receipt(some), Retain::No);
    }
    let delivered = || running.undelivered() == 0;
    tokio::join!(late.listening_until("both have all", delivered), here.listening_until("both have all", delivered));
    running.stopped().await;
}
