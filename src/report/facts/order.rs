//! The clinical question: which findings of the vocabulary the order's text names. The
//! text itself goes no further than this file.

use super::{Label, MAX_ASKED};
use crate::report::vocabulary::ENTRIES;

/// The findings that `texts` (reason for study, procedure descriptions) name, in the
/// vocabulary's order. Naming is all that is recognised: "no pneumonia", "pneumonia?" and
/// "rule out pneumonia" all ask about pneumonia.
#[must_use]
pub fn asked(texts: &[String]) -> heapless::Vec<Label, MAX_ASKED> {
    let texts: Vec<String> = texts.iter().map(|text| spaced(text)).collect();
    let named = |term: &str| texts.iter().any(|text| text.contains(&spaced(term)));
    ENTRIES
        .iter()
        .filter(|entry| entry.is_finding() && entry.terms.iter().any(|term| named(term)))
        .filter_map(|entry| entry.label.try_into().ok())
        .take(MAX_ASKED)
        .collect()
}

/// Lower case, one space around each word: a term is found only as whole words.
fn spaced(text: &str) -> String {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    format!(" {} ", words.join(" "))
}
