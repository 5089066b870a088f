//! What the site is told on the alert topic, by the running program.

use residentd::receive::Subscriber;
use serde_json::Value;

use crate::site::{LIMIT, Site, runtime};

/// Subscribes to a site's alerts.
pub async fn subscribe(site: &Site) -> Subscriber {
    let host = site.broker.ip().to_string();
    Subscriber::subscribe(&host, site.broker.port(), "residentd/test/cart/alert", LIMIT).await.unwrap()
}

/// Waits for an alert of `kind`; others may come before it.
pub async fn next(alerts: &mut Subscriber, kind: &str) -> Value {
    loop {
        let alert: Value = serde_json::from_slice(&alerts.next(LIMIT).await.unwrap().payload).unwrap();
        if alert["kind"] == kind {
            return alert;
        }
    }
}

#[test]
fn refusing_images_for_want_of_room_is_told_once_however_often_the_scanner_tries() {
    let site = Site::new();
    site.edit("min_free_mib = 1", &format!("min_free_mib = {}", u32::MAX));
    let daemon = site.start();
    runtime().block_on(async {
        let mut alerts = subscribe(&site).await;
        let phantom = site.phantom(1);
        let (calling, called) = ("TEST".parse().unwrap(), "RESIDENTD".parse().unwrap());
        for _ in 0..3 {
            let status = residentd::deliver::send(&site.dicom.to_string(), &calling, &called, &phantom).await;
            assert_eq!(status.unwrap(), 0xA700);
        }
        let alert = next(&mut alerts, "storage-low").await;
        assert!(alert["message"].as_str().unwrap().contains("0xA700"), "{alert}");
        // Nothing comes after it: the daemon says goodbye on another topic first.
        daemon.stop();
        while let Ok(message) = alerts.next(std::time::Duration::from_secs(1)).await {
            assert!(
                !message.topic.ends_with("/alert"),
                "a second alert: {}",
                String::from_utf8_lossy(&message.payload)
            );
        }
    });
}
