//! Cines and ultrasound through the whole reader; nothing here is of a patient.

use std::f64::consts::TAU;
use std::path::PathBuf;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use super::*;
use crate::infer::bundle::Vouched;
use crate::infer::findings::Findings;

const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
const SIDE: u16 = 240;

fn vouched(name: &str) -> Vouched {
    Vouched::as_it_stands(&Path::new(MODELS).join(name)).unwrap()
}

fn resident(names: &[&str], asleep: &[&str]) -> Resident {
    let asleep = asleep.iter().map(|name| Asleep::load(&vouched(name)).unwrap()).collect();
    Resident::new(names.iter().map(|name| Bundle::load(&vouched(name)).unwrap()).collect(), asleep, Vec::new(), None)
}

/// A frame of a screen: a fan whose tissue is of `seed`, black around it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shades of gray")]
fn screen(seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 24) / 256.0
    };
    let pixel = |at: usize, noise: f64| {
        let side = usize::from(SIDE);
        let (across, down) = ((at % side) as f64 - 120.0, (at / side) as f64 + 30.0);
        let (depth, slope) = (across.hypot(down), (across / down).abs());
        let wave = (depth / (14.0 + f64::from(seed % 9)) + across / 31.0 * f64::from(seed % 4)).sin();
        // A rim of one shade: the sector is the same in every frame.
        let rim = slope > 0.36 || !(65.0..240.0).contains(&depth);
        match slope < 0.45 && (50.0..255.0).contains(&depth) {
            true if rim => 210.0,
            true => 90.0 + 50.0 * wave + 30.0 * noise,
            false => 0.0,
        }
    };
    // Neighbours share their noise, as speckle does.
    let mut shared = 0.0;
    let shade = |at: usize| {
        shared = 0.7 * shared + 0.3 * noise();
        pixel(at, shared) as u8
    };
    (0..usize::from(SIDE) * usize::from(SIDE)).map(shade).collect()
}

/// The file of a cine of `frames`, as a scanner sends it: without a view.
fn file(modality: &str, body_part: &str, age: &str, view: &str, frames: &[Vec<u8>]) -> tempfile::NamedTempFile {
    let mut object = InMemDicomObject::new_empty();
    for (tag, vr, text) in [
        (tags::SOP_CLASS_UID, VR::UI, uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE),
        (tags::SOP_INSTANCE_UID, VR::UI, "2.25.77"),
        (tags::MODALITY, VR::CS, modality),
        (tags::BODY_PART_EXAMINED, VR::CS, body_part),
        (tags::VIEW_POSITION, VR::CS, view),
        (tags::PATIENT_AGE, VR::AS, age),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        (tags::NUMBER_OF_FRAMES, VR::IS, &frames.len().to_string()),
    ] {
        if !text.is_empty() {
            object.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
        }
    }
    for (tag, word) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, SIDE),
        (tags::COLUMNS, SIDE),
        (tags::BITS_ALLOCATED, 8),
        (tags::BITS_STORED, 8),
        (tags::HIGH_BIT, 7),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(word)));
    }
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(frames.concat().into())));
    written(object)
}

fn written(object: InMemDicomObject) -> tempfile::NamedTempFile {
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE)
        .media_storage_sop_instance_uid("2.25.77");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    object.with_meta(meta).unwrap().write_all(&mut file).unwrap();
    file
}

fn lung(frames: &[Vec<u8>]) -> tempfile::NamedTempFile {
    file("US", "LUNG", "054Y", "", frames)
}

fn findings(resident: &mut Resident, file: &tempfile::NamedTempFile) -> Findings {
    match resident.read(file.path(), None).reading.outcome {
        Outcome::Report(findings) => *findings,
        other => panic!("not read: {other:?}"),
    }
}

/// The words with which it was not read.
fn unread(resident: &mut Resident, path: &Path) -> (ReasonCode, String) {
    match resident.read(path, None).reading.outcome {
        Outcome::Report(_) => panic!("it was read"),
        Outcome::Abstention(reason) | Outcome::Failure(reason) => (reason.code, reason.words),
    }
}

