//! A JPEG file, or those of a clip's frames, as a DICOM file, so that the very same reader reads it.
//!
//! Each stream goes in byte for byte, encapsulated (PS3.5 A.4), under a Secondary Capture
//! header (PS3.3 A.8.1) that states what the index states. What the index does not state
//! is left out, and the reader then refuses the image, unless the caller says what to
//! assume; what was assumed is told. EXIF orientation is not applied.

use dicom_core::value::PixelFragmentSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use super::index::{Index, Row};
use crate::digest::Digest;
use crate::infer::manifest::AppliesTo;

/// Oldest age in years that is taken from an index.
const OLDEST_YEARS: f64 = 150.0;

/// What a header states for routing; `None` is not stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub modality: Option<String>,
    pub body_part: Option<String>,
    pub view: Option<String>,
    /// An age string (AS, PS3.5 6.2).
    pub age: Option<String>,
    /// Whether the index states an age that is none: nothing is assumed over it.
    pub age_unclear: bool,
    /// Whether the age is the middle of a cohort's range.
    pub age_of_cohort: bool,
    pub sex: Option<String>,
}

impl Header {
    /// What the index states of `row`.
    pub fn stated(index: &Index, row: &Row) -> Self {
        let code = |name| index.value(row, name).map(str::to_uppercase);
        let stated = index.value(row, "age");
        let age = stated.and_then(age_string);
        Self {
            modality: code("modality"),
            body_part: code("body_part"),
            view: code("view"),
            age_of_cohort: age.is_some() && stated.is_some_and(|text| text.contains('-')),
            age_unclear: stated.is_some() && age.is_none(),
            age,
            sex: code("sex").filter(|sex| matches!(sex.as_str(), "F" | "M" | "O")),
        }
    }

    /// Fills in, from what the bundle applies to, what is not stated; gives what it filled in.
    pub fn assume(&mut self, applies: &AppliesTo) -> Vec<&'static str> {
        let mut assumed = Vec::new();
        let range = applies.age_years;
        let age = format!("{:03}Y", range.min.midpoint(range.max));
        for (name, slot, value) in [
            ("modality", &mut self.modality, applies.modality.first()),
            ("body_part", &mut self.body_part, applies.body_part.first()),
            ("view", &mut self.view, applies.view.first()),
            ("age", &mut self.age, Some(&age).filter(|_| !self.age_unclear)),
        ] {
            if let (None, Some(value)) = (&slot, value) {
                *slot = Some(value.clone());
                assumed.push(name);
            }
        }
        assumed
    }
}

/// Years (`58`, `4.5`), an age string (`058Y`) or a cohort's range of years (`1-5y`: its
/// middle), whatever stands in brackets after it; anything else is no age.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 150 years are checked first")]
fn age_string(text: &str) -> Option<String> {
    let text = text.split('(').next()?.trim();
    if let Some((low, high)) = text.trim_end_matches(['y', 'Y']).split_once('-') {
        let (low, high): (u8, u8) = (low.parse().ok()?, high.parse().ok()?);
        return (low <= high).then(|| format!("{:03}Y", low.midpoint(high)));
    }
    let unit = text.chars().last()?.to_ascii_uppercase();
    if matches!(unit, 'Y' | 'M' | 'W' | 'D') {
        let count: u16 = text[..text.len() - 1].trim().parse().ok().filter(|count| *count < 1000)?;
        return Some(format!("{count:03}{unit}"));
    }
    let years: f64 = text.parse().ok().filter(|years| (0.0..=OLDEST_YEARS).contains(years))?;
    let months = (years * 12.0).floor() as u32;
    let whole = years.fract() == 0.0 || months > 999;
    Some(if whole { format!("{:03}Y", years.floor() as u32) } else { format!("{months:03}M") })
}

/// What a JPEG's frame header says (ITU-T T.81 B.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    syntax: &'static str,
    bits: u8,
    rows: u16,
    columns: u16,
    components: u8,
}

