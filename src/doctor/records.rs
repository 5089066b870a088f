//! What the box wrote: the store, the backlog in it, and the audit log. Read only.

use std::path::Path;

use super::finding::Found;
use crate::audit::{self, Checkpoint, Segment};
use crate::clock::Moment;
use crate::seal::public::PublicKey;
use crate::store::{Glance, SCHEMA_VERSION, StoreError};

const HOUR_MS: i64 = 3_600_000;
/// An outcome that waits for longer has nobody who takes it.
const LONG_MS: i64 = HOUR_MS;
/// Images that wait to be read: more than a busy hour brings.
const MANY_UNREAD: u64 = 100;

/// Opens the store in `state_dir`; `Err` says why there is nothing to look at.
///
/// # Errors
/// There is none, it cannot be read, or it is damaged.
pub fn open(state_dir: &Path, running: bool) -> Result<Glance, Found> {
    if !state_dir.join("residentd.sqlite").exists() {
        return Err(Found::not_checked(format!("{} holds no store: this box has never run", state_dir.display())));
    }
    Glance::at(state_dir, running).map_err(|e| match e {
        StoreError::Schema { found, .. } if found < SCHEMA_VERSION => Found::not_checked(format!(
            "the store has schema {found}: the next start of the daemon takes it to {SCHEMA_VERSION}"
        )),
        other => damaged(&other),
    })
}

fn damaged(error: &StoreError) -> Found {
    let todo = match error {
        StoreError::Schema { .. } => {
            "install the residentd that wrote it: a store is never taken back to an older schema"
        }
        _ => {
            "run the doctor as root or as the daemon's user; if it still fails, stop the daemon, keep a copy of the state folder, `residentd export` what can be read, and begin with an empty one"
        }
    };
    Found::failed(error.to_string(), todo)
}

/// Whether the store is whole.
#[must_use]
pub fn integrity(glance: &Glance) -> Found {
    match glance.quick_check() {
        Ok(None) => Found::ok("the store is whole"),
        Ok(Some(said)) => Found::failed(
            format!("the store is damaged: {said}"),
            "stop the daemon, keep a copy of the state folder, `residentd export` what can be read, replace the card, and begin with an empty state folder",
        ),
        Err(e) => damaged(&e),
    }
}

/// What waits, for how long, and when something last went well.
#[must_use]
pub fn backlog(glance: &Glance, now: Moment) -> Found {
    let counts = match glance.counts() {
        Ok(counts) => counts,
        Err(e) => return damaged(&e),
    };
    let last =
        counts.last_sealed_unix_ms.map_or("no outcome yet".to_owned(), |at| format!("last outcome {}", ago(at, now)));
    let seen = format!(
        "{} outcomes, {last}; {} images unread, {} outcomes undelivered",
        counts.outcomes, counts.unread, counts.undelivered
    );
    let unread = (counts.unread > MANY_UNREAD).then(|| {
        Found::warning(
            format!("{} images wait to be read", counts.unread),
            "see the daemon's log for why reading waits: `journalctl -u residentd`",
        )
    });
    let oldest = counts.oldest_waiting_unix_ms.filter(|at| now.unix_ms - at > LONG_MS);
    let waiting = oldest.map(|at| {
        Found::warning(
            format!("the oldest undelivered outcome was sealed {}", ago(at, now)),
            "nobody takes outcomes: look at the broker and receiver checks; nothing is lost meanwhile, and `residentd export` has every outcome",
        )
    });
    [unread, waiting].into_iter().flatten().fold(Found::ok(seen), Found::and)
}

/// How long ago, roughly: a clock that was set since may say anything.
#[must_use]
pub fn ago(unix_ms: i64, now: Moment) -> String {
    let passed = now.unix_ms.saturating_sub(unix_ms);
    match passed {
        ..0 => "in the future, by this clock".to_owned(),
        0..60_000 => format!("{} s ago", passed / 1000),
        60_000..HOUR_MS => format!("{} min ago", passed / 60_000),
        _ if passed < 48 * HOUR_MS => format!("{} h ago", passed / HOUR_MS),
        _ => format!("{} days ago", passed / (24 * HOUR_MS)),
    }
}

/// Whether the audit log holds under its checkpoints.
#[must_use]
pub fn audit(state_dir: &Path, key: Option<&PublicKey>) -> Found {
    let folder = audit::folder_of(state_dir);
    let shown = folder.display();
    let Some(key) = key else { return Found::not_checked("without the device's public key nothing can be verified") };
    let (segments, checkpoints) = match Segment::all(&folder) {
        Ok((segments, _)) if segments.is_empty() => return Found::not_checked(format!("{shown} holds no log yet")),
        Ok(all) => all,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Found::not_checked(format!("{shown} is not there: this box has never run"));
        }
        Err(e) => return Found::not_checked(format!("{shown}: {e}")),
    };
    let opened: Vec<Checkpoint> =
        checkpoints.iter().filter_map(|jws| Checkpoint::open(jws, std::slice::from_ref(key)).ok()).collect();
    if opened.is_empty() {
        return Found::not_checked("no checkpoint by this key yet: one is signed with the first heartbeat");
    }
    let verified = audit::verify::verify(&segments, &opened);
    if verified.passed() {
        let to = verified.holds_to.unwrap_or_default();
        return Found::ok(format!("holds up to checkpoint {to}, {} later lines chained", verified.later));
    }
    Found::failed(
        format!("{shown} does not hold under its own checkpoints"),
        "`residentd audit verify` says which line: somebody changed the log, or the card did. Keep a copy, and compare with the checkpoints that the hospital has from status messages",
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;
    use crate::store::Counts;

    #[test]
    fn how_long_ago_is_said_in_the_unit_that_fits() {
        let now = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
        let said = |passed_ms: i64| ago(now.unix_ms - passed_ms, now);
        assert_eq!((said(5_000).as_str(), said(90_000).as_str()), ("5 s ago", "1 min ago"));
        assert_eq!((said(3 * HOUR_MS).as_str(), said(50 * HOUR_MS).as_str()), ("3 h ago", "2 days ago"));
        assert!(said(-1).contains("future"));
    }

    #[test]
    fn a_box_that_never_ran_is_not_checked_and_a_damaged_store_fails_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let none = open(folder.path(), false).err().unwrap();
        assert!(none.state == State::NotChecked && none.what[0].contains("never run"));
        std::fs::write(folder.path().join("residentd.sqlite"), "not a database, but long enough to be looked at")
            .unwrap();
        let damaged = open(folder.path(), false).and_then(|glance| match integrity(&glance) {
            Found { state: State::Ok, .. } => Ok(glance),
            found => Err(found),
        });
        let damaged = damaged.err().unwrap();
        assert!(damaged.state == State::Failed && damaged.todo[0].contains("export"), "{damaged:?}");
    }

    #[test]
    fn a_backlog_is_a_warning_with_its_age() {
        let folder = tempfile::tempdir().unwrap();
        let now = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
        drop(crate::store::Store::open(folder.path()).unwrap());
        let glance = open(folder.path(), false).unwrap();
        assert_eq!(integrity(&glance), Found::ok("the store is whole"));
        assert_eq!(glance.counts().unwrap(), Counts::default());
        assert!(backlog(&glance, now).what[0].contains("no outcome yet"));
    }
}
