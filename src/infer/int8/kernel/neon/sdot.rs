//! Cores with dot products (Armv8.2 `dotprod`: Cortex-A55, A76, A78 and later): `sdot` sums four
//! s8 × s8 products into each of four lanes; up to five pixels a tile.

use std::arch::aarch64::{
    int8x16_t, int32x4_t, vaddq_s32, vaddvq_s32, vdupq_n_s8, vdupq_n_s32, vld1q_s8, vld1q_s16, vreinterpretq_s8_s16,
    vreinterpretq_s8_u8, vreinterpretq_u8_s8, vshlq_n_s16, vshlq_n_s32, vshrq_n_u8, vuzp1q_s8, vuzp2q_s8,
};
use std::arch::asm;

use super::super::super::gemv::{ROWS, STRIDE};
use super::super::super::pack::{GROUP, LANES, Lanes, Packed};
use super::super::finish::Finish;
use super::super::sweep::{self, Cut, Reading, Tile, Windows};
use super::{VECTORS, add, centred, four, in_rows, sixteen};

/// Five pixels are twenty vectors of sums; with five of values and the weights 32 are full.
const CUT: Cut = Cut { pixels: 5, blocks: 1, reading: Reading::Centred };
/// Groups in a vector of one pixel's values.
const GROUPS: usize = 4;

/// A convolution.
#[target_feature(enable = "neon,dotprod")]
pub fn convolution(input: &[u8], windows: &Windows, packed: &Packed, finish: &mut Finish<'_>) {
    sweep::convolution(input, windows, packed, finish, CUT, |tile, sums| accumulate(tile, sums));
}

/// Sums of rows of weights with one row of values of 12 bits: each is 128 · high + low with both
/// in s8, so that two dot products take sixteen.
#[target_feature(enable = "neon,dotprod")]
pub fn rows(weights: &[i8], values: &[i16]) -> [i32; ROWS] {
    let (values, rest) = values.as_chunks::<STRIDE>();
    assert!(rest.is_empty(), "whole rows");
    let weights = in_rows::<STRIDE>(weights, values.len());
    let (mut high, mut low) = ([vdupq_n_s32(0); ROWS], [vdupq_n_s32(0); ROWS]);
    for (i, values) in values.iter().enumerate() {
        // SAFETY: sixteen i16 are two vectors.
        let halves = unsafe { [vld1q_s16(values.as_ptr()), vld1q_s16(values.as_ptr().add(STRIDE / 2))] };
        // Once doubled, the bytes of a value are its high part and twice its low one.
        let [first, second] = halves.map(|half| vreinterpretq_s8_s16(vshlq_n_s16::<1>(half)));
        let high_16 = vuzp2q_s8(first, second);
        let low_16 = vreinterpretq_s8_u8(vshrq_n_u8::<1>(vreinterpretq_u8_s8(vuzp1q_s8(first, second))));
        for row in 0..ROWS {
            // SAFETY: sixteen i8 are one vector.
            let row_16 = unsafe { vld1q_s8(weights[row][i].as_ptr()) };
            high[row] = dot(high[row], row_16, high_16);
            low[row] = dot(low[row], row_16, low_16);
        }
    }
    std::array::from_fn(|row| vaddvq_s32(vaddq_s32(vshlq_n_s32::<7>(high[row]), low[row])))
}

#[target_feature(enable = "neon,dotprod")]
fn accumulate(tile: &Tile<'_>, sums: &mut [Lanes<i32>]) {
    match tile.pixels() {
        1 => pixels::<1>(tile, sums),
        2 => pixels::<2>(tile, sums),
        3 => pixels::<3>(tile, sums),
        4 => pixels::<4>(tile, sums),
        5 => pixels::<5>(tile, sums),
        _ => unreachable!("a tile has at most CUT.pixels"),
    }
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn pixels<const P: usize>(tile: &Tile<'_>, sums: &mut [Lanes<i32>]) {
    assert!(tile.pixels() == P && tile.blocks() == 1 && sums.len() == P);
    let mut totals = [[vdupq_n_s32(0); VECTORS]; P];
    let mut values = [vdupq_n_s8(0); P];
    let mut weights = tile.weights().as_ptr();
    for row in 0..tile.rows() {
        // SAFETY: Tile's constructor put the last byte of the last row's last window inside the
        // input; a row's start is nearer.
        let mut run = unsafe { tile.input().as_ptr().add(row * tile.pitch()) };
        for _ in 0..tile.groups() / GROUPS {
            for (pixel, values) in values.iter_mut().enumerate() {
                // SAFETY: pixel < P = tile.pixels(), and these are four whole groups of row <
                // tile.rows(): inside what Tile's constructor checked.
                *values = centred(unsafe { sixteen(run.add(pixel * tile.step())) });
            }
            // SAFETY: four of rows · groups steps of 64 bytes through exactly so many weights, and
            // past four groups of the input's window (Tile's constructor); a check here costs more
            // than the arithmetic.
            unsafe {
                group::<0, P>(weights, &values, &mut totals);
                group::<1, P>(weights.add(GROUP * LANES), &values, &mut totals);
                group::<2, P>(weights.add(2 * GROUP * LANES), &values, &mut totals);
                group::<3, P>(weights.add(3 * GROUP * LANES), &values, &mut totals);
                weights = weights.add(GROUPS * GROUP * LANES);
                run = run.add(GROUPS * GROUP);
            }
        }
        for _ in 0..tile.groups() % GROUPS {
            for (pixel, values) in values.iter_mut().enumerate() {
                // SAFETY: as above, for one group.
                *values = centred(unsafe { four(run.add(pixel * tile.step())) });
            }
            // SAFETY: as above, for one group.
            unsafe {
                group::<0, P>(weights, &values, &mut totals);
                weights = weights.add(GROUP * LANES);
                run = run.add(GROUP);
            }
        }
    }
    for (sum, total) in sums.iter_mut().zip(totals) {
        add(sum, total);
    }
}

/// Adds the products of group `G` of each pixel's values with a group's weights.
///
/// # Safety
/// 64 bytes are readable at `weights`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn group<const G: usize, const P: usize>(
    weights: *const i8,
    values: &[int8x16_t; P],
    totals: &mut [[int32x4_t; VECTORS]; P],
) {
    for vector in 0..VECTORS {
        // SAFETY: one of four vectors of sixteen bytes; the caller's.
        let weights = unsafe { vld1q_s8(weights.add(vector * size_of::<int8x16_t>())) };
        for (totals, &values) in totals.iter_mut().zip(values) {
            totals[vector] = dot_lane::<G>(totals[vector], weights, values);
        }
    }
}

/// For each lane, its total and the sum of its four products with the four values of lane `G`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn dot_lane<const G: usize>(mut total: int32x4_t, weights: int8x16_t, values: int8x16_t) -> int32x4_t {
    // SAFETY: arithmetic in three registers, of an instruction that `dotprod` brings.
    unsafe {
        asm!(
            "sdot {total:v}.4s, {weights:v}.16b, {values:v}.4b[{lane}]",
            total = inout(vreg) total,
            weights = in(vreg) weights,
            values = in(vreg) values,
            lane = const G,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    total
}

/// For each lane, its total and the sum of its four products.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn dot(mut total: int32x4_t, weights: int8x16_t, values: int8x16_t) -> int32x4_t {
    // SAFETY: as in `dot_lane`.
    unsafe {
        asm!(
            "sdot {total:v}.4s, {weights:v}.16b, {values:v}.16b",
            total = inout(vreg) total,
            weights = in(vreg) weights,
            values = in(vreg) values,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    total
}
