//! What the validator promises, on datasets made here.

use std::io::Cursor;

use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::{TransferSyntaxIndex, TransferSyntaxRegistry};
use proptest::prelude::*;

use super::*;

const CLASS: &str = "1.2.840.10008.5.1.4.1.1.1.1";

/// Writes one element under any syntax.
fn element(syntax: Syntax, tag: Tag, vr: &str, length: u32, value: &[u8]) -> Vec<u8> {
    let big = syntax == Syntax::ExplicitBe;
    let short = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let long = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut bytes = [short(tag.group()), short(tag.element())].concat();
    let vr = if syntax == Syntax::ImplicitLe || tag.group() == ITEM_GROUP { "" } else { vr };
    bytes.extend(vr.as_bytes());
    match vr {
        "" => bytes.extend(long(length)),
        "OB" | "OW" | "SQ" | "UN" | "UT" => {
            bytes.extend([0, 0]);
            bytes.extend(long(length));
        }
        _ => bytes.extend(short(u16::try_from(length).unwrap())),
    }
    bytes.extend(value);
    bytes
}

fn whole(syntax: Syntax, tag: Tag, vr: &str, value: &[u8]) -> Vec<u8> {
    element(syntax, tag, vr, u32::try_from(value.len()).unwrap(), value)
}

fn number(syntax: Syntax, tag: Tag, n: u16) -> Vec<u8> {
    whole(syntax, tag, "US", &if syntax == Syntax::ExplicitBe { n.to_be_bytes() } else { n.to_le_bytes() })
}

fn identity(syntax: Syntax) -> Vec<u8> {
    [
        whole(syntax, tags::SOP_CLASS_UID, "UI", format!("{CLASS}\0").as_bytes()),
        whole(syntax, tags::SOP_INSTANCE_UID, "UI", b"1.2.3\0"),
    ]
    .concat()
}

fn description(syntax: Syntax, rows: u16, columns: u16) -> Vec<u8> {
    [
        number(syntax, tags::SAMPLES_PER_PIXEL, 1),
        number(syntax, tags::ROWS, rows),
        number(syntax, tags::COLUMNS, columns),
        number(syntax, tags::BITS_ALLOCATED, 16),
    ]
    .concat()
}

fn image(syntax: Syntax) -> Vec<u8> {
    [identity(syntax), description(syntax, 4, 2), whole(syntax, tags::PIXEL_DATA, "OW", &[7; 16])].concat()
}

fn check(syntax: Syntax, bytes: &[u8]) -> Result<Headers, Invalid> {
    validate_dataset(Cursor::new(bytes), syntax, bytes.len() as u64)
}

const LE: Syntax = Syntax::ExplicitLe;
const ALL: [Syntax; 3] = [Syntax::ImplicitLe, LE, Syntax::ExplicitBe];
const UNDEFINED: u32 = u32::MAX;
const SQ: Tag = tags::REFERENCED_STUDY_SEQUENCE;

#[test]
fn an_image_says_the_same_under_every_syntax() {
    for syntax in ALL {
        let headers = check(syntax, &image(syntax)).unwrap();
        assert_eq!(headers.sop_class_uid.as_str(), CLASS);
        assert_eq!(headers.sop_instance_uid.as_str(), "1.2.3");
        assert_eq!((headers.rows, headers.columns, headers.frames), (Some(4), Some(2), 1));
        assert_eq!(headers.pixels, Pixels::Native { length: 16 });
    }
}

#[test]
fn sequences_of_every_form_are_walked() {
    for syntax in ALL {
        let inner = whole(syntax, tags::STUDY_DATE, "DA", b"20200101");
        let open_item = [element(syntax, ITEM, "", UNDEFINED, &inner), whole(syntax, ITEM_END, "", &[])].concat();
        let items = [whole(syntax, ITEM, "", &inner), open_item].concat();
        let end = whole(syntax, SEQUENCE_END, "", &[]);
        let sequences = [whole(syntax, SQ, "SQ", &items), element(syntax, SQ, "SQ", UNDEFINED, &items), end].concat();
        check(syntax, &[identity(syntax), sequences].concat()).unwrap();
    }
}

