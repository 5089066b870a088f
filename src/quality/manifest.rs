//! `manifest.toml` of a fitness bundle, format 1: which images it judges, and what it refuses them for.
//!
//! Invariants after parsing: 1. `format` is 1 and `kind` is `fitness`; 2. each flaw has an output of
//! its own and a threshold that is a number; 3. every file that will be opened has a digest, and file
//! names never leave the folder.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Unfit;
use crate::digest::Digest;
use crate::infer::manifest::{About, Golden, InputSpec, OutputSpec, parsed, undigested};

/// The only format that this version reads.
const FORMAT: u32 = 1;

/// A parsed manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitnessManifest {
    format: u32,
    kind: String,
    /// `[bundle]`
    pub bundle: About,
    /// `[applies_to]`
    pub applies_to: Judged,
    /// `[input]`
    pub input: InputSpec,
    /// `[output]`
    pub output: OutputSpec,
    /// `[[flaw]]`, in the order in which they are named where there are several.
    pub flaw: Vec<FlawSpec>,
    /// `[golden]`
    pub golden: Golden,
    /// `[digests]`: SHA-256 of each file in the folder but the manifest.
    pub digests: BTreeMap<String, Digest>,
}

/// `[applies_to]`: which images it judges; both must match.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Modality (0008,0060).
    pub modality: Vec<String>,
    /// Body Part Examined (0018,0015).
    pub body_part: Vec<String>,
}

/// `[[flaw]]`: one reason to refuse.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlawSpec {
    /// Which.
    pub code: Unfit,
    /// Index into the logits.
    pub output: usize,
    /// A logit from here up refuses the image; chosen on validation images that are fit.
    pub refused_from: f32,
    /// Share of fit adults' and children's test images that it refuses: estimate, 95 % interval.
    pub fit_refused: [f32; 3],
    /// Share of test images with the flaw that it refuses, with interval.
    pub flawed_refused: [f32; 3],
}

impl FitnessManifest {
    /// Parses and checks a manifest.
    ///
    /// # Errors
    /// The text is no manifest of a fitness bundle of format 1, or a value contradicts another.
    pub fn parse(text: &str) -> Result<Self, String> {
        parsed(text, Self::contradiction)
    }

    fn contradiction(&self) -> Option<String> {
        if self.format != FORMAT || self.kind != "fitness" {
            return Some(format!("format {} of kind {:?}, this residentd reads {FORMAT}", self.format, self.kind));
        }
        if let Some(what) = self.input.contradiction() {
            return Some(what);
        }
        let twin = |i: usize, flaw: &FlawSpec| {
            self.flaw[..i].iter().any(|other| other.code == flaw.code || other.output == flaw.output)
        };
        if let Some((_, flaw)) =
            self.flaw.iter().enumerate().find(|(i, flaw)| twin(*i, flaw) || !flaw.refused_from.is_finite())
        {
            return Some(format!(
                "flaw {:?}: code and output must be its own, refused_from a number",
                flaw.code.code()
            ));
        }
        if self.flaw.is_empty() {
            return Some("there is no [[flaw]]".to_owned());
        }
        undigested(&self.digests, &["model.onnx", "CARD.md", &self.golden.input, &self.golden.output])
    }
}
