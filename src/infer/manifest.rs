//! `manifest.toml` of a model bundle, format 1: what it is, what it applies to, what it needs.
//!
//! Invariants after parsing: 1. `format` is 1; 2. labels are unique and thresholds ordered;
//! 3. every file that will be opened has a digest, and file names never leave the folder;
//! 4. a finding's views are among those that the bundle applies to, if it names any;
//! 5. a bundle without `[cine]` reads one frame of a cine, the middle one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::cine::Cine;
use super::findings::{Code, MAX_FINDINGS, Probability};
use crate::digest::Digest;
use crate::preprocess::Geometry;

/// The only manifest format that this version reads.
const FORMAT: u32 = 1;
/// Widest and highest input tensor accepted, pixels a side.
const MAX_SIDE: u32 = 1024;

/// A parsed manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// `[bundle]`
    pub bundle: About,
    /// `[applies_to]`
    pub applies_to: AppliesTo,
    /// `[input]`
    pub input: InputSpec,
    /// `[cine]`
    pub cine: Option<Cine>,
    /// `[output]`
    pub output: OutputSpec,
    /// `[[finding]]`
    pub finding: Vec<FindingSpec>,
    /// `[not_assessed]`
    pub not_assessed: NotAssessed,
    /// `[golden]`
    pub golden: Golden,
    /// `[digests]`: SHA-256 of each file in the folder but the manifest.
    pub digests: BTreeMap<String, Digest>,
}

/// `[bundle]`: identity, purpose, licence.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in models/README.md")]
pub struct About {
    pub name: String,
    pub version: String,
    pub title: String,
    pub intended_use: String,
    pub forbidden_use: String,
    pub licence: String,
    pub research_only: bool,
    pub sources: Vec<String>,
}

/// `[applies_to]`: which images the bundle claims; all must match.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppliesTo {
    /// Modality (0008,0060).
    pub modality: Vec<String>,
    /// Body Part Examined (0018,0015).
    pub body_part: Vec<String>,
    /// View Position (0018,5101); empty: any, and none need be stated, as of ultrasound.
    pub view: Vec<String>,
    /// Completed years, both ends included.
    pub age_years: AgeRange,
}

/// A range of completed years, both ends included.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "min and max say it")]
pub struct AgeRange {
    pub min: u8,
    pub max: u8,
}

/// `[input]`: the tensor `[1, 1, height, width]` of f32 and how it is made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as in preprocess::Geometry")]
pub struct InputSpec {
    pub tensor: String,
    pub width: u32,
    pub height: u32,
    pub low_percentile: f32,
    pub high_percentile: f32,
    pub mean: f32,
    pub std: f32,
    /// What of a frame is seen; absent: all of it.
    pub mask: Option<Mask>,
}

/// What is left of a frame before it is made an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mask {
    /// The ultrasound sector ([`crate::preprocess::Sector`]).
    Sector,
}

/// `[output]`: the tensor `[1, K]` of f32 logits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "one key")]
pub struct OutputSpec {
    pub tensor: String,
}

/// `[[finding]]`: one claimed finding.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingSpec {
    /// Kebab-case identity.
    pub label: heapless::String<48>,
    /// Index into the logits.
    pub output: usize,
    /// As written inside a sentence.
    pub words: String,
    /// Code of the finding.
    pub code: Code,
    /// Platt scaling fitted on held-out images.
    pub calibration: Calibration,
    /// Below: absent.
    pub absent_below: Probability,
    /// At or above: present.
    pub present_above: Probability,
    /// Share of positives in the bundle's development data.
    pub prevalence: Probability,
    /// Share of test images at or above `present_above` that have the finding.
    pub positives_among_present: Probability,
    /// View Position (0018,5101) values that it is decided on; absent: all that the
    /// bundle applies to.
    pub view: Option<Vec<String>>,
    /// AUROC on the test split: estimate, and 95 % interval.
    pub auroc: [f32; 3],
    /// Share of positives at or above `absent_below`, with interval.
    pub sensitivity_at_absent: [f32; 3],
    /// Share of negatives below `present_above`, with interval.
    pub specificity_at_present: [f32; 3],
}

impl FindingSpec {
    /// True where the finding is decided on images of `view`.
    #[must_use]
    pub fn is_for(&self, view: Option<&str>) -> bool {
        self.view.as_ref().is_none_or(|views| view.is_some_and(|view| views.iter().any(|v| v == view)))
    }
}

