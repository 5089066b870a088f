//! Which bundle reads an image: explicit in the manifests, decided from the header alone.
//!
//! Where none does, the words name the obstacle that stands: the one that is left when
//! the bundles that come nearest are looked at, never one that another bundle lacks.

use std::collections::BTreeSet;

use super::bundle::{Bundle, BundleError, Vouched};
use super::manifest::{AgeRange, AppliesTo, Manifest};
use crate::study::{Age, Study};

/// A bundle that would read some images, and does not: it is for research, and nobody
/// switched it on.
#[derive(Debug, Clone)]
pub struct Asleep {
    name: String,
    applies_to: AppliesTo,
}

impl Asleep {
    /// What `vouched` would read.
    ///
    /// # Errors
    /// Its manifest is not the one that was vouched for, or is wrong.
    pub fn load(vouched: &Vouched) -> Result<Self, BundleError> {
        let manifest = vouched.parsed(Manifest::parse)?;
        Ok(Self { name: vouched.identity.name.clone(), applies_to: manifest.applies_to })
    }
}

/// The bundle that claims the image and decides some finding on its view.
///
/// # Errors
/// None does; the words complete "Not read, because …" and say what the header has
/// against what the bundles need.
pub fn route<'a>(bundles: &'a [Bundle], asleep: &[Asleep], study: &Study) -> Result<&'a Bundle, String> {
    let applies: Vec<&AppliesTo> = bundles.iter().map(|b| &b.manifest().applies_to).collect();
    let bundle = &bundles[choose(&applies, study).map_err(|words| who_would(asleep, study).unwrap_or(words))?];
    match nothing_decided(bundle.manifest(), study.view.as_deref()) {
        None => Ok(bundle),
        Some(words) => Err(words),
    }
}

/// Why the bundle of `manifest` would have nothing to say of an image of `view`, if so.
fn nothing_decided(manifest: &Manifest, view: Option<&str>) -> Option<String> {
    let name = &manifest.bundle.name;
    let on = view.unwrap_or("such");
    let decides_some = manifest.finding.iter().any(|finding| finding.is_for(view));
    (!decides_some).then(|| format!("the model bundle {name} decides none of its findings on {on} images"))
}

/// Which of those `asleep` would read the image, in words.
fn who_would(asleep: &[Asleep], study: &Study) -> Option<String> {
    let would = asleep.iter().find(|asleep| unmet(&asleep.applies_to, study).is_none())?;
    Some(format!(
        "no model in use reads it; the model bundle {} would, but is for research only and switched off",
        would.name
    ))
}

/// A condition that an image must meet, in the order in which they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Condition {
    Modality,
    BodyPart,
    Age,
    View,
}

/// The first of `bundles` that claims the image.
///
/// # Errors
/// None does; the words name the obstacle.
fn choose(bundles: &[&AppliesTo], study: &Study) -> Result<usize, String> {
    let unmet: Vec<Option<Condition>> = bundles.iter().map(|applies| unmet(applies, study)).collect();
    if let Some(claims) = unmet.iter().position(Option::is_none) {
        return Ok(claims);
    }
    let Some(condition) = unmet.iter().flatten().max().copied() else {
        return Err("no model bundle is installed".to_owned());
    };
    let nearest = || bundles.iter().zip(&unmet).filter(|(_, unmet)| **unmet == Some(condition)).map(|(b, _)| *b);
    let union = |list: fn(&AppliesTo) -> &[String]| sorted(bundles.iter().flat_map(|b| list(b)));
    Err(match condition {
        Condition::Modality => unlisted("modality", "(0008,0060)", study.modality.as_ref(), &union(|b| &b.modality)),
        Condition::BodyPart => unlisted("body part", "(0018,0015)", study.body_part.as_ref(), &union(|b| &b.body_part)),
        Condition::Age => unclaimed_age(study.age, nearest().map(|b| b.age_years)),
        Condition::View => unread_view(study, &sorted(nearest().flat_map(|b| &b.view))),
    })
}

