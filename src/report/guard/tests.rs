use super::super::facts::samples::{Dice, fact, prior, random, sheet};
use super::super::facts::{Change, Facts, Hedge, Side, Zone};
use super::super::grammar::{Claims, Voice, complete, compose, plan};
use super::super::label::{OTHER, TABLE};
use super::*;
use crate::language::Language;

mod adversary;
mod referee;

/// How many random sheets the property is held over.
const SHEETS: u64 = 100_000;

fn sample() -> FactSheet {
    let mut effusion = fact("effusion", Hedge::Likely);
    effusion.side = Some(Side::Right);
    effusion.zone = Some(Zone::Base);
    let mut facts = sheet([
        effusion,
        fact("cardiomegaly", Hedge::Likely),
        fact("nodule", Hedge::Possible),
        fact("edema", Hedge::LessLikely),
        fact("atelectasis", Hedge::Suspected),
        fact("pneumothorax", Hedge::NoSign),
        fact("congestion", Hedge::NoSign),
    ]);
    facts.facts[1].change = Some(Change::Larger);
    facts.facts[5].change = Some(Change::Resolved);
    facts.prior = Some(prior());
    facts.try_into().unwrap()
}

fn one(text: &str) -> Result<String, Reason> {
    let draft = Draft { findings: vec![text.to_owned()], impression: vec![] };
    let guarded = guard(&sample(), &draft);
    assert_eq!(guarded.counts.sentences, 1, "{text}");
    match guarded.sentences.into_iter().next() {
        Some(kept) => Ok(kept),
        None => Err(*guarded.counts.removed.keys().next().unwrap()),
    }
}

#[test]
fn what_agrees_with_the_sheet_is_kept_with_its_hedge() {
    for (text, kept) in [
        ("there is a right-sided pleural effusion.", "There is a right-sided pleural effusion (likely)."),
        ("Pleural effusion at the right base", "Pleural effusion at the right base (likely)."),
        ("The heart is enlarged", "The heart is enlarged (likely)."),
        ("Increased cardiac enlargement.", "Increased cardiac enlargement (likely)."),
        ("There is atelectasis.", "There is atelectasis (suspected)."),
        ("Effusion with cardiomegaly.", "Effusion with cardiomegaly (likely)."),
        ("Probable cardiomegaly.", "Probable cardiomegaly."),
        ("Possible pulmonary nodule.", "Possible pulmonary nodule."),
        ("No evidence of pneumothorax.", "No evidence of pneumothorax."),
        ("No acute pneumothorax", "No acute pneumothorax."),
        ("Pulmonary vascularity is within normal limits", "Pulmonary vascularity is within normal limits."),
        (
            "There is no pneumothorax or pulmonary vascular congestion.",
            "There is no pneumothorax or pulmonary vascular congestion.",
        ),
        (
            "The pulmonary vasculature is normal, without pneumothorax",
            "The pulmonary vasculature is normal, without pneumothorax.",
        ),
        ("The pneumothorax has resolved.", ""),
        ("Resolved pneumothorax.", "Resolved pneumothorax."),
    ] {
        match one(text) {
            Ok(text) => assert_eq!(text, kept),
            Err(reason) => assert!(kept.is_empty(), "{text}: {reason:?}"),
        }
    }
}

#[test]
fn what_does_not_is_removed_with_its_reason() {
    for (text, reason) in [
        ("effusion\u{7}", Reason::Unreadable),
        ("Épanchement", Reason::Unreadable),
        ("2 cm effusion", Reason::Measurement),
        ("Effusion measuring a centimeter", Reason::Measurement),
        ("Effusion as told to Dr Smith", Reason::Identity),
        ("XXXX effusion", Reason::Identity),
        ("Urgent effusion", Reason::Urging),
        ("Recommend follow up of the effusion", Reason::Urging),
        ("Definite effusion", Reason::Certainty),
        ("There is a nodule", Reason::Certainty),
        ("No edema", Reason::Certainty),
        ("Possible cardiomegaly", Reason::Certainty),
        ("Large effusion", Reason::Grading),
        ("Focal cardiomegaly", Reason::Grading),
        ("Effusion is larger than on the prior", Reason::Comparison),
        ("New effusion", Reason::Comparison),
        ("Decreased cardiac enlargement", Reason::Comparison),
        ("Compared with the previous, effusion", Reason::Comparison),
        ("No effusion but cardiomegaly", Reason::Tangled),
        ("Effusion is not possible", Reason::Tangled),
        ("No pneumothorax is present, congestion is noted", Reason::Tangled),
        ("No absence of pneumothorax", Reason::Tangled),
        ("The pulmonary vasculature is not normal", Reason::Tangled),
        ("Effusion or cardiomegaly", Reason::Tangled),
        ("There is pneumonia", Reason::NotAssessed),
        ("The lungs are clear", Reason::NotAssessed),
        ("Normal chest", Reason::NotAssessed),
        ("Kyphosis", Reason::NotAssessed),
        ("No pleural effusion", Reason::Contradiction),
        ("The heart is normal in size", Reason::Contradiction),
        ("Pneumothorax is present", Reason::Contradiction),
        ("Left pleural effusion", Reason::Place),
        ("Cardiomegaly on the right", Reason::Place),
        ("No right pneumothorax", Reason::Place),
        ("Effusion at the right base and apex", Reason::Place),
        ("Effusion like a banana", Reason::Unaccounted),
        ("Effusion in the lungs", Reason::Unaccounted),
        ("The heart and lungs are enlarged", Reason::Unaccounted),
        ("There is", Reason::SaysNothing),
    ] {
        assert_eq!(one(text), Err(reason), "{text}");
    }
}

