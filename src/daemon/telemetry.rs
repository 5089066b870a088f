//! Telemetry: what the box measured of itself, one JSON document on
//! `<prefix>/<site>/<device>/telemetry` every `[mqtt] telemetry_s`, and one as soon as the
//! daemon is up. `QoS` 0, not retained, at most [`crate::publish::MAX_TELEMETRY_BYTES`].
//!
//! 1. Units stand in the names: `_c` degrees Celsius, `_mib` 2^20 bytes, `_mhz`, `_s`, `_percent`.
//! 2. `null` is what this board, its kernel or the sandbox does not tell; a key never goes missing.
//! 3. `counts` are since `counts.since`, the start of the daemon; `queue` is now.
//! 4. Nothing in it is about a patient or an image: counts, sizes, names of parts.
//! 5. Keys are added and never change their meaning under one `format`.
//!
//! | key | what it says |
//! |---|---|
//! | `clock` | whether a time source disciplines the clock, and whether it can be right at all |
//! | `temperature` | the hottest sensor; `state` is `cool`, `warm` (reading is slower) or `hot` (nothing is read) |
//! | `throttling` | whether the board slows itself down, its supply, its clock |
//! | `memory` | the machine's, that of both processes, and what they may have |
//! | `disk` | what the images lie on, its room, its wear and health |
//! | `queue` | images in the spool, those not read yet, outcomes not delivered yet |
//! | `counts` | instances accepted and refused; outcomes by kind; deliveries; alerts |
//! | `versions` | of this program, the board's facts, and every bundle that serves |

use serde::Serialize;

use crate::board::{Board, Health, Heat, Look, Spare, StorageKind, Wear};
use crate::clock::Moment;
use crate::infer::findings::BundleIdentity;
use crate::store::Queue;

use super::tally::Outcomes;

/// What the document is, and its version.
const FORMAT: &str = "residentd-telemetry;version=1";
/// Most bundles that are named; a box serves a handful.
const MAX_BUNDLES: usize = 24;
const MIB: u64 = 1024 * 1024;

/// Everything that a document is made of.
pub struct Measured<'a> {
    /// Names of site and device.
    pub names: (&'a str, &'a str),
    /// The board.
    pub board: &'a Board,
    /// What it shows.
    pub look: &'a Look,
    /// What its heat means.
    pub heat: Heat,
    /// When.
    pub now: Moment,
    /// When the daemon started, by the clock of then.
    pub since: Moment,
    /// How long ago that is.
    pub uptime_s: u64,
    /// Resident memory of gateway and reader.
    pub resident_kib: (Option<u64>, Option<u64>),
    /// Address space that the reader may have.
    pub reader_limit_bytes: u64,
    /// What waits; `None` where the store does not answer.
    pub queue: Option<Queue>,
    /// What ingest accepted and refused.
    pub ingested: (u64, u64),
    /// Outcomes by kind.
    pub outcomes: Outcomes,
    /// Outcomes that were delivered.
    pub delivered: u64,
    /// Alerts that were raised.
    pub alerts: u64,
    /// What serves.
    pub serving: &'a [BundleIdentity],
}

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    site: &'a str,
    device: &'a str,
    time: String,
    uptime_s: u64,
    machine_uptime_s: Option<u64>,
    clock: Clock,
    temperature: Temperature<'a>,
    throttling: Throttling,
    memory: Memory,
    disk: Option<Disk<'a>>,
    load: Load,
    queue: Option<Waiting>,
    counts: Counts,
    versions: Versions<'a>,
}

#[derive(Serialize)]
struct Clock {
    synchronised: bool,
    plausible: bool,
}

#[derive(Serialize)]
struct Temperature<'a> {
    state: Heat,
    sensor: Option<&'a str>,
    hottest_c: Option<f64>,
    warm_c: i16,
    hot_c: i16,
}

#[derive(Serialize)]
struct Throttling {
    by_heat: bool,
    under_voltage: Option<bool>,
    cpu_mhz: Option<u32>,
    cpu_max_mhz: Option<u32>,
    events_since_boot: Option<u64>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "units stand in the names")]
