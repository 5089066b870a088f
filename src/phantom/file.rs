//! The phantom's header: Digital X-Ray Image, for presentation (PS3.3 A.26, C.8.11).

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, Length, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use super::project::{OFFSET, STEPS};
use super::{FIELD_WIDTH_MM, Kind};
use crate::digest::Digest;

/// Attenuations that the window shows from black to white: lung apex to lower spine.
const WINDOW: (f32, f32) = (0.6, 5.0);

/// The complete file.
pub(super) fn part10(kind: Kind, seed: u64, columns: u16, rows: u16, samples: Vec<u16>) -> Vec<u8> {
    let uid = |what: &str| uid(kind, what, seed, columns, rows);
    let mut object = InMemDicomObject::new_empty();
    for (tag, vr, text) in texts(kind, columns, seed) {
        object.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
    }
    for (tag, what) in [
        (tags::SOP_INSTANCE_UID, "instance"),
        (tags::SERIES_INSTANCE_UID, "series"),
        (tags::STUDY_INSTANCE_UID, "study"),
    ] {
        object.put(DataElement::new(tag, VR::UI, PrimitiveValue::from(uid(what))));
    }
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, rows),
        (tags::COLUMNS, columns),
        (tags::BITS_ALLOCATED, 16),
        (tags::BITS_STORED, 12),
        (tags::HIGH_BIT, 11),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
    }
    // Higher values are less intensity at the detector (C.8.11.3.1.4).
    object.put(DataElement::new(tags::PIXEL_INTENSITY_RELATIONSHIP_SIGN, VR::SS, PrimitiveValue::from(-1i16)));
    for (tag, item) in [
        (tags::ANATOMIC_REGION_SEQUENCE, Some(region(kind))),
        (tags::VIEW_CODE_SEQUENCE, Some(code("272479007", "postero-anterior"))),
        (tags::ACQUISITION_CONTEXT_SEQUENCE, None),
    ] {
        let items: Vec<InMemDicomObject> = item.into_iter().collect();
        object.put(DataElement::new(tag, VR::SQ, DataSetSequence::new(items, Length::UNDEFINED)));
    }
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(samples.into())));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION)
        .media_storage_sop_instance_uid(uid("instance"));
    let object = object.with_meta(meta).expect("class, instance and syntax are given");
    let mut file = Vec::new();
    object.write_all(&mut file).expect("a buffer takes everything, and the syntax is native");
    file
}

