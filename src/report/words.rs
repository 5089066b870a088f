//! Words: the tables that turn bands, urgencies and DICOM terms into plain English.
//!
//! The hedge table is the one place where a probability becomes a word; each word
//! belongs to one row, so that a reader can go back from the word to the row.

use crate::infer::findings::{Band, Finding, Probability};
use crate::study::Study;

/// Longest text that a sentence takes over from elsewhere, in characters: a bundle's
/// words and a reason's words are far shorter, and a report must stay readable.
const MAX_TAKEN_OVER: usize = 400;

/// How a finding is spoken of.
#[derive(Debug, PartialEq)]
pub struct Hedge {
    /// The band it belongs to.
    pub band: Band,
    /// Least probability in that band, 0.0 to 1.0.
    pub at_least: f32,
    /// The hedge by itself, as a coded value's text.
    pub name: &'static str,
    /// What stands before the finding in a sentence.
    pub before: &'static str,
    /// What stands after it, before the probability.
    pub after: &'static str,
    /// What stands after the probability.
    pub end: &'static str,
    /// Whether the Impression speaks of the finding.
    pub impression: Place,
}

/// Whether the Impression speaks of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It does.
    Stated,
    /// It does not: the Findings do.
    LeftToFindings,
}

/// Which words are used in which band from which probability on, surest first. A draft is
/// never surer than "likely"; a finding that the bundle calls present below that (a rare
/// one, with a low threshold) is "suspected"; and one that is called absent, but is not
/// improbable, is never "no sign of".
pub const HEDGES: [Hedge; 7] = [
    hedge(Band::Present, 0.75, "Likely", " is likely"),
    hedge(Band::Present, 0.0, "Suspected", " is suspected"),
    hedge(Band::Uncertain, 0.5, "May well be present", " may well be present"),
    hedge(Band::Uncertain, 0.1, "Possible", " is possible"),
    Hedge {
        impression: Place::LeftToFindings,
        ..hedge(Band::Uncertain, 0.0, "Cannot be excluded", " cannot be excluded")
    },
    Hedge { end: ", but is not excluded", ..hedge(Band::Absent, 0.05, "Less likely", " is less likely") },
    Hedge {
        before: "No sign of ",
        impression: Place::LeftToFindings,
        ..hedge(Band::Absent, 0.0, "Absent", " was found")
    },
];

const fn hedge(band: Band, at_least: f32, name: &'static str, after: &'static str) -> Hedge {
    Hedge { band, at_least, name, before: "", after, end: "", impression: Place::Stated }
}

impl Hedge {
    /// The row for `finding`.
    #[must_use]
    pub fn of(finding: &Finding) -> &'static Self {
        &HEDGES[Self::rank(finding)]
    }

    /// The place of that row in [`HEDGES`]: 0 is surest that the finding is there.
    pub(super) fn rank(finding: &Finding) -> usize {
        let probability = f32::from(finding.probability);
        HEDGES
            .iter()
            .position(|hedge| hedge.band == finding.band && probability >= hedge.at_least)
            .expect("each band has a row from probability 0")
    }

    /// True for the row "No sign of X was found", several of which make one sentence.
    pub(super) fn is_no_sign(&self) -> bool {
        self.band == Band::Absent && self.at_least <= 0.0
    }
}

/// Findings (SNOMED CT) that cannot wait where they are there, most urgent first.
const URGENT: [&str; 4] = [
    "36118008",  // pneumothorax
    "19242006",  // pulmonary edema
    "233604007", // pneumonia
    "95436008",  // consolidation
];
/// How many of [`URGENT`] are a matter of minutes, and are said to be.
const WITHOUT_DELAY: usize = 1;

/// Rank of a finding by urgency: 0 is most urgent.
pub(super) fn urgency(finding: &Finding) -> usize {
    let at =
        URGENT.iter().position(|code| finding.code.system == "http://snomed.info/sct" && finding.code.code == *code);
    at.unwrap_or(URGENT.len())
}

/// True where a human must look at once.
pub(super) fn is_without_delay(finding: &Finding) -> bool {
    urgency(finding) < WITHOUT_DELAY
}

/// A probability in whole percent: `87 %`, `less than 1 %`, `more than 99 %`.
pub(super) fn percent(probability: Probability) -> String {
    match f32::from(probability) * 100.0 {
        p if p < 1.0 => "less than 1 %".to_owned(),
        p if p > 99.0 => "more than 99 %".to_owned(),
        p => format!("{p:.0} %"),
    }
}

/// A share as a count of a hundred: `28 of 100`, `less than 1 of 100`.
pub(super) fn of_100(share: Probability) -> String {
    match f32::from(share) * 100.0 {
        count if count < 0.5 => "less than 1 of 100".to_owned(),
        count => format!("{count:.0} of 100"),
    }
}

