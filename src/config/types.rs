//! Value types of the configuration: what cannot be wrong after parsing.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A site or device name: 1 to 32 of `a-z A-Z 0-9 . _ -`, so that it can stand in a
/// topic, a path and a URN without quoting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(heapless::String<32>);

/// One or more [`Name`] levels joined by `/`: the head of every topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TopicPrefix(String);

/// A text that is not a name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a name of 1 to 32 letters, digits, dots, hyphens and underscores")]
pub struct NotAName(String);

impl TryFrom<String> for Name {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        let fine = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
        match heapless::String::try_from(text.as_str()) {
            Ok(name) if fine => Ok(Self(name)),
            _ => Err(NotAName(text)),
        }
    }
}

impl TryFrom<String> for TopicPrefix {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        text.split('/').try_for_each(|level| Name::try_from(level.to_owned()).map(drop))?;
        Ok(Self(text))
    }
}

impl Name {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TopicPrefix {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.as_str().to_owned()
    }
}

impl From<TopicPrefix> for String {
    fn from(prefix: TopicPrefix) -> Self {
        prefix.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The label of a finding, as in the manifests of model bundles: 1 to 48 lower-case
/// letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FindingLabel(heapless::String<48>);

/// A text that is not a label.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a finding's label of 1 to 48 lower-case letters, digits and hyphens")]
pub struct NotALabel(String);

impl TryFrom<String> for FindingLabel {
    type Error = NotALabel;

    fn try_from(text: String) -> Result<Self, NotALabel> {
        let kebab = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fine = !text.is_empty() && text.bytes().all(kebab);
        match heapless::String::try_from(text.as_str()) {
            Ok(label) if fine => Ok(Self(label)),
            _ => Err(NotALabel(text)),
        }
    }
}

impl From<FindingLabel> for String {
    fn from(label: FindingLabel) -> Self {
        label.0.as_str().to_owned()
    }
}

impl AsRef<str> for FindingLabel {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Whole seconds, 1 to 86400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Seconds(u32);

impl Seconds {
    /// `seconds`, which the caller promises to lie in 1 to 86400.
    #[must_use]
    pub(super) const fn of(seconds: u32) -> Self {
        Self(seconds)
    }

    /// As a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl TryFrom<u32> for Seconds {
    type Error = String;

    fn try_from(seconds: u32) -> Result<Self, String> {
        if (1..=86_400).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(format!("{seconds} is not in 1 to 86400 seconds"))
        }
    }
}

impl From<Seconds> for u32 {
    fn from(seconds: Seconds) -> Self {
        seconds.0
    }
}