/// Attributes that are texts, those of type 2 empty.
fn texts(kind: Kind, columns: u16, seed: u64) -> Vec<(Tag, VR, String)> {
    let spacing = FIELD_WIDTH_MM / f32::from(columns);
    let (low, high) = (OFFSET + WINDOW.0 * STEPS, OFFSET + WINDOW.1 * STEPS);
    let fixed = [
        (tags::IMAGE_TYPE, VR::CS, "DERIVED\\PRIMARY"),
        (tags::SOP_CLASS_UID, VR::UI, uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION),
        (tags::STUDY_DATE, VR::DA, "20260101"),
        (tags::SERIES_DATE, VR::DA, "20260101"),
        (tags::ACQUISITION_DATE, VR::DA, "20260101"),
        (tags::CONTENT_DATE, VR::DA, "20260101"),
        (tags::STUDY_TIME, VR::TM, "120000"),
        (tags::ACQUISITION_TIME, VR::TM, "120000"),
        (tags::CONTENT_TIME, VR::TM, "120000"),
        (tags::ACCESSION_NUMBER, VR::SH, ""),
        (tags::MODALITY, VR::CS, "DX"),
        (tags::PRESENTATION_INTENT_TYPE, VR::CS, "FOR PRESENTATION"),
        (tags::MANUFACTURER, VR::LO, "residentd"),
        (tags::MANUFACTURER_MODEL_NAME, VR::LO, "chest phantom"),
        (tags::REFERRING_PHYSICIAN_NAME, VR::PN, ""),
        (tags::STUDY_DESCRIPTION, VR::LO, "Computed chest phantom, not a patient"),
        (tags::DERIVATION_DESCRIPTION, VR::ST, "Projection of ellipsoids with Beer-Lambert attenuation and noise"),
        (tags::PATIENT_NAME, VR::PN, "Phantom^Chest"),
        (tags::PATIENT_BIRTH_DATE, VR::DA, ""),
        (tags::PATIENT_SEX, VR::CS, "O"),
        (tags::PATIENT_AGE, VR::AS, "045Y"),
        (tags::VIEW_POSITION, VR::CS, "PA"),
        (tags::DETECTOR_TYPE, VR::CS, ""),
        (tags::STUDY_ID, VR::SH, "PHANTOM"),
        (tags::SERIES_NUMBER, VR::IS, "1"),
        (tags::INSTANCE_NUMBER, VR::IS, "1"),
        (tags::PATIENT_ORIENTATION, VR::CS, "L\\F"),
        (tags::IMAGE_LATERALITY, VR::CS, "U"),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        (tags::QUALITY_CONTROL_IMAGE, VR::CS, "YES"),
        (tags::BURNED_IN_ANNOTATION, VR::CS, "NO"),
        (tags::PIXEL_INTENSITY_RELATIONSHIP, VR::CS, "LOG"),
        (tags::RESCALE_INTERCEPT, VR::DS, "0"),
        (tags::RESCALE_SLOPE, VR::DS, "1"),
        (tags::RESCALE_TYPE, VR::LO, "US"),
        (tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00"),
        (tags::PRESENTATION_LUT_SHAPE, VR::CS, "IDENTITY"),
    ];
    let mut texts: Vec<_> = fixed.into_iter().map(|(tag, vr, text)| (tag, vr, text.to_owned())).collect();
    let part = if kind == Kind::OtherPart { "KNEE" } else { "CHEST" };
    texts.extend([
        (tags::BODY_PART_EXAMINED, VR::CS, part.to_owned()),
        (tags::PATIENT_ID, VR::LO, format!("PHANTOM-{seed}")),
        (tags::IMAGER_PIXEL_SPACING, VR::DS, format!("{spacing:.6}\\{spacing:.6}")),
        (tags::WINDOW_CENTER, VR::DS, format!("{:.0}", f32::midpoint(low, high))),
        (tags::WINDOW_WIDTH, VR::DS, format!("{:.0}", high - low)),
    ]);
    texts
}

fn region(kind: Kind) -> InMemDicomObject {
    match kind {
        Kind::Chest | Kind::Blank => code("51185008", "Chest"),
        Kind::OtherPart => code("72696002", "Knee"),
    }
}

fn code(value: &str, meaning: &str) -> InMemDicomObject {
    InMemDicomObject::from_element_iter([
        DataElement::new(tags::CODE_VALUE, VR::SH, PrimitiveValue::from(value)),
        DataElement::new(tags::CODING_SCHEME_DESIGNATOR, VR::SH, PrimitiveValue::from("SCT")),
        DataElement::new(tags::CODE_MEANING, VR::LO, PrimitiveValue::from(meaning)),
    ])
}

/// A UID under 2.25 (PS3.5 B.2) from a name-based UUID (RFC 9562, version 8).
pub(super) fn uid(kind: Kind, what: &str, seed: u64, columns: u16, rows: u16) -> String {
    let digest = Digest::of(format!("residentd phantom {}{what} {seed} {columns} {rows}", kind.salt()).as_bytes());
    let (bytes, _) = digest.as_bytes().split_first_chunk::<16>().expect("a digest has 32 bytes");
    let mut number = u128::from_be_bytes(*bytes);
    number = (number & !(0xF << 76)) | (8 << 76);
    number = (number & !(0b11 << 62)) | (0b10 << 62);
    format!("2.25.{number}")
}
