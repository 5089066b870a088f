//! SIGKILL is a legal shutdown at every instruction (architecture, "One durable store").

use std::collections::BTreeSet;
use std::path::Path;

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
fn neither_process_leaves_a_core_dump_with_the_key_in_it() {
    let site = Site::new();
    let daemon = site.start();
    for pid in daemon.children().into_iter().chain([daemon.0.id()]) {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let core = limits.lines().find(|l| l.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().filter(|w| *w == "0").count(), 2, "{core}");
    }
    daemon.stop();
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

/// An adult's chest radiograph of 11,000 x 11,000 pixels in four megabytes of RLE.
fn bomb(path: &Path) {
    use dicom_core::value::PixelFragmentSequence;
    use dicom_core::{DataElement, PrimitiveValue, VR};
    use dicom_dictionary_std::tags;
    const SIDE: u16 = 11_000;
    let runs = (u32::from(SIDE) * u32::from(SIDE)).div_ceil(128) as usize;
    let segment = [0x81u8, 0x00].repeat(runs);
    let mut header = [0u32; 16];
    header[..3].copy_from_slice(&[2, 64, 64 + u32::try_from(segment.len()).unwrap()]);
    let fragment: Vec<u8> =
        header.iter().flat_map(|word| word.to_le_bytes()).chain([segment.clone(), segment].concat()).collect();
    let text = |tag, vr, value: &str| DataElement::new(tag, vr, PrimitiveValue::from(value));
    let number = |tag, value: u16| DataElement::new(tag, VR::US, PrimitiveValue::from(value));
    let object = dicom_object::InMemDicomObject::from_element_iter([
        text(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.1"),
        text(tags::SOP_INSTANCE_UID, VR::UI, "2.25.1"),
        text(tags::MODALITY, VR::CS, "CR"),
        text(tags::PATIENT_AGE, VR::AS, "050Y"),
        text(tags::BODY_PART_EXAMINED, VR::CS, "CHEST"),
        text(tags::VIEW_POSITION, VR::CS, "PA"),
        text(tags::QUALITY_CONTROL_IMAGE, VR::CS, "YES"),
        number(tags::SAMPLES_PER_PIXEL, 1),
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        number(tags::ROWS, SIDE),
        number(tags::COLUMNS, SIDE),
        number(tags::BITS_ALLOCATED, 16),
        number(tags::BITS_STORED, 16),
        number(tags::HIGH_BIT, 15),
        number(tags::PIXEL_REPRESENTATION, 0),
        DataElement::new(tags::PIXEL_DATA, VR::OB, PixelFragmentSequence::new(Vec::new(), vec![fragment])),
    ]);
    let meta = dicom_object::FileMetaTableBuilder::new()
        .transfer_syntax("1.2.840.10008.1.2.5")
        .media_storage_sop_class_uid("1.2.840.10008.5.1.4.1.1.1")
        .media_storage_sop_instance_uid("2.25.1");
    object.with_meta(meta).unwrap().write_to_file(path).unwrap();
}

/// Promise 2 where the reader cannot survive: three tries, then one signed failure, and
/// the file in quarantine; a test image stays a test image.
#[test]
fn an_image_that_kills_the_reader_costs_one_signed_failure_and_is_quarantined() {
    let site = Site::new();
    site.edit("# memory_mib = 2048", "memory_mib = 256");
    let daemon = site.start();
    let path = site.path("bomb.dcm");
    bomb(&path);
    let runtime = crate::site::runtime();
    let mut alerts = runtime.block_on(crate::alerts::subscribe(&site));
    assert_eq!(site.send(&path), Ok(0));
    assert_eq!(site.send(&site.phantom(1)), Ok(0));
    let told = runtime.block_on(crate::alerts::next(&mut alerts, "instance-quarantined"));
    wait_for("both outcomes", || site.outcomes().len() == 2);
    let quarantined = || crate::site::files_below(&site.path("state/quarantine"));
    wait_for("the quarantine", || site.path("state/quarantine").is_dir() && quarantined().len() == 1);
    let name = quarantined()[0].file_name().unwrap().display().to_string();
    assert!(told["message"].as_str().unwrap().ends_with(&name) && told["report_id"].is_string(), "{told}");
    assert_eq!(crate::site::files_below(&site.path("state/spool")).len(), 1, "of the other image");
    assert_eq!(site.send(&path), Ok(0), "it is known");
    assert_eq!(site.send(&site.phantom(2)), Ok(0));
    wait_for("the third outcome", || site.outcomes().len() == 3);
    daemon.stop();
    let outcomes = site.outcomes();
    let stream: Vec<&str> = outcomes.iter().map(|outcome| outcome.jws.as_str()).collect();
    let verified = crate::site::text(&site.verify(&stream.join("\n")));
    assert_eq!((verified.matches("(failure ").count(), verified.matches("(report ").count()), (1, 2), "{verified}");
    let failure = outcomes.iter().find(|o| verified_kind(&o.jws) == "failure").unwrap();
    assert!(header(&failure.jws)["test"] == true, "the bomb is a test image");
}

/// The protected header of a JWS.
fn header(jws: &str) -> serde_json::Value {
    let part = jws.split('.').next().unwrap();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn verified_kind(jws: &str) -> String {
    header(jws)["kind"].as_str().unwrap_or_default().to_owned()
}

fn store(site: &Site) -> residentd::store::Store {
    residentd::store::Store::open(&site.path("state")).unwrap()
}
