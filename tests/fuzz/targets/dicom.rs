//! What scanners send: datasets, whole files, the names in them.

use std::cell::RefCell;
use std::io::{Cursor, Write};
use std::path::Path;

use dicom_transfer_syntax_registry::{TransferSyntaxIndex, TransferSyntaxRegistry};
use residentd::instance::uid::{AeTitle, Uid};
use residentd::instance::{Headers, Instance, Pixels, Syntax, validate_dataset};
use residentd::preprocess::{self, Geometry, Light, Look};
use residentd::study::Study;
use residentd::{pixels, quality};

const SYNTAXES: [(&str, Syntax); 3] = [
    ("1.2.840.10008.1.2", Syntax::ImplicitLe),
    ("1.2.840.10008.1.2.1", Syntax::ExplicitLe),
    ("1.2.840.10008.1.2.2", Syntax::ExplicitBe),
];

/// A dataset, its first byte choosing the syntax: what the gateway lets through, the decoder
/// behind it reads, and finds the same instance in it.
pub fn validator(bytes: &[u8]) {
    let Some((choice, dataset)) = bytes.split_first() else { return };
    let (uid, syntax) = SYNTAXES[usize::from(*choice) % SYNTAXES.len()];
    let Ok(headers) = validate_dataset(Cursor::new(dataset), syntax, dataset.len() as u64) else { return };
    assert!(headers.frames >= 1 || headers.pixels == Pixels::Absent, "an image without frames");
    // Where it is not 0, the decoder reads otherwise than the standard says; the reader
    // process is told.
    if headers.unknown_sequences == 0 {
        agrees(&headers, dataset, uid);
    }
}

fn agrees(headers: &Headers, dataset: &[u8], uid: &str) {
    let syntax = TransferSyntaxRegistry.get(uid).expect("a syntax of ours");
    // Values that it cannot read are errors of its own, for the reader to abstain on.
    let Ok(object) = dicom_object::InMemDicomObject::read_dataset_with_ts(Cursor::new(dataset), syntax) else { return };
    let Ok(element) = object.element_by_name("SOPInstanceUID") else { return };
    let Ok(text) = element.to_str() else { return };
    let theirs = text.trim_end_matches(['\0', ' ']).parse::<Uid>().ok();
    assert!(theirs.as_ref() == Some(&headers.sop_instance_uid), "gateway and decoder see different instances");
}

/// A whole DICOM file through the reader's stages up to the model's input; no model runs,
/// whose input has always the same shape.
pub fn reader(bytes: &[u8]) {
    thread_local! {
        static FILE: RefCell<tempfile::NamedTempFile> = RefCell::new(tempfile::NamedTempFile::new().expect("a file"));
    }
    FILE.with_borrow_mut(|file| {
        file.as_file().set_len(0).expect("an empty file");
        std::io::Seek::rewind(file).expect("its start");
        file.write_all(bytes).expect("the bytes in it");
        read(file.path());
    });
}

/// More pixels than this cost a fuzzer seconds and show it nothing new.
const ENOUGH_PIXELS: u64 = 1 << 20;

fn read(path: &Path) {
    let Ok((instance, headers)) = Instance::inspect(path) else { return };
    let size =
        u64::from(headers.rows.unwrap_or(0)) * u64::from(headers.columns.unwrap_or(0)) * u64::from(headers.frames);
    let Ok(object) = dicom_object::open_file(path) else { return };
    let Ok(study) = Study::from_object(&object) else { return };
    if headers.unknown_sequences == 0 {
        assert_eq!(study.sop_instance_uid, instance.sop_instance_uid, "validator and decoder see different instances");
    }
    if size > ENOUGH_PIXELS {
        return;
    }
    let Ok(frames) = pixels::decode(&object) else { return };
    let gray = preprocess::gray(&frames, frames.frames / 2, &Look::from_object(&object));
    assert_eq!(gray.values.len(), gray.width as usize * gray.height as usize, "a picture of another size than it says");
    let mut light = Light::none();
    light.add(&gray);
    if let Some(sector) = light.sector() {
        let cut = sector.cut(&gray);
        assert_eq!(cut.values.len(), cut.width as usize * cut.height as usize, "a cut of another size than it says");
        assert!(cut.width <= gray.width && cut.height <= gray.height && !cut.values.is_empty());
    }
    if quality::assess(&gray).is_err() {
        return;
    }
    let geometry = Geometry { width: 32, height: 32, low_percentile: 1.0, high_percentile: 99.0, mean: 0.5, std: 0.25 };
    let input = preprocess::input(&gray, &geometry);
    assert_eq!(input.len(), 32 * 32);
    assert!(input.iter().all(|value| value.is_finite()), "a model would be fed what is no number");
}

/// UIDs and AE titles: what is one stays itself.
pub fn identifiers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(uid) = text.parse::<Uid>() {
        assert!(uid.as_str().len() <= 64 && uid.as_str().bytes().all(|b| b.is_ascii_digit() || b == b'.'));
        assert_eq!(uid.as_str().parse::<Uid>().as_ref(), Ok(&uid));
    }
    if let Ok(title) = text.parse::<AeTitle>() {
        assert!(title.as_str().len() <= 16);
        assert_eq!(title.as_str().parse::<AeTitle>().as_ref(), Ok(&title));
    }
}
