//! The sealed form of an outcome: a JWS in compact form (RFC 7515 7.1), Ed25519 (RFC 8037).
//!
//! ```text
//! BASE64URL(protected header) "." BASE64URL(payload) "." BASE64URL(signature)
//! ```
//! 1. Exactly three parts, none empty, ASCII, at most [`MAX_JWS_BYTES`]; nothing before, between or after.
//! 2. Base64url (RFC 4648 5) without padding and with zero trailing bits: one value has
//!    one spelling, so that no character can be changed without breaking the seal.
//! 3. The header is one JSON object of the members of [`Header`], in that order when
//!    written. No member occurs twice. A reader ignores members that it does not know
//!    (later versions may add some) but refuses `crit` and `b64`, which change meaning.
//! 4. `alg` is `EdDSA` when written; `Ed25519` (RFC 9864) is read too; nothing else ever is.
//! 5. `kid` is the RFC 7638 thumbprint of the key. The verifier holds the keys; keys or
//!    links to keys inside a JWS are never looked at.
//! 6. The payload is a FHIR R4 Bundle in JSON, as the very bytes that were signed.
//! 7. `prev` is the SHA-256 of the ASCII bytes of the JWS with the sequence before;
//!    64 zeros where `seq` is 1.
//! 8. Ed25519 is deterministic: the same header and payload give the same JWS.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::header::{Header, MAX_SEQUENCE};
use super::key::DeviceKey;
use super::public::PublicKey;
use crate::digest::Digest;

/// Largest JWS: a report has some 20 kB; the rest is room for overlays in later payloads.
pub const MAX_JWS_BYTES: usize = 16 * 1024 * 1024;
/// Largest header part: a header has some 900 bytes, in base64url a third more.
pub(super) const MAX_HEADER_PART: usize = 8192;

/// Why an outcome could not be sealed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// It would be larger than anyone opens.
    #[error("the sealed outcome would have {0} bytes, at most {MAX_JWS_BYTES} are allowed")]
    TooLarge(usize),
    /// The header names another key than the one that signs.
    #[error("the header names key {0}, which is not the key that signs")]
    OtherKey(String),
    /// The sequence is 0 or used up.
    #[error("{0} is not a sequence from 1 to {MAX_SEQUENCE}")]
    Sequence(u64),
}

/// Why a JWS was not opened. Nothing of it may be believed then.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OpenError {
    /// Larger than [`MAX_JWS_BYTES`].
    #[error("larger than {MAX_JWS_BYTES} bytes")]
    TooLarge,
    /// Not three parts joined by dots.
    #[error("not a JWS in compact form: three parts joined by dots")]
    NotCompact,
    /// A part is not canonical base64url.
    #[error("its {0} is not canonical base64url without padding")]
    NotBase64(&'static str),
    /// The header is not what the format says.
    #[error("its header is not that of a sealed outcome: {0}")]
    Header(String),
    /// Signed in a way that is not accepted.
    #[error("its algorithm is {0}, only EdDSA and Ed25519 are accepted")]
    Algorithm(String),
    /// Signed by a key that was not given.
    #[error("it names key {0}, which is none of the given keys")]
    UnknownKey(String),
    /// The signature does not belong to header and payload.
    #[error("the signature does not hold: header, payload or signature was changed, or another key signed")]
    Signature,
}

/// A JWS whose signature held under a given key.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// What was signed about the outcome.
    pub header: Header,
    /// The FHIR Bundle, byte for byte.
    pub payload: Vec<u8>,
    /// SHA-256 of the JWS: what the next outcome's `prev` must be.
    pub sha256: Digest,
}

impl fmt::Debug for Opened {
    /// Without the payload, which is a patient's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("header", &self.header).field("sha256", &self.sha256).finish_non_exhaustive()
    }
}

/// Signs `header` and `payload` with `key`.
///
/// # Errors
/// The header names another key or an impossible sequence, or the result is too large.
pub fn seal(key: &DeviceKey, header: &Header, payload: &[u8]) -> Result<String, SealError> {
    if header.kid != key.id() {
        return Err(SealError::OtherKey(header.kid.clone()));
    }
    compact(key, header, header.seq, payload)
}

/// Signs a link of any type.
pub(super) fn compact(key: &DeviceKey, header: &impl Serialize, seq: u64, payload: &[u8]) -> Result<String, SealError> {
    if !(1..=MAX_SEQUENCE).contains(&seq) {
        return Err(SealError::Sequence(seq));
    }
    let mut jws = encoded(header);
    jws.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut jws);
    let signature = key.sign(jws.as_bytes());
    jws.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut jws);
    if jws.len() > MAX_JWS_BYTES { Err(SealError::TooLarge(jws.len())) } else { Ok(jws) }
}

