//! One device's life between its first start and its last: senders that never give up, and
//! three ledgers that must agree at the end: answered 0x0000, stored, received.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use residentd::report::identity::report_id;
use residentd::seal::header::Kind;
use residentd::seal::jws::open;
use residentd::seal::public::PublicKey;
use residentd::seal::verify::verify;

use crate::collector::Collector;
use crate::images::Template;
use crate::receiver::Receiver;
use crate::site::{LIMIT, Site, Started, runtime};

/// Images between answer and receiver: enough to keep every stage busy.
const AHEAD: usize = 6;
/// Every so many an image that a bundle reads; the others are abstentions, and cheap.
const READ_EVERY: u64 = 4;
/// A sender's pause where the daemon is down or the receiver behind.
const PAUSE: Duration = Duration::from_millis(2);

/// The number of an image that nobody sends.
const NEVER_SENT: u64 = 999_999_999_999;

/// What the senders know.
#[derive(Default)]
struct Ledger {
    next: u64,
    /// Sent and not answered with success: to be sent again, as a scanner does.
    again: VecDeque<u64>,
    in_flight: usize,
    answered: BTreeSet<u64>,
    /// Statuses that no kill explains.
    odd: Vec<String>,
}

/// A device, its senders and its receiver.
pub struct Life<'a> {
    pub site: &'a Site,
    pub receiver: &'a Receiver,
    chest: &'a Template,
    foreign: &'a Template,
    ledger: Mutex<Ledger>,
    /// No new images any more.
    closing: AtomicBool,
    over: AtomicBool,
}

/// What a life came to.
#[derive(Debug, Default)]
pub struct Tally {
    pub instances: u64,
    pub reports: u64,
    pub failures: u64,
    pub received_again: u64,
}

impl<'a> Life<'a> {
    pub fn new(site: &'a Site, receiver: &'a Receiver, chest: &'a Template, foreign: &'a Template) -> Self {
        let (ledger, closing, over) = (Mutex::default(), AtomicBool::new(false), AtomicBool::new(false));
        Self { site, receiver, chest, foreign, ledger, closing, over }
    }

