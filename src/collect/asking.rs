//! When to ask for what is missing: not while it still comes, and not too often. Pure.

use tokio::time::Instant;

use crate::mqtt::BackOff;
use crate::seal::receiver::MAX_RESEND;

/// One device's gap and how often it was asked for in vain.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// First missing sequence and when to ask for it.
    gap: Option<(u64, Instant)>,
    attempts: u32,
}

impl Asking {
    /// Looks at what is missing first, `from` to `to`; returns what to ask for now. Where the
    /// start of the gap moves, something came of it, and the patience starts anew.
    pub fn look(
        &mut self,
        missing: Option<(u64, u64)>,
        now: Instant,
        patience: BackOff,
        random: u32,
    ) -> Option<(u64, u64)> {
        let Some((from, to)) = missing else {
            self.forget();
            return None;
        };
        match self.gap {
            Some((known, at)) if known == from => {
                if now < at {
                    return None;
                }
                self.attempts = self.attempts.saturating_add(1);
                self.gap = Some((from, now + patience.wait(self.attempts, random)));
                Some((from, to.min(from.saturating_add(MAX_RESEND - 1))))
            }
            _ => {
                self.attempts = 0;
                self.gap = Some((from, now + patience.wait(0, random)));
                None
            }
        }
    }

    /// The device came back: it may have been asked in vain.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PATIENCE: BackOff = BackOff { first: Duration::from_secs(10), longest: Duration::from_secs(40) };

    #[test]
    fn a_gap_is_asked_for_after_a_grace_and_then_less_and_less_often() {
        let start = Instant::now();
        let mut asking = Asking::default();
        let mut look =
            |seconds, missing| asking.look(missing, start + Duration::from_secs(seconds), PATIENCE, u32::MAX);
        let asked: Vec<u64> = (0..200).filter(|second| look(*second, Some((3, 9))).is_some()).collect();
        assert_eq!(asked, [10, 30, 70, 110, 150, 190]);
        assert_eq!(look(200, Some((5, 9))), None, "something came of it");
        assert_eq!(look(209, Some((5, 9))), None);
        assert_eq!(look(210, Some((5, 9))), Some((5, 9)));
        assert_eq!(look(211, None), None);
        assert_eq!(look(212, Some((20, 90_000))), None);
        assert_eq!(look(222, Some((20, 90_000))), Some((20, 1019)), "at most a thousand at once");
    }
}
