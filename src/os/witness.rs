//! Whether the clock is synchronised, where this process may not ask the kernel.
//!
//! The service's sandbox forbids every call that could set the clock, and `adjtimex`, which
//! only tells of it here, is one of them. A process outside of that sandbox, `residentd clock`,
//! asks instead and states it in a file that the service can read and not write:
//! 1. The statement is one line, `<milliseconds since boot> yes` or `… no`.
//! 2. It is replaced whole every [`EVERY`], and counts for [`VALID`]. None, an older one, one
//!    from the future and one that cannot be read all say no: in doubt, an outcome says that
//!    its clock was not synchronised.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Made by tmpfiles.d, so that it is there, and the same, before either process is.
pub const FOLDER: &str = "/run/residentd/clock";
/// Between two statements: one wake-up in ten seconds is nothing, and a clock that loses its
/// source says so itself only after hours.
pub const EVERY: Duration = Duration::from_secs(10);
/// Two statements may be missed.
pub const VALID: Duration = Duration::from_secs(35);
/// Longest statement: twenty digits and a word.
const MAX_BYTES: usize = 32;

/// Where the statement is.
#[must_use]
pub fn file() -> PathBuf {
    Path::new(FOLDER).join("synchronised")
}

/// States in `file` what is so `now`, a time since boot. It need not survive a power cut.
///
/// # Errors
/// The folder is not there or not ours.
pub fn state(file: &Path, synchronised: bool, now: Duration) -> io::Result<()> {
    let new = file.with_extension("new");
    std::fs::write(&new, format!("{} {}\n", now.as_millis(), if synchronised { "yes" } else { "no" }))?;
    std::fs::rename(&new, file)
}

/// Whether the statement in `file` says, and may still say `now`, that the clock is synchronised.
#[must_use]
pub fn believes(file: &Path, now: Duration) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| stated(&text, now) == Some(true))
}

fn stated(text: &str, now: Duration) -> Option<bool> {
    let (at, word) = text.get(..text.len().min(MAX_BYTES))?.trim_end().split_once(' ')?;
    let age = now.checked_sub(Duration::from_millis(at.parse().ok()?))?;
    (age <= VALID).then_some(word == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_statement_counts_for_a_while_and_in_doubt_the_clock_is_not_synchronised() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("synchronised");
        assert!(!believes(&file, MINUTE), "nobody said anything");
        state(&file, true, MINUTE).unwrap();
        assert!(believes(&file, MINUTE) && believes(&file, MINUTE + VALID));
        assert!(!believes(&file, MINUTE + VALID + EVERY), "the witness is gone");
        assert!(!believes(&file, Duration::from_secs(1)), "a statement from before this boot");
        state(&file, false, MINUTE).unwrap();
        assert!(!believes(&file, MINUTE));
    }

    #[test]
    fn what_is_no_statement_says_no() {
        for text in ["", "yes", "60000", "60000 maybe", "-1 yes", "x yes", "60000\u{fffd} yes"] {
            assert_ne!(stated(text, MINUTE), Some(true), "{text:?}");
        }
    }
}
