//! What is written of a reading, with and without a draft.

use super::*;
use crate::report::fhir::samples::{findings, reading, reason, report, study};
use crate::report::grammar::check;
use crate::report::guard::{self, guard};
use crate::study::Subject;

fn style(language: &str, patients: &[&str]) -> Style {
    Style {
        language: language.parse().unwrap(),
        patient_languages: patients.iter().map(|code| code.parse().unwrap()).collect(),
    }
}

fn drafted(sheet: &FactSheet, sentences: &[&str]) -> Draft {
    let findings = sentences.iter().map(|s| (*s).to_owned()).collect();
    let guarded = guard(sheet, &guard::Draft { findings, impression: Vec::new() });
    let mut writer = sheet.bundle.clone().unwrap();
    (writer.name, writer.research_only) = ("report-writer".into(), true);
    Draft::Guarded { guarded: Box::new(guarded), writer: Box::new(writer) }
}

fn written(draft: impl FnOnce(&FactSheet) -> Draft, style: &Style) -> Reading {
    let mut reading = report();
    let sheet = facts(&mut reading, None);
    let draft = draft(&sheet);
    write(reading, sheet, draft, style)
}

#[test]
fn what_the_guard_kept_stands_in_the_findings_and_the_grammar_says_the_rest() {
    let reading = written(
        |sheet| drafted(sheet, &["There is a pleural effusion.", "There is a large pneumothorax.", "No pneumonia."]),
        &style("en", &[]),
    );
    let composition = reading.written.as_ref().unwrap().composition.clone();
    assert_eq!((composition.composer, composition.fallback), (Composer::Neural, None));
    let counts = composition.guard.unwrap();
    assert_eq!((counts.sentences, counts.kept, counts.supplied), (3, 1, 2));
    assert_eq!(
        reading.text.findings,
        [
            "Chest radiograph, PA view.",
            "There is a pleural effusion (likely).",
            "In development data, 38 of 100 images flagged like this showed pleural effusion.",
            "No sign of pneumothorax (estimated probability 2 %) was found.",
            "Cardiomegaly is possible (estimated probability 40 %).",
            "Not assessed: fracture; and anything else not named above. That they are not mentioned does not mean that they are absent.",
        ]
    );
    assert_eq!(reading.text.impression, written(|_| Draft::None, &style("en", &[])).text.impression);
    assert!(reading.text.disclaimer.iter().any(|s| s.contains("research only")));
}

#[test]
fn without_a_usable_draft_the_report_is_the_grammars_and_says_why() {
    let grammar = written(|_| Draft::None, &style("en", &[]));
    assert_eq!(grammar.written.as_ref().unwrap().composition, Composition::default());
    let because = |draft: &dyn Fn(&FactSheet) -> Draft, language: &str| {
        let reading = written(draft, &style(language, &[]));
        let written = reading.written.unwrap();
        assert_eq!(written.composition.composer, Composer::Grammar);
        if language == "en" {
            assert_eq!(reading.text, grammar.text);
        }
        written.composition.fallback.unwrap()
    };
    assert_eq!(because(&|_| Draft::Fallback(Fallback::Died), "en"), Fallback::Died);
    assert_eq!(because(&|sheet| drafted(sheet, &["There is a large pneumothorax."]), "en"), Fallback::NothingKept);
    assert_eq!(because(&|sheet| drafted(sheet, &["There is a pleural effusion."]), "es"), Fallback::OtherLanguage);
}

#[test]
fn another_language_has_english_beside_it_and_both_say_the_same() {
    let reading = written(|_| Draft::None, &style("sw", &["sw", "ar"]));
    let written = reading.written.as_ref().unwrap();
    assert_eq!(written.also.len(), 1);
    for (language, text) in [(written.language, &reading.text), (written.also[0].language, &written.also[0].text)] {
        assert_eq!(check(text, &written.sheet, &Voice::clinician(&written.sheet, language)), Ok(()));
    }
    let codes: Vec<_> = written.summaries.iter().map(|s| s.language.code()).collect();
    assert_eq!(codes, ["sw", "ar"]);
}

#[test]
fn findings_that_contradict_themselves_become_a_failure() {
    let mut twice = findings();
    twice.findings[1].label = twice.findings[0].label.clone();
    let mut reading = Reading {
        outcome: Outcome::Report(Box::new(twice)),
        ..reading(Outcome::Abstention(reason()), Some(study(Subject::Patient)))
    };
    let sheet = facts(&mut reading, None);
    assert!(matches!(&reading.outcome, Outcome::Failure(reason) if reason.code == ReasonCode::Internal));
    let written = write(reading, sheet, Draft::None, &Style::default());
    assert_eq!(written.text.findings, ["Not read."]);
}

#[test]
fn writing_is_timed_and_the_same_facts_give_the_same_texts() {
    let [a, b] = [0, 1].map(|_| written(|_| Draft::None, &style("hi", &["en", "zh"])));
    assert_eq!(a.timings.last().unwrap().stage, "compose");
    assert_eq!((a.text, a.written), (b.text, b.written));
}
