//! Shelves against every contradiction, and a collector against a real broker and a real publisher.

use std::path::Path;

use super::lineage::Lineage;
use super::shelf::{Contradiction, Genuine, Kept};
use super::*;
use crate::digest::Digest;
use crate::seal::event::hand_over;
use crate::seal::header::Header;
use crate::seal::jws::seal;
use crate::seal::link::Link;
use crate::seal::outcome::samples;
use crate::store::Head;

const NOW: Moment = Moment { unix_ms: 1_800_000_000_000, synchronised: true };

fn genuine(jws: &str, key: &DeviceKey) -> Genuine {
    let link = Link::open(jws, &[key.public().clone()]).unwrap();
    Genuine { device: key.id().to_owned(), link, jws: jws.to_owned() }
}

/// A device and its first `n` outcomes.
fn device(n: u64) -> (DeviceKey, Vec<Genuine>) {
    let key = DeviceKey::generate().unwrap();
    let chain = samples::chain(&key, n).iter().map(|jws| genuine(jws, &key)).collect();
    (key, chain)
}

/// `outcome` as its own device could have signed it otherwise.
fn otherwise(key: &DeviceKey, outcome: &Genuine, change: impl FnOnce(&mut Header)) -> Genuine {
    let Link::Outcome(opened) = &outcome.link else { panic!("an event") };
    let mut header = opened.header.clone();
    change(&mut header);
    genuine(&seal(key, &header, &opened.payload).unwrap(), key)
}

/// Does `what` with a shelf of each kind, each opened again by `Path`.
fn on_both(what: impl Fn(&dyn Fn() -> Shelf)) {
    let folder = tempfile::tempdir().unwrap();
    what(&|| Shelf::folder(&folder.path().join("outcomes")).unwrap());
    let database = folder.path().join("outcomes.sqlite");
    what(&|| Shelf::database(&database).unwrap());
}

fn keep(shelf: &mut Shelf, outcomes: &[Genuine]) -> Vec<Kept> {
    shelf.keep(outcomes, NOW).unwrap()
}

#[test]
fn an_outcome_is_kept_once_in_any_order_and_after_reopening() {
    on_both(|open| {
        let (key, chain) = device(6);
        let mut shelf = open();
        assert_eq!(
            keep(&mut shelf, &[chain[4].clone(), chain[0].clone(), chain[0].clone()]),
            [Kept::New, Kept::New, Kept::Same]
        );
        assert_eq!(shelf.first_missing(key.id(), 0, 9).unwrap(), (1, Some((2, 4))));
        drop(shelf);
        let mut shelf = open();
        assert_eq!(keep(&mut shelf, &chain[1..5]), [Kept::New, Kept::New, Kept::New, Kept::Same]);
        assert_eq!(shelf.first_missing(key.id(), 0, 0).unwrap(), (5, None));
        assert_eq!(shelf.first_missing(key.id(), 5, 7).unwrap(), (5, Some((6, 7))));
        assert_eq!(shelf.first_missing("nobody", 0, 3).unwrap(), (0, Some((1, 3))));
    });
}

#[test]
fn whatever_contradicts_what_is_kept_is_refused_and_changes_nothing() {
    on_both(|open| {
        let (key, chain) = device(4);
        let mut shelf = open();
        assert_eq!(keep(&mut shelf, &[chain[0].clone(), chain[3].clone()]), [Kept::New, Kept::New]);
        let forged = [
            (
                otherwise(&key, &chain[0], |header| header.test = !header.test),
                Contradiction::Fork { kept: chain[0].link.sha256() },
            ),
            (otherwise(&key, &chain[1], |header| header.prev = Digest::of(b"another")), Contradiction::NotAfter),
            (otherwise(&key, &chain[2], |header| header.test = !header.test), Contradiction::NotBefore),
        ];
        for (outcome, why) in forged {
            assert_eq!(keep(&mut shelf, &[outcome]), [Kept::Refused(why)]);
        }
        assert_eq!(keep(&mut shelf, &chain), [Kept::Same, Kept::New, Kept::New, Kept::Same]);
        let (other, start) = device(1);
        let start = otherwise(&other, &start[0], |header| header.prev = Digest::of(b"x"));
        assert_eq!(keep(&mut shelf, &[start]), [Kept::Refused(Contradiction::FalseGenesis)]);
    });
}

