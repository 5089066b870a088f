//! Pseudo-random numbers that are the same everywhere, and photon noise made of them.

/// `SplitMix64` (Steele, Lea, Flood 2014): one word of state, any seed is a good one.
pub(super) struct Random(u64);

impl Random {
    /// A sequence of its own for each `stream` of a `seed`.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed ^ stream.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// Uniform from `low` to `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        // 24 bits: every value is exact in single precision.
        low + (high - low) * ((self.next() >> 40) as f32 / (1 << 24) as f32)
    }

    /// Mean 0, variance 1: four uniform numbers added up, near enough to a Gaussian and
    /// without a logarithm, which differs between platforms.
    pub fn gaussian(&mut self) -> f32 {
        let word = self.next();
        let sum: u64 = (0..4).map(|part| word >> (part * 16) & 0xFFFF).sum();
        // Four uniform numbers have the variance 1/3.
        (sum as f32 / 65536.0 - 2.0) * 1.732_050_8
    }
}

/// e to the power of `x`, for |x| up to 8, to some per mille: only products, so that
/// every platform agrees on the last bit.
pub(super) fn exp(x: f32) -> f32 {
    let mut power = 1.0 + x / 1024.0;
    for _ in 0..10 {
        power *= power;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_mean_zero_and_variance_one() {
        let mut random = Random::new(1, 2);
        let all: Vec<f64> = (0..100_000).map(|_| f64::from(random.gaussian())).collect();
        let mean = all.iter().sum::<f64>() / 1e5;
        let variance = all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }

    #[test]
    fn the_exponential_is_good_enough_for_noise() {
        for x in [-3.0f32, -0.5, 0.0, 1.0, 3.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 0.01, "{x}");
        }
    }
}
