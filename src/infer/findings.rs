//! `Findings`: what a model bundle says of one image, calibrated and banded.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Most findings that one bundle may have: as many as the reports' vocabulary holds.
pub const MAX_FINDINGS: usize = 27;

/// A calibrated probability, 0.0 to 1.0, never NaN.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f32", into = "f32")]
pub struct Probability(f32);

/// A number that is no probability.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("{0} is not a probability between 0 and 1")]
pub struct NotAProbability(f32);

impl TryFrom<f32> for Probability {
    type Error = NotAProbability;

    fn try_from(value: f32) -> Result<Self, NotAProbability> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(NotAProbability(value)) }
    }
}

impl From<Probability> for f32 {
    fn from(probability: Probability) -> Self {
        probability.0
    }
}

/// Where a probability lies against the bundle's thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Band {
    /// Below `absent_below`.
    Absent,
    /// Between the thresholds.
    Uncertain,
    /// At or above `present_above`.
    Present,
}

/// A coded concept (FHIR `Coding`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Code system URI, e.g. `http://snomed.info/sct`.
    pub system: String,
    /// The code, e.g. `60046008`.
    pub code: String,
    /// The code's own name, e.g. `Pleural effusion`.
    pub display: String,
}

/// One finding on one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The bundle's label, kebab-case.
    pub label: heapless::String<48>,
    /// How the finding is written inside a sentence.
    pub words: String,
    /// Its code.
    pub code: Code,
    /// Calibrated probability.
    pub probability: Probability,
    /// Where that lies.
    pub band: Band,
    /// The thresholds it was held to.
    pub absent_below: Probability,
    /// See `absent_below`.
    pub present_above: Probability,
    /// Share of positives in the data that the probability was calibrated on.
    pub prevalence: Probability,
    /// Share of the bundle's test images at or above `present_above` that have the finding.
    pub positives_among_present: Probability,
}

/// All findings of one bundle on one image, in the bundle's order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Findings {
    /// Which bundle said so.
    pub bundle: BundleIdentity,
    /// What it found, at most [`MAX_FINDINGS`].
    pub findings: heapless::Vec<Finding, MAX_FINDINGS>,
    /// What a reader might expect here and the bundle does not assess.
    pub not_assessed: Vec<String>,
}

/// Which model bundle spoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleIdentity {
    /// Name, e.g. `chest-adult`.
    pub name: String,
    /// Version, e.g. `0.1.0`.
    pub version: String,
    /// Human title.
    pub title: String,
    /// What it may be used for.
    pub intended_use: String,
    /// What it must not be used for.
    pub forbidden_use: String,
    /// True where its training data's licence allows research only.
    pub research_only: bool,
    /// SHA-256 of its manifest, which holds the digests of its other files.
    pub sha256: Digest,
}

impl BundleIdentity {
    /// As its manifest says, whose digest is `sha256`.
    #[must_use]
    pub fn of(about: &super::manifest::About, sha256: Digest) -> Self {
        Self {
            name: about.name.clone(),
            version: about.version.clone(),
            title: about.title.clone(),
            intended_use: about.intended_use.clone(),
            forbidden_use: about.forbidden_use.clone(),
            research_only: about.research_only,
            sha256,
        }
    }
}
