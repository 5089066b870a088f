//! What a bundle is called: names and versions that can stand in a path, names of files that
//! cannot leave their folder.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name of a bundle.
const MAX_NAME: usize = 48;
/// Longest name of a file, folders included; what a tar header holds.
const MAX_FILE_NAME: usize = 100;
/// Deepest file of a bundle: `golden/input.f32` has two parts.
const MAX_DEPTH: usize = 3;
/// Longest word behind a version's numbers.
const MAX_PRE: usize = 24;

/// A bundle's name: 1 to 48 lower-case letters, digits and hyphens, a letter first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BundleName(heapless::String<MAX_NAME>);

/// A bundle's version: `MAJOR.MINOR.PATCH`, and for one that comes before it `-word`
/// (semver.org, of which this is a part: without build, with one word).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    numbers: [u32; 3],
    pre: Option<heapless::String<MAX_PRE>>,
}

/// The name of a bundle's file: 1 to 3 parts joined by `/`, each of letters, digits, `.`, `_`
/// and `-`, none beginning with a dot. It never leaves the folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(heapless::String<MAX_FILE_NAME>);

/// A text that is none of those.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotAnIdentity {
    /// No name of a bundle.
    #[error("{0:?} is no name of a bundle: 1 to {MAX_NAME} lower-case letters, digits and hyphens, a letter first")]
    Name(String),
    /// No version.
    #[error("{0:?} is no version: MAJOR.MINOR.PATCH, or MAJOR.MINOR.PATCH-word")]
    Version(String),
    /// No name of a file.
    #[error("{0:?} is no name of a bundle's file, which stays in its folder")]
    File(String),
}

/// What is shown of a text that may be a stranger's.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

impl FromStr for BundleName {
    type Err = NotAnIdentity;

    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        let letter = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let fine = letter && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        match heapless::String::try_from(text) {
            Ok(name) if fine => Ok(Self(name)),
            _ => Err(NotAnIdentity::Name(shown(text))),
        }
    }
}

impl FromStr for Version {
    type Err = NotAnIdentity;

    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        let wrong = || NotAnIdentity::Version(shown(text));
        let (numbers, pre) = text.split_once('-').map_or((text, None), |(numbers, pre)| (numbers, Some(pre)));
        // One spelling a version: no sign, no leading zero.
        let number = |part: &str| {
            let fine = part == "0" || part.bytes().all(|b| b.is_ascii_digit()) && !part.starts_with('0');
            part.parse().ok().filter(|_: &u32| fine).ok_or_else(wrong)
        };
        let parts = numbers.split('.').map(number).collect::<Result<Vec<u32>, _>>()?;
        let word = |pre: &str| {
            let fine = !pre.is_empty() && pre.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            heapless::String::try_from(pre).ok().filter(|_| fine).ok_or_else(wrong)
        };
        Ok(Self { numbers: parts.try_into().map_err(|_| wrong())?, pre: pre.map(word).transpose()? })
    }
}

impl FromStr for FileName {
    type Err = NotAnIdentity;

    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain);
        let fine = text.split('/').count() <= MAX_DEPTH && text.split('/').all(part);
        match heapless::String::try_from(text) {
            Ok(name) if fine => Ok(Self(name)),
            _ => Err(NotAnIdentity::File(shown(text))),
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    /// A version with a word comes before the one without.
    fn cmp(&self, other: &Self) -> Ordering {
        let released = |version: &Self| version.pre.is_none();
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| released(self).cmp(&released(other)))
            .then_with(|| self.pre.cmp(&other.pre))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        let pre = self.pre.as_ref().map(|pre| format!("-{pre}")).unwrap_or_default();
        f.pad(&format!("{major}.{minor}.{patch}{pre}"))
    }
}

impl fmt::Display for BundleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl BundleName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FileName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = NotAnIdentity;

            fn try_from(text: String) -> Result<Self, NotAnIdentity> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    )*};
}

as_text!(BundleName, Version, FileName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number_and_not_by_letter() {
        let order = ["0.1.0-rehearsal", "0.1.0", "0.1.1", "0.2.0", "0.10.0", "1.0.0-a", "1.0.0-b", "1.0.0"];
        let parsed: Vec<Version> = order.iter().map(|text| text.parse().unwrap()).collect();
        assert!(parsed.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(parsed.iter().zip(order).all(|(version, text)| version.to_string() == text));
    }

    #[test]
    fn what_is_no_version_has_no_order() {
        for text in ["", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-A", "1.0.0+x", "-1.0.0", "1.0.4294967296"] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn no_name_leaves_its_folder() {
        for text in
            ["", ".", "..", "../x", "/x", "a//b", "a/../b", "a/.x", "a\\b", "a b", "a/b/c/d", "a\0", &"a".repeat(101)]
        {
            assert!(text.parse::<FileName>().is_err(), "{text:?}");
        }
        for text in ["", "-a", "9", "A", "a/b", "..", &"a".repeat(49)] {
            assert!(text.parse::<BundleName>().is_err(), "{text:?}");
        }
        assert!("golden/input.f32".parse::<FileName>().is_ok() && "chest-adult".parse::<BundleName>().is_ok());
    }
}
