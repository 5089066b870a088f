//! The hospital's receiver: takes sealed outcomes from the broker, believes none of it but what
//! a known device signed and chained, keeps each once and durably, and only then says so by
//! a signed receipt. What is missing it asks for again.
//!
//! 1. A receipt goes out after the outcome is durable; its ledger is what it keeps, so that a
//!    kill at any instruction loses nothing and claims nothing.
//! 2. One outcome a device and sequence. The same again is receipted again; other bytes in
//!    its place, or a link that does not fit, are refused, told, and never receipted.
//! 3. Order of arrival means nothing: urgent outcomes overtake. A gap is asked for once
//!    nothing has come of it for a while, and then less and less often.
//! 4. A device is known by the key that a person gave. Where it hands over to another, the
//!    hand-over is a link like the others, and the collector follows it (`lineage`); a key to which
//!    none leads is nobody's. Everything of one device is kept under the id of its first key.
//! 5. The checkpoints of the devices' audit logs, which come with the heartbeats, are kept beside
//!    the outcomes, by the key that signed them, for `residentd audit verify` ([`checkpoints`]).
//! 6. Several collectors may share one subscription (`$share/…`) if they share one database.

mod asking;
mod checkpoints;
mod errand;
mod folder;
mod lineage;
mod session;
mod shelf;
mod spans;
mod sqlite;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::clock::Moment;
use crate::mqtt::{Access, BackOff, Link, Manner, random};
use crate::seal::jws::MAX_JWS_BYTES;
use crate::seal::key::DeviceKey;
use crate::seal::public::PublicKey;

pub use checkpoints::{Noted, Vouched};
pub use shelf::{Shelf, ShelfError};

use asking::Asking;
use lineage::Lineage;
use session::{Ended, Session};

/// Receipts and commands under way at once.
const WINDOW: u16 = 64;
/// Outcomes under way to us at once, and so in memory, where the broker keeps to it.
const RECEIVE_MAXIMUM: u16 = 32;
/// Largest packet: the largest outcome with its topic and properties.
const MAX_INCOMING_BYTES: usize = MAX_JWS_BYTES + 64 * 1024;
/// A connection that held so long was a good one: the next wait is short again.
const STABLE: Duration = Duration::from_secs(10);

/// How patient a collector is; tests are less so.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between connections.
    pub reconnect: BackOff,
    /// From the last progress to asking for what is missing; doubled while nothing comes of it.
    pub ask: BackOff,
    /// Between looks for what is missing.
    pub look: Duration,
    /// After the shelf failed.
    pub shelf: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            reconnect: BackOff { first: Duration::from_millis(500), longest: Duration::from_secs(15) },
            ask: BackOff { first: Duration::from_secs(10), longest: Duration::from_mins(5) },
            look: Duration::from_secs(1),
            shelf: Duration::from_secs(2),
        }
    }
}

/// What is subscribed to.
#[derive(Debug, Clone)]
pub struct Filters {
    /// Outcomes, perhaps in a shared subscription.
    pub report: String,
    /// Heartbeats, for what the device has that never came.
    pub status: String,
}

impl Filters {
    /// All devices of all sites under `prefix`; in the shared subscription `group` if any.
    #[must_use]
    pub fn below(prefix: &str, group: Option<&str>) -> Self {
        let report = format!("{prefix}/+/+/report");
        Self {
            report: group.map_or_else(|| report.clone(), |group| format!("$share/{group}/{report}")),
            status: format!("{prefix}/+/+/status"),
        }
    }
}

/// Counts since the start, readable at any time.
#[derive(Debug, Default)]
pub struct CollectorState {
    pub(super) kept: AtomicU64,
    pub(super) repeated: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) foreign: AtomicU64,
    pub(super) receipts: AtomicU64,
    pub(super) asked: AtomicU64,
    pub(super) checkpoints: AtomicU64,
    pub(super) subscriptions: AtomicU64,
}

