//! Composing: Findings, Impression and disclaimer, written from the findings alone.
//!
//! Sentences come from the tables in `words`; each finding is spoken of in exactly one
//! kind of sentence, which is what lets the tests read the findings back out of the
//! text (promise 8). Nothing here reads a pixel, a clock or the header's free text.

use super::reading::{Outcome, Reason, ReasonCode, Text};
use super::words::{Hedge, Place, context, inside, is_without_delay, list, of_100, percent, sentence, urgency};
use crate::infer::findings::{Band, Finding, Findings, MAX_FINDINGS};
use crate::study::{Study, Subject};

/// Most sentences in a section: two a finding, and at most five about the image, the
/// negatives, what was not assessed and who must look.
pub const MAX_SENTENCES: usize = 2 * MAX_FINDINGS + 5;

/// Most things that are named as not assessed: a bundle's list, and findings of other views.
const MAX_NOT_ASSESSED: usize = 2 * MAX_FINDINGS;

/// First sentence of every section about a test object.
pub const TEST_IMAGE: &str = "TEST IMAGE - not a patient: this image shows a phantom or another test object.";

const MUST_READ: &str = "A clinician must read this image.";
const MUST_REVIEW: &str = "A clinician must review this image.";

/// Writes the draft for `outcome`; `study` is the header, where it could be read.
#[must_use]
pub fn compose(outcome: &Outcome, study: Option<&Study>) -> Text {
    let is_test = study.is_some_and(|study| study.subject == Subject::TestObject);
    let mut text = match outcome {
        Outcome::Report(findings) => Text {
            findings: study.and_then(context).into_iter().chain(findings_section(findings)).collect(),
            impression: impression(findings),
            disclaimer: disclaimer(findings, is_test),
        },
        Outcome::Abstention(reason) => unread("Not read, because", reason, is_test),
        Outcome::Failure(reason) => unread("Reading failed:", reason, is_test),
    };
    if is_test {
        text.findings.insert(0, TEST_IMAGE.to_owned());
        text.impression.insert(0, TEST_IMAGE.to_owned());
    }
    text
}

/// What was seen: what is there, then what may be there, then the pertinent negatives,
/// then what was not looked for.
fn findings_section(findings: &Findings) -> Vec<String> {
    let mut sentences = Vec::new();
    for finding in ranked(findings, |_| 0).into_iter().filter(|f| !is_no_sign(f)) {
        sentences.push(hedged(finding));
        if finding.band == Band::Present {
            sentences.push(of_those_flagged(finding));
        }
    }
    let no_sign: Vec<&Finding> = findings.findings.iter().filter(|f| is_no_sign(f)).collect();
    if !no_sign.is_empty() {
        sentences.push(negative(&no_sign));
    }
    sentences.push(not_assessed(findings));
    sentences
}

/// What it means, surest first, of equally sure ones the most urgent.
fn impression(findings: &Findings) -> Vec<String> {
    let mut sentences = Vec::new();
    for finding in ranked(findings, urgency).into_iter().filter(|f| Hedge::of(f).impression == Place::Stated) {
        sentences.push(hedged(finding));
        if is_without_delay(finding) && finding.band != Band::Absent {
            let named = inside(&finding.words);
            sentences.push(sentence(&format!(
                "{named} can be urgent, so a clinician must look at this image without delay"
            )));
        }
    }
    if sentences.is_empty() {
        sentences.push(nothing_stated(findings));
    }
    sentences.extend(["Other disease is not excluded.", MUST_REVIEW].map(str::to_owned));
    sentences
}

/// The Impression where no finding is stated in it: all are below 10 %, or there is none.
fn nothing_stated(findings: &Findings) -> String {
    if findings.findings.is_empty() {
        return "Nothing was assessed.".to_owned();
    }
    if findings.findings.iter().all(is_no_sign) {
        let named: Vec<String> = findings.findings.iter().map(|f| inside(&f.words)).collect();
        return format!("No sign of the assessed findings ({}) was found.", list(&named, "and"));
    }
    "No assessed finding reached an estimated probability of 10 %.".to_owned()
}

/// The findings by hedge, surest first, then by `key`, then by probability, then in the
/// bundle's order.
fn ranked(findings: &Findings, key: impl Fn(&Finding) -> usize) -> Vec<&Finding> {
    let mut ranked: Vec<&Finding> = findings.findings.iter().collect();
    ranked.sort_by(|a, b| {
        let rank = |f: &Finding| (Hedge::rank(f), key(f));
        let by_probability = b.probability.partial_cmp(&a.probability).expect("a probability is never NaN");
        rank(a).cmp(&rank(b)).then(by_probability)
    });
    ranked
}

fn is_no_sign(finding: &Finding) -> bool {
    Hedge::of(finding).is_no_sign()
}

/// `Pleural effusion is likely (estimated probability 87 %).`
fn hedged(finding: &Finding) -> String {
    let hedge = Hedge::of(finding);
    let named = inside(&finding.words);
    sentence(&format!(
        "{}{named}{} (estimated probability {}){}",
        hedge.before,
        hedge.after,
        percent(finding.probability),
        hedge.end
    ))
}

/// `In development data, 28 of 100 images flagged like this showed pulmonary edema.`
fn of_those_flagged(finding: &Finding) -> String {
    let (count, named) = (of_100(finding.positives_among_present), inside(&finding.words));
    sentence(&format!("In development data, {count} images flagged like this showed {named}"))
}

/// `No sign of pneumothorax (estimated probability 2 %) or cardiomegaly (1 %) was found.`
fn negative(no_sign: &[&Finding]) -> String {
    let hedge = Hedge::of(no_sign[0]);
    let named: Vec<String> = no_sign
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
    named.truncate(MAX_NOT_ASSESSED);
    let and = if named.is_empty() { "" } else { "and " };
    named.push(format!("{and}anything else not named above"));
    format!("Not assessed: {}. That they are not mentioned does not mean that they are absent.", named.join("; "))
}

fn disclaimer(findings: &Findings, is_test: bool) -> Vec<String> {
    let bundle = &findings.bundle;
    let mut sentences = Vec::new();
    if is_test {
        sentences.push("This is the reading of a test image, not of a patient.".to_owned());
    }
    sentences.push(format!(
        "This is an unreviewed draft made by a machine ({} {}).",
        inside(&bundle.name),
        inside(&bundle.version)
    ));
    sentences.push(
        "It is not a diagnosis and must be reviewed by a qualified clinician before anyone acts on it.".to_owned(),
    );
    sentences.extend(calibration(findings));
    if !bundle.intended_use.trim().is_empty() {
        sentences.push(sentence(&format!("Intended use: {}", inside(&bundle.intended_use))));
    }
    if bundle.research_only {
        sentences.push("This model bundle is for research only: its reading must not be used for care.".to_owned());
    }
    sentences
}

/// How common the findings were where the probabilities come from: they hold only there.
fn calibration(findings: &Findings) -> Option<String> {
    let shares: Vec<String> = findings
        .findings
        .iter()
        .enumerate()
        .map(|(i, f)| {
            let lead = if i == 0 { " images showed" } else { "" };
            format!("{}{lead} {}", of_100(f.prevalence), inside(&f.words))
        })
        .collect();
    let shares = (!shares.is_empty()).then(|| list(&shares, "and"))?;
    Some(format!("Its probabilities were calibrated where {shares}, and are wrong where that differs."))
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
    Text {
        findings: vec!["Not read.".to_owned()],
        impression: vec![because, next_step(reason.code).to_owned()],
        disclaimer,
    }
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
