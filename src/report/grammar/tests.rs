//! The round trip in every language, promise 8 over random sheets, and what texts look like.

use proptest::prelude::*;

use super::patient::Plain;
use super::say::image_words;
use super::*;
use crate::infer::findings::Band;
use crate::language::Language;
use crate::report::facts::samples::{Dice, fact, not_assessed, prior, random, sheet, with_probability};
use crate::report::facts::{FactSheet, Facts, Kind, NotAssessed, Region, Unread, View};
use crate::report::reading::{ReasonCode, Text};
use crate::report::vocabulary::{ENTRIES, entry};
use crate::study::Subject;

/// Random sheets that are written, each in one language in turn; the goal's 100,000 are
/// asked for by this variable, and take a minute.
const SHEETS: usize = 5_000;
const HOW_MANY: &str = "RESIDENTD_RANDOM_SHEETS";

const LABELS: [&str; 4] = ["effusion", "pneumothorax", "cardiomegaly", "pneumonia"];

fn checked(facts: Facts) -> FactSheet {
    facts.try_into().unwrap()
}

fn english(sheet: &Facts) -> Text {
    compose(sheet, &Voice::clinician(sheet, Language::ENGLISH))
}

/// Every combination over 1 to 4 findings of the rows of the table and "not assessed".
fn combinations() -> impl Iterator<Item = Facts> {
    let states = Hedge::ALL.len() + 1;
    (1..=4u32).flat_map(move |n| {
        (0..states.pow(n)).map(move |i| {
            let mut facts = sheet([]);
            for k in 0..n {
                let label = LABELS[k as usize];
                match Hedge::ALL.get(i / states.pow(k) % states) {
                    Some(hedge) => facts.facts.push(fact(label, *hedge)).unwrap(),
                    None => facts.not_assessed.push(not_assessed(entry(label).unwrap())).unwrap(),
                }
            }
            facts
        })
    })
}

/// Reads every sentence of both sections back and compares it with what was said.
fn round_trip(sheet: &Facts, language: Language) {
    let voice = Voice::clinician(sheet, language);
    for said in plan::findings(sheet).iter().chain(&plan::impression(sheet)) {
        let sentence = voice.say(said);
        assert_eq!(voice.read(&sentence).as_ref(), Ok(said), "{language:?}: {sentence}");
    }
    check(&compose(sheet, &voice), sheet, &voice).unwrap();
}

/// What the findings of `sheet` are, as a text would have to say.
fn truth(sheet: &Facts) -> Vec<(Label, Hedge)> {
    let mut truth: Vec<_> = sheet.facts.iter().map(|f| (f.label.clone(), f.hedge)).collect();
    truth.sort();
    truth
}

#[test]
fn every_combination_of_states_is_read_back_exactly_in_every_language() {
    for language in Language::all() {
        for facts in combinations() {
            let voice = Voice::clinician(&facts, language);
            let text = compose(&facts, &voice);
            let read: Vec<_> = text.findings.iter().map(|s| voice.read(s).unwrap()).collect();
            let claims = Claims::of(&read);
            let mut said: Vec<_> =
                claims.findings.iter().map(|(spot, hedge, _)| (spot.label.clone(), *hedge)).collect();
            said.sort();
            assert_eq!(said, truth(&facts), "{language:?} {:?}", text.findings);
            assert_eq!(claims.not_assessed.len(), facts.not_assessed.len(), "{:?}", text.findings);
            assert_eq!(check(&text, &facts, &voice), Ok(()));
        }
    }
}

#[test]
fn random_sheets_with_places_changes_and_questions_are_read_back_in_every_language() {
    let mut dice = Dice::new(7);
    for _ in 0..150 {
        let sheet = random(&mut dice);
        Language::all().for_each(|language| round_trip(&sheet, language));
    }
}

#[test]
fn no_text_contradicts_its_sheet() {
    let sheets = std::env::var(HOW_MANY).map_or(SHEETS, |n| n.parse().unwrap());
    let mut dice = Dice::new(20_261_124);
    let languages: Vec<_> = Language::all().collect();
    for i in 0..sheets {
        let sheet = random(&mut dice);
        let voice = Voice::clinician(&sheet, languages[i % languages.len()]);
        let text = compose(&sheet, &voice);
        if let Err(contradiction) = check(&text, &sheet, &voice) {
            panic!("sheet {i} in {:?}: {contradiction}\n{text:?}", voice.language);
        }
    }
}

