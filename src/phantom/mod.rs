//! A chest phantom: a radiograph of nobody, as a complete DICOM file.
//!
//! Made by projection of ellipsoids and tubes, never from a patient. Its header marks
//! it as a quality control image, so whatever is read from it is published as a test.

mod anatomy;
mod file;
mod noise;
mod project;

use crate::instance::uid::Uid;

/// What a phantom shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A chest, fit to be read.
    Chest,
    /// A detector that nothing reached: unfit, to be taken again.
    Blank,
    /// What its header calls a knee: no bundle of ours is for it.
    OtherPart,
}

impl Kind {
    /// What its UIDs are made from: that of a chest is as it was before there were others.
    const fn salt(self) -> &'static str {
        match self {
            Self::Chest => "",
            Self::Blank => "blank ",
            Self::OtherPart => "knee ",
        }
    }
}

/// A phantom: a Part 10 file of a Digital X-Ray Image (for presentation), explicit VR little
/// endian, 16 bits allocated, 12 stored.
///
/// The same arguments give the same bytes on every platform; another `seed` another
/// build, other vessels and other noise. `columns` and `rows` from 16 up; smaller ones
/// count as 16.
#[must_use]
pub fn image(kind: Kind, seed: u64, columns: u16, rows: u16) -> Vec<u8> {
    let (columns, rows) = (columns.max(SMALLEST_SIDE), rows.max(SMALLEST_SIDE));
    let samples = match kind {
        Kind::Chest => project::samples(seed, columns, rows),
        Kind::Blank | Kind::OtherPart => vec![BLANK; usize::from(columns) * usize::from(rows)],
    };
    file::part10(kind, seed, columns, rows, samples)
}

/// SOP Instance UID of the [`image`] of these arguments.
///
/// # Panics
/// Never: 2.25 and a number of 128 bits is a UID.
#[must_use]
pub fn image_uid(kind: Kind, seed: u64, columns: u16, rows: u16) -> Uid {
    let (columns, rows) = (columns.max(SMALLEST_SIDE), rows.max(SMALLEST_SIDE));
    file::uid(kind, "instance", seed, columns, rows).parse().expect("2.25 and a number of 128 bits")
}

/// A chest in postero-anterior projection, as [`image`] has it.
#[must_use]
pub fn chest(seed: u64, columns: u16, rows: u16) -> Vec<u8> {
    image(Kind::Chest, seed, columns, rows)
}

