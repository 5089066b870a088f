//! The writing half: lines to a segment, segments to their bound, checkpoints beside them.
//!
//! A write or sync that failed leaves the file's end in doubt: what was written since the
//! last good sync is kept in memory and written again from there before anything else.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::event::{After, Event};
use super::line::{self, Head, Line};
use super::recover::{self, State};
use super::{Limits, checkpoint, segment};
use crate::clock::Moment;
use crate::os;
use crate::os::disk::{Disk, DiskFile};
use crate::seal::key::DeviceKey;
use crate::seal::message::MessageError;

/// For the daemon's user, and its group to read.
const FOLDER_MODE: u32 = 0o750;
const FILE_MODE: u32 = 0o640;

/// Why the log could not be opened or written. The daemon says so and goes on.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The disk refused.
    #[error("audit log {path}: {source}")]
    Io {
        /// Folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A checkpoint could not be signed.
    #[error("audit checkpoint: {0}")]
    Sign(#[from] MessageError),
}

/// A log that is open for writing. One a folder: the daemon's lock sees to that.
pub struct Log {
    disk: Disk,
    folder: PathBuf,
    limits: Limits,
    key: Option<Arc<DeviceKey>>,
    segment: Option<Current>,
    head: Head,
    signed: Option<(Head, Arc<str>)>,
}

/// The segment that is written.
struct Current {
    first: u64,
    file: DiskFile,
    /// Bytes that are durable.
    synced: u64,
    /// What follows them, perhaps not durable yet.
    unsynced: Vec<u8>,
    /// The file's own entry in the folder is not durable yet.
    unlisted: bool,
    /// A write or sync failed: the file holds who knows what after `synced`.
    doubtful: bool,
}

/// A log as it was found.
pub struct Opened {
    /// The log.
    pub log: Log,
    /// What must be its next lines: what had to be mended.
    pub first: Vec<Event>,
    /// How it ended.
    pub after: After,
}

impl Log {
    /// Opens or makes the log in `folder`, mends a torn end, and sets a broken one aside.
    /// Without a key nothing is signed, and nothing can be held against a checkpoint.
    ///
    /// # Errors
    /// The folder cannot be made, read or written.
    pub fn open(folder: &Path, limits: Limits, key: Option<Arc<DeviceKey>>) -> Result<Opened, AuditError> {
        Self::open_on(&Disk::Real, folder, limits, key)
    }

    /// As [`Log::open`], on another disk.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open_on(
        disk: &Disk,
        folder: &Path,
        limits: Limits,
        key: Option<Arc<DeviceKey>>,
    ) -> Result<Opened, AuditError> {
        let io = |source| AuditError::Io { path: folder.to_owned(), source };
        let public: Vec<_> = key.iter().map(|key| key.public().clone()).collect();
        disk.make_folders(folder, FOLDER_MODE).map_err(io)?;
        let (at, head) = (folder.to_owned(), Head::GENESIS);
        let mut log = Self { disk: disk.clone(), folder: at, limits, key, segment: None, head, signed: None };
        // What cannot be read is broken too: the box must not stand still for its log.
        let found = match recover::look(folder, &public).unwrap_or_else(|e| State::Broken(e.to_string())) {
            State::Nothing => return Ok(Opened { log, first: Vec::new(), after: After::Nothing }),
            State::Broken(why) => {
                let aside = recover::set_aside(folder).map_err(io)?;
                disk.make_folders(folder, FOLDER_MODE).map_err(io)?;
                let first = vec![Event::SetAside { folder: aside.into(), why: why.into() }];
                return Ok(Opened { log, first, after: After::Nothing });
            }
            State::Whole(found) => found,
        };
        let mut file = disk.append(&segment::lines_path(folder, found.first), FILE_MODE).map_err(io)?;
        let mut first = Vec::new();
        if let Some((bytes, sha256)) = found.torn {
            os::step("audit-torn");
            file.set_len(found.keep).and_then(|()| file.sync()).map_err(io)?;
            first.push(Event::Recovered { bytes, sha256 });
        }
        log.head = found.head;
        log.segment = Some(Current::of(found.first, file, found.keep));
        Ok(Opened { log, first, after: found.after })
    }

    /// Where the log stands.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Bytes that a power cut may still take.
    #[must_use]
    pub fn unsynced_bytes(&self) -> usize {
        self.segment.as_ref().map_or(0, |current| current.unsynced.len())
    }

    /// Writes `events` as the next lines, all or none, not durable yet.
    ///
    /// # Errors
    /// None was written.
    pub fn append(&mut self, events: &[(Moment, Event)]) -> Result<(), AuditError> {
        let Some((now, _)) = events.last() else { return Ok(()) };
        match &self.segment {
            None => self.begin()?,
            Some(current) if current.length() >= self.limits.segment_bytes => self.turn(*now)?,
            Some(_) => {}
        }
        self.write(events)
    }

    fn write(&mut self, events: &[(Moment, Event)]) -> Result<(), AuditError> {
        let (mut bytes, mut head) = (Vec::new(), self.head);
        for (at, event) in events {
            head = line::write(&mut bytes, head, *at, event);
        }
        self.current(|current| current.append(&bytes))?;
        self.head = head;
        Ok(())
    }

    /// Makes every line durable.
    ///
    /// # Errors
    /// The disk refused; the lines are kept and written again.
    pub fn sync(&mut self) -> Result<(), AuditError> {
        let (disk, folder) = (self.disk.clone(), self.folder.clone());
        if self.segment.is_some() { self.current(|current| current.sync(&disk, &folder)) } else { Ok(()) }
    }

    /// The checkpoint of the last line: makes every line durable, signs, and makes the
    /// checkpoint durable. `None` where there is no line or no key.
    ///
    /// # Errors
    /// The disk refused: there is no new checkpoint.
    pub fn checkpoint(&mut self, now: Moment) -> Result<Option<Arc<str>>, AuditError> {
        self.sync()?;
        let (Some(key), Some(current)) = (&self.key, &self.segment) else { return Ok(None) };
        match &self.signed {
            Some((head, jws)) if *head == self.head => return Ok(Some(Arc::clone(jws))),
            _ if self.head == Head::GENESIS => return Ok(None),
            _ => {}
        }
        let jws: Arc<str> = checkpoint::sign(key, self.head, now)?.into();
        let path = segment::checkpoint_path(&self.folder, current.first);
        os::step("audit-synced");
        let placed = self.disk.replace(&path, format!("{jws}\n").as_bytes(), FILE_MODE);
        placed.map_err(|source| AuditError::Io { path, source })?;
        os::step("audit-checkpoint");
        self.signed = Some((self.head, Arc::clone(&jws)));
        Ok(Some(jws))
    }

    /// Ends the segment under a checkpoint and begins the next.
    fn turn(&mut self, now: Moment) -> Result<(), AuditError> {
        self.checkpoint(now)?;
        self.begin()?;
        os::step("audit-turned");
        self.retire(now)
    }

    fn begin(&mut self) -> Result<(), AuditError> {
        let first = self.head.seq + 1;
        let path = segment::lines_path(&self.folder, first);
        let opened = self.disk.append(&path, FILE_MODE).and_then(|mut file| file.set_len(0).map(|()| file));
        let file = opened.map_err(|source| AuditError::Io { path, source })?;
        self.segment = Some(Current { unlisted: true, ..Current::of(first, file, 0) });
        Ok(())
    }

    /// Deletes the oldest segment where there are too many, after a durable and signed word.
    fn retire(&mut self, now: Moment) -> Result<(), AuditError> {
        let io = |path: &Path, source| AuditError::Io { path: path.to_owned(), source };
        let segments = segment::list(&self.folder).map_err(|e| io(&self.folder, e))?;
        let [oldest, next, _, ..] = segments[..] else { return Ok(()) };
        if segments.len() <= self.limits.segments.max(2) {
            return Ok(());
        }
        let bytes = segment::read(&self.folder, next).map_err(|e| io(&self.folder, e))?.bytes;
        let prev = line::complete(&bytes).0.next().and_then(Line::read).map(|line| line.prev);
        // A line that cannot be read is for `verify` to say; the disk is freed all the same.
        let head = prev.unwrap_or(Head::GENESIS.sha256);
        self.write(&[(now, Event::Retired { through: next - 1, head })])?;
        self.checkpoint(now)?;
        os::step("audit-retiring");
        for path in [segment::lines_path(&self.folder, oldest), segment::checkpoint_path(&self.folder, oldest)] {
            match self.disk.remove(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(io(&path, e)),
                _ => {}
            }
        }
        self.disk.sync_folder(&self.folder).map_err(|e| io(&self.folder, e))
    }

    fn current<T>(&mut self, work: impl FnOnce(&mut Current) -> io::Result<T>) -> Result<T, AuditError> {
        let current = self.segment.as_mut().expect("callers have begun a segment");
        let first = current.first;
        work(current).map_err(|source| AuditError::Io { path: segment::lines_path(&self.folder, first), source })
    }
}

