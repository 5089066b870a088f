//! The store's invariants, one test each.

use std::path::Path;

use super::*;
use crate::clock::Moment;
use crate::digest::Digest;
use crate::instance::Instance;

pub(super) const NOW: Moment = Moment { unix_ms: 1_800_000_000_000, synchronised: true };

pub(super) fn instance(store: &Store, number: u8) -> NewInstance {
    let sha256 = Digest::of(&[number]);
    NewInstance {
        instance: Instance {
            path: store.instance_path(&sha256),
            sha256,
            size_bytes: 1,
            sop_class_uid: "1.2.840.10008.5.1.4.1.1.1".parse().unwrap(),
            sop_instance_uid: format!("1.2.3.{number}").parse().unwrap(),
            transfer_syntax_uid: "1.2.840.10008.1.2.1".parse().unwrap(),
        },
        calling_ae: "CART".parse().unwrap(),
        received: NOW,
    }
}

fn sealed(name: &str) -> impl FnOnce(&Head) -> Result<SealedOutcome, String> {
    move |head| {
        Ok(SealedOutcome {
            urgency: Urgency::Routine,
            report_id: name.into(),
            kind: "report",
            jws: format!("{name} after {}", head.sha256),
        })
    }
}

pub(super) fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

#[test]
fn one_uid_has_one_row_and_other_bytes_conflict() {
    let (_folder, store) = open();
    let new = instance(&store, 1);
    assert_eq!(store.accept(&new).unwrap(), Accepted::New);
    assert_eq!(store.accept(&new).unwrap(), Accepted::Same);
    let mut other = instance(&store, 2);
    other.instance.sop_instance_uid = new.instance.sop_instance_uid.clone();
    assert_eq!(store.accept(&other).unwrap(), Accepted::Conflict);
    assert_eq!(store.unread().unwrap(), 1);
}

#[test]
fn an_instance_is_concluded_exactly_once() {
    let (_folder, store) = open();
    store.accept(&instance(&store, 1)).unwrap();
    let next = store.next_unread().unwrap().unwrap();
    assert_eq!((next.received, next.calling_ae.as_str()), (NOW, "CART"));
    assert_eq!(store.conclude(next.id, NOW, sealed("a")).unwrap(), Some(1));
    assert_eq!(store.conclude(next.id, NOW, sealed("b")).unwrap(), None);
    assert!(store.next_unread().unwrap().is_none());
    assert_eq!(store.outcomes(0, 10).unwrap().len(), 1);
}

#[test]
fn each_outcome_is_given_the_hash_of_the_one_before_also_after_reopening() {
    let (folder, store) = open();
    for number in 1..=3 {
        store.accept(&instance(&store, number)).unwrap();
    }
    let first = store.next_unread().unwrap().unwrap();
    store.conclude(first.id, NOW, sealed("a")).unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    let second = store.next_unread().unwrap().unwrap();
    store.conclude(second.id, NOW, sealed("b")).unwrap();
    let outcomes = store.outcomes(0, 10).unwrap();
    assert_eq!(outcomes[0].jws, format!("a after {}", "0".repeat(64)));
    assert_eq!(outcomes[1].jws, format!("b after {}", Digest::of(outcomes[0].jws.as_bytes())));
    assert_eq!(store.head().unwrap(), Head { sequence: 2, sha256: Digest::of(outcomes[1].jws.as_bytes()) });
}

#[test]
fn a_seal_that_fails_changes_nothing() {
    let (_folder, store) = open();
    store.accept(&instance(&store, 1)).unwrap();
    let id = store.next_unread().unwrap().unwrap().id;
    assert!(store.conclude(id, NOW, |_| Err::<SealedOutcome, _>("no key")).unwrap_err().to_string().contains("no key"));
    assert_eq!(store.head().unwrap().sequence, 0);
    assert_eq!(store.unread().unwrap(), 1);
}

#[test]
fn the_outbox_holds_what_was_not_delivered_in_order() {
    let (_folder, store) = open();
    for number in 1..=4 {
        store.accept(&instance(&store, number)).unwrap();
        let id = store.next_unread().unwrap().unwrap().id;
        store.conclude(id, NOW, sealed(&number.to_string())).unwrap();
    }
    store.delivered(&[2], "broker-ack", NOW).unwrap();
    store.delivered(&[2, 2], "broker-ack", NOW).unwrap();
    let sequences = |after| store.outbox(after, 10).unwrap().iter().map(|o| o.sequence).collect::<Vec<_>>();
    assert_eq!(sequences(0), [1, 3, 4]);
    assert_eq!(sequences(3), [4]);
    assert_eq!(store.undelivered().unwrap(), 3);
}

