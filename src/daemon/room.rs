//! Tells the site when images are refused for want of disk: the scanner shows its operator
//! 0xA700, but whoever can make room sits elsewhere.

use std::time::Duration;

use log::{info, warn};
use tokio::sync::watch;

use crate::ingest::Room;
use crate::publish::{Alert, AlertKind, AlertSender};

/// Between two alerts, where room comes and goes with every image: often enough for
/// whoever makes room, too seldom to push other alerts out.
const ALERT_EVERY: Duration = Duration::from_mins(10);

/// Raises an alert each time that refusing begins, until `stop`.
pub async fn tell(mut room: watch::Receiver<Room>, alerts: AlertSender, mut stop: watch::Receiver<bool>) {
    let telling = async {
        while room.changed().await.is_ok() {
            let now = *room.borrow_and_update();
            match now {
                Room::Enough => info!("there is room for images again"),
                Room::Short => {
                    let message = "the disk is too full for images: the scanner is told to try later (0xA700); make room on the disk of state_dir".to_owned();
                    warn!("{message}");
                    alerts.raise(Alert { kind: AlertKind::StorageLow, report_id: None, message });
                    tokio::time::sleep(ALERT_EVERY).await;
                }
            }
        }
    };
    tokio::select! {
        () = telling => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}
