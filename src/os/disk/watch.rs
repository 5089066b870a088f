//! A file system that is watched: every call below one folder in a log, and a fault on
//! the call that was asked for. For the power-cut replay and the fault runs; the daemon
//! never makes one.
//!
//! The log is what a replay needs and no more: which bytes went where in which file, what
//! was synced, and which names came and went. Paths in it are relative to the folder.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// A file, whatever its name is at the moment.
pub type FileId = u32;

/// One thing that was done to the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A folder was made.
    Folder {
        /// Its name.
        path: PathBuf,
    },
    /// A file was made.
    Create {
        /// Its name.
        path: PathBuf,
        /// The file.
        file: FileId,
    },
    /// A file was opened that was there before the log began.
    Found {
        /// Its name.
        path: PathBuf,
        /// The file.
        file: FileId,
    },
    /// Bytes were written.
    Write {
        /// The file.
        file: FileId,
        /// Where the first of them stands.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A file was cut or lengthened with zeros.
    Resize {
        /// The file.
        file: FileId,
        /// Its length now.
        size_bytes: u64,
    },
    /// A file was synced.
    Sync {
        /// The file.
        file: FileId,
    },
    /// Syncing failed: each write since the last sync is on the disk or lost, for good.
    SyncFailed {
        /// The file.
        file: FileId,
    },
    /// A name was changed, replacing what had the new one.
    Rename {
        /// The name before.
        from: PathBuf,
        /// The name now.
        to: PathBuf,
    },
    /// A file got a second name.
    Link {
        /// A name it has.
        from: PathBuf,
        /// The new one.
        to: PathBuf,
    },
    /// A name was removed.
    Remove {
        /// The name.
        path: PathBuf,
    },
    /// The entries of a folder were synced.
    SyncFolder {
        /// The folder.
        path: PathBuf,
    },
}

/// What a call does to the room on the disk: a full one fails what grows alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Takes room, if only for a name.
    Grow,
    /// Changes what has room already.
    Keep,
    /// Gives room back.
    Shrink,
    /// Makes something durable.
    Sync,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// ENOSPC on a call that takes room.
    Full,
    /// EIO on any call.
    Io,
    /// Half of a write is done and said to be done, which POSIX allows at any time.
    Short,
    /// Half of a write is done; then the disk is full.
    ShortThenFull,
}

/// How long it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// One call.
    Once,
    /// Until [`Watch::lift`].
    Lasting,
}

/// A fault from call `call` (the first is 1) on, at the first one that it can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Number of the call.
    pub call: u64,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How long.
    pub span: Span,
}

/// How much of a write is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grant {
    /// All of it.
    All,
    /// So many bytes; the next write may do the rest.
    Short(usize),
    /// So many bytes, and then the disk is full.
    Last(usize),
}

/// The watch over one folder.
#[derive(Debug)]
pub struct Watch {
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    log: Vec<Operation>,
    names: BTreeMap<PathBuf, FileId>,
    files: FileId,
    calls: u64,
    fault: Option<Fault>,
    struck: Option<u64>,
}

/// Every live watch, for `SQLite`, which knows files by their path alone.
static WATCHES: Mutex<Vec<(PathBuf, Weak<Watch>)>> = Mutex::new(Vec::new());

impl Watch {
    /// Watches what is below folder `root`, where an older watch over it ends.
    #[must_use]
    pub fn over(root: &Path, fault: Option<Fault>) -> Arc<Self> {
        let root = super::absolute(root);
        let state = Mutex::new(State { fault, ..State::default() });
        let watch = Arc::new(Self { root: root.clone(), state });
        let mut watches = WATCHES.lock().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|(over, watch)| *over != root && watch.strong_count() > 0);
        watches.push((root, Arc::downgrade(&watch)));
        watch
    }

    /// The watch over `path`.
    pub(super) fn of(path: &Path) -> Option<Arc<Self>> {
        let watches = WATCHES.lock().unwrap_or_else(PoisonError::into_inner);
        watches.iter().filter(|(root, _)| path.starts_with(root)).find_map(|(_, watch)| watch.upgrade())
    }

    /// How many operations are in the log: a place in time.
    #[must_use]
    pub fn position(&self) -> usize {
        self.state().log.len()
    }

    /// Takes the log out.
    #[must_use]
    pub fn take_log(&self) -> Vec<Operation> {
        std::mem::take(&mut self.state().log)
    }

    /// How many calls there were that a fault can strike.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// The call that the fault struck first, where it did.
    #[must_use]
    pub fn struck(&self) -> Option<u64> {
        self.state().struck
    }

    /// Ends the fault.
    pub fn lift(&self) {
        self.state().fault = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call that writes no bytes may go on.
    pub(super) fn admit(&self, effect: Effect) -> io::Result<()> {
        self.state().strike(effect, false).map_or(Ok(()), |kind| Err(kind.error()))
    }

    /// How much of `length` bytes a write may write.
    pub(super) fn admit_write(&self, effect: Effect, length: usize) -> io::Result<Grant> {
        let mut state = self.state();
        match state.strike(effect, length > 1) {
            None => Ok(Grant::All),
            Some(FaultKind::Short) => Ok(Grant::Short(length / 2)),
            Some(FaultKind::ShortThenFull) => {
                state.fault = Some(Fault { call: 0, kind: FaultKind::Full, span: Span::Lasting });
                Ok(Grant::Last(length / 2))
            }
            Some(kind) => Err(kind.error()),
        }
    }

    pub(super) fn log(&self, operation: Operation) {
        let mut state = self.state();
        match &operation {
            Operation::Rename { from, to } => {
                let moved = state.names.remove(from);
                state.names.extend(moved.map(|file| (to.clone(), file)));
            }
            Operation::Link { from, to } => {
                let linked = state.names.get(from).copied();
                state.names.extend(linked.map(|file| (to.clone(), file)));
            }
            Operation::Remove { path } => drop(state.names.remove(path)),
            _ => {}
        }
        state.log.push(operation);
    }

    /// The file that was opened at `path`.
    pub(super) fn opened(&self, path: &Path, is_new: bool) -> FileId {
        let path = self.relative(path);
        let mut state = self.state();
        if let Some(file) = state.names.get(&path).filter(|_| !is_new) {
            return *file;
        }
        state.files += 1;
        let file = state.files;
        state.names.insert(path.clone(), file);
        state.log.push(if is_new { Operation::Create { path, file } } else { Operation::Found { path, file } });
        file
    }

    pub(super) fn relative(&self, path: &Path) -> PathBuf {
        let path = super::absolute(path);
        path.strip_prefix(&self.root).map(Path::to_owned).unwrap_or(path)
    }
}

impl State {
    /// Counts a call; what goes wrong with it, if something does.
    fn strike(&mut self, effect: Effect, can_be_short: bool) -> Option<FaultKind> {
        self.calls += 1;
        let fault = self.fault.filter(|fault| self.calls >= fault.call)?;
        let strikes = match fault.kind {
            FaultKind::Full => effect == Effect::Grow,
            FaultKind::Io => true,
            FaultKind::Short | FaultKind::ShortThenFull => can_be_short,
        };
        if !strikes {
            return None;
        }
        if fault.span == Span::Once {
            self.fault = None;
        }
        self.struck.get_or_insert(self.calls);
        Some(fault.kind)
    }
}

impl FaultKind {
    fn error(self) -> io::Error {
        let errno = match self {
            Self::Io => rustix::io::Errno::IO,
            Self::Full | Self::Short | Self::ShortThenFull => rustix::io::Errno::NOSPC,
        };
        errno.into()
    }
}
