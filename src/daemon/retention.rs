//! Retention: images go some days after their outcome was delivered; outcomes stay.

use std::time::Duration;

use log::{info, warn};
use tokio::sync::watch;

use crate::os;
use crate::store::Store;

/// How often old images are looked for.
const INTERVAL: Duration = Duration::from_hours(1);
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Deletes images that are `days` old, every hour, until `stop`.
pub async fn run(store: Store, days: u16, mut stop: watch::Receiver<bool>) {
    loop {
        let before = os::now().unix_ms - i64::from(days) * DAY_MS;
        let store = store.clone();
        match tokio::task::spawn_blocking(move || store.retire_images(before)).await {
            Ok(Ok(0)) => {}
            Ok(Ok(retired)) => info!("deleted {retired} delivered images older than {days} days"),
            Ok(Err(e)) => warn!("old images could not be deleted: {e}"),
            Err(e) => warn!("retention: {e}"),
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}
