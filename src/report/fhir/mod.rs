//! The payload of an outcome: a FHIR R4 Bundle of type `collection`, as JSON bytes.
//!
//! It is written once from the reading and its context and is a function of both: the
//! same input gives the same bytes. It holds what a receiver needs and no more of the
//! patient than Patient ID and sex. The device never says `final`, names no human
//! interpreter, and calls a test object a Device and never a Patient.

mod codes;
mod devices;
mod documents;
mod narrative;
mod resources;
mod result;

use serde_json::{Value, json};

use super::identity::{algorithm_id, device_id, patient_resource_id, resource_id, study_resource_id};
use super::reading::{Outcome, Reading};
use crate::clock::Moment;
use crate::config::Name;
use crate::digest::Digest;
use crate::infer::findings::Findings;
use crate::instance::Instance;
use crate::instance::uid::{AeTitle, Uid};
use crate::study::Subject;

/// The key id of a box that has no key: its payload is shown and never sealed.
pub const NO_KEY: &str = "none";

/// What the gateway knows of an outcome beyond the reading.
#[derive(Debug, Clone)]
pub struct Context {
    /// The outcome's identity, from [`super::identity::report_id`].
    pub report_id: String,
    /// The box.
    pub device: DeviceFacts,
    /// The file that was read.
    pub instance: InstanceFacts,
    /// When the file came in.
    pub received: Moment,
    /// When the outcome is sealed.
    pub issued: Moment,
}

/// Which box speaks.
#[derive(Debug, Clone)]
pub struct DeviceFacts {
    /// Its site.
    pub site: Name,
    /// Its name, unique in the site.
    pub name: Name,
    /// Its key's id: RFC 7638 thumbprint; [`NO_KEY`] where nothing is signed.
    pub key_id: String,
    /// Version of residentd.
    pub software_version: String,
}

/// Which file was read.
#[derive(Debug, Clone)]
pub struct InstanceFacts {
    /// SOP Class UID (0008,0016).
    pub sop_class_uid: Uid,
    /// SOP Instance UID (0008,0018).
    pub sop_instance_uid: Uid,
    /// Transfer Syntax UID (0002,0010).
    pub transfer_syntax_uid: Uid,
    /// Digest of the whole file.
    pub sha256: Digest,
    /// Who sent it, where it came over the network.
    pub calling_ae: Option<AeTitle>,
}

impl InstanceFacts {
    /// The facts of `instance`.
    #[must_use]
    pub fn of(instance: &Instance, calling_ae: Option<AeTitle>) -> Self {
        Self {
            sop_class_uid: instance.sop_class_uid.clone(),
            sop_instance_uid: instance.sop_instance_uid.clone(),
            transfer_syntax_uid: instance.transfer_syntax_uid.clone(),
            sha256: instance.sha256,
            calling_ae,
        }
    }
}

/// The Bundle for `reading` in `context`, as JSON in UTF-8.
#[must_use]
pub fn payload(reading: &Reading, context: &Context) -> Vec<u8> {
    let maker = Maker { reading, context };
    let mut resources = maker.observations();
    let provenance = maker.provenance(&resources);
    resources.insert(0, ("report".to_owned(), maker.diagnostic_report(&resources)));
    resources.extend(maker.subject().map(|subject| ("subject".to_owned(), subject)));
    resources.extend(maker.imaging_study().map(|study| ("imaging-study".to_owned(), study)));
    resources.push(("device".to_owned(), maker.device()));
    resources.extend(maker.algorithm().map(|algorithm| ("algorithm".to_owned(), algorithm)));
    resources.push(("provenance".to_owned(), provenance));
    resources.extend(maker.documents());
    let entries: Vec<Value> = resources.into_iter().map(|(role, resource)| maker.entry(&role, resource)).collect();
    let bundle = pruned(json!({
        "resourceType": "Bundle",
        "id": maker.id("bundle"),
        "meta": maker.meta(),
        "identifier": {"system": codes::URI, "value": format!("urn:uuid:{}", context.report_id)},
        "type": "collection",
        "timestamp": context.issued.rfc3339(),
        "entry": entries,
    }));
    bundle.to_string().into_bytes()
}

