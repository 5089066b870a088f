//! The payload against R4: required fields, references, formats; and what must not be in it.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::samples::{self, PATIENT_ID, context, findings, reading, reason, report, study};
use super::*;
use crate::infer::findings::Band;
use crate::report::reading::{Outcome, Reading};

fn bundle(reading: &Reading) -> Value {
    serde_json::from_slice(&payload(reading, &context())).unwrap()
}

fn resources<'a>(bundle: &'a Value, kind: &str) -> Vec<&'a Value> {
    let entries = bundle["entry"].as_array().unwrap();
    entries.iter().map(|e| &e["resource"]).filter(|r| r["resourceType"] == kind).collect()
}

/// Every kind of outcome and header that occurs.
fn all_readings() -> Vec<Reading> {
    let mut bare = study(Subject::Patient);
    bare.study_instance_uid = None;
    bare.series_instance_uid = None;
    bare.patient_id = Some(" \u{0}".into());
    bare.sex = None;
    bare.accession_number = None;
    bare.modality = Some("x y".into());
    bare.started = Some("20261123".into());
    let mut research = findings();
    research.bundle.research_only = true;
    let studies = [Some(study(Subject::Patient)), Some(study(Subject::TestObject)), Some(bare), None];
    studies
        .into_iter()
        .flat_map(|study| {
            [Outcome::Report(Box::new(research.clone())), Outcome::Abstention(reason()), Outcome::Failure(reason())]
                .map(|outcome| reading(outcome, study.clone()))
        })
        .chain([report()])
        .collect()
}

/// Calls `visit` with the name and value of every field below `value`.
fn walk<'a>(value: &'a Value, visit: &mut impl FnMut(&'a str, &'a Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            visit(key, value);
            walk(value, visit);
        }),
        _ => {}
    }
}

#[test]
fn every_reference_resolves_inside_the_bundle_to_the_type_it_names() {
    for reading in all_readings() {
        let bundle = bundle(&reading);
        let mut known = BTreeMap::new();
        for entry in bundle["entry"].as_array().unwrap() {
            let url = entry["fullUrl"].as_str().unwrap();
            assert_eq!(url, format!("urn:uuid:{}", entry["resource"]["id"].as_str().unwrap()));
            assert!(known.insert(url, &entry["resource"]["resourceType"]).is_none(), "{url} twice");
        }
        let mut seen = 0;
        walk(&bundle, &mut |key, value| {
            if key == "reference" {
                assert!(known.contains_key(value.as_str().unwrap()), "{value} is not in the bundle");
                seen += 1;
            }
        });
        assert!(seen >= 3);
        for report in resources(&bundle, "DiagnosticReport") {
            for result in report["result"].as_array().unwrap() {
                assert_eq!(known[result["reference"].as_str().unwrap()], "Observation");
            }
        }
    }
}

#[test]
fn what_r4_requires_is_there_and_nothing_is_null_or_empty() {
    const REQUIRED: [(&str, &[&str]); 6] = [
        ("DocumentReference", &["status", "docStatus", "type", "author", "date", "content"]),
        (
            "DiagnosticReport",
            &["status", "code", "identifier", "category", "issued", "conclusion", "presentedForm", "result"],
        ),
        ("Observation", &["status", "code", "device"]),
        ("ImagingStudy", &["status", "subject", "identifier"]),
        ("Provenance", &["target", "recorded", "agent", "entity"]),
        ("Device", &["type", "deviceName"]),
    ];
    for reading in all_readings() {
        let bundle = bundle(&reading);
        assert_eq!([&bundle["resourceType"], &bundle["type"]], ["Bundle", "collection"]);
        for (kind, fields) in REQUIRED {
            for resource in resources(&bundle, kind) {
                for field in fields {
                    assert!(!resource[field].is_null(), "{kind}.{field}");
                }
            }
        }
        assert_eq!(resources(&bundle, "DiagnosticReport").len(), 1);
        assert_eq!(resources(&bundle, "Provenance").len(), 1);
        walk(&bundle, &mut |key, value| {
            assert!(!["null", "\"\"", "[]", "{}"].contains(&value.to_string().as_str()), "{key} is empty");
        });
    }
}

#[test]
fn times_are_fhir_instants_and_date_times() {
    for reading in all_readings() {
        walk(&bundle(&reading), &mut |key, value| match key {
            "issued" | "recorded" | "timestamp" => {
                assert!(OffsetDateTime::parse(value.as_str().unwrap(), &Rfc3339).is_ok(), "{key} {value}");
            }
            "effectiveDateTime" | "started" => assert!(codes::is_date_time(value.as_str().unwrap()), "{key} {value}"),
            _ => {}
        });
    }
}

