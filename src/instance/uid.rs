//! DICOM identifiers as types: UID (PS3.5 9.1) and application entity title (PS3.5 6.2, AE).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A DICOM unique identifier: 1 to 64 characters, numbers joined by dots. Leading zeros,
/// which PS3.5 9.1 forbids, are let through: real devices write them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uid(heapless::String<64>);

/// An application entity title: 1 to 16 printable ASCII characters, no backslash,
/// not only spaces; leading and trailing spaces do not count.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AeTitle(heapless::String<16>);

/// A text that is not the identifier it should be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotAnIdentifier {
    /// Not numbers joined by dots, or more than 64 characters.
    #[error("not a DICOM UID (numbers joined by dots, 1 to 64 characters): {0:?}")]
    Uid(String),
    /// Not 1 to 16 printable ASCII characters.
    #[error("not an AE title (1 to 16 printable ASCII characters, no backslash): {0:?}")]
    AeTitle(String),
}

impl FromStr for Uid {
    type Err = NotAnIdentifier;

    /// Padding (a trailing NUL or space, PS3.5 6.2) is taken off first.
    fn from_str(text: &str) -> Result<Self, NotAnIdentifier> {
        let bare = text.trim_end_matches(['\0', ' ']);
        let wrong = || NotAnIdentifier::Uid(text.chars().take(80).collect());
        let component = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !bare.split('.').all(component) {
            return Err(wrong());
        }
        heapless::String::try_from(bare).map(Self).map_err(|_| wrong())
    }
}

impl FromStr for AeTitle {
    type Err = NotAnIdentifier;

    fn from_str(text: &str) -> Result<Self, NotAnIdentifier> {
        let bare = text.trim_matches([' ', '\0']);
        let wrong = || NotAnIdentifier::AeTitle(text.chars().take(80).collect());
        if bare.is_empty() || !bare.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'\\') {
            return Err(wrong());
        }
        heapless::String::try_from(bare).map(Self).map_err(|_| wrong())
    }
}

macro_rules! text_type {
    ($name:ident) => {
        impl $name {
            /// The text, without padding.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = NotAnIdentifier;
            fn try_from(text: String) -> Result<Self, NotAnIdentifier> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }
    };
}
text_type!(Uid);
text_type!(AeTitle);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_taken_off_and_nonsense_refused() {
        assert_eq!("1.2.840\0".parse::<Uid>().unwrap().as_str(), "1.2.840");
        assert_eq!(" CART7 ".parse::<AeTitle>().unwrap().as_str(), "CART7");
        for text in ["", "\0", ".", "..", "1..2", "1.2.", "1.2/../x", "1.2 .3", &"1".repeat(65)] {
            assert!(text.parse::<Uid>().is_err(), "{text:?}");
        }
        for text in ["", "    ", "A\\B", "seventeen letters", "ümlaut"] {
            assert!(text.parse::<AeTitle>().is_err(), "{text:?}");
        }
    }
}
