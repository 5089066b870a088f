//! AVX2: sixteen channels in two vectors, up to six pixels a tile.
//!
//! `pairs` is for weights within ±63: `vpmaddubsw` sums two products in i16 and saturates, but
//! 255 · 63 · 2 = 32130 < 32767 and -32130 > -32768, so it never does. `wide` takes any s8: it widens
//! both sides to i16 and `vpmaddwd` sums two products in i32, at most 255 · 128 · 2, exactly.
#![expect(unsafe_code, reason = "loads by pointer in the innermost loop; bounds are Tile's constructor's")]

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_and_si256, _mm256_cvtepi8_epi16, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_slli_epi16, _mm256_srai_epi16, _mm256_srli_epi16, _mm256_storeu_si256,
};

use super::super::gemv::{ROWS, STRIDE};
use super::super::pack::{Depthwise, GROUP, LANES, Lanes, Packed};
use super::finish::Finish;
use super::sweep::{self, Cut, Reading, Tile, Windows};

const CUT: Cut = Cut { pixels: 6, blocks: 1, reading: Reading::Raw };

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
    sweep::depthwise(input, windows, packed, channels, finish, sweep::tap);
}

/// Sums of rows of weights with one row of values: both in i16, products summed by pairs in i32.
#[target_feature(enable = "avx2")]
pub fn rows(weights: &[i8], values: &[i16]) -> [i32; ROWS] {
    let (values, rest) = values.as_chunks::<STRIDE>();
    let (weights, odd) = weights.as_chunks::<STRIDE>();
    assert!(rest.is_empty() && odd.is_empty() && weights.len() == ROWS * values.len(), "whole rows");
    let mut totals = [_mm256_setzero_si256(); ROWS];
    for (i, values) in values.iter().enumerate() {
        // SAFETY: sixteen i16 are one vector.
        let values_16 = unsafe { _mm256_loadu_si256(values.as_ptr().cast()) };
        for (row, total) in totals.iter_mut().enumerate() {
            // SAFETY: sixteen i8 are one half vector.
            let row_16 = unsafe { _mm_loadu_si128(weights[row * (weights.len() / ROWS) + i].as_ptr().cast()) };
            *total = _mm256_add_epi32(*total, _mm256_madd_epi16(_mm256_cvtepi8_epi16(row_16), values_16));
        }
    }
    totals.map(|total| {
        let mut lanes = [0i32; 8];
        // SAFETY: eight i32 are one vector.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), total) };
        lanes.iter().sum()
    })
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
pub fn products<const WIDE: bool>(values: __m256i, weights: __m256i) -> __m256i {
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