/// The first condition of `applies` that the image does not meet.
fn unmet(applies: &AppliesTo, study: &Study) -> Option<Condition> {
    let listed = |list: &[String], value: &Option<String>| value.as_ref().is_some_and(|v| list.contains(v));
    // Completed years: 5.9 is five.
    let range = f32::from(applies.age_years.min)..f32::from(applies.age_years.max) + 1.0;
    [
        (Condition::Modality, listed(&applies.modality, &study.modality)),
        (Condition::BodyPart, listed(&applies.body_part, &study.body_part)),
        (Condition::Age, study.age.years().is_some_and(|years| range.contains(&years))),
        (Condition::View, applies.view.is_empty() || listed(&applies.view, &study.view)),
    ]
    .into_iter()
    .find_map(|(condition, is_met)| (!is_met).then_some(condition))
}

fn sorted<'a>(values: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    values.map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect()
}

fn unlisted(what: &str, tag: &str, value: Option<&String>, installed: &[&str]) -> String {
    value.map_or_else(
        || unsaid(what, tag),
        |value| format!("no installed model reads {what} {value} (installed: {})", installed.join(", ")),
    )
}

fn unsaid(what: &str, tag: &str) -> String {
    format!(
        "the header does not say the {what} {tag}, and a model is never guessed; whoever maintains the sender can have it filled in"
    )
}

fn unclaimed_age(age: Age, ranges: impl Iterator<Item = AgeRange>) -> String {
    match age {
        Age::Known(years) => {
            let ranges: BTreeSet<(u8, u8)> = ranges.map(|range| (range.min, range.max)).collect();
            let ranges: Vec<String> = ranges.iter().map(|(min, max)| format!("{min} to {max}")).collect();
            let years = years.floor();
            format!("no installed model reads images of patients aged {years} years (installed: {})", ranges.join(", "))
        }
        Age::Unknown => unsaid("patient's age", "(0010,1010)"),
        Age::Contradictory => {
            "the patient's age (0010,1010) and birth date (0010,0030) contradict each other, and a model is never guessed"
                .to_owned()
        }
    }
}