#[test]
fn two_collectors_on_one_database_keep_each_outcome_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.sqlite");
    let (key, chain) = device(40);
    let kept: usize = std::thread::scope(|scope| {
        let collectors: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut shelf = Shelf::database(&path).unwrap();
                    chain.chunks(7).flat_map(|batch| keep(&mut shelf, batch)).filter(|kept| *kept == Kept::New).count()
                })
            })
            .collect();
        collectors.into_iter().map(|collector| collector.join().unwrap()).sum()
    });
    assert_eq!(kept, 40);
    assert_eq!(Shelf::database(&path).unwrap().first_missing(key.id(), 0, 40).unwrap(), (40, None));
}

#[test]
fn collectors_that_start_at_once_make_one_database() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..50 {
        let path = folder.path().join(format!("{number}.sqlite"));
        let starting = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    starting.wait();
                    Shelf::database(&path).unwrap();
                });
            }
        });
    }
}

fn vouched(key: &DeviceKey, seq: u64, line: &[u8]) -> Vouched {
    let head = Digest::of(line);
    let at = NOW.rfc3339();
    let payload = serde_json::json!({ "audit": 1, "seq": seq, "head": head, "at": at, "synchronised": true });
    let jws = crate::seal::message::sign(key, crate::seal::message::MessageType::Checkpoint, &payload.to_string());
    let jws = jws.unwrap();
    Vouched { checkpoint: crate::audit::Checkpoint::open(&jws, &[key.public().clone()]).unwrap(), jws }
}

#[test]
fn checkpoints_of_audit_logs_are_kept_until_a_newer_one_is_and_contradictions_for_good() {
    for is_folder in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let open = || if is_folder { Shelf::folder(&path).unwrap() } else { Shelf::database(&path).unwrap() };
        let (key, stranger) = (DeviceKey::generate().unwrap(), DeviceKey::generate().unwrap());
        let mut shelf = open();
        let all: Vec<Vouched> = [3, 7, 9].map(|seq| vouched(&key, seq, &[0])).into();
        for checkpoint in &all {
            assert_eq!(shelf.keep_checkpoint(checkpoint, NOW).unwrap(), Noted::New);
            assert_eq!(shelf.keep_checkpoint(checkpoint, NOW).unwrap(), Noted::Known);
        }
        let kept = || Shelf::checkpoints(&path, key.id()).unwrap();
        assert_eq!(kept(), [all[0].jws.clone(), all[2].jws.clone()], "the first of the hour, and the newest");
        drop(shelf);
        let mut shelf = open();
        let (forked, behind) = (vouched(&key, 9, b"another line"), vouched(&key, 5, b"begun anew"));
        assert_eq!(shelf.keep_checkpoint(&all[2], NOW).unwrap(), Noted::Known);
        assert_eq!(shelf.keep_checkpoint(&forked, NOW).unwrap(), Noted::Forked);
        assert_eq!(shelf.keep_checkpoint(&behind, NOW).unwrap(), Noted::Behind);
        assert_eq!(kept().len(), 4);
        assert!(Shelf::checkpoints(&path, stranger.id()).unwrap().is_empty());
    }
}

#[test]
fn a_database_of_an_older_collector_gets_room_for_checkpoints_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    let (key, chain) = device(2);
    keep(&mut Shelf::database(&path).unwrap(), &chain);
    let older = rusqlite::Connection::open(&path).unwrap();
    older.execute_batch("DROP TABLE checkpoints").unwrap();
    drop(older);
    let mut shelf = Shelf::database(&path).unwrap();
    assert_eq!(keep(&mut shelf, &chain), [Kept::Same, Kept::Same]);
    assert_eq!(shelf.keep_checkpoint(&vouched(&key, 1, b"x"), NOW).unwrap(), Noted::New);
}

#[test]
fn a_folder_is_for_one_collector_and_holds_the_bytes_that_were_signed() {
    let folder = tempfile::tempdir().unwrap();
    let mut shelf = Shelf::folder(folder.path()).unwrap();
    assert!(matches!(Shelf::folder(folder.path()), Err(ShelfError::InUse { .. })));
    let (key, chain) = device(1);
    keep(&mut shelf, &chain);
    let file = folder.path().join(key.id()).join("000000000001.jws");
    assert_eq!(std::fs::read_to_string(file).unwrap(), chain[0].jws);
}

#[test]
fn a_half_written_file_is_no_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let (key, chain) = device(1);
    let of_device = folder.path().join(key.id());
    std::fs::create_dir(&of_device).unwrap();
    std::fs::write(of_device.join(".unfinished"), &chain[0].jws[..40]).unwrap();
    let mut shelf = Shelf::folder(folder.path()).unwrap();
    assert_eq!(shelf.first_missing(key.id(), 0, 1).unwrap(), (0, Some((1, 1))));
    assert_eq!(keep(&mut shelf, &chain), [Kept::New]);
}