impl Current {
    const fn of(first: u64, file: DiskFile, synced: u64) -> Self {
        Self { first, file, synced, unsynced: Vec::new(), unlisted: false, doubtful: false }
    }

    fn length(&self) -> u64 {
        self.synced + self.unsynced.len() as u64
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.mend()?;
        self.doubtful = true;
        let end = self.length();
        self.file.write_all_at(bytes, end)?;
        self.doubtful = false;
        self.unsynced.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self, disk: &Disk, folder: &Path) -> io::Result<()> {
        self.mend()?;
        if !self.unsynced.is_empty() {
            // After a failed sync the kernel may call dirty pages clean: they are written again.
            self.doubtful = true;
            self.file.sync()?;
            self.doubtful = false;
            self.synced = self.length();
            self.unsynced.clear();
        }
        if self.unlisted {
            disk.sync_folder(folder)?;
            self.unlisted = false;
        }
        Ok(())
    }

    fn mend(&mut self) -> io::Result<()> {
        if self.doubtful {
            self.file.set_len(self.synced)?;
            self.file.write_all_at(&self.unsynced, self.synced)?;
            self.doubtful = false;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Log {
    /// Leaves the file as a failed write or sync does.
    pub(super) fn break_end(&mut self, rest: &[u8]) {
        let current = self.segment.as_mut().unwrap();
        let end = current.length();
        current.file.write_all_at(rest, end).unwrap();
        current.doubtful = true;
    }
}
