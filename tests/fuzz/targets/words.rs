//! Words: fact sheets as the reader process sends them, drafts of a writer, the texts of an
//! order, the writer's tokenizer.

use residentd::infer::writer::manifest::WriterManifest;
use residentd::infer::writer::vocabulary::Vocabulary;
use residentd::language::Language;
use residentd::report::facts::{FactSheet, asked};
use residentd::report::grammar::{self, Voice, complete, compose, patient};
use residentd::report::guard::{Draft, MAX_SENTENCES, guard};
use residentd::report::label;

/// A fact sheet, and behind the first empty line a draft: every text that the grammar writes
/// of it says what the sheet says (promise 8), and the guard lets nothing of a draft through
/// that it would not let through alone.
pub fn fact_sheet(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (json, draft) = text.split_once("\n\n").unwrap_or((text, ""));
    let Ok(sheet) = serde_json::from_str::<FactSheet>(json) else { return };
    let written = serde_json::to_string(&sheet).expect("what was read can be written");
    assert!(serde_json::from_str::<FactSheet>(&written).is_ok_and(|again| again == sheet), "it reads otherwise");
    for language in Language::all() {
        let voice = Voice::clinician(&sheet, language);
        let text = compose(&sheet, &voice);
        if let Err(why) = grammar::check(&text, &sheet, &voice) {
            panic!("what the grammar wrote contradicts the sheet: {why}");
        }
        let _ = patient::summary(&sheet, language);
    }
    guarded(&sheet, draft);
}

fn guarded(sheet: &FactSheet, draft: &str) {
    let (findings, impression) = draft.split_once('\n').unwrap_or((draft, ""));
    let draft = Draft { findings: vec![findings.to_owned()], impression: vec![impression.to_owned()] };
    let kept = guard(sheet, &draft);
    assert!(kept.counts.kept == kept.sentences.len() && kept.sentences.len() <= MAX_SENTENCES);
    assert_eq!(kept.counts.sentences, kept.counts.kept + kept.counts.removed.values().sum::<usize>());
    assert!(kept.spoken.iter().all(|label| sheet.fact(label).is_some()), "it speaks of what the sheet does not have");
    for sentence in &kept.sentences {
        assert!(!sentence.chars().any(|c| c.is_ascii_digit() || c.is_control()), "{sentence:?}");
        assert!(sentence.is_ascii() && sentence.ends_with('.'), "{sentence:?}");
    }
    let voice = Voice::clinician(sheet, Language::ENGLISH);
    let findings = complete(sheet, &voice, &kept);
    assert!(kept.sentences.iter().all(|sentence| findings.contains(sentence)), "a kept sentence is left out");
}

/// Texts of an order, which a scanner's operator typed, and sentences for the labeler.
pub fn order(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let texts: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let labels = asked(&texts);
    assert!(labels.iter().enumerate().all(|(at, label)| !labels[..at].contains(label)), "a label stands twice");
    let coded = label::coded(texts.iter().map(String::as_str));
    assert_eq!(coded, label::coded(texts.iter().map(String::as_str)));
}

/// A question through the shipped writer's tokenizer: no text spells a token that is not a word.
pub fn tokenizer(bytes: &[u8]) {
    thread_local! {
        static SHIPPED: Option<(Vocabulary, WriterManifest)> = shipped();
    }
    /// Longer than any question that is asked.
    const MOST: usize = 64;
    let text = String::from_utf8_lossy(bytes);
    SHIPPED.with(|shipped| {
        let (vocabulary, manifest) = shipped.as_ref().expect("the shipped writer's tokenizer");
        let tokens = vocabulary.question(&text, MOST).expect("any text is tokens");
        assert!(!tokens.is_empty() && tokens.len() <= MOST);
        assert!(tokens.iter().all(|token| (*token as usize) < vocabulary.size()), "a token beyond the vocabulary");
        assert!(!tokens.contains(&vocabulary.start()), "a text spells the token before all texts");
        let facts: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let known = vocabulary.facts(&facts, MOST);
        assert!(!known.is_empty() && known.len() <= MOST);
        assert_eq!(vocabulary.allowed(&facts).len(), vocabulary.size());
        let _ = vocabulary.spell(&tokens);
        let _ = Vocabulary::read(bytes, manifest);
    });
}

fn shipped() -> Option<(Vocabulary, WriterManifest)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/report-writer");
    let manifest = WriterManifest::parse(&std::fs::read_to_string(folder.join("manifest.toml")).ok()?).ok()?;
    let vocabulary = Vocabulary::read(&std::fs::read(folder.join(&manifest.tokenizer.file)).ok()?, &manifest).ok()?;
    Some((vocabulary, manifest))
}
