//! Retention: images go some days after their outcome was delivered, results kept for
//! comparison some days after they were made; outcomes stay.
//!
//! Days are counted by a wall clock, so nothing is deleted by one that cannot be
//! believed: it must be synchronised and must have moved with the monotonic clock for
//! [`STEADY_FOR`]. A delivery that was stamped by an unsynchronised clock counts from the
//! first pass that could be believed, so that a boot in 1970 ages no image.

use log::{info, warn};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::audit::{Audit, Event};
use crate::clock::{Moment, STEADY_FOR, Steadiness};
use crate::config::Retention;
use crate::store::{Store, StoreError};

use super::comparing::expiry;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Deletes images that are `days` old, every [`STEADY_FOR`], until `stop`.
pub async fn run(store: Store, audit: Audit, days: Retention, now: fn() -> Moment, mut stop: watch::Receiver<bool>) {
    let began = Instant::now();
    let mut steadiness = Steadiness::default();
    loop {
        if let Some(believed) = steadiness.believe(now(), began.elapsed()) {
            let (store, days) = (store.clone(), days.clone());
            match tokio::task::spawn_blocking(move || pass(&store, &days, believed)).await {
                Ok(Ok((0, 0))) => {}
                Ok(Ok((images, results))) => {
                    audit.note(Event::Erased { images, results });
                    info!("deleted {images} delivered images and {results} results kept for comparison, as configured");
                }
                Ok(Err(e)) => warn!("old images and results could not be deleted: {e}"),
                Err(e) => warn!("retention: {e}"),
            }
        }
        tokio::select! {
            () = sleep(STEADY_FOR) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

fn pass(store: &Store, days: &Retention, believed: Moment) -> Result<(u64, u64), StoreError> {
    store.restamp_deliveries(believed)?;
    store.restamp_priors(believed)?;
    let images = store.retire_images(believed.unix_ms - i64::from(days.image_days) * DAY_MS)?;
    // Where nothing is to be kept, what was kept before goes whole.
    let expiry = if days.comparison_days == 0 { i64::MAX } else { expiry(believed, days.comparison_days) };
    Ok((images, store.erase_priors(expiry)?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::digest::Digest;
    use crate::instance::Instance;
    use crate::store::{NewInstance, SealedOutcome, Urgency};

    const START: Moment = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
    const DAYS: u16 = 30;

    fn delivered_image(store: &Store) -> std::path::PathBuf {
        let sha256 = Digest::of(b"image");
        let path = store.instance_path(&sha256);
        std::fs::write(&path, b"image").unwrap();
        let instance = Instance {
            path: path.clone(),
            sha256,
            size_bytes: 5,
            sop_class_uid: "1.2.3".parse().unwrap(),
            sop_instance_uid: "1.2.3.4".parse().unwrap(),
            transfer_syntax_uid: "1.2.840.10008.1.2.1".parse().unwrap(),
        };
        store.accept(&NewInstance { instance, calling_ae: "CART".parse().unwrap(), received: START }).unwrap();
        let sealed =
            SealedOutcome { urgency: Urgency::Routine, report_id: "1".into(), kind: "report", jws: "jws".into() };
        let id = store.next_unread().unwrap().unwrap().id;
        store.conclude(id, START, |_| Ok::<_, String>(sealed)).unwrap();
        store.delivered(&[1], "broker-ack", START).unwrap();
        path
    }

    /// Passes at every [`STEADY_FOR`]; the clock is years off at every third of them.
    #[test]
    fn a_clock_that_jumps_deletes_no_image_and_thirty_days_do() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let image = delivered_image(&store);
        let mut steadiness = Steadiness::default();
        let mut monotonic = Duration::ZERO;
        while monotonic < Duration::from_hours(24 * 32) {
            let days_passed = monotonic.as_secs() / (24 * 3600);
            let jump_ms = if (monotonic.as_secs() / STEADY_FOR.as_secs()).is_multiple_of(3) { 365 * DAY_MS } else { 0 };
            let passed_ms = i64::try_from(monotonic.as_millis()).unwrap();
            let now = Moment { unix_ms: START.unix_ms + passed_ms + jump_ms, ..START };
            if let Some(believed) = steadiness.believe(now, monotonic) {
                pass(&store, &Retention { image_days: DAYS, ..Retention::default() }, believed).unwrap();
            }
            assert!(image.exists() || days_passed >= u64::from(DAYS), "after {days_passed} days");
            monotonic += STEADY_FOR;
        }
        assert!(!image.exists(), "it does go in the end");
    }
}
