//! What is worth a line. Every field is a machine's: no patient, no free text of a peer.

use std::net::IpAddr;

use serde::Serialize;

use crate::digest::Digest;
use crate::instance::uid::AeTitle;

/// Longest text that an event takes over from elsewhere, in characters.
const MAX_TEXT_CHARS: usize = 200;

/// What happened. `event` is the variant's name in kebab-case.
#[expect(missing_docs, reason = "each variant's words say what its fields are")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Event {
    /// The daemon starts. `after` says how the log ended before, `last_sequence` and `head`
    /// where the store's chain of outcomes stands.
    Started { version: &'static str, after: After, last_sequence: u64, head: Digest },
    /// It runs under the configuration file with this digest.
    Configured { sha256: Digest },
    /// The configuration file was read again and applies from here on, instead of the one before.
    Reconfigured { sha256: Digest, before: Digest },
    /// It was read again and is wrong, or asks for what only a start can give: the old one stays.
    ReconfigurationRefused { why: Text, stays: Digest },
    /// It reads with the bundle whose manifest has this digest; one line a bundle.
    Serving { bundle: Text, version: Text, sha256: Digest },
    /// A model bundle was installed, with the key that signed it; it does not serve yet.
    ModelInstalled { bundle: Text, version: Text, sha256: Digest, signed_by: Text },
    /// A model bundle is to serve in place of version `from`; `below_floor` says why, where a newer one
    /// has served before.
    ModelActivated {
        bundle: Text,
        version: Text,
        sha256: Digest,
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<Text>,
        #[serde(skip_serializing_if = "Option::is_none")]
        below_floor: Option<Text>,
    },
    /// The model bundle before `from` is to serve again.
    ModelRolledBack {
        bundle: Text,
        version: Text,
        sha256: Digest,
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<Text>,
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<Text>,
    },
    /// A new model bundle has read its first images.
    ModelProven { bundle: Text, version: Text, sha256: Digest },
    /// A model bundle was refused, or does not serve any more; what served before serves on.
    ModelRefused { why: Text },
    /// The signing key was loaded; each `sealed` and each checkpoint uses it.
    KeyLoaded { key_id: Text },
    /// The signing key cannot be used, so the daemon does not start.
    KeyRejected { why: Text },
    /// The signing key was handed over to another by this link of the chain.
    KeyHandedOver { from: Text, to: Text, sequence: u64 },
    /// The device was decommissioned by this link, the chain's last.
    Decommissioned { sequence: u64 },
    /// The daemon was told to stop.
    Stopping,
    /// It stopped in order; nothing follows but the next `started`.
    Stopped,
    /// An instance was accepted as new: file and row are durable.
    Accepted { instance: Digest, calling_ae: AeTitle, address: IpAddr },
    /// An instance was refused with this DIMSE status; `more` times in the window before.
    Refused {
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<IpAddr>,
        #[serde(skip_serializing_if = "Option::is_none")]
        calling_ae: Option<AeTitle>,
        status: u16,
        #[serde(skip_serializing_if = "is_zero")]
        more: u64,
    },
    /// A connection became no association; `more` times in the window before.
    Denied {
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<IpAddr>,
        #[serde(skip_serializing_if = "Option::is_none")]
        calling_ae: Option<AeTitle>,
        why: Why,
        #[serde(skip_serializing_if = "is_zero")]
        more: u64,
    },
    /// The reader process died on an instance.
    ReaderDied { instance: Digest, strikes: u32 },
    /// Nothing is read from here on, though images are received: the board is too hot.
    ReadingPaused { why: &'static str },
    /// What was received is read again.
    ReadingResumed,
    /// An instance was read, or was given up. `prior` is the hash of the same patient's earlier
    /// outcome that was looked at to compare.
    Read {
        instance: Digest,
        outcome: Outcome,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        bundle: Option<Digest>,
        #[serde(skip_serializing_if = "Option::is_none")]
        prior: Option<Digest>,
    },
    /// Its outcome was signed and is in the store and the chain: one use of the key.
    Sealed { sequence: u64, outcome: Digest, report_id: Text, instance: Digest },
    /// An outcome left the outbox; `proof` says on whose word.
    Delivered { sequence: u64, proof: Text },
    /// A human's verdict on an outcome came in, as a signed message with this digest.
    Reviewed { sequence: u64, review: Digest },
    /// Image files of delivered outcomes, and results kept for comparison, were deleted at
    /// the end of their retention.
    Erased { images: u64, results: u64 },
    /// The wall clock moved against the monotonic one (also by a suspend).
    ClockStepped { by_ms: i64 },
    /// The torn end of the log was cut off: a power cut left it.
    Recovered { bytes: u64, sha256: Digest },
    /// The log before this one contradicts its checkpoint: it was set aside, whole.
    SetAside { folder: Text, why: Text },
    /// So many events came while the log could not be written, and are nowhere.
    AuditGap { lost: u64 },
    /// The lines up to `through`, whose hash was `head`, are deleted: the log is full.
    Retired { through: u64, head: Digest },
}

/// How the log ended before a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum After {
    /// There is no log before.
    Nothing,
    /// In order.
    Stop,
    /// Without a `stopped`: a kill, a crash, a failed start or a power cut.
    Cut,
}

/// What came of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was read.
    Report,
    /// It was deliberately not read.
    Abstention,
    /// Reading it failed.
    Failure,
}

/// Why a peer was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Its address is not allowed.
    Address,
    /// Its calling AE title is not allowed, or none.
    CallingAe,
    /// It asked for another AE title.
    CalledAe,
    /// There is no seat for it.
    TooMany,
    /// TLS failed.
    Tls,
    /// It did not speak as the standard says.
    Protocol,
    /// More peers than are told apart.
    Several,
}

/// A bounded text without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text(String);

impl<T: AsRef<str>> From<T> for Text {
    fn from(text: T) -> Self {
        Self(text.as_ref().chars().filter(|c| !c.is_control()).take(MAX_TEXT_CHARS).collect())
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}
