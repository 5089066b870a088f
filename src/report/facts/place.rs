//! Where a finding is, and how large.

use serde::{Deserialize, Serialize};

/// Which side, the patient's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Side {
    Right,
    Left,
    Both,
}

impl Side {
    /// All sides.
    pub const ALL: [Self; 3] = [Self::Right, Self::Left, Self::Both];

    /// Name as serialised, and in the language files (`side-right`).
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Left => "left",
            Self::Both => "both",
        }
    }
}

/// Which zone of the lungs or chest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Zone {
    Apex,
    Upper,
    Middle,
    Lower,
    Base,
    Hilum,
}

impl Zone {
    /// All zones, from above.
    pub const ALL: [Self; 6] = [Self::Apex, Self::Upper, Self::Middle, Self::Lower, Self::Base, Self::Hilum];

    /// Name as serialised, and in the language files (`zone-apex`).
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Apex => "apex",
            Self::Upper => "upper",
            Self::Middle => "middle",
            Self::Lower => "lower",
            Self::Base => "base",
            Self::Hilum => "hilum",
        }
    }
}

/// A diameter in millimetres, 1 to 500: a chest is no wider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct SizeMm(u16);

/// Widest diameter, millimetres.
const MAX_MM: u16 = 500;

/// A number that is no size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} mm is not a size between 1 and {MAX_MM} mm")]
pub struct NotASize(u16);

impl TryFrom<u16> for SizeMm {
    type Error = NotASize;

    fn try_from(mm: u16) -> Result<Self, NotASize> {
        if (1..=MAX_MM).contains(&mm) { Ok(Self(mm)) } else { Err(NotASize(mm)) }
    }
}

impl From<SizeMm> for u16 {
    fn from(size: SizeMm) -> Self {
        size.0
    }
}