#[test]
fn a_text_that_contradicts_its_sheet_is_found_out() {
    let mut facts = sheet([fact("effusion", Hedge::Likely), fact("edema", Hedge::NoSign)]);
    facts.asked.push("effusion".try_into().unwrap()).unwrap();
    facts.not_assessed.push(not_assessed(entry("fracture").unwrap())).unwrap();
    let voice = Voice::clinician(&facts, Language::ENGLISH);
    let found = |change: &dyn Fn(&mut Text)| {
        let mut text = compose(&facts, &voice);
        assert_eq!(check(&text, &facts, &voice), Ok(()));
        change(&mut text);
        check(&text, &facts, &voice).unwrap_err().to_string()
    };
    let at = |text: &Text, words: &str| text.findings.iter().position(|s| s.contains(words)).unwrap();
    let replaced = |from: &'static str, to: &'static str| {
        move |text: &mut Text| {
            let at = at(text, from);
            text.findings[at] = text.findings[at].replace(from, to);
        }
    };
    assert!(found(&replaced("is likely", "is possible")).contains("bear out"));
    assert!(found(&replaced("87 %", "88 %")).contains("bear out"));
    assert!(
        found(&replaced("Pleural effusion is likely", "Pleural effusion (left side) is likely")).contains("bear out")
    );
    assert!(found(&replaced("pulmonary edema", "pneumothorax")).contains("bear out"));
    assert!(found(&replaced("is likely", "is surely there")).contains("no sentence"));
    assert!(found(&|text| drop(text.findings.remove(at(text, "No sign")))).contains("edema"));
    let silent = |text: &mut Text| *text.findings.last_mut().unwrap() = voice.say(&Statement::NotAssessed(Vec::new()));
    assert!(found(&silent).contains("leaves out"));
    assert!(found(&|text| drop(text.impression.remove(0))).contains("clinical question"));
    let twice = |text: &mut Text| {
        let again = text.findings[at(text, "is likely")].clone();
        text.findings.push(again);
    };
    assert!(found(&twice).contains("effusion"));
    let prior = |text: &mut Text| text.findings.push("Since the image of 2026-01-02, pleural effusion is new.".into());
    assert!(found(&prior).contains("bear out"));
}

#[test]
fn no_two_findings_places_images_or_percentages_are_called_alike() {
    for language in Language::all() {
        let mut called: Vec<String> = Vec::new();
        let say = |id: String| language.say(&id, &[]).to_lowercase();
        called.extend(ENTRIES.iter().map(|e| say(format!("finding-{}", e.label))));
        assert_distinct(&called);
        assert_distinct(
            &ENTRIES
                .iter()
                .filter(|e| e.is_finding())
                .map(|e| say(format!("patient-finding-{}", e.label)))
                .collect::<Vec<_>>(),
        );
        let places = Side::ALL.map(|s| say(format!("side-{}", s.id()))).into_iter();
        assert_distinct(&places.chain(Zone::ALL.map(|z| say(format!("zone-{}", z.id())))).collect::<Vec<_>>());
        assert_distinct(&Hedge::ALL.map(|h| say(format!("name-{}", h.id()))));
        let images = Kind::ALL.iter().flat_map(|kind| {
            Region::ALL.iter().flat_map(move |region| {
                View::ALL.iter().map(move |view| Image { kind: Some(*kind), region: Some(*region), view: Some(*view) })
            })
        });
        assert_distinct(&images.map(|image| image_words(language, image)).collect::<Vec<_>>());
        let percents = (1..100).map(Percent::Whole).chain([Percent::Least, Percent::Most]);
        assert_distinct(&percents.map(|p| Voice::clinician(&sheet([]), language).percent(p)).collect::<Vec<_>>());
    }
}

fn assert_distinct(called: &[String]) {
    let mut sorted = called.to_vec();
    sorted.sort();
    for pair in sorted.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// A bundle may call its findings what it likes, also like other things that are said.
    #[test]
    fn a_bundles_own_words_are_read_back_whatever_they_are(
        seed in any::<u64>(),
        words in prop_oneof![
            "[a-zA-Z éüßक中 (),:؛-]{1,40}",
            Just("pneumonia".to_owned()),
            Just("pneumonia is likely (estimated probability 87 %)".to_owned()),
            Just("edema, fracture or x".to_owned()),
            Just("pneumonia (right side)".to_owned()),
        ],
        thing in "[a-z ,:]{1,30}",
    ) {
        let words = crate::report::facts::clean(&words);
        let thing = crate::report::facts::clean(&thing);
        prop_assume!(!words.is_empty() && !thing.is_empty());
        let mut dice = Dice::new(seed);
        let mut facts: Facts = random(&mut dice).into();
        facts.facts.retain(|f| f.label != "something-odd");
        facts.facts.truncate(10);
        let mut own = fact("own", dice.pick(&Hedge::ALL));
        own.words = words;
        facts.facts.push(own).unwrap();
        facts.not_assessed.truncate(10);
        facts.not_assessed.push(NotAssessed { label: None, words: thing }).unwrap();
        let sheet = checked(facts);
        Language::all().for_each(|language| round_trip(&sheet, language));
    }
}

