//! Publishing: sealed outcomes leave the durable outbox in order, over MQTT 5, until a receiver's
//! signed receipt or, at a site without receivers, a broker that has someone to give them to
//! says so. Also birth, heartbeat, last will, alerts and telemetry.
//!
//! The store is the only queue; what the client library holds is forgotten with each
//! connection. A refusal never deletes anything, and an absent broker never blocks anyone.

mod alarm;
mod alert;
mod awaiting;
#[cfg(feature = "broker")]
mod broker;
mod drive;
mod lane;
mod ledger;
mod message;
mod receivers;
mod session;
mod slots;
mod state;
mod telemetry;
mod topics;
mod window;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::audit::Audit;
use crate::clock::Moment;
use crate::config::{Device, Mqtt, Receiver};
use crate::mqtt::{Access, AccessError, BackOff, KEEP_ALIVE};
use crate::store::Store;

pub use alert::{Alert, AlertKind, AlertReceiver, AlertSender, alert_channel};
#[cfg(feature = "broker")]
pub use broker::{BrokerError, EmbeddedBroker};
pub use message::report as outcome_message;
pub use state::PublisherState;
pub use telemetry::MAX_TELEMETRY_BYTES;
pub use topics::Topics;

use drive::Drive;
use message::Sender;
use receivers::{Receivers, ReceiversError};

/// Why a publisher cannot start. Nothing that a broker does is in here.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The broker's door cannot be opened.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The receivers cannot be known.
    #[error(transparent)]
    Receivers(#[from] ReceiversError),
}

/// How patient the publisher is; tests are less so.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Between connections.
    reconnect: BackOff,
    /// After a refusal.
    refused: BackOff,
    /// No event at all for so long: build the connection anew.
    silence: Duration,
    /// A hand-in without an answer for so long: build the connection anew.
    answer: Duration,
    /// A hand-in without a receipt for up to twice as long: send it again.
    receipt: BackOff,
    /// Nothing arrives for so long: alarm. A person hears of it within a minute.
    alarm: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            reconnect: BackOff { first: Duration::from_secs(1), longest: Duration::from_secs(30) },
            refused: BackOff { first: Duration::from_secs(1), longest: Duration::from_mins(1) },
            silence: KEEP_ALIVE.saturating_mul(2),
            answer: Duration::from_mins(1),
            receipt: BackOff { first: Duration::from_secs(10), longest: Duration::from_mins(10) },
            alarm: Duration::from_secs(45),
        }
    }
}

/// Reads what a connection needs (password file, certificates) and whom to believe, and
/// forgets it again.
///
/// # Errors
/// As [`Publisher::new`] and [`Publisher::believing`].
pub fn check_access(settings: &Mqtt, device: &Device, receiver: Option<&Receiver>) -> Result<(), PublishError> {
    Access::read(settings, client_id(device), crate::os::now)?;
    receiver.map(|receiver| Receivers::load(receiver, Vec::new())).transpose()?;
    Ok(())
}

fn client_id(device: &Device) -> String {
    format!("{}-{}", device.site, device.name)
}

/// Publishes what the store holds until it is stopped.
pub struct Publisher {
    drive: Drive,
}

impl Publisher {
    /// A publisher for the outbox of `store`. `bell` rings when an outcome was concluded,
    /// `key_id` is the thumbprint of the signing key, `now` reads the clock.
    ///
    /// # Errors
    /// The password file, a certificate or a key cannot be read or used.
    pub fn new(
        settings: &Mqtt,
        device: &Device,
        key_id: &str,
        store: Store,
        bell: Arc<Notify>,
        alerts: AlertReceiver,
        now: fn() -> Moment,
    ) -> Result<Self, PublishError> {
        let sender = Sender {
            site: device.site.to_string(),
            device: device.name.to_string(),
            key_id: key_id.to_owned(),
            earlier_key_ids: Vec::new(),
            topics: Topics::of(settings, device),
            audit: Audit::nowhere(),
        };
        let access = Access::read(settings, client_id(device), now)?;
        let heartbeat = settings.heartbeat_s.duration();
        Ok(Self { drive: Drive::new(access, sender, store, bell, alerts, now, heartbeat) })
    }

    /// The same, of a device whose keys before had these ids: a receiver may not know yet that
    /// they handed over. Call before [`Publisher::believing`].
    #[must_use]
    pub fn known_before_as(mut self, earlier_key_ids: Vec<String>) -> Self {
        self.drive.sender.earlier_key_ids = earlier_key_ids;
        self
    }

    /// The same, for a site whose receivers sign receipts: an outcome leaves the outbox on
    /// nothing else then.
    ///
    /// # Errors
    /// A receiver's key cannot be read, or is there twice.
    pub fn believing(mut self, settings: &Receiver) -> Result<Self, PublishError> {
        let Sender { key_id, earlier_key_ids, .. } = &self.drive.sender;
        let receivers = Receivers::load(settings, [std::slice::from_ref(key_id), earlier_key_ids].concat())?;
        self.drive.believe(receivers);
        Ok(self)
    }

    /// Notes deliveries in `audit`, and publishes its checkpoints in each heartbeat.
    #[must_use]
    pub fn audited(mut self, audit: Audit) -> Self {
        self.drive.sender.audit = audit;
        self
    }

    /// Publishes each document that `telemetry` holds, once, while there is a connection.
    #[must_use]
    pub fn telling(mut self, telemetry: watch::Receiver<String>) -> Self {
        self.drive.telemetry = telemetry::Latest::of(telemetry);
        self
    }

    /// What the publisher is doing, readable at any time.
    #[must_use]
    pub fn state(&self) -> Arc<PublisherState> {
        Arc::clone(&self.drive.state)
    }

    /// Publishes until `stop` becomes true (or its sender is gone), then says `offline` and
    /// disconnects, within 2 s. Dropping the future instead leaves the last will to speak.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        self.drive.run(stop).await;
    }
}

#[cfg(test)]
mod tests;
