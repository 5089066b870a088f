//! The closed list of what a report may speak of: label, code, place in the body, urgency.
//!
//! How each is called stands in the language files (`finding-<label>`). A bundle's label
//! that is not here is spoken of in the bundle's own words. `normal` is not here: no
//! report calls an image normal.

use serde::{Deserialize, Serialize};

/// Where a finding is spoken of: the order in which a radiologist goes through an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum System {
    Devices,
    Lungs,
    Pleura,
    Heart,
    Mediastinum,
    Bones,
    Other,
}

/// How long a finding can wait where it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// Minutes count: somebody must look at once.
    Immediate,
    /// Today.
    Prompt,
    /// With the ordinary reading.
    Routine,
}

/// One thing that a report may speak of.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Kebab-case, as in manifests; the labels of the shared reports with hyphens.
    pub label: &'static str,
    /// SNOMED CT code, where one is settled.
    pub snomed: Option<&'static str>,
    /// Where it is spoken of.
    pub system: System,
    /// How long it can wait.
    pub urgency: Urgency,
    /// Words by which an order asks about it, and by which bundles call it; the first is
    /// its plain English name.
    pub terms: &'static [&'static str],
    /// A finding, or a topic that is only ever named as not assessed.
    pub role: Role,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "as said in Entry")]
pub enum Role {
    Finding,
    Topic,
}

impl Entry {
    /// True for what can be present or absent.
    #[must_use]
    pub fn is_finding(&self) -> bool {
        self.role == Role::Finding
    }
}

/// The entry of `label`.
#[must_use]
pub fn entry(label: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.label == label)
}

/// The entry that a bundle means by `words`, e.g. in its list of what it does not assess.
#[must_use]
pub fn by_words(words: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.terms.iter().any(|term| term.eq_ignore_ascii_case(words)))
}

/// Where `label` is spoken of; what is not listed comes last.
#[must_use]
pub fn system(label: &str) -> System {
    entry(label).map_or(System::Other, |entry| entry.system)
}

/// How long `label` can wait; what is not listed is routine.
#[must_use]
pub fn urgency(label: &str) -> Urgency {
    entry(label).map_or(Urgency::Routine, |entry| entry.urgency)
}

/// Rank of `label` among the urgent: 0 is most urgent.
#[must_use]
pub fn urgency_rank(label: &str) -> (Urgency, usize) {
    let at = URGENT.iter().position(|urgent| *urgent == label).unwrap_or(URGENT.len());
    (urgency(label), at)
}

/// Most urgent first, within an urgency too.
const URGENT: [&str; 9] =
    ["pneumothorax", "free-air", "edema", "pneumonia", "consolidation", "tuberculosis", "mass", "fracture", "effusion"];

const fn finding(
    label: &'static str,
    snomed: Option<&'static str>,
    system: System,
    urgency: Urgency,
    terms: &'static [&'static str],
) -> Entry {
    Entry { label, snomed, system, urgency, terms, role: Role::Finding }
}

