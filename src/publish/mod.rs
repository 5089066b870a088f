//! Publishing: sealed outcomes leave the durable outbox in order, over MQTT 5, until a broker
//! that has someone to give them to says so. Also birth, heartbeat, last will and alerts.
//!
//! The store is the only queue; what the client library holds is forgotten with each
//! connection. A refusal never deletes anything, and an absent broker never blocks anyone.

mod access;
mod alert;
mod backoff;
#[cfg(feature = "broker")]
mod broker;
mod connection;
mod drive;
mod ledger;
mod message;
mod session;
mod state;
mod topics;
mod window;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::clock::Moment;
use crate::config::{Device, Mqtt};
use crate::store::Store;

pub use alert::{Alert, AlertKind, AlertReceiver, AlertSender, alert_channel};
#[cfg(feature = "broker")]
pub use broker::{BrokerError, EmbeddedBroker};
pub use state::PublisherState;
pub use topics::Topics;

use access::Access;
use backoff::BackOff;
use drive::Drive;
use message::Sender;

/// Why a publisher cannot start. Nothing that a broker does is in here.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The password file cannot be read.
    #[error("password file {path}: {source}")]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The password file's first line is no password.
    #[error("password file {path}: the first line must be the password")]
    NoPassword {
        /// The file.
        path: PathBuf,
    },
    /// A certificate or key cannot be used.
    #[error("certificate file {path}: {why}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
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
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            reconnect: BackOff { first: Duration::from_secs(1), longest: Duration::from_secs(30) },
            refused: BackOff { first: Duration::from_secs(1), longest: Duration::from_mins(1) },
            silence: connection::KEEP_ALIVE.saturating_mul(2),
            answer: Duration::from_mins(1),
        }
    }
}

/// Reads what a connection needs (password file, certificates) and forgets it again.
///
/// # Errors
/// As [`Publisher::new`].
pub fn check_access(settings: &Mqtt, device: &Device) -> Result<(), PublishError> {
    Access::read(settings, device, crate::os::now).map(drop)
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
            topics: Topics::of(settings, device),
        };
        let access = Access::read(settings, device, now)?;
        let heartbeat = settings.heartbeat_s.duration();
        Ok(Self { drive: Drive::new(access, sender, store, bell, alerts, now, heartbeat) })
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
