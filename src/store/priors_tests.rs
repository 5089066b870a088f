//! Priors: which one is found, that a row stands and falls with its outcome, and its end.

use super::tests::{NOW, instance, open};
use super::*;
use crate::clock::Moment;
use crate::digest::Digest;

const PATIENT: [u8; 32] = [7; 32];
const THIS_STUDY: [u8; 32] = [99; 32];

fn comparable(patient: [u8; 32], view: &'static str) -> Comparable {
    Comparable { patient, image: ["radiograph", "chest", view] }
}

fn taken(day: &str) -> Taken {
    Taken { day: day.to_owned(), unix_ms: None }
}

fn new(study: u8, day: &str) -> NewPrior {
    NewPrior {
        comparable: comparable(PATIENT, "pa"),
        study: [study; 32],
        taken: taken(day),
        bundle: Digest::of(b"bundle"),
        seen: "{}".to_owned(),
    }
}

/// Accepts and concludes instance `number` with `prior`, at `at`.
fn conclude(store: &Store, number: u8, prior: Option<&NewPrior>, at: Moment) {
    store.accept(&instance(store, number)).unwrap();
    let id = store.next_unread().unwrap().unwrap().id;
    let seal = |head: &Head| {
        let jws = format!("{number} after {}", head.sha256);
        Ok::<_, String>(SealedOutcome { urgency: Urgency::Routine, report_id: number.to_string(), kind: "report", jws })
    };
    store.conclude_and_keep(id, at, prior, seal).unwrap().unwrap();
}

fn found(store: &Store, view: &'static str, study: [u8; 32], taken: &Taken) -> Option<u64> {
    store.prior(&comparable(PATIENT, view), &study, taken, 0).unwrap().map(|prior| prior.sequence)
}

#[test]
fn the_last_result_taken_before_is_found_whatever_came_in_first() {
    let (_folder, store) = open();
    for (number, day) in [(1, "2026-03-03"), (2, "2025-01-01"), (3, "2026-01-01"), (4, "2026-02-02")] {
        conclude(&store, number, Some(&new(number, day)), NOW);
    }
    let prior_of = |day: &str| found(&store, "pa", THIS_STUDY, &taken(day));
    assert_eq!(prior_of("2026-04-04"), Some(1));
    assert_eq!(prior_of("2026-03-03"), Some(4), "the same day shows no order");
    assert_eq!(prior_of("2026-01-15"), Some(3), "an older study that comes late meets no later one");
    assert_eq!(prior_of("2024-12-31"), None);
}

#[test]
fn an_image_is_no_prior_of_its_own_study_of_another_view_or_of_another_patient() {
    let (_folder, store) = open();
    conclude(&store, 1, Some(&new(1, "2026-01-01")), NOW);
    let later = taken("2026-02-02");
    assert_eq!(found(&store, "pa", THIS_STUDY, &later), Some(1));
    assert_eq!(found(&store, "pa", [1; 32], &later), None);
    assert_eq!(found(&store, "ap", THIS_STUDY, &later), None);
    assert_eq!(store.prior(&comparable([8; 32], "pa"), &THIS_STUDY, &later, 0).unwrap(), None);
}

#[test]
fn on_one_day_only_stated_times_show_which_came_first() {
    let (_folder, store) = open();
    let at = |unix_ms| Taken { unix_ms, ..taken("2026-01-01") };
    conclude(&store, 1, Some(&NewPrior { taken: at(Some(1000)), ..new(1, "") }), NOW);
    conclude(&store, 2, Some(&NewPrior { taken: at(None), ..new(2, "") }), NOW);
    assert_eq!(found(&store, "pa", THIS_STUDY, &at(Some(2000))), Some(1));
    assert_eq!(found(&store, "pa", THIS_STUDY, &at(Some(500))), None);
    assert_eq!(found(&store, "pa", THIS_STUDY, &at(None)), None);
}

