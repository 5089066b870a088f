//! The protected header of an outcome: what is signed about it beside the payload.
//!
//! Field names, order and meaning are the wire format that `jws` specifies.

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::digest::Digest;

/// Highest sequence: JSON numbers above 2^53 - 1 do not survive every parser (RFC 8259 6).
pub const MAX_SEQUENCE: u64 = (1 << 53) - 1;

/// The protected header; serialised in this order, absent digests left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Signature algorithm.
    pub alg: Algorithm,
    /// Key id: JWK thumbprint of the device's key (RFC 7638).
    pub kid: String,
    /// What this JWS is (RFC 8725 3.11).
    pub typ: Type,
    /// What its payload is.
    pub cty: ContentType,
    /// Place in the device's sequence, 1 to [`MAX_SEQUENCE`].
    pub seq: u64,
    /// SHA-256 of the JWS before it; all zeros for the first.
    pub prev: Digest,
    /// The outcome's identity, a UUID.
    pub report_id: String,
    /// What came of the image.
    pub kind: Kind,
    /// Digest of the instance file.
    pub instance_sha256: Digest,
    /// Digest of the decoded pixels, where they were decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels_sha256: Option<Digest>,
    /// Digest of the manifest of the model bundle, where one read the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle_sha256: Option<Digest>,
    /// Digest of the device's configuration.
    pub config_sha256: Digest,
    /// When it was sealed, by the device's clock (RFC 3339, UTC).
    pub sealed_at: String,
    /// What that clock was worth.
    pub clock: Clock,
    /// True for an image of a test object: it is about no patient.
    pub test: bool,
}

/// Names of Ed25519 in JOSE. The first is written, both are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RFC 8037.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RFC 9864.
    Ed25519,
}

/// The one type of JWS that residentd signs outcomes as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Type {
    /// A sealed outcome.
    #[serde(rename = "residentd-outcome+jws")]
    Outcome,
}

/// The one type of payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContentType {
    /// A FHIR resource in JSON.
    #[serde(rename = "application/fhir+json")]
    FhirJson,
}

/// What came of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It was read.
    Report,
    /// It was deliberately not read.
    Abstention,
    /// Reading it failed.
    Failure,
}

impl Kind {
    /// The word on the wire and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Abstention => "abstention",
            Self::Failure => "failure",
        }
    }
}

/// What the device's clock was worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// A time source disciplined it.
    Synchronised,
    /// Nothing did: its times may be wrong.
    Unsynchronised,
}

impl From<Moment> for Clock {
    fn from(moment: Moment) -> Self {
        if moment.synchronised { Self::Synchronised } else { Self::Unsynchronised }
    }
}
