//! Time as an argument: a wall-clock moment that knows whether it can be believed.
//!
//! Nothing below `daemon` and `cli` reads a clock; they pass a [`Moment`] down.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A wall-clock time and whether the kernel held the clock for synchronised then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub unix_ms: i64,
    /// False where the kernel's clock was not disciplined by a time source.
    pub synchronised: bool,
}

impl Moment {
    /// RFC 3339 in UTC with milliseconds, as FHIR `instant` wants it.
    #[must_use]
    pub fn rfc3339(&self) -> String {
        let nanos = i128::from(self.unix_ms) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok())
            .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
    }

    /// The calendar day in UTC as (year, month, day).
    #[must_use]
    pub fn date(&self) -> (i32, u8, u8) {
        let at =
            OffsetDateTime::from_unix_timestamp(self.unix_ms.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        (at.year(), at.month() as u8, at.day())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_a_fhir_instant() {
        let moment = Moment { unix_ms: 1_800_000_000_123, synchronised: true };
        assert_eq!(moment.rfc3339(), "2027-01-15T08:00:00.123Z");
        assert_eq!(moment.date(), (2027, 1, 15));
    }

    #[test]
    fn a_clock_out_of_range_is_the_epoch_and_no_panic() {
        let moment = Moment { unix_ms: i64::MAX, synchronised: false };
        assert_eq!(moment.rfc3339(), "1970-01-01T00:00:00Z");
    }
}
