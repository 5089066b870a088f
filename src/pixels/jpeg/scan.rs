//! What both processes share: tables (T.81 B.2.4), the scan header (B.2.3), and the
//! walk over a stream's segments that calls for each scan.

use super::huffman::{Bits, Table};
use super::markers::{FrameHeader, Segments};
use super::{PixelError, corrupt};

/// Scans of one frame: one for each component, with room for repeats.
const MOST_SCANS: usize = 16;

/// Tables in force.
#[derive(Default)]
pub(super) struct Tables {
    /// In zigzag order.
    pub quantization: [Option<[u16; 64]>; 4],
    pub dc: [Option<Table>; 4],
    pub ac: [Option<Table>; 4],
    /// MCUs between restart markers, 0 for none.
    pub restart_interval: u32,
}

/// A scan header.
pub(super) struct Scan {
    pub components: Vec<ScanComponent>,
    /// Ss: the predictor of a lossless scan.
    pub start: u8,
    /// Al: the point transform of a lossless scan.
    pub point_transform: u8,
}

/// A component's part in a scan.
#[derive(Clone, Copy)]
pub(super) struct ScanComponent {
    /// Its place in the frame header.
    pub index: usize,
    /// Huffman tables, 0 to 3.
    pub dc: usize,
    pub ac: usize,
}

/// Calls `decode` for every scan, with the tables in force there, until each component
/// of `frame` had its scan.
pub(super) fn each(
    stream: &[u8],
    frame: &FrameHeader,
    mut decode: impl FnMut(&Scan, &Tables, &mut Bits<'_>) -> Result<(), PixelError>,
) -> Result<(), PixelError> {
    let mut segments = Segments::of(stream)?;
    let mut tables = Tables::default();
    let mut seen = vec![false; frame.components.len()];
    let mut scans = 0;
    while seen.contains(&false) {
        match segments.next()? {
            (0xDA, payload) => {
                scans += 1;
                if scans > MOST_SCANS {
                    return Err(corrupt("too many scans"));
                }
                let scan = Scan::parse(payload, frame)?;
                let mut bits = Bits::at(stream, segments.at);
                decode(&scan, &tables, &mut bits)?;
                segments.at = next_marker(stream, bits.position());
                scan.components.iter().for_each(|c| seen[c.index] = true);
            }
            (0xD9, _) => return Err(corrupt("components without a scan")),
            (marker, payload) => tables.absorb(marker, payload)?,
        }
    }
    Ok(())
}

/// The marker after a scan, past bytes that a writer left before it.
fn next_marker(stream: &[u8], at: usize) -> usize {
    let is_marker = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF | 0xD0..=0xD7);
    let rest = stream.get(at..).unwrap_or_default();
    at + rest.windows(2).position(is_marker).unwrap_or(rest.len())
}

impl Tables {
    fn absorb(&mut self, marker: u8, payload: &[u8]) -> Result<(), PixelError> {
        match marker {
            0xDB => self.absorb_quantization(payload),
            0xC4 => self.absorb_huffman(payload),
            0xDD => {
                let [high, low, ..] = payload else { return Err(corrupt("wrong restart interval")) };
                self.restart_interval = u32::from(u16::from_be_bytes([*high, *low]));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn absorb_quantization(&mut self, mut payload: &[u8]) -> Result<(), PixelError> {
        while let [head, rest @ ..] = payload {
            let wide = head >> 4 == 1;
            let bytes = rest.get(..if wide { 128 } else { 64 }).ok_or_else(|| corrupt("wrong quantization table"))?;
            let slot =
                self.quantization.get_mut(usize::from(head & 15)).ok_or_else(|| corrupt("wrong quantization table"))?;
            let mut table = [0u16; 64];
            for (index, step) in table.iter_mut().enumerate() {
                *step = if wide {
                    u16::from_be_bytes([bytes[index * 2], bytes[index * 2 + 1]])
                } else {
                    u16::from(bytes[index])
                };
            }
            *slot = Some(table);
            payload = &rest[bytes.len()..];
        }
        Ok(())
    }

    fn absorb_huffman(&mut self, mut payload: &[u8]) -> Result<(), PixelError> {
        while let [head, rest @ ..] = payload {
            let wrong = || corrupt("wrong Huffman table");
            let (counts, symbols) = rest.split_first_chunk::<16>().ok_or_else(wrong)?;
            let (table, taken) = Table::new(counts, symbols)?;
            let class = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *class.get_mut(usize::from(head & 15)).ok_or_else(wrong)? = Some(table);
            payload = &symbols[taken..];
        }
        Ok(())
    }
}

impl Scan {
    fn parse(payload: &[u8], frame: &FrameHeader) -> Result<Self, PixelError> {
        let wrong = || corrupt("wrong scan header");
        let [count, rest @ ..] = payload else { return Err(wrong()) };
        let count = usize::from(*count);
        let (selectors, spectral) = rest.split_at_checked(count * 2).ok_or_else(wrong)?;
        let [start, _, approximation, ..] = spectral else { return Err(wrong()) };
        let mut components: Vec<ScanComponent> = Vec::with_capacity(count);
        for pair in selectors.chunks_exact(2) {
            let index = frame.components.iter().position(|c| c.id == pair[0]).ok_or_else(wrong)?;
            let (dc, ac) = (usize::from(pair[1] >> 4), usize::from(pair[1] & 15));
            if dc > 3 || ac > 3 || components.iter().any(|c| c.index == index) {
                return Err(wrong());
            }
            components.push(ScanComponent { index, dc, ac });
        }
        if components.is_empty() {
            return Err(wrong());
        }
        Ok(Self { components, start: *start, point_transform: approximation & 15 })
    }
}
