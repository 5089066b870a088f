//! What a receiver says to a device: the payloads of its receipts and commands.
//!
//! ```text
//! receipt  {"device":KID,"outcomes":[{"seq":7,"sha256":"…64 hex…"},…]}
//! command  {"command":"resend","device":KID,"from":3,"to":9,"issued_at":"…RFC 3339…"}
//! ```
//! 1. `device` is the id of a key of the device that is meant, this one or one that handed over
//!    to it; for another device it says nothing.
//! 2. A receipt names the SHA-256 of each JWS that the receiver holds durably: it counts for
//!    those bytes alone, and as often as it comes it says the same.
//! 3. A command asks for what the device does anyway, so that a replayed one does no harm:
//!    it sends outcomes again, which receivers know by sequence and hash. The device bounds how often.

use serde::{Deserialize, Serialize};

use super::header::MAX_SEQUENCE;
use super::key::DeviceKey;
use super::message::{MessageError, MessageType, open, sign};
use super::public::PublicKey;
use crate::digest::Digest;

/// Most outcomes that one receipt names: some 35 kB as a JWS.
pub const MAX_RECEIPT_OUTCOMES: usize = 256;
/// Most outcomes that one command asks for.
pub const MAX_RESEND: u64 = 1000;

/// Why a receipt or command is not believed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReceiverError {
    /// Not signed by a receiver, or not such a message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Signed, but not what the format says.
    #[error("signed by receiver {kid}, but not understood: {what}")]
    NotUnderstood {
        /// Whose it is.
        kid: String,
        /// What is wrong with it.
        what: String,
    },
    /// Meant for another device.
    #[error("signed by receiver {kid} for another device")]
    OtherDevice {
        /// Whose it is.
        kid: String,
    },
}

/// A receiver has these outcomes, durably.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Key id of the device that signed them.
    pub device: String,
    /// Which.
    pub outcomes: Vec<Held>,
}

/// One outcome that a receiver has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its sequence.
    pub seq: u64,
    /// SHA-256 of its JWS.
    pub sha256: Digest,
}

/// A receiver asks for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Send these outcomes again.
    Resend {
        /// Key id of the device that is asked.
        device: String,
        /// First sequence.
        from: u64,
        /// Last sequence, at most [`MAX_RESEND`] outcomes in all.
        to: u64,
        /// When it was asked, by the receiver's clock (RFC 3339).
        issued_at: String,
    },
}

impl Receipt {
    /// The receipt as a message signed with the receiver's `key`.
    ///
    /// # Errors
    /// It names more outcomes than fit.
    pub fn sign(&self, key: &DeviceKey) -> Result<String, MessageError> {
        sign(key, MessageType::Receipt, &json(self))
    }

    /// Opens `jws` as a receipt of one of `receivers` for the device whose keys, now and before,
    /// have the ids `device`; also says whose it is.
    ///
    /// # Errors
    /// It is none, and nothing of it may be believed.
    pub fn open(
        jws: &str,
        receivers: &[PublicKey],
        device: &[impl AsRef<str>],
    ) -> Result<(String, Self), ReceiverError> {
        let message = open(jws, receivers, MessageType::Receipt)?;
        let kid = message.kid;
        let receipt: Self = understood(&message.payload, &kid)?;
        if !device.iter().any(|kid| kid.as_ref() == receipt.device) {
            return Err(ReceiverError::OtherDevice { kid });
        }
        if receipt.outcomes.len() > MAX_RECEIPT_OUTCOMES {
            let what = format!("more than {MAX_RECEIPT_OUTCOMES} outcomes");
            return Err(ReceiverError::NotUnderstood { kid, what });
        }
        Ok((kid, receipt))
    }
}

impl Command {
    /// The command as a message signed with the receiver's `key`.
    ///
    /// # Errors
    /// It is too large.
    pub fn sign(&self, key: &DeviceKey) -> Result<String, MessageError> {
        sign(key, MessageType::Command, &json(self))
    }

