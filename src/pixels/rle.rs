//! RLE Lossless (PS3.5 G): byte planes, most significant first, each PackBits-coded.

use super::layout::Layout;
use super::{Colour, Frame, PixelError, Raw};

/// Segments in the fixed header (PS3.5 G.5).
const MOST_SEGMENTS: usize = 15;
const HEADER_BYTES: usize = 64;

pub(super) fn decode(stream: &[u8], layout: &Layout) -> Result<Frame<'static>, PixelError> {
    let bytes_per_sample = (layout.bits_allocated / 8) as usize;
    let samples = layout.samples as usize;
    let segments = segments(stream)?;
    if segments.len() != samples * bytes_per_sample {
        return Err(corrupt("wrong number of segments"));
    }
    let mut words = vec![0u16; if bytes_per_sample == 2 { layout.frame_samples() } else { 0 }];
    let mut bytes = vec![0u8; if bytes_per_sample == 1 { layout.frame_samples() } else { 0 }];
    for (index, segment) in segments.iter().enumerate() {
        let plane = unpack(segment, layout.pixels())?;
        let first = index / bytes_per_sample;
        if bytes_per_sample == 1 {
            bytes.iter_mut().skip(first).step_by(samples).zip(&plane).for_each(|(to, from)| *to = *from);
        } else {
            // The most significant byte of a sample comes first (PS3.5 G.2).
            let shift = if index % 2 == 0 { 8 } else { 0 };
            words
                .iter_mut()
                .skip(first)
                .step_by(samples)
                .zip(&plane)
                .for_each(|(to, from)| *to |= u16::from(*from) << shift);
        }
    }
    let samples = if bytes_per_sample == 1 { Raw::Bytes(bytes.into()) } else { Raw::Words(words.into()) };
    Ok(Frame { samples, precision: None, signed: false, colour: Colour::AsStated })
}

/// Cuts the stream at the offsets of its header.
fn segments(stream: &[u8]) -> Result<Vec<&[u8]>, PixelError> {
    let header = stream.get(..HEADER_BYTES).ok_or_else(|| corrupt("no header"))?;
    let word = |index: usize| {
        let at = index * 4;
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize
    };
    let count = word(0);
    if !(1..=MOST_SEGMENTS).contains(&count) {
        return Err(corrupt("wrong number of segments"));
    }
    let end = |index: usize| if index == count { stream.len() } else { word(index + 1) };
    (1..=count)
        .map(|index| stream.get(word(index)..end(index)).ok_or_else(|| corrupt("segment out of bounds")))
        .collect()
}

/// `PackBits` (PS3.5 G.3.2) until `length` bytes are there; what is left is padding.
fn unpack(mut segment: &[u8], length: usize) -> Result<Vec<u8>, PixelError> {
    // A pair of bytes makes 128 at most: a segment cannot hold more than 64 times its size.
    if segment.len().saturating_mul(64) < length {
        return Err(corrupt("segment too short"));
    }
    let mut plane = Vec::with_capacity(length);
    while plane.len() < length {
        let [control, rest @ ..] = segment else { return Err(corrupt("segment too short")) };
        segment = rest;
        let room = length - plane.len();
        match *control {
            literal @ 0..=127 => {
                let count = usize::from(literal) + 1;
                let run = segment.get(..count).ok_or_else(|| corrupt("segment too short"))?;
                plane.extend_from_slice(&run[..count.min(room)]);
                segment = &segment[count..];
            }
            128 => {}
            replicate => {
                let [value, rest @ ..] = segment else { return Err(corrupt("segment too short")) };
                plane.resize(plane.len() + (257 - usize::from(replicate)).min(room), *value);
                segment = rest;
            }
        }
    }
    Ok(plane)
}

fn corrupt(what: &str) -> PixelError {
    PixelError::Corrupt { syntax: "RLE", what: what.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn literals_runs_and_nothing_are_unpacked() {
        assert_eq!(unpack(&[1, 7, 8, 128, 254, 9, 0], 5).unwrap(), [7, 8, 9, 9, 9]);
        assert!(unpack(&[1, 7], 2).is_err());
        assert!(unpack(&[], 1).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_unpack_or_are_refused(stream in prop::collection::vec(any::<u8>(), 0..300), count in 0u32..20) {
            let mut stream = stream;
            if let Some(head) = stream.get_mut(..4) {
                head.copy_from_slice(&count.to_le_bytes());
            }
            if let Ok(all) = segments(&stream) {
                for segment in all {
                    let _ = unpack(segment, 1000);
                }
            }
        }
    }
}
