//! The text, read back: promise 8 over every combination of bands.

use super::*;
use crate::digest::Digest;
use crate::infer::findings::{Code, Probability};

const NAMES: [(&str, &str); 4] = [
    ("pleural effusion", "60046008"),
    ("pneumothorax", "36118008"),
    ("an enlarged heart", "8186001"),
    ("pneumonia", "233604007"),
];
const NOT_ASSESSED: [&str; 2] = ["fracture", "lung nodule"];

fn finding(name: (&str, &str), probability: f32) -> Finding {
    let p = |value| Probability::try_from(value).unwrap();
    let band = match probability {
        x if x < 0.2 => Band::Absent,
        x if x < 0.4 => Band::Uncertain,
        _ => Band::Present,
    };
    Finding {
        label: heapless::String::try_from(name.0.replace(' ', "-").as_str()).unwrap(),
        words: name.0.to_owned(),
        code: Code { system: "http://snomed.info/sct".into(), code: name.1.into(), display: name.0.into() },
        probability: p(probability),
        band,
        absent_below: p(0.2),
        present_above: p(0.4),
    }
}

fn findings(probabilities: &[f32]) -> Findings {
    Findings {
        bundle: BundleIdentity {
            name: "chest-adult".into(),
            version: "0.1.0".into(),
            title: "Chest radiographs of adults".into(),
            intended_use: "Draft reading of frontal chest radiographs of adults.".into(),
            research_only: false,
            sha256: Digest::of(b"manifest"),
        },
        findings: NAMES.iter().zip(probabilities).map(|(name, p)| finding(*name, *p)).collect(),
        not_assessed: NOT_ASSESSED.map(str::to_owned).to_vec(),
    }
}

fn study(subject: Subject) -> Study {
    Study {
        sop_class_uid: "1.2.840.10008.5.1.4.1.1.1.1".parse().unwrap(),
        sop_instance_uid: "1.2.3".parse().unwrap(),
        study_instance_uid: None,
        series_instance_uid: None,
        accession_number: None,
        patient_id: Some("SECRET".into()),
        modality: Some("DX".into()),
        body_part: Some("CHEST".into()),
        view: Some("PA".into()),
        age_years: None,
        sex: None,
        study_description: Some("SECRET".into()),
        manufacturer: None,
        started: None,
        subject,
    }
}

/// What a sentence claims: the strict inverse of the grammar.
fn claims(sentence: &str) -> Vec<(&'static str, Band)> {
    let bare = sentence.to_lowercase();
    let band = if bare.starts_with("no sign of ") {
        Band::Absent
    } else if bare.contains(" is possible ") {
        Band::Uncertain
    } else if bare.contains(" is likely ") || bare.contains(" is suspected ") {
        Band::Present
    } else {
        let urgent = bare.contains("can be urgent");
        assert!(
            urgent || NAMES.iter().all(|(name, _)| !bare.contains(name)),
            "a finding in no kind of sentence: {sentence}"
        );
        return Vec::new();
    };
    NAMES.iter().filter(|(name, _)| bare.contains(name)).map(|(name, _)| (*name, band)).collect()
}

/// Every combination of likely, suspected, possible and absent over 1 to 4 findings.
fn combinations() -> impl Iterator<Item = Vec<f32>> {
    const LEVELS: [f32; 4] = [0.87, 0.45, 0.3, 0.02];
    (1..=4u32).flat_map(|n| (0..4usize.pow(n)).map(move |i| (0..n).map(|k| LEVELS[i / 4usize.pow(k) % 4]).collect()))
}

fn sorted<T: Ord + Clone>(mut items: Vec<(T, Band)>) -> Vec<(T, Band)> {
    items.sort_by_key(|(name, band)| (name.clone(), *band as u8));
    items
}

#[test]
fn the_text_says_of_every_finding_exactly_its_band() {
    for probabilities in combinations() {
        let read = findings(&probabilities);
        let truth: Vec<_> = NAMES.iter().zip(&read.findings).map(|((name, _), f)| (*name, f.band)).collect();
        let text = compose(&Outcome::Report(Box::new(read)), Some(&study(Subject::Patient)));
        let said: Vec<_> = text.findings.iter().flat_map(|s| claims(s)).collect();
        assert_eq!(sorted(said), sorted(truth.clone()), "{:?}", text.findings);
        let concluded: Vec<_> = text.impression.iter().flat_map(|s| claims(s)).collect();
        let expected: Vec<_> = if truth.iter().all(|(_, band)| *band == Band::Absent) {
            truth
        } else {
            truth.into_iter().filter(|(_, band)| *band != Band::Absent).collect()
        };
        assert_eq!(sorted(concluded), sorted(expected), "{:?}", text.impression);
    }
}

