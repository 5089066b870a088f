//! The device's topics: `<prefix>/<site>/<device>/` and one word. Names of site and
//! device are checked by the configuration, so no wildcard and no patient data can stand in one.

use crate::config::{Device, Mqtt};

/// The topics that this device publishes on and, the last two, listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// Sealed outcomes, `QoS` 1, not retained.
    pub report: String,
    /// Birth, heartbeat and last will, `QoS` 1, retained.
    pub status: String,
    /// Retake requests and alarms, `QoS` 1, not retained.
    pub alert: String,
    /// Measurements of the box, `QoS` 0, not retained.
    pub telemetry: String,
    /// Receivers' signed receipts, never believed when retained.
    pub receipt: String,
    /// Receivers' signed commands, never followed when retained.
    pub command: String,
}

impl Topics {
    /// The topics of `device` under the prefix that `settings` names.
    #[must_use]
    pub fn of(settings: &Mqtt, device: &Device) -> Self {
        let topic = |last: &str| format!("{}/{}/{}/{last}", settings.topic_prefix.as_str(), device.site, device.name);
        Self {
            report: topic("report"),
            status: topic("status"),
            alert: topic("alert"),
            telemetry: topic("telemetry"),
            receipt: topic("receipt"),
            command: topic("command"),
        }
    }
}
