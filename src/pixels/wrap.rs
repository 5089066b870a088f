//! For tests: pixels in a minimal object.

use dicom_core::value::PixelFragmentSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{DefaultDicomObject, FileMetaTableBuilder, InMemDicomObject};

/// Attributes of an image: (rows, columns, samples, bits allocated, bits stored, signed, photometric).
pub(crate) type Shape<'a> = (u16, u16, u16, u16, u16, bool, &'a str);

pub(crate) fn object(shape: Shape<'_>, syntax: &str, put: impl FnOnce(&mut InMemDicomObject)) -> DefaultDicomObject {
    let (rows, columns, samples, allocated, stored, signed, photometric) = shape;
    let mut object = InMemDicomObject::new_empty();
    object.put(DataElement::new(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, PrimitiveValue::from(photometric)));
    let words: [(Tag, u16); 7] = [
        (tags::SAMPLES_PER_PIXEL, samples),
        (tags::ROWS, rows),
        (tags::COLUMNS, columns),
        (tags::BITS_ALLOCATED, allocated),
        (tags::BITS_STORED, stored),
        (tags::HIGH_BIT, stored.saturating_sub(1)),
        (tags::PIXEL_REPRESENTATION, u16::from(signed)),
    ];
    for (tag, value) in words {
        object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
    }
    put(&mut object);
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(syntax)
        .media_storage_sop_class_uid(uids::SECONDARY_CAPTURE_IMAGE_STORAGE)
        .media_storage_sop_instance_uid("2.25.1");
    object.with_meta(meta).unwrap()
}

pub(crate) fn native(shape: Shape<'_>, value: PrimitiveValue) -> DefaultDicomObject {
    let vr = if shape.3 == 16 { VR::OW } else { VR::OB };
    object(shape, uids::EXPLICIT_VR_LITTLE_ENDIAN, |o| {
        o.put(DataElement::new(tags::PIXEL_DATA, vr, value));
    })
}

pub(crate) fn encapsulated(shape: Shape<'_>, syntax: &str, fragments: Vec<Vec<u8>>) -> DefaultDicomObject {
    object(shape, syntax, |o| {
        o.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PixelFragmentSequence::new(Vec::new(), fragments)));
    })
}