#[test]
fn whatever_is_drafted_is_bounded_and_counted() {
    let sheet = sample();
    assert_eq!(guard(&sheet, &Draft::default()).counts.supplied, sheet.facts.len());
    let looped = Draft { findings: vec!["Effusion.".to_owned(); 10_000], impression: vec!["x".repeat(100_000)] };
    let guarded = guard(&sheet, &looped);
    assert_eq!((guarded.counts.sentences, guarded.counts.kept), (10_001, 1));
    assert_eq!(guarded.counts.removed[&Reason::Repeated], MAX_SENTENCES - 1);
    assert_eq!(guarded.counts.removed[&Reason::TooMany], 10_001 - MAX_SENTENCES);
    let json = serde_json::to_string(&guarded.counts).unwrap();
    assert_eq!(serde_json::from_str::<GuardCounts>(&json).unwrap(), guarded.counts);
    assert!(json.contains("\"too-many\""));
}

#[test]
fn the_table_names_every_side_and_zone_and_no_other() {
    let mut ids: Vec<&str> = Side::ALL.iter().map(|side| side.id()).chain(Zone::ALL.iter().map(|z| z.id())).collect();
    ids.sort_unstable();
    assert_eq!(TABLE.place.keys().collect::<Vec<_>>(), ids);
    assert!(TABLE.findings.iter().any(|finding| finding.label == OTHER));
}

#[test]
fn no_kept_sentence_contradicts_its_sheet_over_a_hundred_thousand_random_sheets() {
    let mut kept = 0usize;
    for seed in 0..SHEETS {
        let mut dice = Dice::new(seed + 1);
        let sheet = random(&mut dice);
        let draft = adversary::draft(&sheet, &mut dice);
        let guarded = guard(&sheet, &draft);
        kept += guarded.counts.kept;
        for sentence in &guarded.sentences {
            let faults = referee::faults(&sheet, sentence);
            assert!(faults.is_empty(), "seed {seed}: {sentence:?}: {faults:?}");
        }
        let removed: usize = guarded.counts.removed.values().sum();
        assert_eq!(removed + guarded.counts.kept, guarded.counts.sentences);
        let missing = sheet.facts.iter().filter(|fact| !guarded.spoken.contains(&fact.label)).count();
        assert_eq!(missing, guarded.counts.supplied);
    }
    // The property says nothing where nothing passes.
    assert!(kept > usize::try_from(SHEETS).unwrap() / 2, "{kept}");
}

#[test]
fn the_findings_speak_of_every_fact_once_in_a_kept_sentence_or_by_the_grammar() {
    for seed in 0..2_000 {
        let mut dice = Dice::new(seed + 1);
        let sheet = random(&mut dice);
        let guarded = guard(&sheet, &adversary::draft(&sheet, &mut dice));
        let voice = Voice::clinician(&sheet, Language::ENGLISH);
        let (kept, by_grammar): (Vec<String>, Vec<String>) =
            complete(&sheet, &voice, &guarded).into_iter().partition(|said| guarded.sentences.contains(said));
        assert_eq!(kept, guarded.sentences);
        // The grammar reads its own sentences back, and they say what they say without a draft.
        let statements: Vec<_> = by_grammar.iter().map(|said| voice.read(said).unwrap()).collect();
        let (claims, whole) = (Claims::of(&statements), Claims::of(&plan::findings(&sheet)));
        assert!(claims.findings.iter().all(|claim| whole.findings.contains(claim)));
        assert_eq!((claims.changes, claims.not_assessed), (whole.changes, whole.not_assessed));
        for fact in &sheet.facts {
            let times = claims.findings.iter().filter(|(spot, ..)| spot.label == fact.label).count();
            assert_eq!(times, usize::from(!guarded.spoken.contains(&fact.label)), "seed {seed}: {}", fact.label);
        }
    }
}

#[test]
fn an_empty_draft_gives_the_grammars_findings() {
    let sheet = sample();
    let voice = Voice::clinician(&sheet, Language::ENGLISH);
    let findings = complete(&sheet, &voice, &guard(&sheet, &Draft::default()));
    assert_eq!(findings, compose(&sheet, &voice).findings);
}

#[test]
fn the_referee_sees_the_contradictions_that_the_guard_removes() {
    let sheet = sample();
    for wrong in [
        "No pleural effusion.",
        "Left pleural effusion (likely).",
        "Pneumothorax (likely).",
        "Pneumonia.",
        "Effusion.",
        "New effusion (likely).",
        "2 cm effusion (likely).",
        "There is no cardiomegaly and the effusion is gone.",
    ] {
        assert!(!referee::faults(&sheet, wrong).is_empty(), "{wrong}");
    }
    assert!(referee::faults(&sheet, "Right pleural effusion (likely).").is_empty());
}

/// A sheet that says of each fact what `facts` does, in another order of probabilities.
fn other(facts: &Facts, dice: &mut Dice) -> FactSheet {
    let mut own = random(dice);
    for _ in 0..3 {
        if own.facts.iter().any(|fact| facts.fact(&fact.label).is_some()) {
            break;
        }
        own = random(dice);
    }
    own
}
