//! Pixels: from an object's Pixel Data to samples that mean what the header says.
//!
//! Every bound is checked before anything is allocated for the claim. Native, RLE,
//! JPEG (12-bit and lossless) are decoded here; 8-bit JPEG and JPEG 2000 by the
//! decoders behind `vendor`. Runs in the reader process: no network, no key.

mod assemble;
mod colour;
mod fragments;
mod jpeg;
mod jpeg2000;
mod layout;
mod native;
mod rle;
mod syntax;
mod vendor;

#[cfg(test)]
pub(crate) mod real_files;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod wrap;

pub use layout::{LARGEST_DECODED_BYTES, LARGEST_PIXELS};
pub use syntax::decodable_syntaxes;

use std::borrow::Cow;

use dicom_core::value::Value;
use dicom_dictionary_std::tags;
use dicom_object::DefaultDicomObject;

use crate::digest::Digest;
use assemble::Assembly;
use layout::Layout;
use syntax::Syntax;

/// Decoded pixels of one instance, all frames.
#[derive(Clone, PartialEq)]
pub struct Frames {
    /// Height of a frame in pixels, 1 to 65535.
    pub rows: u32,
    /// Width of a frame in pixels, 1 to 65535.
    pub columns: u32,
    /// Samples a pixel: 1, or 3 interleaved.
    pub samples_per_pixel: u32,
    /// Number of frames, at least 1.
    pub frames: u32,
    /// Bits that carry the value of a sample, 1 to 16.
    pub bits_stored: u32,
    /// Whether samples are two's complement numbers.
    pub signed: bool,
    /// What the samples mean, after decoding: a YBR image is RGB here.
    pub photometric: Photometric,
    /// `frames × rows × columns × samples_per_pixel` samples, frame by frame, row by row.
    pub data: Samples,
    /// SHA-256 of `data` as little-endian bytes.
    pub sha256: Digest,
}

/// Samples in the narrowest type that holds them, bits above Bits Stored cleared or
/// sign-extended.
#[derive(Clone, PartialEq)]
pub enum Samples {
    /// Unsigned, 8 bits allocated.
    U8(Vec<u8>),
    /// Unsigned, 16 bits allocated.
    U16(Vec<u16>),
    /// Signed, 8 or 16 bits allocated.
    I16(Vec<i16>),
}

/// Photometric Interpretation (0028,0004) of decoded samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Photometric {
    /// The lowest value is white.
    Monochrome1,
    /// The lowest value is black.
    Monochrome2,
    /// Red, green, blue.
    Rgb,
    /// Indices into the object's palette.
    Palette,
}

/// Why there are no `Frames`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PixelError {
    /// The object has no Pixel Data (7FE0,0010).
    #[error("no pixel data")]
    NoPixels,
    /// An attribute that decoding needs is absent.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The header contradicts itself, the pixel data or the standard.
    #[error("{0}")]
    Malformed(String),
    /// A named bound is exceeded.
    #[error("{0}")]
    TooLarge(String),
    /// This build has no decoder for it; the words name it.
    #[error("{0}")]
    Undecodable(String),
    /// The compressed stream is damaged.
    #[error("damaged {syntax} stream: {what}")]
    Corrupt {
        /// The compression.
        syntax: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

/// Decodes all frames of `object`.
///
/// # Errors
/// `NoPixels`, `Missing`, `Malformed` and `TooLarge` before any pixel is touched;
/// `Undecodable` and `Corrupt` from the decoders. A panic inside a decoder of others
/// is `Corrupt` too; an abort is contained by the process.
pub fn decode(object: &DefaultDicomObject) -> Result<Frames, PixelError> {
    let element = object.get(tags::PIXEL_DATA).ok_or(PixelError::NoPixels)?;
    let layout = Layout::from_object(object)?;
    let syntax = Syntax::of(object.meta().transfer_syntax())?;
    let assembly = match (element.value(), syntax) {
        (Value::PixelSequence(sequence), syntax) if syntax != Syntax::Native => {
            let mut assembly = Assembly::new(&layout);
            let frames = fragments::by_frame(sequence.offset_table(), sequence.fragments(), layout.frames as usize)?;
            for frame in frames {
                assembly.push(decode_frame(&frame, syntax, &layout)?)?;
            }
            assembly
        }
        (Value::Primitive(value), Syntax::Native) => native::decode(value, &layout)?,
        _ => return Err(PixelError::Malformed("pixel data does not match its transfer syntax".into())),
    };
    assembly.finish()
}

/// One compressed frame.
fn decode_frame(stream: &[u8], syntax: Syntax, layout: &Layout) -> Result<Frame<'static>, PixelError> {
    match syntax {
        Syntax::Rle => rle::decode(stream, layout),
        Syntax::Jpeg => jpeg::decode(stream, layout),
        Syntax::Jpeg2000 => jpeg2000::decode(stream, layout),
        Syntax::JpegLs => jpeg::decode_ls(stream, layout),
        Syntax::Native => Err(PixelError::Malformed("uncompressed pixel data in fragments".into())),
    }
}

/// One decoded frame as a codec left it: interleaved, high bits not yet dealt with.
struct Frame<'a> {
    samples: Raw<'a>,
    /// Bits of a sample in the stream, where the stream knows better than the header.
    precision: Option<u32>,
    /// Whether the stream says that samples are signed.
    signed: bool,
    colour: Colour,
}

/// Samples as unsigned words, in the width the codec produced; what is not compressed may stay
/// where it is.
enum Raw<'a> {
    Bytes(Cow<'a, [u8]>),
    Words(Cow<'a, [u16]>),
}

impl Raw<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Words(words) => words.len(),
        }
    }
}

/// What colour space a codec left its three samples in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    /// As the header says.
    AsStated,
    /// Already RGB, whatever the header says.
    Rgb,
    /// Full-range YCbCr, whatever the header says.
    Ybr,
}

impl Samples {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::I16(values) => values.len(),
        }
    }

    /// Whether there are none; never of decoded frames.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sample at `index`, or 0 past the end.
    #[must_use]
    pub fn get(&self, index: usize) -> i32 {
        match self {
            Self::U8(values) => values.get(index).map_or(0, |v| i32::from(*v)),
            Self::U16(values) => values.get(index).map_or(0, |v| i32::from(*v)),
            Self::I16(values) => values.get(index).map_or(0, |v| i32::from(*v)),
        }
    }
}

impl std::fmt::Debug for Frames {
    /// The shape only: pixels are patient data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Frames({} x {}x{}x{}, {} bits, {:?})",
            self.frames, self.columns, self.rows, self.samples_per_pixel, self.bits_stored, self.photometric
        )
    }
}
