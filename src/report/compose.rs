//! Composing: Findings, Impression and disclaimer, written from the findings alone.
//!
//! Sentences come from the tables in `words`; each finding is spoken of in exactly one
//! kind of sentence, which is what lets the tests read the findings back out of the
//! text (promise 8). Nothing here reads a pixel, a clock or the header's free text.

use std::cmp::Reverse;

use super::reading::{Outcome, Reason, ReasonCode, Text};
use super::words::{Hedge, context, inside, is_without_delay, list, percent, sentence, urgency};
use crate::infer::findings::{Band, BundleIdentity, Finding, Findings, MAX_FINDINGS};
use crate::study::{Study, Subject};

/// Most sentences in a section: one a finding, one more for a finding that cannot wait,
/// and at most five about the image, the negatives and what was not assessed.
pub const MAX_SENTENCES: usize = 2 * MAX_FINDINGS + 5;

/// First sentence of every section about a test object.
pub const TEST_IMAGE: &str = "TEST IMAGE - not a patient: this image shows a phantom or another test object.";

const MUST_READ: &str = "A clinician must read this image.";

/// Writes the draft for `outcome`; `study` is the header, where it could be read.
#[must_use]
pub fn compose(outcome: &Outcome, study: Option<&Study>) -> Text {
    let is_test = study.is_some_and(|study| study.subject == Subject::TestObject);
    let mut text = match outcome {
        Outcome::Report(findings) => Text {
            findings: findings_section(findings),
            impression: impression(findings),
            disclaimer: disclaimer(&findings.bundle, is_test),
        },
        Outcome::Abstention(reason) => unread("Not read, because", reason, is_test),
        Outcome::Failure(reason) => unread("Reading failed:", reason, is_test),
    };
    if let Some(context) = study.and_then(context) {
        text.findings.insert(0, context);
    }
    if is_test {
        text.findings.insert(0, TEST_IMAGE.to_owned());
        text.impression.insert(0, TEST_IMAGE.to_owned());
    }
    text
}

/// What was seen: what is there, then what may be there, then the pertinent negatives,
/// then what was not looked for.
fn findings_section(findings: &Findings) -> Vec<String> {
    let mut sentences: Vec<String> =
        ranked(findings, |f| (Reverse(presence(f)), 0)).into_iter().map(positive).collect();
    let absent: Vec<&Finding> = in_band(findings, Band::Absent);
    if !absent.is_empty() {
        sentences.push(negative(&absent));
    }
    sentences.push(not_assessed(findings));
    sentences
}

/// What it means, most urgent first, then surest first.
fn impression(findings: &Findings) -> Vec<String> {
    let mut sentences = Vec::new();
    for finding in ranked(findings, |f| (Reverse(0), urgency(f))) {
        let review = if finding.band == Band::Uncertain { ": human review is needed" } else { "" };
        sentences.push(sentence(&format!("{}{review}", positive(finding).trim_end_matches('.'))));
        if is_without_delay(finding) {
            let named = inside(&finding.words);
            sentences.push(sentence(&format!(
                "{named} can be urgent, so a clinician must look at this image without delay"
            )));
        }
    }
    let absent: Vec<String> = in_band(findings, Band::Absent).into_iter().map(|f| inside(&f.words)).collect();
    match (sentences.is_empty(), absent.is_empty()) {
        (true, true) => sentences.extend(["Nothing was assessed.", MUST_READ].map(str::to_owned)),
        (true, false) => {
            sentences.push(format!("No sign of the assessed findings ({}) was found.", list(&absent, "and")));
        }
        (false, _) => {}
    }
    sentences.push("Other disease is not excluded.".to_owned());
    sentences
}

/// The findings that are not absent, by `key`, then surest first, then in the bundle's order.
fn ranked<K: Ord>(findings: &Findings, key: impl Fn(&Finding) -> K) -> Vec<&Finding> {
    let mut ranked: Vec<&Finding> = findings.findings.iter().filter(|f| f.band != Band::Absent).collect();
    ranked.sort_by(|a, b| {
        let sureness = |f: &Finding| (presence(f), f32::from(f.probability));
        key(a).cmp(&key(b)).then(sureness(b).partial_cmp(&sureness(a)).expect("a probability is never NaN"))
    });
    ranked
}

