//! Where `/proc` and `/sys` are read: `/` on a machine, a recorded tree in a test.
//!
//! What a kernel does not offer, or this process may not read, is `None`: every fact of a
//! board is optional, and whoever shows it says that it is not known.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Longest file that is read: `/proc/meminfo` has some 1500 bytes.
const MAX_BYTES: u64 = 64 * 1024;
/// Most entries of one folder that are looked at.
const MAX_ENTRIES: usize = 128;
/// The variable that names a recorded tree, for tests of the whole program.
const RECORDED: &str = "RESIDENTD_BOARD_ROOT";

/// The folder that `proc` and `sys` lie in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// This machine's, or the recorded tree that `RESIDENTD_BOARD_ROOT` names.
    #[must_use]
    pub fn machine() -> Self {
        Self(std::env::var_os(RECORDED).map_or_else(|| PathBuf::from("/"), PathBuf::from))
    }

    /// A tree at `folder`.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The path of what a machine has at `below`, written with or without a leading slash.
    #[must_use]
    pub fn path(&self, below: &str) -> PathBuf {
        self.0.join(below.trim_start_matches('/'))
    }

    /// The bytes of a file, bounded.
    pub(super) fn bytes(&self, below: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.path(below)).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The text of a file without the space around it; `None` where it is empty.
    pub(super) fn text(&self, below: &str) -> Option<String> {
        let text = String::from_utf8(self.bytes(below)?).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The number that a file holds.
    pub(super) fn number<T: FromStr>(&self, below: &str) -> Option<T> {
        self.text(below)?.parse().ok()
    }

    /// The paths, from this root, of what in the folder `below` begins with `prefix`, in order.
    pub(super) fn entries(&self, below: &str, prefix: &str) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.path(below)) else { return Vec::new() };
        let names = folder.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut found: Vec<String> = names
            .filter(|name| name.starts_with(prefix))
            .take(MAX_ENTRIES)
            .map(|name| format!("{below}/{name}"))
            .collect();
        found.sort();
        found
    }
}
