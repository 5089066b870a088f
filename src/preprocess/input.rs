//! A model's input: area-averaged to its geometry, spread by percentiles, normalised.

use super::Gray;

/// What a model wants its input to be; from its manifest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry {
    /// Columns of the input.
    pub width: u32,
    /// Rows of the input.
    pub height: u32,
    /// Percentile that becomes 0, in percent from 0 to 100.
    pub low_percentile: f32,
    /// Percentile that becomes 1, in percent from 0 to 100.
    pub high_percentile: f32,
    /// Subtracted after spreading.
    pub mean: f32,
    /// Divides after that; not 0.
    pub std: f32,
}

/// The input of a model, `height × width` values row by row.
///
/// The definition, shared with training:
/// 1. Resize by area, stretched: with `S = in / out`, output cell `i` covers the interval
///    `[i·S, (i+1)·S)` of the input; it is the sum of what it covers, each weighted by
///    overlap / S. Both directions alike.
/// 2. `lo`, `hi` = the values at index `floor(p / 100 · (N - 1))` of the resized values in
///    ascending order; `x = clip((v - lo) / (hi - lo), 0, 1)`; all 0 where `hi <= lo`.
/// 3. `(x - mean) / std`.
#[must_use]
pub fn input(gray: &Gray, geometry: &Geometry) -> Vec<f32> {
    let mut values = resize(gray, geometry.width as usize, geometry.height as usize);
    let low = percentile(&values, geometry.low_percentile);
    let high = percentile(&values, geometry.high_percentile);
    let range = high - low;
    for value in &mut values {
        let spread = if range > 0.0 { ((*value - low) / range).clamp(0.0, 1.0) } else { 0.0 };
        *value = (spread - geometry.mean) / geometry.std;
    }
    values
}

/// The value at index `floor(p / 100 · (N - 1))` in ascending order.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the indices first")]
fn percentile(values: &[f32], percent: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let last = values.len() - 1;
    let index = (f64::from(percent) / 100.0 * last as f64).floor().clamp(0.0, last as f64) as usize;
    let mut sorted = values.to_vec();
    *sorted.select_nth_unstable_by(index, f32::total_cmp).1
}

/// Which inputs an output cell covers, and how much of it each makes up.
struct Cover {
    first: usize,
    weights: Vec<f64>,
}

/// The covers of all output cells of one direction.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cell lies within the input; both ends are clamped to it"
)]
fn covers(input: usize, output: usize) -> Vec<Cover> {
    let step = input as f64 / output as f64;
    let cover = |cell: usize| {
        let (low, high) = (cell as f64 * step, (cell + 1) as f64 * step);
        let first = (low.floor() as usize).min(input - 1);
        let end = (high.ceil() as usize).clamp(first + 1, input);
        let overlap = |at: usize| ((high.min((at + 1) as f64) - low.max(at as f64)) / step).max(0.0);
        Cover { first, weights: (first..end).map(overlap).collect() }
    };
    (0..output).map(cover).collect()
}

/// Row by row: each input row is narrowed once, and added to the output rows that cover it.
#[expect(clippy::cast_possible_truncation, reason = "the model computes in single precision")]
pub(super) fn resize(gray: &Gray, width: usize, height: usize) -> Vec<f32> {
    let (wide, high) = (gray.width as usize, gray.height as usize);
    if gray.values.is_empty() || gray.values.len() != wide * high {
        return vec![0.0; width * height];
    }
    let columns = covers(wide, width);
    let mut narrowed = vec![0f64; width];
    let mut narrowed_row = None;
    let mut sums = vec![0f64; width];
    let mut out = Vec::with_capacity(width * height);
    for cover in covers(high, height) {
        sums.fill(0.0);
        for (row, weight) in (cover.first..).zip(&cover.weights) {
            // The row on the border of two cells serves both.
            if narrowed_row != Some(row) {
                narrow(&gray.values[row * wide..(row + 1) * wide], &columns, &mut narrowed);
                narrowed_row = Some(row);
            }
            sums.iter_mut().zip(&narrowed).for_each(|(sum, value)| *sum += weight * value);
        }
        out.extend(sums.iter().map(|sum| *sum as f32));
    }
    out
}

