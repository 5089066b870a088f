//! Warnings about peers, at most one a minute: an outsider must not fill the log.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::limits::WARN_EVERY;

/// When the last line went out and how many were held back since.
#[derive(Default)]
pub(super) struct Refusals(Mutex<(Option<Instant>, u64)>);

impl Refusals {
    /// Logs the line, or counts it into the next one.
    pub fn warn(&self, line: std::fmt::Arguments<'_>) {
        if let Some(held_back) = self.due(Instant::now()) {
            match held_back {
                0 => log::warn!("{line}"),
                n => log::warn!("{line} (and {n} more since the last such line)"),
            }
        } else {
            log::debug!("{line}");
        }
    }

    fn due(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, held_back) = *state;
        if last.is_some_and(|last| now.duration_since(last) < WARN_EVERY) {
            state.1 += 1;
            return None;
        }
        *state = (Some(now), 0);
        Some(held_back)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_flood_of_refusals_is_one_line_a_minute_with_its_count() {
        let refusals = Refusals::default();
        let start = Instant::now();
        assert_eq!(refusals.due(start), Some(0));
        for second in 1..60 {
            assert_eq!(refusals.due(start + Duration::from_secs(second)), None);
        }
        assert_eq!(refusals.due(start + Duration::from_mins(1)), Some(59));
    }
}
