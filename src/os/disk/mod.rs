//! The one way by which durable files are written: create, write, sync, rename, remove.
//!
//! A writer keeps three rules, and the power-cut replay (`tests/power_cut`) holds it to them:
//! 1. A file is durable after [`DiskFile::sync`], its name after [`Disk::sync_folder`] on
//!    the folder that the name is in, that folder after the same on its parent.
//! 2. What was promised is never overwritten in place: a new file, synced, then a rename,
//!    or a link where the name must be free ([`Disk::place_new`]).
//! 3. Until it is synced, a write may be lost, or be there in part, or leave garbage in
//!    any sector that it touches, also where older bytes were in that sector.
//!
//! [`Disk::Real`] is the file system. [`Disk::Watched`] is the same file system with a log
//! of every call and a fault where one is asked for. `SQLite` joins through [`sqlite::open`].

pub mod reserve;
pub mod sqlite;
pub mod watch;
mod wipe;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use watch::{Effect, FileId, Grant, Operation, Watch};

/// Where durable files are written. Clones write to the same place.
#[derive(Debug, Clone, Default)]
pub enum Disk {
    /// The file system.
    #[default]
    Real,
    /// The file system below one folder, with a log and with faults: for experiments.
    Watched(Arc<Watch>),
}

/// A file that is being written by one writer.
#[derive(Debug)]
pub struct DiskFile {
    file: File,
    watched: Option<(Arc<Watch>, FileId)>,
    /// Up to where room was taken ahead; what is written there takes none.
    room_to: u64,
}

impl Disk {
    /// Makes folder `path` and what is missing above it, with these mode bits; when this
    /// returns, the folder survives a power cut, also where it was there: the one who
    /// made it may have been killed before the sync.
    ///
    /// # Errors
    /// A folder cannot be made, or what it is in cannot be synced.
    pub fn make_folders(&self, path: &Path, mode: u32) -> io::Result<()> {
        let above = parent(path);
        if path.is_dir() {
            return match self.sync_folder(above) {
                // Where we may not look into the folder above, somebody else made this one.
                Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Ok(()),
                synced => synced,
            };
        }
        // Also where it is there: who made it may not have come to the sync.
        self.make_folders(above, mode)?;
        self.admit(Effect::Grow)?;
        match std::fs::DirBuilder::new().mode(mode).create(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            result => {
                result?;
                self.done(|watch| Operation::Folder { path: watch.relative(path) });
            }
        }
        self.sync_folder(above)
    }

    /// Makes a new file for reading and writing, with these mode bits.
    ///
    /// # Errors
    /// The name is taken, or the system refused.
    pub fn create_new(&self, path: &Path, mode: u32) -> io::Result<DiskFile> {
        self.admit(Effect::Grow)?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path)?;
        Ok(DiskFile { file, watched: self.opened(path, true), room_to: 0 })
    }

    /// Opens the file at `path`, made with these mode bits where it is not there, and
    /// stands at its end. For one writer at a time. See rule 3: a lost append may take
    /// the last sector of what stood before it along.
    ///
    /// # Errors
    /// The system refused.
    pub fn append(&self, path: &Path, mode: u32) -> io::Result<DiskFile> {
        let is_new = !path.exists();
        self.admit(if is_new { Effect::Grow } else { Effect::Keep })?;
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(mode).open(path)?;
        file.seek(SeekFrom::End(0))?;
        Ok(DiskFile { file, watched: self.opened(path, is_new), room_to: 0 })
    }

    /// Gives a file another name; durable once the folders of both are synced.
    ///
    /// # Errors
    /// The system refused.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.admit(Effect::Grow)?;
        std::fs::rename(from, to)?;
        self.done(|watch| Operation::Rename { from: watch.relative(from), to: watch.relative(to) });
        Ok(())
    }

    /// Moves a finished file into place: syncs it, renames it, syncs the folder.
    /// When this returns, the file survives a power cut under its new name.
    ///
    /// # Errors
    /// Any of the three steps failed; the file is then under either name.
    pub fn durable_rename(&self, file: &DiskFile, from: &Path, to: &Path) -> io::Result<()> {
        file.sync()?;
        super::step("synced");
        self.rename(from, to)?;
        super::step("moved");
        self.sync_folder(parent(to))
    }

    /// Puts `bytes` at `path`, whole and durable, only where no file is: a link, unlike a
    /// rename, fails where its name is taken.
    ///
    /// # Errors
    /// The name is taken (it is left as it is), or the system refused: then the name is free
    /// again, unless it refused that too.
    pub fn place_new(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let (mut file, unfinished) = self.beside(path, mode)?;
        let written = file.write_all(bytes).and_then(|()| file.sync());
        super::step("written");
        let linked = written.and_then(|()| self.link(&unfinished, path));
        let is_ours = linked.is_ok();
        super::step("placed");
        let removed = self.remove(&unfinished);
        let placed = linked.and(removed).and_then(|()| self.sync_folder(parent(path)));
        if placed.is_err() && is_ours {
            // Perhaps not durable, so not to be found: whoever tries again finds the name free.
            let _ = self.remove(path);
        }
        placed
    }

    /// Puts `bytes` at `path`, whole and durable, in place of what is there.
    ///
    /// # Errors
    /// The system refused; what was there is there, unless the last step failed.
    pub fn replace(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        let (mut file, unfinished) = self.beside(path, mode)?;
        file.write_all(bytes)?;
        self.durable_rename(&file, &unfinished, path)
    }

    /// An empty file beside `path` that may become it.
    fn beside(&self, path: &Path, mode: u32) -> io::Result<(DiskFile, PathBuf)> {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        name.push(".new");
        let unfinished = parent(path).join(name);
        match self.remove(&unfinished) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        Ok((self.create_new(&unfinished, mode)?, unfinished))
    }

    /// Gives a file a second name; durable once the folder of that is synced.
    ///
    /// # Errors
    /// The name is taken, or the system refused.
    pub fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.admit(Effect::Grow)?;
        std::fs::hard_link(from, to)?;
        self.done(|watch| Operation::Link { from: watch.relative(from), to: watch.relative(to) });
        Ok(())
    }

    /// Removes a file's name; it may be back after a power cut until the folder is synced.
    ///
    /// # Errors
    /// The system refused.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        self.admit(Effect::Shrink)?;
        std::fs::remove_file(path)?;
        self.done(|watch| Operation::Remove { path: watch.relative(path) });
        Ok(())
    }

    /// Makes the entries of a folder durable (after a create, rename or remove in it).
    ///
    /// # Errors
    /// The folder cannot be opened or synced.
    pub fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.admit(Effect::Sync)?;
        File::open(path)?.sync_all()?;
        self.done(|watch| Operation::SyncFolder { path: watch.relative(path) });
        Ok(())
    }

    fn admit(&self, effect: Effect) -> io::Result<()> {
        match self {
            Self::Real => Ok(()),
            Self::Watched(watch) => watch.admit(effect),
        }
    }

    fn done(&self, operation: impl FnOnce(&Watch) -> Operation) {
        if let Self::Watched(watch) = self {
            watch.log(operation(watch));
        }
    }

    fn opened(&self, path: &Path, is_new: bool) -> Option<(Arc<Watch>, FileId)> {
        match self {
            Self::Real => None,
            Self::Watched(watch) => Some((Arc::clone(watch), watch.opened(path, is_new))),
        }
    }
}