/// The logit of its only finding's probability.
fn logit(findings: &Findings) -> f64 {
    let p = f64::from(f32::from(findings.findings[0].probability));
    (p / (1.0 - p)).ln()
}

#[test]
fn a_cine_says_the_mean_of_what_its_frames_say_in_any_order() {
    let mut resident = resident(&["lung-ultrasound"], &[]);
    let frames: Vec<Vec<u8>> = (1..=5).map(screen).collect();
    let single: Vec<f64> =
        frames.iter().map(|f| logit(&findings(&mut resident, &lung(std::slice::from_ref(f))))).collect();
    let cine = findings(&mut resident, &lung(&frames));
    let mean = single.iter().sum::<f64>() / 5.0;
    assert!(single.iter().any(|one| (one - mean).abs() > 0.01), "frames that all say one thing show nothing");
    assert!((logit(&cine) - mean).abs() < 1e-4, "{} {mean}", logit(&cine));
    let backwards: Vec<Vec<u8>> = frames.iter().rev().cloned().collect();
    assert_eq!(findings(&mut resident, &lung(&backwards)).findings, cine.findings);
    assert!(cine.bundle.research_only && cine.not_assessed.contains(&"B-lines".to_owned()));
}

#[test]
fn names_and_scales_on_the_screen_change_no_bit_of_the_reading() {
    let mut resident = resident(&["lung-ultrasound"], &[]);
    let plain = screen(3);
    let mut named = plain.clone();
    let side = usize::from(SIDE);
    for y in 4..12 {
        (4..60).filter(|x| x % 5 == 0 || y % 5 == 0).for_each(|x| named[y * side + x] = 255);
    }
    (20..200).filter(|y| y % 20 < 2).for_each(|y| named[y * side + 232..y * side + 236].fill(255));
    let (one, other) = (findings(&mut resident, &lung(&[plain])), findings(&mut resident, &lung(&[named])));
    assert_eq!(one.findings, other.findings);
}

#[test]
fn frames_that_are_not_fit_are_left_out_and_a_cine_of_them_is_not_read() {
    let mut resident = resident(&["lung-ultrasound"], &[]);
    let dark = vec![0; usize::from(SIDE) * usize::from(SIDE)];
    let some = findings(&mut resident, &lung(&[dark.clone(), screen(2)]));
    assert_eq!(some.findings, findings(&mut resident, &lung(&[screen(2)])).findings);
    let mostly = lung(&[dark.clone(), dark.clone(), screen(2)]);
    assert_eq!(unread(&mut resident, mostly.path()), (ReasonCode::Unfit, Unfit::Blank.to_string()));
    let words = unread(&mut resident, lung(&[dark]).path());
    assert_eq!(words, (ReasonCode::Unfit, "no ultrasound sector is seen in the image".to_owned()));
}

#[test]
fn a_long_cine_costs_what_its_manifest_says_and_no_more() {
    let mut resident = resident(&["lung-ultrasound"], &[]);
    // 1,000 frames; those that are looked at are of one kind.
    let chosen = resident.bundles[0].manifest().cine.unwrap().sampled(1000);
    let (looked_at, other) = (screen(2), screen(7));
    let frame = |at| if chosen.contains(&at) { looked_at.clone() } else { other.clone() };
    let frames: Vec<Vec<u8>> = (0..1000).map(frame).collect();
    assert!(chosen.len() == 8 && looked_at != other);
    let cine = findings(&mut resident, &lung(&frames));
    assert_eq!(cine.findings, findings(&mut resident, &lung(&[screen(2)])).findings);
}

