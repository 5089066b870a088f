//! Events of the device itself, as links of the chain of its outcomes: its key was handed over
//! to another, or the device was decommissioned. Whoever follows the chain meets them in their
//! place, so that nothing can be signed past them unseen.
//!
//! ```text
//! header   {"alg":"EdDSA","kid","typ":"residentd-event+jws","cty":"application/json",
//!           "seq","prev","report_id","sealed_at","clock"}
//! payload  {"event":"key-handed-over","to":JWK,"accepted":JWS}
//!          {"event":"decommissioned","site","device","outcomes","undelivered"}
//! ```
//! 1. The form is that of an outcome (`jws`), with a `typ` of its own: neither opens as the
//!    other. `seq` and `prev` are those of the one chain that both are links of.
//! 2. `key-handed-over` is signed by the old key. `accepted` is signed by the new one, a message
//!    (`message`) of type `residentd-acceptance+jws` with `{"from":KID,"seq","prev"}` of this very
//!    link: nobody hands over to a key that he does not hold, or moves a hand-over elsewhere.
//! 3. What follows a hand-over is signed by the new key, and nothing after it by the old one,
//!    whoever holds that then: a key that is stolen after its hand-over signs nothing that fits.
//! 4. `decommissioned` is the last link: nothing follows it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::header::{Algorithm, Clock};
use super::jws::{self, OpenError, SealError};
use super::key::DeviceKey;
use super::message::{self, MessageType};
use super::public::PublicKey;
use crate::clock::Moment;
use crate::digest::Digest;
use crate::report::identity;
use crate::store::{Head, SealedOutcome, Urgency};

/// The `typ` on the wire.
pub(super) const TYPE: &str = "residentd-event+jws";
/// What a hand-over is called in the store and on a collector's shelf.
pub const HAND_OVER: &str = "key-handed-over";
/// What the end is called there.
pub const DECOMMISSIONED: &str = "decommissioned";

/// The protected header of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventHeader {
    /// Signature algorithm.
    pub alg: Algorithm,
    /// Key id: JWK thumbprint of the device's key (RFC 7638).
    pub kid: String,
    typ: EventType,
    cty: EventContent,
    /// Place in the device's sequence.
    pub seq: u64,
    /// SHA-256 of the JWS before it; all zeros for the first.
    pub prev: Digest,
    /// The event's identity, a UUID, as an outcome has one.
    pub report_id: String,
    /// When it was sealed, by the device's clock (RFC 3339, UTC).
    pub sealed_at: String,
    /// What that clock was worth.
    pub clock: Clock,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum EventType {
    #[serde(rename = "residentd-event+jws")]
    Event,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum EventContent {
    #[serde(rename = "application/json")]
    Json,
}

/// What happened to the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// Its key was handed over to this one, which signs what follows.
    HandedOver(PublicKey),
    /// It signs nothing any more.
    Decommissioned {
        /// Images that it concluded in its life.
        outcomes: u64,
        /// Links that no receiver had then, this one left out.
        undelivered: u64,
    },
}

/// An event whose signature held under a given key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedEvent {
    /// What was signed about it.
    pub header: EventHeader,
    /// What happened.
    pub happened: Happened,
    /// SHA-256 of the JWS: what the next link's `prev` must be.
    pub sha256: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Payload {
    KeyHandedOver { to: Value, accepted: String },
    Decommissioned { site: String, device: String, outcomes: u64, undelivered: u64 },
}

#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct Accepted {
    from: String,
    seq: u64,
    prev: Digest,
}

/// Who is decommissioned, and with how much.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// The site's name.
    pub site: &'a str,
    /// The device's name.
    pub device: &'a str,
    /// Images that it concluded.
    pub outcomes: u64,
    /// Links that no receiver has.
    pub undelivered: u64,
}