impl CollectorState {
    /// Outcomes kept that were not there before.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.kept.load(Relaxed)
    }

    /// Outcomes that came again unchanged.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.repeated.load(Relaxed)
    }

    /// Outcomes of known devices that contradict what is kept.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Messages that no known device signed.
    #[must_use]
    pub fn foreign(&self) -> u64 {
        self.foreign.load(Relaxed)
    }

    /// Receipts handed to the broker.
    #[must_use]
    pub fn receipts(&self) -> u64 {
        self.receipts.load(Relaxed)
    }

    /// Times that something was asked for again.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.asked.load(Relaxed)
    }

    /// Checkpoints of audit logs kept that were not there before.
    #[must_use]
    pub fn checkpoints(&self) -> u64 {
        self.checkpoints.load(Relaxed)
    }

    /// Times that the broker granted the subscriptions.
    #[must_use]
    pub fn subscriptions(&self) -> u64 {
        self.subscriptions.load(Relaxed)
    }
}

/// What is known of one device beside what is kept.
#[derive(Debug, Default)]
struct Device {
    /// `<prefix>/<site>/<device>`, as its last outcome or else its status had it.
    base: Option<String>,
    /// Everything up to here is kept.
    through: u64,
    /// Highest sequence that its heartbeat named.
    last: u64,
    /// The checkpoint that its heartbeat had, as it came, and whether it is on its way to the
    /// shelf or there.
    checkpoint: Option<(String, Sent)>,
    asking: Asking,
}

/// Whether something went to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Not,
    Off,
}

/// The receiver.
pub struct Collector {
    access: Access,
    filters: Filters,
    lineage: Arc<Mutex<Lineage>>,
    key: DeviceKey,
    shelf: Arc<Mutex<Shelf>>,
    now: fn() -> Moment,
    pace: Pace,
    state: Arc<CollectorState>,
    known: BTreeMap<String, Device>,
    /// Each key id with the device that it is of.
    keys: BTreeMap<String, String>,
    told: session::Told,
}

impl Collector {
    /// A collector for the outcomes of `devices`, kept on `shelf`, receipted with `key`.
    #[must_use]
    pub fn new(
        access: Access,
        filters: Filters,
        devices: Vec<PublicKey>,
        key: DeviceKey,
        shelf: Shelf,
        now: fn() -> Moment,
    ) -> Self {
        let mut lineage = Lineage::of(devices);
        match shelf.hand_overs() {
            Ok(kept) => drop(lineage.learn(&kept)),
            Err(error) => log::warn!("hand-overs of keys that were kept before cannot be read now: {error}"),
        }
        let keys = lineage.devices();
        let known = keys.values().map(|device| (device.clone(), Device::default())).collect();
        Self {
            access,
            filters,
            lineage: Arc::new(Mutex::new(lineage)),
            key,
            shelf: Arc::new(Mutex::new(shelf)),
            now,
            pace: Pace::default(),
            state: Arc::default(),
            known,
            keys,
            told: session::Told::default(),
        }
    }

    /// With another patience.
    #[must_use]
    pub fn paced(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// What it has done, readable at any time.
    #[must_use]
    pub fn state(&self) -> Arc<CollectorState> {
        Arc::clone(&self.state)
    }

    /// Collects until `stop` becomes true, or its sender is gone.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut failures = 0;
        while !*stop.borrow() {
            let opened = Instant::now();
            let manner = Manner {
                will: None,
                window: WINDOW,
                receive_maximum: RECEIVE_MAXIMUM,
                max_incoming_bytes: u32::try_from(MAX_INCOMING_BYTES).unwrap_or(u32::MAX),
            };
            let link = Link::open(&self.access, manner);
            let Ended::Lost(loss) = Session::new(&mut self, link).run(&mut stop).await else { return };
            let (host, port) = (&self.access.host, self.access.port);
            if self.told.is_news(&loss) {
                log::warn!("no connection to {host}:{port}: {loss}; devices keep their outcomes");
            }
            if opened.elapsed() >= STABLE {
                failures = 0;
            }
            tokio::select! {
                () = sleep(self.pace.reconnect.wait(failures, random())) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            failures = failures.saturating_add(1);
        }
    }
}
