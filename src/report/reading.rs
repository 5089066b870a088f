//! `Reading`: everything that came of one image, as it crosses from reader to gateway.

use serde::{Deserialize, Serialize};

use super::written::Written;
use crate::digest::Digest;
use crate::infer::findings::Findings;
use crate::quality::Unfit;
use crate::study::Study;

/// The result of reading one instance. Exactly one leaves the reader for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The header, where it could be read.
    pub study: Option<Study>,
    /// What came of it.
    pub outcome: Outcome,
    /// The draft in words. The reader leaves it empty: [`super::write`] fills it in.
    pub text: Text,
    /// The facts that `text` comes from, and what else was written from them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Box<Written>>,
    /// Digest of the decoded pixels (all frames, native samples, little endian), where decoded.
    pub pixels_sha256: Option<Digest>,
    /// Time each stage took, in the order they ran.
    pub timings: Vec<Timing>,
}

/// What came of an image: promise 2 allows nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was read.
    Report(Box<Findings>),
    /// It was deliberately not read.
    Abstention(Reason),
    /// Reading it failed.
    Failure(Reason),
}

/// Why an image was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// For machines.
    pub code: ReasonCode,
    /// For people: completes the sentence "Not read, because …", no full stop.
    pub words: String,
    /// What makes the image unfit, where that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfit: Option<Unfit>,
}

impl Reason {
    /// Any reason but that the image is unfit.
    #[must_use]
    pub fn new(code: ReasonCode, words: impl Into<String>) -> Self {
        Self { code, words: words.into(), unfit: None }
    }
}

/// Why an image was not read, for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCode {
    /// No bundle claims this modality, body part, view or age.
    NoModel,
    /// The image is not fit for reading; `quality` said why.
    Unfit,
    /// The instance holds no pixel data.
    NoPixels,
    /// The image exceeds a named bound.
    TooLarge,
    /// This build cannot decode the pixels.
    Undecodable,
    /// The file contradicts itself or the standard.
    Malformed,
    /// The reader process died or ran out of time on it, repeatedly.
    ReaderDied,
    /// The reader failed in itself, through no fault of the image.
    Internal,
}

impl ReasonCode {
    /// The code as it is serialised.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoModel => "no-model",
            Self::Unfit => "unfit",
            Self::NoPixels => "no-pixels",
            Self::TooLarge => "too-large",
            Self::Undecodable => "undecodable",
            Self::Malformed => "malformed",
            Self::ReaderDied => "reader-died",
            Self::Internal => "internal",
        }
    }
}

/// The draft in words, plain text, sentences in reading order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// What was seen, by sentence.
    pub findings: Vec<String>,
    /// What it means, by sentence, most urgent first.
    pub impression: Vec<String>,
    /// What this draft is and is not.
    pub disclaimer: Vec<String>,
}

/// How long a stage took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// The stage: `validate`, `decode`, `infer`, …
    pub stage: String,
    /// Wall milliseconds.
    pub ms: f64,
}
