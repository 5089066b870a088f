//! Small signed messages: receipts, commands, audit checkpoints, signatures of model bundles. A JWS as `jws` has it, with
//! a header and a bound of its own:
//!
//! 1. The header is `{"alg","kid","typ","cty"}`; `typ` is one of [`MessageType`], `cty` is
//!    `application/json`. Other members are ignored, except those that `jws` refuses.
//! 2. Whoever opens a message says which type he expects. An outcome is no message and no
//!    message an outcome: neither opens as the other (RFC 8725 3.11).
//! 3. At most [`MAX_MESSAGE_BYTES`], checked before anything is decoded.
//! 4. A signature says who, not when: what a message may do is its payload's business, and
//!    must do no harm when it comes a second time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;

use super::header::Algorithm;
use super::jws::{Held, OpenError, held};
use super::key::DeviceKey;
use super::public::PublicKey;

/// Largest message: a receipt for some hundred outcomes, with room.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
const JSON: &str = "application/json";

/// What a message is. What is not here is not signed and not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum MessageType {
    /// A receiver has outcomes, durably.
    #[serde(rename = "residentd-receipt+jws")]
    Receipt,
    /// A receiver asks the device for something.
    #[serde(rename = "residentd-command+jws")]
    Command,
    /// The device says where its audit log stands.
    #[serde(rename = "residentd-checkpoint+jws")]
    Checkpoint,
    /// A device's next key accepts what the key before hands over.
    #[serde(rename = "residentd-acceptance+jws")]
    Acceptance,
    /// A vendor says which files a model bundle is.
    #[serde(rename = "residentd-bundle+jws")]
    Bundle,
    /// A box says what it was seen to do when it was accepted at its scanner.
    #[serde(rename = "residentd-acceptance-certificate+jws")]
    Certificate,
}

impl MessageType {
    /// The `typ` on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "residentd-receipt+jws",
            Self::Command => "residentd-command+jws",
            Self::Checkpoint => "residentd-checkpoint+jws",
            Self::Acceptance => "residentd-acceptance+jws",
            Self::Bundle => "residentd-bundle+jws",
            Self::Certificate => "residentd-acceptance-certificate+jws",
        }
    }
}

/// Why a message was not signed or not opened. Nothing of it may be believed then.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MessageError {
    /// Larger than [`MAX_MESSAGE_BYTES`].
    #[error("the message has {0} bytes, at most {MAX_MESSAGE_BYTES} are allowed")]
    TooLarge(usize),
    /// Not a JWS of a given key.
    #[error(transparent)]
    Jws(#[from] OpenError),
    /// Signed by a given key, but something else.
    #[error("it is of type {found}, not {}", .expected.as_str())]
    Type {
        /// What was expected.
        expected: MessageType,
        /// What it says it is, at most 80 characters.
        found: String,
    },
}

/// A message whose signature held under a given key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who signed: JWK thumbprint of the key.
    pub kid: String,
    /// The JSON, byte for byte.
    pub payload: Vec<u8>,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: Algorithm,
    kid: &'a str,
    typ: MessageType,
    cty: &'a str,
}

/// Signs `payload`, a JSON text, as a message of type `typ`.
///
/// # Errors
/// The message would be too large to be opened.
pub fn sign(key: &DeviceKey, typ: MessageType, payload: &str) -> Result<String, MessageError> {
    let header = Header { alg: Algorithm::EdDsa, kid: key.id(), typ, cty: JSON };
    let mut jws = encoded(&header);
    jws.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut jws);
    let signature = key.sign(jws.as_bytes());
    jws.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut jws);
    bounded(&jws)?;
    Ok(jws)
}

/// Opens `jws` if it is a message of type `typ` that one of `keys` signed.
///
/// # Errors
/// It is too large, not signed by a given key, or something else.
pub fn open(jws: &str, keys: &[PublicKey], typ: MessageType) -> Result<Message, MessageError> {
    bounded(jws)?;
    let Held { key, members, payload } = held(jws, keys)?;
    if members.get("typ").and_then(Value::as_str) != Some(typ.as_str()) {
        let found = members.get("typ").map_or("missing".to_owned(), |v| v.to_string().chars().take(80).collect());
        return Err(MessageError::Type { expected: typ, found });
    }
    if members.get("cty").and_then(Value::as_str) != Some(JSON) {
        return Err(OpenError::Header(format!("its content is not {JSON}")).into());
    }
    Ok(Message { kid: key.id().to_owned(), payload })
}

fn encoded(header: &Header) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(header).expect("a header has text keys only"))
}

fn bounded(jws: &str) -> Result<(), MessageError> {
    if jws.len() > MAX_MESSAGE_BYTES { Err(MessageError::TooLarge(jws.len())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::jws;
    use crate::seal::outcome::samples;

    const ALL: [MessageType; 6] = [
        MessageType::Acceptance,
        MessageType::Receipt,
        MessageType::Command,
        MessageType::Checkpoint,
        MessageType::Bundle,
        MessageType::Certificate,
    ];

    fn key() -> (DeviceKey, [PublicKey; 1]) {
        let key = DeviceKey::generate().unwrap();
        let public = [key.public().clone()];
        (key, public)
    }

    #[test]
    fn a_message_opens_under_its_key_and_type_and_no_other() {
        let ((key, keys), (_, others)) = (key(), key());
        for typ in ALL {
            let jws = sign(&key, typ, r#"{"a":1}"#).unwrap();
            let message = open(&jws, &keys, typ).unwrap();
            assert_eq!((message.kid.as_str(), message.payload.as_slice()), (key.id(), &br#"{"a":1}"#[..]));
            assert!(matches!(open(&jws, &others, typ), Err(MessageError::Jws(OpenError::UnknownKey(_)))));
            assert!(matches!(open(&jws, &[], typ), Err(MessageError::Jws(OpenError::UnknownKey(_)))));
            for other in ALL.into_iter().filter(|other| *other != typ) {
                assert!(matches!(open(&jws, &keys, other), Err(MessageError::Type { .. })));
            }
        }
    }

    #[test]
    fn an_outcome_is_no_message_and_a_message_no_outcome() {
        let (key, keys) = key();
        let outcome = &samples::chain(&key, 1)[0];
        for typ in ALL {
            let told = open(outcome, &keys, typ).unwrap_err();
            assert!(matches!(told, MessageError::Type { .. }), "{told}");
            let message = sign(&key, typ, r#"{"resourceType":"Bundle"}"#).unwrap();
            assert!(matches!(jws::open(&message, &keys), Err(OpenError::Header(_))));
        }
    }

    #[test]
    fn no_character_of_a_message_can_be_changed() {
        let (key, keys) = key();
        let message = sign(&key, MessageType::Receipt, r#"{"through":7}"#).unwrap();
        for at in 0..message.len() {
            let mut changed = message.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(open(&changed, &keys, MessageType::Receipt).is_err(), "character {at}");
            assert!(open(&message[..at], &keys, MessageType::Receipt).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_large_message_is_neither_signed_nor_opened() {
        let (key, keys) = key();
        let payload = "x".repeat(MAX_MESSAGE_BYTES);
        assert!(matches!(sign(&key, MessageType::Receipt, &payload), Err(MessageError::TooLarge(_))));
        let error = open(&format!("{payload}x"), &keys, MessageType::Receipt).unwrap_err();
        assert_eq!(error, MessageError::TooLarge(MAX_MESSAGE_BYTES + 1));
    }
}
