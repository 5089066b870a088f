//! The fact sheet: its invariants, its JSON, and how it is made of a reading.

use super::samples::{Dice, fact, prior, random, sheet};
use super::*;
use crate::report::fhir::samples as readings;
use crate::report::reading::Outcome;

fn of(outcome: &Outcome, study: Option<&crate::study::Study>) -> FactSheet {
    FactSheet::of(outcome, study, None).unwrap()
}

#[test]
fn a_sheet_is_the_same_after_json_and_small() {
    let mut dice = Dice::new(1);
    for _ in 0..500 {
        let sheet = random(&mut dice);
        let json = serde_json::to_string(&sheet).unwrap();
        assert!(json.len() < 32 * 1024, "{}", json.len());
        assert_eq!(serde_json::from_str::<FactSheet>(&json).unwrap(), sheet);
    }
}

#[test]
fn a_sheet_of_a_future_format_is_refused_and_so_is_a_field_that_nobody_knows() {
    let json = serde_json::to_string(&random(&mut Dice::new(2))).unwrap();
    let later = json.replacen("\"format\":1", "\"format\":2", 1);
    let refused = serde_json::from_str::<FactSheet>(&later).unwrap_err().to_string();
    assert!(refused.contains("format 2"), "{refused}");
    let more = json.replacen("\"format\":1", "\"format\":1,\"more\":0", 1);
    assert!(serde_json::from_str::<FactSheet>(&more).is_err());
}

#[test]
fn facts_that_contradict_themselves_are_no_sheet() {
    let refused = |change: fn(&mut Facts)| {
        let mut facts = sheet([fact("effusion", Hedge::Likely), fact("edema", Hedge::NoSign)]);
        assert!(FactSheet::try_from(facts.clone()).is_ok());
        change(&mut facts);
        FactSheet::try_from(facts).unwrap_err()
    };
    let label = |text: &str| Label::try_from(text).unwrap();
    assert_eq!(refused(|f| f.facts[0].label = f.facts[1].label.clone()), NotAFactSheet::Twice(label("edema")));
    assert_eq!(refused(|f| f.facts[0].hedge = Hedge::Possible), NotAFactSheet::Hedge(label("effusion")));
    assert_eq!(refused(|f| f.facts[0].state = Band::Absent), NotAFactSheet::Hedge(label("effusion")));
    assert_eq!(refused(|f| f.facts[0].change = Some(Change::New)), NotAFactSheet::Change(label("effusion")));
    let resolved = |f: &mut Facts| {
        f.prior = Some(prior());
        f.facts[0].change = Some(Change::Resolved);
    };
    assert_eq!(refused(resolved), NotAFactSheet::Change(label("effusion")));
    assert_eq!(refused(|f| f.facts[0].words = "a\nb".into()), NotAFactSheet::Words);
    assert_eq!(refused(|f| f.bundle = None), NotAFactSheet::Unread);
    let twice = |f: &mut Facts| {
        let edema = NotAssessed { label: Some("edema".try_into().unwrap()), words: "edema".into() };
        f.not_assessed.push(edema).unwrap();
    };
    assert_eq!(refused(twice), NotAFactSheet::Twice(label("edema")));
}

#[test]
fn a_reading_becomes_a_sheet_of_its_findings_and_of_nothing_in_the_header_that_is_free() {
    let mut study = readings::study(Subject::Patient);
    study.order = vec!["CHEST FOR DOE^JANE, ?PTX".into(), "r/o Pneumonia; effusion on the left".into()];
    let sheet = of(&Outcome::Report(Box::new(readings::findings())), Some(&study));
    assert_eq!(sheet.asked, ["pneumonia", "pneumothorax", "effusion"]);
    assert_eq!(sheet.state_of("effusion"), State::Present);
    assert_eq!(sheet.state_of("pneumothorax"), State::Absent);
    assert_eq!(sheet.state_of("cardiomegaly"), State::Uncertain);
    assert_eq!(sheet.state_of("pneumonia"), State::NotAssessed);
    assert_eq!(sheet.age, Some(AgeBand::Adult));
    assert_eq!(sheet.not_assessed[0].label.as_deref(), Some("fracture"));
    let json = serde_json::to_string(&sheet).unwrap();
    for secret in ["DOE", "PAT-4711", "ACC-1", "1.2.3", "left"] {
        assert!(!json.contains(secret), "{json}");
    }
}

#[test]
fn an_order_is_understood_by_whole_words_only() {
    let asked = |text: &str| asked(&[text.to_owned()]).iter().map(|l| l.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(asked("PNA vs. lung-collapse"), ["pneumonia", "atelectasis"]);
    assert_eq!(asked("massive cough, tbd"), Vec::<String>::new());
    assert_eq!(asked("rib fracture?"), ["fracture"]);
    assert_eq!(asked(&"pneumonia ".repeat(500)).len(), 1);
}

#[test]
fn a_change_that_contradicts_its_state_is_left_out() {
    let changes = [("effusion", Change::Resolved), ("pneumothorax", Change::Resolved), ("cardiomegaly", Change::New)];
    let changes = changes.iter().map(|(label, change)| (Label::try_from(*label).unwrap(), *change)).collect();
    let comparison = Comparison { prior: prior(), changes };
    let outcome = Outcome::Report(Box::new(readings::findings()));
    let sheet = FactSheet::of(&outcome, None, Some(&comparison)).unwrap();
    let changes: Vec<_> = sheet.facts.iter().map(|f| f.change).collect();
    assert_eq!(changes, [None, Some(Change::Resolved), Some(Change::New)]);
}

#[test]
fn an_image_that_was_not_read_has_a_reason_and_no_facts() {
    let sheet = of(&Outcome::Abstention(readings::reason()), None);
    assert_eq!(sheet.unread.as_ref().unwrap().kind, UnreadKind::Abstention);
    assert!(sheet.facts.is_empty() && sheet.bundle.is_none());
}

#[test]
fn words_from_elsewhere_are_one_clean_line() {
    assert_eq!(clean("  the image\r\nis \u{7}dark.. "), "the image is dark");
    assert_eq!(clean(&"x".repeat(5000)).len(), MAX_WORDS);
    assert_eq!(clean("say \"so\"; now"), "say so now");
}