/// p = 1 / (1 + exp(-(slope · logit + intercept))).
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the formula says it")]
pub struct Calibration {
    pub slope: f32,
    pub intercept: f32,
}

/// `[not_assessed]`: what a reader might expect and this bundle does not look for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "one key")]
pub struct NotAssessed {
    pub words: Vec<String>,
}

/// `[golden]`: an input whose output must be reproduced before the bundle serves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// File of little-endian f32, the input tensor in C order.
    pub input: String,
    /// File of little-endian f32, the logits.
    pub output: String,
    /// Largest accepted difference, a logit.
    pub tolerance: f32,
}

impl InputSpec {
    /// How the input is made.
    #[must_use]
    pub const fn geometry(&self) -> Geometry {
        let Self { width, height, low_percentile, high_percentile, mean, std, .. } = *self;
        Geometry { width, height, low_percentile, high_percentile, mean, std }
    }

    /// What is impossible in it.
    #[must_use]
    pub fn contradiction(&self) -> Option<String> {
        let Self { width, height, low_percentile, high_percentile, std, .. } = self;
        if !(1..=MAX_SIDE).contains(width) || !(1..=MAX_SIDE).contains(height) {
            return Some(format!("[input] {width} x {height} is not in 1 to {MAX_SIDE}"));
        }
        if !(0.0 <= *low_percentile && low_percentile < high_percentile && *high_percentile <= 100.0 && *std > 0.0) {
            return Some("[input] needs 0 <= low_percentile < high_percentile <= 100 and std > 0".into());
        }
        None
    }
}

impl Manifest {
    /// Parses and checks a manifest.
    ///
    /// # Errors
    /// The text is no manifest of format 1, with line where TOML knows it, or a value
    /// contradicts another; the message says which.
    pub fn parse(text: &str) -> Result<Self, String> {
        parsed(text, Self::contradiction)
    }

    /// How the input is made.
    #[must_use]
    pub const fn geometry(&self) -> Geometry {
        self.input.geometry()
    }

    fn contradiction(&self) -> Option<String> {
        if self.format != FORMAT {
            return Some(format!("format is {}, this residentd reads {FORMAT}", self.format));
        }
        if let Some(what) = self.input.contradiction() {
            return Some(what);
        }
        if !(1..=MAX_FINDINGS).contains(&self.finding.len()) {
            return Some(format!("{} findings, need 1 to {MAX_FINDINGS}", self.finding.len()));
        }
        if let Some(wrong) = self.cine.and_then(Cine::contradiction) {
            return Some(wrong);
        }
        let needed = ["model.onnx", "CARD.md", &self.golden.input, &self.golden.output];
        if let Some(wrong) = undigested(&self.digests, &needed) {
            return Some(wrong);
        }
        self.finding.iter().enumerate().find_map(|(i, finding)| {
            let twin = self.finding[..i].iter().any(|f| f.label == finding.label || f.output == finding.output);
            let ordered = finding.absent_below <= finding.present_above;
            let finite = finding.calibration.slope.is_finite() && finding.calibration.intercept.is_finite();
            let views = finding
                .view
                .as_ref()
                .is_none_or(|views| !views.is_empty() && views.iter().all(|v| self.applies_to.view.contains(v)));
            (twin || !ordered || !finite || !views).then(|| {
                format!(
                    "finding {:?}: label and output must be its own, absent_below <= present_above, calibration finite, view some of [applies_to] view",
                    finding.label
                )
            })
        })
    }
}

/// A manifest of any kind, in which `contradiction` finds nothing.
///
/// # Errors
/// The text is no such manifest, with line where TOML knows it, or what was found.
pub fn parsed<M: DeserializeOwned>(text: &str, contradiction: impl Fn(&M) -> Option<String>) -> Result<M, String> {
    let manifest = toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())?;
    contradiction(&manifest).map_or(Ok(manifest), Err)
}

/// What `[digests]` lacks of the files that are `needed`, or names outside the folder.
#[must_use]
pub fn undigested(digests: &BTreeMap<String, Digest>, needed: &[&str]) -> Option<String> {
    if let Some(name) = needed.iter().find(|name| !digests.contains_key(**name)) {
        return Some(format!("[digests] lacks {name:?}"));
    }
    let leaves = |name: &&String| name.split('/').any(|part| part.is_empty() || part == "." || part == "..");
    let outside = digests.keys().find(leaves);
    outside.map(|name| format!("[digests] names {name:?}, which is outside the bundle"))
}