/// Opens `jws` if one of `keys` signed it. The signature is checked before anything of
/// the header but `alg` and `kid` is used.
///
/// # Errors
/// It is not exactly such a JWS, or no given key signed these very bytes.
pub fn open(jws: &str, keys: &[PublicKey]) -> Result<Opened, OpenError> {
    understood(held(jws, keys)?, Digest::of(jws.as_bytes()))
}

/// Understands a JWS whose signature held as an outcome.
pub(super) fn understood(held: Held<'_>, sha256: Digest) -> Result<Opened, OpenError> {
    let Held { members, payload, .. } = held;
    Ok(Opened { header: checked(members)?, payload, sha256 })
}

/// A JWS of any type whose signature held: who signed, and what, before it is looked at.
pub(super) struct Held<'a> {
    pub key: &'a PublicKey,
    pub members: Map<String, Value>,
    pub payload: Vec<u8>,
}

/// Takes `jws` apart if one of `keys` signed it; what it is, the caller has to ask.
pub(super) fn held<'a>(jws: &str, keys: &'a [PublicKey]) -> Result<Held<'a>, OpenError> {
    let [header_part, payload_part, signature_part] = parts(jws)?;
    if header_part.len() > MAX_HEADER_PART {
        return Err(OpenError::Header("it is too long".to_owned()));
    }
    let members = members(&decoded(header_part, "header")?)?;
    let key = signer(&members, keys)?;
    let signature = decoded(signature_part, "signature")?.try_into().map_err(|_| OpenError::Signature)?;
    let signed = &jws[..header_part.len() + 1 + payload_part.len()];
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(OpenError::Signature);
    }
    Ok(Held { key, members, payload: decoded(payload_part, "payload")? })
}

/// What a JWS names as the link before it, for one that was opened when it was kept: no
/// signature is checked here.
#[must_use]
pub fn claimed_previous(jws: &str) -> Option<Digest> {
    let [header_part, _, _] = parts(jws).ok()?;
    let members = members(&decoded(header_part, "header").ok()?).ok()?;
    members.get("prev").and_then(Value::as_str)?.parse().ok()
}

fn encoded(header: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(header).expect("a header has text keys only"))
}

fn parts(jws: &str) -> Result<[&str; 3], OpenError> {
    if jws.len() > MAX_JWS_BYTES {
        return Err(OpenError::TooLarge);
    }
    let mut parts = jws.split('.');
    match [parts.next(), parts.next(), parts.next(), parts.next()] {
        [Some(header), Some(payload), Some(signature), None] if ![header, payload, signature].contains(&"") => {
            Ok([header, payload, signature])
        }
        _ => Err(OpenError::NotCompact),
    }
}

/// The engine refuses padding, foreign characters and trailing bits that are not zero.
fn decoded(part: &str, name: &'static str) -> Result<Vec<u8>, OpenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| OpenError::NotBase64(name))
}

fn members(header: &[u8]) -> Result<Map<String, Value>, OpenError> {
    let wrong = |e: serde_json::Error| OpenError::Header(e.to_string());
    let mut json = serde_json::Deserializer::from_slice(header);
    let members = json.deserialize_map(UniqueMembers).map_err(wrong)?;
    json.end().map_err(wrong)?;
    match ["crit", "b64"].into_iter().find(|name| members.contains_key(*name)) {
        Some(name) => Err(OpenError::Header(format!("{name} is not understood here"))),
        None => Ok(members),
    }
}

/// The given key that the header names, for an algorithm that is accepted.
fn signer<'a>(members: &Map<String, Value>, keys: &'a [PublicKey]) -> Result<&'a PublicKey, OpenError> {
    let shown =
        |value: Option<&Value>| value.map_or("missing".to_owned(), |v| v.to_string().chars().take(80).collect());
    let (alg, kid) = (members.get("alg"), members.get("kid"));
    if !matches!(alg.and_then(Value::as_str), Some("EdDSA" | "Ed25519")) {
        return Err(OpenError::Algorithm(shown(alg)));
    }
    let named = |key: &&PublicKey| kid.and_then(Value::as_str) == Some(key.id());
    keys.iter().find(named).ok_or_else(|| OpenError::UnknownKey(shown(kid)))
}

fn checked(members: Map<String, Value>) -> Result<Header, OpenError> {
    let header: Header =
        serde_json::from_value(Value::Object(members)).map_err(|e| OpenError::Header(e.to_string()))?;
    check_sequence(header.seq)?;
    Ok(header)
}

/// `seq` as one of a chain.
pub(super) fn check_sequence(seq: u64) -> Result<(), OpenError> {
    if (1..=MAX_SEQUENCE).contains(&seq) { Ok(()) } else { Err(OpenError::Header(format!("{seq} is not a sequence"))) }
}

/// Reads a JSON object and refuses a member that occurs twice (RFC 7515 4).
struct UniqueMembers;

impl<'de> Visitor<'de> for UniqueMembers {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if members.contains_key(&name) {
                return Err(de::Error::custom(format!("member {name:?} occurs twice")));
            }
            members.insert(name, value);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests;
