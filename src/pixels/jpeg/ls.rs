//! JPEG-LS (ITU-T T.87): what a stream says of itself, checked before its decoder
//! sees it; the decoder is there only in a build with the `jpeg-ls` feature.

use super::super::layout::Layout;
use super::super::native::interleaved;
use super::super::{Colour, Frame, PixelError, Raw, vendor};
use super::markers::{FrameHeader, Process, Segments};
use super::{check_size, corrupt};

/// Header of the first scan, as far as the layout of the output depends on it.
struct Header {
    frame: FrameHeader,
    /// ILV is 0: one scan for each component, so the decoder puts out planes.
    planes: bool,
}

pub(in super::super) fn decode(stream: &[u8], layout: &Layout) -> Result<Frame<'static>, PixelError> {
    let header = header(stream)?;
    check_size(&header.frame, layout)?;
    let precision = u32::from(header.frame.precision);
    let wide = precision > 8;
    let bytes = vendor::jpeg_ls(stream, layout, if wide { 16 } else { 8 })?;
    let planes = if header.planes { header.frame.components.len() } else { 1 };
    let samples = if wide {
        let words: Vec<u16> = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
        Raw::Words(interleaved(&words, planes).into())
    } else {
        Raw::Bytes(interleaved(&bytes, planes).into())
    };
    let precision = (precision < layout.bits_stored).then_some(precision);
    Ok(Frame { samples, precision, signed: false, colour: Colour::AsStated })
}

/// SOF55 and the first SOS (T.87 C.2.2, C.2.3).
fn header(stream: &[u8]) -> Result<Header, PixelError> {
    let mut segments = Segments::of(stream)?;
    let mut frame = None;
    loop {
        match segments.next()? {
            (0xF7, payload) => frame = Some(FrameHeader::parse(Process::Lossless, payload)?),
            (0xDA, payload) => {
                let components = usize::from(payload.first().copied().unwrap_or(0));
                let interleave = payload.get(2 + components * 2).ok_or_else(|| corrupt("wrong scan header"))?;
                let frame = frame.ok_or_else(|| corrupt("scan before frame"))?;
                return Ok(Header { frame, planes: *interleave == 0 });
            }
            (0xD9, _) => return Err(corrupt("no scan")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SOI, SOF55 of 2 x 3 in three components of 8 bits, SOS.
    fn stream(components_in_scan: u8, interleave: u8) -> Vec<u8> {
        let mut out = vec![0xFF, 0xD8, 0xFF, 0xF7, 0, 17, 8, 0, 2, 0, 3, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
        out.extend([0xFF, 0xDA, 0, 6 + 2 * components_in_scan, components_in_scan]);
        out.extend((1..=components_in_scan).flat_map(|id| [id, 0]));
        out.extend([0, interleave, 0]);
        out
    }

    #[test]
    fn the_stream_says_its_size_and_whether_it_is_in_planes() {
        let header_of = |components, interleave| header(&stream(components, interleave)).unwrap();
        let frame = header_of(1, 0).frame;
        assert_eq!((frame.rows, frame.columns, frame.precision, frame.components.len()), (2, 3, 8, 3));
        assert!(header_of(1, 0).planes && !header_of(3, 1).planes && !header_of(3, 2).planes);
    }

    #[test]
    fn every_truncation_is_refused() {
        let whole = stream(3, 2);
        assert!((0..whole.len()).all(|length| header(&whole[..length]).is_err()));
    }
}
