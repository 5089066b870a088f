//! The fact sheet: the one value from which all text of a report comes.
//!
//! It is JSON of format 1 in the sealed payload, and holds nothing free: labels, codes,
//! bands, numbers, and the model bundle's own words, cleaned. Invariants, held by
//! [`FactSheet::check`] and by deserialising:
//!
//! 1. `format` is [`FORMAT`]: a sheet of another format is refused, never half understood.
//! 2. No label stands twice in `facts`, in `asked` or in `not_assessed`; none stands in
//!    `facts` and in `not_assessed`. What is `asked` is of the vocabulary.
//! 3. `state` and `hedge` of a fact are those of its probability ([`Hedge::of`]).
//! 4. A change needs `prior`; `resolved` is said only of what is absent, every other
//!    change only of what is not.
//! 5. An image that was not read (`unread`) has no facts, and one that was has a `bundle`.

mod hedge;
mod image;
mod order;
mod place;
mod prior;
mod sheet;

pub use hedge::Hedge;
pub use image::{AgeBand, Image, Kind, Region, View};
pub use order::asked;
pub use place::{Side, SizeMm, Zone};
pub use prior::{Change, Comparison, Day, Prior};
pub use sheet::clean;

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::infer::findings::{Band, BundleIdentity, Code, MAX_FINDINGS, Probability};
use crate::quality::Unfit;
use crate::report::reading::ReasonCode;
use crate::report::vocabulary;
use crate::study::{Sex, Subject};

/// The only format of a fact sheet that this version reads and writes.
pub const FORMAT: u16 = 1;
/// Most findings that an order is taken to ask about.
pub const MAX_ASKED: usize = 8;
/// Most things named as not assessed: a bundle's list, and its findings of other views.
pub const MAX_NOT_ASSESSED: usize = 2 * MAX_FINDINGS;
/// Longest words taken over from a bundle or a reason, in characters.
pub const MAX_WORDS: usize = 400;

/// A label of a finding, kebab-case, as in manifests and [`crate::report::vocabulary`].
pub type Label = heapless::String<48>;

/// What is known of one image, as written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// [`FORMAT`].
    pub format: u16,
    /// A patient's image, or a test object's.
    pub subject: Subject,
    /// What kind of image it is.
    pub image: Image,
    /// Patient's Sex (0010,0040).
    pub sex: Option<Sex>,
    /// The patient's age, in bands.
    pub age: Option<AgeBand>,
    /// What the order asks about, in the order of [`crate::report::vocabulary::ENTRIES`].
    pub asked: heapless::Vec<Label, MAX_ASKED>,
    /// The findings that were assessed, in the bundle's order.
    pub facts: heapless::Vec<Fact, MAX_FINDINGS>,
    /// What was not assessed and might be expected here.
    pub not_assessed: heapless::Vec<NotAssessed, MAX_NOT_ASSESSED>,
    /// What limits the reading of this very image.
    pub fitness: heapless::Vec<FitnessNote, 4>,
    /// The earlier outcome that this image was compared with.
    pub prior: Option<Prior>,
    /// Why it was not read, where it was not.
    pub unread: Option<Unread>,
    /// The model bundle that read it, with its declared limits.
    pub bundle: Option<BundleIdentity>,
}

/// One assessed finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The bundle's label.
    pub label: Label,
    /// The bundle's own words for it (English), used where the vocabulary lacks the label.
    pub words: String,
    /// Its code.
    pub code: Code,
    /// Present, uncertain or absent, by the bundle's thresholds.
    pub state: Band,
    /// Calibrated probability.
    pub probability: Probability,
    /// The row of the hedge table: `state` and `probability` in one word.
    pub hedge: Hedge,
    /// Which side, where the bundle says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Which zone, where the bundle says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// Largest diameter in millimetres, where the bundle measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_mm: Option<SizeMm>,
    /// Against [`Facts::prior`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Share of positives where the probability was calibrated.
    pub prevalence: Probability,
    /// Share of the bundle's test images called present that have the finding.
    pub positives_among_present: Probability,
}

/// Something that was not assessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotAssessed {
    /// Its label, where the vocabulary has it.
    pub label: Option<Label>,
    /// The bundle's words (English).
    pub words: String,
}

/// What limits the reading of an image that is fit to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FitnessNote {
    /// The header does not say how old the patient is.
    AgeUnknown,
    /// The header does not say which view it is.
    ViewUnknown,
    /// An AP view, in which the heart looks larger, with a finding of the heart.
    ApView,
}