#[test]
fn an_impression_answers_the_question_first_then_ranks_by_urgency_and_certainty() {
    let mut facts = sheet([
        fact("cardiomegaly", Hedge::Likely),
        fact("effusion", Hedge::Likely),
        fact("edema", Hedge::Suspected),
        fact("pneumothorax", Hedge::Possible),
        fact("pneumonia", Hedge::NoSign),
        fact("nodule", Hedge::CannotBeExcluded),
    ]);
    for asked in ["pneumonia", "fracture"] {
        facts.asked.push(asked.try_into().unwrap()).unwrap();
    }
    assert_eq!(
        english(&facts).impression,
        [
            "The order asks about pneumonia.",
            "No sign of pneumonia (estimated probability 2 %) was found.",
            "The order asks about fracture: this model does not assess it, and a clinician must look for it.",
            "Pneumothorax is possible (estimated probability 30 %).",
            "Pneumothorax can be urgent, so a clinician must look at this image without delay.",
            "Pleural effusion is likely (estimated probability 87 %).",
            "Cardiomegaly is likely (estimated probability 87 %).",
            "Pulmonary edema is suspected (estimated probability 30 %).",
            "Where earlier images exist, they should be compared with this one.",
            "Other disease is not excluded.",
            "A clinician must review this image.",
        ]
    );
}

#[test]
fn findings_go_through_the_image_as_a_radiologist_does() {
    let mut facts = sheet([
        fact("fracture", Hedge::LessLikely),
        fact("cardiomegaly", Hedge::NoSign),
        fact("effusion", Hedge::Likely),
        fact("pneumothorax", Hedge::NoSign),
        fact("edema", Hedge::Possible),
        fact("pneumonia", Hedge::NoSign),
        fact("device", Hedge::Likely),
    ]);
    facts.prior = Some(prior());
    facts.facts[2].side = Some(Side::Right);
    facts.facts[2].zone = Some(Zone::Base);
    facts.facts[2].size_mm = Some(12.try_into().unwrap());
    facts.facts[2].change = Some(Change::Larger);
    facts.facts[3].change = Some(Change::Resolved);
    facts.not_assessed.push(not_assessed(entry("nodule").unwrap())).unwrap();
    let text = english(&checked(facts));
    assert_eq!(
        text.findings,
        [
            "Chest radiograph, PA view.",
            "Compared with the image of 2026-01-02.",
            "Medical device is likely (estimated probability 87 %).",
            "In development data, 38 of 100 images flagged like this showed medical device.",
            "Pulmonary edema is possible (estimated probability 30 %).",
            "No sign of pneumonia (estimated probability 2 %) was found.",
            "Pleural effusion (right side, base, 12 mm) is likely (estimated probability 87 %).",
            "In development data, 38 of 100 images flagged like this showed pleural effusion.",
            "Since the image of 2026-01-02, pleural effusion is larger.",
            "No sign of pneumothorax (estimated probability 2 %) was found.",
            "Since the image of 2026-01-02, pneumothorax is no longer seen.",
            "No sign of cardiomegaly (estimated probability 2 %) was found.",
            "Fracture is less likely (estimated probability 35 %), but is not excluded.",
            "Not assessed: lung nodule; and anything else not named above. That they are not mentioned does not mean that they are absent.",
        ]
    );
    assert!(text.impression.contains(&"The image of 2026-01-02 should be looked at beside this one.".to_owned()));
}

#[test]
fn the_same_reading_reads_like_this_in_spanish() {
    let mut facts = sheet([fact("effusion", Hedge::Likely), fact("pneumothorax", Hedge::NoSign)]);
    facts.facts[0].side = Some(Side::Left);
    let spanish: Language = "es".parse().unwrap();
    let text = compose(&facts, &Voice::clinician(&facts, spanish));
    assert_eq!(text.findings[0], "Radiografía de tórax, proyección PA.");
    assert_eq!(text.findings[1], "Derrame pleural (lado izquierdo): probable (probabilidad estimada 87 %).");
    assert_eq!(text.findings[3], "No se observan signos de neumotórax (probabilidad estimada 2 %).");
}