/// The stored value of every pixel of a blank image.
const BLANK: u16 = 150;
/// Below this a projection shows nothing.
const SMALLEST_SIDE: u16 = 16;
/// Width of the detector's field in millimetres; its height follows from the pixels.
const FIELD_WIDTH_MM: f32 = 345.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{Photometric, Samples, decode};
    use crate::preprocess::{Look, gray};
    use crate::quality;
    use crate::study::{Sex, Study, Subject};

    fn open(file: &[u8]) -> dicom_object::DefaultDicomObject {
        dicom_object::from_reader(std::io::Cursor::new(file)).unwrap()
    }

    #[test]
    fn a_seed_gives_one_phantom_and_another_seed_another() {
        assert_eq!(chest(7, 200, 240), chest(7, 200, 240));
        let (one, other) = (open(&chest(7, 200, 240)), open(&chest(8, 200, 240)));
        assert_ne!(decode(&one).unwrap().sha256, decode(&other).unwrap().sha256);
        let uid = |object| Study::from_object(object).unwrap().sop_instance_uid;
        assert_ne!(uid(&one), uid(&other));
        assert_ne!(uid(&one), uid(&open(&chest(7, 200, 241))));
    }

    #[test]
    fn a_blank_one_is_unfit_and_each_kind_has_uids_of_its_own_that_are_told() {
        let blank = open(&image(Kind::Blank, 3, 150, 180));
        let gray = gray(&decode(&blank).unwrap(), 0, &Look::from_object(&blank));
        assert_eq!(quality::assess(&gray), Err(quality::Unfit::Blank));
        let knee = Study::from_object(&open(&image(Kind::OtherPart, 3, 150, 180))).unwrap();
        assert_eq!((knee.body_part.as_deref(), knee.subject), (Some("KNEE"), Subject::TestObject));
        let mut uids = Vec::new();
        for kind in [Kind::Chest, Kind::Blank, Kind::OtherPart] {
            let study = Study::from_object(&open(&image(kind, 3, 150, 180))).unwrap();
            assert_eq!(study.sop_instance_uid, image_uid(kind, 3, 150, 180));
            assert!(!uids.contains(&study.sop_instance_uid));
            uids.push(study.sop_instance_uid);
        }
    }

    #[test]
    fn its_pixels_are_the_same_on_every_platform() {
        let frames = decode(&open(&chest(1, 128, 160))).unwrap();
        assert_eq!(frames.sha256.to_string(), "1aaf7f1f4760e2eb102817d89e753cea3f42539a8b331b6c6e0019eac7a1a236");
    }

    #[test]
    fn what_was_projected_is_what_is_decoded() {
        let frames = decode(&open(&chest(3, 150, 180))).unwrap();
        assert!(frames.data == Samples::U16(project::samples(3, 150, 180)));
        assert_eq!((frames.rows, frames.columns, frames.bits_stored), (180, 150, 12));
        assert_eq!(frames.photometric, Photometric::Monochrome2);
    }

    #[test]
    fn its_header_says_that_it_is_a_test_object() {
        let study = Study::from_object(&open(&chest(3, 150, 180))).unwrap();
        assert_eq!(study.subject, Subject::TestObject);
        assert_eq!(study.modality.as_deref(), Some("DX"));
        assert_eq!(study.body_part.as_deref(), Some("CHEST"));
        assert_eq!(study.view.as_deref(), Some("PA"));
        assert_eq!((study.age.years(), study.sex), (Some(45.0), Some(Sex::Other)));
        assert!(study.patient_id.unwrap().contains("PHANTOM"));
        assert!(study.study_instance_uid.unwrap().as_str().starts_with("2.25."));
    }

    #[test]
    fn it_is_fit_to_be_read_at_every_seed() {
        for seed in 0..20 {
            let object = open(&chest(seed, 256, 312));
            let gray = gray(&decode(&object).unwrap(), 0, &Look::from_object(&object));
            assert_eq!(quality::assess(&gray), Ok(()), "{seed}");
        }
    }

    #[test]
    fn lungs_are_dark_and_bones_and_heart_bright() {
        let object = open(&chest(5, 400, 488));
        let gray = gray(&decode(&object).unwrap(), 0, &Look::from_object(&object));
        let around = |x: usize, y: usize| {
            let window = (0..144).map(|at| gray.values[(y + at / 12) * 400 + x + at % 12]);
            window.sum::<f32>() / 144.0
        };
        let (right_lung, left_lung, spine, liver) =
            (around(110, 215), around(290, 190), around(194, 440), around(110, 440));
        assert!(right_lung < 0.5 && left_lung < 0.55, "{right_lung} {left_lung}");
        assert!(spine > right_lung + 0.3 && liver > right_lung + 0.25, "{spine} {liver}");
    }

    #[test]
    fn a_detector_sized_phantom_is_made() {
        let start = std::time::Instant::now();
        let file = chest(1, 2048, 2500);
        let made = start.elapsed();
        let object = open(&file);
        let start = std::time::Instant::now();
        let frames = decode(&object).unwrap();
        let decoded = start.elapsed();
        let gray = gray(&frames, 0, &Look::from_object(&object));
        let shaded = start.elapsed();
        assert_eq!(quality::assess(&gray), Ok(()));
        println!(
            "2048x2500: made in {made:?}, decoded in {decoded:?}, gray after {shaded:?}, assessed after {:?}",
            start.elapsed()
        );
        assert!(file.len() > 2048 * 2500 * 2);
    }
}