/// Found by the property test below: dicom-object takes what is left of such a value for
/// the next header, and reads another structure than the one that was checked.
#[test]
fn a_value_that_is_no_whole_number_of_values_is_refused() {
    for syntax in ALL {
        for (tag, vr, bytes) in [
            (tags::FRAME_INCREMENT_POINTER, "AT", 2),
            (tags::REFERENCE_PIXEL_X0, "SL", 6),
            (tags::PIXEL_INTENSITY_RELATIONSHIP_SIGN, "SS", 3),
            (tags::DOPPLER_CORRECTION_ANGLE, "FD", 4),
        ] {
            let with = |bytes| check(syntax, &[identity(syntax), whole(syntax, tag, vr, &vec![0; bytes])].concat());
            assert!(matches!(with(bytes), Err(Invalid::Value { .. })), "{tag} {bytes}");
            with(8).unwrap();
        }
    }
}

/// Found by mutants: the decoder keeps what stands before a UID, and sees another instance.
#[test]
fn a_uid_is_padded_behind_alone() {
    for syntax in ALL {
        let class = whole(syntax, tags::SOP_CLASS_UID, "UI", format!("{CLASS}\0").as_bytes());
        let with =
            |uid: &[u8]| check(syntax, &[class.clone(), whole(syntax, tags::SOP_INSTANCE_UID, "UI", uid)].concat());
        assert_eq!(with(b"1.2.3\0").unwrap().sop_instance_uid.as_str(), "1.2.3");
        for uid in [b"\x001.2.3", b" 1.2.3"] {
            assert!(matches!(with(uid), Err(Invalid::Value { .. })), "{uid:?}");
        }
    }
}

#[test]
fn un_of_undefined_length_is_implicit_inside() {
    let implicit = Syntax::ImplicitLe;
    let item = whole(implicit, ITEM, "", &whole(implicit, tags::STUDY_DATE, "", b"20200101"));
    let end = whole(implicit, SEQUENCE_END, "", &[]);
    let un = element(LE, Tag(0x0009, 0x1001), "UN", UNDEFINED, &[item, end].concat());
    assert_eq!(check(LE, &[identity(LE), un].concat()).unwrap().unknown_sequences, 1);
    assert_eq!(check(LE, &image(LE)).unwrap().unknown_sequences, 0);
}

#[test]
fn fragments_are_counted_and_must_be_closed() {
    let open = element(LE, tags::PIXEL_DATA, "OB", UNDEFINED, &[]);
    let fragments = [whole(LE, ITEM, "", &[]), whole(LE, ITEM, "", &[1; 10])].concat();
    let end = whole(LE, SEQUENCE_END, "", &[]);
    let head = [identity(LE), description(LE, 100, 100)].concat();
    let headers = check(LE, &[&head[..], &open, &fragments, &end].concat()).unwrap();
    assert_eq!(headers.pixels, Pixels::Encapsulated { fragments: 2 });
    assert!(matches!(check(LE, &[&head[..], &open, &fragments].concat()), Err(Invalid::Unclosed { .. })));
}

#[test]
fn two_thousand_nested_levels_are_refused() {
    for syntax in ALL {
        let level = [element(syntax, SQ, "SQ", UNDEFINED, &[]), element(syntax, ITEM, "", UNDEFINED, &[])].concat();
        let error = check(syntax, &[identity(syntax), level.repeat(2000)].concat()).unwrap_err();
        assert!(matches!(error, Invalid::TooDeep { limit: MAX_DEPTH, .. }), "{error}");
    }
}

#[test]
fn nested_levels_of_defined_length_are_refused_even_without_a_vr() {
    for syntax in ALL {
        let mut bytes = Vec::new();
        for _ in 0..200 {
            bytes = whole(syntax, SQ, "SQ", &whole(syntax, ITEM, "", &bytes));
        }
        assert!(matches!(check(syntax, &bytes), Err(Invalid::TooDeep { .. })));
    }
}

