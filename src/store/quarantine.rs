//! `quarantine/`: the files of instances that no reader survived, kept for the engineer.
//!
//! 1. An instance gets here after its signed failure, never before: its outcome is certain.
//! 2. The reader cannot open this folder: what lies here is never read again, and the
//!    same bytes sent again are known and not read either.
//! 3. At most [`MAX_FILES`] files of [`MAX_BYTES`] in all; the oldest gives way, and one
//!    that alone is larger is deleted.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Store, StoreError};
use crate::digest::Digest;
use crate::os;
use crate::os::disk::Disk;

/// Patient data: for the daemon's user alone.
const MODE: u32 = 0o700;
/// Most files: an engineer looks into a few, and a sender that makes more has one fault.
pub const MAX_FILES: usize = 16;
/// Most bytes of all files: two of the largest datasets that are received by default.
pub const MAX_BYTES: u64 = 1024 * 1024 * 1024;

impl Store {
    /// Where quarantined files lie.
    #[must_use]
    pub fn quarantine_folder(&self) -> PathBuf {
        self.folder.join("quarantine")
    }

    /// Moves the file of instance `id` out of the spool into quarantine; its path there.
    ///
    /// # Errors
    /// `SQLite` failed, or the file cannot be moved.
    pub fn quarantine(&self, id: i64) -> Result<PathBuf, StoreError> {
        let sha256: [u8; 32] = self
            .lock()
            .query_row("SELECT sha256 FROM instances WHERE id = ?1", [id], |row| row.get(0))
            .map_err(|e| self.sqlite(e))?;
        let sha256 = Digest::from_bytes(sha256);
        let folder = self.quarantine_folder();
        let (from, to) = (self.instance_path(&sha256), folder.join(format!("{sha256}.dcm")));
        isolate(&self.disk, &from, &to).map_err(|source| StoreError::Folder { path: folder, source })?;
        os::step("quarantined");
        self.in_one_step(|tx| tx.execute("UPDATE instances SET image_kept = 0 WHERE id = ?1", [id]))?;
        Ok(to)
    }

    /// Quarantines what a kill between outcome and move left in the spool: concluded
    /// instances with `strikes` or more. How many there were.
    ///
    /// # Errors
    /// `SQLite` failed, or a file cannot be moved.
    pub fn quarantine_the_rest(&self, strikes: u32) -> Result<u64, StoreError> {
        let left: Vec<i64> = self
            .lock()
            .prepare("SELECT id FROM instances WHERE concluded = 1 AND strikes >= ?1 AND image_kept = 1")
            .and_then(|mut query| query.query_map([strikes], |row| row.get(0))?.collect())
            .map_err(|e| self.sqlite(e))?;
        for id in &left {
            self.quarantine(*id)?;
        }
        Ok(left.len() as u64)
    }
}

/// Moves a file, making room first; one that is gone from `from` was moved before.
fn isolate(disk: &Disk, from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(Path::new("/"));
    disk.make_folders(folder, MODE)?;
    let size_bytes = match fs::metadata(from) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?.len(),
    };
    if size_bytes > MAX_BYTES {
        return disk.remove(from);
    }
    make_room(disk, folder, size_bytes)?;
    // The bytes have been durable since the instance was accepted.
    disk.rename(from, to)?;
    disk.sync_folder(folder)
}

/// Deletes the oldest files of `folder` until one of `size_bytes` fits in.
fn make_room(disk: &Disk, folder: &Path, size_bytes: u64) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        files.push(((metadata.mtime(), metadata.mtime_nsec()), metadata.len(), entry.path()));
    }
    files.sort();
    let mut held: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    let mut count = files.len();
    for (_, bytes, path) in files {
        if count < MAX_FILES && held.saturating_add(size_bytes) <= MAX_BYTES {
            break;
        }
        disk.remove(&path)?;
        held -= bytes;
        count -= 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn the_oldest_file_gives_way_and_the_folder_stays_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let (spool, quarantine) = (folder.path().join("spool"), folder.path().join("quarantine"));
        fs::create_dir(&spool).unwrap();
        for n in 0..=MAX_FILES as u64 {
            let from = spool.join(n.to_string());
            fs::write(&from, "image").unwrap();
            let age = SystemTime::UNIX_EPOCH + Duration::from_secs(n);
            File::options().write(true).open(&from).unwrap().set_modified(age).unwrap();
            isolate(&Disk::Real, &from, &quarantine.join(n.to_string())).unwrap();
            assert!(!from.exists());
        }
        assert_eq!(fs::read_dir(&quarantine).unwrap().count(), MAX_FILES);
        assert!(!quarantine.join("0").exists() && quarantine.join("1").exists());
        let large = spool.join("large");
        File::create(&large).unwrap().set_len(MAX_BYTES - 1).unwrap();
        isolate(&Disk::Real, &large, &quarantine.join("large")).unwrap();
        assert_eq!(fs::read_dir(&quarantine).unwrap().count(), 1, "it leaves room for nothing else");
        File::create(&large).unwrap().set_len(MAX_BYTES + 1).unwrap();
        isolate(&Disk::Real, &large, &quarantine.join("larger")).unwrap();
        assert!(!large.exists() && !quarantine.join("larger").exists());
    }

    #[test]
    fn what_was_moved_before_a_kill_is_no_error_after_it() {
        let folder = tempfile::tempdir().unwrap();
        isolate(&Disk::Real, &folder.path().join("gone"), &folder.path().join("quarantine/gone")).unwrap();
    }
}