#[test]
fn sentences_are_few_and_well_formed_and_never_say_normal() {
    let mut dice = Dice::new(3);
    for _ in 0..300 {
        let sheet = random(&mut dice);
        let text = english(&sheet);
        assert!(text.findings.len() <= plan::MAX_SENTENCES && text.impression.len() <= plan::MAX_SENTENCES);
        assert!(text.impression.len() >= 3);
        let named = "whether the image is normal";
        for sentence in text.findings.iter().chain(&text.impression).chain(&text.disclaimer) {
            assert!(sentence.chars().next().unwrap().is_uppercase(), "{sentence}");
            assert!(sentence.ends_with('.') && !sentence.ends_with("..") && !sentence.contains('\n'), "{sentence}");
            let lower = sentence.to_lowercase().replace(named, "");
            for banned in ["normal", "healthy", "definite", "certainly", "unremarkable"] {
                assert!(!lower.contains(banned), "{sentence}");
            }
        }
        let last = ["Other disease is not excluded.", "A clinician must review this image."];
        assert_eq!(text.impression[text.impression.len() - 2..], last);
        let first = [&text.findings[0], &text.impression[0]].map(|s| s.starts_with("TEST IMAGE"));
        assert_eq!(first, [sheet.subject == Subject::TestObject; 2]);
    }
}

#[test]
fn each_band_and_probability_has_its_words() {
    let says =
        |band, probability| english(&sheet([with_probability("effusion", band, probability)])).findings[1].clone();
    for (band, probability, words) in [
        (Band::Absent, 0.05, "Pleural effusion is less likely (estimated probability 5 %), but is not excluded."),
        (Band::Absent, 0.049, "No sign of pleural effusion (estimated probability 5 %) was found."),
        (Band::Uncertain, 0.06, "Pleural effusion cannot be excluded (estimated probability 6 %)."),
        (Band::Uncertain, 0.1, "Pleural effusion is possible (estimated probability 10 %)."),
        (Band::Uncertain, 0.49, "Pleural effusion is possible (estimated probability 49 %)."),
        (Band::Uncertain, 0.5, "Pleural effusion may well be present (estimated probability 50 %)."),
        (Band::Present, 0.16, "Pleural effusion is suspected (estimated probability 16 %)."),
        (Band::Present, 0.74, "Pleural effusion is suspected (estimated probability 74 %)."),
        (Band::Present, 0.75, "Pleural effusion is likely (estimated probability 75 %)."),
        (Band::Present, 1.0, "Pleural effusion is likely (estimated probability more than 99 %)."),
    ] {
        assert_eq!(says(band, probability), words);
    }
}

#[test]
fn where_nothing_is_stated_the_impression_says_why() {
    let first = |facts: &Facts| english(facts).impression[0].clone();
    assert_eq!(first(&sheet([])), "Nothing was assessed.");
    let none = sheet([fact("effusion", Hedge::NoSign), fact("edema", Hedge::NoSign)]);
    assert_eq!(first(&none), "No sign of the assessed findings (pleural effusion and pulmonary edema) was found.");
    let low = sheet([fact("effusion", Hedge::CannotBeExcluded), fact("edema", Hedge::NoSign)]);
    assert_eq!(first(&low), "No assessed finding reached an estimated probability of 10 %.");
}

#[test]
fn the_disclaimer_says_how_common_the_findings_were_and_that_the_wording_awaits_review() {
    let mut facts = sheet([fact("effusion", Hedge::Likely), fact("pneumothorax", Hedge::NoSign)]);
    facts.facts[0].prevalence = 0.05.try_into().unwrap();
    facts.bundle.as_mut().unwrap().research_only = true;
    let said = english(&facts).disclaimer;
    assert_eq!(said[0], "This is an unreviewed draft made by a machine (chest-adult 0.1.0).");
    assert_eq!(
        said[2],
        "Its probabilities were calibrated where 5 of 100 (pleural effusion) and 15 of 100 (pneumothorax) images showed the finding, and are wrong where that differs."
    );
    assert!(said.iter().any(|s| s.contains("research only")));
    for language in Language::all() {
        let said = compose(&facts, &Voice::clinician(&facts, language)).disclaimer;
        assert_eq!(*said.last().unwrap(), language.say("review-note", &[]));
    }
}

