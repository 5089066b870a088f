//! JPEG (ITU-T T.81): which process a stream uses, and who decodes it.
//!
//! Gray sequential streams (8 and 12 bits) and lossless ones are decoded here, 8-bit
//! colour and progressive streams by `vendor`, after their component ids were made to
//! say what their colour is.

mod colour_space;
mod huffman;
mod idct;
mod lossless;
mod ls;
mod markers;
mod scan;
mod sequential;

use super::layout::Layout;
use super::{Colour, Frame, PixelError, Raw, vendor};
pub(super) use ls::decode as decode_ls;
use markers::{FrameHeader, Headline, Process};

/// One component's samples, `width` a row.
struct Plane {
    width: usize,
    samples: Vec<u16>,
}

pub(super) fn decode(stream: &[u8], layout: &Layout) -> Result<Frame<'static>, PixelError> {
    let headline = Headline::of(stream)?;
    check_size(&headline.frame, layout)?;
    let precision = u32::from(headline.frame.precision);
    let lossy = |samples, colour| Frame { samples, precision: Some(precision), signed: false, colour };
    match (headline.frame.process, precision) {
        (Process::Sequential, _) if layout.samples == 1 => {
            Ok(lossy(Raw::Words(sequential::decode(stream, &headline.frame)?.into()), Colour::AsStated))
        }
        (Process::Sequential | Process::Progressive, 8) => {
            let colour = colour_space::of(&headline, layout);
            let stream = colour_space::state(stream, &headline, colour);
            let bytes = vendor::jpeg(stream, layout)?;
            Ok(lossy(Raw::Bytes(bytes.into()), if layout.samples == 3 { Colour::Rgb } else { Colour::AsStated }))
        }
        (Process::Lossless, _) => {
            let samples = Raw::Words(lossless::decode(stream, &headline.frame)?.into());
            // Lossless streams carry the words as allocated: the header says which bits count.
            let precision = (precision < layout.bits_stored).then_some(precision);
            Ok(Frame { samples, precision, signed: false, colour: Colour::AsStated })
        }
        (Process::Sequential, _) => Err(PixelError::Undecodable("12-bit colour JPEG is not supported".into())),
        (Process::Progressive, _) => Err(PixelError::Undecodable("12-bit progressive JPEG is not supported".into())),
    }
}

/// What the stream says against what was checked for size.
fn check_size(frame: &FrameHeader, layout: &Layout) -> Result<(), PixelError> {
    let size = (u32::from(frame.rows), u32::from(frame.columns), frame.components.len());
    if size != (layout.rows, layout.columns, layout.samples as usize) {
        return Err(PixelError::Malformed("the JPEG stream's size differs from the header's".into()));
    }
    if u32::from(frame.precision) > layout.bits_allocated {
        return Err(PixelError::Malformed("the JPEG stream's samples are wider than the header's".into()));
    }
    Ok(())
}

fn corrupt(what: &str) -> PixelError {
    PixelError::Corrupt { syntax: "JPEG", what: what.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::layout::Stated;
    use super::*;

    pub(super) fn layout(rows: u32, columns: u32, samples: u32, bits: u32) -> Layout {
        Layout {
            rows,
            columns,
            frames: 1,
            samples,
            bits_allocated: bits,
            bits_stored: bits,
            high_bit: bits - 1,
            signed: false,
            planar: false,
            photometric: if samples == 3 { Stated::Rgb } else { Stated::Monochrome2 },
        }
    }

    /// A stream of 16 x 16 with every table that the processes need, then `entropy`.
    fn stream(process: u8, precision: u8, restart: u8, entropy: &[u8]) -> Vec<u8> {
        let mut out = vec![0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0];
        out.extend([3; 64]);
        // Codes of every length from 1 to 8, for DC and AC: symbols 0 to 7 and 0x11 times that.
        for class in [0, 0x10] {
            out.extend([0xFF, 0xC4, 0, 27, class, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
            out.extend((0..8u8).map(|s| if class == 0 { s } else { s * 0x11 }));
        }
        out.extend([0xFF, 0xDD, 0, 4, 0, restart]);
        out.extend([0xFF, 0xC0 | process, 0, 11, precision, 0, 16, 0, 16, 1, 1, 0x11, 0]);
        out.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, u8::from(process == 3), if process == 3 { 0 } else { 63 }, 0]);
        out.extend(entropy);
        out.extend([0xFF, 0xD9]);
        out
    }

    #[test]
    fn a_stream_of_zero_differences_is_mid_gray() {
        for (process, precision) in [(1, 12), (3, 16)] {
            let frame = decode(&stream(process, precision, 0, &[0; 32]), &layout(16, 16, 1, 16)).unwrap();
            let Raw::Words(words) = frame.samples else { panic!("words expected") };
            assert_eq!(words, vec![1 << (precision - 1); 256]);
        }
    }

    #[test]
    fn a_stream_that_ends_early_is_an_error() {
        for (process, precision) in [(1, 12), (3, 16)] {
            assert!(decode(&stream(process, precision, 0, &[]), &layout(16, 16, 1, 16)).is_err());
            let whole = stream(process, precision, 0, &[0; 32]);
            for length in 0..whole.len() - 34 {
                assert!(decode(&whole[..length], &layout(16, 16, 1, 16)).is_err(), "{length}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn any_entropy_decodes_or_is_refused(entropy in prop::collection::vec(any::<u8>(), 0..400), restart in 0u8..20, lossless in any::<bool>()) {
            let (process, precision) = if lossless { (3, 14) } else { (1, 12) };
            let _ = decode(&stream(process, precision, restart, &entropy), &layout(16, 16, 1, 16));
        }

        #[test]
        fn any_flipped_byte_decodes_or_is_refused(at in 0usize..250, value in any::<u8>(), lossless in any::<bool>()) {
            let (process, precision) = if lossless { (3, 14) } else { (1, 12) };
            let mut stream = stream(process, precision, 2, &[0x35; 60]);
            let at = at % stream.len();
            stream[at] = value;
            let _ = decode(&stream, &layout(16, 16, 1, 16));
        }

        #[test]
        fn any_bytes_after_a_start_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let stream = [&[0xFF, 0xD8][..], &bytes].concat();
            let _ = decode(&stream, &layout(16, 16, 1, 16));
        }
    }
}