/// What every resource is made from.
struct Maker<'a> {
    reading: &'a Reading,
    context: &'a Context,
}

impl Maker<'_> {
    /// The id of the resource that plays `role`: its own where the same one is in other
    /// reports too, else this report's.
    fn id(&self, role: &str) -> String {
        let study = self.reading.study.as_ref();
        let own = match role {
            "device" => Some(self.device_id()),
            "algorithm" => self.findings().map(|f| algorithm_id(&self.device_id(), &f.bundle.sha256.to_string())),
            "subject" => self.patient_id().map(|id| patient_resource_id(self.context.device.site.as_str(), &id)),
            "imaging-study" => study.and_then(|study| study.study_instance_uid.as_ref()).map(study_resource_id),
            _ => None,
        };
        own.unwrap_or_else(|| resource_id(&self.context.report_id, role))
    }

    fn device_id(&self) -> String {
        device_id(&self.device_name(), &self.context.device.key_id)
    }

    /// Patient ID (0010,0020) of a patient; a test object has none.
    fn patient_id(&self) -> Option<String> {
        let study = self.reading.study.as_ref().filter(|study| study.subject == Subject::Patient)?;
        study.patient_id.as_deref().map(codes::clean).filter(|id| !id.is_empty())
    }

    fn reference(&self, role: &str, kind: &str) -> Value {
        json!({"reference": format!("urn:uuid:{}", self.id(role)), "type": kind})
    }

    fn is_test(&self) -> bool {
        self.reading.study.as_ref().is_some_and(|study| study.subject == Subject::TestObject)
    }

    /// The findings, where the image was read.
    fn findings(&self) -> Option<&Findings> {
        match &self.reading.outcome {
            Outcome::Report(findings) => Some(findings),
            Outcome::Abstention(_) | Outcome::Failure(_) => None,
        }
    }

    /// True where a writer bundle for research drafted the text.
    fn is_research_writer(&self) -> bool {
        let writer = self.reading.written.as_ref().and_then(|written| written.composition.writer.as_ref());
        writer.is_some_and(|writer| writer.research_only)
    }

    /// Tags that no receiver may overlook, on the Bundle and on each resource.
    fn meta(&self) -> Value {
        let test = self.is_test().then(|| codes::coding(codes::ACT_REASON, "HTEST", "test health data"));
        let clock = (!self.context.issued.synchronised)
            .then(|| codes::coding(codes::TAGS, "clock-unsynchronised", "The device's clock was not synchronised"));
        let research = self
            .findings()
            .is_some_and(|findings| findings.bundle.research_only || self.is_research_writer())
            .then(|| codes::coding(codes::TAGS, "research-only", "Made by a model bundle for research only"));
        let tags: Vec<Value> = [test, clock, research].into_iter().flatten().collect();
        json!({"tag": tags})
    }

    /// One entry: `fullUrl` and the resource with `id` and `meta` in front.
    fn entry(&self, role: &str, resource: Value) -> Value {
        let id = self.id(role);
        let full_url = format!("urn:uuid:{id}");
        let mut whole = json!({"resourceType": resource["resourceType"], "id": id, "meta": self.meta()});
        if let (Value::Object(whole), Value::Object(rest)) = (&mut whole, resource) {
            whole.extend(rest);
        }
        json!({"fullUrl": full_url, "resource": whole})
    }

    /// When the image was taken, where the header says it in a form that FHIR knows.
    fn taken(&self) -> Option<&str> {
        self.reading.study.as_ref()?.started.as_deref().filter(|started| codes::is_date_time(started))
    }
}

/// FHIR knows no null and nothing empty (R4 2.1.0.3, json.html): takes both out.
fn pruned(value: Value) -> Value {
    let is_something = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(pruned).filter(is_something).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| (key, pruned(value)))
                .filter(|(_, value)| is_something(value))
                .collect(),
        ),
        other => other,
    }
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
