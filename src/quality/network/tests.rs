//! The shipped fitness bundle on phantoms and, where they lie beside the checkout, on real images.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::digest::Digest;
use crate::infer::damaged::{self, edit, flip};
use crate::phantom;
use crate::pixels::{decode, real_files};
use crate::preprocess::Look;
use crate::quality::{assess, tests::real_images};

fn fitness() -> Fitness {
    Fitness::load(&Vouched::as_it_stands(&damaged::shipped("chest-fitness")).unwrap()).unwrap()
}

fn presented(object: &dicom_object::DefaultDicomObject) -> Option<Gray> {
    let frames = decode(object).ok()?;
    Some(preprocess::gray(&frames, frames.frames / 2, &Look::from_object(object)))
}

fn chest(seed: u64, columns: u16, rows: u16) -> Gray {
    let file = phantom::chest(seed, columns, rows);
    presented(&dicom_object::from_reader(std::io::Cursor::new(file)).unwrap()).unwrap()
}

/// An image of `width` x `height` whose pixel at (x, y) is that of `of` at the place that `from` says.
fn taken(of: &Gray, (width, height): (u32, u32), from: impl Fn(u32, u32) -> (u32, u32)) -> Gray {
    let value = |at: u32| {
        let (x, y) = from(at % width, at / width);
        of.values[(y * of.width + x) as usize]
    };
    Gray { width, height, values: (0..width * height).map(value).collect() }
}

#[test]
fn a_chest_phantom_of_any_seed_and_size_is_fit() {
    let fitness = fitness();
    for seed in 0..24 {
        assert_eq!(fitness.judge(&chest(seed, 256, 312)).unwrap(), None, "seed {seed}");
    }
    for (columns, rows) in [(128, 160), (512, 640), (1024, 1250), (640, 512)] {
        assert_eq!(fitness.judge(&chest(7, columns, rows)).unwrap(), None, "{columns} x {rows}");
    }
}

#[test]
fn a_phantom_that_is_turned_inverted_or_cut_is_refused_by_that_name() {
    let fitness = fitness();
    for seed in 100..106 {
        let fit = chest(seed, 400, 488);
        let (w, h) = (fit.width, fit.height);
        let inverted = Gray { values: fit.values.iter().map(|v| 1.0 - v).collect(), ..fit.clone() };
        for (flawed, name) in [
            (taken(&fit, (w, h), |x, y| (w - 1 - x, h - 1 - y)), Unfit::UpsideDown),
            (taken(&fit, (h, w), |x, y| (w - 1 - y, x)), Unfit::TurnedLeft),
            (taken(&fit, (h, w), |x, y| (y, h - 1 - x)), Unfit::TurnedRight),
            (inverted, Unfit::Inverted),
            (taken(&fit, (w, h * 55 / 100), |x, y| (x, y)), Unfit::BasesCutOff),
            (taken(&fit, (w, h * 62 / 100), |x, y| (x, y + h * 38 / 100)), Unfit::ApicesCutOff),
        ] {
            assert_eq!(fitness.judge(&flawed).unwrap(), Some(name), "seed {seed}");
        }
    }
}

#[test]
fn only_chest_radiographs_by_their_header_are_judged() {
    let fitness = fitness();
    let file = phantom::image(phantom::Kind::Chest, 1, 128, 160);
    let object = dicom_object::from_reader(std::io::Cursor::new(file)).unwrap();
    let mut study = Study::from_object(&object).unwrap();
    assert!(fitness.judges(&study));
    study.modality = Some("US".into());
    assert!(!fitness.judges(&study));
    (study.modality, study.body_part) = (Some("DX".into()), None);
    assert!(!fitness.judges(&study));
}

/// Refused by the pixels or by the network.
fn refusal(fitness: &Fitness, gray: &Gray) -> Option<Unfit> {
    assess(gray).err().or_else(|| fitness.judge(gray).unwrap())
}

