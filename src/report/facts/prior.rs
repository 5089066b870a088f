//! An earlier outcome of the same patient, and what changed since.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::macros::format_description;

use super::Label;
use crate::digest::Digest;
use crate::infer::findings::MAX_FINDINGS;

/// The outcome that an image was compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prior {
    /// Day of the earlier image.
    pub date: Day,
    /// SHA-256 of the earlier sealed outcome.
    pub sha256: Digest,
}

/// How a finding compares with the prior.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Change {
    New,
    Larger,
    Unchanged,
    Smaller,
    Resolved,
}

impl Change {
    /// All changes.
    pub const ALL: [Self; 5] = [Self::New, Self::Larger, Self::Unchanged, Self::Smaller, Self::Resolved];

    /// Name as serialised, and in the language files (`change-new`).
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Larger => "larger",
            Self::Unchanged => "unchanged",
            Self::Smaller => "smaller",
            Self::Resolved => "resolved",
        }
    }
}

/// A finished comparison: what goes into a fact sheet of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// With what.
    pub prior: Prior,
    /// What changed, by label. A change that contradicts the finding's state is left out
    /// of the sheet.
    pub changes: heapless::Vec<(Label, Change), MAX_FINDINGS>,
}

/// A calendar day that exists, `2026-11-23`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(heapless::String<10>);

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a day like 2026-11-23")]
pub struct NotADay;

impl TryFrom<String> for Day {
    type Error = NotADay;

    fn try_from(text: String) -> Result<Self, NotADay> {
        text.parse()
    }
}

impl std::str::FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        time::Date::parse(text, format_description!("[year]-[month]-[day]")).map_err(|_| NotADay)?;
        heapless::String::try_from(text).map(Self).map_err(|_| NotADay)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.0.as_str().to_owned()
    }
}

impl Day {
    /// As `YYYY-MM-DD`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
