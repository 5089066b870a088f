//! The hedge table: the one place where a probability becomes a word, and back.

use serde::{Deserialize, Serialize};

use crate::infer::findings::{Band, Probability};

/// How surely a finding is spoken of: one row of the table, surest first. A draft is never
/// surer than "likely"; a finding that the bundle calls present below that (a rare one,
/// with a low threshold) is "suspected"; and one that is called absent, but is not
/// improbable, is never "no sign of".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hedge {
    /// Present, from 75 %.
    Likely,
    /// Present, below that.
    Suspected,
    /// Uncertain, from 50 %.
    MayWellBe,
    /// Uncertain, from 10 %.
    Possible,
    /// Uncertain, below that.
    CannotBeExcluded,
    /// Absent, from 5 %.
    LessLikely,
    /// Absent, below that.
    NoSign,
}

impl Hedge {
    /// All rows, surest first.
    pub const ALL: [Self; 7] = [
        Self::Likely,
        Self::Suspected,
        Self::MayWellBe,
        Self::Possible,
        Self::CannotBeExcluded,
        Self::LessLikely,
        Self::NoSign,
    ];

    /// The row for a finding in `band` with `probability`.
    ///
    /// # Panics
    /// Never: each band has a row from probability 0.
    #[must_use]
    pub fn of(band: Band, probability: Probability) -> Self {
        let fits = |hedge: &Self| hedge.band() == band && f32::from(probability) >= hedge.at_least();
        Self::ALL.into_iter().find(fits).expect("each band has a row from probability 0")
    }

    /// The band that the row belongs to.
    #[must_use]
    pub const fn band(self) -> Band {
        match self {
            Self::Likely | Self::Suspected => Band::Present,
            Self::MayWellBe | Self::Possible | Self::CannotBeExcluded => Band::Uncertain,
            Self::LessLikely | Self::NoSign => Band::Absent,
        }
    }

    /// Least probability of the row, 0.0 to 1.0.
    #[must_use]
    pub const fn at_least(self) -> f32 {
        match self {
            Self::Likely => 0.75,
            Self::MayWellBe => 0.5,
            Self::Possible => 0.1,
            Self::LessLikely => 0.05,
            Self::Suspected | Self::CannotBeExcluded | Self::NoSign => 0.0,
        }
    }

    /// Name of the row as serialised, and in the language files (`hedge-likely`).
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Likely => "likely",
            Self::Suspected => "suspected",
            Self::MayWellBe => "may-well-be",
            Self::Possible => "possible",
            Self::CannotBeExcluded => "cannot-be-excluded",
            Self::LessLikely => "less-likely",
            Self::NoSign => "no-sign",
        }
    }

    /// True where the Impression speaks of the finding.
    #[must_use]
    pub const fn is_for_impression(self) -> bool {
        !matches!(self, Self::CannotBeExcluded | Self::NoSign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_probability_in_every_band_has_one_row_and_surer_rows_come_first() {
        for band in [Band::Present, Band::Uncertain, Band::Absent] {
            let rows: Vec<_> =
                (0..=100).map(|p| Hedge::of(band, Probability::try_from(p as f32 / 100.0).unwrap())).collect();
            assert!(rows.iter().all(|row| row.band() == band));
            assert!(rows.iter().rev().is_sorted());
        }
        assert!(Hedge::ALL.is_sorted());
        for hedge in Hedge::ALL {
            assert_eq!(serde_json::to_string(&hedge).unwrap(), format!("\"{}\"", hedge.id()));
            assert_eq!(Hedge::of(hedge.band(), Probability::try_from(hedge.at_least()).unwrap()), hedge);
        }
    }
}
