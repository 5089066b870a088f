//! One daemon a state folder: an advisory lock that ends with the process, however it ends.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::DaemonError;

/// The lock, held while this lives.
pub struct StateLock {
    _file: File,
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
