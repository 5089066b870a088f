//! Kernels: integer sums of u8 × s8 products, then `finish`. Which one runs is decided by the CPU.
//!
//! Integer sums do not depend on their order and `finish` is one source for all, so every kernel
//! gives the bytes of `scalar`; the tests hold each one this CPU has to that.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod finish;
#[cfg(target_arch = "aarch64")]
mod neon;
mod peak;
mod scalar;
pub mod sweep;
#[cfg(test)]
mod tests;

use super::gemv::ROWS;
use super::pack::{Depthwise, Packed};
use finish::Finish;
use sweep::Windows;

/// A kernel that this CPU can run; only [`Kernel::available`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel(Instructions);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instructions {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2Pairs,
    #[cfg(target_arch = "x86_64")]
    Avx2Wide,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    #[cfg(target_arch = "aarch64")]
    Smlal,
    #[cfg(target_arch = "aarch64")]
    Sdot,
    #[cfg(target_arch = "aarch64")]
    I8mm,
}

impl Kernel {
    /// The fastest first; the last is the portable one.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let has_avx2 = is_x86_feature_detected!("avx2");
            if has_avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni")
            {
                kernels.push(Self(Instructions::Avx512Vnni));
            }
            if has_avx2 {
                kernels.push(Self(Instructions::Avx2Pairs));
                kernels.push(Self(Instructions::Avx2Wide));
            }
        }
        #[cfg(target_arch = "aarch64")]
        {
            use std::arch::is_aarch64_feature_detected;
            if is_aarch64_feature_detected!("dotprod") {
                if is_aarch64_feature_detected!("i8mm") {
                    kernels.push(Self(Instructions::I8mm));
                }
                kernels.push(Self(Instructions::Sdot));
            }
            kernels.push(Self(Instructions::Smlal));
        }
        kernels.push(Self(Instructions::Scalar));
        kernels
    }

    /// True where the kernel is exact for weights up to this magnitude.
    #[must_use]
    pub const fn takes(self, limit: u8) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2Pairs => limit <= 63,
            _ => limit <= 128,
        }
    }

    /// As `model explain` prints it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Instructions::Scalar => "portable",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2Pairs => "avx2 maddubs",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2Wide => "avx2 madd",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512Vnni => "avx512 vnni",
            #[cfg(target_arch = "aarch64")]
            Instructions::Smlal => "neon smlal",
            #[cfg(target_arch = "aarch64")]
            Instructions::Sdot => "neon sdot",
            #[cfg(target_arch = "aarch64")]
            Instructions::I8mm => "neon i8mm",
        }
    }

    /// A convolution over all channels of `input`.
    ///
    /// # Panics
    /// A window or an output would lie outside its slice, or the kernel does not take the weights.
    #[cfg_attr(
        any(target_arch = "x86_64", target_arch = "aarch64"),
        expect(unsafe_code, reason = "calls functions that need CPU features")
    )]
    pub fn convolution(self, input: &[u8], windows: &Windows, packed: &Packed, finish: &mut Finish<'_>) {
        match self.0 {
            Instructions::Scalar => scalar::convolution(input, windows, packed, finish),
            // SAFETY (all): `available` made this kernel after it saw these features, but for NEON,
            // which every aarch64 target has; the functions are otherwise safe and need `unsafe`
            // only to be called from here.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2Pairs => unsafe { avx2::pairs(input, windows, packed, finish) },
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2Wide => unsafe { avx2::wide(input, windows, packed, finish) },
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512Vnni => unsafe { avx512::convolution(input, windows, packed, finish) },
            #[cfg(target_arch = "aarch64")]
            Instructions::Smlal => unsafe { neon::smlal::convolution(input, windows, packed, finish) },
            #[cfg(target_arch = "aarch64")]
            Instructions::Sdot => unsafe { neon::sdot::convolution(input, windows, packed, finish) },
            #[cfg(target_arch = "aarch64")]
            Instructions::I8mm => unsafe { neon::i8mm::convolution(input, windows, packed, finish) },
        }
    }

    /// Sums of [`ROWS`] rows of weights with one row of values of 12 bits with sign, each row as
    /// long as `values`.
    ///
    /// # Panics
    /// `weights` has another size, or `values` is no multiple of [`STRIDE`](super::gemv::STRIDE).
    #[cfg_attr(
        any(target_arch = "x86_64", target_arch = "aarch64"),
        expect(unsafe_code, reason = "calls functions that need CPU features")
    )]
    #[must_use]
    pub fn rows(self, weights: &[i8], values: &[i16]) -> [i32; ROWS] {
        match self.0 {
            Instructions::Scalar => scalar::rows(weights, values),
            // SAFETY: as in `convolution`; the AVX-512 kernel is made only where AVX2 is.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2Pairs | Instructions::Avx2Wide | Instructions::Avx512Vnni => unsafe {
                avx2::rows(weights, values)
            },
            // SAFETY (both): as in `convolution`; the i8mm kernel is made only where dot products are.
            #[cfg(target_arch = "aarch64")]
            Instructions::Smlal => unsafe { neon::smlal::rows(weights, values) },
            #[cfg(target_arch = "aarch64")]
            Instructions::Sdot | Instructions::I8mm => unsafe { neon::sdot::rows(weights, values) },
        }
    }

    /// A depthwise convolution of `channels`.
    ///
    /// # Panics
    /// A window or an output would lie outside its slice.
    #[cfg_attr(
        any(target_arch = "x86_64", target_arch = "aarch64"),
        expect(unsafe_code, reason = "calls functions that need CPU features")
    )]
    pub fn depthwise(
        self,
        input: &[u8],
        windows: &Windows,
        packed: &Depthwise,
        channels: usize,
        finish: &mut Finish<'_>,
    ) {
        match self.0 {
            Instructions::Scalar => scalar::depthwise(input, windows, packed, channels, finish),
            // SAFETY (all): as in `convolution`.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2Pairs | Instructions::Avx2Wide => unsafe {
                avx2::depthwise(input, windows, packed, channels, finish);
            },
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512Vnni => unsafe { avx512::depthwise(input, windows, packed, channels, finish) },
            #[cfg(target_arch = "aarch64")]
            Instructions::Smlal | Instructions::Sdot | Instructions::I8mm => unsafe {
                neon::smlal::depthwise(input, windows, packed, channels, finish);
            },
        }
    }
}
