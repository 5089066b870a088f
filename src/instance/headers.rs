//! `Headers`: what the main dataset says about itself, and whether its pixels can be true.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::invalid::Invalid;
use super::syntax::{EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, Syntax};
use super::uid::Uid;

/// Most pixels of one instance (rows · columns · frames): 16 bits each they are 256 MiB,
/// what a reader process may still hold.
pub const MAX_PIXELS: u64 = 128 * 1024 * 1024;
/// Longest value that is looked into: a UID with its padding.
pub(super) const MAX_CAPTURED_BYTES: u32 = 66;

/// RLE lossless.
const RLE: &str = "1.2.840.10008.1.2.5";
/// How the transfer syntaxes of JPEG and its kin begin (PS3.5 A.4).
const COMPRESSED: &str = "1.2.840.10008.1.2.4.";

/// What the top level of a valid dataset says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// SOP Class UID (0008,0016).
    pub sop_class_uid: Uid,
    /// SOP Instance UID (0008,0018).
    pub sop_instance_uid: Uid,
    /// Samples per Pixel (0028,0002).
    pub samples_per_pixel: Option<u16>,
    /// Rows (0028,0010), in pixels.
    pub rows: Option<u16>,
    /// Columns (0028,0011), in pixels.
    pub columns: Option<u16>,
    /// Number of Frames (0028,0008); 1 where absent.
    pub frames: u32,
    /// Bits Allocated (0028,0100).
    pub bits_allocated: Option<u16>,
    /// Quality Control Image (0028,0300) is YES: a phantom or another test object.
    pub quality_control: bool,
    /// Pixel Data (7FE0,0010).
    pub pixels: Pixels,
    /// How many UN of undefined length there are, at any depth. They were walked as the
    /// standard says, implicit inside (PS3.5 6.2.2); dicom-object 0.10 reads them as
    /// explicit, so where this is not 0 its reading is not the one that was checked.
    pub unknown_sequences: u32,
}

/// How the pixels are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// Not at all.
    Absent,
    /// Uncompressed, of the length that the image description says.
    Native {
        /// Length in bytes, padding included.
        length: u64,
    },
    /// In fragments (PS3.5 A.4).
    Encapsulated {
        /// How many, the offset table included.
        fragments: u32,
    },
}

/// The same while it is being collected.
#[derive(Default)]
pub(super) struct Facts {
    seen: u16,
    sop_class_uid: Option<Uid>,
    sop_instance_uid: Option<Uid>,
    samples_per_pixel: Option<u16>,
    halved_colour: bool,
    frames: Option<u32>,
    rows: Option<u16>,
    columns: Option<u16>,
    bits_allocated: Option<u16>,
    quality_control: bool,
    pixels: Option<Pixels>,
    unknown_sequences: u32,
}

/// The elements of the main dataset that are looked into, each of which may occur once.
const CAPTURED: [Tag; 9] = [
    tags::SOP_CLASS_UID,
    tags::SOP_INSTANCE_UID,
    tags::SAMPLES_PER_PIXEL,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::NUMBER_OF_FRAMES,
    tags::ROWS,
    tags::COLUMNS,
    tags::BITS_ALLOCATED,
    tags::QUALITY_CONTROL_IMAGE,
];

impl Facts {
    /// Whether `tag` is looked into.
    pub fn wants(tag: Tag) -> bool {
        CAPTURED.contains(&tag)
    }

    /// Notes that an element of the main dataset begins.
    pub fn sees(&mut self, tag: Tag, offset: u64) -> Result<(), Invalid> {
        let index = CAPTURED.iter().position(|t| *t == tag).or((tag == tags::PIXEL_DATA).then_some(CAPTURED.len()));
        let Some(index) = index else { return Ok(()) };
        if self.seen & (1 << index) != 0 {
            return Err(Invalid::Duplicate { tag, offset });
        }
        self.seen |= 1 << index;
        Ok(())
    }

    /// Takes in the value of a wanted element; an empty value is no value.
    pub fn take(&mut self, tag: Tag, offset: u64, value: &[u8], syntax: Syntax) -> Result<(), Invalid> {
        let wrong = |expected| Invalid::Value { tag, offset, expected };
        let text = || std::str::from_utf8(value).map(|t| t.trim_matches([' ', '\0']));
        // Padded behind and nowhere else (PS3.5 9.1): the decoder takes no more off.
        let uid = || std::str::from_utf8(value).ok().and_then(|t| t.parse().ok()).ok_or_else(|| wrong("a UID"));
        let frames = || text().ok().and_then(|t| t.parse().ok()).ok_or_else(|| wrong("a number of frames"));
        let number = || value.try_into().map(|v| syntax.u16(v)).map_err(|_| wrong("one 16-bit number"));
        if value.is_empty() {
            return Ok(());
        }
        match tag {
            tags::SOP_CLASS_UID => self.sop_class_uid = Some(uid()?),
            tags::SOP_INSTANCE_UID => self.sop_instance_uid = Some(uid()?),
            tags::SAMPLES_PER_PIXEL => self.samples_per_pixel = Some(number()?),
            tags::ROWS => self.rows = Some(number()?),
            tags::COLUMNS => self.columns = Some(number()?),
            tags::BITS_ALLOCATED => self.bits_allocated = Some(number()?),
            tags::PHOTOMETRIC_INTERPRETATION => self.halved_colour = text().is_ok_and(|t| t.ends_with("_422")),
            tags::QUALITY_CONTROL_IMAGE => self.quality_control = text().is_ok_and(says_yes),
            tags::NUMBER_OF_FRAMES if text() != Ok("") => self.frames = Some(frames()?),
            _ => {}
        }
        Ok(())
    }

