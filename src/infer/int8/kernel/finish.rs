//! From exact integer sums to the layer's output: the only float arithmetic of a layer.
//!
//! The order is fixed and each step rounds by itself (no fused multiply-add), in IEEE 754
//! single precision, so every CPU gives the same bits:
//! `v = float(sum) · multiplier + bias`, `v = v + skip`, clamp, and for a quantized output
//! `t = v · (1/scale)`, clamp to the range of u8, round half to even, add the zero point.
//! One source is compiled into each kernel; vector width is the compiler's choice.
#![expect(clippy::inline_always, reason = "must be compiled with the features of the kernel around it")]

use super::super::pack::{LANES, Lanes};

/// 1.5 · 2^23: adding it leaves the integer part of a small float, rounded half to even, in the low bits.
const MAGIC: f32 = 12_582_912.0;

/// How u8 stands for real values: `real = (u8 - zero) · scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantization {
    scale: f32,
    inverse: f32,
    zero: u8,
}

impl Quantization {
    /// One step is `scale`; `zero` stands for zero.
    #[must_use]
    pub fn new(scale: f32, zero: u8) -> Self {
        Self { scale, inverse: 1.0 / scale, zero }
    }

    /// Real size of one step.
    #[must_use]
    pub const fn scale(&self) -> f32 {
        self.scale
    }

    /// The u8 that stands for zero.
    #[must_use]
    pub const fn zero(&self) -> u8 {
        self.zero
    }

    /// The nearest u8, ties to even, saturating; NaN is the smallest.
    #[inline(always)]
    #[must_use]
    #[expect(
        clippy::cast_possible_wrap,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the bits of a float in 2^23..2^24; the result was clamped to 0..=255"
    )]
    pub fn nearest(&self, value: f32) -> u8 {
        let zero = f32::from(self.zero);
        let steps = clamp(value * self.inverse, (-zero, 255.0 - zero));
        ((steps + MAGIC).to_bits() as i32 - MAGIC.to_bits() as i32 + i32::from(self.zero)) as u8
    }

    /// The real value.
    #[inline(always)]
    #[must_use]
    pub fn real(&self, quantized: u8) -> f32 {
        (i32::from(quantized) - i32::from(self.zero)) as f32 * self.scale
    }
}

/// As the vector instructions do it: NaN becomes the lower end.
#[inline(always)]
#[must_use]
pub fn clamp(value: f32, (low, high): (f32, f32)) -> f32 {
    let value = if value > low { value } else { low };
    if value < high { value } else { high }
}

/// A tensor that is added before the clamp.
#[derive(Clone, Copy)]
pub enum Skip<'a> {
    /// Nothing.
    None,
    /// A quantized one.
    Quantized(&'a [u8], Quantization),
    /// A real one.
    Real(&'a [f32]),
}

/// Where a layer writes.
pub enum Out<'a> {
    /// Quantized.
    Quantized(&'a mut [u8], Quantization),
    /// Real.
    Real(&'a mut [f32]),
}

/// Where pixel (row, column) of an NHWC tensor lies: it may stand inside a frame of padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Index of the first value of pixel (0, 0).
    pub start: usize,
    /// From a row to the next.
    pub pitch: usize,
    /// Channels, from a pixel to the next.
    pub channels: usize,
}

impl View {
    /// Index of the first value of a pixel.
    #[inline(always)]
    #[must_use]
    pub const fn at(&self, row: usize, column: usize) -> usize {
        self.start + row * self.pitch + column * self.channels
    }
}

/// All that follows the sums.
pub struct Finish<'a> {
    /// Input scale times weight scale, by block.
    pub multiplier: &'a [Lanes<f32>],
    /// Real bias, by block.
    pub bias: &'a [Lanes<f32>],
    /// What is added.
    pub skip: Skip<'a>,
    /// Where that lies.
    pub skip_view: View,
    /// Activation.
    pub clamp: (f32, f32),
    /// Where the result goes.
    pub out: Out<'a>,
    /// Where that lies.
    pub out_view: View,
}

impl Finish<'_> {
    /// Finishes one pixel of one block.
    #[inline(always)]
    pub fn pixel(&mut self, block: usize, row: usize, column: usize, sums: &Lanes<i32>) {
        let first = block * LANES;
        let channels = (self.out_view.channels - first).min(LANES);
        let from = self.skip_view.at(row, column) + first;
        match self.skip {
            Skip::None => self.put(block, row, column, sums, |_, value| value),
            Skip::Quantized(skip, how) => {
                let skip = whole(&skip[from..from + channels]);
                self.put(block, row, column, sums, |lane, value| value + how.real(skip[lane]));
            }
            Skip::Real(skip) => {
                let skip = whole(&skip[from..from + channels]);
                self.put(block, row, column, sums, |lane, value| value + skip[lane]);
            }
        }
    }

    #[inline(always)]
    fn put(&mut self, block: usize, row: usize, column: usize, sums: &Lanes<i32>, skip: impl Fn(usize, f32) -> f32) {
        let first = block * LANES;
        let channels = (self.out_view.channels - first).min(LANES);
        let (multiplier, bias, limits) = (&self.multiplier[block], &self.bias[block], self.clamp);
        let real = |lane: usize| {
            let scaled = sums[lane] as f32 * multiplier[lane];
            clamp(skip(lane, scaled + bias[lane]), limits)
        };
        let to = self.out_view.at(row, column) + first;
        match &mut self.out {
            Out::Quantized(out, how) => each_lane(&mut out[to..to + channels], |lane| how.nearest(real(lane))),
            Out::Real(out) => each_lane(&mut out[to..to + channels], real),
        }
    }
}

/// One loop from sum to output, so that the compiler keeps a block in registers all the way.
#[inline(always)]
fn each_lane<T: Copy + Default>(out: &mut [T], value: impl Fn(usize) -> T) {
    let mut values = [T::default(); LANES];
    for (lane, to) in values.iter_mut().enumerate() {
        *to = value(lane);
    }
    if out.len() == LANES {
        out.copy_from_slice(&values);
    } else {
        out.copy_from_slice(&values[..out.len()]);
    }
}

/// A block's values, the missing ones of the last block zero.
#[inline(always)]
fn whole<T: Copy + Default>(values: &[T]) -> Lanes<T> {
    let mut lanes = [T::default(); LANES];
    if values.len() == LANES {
        lanes.copy_from_slice(values);
    } else {
        lanes[..values.len()].copy_from_slice(values);
    }
    lanes
}
