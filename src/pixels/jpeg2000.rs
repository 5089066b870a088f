//! JPEG 2000 (ITU-T T.800): size, precision and sign are read from the codestream and
//! checked before its decoder allocates for them.

use super::layout::Layout;
use super::{Colour, Frame, PixelError, Raw, vendor};

/// SOC and SIZ, which must follow it (T.800 A.4.1, A.5.1).
const START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
/// A JP2 file header before the codestream, where a writer left it in, is far shorter.
const LONGEST_PREFIX_BYTES: usize = 4096;
/// Segments of a main header; more is an attack.
const MOST_SEGMENTS: usize = 1000;

/// What SIZ and COD say.
struct Size {
    columns: u32,
    rows: u32,
    components: usize,
    precision: u32,
    signed: bool,
    /// Whether components are transformed from RGB: the decoder turns them back.
    colour_transform: bool,
}

pub(super) fn decode(stream: &[u8], layout: &Layout) -> Result<Frame<'static>, PixelError> {
    let size = size(stream)?;
    if (size.rows, size.columns, size.components) != (layout.rows, layout.columns, layout.samples as usize) {
        return Err(PixelError::Malformed("the JPEG 2000 stream's size differs from the header's".into()));
    }
    if size.precision > layout.bits_allocated {
        return Err(PixelError::Malformed("the JPEG 2000 stream's samples are wider than the header's".into()));
    }
    let wide = size.precision > 8;
    let bytes = vendor::jpeg2000(stream, layout, if wide { 16 } else { 8 })?;
    let samples = if wide {
        Raw::Words(bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect())
    } else {
        Raw::Bytes(bytes.into())
    };
    let colour = if size.colour_transform { Colour::Rgb } else { Colour::AsStated };
    Ok(Frame { samples, precision: Some(size.precision), signed: size.signed, colour })
}

fn size(stream: &[u8]) -> Result<Size, PixelError> {
    let head = &stream[..stream.len().min(LONGEST_PREFIX_BYTES)];
    let start = head.windows(4).position(|four| four == START).ok_or_else(|| corrupt("no codestream"))?;
    let siz = segment(stream, start + 2).ok_or_else(|| corrupt("ends in its header"))?;
    let word = |at: usize| siz.get(at..at + 4).and_then(|b| b.first_chunk::<4>()).map(|b| u32::from_be_bytes(*b));
    let corner = |at: usize| word(at).ok_or_else(|| corrupt("short SIZ"));
    let [component_high, component_low, components @ ..] = siz.get(34..).unwrap_or_default() else {
        return Err(corrupt("short SIZ"));
    };
    let count = usize::from(u16::from_be_bytes([*component_high, *component_low]));
    let [depth, ..] = components else { return Err(corrupt("short SIZ")) };
    let alike = |c: &[u8]| c[0] == *depth && c[1..] == [1, 1];
    if count > 3 || components.len() < count * 3 || !components.chunks_exact(3).take(count).all(alike) {
        return Err(PixelError::Undecodable("JPEG 2000 components that differ are not supported".into()));
    }
    Ok(Size {
        columns: corner(2)?.checked_sub(corner(10)?).ok_or_else(|| corrupt("negative size"))?,
        rows: corner(6)?.checked_sub(corner(14)?).ok_or_else(|| corrupt("negative size"))?,
        components: count,
        precision: u32::from(depth & 0x7F) + 1,
        signed: depth & 0x80 != 0,
        colour_transform: colour_transform(stream, start + 2),
    })
}

/// The payload of the marker segment at `at`.
fn segment(stream: &[u8], at: usize) -> Option<&[u8]> {
    let length = stream.get(at + 2..at + 4)?;
    stream.get(at + 4..at + 2 + usize::from(u16::from_be_bytes([length[0], length[1]])))
}

/// The multiple component transformation of COD (T.800 A.6.1).
fn colour_transform(stream: &[u8], mut at: usize) -> bool {
    for _ in 0..MOST_SEGMENTS {
        let (Some(marker), Some(payload)) = (stream.get(at + 1), segment(stream, at)) else { return false };
        match marker {
            0x52 => return payload.get(4) == Some(&1),
            // Start of a tile-part: the main header is over.
            0x90 => return false,
            _ => at += payload.len() + 4,
        }
    }
    false
}

fn corrupt(what: &str) -> PixelError {
    PixelError::Corrupt { syntax: "JPEG 2000", what: what.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// SOC, SIZ of a gray image of 3 x 2 with 12 signed bits, COD with a transform.
    fn header() -> Vec<u8> {
        let mut out = START.to_vec();
        out.extend([0, 41, 0, 0]);
        for word in [3u32, 2, 0, 0, 3, 2, 0, 0] {
            out.extend(word.to_be_bytes());
        }
        out.extend([0, 1, 0x8B, 1, 1]);
        out.extend([0xFF, 0x52, 0, 12, 0, 0, 0, 1, 1, 5, 4, 4, 0, 1]);
        out
    }

    #[test]
    fn the_codestream_says_its_size_sign_and_transform() {
        let size = size(&header()).unwrap();
        assert_eq!((size.columns, size.rows, size.components, size.precision), (3, 2, 1, 12));
        assert!(size.signed && size.colour_transform);
    }

    proptest! {
        #[test]
        fn any_damaged_header_is_read_or_refused(at in 0usize..60, value in any::<u8>(), length in 0usize..60) {
            let mut stream = header();
            if let Some(byte) = stream.get_mut(at) {
                *byte = value;
            }
            let _ = size(&stream[..length.min(stream.len())]);
            let _ = size(&stream);
        }
    }
}