#[test]
fn a_database_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = &folder.path().join("other.sqlite");
    let other = rusqlite::Connection::open(path).unwrap();
    other.pragma_update(None, "user_version", 7).unwrap();
    drop(other);
    assert!(Shelf::database(path).unwrap_err().to_string().contains("schema is 7"));
}

/// A device whose key changes after `n` outcomes, the link by which it does, and `n` more.
fn rotated(n: u64) -> (DeviceKey, DeviceKey, Vec<String>) {
    let (old, new) = (DeviceKey::generate().unwrap(), DeviceKey::generate().unwrap());
    let head =
        |lines: &[String]| Head { sequence: lines.len() as u64, sha256: Digest::of(lines[lines.len() - 1].as_bytes()) };
    let mut lines = samples::chain(&old, n);
    lines.push(hand_over(&old, &new, &head(&lines), NOW).unwrap().jws);
    lines.extend(samples::chain_from(&new, head(&lines), n..2 * n));
    (old, new, lines)
}

fn link(jws: &str, keys: &[&DeviceKey]) -> Link {
    Link::open(jws, &keys.iter().map(|key| key.public().clone()).collect::<Vec<_>>()).unwrap()
}

#[test]
fn a_key_is_followed_by_its_hand_over_and_signs_nothing_outside_of_its_term() {
    let (old, new, lines) = rotated(3);
    let thief = DeviceKey::generate().unwrap();
    let mut lineage = Lineage::of(vec![old.public().clone()]);
    assert_eq!(lineage.device(new.id()), None);
    let change = link(&lines[3], &[&old]);
    lineage.judge(&change).unwrap();
    assert!(lineage.follow(&change) && !lineage.follow(&change), "once");
    assert_eq!(lineage.device(new.id()), Some(old.id()));
    for line in &lines {
        lineage.judge(&link(line, &[&old, &new])).unwrap();
    }
    let at = |sequence: u64| Head { sequence, sha256: Digest::of(b"whatever") };
    for forged in [samples::chain_from(&old, at(7), 9..10).remove(0), hand_over(&old, &thief, &at(7), NOW).unwrap().jws]
    {
        let forged = link(&forged, &[&old]);
        assert_eq!(lineage.judge(&forged), Err(Contradiction::AfterHandOver { until: 4 }));
    }
    let early = link(&samples::chain_from(&new, at(1), 9..10)[0], &[&new]);
    assert_eq!(lineage.judge(&early), Err(Contradiction::BeforeHandOver { from: 5 }));
    let circle = link(&hand_over(&new, &old, &at(7), NOW).unwrap().jws, &[&new]);
    assert_eq!(lineage.judge(&circle), Err(Contradiction::KnownKey));
}

#[test]
fn a_next_key_that_was_given_as_well_becomes_the_same_devices() {
    let (old, new, lines) = rotated(2);
    let mut lineage = Lineage::of(vec![new.public().clone(), old.public().clone()]);
    assert_eq!(lineage.device(new.id()), Some(new.id()));
    assert!(lineage.learn(&[lines[2].clone()]));
    assert_eq!((lineage.device(new.id()), lineage.device(old.id())), (Some(old.id()), Some(old.id())));
}

#[test]
fn a_shelf_that_is_opened_again_knows_the_keys_that_were_handed_over() {
    on_both(|open| {
        let (old, new, lines) = rotated(3);
        let of_device =
            |line: &String| Genuine { device: old.id().to_owned(), link: link(line, &[&old, &new]), jws: line.clone() };
        let all: Vec<Genuine> = lines.iter().map(of_device).collect();
        let mut shelf = open();
        assert!(keep(&mut shelf, &all).iter().all(|kept| *kept == Kept::New));
        assert!(keep(&mut shelf, &all).iter().all(|kept| *kept == Kept::Same));
        drop(shelf);
        let shelf = open();
        assert_eq!(shelf.hand_overs().unwrap(), [lines[3].clone()]);
        assert_eq!(shelf.first_missing(old.id(), 0, 7).unwrap(), (7, None), "one device, one sequence");
        let mut lineage = Lineage::of(vec![old.public().clone()]);
        assert!(lineage.learn(&shelf.hand_overs().unwrap()));
        assert_eq!(lineage.device(new.id()), Some(old.id()));
    });
}

/// The whole way: a device's store and publisher, the embedded broker, a collector.
#[cfg(feature = "broker")]
mod live {
    use std::net::Ipv4Addr;

