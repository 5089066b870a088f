//! Time as an argument: a wall-clock moment that knows whether it can be believed.
//!
//! Nothing below `daemon` and `cli` reads a clock; they pass a [`Moment`] down.

use std::time::Duration;

use rustls::pki_types::UnixTime;
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

/// Nothing of ours was made before 2026: a clock that says so has lost its battery.
const EARLIEST_UNIX_MS: i64 = 1_767_225_600_000;

impl Moment {
    /// True where the clock can be right at all, synchronised or not.
    #[must_use]
    pub const fn is_plausible(&self) -> bool {
        self.unix_ms >= EARLIEST_UNIX_MS
    }

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

/// Milliseconds since 1970 of an RFC 3339 text; `None` where it is none.
#[must_use]
pub fn unix_ms(rfc3339: &str) -> Option<i64> {
    let at = OffsetDateTime::parse(rfc3339, &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

/// The clock by which certificates are judged: the one that is the argument everywhere.
#[derive(Debug)]
pub struct ForCertificates(pub fn() -> Moment);

impl rustls::time_provider::TimeProvider for ForCertificates {
    fn current_time(&self) -> Option<UnixTime> {
        let unix_ms = u64::try_from((self.0)().unix_ms).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(unix_ms)))
    }
}

/// What is wrong with a certificate that the clock `now` judged, where it is its period:
/// most often it is the clock.
#[must_use]
pub fn untimely(error: &(dyn std::error::Error + 'static), now: Moment) -> Option<String> {
    use rustls::CertificateError as Bad;
    let period = match rustls_error(error)? {
        rustls::Error::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => "not valid yet",
        rustls::Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => "no longer valid",
        rustls::Error::FailedToGetCurrentTime => "not to be judged before 1970",
        _ => return None,
    };
    let worth = if now.synchronised { "synchronised" } else { "NOT synchronised: set it" };
    Some(format!("the certificate is {period} by this device's clock, {} ({worth})", now.rfc3339()))
}

/// The TLS library's error inside `error`; an I/O error hides what it carries from `source`.
fn rustls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// How long the wall clock must have agreed with the monotonic one before what depends on
/// days may act on it.
pub const STEADY_FOR: Duration = Duration::from_mins(15);
/// How far the two may drift apart in that time: a time source slews, a step jumps.
const DRIFT_MS: i64 = 60_000;

/// Tells whether a wall clock can be believed to have moved with time. One that was set
/// forward makes everything old; nothing may be deleted for that.
#[derive(Debug, Default)]
pub struct Steadiness {
    from: Option<(Moment, Duration)>,
}

impl Steadiness {
    /// `now` if it is synchronised, and was since it and `monotonic` (time since any fixed
    /// point) began to agree [`STEADY_FOR`] or longer ago. Ask at least that often.
    pub fn believe(&mut self, now: Moment, monotonic: Duration) -> Option<Moment> {
        let (from, began) = *self.from.get_or_insert((now, monotonic));
        let passed = monotonic.saturating_sub(began);
        let passed_ms = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
        let drift_ms = now.unix_ms.saturating_sub(from.unix_ms).saturating_sub(passed_ms);
        if !now.synchronised || !from.synchronised || drift_ms.abs() > DRIFT_MS {
            self.from = Some((now, monotonic));
            return None;
        }
        if passed < STEADY_FOR {
            return None;
        }
        // From here again, so that slow drift does not add up to a jump.
        self.from =
            Some((Moment { unix_ms: now.unix_ms - STEADY_FOR_MS, ..now }, monotonic.saturating_sub(STEADY_FOR)));
        Some(now)
    }
}

/// [`STEADY_FOR`] in milliseconds.
const STEADY_FOR_MS: i64 = 15 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock after some such times, `off_ms` beside the truth.
    fn at(times: u32, off_ms: i64, synchronised: bool) -> (Moment, Duration) {
        let unix_ms = 1_800_000_000_000 + i64::from(times) * STEADY_FOR_MS + off_ms;
        (Moment { unix_ms, synchronised }, STEADY_FOR * times)
    }

    #[test]
    fn a_clock_is_believed_after_some_agreement_and_not_after_a_jump() {
        const YEAR_MS: i64 = 365 * 24 * 3_600_000;
        let mut steadiness = Steadiness::default();
        let mut believed = |(now, monotonic)| steadiness.believe(now, monotonic).is_some();
        assert!(!believed(at(0, 0, true)), "nothing to compare with yet");
        assert!(believed(at(1, 0, true)) && believed(at(2, 40_000, true)) && believed(at(3, 80_000, true)));
        for jumped_ms in [YEAR_MS, -YEAR_MS, 3_600_000, -3_600_000] {
            assert!(!believed(at(4, jumped_ms, true)), "{jumped_ms}");
            assert!(!believed(at(4, 80_000, true)), "and back");
        }
        assert!(believed(at(5, 80_000, true)));
        assert!(!believed(at(6, 0, false)) && !believed(at(7, 0, true)), "nobody disciplined it");
        assert!(believed(at(8, 0, true)));
    }

    #[test]
    fn a_certificate_that_is_untimely_names_the_clock() {
        let now = Moment { unix_ms: 0, synchronised: false };
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::NotValidYet);
        let told = untimely(&std::io::Error::other(tls), now).unwrap();
        assert!(told.contains("not valid yet") && told.contains("1970-01-01T00:00:00Z (NOT synchronised"), "{told}");
        assert_eq!(untimely(&std::io::Error::other("else"), now), None);
    }

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
