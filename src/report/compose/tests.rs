//! The text, read back: promise 8 over every combination of bands.

use super::*;
use crate::digest::Digest;
use crate::infer::findings::{BundleIdentity, Code, Probability};
use crate::report::HEDGES;
use crate::study::Age;

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
        x if x < 0.6 => Band::Uncertain,
        _ => Band::Present,
    };
    Finding {
        label: heapless::String::try_from(name.0.replace(' ', "-").as_str()).unwrap(),
        words: name.0.to_owned(),
        code: Code { system: "http://snomed.info/sct".into(), code: name.1.into(), display: name.0.into() },
        probability: p(probability),
        band,
        absent_below: p(0.2),
        present_above: p(0.6),
        prevalence: p(0.15),
        positives_among_present: p(0.383),
    }
}

fn findings(probabilities: &[f32]) -> Findings {
    Findings {
        bundle: BundleIdentity {
            name: "chest-adult".into(),
            version: "0.1.0".into(),
            title: "Chest radiographs of adults".into(),
            intended_use: "Draft reading of frontal chest radiographs of adults.".into(),
            forbidden_use: "Not without a qualified reader.".into(),
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
        patient_id_issuer: None,
        modality: Some("DX".into()),
        body_part: Some("CHEST".into()),
        view: Some("PA".into()),
        age: Age::Unknown,
        sex: None,
        study_description: Some("SECRET".into()),
        order: Vec::new(),
        manufacturer: None,
        started: None,
        subject,
    }
}

/// What a sentence claims, as rows of the table: the strict inverse of the grammar.
fn claims(sentence: &str) -> Vec<(&'static str, usize)> {
    let bare = sentence.to_lowercase();
    let named = NAMES.iter().filter(|(name, _)| bare.contains(name)).map(|(name, _)| *name);
    if bare.starts_with("in development data, ") || bare.contains("can be urgent") {
        return Vec::new();
    }
    let rows: Vec<usize> = HEDGES
        .iter()
        .enumerate()
        .filter(|(_, h)| {
            bare.starts_with(&h.before.to_lowercase())
                && bare.contains(h.after)
                && bare.ends_with(&format!("{}.", h.end))
        })
        .map(|(row, _)| row)
        .collect();
    match rows[..] {
        [] => assert_eq!(named.count(), 0, "a finding in no kind of sentence: {sentence}"),
        [row] => return named.map(|name| (name, row)).collect(),
        _ => panic!("a sentence of several kinds: {sentence}"),
    }
    Vec::new()
}

/// A bundle whose thresholds put `probability` into the band of `row`.
fn in_row(name: (&str, &str), row: usize) -> Finding {
    const PROBABILITIES: [f32; 7] = [0.87, 0.3, 0.62, 0.3, 0.06, 0.35, 0.02];
    let probability = PROBABILITIES[row];
    Finding { band: HEDGES[row].band, ..finding(name, probability) }
}

/// Every combination of the rows of the table over 1 to 4 findings.
fn combinations() -> impl Iterator<Item = Vec<usize>> {
    let rows = HEDGES.len();
    (1..=4u32).flat_map(move |n| (0..rows.pow(n)).map(move |i| (0..n).map(|k| i / rows.pow(k) % rows).collect()))
}

fn read_as(rows: &[usize]) -> Findings {
    let mut read = findings(&[]);
    read.findings = NAMES.iter().zip(rows).map(|(name, row)| in_row(*name, *row)).collect();
    read
}

fn sorted(mut claims: Vec<(&str, usize)>) -> Vec<(&str, usize)> {
    claims.sort_unstable();
    claims
}

#[test]
fn the_text_says_of_every_finding_exactly_its_row() {
    for rows in combinations() {
        let truth: Vec<_> = NAMES.iter().zip(&rows).map(|((name, _), row)| (*name, *row)).collect();
        let text = compose(&Outcome::Report(Box::new(read_as(&rows))), Some(&study(Subject::Patient)));
        let said: Vec<_> = text.findings.iter().flat_map(|s| claims(s)).collect();
        assert_eq!(sorted(said), sorted(truth.clone()), "{:?}", text.findings);
        let concluded: Vec<_> = text.impression.iter().flat_map(|s| claims(s)).collect();
        let all_no_sign = rows.iter().all(|row| HEDGES[*row].is_no_sign());
        let stated = |row: usize| all_no_sign || HEDGES[row].impression == Place::Stated;
        let expected: Vec<_> = truth.into_iter().filter(|(_, row)| stated(*row)).collect();
        assert_eq!(sorted(concluded), sorted(expected), "{:?}", text.impression);
    }
}

#[test]
fn an_impression_is_ranked_by_hedge_and_ends_with_a_clinician_who_must_review() {
    for rows in combinations() {
        let text = compose(&Outcome::Report(Box::new(read_as(&rows))), None);
        let order: Vec<usize> = text.impression.iter().flat_map(|s| claims(s)).map(|(_, row)| row).collect();
        assert!(order.is_sorted(), "{:?}", text.impression);
        assert_eq!(text.impression[text.impression.len() - 2], "Other disease is not excluded.");
        assert_eq!(text.impression.last().unwrap(), "A clinician must review this image.");
        assert!(text.impression.len() >= 3, "{:?}", text.impression);
    }
}

#[test]
fn every_present_finding_is_followed_by_how_often_such_images_showed_it() {
    for rows in combinations() {
        let text = compose(&Outcome::Report(Box::new(read_as(&rows))), None);
        for (i, sentence) in text.findings.iter().enumerate() {
            let claimed = claims(sentence);
            let Some((name, row)) = claimed.first() else { continue };
            let follow_on = format!("In development data, 38 of 100 images flagged like this showed {name}.");
            assert_eq!(text.findings[i + 1] == follow_on, HEDGES[*row].band == Band::Present, "{:?}", text.findings);
        }
    }
}

#[test]
fn each_band_and_probability_has_its_words() {
    let says = |band, probability| hedged(&Finding { band, ..finding(NAMES[0], probability) });
    for (band, probability, words) in [
        (Band::Absent, 0.05, "Pleural effusion is less likely (estimated probability 5 %), but is not excluded."),
        (Band::Absent, 0.35, "Pleural effusion is less likely (estimated probability 35 %), but is not excluded."),
        (Band::Uncertain, 0.06, "Pleural effusion cannot be excluded (estimated probability 6 %)."),
        (Band::Uncertain, 0.1, "Pleural effusion is possible (estimated probability 10 %)."),
        (Band::Uncertain, 0.49, "Pleural effusion is possible (estimated probability 49 %)."),
        (Band::Uncertain, 0.5, "Pleural effusion may well be present (estimated probability 50 %)."),
        (Band::Present, 0.16, "Pleural effusion is suspected (estimated probability 16 %)."),
        (Band::Present, 0.74, "Pleural effusion is suspected (estimated probability 74 %)."),
        (Band::Present, 0.75, "Pleural effusion is likely (estimated probability 75 %)."),
    ] {
        assert_eq!(says(band, probability), words);
    }
    assert_eq!(
        negative(&[&finding(NAMES[0], 0.049)]),
        "No sign of pleural effusion (estimated probability 5 %) was found."
    );
}

#[test]
fn sentences_are_few_and_well_formed_and_never_say_normal() {
    for rows in combinations() {
        let text = compose(&Outcome::Report(Box::new(read_as(&rows))), Some(&study(Subject::TestObject)));
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
    for rows in combinations() {
        let text = compose(&Outcome::Report(Box::new(read_as(&rows))), None);
        for words in NOT_ASSESSED {
            let naming: Vec<_> = text.findings.iter().chain(&text.impression).filter(|s| s.contains(words)).collect();
            assert_eq!(naming.len(), 1);
            assert!(naming[0].starts_with("Not assessed: "), "{naming:?}");
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
            "In development data, 38 of 100 images flagged like this showed pleural effusion.",
            "Pneumonia is possible (estimated probability 30 %).",
            "No sign of pneumothorax (estimated probability 2 %) or an enlarged heart (less than 1 %) was found.",
            "Not assessed: fracture; lung nodule; and anything else not named above. That they are not mentioned does not mean that they are absent.",
        ]
    );
    assert_eq!(
        text.impression,
        [
            "Pleural effusion is likely (estimated probability 87 %).",
            "Pneumonia is possible (estimated probability 30 %).",
            "Other disease is not excluded.",
            "A clinician must review this image.",
        ]
    );
    assert_eq!(text.disclaimer[0], "This is an unreviewed draft made by a machine (chest-adult 0.1.0).");
}

#[test]
fn the_disclaimer_says_how_common_the_findings_were_where_it_was_calibrated() {
    let mut read = findings(&[0.87, 0.02]);
    read.findings[0].prevalence = Probability::try_from(0.05).unwrap();
    let text = compose(&Outcome::Report(Box::new(read)), None);
    assert_eq!(
        text.disclaimer[2],
        "Its probabilities were calibrated where 5 of 100 images showed pleural effusion and 15 of 100 pneumothorax, and are wrong where that differs."
    );
}

#[test]
fn where_nothing_was_found_other_disease_is_not_excluded() {
    let impression = |read| compose(&Outcome::Report(Box::new(read)), None).impression;
    let last = ["Other disease is not excluded.", "A clinician must review this image."];
    let none =
        "No sign of the assessed findings (pleural effusion, pneumothorax, an enlarged heart and pneumonia) was found.";
    assert_eq!(impression(findings(&[0.01, 0.02, 0.03, 0.04])), [none, last[0], last[1]]);
    assert_eq!(impression(findings(&[])), ["Nothing was assessed.", last[0], last[1]]);
}

#[test]
fn an_absent_finding_that_is_not_improbable_is_in_the_impression_with_its_probability() {
    let text = compose(&Outcome::Report(Box::new(findings(&[0.01, 0.12]))), None);
    assert_eq!(text.impression[0], "Pneumothorax is less likely (estimated probability 12 %), but is not excluded.");
    assert!(text.impression.iter().all(|s| !s.contains("No sign") && !s.contains("urgent")), "{:?}", text.impression);
}

#[test]
fn a_finding_that_merely_cannot_be_excluded_stays_in_the_findings() {
    let text = compose(&Outcome::Report(Box::new(read_as(&[4, 6]))), None);
    assert_eq!(text.findings[0], "Pleural effusion cannot be excluded (estimated probability 6 %).");
    assert_eq!(text.impression[0], "No assessed finding reached an estimated probability of 10 %.");
}

#[test]
fn urgency_only_breaks_ties_and_a_pneumothorax_cannot_wait() {
    let text = compose(&Outcome::Report(Box::new(findings(&[0.99, 0.8, 0.3]))), None);
    assert_eq!(text.impression[0], "Pneumothorax is likely (estimated probability 80 %).");
    assert_eq!(text.impression[1], "Pneumothorax can be urgent, so a clinician must look at this image without delay.");
    let text = compose(&Outcome::Report(Box::new(findings(&[0.99, 0.3, 0.9, 0.9]))), None);
    assert_eq!(text.impression[0], "Pneumonia is likely (estimated probability 90 %).");
    assert_eq!(text.impression[3], "Pneumothorax is possible (estimated probability 30 %).");
    assert!(text.impression[4].starts_with("Pneumothorax can be urgent"));
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
        assert_eq!(text.findings, ["Not read."]);
        assert_eq!(text.impression[0], "Not read, because no model here reads feet.");
        assert!(text.impression[1].contains("clinician must read"), "{:?}", text.impression);
        let text = compose(&Outcome::Failure(reason), None);
        assert_eq!(text.impression[0], "Reading failed: no model here reads feet.");
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
