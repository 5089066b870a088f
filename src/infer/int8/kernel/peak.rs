//! How many products a second this core's instructions can make at best: a kernel's innermost
//! arithmetic on twelve independent sums, with nothing to fetch but weights. `model explain` holds
//! layers against it.
#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "calls functions that need CPU features"))]

use std::time::Duration;

use super::Kernel;

/// Independent sums, as many as the kernels keep: more than any multiplier is deep.
const SUMS: usize = 12;
/// A few milliseconds each on a slow core; the best of them counts.
const ROUNDS: u32 = 1 << 19;
const TRIES: usize = 5;

impl Kernel {
    /// Products a second of CPU time by `now`, measured; none for a kernel whose instructions the
    /// compiler chooses, and none on aarch64, where it was never measured on a real core.
    #[must_use]
    pub fn peak_per_s(self, now: &dyn Fn() -> Duration) -> Option<f64> {
        // Nothing to measure, no question to the clock: scripts/count-instructions counts between those.
        self.burn(1)?;
        let rate = |_| {
            let before = now();
            let products = self.burn(ROUNDS)?;
            Some(products / now().saturating_sub(before).as_secs_f64().max(f64::MIN_POSITIVE))
        };
        (0..TRIES).filter_map(rate).max_by(f64::total_cmp)
    }

    /// Makes as many products as it says.
    fn burn(self, rounds: u32) -> Option<f64> {
        let a_vector: Option<u8> = match self.0 {
            // SAFETY (all): as in `convolution`.
            #[cfg(target_arch = "x86_64")]
            super::Instructions::Avx2Pairs => Some(unsafe { x86::avx2::<false>(rounds) }),
            #[cfg(target_arch = "x86_64")]
            super::Instructions::Avx2Wide => Some(unsafe { x86::avx2::<true>(rounds) }),
            #[cfg(target_arch = "x86_64")]
            super::Instructions::Avx512Vnni => Some(unsafe { x86::avx512(rounds) }),
            _ => None,
        };
        a_vector.map(|products| f64::from(products) * SUMS as f64 * f64::from(rounds))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        _mm256_add_epi32, _mm256_set1_epi8, _mm256_setzero_si256, _mm512_dpbusd_epi32, _mm512_set1_epi8,
        _mm512_setzero_si512,
    };
    use std::hint::black_box;

    use super::super::avx2::products;
    use super::SUMS;

    /// Products a vector.
    #[target_feature(enable = "avx2")]
    pub fn avx2<const WIDE: bool>(rounds: u32) -> u8 {
        let weights = black_box([_mm256_set1_epi8(1); SUMS]);
        let mut sums = [_mm256_setzero_si256(); SUMS];
        for _ in 0..rounds {
            let values = black_box(_mm256_set1_epi8(1));
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = _mm256_add_epi32(*sum, products::<WIDE>(values, weights));
            }
        }
        black_box(sums);
        32
    }

    /// Products a vector.
    #[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
    pub fn avx512(rounds: u32) -> u8 {
        let weights = black_box([_mm512_set1_epi8(1); SUMS]);
        let mut sums = [_mm512_setzero_si512(); SUMS];
        for _ in 0..rounds {
            let values = black_box(_mm512_set1_epi8(1));
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = _mm512_dpbusd_epi32(*sum, values, weights);
            }
        }
        black_box(sums);
        64
    }
}
