//! A patient's age at the acquisition, from the two places where a header says it.

use serde::{Deserialize, Serialize};

/// Older than anyone was: such an age is a typing error, and no age.
const OLDEST_YEARS: f32 = 150.0;
/// How far stated and derived age may lie apart: Patient's Age is in completed years.
const MAX_DIFFERENCE_YEARS: f32 = 1.0;

/// How old the patient was, as far as the header says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Age {
    /// Years, 0.0 to 150.0.
    Known(f32),
    /// The header does not say, or says what nobody's age is.
    Unknown,
    /// Patient's Age (0010,1010) and Patient's Birth Date (0010,0030) say different things.
    Contradictory,
}

impl Age {
    /// The age of Patient's Age (0010,1010), `stated`, and of Patient's Birth Date
    /// (0010,0030) at Study Date (0008,0020), `derived`, both in years.
    pub(super) fn of(stated: Option<f32>, derived: Option<f32>) -> Self {
        if let (Some(stated), Some(derived)) = (stated, derived)
            && (stated - derived).abs() > MAX_DIFFERENCE_YEARS
        {
            return Self::Contradictory;
        }
        match stated.or(derived) {
            Some(years) if (0.0..=OLDEST_YEARS).contains(&years) => Self::Known(years),
            _ => Self::Unknown,
        }
    }

    /// Years, where known.
    #[must_use]
    pub const fn years(self) -> Option<f32> {
        match self {
            Self::Known(years) => Some(years),
            Self::Unknown | Self::Contradictory => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_counts_unless_the_birth_date_contradicts_it() {
        assert_eq!(Age::of(Some(45.0), Some(45.9)), Age::Known(45.0));
        assert_eq!(Age::of(Some(45.0), None), Age::Known(45.0));
        assert_eq!(Age::of(None, Some(3.2)), Age::Known(3.2));
        assert_eq!(Age::of(None, None), Age::Unknown);
        assert_eq!(Age::of(Some(45.0), Some(46.5)), Age::Contradictory);
        assert_eq!(Age::of(Some(3.0), Some(-30.0)), Age::Contradictory);
        assert_eq!(Age::of(Some(999.0), None), Age::Unknown);
    }
}
