//! The grammar: a fact sheet as statements, statements as sentences of any language, and
//! sentences back as statements.
//!
//! [`plan`] decides what is said, in which order; it knows no language. [`Voice`] says a
//! statement in one, and reads a sentence back by the same patterns, so that what a text
//! claims can be held against the sheet (promise 8). Nothing here reads a pixel, a clock
//! or the header's free text.

mod claims;
mod compose;
mod names;
pub mod patient;
pub mod plan;
mod read;
mod say;

pub use claims::{Claims, Contradiction, check};
pub use compose::{complete, compose};
pub use names::Names;
pub use read::Unreadable;
pub use say::Voice;

use super::facts::{Change, Day, Fact, FitnessNote, Hedge, Image, Label, Side, SizeMm, UnreadKind, Zone};
use crate::infer::findings::Probability;
use crate::quality::Unfit;

/// One thing that a report says. Each is one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// This is no patient's image.
    TestImage,
    /// What the image is.
    Image(Image),
    /// With what it was compared.
    Compared(Day),
    /// A finding is there, may be there, or is less likely.
    Hedged(Spot, Hedge, Percent),
    /// Findings of which there is no sign.
    NoSign(Vec<(Label, Percent)>),
    /// How many of the images called so had it, in the bundle's test data.
    Flagged(Label, Share),
    /// A finding against the prior.
    Changed(Label, Change, Day),
    /// What limits the reading.
    Note(FitnessNote),
    /// What was not assessed.
    NotAssessed(Vec<Name>),
    /// The order asks about this, and the answer follows.
    Asked(Label),
    /// The order asks about this, and there is no answer.
    AskedNotAssessed(Label),
    /// There is no sign of any assessed finding.
    NoSignOfAll(Vec<Label>),
    /// No assessed finding is likely enough for the Impression.
    NothingReached,
    /// The bundle assesses nothing here.
    NothingAssessed,
    /// Somebody must look at once.
    Urgent(Label),
    /// Compare with earlier images, which this device has not.
    CompareEarlier,
    /// Look at the prior beside this one.
    ComparePrior(Day),
    /// Another view can help.
    OtherView,
    /// Nothing else is excluded.
    OtherDisease,
    /// A clinician must review it.
    MustReview,
    /// It was not read.
    NotRead,
    /// Why it was not read.
    Because(UnreadKind, String),
    /// What makes it unfit to be read, and what to do.
    Unfit(Unfit),
    /// What a human should do where nothing was read.
    Next(Next),
}

/// A finding with its place and size, where they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in Fact")]
pub struct Spot {
    pub label: Label,
    pub side: Option<Side>,
    pub zone: Option<Zone>,
    pub size_mm: Option<SizeMm>,
}

impl Spot {
    /// The spot of `fact`.
    #[must_use]
    pub fn of(fact: &Fact) -> Self {
        Self { label: fact.label.clone(), side: fact.side, zone: fact.zone, size_mm: fact.size_mm }
    }
}

/// Something with a label, or with words only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "said above")]
pub enum Name {
    Label(Label),
    Words(String),
}

/// A probability as it is written: in whole percent, and never certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Percent {
    /// Below 1 %.
    Least,
    /// 1 to 99 %.
    Whole(u8),
    /// Above 99 %.
    Most,
}

impl Percent {
    /// Of `probability`.
    #[must_use]
    pub fn of(probability: Probability) -> Self {
        match f32::from(probability) * 100.0 {
            p if p < 1.0 => Self::Least,
            p if p > 99.0 => Self::Most,
            p => Self::Whole(whole(p)),
        }
    }
}

/// A share as a count of a hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Less than one of 100.
    Least,
    /// 1 to 100 of 100.
    Whole(u8),
}

impl Share {
    /// Of `share`.
    #[must_use]
    pub fn of(share: Probability) -> Self {
        match f32::from(share) * 100.0 {
            count if count < 0.5 => Self::Least,
            count => Self::Whole(whole(count)),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a probability times 100 is 0 to 100; `as` saturates"
)]
fn whole(hundredths: f32) -> u8 {
    hundredths.round() as u8
}

/// What a human should do where nothing was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in ReasonCode")]
pub enum Next {
    NoModel,
    Unfit,
    NoPixels,
    Undecodable,
    Malformed,
    Device,
}

impl Next {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::NoModel, Self::Unfit, Self::NoPixels, Self::Undecodable, Self::Malformed, Self::Device];

    /// Name in the language files (`next-unfit`).
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::NoModel => "no-model",
            Self::Unfit => "unfit",
            Self::NoPixels => "no-pixels",
            Self::Undecodable => "undecodable",
            Self::Malformed => "malformed",
            Self::Device => "device",
        }
    }
}

#[cfg(test)]
mod tests;
