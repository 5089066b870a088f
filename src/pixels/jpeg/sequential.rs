//! Sequential DCT (T.81 F.2) of one component, 8 or 12 bits.

use super::huffman::{Bits, Table};
use super::idct;
use super::markers::FrameHeader;
use super::scan::{self, Scan, Tables};
use super::{PixelError, Plane, corrupt};

/// Place of the k-th coefficient of the zigzag (T.81 figure A.6), row by row.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];
/// A block is at least two bits: a byte of the stream is at most four blocks of 64.
const MOST_PIXELS_PER_BYTE: usize = 256;

/// The samples of the one component, row by row.
pub(super) fn decode(stream: &[u8], frame: &FrameHeader) -> Result<Vec<u16>, PixelError> {
    let (rows, columns) = (usize::from(frame.rows), usize::from(frame.columns));
    if stream.len().saturating_mul(MOST_PIXELS_PER_BYTE) < rows * columns {
        return Err(corrupt("stream too short for its size"));
    }
    let mut plane = Plane { width: columns, samples: vec![0; rows * columns] };
    scan::each(stream, frame, |scan, tables, bits| decode_scan(scan, tables, bits, frame, &mut plane))?;
    Ok(plane.samples)
}

/// A scan of a single component is not interleaved: its blocks go row by row whatever
/// its sampling factors (T.81 A.2.2).
fn decode_scan(
    scan: &Scan,
    tables: &Tables,
    bits: &mut Bits<'_>,
    frame: &FrameHeader,
    plane: &mut Plane,
) -> Result<(), PixelError> {
    let missing = || corrupt("table missing");
    let part = scan.components[0];
    let quantization = frame.components.get(part.index).map_or(0, |c| usize::from(c.quantization));
    let steps = tables.quantization[quantization].as_ref().ok_or_else(missing)?;
    let dc = tables.dc[part.dc].as_ref().ok_or_else(missing)?;
    let ac = tables.ac[part.ac].as_ref().ok_or_else(missing)?;

    let (blocks_wide, blocks_high) = (frame.columns.div_ceil(8), frame.rows.div_ceil(8));
    let mut predictor = 0i32;
    let mut count = 0u32;
    for block_row in 0..blocks_high {
        for block_column in 0..blocks_wide {
            if tables.restart_interval > 0 && count > 0 && count.is_multiple_of(tables.restart_interval) {
                bits.restart(count / tables.restart_interval - 1)?;
                predictor = 0;
            }
            count += 1;
            let block = block(bits, dc, ac, steps, &mut predictor)?;
            let samples = idct::samples(&block, frame.precision);
            plane.put_block(usize::from(block_column) * 8, usize::from(block_row) * 8, &samples);
        }
    }
    Ok(())
}

/// The coefficients of a block, dequantized and in rows (T.81 F.2.2.1, F.2.2.2).
fn block(
    bits: &mut Bits<'_>,
    dc: &Table,
    ac: &Table,
    steps: &[u16; 64],
    predictor: &mut i32,
) -> Result<[f32; 64], PixelError> {
    let mut block = [0f32; 64];
    let size = dc.decode(bits)?;
    if size > 15 {
        return Err(corrupt("DC difference out of range"));
    }
    *predictor = predictor.wrapping_add(bits.number(size)?);
    block[0] = *predictor as f32 * f32::from(steps[0]);
    let mut k = 1;
    while k < 64 {
        let symbol = ac.decode(bits)?;
        match (usize::from(symbol >> 4), symbol & 15) {
            // Sixteen zeros; any other run without a coefficient ends the block.
            (15, 0) => k += 16,
            (_, 0) => break,
            (run, size) => {
                k += run;
                let place = *ZIGZAG.get(k).ok_or_else(|| corrupt("coefficient out of range"))?;
                block[place] = bits.number(size)? as f32 * f32::from(steps[k]);
                k += 1;
            }
        }
    }
    Ok(block)
}

impl Plane {
    /// Writes a block, as far as it lies inside.
    fn put_block(&mut self, x: usize, y: usize, block: &[u16; 64]) {
        let width = self.width.saturating_sub(x).min(8);
        for (row, line) in block.chunks_exact(8).enumerate() {
            let from = (y + row) * self.width + x;
            if let Some(target) = self.samples.get_mut(from..from + width) {
                target.copy_from_slice(&line[..width]);
            }
        }
    }
}
