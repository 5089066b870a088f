//! What was done to the bundles while the daemon may have been running or not: notices that
//! wait in the depot until it writes them into the audit log, which is the daemon's alone.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{BundleName, Choice, Depot, Refusal};
use crate::clock::Moment;
use crate::digest::Digest;

/// Notices that wait; what finds so many is not written: the disk is not filled by refusals.
const MAX_WAITING: usize = 256;
/// Largest notice.
const MAX_BYTES: u64 = 8 * 1024;
/// Readable by the daemon's group.
const MODE: u32 = 0o640;

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Notice {
    /// A bundle was installed.
    Installed(Which, SignedBy),
    /// A bundle is to serve.
    Activated(Which, Change),
    /// The bundle before is to serve again.
    RolledBack(Which, Change),
    /// A bundle was refused.
    Refused(String),
}

/// Which bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as in its signature")]
pub struct Which {
    pub name: String,
    pub version: String,
    pub sha256: Digest,
}

impl Which {
    /// The bundle of that name that was chosen.
    #[must_use]
    pub fn of(name: &BundleName, choice: &Choice) -> Self {
        Self { name: name.to_string(), version: choice.version.to_string(), sha256: choice.sha256 }
    }
}

/// Who signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SignedBy(pub String);

/// From what to it, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The version that served before.
    pub from: Option<String>,
    /// Why, where a reason was needed.
    pub why: Option<String>,
}

impl Depot {
    /// Leaves `notice` for the daemon.
    ///
    /// # Errors
    /// The system refused, or too many wait.
    pub fn leave(&self, notice: &Notice, now: Moment) -> Result<(), Refusal> {
        let folder = self.notices();
        self.make_folder(&folder)?;
        let waiting = self.waiting()?.len();
        let io = |source| Refusal::Io { path: folder.clone(), source };
        if waiting >= MAX_WAITING {
            return Err(io(io::Error::other("too many notices wait for the daemon")));
        }
        let name = format!("{:015}-{:08}-{waiting:04}.json", now.unix_ms.max(0), std::process::id());
        let text = serde_json::to_string(notice).map_err(|e| Refusal::Statement(e.to_string()))? + "\n";
        self.disk().place_new(&folder.join(name), text.as_bytes(), MODE).map_err(io)
    }

    /// What waits, in order, each with the file that is to be removed once it is written down.
    ///
    /// # Errors
    /// The folder cannot be read. A file that is no notice is given as a refusal that says so.
    pub fn noticed(&self) -> Result<Vec<(PathBuf, Notice)>, Refusal> {
        let mut notices = Vec::new();
        for path in self.waiting()?.into_iter().take(MAX_WAITING) {
            let bytes = std::fs::metadata(&path).map_or(MAX_BYTES + 1, |metadata| metadata.len());
            let read = if bytes <= MAX_BYTES { std::fs::read(&path).ok() } else { None };
            let notice = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let damaged = || Notice::Refused("a notice of the model depot cannot be read".to_owned());
            notices.push((path, notice.unwrap_or_else(damaged)));
        }
        Ok(notices)
    }

    /// Removes a notice that is written down.
    ///
    /// # Errors
    /// The system refused: it will be written down again.
    pub fn forget(&self, notice: &std::path::Path) -> Result<(), Refusal> {
        self.disk().remove(notice).map_err(|source| Refusal::Io { path: notice.to_owned(), source })
    }

    fn waiting(&self) -> Result<Vec<PathBuf>, Refusal> {
        let folder = self.notices();
        let io = |source| Refusal::Io { path: folder.clone(), source };
        let entries = match std::fs::read_dir(&folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(io)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|e| e == "json") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}