#[test]
fn the_device_never_says_final_and_names_no_human() {
    for reading in all_readings() {
        let bundle = bundle(&reading);
        for kind in ["DiagnosticReport", "Observation"] {
            assert!(resources(&bundle, kind).iter().all(|r| r["status"] == "preliminary"));
        }
        walk(&bundle, &mut |key, _| {
            assert!(!["performer", "resultsInterpreter", "verificationStatus", "extension"].contains(&key), "{key}");
        });
    }
}

#[test]
fn the_same_reading_gives_the_same_bytes() {
    assert_eq!(payload(&report(), &context()), payload(&report(), &context()));
}

#[test]
fn each_observation_carries_what_was_found_how_surely_and_by_what_thresholds() {
    let bundle = bundle(&report());
    let observations = resources(&bundle, "Observation");
    assert_eq!(observations.len(), 3);
    for (observation, finding) in observations.iter().zip(&findings().findings) {
        assert_eq!(observation["code"]["coding"][0]["code"], finding.code.code.as_str());
        let percent = observation["component"][0]["valueQuantity"]["value"].as_f64().unwrap();
        assert!((percent / 100.0 - f64::from(f32::from(finding.probability))).abs() < 1e-4);
        assert_eq!(observation["component"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn only_what_is_likely_is_coded_as_present_and_nothing_is_concluded_in_code() {
    for (band, probability, code, text) in [
        (Band::Present, 0.87, "52101004", "Likely"),
        (Band::Present, 0.3, "373068000", "Suspected"),
        (Band::Uncertain, 0.6, "373068000", "May well be present"),
        (Band::Uncertain, 0.3, "373068000", "Possible"),
        (Band::Uncertain, 0.06, "373068000", "Cannot be excluded"),
        (Band::Absent, 0.3, "272519000", "Less likely"),
        (Band::Absent, 0.02, "272519000", "Absent"),
    ] {
        let mut read = findings();
        read.findings.truncate(1);
        read.findings[0].band = band;
        read.findings[0].probability = probability.try_into().unwrap();
        let bundle = bundle(&reading(Outcome::Report(Box::new(read)), Some(study(Subject::Patient))));
        let value = &resources(&bundle, "Observation")[0]["valueCodeableConcept"];
        assert_eq!((&value["coding"][0]["code"], &value["text"]), (&code.into(), &text.into()));
        assert!(resources(&bundle, "DiagnosticReport")[0]["conclusionCode"].is_null());
    }
}

#[test]
fn device_patient_and_study_are_the_same_resources_in_every_report() {
    let mut other = context();
    other.report_id = "00000000-0000-8000-8000-000000000000".into();
    let other: Value = serde_json::from_slice(&payload(&report(), &other)).unwrap();
    let (first, id) = (bundle(&report()), |bundle: &Value, kind| resources(bundle, kind)[0]["id"].clone());
    for kind in ["Device", "Patient", "ImagingStudy"] {
        assert_eq!(id(&first, kind), id(&other, kind), "{kind}");
    }
    for kind in ["DiagnosticReport", "Observation", "Provenance"] {
        assert_ne!(id(&first, kind), id(&other, kind), "{kind}");
    }
    let elsewhere = |change: fn(&mut Context)| {
        let mut context = context();
        change(&mut context);
        serde_json::from_slice::<Value>(&payload(&report(), &context)).unwrap()
    };
    let rekeyed = elsewhere(|context| context.device.key_id = "another".into());
    assert_ne!(id(&first, "Device"), id(&rekeyed, "Device"));
    let other_site = elsewhere(|context| context.device.site = Name::try_from("hospital".to_owned()).unwrap());
    assert_ne!(id(&first, "Patient"), id(&other_site, "Patient"));
    let systems =
        [&first, &other_site].map(|bundle| resources(bundle, "Patient")[0]["identifier"][0]["system"].clone());
    assert_ne!(systems[0], systems[1]);
}

#[test]
fn the_provenance_is_of_the_report_and_of_every_observation() {
    for reading in all_readings() {
        let bundle = bundle(&reading);
        let targets = resources(&bundle, "Provenance")[0]["target"].as_array().unwrap();
        assert_eq!(targets.len(), 1 + resources(&bundle, "Observation").len());
        assert_eq!(targets[1]["type"], "Observation");
    }
}

#[test]
fn a_payload_without_a_key_names_no_thumbprint() {
    let mut unsigned = context();
    unsigned.device.key_id = NO_KEY.into();
    let unsigned: Value = serde_json::from_slice(&payload(&report(), &unsigned)).unwrap();
    assert!(!unsigned.to_string().contains("jwk-thumbprint"));
    assert!(bundle(&report()).to_string().contains("jwk-thumbprint"));
}

#[test]
fn every_system_is_registered_or_a_uuid() {
    for reading in all_readings() {
        walk(&bundle(&reading), &mut |key, value| {
            let known = ["http://", "urn:uuid:", "urn:dicom:uid", "urn:ietf:rfc:3986"];
            assert!(key != "system" || known.iter().any(|k| value.as_str().unwrap().starts_with(k)), "{value}");
        });
    }
}

#[test]
fn the_algorithm_says_what_it_must_not_be_used_for() {
    let bundle = bundle(&report());
    let notes = resources(&bundle, "Device")[1]["note"].to_string();
    assert!(notes.contains("Not for ruling out disease"), "{notes}");
}

fn presented(bundle: &Value) -> String {
    use base64::Engine as _;
    let form = &resources(bundle, "DiagnosticReport")[0]["presentedForm"][0];
    let plain = base64::engine::general_purpose::STANDARD.decode(form["data"].as_str().unwrap()).unwrap();
    String::from_utf8(plain).unwrap()
}

#[test]
fn the_presented_text_says_whose_image_it_is_about_and_the_text_in_transit_does_not() {
    let whole = presented(&bundle(&report()));
    let about = "\nOrigin\nAbout image 1.2.3.4, accession ACC-1, study of 2026-11-23, patient ID PAT-4711<&.\n";
    assert!(whole.contains(about), "{whole}");
    assert!(!format!("{:?}", report().text).contains("PAT-4711"));
    let mut bare = study(Subject::Patient);
    bare.accession_number = None;
    bare.started = None;
    let bare = presented(&bundle(&reading(Outcome::Abstention(reason()), Some(bare))));
    assert!(bare.contains("\nAbout image 1.2.3.4, patient ID PAT-4711<&.\n"), "{bare}");
    for study in [Some(study(Subject::TestObject)), None] {
        let nobody = presented(&bundle(&reading(Outcome::Abstention(reason()), study)));
        assert!(nobody.contains("\nAbout image 1.2.3.4.\n") && !nobody.contains("PAT-4711"), "{nobody}");
    }
}

#[test]
fn of_the_patient_only_id_and_sex_leave_the_box() {
    let bundle = bundle(&report());
    let patient = resources(&bundle, "Patient")[0];
    let fields: Vec<_> = patient.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["resourceType", "id", "identifier", "gender"]);
    assert_eq!(patient["identifier"][0]["value"], PATIENT_ID);
    assert!(!bundle.to_string().contains("DOE"));
}

#[test]
fn a_test_image_is_nobodys_and_every_resource_says_so() {
    for outcome in [Outcome::Report(Box::new(findings())), Outcome::Abstention(reason())] {
        let bundle = bundle(&reading(outcome, Some(study(Subject::TestObject))));
        assert!(resources(&bundle, "Patient").is_empty() && !bundle.to_string().contains("PAT-4711"));
        let entries = bundle["entry"].as_array().unwrap().iter().map(|e| &e["resource"]);
        for resource in entries.chain([&bundle]) {
            assert_eq!(resource["meta"]["tag"][0]["code"], "HTEST", "{resource}");
        }
        let report = resources(&bundle, "DiagnosticReport")[0];
        assert_eq!(report["subject"]["type"], "Device");
        assert!(report["conclusion"].as_str().unwrap().starts_with("TEST IMAGE - not a patient"));
    }
    assert!(bundle(&report())["meta"].is_null());
}

#[test]
fn an_image_that_was_not_read_is_an_absent_observation_with_its_reason() {
    for (outcome, code) in [(Outcome::Abstention(reason()), "not-performed"), (Outcome::Failure(reason()), "error")] {
        let bundle = bundle(&reading(outcome, None));
        let observation = resources(&bundle, "Observation")[0];
        assert_eq!(observation["dataAbsentReason"]["coding"][0]["code"], code);
        assert_eq!(observation["dataAbsentReason"]["coding"][1]["code"], "no-model");
        assert!(observation["valueCodeableConcept"].is_null());
        let report = resources(&bundle, "DiagnosticReport")[0];
        assert!(report["conclusion"].as_str().unwrap().contains("no model here reads images of feet"));
        assert!(report["subject"].is_null() && report["conclusionCode"].is_null());
    }
}

#[test]
fn a_clock_that_was_not_synchronised_is_told_in_words_and_as_a_tag() {
    use base64::Engine as _;
    let mut context = context();
    context.issued.synchronised = false;
    let bundle: Value = serde_json::from_slice(&payload(&report(), &context)).unwrap();
    assert_eq!(bundle["meta"]["tag"][0]["code"], "clock-unsynchronised");
    let report = resources(&bundle, "DiagnosticReport")[0];
    assert!(report["text"]["div"].as_str().unwrap().contains("clock was not synchronised"));
    let plain =
        base64::engine::general_purpose::STANDARD.decode(report["presentedForm"][0]["data"].as_str().unwrap()).unwrap();
    assert!(String::from_utf8(plain).unwrap().contains("clock was not synchronised"));
}

#[test]
fn the_whole_text_is_presented_with_its_disclaimer() {
    use base64::Engine as _;
    let reading = samples::report();
    let bundle = bundle(&reading);
    let form = &resources(&bundle, "DiagnosticReport")[0]["presentedForm"][0];
    let plain = base64::engine::general_purpose::STANDARD.decode(form["data"].as_str().unwrap()).unwrap();
    assert_eq!(form["size"], plain.len());
    let plain = String::from_utf8(plain).unwrap();
    for sentence in reading.text.findings.iter().chain(&reading.text.impression).chain(&reading.text.disclaimer) {
        assert!(plain.contains(sentence.as_str()), "{sentence}");
    }
}

fn decoded(attachment: &Value) -> String {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(attachment["data"].as_str().unwrap()).unwrap();
    assert_eq!(attachment["size"], bytes.len());
    String::from_utf8(bytes).unwrap()
}

fn in_all_languages() -> Value {
    let languages: Vec<_> = crate::language::Language::all().collect();
    let style = crate::report::write::Style { language: languages[1], patient_languages: languages };
    let mut bare = report();
    bare.written = None;
    bundle(&crate::report::write::by_grammar(bare, &style))
}

#[test]
fn the_facts_that_the_texts_come_from_are_in_the_payload() {
    let bundle = bundle(&report());
    let document = resources(&bundle, "DocumentReference")[0];
    let attachment = &document["content"][0]["attachment"];
    assert_eq!(attachment["contentType"], "application/json");
    let facts: Value = serde_json::from_str(&decoded(attachment)).unwrap();
    let sheet: crate::report::facts::FactSheet = serde_json::from_value(facts["sheet"].clone()).unwrap();
    assert_eq!(sheet, report().written.unwrap().sheet);
    assert_eq!(facts["composition"]["composer"], "grammar");
    assert_eq!(facts["texts"][0]["wording"], "awaiting-native-clinician");
    assert!(!facts.to_string().contains("PAT-4711") && !facts.to_string().contains("DOE"));
}

#[test]
fn a_summary_for_the_patient_awaits_acceptance_in_status_tag_and_title() {
    let bundle = in_all_languages();
    let documents = resources(&bundle, "DocumentReference");
    assert_eq!(documents.len(), 9);
    let mut languages = Vec::new();
    for document in &documents[1..] {
        assert_eq!([&document["status"], &document["docStatus"]], ["current", "preliminary"]);
        let tags = document["meta"]["tag"].as_array().unwrap();
        assert!(tags.iter().any(|tag| tag["code"] == "awaiting-acceptance"), "{tags:?}");
        let attachment = &document["content"][0]["attachment"];
        let code = attachment["language"].as_str().unwrap();
        let language: crate::language::Language = code.parse().unwrap();
        assert!(attachment["title"].as_str().unwrap().starts_with(&language.say("patient-awaiting", &[])));
        assert!(decoded(attachment).contains(&language.say("patient-talk", &[])));
        languages.push(code);
    }
    assert_eq!(languages, ["en", "es", "fr", "pt", "sw", "hi", "ar", "zh"]);
    // What awaits nobody is not tagged so.
    let others = bundle["entry"].as_array().unwrap().iter().map(|e| &e["resource"]);
    let tagged = others.filter(|r| r["meta"].to_string().contains("awaiting-acceptance")).count();
    assert_eq!(tagged, 8);
}

#[test]
fn the_report_is_presented_in_the_clinicians_language_and_in_english() {
    let bundle = in_all_languages();
    let forms = resources(&bundle, "DiagnosticReport")[0]["presentedForm"].as_array().unwrap().clone();
    let languages: Vec<_> = forms.iter().map(|form| form["language"].as_str().unwrap()).collect();
    assert_eq!(languages, ["es", "en"]);
    assert!(decoded(&forms[0]).contains("Derrame pleural: probable"));
    assert!(decoded(&forms[1]).contains("Pleural effusion is likely"));
    assert!(bundle.to_string().len() < 128 * 1024, "{}", bundle.to_string().len());
}
