//! What `decode` promises of pixel data that is unusual, damaged or hostile.

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use proptest::prelude::*;

use super::wrap::{Shape, encapsulated, native, object};
use super::*;

fn words(shape: Shape<'_>, values: &[u16]) -> Result<Frames, PixelError> {
    decode(&native(shape, PrimitiveValue::U16(values.to_vec().into())))
}

fn bytes(shape: Shape<'_>, values: &[u8]) -> Result<Frames, PixelError> {
    decode(&native(shape, PrimitiveValue::U8(values.to_vec().into())))
}

#[test]
fn bits_above_those_stored_are_cleared_or_are_the_sign() {
    let unsigned = words((1, 2, 1, 16, 12, false, "MONOCHROME2"), &[0xF123, 0x8FFF]).unwrap();
    assert!(unsigned.data == Samples::U16(vec![0x123, 0xFFF]));
    let signed = words((1, 3, 1, 16, 12, true, "MONOCHROME2"), &[0x0FFF, 0x0800, 0x07FF]).unwrap();
    assert!(signed.data == Samples::I16(vec![-1, -2048, 2047]));
    let small = bytes((1, 2, 1, 8, 8, true, "MONOCHROME2"), &[0xFF, 1]).unwrap();
    assert!(small.data == Samples::I16(vec![-1, 1]));
}

#[test]
fn a_high_bit_above_the_stored_bits_shifts_them_down() {
    let shifted = object((1, 1, 1, 16, 12, false, "MONOCHROME2"), uids::EXPLICIT_VR_LITTLE_ENDIAN, |o| {
        o.put(DataElement::new(tags::HIGH_BIT, VR::US, PrimitiveValue::from(15u16)));
        o.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(vec![0xABCD].into())));
    });
    assert!(decode(&shifted).unwrap().data == Samples::U16(vec![0xABC]));
}

#[test]
fn planes_are_interleaved_and_halved_colour_is_spread() {
    let planar = object((1, 2, 3, 8, 8, false, "RGB"), uids::EXPLICIT_VR_LITTLE_ENDIAN, |o| {
        o.put(DataElement::new(tags::PLANAR_CONFIGURATION, VR::US, PrimitiveValue::from(1u16)));
        o.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(vec![1, 2, 3, 4, 5, 6].into())));
    });
    assert!(decode(&planar).unwrap().data == Samples::U8(vec![1, 3, 5, 2, 4, 6]));
    let halved = bytes((1, 2, 3, 8, 8, false, "YBR_FULL_422"), &[10, 20, 128, 128]).unwrap();
    assert!(halved.data == Samples::U8(vec![10, 10, 10, 20, 20, 20]));
    assert_eq!(halved.photometric, Photometric::Rgb);
}

#[test]
fn padding_is_ignored_and_a_short_value_refused() {
    let shape = (3, 3, 1, 8, 8, false, "MONOCHROME1");
    assert_eq!(bytes(shape, &[7; 10]).unwrap().data.len(), 9);
    assert!(matches!(bytes(shape, &[7; 8]), Err(PixelError::Malformed(_))));
    assert!(matches!(bytes((3, 3, 1, 16, 16, false, "MONOCHROME2"), &[7; 17]), Err(PixelError::Malformed(_))));
}

#[test]
fn the_digest_is_of_little_endian_samples() {
    let frames = words((1, 2, 1, 16, 16, false, "MONOCHROME2"), &[0x0102, 0xFFFE]).unwrap();
    assert_eq!(frames.sha256, Digest::of(&[2, 1, 0xFE, 0xFF]));
}

#[test]
fn an_object_without_pixels_says_so() {
    let shape = (3, 3, 1, 8, 8, false, "MONOCHROME2");
    let bare = object(shape, uids::EXPLICIT_VR_LITTLE_ENDIAN, |_| ());
    assert_eq!(decode(&bare), Err(PixelError::NoPixels));
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let shape = (65535, 65535, 3, 16, 16, false, "RGB");
    assert!(matches!(words(shape, &[0; 64]), Err(PixelError::TooLarge(_))));
    let rle = encapsulated(shape, uids::RLE_LOSSLESS, vec![vec![0xFF; 64]]);
    assert!(matches!(decode(&rle), Err(PixelError::TooLarge(_))));
}

#[test]
fn debug_and_errors_show_no_samples() {
    let frames = bytes((1, 2, 1, 8, 8, false, "MONOCHROME2"), &[201, 202]).unwrap();
    assert!(!format!("{frames:?}").contains("201"));
}

proptest! {
    #[test]
    fn any_native_bytes_in_any_shape_decode_or_are_refused(
        rows in 0u16..6, columns in 0u16..6, samples in 0u16..5, allocated in prop::sample::select(vec![0u16, 1, 8, 12, 16, 32]),
        stored in 0u16..20, signed in any::<bool>(), photometric in 0usize..6, data in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let names = ["MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "PALETTE COLOR", "ARGB"];
        let _ = bytes((rows, columns, samples, allocated, stored, signed, names[photometric]), &data);
    }

    #[test]
    fn any_fragments_under_any_syntax_decode_or_are_refused(
        syntax in prop::sample::select(decodable_syntaxes()), fragments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 0..4),
        rgb in any::<bool>(),
    ) {
        let shape = if rgb { (4, 4, 3, 8, 8, false, "RGB") } else { (4, 4, 1, 16, 12, true, "MONOCHROME2") };
        let _ = decode(&encapsulated(shape, syntax, fragments));
    }
}
