//! Retention: images go some days after their outcome was delivered, earlier where the disk
//! is nearly full; results kept for comparison go some days after they were made; outcomes
//! stay.
//!
//! Days are counted by a wall clock, so nothing is deleted by one that cannot be
//! believed: it must be synchronised and must have moved with the monotonic clock for
//! [`STEADY_FOR`]. A delivery that was stamped by an
//! unsynchronised clock counts from the first round that could be believed, so that a boot
//! in 1970 due no image.
//!
//! Below the watermark of ingest, delivered images that are past `image_min_days` go, those
//! delivered first before others, until there is room again. What was not delivered, and
//! what was not read, never goes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use log::{info, warn};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::comparing::expiry;
use crate::audit::{Audit, Event};
use crate::clock::{Moment, STEADY_FOR, Steadiness};
use crate::config::{Configuration, Retention};
use crate::os;
use crate::store::{RESERVE_BYTES, Store, StoreError};

/// How often the disk is looked at: twice in the ten seconds in which the service must
/// resume when there is room again.
const INTERVAL: Duration = Duration::from_secs(5);
/// Images deleted between two looks at the disk.
const BATCH: u32 = 64;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// What is kept for how long.
#[derive(Debug, Clone)]
struct Rules {
    /// The folder of the store.
    state_dir: PathBuf,
    /// Days after which things go, as configured.
    days: Retention,
    /// Free disk below which it is nearly full.
    min_free_bytes: u64,
}

impl Rules {
    fn of(config: &Configuration) -> Self {
        Self {
            state_dir: config.file.device.state_dir.clone(),
            days: config.file.retention.clone(),
            min_free_bytes: u64::from(config.file.dicom.min_free_mib) * 1024 * 1024,
        }
    }
}

/// What was deleted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Deleted {
    /// Images, by their age.
    old: u64,
    /// Images, for their room.
    early: u64,
    /// Results that were kept for comparison.
    results: u64,
}