#[test]
fn a_prior_carries_the_sequence_and_the_hash_of_its_outcome() {
    let (_folder, store) = open();
    conclude(&store, 1, None, NOW);
    conclude(&store, 2, Some(&new(1, "2026-01-01")), NOW);
    let prior = store.prior(&comparable(PATIENT, "pa"), &THIS_STUDY, &taken("2026-02-02"), 0).unwrap().unwrap();
    let outcome = &store.outcomes(1, 1).unwrap()[0];
    assert_eq!((prior.sequence, prior.outcome), (2, Digest::of(outcome.jws.as_bytes())));
    assert_eq!((prior.day.as_str(), prior.bundle), ("2026-01-01", Digest::of(b"bundle")));
}

#[test]
fn a_prior_stands_and_falls_with_its_outcome() {
    let (folder, store) = open();
    store.accept(&instance(&store, 1)).unwrap();
    let id = store.next_unread().unwrap().unwrap().id;
    let unsealed = |_: &Head| Err::<SealedOutcome, _>("no key");
    assert!(store.conclude_and_keep(id, NOW, Some(&new(1, "2026-01-01")), unsealed).is_err());
    assert_eq!(found(&store, "pa", THIS_STUDY, &taken("2026-02-02")), None);
    // A row of that sequence is in the way, so that the prior fails after its outcome did not.
    let connection = rusqlite::Connection::open(folder.path().join("residentd.sqlite")).unwrap();
    connection
        .execute_batch(
            "INSERT INTO priors VALUES (1, x'00', x'00', 'k', 'r', 'v', '2026-01-01', NULL, x'00', x'00', 0, 1, '')",
        )
        .unwrap();
    let prior = new(1, "2026-01-01");
    let sealed = |_: &Head| {
        Ok::<_, String>(SealedOutcome {
            urgency: Urgency::Routine,
            report_id: "r".into(),
            kind: "report",
            jws: "j".into(),
        })
    };
    assert!(store.conclude_and_keep(id, NOW, Some(&prior), sealed).is_err());
    assert_eq!((store.head().unwrap().sequence, store.unread().unwrap()), (0, 1), "neither outcome nor prior");
    connection.execute_batch("DELETE FROM priors").unwrap();
    assert_eq!(store.conclude_and_keep(id, NOW, Some(&prior), sealed).unwrap(), Some(1));
    assert_eq!(found(&store, "pa", THIS_STUDY, &taken("2026-02-02")), Some(1));
}

#[test]
fn a_prior_that_a_clock_in_1970_stamped_ages_from_when_time_was_known() {
    let (_folder, store) = open();
    conclude(&store, 1, Some(&new(1, "2026-01-01")), Moment { unix_ms: 1000, synchronised: false });
    let later = taken("2026-02-02");
    assert!(store.prior(&comparable(PATIENT, "pa"), &THIS_STUDY, &later, NOW.unix_ms).unwrap().is_some());
    store.restamp_priors(NOW).unwrap();
    assert_eq!(store.erase_priors(NOW.unix_ms).unwrap(), 0);
    assert_eq!(store.erase_priors(NOW.unix_ms + 1).unwrap(), 1);
}

#[test]
fn a_prior_ends_with_its_retention_and_its_outcome_stays() {
    let (folder, store) = open();
    let secret = "\"seen-in-the-pages\"";
    let kept = |study, seen: &str| NewPrior { seen: seen.to_owned(), ..new(study, "2026-01-01") };
    conclude(&store, 1, Some(&kept(1, secret)), NOW);
    conclude(&store, 2, Some(&kept(2, "{}")), Moment { unix_ms: NOW.unix_ms + 1000, ..NOW });
    let later = taken("2026-02-02");
    let over = |since| store.prior(&comparable(PATIENT, "pa"), &THIS_STUDY, &later, since).unwrap().map(|p| p.sequence);
    assert_eq!((over(NOW.unix_ms + 1000), over(NOW.unix_ms + 1001)), (Some(2), None), "over before it is erased");
    assert_eq!(store.erase_priors(NOW.unix_ms + 1000).unwrap(), 1);
    assert_eq!(store.erase_priors(NOW.unix_ms + 1000).unwrap(), 0);
    assert_eq!((over(0), store.outcomes(0, 9).unwrap().len()), (Some(2), 2));
    let connection = rusqlite::Connection::open(folder.path().join("residentd.sqlite")).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let bytes = std::fs::read(folder.path().join("residentd.sqlite")).unwrap();
    assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "its page was overwritten");
}
