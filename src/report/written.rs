//! What was written of one image, and how: the part of the sealed payload that says what
//! its texts come from.

use serde::{Deserialize, Serialize};

use super::facts::FactSheet;
use super::grammar::patient::Summary;
use super::reading::Text;
use crate::language::Language;

/// The facts of a reading, and the texts that were written from them beside
/// [`super::reading::Reading::text`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// All that the texts come from.
    pub sheet: FactSheet,
    /// How the clinician's text came to be.
    pub composition: Composition,
    /// The language of the clinician's text.
    pub language: Language,
    /// The clinician's text in further languages, by the grammar.
    pub also: Vec<Rendering>,
    /// For the patient, none before a human accepted the report.
    pub summaries: Vec<Summary>,
}

/// The clinician's text in a further language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rendering {
    /// In which language.
    pub language: Language,
    /// The text.
    pub text: Text,
}

/// How a clinician's text came to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composition {
    /// Who wrote it.
    pub composer: Composer,
    /// What the guard did with the neural composer's draft, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<GuardCounts>,
    /// Why the grammar wrote in the neural composer's place, where it was to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
}

/// Who wrote a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Composer {
    #[default]
    Grammar,
    Neural,
}

/// What the guard did, in sentences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardCounts {
    /// How many the neural composer drafted.
    pub drafted: u32,
    /// How many of those were removed.
    pub removed: u32,
    /// How many the grammar supplied.
    pub supplied: u32,
}

/// Why the grammar wrote in the neural composer's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    /// The tokenizer does not match the decoder.
    TokenizerMismatch,
    /// The decoder went round in circles.
    Loop,
    /// The decoder wrote nothing.
    Nothing,
    /// What it wrote is no text.
    NotText,
    /// It wrote a token that it must not.
    ForbiddenToken,
    /// It does not know this format of fact sheet.
    UnknownFormat,
    /// It failed otherwise, or took too long.
    Failed,
}

/// What the neural composer had to say, after the guard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Draft {
    /// It is not in use.
    #[default]
    None,
    /// It was to write, and did not.
    Fallback(Fallback),
    /// Its Findings and Impression, held to the sheet and completed by the guard.
    Guarded {
        /// By sentence.
        findings: Vec<String>,
        /// By sentence.
        impression: Vec<String>,
        /// What the guard did.
        counts: GuardCounts,
    },
}
