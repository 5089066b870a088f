//! AVX2: sixteen channels in two vectors, up to six pixels a tile.
//!
//! `pairs` is for weights within ±63: `vpmaddubsw` sums two products in i16 and saturates, but
//! 255 · 63 · 2 = 32130 < 32767 and -32130 > -32768, so it never does. `wide` takes any s8: it widens
//! both sides to i16 and `vpmaddwd` sums two products in i32, at most 255 · 128 · 2, exactly.
#![expect(unsafe_code, reason = "loads by pointer in the innermost loop; bounds are Tile's constructor's")]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_slli_epi16, _mm256_srai_epi16,
    _mm256_srli_epi16, _mm256_storeu_si256,
};

use super::super::pack::{Depthwise, GROUP, LANES, Lanes, Packed};
use super::finish::Finish;
use super::sweep::{self, Cut, Tile, Windows};

const CUT: Cut = Cut { pixels: 6, blocks: 1 };

/// A convolution with weights within ±63.
#[target_feature(enable = "avx2")]
pub fn pairs(input: &[u8], windows: &Windows, packed: &Packed, finish: &mut Finish<'_>) {
    assert!(packed.limit <= 63, "weights that cannot saturate");
    sweep::convolution(input, windows, packed, finish, CUT, |tile, sums| accumulate::<false>(tile, sums));
}

/// A convolution with any weights.
#[target_feature(enable = "avx2")]
pub fn wide(input: &[u8], windows: &Windows, packed: &Packed, finish: &mut Finish<'_>) {
    sweep::convolution(input, windows, packed, finish, CUT, |tile, sums| accumulate::<true>(tile, sums));
}

/// A depthwise convolution: the portable one, compiled for AVX2.
#[target_feature(enable = "avx2")]
pub fn depthwise(input: &[u8], windows: &Windows, packed: &Depthwise, channels: usize, finish: &mut Finish<'_>) {
    sweep::depthwise(input, windows, packed, channels, finish);
}

#[target_feature(enable = "avx2")]
fn accumulate<const WIDE: bool>(tile: &Tile<'_>, sums: &mut [Lanes<i32>]) {
    match tile.pixels() {
        1 => pixels::<WIDE, 1>(tile, sums),
        2 => pixels::<WIDE, 2>(tile, sums),
        3 => pixels::<WIDE, 3>(tile, sums),
        4 => pixels::<WIDE, 4>(tile, sums),
        5 => pixels::<WIDE, 5>(tile, sums),
        6 => pixels::<WIDE, 6>(tile, sums),
        _ => unreachable!("a tile has at most CUT.pixels"),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn pixels<const WIDE: bool, const P: usize>(tile: &Tile<'_>, sums: &mut [Lanes<i32>]) {
    assert!(tile.pixels() == P && tile.blocks() == 1);
    let sums: &mut [Lanes<i32>; P] = sums.try_into().expect("a sum for each pixel");
    let mut totals = [[_mm256_setzero_si256(); 2]; P];
    for (total, sum) in totals.iter_mut().zip(&*sums) {
        *total = load(sum);
    }
    let mut weights = tile.weights().as_ptr();
    for row in 0..tile.rows() {
        // SAFETY: Tile's constructor put the last byte of the last row's last window inside the
        // input; a row's start is nearer.
        let mut run = unsafe { tile.input().as_ptr().add(row * tile.pitch()) };
        for _ in 0..tile.groups() {
            // SAFETY: one of rows · groups steps of 64 bytes through exactly so many weights (Tile's
            // constructor); needed because a check here costs more than the arithmetic.
            let pair = unsafe {
                [_mm256_loadu_si256(weights.cast()), _mm256_loadu_si256(weights.add(GROUP * LANES / 2).cast())]
            };
            for (pixel, total) in totals.iter_mut().enumerate() {
                // SAFETY: pixel < P = tile.pixels(), and this is group < tile.groups() of row <
                // tile.rows(): inside what Tile's constructor checked. Unaligned by read_unaligned.
                let four = unsafe { run.add(pixel * tile.step()).cast::<i32>().read_unaligned() };
                let values = _mm256_set1_epi32(four);
                for half in 0..2 {
                    total[half] = _mm256_add_epi32(total[half], products::<WIDE>(values, pair[half]));
                }
            }
            // SAFETY: at most one past the end of the weights, and inside the input's last window.
            unsafe {
                weights = weights.add(GROUP * LANES);
                run = run.add(GROUP);
            }
        }
    }
    for (total, sum) in totals.iter().zip(sums) {
        store(sum, *total);
    }
}

/// For each 32-bit lane, the sum of its four u8 × s8 products.
#[inline]
#[target_feature(enable = "avx2")]
fn products<const WIDE: bool>(values: __m256i, weights: __m256i) -> __m256i {
    if WIDE {
        let even_values = _mm256_and_si256(values, _mm256_set1_epi16(0xFF));
        let odd_values = _mm256_srli_epi16::<8>(values);
        let even_weights = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(weights));
        let odd_weights = _mm256_srai_epi16::<8>(weights);
        let even = _mm256_madd_epi16(even_values, even_weights);
        _mm256_add_epi32(even, _mm256_madd_epi16(odd_values, odd_weights))
    } else {
        _mm256_madd_epi16(_mm256_maddubs_epi16(values, weights), _mm256_set1_epi16(1))
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(sum: &Lanes<i32>) -> [__m256i; 2] {
    // SAFETY: sixteen i32 are two vectors.
    unsafe { [_mm256_loadu_si256(sum.as_ptr().cast()), _mm256_loadu_si256(sum.as_ptr().add(LANES / 2).cast())] }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(sum: &mut Lanes<i32>, total: [__m256i; 2]) {
    // SAFETY: sixteen i32 are two vectors.
    unsafe {
        _mm256_storeu_si256(sum.as_mut_ptr().cast(), total[0]);
        _mm256_storeu_si256(sum.as_mut_ptr().add(LANES / 2).cast(), total[1]);
    }
}