const fn topic(label: &'static str, terms: &'static [&'static str]) -> Entry {
    Entry { label, snomed: None, system: System::Other, urgency: Urgency::Routine, terms, role: Role::Topic }
}

use System::{Bones, Devices, Heart, Lungs, Mediastinum, Other, Pleura};
use Urgency::{Immediate, Prompt, Routine};

/// Every entry, by system.
pub const ENTRIES: &[Entry] = &[
    finding(
        "device",
        None,
        Devices,
        Routine,
        &[
            "medical device",
            "lines and tubes",
            "line position",
            "tube position",
            "catheter",
            "pacemaker",
            "ng tube",
            "ett",
        ],
    ),
    finding("foreign-body", None, Devices, Prompt, &["foreign body", "foreign object", "aspirated object"]),
    finding("opacity", None, Lungs, Routine, &["lung opacity", "opacity", "opacities", "airspace opacity"]),
    finding("consolidation", Some("95436008"), Lungs, Prompt, &["consolidation", "airspace disease"]),
    finding("pneumonia", Some("233604007"), Lungs, Prompt, &["pneumonia", "pna", "chest infection", "lrti"]),
    finding("tuberculosis", None, Lungs, Prompt, &["tuberculosis", "tb", "ptb", "positive ppd"]),
    finding("infiltration", None, Lungs, Routine, &["infiltration", "infiltrate", "infiltrates"]),
    finding("edema", Some("19242006"), Lungs, Prompt, &["pulmonary edema", "edema", "pulmonary oedema", "oedema"]),
    finding(
        "congestion",
        None,
        Lungs,
        Routine,
        &["pulmonary congestion", "vascular congestion", "congestion", "heart failure", "chf"],
    ),
    finding("atelectasis", Some("46621007"), Lungs, Routine, &["atelectasis", "atelectases", "lung collapse"]),
    finding("emphysema", None, Lungs, Routine, &["emphysema", "copd"]),
    finding("hyperinflation", None, Lungs, Routine, &["hyperinflation", "air trapping"]),
    finding("fibrosis", None, Lungs, Routine, &["fibrosis", "pulmonary fibrosis", "scarring", "ild"]),
    finding("granuloma", None, Lungs, Routine, &["granuloma", "granulomas", "granulomatous disease"]),
    finding("nodule", Some("27925004"), Lungs, Routine, &["lung nodule", "nodule", "nodules", "pulmonary nodule"]),
    finding("mass", None, Lungs, Prompt, &["mass", "lung mass", "lung cancer", "tumor", "tumour"]),
    // Of ultrasound: that something is there, not what.
    finding("lung-disorder", Some("19829001"), Lungs, Routine, &["disorder of lung or pleura", "lung disorder"]),
    finding("pneumothorax", Some("36118008"), Pleura, Immediate, &["pneumothorax", "ptx"]),
    finding("effusion", Some("60046008"), Pleura, Prompt, &["pleural effusion", "effusion", "effusions"]),
    finding("pleural-thickening", None, Pleura, Routine, &["pleural thickening"]),
    finding("cardiomegaly", Some("8186001"), Heart, Routine, &["cardiomegaly", "enlarged heart", "heart size"]),
    finding(
        "atherosclerosis",
        None,
        Mediastinum,
        Routine,
        &["atherosclerosis", "aortic calcification", "aortic atherosclerosis"],
    ),
    finding("hernia", None, Mediastinum, Routine, &["hiatal hernia", "hernia"]),
    finding("fracture", Some("125605004"), Bones, Prompt, &["fracture", "fractures", "rib fracture", "fx"]),
    finding("scoliosis", None, Bones, Routine, &["scoliosis"]),
    finding(
        "spine-degenerative",
        None,
        Bones,
        Routine,
        &["degenerative change of the spine", "degenerative disease", "spondylosis"],
    ),
    finding("free-air", None, Other, Immediate, &["free air under the diaphragm", "free air", "pneumoperitoneum"]),
    topic("whether-normal", &["whether the image is normal"]),
    topic("nodule-or-mass", &["nodule or mass"]),
    topic("b-lines", &["B-lines"]),
    topic("cause", &["bacterial or viral cause"]),
    topic("bronchiolitis", &["bronchiolitis and hyperinflation"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_and_no_term_belongs_to_two_entries() {
        for (i, entry) in ENTRIES.iter().enumerate() {
            assert!(!entry.terms.is_empty());
            assert!(entry.label.bytes().all(|b| b == b'-' || b.is_ascii_lowercase()), "{}", entry.label);
            for other in &ENTRIES[i + 1..] {
                assert_ne!(entry.label, other.label);
                assert!(entry.terms.iter().all(|term| !other.terms.contains(term)), "{} {}", entry.label, other.label);
            }
        }
        assert!(ENTRIES.iter().filter(|e| e.is_finding()).is_sorted_by_key(|e| e.system));
        assert!(URGENT.iter().all(|label| entry(label).is_some()));
    }

    #[test]
    fn every_label_of_the_shipped_bundles_is_listed_with_their_code_and_so_is_what_they_do_not_assess() {
        for bundle in ["chest-adult", "chest-child", "lung-ultrasound"] {
            let path = format!("{}/models/{bundle}/manifest.toml", env!("CARGO_MANIFEST_DIR"));
            let manifest: toml::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            for finding in manifest["finding"].as_array().unwrap() {
                let entry = entry(finding["label"].as_str().unwrap()).unwrap();
                assert_eq!(entry.snomed, finding["code"]["code"].as_str());
                assert_eq!(by_words(finding["words"].as_str().unwrap()), Some(entry));
            }
            for words in manifest["not_assessed"]["words"].as_array().unwrap() {
                assert!(by_words(words.as_str().unwrap()).is_some(), "{words}");
            }
        }
    }
}