/// Keeps the rules of the configuration, as it is by then, until `stop`.
pub async fn run(
    store: Store,
    audit: Audit,
    config: watch::Receiver<Arc<Configuration>>,
    now: fn() -> Moment,
    mut stop: watch::Receiver<bool>,
) {
    let began = Instant::now();
    let (mut steadiness, mut troubled, mut aged) = (Steadiness::default(), false, None::<Instant>);
    loop {
        let believed = steadiness.believe(now(), began.elapsed());
        let due = believed.filter(|_| aged.is_none_or(|aged| aged.elapsed() >= STEADY_FOR));
        let rules = Rules::of(&config.borrow());
        let (working, with) = (store.clone(), rules.clone());
        let done = tokio::task::spawn_blocking(move || {
            let mut deleted = due.map_or(Ok(Deleted::default()), |now| age(&working, &with, now))?;
            deleted.early = relieve(&working, &with, believed, os::free_bytes)?;
            Ok::<_, StoreError>(deleted)
        });
        let failed = match done.await {
            Ok(Ok(deleted)) => {
                tell(&rules, &deleted, &audit);
                aged = due.map(|_| Instant::now()).or(aged);
                None
            }
            Ok(Err(e)) => Some(e.to_string()),
            Err(panic) => Some(panic.to_string()),
        };
        // Said when it begins, not every five seconds.
        if let Some(why) = failed.as_ref().filter(|_| !troubled) {
            warn!("images could not be deleted, or no reserve be made: {why}");
        }
        troubled = failed.is_some();
        tokio::select! {
            () = sleep(INTERVAL) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Deletes what is old by a clock that can be believed.
fn age(store: &Store, rules: &Rules, now: Moment) -> Result<Deleted, StoreError> {
    store.restamp_deliveries(now)?;
    store.restamp_priors(now)?;
    let mut deleted = Deleted::default();
    loop {
        let retired = store.retire_images(now.unix_ms - i64::from(rules.days.image_days) * DAY_MS, BATCH)?;
        deleted.old += retired;
        if retired < u64::from(BATCH) {
            break;
        }
    }
    // Where nothing is to be kept, what was kept before goes whole.
    let days = rules.days.comparison_days;
    deleted.results = store.erase_priors(if days == 0 { i64::MAX } else { expiry(now, days) })?;
    Ok(deleted)
}

/// Makes room where the disk is nearly full, then the reserve; how many images that cost.
/// `free_bytes` says what is free in a folder.
fn relieve(
    store: &Store,
    rules: &Rules,
    believed: Option<Moment>,
    free_bytes: impl Fn(&Path) -> io::Result<u64>,
) -> Result<u64, StoreError> {
    let failed = |source| StoreError::Folder { path: rules.state_dir.clone(), source };
    let free = || free_bytes(&rules.state_dir).map_err(failed);
    // Without least days it does not matter what the clock says.
    let before = match rules.days.image_min_days {
        0 => Some(i64::MAX),
        days => believed.map(|now| now.unix_ms - i64::from(days) * DAY_MS),
    };
    let mut early = 0;
    while let Some(before) = before {
        if !is_pressed(store, rules, free()?) {
            break;
        }
        let retired = store.retire_images(before, BATCH)?;
        if retired == 0 {
            break;
        }
        early += retired;
    }
    store.reserve().refill(free()?, rules.min_free_bytes).map_err(failed)?;
    Ok(early)
}

/// True where ingest has no room, or would have none once the reserve is there again.
fn is_pressed(store: &Store, rules: &Rules, free_bytes: u64) -> bool {
    let missing = if store.reserve().is_whole() { 0 } else { RESERVE_BYTES };
    free_bytes < rules.min_free_bytes.saturating_add(missing)
}

fn tell(rules: &Rules, deleted: &Deleted, audit: &Audit) {
    let (images, results) = (deleted.old + deleted.early, deleted.results);
    if images + results > 0 {
        audit.note(Event::Erased { images, results });
    }
    if results > 0 {
        info!("deleted {results} results kept for comparison, as configured");
    }
    if deleted.old > 0 {
        info!("deleted {} delivered images older than {} days", deleted.old, rules.days.image_days);
    }
    if deleted.early > 0 {
        warn!(
            "deleted {} delivered images before their {} days: the disk is nearly full; make room, or lower [retention] image_days",
            deleted.early, rules.days.image_days
        );
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::digest::Digest;
    use crate::instance::Instance;
    use crate::store::{Head, NewInstance, SealedOutcome, Urgency};

    const MIB: u64 = 1024 * 1024;
    const START_DAY: i64 = 20_000;

    fn rules(folder: &Path) -> Rules {
        let days = Retention { image_days: 30, image_min_days: 1, ..Retention::default() };
        Rules { state_dir: folder.to_owned(), days, min_free_bytes: 100 * MIB }
    }

    fn at(day: i64) -> Moment {
        Moment { unix_ms: day * DAY_MS, synchronised: true }
    }

    /// How far an image got.
    #[derive(Clone, Copy)]
    enum Got {
        Accepted,
        Concluded,
        /// On that day.
        Delivered(i64),
    }

    /// Accepts image `number`, and takes it so far.
    fn image(store: &Store, number: u8, got: Got) -> PathBuf {
        let sha256 = Digest::of(&[number]);
        let instance = Instance {
            path: store.instance_path(&sha256),
            sha256,
            size_bytes: 1,
            sop_class_uid: "1.2.840.10008.5.1.4.1.1.1".parse().unwrap(),
            sop_instance_uid: format!("1.2.3.{number}").parse().unwrap(),
            transfer_syntax_uid: "1.2.840.10008.1.2.1".parse().unwrap(),
        };
        let path = instance.path.clone();
        std::fs::write(&path, [number]).unwrap();
        store.accept(&NewInstance { instance, calling_ae: "CART".parse().unwrap(), received: at(0) }).unwrap();
        if matches!(got, Got::Accepted) {
            return path;
        }
        let sealed = |_: &Head| {
            let (report_id, jws) = (number.to_string(), "x".to_owned());
            Ok::<_, String>(SealedOutcome { urgency: Urgency::Routine, report_id, kind: "report", jws })
        };
        let id = store.next_unread().unwrap().unwrap().id;
        let sequence = store.conclude(id, at(0), sealed).unwrap().unwrap();
        if let Got::Delivered(day) = got {
            store.delivered(&[sequence], "broker-ack", at(day)).unwrap();
        }
        path
    }

    #[test]
    fn on_a_pressed_disk_what_was_delivered_first_goes_first_and_only_until_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        // More than a batch, the last received delivered first.
        let paths: Vec<_> = (0..130).map(|n| image(&store, n, Got::Delivered(9 - i64::from(n / 64) * 2))).collect();
        let looks = Cell::new(0);
        let free = |_: &Path| {
            looks.set(looks.get() + 1);
            Ok(if looks.get() <= 1 { 99 * MIB } else { 100 * MIB })
        };
        assert_eq!(relieve(&store, &rules(folder.path()), Some(at(20)), free).unwrap(), u64::from(BATCH));
        let left: Vec<usize> = (0..paths.len()).filter(|n| paths[*n].exists()).collect();
        assert!(left.iter().all(|n| *n < 128) && left.len() == 130 - 64, "the two of day 5, then those of day 7");
    }

    #[test]
    fn however_full_the_disk_nothing_unread_undelivered_or_younger_than_its_least_days_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let delivered = image(&store, 1, Got::Delivered(18));
        let young = image(&store, 2, Got::Delivered(20));
        let undelivered = image(&store, 3, Got::Concluded);
        let unread = image(&store, 4, Got::Accepted);
        assert_eq!(relieve(&store, &rules(folder.path()), None, |_| Ok(0)).unwrap(), 0, "by a clock in doubt");
        assert_eq!(relieve(&store, &rules(folder.path()), Some(at(20)), |_| Ok(0)).unwrap(), 1);
        assert!(!delivered.exists() && young.exists() && undelivered.exists() && unread.exists());
        assert_eq!(age(&store, &rules(folder.path()), at(60)).unwrap().old, 1);
        assert!(!young.exists() && undelivered.exists() && unread.exists());
    }

    /// Passes at every [`STEADY_FOR`]; the clock is years off at every third of them.
    #[test]
    fn a_clock_that_jumps_deletes_no_image_and_thirty_days_do() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let rules = rules(folder.path());
        let image = image(&store, 1, Got::Delivered(START_DAY));
        let mut steadiness = Steadiness::default();
        let mut monotonic = Duration::ZERO;
        while monotonic < Duration::from_hours(24 * 32) {
            let days_passed = monotonic.as_secs() / (24 * 3600);
            let jump_ms = if (monotonic.as_secs() / STEADY_FOR.as_secs()).is_multiple_of(3) { 365 * DAY_MS } else { 0 };
            let passed_ms = i64::try_from(monotonic.as_millis()).unwrap();
            let now = Moment { unix_ms: at(START_DAY).unix_ms + passed_ms + jump_ms, ..at(0) };
            if let Some(believed) = steadiness.believe(now, monotonic) {
                age(&store, &rules, believed).unwrap();
            }
            assert!(image.exists() || days_passed >= u64::from(rules.days.image_days), "after {days_passed} days");
            monotonic += STEADY_FOR;
        }
        assert!(!image.exists(), "it does go in the end");
    }
}