/// A store with `n` outcomes, every third of them urgent.
fn outcomes(n: u8) -> (tempfile::TempDir, Store) {
    let (folder, store) = open();
    for number in 1..=n {
        store.accept(&instance(&store, number)).unwrap();
        let id = store.next_unread().unwrap().unwrap().id;
        let urgency = if number % 3 == 0 { Urgency::Urgent } else { Urgency::Routine };
        let seal = |head: &Head| sealed(&number.to_string())(head).map(|outcome| SealedOutcome { urgency, ..outcome });
        store.conclude(id, NOW, seal).unwrap();
    }
    (folder, store)
}

#[test]
fn urgent_outcomes_are_found_first_and_keep_their_sequence() {
    let (_folder, store) = outcomes(7);
    let of =
        |urgency, after| store.outbox_of(urgency, after, 10).unwrap().iter().map(|o| o.sequence).collect::<Vec<_>>();
    assert_eq!(of(Urgency::Urgent, 0), [3, 6]);
    assert_eq!(of(Urgency::Routine, 1), [2, 4, 5, 7]);
    store.delivered(&[3], "broker-ack", NOW).unwrap();
    assert_eq!(of(Urgency::Urgent, 0), [6]);
}

#[test]
fn a_receipt_counts_for_the_very_bytes_alone() {
    let (_folder, store) = outcomes(2);
    let hash = |at: usize| Digest::of(store.outcomes(0, 10).unwrap()[at].jws.as_bytes());
    let entries = [(1, hash(1)), (2, hash(1)), (9, hash(1)), (0, hash(0)), (u64::MAX, hash(0))];
    assert_eq!(
        store.receipted("receiver", &entries, Required::Any, NOW).unwrap(),
        [Receipted::Foreign, Receipted::Delivered, Receipted::Foreign, Receipted::Foreign, Receipted::Foreign]
    );
    assert_eq!(
        store.receipted("receiver", &entries[1..2], Required::Any, NOW).unwrap(),
        [Receipted::Delivered],
        "again"
    );
    assert_eq!(store.outbox(0, 10).unwrap()[0].sequence, 1);
    assert_eq!(store.undelivered().unwrap(), 1);
}

#[test]
fn where_all_receivers_are_required_the_last_one_delivers() {
    let (_folder, store) = outcomes(1);
    let entry = [(1, Digest::of(store.outcomes(0, 1).unwrap()[0].jws.as_bytes()))];
    let both = ["a".to_owned(), "b".to_owned()];
    let said = |receiver| store.receipted(receiver, &entry, Required::All(&both), NOW).unwrap();
    assert_eq!(said("a"), [Receipted::Noted]);
    assert_eq!(said("a"), [Receipted::Noted], "one receiver's word twice is one word");
    assert_eq!(store.undelivered().unwrap(), 1);
    assert_eq!(said("b"), [Receipted::Delivered]);
    assert_eq!(store.undelivered().unwrap(), 0);
}

#[test]
fn a_store_of_the_first_schema_keeps_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    let old = Connection::open(folder.path().join("residentd.sqlite")).unwrap();
    old.execute_batch(INSTANCES_OUTCOMES_DELIVERIES).unwrap();
    old.execute_batch(
        "INSERT INTO instances (id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, sha256, size_bytes, calling_ae, received_unix_ms, received_synchronised)
         VALUES (1, '1', '1', '1', x'00', 1, 'A', 0, 1), (2, '2', '1', '1', x'01', 1, 'A', 0, 1);
         INSERT INTO outcomes VALUES (1, 1, 'a', 'report', 'x', zeroblob(32), 0), (2, 2, 'b', 'report', 'y', zeroblob(32), 0);
         INSERT INTO deliveries VALUES (1, 'broker-ack', 0);
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(old);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.outbox(0, 10).unwrap().iter().map(|o| o.sequence).collect::<Vec<_>>(), [2]);
}

#[test]
fn sweeping_removes_what_has_no_row_and_nothing_else() {
    let (_folder, store) = open();
    let kept = instance(&store, 1);
    std::fs::write(&kept.instance.path, b"\x01").unwrap();
    store.accept(&kept).unwrap();
    let orphan = instance(&store, 2).instance.path;
    std::fs::write(&orphan, b"\x02").unwrap();
    std::fs::write(store.incoming().join("x.part"), b"half").unwrap();
    assert_eq!(store.sweep().unwrap(), 2);
    assert!(kept.instance.path.exists() && !orphan.exists());
}