/// Text from elsewhere, fit to stand inside a sentence: one line, no control
/// characters, no stop at its end, bounded.
pub(super) fn inside(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_TAKEN_OVER).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").trim_end_matches(['.', ' ', ',', ';', ':', '!', '?']).to_owned()
}

/// A sentence: capital first letter, one full stop.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches(['.', ' ']);
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).chain(['.']).collect()
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn list(items: &[String], joint: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [head @ .., last] => format!("{} {joint} {last}", head.join(", ")),
    }
}

/// What the image is, from the header: `Chest radiograph, PA view.` `None` where the
/// header says nothing that this table knows; text of the header itself is never used.
pub(super) fn context(study: &Study) -> Option<String> {
    let kind = kind(study.modality.as_deref());
    let region = study.body_part.as_deref().and_then(region);
    let view = study.view.as_deref().and_then(view);
    if kind.is_none() && region.is_none() && view.is_none() {
        return None;
    }
    let kind = kind.unwrap_or("image");
    let image = region.map_or_else(|| kind.to_owned(), |region| format!("{region} {kind}"));
    Some(sentence(&view.map_or_else(|| image.clone(), |view| format!("{image}, {view} view"))))
}

/// Modality (0008,0060), PS3.3 C.7.3.1.1.1.
fn kind(modality: Option<&str>) -> Option<&'static str> {
    Some(match modality? {
        "CR" | "DX" | "RG" => "radiograph",
        "US" => "ultrasound image",
        "MG" => "mammogram",
        "CT" => "CT image",
        "MR" => "MR image",
        _ => return None,
    })
}

/// Body Part Examined (0018,0015), PS3.16 annex L.
fn region(body_part: &str) -> Option<&'static str> {
    Some(match body_part {
        "CHEST" | "THORAX" => "chest",
        "LUNG" => "lung",
        "HEART" => "heart",
        "ABDOMEN" => "abdominal",
        "PELVIS" => "pelvic",
        "BREAST" => "breast",
        "SKULL" | "HEAD" => "head",
        "CSPINE" | "TSPINE" | "LSPINE" | "SPINE" => "spine",
        "HAND" => "hand",
        "WRIST" => "wrist",
        "KNEE" => "knee",
        "ANKLE" => "ankle",
        "FOOT" => "foot",
        "HIP" => "hip",
        "SHOULDER" => "shoulder",
        "ELBOW" => "elbow",
        _ => return None,
    })
}

/// View Position (0018,5101), PS3.3 C.8.7.1.1.5.
fn view(position: &str) -> Option<&'static str> {
    Some(match position {
        "PA" => "PA",
        "AP" => "AP",
        "LL" => "left lateral",
        "RL" => "right lateral",
        "LAT" | "LATERAL" => "lateral",
        "RLD" => "right lateral decubitus",
        "LLD" => "left lateral decubitus",
        "RLO" => "right lateral oblique",
        "LLO" => "left lateral oblique",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hedge_belongs_to_one_row_and_none_is_surer_than_likely() {
        for (i, hedge) in HEDGES.iter().enumerate() {
            let words = format!("{}{}{}", hedge.before, hedge.after, hedge.end);
            assert!(!words.contains("definite") && !words.contains("certain") && !words.contains("normal"));
            for other in &HEDGES[i + 1..] {
                assert!(other.after != hedge.after && other.name != hedge.name);
                // A row of the same band that came first with less would hide this one.
                assert!(other.band != hedge.band || other.at_least < hedge.at_least);
            }
        }
        for band in [Band::Absent, Band::Uncertain, Band::Present] {
            assert!(HEDGES.iter().any(|h| h.band == band && h.at_least <= 0.0));
        }
    }

    #[test]
    fn percentages_never_reach_certainty() {
        let of = |p: f32| percent(Probability::try_from(p).unwrap());
        assert_eq!(
            [of(0.0), of(0.004), of(0.01), of(0.87), of(0.99), of(1.0)],
            ["less than 1 %", "less than 1 %", "1 %", "87 %", "99 %", "more than 99 %"]
        );
    }

    #[test]
    fn shares_are_counts_of_a_hundred() {
        let of = |p: f32| of_100(Probability::try_from(p).unwrap());
        assert_eq!([of(0.004), of(0.284), of(1.0)], ["less than 1 of 100", "28 of 100", "100 of 100"]);
    }

    #[test]
    fn text_from_elsewhere_cannot_break_a_sentence() {
        assert_eq!(inside("  the image\r\nis \u{7}dark.. "), "the image is dark");
        assert_eq!(inside(&"x".repeat(5000)).len(), MAX_TAKEN_OVER);
        assert_eq!(sentence("version 1.2 is not known."), "Version 1.2 is not known.");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()], "or"), "a, b or c");
    }
}