/// Why an image was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unread {
    /// Declined or failed.
    pub kind: UnreadKind,
    /// Why, for machines.
    pub code: ReasonCode,
    /// Why, in the reader's words (English), cleaned.
    pub words: String,
    /// What makes the image unfit, where that is why: it has words in every language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfit: Option<Unfit>,
}

/// Whether the reader declined or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in reading::Outcome")]
pub enum UnreadKind {
    Abstention,
    Failure,
}

/// What is known of a finding: every label has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum State {
    Present,
    Uncertain,
    Absent,
    NotAssessed,
}

/// [`Facts`] that keep the invariants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Facts", into = "Facts")]
pub struct FactSheet(Facts);

impl Deref for FactSheet {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.0
    }
}

impl From<FactSheet> for Facts {
    fn from(sheet: FactSheet) -> Self {
        sheet.0
    }
}

/// Which invariant facts break.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum NotAFactSheet {
    #[error("fact sheet of format {0}, this version reads format {FORMAT}")]
    Format(u16),
    #[error("`{0}` stands twice in the fact sheet")]
    Twice(Label),
    #[error("the order asks about `{0}`, which is no finding of the vocabulary")]
    Asked(Label),
    #[error("state or hedge of `{0}` are not those of its probability")]
    Hedge(Label),
    #[error("the change of `{0}` has no prior, or contradicts its state")]
    Change(Label),
    #[error("words of the fact sheet are not clean: letters, digits, spaces, at most {MAX_WORDS} characters")]
    Words,
    #[error("an image that was not read has facts, or one that was has no bundle")]
    Unread,
}

impl TryFrom<Facts> for FactSheet {
    type Error = NotAFactSheet;

    fn try_from(facts: Facts) -> Result<Self, NotAFactSheet> {
        facts.check()?;
        Ok(Self(facts))
    }
}

impl Facts {
    fn check(&self) -> Result<(), NotAFactSheet> {
        if self.format != FORMAT {
            return Err(NotAFactSheet::Format(self.format));
        }
        if self.unread.is_some() == self.bundle.is_some() || (self.unread.is_some() && !self.facts.is_empty()) {
            return Err(NotAFactSheet::Unread);
        }
        no_label_twice(self.asked.iter())?;
        // It has no other name than the vocabulary's, which the grammar must read back.
        let is_finding = |label: &&Label| vocabulary::entry(label).is_some_and(vocabulary::Entry::is_finding);
        if let Some(unknown) = self.asked.iter().find(|label| !is_finding(label)) {
            return Err(NotAFactSheet::Asked(unknown.clone()));
        }
        no_label_twice(
            self.facts.iter().map(|f| &f.label).chain(self.not_assessed.iter().filter_map(|n| n.label.as_ref())),
        )?;
        let unread = self.unread.iter().map(|u| &u.words);
        let words = self.facts.iter().map(|f| &f.words).chain(self.not_assessed.iter().map(|n| &n.words));
        if words.chain(unread).any(|words| clean(words) != *words) {
            return Err(NotAFactSheet::Words);
        }
        self.facts.iter().try_for_each(|fact| self.check_fact(fact))
    }

    fn check_fact(&self, fact: &Fact) -> Result<(), NotAFactSheet> {
        if fact.hedge != Hedge::of(fact.state, fact.probability) {
            return Err(NotAFactSheet::Hedge(fact.label.clone()));
        }
        let fits = match fact.change {
            None => true,
            Some(Change::Resolved) => self.prior.is_some() && fact.state == Band::Absent,
            Some(Change::New | Change::Larger | Change::Unchanged | Change::Smaller) => {
                self.prior.is_some() && fact.state != Band::Absent
            }
        };
        if fits { Ok(()) } else { Err(NotAFactSheet::Change(fact.label.clone())) }
    }

    /// What is known of the finding `label`.
    #[must_use]
    pub fn state_of(&self, label: &str) -> State {
        match self.facts.iter().find(|f| f.label == label).map(|f| f.state) {
            Some(Band::Present) => State::Present,
            Some(Band::Uncertain) => State::Uncertain,
            Some(Band::Absent) => State::Absent,
            None => State::NotAssessed,
        }
    }

    /// The fact with `label`, where it was assessed.
    #[must_use]
    pub fn fact(&self, label: &str) -> Option<&Fact> {
        self.facts.iter().find(|f| f.label == label)
    }
}

fn no_label_twice<'a>(labels: impl Iterator<Item = &'a Label>) -> Result<(), NotAFactSheet> {
    let mut seen: Vec<&Label> = Vec::new();
    for label in labels {
        if seen.contains(&label) {
            return Err(NotAFactSheet::Twice(label.clone()));
        }
        seen.push(label);
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