/// The Part 10 file of a JPEG, or of several alike as the frames of one cine.
///
/// # Errors
/// A stream has no frame header, or one that DICOM has no transfer syntax for, or another than
/// the first, in words.
pub(super) fn part10(jpegs: Vec<Vec<u8>>, header: &Header) -> Result<Vec<u8>, String> {
    let frames = jpegs.iter().map(|jpeg| frame(jpeg)).collect::<Result<Vec<_>, _>>()?;
    let Some(&frame) = frames.first() else { return Err("no frame".into()) };
    if frames.iter().any(|other| *other != frame) {
        return Err("a clip whose frames differ in size or kind: one cine has one size".into());
    }
    let photometric = match frame.components {
        1 => "MONOCHROME2",
        3 => "YBR_FULL",
        other => return Err(format!("a JPEG of {other} colour components; 1 or 3 are read")),
    };
    let instance = uid(&jpegs);
    let mut object = InMemDicomObject::new_empty();
    for (tag, vr, text) in [
        (tags::SOP_CLASS_UID, VR::UI, Some(uids::SECONDARY_CAPTURE_IMAGE_STORAGE)),
        (tags::SOP_INSTANCE_UID, VR::UI, Some(instance.as_str())),
        (tags::CONVERSION_TYPE, VR::CS, Some("WSD")),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, Some(photometric)),
        (tags::MODALITY, VR::CS, header.modality.as_deref()),
        (tags::BODY_PART_EXAMINED, VR::CS, header.body_part.as_deref()),
        (tags::VIEW_POSITION, VR::CS, header.view.as_deref()),
        (tags::PATIENT_AGE, VR::AS, header.age.as_deref()),
        (tags::PATIENT_SEX, VR::CS, header.sex.as_deref()),
    ] {
        if let Some(text) = text {
            object.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
        }
    }
    for (tag, value) in words(&frame) {
        object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
    }
    if jpegs.len() > 1 {
        let count = PrimitiveValue::from(jpegs.len().to_string());
        object.put(DataElement::new(tags::NUMBER_OF_FRAMES, VR::IS, count));
    }
    let mut fragments = jpegs;
    for fragment in fragments.iter_mut().filter(|fragment| fragment.len() % 2 == 1) {
        fragment.push(0);
    }
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PixelFragmentSequence::new(Vec::new(), fragments)));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(frame.syntax)
        .media_storage_sop_class_uid(uids::SECONDARY_CAPTURE_IMAGE_STORAGE)
        .media_storage_sop_instance_uid(instance);
    let object = object.with_meta(meta).map_err(|e| format!("no header could be made: {e}"))?;
    let mut file = Vec::new();
    object.write_all(&mut file).map_err(|e| format!("no DICOM file could be made: {e}"))?;
    Ok(file)
}

fn words(frame: &Frame) -> Vec<(Tag, u16)> {
    let mut words = vec![
        (tags::SAMPLES_PER_PIXEL, u16::from(frame.components)),
        (tags::ROWS, frame.rows),
        (tags::COLUMNS, frame.columns),
        (tags::BITS_ALLOCATED, if frame.bits > 8 { 16 } else { 8 }),
        (tags::BITS_STORED, u16::from(frame.bits)),
        (tags::HIGH_BIT, u16::from(frame.bits).saturating_sub(1)),
        (tags::PIXEL_REPRESENTATION, 0),
    ];
    if frame.components == 3 {
        words.push((tags::PLANAR_CONFIGURATION, 0));
    }
    words
}

/// The first frame header, found by walking the marker segments.
fn frame(jpeg: &[u8]) -> Result<Frame, String> {
    let cut = || "a JPEG that ends before its frame header".to_owned();
    let mut at = 2;
    loop {
        let [0xFF, marker, rest @ ..] = jpeg.get(at..).ok_or_else(cut)? else { return Err(cut()) };
        let marker = *marker;
        let length = match (marker, rest) {
            // Fill bytes and markers without a segment (B.1.1.2, B.1.1.3).
            (0xFF, _) => {
                at += 1;
                continue;
            }
            (0x01 | 0xD0..=0xD7, _) => 0,
            (_, [high, low, ..]) => usize::from(u16::from_be_bytes([*high, *low])),
            _ => return Err(cut()),
        };
        let syntax = match marker {
            // Progressive has no transfer syntax of its own since 2004; the decoder tells by the marker.
            0xC0 | 0xC2 => uids::JPEG_BASELINE8_BIT,
            0xC1 => uids::JPEG_EXTENDED12_BIT,
            0xC3 => uids::JPEG_LOSSLESS,
            0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => return Err(format!("a JPEG of process SOF{}", marker - 0xC0)),
            0xD9 | 0xDA => return Err("a JPEG without a frame header".into()),
            _ => {
                at += 2 + length;
                continue;
            }
        };
        let &[_, _, bits, r1, r0, c1, c0, components, ..] = rest else { return Err(cut()) };
        let (rows, columns) = (u16::from_be_bytes([r1, r0]), u16::from_be_bytes([c1, c0]));
        return Ok(Frame { syntax, bits, rows, columns, components });
    }
}

/// A UID under 2.25 (PS3.5 B.2) from a name-based UUID (RFC 9562, version 8) of the streams.
fn uid(jpegs: &[Vec<u8>]) -> String {
    let digest = Digest::of(&jpegs.concat());
    let (bytes, _) = digest.as_bytes().split_first_chunk::<16>().expect("a digest has 32 bytes");
    let mut number = u128::from_be_bytes(*bytes);
    number = (number & !(0xF << 76)) | (8 << 76);
    number = (number & !(0b11 << 62)) | (0b10 << 62);
    format!("2.25.{number}")
}