#[test]
fn retention_deletes_delivered_images_and_never_an_undelivered_one() {
    let (_folder, store) = open();
    for number in 1..=2 {
        let new = instance(&store, number);
        std::fs::write(&new.instance.path, b"x").unwrap();
        store.accept(&new).unwrap();
        let id = store.next_unread().unwrap().unwrap().id;
        store.conclude(id, NOW, sealed(&number.to_string())).unwrap();
    }
    let later = Moment { unix_ms: NOW.unix_ms + 1000, ..NOW };
    store.delivered(&[1], "broker-ack", later).unwrap();
    assert_eq!(store.retire_images(later.unix_ms, 10).unwrap(), 0, "counted from delivery");
    assert_eq!(store.retire_images(later.unix_ms + 1, 10).unwrap(), 1);
    assert!(!instance(&store, 1).instance.path.exists() && instance(&store, 2).instance.path.exists());
    assert_eq!(store.outcomes(0, 10).unwrap().len(), 2, "outcomes stay");
}

/// A box that booted in 1970 and delivered then must not find its images old in 2027.
#[test]
fn a_delivery_stamped_by_an_unsynchronised_clock_counts_from_when_the_clock_can_be_believed() {
    let (_folder, store) = open();
    let new = instance(&store, 1);
    std::fs::write(&new.instance.path, b"x").unwrap();
    store.accept(&new).unwrap();
    let id = store.next_unread().unwrap().unwrap().id;
    store.conclude(id, NOW, sealed("1")).unwrap();
    store.delivered(&[1], "broker-ack", Moment { unix_ms: 0, synchronised: false }).unwrap();
    store.restamp_deliveries(NOW).unwrap();
    assert_eq!(store.retire_images(NOW.unix_ms, 10).unwrap(), 0);
    assert_eq!(store.retire_images(NOW.unix_ms + 1, 10).unwrap(), 1);
}

/// Found by the soak: behind all others, an image whose reader was killed once waited for
/// as long as others kept coming.
#[test]
fn an_image_that_the_reader_died_on_lets_some_others_go_first_and_not_all_that_come() {
    let (_folder, store) = open();
    let accept = |number: u8| store.accept(&instance(&store, number)).unwrap();
    for number in 1..=2 {
        accept(number);
    }
    let struck = store.next_unread().unwrap().unwrap().id;
    store.strike(struck).unwrap();
    let mut went_first = 0;
    loop {
        let next = store.next_unread().unwrap().unwrap().id;
        if next == struck {
            break;
        }
        went_first += 1;
        assert!(went_first <= 16, "it starves");
        store.conclude(next, NOW, sealed(&next.to_string())).unwrap();
        accept(2 + went_first);
    }
    assert!(went_first >= 15, "{went_first}");
}

#[test]
fn a_store_of_another_version_is_refused() {
    let (folder, store) = open();
    store.lock().pragma_update(None, "user_version", 99).unwrap();
    drop(store);
    let error = Store::open(folder.path()).err().unwrap().to_string();
    assert!(error.contains("schema 99"), "{error}");
    assert!(Path::new(&folder.path().join("residentd.sqlite")).exists());
}

/// Neither sweeping nor retention may read the whole table, or years of it make the daemon slow.
#[test]
fn what_retention_and_sweeping_look_up_is_found_by_an_index() {
    let (_folder, store) = open();
    let plan = |sql: &str| {
        let connection = store.lock();
        let mut query = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = query.query_map([], |row| row.get::<_, String>(3)).unwrap();
        steps.collect::<Result<Vec<_>, _>>().unwrap().join("\n")
    };
    let due = plan(&instances::DUE.replace("?1", "1").replace("?2", "10"));
    assert!(due.contains("INDEX deliveries_to_retire") && !due.contains("SCAN i"), "{due}");
    assert!(!due.contains("TEMP B-TREE"), "{due}");
    let kept = plan("SELECT 1 FROM instances WHERE sha256 = x'00' AND image_kept = 1");
    assert!(kept.contains("INDEX instances_by_sha256"), "{kept}");
}

#[test]
fn an_event_of_the_device_is_a_link_of_no_instance_and_leaves_by_the_outbox() {
    let (_folder, store) = outcomes(2);
    let event = |head: &Head| {
        let jws = format!("event after {}", head.sequence);
        Ok::<_, String>(SealedOutcome { urgency: Urgency::Urgent, report_id: "e".into(), kind: "key-handed-over", jws })
    };
    assert_eq!(store.append(NOW, event).unwrap(), 3);
    assert_eq!(store.last().unwrap().unwrap().jws, "event after 2");
    assert_eq!(store.device_events().unwrap(), [store.last().unwrap().unwrap()]);
    assert_eq!(store.outbox_of(Urgency::Urgent, 0, 9).unwrap().len(), 1);
    assert!(store.append(NOW, |_| Err("no")).is_err());
    assert_eq!(store.head().unwrap().sequence, 3);
    store.delivered(&[1, 2, 3], "broker-ack", NOW).unwrap();
    assert_eq!(store.retire_images(i64::MAX, 9).unwrap(), 2, "an event has no image");
}
