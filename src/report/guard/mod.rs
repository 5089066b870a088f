//! The guard: what of a drafted text may stand beside a fact sheet. It runs in the gateway,
//! on sentences that a process without trust wrote.
//!
//! It removes and never mends; one word it adds, and that is the fact's own hedge. For any
//! sheet and any draft:
//!
//! 1. A kept sentence speaks of findings of the sheet only, and of each with its state: what
//!    is denied is "no sign of" there, what is asserted is present, what is held possible
//!    is uncertain.
//! 2. What is asserted plainly gets the hedge of its row behind it: `(likely)`.
//! 3. What it places, the sheet places there; what it compares, the sheet compares so.
//! 4. It has no digit, no name, no grade, no advice, no word of certainty, and no word that
//!    the labeler and the table's few filler words do not account for (fail closed).
//! 5. No finding is spoken of in two kept sentences, and there are few enough of them.
//!
//! The Impression, and every fact that no kept sentence speaks of, are the grammar's
//! ([`super::grammar::complete`]): a draft can leave out, but cannot hide. What was removed is counted by [`Reason`] in
//! [`GuardCounts`], which is part of the sealed payload.

mod cut;
mod judge;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::facts::{FactSheet, Label};

/// Most sentences of a draft that are looked at; a decoder that loops writes more.
pub const MAX_SENTENCES: usize = 64;

/// What a writer drafted: sentences of Findings and Impression, in any cut.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// What was seen.
    pub findings: Vec<String>,
    /// What it means.
    pub impression: Vec<String>,
}

/// Why a sentence was removed; the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It is no sentence of plain English letters, or far too long.
    Unreadable,
    /// It measures, counts or dates: a digit or a unit.
    Measurement,
    /// It names a person, an age, a day, or something that was redacted.
    Identity,
    /// It tells somebody what to do, or how soon.
    Urging,
    /// It is surer than any draft may be, or in another way sure than the sheet.
    Certainty,
    /// It grades what the sheet does not grade.
    Grading,
    /// It compares with what the sheet does not compare with.
    Comparison,
    /// It denies and asserts in one breath, or doubts what it denies.
    Tangled,
    /// It speaks of what was not assessed.
    NotAssessed,
    /// It says the opposite of the sheet.
    Contradiction,
    /// It places a finding where the sheet does not.
    Place,
    /// It has a word that cannot be accounted for.
    Unaccounted,
    /// It says nothing of any finding.
    SaysNothing,
    /// Its findings were spoken of before.
    Repeated,
    /// It came after [`MAX_SENTENCES`].
    TooMany,
}

/// What the guard did to a draft.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardCounts {
    /// Sentences of the draft.
    pub sentences: usize,
    /// Of them kept.
    pub kept: usize,
    /// Of them removed, by reason.
    pub removed: BTreeMap<Reason, usize>,
    /// Facts of the sheet that no kept sentence speaks of: the grammar does.
    pub supplied: usize,
}

impl GuardCounts {
    /// Adds those of another draft.
    pub fn add(&mut self, other: &Self) {
        self.sentences += other.sentences;
        self.kept += other.kept;
        self.supplied += other.supplied;
        for (reason, count) in &other.removed {
            *self.removed.entry(*reason).or_default() += count;
        }
    }

    /// Share of the drafted sentences that were removed, where there were any.
    #[must_use]
    pub fn share_removed(&self) -> Option<f64> {
        (self.sentences > 0).then(|| (self.sentences - self.kept) as f64 / self.sentences as f64)
    }
}

/// What may stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guarded {
    /// The kept sentences, for Findings.
    pub sentences: Vec<String>,
    /// The facts that they speak of.
    pub spoken: BTreeSet<Label>,
    /// What was done.
    pub counts: GuardCounts,
}

/// Holds `draft` against `sheet`.
#[must_use]
pub fn guard(sheet: &FactSheet, draft: &Draft) -> Guarded {
    let mut guarded = Guarded::default();
    let drafted = draft.findings.iter().chain(&draft.impression).flat_map(|text| cut::sentences(text));
    for (at, sentence) in drafted.enumerate() {
        guarded.counts.sentences += 1;
        let judged = if at < MAX_SENTENCES { judge::judge(sheet, sentence) } else { Err(Reason::TooMany) };
        let fresh = judged.and_then(|kept| {
            let is_fresh = kept.labels.is_disjoint(&guarded.spoken);
            if is_fresh { Ok(kept) } else { Err(Reason::Repeated) }
        });
        match fresh {
            Ok(kept) => {
                guarded.counts.kept += 1;
                guarded.sentences.push(kept.text);
                guarded.spoken.extend(kept.labels);
            }
            Err(reason) => *guarded.counts.removed.entry(reason).or_default() += 1,
        }
    }
    guarded.counts.supplied = sheet.facts.iter().filter(|fact| !guarded.spoken.contains(&fact.label)).count();
    guarded
}

#[cfg(test)]
mod tests;
