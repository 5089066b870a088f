//! Code systems and codes of the payload, and the small FHIR data types made of them.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::digest::Digest;
use crate::infer::findings::{Code, Probability};
use crate::language::Language;
use crate::report::facts::Hedge;
use crate::study::Study;

/// Values that are URIs themselves (`urn:uuid:…`, `urn:oid:…`).
pub(super) const URI: &str = "urn:ietf:rfc:3986";
pub(super) const SNOMED: &str = "http://snomed.info/sct";
pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
/// DICOM UIDs as identifiers (R4 terminologies-systems).
pub(super) const DICOM_UID: &str = "urn:dicom:uid";
pub(super) const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
pub(super) const IDENTIFIER_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
// residentd's own systems. They are made up once, at random, and never change: a UUID
// needs no registration (RFC 9562), which a `urn:` namespace of our own would.
/// Codes of tags on resources: `clock-unsynchronised`, `research-only`,
/// `awaiting-acceptance`.
pub(super) const TAGS: &str = "urn:uuid:59ebb47f-5e53-4b40-90ae-7c2d48b670e2";
/// Codes of why an image was not read: `no-model`, `unfit`, …
pub(super) const REASON: &str = "urn:uuid:faa24a82-6fcd-4a21-9293-cd45d7e8ffa1";
/// Codes of what makes an image unfit: `bases-cut-off`, `upside-down`, …
pub(super) const UNFIT: &str = "urn:uuid:ee5e385a-4c64-4d4e-b780-5ef614348789";
/// Codes of the thresholds beside a probability: `absent-below`, `present-above`.
pub(super) const THRESHOLD: &str = "urn:uuid:39908f82-9804-49d1-a91d-bc47314722be";
/// Identifiers that are a SHA-256 in hexadecimal.
pub(super) const SHA256: &str = "urn:uuid:3f3161cb-0595-4cf9-b927-5c2628020b50";
/// Identifiers of boxes: `site/name`.
pub(super) const DEVICE: &str = "urn:uuid:97cf229f-bc57-40c3-9a0c-f0eac4618bd9";
/// Identifiers that are DICOM application entity titles, as the box was called by them.
pub(super) const AE_TITLE: &str = "urn:uuid:ad88a6ad-8f39-4752-b44f-a0fe8b35a7cd";
/// What the systems of each site's Patient IDs are derived from, one a site.
pub(super) const PATIENT_IDS: &str = "urn:uuid:ef2a99eb-3c86-4b64-9f52-c0df42e6547e";
/// What the systems of each site's accession numbers are derived from, one a site.
pub(super) const ACCESSIONS: &str = "urn:uuid:e21992ea-f69a-4801-a21e-ef8385b1fdfe";

pub(super) fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({"system": system, "code": code, "display": display})
}

pub(super) fn concept(system: &str, code: &str, display: &str) -> Value {
    json!({"coding": [coding(system, code, display)], "text": display})
}

/// A finding's code with its words; R4 `Coding` from the bundle's manifest.
pub(super) fn finding(code: &Code, words: &str) -> Value {
    json!({"coding": [coding(&code.system, &code.code, &code.display)], "text": clean(words)})
}

/// What a hedge says of presence, in the codes of DICOM's CID 240 (Present-Absent): only
/// the surest is coded as present. The displays are SNOMED CT's own descriptions, the
/// texts the hedges.
pub(super) fn presence(hedge: Hedge) -> Value {
    let (code, display) = match hedge {
        Hedge::Likely => ("52101004", "Present"),
        Hedge::Suspected | Hedge::MayWellBe | Hedge::Possible | Hedge::CannotBeExcluded => {
            ("373068000", "Undetermined")
        }
        Hedge::LessLikely | Hedge::NoSign => ("272519000", "Absence findings"),
    };
    let name = Language::ENGLISH.say(&format!("name-{}", hedge.id()), &[]);
    json!({"coding": [coding(SNOMED, code, display)], "text": name})
}

/// What kind of report this is. The view PA is not coded more closely than "views":
/// LOINC's code for it says "upright", which the header does not.
pub(super) fn report(study: Option<&Study>) -> Value {
    let is_chest_radiograph = study.is_some_and(|s| {
        matches!(s.modality.as_deref(), Some("CR" | "DX")) && matches!(s.body_part.as_deref(), Some("CHEST" | "THORAX"))
    });
    match study.and_then(|s| s.view.as_deref()) {
        Some("AP") if is_chest_radiograph => concept(LOINC, "36572-6", "XR Chest AP"),
        _ if is_chest_radiograph => concept(LOINC, "30745-4", "XR Chest Views"),
        _ => concept(LOINC, "18748-4", "Diagnostic imaging study"),
    }
}

/// A probability as a quantity in percent (UCUM), to a hundredth.
pub(super) fn percentage(probability: Probability) -> Value {
    let percent = (f64::from(f32::from(probability)) * 10_000.0).round() / 100.0;
    json!({"value": percent, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"})
}

pub(super) fn uid(uid: &crate::instance::uid::Uid) -> Value {
    json!({"system": DICOM_UID, "value": format!("urn:oid:{uid}")})
}

pub(super) fn digest(what: &str, digest: Digest) -> Value {
    json!({"type": {"text": what}, "system": SHA256, "value": digest.to_string()})
}

/// Text from the header fit for a FHIR `string`: one line, trimmed, no control characters.
pub(super) fn clean(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// True for a FHIR `dateTime` (R4 datatypes): a year, a month, a day, or a time with its zone.
pub(super) fn is_date_time(text: &str) -> bool {
    let day = format_description!("[year]-[month]-[day]");
    let digits = |text: &str, n| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    match text.len() {
        4 => digits(text, 4),
        7 => time::Date::parse(&format!("{text}-01"), day).is_ok(),
        10 => time::Date::parse(text, day).is_ok(),
        _ => OffsetDateTime::parse(text, &Rfc3339).is_ok() && text.as_bytes().get(10) == Some(&b'T'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fhir_calls_a_date_time_passes() {
        for text in ["2026", "2026-11", "2026-11-23", "2026-11-23T20:43:40Z", "2026-11-23T20:43:40.5+03:00"] {
            assert!(is_date_time(text), "{text}");
        }
        for text in [
            "",
            "20261123",
            "2026-13",
            "2026-02-30",
            "2026-11-23T20:43:40",
            "2026-11-23 20:43:40Z",
            "2026-11-23T",
            "éé",
        ] {
            assert!(!is_date_time(text), "{text}");
        }
    }

    #[test]
    fn a_percentage_has_no_float_dust() {
        assert_eq!(percentage(Probability::try_from(0.87).unwrap())["value"].to_string(), "87.0");
    }
}