#[cfg(test)]
mod tests {
    use dicom_object::DefaultDicomObject;

    use super::*;
    use crate::infer::manifest::AgeRange;

    /// A baseline stream's head: SOI, a comment, a frame header of 300 x 200.
    fn head(sof: u8, components: u8) -> Vec<u8> {
        let mut jpeg = vec![0xFF, 0xD8, 0xFF, 0xFE, 0, 4, 0xFF, 0xC0, 0xFF, 0xFF, sof, 0, 11, 8];
        jpeg.extend([0, 200, 1, 44, components, 1, 0x11, 0]);
        jpeg
    }

    fn open(file: &[u8]) -> DefaultDicomObject {
        dicom_object::from_reader(std::io::Cursor::new(file)).unwrap()
    }

    fn applies() -> AppliesTo {
        let one = |text: &str| vec![text.to_owned()];
        AppliesTo {
            modality: one("CR"),
            body_part: one("CHEST"),
            view: one("AP"),
            age_years: AgeRange { min: 1, max: 5 },
        }
    }

    #[test]
    fn nothing_is_stated_that_the_index_does_not_state() {
        let index = Index::parse("file,labels,group_id,view,age\nx,normal,g,pa,\ny,normal,g,,adult\n").unwrap();
        let mut header = Header::stated(&index, &index.rows[0]);
        let object = open(&part10(vec![head(0xC0, 1)], &header).unwrap());
        assert_eq!(object.get(tags::VIEW_POSITION).unwrap().to_str().unwrap(), "PA");
        for tag in [tags::MODALITY, tags::BODY_PART_EXAMINED, tags::PATIENT_AGE] {
            assert!(object.get(tag).is_none(), "{tag}");
        }
        assert_eq!(header.assume(&applies()), ["modality", "body_part", "age"]);
        assert_eq!((header.view.as_deref(), header.age.as_deref()), (Some("PA"), Some("003Y")));
        assert!(header.assume(&applies()).is_empty());
        // An age that is not understood is not taken for one that is not there.
        assert_eq!(Header::stated(&index, &index.rows[1]).assume(&applies()), ["modality", "body_part", "view"]);
    }

    #[test]
    fn the_stream_goes_in_as_it_is_with_the_size_of_its_frame_header() {
        let object = open(&part10(vec![head(0xC1, 3)], &Header::default()).unwrap());
        let number = |tag| object.get(tag).unwrap().to_int::<u16>().unwrap();
        assert_eq!((number(tags::ROWS), number(tags::COLUMNS), number(tags::SAMPLES_PER_PIXEL)), (200, 300, 3));
        assert_eq!(object.meta().transfer_syntax(), uids::JPEG_EXTENDED12_BIT);
        let fragments = object.get(tags::PIXEL_DATA).unwrap().fragments().unwrap();
        assert_eq!(fragments[0], head(0xC1, 3));
    }

    #[test]
    fn the_frames_of_a_clip_become_one_cine_if_they_are_alike() {
        let object = open(&part10(vec![head(0xC0, 1), head(0xC0, 1)], &Header::default()).unwrap());
        assert_eq!(object.get(tags::NUMBER_OF_FRAMES).unwrap().to_int::<u32>().unwrap(), 2);
        assert_eq!(object.get(tags::PIXEL_DATA).unwrap().fragments().unwrap().len(), 2);
        let error = part10(vec![head(0xC0, 1), head(0xC0, 3)], &Header::default()).unwrap_err();
        assert!(error.contains("one cine has one size"), "{error}");
    }

    #[test]
    fn what_is_no_readable_jpeg_says_so() {
        for (jpeg, words) in [
            (vec![0xFF, 0xD8], "ends before"),
            (vec![0xFF, 0xD8, 0xFF, 0xDA, 0, 2], "without a frame header"),
            (head(0xC9, 1), "SOF9"),
            (head(0xC0, 4), "4 colour components"),
        ] {
            let error = part10(vec![jpeg], &Header::default()).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn ages_in_years_and_cohorts_become_age_strings_and_the_rest_does_not() {
        for (text, age) in [
            ("58", "058Y"),
            ("4.5", "054M"),
            ("007y", "007Y"),
            ("18M", "018M"),
            ("120.5", "120Y"),
            ("1-5y (cohort)", "003Y"),
        ] {
            assert_eq!(age_string(text).as_deref(), Some(age));
        }
        for text in ["5-1y", "1-", "-3", "adult", "200", "", "NaN", "\u{e4}"] {
            assert_eq!(age_string(text), None, "{text}");
        }
    }
}
