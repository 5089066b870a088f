//! Which bundle reads an image: explicit in the manifests, decided from the header alone.

use super::bundle::Bundle;
use super::manifest::AppliesTo;
use crate::study::Study;

/// The bundle that claims the image.
///
/// # Errors
/// None does; the words complete "Not read, because …" and say what the header has
/// against what the nearest bundle needs.
pub fn route<'a>(bundles: &'a [Bundle], study: &Study) -> Result<&'a Bundle, String> {
    let mut nearest = (0, "no model bundle is installed".to_owned());
    for bundle in bundles {
        match mismatch(&bundle.manifest().applies_to, study) {
            None => return Ok(bundle),
            Some((passed, words)) if passed >= nearest.0 => nearest = (passed, words),
            Some(_) => {}
        }
    }
    // Where bundles differ only by age, the nearest one's range would mislead: name all.
    Err(if nearest.0 == 3 { age_words(bundles, study) } else { nearest.1 })
}

/// How many conditions held before the first that does not, and that one in words.
fn mismatch(applies: &AppliesTo, study: &Study) -> Option<(usize, String)> {
    let listed = |list: &[String], value: &Option<String>| value.as_ref().is_some_and(|v| list.iter().any(|l| l == v));
    let words = |what: &str, value: &Option<String>, list: &[String]| match value {
        Some(value) => format!("no installed model reads {what} {value} (installed: {})", list.join(", ")),
        None => format!("the header does not say the {what}, and a model is never guessed"),
    };
    if !listed(&applies.modality, &study.modality) {
        return Some((0, words("modality", &study.modality, &applies.modality)));
    }
    if !listed(&applies.body_part, &study.body_part) {
        return Some((1, words("body part", &study.body_part, &applies.body_part)));
    }
    if !listed(&applies.view, &study.view) {
        return Some((2, words("view position", &study.view, &applies.view)));
    }
    // Completed years: 5.9 is five.
    let range = applies.age_years;
    let inside = study.age_years.is_some_and(|age| (f32::from(range.min)..f32::from(range.max) + 1.0).contains(&age));
    (!inside).then(|| (3, String::new()))
}

fn age_words(bundles: &[Bundle], study: &Study) -> String {
    let ranges: Vec<String> = bundles
        .iter()
        .map(|b| b.manifest().applies_to.age_years)
        .map(|range| format!("{} to {}", range.min, range.max))
        .collect();
    match study.age_years {
        Some(age) => format!(
            "no installed model reads images of patients aged {} years (installed: {})",
            age.floor(),
            ranges.join(", ")
        ),
        None => "the header does not say the patient's age, and a model is never guessed".to_owned(),
    }
}