/// The link after `head` by which `old` hands over to `new`. Made for `Store::append`.
///
/// # Errors
/// The sequence is used up.
///
/// # Panics
/// Never: texts and numbers are JSON, and few.
pub fn hand_over(old: &DeviceKey, new: &DeviceKey, head: &Head, now: Moment) -> Result<SealedOutcome, SealError> {
    let accepted = Accepted { from: old.id().to_owned(), seq: head.sequence.saturating_add(1), prev: head.sha256 };
    let accepted = serde_json::to_string(&accepted).expect("texts and numbers are JSON");
    let accepted = message::sign(new, MessageType::Acceptance, &accepted).expect("it has some hundred bytes");
    let to = serde_json::from_str(&new.public().to_jwk()).expect("a JWK is JSON");
    sealed(old, head, now, HAND_OVER, &Payload::KeyHandedOver { to, accepted })
}

/// The link after `head` that is the last.
///
/// # Errors
/// The sequence is used up.
pub fn decommission(key: &DeviceKey, ending: Ending, head: &Head, now: Moment) -> Result<SealedOutcome, SealError> {
    let Ending { site, device, outcomes, undelivered } = ending;
    let payload = Payload::Decommissioned { site: site.to_owned(), device: device.to_owned(), outcomes, undelivered };
    sealed(key, head, now, DECOMMISSIONED, &payload)
}

fn sealed(
    key: &DeviceKey,
    head: &Head,
    now: Moment,
    kind: &'static str,
    payload: &Payload,
) -> Result<SealedOutcome, SealError> {
    let seq = head.sequence.saturating_add(1);
    let header = EventHeader {
        alg: Algorithm::EdDsa,
        kid: key.id().to_owned(),
        typ: EventType::Event,
        cty: EventContent::Json,
        seq,
        prev: head.sha256,
        report_id: identity::event_id(key.id(), seq),
        sealed_at: now.rfc3339(),
        clock: now.into(),
    };
    let payload = serde_json::to_vec(payload).expect("texts and numbers are JSON");
    let jws = jws::compact(key, &header, seq, &payload)?;
    // Receivers can do nothing with what follows before they have it.
    Ok(SealedOutcome { urgency: Urgency::Urgent, report_id: header.report_id, kind, jws })
}

/// Understands a JWS whose signature held as an event.
pub(super) fn understood(held: jws::Held<'_>, sha256: Digest) -> Result<OpenedEvent, OpenError> {
    let jws::Held { members, payload, .. } = held;
    let header: EventHeader =
        serde_json::from_value(Value::Object(members)).map_err(|e| OpenError::Header(e.to_string()))?;
    jws::check_sequence(header.seq)?;
    let wrong = |what: String| OpenError::Header(format!("its event is not understood: {what}"));
    let happened = match serde_json::from_slice(&payload).map_err(|e| wrong(e.to_string()))? {
        Payload::KeyHandedOver { to, accepted } => {
            Happened::HandedOver(new_key(&header, &to.to_string(), &accepted).map_err(wrong)?)
        }
        Payload::Decommissioned { outcomes, undelivered, .. } => Happened::Decommissioned { outcomes, undelivered },
    };
    Ok(OpenedEvent { header, happened, sha256 })
}

fn new_key(header: &EventHeader, jwk: &str, accepted: &str) -> Result<PublicKey, String> {
    let key = PublicKey::parse(jwk).map_err(|e| e.to_string())?;
    if key.id() == header.kid {
        return Err("a key hands over to itself".to_owned());
    }
    let keys = [key];
    let message = message::open(accepted, &keys, MessageType::Acceptance)
        .map_err(|e| format!("the new key did not accept: {e}"))?;
    let said: Accepted = serde_json::from_slice(&message.payload).map_err(|e| e.to_string())?;
    if said != (Accepted { from: header.kid.clone(), seq: header.seq, prev: header.prev }) {
        return Err("the new key accepted another hand-over".to_owned());
    }
    let [key] = keys;
    Ok(key)
}

#[cfg(test)]
mod tests;
