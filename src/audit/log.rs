//! The writing half: lines to a segment, segments to their bound, checkpoints beside them.
//!
//! On a full disk it goes on: lines have room ahead of them ([`super::current`]), and for a
//! checkpoint or the next segment a small reserve is given up.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::current::{Current, padding};
use super::event::{After, Event};
use super::line::{self, Head, Line};
use super::recover::{self, Found, State};
use super::{Limits, checkpoint, segment};
use crate::clock::Moment;
use crate::os;
use crate::os::disk::reserve::Reserve;
use crate::os::disk::{self, Disk};
use crate::seal::key::DeviceKey;
use crate::seal::message::MessageError;

/// For the daemon's user, and its group to read.
const FOLDER_MODE: u32 = 0o750;
const FILE_MODE: u32 = 0o640;
/// Kept for when the disk is full: a checkpoint, the first lines of a segment, their names.
const RESERVE_BYTES: u64 = 256 * 1024;
/// Its name in the folder, which is no segment's.
const RESERVE: &str = "reserve";

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
    reserve: Arc<Reserve>,
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
        let reserve = Arc::new(Reserve::new(disk.clone(), folder.join(RESERVE)));
        let mut log = Self { disk: disk.clone(), folder: at, limits, key, segment: None, head, signed: None, reserve };
        // What cannot be read is broken too: the box must not stand still for its log.
        let mut found = match recover::look(folder, &public).unwrap_or_else(|e| State::Broken(e.to_string())) {
            State::Nothing => return Ok(Opened { log, first: Vec::new(), after: After::Nothing }),
            State::Broken(why) => {
                let aside = recover::set_aside(folder).map_err(io)?;
                disk.make_folders(folder, FOLDER_MODE).map_err(io)?;
                let first = vec![Event::SetAside { folder: aside.into(), why: why.into() }];
                return Ok(Opened { log, first, after: After::Nothing });
            }
            State::Whole(found) => found,
        };
        let first: Vec<_> =
            found.torn.iter().map(|(bytes, sha256)| Event::Recovered { bytes: *bytes, sha256: *sha256 }).collect();
        log.take_over(&mut found)?;
        Ok(Opened { log, first, after: found.after })
    }

    /// Goes on with the segment that an earlier process left. What no checkpoint is about may
    /// be nowhere but in memory, even where a sync goes well: after one that failed, the
    /// kernel calls lost pages clean. It is written anew, whole, beside what is there.
    fn take_over(&mut self, found: &mut Found) -> Result<(), AuditError> {
        let path = segment::lines_path(&self.folder, found.first);
        let io = |source| AuditError::Io { path: path.clone(), source };
        if !found.signed || found.torn.is_some() {
            os::step("audit-torn");
            let mut renewed = found.kept.clone();
            let padded = if found.signed { None } else { padding(&renewed, renewed.len() as u64) };
            let sha256 = padded.map_or(found.head.sha256, |(padding, sha256)| {
                renewed.pop();
                renewed.extend(padding);
                sha256
            });
            match self.disk.replace(&path, &renewed, FILE_MODE) {
                Ok(()) => {
                    (found.kept, found.torn, found.signed) = (renewed, None, true);
                    found.head.sha256 = sha256;
                }
                // Better a log that a failed sync may have spoiled than none.
                Err(full) if disk::is_full(&full) => {}
                Err(e) => return Err(io(e)),
            }
        }
        let kept = found.kept.len() as u64;
        let mut file = self.disk.append(&path, FILE_MODE).map_err(io)?;
        if found.torn.is_some() {
            file.set_len(kept).and_then(|()| file.sync()).map_err(io)?;
        }
        let loose = found.loose().to_vec();
        self.head = found.head;
        self.segment = Some(Current::found(found.first, file, kept - loose.len() as u64, loose));
        Ok(())
    }

    /// Where the log stands.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Bytes that a power cut may still take.
    #[must_use]
    pub fn unsynced_bytes(&self) -> usize {
        self.segment.as_ref().map_or(0, Current::unsynced_bytes)
    }

    /// Writes `events` as the next lines, all or none, not durable yet.
    ///
    /// # Errors
    /// None was written.
    pub fn append(&mut self, events: &[(Moment, Event)]) -> Result<(), AuditError> {
        let Some((now, _)) = events.last() else { return Ok(()) };
        self.spending(|log| {
            match &log.segment {
                None => log.begin()?,
                Some(current) if current.length() >= log.limits.segment_bytes => log.turn(*now)?,
                Some(_) => {}
            }
            log.write(events)
        })
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
        if self.segment.is_none() {
            return Ok(());
        }
        self.spending(|log| {
            if let Some(sha256) = log.current(Current::pad)? {
                log.head.sha256 = sha256;
            }
            let (disk, folder) = (log.disk.clone(), log.folder.clone());
            log.current(|current| current.sync(&disk, &folder))
        })
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
        self.spending(|log| {
            let placed = log.disk.replace(&path, format!("{jws}\n").as_bytes(), FILE_MODE);
            placed.map_err(|source| AuditError::Io { path: path.clone(), source })
        })?;
        os::step("audit-checkpoint");
        // All is well, so there may be room for what the next full disk will need.
        let _ = self.reserve.keep(RESERVE_BYTES);
        self.signed = Some((self.head, Arc::clone(&jws)));
        Ok(Some(jws))
    }

    /// Does `work`; where the disk is full, gives the reserve up and does it again.
    fn spending<T>(&mut self, mut work: impl FnMut(&mut Self) -> Result<T, AuditError>) -> Result<T, AuditError> {
        let reserve = Arc::clone(&self.reserve);
        let is_full = |error: &AuditError| matches!(error, AuditError::Io { source, .. } if disk::is_full(source));
        reserve.spending(is_full, || work(self))
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
        self.segment = Some(Current::begun(first, file));
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

#[cfg(test)]
impl Log {
    /// Leaves the file as a failed write or sync does.
    pub(super) fn break_end(&mut self, rest: &[u8]) {
        self.segment.as_mut().unwrap().break_end(rest);
    }
}
