//! A patient comes again: what the second draft may say of the first, and who learns of it.

use std::path::PathBuf;
use std::process::Stdio;

use base64::Engine as _;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use residentd::digest::Digest;
use serde_json::Value;

use crate::site::{Daemon, Site, wait_for};

/// Stands for a patient; nothing else in these tests holds these letters.
const PATIENT: &str = "ZXQ-4711";

/// An image like a phantom's, but of a patient: study `study`, taken on `date`.
fn image(site: &Site, study: u64, date: &str) -> PathBuf {
    let mut object = dicom_object::open_file(site.phantom(study)).unwrap();
    let uid = format!("1.2.826.0.1.{study}");
    let texts: [(Tag, VR, &str); 6] = [
        (tags::PATIENT_ID, VR::LO, PATIENT),
        (tags::QUALITY_CONTROL_IMAGE, VR::CS, "NO"),
        (tags::STUDY_DATE, VR::DA, date),
        (tags::PATIENT_AGE, VR::AS, "060Y"),
        (tags::STUDY_INSTANCE_UID, VR::UI, &uid),
        (tags::SOP_INSTANCE_UID, VR::UI, &format!("{uid}.1")),
    ];
    for (tag, vr, text) in texts {
        object.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
    }
    let meta = object.meta_mut();
    meta.media_storage_sop_instance_uid = format!("{uid}.1");
    meta.update_information_group_length();
    let path = site.path(&format!("patient-{study}.dcm"));
    object.write_to_file(&path).unwrap();
    path
}

/// The fact sheet in a payload: the one attachment that is JSON.
fn fact_sheet(payload: &Value) -> Value {
    let entries = payload["entry"].as_array().unwrap().iter();
    let mut attachments = entries.map(|entry| &entry["resource"]["content"][0]["attachment"]);
    let attachment = attachments.find(|attachment| attachment["contentType"] == "application/json").unwrap();
    let json = base64::prelude::BASE64_STANDARD.decode(attachment["data"].as_str().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&json).unwrap()["sheet"].take()
}

/// The SHA-256 of the prior that the outcome names, if it names one.
fn prior_of(jws: &str) -> Option<String> {
    let payload = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(jws.split('.').nth(1).unwrap()).unwrap();
    let sheet = fact_sheet(&serde_json::from_slice(&payload).unwrap());
    sheet["prior"]["sha256"].as_str().map(str::to_owned)
}

#[test]
fn a_patient_who_comes_again_is_compared_with_the_last_outcome_before_and_with_no_later_one() {
    let site = Site::new();
    let daemon = site.start();
    for (study, date) in [(1, "20260301"), (2, "20260401"), (3, "20260315")] {
        assert_eq!(site.send(&image(&site, study, date)), Ok(0));
        wait_for("its outcome", || site.outcomes().len() as u64 == study);
    }
    // A phantom is nobody: it is compared with nothing, and nothing with it.
    assert_eq!(site.send(&site.phantom(9)), Ok(0));
    wait_for("the phantom's outcome", || site.outcomes().len() == 4);
    daemon.stop();
    let outcomes = site.outcomes();
    let first = Digest::of(outcomes[0].jws.as_bytes()).to_string();
    let priors: Vec<_> = outcomes.iter().map(|outcome| prior_of(&outcome.jws)).collect();
    assert_eq!(priors, [None, Some(first.clone()), Some(first), None], "the third was taken before the second");
}

#[test]
fn where_nothing_is_kept_nothing_is_compared() {
    let site = Site::new();
    site.edit("# comparison_days = 730", "comparison_days = 0");
    let daemon = site.start();
    for (study, date) in [(1, "20260301"), (2, "20260401")] {
        assert_eq!(site.send(&image(&site, study, date)), Ok(0));
    }
    wait_for("both outcomes", || site.outcomes().len() == 2);
    daemon.stop();
    assert!(site.outcomes().iter().all(|outcome| prior_of(&outcome.jws).is_none()));
}

/// A kill between reading and outcome, and after it: the next image meets what was signed.
#[test]
fn a_kill_leaves_a_prior_exactly_where_it_leaves_its_outcome() {
    for step in ["read", "sealed"] {
        let site = Site::new();
        let mut doomed = Daemon(site.run_command().env("RESIDENTD_KILL_AT", step).spawn().unwrap());
        wait_for("the storage SCP", || std::net::TcpStream::connect(site.dicom).is_ok());
        assert_eq!(site.send(&image(&site, 1, "20260301")), Ok(0));
        wait_for(&format!("the kill at {step}"), || doomed.0.try_wait().unwrap().is_some());
        drop(doomed);
        let daemon = site.start();
        assert_eq!(site.send(&image(&site, 2, "20260401")), Ok(0));
        wait_for("both outcomes", || site.outcomes().len() == 2);
        daemon.stop();
        let outcomes = site.outcomes();
        let first = Digest::of(outcomes[0].jws.as_bytes()).to_string();
        assert_eq!(prior_of(&outcomes[1].jws), Some(first), "after a kill at {step}");
    }
}

#[test]
fn the_patient_id_stands_in_no_log_no_audit_line_and_nowhere_in_the_store_in_clear() {
    let site = Site::new();
    let log = std::fs::File::create(site.path("log")).unwrap();
    let mut command = site.run_command();
    let daemon = Daemon(command.env("RUST_LOG", "trace").stderr(Stdio::from(log)).spawn().unwrap());
    wait_for("the storage SCP", || std::net::TcpStream::connect(site.dicom).is_ok());
    for (study, date) in [(1, "20260301"), (2, "20260401")] {
        assert_eq!(site.send(&image(&site, study, date)), Ok(0));
    }
    wait_for("both outcomes", || site.outcomes().len() == 2);
    daemon.stop();
    assert!(prior_of(&site.outcomes()[1].jws).is_some(), "the second was compared");
    let files = crate::site::files_below(&site.path("state"));
    let searched: Vec<_> = files.iter().filter(|path| path.extension().is_none_or(|e| e != "dcm")).collect();
    assert!(searched.iter().any(|path| path.ends_with("residentd.sqlite")), "{searched:?}");
    for path in searched.into_iter().chain([&site.path("log")]) {
        let bytes = std::fs::read(path).unwrap();
        let found = bytes.windows(PATIENT.len()).any(|window| window == PATIENT.as_bytes());
        assert!(!found, "{} holds the Patient ID", path.display());
    }
}