    /// Opens `jws` as a command of one of `receivers` to the device whose keys, now and before,
    /// have the ids `device`; also says whose it is.
    ///
    /// # Errors
    /// It is none, and nothing of it may be done.
    pub fn open(
        jws: &str,
        receivers: &[PublicKey],
        device: &[impl AsRef<str>],
    ) -> Result<(String, Self), ReceiverError> {
        let message = open(jws, receivers, MessageType::Command)?;
        let kid = message.kid;
        let command: Self = understood(&message.payload, &kid)?;
        let Self::Resend { device: asked, from, to, .. } = &command;
        if !device.iter().any(|kid| kid.as_ref() == asked) {
            return Err(ReceiverError::OtherDevice { kid });
        }
        if !(1..=MAX_SEQUENCE).contains(from) || !(*from..from.saturating_add(MAX_RESEND)).contains(to) {
            return Err(ReceiverError::NotUnderstood {
                kid,
                what: format!("{from} to {to} is no range to send again"),
            });
        }
        Ok((kid, command))
    }
}

fn json(said: &impl Serialize) -> String {
    serde_json::to_string(said).expect("texts and numbers are JSON")
}

fn understood<T: for<'de> Deserialize<'de>>(payload: &[u8], kid: &str) -> Result<T, ReceiverError> {
    serde_json::from_slice(payload)
        .map_err(|e| ReceiverError::NotUnderstood { kid: kid.to_owned(), what: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(outcomes: usize) -> Receipt {
        let held = |seq| Held { seq, sha256: Digest::of(b"x") };
        Receipt { device: "cart".to_owned(), outcomes: (1..=outcomes as u64).map(held).collect() }
    }

    fn resend(from: u64, to: u64) -> Command {
        Command::Resend { device: "cart".to_owned(), from, to, issued_at: "2027-01-15T08:00:00Z".to_owned() }
    }

    #[test]
    fn a_receipt_says_what_it_was_signed_with_to_the_device_that_it_names() {
        let key = DeviceKey::generate().unwrap();
        let keys = [key.public().clone()];
        for outcomes in [0, 1, MAX_RECEIPT_OUTCOMES] {
            let jws = receipt(outcomes).sign(&key).unwrap();
            assert_eq!(Receipt::open(&jws, &keys, &["cart"]), Ok((key.id().to_owned(), receipt(outcomes))));
            assert!(matches!(Receipt::open(&jws, &keys, &["other"]), Err(ReceiverError::OtherDevice { .. })));
            assert!(matches!(Receipt::open(&jws, &[], &["cart"]), Err(ReceiverError::Message(_))));
            assert!(matches!(Command::open(&jws, &keys, &["cart"]), Err(ReceiverError::Message(_))));
        }
        let jws = receipt(MAX_RECEIPT_OUTCOMES + 1).sign(&key).unwrap();
        assert!(matches!(Receipt::open(&jws, &keys, &["cart"]), Err(ReceiverError::NotUnderstood { .. })));
    }

    #[test]
    fn a_command_asks_for_a_bounded_range_or_for_nothing() {
        let key = DeviceKey::generate().unwrap();
        let keys = [key.public().clone()];
        let opened = |command: &Command| Command::open(&command.sign(&key).unwrap(), &keys, &["cart"]);
        for (from, to) in [(1, 1), (7, 6 + MAX_RESEND), (MAX_SEQUENCE, MAX_SEQUENCE)] {
            assert_eq!(opened(&resend(from, to)), Ok((key.id().to_owned(), resend(from, to))));
        }
        for (from, to) in [(0, 1), (2, 1), (7, 7 + MAX_RESEND), (1, u64::MAX), (u64::MAX, u64::MAX)] {
            assert!(matches!(opened(&resend(from, to)), Err(ReceiverError::NotUnderstood { .. })), "{from} {to}");
        }
        for text in ["{}", "[]", "x", r#"{"command":"erase","device":"cart"}"#] {
            let jws = sign(&key, MessageType::Command, text).unwrap();
            assert!(
                matches!(Command::open(&jws, &keys, &["cart"]), Err(ReceiverError::NotUnderstood { .. })),
                "{text}"
            );
        }
    }
}
