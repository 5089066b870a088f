//! Cores with matrix products (Armv8.6 `i8mm`: Cortex-A510, A710, Neoverse V1 and later):
//! `usmmla` multiplies two pixels by two channels over eight inputs; up to four pixels a tile.

use std::arch::aarch64::{
    int8x16_t, int32x4_t, uint8x8_t, uint8x16_t, vcombine_u8, vcreate_u8, vdupq_n_s8, vdupq_n_s32, vdupq_n_u8, vld1_u8,
    vld1q_s8, vreinterpretq_s8_s32, vreinterpretq_s32_s8, vreinterpretq_s32_s64, vreinterpretq_s64_s32, vzip1q_s32,
    vzip1q_s64, vzip2q_s32, vzip2q_s64,
};
use std::arch::asm;

use super::super::super::pack::{GROUP, LANES, Lanes, Packed};
use super::super::finish::Finish;
use super::super::sweep::{self, Cut, Reading, Tile, Windows};
use super::{VECTORS, add};

/// Two pairs of pixels are 16 vectors of sums; of three, sums, values and weights no longer fit in 32.
const CUT: Cut = Cut { pixels: 4, blocks: 1, reading: Reading::Raw };
/// Pairs of channels in a block.
const CHANNEL_PAIRS: usize = LANES / 2;

/// A convolution.
#[target_feature(enable = "neon,dotprod,i8mm")]
pub fn convolution(input: &[u8], windows: &Windows, packed: &Packed, finish: &mut Finish<'_>) {
    sweep::convolution(input, windows, packed, finish, CUT, |tile, sums| accumulate(tile, sums));
}

#[target_feature(enable = "neon,dotprod,i8mm")]
fn accumulate(tile: &Tile<'_>, sums: &mut [Lanes<i32>]) {
    match tile.pixels() {
        1 | 2 => pairs::<1>(tile, sums),
        3 | 4 => pairs::<2>(tile, sums),
        _ => unreachable!("a tile has at most CUT.pixels"),
    }
}

/// `N` pairs of pixels; of an odd number the last stands twice, and its second sums are dropped.
#[inline]
#[target_feature(enable = "neon,dotprod,i8mm")]
fn pairs<const N: usize>(tile: &Tile<'_>, sums: &mut [Lanes<i32>]) {
    assert!(tile.pixels().div_ceil(2) == N && tile.blocks() == 1 && sums.len() == tile.pixels());
    let last = (tile.pixels() - 1) * tile.step();
    let places: [_; N] = std::array::from_fn(|pair| [2 * pair * tile.step(), last.min((2 * pair + 1) * tile.step())]);
    let mut totals = [[vdupq_n_s32(0); CHANNEL_PAIRS]; N];
    let mut values = [vdupq_n_u8(0); N];
    let mut weights = tile.weights().as_ptr();
    for row in 0..tile.rows() {
        // SAFETY: Tile's constructor put the last byte of the last row's last window inside the
        // input; a row's start is nearer.
        let mut run = unsafe { tile.input().as_ptr().add(row * tile.pitch()) };
        for _ in 0..tile.groups() / 2 {
            for (values, [first, second]) in values.iter_mut().zip(places) {
                // SAFETY: at most pixel tile.pixels() - 1, and these are two whole groups of row <
                // tile.rows(): inside what Tile's constructor checked.
                *values = unsafe { vcombine_u8(vld1_u8(run.add(first)), vld1_u8(run.add(second))) };
            }
            for vector in 0..VECTORS {
                // SAFETY: one of four vectors of sixteen bytes, of this group and of the next: one
                // of rows · groups / 2 steps of 128 bytes through exactly so many weights (Tile's
                // constructor); a check here costs more than the arithmetic.
                let of_groups = unsafe { [vector_at(weights, vector), vector_at(weights.add(GROUP * LANES), vector)] };
                multiply(vector, of_groups, &values, &mut totals);
            }
            // SAFETY: at most one past the end of the weights, and inside the input's last window.
            unsafe {
                weights = weights.add(2 * GROUP * LANES);
                run = run.add(2 * GROUP);
            }
        }
        if tile.groups() % 2 == 1 {
            for (values, [first, second]) in values.iter_mut().zip(places) {
                // SAFETY: as above, for one group.
                *values = unsafe { vcombine_u8(four(run.add(first)), four(run.add(second))) };
            }
            for vector in 0..VECTORS {
                // SAFETY: as above, for one group.
                let of_group = unsafe { vector_at(weights, vector) };
                multiply(vector, [of_group, vdupq_n_s8(0)], &values, &mut totals);
            }
            // SAFETY: as above, for one group.
            weights = unsafe { weights.add(GROUP * LANES) };
        }
    }
    for (pixel, sum) in sums.iter_mut().enumerate() {
        add(sum, of_pixel(&totals[pixel / 2], pixel % 2));
    }
}

/// Adds the products of two groups' weights, for four channels, with each pair of pixels.
#[inline]
#[target_feature(enable = "neon,dotprod,i8mm")]
fn multiply<const N: usize>(
    vector: usize,
    [first, second]: [int8x16_t; 2],
    values: &[uint8x16_t; N],
    totals: &mut [[int32x4_t; CHANNEL_PAIRS]; N],
) {
    let (first, second) = (vreinterpretq_s32_s8(first), vreinterpretq_s32_s8(second));
    // Each channel's eight inputs side by side.
    let channels = [vzip1q_s32(first, second), vzip2q_s32(first, second)];
    for (pair, of_pair) in channels.into_iter().enumerate() {
        for (totals, values) in totals.iter_mut().zip(values) {
            let total = &mut totals[2 * vector + pair];
            *total = matrix(*total, *values, vreinterpretq_s8_s32(of_pair));
        }
    }
}

/// The sums of one pixel of a pair.
#[inline]
#[target_feature(enable = "neon")]
fn of_pixel(totals: &[int32x4_t; CHANNEL_PAIRS], pixel: usize) -> [int32x4_t; VECTORS] {
    std::array::from_fn(|vector| {
        let [first, second] = [totals[2 * vector], totals[2 * vector + 1]].map(|t| vreinterpretq_s64_s32(t));
        vreinterpretq_s32_s64(if pixel == 0 { vzip1q_s64(first, second) } else { vzip2q_s64(first, second) })
    })
}

/// Weights of four channels.
///
/// # Safety
/// 64 bytes are readable at `weights`, and `vector` is one of four.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn vector_at(weights: *const i8, vector: usize) -> int8x16_t {
    // SAFETY: the caller's.
    unsafe { vld1q_s8(weights.add(vector * size_of::<int8x16_t>())) }
}

/// Four activations and four zeros.
///
/// # Safety
/// Four bytes are readable at `run`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn four(run: *const u8) -> uint8x8_t {
    // SAFETY: the caller's; unaligned by read_unaligned.
    vcreate_u8(u64::from(unsafe { run.cast::<u32>().read_unaligned() }))
}

/// Rows of u8 times rows of s8, two by two over eight: `[00, 01, 10, 11]`, added to the total.
#[inline]
#[target_feature(enable = "neon,dotprod,i8mm")]
fn matrix(mut total: int32x4_t, values: uint8x16_t, weights: int8x16_t) -> int32x4_t {
    // SAFETY: arithmetic in three registers, of an instruction that `i8mm` brings.
    unsafe {
        asm!(
            "usmmla {total:v}.4s, {values:v}.16b, {weights:v}.16b",
            total = inout(vreg) total,
            values = in(vreg) values,
            weights = in(vreg) weights,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    total
}
