//! What was written of one image, and how: the part of the sealed payload that says what
//! its texts come from.

use serde::{Deserialize, Serialize};

use super::facts::FactSheet;
use super::grammar::patient::Summary;
use super::guard::{GuardCounts, Guarded};
use super::reading::Text;
use crate::infer::findings::BundleIdentity;
use crate::infer::writer::refusal::RefusalCode;
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composition {
    /// Who wrote it.
    pub composer: Composer,
    /// The writer bundle that drafted it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<BundleIdentity>,
    /// What the guard did with the draft, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<GuardCounts>,
    /// Why the grammar wrote alone, where a writer was to draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
}

/// Who wrote a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Composer {
    /// The grammar alone.
    #[default]
    Grammar,
    /// A writer bundle drafted, the guard removed, the grammar supplied the rest.
    Neural,
}

/// Why the grammar wrote alone where a writer was to draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    /// The writer bundle does not serve.
    Unusable,
    /// The writer gave no text, and said why.
    Refused(RefusalCode),
    /// The reader process died of it, or ran out of time.
    Died,
    /// Of its sentences, the guard kept none.
    NothingKept,
    /// The clinician's text is in another language than the writer's.
    OtherLanguage,
}

/// What a writer had to say, after the guard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Draft {
    /// None is in use.
    #[default]
    None,
    /// One was to draft, and there is no draft.
    Fallback(Fallback),
    /// What the guard kept of its draft.
    Guarded {
        /// Sentences for the Findings, the facts that they speak of, and what was done.
        guarded: Box<Guarded>,
        /// Who drafted.
        writer: Box<BundleIdentity>,
    },
}
