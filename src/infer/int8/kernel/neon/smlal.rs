//! Every aarch64 core (Cortex-A53, A72): `smull` and `smlal` sum products in i16 while they fit,
//! `sadalp` adds neighbours of those to i32; one pixel a tile.
//!
//! A product of values less 128 is at most 128 times the largest weight. Four of weights within
//! ±63 are at most 32256, two within ±127 at most 32512, one of any 16384: all below 2^15.

use std::arch::aarch64::{
    int8x16_t, int16x8_t, int32x4_t, vaddvq_s32, vdupq_laneq_s32, vdupq_n_s16, vdupq_n_s32, vget_low_s8, vget_low_s16,
    vget_low_u8, vld1q_s8, vld1q_s16, vld1q_s32, vld1q_u8, vmlal_high_s8, vmlal_high_s16, vmlal_s8, vmlal_s16,
    vmovl_high_s8, vmovl_high_u8, vmovl_s8, vmovl_u8, vpadalq_s16, vpaddq_s32, vreinterpretq_s8_s32,
    vreinterpretq_s16_u16, vreinterpretq_s32_s8, vst1q_s32,
};

use super::super::super::gemv::{ROWS, STRIDE};
use super::super::super::pack::{Depthwise, GROUP, LANES, Lanes, Packed};
use super::super::finish::Finish;
use super::super::sweep::{self, Cut, Reading, Tile, Windows};
use super::{VECTORS, add, centred, four, in_rows, sixteen};

/// Of two pixels, sums, values and products no longer fit in 32 vectors.
const CUT: Cut = Cut { pixels: 1, blocks: 1, reading: Reading::Centred };
/// Groups that are taken together.
const GROUPS: usize = 4;

/// A convolution.
#[target_feature(enable = "neon")]
pub fn convolution(input: &[u8], windows: &Windows, packed: &Packed, finish: &mut Finish<'_>) {
    match packed.limit {
        0..=63 => sweep::convolution(input, windows, packed, finish, CUT, |tile, sums| accumulate::<4>(tile, sums)),
        64..=127 => sweep::convolution(input, windows, packed, finish, CUT, |tile, sums| accumulate::<2>(tile, sums)),
        _ => sweep::convolution(input, windows, packed, finish, CUT, |tile, sums| accumulate::<1>(tile, sums)),
    }
}

/// A depthwise convolution: products in i32, four channels at once.
#[target_feature(enable = "neon")]
pub fn depthwise(input: &[u8], windows: &Windows, packed: &Depthwise, channels: usize, finish: &mut Finish<'_>) {
    sweep::depthwise(input, windows, packed, channels, finish, |values, weights, sums| tap(values, weights, sums));
}

/// Sums of rows of weights with one row of values, products in i32.
#[target_feature(enable = "neon")]
pub fn rows(weights: &[i8], values: &[i16]) -> [i32; ROWS] {
    let (values, rest) = values.as_chunks::<STRIDE>();
    assert!(rest.is_empty(), "whole rows");
    let weights = in_rows::<STRIDE>(weights, values.len());
    let mut totals = [vdupq_n_s32(0); ROWS];
    for (i, values) in values.iter().enumerate() {
        // SAFETY: sixteen i16 are two vectors.
        let halves = unsafe { [vld1q_s16(values.as_ptr()), vld1q_s16(values.as_ptr().add(STRIDE / 2))] };
        for row in 0..ROWS {
            // SAFETY: sixteen i8 are one vector.
            let row_16 = unsafe { vld1q_s8(weights[row][i].as_ptr()) };
            totals[row] = eight(totals[row], vmovl_s8(vget_low_s8(row_16)), halves[0]);
            totals[row] = eight(totals[row], vmovl_high_s8(row_16), halves[1]);
        }
    }
    totals.map(|total| vaddvq_s32(total))
}

