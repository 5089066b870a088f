//! Whole evaluations, with what a reader would have answered made up.

use super::observe::Seen;
use super::*;
use crate::infer::findings::{Band, Code, Finding};
use crate::report::reading::ReasonCode;

fn prepare(index: &str, bundle: &str, by: &[&str]) -> Result<Evaluation, EvaluateError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.csv");
    std::fs::write(&path, index).unwrap();
    let shipped = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name);
    let bundles = ["chest-adult", "chest-child"].map(|name| Vouched::as_it_stands(&shipped(name)).unwrap());
    Evaluation::prepare(Wanted {
        images: folder.path(),
        index: &path,
        bundles: &bundles,
        bundle,
        assume: Assume::Nothing,
        by: by.iter().map(|&column| column.to_owned()).collect(),
        seed: 1,
    })
}

#[test]
fn an_unknown_bundle_column_or_label_is_answered_with_those_that_exist() {
    let index = "file,labels,group_id,view\nx.jpg,pneumonia;fever,g,AP\ny.jpg,normal,h,AP\n";
    let error = |bundle, by: &[&str]| prepare(index, bundle, by).unwrap_err().to_string();
    assert!(error("chest", &[]).contains("chest-adult, chest-child"));
    assert!(error("chest-child", &["scanner"]).contains("file, labels, group_id, view"));
    assert!(error("chest-adult", &[]).contains("fever (1), normal (1), pneumonia (1)"));
    let fine = prepare(index, "chest-child", &["view"]).unwrap();
    assert_eq!(fine.matches[0].label, "pneumonia");
}

#[test]
fn an_index_without_one_good_row_is_refused_with_its_first_fault() {
    let error = prepare("file,labels,group_id\nx.jpg,,g\n", "chest-child", &[]).unwrap_err();
    assert!(error.to_string().contains("line 2: no labels"), "{error}");
}

fn said(value: f32) -> Seen {
    let probability = |value: f32| value.try_into().unwrap();
    Seen::Read(vec![Finding {
        label: "pneumonia".try_into().unwrap(),
        words: "pneumonia".into(),
        code: Code { system: "s".into(), code: "c".into(), display: "d".into() },
        probability: probability(value),
        band: Band::Uncertain,
        absent_below: probability(0.4),
        present_above: probability(0.9),
        prevalence: probability(0.5),
        positives_among_present: probability(0.5),
    }])
}

fn evaluated() -> (Evaluation, Vec<Observation>) {
    let index = "file,labels,group_id,clip_id,view\n\
                 \"a,1.jpg\",pneumonia,g1,c1,AP\nb.jpg,normal,g1,c1,AP\nc.jpg,normal,g2,c2,AP\n\
                 d.jpg,pneumonia;mass,g3,,PA\ne.jpg,normal,g4,c3,PA\nf.jpg,normal,g5,c4,PA\ng.jpg,,g6,c5,PA\n";
    let evaluation = prepare(index, "chest-child", &["view"]).unwrap();
    let seen = [
        said(0.9),
        said(0.3),
        said(0.5),
        Seen::Refused(ReasonCode::NoModel, "of <tags> & such".into()),
        Seen::Unreadable("no such file".into()),
        Seen::OtherBundle("chest-adult".into()),
    ];
    let observation = |(row, seen)| Observation { row, seen, ms: 2.0, assumed: vec!["age"] };
    (evaluation, seen.into_iter().enumerate().map(observation).collect())
}

#[test]
fn every_row_is_counted_once_and_only_what_was_read_is_measured() {
    let (evaluation, observations) = evaluated();
    let summary = summarise(&evaluation, &observations);
    let rows = &summary.rows;
    assert_eq!((rows.listed, rows.read, rows.refused, rows.other_bundle, rows.unreadable), (7, 3, 1, 1, 2));
    let figures = &summary.findings[0].figures;
    assert_eq!((figures.n, figures.positives, figures.patients, figures.auroc[0]), (3, 1, 2, Some(1.0)));
    assert_eq!(summary.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [6, 8]);
    assert_eq!(summary.labels_without_a_finding.keys().collect::<Vec<_>>(), ["mass", "normal"]);
    assert!(summary.by[0].levels.is_empty() && summary.by[0].left_out["AP"] == 3);
    assert_eq!(summary.assumed["age"], 6);
}

#[test]
fn a_clip_has_the_mean_of_its_frames_and_all_their_labels() {
    let (evaluation, observations) = evaluated();
    let clips = summarise(&evaluation, &observations).clips.unwrap();
    let figures = &clips.findings[0].figures;
    assert_eq!((clips.clips, figures.n, figures.positives), (2, 2, 1));
    // Clip c1 said 0.6 and is positive, c2 said 0.5 and is not.
    assert_eq!(figures.brier[0], Some(0.205));
}

#[test]
fn the_report_stands_alone_and_says_what_was_refused() {
    let (evaluation, observations) = evaluated();
    let page = page(&summarise(&evaluation, &observations));
    assert!(page.contains("of &lt;tags&gt; &amp; such (1)") && page.contains("<svg"));
    for outside in ["http:", "https:", "<script", "<link", "<img", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn readings_hold_one_line_for_each_finding_or_refusal() {
    let (evaluation, observations) = evaluated();
    let csv = readings(&evaluation, &observations);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[1], "\"a,1.jpg\",pneumonia,0.9,uncertain,read");
    assert_eq!(lines[4], "d.jpg,,,,refused:no-model");
    assert_eq!((lines.len(), lines[6]), (7, "f.jpg,,,,other-bundle:chest-adult"));
}