struct Memory {
    total_mib: Option<u64>,
    available_mib: Option<u64>,
    gateway_mib: Option<u64>,
    gateway_budget_mib: u32,
    reader_mib: Option<u64>,
    reader_limit_mib: u64,
    /// Both processes and what the kernel keeps of their files.
    service_mib: Option<u64>,
}

#[derive(Serialize)]
struct Disk<'a> {
    kind: StorageKind,
    name: Option<&'a str>,
    health: Health,
    free_mib: u64,
    size_mib: u64,
    free_inodes: Option<u64>,
    read_only: bool,
    /// An upper bound, in steps of ten.
    used_life_percent: Option<u8>,
    spare_blocks: Option<&'static str>,
    file_system_errors: Option<u64>,
    written_since_boot_mib: Option<u64>,
}

#[derive(Serialize)]
struct Load {
    one_minute: Option<f64>,
    five_minutes: Option<f64>,
    fifteen_minutes: Option<f64>,
}

#[derive(Serialize)]
struct Waiting {
    spooled: u64,
    unread: u64,
    outbox: u64,
}

#[derive(Serialize)]
struct Counts {
    since: String,
    accepted: u64,
    refused: u64,
    read: u64,
    abstained: u64,
    retakes: u64,
    failed: u64,
    delivered: u64,
    alerts: u64,
}

#[derive(Serialize)]
struct Versions<'a> {
    residentd: &'static str,
    board: &'a str,
    board_recognised: bool,
    power_mode: Option<&'a str>,
    bundles: Vec<Serving<'a>>,
    bundles_not_named: usize,
}

#[derive(Serialize)]
struct Serving<'a> {
    name: &'a str,
    version: &'a str,
    sha256: String,
}

