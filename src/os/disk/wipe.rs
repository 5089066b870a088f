//! Deleting what nobody must find again: overwritten, then removed.
//!
//! An overwrite reaches the bytes on a magnetic disk. Flash does not write in place: what a card
//! or SSD had in a cell before stays until its controller erases it, and nothing here can make it.
//! Only encryption at rest answers that; callers say so to whoever asked for a wipe.

use std::io;
use std::path::Path;

use super::{Disk, parent};

/// Bytes overwritten at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

impl Disk {
    /// Overwrites the file at `path` with zeros, removes it, and makes both durable. One that is
    /// gone is done.
    ///
    /// # Errors
    /// The system refused: the file may be overwritten in part, and is still there.
    pub fn wipe(&self, path: &Path) -> io::Result<()> {
        let length = match std::fs::symlink_metadata(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            metadata => metadata?,
        };
        if length.is_file() {
            let mut file = self.append(path, 0o600)?;
            let zeros = vec![0; CHUNK_BYTES];
            let mut at = 0;
            while at < length.len() {
                let next = usize::try_from(length.len() - at).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
                file.write_all_at(&zeros[..next], at)?;
                at += next as u64;
            }
            file.sync()?;
        }
        crate::os::step("wiping");
        self.remove(path)?;
        self.sync_folder(parent(path))
    }

    /// Wipes everything below `folder`, and removes it. One that is gone is done.
    ///
    /// # Errors
    /// The system refused: the rest is still there.
    pub fn wipe_folder(&self, folder: &Path) -> io::Result<()> {
        let entries = match std::fs::read_dir(folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() { self.wipe_folder(&entry.path())? } else { self.wipe(&entry.path())? }
        }
        std::fs::remove_dir(folder)?;
        self.sync_folder(parent(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wiped_is_gone_and_its_bytes_were_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("secret"), folder.path().join("other-name"));
        std::fs::write(&file, vec![7; CHUNK_BYTES + 5]).unwrap();
        std::fs::hard_link(&file, &link).unwrap();
        Disk::Real.wipe(&file).unwrap();
        assert!(!file.exists());
        assert_eq!(std::fs::read(&link).unwrap(), vec![0; CHUNK_BYTES + 5]);
        Disk::Real.wipe(&file).unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        std::fs::write(folder.path().join("a/b/c"), "x").unwrap();
        Disk::Real.wipe_folder(&folder.path().join("a")).unwrap();
        Disk::Real.wipe_folder(&folder.path().join("a")).unwrap();
        assert!(!folder.path().join("a").exists());
    }
}