    use tokio::sync::Notify;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::config::{Commands, Mqtt, Receiver, RequiredReceipts};
    use crate::instance::Instance;
    use crate::publish::{EmbeddedBroker, Publisher, alert_channel};
    use crate::store::{NewInstance, SealedOutcome, Store, Urgency};

    const DEADLINE: Duration = Duration::from_secs(40);

    async fn until(what: &str, condition: impl Fn() -> bool) {
        let started = Instant::now();
        while !condition() {
            assert!(started.elapsed() < DEADLINE, "never happened: {what}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// A device with a chain of outcomes in its store, and a receiver's key.
    struct Site {
        folder: tempfile::TempDir,
        store: Store,
        device: DeviceKey,
        /// Ids of its keys before.
        earlier: Vec<String>,
        mqtt: Mqtt,
    }

    impl Site {
        fn new(outcomes: u64) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path()).unwrap();
            let (device, receiver) = (DeviceKey::generate().unwrap(), DeviceKey::generate().unwrap());
            receiver.save_new(&folder.path().join("receiver.key")).unwrap();
            receiver.save_public(&folder.path().join("receiver.key")).unwrap();
            let broker = EmbeddedBroker::start((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
            let mqtt = Mqtt {
                host: "127.0.0.1".to_owned(),
                port: broker.local_addr().port(),
                topic_prefix: "residentd".to_owned().try_into().unwrap(),
                user: None,
                password_file: None,
                heartbeat_s: 1.try_into().unwrap(),
                telemetry_s: 60.try_into().unwrap(),
                tls: None,
            };
            let site = Self { folder, store, device, earlier: Vec::new(), mqtt };
            for (number, jws) in (1..).zip(samples::chain(&site.device, outcomes)) {
                site.conclude(number, jws);
            }
            site
        }

        fn conclude(&self, number: u64, jws: String) {
            let sha256 = Digest::of(&number.to_be_bytes());
            let instance = Instance {
                path: self.store.instance_path(&sha256),
                sha256,
                size_bytes: 1,
                sop_class_uid: "1.2.3".parse().unwrap(),
                sop_instance_uid: format!("1.2.3.{number}").parse().unwrap(),
                transfer_syntax_uid: "1.2.840.10008.1.2.1".parse().unwrap(),
            };
            self.store.accept(&NewInstance { instance, calling_ae: "CART".parse().unwrap(), received: NOW }).unwrap();
            let id = self.store.next_unread().unwrap().unwrap().id;
            let urgency = if number.is_multiple_of(4) { Urgency::Urgent } else { Urgency::Routine };
            let sealed = SealedOutcome { urgency, report_id: format!("{number}"), kind: "report", jws };
            self.store.conclude(id, NOW, |_| Ok::<_, String>(sealed)).unwrap();
        }

        fn publish(&self) -> (watch::Sender<bool>, JoinHandle<()>) {
            let name = |name: &str| name.to_owned().try_into().unwrap();
            let device = crate::config::Device {
                site: name("clinic"),
                name: name("cart-7"),
                state_dir: "".into(),
                key_file: "".into(),
            };
            let receiver = Receiver {
                keys: vec![self.folder.path().join("receiver.pub.pem")],
                required: RequiredReceipts::Any,
                commands: Commands::Accept,
            };
            let (_, alerts) = alert_channel();
            let (stop, stopped) = watch::channel(false);
            let bell = Arc::new(Notify::new());
            let publisher =
                Publisher::new(&self.mqtt, &device, self.device.id(), self.store.clone(), bell, alerts, || NOW)
                    .unwrap()
                    .known_before_as(self.earlier.clone())
                    .believing(&receiver)
                    .unwrap();
            (stop, tokio::spawn(publisher.run(stopped)))
        }

        fn collect(&self, on: Shelf) -> (Arc<CollectorState>, watch::Sender<bool>, JoinHandle<()>) {
            self.collect_from(on, self.device.public().clone())
        }

        /// A collector that was given this public key.
        fn collect_from(
            &self,
            on: Shelf,
            device: PublicKey,
        ) -> (Arc<CollectorState>, watch::Sender<bool>, JoinHandle<()>) {
            let key = DeviceKey::load(&self.folder.path().join("receiver.key")).unwrap();
            let access = Access::read(&self.mqtt, format!("collect-{:p}", &raw const key), || NOW).unwrap();
            let devices = vec![device];
            let short = |ms| BackOff { first: Duration::from_millis(ms), longest: Duration::from_millis(4 * ms) };
            let pace = Pace {
                reconnect: short(50),
                ask: short(1200),
                look: Duration::from_millis(100),
                shelf: Duration::from_millis(50),
            };
            let collector =
                Collector::new(access, Filters::below("residentd", None), devices, key, on, || NOW).paced(pace);
            let (stop, stopped) = watch::channel(false);
            (collector.state(), stop, tokio::spawn(collector.run(stopped)))
        }

        fn shelf(&self) -> Shelf {
            Shelf::folder(&self.folder.path().join("kept")).unwrap()
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_outcome_is_kept_once_and_receipted_and_a_restart_forgets_nothing() {
        let site = Site::new(120);
        let (state, stop, task) = site.collect(site.shelf());
        until("subscribed", || state.subscriptions() >= 2).await;
        let (_publishing, _task) = site.publish();
        until("receipted", || site.store.undelivered().unwrap() == 0).await;
        assert_eq!((state.kept(), state.refused(), state.foreign()), (120, 0, 0));
        stop.send(true).unwrap();
        tokio::time::timeout(DEADLINE, task).await.unwrap().unwrap();
        let kept = site.shelf().first_missing(site.device.id(), 0, 120).unwrap();
        assert_eq!(kept, (120, None));
        for (number, outcome) in (1..).zip(site.store.outcomes(0, 200).unwrap()) {
            let file = site.folder.path().join("kept").join(site.device.id()).join(format!("{number:012}.jws"));
            assert_eq!(std::fs::read_to_string(file).unwrap(), outcome.jws);
        }
    }

    /// What left the outbox long ago, to a collector that is gone, comes again.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_collector_that_lost_everything_asks_for_everything_again() {
        let site = Site::new(50);
        let all: Vec<u64> = (1..=50).collect();
        site.store.delivered(&all, "receipt", NOW).unwrap();
        let (state, _stop, _task) = site.collect(site.shelf());
        until("subscribed", || state.subscriptions() >= 2).await;
        let (_publishing, _task) = site.publish();
        until("all are there again", || state.kept() == 50).await;
        assert!(state.asked() >= 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_outcome_that_contradicts_what_is_kept_stays_with_the_device() {
        let site = Site::new(3);
        let mut shelf = site.shelf();
        let forked = otherwise(&site.device, &genuine(&site.store.outcomes(1, 1).unwrap()[0].jws, &site.device), |h| {
            h.test = !h.test;
        });
        keep(&mut shelf, &[forked]);
        let (state, _stop, _task) = site.collect(shelf);
        until("subscribed", || state.subscriptions() >= 2).await;
        let (_publishing, _task) = site.publish();
        until("refused", || state.refused() >= 2).await;
        until("the first is receipted", || site.store.undelivered().unwrap() == 2).await;
        assert_eq!(state.kept(), 1);
    }

    /// The collector is given the first key alone, and starts before the device changes it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_key_that_the_device_handed_over_is_followed_and_one_without_is_nobodys() {
        let mut site = Site::new(8);
        let old = site.device.public().clone();
        let new = DeviceKey::generate().unwrap();
        site.store.append(NOW, |head| hand_over(&site.device, &new, head, NOW)).unwrap();
        for (number, jws) in (100..).zip(samples::chain_from(&new, site.store.head().unwrap(), 8..16)) {
            site.conclude(number, jws);
        }
        // What somebody else signed, on top of it.
        let stranger = DeviceKey::generate().unwrap();
        site.conclude(200, samples::chain_from(&stranger, site.store.head().unwrap(), 16..17).remove(0));
        site.device = new;
        site.earlier = vec![old.id().to_owned()];
        let (state, stop, task) = site.collect_from(site.shelf(), old.clone());
        until("subscribed", || state.subscriptions() >= 2).await;
        let (publishing, published) = site.publish();
        until("all but the stranger's are receipted", || site.store.undelivered().unwrap() == 1).await;
        assert_eq!((state.kept(), state.refused()), (17, 0));
        until("the stranger's is not", || state.foreign() >= 1).await;
        stop.send(true).unwrap();
        tokio::time::timeout(DEADLINE, task).await.unwrap().unwrap();
        publishing.send(true).unwrap();
        published.await.unwrap();
        // A collector that lost everything, and knows the first key alone, finds it all again.
        let empty = Shelf::folder(&site.folder.path().join("empty")).unwrap();
        let (state, _stop, _task) = site.collect_from(empty, old);
        until("subscribed", || state.subscriptions() >= 2).await;
        let (_publishing, _task) = site.publish();
        until("all are there again", || state.kept() == 17).await;
    }
}