#[test]
fn a_length_beyond_the_data_or_its_item_is_refused() {
    let two_gib = element(LE, Tag(0x0009, 0x1001), "OB", 1 << 31, b"ab");
    let error = check(LE, &[identity(LE), two_gib].concat()).unwrap_err();
    assert!(matches!(error, Invalid::TooLong { length: 0x8000_0000, remaining: 2, .. }), "{error}");
    // The dataset has the bytes, the item has not.
    let item = whole(LE, ITEM, "", &element(LE, tags::STUDY_DATE, "DA", 100, b"2020"));
    let error = check(LE, &[identity(LE), whole(LE, SQ, "SQ", &item), vec![0; 200]].concat()).unwrap_err();
    assert!(matches!(error, Invalid::TooLong { remaining: 4, .. }), "{error}");
}

#[test]
fn sixty_five_thousand_squared_pixels_in_64_bytes_are_refused() {
    for pixels in [whole(LE, tags::PIXEL_DATA, "OW", &[0; 64]), {
        let end = whole(LE, SEQUENCE_END, "", &[]);
        element(LE, tags::PIXEL_DATA, "OB", UNDEFINED, &[whole(LE, ITEM, "", &[0; 64]), end].concat())
    }] {
        let error = check(LE, &[identity(LE), description(LE, 65535, 65535), pixels].concat()).unwrap_err();
        assert!(matches!(error, Invalid::Pixels { rows: 65535, .. }), "{error}");
    }
}

#[test]
fn native_pixels_must_have_the_length_that_the_description_says() {
    let with = |n: usize| {
        check(LE, &[identity(LE), description(LE, 4, 2), whole(LE, tags::PIXEL_DATA, "OW", &vec![0; n])].concat())
    };
    assert!(with(16).is_ok());
    for wrong in [0, 14, 18, 64] {
        assert!(matches!(with(wrong), Err(Invalid::PixelLength { expected: 16, .. })), "{wrong}");
    }
}

#[test]
fn one_bit_pixels_are_packed_and_an_odd_length_may_be_padded() {
    let with = |bits: u16, n: usize| {
        let mut bytes = [identity(LE), number(LE, tags::SAMPLES_PER_PIXEL, 1), number(LE, tags::ROWS, 3)].concat();
        bytes.extend([number(LE, tags::COLUMNS, 3), number(LE, tags::BITS_ALLOCATED, bits)].concat());
        bytes.extend(whole(LE, tags::PIXEL_DATA, "OB", &vec![0; n]));
        check(LE, &bytes).is_ok()
    };
    assert!(with(1, 2) && !with(1, 9) && with(8, 9) && with(8, 10) && !with(8, 11));
}

#[test]
fn a_second_identity_is_refused() {
    let error = check(LE, &[identity(LE), identity(LE)].concat()).unwrap_err();
    assert!(matches!(error, Invalid::Duplicate { tag: tags::SOP_CLASS_UID, .. }), "{error}");
    let error = check(LE, &[image(LE), whole(LE, tags::PIXEL_DATA, "OW", &[])].concat()).unwrap_err();
    assert!(matches!(error, Invalid::Duplicate { tag: tags::PIXEL_DATA, .. }), "{error}");
}

#[test]
fn an_item_may_name_another_instance() {
    let item = whole(LE, ITEM, "", &identity(LE));
    assert!(check(LE, &[identity(LE), whole(LE, SQ, "SQ", &item)].concat()).is_ok());
}

#[test]
fn too_many_elements_are_refused() {
    let error =
        check(LE, &[identity(LE), whole(LE, Tag(9, 1), "LO", &[]).repeat(MAX_ELEMENTS as usize)].concat()).unwrap_err();
    assert!(matches!(error, Invalid::TooMany { .. }), "{error}");
}