    /// Notes how the pixel data is there.
    pub fn pixels(&mut self, pixels: Pixels) {
        self.pixels = Some(pixels);
    }

    /// One more UN of undefined length.
    pub fn unknown_sequence(&mut self) {
        self.unknown_sequences += 1;
    }

    /// One more fragment of pixel data.
    pub fn fragment(&mut self) {
        if let Some(Pixels::Encapsulated { fragments }) = &mut self.pixels {
            *fragments += 1;
        }
    }

    /// What was collected, if it is complete and its numbers agree.
    pub fn conclude(self) -> Result<Headers, Invalid> {
        let halved_colour = self.halved_colour;
        let missing = |tag| move || Invalid::Missing { tag };
        let headers = Headers {
            sop_class_uid: self.sop_class_uid.ok_or_else(missing(tags::SOP_CLASS_UID))?,
            sop_instance_uid: self.sop_instance_uid.ok_or_else(missing(tags::SOP_INSTANCE_UID))?,
            samples_per_pixel: self.samples_per_pixel,
            rows: self.rows,
            columns: self.columns,
            frames: self.frames.unwrap_or(1),
            bits_allocated: self.bits_allocated,
            quality_control: self.quality_control,
            pixels: self.pixels.unwrap_or(Pixels::Absent),
            unknown_sequences: self.unknown_sequences,
        };
        headers.check_pixels(halved_colour)?;
        Ok(headers)
    }
}

/// Whether pixel data under a transfer syntax is in fragments; `None` for a private one.
fn encapsulates(transfer_syntax: &Uid) -> Option<bool> {
    match transfer_syntax.as_str() {
        IMPLICIT_LE | EXPLICIT_LE | EXPLICIT_BE => Some(false),
        RLE => Some(true),
        other => other.starts_with(COMPRESSED).then_some(true),
    }
}

/// Whether the first of a coded string's values (PS3.5 6.2, 6.4) is YES.
fn says_yes(text: &str) -> bool {
    text.split('\\').next().is_some_and(|first| first.trim().eq_ignore_ascii_case("YES"))
}

impl Headers {
    /// Whether the pixels are there in the way of `transfer_syntax` (PS3.5 A.1 to A.4).
    ///
    /// # Errors
    /// They are in fragments where it has none, or bare where it compresses.
    pub fn check_encoding(&self, transfer_syntax: &Uid) -> Result<(), Invalid> {
        match (self.pixels, encapsulates(transfer_syntax)) {
            (Pixels::Encapsulated { .. }, Some(false)) => Err(Invalid::Encoding { expected: "bare" }),
            (Pixels::Native { .. }, Some(true)) => Err(Invalid::Encoding { expected: "in fragments" }),
            _ => Ok(()),
        }
    }

    fn check_pixels(&self, halved_colour: bool) -> Result<(), Invalid> {
        if self.pixels == Pixels::Absent {
            return Ok(());
        }
        let missing = |tag| move || Invalid::Missing { tag };
        let rows = self.rows.ok_or_else(missing(tags::ROWS))?;
        let columns = self.columns.ok_or_else(missing(tags::COLUMNS))?;
        let frames = self.frames;
        // At most 2^64 - 2^48: no overflow.
        let pixels = u64::from(rows) * u64::from(columns) * u64::from(frames);
        if !(1..=MAX_PIXELS).contains(&pixels) {
            return Err(Invalid::Pixels { rows, columns, frames, limit: MAX_PIXELS });
        }
        let Pixels::Native { length } = self.pixels else { return Ok(()) };
        let bits = self.bits_allocated.ok_or_else(missing(tags::BITS_ALLOCATED))?;
        let samples = self.samples_per_pixel.ok_or_else(missing(tags::SAMPLES_PER_PIXEL))?;
        let bytes = |samples: u16| (u128::from(pixels) * u128::from(samples) * u128::from(bits)).div_ceil(8);
        // Values have even length (PS3.5 7.1.1): an odd one may be padded by a byte.
        let fits =
            |expected: u128| u128::from(length) == expected || u128::from(length) == expected.next_multiple_of(2);
        // Uncompressed 4:2:2 colour stores two chrominance samples for two pixels (PS3.3 C.7.6.3.1.2).
        let halved_fits = halved_colour && samples == 3 && fits(bytes(2));
        let expected = bytes(samples);
        if expected > 0 && (fits(expected) || halved_fits) {
            Ok(())
        } else {
            Err(Invalid::PixelLength { length, expected })
        }
    }
}
