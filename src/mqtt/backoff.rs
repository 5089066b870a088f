//! Waiting longer after each failure, with jitter so that many boxes do not return at once.

use std::time::Duration;

/// Longest waiting times double from `first` up to `longest`.
#[derive(Debug, Clone, Copy)]
pub struct BackOff {
    /// Upper end of the first wait.
    pub first: Duration,
    /// Upper end of every wait.
    pub longest: Duration,
}

impl BackOff {
    /// The wait after `failures` earlier failures in a row: between half and all of
    /// the doubled time, chosen by `random`; never shorter than half of `first`.
    #[must_use]
    pub fn wait(&self, failures: u32, random: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << failures.min(16)).min(self.longest);
        doubled / 2 + (doubled / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

/// Randomness for jitter; without any the longest wait is the safe one.
#[must_use]
pub fn random() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_stay_within_half() {
        let back_off = BackOff { first: Duration::from_secs(1), longest: Duration::from_mins(1) };
        assert_eq!(back_off.wait(0, u32::MAX), Duration::from_secs(1));
        assert_eq!(back_off.wait(0, 0), Duration::from_millis(500));
        assert_eq!(back_off.wait(3, u32::MAX), Duration::from_secs(8));
        for failures in [6, 20, u32::MAX] {
            assert_eq!(back_off.wait(failures, u32::MAX), Duration::from_mins(1));
            assert_eq!(back_off.wait(failures, 0), Duration::from_secs(30));
        }
    }
}
