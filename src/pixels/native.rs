//! Native pixel data (PS3.5 8.1.1, 8.2): planes, byte order, `YBR_FULL_422` as stored.
//!
//! The parser has undone the byte order of OW values; OB has none.

use std::borrow::Cow;

use dicom_core::PrimitiveValue;

use super::assemble::Assembly;
use super::layout::{Layout, Stated};
use super::{Colour, Frame, PixelError, Raw};

pub(super) fn decode(value: &PrimitiveValue, layout: &Layout) -> Result<Assembly, PixelError> {
    let mut assembly = Assembly::new(layout);
    let wanted = layout.frame_samples();
    match value {
        PrimitiveValue::U16(words) if layout.bits_allocated == 16 => {
            check_length(words.len(), wanted, layout)?;
            for frame in words.chunks_exact(wanted).take(layout.frames as usize) {
                assembly.push(stated(Raw::Words(interleave(frame, layout))))?;
            }
        }
        other => {
            let bytes: Cow<'_, [u8]> = other.to_bytes();
            if layout.bits_allocated == 16 {
                check_length(bytes.len() / 2, wanted, layout)?;
                for frame in bytes.chunks_exact(wanted * 2).take(layout.frames as usize) {
                    let words: Vec<u16> = frame.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
                    assembly.push(stated(Raw::Words(interleave(&words, layout))))?;
                }
            } else {
                decode_bytes(&bytes, layout, &mut assembly)?;
            }
        }
    }
    Ok(assembly)
}

fn decode_bytes(bytes: &[u8], layout: &Layout, assembly: &mut Assembly) -> Result<(), PixelError> {
    let wanted = layout.frame_samples();
    let frames = layout.frames as usize;
    // Some write full YBR and call it 422: the length tells.
    let halved = layout.photometric == Stated::YbrFull422 && bytes.len() < wanted * frames;
    if !halved {
        check_length(bytes.len(), wanted, layout)?;
        for frame in bytes.chunks_exact(wanted).take(frames) {
            assembly.push(stated(Raw::Bytes(interleave(frame, layout))))?;
        }
        return Ok(());
    }
    // Pairs of pixels as Y1 Y2 Cb Cr (PS3.3 C.7.6.3.1.2); columns are even by definition.
    if !layout.columns.is_multiple_of(2) {
        return Err(PixelError::Malformed("an odd number of columns in YBR_FULL_422".into()));
    }
    let stored = layout.pixels() * 2;
    check_length(bytes.len(), stored, layout)?;
    for frame in bytes.chunks_exact(stored).take(frames) {
        let full: Vec<u8> = frame.chunks_exact(4).flat_map(|p| [p[0], p[2], p[3], p[1], p[2], p[3]]).collect();
        assembly.push(stated(Raw::Bytes(full.into())))?;
    }
    Ok(())
}

/// The frame's samples, interleaved whatever its planar configuration: in their place where
/// they are already.
fn interleave<'a, T: Copy + Default>(frame: &'a [T], layout: &Layout) -> Cow<'a, [T]> {
    if layout.planar { interleaved(frame, layout.samples as usize).into() } else { frame.into() }
}

/// Planes RRR…GGG…BBB become RGBRGB…
pub(super) fn interleaved<T: Copy + Default>(frame: &[T], planes: usize) -> Vec<T> {
    if planes < 2 || frame.len() < planes {
        return frame.to_vec();
    }
    let mut out = vec![T::default(); frame.len()];
    for (index, plane) in frame.chunks_exact(frame.len() / planes).take(planes).enumerate() {
        out.iter_mut().skip(index).step_by(planes).zip(plane).for_each(|(to, from)| *to = *from);
    }
    out
}

fn check_length(have: usize, frame: usize, layout: &Layout) -> Result<(), PixelError> {
    let wanted = frame * layout.frames as usize;
    if have < wanted {
        return Err(PixelError::Malformed(format!("pixel data ends after {have} of {wanted} samples")));
    }
    Ok(())
}

fn stated(samples: Raw<'_>) -> Frame<'_> {
    Frame { samples, precision: None, signed: false, colour: Colour::AsStated }
}