#[test]
fn at_most_two_percent_of_real_chest_images_are_refused_of_adults_and_of_children() {
    let fitness = fitness();
    let Some(images) = real_images("chest_xray", 9) else { return };
    let mut counts: BTreeMap<bool, (usize, Vec<String>)> = BTreeMap::new();
    for (file, gray) in images {
        let (count, refused) = counts.entry(file.starts_with("kermany")).or_default();
        *count += 1;
        refused.extend(refusal(&fitness, &gray).map(|unfit| format!("{file} {}", unfit.code())));
    }
    for (is_child, (count, refused)) in counts {
        println!("child {is_child}: {} of {count} refused: {refused:?}", refused.len());
        assert!(count >= 300 && refused.len() * 50 <= count, "{} of {count}: {refused:?}", refused.len());
    }
}

#[test]
fn nine_in_ten_real_sections_and_fluoroscopies_are_refused_though_none_was_learned_from() {
    let fitness = fitness();
    let Some(folder) = real_files::folder("dicom") else { return };
    let index = std::fs::read_to_string(folder.join("index.csv")).unwrap();
    let (mut count, mut passed) = (0, Vec::new());
    for line in index.lines().skip(1) {
        let fields = real_files::fields(line);
        // The fourth field is the modality. A CT scout view of a chest is like a radiograph.
        let is_other = matches!(fields[3].as_str(), "CT" | "MR" | "PT" | "XA" | "RF");
        if !is_other || fields[0].contains("orthanc-tests__1.2.840.10008.1.2.4.70") {
            continue;
        }
        let Some(gray) = dicom_object::open_file(folder.join(&fields[0])).ok().and_then(|o| presented(&o)) else {
            continue;
        };
        count += 1;
        if refusal(&fitness, &gray).is_none() {
            passed.push(fields[0].clone());
        }
    }
    println!("{} of {count} pass: {passed:?}", passed.len());
    assert!(count >= 40 && passed.len() * 10 <= count, "{} of {count}: {passed:?}", passed.len());
}

/// A copy of the shipped bundle, to damage.
fn copy() -> tempfile::TempDir {
    damaged::copy("chest-fitness")
}

fn refused(folder: &Path) -> String {
    let stands = Vouched::as_it_stands(folder);
    stands.and_then(|vouched| Fitness::load(&vouched)).err().expect("the bundle must be refused").to_string()
}

#[test]
fn a_broken_fitness_bundle_is_refused_with_the_reason() {
    for name in ["model.onnx", "CARD.md", "golden/output.f32"] {
        let folder = copy();
        flip(folder.path(), name);
        let error = refused(folder.path());
        assert!(error.contains(name) && error.contains("the bundle was changed"), "{error}");
    }
    for (from, to, says) in [
        ("kind = \"fitness\"", "kind = \"writer\"", "this residentd reads 1"),
        ("format = 1", "format = 2", "this residentd reads 1"),
        ("width = 96", "width = 97", "input shape"),
        ("output = 0", "output = 99", "output shape"),
        ("output = 1", "output = 0", "code and output must be its own"),
        ("code = \"upside-down\"", "code = \"sideways\"", "unknown variant"),
        ("refused_from = ", "refused_from = nan #", "refused_from a number"),
        ("\"CARD.md\" =", "\"../CARD.md\" =", "lacks \"CARD.md\""),
    ] {
        let folder = copy();
        edit(folder.path(), from, to);
        let error = refused(folder.path());
        assert!(error.contains(says), "{from} -> {to}: {error}");
    }
}

#[test]
fn a_golden_output_that_this_cpu_does_not_reproduce_is_refused() {
    let folder = copy();
    let path = folder.path().join("golden/output.f32");
    let old = std::fs::read(&path).unwrap();
    let other: Vec<u8> = old.chunks_exact(4).flat_map(|_| 1.0e3f32.to_le_bytes()).collect();
    std::fs::write(&path, &other).unwrap();
    edit(folder.path(), &Digest::of(&old).to_string(), &Digest::of(&other).to_string());
    assert!(refused(folder.path()).contains("golden output differs"));
}
