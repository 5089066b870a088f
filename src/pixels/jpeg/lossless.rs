//! Lossless JPEG (T.81 H): every predictor, point transform and restart interval.

use super::huffman::Bits;
use super::markers::FrameHeader;
use super::scan::{self, Scan, Tables};
use super::{PixelError, Plane, corrupt};

/// A sample is at least one bit.
const MOST_SAMPLES_PER_BYTE: usize = 8;

/// The samples of all components, interleaved.
pub(super) fn decode(stream: &[u8], frame: &FrameHeader) -> Result<Vec<u16>, PixelError> {
    let (rows, columns) = (usize::from(frame.rows), usize::from(frame.columns));
    let count = frame.components.len();
    if stream.len().saturating_mul(MOST_SAMPLES_PER_BYTE) < rows * columns * count {
        return Err(corrupt("stream too short for its size"));
    }
    if count > 1 && frame.components.iter().any(|c| (c.horizontal, c.vertical) != (1, 1)) {
        return Err(PixelError::Undecodable("subsampled lossless JPEG is not supported".into()));
    }
    let mut plane = Plane { width: columns * count, samples: vec![0; rows * columns * count] };
    scan::each(stream, frame, |scan, tables, bits| decode_scan(scan, tables, bits, frame, &mut plane))?;
    Ok(plane.samples)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "modulo 2^16 (T.81 H.1.2.1)")]
fn decode_scan(
    scan: &Scan,
    tables: &Tables,
    bits: &mut Bits<'_>,
    frame: &FrameHeader,
    plane: &mut Plane,
) -> Result<(), PixelError> {
    let shift = scan.point_transform;
    if !(1..=7).contains(&scan.start) || shift >= frame.precision {
        return Err(corrupt("wrong predictor or point transform"));
    }
    let columns = u32::from(frame.columns);
    // T.81 H.1.1: the interval is a whole number of lines.
    if !tables.restart_interval.is_multiple_of(columns) {
        return Err(corrupt("restart inside a line"));
    }
    let lines_per_restart = tables.restart_interval / columns;
    let count = frame.components.len();
    for row in 0..u32::from(frame.rows) {
        let restarted = lines_per_restart > 0 && row > 0 && row % lines_per_restart == 0;
        if restarted {
            bits.restart(row / lines_per_restart - 1)?;
        }
        let (above, line) = plane.samples.split_at_mut(row as usize * plane.width);
        let above = above.get(above.len().saturating_sub(plane.width)..).filter(|a| !restarted && !a.is_empty());
        for x in 0..frame.columns as usize {
            for part in &scan.components {
                let table = tables.dc[part.dc].as_ref().ok_or_else(|| corrupt("table missing"))?;
                let at = x * count + part.index;
                let left = (x > 0).then(|| i32::from(line[at - count] >> shift));
                let up = above.map(|a| i32::from(a[at] >> shift));
                let prediction = match (left, up) {
                    (None, None) => 1 << (frame.precision - shift - 1),
                    (Some(left), None) => left,
                    (None, Some(up)) => up,
                    (Some(left), Some(up)) => {
                        let corner = above.map_or(0, |a| i32::from(a[at - count] >> shift));
                        predict(scan.start, left, up, corner)
                    }
                };
                let difference = match table.decode(bits)? {
                    16 => 32768,
                    size @ 0..=15 => bits.number(size)?,
                    _ => return Err(corrupt("difference out of range")),
                };
                // Modulo 2^16 (T.81 H.1.2.1); the point transform put the low bits away.
                line[at] = ((prediction + difference) as u16) << shift;
            }
        }
    }
    Ok(())
}

/// T.81 table H.1.
fn predict(predictor: u8, left: i32, up: i32, corner: i32) -> i32 {
    match predictor {
        1 => left,
        2 => up,
        3 => corner,
        4 => left + up - corner,
        5 => left + ((up - corner) >> 1),
        6 => up + ((left - corner) >> 1),
        _ => (left + up) >> 1,
    }
}
