//! Weight-only products for autoregressive steps: s8 weights by output, activations rounded to
//! 12 bits a step, exact sums in i32, one float product at the end.
//!
//! The result is the same on every CPU, bit for bit, as for the convolutions: the rounding of the
//! activations is one source for all kernels, and integer sums do not depend on their order.

use super::kernel::Kernel;

/// Values that a kernel takes at a time; rows are padded to it.
pub const STRIDE: usize = 16;
/// Rows that a kernel sums at a time.
pub const ROWS: usize = 4;
/// Largest magnitude of a rounded activation: 12 bits with sign.
const LARGEST: f32 = 2047.0;
/// Most values of a row: 128 · 2047 · 8192 is just below 2^31.
pub const MAX_INNER: usize = 8192;
/// 1.5 · 2^23: adding it rounds a small float to an integer, ties to even, in its low bits.
const MAGIC: f32 = 12_582_912.0;

/// Weights `[inner, outer]` of a product `x · W`, kept by output.
#[derive(Debug, PartialEq)]
pub struct Weights {
    inner: usize,
    outer: usize,
    stride: usize,
    rows: Vec<i8>,
    scales: Vec<f32>,
}

impl Weights {
    /// From `[inner, outer]` in C order with one scale an output, or one for all.
    ///
    /// # Errors
    /// The sizes disagree, or a row is too long for exact sums.
    pub fn new(values: &[i8], inner: usize, outer: usize, scales: &[f32]) -> Result<Self, String> {
        if !(1..=MAX_INNER).contains(&inner) || outer == 0 || Some(values.len()) != inner.checked_mul(outer) {
            return Err(format!("weights of {inner} x {outer} in {} values, rows to {MAX_INNER}", values.len()));
        }
        let scales = match scales {
            [one] => vec![*one; outer],
            each if each.len() == outer => each.to_vec(),
            other => return Err(format!("{} scales for {outer} outputs", other.len())),
        };
        let stride = inner.next_multiple_of(STRIDE);
        let mut rows = vec![0; stride * outer.next_multiple_of(ROWS)];
        for (i, row) in values.chunks_exact(outer).enumerate() {
            for (o, &value) in row.iter().enumerate() {
                rows[o * stride + i] = value;
            }
        }
        Ok(Self { inner, outer, stride, rows, scales })
    }

    /// Values of an input row.
    #[must_use]
    pub const fn inner(&self) -> usize {
        self.inner
    }

    /// Values of an output row.
    #[must_use]
    pub const fn outer(&self) -> usize {
        self.outer
    }

    /// One row: `out = x · W`. Where `x` holds a value that is not finite, all of `out` is NaN.
    ///
    /// # Panics
    /// `x` or `out` has another size.
    pub fn product(&self, kernel: Kernel, x: &[f32], out: &mut [f32]) {
        assert!(x.len() == self.inner && out.len() == self.outer, "a row in, a row out");
        // On the stack: a step allocates nothing here.
        let mut rounded = [0i16; MAX_INNER];
        let rounded = &mut rounded[..self.stride];
        let step = round(x, rounded);
        for (block, out) in out.chunks_mut(ROWS).enumerate() {
            let first = block * ROWS;
            let sums = kernel.rows(&self.rows[first * self.stride..][..ROWS * self.stride], rounded);
            for ((out, sum), scale) in out.iter_mut().zip(sums).zip(&self.scales[first..]) {
                *out = sum as f32 * (scale * step);
            }
        }
    }
}

