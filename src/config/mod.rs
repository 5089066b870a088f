//! The configuration: one TOML file, every key typed, nothing unknown accepted.
//!
//! [`Configuration`] is the checked form; its digest goes into every sealed outcome.
//! Paths are as written, relative ones against the file's folder. The shipped,
//! commented file is `systemd/residentd.toml`; a test holds it against this module.

mod reload;
mod sections;
mod types;

use std::path::{Path, PathBuf};

use crate::digest::Digest;

pub use reload::{Change, RELOADABLE};
pub use sections::{
    Broker, Commands, Device, Dicom, DicomTls, File, MAX_RECEIVERS, Models, Mqtt, MqttTls, Reader, Receiver, Report,
    RequiredReceipts, Retention,
};
pub use types::{FindingLabel, HostPort, Name, NotAHost, NotAName, Seconds, TopicPrefix};

/// Longest configuration file read: far above any real one.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// A configuration that was read, parsed and checked.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// What the file says, with defaults filled in and paths made absolute.
    pub file: File,
    /// SHA-256 of the file's bytes.
    pub sha256: Digest,
    /// Where it was read from.
    pub path: PathBuf,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("configuration {path}: {source}; `residentd provision` makes one")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is longer than any real one.
    #[error("configuration {path} is larger than {MAX_FILE_BYTES} bytes: is this the right file?")]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// The text is wrong at a place that the message shows.
    #[error("configuration {path}, {message}")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Line, column, text and remedy.
        message: String,
    },
    /// Two keys contradict each other.
    #[error("configuration {path}: {message}")]
    Contradiction {
        /// Which file.
        path: PathBuf,
        /// Which keys, and what to do.
        message: &'static str,
    },
}

impl Configuration {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// Unreadable, too large, not TOML, an unknown key, a value out of range (with
    /// line, column and text), or keys that contradict each other.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
            return Err(ConfigError::TooLarge { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&text, path)
    }

    /// Checks `text` as if it had been read from `path`.
    ///
    /// # Errors
    /// As [`Configuration::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut file: File = toml::from_str(text)
            .map_err(|e| ConfigError::Invalid { path: path.to_owned(), message: located(text, &e) })?;
        let folder = std::path::absolute(path).ok().and_then(|p| p.parent().map(Path::to_owned)).unwrap_or_default();
        file.make_paths_absolute(&folder);
        if let Some(message) = file.contradiction() {
            return Err(ConfigError::Contradiction { path: path.to_owned(), message });
        }
        Ok(Self { file, sha256: Digest::of(text.as_bytes()), path: path.to_owned() })
    }
}

/// Where and what `error` in `text` is: "line 3, column 7: `lsten = 1`: unknown field …".
#[must_use]
pub fn located(text: &str, error: &toml::de::Error) -> String {
    let Some(span) = error.span() else { return error.message().to_owned() };
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    let shown = text.lines().nth(line - 1).unwrap_or_default().trim();
    let remedy = match error.message() {
        m if m.contains("socket address") => " (write ADDRESS:PORT, for example 0.0.0.0:11112)",
        _ => "",
    };
    format!("line {line}, column {column}: `{shown}`: {}{remedy}", error.message().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "[device]\nsite = \"clinic\"\nname = \"cart-1\"\nstate_dir = \"state\"\nkey_file = \"device.key\"\n\
                         [mqtt]\nhost = \"127.0.0.1\"\n";

    fn parse(text: &str) -> Result<Configuration, String> {
        Configuration::parse(text, Path::new("/etc/residentd/residentd.toml")).map_err(|e| e.to_string())
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let file = parse(LEAST).unwrap().file;
        assert_eq!(file.device.key_file, Path::new("/etc/residentd/device.key"));
        assert_eq!(file.device.state_dir, Path::new("/etc/residentd/state"));
    }

    #[test]
    fn a_typo_names_line_column_text_and_what_was_expected() {
        let error = parse(&LEAST.replace("host", "hosst")).unwrap_err();
        assert!(error.contains("line 7, column 1: `hosst = \"127.0.0.1\"`"), "{error}");
        assert!(error.contains("unknown field `hosst`, expected one of"), "{error}");
    }

    #[test]
    fn a_value_out_of_range_names_its_line_and_the_range() {
        let error = parse(&format!("{LEAST}heartbeat_s = 0\n")).unwrap_err();
        assert!(error.contains("line 8") && error.contains("1 to 86400"), "{error}");
        let error = parse(&LEAST.replace("cart-1", "cart/1")).unwrap_err();
        assert!(error.contains("line 3") && error.contains("cart/1"), "{error}");
    }

    #[test]
    fn contradictions_are_named() {
        let error = parse(&format!("{LEAST}user = \"x\"\n")).unwrap_err();
        assert!(error.contains("password_file"), "{error}");
    }
}