#[test]
fn sentences_are_few_and_well_formed_and_never_say_normal() {
    for probabilities in combinations() {
        let text = compose(&Outcome::Report(Box::new(findings(&probabilities))), Some(&study(Subject::TestObject)));
        assert!(text.findings.len() <= MAX_SENTENCES && text.impression.len() <= MAX_SENTENCES);
        for sentence in text.findings.iter().chain(&text.impression).chain(&text.disclaimer) {
            assert!(sentence.chars().next().unwrap().is_uppercase(), "{sentence}");
            assert!(sentence.ends_with('.') && !sentence.ends_with("..") && !sentence.contains('\n'), "{sentence}");
            let lower = sentence.to_lowercase();
            for banned in ["normal", "healthy", "definite", "certainly", "secret", "unremarkable"] {
                assert!(!lower.contains(banned), "{sentence}");
            }
        }
    }
}

#[test]
fn what_was_not_assessed_is_named_only_as_not_assessed() {
    for probabilities in combinations() {
        let text = compose(&Outcome::Report(Box::new(findings(&probabilities))), None);
        for words in NOT_ASSESSED {
            let naming: Vec<_> = text.findings.iter().chain(&text.impression).filter(|s| s.contains(words)).collect();
            assert_eq!(naming.len(), 1);
            assert!(naming[0].starts_with("This reading does not assess: "), "{naming:?}");
        }
    }
}

#[test]
fn a_reading_reads_like_this() {
    let text = compose(&Outcome::Report(Box::new(findings(&[0.87, 0.02, 0.004, 0.3]))), Some(&study(Subject::Patient)));
    assert_eq!(
        text.findings,
        [
            "Chest radiograph, PA view.",
            "Pleural effusion is likely (estimated probability 87 %).",
            "Pneumonia is possible (estimated probability 30 %).",
            "No sign of pneumothorax (estimated probability 2 %) or an enlarged heart (less than 1 %) was found.",
            "This reading does not assess: fracture, lung nodule and anything else that is not named above; their absence here says nothing.",
        ]
    );
    assert_eq!(
        text.impression,
        [
            "Pneumonia is possible (estimated probability 30 %): human review is needed.",
            "Pleural effusion is likely (estimated probability 87 %).",
            "Other disease is not excluded.",
        ]
    );
    assert_eq!(
        text.disclaimer[0],
        "This is an unreviewed draft made by a machine: Chest radiographs of adults, chest-adult version 0.1.0."
    );
}

#[test]
fn where_nothing_was_found_other_disease_is_not_excluded() {
    let text = compose(&Outcome::Report(Box::new(findings(&[0.01, 0.02, 0.03, 0.04]))), None);
    assert_eq!(
        text.impression,
        [
            "No sign of the assessed findings (pleural effusion, pneumothorax, an enlarged heart and pneumonia) was found.",
            "Other disease is not excluded.",
        ]
    );
    let text = compose(&Outcome::Report(Box::new(findings(&[]))), None);
    assert!(text.impression[0].starts_with("Nothing was assessed"), "{text:?}");
}

#[test]
fn a_pneumothorax_comes_first_and_cannot_wait() {
    let text = compose(&Outcome::Report(Box::new(findings(&[0.99, 0.3, 0.9, 0.9]))), None);
    assert_eq!(text.impression[0], "Pneumothorax is possible (estimated probability 30 %): human review is needed.");
    assert_eq!(text.impression[1], "Pneumothorax can be urgent, so a clinician must look at this image without delay.");
    let without = compose(&Outcome::Report(Box::new(findings(&[0.99, 0.1, 0.9, 0.9]))), None);
    assert!(without.impression.iter().all(|s| !s.contains("urgent")));
}

#[test]
fn a_test_object_is_called_one_first_of_all() {
    let reason = || Reason { code: ReasonCode::Unfit, words: "the image is almost black.".into() };
    for outcome in
        [Outcome::Report(Box::new(findings(&[0.9]))), Outcome::Abstention(reason()), Outcome::Failure(reason())]
    {
        let text = compose(&outcome, Some(&study(Subject::TestObject)));
        assert_eq!([&text.findings[0], &text.impression[0]], [TEST_IMAGE; 2]);
        assert!(text.disclaimer[0].contains("test image"), "{:?}", text.disclaimer);
    }
}

#[test]
fn an_image_that_was_not_read_says_why_and_what_to_do() {
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
        let reason = Reason { code, words: "no model here reads feet.".into() };
        let text = compose(&Outcome::Abstention(reason.clone()), None);
        assert_eq!(text.impression[0], "Not read, because no model here reads feet.");
        assert!(text.impression[1].contains("clinician must read"), "{:?}", text.impression);
        let text = compose(&Outcome::Failure(reason), None);
        assert_eq!(text.findings, ["Reading failed: no model here reads feet."]);
        assert!(!text.disclaimer.is_empty());
    }
}

#[test]
fn a_research_bundle_says_so() {
    let mut read = findings(&[0.9]);
    read.bundle.research_only = true;
    let text = compose(&Outcome::Report(Box::new(read)), None);
    assert!(text.disclaimer.iter().any(|s| s.contains("research only")));
}