/// Rounds `x` to 12 bits against its largest magnitude; gives the real size of one step.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "within 12 bits by the scale")]
fn round(x: &[f32], rounded: &mut [i16]) -> f32 {
    if x.iter().any(|v| !v.is_finite()) {
        return f32::NAN;
    }
    let largest = x.iter().fold(f32::MIN_POSITIVE, |largest, v| largest.max(v.abs()));
    let steps = LARGEST / largest;
    // A row of numbers so small that their inverse is none: all zero.
    let steps = if steps.is_finite() { steps } else { 0.0 };
    for (to, v) in rounded.iter_mut().zip(x) {
        *to = ((v * steps + MAGIC).to_bits() as i32 - MAGIC.to_bits() as i32) as i16;
    }
    largest / LARGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that look random and are the same everywhere.
    fn noise(count: usize, seed: u32) -> Vec<u32> {
        let mut state = seed;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        (0..count).map(|_| next()).collect()
    }

    #[expect(clippy::cast_possible_truncation, reason = "any bits do")]
    fn weights(inner: usize, outer: usize) -> (Vec<i8>, Vec<f32>) {
        let values = noise(inner * outer, 7).into_iter().map(|v| (v as u8).cast_signed()).collect();
        (values, noise(outer, 9).into_iter().map(|v| (v % 100 + 1) as f32 / 1e4).collect())
    }

    fn row(inner: usize) -> Vec<f32> {
        noise(inner, 3).into_iter().map(|v| (v % 2001) as f32 / 500.0 - 2.0).collect()
    }

    #[test]
    fn every_kernel_gives_the_same_bits() {
        for (inner, outer) in [(1, 1), (15, 3), (16, 4), (128, 384), (130, 463), (1024, 7)] {
            let (values, scales) = weights(inner, outer);
            let weights = Weights::new(&values, inner, outer, &scales).unwrap();
            let x = row(inner);
            let results: Vec<Vec<u32>> = Kernel::available()
                .into_iter()
                .map(|kernel| {
                    let mut out = vec![0.0; outer];
                    weights.product(kernel, &x, &mut out);
                    out.into_iter().map(f32::to_bits).collect()
                })
                .collect();
            assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{inner} x {outer}");
        }
    }

    #[test]
    fn a_product_is_that_of_the_real_weights_within_the_rounding_of_the_activations() {
        let (inner, outer) = (128, 37);
        let (values, scales) = weights(inner, outer);
        let weights = Weights::new(&values, inner, outer, &scales).unwrap();
        let x = row(inner);
        let mut out = vec![0.0; outer];
        weights.product(Kernel::available()[0], &x, &mut out);
        for (o, found) in out.into_iter().enumerate() {
            let real = |i: usize| f64::from(values[i * outer + o]) * f64::from(scales[o]);
            let wanted: f64 = (0..inner).map(|i| f64::from(x[i]) * real(i)).sum();
            // Half a step of 2 / 2047 for each of the row's weights.
            let bound: f64 = (0..inner).map(|i| real(i).abs()).sum::<f64>() * (0.5 * 2.0 / 2047.0) + 1e-4;
            assert!((f64::from(found) - wanted).abs() <= bound, "output {o}: {found} for {wanted}");
        }
    }

    #[test]
    fn what_is_not_finite_stays_visible_and_zeros_stay_zero() {
        let weights = Weights::new(&[1, 2, 3, 4], 2, 2, &[0.5]).unwrap();
        for kernel in Kernel::available() {
            let mut out = [0.0; 2];
            weights.product(kernel, &[1.0, f32::NAN], &mut out);
            assert!(out.iter().all(|v| v.is_nan()));
            weights.product(kernel, &[0.0, 0.0], &mut out);
            assert!(out.iter().all(|v| v.abs() < f32::MIN_POSITIVE));
        }
    }

    #[test]
    fn weights_that_contradict_their_size_are_refused() {
        for (count, inner, outer, scales) in
            [(3, 2, 2, 1), (4, 2, 2, 3), (0, 0, 4, 1), (0, 4, 0, 1), (8193, 8193, 1, 1)]
        {
            assert!(Weights::new(&vec![1; count], inner, outer, &vec![1.0; scales]).is_err(), "{inner} x {outer}");
        }
    }

    #[test]
    fn the_largest_sums_do_not_overflow() {
        let weights = Weights::new(&vec![-128; MAX_INNER], MAX_INNER, 1, &[1.0]).unwrap();
        for kernel in Kernel::available() {
            let mut out = [0.0];
            weights.product(kernel, &vec![1.0; MAX_INNER], &mut out);
            assert!((out[0] + 128.0 * 8192.0).abs() < 1.0, "{}: {}", kernel.name(), out[0]);
        }
    }
}
