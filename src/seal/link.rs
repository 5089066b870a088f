//! A link of a device's chain: an outcome, or an event of the device itself. And who may sign
//! what follows: the one rule by which store, verifier and collector follow a key that changes.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::chain::{Place, Then};
use super::event::{self, Happened, OpenedEvent};
use super::jws::{self, OpenError, Opened};
use super::public::PublicKey;
use crate::digest::Digest;

/// Most keys that are followed from those that were given: a device changes its key once in
/// years, and each key that is followed makes an attacker's file dearer to check.
pub const MAX_KEYS_FOLLOWED: usize = 64;

/// A link whose signature held under a given key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// What came of an image.
    Outcome(Opened),
    /// What happened to the device.
    Event(OpenedEvent),
}

impl Link {
    /// Opens `jws` if one of `keys` signed it as a link.
    ///
    /// # Errors
    /// It is none, or no given key signed these very bytes.
    pub fn open(jws: &str, keys: &[PublicKey]) -> Result<Self, OpenError> {
        let held = jws::held(jws, keys)?;
        let sha256 = Digest::of(jws.as_bytes());
        if held.members.get("typ").and_then(Value::as_str) == Some(event::TYPE) {
            event::understood(held, sha256).map(Self::Event)
        } else {
            jws::understood(held, sha256).map(Self::Outcome)
        }
    }

    /// Key id of the key that signed it.
    #[must_use]
    pub fn kid(&self) -> &str {
        match self {
            Self::Outcome(outcome) => &outcome.header.kid,
            Self::Event(event) => &event.header.kid,
        }
    }

    /// Its sequence.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        match self {
            Self::Outcome(outcome) => outcome.header.seq,
            Self::Event(event) => event.header.seq,
        }
    }

    /// SHA-256 of the link before.
    #[must_use]
    pub const fn prev(&self) -> Digest {
        match self {
            Self::Outcome(outcome) => outcome.header.prev,
            Self::Event(event) => event.header.prev,
        }
    }

    /// SHA-256 of its JWS.
    #[must_use]
    pub const fn sha256(&self) -> Digest {
        match self {
            Self::Outcome(outcome) => outcome.sha256,
            Self::Event(event) => event.sha256,
        }
    }

    /// Its identity for receivers.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Outcome(outcome) => &outcome.header.report_id,
            Self::Event(event) => &event.header.report_id,
        }
    }

    /// One word for what it is.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Outcome(outcome) => outcome.header.kind.as_str(),
            Self::Event(OpenedEvent { happened: Happened::HandedOver(_), .. }) => event::HAND_OVER,
            Self::Event(OpenedEvent { happened: Happened::Decommissioned { .. }, .. }) => event::DECOMMISSIONED,
        }
    }

    /// The key that it hands over to, if it does.
    #[must_use]
    pub const fn hands_over_to(&self) -> Option<&PublicKey> {
        match self {
            Self::Event(OpenedEvent { happened: Happened::HandedOver(key), .. }) => Some(key),
            _ => None,
        }
    }

    /// What it is to the chain.
    #[must_use]
    pub fn place(&self) -> Place<'_> {
        let then = match self {
            Self::Event(OpenedEvent { happened: Happened::HandedOver(key), .. }) => Then::Key(key.id()),
            Self::Event(OpenedEvent { happened: Happened::Decommissioned { .. }, .. }) => Then::Nothing,
            Self::Outcome(_) => Then::Same,
        };
        Place { seq: self.seq(), prev: self.prev(), sha256: self.sha256(), id: self.id(), kid: self.kid(), then }
    }
}

/// `keys`, and every key that they hand over to by a hand-over among `lines`, and so on. A
/// hand-over that no known key signed is passed over.
#[must_use]
pub fn followed<'a>(lines: impl Iterator<Item = &'a str>, keys: &[PublicKey]) -> Vec<PublicKey> {
    let mut known = keys.to_vec();
    let mut waiting: Vec<&str> = lines.filter(|jws| is_event(jws)).collect();
    loop {
        let before = known.len();
        waiting.retain(|jws| match Link::open(jws, &known) {
            Ok(link) => {
                let new = link.hands_over_to().filter(|new| !known.iter().any(|key| key.id() == new.id()));
                if let Some(new) = new.cloned().filter(|_| known.len() < keys.len() + MAX_KEYS_FOLLOWED) {
                    known.push(new);
                }
                false
            }
            Err(error) => matches!(error, OpenError::UnknownKey(_)),
        });
        if known.len() == before {
            return known;
        }
    }
}

/// True where a JWS says that it is an event; no signature is checked here.
#[must_use]
pub fn is_event(jws: &str) -> bool {
    claims(jws).is_some_and(|claims| claims.is_event)
}

/// Who signs the next link of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// There is no link yet: whoever begins.
    Anyone,
    /// The key with this id.
    Key(String),
    /// Nobody: the device was decommissioned.
    Nobody,
}

impl Next {
    /// After `last`, a link from the device's own store: no signature is checked here.
    #[must_use]
    pub fn after(last: Option<&str>) -> Self {
        let Some(claims) = last.map(claims) else { return Self::Anyone };
        match claims {
            Some(Claims { event: Some(event), .. }) if event == event::DECOMMISSIONED => Self::Nobody,
            Some(Claims { to: Some(to), .. }) => Self::Key(to),
            Some(Claims { kid, .. }) => Self::Key(kid),
            // Damaged: no key fits, and the store's own checks say more.
            None => Self::Key(String::new()),
        }
    }
}

/// Ids of the keys that signed `events`, links from the device's own store, which are not `now`.
#[must_use]
pub fn earlier_keys<'a>(events: impl Iterator<Item = &'a str>, now: &str) -> Vec<String> {
    let kids: BTreeSet<String> = events.filter_map(claims).map(|claims| claims.kid).filter(|kid| kid != now).collect();
    kids.into_iter().collect()
}

/// Id of the key that a JWS says has signed it; no signature is checked here.
#[must_use]
pub fn signer(jws: &str) -> Option<String> {
    claims(jws.trim()).map(|claims| claims.kid)
}

struct Claims {
    kid: String,
    is_event: bool,
    event: Option<String>,
    to: Option<String>,
}

/// What a JWS says of itself, unverified.
fn claims(jws: &str) -> Option<Claims> {
    let mut parts = jws.split('.');
    let decoded =
        |part: &str| URL_SAFE_NO_PAD.decode(part).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let header = parts.next().filter(|part| part.len() <= jws::MAX_HEADER_PART).and_then(decoded)?;
    let kid = header["kid"].as_str()?.to_owned();
    if header["typ"] != event::TYPE {
        return Some(Claims { kid, is_event: false, event: None, to: None });
    }
    let payload = parts.next().and_then(decoded)?;
    let to = PublicKey::parse(&payload["to"].to_string()).ok().map(|key| key.id().to_owned());
    Some(Claims { kid, is_event: true, event: payload["event"].as_str().map(str::to_owned), to })
}
