use super::*;

const FILE: &str = r#"{"uid":"1","findings":"The lungs are clear. No effusion.","impression":"No acute disease.","labels":["normal"]}
{"uid":"2","findings":"Left pleural effusion. <b>","impression":"","labels":["effusion"]}
{"uid":"3","findings":"Scoliosis.","impression":"","labels":["scoliosis","fracture"]}
not a report
"#;

fn summary() -> Summary {
    let reports = Reports::parse(FILE.as_bytes(), Part::All);
    evaluate(reports, Digest::of(FILE.as_bytes()), Part::All, 1, None, |_| ())
}

#[test]
fn the_human_text_measures_the_labeler_and_the_baseline_is_worse() {
    let summary = summary();
    let f1 = |name: &str| {
        summary.composers.iter().find(|c| c.composer.starts_with(name)).unwrap().agreement.micro.f1[0].unwrap()
    };
    // Three of four labels found, none too much.
    assert!((f1("human") - 6.0 / 7.0).abs() < 1e-12);
    // One of four, and twice normal too much.
    assert!((f1("always normal") - 2.0 / 7.0).abs() < 1e-12);
    // The grammar says what the experts say, and the labeler reads it so.
    assert!((f1("grammar") - 1.0).abs() < 1e-12);
}

#[test]
fn the_page_has_no_text_of_a_report_and_names_wrong_lines() {
    let summary = summary();
    let page = page(&summary);
    assert!(page.contains("<td>4</td>") && !page.contains("<b>"));
    let json = serde_json::to_string(&summary).unwrap();
    for text in [page, json] {
        assert!(!text.contains("not a report at") && !text.contains("lungs are clear"));
    }
}
