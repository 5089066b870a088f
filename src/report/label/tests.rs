use super::*;

fn said(text: &str) -> Vec<(&'static str, Certainty)> {
    sentences(text).iter().flat_map(|words| claims(words)).map(|claim| (claim.label, claim.certainty)).collect()
}

#[test]
fn the_shipped_table_parses_and_names_each_label_once() {
    let mut labels: Vec<&str> = TABLE.findings.iter().map(|f| f.label.as_str()).collect();
    let count = labels.len();
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), count);
    for label in TABLE.normals.iter().flat_map(|n| &n.denies).filter(|label| *label != EVERYTHING) {
        assert!(labels.contains(&label.as_str()), "{label}");
    }
}

#[test]
fn what_is_asserted_denied_and_considered_is_told_apart() {
    use Certainty::{Asserted, Denied, Possible, Probable};
    for (text, certainty) in [
        ("There is a small left pleural effusion.", Asserted),
        ("No pneumothorax or large pleural effusion.", Denied),
        ("Negative for acute effusion", Denied),
        ("Effusion is not seen.", Denied),
        ("The effusion has resolved.", Denied),
        ("No interval change in the effusion.", Asserted),
        ("Effusion cannot be excluded.", Possible),
        ("This may represent an effusion.", Possible),
        ("Probable small effusion.", Probable),
        ("Scarring versus effusion.", Probable),
        ("No pneumothorax, but there is an effusion.", Asserted),
        ("Without effusion", Denied),
    ] {
        let of_effusion: Vec<_> = said(text).into_iter().filter(|(label, _)| *label == "effusion").collect();
        assert_eq!(of_effusion, [("effusion", certainty)], "{text}");
    }
    assert_eq!(said("The heart is not significantly enlarged."), [("cardiomegaly", Denied)]);
    assert!(said("Pericardial effusion.").is_empty());
}

#[test]
fn a_report_is_coded_as_an_indexer_would() {
    let of = |text| coded([text]).into_iter().collect::<Vec<_>>();
    assert_eq!(of("The lungs are clear. No effusion."), [NORMAL]);
    assert_eq!(of("Minimal XXXX atelectasis or scarring."), ["atelectasis", "fibrosis"]);
    assert!(of("Opacity which may represent atelectasis.") == ["opacity"]);
    assert!(of("Possible pneumonia.").is_empty());
    assert_eq!(of("Old kyphosis."), [OTHER]);
    assert_eq!(of(""), [NORMAL]);
}

#[test]
fn statements_of_normality_deny_what_they_cover() {
    let denied = |text| {
        let words = sentences(text).remove(0);
        normality(&words, &claims(&words)).into_iter().map(|claim| claim.label).collect::<BTreeSet<_>>()
    };
    assert!(denied("Both lungs are clear.").contains("opacity"));
    assert!(denied("Heart size is normal.").contains("cardiomegaly"));
    assert!(denied("Bony structures are intact.").contains("*"));
    assert!(denied("Cardiomegaly.").is_empty());
}
