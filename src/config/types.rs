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

/// A broker's host, and its port where one is said: `HOST`, `HOST:PORT`, `[IPV6]:PORT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPort {
    /// Host name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: Option<u16>,
}

/// A text that names no host.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no broker: write HOST or HOST:PORT, for example broker.clinic.example:8883")]
pub struct NotAHost(String);

impl std::str::FromStr for HostPort {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let wrong = || NotAHost(text.chars().take(80).collect());
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, Some(rest.strip_prefix(':').ok_or_else(wrong)?)),
            // More than one colon and no brackets: an IPv6 address alone.
            None if text.matches(':').count() > 1 => (text, None),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
        let fine = host.parse::<std::net::Ipv6Addr>().is_ok() || (!host.is_empty() && host.bytes().all(is_name));
        let port = port.map(|port| port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)).transpose()?;
        if fine && host.len() <= 253 { Ok(Self { host: host.to_owned(), port }) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for HostPort {
    type Error = NotAHost;

    fn try_from(text: String) -> Result<Self, NotAHost> {
        text.parse()
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        match port {
            None => f.write_str(host),
            Some(port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Some(port) => write!(f, "{host}:{port}"),
        }
    }
}

impl From<HostPort> for String {
    fn from(host: HostPort) -> Self {
        host.to_string()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_a_host_with_or_without_a_port_and_nothing_else() {
        for (text, host, port) in [
            ("broker", "broker", None),
            ("10.0.0.7:8883", "10.0.0.7", Some(8883)),
            ("[::1]:1883", "::1", Some(1883)),
            ("::1", "::1", None),
        ] {
            let parsed: HostPort = text.parse().unwrap();
            assert_eq!((parsed.host.as_str(), parsed.port), (host, port));
            assert_eq!(parsed.to_string(), text);
        }
        for text in ["", ":1883", "mqtt://b", "b:0", "b:x", "b:65536", "a b", "[::1", "[::1]1883", "b/c"] {
            assert!(text.parse::<HostPort>().is_err(), "{text}");
        }
    }
}