#[test]
fn an_image_that_was_not_read_says_why_and_what_to_do_in_every_language() {
    let codes = [
        ReasonCode::NoModel,
        ReasonCode::Unfit,
        ReasonCode::NoPixels,
        ReasonCode::TooLarge,
        ReasonCode::Undecodable,
        ReasonCode::Malformed,
        ReasonCode::ReaderDied,
        ReasonCode::Internal,
    ];
    for code in codes {
        for kind in [UnreadKind::Abstention, UnreadKind::Failure] {
            let mut facts = sheet([]);
            facts.bundle = None;
            facts.unread = Some(Unread { kind, code, words: "no model here reads feet".into(), unfit: None });
            let sheet = checked(facts);
            let text = english(&sheet);
            assert_eq!(text.findings, ["Not read."]);
            let because = match kind {
                UnreadKind::Abstention => "Not read, because no model here reads feet.",
                UnreadKind::Failure => "Reading failed: no model here reads feet.",
            };
            assert_eq!(text.impression[0], because);
            assert!(text.impression[1].contains("clinician must read"), "{:?}", text.impression);
            Language::all().for_each(|language| round_trip(&sheet, language));
        }
    }
}

#[test]
fn what_makes_an_image_unfit_is_said_in_every_language_with_what_to_do() {
    for unfit in Unfit::ALL {
        let mut facts = sheet([]);
        facts.bundle = None;
        let (kind, code) = (UnreadKind::Abstention, ReasonCode::Unfit);
        facts.unread = Some(Unread { kind, code, words: unfit.to_string(), unfit: Some(unfit) });
        let sheet = checked(facts);
        assert_eq!(english(&sheet).impression[0], format!("Not read, because {unfit}."));
        for language in Language::all() {
            round_trip(&sheet, language);
            let said = &compose(&sheet, &Voice::clinician(&sheet, language)).impression[0];
            let is_english = said.contains("Not read");
            assert_eq!(is_english, language == Language::ENGLISH, "{language:?}: {said}");
        }
    }
}

#[test]
fn a_patients_summary_is_read_back_exactly_in_every_language_and_has_no_numbers() {
    let mut dice = Dice::new(11);
    for i in 0..400 {
        let sheet = random(&mut dice);
        for language in Language::all().filter(|_| i % 4 == 0 || i < 20).chain([Language::ENGLISH]) {
            let voice = Voice::patient(&sheet, language);
            for plain in patient::plan(&sheet) {
                let sentence = voice.say_plainly(&plain);
                assert_eq!(voice.read_plainly(&sentence).as_ref(), Ok(&plain), "{language:?}: {sentence}");
                assert!(!sentence.contains(|c: char| c.is_ascii_digit() || c == '%'), "{sentence}");
            }
            let summary = patient::summary(&sheet, language);
            assert_eq!(summary.is_none(), sheet.subject == Subject::TestObject);
            assert!(summary.is_none_or(
                |s| s.release == patient::Release::AwaitingAcceptance && s.wording == "awaiting-native-clinician"
            ));
        }
    }
}

#[test]
fn a_patients_summary_reads_like_this() {
    let mut facts = sheet([fact("effusion", Hedge::Likely), fact("pneumothorax", Hedge::NoSign)]);
    facts.asked.push("fracture".try_into().unwrap()).unwrap();
    let summary = patient::summary(&facts, Language::ENGLISH).unwrap();
    assert_eq!(
        summary.sentences,
        [
            "A computer looked at this picture. It can be wrong.",
            "It thinks that this is likely: fluid around the lungs.",
            "It saw no sign of this: air between the lung and the chest wall.",
            "Your care team asked about this, and the computer can not look for it: a broken bone.",
            "It did not look for other things. You can still have them.",
            "Please talk with your clinician about what this means for you.",
            "Do not start, stop or change any care because of this text.",
            "The wording of this text has not been reviewed by a clinician who is a native speaker of English.",
        ]
    );
}