fn narrow(row: &[f32], columns: &[Cover], out: &mut [f64]) {
    for (to, cover) in out.iter_mut().zip(columns) {
        let covered = &row[cover.first..cover.first + cover.weights.len()];
        *to = covered.iter().zip(&cover.weights).map(|(value, weight)| f64::from(*value) * weight).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray(width: u32, height: u32, value: impl Fn(u32, u32) -> f32) -> Gray {
        let values = (0..width * height).map(|at| value(at % width, at / width)).collect();
        Gray { width, height, values }
    }

    /// The definition, word by word: every output from every input, both directions at once.
    #[expect(clippy::cast_possible_truncation, reason = "the result is in single precision")]
    fn by_definition(gray: &Gray, width: usize, height: usize) -> Vec<f32> {
        let overlap = |cell: usize, at: usize, step: f64| {
            let low = (cell as f64 * step).max(at as f64);
            (((cell + 1) as f64 * step).min((at + 1) as f64) - low).max(0.0) / step
        };
        let (sx, sy) = (f64::from(gray.width) / width as f64, f64::from(gray.height) / height as f64);
        let cell = |i: usize, j: usize| -> f64 {
            let pixel = |at: usize| {
                let (x, y) = (at % gray.width as usize, at / gray.width as usize);
                f64::from(gray.values[at]) * overlap(i, x, sx) * overlap(j, y, sy)
            };
            (0..gray.values.len()).map(pixel).sum()
        };
        (0..width * height).map(|at| cell(at % width, at / width) as f32).collect()
    }

    #[test]
    fn resizing_is_area_averaging_down_and_up() {
        let source = gray(7, 5, |x, y| (x * x + 3 * y) as f32);
        for (width, height) in [(3, 2), (7, 5), (1, 1), (16, 9), (5, 11)] {
            let (got, want) = (resize(&source, width, height), by_definition(&source, width, height));
            assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-4), "{width}x{height} {got:?} {want:?}");
        }
        assert_eq!(resize(&gray(4, 1, |x, _| x as f32), 2, 1), [0.5, 2.5]);
    }

    #[test]
    fn percentiles_are_values_that_occur() {
        let values: Vec<f32> = (0..11).rev().map(|v| v as f32).collect();
        for (percent, value) in [(0.0, 0.0f32), (9.9, 0.0), (10.0, 1.0), (99.0, 9.0), (100.0, 10.0)] {
            assert_eq!(percentile(&values, percent).to_bits(), value.to_bits(), "{percent}");
        }
    }

    #[test]
    fn spreading_clips_and_normalises_and_a_flat_image_is_all_zero() {
        let geometry =
            Geometry { width: 5, height: 1, low_percentile: 25.0, high_percentile: 75.0, mean: 0.5, std: 0.25 };
        let ramp = input(&gray(5, 1, |x, _| x as f32), &geometry);
        assert_eq!(ramp, [-2.0, -2.0, 0.0, 2.0, 2.0]);
        assert_eq!(input(&gray(5, 5, |_, _| 7.0), &geometry), [-2.0; 5]);
    }

    #[test]
    fn a_detector_sized_image_becomes_an_input() {
        let source = gray(2048, 2500, |x, y| ((x ^ y) & 4095) as f32);
        let geometry =
            Geometry { width: 320, height: 320, low_percentile: 1.0, high_percentile: 99.0, mean: 0.5, std: 0.25 };
        let start = std::time::Instant::now();
        let values = input(&source, &geometry);
        println!("2048x2500 to 320x320 in {:?}", start.elapsed());
        assert!(values.len() == 320 * 320 && values.iter().all(|v| (-2.0..=2.0).contains(v)));
    }
}
