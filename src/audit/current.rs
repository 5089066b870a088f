//! The segment that is written: bytes that are durable, bytes that are not yet, and room on
//! the disk ahead of both.
//!
//! 1. What is durable ends with a sector: the last line before a sync is padded with spaces, so
//!    that what is written later shares no sector with it. A disk that loses power may spoil
//!    every sector that it was writing to (rule 3 of `os::disk`).
//! 2. A write or sync that failed leaves the file's end in doubt: what was written since the
//!    last good sync is kept in memory and written again from there before anything else.
//! 3. [`ROOM_BYTES`] are taken from the disk ahead of the last line, so that lines still find
//!    room when the disk is full. The file's length does not show them.

use std::io;
use std::path::Path;

use crate::digest::Digest;
use crate::os::disk::{Disk, DiskFile};

/// The largest sector of the disks that a box has: of flash.
pub(super) const SECTOR_BYTES: usize = 4096;
/// Room ahead: more than two hundred syncs, at most one a second, of a box that takes no image in.
const ROOM_BYTES: u64 = 1024 * 1024;

/// The segment that is written.
pub(super) struct Current {
    /// `seq` of its first line.
    pub first: u64,
    file: DiskFile,
    /// Bytes that are durable.
    synced: u64,
    /// What follows them, perhaps not durable yet.
    unsynced: Vec<u8>,
    /// The file's own entry in the folder is not known to be durable.
    unlisted: bool,
    /// Another process wrote it, which may have ended before it synced.
    inherited: bool,
    /// A write or sync failed: the file holds who knows what after `synced`.
    doubtful: bool,
    /// Up to where room is taken.
    room_to: u64,
}

impl Current {
    /// The segment in `file` as an earlier process left it: `synced` bytes that end with a
    /// sector, and `loose` lines behind them.
    pub fn found(first: u64, file: DiskFile, synced: u64, loose: Vec<u8>) -> Self {
        Self { synced, unsynced: loose, inherited: true, ..Self::begun(first, file) }
    }

    /// A segment that begins in `file`, which was just made.
    pub fn begun(first: u64, file: DiskFile) -> Self {
        Self {
            first,
            file,
            synced: 0,
            unsynced: Vec::new(),
            unlisted: true,
            inherited: false,
            doubtful: false,
            room_to: 0,
        }
    }

    /// Its bytes, durable or not.
    pub fn length(&self) -> u64 {
        self.synced + self.unsynced_bytes() as u64
    }

    /// Bytes that a power cut may still take.
    pub const fn unsynced_bytes(&self) -> usize {
        self.unsynced.len()
    }

    /// Writes `bytes`, whole lines, at the end.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes, self.length())?;
        self.unsynced.extend_from_slice(bytes);
        Ok(())
    }

    /// Lengthens the last line by spaces until it ends with a sector; the hash that it has then.
    pub fn pad(&mut self) -> io::Result<Option<Digest>> {
        let Some((mut padding, sha256)) = padding(&self.unsynced, self.length()) else { return Ok(None) };
        self.write(&padding, self.length() - 1)?;
        self.unsynced.pop();
        self.unsynced.append(&mut padding);
        Ok(Some(sha256))
    }

    /// Makes everything durable, its name in `folder` included.
    pub fn sync(&mut self, disk: &Disk, folder: &Path) -> io::Result<()> {
        self.mend()?;
        if self.inherited || !self.unsynced.is_empty() {
            // After a failed sync the kernel may call dirty pages clean: they are written again.
            self.doubtful = true;
            self.file.sync()?;
            (self.doubtful, self.inherited) = (false, false);
            self.synced = self.length();
            self.unsynced.clear();
        }
        if self.unlisted {
            disk.sync_folder(folder)?;
            self.unlisted = false;
        }
        self.take_room();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.mend()?;
        self.doubtful = true;
        self.file.write_all_at(bytes, at)?;
        self.doubtful = false;
        Ok(())
    }

    fn mend(&mut self) -> io::Result<()> {
        if self.doubtful {
            self.file.set_len(self.synced)?;
            // Cutting a file gives its room back.
            self.room_to = 0;
            self.file.write_all_at(&self.unsynced, self.synced)?;
            self.doubtful = false;
        }
        Ok(())
    }

    /// Takes room where less than half of it is left. Where the disk has none to give, lines
    /// are written without.
    fn take_room(&mut self) {
        let wanted = self.length() + ROOM_BYTES;
        if self.room_to < wanted - ROOM_BYTES / 2 && self.file.take_room(wanted).is_ok() {
            self.room_to = wanted;
        }
    }
}

/// What takes the place of the line feed at the end of `lines`, which end at `end`, so that they
/// end with a sector; and the hash that the last line has then.
pub(super) fn padding(lines: &[u8], end: u64) -> Option<(Vec<u8>, Digest)> {
    let over = usize::try_from(end % SECTOR_BYTES as u64).expect("less than a sector");
    let (_, lines) = lines.split_last().filter(|_| over > 0)?;
    let mut padding = vec![b' '; SECTOR_BYTES - over];
    let start = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let sha256 = Digest::of(&[&lines[start..], &padding].concat());
    padding.push(b'\n');
    Some((padding, sha256))
}

#[cfg(test)]
impl Current {
    /// Leaves the file as a failed write or sync does.
    pub fn break_end(&mut self, rest: &[u8]) {
        let end = self.length();
        self.file.write_all_at(rest, end).unwrap();
        self.doubtful = true;
    }
}