    /// Sends until the life is over. Run it in threads of its own.
    pub fn send(&self) {
        runtime().block_on(async {
            while !self.over.load(Relaxed) {
                let Some(number) = self.next() else {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                };
                let (_, file) = self.template(number).copy(number);
                let sent = self.site.send(&format!("{number}.dcm"), &file).await;
                let down = sent.is_err();
                self.note(number, &sent);
                if down {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        });
    }

    fn note(&self, number: u64, sent: &Result<u16, String>) {
        let mut ledger = self.ledger();
        ledger.in_flight -= 1;
        match sent {
            Ok(0) => drop(ledger.answered.insert(number)),
            Ok(status) => ledger.odd.push(format!("image {number} was answered 0x{status:04X}")),
            Err(_) => ledger.again.push_back(number),
        }
    }

    fn next(&self) -> Option<u64> {
        let received = self.receiver.count(&self.site.device);
        let mut ledger = self.ledger();
        let number = match ledger.again.pop_front() {
            Some(number) => number,
            None if self.closing.load(Relaxed) => return None,
            None if ledger.answered.len() + ledger.in_flight >= received + AHEAD => return None,
            None => {
                ledger.next += 1;
                ledger.next
            }
        };
        ledger.in_flight += 1;
        Some(number)
    }

    fn template(&self, number: u64) -> &Template {
        if number.is_multiple_of(READ_EVERY) { self.chest } else { self.foreign }
    }

    /// Ends the senders, however the life went.
    pub fn end(&self) {
        self.over.store(true, Relaxed);
    }

    /// A last daemon that nobody kills: it must bring everything home, and then the
    /// ledgers must agree, that of a `collector` among them.
    pub fn conclude(&self, collector: Option<&mut Collector>) -> Result<Tally, String> {
        self.closing.store(true, Relaxed);
        let collector = collector.map(|collector| {
            collector.kill(&[]);
            &*collector
        });
        let mut daemon = self.site.spawn(&[]);
        if self.site.wait_ready(&mut daemon) == Started::Ended {
            return Err(format!("the last daemon did not start; its log:\n{}", self.site.log()));
        }
        let deadline = Instant::now() + LIMIT;
        while !self.all_answered() {
            if Instant::now() > deadline {
                return Err("images are still not answered with success".to_owned());
            }
            std::thread::sleep(PAUSE);
        }
        let answered = self.ledger().answered.len();
        if !self.receiver.wait_for(&self.site.device, answered, LIMIT) {
            let received = self.receiver.count(&self.site.device);
            return Err(format!("{answered} images were answered 0x0000, {received} outcomes received"));
        }
        let store = self.site.store();
        while store.undelivered().map_err(|e| e.to_string())? > 0 {
            if Instant::now() > deadline + LIMIT {
                return Err(format!("{:?} outcomes are not delivered", store.undelivered()));
            }
            std::thread::sleep(PAUSE);
        }
        if !daemon.stop() {
            return Err("the last daemon did not end well".to_owned());
        }
        self.compare(collector)
    }

    /// Whether the comparison can fail: one thing is taken from each ledger in turn.
    pub fn doubt(&self, collector: Option<&Collector>) -> Result<(), String> {
        let must = |what: &str, noticed: bool| if noticed { Ok(()) } else { Err(format!("{what} is not noticed")) };
        self.ledger().answered.insert(NEVER_SENT);
        must("an image that is not stored", self.compare(collector).is_err())?;
        self.ledger().answered.remove(&(NEVER_SENT));
        let image = std::fs::read_dir(self.site.path("state/spool")).unwrap().flatten().find(|e| e.path().is_file());
        let (image, aside) = (image.ok_or("no image is kept")?.path(), self.site.path("aside"));
        std::fs::rename(&image, &aside).map_err(|e| e.to_string())?;
        must("a file that is gone", self.compare(collector).is_err())?;
        std::fs::rename(&aside, &image).map_err(|e| e.to_string())?;
        self.compare(collector).map_err(|why| format!("it was whole again, and: {why}"))?;
        let database = rusqlite::Connection::open(self.site.path("state/residentd.sqlite"));
        let forget = "DELETE FROM deliveries WHERE sequence = 1; DELETE FROM outcomes WHERE sequence = 1";
        database.and_then(|database| database.execute_batch(forget)).map_err(|e| e.to_string())?;
        must("an outcome that is gone", self.compare(collector).is_err())
    }

    fn all_answered(&self) -> bool {
        let ledger = self.ledger();
        ledger.in_flight == 0 && ledger.again.is_empty()
    }

    fn compare(&self, collector: Option<&Collector>) -> Result<Tally, String> {
        let ledger = self.ledger();
        if let Some(odd) = ledger.odd.first() {
            return Err(odd.clone());
        }
        let device = format!("torture/{}", self.site.device);
        let expected: BTreeMap<String, u64> =
            ledger.answered.iter().map(|n| (report_id(&device, &self.template(*n).copy(*n).0), *n)).collect();
        let stored = self.site.outcomes();
        let ids: HashSet<&str> = stored.iter().map(|o| o.report_id.as_str()).collect();
        if let Some((id, number)) = expected.iter().find(|(id, _)| !ids.contains(id.as_str())) {
            return Err(format!("image {number} was answered 0x0000 and has no outcome ({id})"));
        }
        if ids.len() != stored.len() || stored.len() != expected.len() {
            return Err(format!("{} images, {} outcomes of {} images", expected.len(), stored.len(), ids.len()));
        }
        let received = self.receiver.received(&self.site.device);
        if let Some(id) = received.altered.first() {
            return Err(format!("{id} was received twice with different bytes"));
        }
        let arrived: Vec<&[u8]> = received.outcomes.iter().map(|o| o.jws.as_slice()).collect();
        if let Some(at) = (0..stored.len()).find(|at| arrived.get(*at) != Some(&stored[*at].jws.as_bytes())) {
            return Err(format!("outcome {} is not what was received in its place", stored[at].sequence));
        }
        if let Some(kept) = collector.map(Collector::kept)
            && !kept.iter().eq(stored.iter().map(|o| &o.jws))
        {
            return Err(format!("{} outcomes are stored, and the collector keeps {} others", stored.len(), kept.len()));
        }
        let key = PublicKey::load(&self.site.path("device.pub.pem")).map_err(|e| e.to_string())?;
        let stream = stored.iter().map(|o| o.jws.as_str()).collect::<Vec<_>>().join("\n");
        let verified = verify(&stream, std::slice::from_ref(&key));
        if !verified.passed() {
            return Err(format!("the chain does not verify: {verified}"));
        }
        self.compare_files(stored.len())?;
        let mut tally = Tally { instances: stored.len() as u64, received_again: received.again, ..Tally::default() };
        for outcome in &stored {
            let kind = open(&outcome.jws, std::slice::from_ref(&key)).map_err(|e| e.to_string())?.header.kind;
            let number = expected[&outcome.report_id];
            match (kind, number.is_multiple_of(READ_EVERY)) {
                (Kind::Report, true) => tally.reports += 1,
                (Kind::Abstention, false) => {}
                (Kind::Failure, _) => tally.failures += 1,
                (kind, _) => return Err(format!("image {number} ended as {}", kind.as_str())),
            }
        }
        Ok(tally)
    }

    /// One file an image, under its final name or, where the reader was killed on it too
    /// often, in quarantine; and nothing half received.
    fn compare_files(&self, images: usize) -> Result<(), String> {
        let files = |folder: &str| {
            // The folder of quarantine is made with its first file.
            let entries = std::fs::read_dir(self.site.path(folder)).into_iter().flatten().flatten();
            entries.filter(|entry| entry.path().is_file()).count()
        };
        let (kept, partial) = (files("state/spool"), files("state/spool/incoming"));
        let set_aside = files("state/quarantine");
        if partial > 0 || kept + set_aside != images {
            return Err(format!("{images} images, {kept} files, {set_aside} in quarantine, {partial} partial ones"));
        }
        Ok(())
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }
}
