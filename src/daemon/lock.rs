//! One daemon a state folder: an advisory lock that ends with the process, however it ends.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::DaemonError;

/// The lock, held while this lives.
pub struct StateLock {
    _file: File,
}

/// Who holds the lock of a state folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// A daemon; its process id where the kernel tells.
    Daemon(Option<u32>),
}

/// Who holds the lock of `state_dir`. Looking takes the lock for no longer than a system
/// call, in which a daemon that starts would think that another one runs.
///
/// # Errors
/// There is a lock file, and it cannot be looked at.
pub fn holder(state_dir: &Path) -> std::io::Result<Holder> {
    let file = match File::open(state_dir.join("lock")) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Holder::Nobody),
        Err(e) => return Err(e),
    };
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(Holder::Nobody),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(Holder::Daemon(process(file.metadata()?.ino()))),
        Err(e) => Err(e.into()),
    }
}

/// The process that holds a `flock` on this inode (proc(5), `/proc/locks`): fields are number,
/// class, mode, access, process, device and inode, range.
fn process(inode: u64) -> Option<u32> {
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let ours = *fields.get(1)? == "FLOCK" && fields.get(5)?.rsplit(':').next()?.parse() == Ok(inode);
        if ours { fields.get(4)?.parse().ok() } else { None }
    })
}

impl StateLock {
    /// Takes the lock of `state_dir`, making the folder if need be.
    ///
    /// # Errors
    /// Another daemon holds it, or the folder is not writable.
    pub fn take(state_dir: &Path) -> Result<Self, DaemonError> {
        let path = state_dir.join("lock");
        let error = |message: String| DaemonError::Lock { path: path.clone(), message };
        let unwritable = |source| DaemonError::State { path: state_dir.to_owned(), source };
        std::fs::create_dir_all(state_dir).map_err(unwritable)?;
        let file = File::create(&path).map_err(unwritable)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| error("another residentd uses this state folder; stop it first".into()))?;
        Ok(Self { _file: file })
    }
}