/// Every sentence that a summary can hold, in `language`, but what is said of all files.
fn all_plain(language: Language) -> Vec<String> {
    let labels: Vec<Label> = ENTRIES.iter().filter(|e| e.is_finding()).map(|e| e.label.try_into().unwrap()).collect();
    let voice = Voice::patient(&sheet([]), language);
    let mut said = Vec::new();
    for label in labels {
        said.extend(Hedge::ALL.map(|hedge| voice.say_plainly(&Plain::Hedged(label.clone(), hedge))));
        said.extend(Change::ALL.map(|change| voice.say_plainly(&Plain::Changed(label.clone(), change))));
        said.push(voice.say_plainly(&Plain::AskedNotAssessed(label.clone())));
        said.push(voice.say_plainly(&Plain::Urgent(label)));
    }
    let fixed = [Plain::Intro, Plain::Keep, Plain::NotAssessed, Plain::Talk, Plain::Unread];
    said.extend(fixed.map(|plain| voice.say_plainly(&plain)));
    said
}

/// Sentences of `text`, a colon ending none.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '。', '।']).map(str::trim).filter(|s| !s.is_empty())
}

/// Syllables of an English word: groups of vowels, without a silent e at the end.
fn syllables(word: &str) -> usize {
    let word: String = word.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect();
    let is_vowel = |c: char| "aeiouy".contains(c);
    let starts = |(i, c): (usize, char)| is_vowel(c) && (i == 0 || !is_vowel(word.as_bytes()[i - 1] as char));
    let groups = word.chars().enumerate().filter(|at| starts(*at)).count();
    let silent = word.ends_with('e') && !word.ends_with("le") && groups > 1;
    (groups - usize::from(silent)).max(1)
}

/// Flesch-Kincaid grade (Kincaid et al. 1975): 0.39 words/sentence + 11.8 syllables/word - 15.59.
fn grade(text: &str) -> f64 {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic() && c != '\'').filter(|w| !w.is_empty()).collect();
    let syllables: usize = words.iter().map(|word| syllables(word)).sum();
    let (words, sentences) = (words.len() as f64, sentences(text).count() as f64);
    0.39 * words / sentences + 11.8 * syllables as f64 / words - 15.59
}

#[test]
fn the_english_summary_is_at_most_of_grade_seven() {
    assert!((grade("The cat sat on the mat. It was glad.") - -1.4).abs() < 1.0);
    assert!(grade("Bilateral pulmonary opacification necessitates multidisciplinary evaluation.") > 20.0);
    let all = all_plain(Language::ENGLISH);
    let whole = grade(&all.join(" "));
    assert!(whole <= 7.0, "{whole}");
    // And no summary is harder than that, whatever it is put together from.
    let mut dice = Dice::new(5);
    for _ in 0..500 {
        let sheet = random(&mut dice);
        let Some(summary) = patient::summary(&sheet, Language::ENGLISH) else { continue };
        let grade = grade(&summary.sentences[..summary.sentences.len() - 1].join(" "));
        assert!(grade <= 7.0, "{grade}: {summary:?}");
    }
}

#[test]
fn a_patients_sentences_are_short_in_every_language() {
    for language in Language::all() {
        for text in all_plain(language) {
            for sentence in sentences(&text) {
                let words = sentence.split_whitespace().count();
                // Chinese is written without spaces: two characters are about a word.
                let words = if language.code() == "zh" { sentence.chars().count() / 2 } else { words };
                assert!(words <= 27, "{language:?}, {words} words: {sentence}");
            }
        }
    }
}

#[test]
fn the_hedge_table_is_printed_in_every_card() {
    let mut table = vec!["| called | from | word | as a report says it |".to_owned(), "|---|---|---|---|".to_owned()];
    for hedge in Hedge::ALL {
        let called = serde_json::to_value(hedge.band()).unwrap();
        let from = format!("{:.0} %", hedge.at_least() * 100.0);
        let word = Language::ENGLISH.say(&format!("name-{}", hedge.id()), &[]);
        let arguments = [("finding", "X"), ("probability", "P")];
        let said = match hedge {
            Hedge::NoSign => {
                let list = Language::ENGLISH.say("no-sign-first", &arguments);
                Language::ENGLISH.say("hedge-no-sign", &[("list", &list)])
            }
            _ => Language::ENGLISH.say(&format!("hedge-{}", hedge.id()), &arguments),
        };
        table.push(format!("| {} | {from} | {word} | {said} |", called.as_str().unwrap()));
    }
    for card in [
        "models/chest-adult/CARD.md",
        "models/chest-child/CARD.md",
        "models/lung-ultrasound/CARD.md",
        "models/training/card.py",
    ] {
        let text = std::fs::read_to_string(format!("{}/{card}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(text.contains(&table.join("\n")), "{card} lacks the table:\n{}", table.join("\n"));
    }
}
