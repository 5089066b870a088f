//! A temporary folder, for this user only, that goes with what is in it.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// The folder, removed when dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new folder below the system's temporary one; `purpose` stands in its name.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(purpose: &str) -> io::Result<Self> {
        let name = format!("residentd-{purpose}-{}", std::process::id());
        let folder = std::env::temp_dir().canonicalize()?.join(name);
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self(folder))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
