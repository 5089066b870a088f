//! Drafts that want to be believed: true sentences, sentences of other sheets, sentences with
//! a word exchanged, added or lost, and salads of every word that the guard knows.

use super::*;

const NAMES: &[(&str, &[&str])] = &[
    ("effusion", &["effusion", "pleural effusion", "pleural fluid"]),
    ("cardiomegaly", &["cardiomegaly", "cardiac enlargement", "enlarged heart"]),
    ("pneumothorax", &["pneumothorax"]),
    ("pneumonia", &["pneumonia"]),
    ("edema", &["pulmonary edema", "edema"]),
    ("congestion", &["pulmonary vascular congestion", "vascular prominence"]),
    ("atelectasis", &["atelectasis", "collapse of the lung"]),
    ("consolidation", &["consolidation", "airspace consolidation"]),
    ("infiltration", &["infiltrate"]),
    ("opacity", &["lung opacity", "airspace disease", "opacities"]),
    ("nodule", &["pulmonary nodule", "nodules"]),
    ("mass", &["lung mass"]),
    ("granuloma", &["calcified granuloma"]),
    ("fibrosis", &["scarring", "pulmonary fibrosis"]),
    ("emphysema", &["emphysema", "hyperinflated lungs"]),
    ("pleural-thickening", &["pleural thickening"]),
    ("fracture", &["rib fracture"]),
    ("scoliosis", &["scoliosis"]),
    ("spine-degenerative", &["degenerative changes of the spine"]),
    ("atherosclerosis", &["atherosclerotic aorta", "tortuous aorta"]),
    ("hernia", &["hiatal hernia"]),
    ("device", &["pacemaker", "central venous catheter"]),
    ("tuberculosis", &["tuberculosis"]),
    ("free-air", &["free air"]),
    ("kyphosis", &["kyphosis"]),
];
const PATTERNS: &[&str] = &[
    "There is {}",
    "{}",
    "{} is present",
    "No {}",
    "There is no {}",
    "No evidence of {}",
    "Without {}",
    "{} is not seen",
    "Possible {}",
    "Probable {}",
    "{} is possible",
    "{} is likely",
    "{} may be present",
    "Likely {}",
    "{} cannot be excluded",
    "New {}",
    "Increased {}",
    "Unchanged {}",
    "{} has improved",
    "Resolved {}",
    "{} is resolved",
    "No new {}",
    "No change in {}",
    "Right {}",
    "Left {}",
    "Bilateral {}",
    "Right upper lobe {}",
    "Bibasilar {}",
    "{} at the left base",
    "{} in the right apex",
    "Small {}",
    "Definite {}",
    "2 cm {}",
    "{} seen by Dr Smith",
    "Recommend CT for {}",
    "XXXX {}",
    "{} compared with prior",
    "No {} or {}",
    "No {}, {} or {}",
    "{} and {}",
    "{} with {}",
    "{} without {}",
    "No {} but {}",
    "No {}, there is {}",
    "Heart is normal without {}",
    "The lungs are clear, no {}",
    "The heart is normal in size",
    "The lungs are clear",
    "Pulmonary vasculature is normal",
    "Normal chest",
    "The heart and lungs are normal",
    "No {} is present, {} is noted",
    "No {} and {} is seen",
    "Possible {} and {}",
    "Neither {} nor {}",
    "{}, not {}",
];
/// Words of which a salad is made.
const SALAD: &[&str] = &[
    "no",
    "not",
    "without",
    "and",
    "or",
    ",",
    "with",
    "the",
    "a",
    "is",
    "are",
    "present",
    "seen",
    "evidence",
    "of",
    "possible",
    "likely",
    "may",
    "be",
    "probable",
    "right",
    "left",
    "bilateral",
    "base",
    "upper",
    "lobe",
    "new",
    "stable",
    "increased",
    "resolved",
    "normal",
    "clear",
    "heart",
    "lungs",
    "enlarged",
    "cardiac",
    "pleural",
    "pulmonary",
    "effusion",
    "edema",
    "pneumothorax",
    "nodule",
    "mass",
    "opacity",
    "consolidation",
    "cardiomegaly",
    "free",
    "negative",
    "nor",
    "never",
    "cannot",
    "excluded",
    "unlikely",
    "less",
    "well",
    "there",
    "any",
    "in",
    "at",
    "on",
    "vasculature",
    "airspace",
    "disease",
    "but",
    "mild",
];

/// About six sentences.
pub fn draft(sheet: &FactSheet, dice: &mut Dice) -> Draft {
    let elsewhere = other(sheet, dice);
    let mut sentences = Vec::new();
    for _ in 0..6 {
        let mut sentence = match dice.below(8) {
            0 => salad(dice),
            1 => faithful(&elsewhere, dice),
            2..=4 => faithful(sheet, dice),
            _ => filled(dice.pick(PATTERNS), dice),
        };
        if dice.one_in(6) {
            sentence = disturbed(&sentence, dice);
        }
        sentences.push(sentence);
    }
    let impression = sentences.split_off(4);
    Draft { findings: sentences, impression }
}

fn name(label: &str, dice: &mut Dice) -> &'static str {
    NAMES.iter().find(|(own, _)| *own == label).map_or("nothing odd", |(_, names)| dice.pick(names))
}

fn filled(pattern: &str, dice: &mut Dice) -> String {
    let mut parts = pattern.split("{}");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, names) = dice.pick(NAMES);
        text = text + dice.pick(names) + part;
    }
    text
}

/// A sentence that would be true of `sheet`.
fn faithful(sheet: &FactSheet, dice: &mut Dice) -> String {
    if sheet.facts.is_empty() {
        return salad(dice);
    }
    let fact = &sheet.facts[dice.below(sheet.facts.len())];
    let named = name(&fact.label, dice);
    let side = match fact.side {
        Some(Side::Both) => "bilateral ",
        Some(side) if dice.one_in(2) => side.id(),
        _ => "",
    };
    match fact.hedge {
        Hedge::NoSign => format!("There is no {named}"),
        Hedge::LessLikely => format!("{named} is less likely"),
        Hedge::Likely | Hedge::Suspected => format!("There is {side} {named}"),
        Hedge::MayWellBe | Hedge::Possible => format!("Possible {side} {named}"),
        Hedge::CannotBeExcluded => format!("{named} cannot be excluded"),
    }
}

fn salad(dice: &mut Dice) -> String {
    let count = 2 + dice.below(8);
    (0..count).map(|_| dice.pick(SALAD)).collect::<Vec<_>>().join(" ")
}

/// One word exchanged, added or lost.
fn disturbed(sentence: &str, dice: &mut Dice) -> String {
    let mut words: Vec<&str> = sentence.split_whitespace().collect();
    let at = dice.below(words.len().max(1));
    match dice.below(3) {
        0 => words.insert(at.min(words.len()), dice.pick(SALAD)),
        1 if at < words.len() => words[at] = dice.pick(SALAD),
        _ if at < words.len() => drop(words.remove(at)),
        _ => {}
    }
    words.join(" ")
}
