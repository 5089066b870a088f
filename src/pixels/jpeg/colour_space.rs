//! What colour a three-component DCT stream is in, and how its decoder is told.
//!
//! The header's photometric interpretation is often that of the image before it was
//! compressed, so the stream's own marks win over it.

use super::super::layout::{Layout, Stated};
use super::markers::Headline;

/// Colour space of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Rgb,
    YCbCr,
}

/// Component ids from which a decoder knows the space: `R` `G` `B`, or 1 2 3 (JFIF).
const RGB_IDS: [u8; 3] = *b"RGB";
const YCBCR_IDS: [u8; 3] = [1, 2, 3];

pub(super) fn of(headline: &Headline, layout: &Layout) -> Space {
    let components = &headline.frame.components;
    let subsampled =
        components.iter().any(|c| (c.horizontal, c.vertical) != (components[0].horizontal, components[0].vertical));
    let rgb = match headline.adobe {
        Some(transform) => transform == 0,
        None if headline.jfif => false,
        None if components.iter().map(|c| c.id).eq(RGB_IDS) => true,
        // Nobody subsamples green and blue.
        None => layout.photometric == Stated::Rgb && !subsampled,
    };
    if rgb { Space::Rgb } else { Space::YCbCr }
}

/// The stream with component ids that say `space`, in frame header and scan headers.
pub(super) fn state(stream: &[u8], headline: &Headline, space: Space) -> Vec<u8> {
    let mut out = stream.to_vec();
    let old: Vec<u8> = headline.frame.components.iter().map(|c| c.id).collect();
    if old.len() != 3 {
        return out;
    }
    let new = if space == Space::Rgb { RGB_IDS } else { YCBCR_IDS };
    let renamed = |id: u8| old.iter().position(|o| *o == id).map_or(id, |index| new[index]);
    let mut at = 2;
    let mut in_scan = false;
    while let Some(&[mark, marker, high, low]) = out.get(at..at + 4).and_then(|four| four.first_chunk::<4>()) {
        let is_segment = mark == 0xFF && !matches!(marker, 0 | 1 | 0xFF | 0xD0..=0xD9);
        if !is_segment {
            at += 1;
            // Between segments there is nothing else, inside scans there is everything.
            if !in_scan && mark != 0xFF {
                break;
            }
            continue;
        }
        let payload = at + 4;
        let (first, step) = match marker {
            0xC0..=0xC2 => (payload + 6, 3),
            0xDA => (payload + 1, 2),
            _ => (out.len(), 1),
        };
        in_scan |= marker == 0xDA;
        let ids = if marker == 0xDA { usize::from(out.get(payload).copied().unwrap_or(0).min(3)) } else { 3 };
        for place in (0..ids).map(|index| first + index * step) {
            if let Some(id) = out.get_mut(place) {
                *id = renamed(*id);
            }
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::layout;
    use super::*;

    /// A stream up to its scan header: three components with `ids`, the first sampled
    /// `sampling`, after the given segments.
    fn stream(segments: &[u8], ids: [u8; 3], sampling: u8) -> Vec<u8> {
        let mut out = vec![0xFF, 0xD8];
        out.extend(segments);
        out.extend([0xFF, 0xC0, 0, 17, 8, 0, 16, 0, 16, 3]);
        for (id, sampling) in ids.into_iter().zip([sampling, 0x11, 0x11]) {
            out.extend([id, sampling, 0]);
        }
        out.extend([0xFF, 0xDA, 0, 12, 3, ids[0], 0, ids[1], 0, ids[2], 0, 0, 63, 0, 1, 2, 3, 0xFF, 0xD9]);
        out
    }

    const JFIF: &[u8] = b"\xFF\xE0\x00\x07JFIF\0";
    const ADOBE_RGB: &[u8] = b"\xFF\xEE\x00\x0EAdobe\0\0\0\0\0\0\0";

    #[test]
    fn marks_in_the_stream_win_over_the_header() {
        let space = |segments: &[u8], ids, sampling, photometric| {
            let stream = stream(segments, ids, sampling);
            of(&Headline::of(&stream).unwrap(), &Layout { photometric, ..layout(16, 16, 3, 8) })
        };
        assert_eq!(space(ADOBE_RGB, [1, 2, 3], 0x11, Stated::YbrFull422), Space::Rgb);
        assert_eq!(space(JFIF, [1, 2, 3], 0x11, Stated::Rgb), Space::YCbCr);
        assert_eq!(space(&[], *b"RGB", 0x11, Stated::YbrFull), Space::Rgb);
        assert_eq!(space(&[], [1, 2, 3], 0x11, Stated::Rgb), Space::Rgb);
        assert_eq!(space(&[], [1, 2, 3], 0x22, Stated::Rgb), Space::YCbCr);
        assert_eq!(space(&[], [0, 1, 2], 0x11, Stated::YbrFull422), Space::YCbCr);
    }

    #[test]
    fn ids_are_renamed_in_frame_and_scan_alike() {
        let before = stream(JFIF, [0, 1, 2], 0x11);
        let after = state(&before, &Headline::of(&before).unwrap(), Space::Rgb);
        assert_eq!(after, stream(JFIF, *b"RGB", 0x11));
    }
}
