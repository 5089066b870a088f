//! Whom and what the report is about, and how it came to be: subject, study, provenance.

use serde_json::{Value, json};

use super::{Maker, codes};
use crate::report::identity::site_system;
use crate::study::{Sex, Study, Subject};

/// Modality where the header has none that can be a code: "Other" in DICOM's own terms.
const OTHER_MODALITY: &str = "OT";

impl Maker<'_> {
    /// The patient (identifier and sex, nothing else) or the test object. `None` where
    /// the header could not be read: then nobody is named.
    pub(super) fn subject(&self) -> Option<Value> {
        let study = self.reading.study.as_ref()?;
        Some(match study.subject {
            Subject::TestObject => Self::phantom(),
            Subject::Patient => self.patient(study),
        })
    }

    pub(super) fn subject_reference(&self) -> Option<Value> {
        let study = self.reading.study.as_ref()?;
        let kind = if study.subject == Subject::TestObject { "Device" } else { "Patient" };
        Some(self.reference("subject", kind))
    }

    fn patient(&self, study: &Study) -> Value {
        let identifier = self.patient_id().map(|id| {
            json!({
                "type": {"coding": [codes::coding(codes::IDENTIFIER_TYPE, "PI", "Patient internal identifier")]},
                "system": self.site_system(codes::PATIENT_IDS),
                "value": id,
                "assigner": {"display": self.context.device.site.to_string()},
            })
        });
        let gender = study.sex.map(|sex| match sex {
            Sex::Female => "female",
            Sex::Male => "male",
            Sex::Other => "other",
        });
        json!({"resourceType": "Patient", "identifier": identifier.into_iter().collect::<Vec<_>>(), "gender": gender})
    }

    /// The system in which the box's site gives out identifiers.
    fn site_system(&self, namespace: &str) -> String {
        site_system(namespace, self.context.device.site.as_str())
    }

    /// The study by its UIDs, where the header names it. Descriptions and names in the
    /// header are free text that may identify, and stay out.
    pub(super) fn imaging_study(&self) -> Option<Value> {
        let study = self.reading.study.as_ref()?;
        let instance = &self.context.instance;
        let modality = study.modality.as_deref().filter(|m| is_code_string(m)).unwrap_or(OTHER_MODALITY);
        let modality = json!({"system": codes::DCM, "code": modality});
        let accession = self.accession().map(|number| {
            json!({
                "type": {"coding": [codes::coding(codes::IDENTIFIER_TYPE, "ACSN", "Accession ID")]},
                "system": self.site_system(codes::ACCESSIONS),
                "value": number,
                "assigner": {"display": self.context.device.site.to_string()},
            })
        });
        let series = study.series_instance_uid.as_ref().map(|series| {
            json!({
                "uid": series.as_str(),
                "modality": modality,
                "instance": [{
                    "uid": instance.sop_instance_uid.as_str(),
                    "sopClass": {"system": codes::URI, "code": format!("urn:oid:{}", instance.sop_class_uid)},
                }],
            })
        });
        Some(json!({
            "resourceType": "ImagingStudy",
            "identifier": std::iter::once(codes::uid(study.study_instance_uid.as_ref()?)).chain(accession).collect::<Vec<_>>(),
            "status": "available",
            "modality": [modality],
            "subject": self.subject_reference(),
            "started": self.taken(),
            "series": series.into_iter().collect::<Vec<_>>(),
        }))
    }

    /// Accession Number (0008,0050).
    pub(super) fn accession(&self) -> Option<String> {
        let number = self.reading.study.as_ref()?.accession_number.as_deref()?;
        Some(codes::clean(number)).filter(|number| !number.is_empty())
    }

    pub(super) fn imaging_study_reference(&self) -> Option<Value> {
        self.imaging_study().map(|_| self.reference("imaging-study", "ImagingStudy"))
    }

    /// How the report and its `observations` (by role) came to be: by which device, from
    /// which bytes, when.
    pub(super) fn provenance(&self, observations: &[(String, Value)]) -> Value {
        let context = self.context;
        let pixels = self.reading.pixels_sha256.map(|d| codes::digest("SHA-256 of the decoded pixels", d));
        let bundle = self.findings().map(|f| codes::digest("SHA-256 of the model bundle's manifest", f.bundle.sha256));
        let file = codes::digest("SHA-256 of the instance file", context.instance.sha256);
        let instance = json!({
            "identifier": codes::uid(&context.instance.sop_instance_uid),
            "display": format!("Instance as received in transfer syntax {}", context.instance.transfer_syntax_uid),
        });
        let digests =
            [Some(file), pixels, bundle].into_iter().flatten().map(|identifier| json!({"identifier": identifier}));
        let entities: Vec<Value> =
            std::iter::once(instance).chain(digests).map(|what| json!({"role": "source", "what": what})).collect();
        json!({
            "resourceType": "Provenance",
            "target": std::iter::once(self.reference("report", "DiagnosticReport"))
                .chain(observations.iter().map(|(role, _)| self.reference(role, "Observation")))
                .collect::<Vec<_>>(),
            "occurredPeriod": (context.received.unix_ms <= context.issued.unix_ms)
                .then(|| json!({"start": context.received.rfc3339(), "end": context.issued.rfc3339()})),
            "recorded": context.issued.rfc3339(),
            "activity": codes::concept("http://terminology.hl7.org/CodeSystem/v3-DataOperation", "CREATE", "create"),
            "agent": self.agents(),
            "entity": entities,
        })
    }

    /// The box as author, the algorithm that it ran, and the sender of the image.
    fn agents(&self) -> Vec<Value> {
        const PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
        let device = || self.reference("device", "Device");
        let author = json!({"type": codes::concept(PARTICIPANT, "author", "Author"), "who": device()});
        let performer = self.findings().map(|_| {
            json!({
                "type": codes::concept(PARTICIPANT, "performer", "Performer"),
                "who": self.reference("algorithm", "Device"),
                "onBehalfOf": device(),
            })
        });
        let sender = self.context.instance.calling_ae.as_ref().map(|ae| {
            json!({
                "type": {"text": "Sender of the image (calling AE title)"},
                "who": {"type": "Device", "identifier": {"system": codes::AE_TITLE, "value": codes::clean(ae.as_str())}},
            })
        });
        [Some(author), performer, sender].into_iter().flatten().collect()
    }
}

/// True for a DICOM code string (PS3.5 6.2, CS) without spaces, which is also a FHIR `code`.
fn is_code_string(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}
