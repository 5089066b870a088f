//! Room that is kept for what must go on when the disk is full: signing what was accepted,
//! the outbox, the chain, the audit log. Never for taking more in.
//!
//! The reserve is a file that holds nothing but its place. [`Reserve::spending`] gives it
//! up when a write finds the disk full and does the write again; until [`Reserve::refill`]
//! has made it anew, [`Reserve::is_whole`] tells ingest to refuse.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Disk;

/// Readable by the daemon's user alone, like everything beside it.
const MODE: u32 = 0o600;

/// Where the reserve stands. Clones of a store share one.
#[derive(Debug)]
pub struct Reserve {
    disk: Disk,
    path: PathBuf,
    state: Mutex<State>,
}

/// How much is to be kept, and whether it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody asked for a reserve, though an older run may have left one.
    Unasked,
    /// So many bytes are kept.
    Whole(u64),
    /// So many bytes should be kept and are not.
    Spent(u64),
}

impl Reserve {
    /// The reserve in file `path`, which none is asked of yet.
    #[must_use]
    pub fn new(disk: Disk, path: PathBuf) -> Self {
        Self { disk, path, state: Mutex::new(State::Unasked) }
    }

    /// From now on keeps `size_bytes`, as soon as there is room for them.
    ///
    /// # Errors
    /// They cannot be kept now: too little room, or the system refused.
    pub fn keep(&self, size_bytes: u64) -> std::io::Result<()> {
        let mut state = self.state();
        *state = State::Spent(size_bytes);
        self.make(&mut state)
    }

    /// True unless a reserve was asked for and is not there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !matches!(*self.state(), State::Spent(_))
    }

    /// Makes the reserve anew where it was spent and `free_bytes` leave `min_free_bytes`
    /// beside it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn refill(&self, free_bytes: u64, min_free_bytes: u64) -> std::io::Result<()> {
        let mut state = self.state();
        match *state {
            State::Spent(size_bytes) if free_bytes >= min_free_bytes.saturating_add(size_bytes) => {
                self.make(&mut state)
            }
            _ => Ok(()),
        }
    }

    /// Does `work`; where the disk is full, gives the reserve up and does it again.
    ///
    /// # Errors
    /// What `work` said last.
    pub fn spending<T, E>(&self, is_full: impl Fn(&E) -> bool, mut work: impl FnMut() -> Result<T, E>) -> Result<T, E> {
        match work() {
            Err(error) if is_full(&error) && self.give_up() => work(),
            done => done,
        }
    }

    /// Gives the room back to the disk; false where there was none to give.
    fn give_up(&self) -> bool {
        let mut state = self.state();
        if let State::Whole(size_bytes) = *state {
            *state = State::Spent(size_bytes);
        }
        self.disk.remove(&self.path).is_ok()
    }

    fn make(&self, state: &mut State) -> std::io::Result<()> {
        let State::Spent(size_bytes) = *state else { return Ok(()) };
        if std::fs::metadata(&self.path).is_ok_and(|found| found.len() == size_bytes) {
            *state = State::Whole(size_bytes);
            return Ok(());
        }
        // Of another size, or from a run that was cut off.
        let _ = self.disk.remove(&self.path);
        let made = self.disk.create_new(&self.path, MODE).and_then(|mut file| file.allocate(size_bytes));
        if let Err(error) = made {
            let _ = self.disk.remove(&self.path);
            return Err(error);
        }
        *state = State::Whole(size_bytes);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