#[test]
fn a_value_over_a_mebibyte_is_refused_unless_it_is_pixels_or_overlay() {
    let with = |tag, n: u32| check(LE, &[identity(LE), whole(LE, tag, "OB", &vec![0; n as usize])].concat());
    assert!(with(Tag(9, 0x1001), MAX_VALUE_BYTES).is_ok());
    assert!(matches!(with(Tag(9, 0x1001), MAX_VALUE_BYTES + 1), Err(Invalid::TooLarge { .. })));
    assert!(with(Tag(0x6000, 0x3000), MAX_VALUE_BYTES + 2).is_ok());
}

#[test]
fn every_truncation_of_an_image_is_refused_or_lacks_its_pixels() {
    for syntax in ALL {
        let bytes = image(syntax);
        for length in 0..bytes.len() {
            let cut = check(syntax, &bytes[..length]);
            assert!(cut.is_err() || cut.is_ok_and(|h| h.pixels == Pixels::Absent), "{length}");
        }
    }
}

#[test]
fn a_message_says_tag_and_offset_and_no_value() {
    let error =
        check(LE, &[identity(LE), element(LE, tags::PATIENT_NAME, "PN", 99, b"Doe^Jane")].concat()).unwrap_err();
    assert_eq!(error.to_string(), "(0010,0010) at byte 50 claims 99 bytes where 8 remain");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_always_end(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        for syntax in ALL {
            let _ = check(syntax, &bytes);
        }
    }

    #[test]
    fn damaged_images_never_panic_and_always_end(
        which in 0..3usize,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let syntax = ALL[which];
        let item = element(syntax, ITEM, "", UNDEFINED, &[identity(syntax), whole(syntax, ITEM_END, "", &[])].concat());
        let end = whole(syntax, SEQUENCE_END, "", &[]);
        let mut bytes = [element(syntax, SQ, "SQ", UNDEFINED, &[item, end].concat()), image(syntax)].concat();
        for (at, byte) in &damage {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        for syntax in ALL {
            let _ = check(syntax, &bytes);
        }
    }

    /// The decoder behind us must see the structure that was checked.
    #[test]
    fn what_is_let_through_dicom_object_reads_too(
        which in 0..3usize,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let syntax = ALL[which];
        let mut bytes = image(syntax);
        let item = whole(syntax, ITEM, "", &identity(syntax));
        bytes.extend(whole(syntax, Tag(0x0088, 0x0200), "SQ", &item));
        for (at, byte) in &damage {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if check(syntax, &bytes).is_ok_and(|headers| headers.unknown_sequences == 0) {
            let uid = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"][which];
            let transfer_syntax = TransferSyntaxRegistry.get(uid).unwrap();
            let read = InMemDicomObject::read_dataset_with_ts(&bytes[..], transfer_syntax);
            prop_assert!(read.is_ok(), "{:?}", read.err());
        }
    }
}

/// Found by fuzzing: eight characters under UL are a UID to one and two numbers to another.
#[test]
fn what_is_looked_into_stands_under_a_type_that_the_decoder_reads_alike() {
    for syntax in [LE, Syntax::ExplicitBe] {
        let with = |vr: &str, uid: &[u8]| {
            let class = whole(syntax, tags::SOP_CLASS_UID, "UI", format!("{CLASS}\0").as_bytes());
            check(syntax, &[class, whole(syntax, tags::SOP_INSTANCE_UID, vr, uid)].concat())
        };
        for vr in ["UL", "US", "FD", "AT", "OB", "UN"] {
            assert!(matches!(with(vr, b"1.2.3.45"), Err(Invalid::Value { .. })), "{vr}");
        }
        for vr in ["UI", "LO", "UT"] {
            assert!(with(vr, b"1.2.3.45").is_ok(), "{vr}");
        }
        let rows = |vr: &str| {
            let others = description(syntax, 4, 2);
            let at = others.windows(2).position(|pair| pair == b"US").unwrap() + 10;
            let mut bytes = others.clone();
            bytes.splice(at..at + 2, vr.bytes());
            let bytes = [identity(syntax), bytes, whole(syntax, tags::PIXEL_DATA, "OW", &[7; 16])].concat();
            check(syntax, &bytes)
        };
        assert!(rows("US").is_ok() && matches!(rows("SS"), Err(Invalid::Value { .. })));
    }
}
