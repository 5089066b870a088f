//! A referee that shares no code and no table with the guard: it knows stems of words, and
//! calls a sentence wrong on the crudest grounds.

use super::*;

/// Stems by which each finding is spoken of.
const STEMS: &[(&str, &[&str])] = &[
    ("effusion", &["effusion", "pleural fluid", "pleural spaces"]),
    ("cardiomegaly", &["cardiomegaly", "heart", "cardiac"]),
    ("pneumothorax", &["pneumothora"]),
    ("pneumonia", &["pneumonia", "pneumonitis"]),
    ("edema", &["edema"]),
    ("congestion", &["congest", "vascul", "engorge", "cephalization"]),
    ("atelectasis", &["atelecta", "collapse"]),
    ("consolidation", &["consolidat"]),
    ("infiltration", &["infiltrat"]),
    ("opacity", &["opaci", "airspace disease", "air space disease", "haziness"]),
    ("nodule", &["nodul"]),
    ("mass", &["mass"]),
    ("granuloma", &["granulom"]),
    ("fibrosis", &["fibro", "scar"]),
    ("emphysema", &["emphysem", "hyperinflat", "hyperexpan", "obstructive"]),
    ("pleural-thickening", &["thickening", "pleural cap"]),
    ("fracture", &["fractur"]),
    ("scoliosis", &["scolio", "curvature"]),
    ("spine-degenerative", &["degenerat", "spondyl", "osteophyt"]),
    ("atherosclerosis", &["atheroscl", "tortuo", "ectatic"]),
    ("hernia", &["hernia"]),
    ("device", &["pacemaker", "catheter", "tubes", "device", "clips", "stent"]),
    ("tuberculosis", &["tubercul"]),
    ("foreign-body", &["foreign"]),
    ("free-air", &["free air", "pneumoperitoneum"]),
];
/// Stems of what no sheet assesses.
const NEVER: &[&str] = &[
    "kypho",
    "calcif",
    "mediastin",
    "osteopeni",
    "mild",
    "severe",
    "small",
    "large",
    "urgent",
    "must",
    "xxxx",
    "patient",
    "definite",
    "cm",
    "mm",
];
const DENIALS: &[&str] = &[
    "no",
    "not",
    "never",
    "without",
    "negative",
    "free",
    "nor",
    "resolved",
    "absent",
    "normal",
    "unremarkable",
    "clear",
    "sharp",
];
const CHANGES: &[(&str, &[&str])] = &[
    ("new", &["new", "newly", "developing", "developed"]),
    ("larger", &["larger", "increased", "increasing", "worse", "worsening", "worsened"]),
    ("unchanged", &["stable", "unchanged", "persistent", "again", "remains"]),
    ("smaller", &["smaller", "decreased", "improved", "improving", "diminished", "resolving"]),
    ("resolved", &["resolved", "cleared", "disappeared"]),
];
const SIDES: &[(&str, &[&str])] = &[
    ("right", &["right"]),
    ("left", &["left"]),
    ("both", &["bilateral", "bilaterally", "both", "bibasilar", "biapical"]),
];
const ZONES: &[(&str, &[&str])] = &[
    ("apex", &["apex", "apical", "apices", "biapical"]),
    ("upper", &["upper"]),
    ("middle", &["middle", "mid", "lingula"]),
    ("lower", &["lower"]),
    ("base", &["base", "bases", "basilar", "bibasilar", "basal"]),
    ("hilum", &["hilum", "hilar", "perihilar"]),
];

/// What is wrong with `sentence` beside `sheet`.
pub fn faults(sheet: &FactSheet, sentence: &str) -> Vec<String> {
    let (plain, hedge) = match sentence.trim_end_matches('.').split_once(" (") {
        Some((plain, hedge)) => (plain.to_lowercase(), Some(hedge.trim_end_matches(')'))),
        None => (sentence.trim_end_matches('.').to_lowercase(), None),
    };
    let words: Vec<&str> = plain.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let joined = format!(" {}", words.join(" "));
    let says = |stem: &&str| joined.contains(&format!(" {stem}"));
    let has = |all: &[&str]| words.iter().any(|word| all.contains(word));
    let named = |table: &[(&'static str, &[&str])]| -> Vec<&'static str> {
        table.iter().filter(|(_, own)| has(own)).map(|(name, _)| *name).collect()
    };
    let mut faults = Vec::new();
    if sentence.chars().any(|c| c.is_ascii_digit() || c.is_control()) {
        faults.push("a digit or a control character".to_owned());
    }
    faults.extend(
        NEVER.iter().filter(|stem| words.contains(stem) || (stem.len() > 3 && says(stem))).map(|s| (*s).to_owned()),
    );
    let denies = has(DENIALS) || (has(&["excluded"]) && !has(&["cannot"]));
    let in_doubt = has(&["possible", "possibly", "may"]);
    let probable = has(&["probable", "probably", "likely"]);
    let spoken: Vec<&str> = STEMS.iter().filter(|(_, stems)| stems.iter().any(&says)).map(|(l, _)| *l).collect();
    // "The lungs are clear" is told by "clear".
    let lungs = ["opacity", "consolidation", "infiltration", "atelectasis", "pneumonia", "edema", "nodule", "mass"];
    let is_clear = says(&"lung") && says(&"clear");
    let spoken: Vec<&str> = spoken.into_iter().chain(lungs.into_iter().filter(|_| is_clear)).collect();
    if spoken.is_empty() {
        faults.push("it speaks of nothing".to_owned());
    }
    for label in spoken {
        let Some(fact) = sheet.fact(label) else {
            faults.push(format!("{label} was not assessed"));
            continue;
        };
        let agrees = match fact.hedge {
            Hedge::NoSign => denies && hedge.is_none(),
            Hedge::Likely => !denies && !in_doubt && (hedge == Some("likely") || (probable && hedge.is_none())),
            Hedge::Suspected => !denies && !in_doubt && !probable && hedge == Some("suspected"),
            Hedge::MayWellBe | Hedge::Possible => !denies && in_doubt && hedge.is_none(),
            Hedge::CannotBeExcluded | Hedge::LessLikely => false,
        };
        if !agrees {
            faults.push(format!("{label} is {:?}", fact.hedge));
        }
        let change = fact.change.map(Change::id);
        if named(CHANGES).iter().any(|said| change != Some(*said)) {
            faults.push(format!("{label} has the change {change:?}"));
        }
        let side = fact.side.map(Side::id);
        let sides = named(SIDES);
        let said = if sides.len() > 1 { Some("both") } else { sides.first().copied() };
        if said.is_some() && said != side {
            faults.push(format!("{label} has the side {side:?}"));
        }
        let zone = fact.zone.map(Zone::id);
        if named(ZONES).iter().any(|said| zone != Some(*said)) {
            faults.push(format!("{label} has the zone {zone:?}"));
        }
    }
    faults
}
