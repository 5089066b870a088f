//! How drafts look on a terminal.

use std::fmt::Write;

use anyhow::Context;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD as STANDARD, BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::infer::findings::Band;
use crate::report::reading::{Outcome, Reading, Timing};

/// The draft in words.
pub fn words(reading: &Reading) -> String {
    let mut page = String::new();
    for (title, sentences) in [
        ("FINDINGS", &reading.text.findings),
        ("IMPRESSION", &reading.text.impression),
        ("ABOUT THIS DRAFT", &reading.text.disclaimer),
    ] {
        if !sentences.is_empty() {
            let _ = writeln!(page, "{title}");
            for sentence in sentences {
                let _ = writeln!(page, "{}", wrapped(sentence, 88, "  "));
            }
        }
    }
    page
}

/// The findings as a small table; empty where nothing was read.
pub fn table(reading: &Reading) -> String {
    let Outcome::Report(findings) = &reading.outcome else { return String::new() };
    let mut page =
        format!("{:<28} {:>11}  {:<10} {:>7} {:>9}\n", "finding", "probability", "band", "absent<", "present>=");
    for finding in &findings.findings {
        let [p, low, high] = [finding.probability, finding.absent_below, finding.present_above].map(f32::from);
        let band = match finding.band {
            Band::Absent => "absent",
            Band::Uncertain => "uncertain",
            Band::Present => "present",
        };
        let _ = writeln!(page, "{:<28} {:>11.3}  {:<10} {:>7.3} {:>9.3}", finding.words, p, band, low, high);
    }
    page
}

/// The draft inside a sealed outcome as it was received (JWS in compact form): its
/// own text, and its Observations as a table. The signature is `verify`'s business.
pub fn payload(jws: &[u8]) -> anyhow::Result<String> {
    let middle = jws.split(|b| *b == b'.').nth(1).context("no payload")?;
    let bundle: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(middle)?)?;
    let resources = |kind: &'static str| {
        bundle["entry"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|e| &e["resource"])
            .filter(move |r| r["resourceType"] == kind)
    };
    let report = resources("DiagnosticReport").next().context("no DiagnosticReport in the payload")?;
    let text =
        STANDARD.decode(report["presentedForm"][0]["data"].as_str().context("no text in the DiagnosticReport")?)?;
    let mut page = String::from_utf8(text)?.lines().map(|line| wrapped(line, 88, "")).collect::<Vec<_>>().join("\n");
    let _ = writeln!(page, "\n\n{:<32} {:<19} {:>12}", "OBSERVATION", "STATE", "PROBABILITY");
    for observation in resources("Observation") {
        let name = observation["code"]["coding"][0]["display"].as_str().unwrap_or("-");
        let state = observation["valueCodeableConcept"]["text"].as_str().unwrap_or("-");
        let percent = observation["component"][0]["valueQuantity"]["value"].as_f64();
        let shown = percent.map_or_else(|| "-".to_owned(), |p| format!("{p:.1} %"));
        let _ = writeln!(page, "{name:<32} {state:<19} {shown:>12}");
    }
    Ok(page)
}

/// Stage timings on one line.
pub fn timings(timings: &[Timing]) -> String {
    timings.iter().map(|t| format!("{} {:.1} ms", t.stage, t.ms)).collect::<Vec<_>>().join(", ")
}

/// `text` broken at spaces into lines of at most `width` characters, each after `indent`.
fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.iter().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_break_at_spaces_and_lose_nothing() {
        let text = "one two three four five six";
        let page = wrapped(text, 10, "> ");
        assert!(page.lines().all(|line| line.starts_with("> ") && line.chars().count() <= 12), "{page}");
        assert_eq!(page.replace("> ", "").replace('\n', " "), text);
    }
}
