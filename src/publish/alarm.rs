//! The alarm for outcomes that do not arrive: raised once when nothing arrived for some time
//! although something should have, and ready again once something does. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// Since when something waits, and whether that was told.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    since: Option<Instant>,
    told: bool,
}

impl Alarm {
    /// Something waits at `now`, or nothing does.
    pub fn look(&mut self, waits: bool, now: Instant) {
        if !waits {
            *self = Self::default();
        } else if self.since.is_none() {
            self.since = Some(now);
        }
    }

    /// An outcome arrived; returns whether the alarm had been raised.
    pub fn arrived(&mut self) -> bool {
        std::mem::take(self).told
    }

    /// True once, when the wait has lasted for `after`.
    pub fn is_due(&mut self, now: Instant, after: Duration) -> bool {
        let due = !self.told && self.since.is_some_and(|since| now >= since + after);
        self.told |= due;
        due
    }

    /// When to ask again.
    pub fn next(&self, after: Duration) -> Option<Instant> {
        self.since.filter(|_| !self.told).map(|since| since + after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(45);

    #[test]
    fn the_alarm_is_raised_once_a_wait_and_after_its_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut alarm = Alarm::default();
        assert!(!alarm.is_due(at(100), AFTER) && alarm.next(AFTER).is_none(), "nothing waits");
        alarm.look(true, at(0));
        alarm.look(true, at(30));
        assert_eq!(alarm.next(AFTER), Some(at(45)));
        assert!(!alarm.is_due(at(44), AFTER));
        assert!(alarm.is_due(at(45), AFTER) && !alarm.is_due(at(46), AFTER));
        assert_eq!(alarm.next(AFTER), None);
        assert!(alarm.arrived() && !alarm.arrived());
        alarm.look(true, at(50));
        assert!(!alarm.is_due(at(94), AFTER) && alarm.is_due(at(95), AFTER));
        alarm.look(false, at(96));
        assert!(!alarm.arrived());
    }
}