impl DiskFile {
    /// Makes what was written durable, length included; the name is another matter.
    ///
    /// # Errors
    /// The system refused: what was written since the last sync may be lost for good.
    pub fn sync(&self) -> io::Result<()> {
        let Some((watch, file)) = &self.watched else { return self.file.sync_all() };
        if let Err(error) = watch.admit(Effect::Sync) {
            watch.log(Operation::SyncFailed { file: *file });
            return Err(error);
        }
        self.file.sync_all()?;
        watch.log(Operation::Sync { file: *file });
        Ok(())
    }

    /// Writes `bytes` from `offset` on.
    ///
    /// # Errors
    /// The system refused: some of them may be written.
    pub fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.write_all(bytes)
    }

    /// Cuts the file to `size_bytes`, or lengthens it with zeros.
    ///
    /// # Errors
    /// The system refused.
    pub fn set_len(&mut self, size_bytes: u64) -> io::Result<()> {
        if let Some((watch, file)) = &self.watched {
            let grows = size_bytes > self.file.metadata()?.len();
            watch.admit(if grows { Effect::Grow } else { Effect::Keep })?;
            watch.log(Operation::Resize { file: *file, size_bytes });
        }
        self.room_to = 0;
        self.file.set_len(size_bytes)
    }

    /// Takes room for `size_bytes` in all, beyond the file's end too, which stays where it is:
    /// what is written there finds its room on a full disk. [`DiskFile::set_len`] gives it back.
    ///
    /// # Errors
    /// The disk has not so much left, or the file system makes no such promise.
    pub fn take_room(&mut self, size_bytes: u64) -> io::Result<()> {
        if let Some((watch, _)) = &self.watched {
            watch.admit(Effect::Grow)?;
        }
        rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::KEEP_SIZE, 0, size_bytes)?;
        self.room_to = size_bytes;
        Ok(())
    }

    /// Takes `size_bytes` of the disk for this file now, so that none of it is missing later.
    ///
    /// # Errors
    /// The disk has not so much left, or the system refused.
    pub fn allocate(&mut self, size_bytes: u64) -> io::Result<()> {
        if let Some((watch, file)) = &self.watched {
            watch.admit(Effect::Grow)?;
            watch.log(Operation::Resize { file: *file, size_bytes });
        }
        match rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::empty(), 0, size_bytes) {
            // A file system that cannot promise room is filled by hand.
            Err(rustix::io::Errno::OPNOTSUPP) => {
                io::copy(&mut io::repeat(0).take(size_bytes), &mut self.file)?;
                self.file.rewind()
            }
            allocated => Ok(allocated?),
        }
    }
}

impl Write for DiskFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some((watch, file)) = &self.watched else { return self.file.write(bytes) };
        let offset = self.file.stream_position()?;
        let end = offset + bytes.len() as u64;
        let effect = if end > self.file.metadata()?.len().max(self.room_to) { Effect::Grow } else { Effect::Keep };
        let granted = match watch.admit_write(effect, bytes.len())? {
            Grant::All => bytes,
            Grant::Short(some) | Grant::Last(some) => &bytes[..some],
        };
        self.file.write_all(granted)?;
        watch.log(Operation::Write { file: *file, offset, bytes: granted.to_vec() });
        Ok(granted.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for DiskFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl Seek for DiskFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// True where waiting may help: the disk, or our share of it, is full.
#[must_use]
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The folder that `path` is in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    }
}

/// `path` as it is known by the names of files; for [`watch`] and [`sqlite`].
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests;
