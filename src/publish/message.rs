//! What is published, before any MQTT library sees it: the sealed outcome as it was
//! signed, and the JSON of status and alerts. Nothing here names a patient.

use serde::Serialize;

use super::alert::Stamped;
use super::topics::Topics;
use crate::audit::Audit;
use crate::clock::Moment;
use crate::mqtt::{JOSE, JSON, Message, Qos, Retain};
use crate::store::Outgoing;

/// Value of the user property `format`: what the payload is and its version.
const OUTCOME_FORMAT: &str = "residentd-outcome;version=1";

/// Who publishes.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    pub site: String,
    pub device: String,
    pub key_id: String,
    /// Ids of the keys before: by them receivers know who this is until they have the hand-over.
    pub earlier_key_ids: Vec<String>,
    pub topics: Topics,
    pub audit: Audit,
}

/// Numbers of the store that a status carries.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub last_sequence: u64,
    pub undelivered: u64,
    pub unread: u64,
}

/// What a status says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lifecycle {
    /// Birth and heartbeat.
    Online(Counts),
    /// We stop in order.
    Stopped(Counts),
    /// The last will: the time is when the connection was asked for.
    Lost,
}

#[derive(Serialize)]
struct StatusDocument<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    device: &'a str,
    site: &'a str,
    key_id: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    earlier_key_ids: &'a [String],
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undelivered: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connected: Option<String>,
    clock_synchronised: bool,
    /// Where the audit log stands, signed (`audit`, format, 4).
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_checkpoint: Option<&'a str>,
}

#[derive(Serialize)]
struct AlertDocument<'a> {
    kind: super::AlertKind,
    report_id: Option<&'a str>,
    message: &'a str,
    device: &'a str,
    site: &'a str,
    time: String,
    clock_synchronised: bool,
    /// Alerts that gave way to newer ones since the daemon started.
    dropped: u64,
}

/// The message of an outcome: the payload is the JWS as it is stored.
#[must_use]
pub fn report(topics: &Topics, device: &str, outgoing: Outgoing) -> Message {
    Message {
        topic: topics.report.clone(),
        qos: Qos::AtLeastOnce,
        retain: Retain::No,
        payload: outgoing.jws,
        content_type: JOSE,
        correlation: Some(outgoing.report_id),
        user_properties: [
            ("sequence", outgoing.sequence.to_string()),
            ("device", device.to_owned()),
            ("format", OUTCOME_FORMAT.to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into(),
    }
}

impl Sender {
    /// The report message.
    pub(super) fn report(&self, outgoing: Outgoing) -> Message {
        report(&self.topics, &self.device, outgoing)
    }

    /// The retained status message at `now`.
    pub(super) fn status(&self, lifecycle: Lifecycle, now: Moment) -> Message {
        let (state, reason, counts) = match lifecycle {
            Lifecycle::Online(counts) => ("online", None, Some(counts)),
            Lifecycle::Stopped(counts) => ("offline", Some("stopped"), Some(counts)),
            Lifecycle::Lost => ("offline", Some("connection lost"), None),
        };
        let checkpoint = counts.and_then(|_| self.audit.latest());
        let document = StatusDocument {
            state,
            reason,
            device: &self.device,
            site: &self.site,
            key_id: &self.key_id,
            earlier_key_ids: &self.earlier_key_ids,
            version: env!("CARGO_PKG_VERSION"),
            last_sequence: counts.map(|c| c.last_sequence),
            undelivered: counts.map(|c| c.undelivered),
            unread: counts.map(|c| c.unread),
            time: counts.map(|_| now.rfc3339()),
            connected: counts.is_none().then(|| now.rfc3339()),
            clock_synchronised: now.synchronised,
            audit_checkpoint: checkpoint.as_deref(),
        };
        json(self.topics.status.clone(), Retain::Yes, written(&document))
    }

    /// The message of an alert.
    pub(super) fn alert(&self, stamped: &Stamped, dropped: u64) -> Message {
        let Stamped { alert, at } = stamped;
        let document = AlertDocument {
            kind: alert.kind,
            report_id: alert.report_id.as_deref(),
            message: &alert.message,
            device: &self.device,
            site: &self.site,
            time: at.rfc3339(),
            clock_synchronised: at.synchronised,
            dropped,
        };
        json(self.topics.alert.clone(), Retain::No, written(&document))
    }
}

fn written(document: &impl Serialize) -> String {
    serde_json::to_string(document).expect("texts and numbers are JSON")
}

/// A message whose payload is JSON.
pub(super) fn json(topic: String, retain: Retain, payload: String) -> Message {
    Message {
        topic,
        qos: Qos::AtLeastOnce,
        retain,
        payload,
        content_type: JSON,
        correlation: None,
        user_properties: Vec::new(),
    }
}
