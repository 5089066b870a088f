//! The only file that names `dicom_pixeldata`: 8-bit JPEG, JPEG 2000, JPEG-LS.
//!
//! It is handed one frame at a time in an object of ours, whose size was checked against
//! the stream: of the instance's own header it sees nothing. Its decoders may panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dicom_core::value::PixelFragmentSequence;
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_pixeldata::PixelDecoder;

use super::PixelError;
use super::layout::Layout;

/// An 8-bit DCT stream as interleaved gray or RGB bytes.
pub(super) fn jpeg(stream: Vec<u8>, layout: &Layout) -> Result<Vec<u8>, PixelError> {
    run(stream, layout, uids::JPEG_BASELINE8_BIT, 8, "JPEG")
}

/// A JPEG 2000 stream as interleaved little-endian samples of `bits` (8 or 16) bits.
pub(super) fn jpeg2000(stream: &[u8], layout: &Layout, bits: u32) -> Result<Vec<u8>, PixelError> {
    run(stream.to_vec(), layout, uids::JPEG2000, bits, "JPEG 2000")
}

/// A JPEG-LS stream as little-endian samples of `bits` (8 or 16) bits, in planes where the
/// stream is.
#[cfg(feature = "jpeg-ls")]
pub(super) fn jpeg_ls(stream: &[u8], layout: &Layout, bits: u32) -> Result<Vec<u8>, PixelError> {
    run(stream.to_vec(), layout, uids::JPEGLS_NEAR_LOSSLESS, bits, "JPEG-LS")
}

/// Never reached: `syntax` refuses JPEG-LS before.
#[cfg(not(feature = "jpeg-ls"))]
pub(super) fn jpeg_ls(_: &[u8], _: &Layout, _: u32) -> Result<Vec<u8>, PixelError> {
    Err(PixelError::Undecodable("JPEG-LS needs a build with the jpeg-ls feature".into()))
}

fn run(stream: Vec<u8>, layout: &Layout, uid: &str, bits: u32, syntax: &'static str) -> Result<Vec<u8>, PixelError> {
    let corrupt = |what: String| PixelError::Corrupt { syntax, what };
    let mut object = InMemDicomObject::new_empty();
    let photometric = if layout.samples == 3 { "RGB" } else { "MONOCHROME2" };
    object.put(DataElement::new(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, PrimitiveValue::from(photometric)));
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, layout.samples),
        (tags::ROWS, layout.rows),
        (tags::COLUMNS, layout.columns),
        (tags::BITS_ALLOCATED, bits),
        (tags::BITS_STORED, bits),
        (tags::HIGH_BIT, bits - 1),
        (tags::PIXEL_REPRESENTATION, 0),
        (tags::PLANAR_CONFIGURATION, 0),
    ] {
        let value = u16::try_from(value).map_err(|_| corrupt("out of range".into()))?;
        object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
    }
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PixelFragmentSequence::new(Vec::new(), vec![stream])));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uid)
        .media_storage_sop_class_uid(uids::SECONDARY_CAPTURE_IMAGE_STORAGE)
        .media_storage_sop_instance_uid("2.25.0");
    let object = object.with_meta(meta).map_err(|_| corrupt("cannot be handed over".into()))?;

    // The object is dropped either way, so a half-done decode is seen by nobody.
    let decoded = catch_unwind(AssertUnwindSafe(|| object.decode_pixel_data_frame(0).map(|data| data.data().to_vec())));
    let bytes = match decoded {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(corrupt(chain(&error))),
        Err(_) => return Err(corrupt("its decoder gave up".into())),
    };
    if bytes.len() != layout.frame_samples() * (bits / 8) as usize {
        return Err(corrupt("wrong number of samples".into()));
    }
    Ok(bytes)
}

/// The innermost cause: the outer ones only say that decoding failed.
fn chain(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string().chars().take(200).collect()
}
