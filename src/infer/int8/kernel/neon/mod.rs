//! aarch64: sixteen channels in four vectors, by the widest product that the core has.
//!
//! NEON's older products take s8 on both sides: those kernels read activations less 128
//! (`Reading::Centred`), which turns one bit of each and costs one instruction for sixteen.

#![expect(unsafe_code, reason = "loads by pointer in the innermost loop; instructions without a stable intrinsic")]

pub mod i8mm;
pub mod sdot;
pub mod smlal;

use std::arch::aarch64::{
    int8x16_t, int32x4_t, uint8x16_t, vaddq_s32, vdupq_n_u8, vdupq_n_u32, veorq_u8, vld1q_s32, vld1q_u8,
    vreinterpretq_s8_u8, vreinterpretq_u8_u32, vst1q_s32,
};

use super::super::gemv::ROWS;
use super::super::pack::Lanes;

/// Lanes of a vector of 32-bit sums.
const OF_VECTOR: usize = 4;
/// Vectors of a block of channels.
const VECTORS: usize = 4;

/// The weights of [`ROWS`] rows, each of as many `STRIDE`s as there are of values.
///
/// # Panics
/// Not whole rows.
#[inline]
fn in_rows<const STRIDE: usize>(weights: &[i8], strides: usize) -> [&[[i8; STRIDE]]; ROWS] {
    let (weights, odd) = weights.as_chunks::<STRIDE>();
    assert!(odd.is_empty() && weights.len() == ROWS * strides, "whole rows");
    std::array::from_fn(|row| &weights[row * strides..][..strides])
}

/// Sixteen activations less 128.
#[inline]
#[target_feature(enable = "neon")]
fn centred(values: uint8x16_t) -> int8x16_t {
    vreinterpretq_s8_u8(veorq_u8(values, vdupq_n_u8(0x80)))
}

/// The same four activations in each lane.
///
/// # Safety
/// Four bytes are readable at `run`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn four(run: *const u8) -> uint8x16_t {
    // SAFETY: the caller's; unaligned by read_unaligned.
    unsafe { vreinterpretq_u8_u32(vdupq_n_u32(run.cast::<u32>().read_unaligned())) }
}

/// Sixteen activations.
///
/// # Safety
/// Sixteen bytes are readable at `run`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn sixteen(run: *const u8) -> uint8x16_t {
    // SAFETY: the caller's.
    unsafe { vld1q_u8(run) }
}

/// Adds a pixel's totals to its sums.
#[inline]
#[target_feature(enable = "neon")]
fn add(sum: &mut Lanes<i32>, totals: [int32x4_t; VECTORS]) {
    for (part, total) in sum.as_chunks_mut::<OF_VECTOR>().0.iter_mut().zip(totals) {
        // SAFETY: four i32 are one vector.
        unsafe { vst1q_s32(part.as_mut_ptr(), vaddq_s32(vld1q_s32(part.as_ptr()), total)) };
    }
}
