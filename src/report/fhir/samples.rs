//! Readings and contexts for the tests of payload and seal.

use super::{Context, DeviceFacts, InstanceFacts};
use crate::clock::Moment;
use crate::config::Name;
use crate::digest::Digest;
use crate::infer::findings::{Band, BundleIdentity, Code, Finding, Findings, Probability};
use crate::report::identity::report_id;
use crate::report::reading::{Outcome, Reading, Reason, ReasonCode, Text, Timing};
use crate::report::write::{Style, by_grammar};
use crate::study::{Age, Sex, Study, Subject};

pub(crate) const PATIENT_ID: &str = "PAT-4711<&";

pub(crate) fn study(subject: Subject) -> Study {
    Study {
        sop_class_uid: "1.2.840.10008.5.1.4.1.1.1.1".parse().unwrap(),
        sop_instance_uid: "1.2.3.4".parse().unwrap(),
        study_instance_uid: Some("1.2.3".parse().unwrap()),
        series_instance_uid: Some("1.2.3.1".parse().unwrap()),
        accession_number: Some("ACC-1".into()),
        patient_id: Some(PATIENT_ID.into()),
        patient_id_issuer: None,
        modality: Some("DX".into()),
        body_part: Some("CHEST".into()),
        view: Some("PA".into()),
        age: Age::Known(61.0),
        sex: Some(Sex::Female),
        study_description: Some("CHEST FOR DOE^JANE".into()),
        order: Vec::new(),
        manufacturer: Some("ACME".into()),
        started: Some("2026-11-23".into()),
        subject,
    }
}

pub(crate) fn findings() -> Findings {
    let p = |value: f32| Probability::try_from(value).unwrap();
    let finding = |label: &str, words: &str, code: &str, probability, band| Finding {
        label: heapless::String::try_from(label).unwrap(),
        words: words.into(),
        code: Code { system: "http://snomed.info/sct".into(), code: code.into(), display: words.into() },
        probability: p(probability),
        band,
        absent_below: p(0.2),
        present_above: p(0.6),
        prevalence: p(0.15),
        positives_among_present: p(0.383),
    };
    Findings {
        bundle: BundleIdentity {
            name: "chest-adult".into(),
            version: "0.1.0".into(),
            title: "Chest radiographs of adults".into(),
            intended_use: "Draft reading of frontal chest radiographs of adults.".into(),
            forbidden_use: "Not for ruling out disease without a qualified reader.".into(),
            research_only: false,
            sha256: Digest::of(b"manifest"),
        },
        findings: [
            finding("effusion", "pleural effusion", "60046008", 0.87, Band::Present),
            finding("pneumothorax", "pneumothorax", "36118008", 0.02, Band::Absent),
            finding("cardiomegaly", "cardiomegaly", "8186001", 0.4, Band::Uncertain),
        ]
        .into_iter()
        .collect(),
        not_assessed: vec!["fracture".into()],
    }
}

pub(crate) fn reading(outcome: Outcome, study: Option<Study>) -> Reading {
    let timings = vec![Timing { stage: "infer".into(), ms: 12.5 }];
    let pixels_sha256 = Some(Digest::of(b"pixels"));
    by_grammar(
        Reading { study, outcome, text: Text::default(), written: None, pixels_sha256, timings },
        &Style::default(),
    )
}

pub(crate) fn report() -> Reading {
    reading(Outcome::Report(Box::new(findings())), Some(study(Subject::Patient)))
}

pub(crate) fn reason() -> Reason {
    Reason::new(ReasonCode::NoModel, "no model here reads images of feet")
}

pub(crate) fn context() -> Context {
    let sop_instance_uid = "1.2.3.4".parse().unwrap();
    let at = |unix_ms| Moment { unix_ms, synchronised: true };
    Context {
        report_id: report_id("clinic/cart-1", &sop_instance_uid),
        device: DeviceFacts {
            site: Name::try_from("clinic".to_owned()).unwrap(),
            name: Name::try_from("cart-1".to_owned()).unwrap(),
            key_id: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".into(),
            software_version: "0.1.0".into(),
        },
        instance: InstanceFacts {
            sop_class_uid: "1.2.840.10008.5.1.4.1.1.1.1".parse().unwrap(),
            sop_instance_uid,
            transfer_syntax_uid: "1.2.840.10008.1.2.1".parse().unwrap(),
            sha256: Digest::of(b"file"),
            calling_ae: Some("CART7".parse().unwrap()),
        },
        received: at(1_800_000_000_000),
        issued: at(1_800_000_000_123),
    }
}
