//! `DiagnosticReport` and `Observation`: what was concluded, and each finding for itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Maker, codes};
use crate::infer::findings::{BundleIdentity, Finding};
use crate::language::Language;
use crate::report::facts::Hedge;
use crate::report::reading::{Outcome, Reason, Text};

/// Said of every finding, so that it cannot be read without it.
const NOTE: &str = "Unreviewed machine reading; calibrated on the model bundle's development data; not a diagnosis.";

impl Maker<'_> {
    /// The report; `observations` by role, in their order. It has no `conclusionCode`: what
    /// a code concludes, a human has to.
    pub(super) fn diagnostic_report(&self, observations: &[(String, Value)]) -> Value {
        json!({
            "resourceType": "DiagnosticReport",
            "text": {"status": "additional", "div": self.xhtml()},
            "identifier": [{"system": codes::URI, "value": format!("urn:uuid:{}", self.context.report_id)}],
            "status": "preliminary",
            "category": [{"coding": [
                codes::coding("http://terminology.hl7.org/CodeSystem/v2-0074", "RAD", "Radiology"),
                codes::coding(codes::LOINC, "LP29684-5", "Radiology"),
            ]}],
            "code": codes::report(self.reading.study.as_ref()),
            "subject": self.subject_reference(),
            "effectiveDateTime": self.taken(),
            "issued": self.context.issued.rfc3339(),
            "result": observations.iter().map(|(role, _)| self.reference(role, "Observation")).collect::<Vec<_>>(),
            "imagingStudy": self.imaging_study_reference().into_iter().collect::<Vec<_>>(),
            "conclusion": codes::clean(&self.reading.text.impression.join(" ")),
            "presentedForm": self.texts().map(|(language, text)| self.presented(language, text)).collect::<Vec<_>>(),
        })
    }

    /// The whole text in one language.
    fn presented(&self, language: Language, text: &Text) -> Value {
        attachment("text/plain; charset=utf-8", language, &self.plain_text(language, text), &self.title(language))
    }

    /// One Observation a finding; for an image that was not read, one that says why.
    pub(super) fn observations(&self) -> Vec<(String, Value)> {
        match &self.reading.outcome {
            Outcome::Report(read) => read
                .findings
                .iter()
                .enumerate()
                .map(|(i, finding)| {
                    (format!("observation {i} {}", finding.label), self.observation(finding, &read.bundle))
                })
                .collect(),
            Outcome::Abstention(reason) => vec![self.unread("not-performed", "Not Performed", reason)],
            Outcome::Failure(reason) => vec![self.unread("error", "Error", reason)],
        }
    }

    fn observation(&self, finding: &Finding, bundle: &BundleIdentity) -> Value {
        let component = |code: Value, value| json!({"code": code, "valueQuantity": codes::percentage(value)});
        let threshold = |code, display, value| component(codes::concept(codes::THRESHOLD, code, display), value);
        let mut observation = self.bare_observation();
        let more = json!({
            "code": codes::finding(&finding.code, &finding.words),
            "valueCodeableConcept": codes::presence(Hedge::of(finding.band, finding.probability)),
            "note": [{"text": NOTE}],
            "method": {"text": format!("Machine reading by {} version {}", codes::clean(&bundle.name), codes::clean(&bundle.version))},
            "device": self.reference("algorithm", "Device"),
            "component": [
                component(codes::concept(codes::DCM, "111012", "Certainty of Finding"), finding.probability),
                threshold("absent-below", "Probability below which the finding is called absent", finding.absent_below),
                threshold("present-above", "Probability from which the finding is called present", finding.present_above),
            ],
        });
        extend(&mut observation, more);
        observation
    }

    fn unread(&self, code: &str, display: &str, reason: &Reason) -> (String, Value) {
        let mut observation = self.bare_observation();
        let why = json!({"system": codes::REASON, "code": reason.code.as_str()});
        let flaw = reason.unfit.map(|unfit| json!({"system": codes::UNFIT, "code": unfit.code()}));
        let absent = codes::coding("http://terminology.hl7.org/CodeSystem/data-absent-reason", code, display);
        let coding: Vec<Value> = [absent, why].into_iter().chain(flaw).collect();
        let more = json!({
            "code": codes::concept(codes::LOINC, "18782-3", "Radiology Study observation (narrative)"),
            "dataAbsentReason": {
                "coding": coding,
                "text": codes::clean(&reason.words),
            },
            "device": self.reference("device", "Device"),
        });
        extend(&mut observation, more);
        ("observation unread".to_owned(), observation)
    }

    fn bare_observation(&self) -> Value {
        json!({
            "resourceType": "Observation",
            "status": "preliminary",
            "category": [{"coding": [codes::coding("http://terminology.hl7.org/CodeSystem/observation-category", "imaging", "Imaging")]}],
            "subject": self.subject_reference(),
            "effectiveDateTime": self.taken(),
            "issued": self.context.issued.rfc3339(),
            "derivedFrom": self.imaging_study_reference().into_iter().collect::<Vec<_>>(),
        })
    }
}

/// R4 `Attachment` of `text`.
pub(super) fn attachment(content_type: &str, language: Language, text: &str, title: &str) -> Value {
    json!({
        "contentType": content_type,
        "language": language.code(),
        "data": STANDARD.encode(text),
        "size": text.len(),
        "title": title,
    })
}

fn extend(resource: &mut Value, more: Value) {
    if let (Value::Object(resource), Value::Object(more)) = (resource, more) {
        resource.extend(more);
    }
}