#[test]
fn ultrasound_without_its_bundle_is_not_read_and_one_that_sleeps_is_named() {
    let cine = lung(&[screen(1)]);
    let (code, words) = unread(&mut resident(&["chest-adult", "chest-child"], &[]), cine.path());
    assert_eq!(
        (code, words.as_str()),
        (ReasonCode::NoModel, "no installed model reads modality US (installed: CR, DX)")
    );
    let (code, words) = unread(&mut resident(&["chest-child"], &["lung-ultrasound"]), cine.path());
    assert!(
        code == ReasonCode::NoModel && words.contains("lung-ultrasound would, but is for research only"),
        "{words}"
    );
    let mut both = resident(&["chest-child", "lung-ultrasound"], &[]);
    let heart = file("US", "HEART", "054Y", "", &[screen(1)]);
    assert!(unread(&mut both, heart.path()).1.contains("body part HEART"));
    assert!(unread(&mut both, file("US", "LUNG", "004Y", "", &[screen(1)]).path()).1.contains("aged 4 years"));
}

#[test]
fn a_bundle_without_a_word_on_cines_reads_the_middle_frame_as_it_is() {
    let mut resident = resident(&["chest-child"], &[]);
    let frame = |turn: f64| {
        let shade = |at: usize| {
            let (x, y) = ((at % usize::from(SIDE)) as f64, (at / usize::from(SIDE)) as f64);
            128.0 + 90.0 * ((x + turn * y) / 60.0 * TAU).sin()
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shades of gray")]
        (0..usize::from(SIDE) * usize::from(SIDE)).map(|at| shade(at) as u8).collect::<Vec<u8>>()
    };
    let frames = [frame(0.1), frame(0.5), frame(2.0)];
    let middle = file("CR", "CHEST", "004Y", "AP", &frames[1..2]);
    let object = dicom_object::open_file(middle.path()).unwrap();
    let gray = preprocess::gray(&pixels::decode(&object).unwrap(), 0, &Look::from_object(&object));
    let bundle = &resident.bundles[0];
    let logits = bundle.logits(&preprocess::input(&gray, &bundle.manifest().geometry())).unwrap();
    let wanted = bundle.findings(&logits, Some("AP"));
    assert_eq!(findings(&mut resident, &middle), wanted);
    assert_eq!(findings(&mut resident, &file("CR", "CHEST", "004Y", "AP", &frames)), wanted);
}

/// The folder of real ultrasound beside the checkout, where it is.
fn real_ultrasound() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/dicom");
    let below = |name: &str| std::fs::read_dir(folder.join(name)).into_iter().flatten().flatten();
    let files: Vec<PathBuf> = ["us_multi", "us_single"].into_iter().flat_map(below).map(|e| e.path()).collect();
    if files.is_empty() {
        println!("skipped: no real DICOM files beside the checkout");
    }
    files
}

#[test]
fn real_ultrasound_is_read_or_declined_in_words() {
    let mut resident = resident(&["chest-adult", "lung-ultrasound"], &[]);
    let (mut read, mut declined) = (0, 0);
    for path in real_ultrasound() {
        // As it is: no header of them says that it is a lung.
        let (code, words) = unread(&mut resident, &path);
        assert!(code != ReasonCode::Internal && !words.is_empty(), "{}: {words}", path.display());
        let Ok(mut object) = dicom_object::open_file(&path) else { continue };
        for (tag, vr, text) in [
            (tags::MODALITY, VR::CS, "US"),
            (tags::BODY_PART_EXAMINED, VR::CS, "LUNG"),
            (tags::PATIENT_AGE, VR::AS, "054Y"),
        ] {
            object.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
        }
        object.remove_element(tags::PATIENT_BIRTH_DATE);
        let mut said_to_be_lung = tempfile::NamedTempFile::new().unwrap();
        object.write_all(&mut said_to_be_lung).unwrap();
        match resident.read(said_to_be_lung.path(), None).reading.outcome {
            Outcome::Report(findings) => {
                assert!((0.0..=1.0).contains(&f32::from(findings.findings[0].probability)));
                read += 1;
            }
            Outcome::Abstention(reason) => {
                println!("{}: {}", path.display(), reason.words);
                declined += 1;
            }
            Outcome::Failure(reason) => panic!("{}: {}", path.display(), reason.words),
        }
    }
    println!("{read} read, {declined} declined");
    assert!(read + declined == 0 || read > declined);
}
