//! SIGKILL is a legal shutdown at every instruction (architecture, "One durable store").

use std::collections::BTreeSet;

use crate::site::{Daemon, Site, wait_for};

/// The steps that the daemon names, in the order in which one instance meets them.
const STEPS: [&str; 6] = ["spooled", "renamed", "accepted", "read", "sealed", "acknowledged"];

/// Promises 1 and 2 with the power going between any two steps.
#[test]
fn a_kill_between_any_two_steps_loses_no_accepted_instance_and_doubles_no_outcome() {
    for step in STEPS {
        let site = Site::new();
        let phantoms: Vec<_> = (1..=3).map(|seed| site.phantom(seed)).collect();
        let mut accepted = BTreeSet::new();

        let mut doomed = Daemon(site.run_command().env("RESIDENTD_KILL_AT", step).spawn().unwrap());
        wait_for("the storage SCP", || std::net::TcpStream::connect(site.dicom).is_ok());
        for phantom in &phantoms {
            if site.send(phantom) == Ok(0) {
                accepted.insert(phantom.clone());
            }
        }
        wait_for(&format!("the kill at {step}"), || doomed.0.try_wait().unwrap().is_some());
        drop(doomed);

        // The scanner sends again what was not answered with success; then some more.
        let daemon = site.start();
        for phantom in phantoms.iter().filter(|p| !accepted.contains(*p)) {
            assert_eq!(site.send(phantom), Ok(0), "after a kill at {step}");
        }
        wait_for("three outcomes", || site.outcomes().len() >= 3);
        wait_for("an empty outbox", || store(&site).undelivered().unwrap() == 0);
        daemon.stop();

        let outcomes = site.outcomes();
        let ids: BTreeSet<&str> = outcomes.iter().map(|o| o.report_id.as_str()).collect();
        assert_eq!((outcomes.len(), ids.len()), (3, 3), "one outcome an instance after a kill at {step}");
        let stream: Vec<&str> = outcomes.iter().map(|o| o.jws.as_str()).collect();
        assert!(site.verify(&stream.join("\n")).status.success(), "the chain holds after a kill at {step}");
        assert_eq!(std::fs::read_dir(site.path("state/spool/incoming")).unwrap().count(), 0);
    }
}

#[test]
fn a_dead_reader_costs_no_image_and_no_listener() {
    let site = Site::new();
    let daemon = site.start();
    for (round, seed) in (11..=13).enumerate() {
        for pid in daemon.children() {
            std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        }
        assert_eq!(site.send(&site.phantom(seed)), Ok(0));
        wait_for("the outcome", || site.outcomes().len() == round + 1);
    }
    daemon.stop();
    assert!(site.outcomes().iter().all(|o| !o.jws.is_empty()));
}

fn store(site: &Site) -> residentd::store::Store {
    residentd::store::Store::open(&site.path("state")).unwrap()
}
