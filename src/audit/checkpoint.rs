//! A checkpoint: the device's signature under where its log stands.

use serde::{Deserialize, Serialize};

use super::line::Head;
use crate::clock::Moment;
use crate::digest::Digest;
use crate::seal::key::DeviceKey;
use crate::seal::message::{self, MessageError, MessageType};
use crate::seal::public::PublicKey;

/// Version of the log's format.
const FORMAT: u32 = 1;

/// A checkpoint whose signature held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The line that it is about.
    pub seq: u64,
    /// SHA-256 of that line.
    pub head: Digest,
    /// When it was made, RFC 3339.
    pub at: String,
    /// Whether the clock was believed then.
    pub synchronised: bool,
    /// The key that signed.
    pub kid: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    audit: u32,
    seq: u64,
    head: Digest,
    at: String,
    synchronised: bool,
}

/// Signs that the log stands at `head`, which must be durable.
pub(super) fn sign(key: &DeviceKey, head: Head, at: Moment) -> Result<String, MessageError> {
    let payload =
        Payload { audit: FORMAT, seq: head.seq, head: head.sha256, at: at.rfc3339(), synchronised: at.synchronised };
    let json = serde_json::to_string(&payload).expect("texts and numbers are JSON");
    message::sign(key, MessageType::Checkpoint, &json)
}

impl Checkpoint {
    /// Opens `jws` if one of `keys` signed it as a checkpoint.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn open(jws: &str, keys: &[PublicKey]) -> Result<Self, String> {
        let opened = message::open(jws, keys, MessageType::Checkpoint).map_err(|e| e.to_string())?;
        let payload: Payload = serde_json::from_slice(&opened.payload).map_err(|e| e.to_string())?;
        if payload.audit != FORMAT || payload.seq == 0 {
            return Err("it is not about a log of this format".to_owned());
        }
        let Payload { seq, head, at, synchronised, .. } = payload;
        Ok(Self { seq, head, at, synchronised, kid: opened.kid })
    }
}