/// Rank of a finding by its band: the more present, the higher.
fn presence(finding: &Finding) -> u8 {
    match finding.band {
        Band::Absent => 0,
        Band::Uncertain => 1,
        Band::Present => 2,
    }
}

fn in_band(findings: &Findings, band: Band) -> Vec<&Finding> {
    findings.findings.iter().filter(|f| f.band == band).collect()
}

/// `Pleural effusion is likely (estimated probability 87 %).`
fn positive(finding: &Finding) -> String {
    let hedge = Hedge::of(finding);
    let named = inside(&finding.words);
    sentence(&format!(
        "{}{named}{} (estimated probability {})",
        hedge.before,
        hedge.after,
        percent(finding.probability)
    ))
}

/// `No sign of pneumothorax (estimated probability 2 %) or cardiomegaly (1 %) was found.`
fn negative(absent: &[&Finding]) -> String {
    let hedge = Hedge::of(absent[0]);
    let named: Vec<String> = absent
        .iter()
        .enumerate()
        .map(|(i, f)| {
            let lead = if i == 0 { "estimated probability " } else { "" };
            format!("{} ({lead}{})", inside(&f.words), percent(f.probability))
        })
        .collect();
    sentence(&format!("{}{}{}", hedge.before, list(&named, "or"), hedge.after))
}

fn not_assessed(findings: &Findings) -> String {
    let mut named: Vec<String> =
        findings.not_assessed.iter().map(|words| inside(words)).filter(|words| !words.is_empty()).collect();
    named.truncate(MAX_FINDINGS);
    named.push("anything else that is not named above".to_owned());
    format!("This reading does not assess: {}; their absence here says nothing.", list(&named, "and"))
}

fn disclaimer(bundle: &BundleIdentity, is_test: bool) -> Vec<String> {
    let mut sentences = Vec::new();
    if is_test {
        sentences.push("This is the reading of a test image, not of a patient.".to_owned());
    }
    sentences.push(format!(
        "This is an unreviewed draft made by a machine: {}, {} version {}.",
        inside(&bundle.title),
        inside(&bundle.name),
        inside(&bundle.version)
    ));
    sentences.push(
        "It is not a diagnosis and must be reviewed by a qualified clinician before anyone acts on it.".to_owned(),
    );
    sentences.push(
        "Its probabilities were calibrated on the model bundle's development data and may be wrong for other patients, scanners and places."
            .to_owned(),
    );
    if !bundle.intended_use.trim().is_empty() {
        sentences.push(sentence(&format!("Intended use: {}", inside(&bundle.intended_use))));
    }
    if bundle.research_only {
        sentences.push("This model bundle is for research only: its reading must not be used for care.".to_owned());
    }
    sentences
}

/// The draft where there are no findings: why, and what to do next.
fn unread(lead: &str, reason: &Reason, is_test: bool) -> Text {
    let because = sentence(&format!("{lead} {}", inside(&reason.words)));
    let mut disclaimer = vec![
        "This is an unreviewed notice made by a machine: it says nothing about what the image shows.".to_owned(),
        "It is not a diagnosis, and the image must be read by a qualified clinician.".to_owned(),
    ];
    if is_test {
        disclaimer.insert(0, "This is about a test image, not about a patient.".to_owned());
    }
    Text { findings: vec![because.clone()], impression: vec![because, next_step(reason.code).to_owned()], disclaimer }
}

/// What a human should do where nothing was read.
fn next_step(code: ReasonCode) -> &'static str {
    match code {
        ReasonCode::NoModel => MUST_READ,
        ReasonCode::Unfit => "A clinician must read this image and decide whether it is to be taken again.",
        ReasonCode::NoPixels => {
            "If an image was meant to be sent, it must be sent again, and a clinician must read it."
        }
        ReasonCode::TooLarge | ReasonCode::Undecodable => {
            "A clinician must read this image; whoever maintains the sender can change the form in which it is sent."
        }
        ReasonCode::Malformed => {
            "A clinician must read this image; whoever maintains the sender must be told that its file is faulty."
        }
        ReasonCode::ReaderDied | ReasonCode::Internal => {
            "A clinician must read this image; whoever maintains this device must be told."
        }
    }
}

#[cfg(test)]
mod tests;
