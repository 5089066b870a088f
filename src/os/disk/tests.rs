//! What fails half-way leaves nothing that the next attempt trips over.

use std::sync::Arc;

use super::watch::{Fault, FaultKind, Operation, Span, Watch};
use super::*;

fn failing_at(call: u64, root: &Path) -> Arc<Watch> {
    Watch::over(root, Some(Fault { call, kind: FaultKind::Io, span: Span::Once }))
}

#[test]
fn a_name_that_could_not_be_made_durable_is_free_again() {
    for call in 1.. {
        let root = tempfile::tempdir().unwrap();
        let (watch, path) = (failing_at(call, root.path()), root.path().join("key"));
        let disk = Disk::Watched(Arc::clone(&watch));
        let placed = disk.place_new(&path, b"secret", 0o600);
        if watch.struck().is_none() {
            assert!(placed.is_ok() && call > 5, "every step can fail");
            return;
        }
        assert!(placed.is_err() && !path.exists(), "call {call}");
        disk.place_new(&path, b"secret", 0o600).unwrap();
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1, "call {call}");
    }
}

#[test]
fn a_folder_that_was_made_and_not_synced_is_synced_by_whoever_makes_one_in_it() {
    let root = tempfile::tempdir().unwrap();
    // The first call makes the folder, the second syncs what it is in.
    let watch = failing_at(3, root.path());
    let disk = Disk::Watched(Arc::clone(&watch));
    assert!(disk.make_folders(&root.path().join("a"), 0o700).is_err());
    let made = Operation::Folder { path: "a".into() };
    assert_eq!(watch.take_log().last(), Some(&made), "it is there, and not durable");
    disk.make_folders(&root.path().join("a/b"), 0o700).unwrap();
    assert!(watch.take_log().contains(&Operation::SyncFolder { path: "".into() }));
}

#[test]
fn room_that_was_taken_is_not_the_files_and_is_written_to_on_a_full_disk() {
    let root = tempfile::tempdir().unwrap();
    let watch = Watch::over(root.path(), Some(Fault { call: 3, kind: FaultKind::Full, span: Span::Lasting }));
    let path = root.path().join("log");
    let mut file = Disk::Watched(watch).create_new(&path, 0o600).unwrap();
    file.take_room(8192).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    file.write_all(&[1; 8192]).unwrap();
    assert!(is_full(&file.write_all(&[1]).unwrap_err()));
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 8192);
}
