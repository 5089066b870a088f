//! Shelves against every contradiction, and a collector against a real broker and a real publisher.

use std::path::Path;

use super::shelf::{Contradiction, Genuine, Kept};
use super::*;
use crate::digest::Digest;
use crate::seal::header::Header;
use crate::seal::jws::{open, seal};
use crate::seal::outcome::samples;

const NOW: Moment = Moment { unix_ms: 1_800_000_000_000, synchronised: true };

fn genuine(jws: &str, key: &DeviceKey) -> Genuine {
    Genuine { opened: open(jws, &[key.public().clone()]).unwrap(), jws: jws.to_owned() }
}

/// A device and its first `n` outcomes.
fn device(n: u64) -> (DeviceKey, Vec<Genuine>) {
    let key = DeviceKey::generate().unwrap();
    let chain = samples::chain(&key, n).iter().map(|jws| genuine(jws, &key)).collect();
    (key, chain)
}

/// `outcome` as its own device could have signed it otherwise.
fn otherwise(key: &DeviceKey, outcome: &Genuine, change: impl FnOnce(&mut Header)) -> Genuine {
    let mut header = outcome.opened.header.clone();
    change(&mut header);
    genuine(&seal(key, &header, &outcome.opened.payload).unwrap(), key)
}

/// Does `what` with a shelf of each kind, each opened again by `Path`.
fn on_both(what: impl Fn(&dyn Fn() -> Shelf)) {
    let folder = tempfile::tempdir().unwrap();
    what(&|| Shelf::folder(&folder.path().join("outcomes")).unwrap());
    let database = folder.path().join("outcomes.sqlite");
    what(&|| Shelf::database(&database).unwrap());
}

fn keep(shelf: &mut Shelf, outcomes: &[Genuine]) -> Vec<Kept> {
    shelf.keep(outcomes, NOW).unwrap()
}

#[test]
fn an_outcome_is_kept_once_in_any_order_and_after_reopening() {
    on_both(|open| {
        let (key, chain) = device(6);
        let mut shelf = open();
        assert_eq!(
            keep(&mut shelf, &[chain[4].clone(), chain[0].clone(), chain[0].clone()]),
            [Kept::New, Kept::New, Kept::Same]
        );
        assert_eq!(shelf.first_missing(key.id(), 0, 9).unwrap(), (1, Some((2, 4))));
        drop(shelf);
        let mut shelf = open();
        assert_eq!(keep(&mut shelf, &chain[1..5]), [Kept::New, Kept::New, Kept::New, Kept::Same]);
        assert_eq!(shelf.first_missing(key.id(), 0, 0).unwrap(), (5, None));
        assert_eq!(shelf.first_missing(key.id(), 5, 7).unwrap(), (5, Some((6, 7))));
        assert_eq!(shelf.first_missing("nobody", 0, 3).unwrap(), (0, Some((1, 3))));
    });
}

#[test]
fn whatever_contradicts_what_is_kept_is_refused_and_changes_nothing() {
    on_both(|open| {
        let (key, chain) = device(4);
        let mut shelf = open();
        assert_eq!(keep(&mut shelf, &[chain[0].clone(), chain[3].clone()]), [Kept::New, Kept::New]);
        let forged = [
            (
                otherwise(&key, &chain[0], |header| header.test = !header.test),
                Contradiction::Fork { kept: chain[0].opened.sha256 },
            ),
            (otherwise(&key, &chain[1], |header| header.prev = Digest::of(b"another")), Contradiction::NotAfter),
            (otherwise(&key, &chain[2], |header| header.test = !header.test), Contradiction::NotBefore),
        ];
        for (outcome, why) in forged {
            assert_eq!(keep(&mut shelf, &[outcome]), [Kept::Refused(why)]);
        }
        assert_eq!(keep(&mut shelf, &chain), [Kept::Same, Kept::New, Kept::New, Kept::Same]);
        let (other, start) = device(1);
        let start = otherwise(&other, &start[0], |header| header.prev = Digest::of(b"x"));
        assert_eq!(keep(&mut shelf, &[start]), [Kept::Refused(Contradiction::FalseGenesis)]);
    });
}

#[test]
fn two_collectors_on_one_database_keep_each_outcome_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.sqlite");
    let (key, chain) = device(40);
    let kept: usize = std::thread::scope(|scope| {
        let collectors: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut shelf = Shelf::database(&path).unwrap();
                    chain.chunks(7).flat_map(|batch| keep(&mut shelf, batch)).filter(|kept| *kept == Kept::New).count()
                })
            })
            .collect();
        collectors.into_iter().map(|collector| collector.join().unwrap()).sum()
    });
    assert_eq!(kept, 40);
    assert_eq!(Shelf::database(&path).unwrap().first_missing(key.id(), 0, 40).unwrap(), (40, None));
}

#[test]
fn a_folder_is_for_one_collector_and_holds_the_bytes_that_were_signed() {
    let folder = tempfile::tempdir().unwrap();
    let mut shelf = Shelf::folder(folder.path()).unwrap();
    assert!(matches!(Shelf::folder(folder.path()), Err(ShelfError::InUse { .. })));
    let (key, chain) = device(1);
    keep(&mut shelf, &chain);
    let file = folder.path().join(key.id()).join("000000000001.jws");
    assert_eq!(std::fs::read_to_string(file).unwrap(), chain[0].jws);
}

#[test]
fn a_half_written_file_is_no_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let (key, chain) = device(1);
    let of_device = folder.path().join(key.id());
    std::fs::create_dir(&of_device).unwrap();
    std::fs::write(of_device.join(".unfinished"), &chain[0].jws[..40]).unwrap();
    let mut shelf = Shelf::folder(folder.path()).unwrap();
    assert_eq!(shelf.first_missing(key.id(), 0, 1).unwrap(), (0, Some((1, 1))));
    assert_eq!(keep(&mut shelf, &chain), [Kept::New]);
}

#[test]
fn a_database_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = &folder.path().join("other.sqlite");
    let other = rusqlite::Connection::open(path).unwrap();
    other.pragma_update(None, "user_version", 7).unwrap();
    drop(other);
    assert!(Shelf::database(path).unwrap_err().to_string().contains("schema is 7"));
}
