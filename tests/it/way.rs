//! The main job, whole, with nothing but this program.

use std::process::Command;

use crate::site::{LIMIT, RESIDENTD, Site, runtime, text};

#[test]
fn the_demo_goes_the_whole_way_and_says_what_was_proven() {
    let output = Command::new(RESIDENTD).arg("demo").arg("--models").arg(crate::site::MODELS).output().unwrap();
    let page = text(&output);
    assert!(output.status.success(), "{page}");
    for needed in
        ["TEST IMAGE", "WHAT WAS PROVEN", "PROBABILITY", "not a diagnosis", " ms  sealed outcome at the subscriber"]
    {
        assert!(page.contains(needed), "{needed:?} is missing in:\n{page}");
    }
}

/// Promise 3: what is stored is what arrives, byte for byte, and it verifies.
#[test]
fn the_bytes_that_were_signed_are_the_bytes_that_arrive() {
    let site = Site::new();
    let daemon = site.start();
    runtime().block_on(async {
        let host = site.broker.ip().to_string();
        let topic = "residentd/test/cart/report";
        let mut subscriber =
            residentd::receive::Subscriber::subscribe(&host, site.broker.port(), topic, LIMIT).await.unwrap();
        let phantom = site.phantom(7);
        let (calling, called) = ("TEST".parse().unwrap(), "RESIDENTD".parse().unwrap());
        let status = residentd::deliver::send(&site.dicom.to_string(), &calling, &called, &phantom).await.unwrap();
        assert_eq!(status, 0);
        let message = subscriber.next(LIMIT).await.unwrap();
        let stored = &site.outcomes()[0];
        assert_eq!(message.payload, stored.jws.as_bytes());
        assert_eq!(message.correlation.as_deref(), Some(stored.report_id.as_str()));
    });
    daemon.stop();
    let stored = site.outcomes().remove(0).jws;
    let good = site.verify(&stored);
    assert!(good.status.success(), "{}", text(&good));
    let flipped = stored.replacen(&stored[stored.len() / 2..=stored.len() / 2], "-", 1);
    assert_ne!(flipped, stored);
    assert_eq!(site.verify(&flipped).status.code(), Some(1));
}

#[test]
fn export_gives_every_outcome_as_it_was_signed_and_it_verifies() {
    let site = Site::new();
    let export = || {
        let mut command = Command::new(RESIDENTD);
        command.arg("export").arg("--config").arg(site.path("residentd.toml")).output().unwrap()
    };
    assert_eq!(export().status.code(), Some(65), "a box that has never run has nothing to export");
    let daemon = site.start();
    for seed in 1..=2 {
        assert_eq!(site.send(&site.phantom(seed)), Ok(0));
    }
    crate::site::wait_for("both outcomes", || site.outcomes().len() == 2);
    let exported = String::from_utf8(export().stdout).unwrap();
    daemon.stop();
    assert_eq!(
        exported.lines().collect::<Vec<_>>(),
        site.outcomes().iter().map(|o| o.jws.as_str()).collect::<Vec<_>>()
    );
    assert!(site.verify(&exported).status.success());
}

#[test]
fn a_demo_that_cannot_go_the_whole_way_says_so_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("no.dcm");
    std::fs::write(&file, "not DICOM").unwrap();
    let output =
        Command::new(RESIDENTD).arg("demo").arg("--models").arg(crate::site::MODELS).arg(&file).output().unwrap();
    assert!(!output.status.success());
    assert!(text(&output).contains("not a DICOM file"), "{}", text(&output));
}

#[test]
fn the_same_image_again_is_a_success_and_no_second_reading() {
    let site = Site::new();
    let daemon = site.start();
    let phantom = site.phantom(3);
    assert_eq!((site.send(&phantom), site.send(&phantom)), (Ok(0), Ok(0)));
    let other = site.phantom(4);
    assert_eq!(site.send(&other), Ok(0));
    crate::site::wait_for("both outcomes", || site.outcomes().len() == 2);
    daemon.stop();
    assert_eq!(site.outcomes().len(), 2);
}