/// `views` are those of the bundles that would read the image but for its view.
fn unread_view(study: &Study, views: &[&str]) -> String {
    let (Some(view), Some(years)) = (&study.view, study.age.years()) else {
        return unsaid("view position", "(0018,5101)");
    };
    let (noun, years) = (if views.len() == 1 { "view" } else { "views" }, years.floor());
    format!(
        "images of patients aged {years} years are read in {noun} {} only, and this one is {view}",
        views.join(" or ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::Subject;

    fn applies(body_part: &str, view: &[&str], min: u8, max: u8) -> AppliesTo {
        let owned = |list: &[&str]| list.iter().map(|v| (*v).to_owned()).collect();
        AppliesTo {
            modality: owned(&["DX", "CR"]),
            body_part: owned(&[body_part]),
            view: owned(view),
            age_years: AgeRange { min, max },
        }
    }

    #[test]
    fn a_bundle_that_names_no_view_reads_images_that_state_none() {
        let lung = applies("LUNG", &[], 18, 90);
        let study = study("DX", "LUNG", Age::Known(45.0), "");
        assert_eq!(choose(&[&lung], &study), Ok(0));
        assert_eq!(choose(&[&lung], &Study { view: Some("LL".into()), ..study.clone() }), Ok(0));
        assert!(choose(&[&lung], &Study { body_part: None, ..study }).unwrap_err().contains("body part (0018,0015)"));
    }

    #[test]
    fn a_bundle_that_sleeps_is_named_for_an_image_that_it_would_read_and_for_no_other() {
        let asleep = [Asleep { name: "lung".into(), applies_to: applies("LUNG", &[], 18, 90) }];
        let lung = study("DX", "LUNG", Age::Known(45.0), "");
        let words = route(&[], &asleep, &lung).err().unwrap();
        assert!(words.contains("bundle lung would, but is for research only"), "{words}");
        let words = route(&[], &asleep, &Study { age: Age::Known(3.0), ..lung }).err().unwrap();
        assert_eq!(words, "no model bundle is installed");
    }

    fn study(modality: &str, body_part: &str, age: Age, view: &str) -> Study {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Study {
            sop_class_uid: "1.2.3".parse().unwrap(),
            sop_instance_uid: "1.2.4".parse().unwrap(),
            study_instance_uid: None,
            series_instance_uid: None,
            accession_number: None,
            patient_id: None,
            patient_id_issuer: None,
            modality: said(modality),
            body_part: said(body_part),
            view: said(view),
            age,
            sex: None,
            study_description: None,
            order: Vec::new(),
            manufacturer: None,
            started: None,
            subject: Subject::Patient,
        }
    }

    /// Adults in AP and PA, children in AP, and hands, which are nobody's neighbours here.
    fn chosen(study: &Study) -> Result<usize, String> {
        let bundles =
            [applies("CHEST", &["AP", "PA"], 18, 90), applies("CHEST", &["AP"], 1, 5), applies("HAND", &["OB"], 0, 99)];
        choose(&bundles.iter().collect::<Vec<_>>(), study)
    }

    #[test]
    fn the_bundle_that_claims_the_image_reads_it() {
        assert_eq!(chosen(&study("DX", "CHEST", Age::Known(45.0), "PA")), Ok(0));
        assert_eq!(chosen(&study("CR", "CHEST", Age::Known(5.9), "AP")), Ok(1));
    }

    #[test]
    fn a_bundle_that_decides_nothing_on_a_view_does_not_read_it() {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/chest-adult/manifest.toml"));
        let mut manifest = Manifest::parse(text).unwrap();
        for finding in &mut manifest.finding {
            finding.view = Some(vec!["AP".into()]);
        }
        assert_eq!(nothing_decided(&manifest, Some("AP")), None);
        assert_eq!(
            nothing_decided(&manifest, Some("PA")).unwrap(),
            "the model bundle chest-adult decides none of its findings on PA images"
        );
    }

    #[test]
    fn a_view_that_is_not_read_at_that_age_is_the_obstacle_and_not_the_age() {
        let words = chosen(&study("DX", "CHEST", Age::Known(3.5), "PA")).unwrap_err();
        assert_eq!(words, "images of patients aged 3 years are read in view AP only, and this one is PA");
        let words = chosen(&study("DX", "CHEST", Age::Known(45.0), "LL")).unwrap_err();
        assert_eq!(words, "images of patients aged 45 years are read in views AP or PA only, and this one is LL");
    }

    #[test]
    fn an_age_between_the_bundles_is_told_all_their_ranges() {
        let words = chosen(&study("DX", "CHEST", Age::Known(12.0), "PA")).unwrap_err();
        assert_eq!(words, "no installed model reads images of patients aged 12 years (installed: 1 to 5, 18 to 90)");
    }

    #[test]
    fn modalities_and_body_parts_are_the_union_over_all_bundles() {
        let words = chosen(&study("US", "CHEST", Age::Known(45.0), "PA")).unwrap_err();
        assert_eq!(words, "no installed model reads modality US (installed: CR, DX)");
        let words = chosen(&study("DX", "FOOT", Age::Known(45.0), "PA")).unwrap_err();
        assert_eq!(words, "no installed model reads body part FOOT (installed: CHEST, HAND)");
        assert_eq!(choose(&[], &study("DX", "FOOT", Age::Unknown, "")), Err("no model bundle is installed".to_owned()));
    }

    #[test]
    fn what_the_header_does_not_say_is_named_with_its_tag_and_who_can_mend_it() {
        let known = Age::Known(45.0);
        for (study, what) in [
            (study("", "CHEST", known, "PA"), "modality (0008,0060)"),
            (study("DX", "", known, "PA"), "body part (0018,0015)"),
            (study("DX", "CHEST", Age::Unknown, "PA"), "patient's age (0010,1010)"),
            (study("DX", "CHEST", known, ""), "view position (0018,5101)"),
        ] {
            assert_eq!(
                chosen(&study).unwrap_err(),
                format!(
                    "the header does not say the {what}, and a model is never guessed; whoever maintains the sender can have it filled in"
                )
            );
        }
    }

    #[test]
    fn an_age_that_contradicts_itself_is_no_age_and_is_said_to_be() {
        let words = chosen(&study("DX", "CHEST", Age::Contradictory, "PA")).unwrap_err();
        assert_eq!(
            words,
            "the patient's age (0010,1010) and birth date (0010,0030) contradict each other, and a model is never guessed"
        );
    }
}
