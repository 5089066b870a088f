//! Code systems and codes of the payload, and the small FHIR data types made of them.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::digest::Digest;
use crate::infer::findings::{Band, Code, Probability};
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
/// residentd's own codes; each is also said in words beside it.
pub(super) const TAGS: &str = "urn:residentd:tags";
pub(super) const REASON: &str = "urn:residentd:reason";
pub(super) const THRESHOLD: &str = "urn:residentd:threshold";
pub(super) const SHA256: &str = "urn:residentd:sha256";

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

/// What a band says of presence, in the codes of DICOM's CID 240 (Present-Absent). The
/// displays are SNOMED CT's own descriptions, the texts DICOM's.
pub(super) fn presence(band: Band) -> Value {
    let (code, display, text) = match band {
        Band::Present => ("52101004", "Present", "Present"),
        Band::Absent => ("272519000", "Absence findings", "Absent"),
        Band::Uncertain => ("373068000", "Undetermined", "Undetermined"),
    };
    json!({"coding": [coding(SNOMED, code, display)], "text": text})
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