impl Measured<'_> {
    /// The document.
    pub fn document(&self) -> String {
        let (site, device) = self.names;
        let document = Document {
            format: FORMAT,
            site,
            device,
            time: self.now.rfc3339(),
            uptime_s: self.uptime_s,
            machine_uptime_s: self.look.uptime_s,
            clock: Clock { synchronised: self.now.synchronised, plausible: self.now.is_plausible() },
            temperature: self.temperature(),
            throttling: self.throttling(),
            memory: self.memory(),
            disk: self.disk(),
            load: self.load(),
            queue: self.queue.map(|Queue { spooled, unread, outbox }| Waiting { spooled, unread, outbox }),
            counts: self.counts(),
            versions: self.versions(),
        };
        serde_json::to_string(&document).expect("texts and numbers are JSON")
    }

    fn temperature(&self) -> Temperature<'_> {
        let (hottest, limits) = (self.look.hottest.as_ref(), &self.board.facts.thermal);
        Temperature {
            state: self.heat,
            sensor: hottest.map(|sensor| sensor.name.as_str()),
            hottest_c: hottest.map(|sensor| (sensor.celsius * 10.0).round() / 10.0),
            warm_c: limits.warm_c,
            hot_c: limits.hot_c,
        }
    }

    fn throttling(&self) -> Throttling {
        let found = &self.look.throttling;
        Throttling {
            by_heat: found.by_heat,
            under_voltage: found.under_voltage,
            cpu_mhz: found.cpu_mhz,
            cpu_max_mhz: found.cpu_max_mhz,
            events_since_boot: found.events,
        }
    }

    fn memory(&self) -> Memory {
        let (gateway, reader) = self.resident_kib;
        Memory {
            total_mib: self.look.memory.map(|memory| memory.total_kib / 1024),
            available_mib: self.look.memory.map(|memory| memory.available_kib / 1024),
            gateway_mib: gateway.map(|kib| kib / 1024),
            gateway_budget_mib: self.board.facts.memory.gateway_mib,
            reader_mib: reader.map(|kib| kib / 1024),
            reader_limit_mib: self.reader_limit_bytes / MIB,
            service_mib: self.look.service_kib.map(|kib| kib / 1024),
        }
    }

    fn disk(&self) -> Option<Disk<'_>> {
        let storage = self.look.storage.as_ref()?;
        let (used_life_percent, spare_blocks) = match storage.wear {
            Wear::Used { percent, spare } => {
                let spare = match spare {
                    Spare::Enough => "enough",
                    Spare::Few => "few",
                    Spare::Least => "least",
                };
                (Some(percent), Some(spare))
            }
            Wear::Untold => (None, None),
        };
        Some(Disk {
            kind: storage.kind,
            name: storage.disk.as_deref(),
            health: storage.health(&self.board.facts.storage),
            free_mib: storage.volume.free_bytes / MIB,
            size_mib: storage.volume.size_bytes / MIB,
            free_inodes: Some(storage.volume.free_inodes).filter(|_| storage.volume.inodes > 0),
            read_only: storage.volume.read_only,
            used_life_percent,
            spare_blocks,
            file_system_errors: storage.errors,
            written_since_boot_mib: storage.written_mib,
        })
    }

    fn load(&self) -> Load {
        let [one_minute, five_minutes, fifteen_minutes] = self.look.load.map_or([None; 3], |load| load.map(Some));
        Load { one_minute, five_minutes, fifteen_minutes }
    }

    fn counts(&self) -> Counts {
        let Outcomes { read, abstained, failed, retakes } = self.outcomes;
        let (accepted, refused) = self.ingested;
        let (delivered, alerts) = (self.delivered, self.alerts);
        Counts { since: self.since.rfc3339(), accepted, refused, read, abstained, retakes, failed, delivered, alerts }
    }

    fn versions(&self) -> Versions<'_> {
        let named = self.serving.iter().take(MAX_BUNDLES);
        Versions {
            residentd: env!("CARGO_PKG_VERSION"),
            board: &self.board.facts.name,
            board_recognised: self.board.is_recognised(),
            power_mode: self.look.power_mode.as_deref(),
            bundles: named
                .map(|bundle| Serving {
                    name: &bundle.name,
                    version: &bundle.version,
                    sha256: bundle.sha256.to_string(),
                })
                .collect(),
            bundles_not_named: self.serving.len().saturating_sub(MAX_BUNDLES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::recorded::Recorded;
    use crate::digest::Digest;
    use crate::publish::MAX_TELEMETRY_BYTES;

    fn document(serving: &[BundleIdentity], now: Moment, count: u64) -> serde_json::Value {
        let tree = Recorded::new();
        let board = Board::detect(&tree.root());
        let look = Look::at(&board, &tree.root(), tree.folder());
        let measured = Measured {
            names: (&"s".repeat(32), &"d".repeat(32)),
            board: &board,
            look: &look,
            heat: Heat::Cool,
            now,
            since: now,
            uptime_s: count,
            resident_kib: (None, None),
            reader_limit_bytes: count,
            queue: None,
            ingested: (count, count),
            outcomes: Outcomes { read: count, abstained: count, failed: count, retakes: count },
            delivered: count,
            alerts: count,
            serving,
        };
        let text = measured.document();
        assert!(text.len() <= MAX_TELEMETRY_BYTES, "{} bytes", text.len());
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn however_much_there_is_to_say_a_document_has_its_limit() {
        let name = "n".repeat(64);
        let serving: Vec<BundleIdentity> = (0..100)
            .map(|number| BundleIdentity {
                name: name.clone(),
                version: name.clone(),
                title: String::new(),
                intended_use: String::new(),
                forbidden_use: String::new(),
                research_only: true,
                sha256: Digest::of(&[number]),
            })
            .collect();
        let now = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
        let document = document(&serving, now, u64::MAX);
        assert_eq!(document["versions"]["bundles"].as_array().unwrap().len(), MAX_BUNDLES);
        assert_eq!(document["versions"]["bundles_not_named"], 100 - MAX_BUNDLES);
    }

    #[test]
    fn what_a_board_does_not_tell_is_null_and_a_clock_in_1970_is_not_plausible() {
        let document = document(&[], Moment { unix_ms: 60_000, synchronised: false }, 0);
        assert_eq!(document["clock"], serde_json::json!({ "synchronised": false, "plausible": false }));
        for pointer in
            ["/temperature/hottest_c", "/throttling/under_voltage", "/memory/total_mib", "/queue", "/load/one_minute"]
        {
            assert_eq!(document.pointer(pointer), Some(&serde_json::Value::Null), "{pointer}");
        }
    }
}
