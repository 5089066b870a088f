//! AVX-512 VNNI: `vpdpbusd` sums four u8 × s8 products into i32, exactly for any weights; sixteen
//! channels in one vector, one or two blocks of up to twelve pixels a tile.
#![expect(unsafe_code, reason = "loads by pointer in the innermost loop; bounds are Tile's constructor's")]

use std::arch::x86_64::{
    _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
};

use super::super::pack::{Depthwise, GROUP, LANES, Lanes, Packed};
use super::finish::Finish;
use super::sweep::{self, Cut, Reading, Tile, Windows};

const CUT: Cut = Cut { pixels: 12, blocks: 2, reading: Reading::Raw };

/// A convolution.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
pub fn convolution(input: &[u8], windows: &Windows, packed: &Packed, finish: &mut Finish<'_>) {
    sweep::convolution(input, windows, packed, finish, CUT, |tile, sums| accumulate(tile, sums));
}

/// A depthwise convolution: the portable one, compiled for AVX-512.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
pub fn depthwise(input: &[u8], windows: &Windows, packed: &Depthwise, channels: usize, finish: &mut Finish<'_>) {
    sweep::depthwise(input, windows, packed, channels, finish, sweep::tap);
}

#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
fn accumulate(tile: &Tile<'_>, sums: &mut [Lanes<i32>]) {
    macro_rules! of_pixels {
        ($($pixels:literal),*) => {
            match (tile.blocks(), tile.pixels()) {
                $((1, $pixels) => pixels::<1, $pixels>(tile, sums), (2, $pixels) => pixels::<2, $pixels>(tile, sums),)*
                _ => unreachable!("a tile has at most CUT.pixels and CUT.blocks"),
            }
        };
    }
    of_pixels!(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
#[expect(clippy::needless_range_loop, reason = "indices unroll into registers, iterators over both did not")]
fn pixels<const B: usize, const P: usize>(tile: &Tile<'_>, sums: &mut [Lanes<i32>]) {
    assert!(tile.pixels() == P && tile.blocks() == B && sums.len() == B * P);
    let mut totals = [[_mm512_setzero_si512(); P]; B];
    for (total, sum) in totals.as_flattened_mut().iter_mut().zip(&*sums) {
        // SAFETY: sixteen i32 are one vector.
        *total = unsafe { _mm512_loadu_si512(sum.as_ptr().cast()) };
    }
    let block = tile.rows() * tile.groups() * GROUP * LANES;
    let mut weights = tile.weights().as_ptr();
    for row in 0..tile.rows() {
        // SAFETY: Tile's constructor put the last byte of the last row's last window inside the
        // input; a row's start is nearer.
        let mut run = unsafe { tile.input().as_ptr().add(row * tile.pitch()) };
        for _ in 0..tile.groups() {
            let mut of_block = [_mm512_setzero_si512(); B];
            for (index, of_block) in of_block.iter_mut().enumerate() {
                // SAFETY: one of rows · groups steps of 64 bytes through a block, and the tile has
                // exactly B blocks (Tile's constructor); a check here costs more than the arithmetic.
                *of_block = unsafe { _mm512_loadu_si512(weights.add(index * block).cast()) };
            }
            for pixel in 0..P {
                // SAFETY: pixel < P = tile.pixels(), and this is group < tile.groups() of row <
                // tile.rows(): inside what Tile's constructor checked. Unaligned by read_unaligned.
                let four = unsafe { run.add(pixel * tile.step()).cast::<i32>().read_unaligned() };
                let values = _mm512_set1_epi32(four);
                for index in 0..B {
                    totals[index][pixel] = _mm512_dpbusd_epi32(totals[index][pixel], values, of_block[index]);
                }
            }
            // SAFETY: at most one past the end of a block, and inside the input's last window.
            unsafe {
                weights = weights.add(GROUP * LANES);
                run = run.add(GROUP);
            }
        }
    }
    for (total, sum) in totals.as_flattened().iter().zip(sums) {
        // SAFETY: sixteen i32 are one vector.
        unsafe { _mm512_storeu_si512(sum.as_mut_ptr().cast(), *total) };
    }
}
