//! Frames as codecs left them become `Frames`: unused bits, sign, colour, digest.

use super::colour::ybr_to_rgb;
use super::layout::{Layout, Stated};
use super::{Colour, Frame, Frames, Photometric, PixelError, Raw, Samples};
use crate::digest::Digester;

/// Samples hashed at a time.
const HASH_CHUNK: usize = 1 << 15;

/// Decoded frames so far.
pub(super) struct Assembly {
    layout: Layout,
    /// From the first frame: later ones must agree.
    bits: Option<Bits>,
    data: Samples,
}

/// Where in a sample its value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bits {
    stored: u32,
    /// Bits below the value.
    shift: u32,
    signed: bool,
}

impl Assembly {
    pub fn new(layout: &Layout) -> Self {
        Self { layout: layout.clone(), bits: None, data: Samples::U8(Vec::new()) }
    }

    /// Adds a frame.
    pub fn push(&mut self, mut frame: Frame<'_>) -> Result<(), PixelError> {
        if frame.samples.len() != self.layout.frame_samples() {
            return Err(PixelError::Malformed("a frame's size differs from the header's".into()));
        }
        self.to_rgb(&mut frame);
        let bits = self.bits_of(&frame);
        if self.bits.is_none() {
            self.data = self.empty(bits);
        }
        if *self.bits.get_or_insert(bits) != bits {
            return Err(PixelError::Malformed("frames of different precision".into()));
        }
        self.append(&frame.samples, bits);
        Ok(())
    }

    fn to_rgb(&self, frame: &mut Frame<'_>) {
        let stated = matches!(self.layout.photometric, Stated::YbrFull | Stated::YbrFull422);
        let ybr = frame.colour == Colour::Ybr || (frame.colour == Colour::AsStated && stated);
        if let (true, 3, Raw::Bytes(bytes)) = (ybr, self.layout.samples, &mut frame.samples) {
            ybr_to_rgb(bytes.to_mut());
        }
    }

    /// A stream's own precision begins at bit 0. Samples are signed where either the
    /// header or the stream says so: writers forget one of the two, and nobody marks
    /// unsigned samples as signed by omission.
    fn bits_of(&self, frame: &Frame<'_>) -> Bits {
        let Layout { bits_stored, high_bit, signed, .. } = self.layout;
        let signed = signed || frame.signed;
        match frame.precision {
            Some(stored) => Bits { stored, shift: 0, signed },
            None => Bits { stored: bits_stored, shift: high_bit + 1 - bits_stored, signed },
        }
    }

    fn empty(&self, bits: Bits) -> Samples {
        let total = self.layout.frame_samples() * self.layout.frames as usize;
        match (bits.signed, self.layout.bits_allocated) {
            (true, _) => Samples::I16(Vec::with_capacity(total)),
            (false, 8) if bits.stored <= 8 => Samples::U8(Vec::with_capacity(total)),
            (false, _) => Samples::U16(Vec::with_capacity(total)),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "what goes to U8 was masked to at most 8 bits")]
    fn append(&mut self, raw: &Raw<'_>, bits: Bits) {
        let mask = u16::MAX.unbounded_shr(16 - bits.stored);
        let value = move |word: u16| (word >> bits.shift) & mask;
        // Up to the sign bit and back down again, arithmetically.
        let number = move |word: u16| (value(word) << (16 - bits.stored)).cast_signed() >> (16 - bits.stored);
        match (&mut self.data, raw) {
            (Samples::U8(all), Raw::Bytes(bytes)) => all.extend(bytes.iter().map(|&b| value(u16::from(b)) as u8)),
            (Samples::U8(all), Raw::Words(words)) => all.extend(words.iter().map(|&w| value(w) as u8)),
            (Samples::U16(all), Raw::Bytes(bytes)) => all.extend(bytes.iter().map(|&b| value(u16::from(b)))),
            (Samples::U16(all), Raw::Words(words)) => all.extend(words.iter().map(|&w| value(w))),
            (Samples::I16(all), Raw::Bytes(bytes)) => all.extend(bytes.iter().map(|&b| number(u16::from(b)))),
            (Samples::I16(all), Raw::Words(words)) => all.extend(words.iter().map(|&w| number(w))),
        }
    }

    /// The frames, once all are there.
    pub fn finish(self) -> Result<Frames, PixelError> {
        let Self { layout, bits, data } = self;
        let bits = bits.ok_or(PixelError::NoPixels)?;
        if data.len() != layout.frame_samples() * layout.frames as usize {
            return Err(PixelError::Malformed("frames are missing".into()));
        }
        Ok(Frames {
            rows: layout.rows,
            columns: layout.columns,
            samples_per_pixel: layout.samples,
            frames: layout.frames,
            bits_stored: bits.stored,
            signed: bits.signed,
            photometric: match layout.photometric {
                Stated::Monochrome1 => Photometric::Monochrome1,
                Stated::Monochrome2 => Photometric::Monochrome2,
                Stated::Palette => Photometric::Palette,
                _ => Photometric::Rgb,
            },
            sha256: digest(&data),
            data,
        })
    }
}

fn digest(data: &Samples) -> crate::digest::Digest {
    match data {
        Samples::U8(values) => crate::digest::Digest::of(values),
        Samples::U16(values) => words_digest(values, u16::to_le_bytes),
        Samples::I16(values) => words_digest(values, i16::to_le_bytes),
    }
}

/// The digest of `values` as little-endian bytes, a chunk at a time.
fn words_digest<T: Copy>(values: &[T], le_bytes: impl Fn(T) -> [u8; 2]) -> crate::digest::Digest {
    let mut digester = Digester::new();
    let mut bytes = vec![0; HASH_CHUNK * 2];
    for part in values.chunks(HASH_CHUNK) {
        for (pair, value) in bytes.chunks_exact_mut(2).zip(part) {
            pair.copy_from_slice(&le_bytes(*value));
        }
        digester.update(&bytes[..part.len() * 2]);
    }
    digester.finish()
}
