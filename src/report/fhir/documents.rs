//! `DocumentReference`: the facts that the texts come from, and the patient's summaries.
//!
//! A summary is a document that waits for a human: `docStatus` preliminary, tagged
//! `awaiting-acceptance`, and titled so. A receiver that shows it to anyone before the
//! report was accepted has overlooked all three.

use serde_json::{Value, json};

use super::result::attachment;
use super::{Maker, codes};
use crate::language::Language;
use crate::report::grammar::patient::Summary;
use crate::report::written::Written;

impl Maker<'_> {
    /// The documents by role: facts first, then a summary a language.
    pub(super) fn documents(&self) -> Vec<(String, Value)> {
        let Some(written) = self.reading.written.as_deref() else { return Vec::new() };
        let summaries = written
            .summaries
            .iter()
            .map(|summary| (format!("summary {}", summary.language.code()), self.summary(summary)));
        std::iter::once(("facts".to_owned(), self.facts(written))).chain(summaries).collect()
    }

    /// The fact sheet with how the text came to be, as JSON of the sheet's own format.
    fn facts(&self, written: &Written) -> Value {
        let languages: Vec<Value> = self
            .texts()
            .map(|(language, _)| json!({"language": language, "wording": language.say("review-state", &[])}))
            .collect();
        let facts = json!({"sheet": written.sheet, "composition": written.composition, "texts": languages});
        let title = "Fact sheet: all that the texts of this report come from";
        let mut document = self.document("Fact sheet of a machine reading");
        document["content"] =
            json!([{"attachment": attachment("application/json", Language::ENGLISH, &facts.to_string(), title)}]);
        document
    }

    fn summary(&self, summary: &Summary) -> Value {
        let say = |id: &str| summary.language.say(id, &[]);
        let text = format!("{}\n\n{}\n", say("patient-title"), summary.sentences.join("\n"));
        let title = format!("{} - {}", say("patient-awaiting"), say("patient-title"));
        let awaiting = "Not for release before a human accepted the report";
        let mut document = self.document("Summary for the patient, awaiting acceptance of the report");
        document["meta"] = self.meta();
        let tag = codes::coding(codes::TAGS, "awaiting-acceptance", awaiting);
        match document["meta"]["tag"].as_array_mut() {
            Some(tags) => tags.push(tag),
            None => document["meta"]["tag"] = json!([tag]),
        }
        document["description"] = awaiting.into();
        document["content"] =
            json!([{"attachment": attachment("text/plain; charset=utf-8", summary.language, &text, &title)}]);
        document
    }

    fn document(&self, kind: &str) -> Value {
        json!({
            "resourceType": "DocumentReference",
            "status": "current",
            "docStatus": "preliminary",
            "type": {"text": kind},
            "subject": self.subject_reference(),
            "date": self.context.issued.rfc3339(),
            "author": [self.reference("device", "Device")],
            "content": [],
            "context": {"related": [self.reference("report", "DiagnosticReport")]},
        })
    }
}