#[inline]
#[target_feature(enable = "neon")]
fn tap(values: &[u8; LANES], weights: &Lanes<i16>, sums: &mut Lanes<i32>) {
    // SAFETY: sixteen u8 are one vector, eight i16 another.
    let (values, weights) = unsafe {
        (vld1q_u8(values.as_ptr()), [vld1q_s16(weights.as_ptr()), vld1q_s16(weights.as_ptr().add(LANES / 2))])
    };
    let values = [vmovl_u8(vget_low_u8(values)), vmovl_high_u8(values)].map(|half| vreinterpretq_s16_u16(half));
    for (half, sums) in sums.as_chunks_mut::<{ LANES / 2 }>().0.iter_mut().enumerate() {
        let (values, weights) = (values[half], weights[half]);
        // SAFETY: four i32 are one vector, here the first and the second four of eight.
        unsafe {
            let second = sums.as_mut_ptr().add(LANES / 4);
            vst1q_s32(second, vmlal_high_s16(vld1q_s32(second), values, weights));
            let first = sums.as_mut_ptr();
            vst1q_s32(first, vmlal_s16(vld1q_s32(first), vget_low_s16(values), vget_low_s16(weights)));
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn eight(total: int32x4_t, weights: int16x8_t, values: int16x8_t) -> int32x4_t {
    vmlal_high_s16(vmlal_s16(total, vget_low_s16(weights), vget_low_s16(values)), weights, values)
}

/// `DEPTH` products fit in i16.
#[target_feature(enable = "neon")]
fn accumulate<const DEPTH: usize>(tile: &Tile<'_>, sums: &mut [Lanes<i32>]) {
    let [sum] = sums else { unreachable!("a tile has at most CUT.pixels") };
    let mut totals = [[vdupq_n_s32(0); 2]; VECTORS];
    let mut weights = tile.weights().as_ptr();
    for row in 0..tile.rows() {
        // SAFETY: Tile's constructor put the last byte of the last row of the window inside the
        // input; a row's start is nearer.
        let mut run = unsafe { tile.input().as_ptr().add(row * tile.pitch()) };
        for _ in 0..tile.groups() / GROUPS {
            // SAFETY: these are four whole groups of row < tile.rows(), inside what Tile's
            // constructor checked, and four of rows · groups steps of 64 bytes through exactly so
            // many weights; a check here costs more than the arithmetic.
            unsafe {
                groups::<DEPTH, GROUPS>(weights, each_group(centred(sixteen(run))), &mut totals);
                weights = weights.add(GROUPS * GROUP * LANES);
                run = run.add(GROUPS * GROUP);
            }
        }
        for _ in 0..tile.groups() % GROUPS {
            // SAFETY: as above, for one group.
            unsafe {
                groups::<1, 1>(weights, [centred(four(run))], &mut totals);
                weights = weights.add(GROUP * LANES);
                run = run.add(GROUP);
            }
        }
    }
    add(sum, totals.map(|[first, second]| vpaddq_s32(first, second)));
}

/// Adds the products of `G` groups, the first two channels' of a vector and the last two's apart.
///
/// # Safety
/// 64 bytes for each of the groups are readable at `weights`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn groups<const DEPTH: usize, const G: usize>(
    weights: *const i8,
    values: [int8x16_t; G],
    totals: &mut [[int32x4_t; 2]; VECTORS],
) {
    for (vector, totals) in totals.iter_mut().enumerate() {
        for (first, values) in values.chunks_exact(DEPTH).enumerate() {
            let mut products = [vdupq_n_s16(0); 2];
            for (group, &values) in (first * DEPTH..).zip(values) {
                // SAFETY: one of four vectors of sixteen bytes of one of the groups; the caller's.
                let weights = unsafe { vld1q_s8(weights.add(group * GROUP * LANES + vector * size_of::<int8x16_t>())) };
                products = more(products, weights, values);
            }
            for (total, products) in totals.iter_mut().zip(products) {
                *total = vpadalq_s16(*total, products);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn more([low, high]: [int16x8_t; 2], weights: int8x16_t, values: int8x16_t) -> [int16x8_t; 2] {
    [vmlal_s8(low, vget_low_s8(weights), vget_low_s8(values)), vmlal_high_s8(high, weights, values)]
}

/// Each group of four values in all lanes of a vector of its own.
#[inline]
#[target_feature(enable = "neon")]
fn each_group(values: int8x16_t) -> [int8x16_t; GROUPS] {
    let values = vreinterpretq_s32_s8(values);
    [
        vdupq_laneq_s32::<0>(values),
        vdupq_laneq_s32::<1>(values),
        vdupq_laneq_s32::<2>(values),
        vdupq_laneq_s32::<3>(values),
    ]
    .map(|group| vreinterpretq_s8_s32(group))
}
