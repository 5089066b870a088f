//! The time for which a certificate is valid (RFC 5280 4.1.2.5): the one thing of it that TLS
//! libraries judge but do not tell. Nothing here is trusted; a certificate that is not
//! understood has no dates.

use super::finding::Found;
use crate::clock::Moment;

const DAY_MS: i64 = 24 * 3_600_000;
/// A month in which somebody can make a new one.
const SOON_MS: i64 = 30 * DAY_MS;

/// DER tags (X.690 8.1.2).
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// How long the certificate `name` (DER) is valid at `now`; nothing where its dates are not
/// understood, which is no flaw.
#[must_use]
pub fn judge(name: &str, der: &[u8], now: Moment) -> Option<Found> {
    let (from_ms, to_ms) = validity(der)?;
    let day = |unix_ms| Moment { unix_ms, ..now }.rfc3339().chars().take(10).collect::<String>();
    let renew = "have a new certificate made, put it in place and restart the daemon";
    Some(if now.unix_ms > to_ms {
        Found::failed(format!("the certificate of {name} ended on {}", day(to_ms)), renew)
    } else if now.unix_ms < from_ms {
        Found::failed(
            format!(
                "the certificate of {name} begins on {} and this box's clock says {}",
                day(from_ms),
                day(now.unix_ms)
            ),
            "set the clock, or have a new certificate made",
        )
    } else if now.unix_ms > to_ms - SOON_MS {
        Found::warning(format!("the certificate of {name} ends on {}", day(to_ms)), renew)
    } else {
        Found::ok(format!("the certificate of {name} is valid until {}", day(to_ms)))
    })
}

/// First and last moment, milliseconds since 1970.
fn validity(der: &[u8]) -> Option<(i64, i64)> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest, VERSION)?.1;
    }
    // Serial number, signature algorithm and issuer come before it.
    for _ in 0..3 {
        rest = element(rest, *rest.first()?)?.1;
    }
    let (period, _) = element(rest, SEQUENCE)?;
    let (from, rest) = time(period)?;
    Some((from, time(rest)?.0))
}

/// Content of the element of type `tag` that `bytes` begin with, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(*first), rest),
        // Up to four length octets: no certificate is larger.
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (octets.iter().fold(0usize, |length, octet| length << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    if *found == tag { rest.split_at_checked(length) } else { None }
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let tag = *bytes.first()?;
    let (content, rest) = element(bytes, tag)?;
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let text = match tag {
        // RFC 5280 4.1.2.5.1: 50 and above is the twentieth century.
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let format = time::macros::format_description!("[year][month][day][hour][minute][second]");
    let at = time::PrimitiveDateTime::parse(&text, format).ok()?.assume_utc();
    Some((at.unix_timestamp() * 1000, rest))
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn a_certificate_is_judged_by_its_dates_and_garbage_by_none() {
        let mut parameters = rcgen::CertificateParams::new(vec!["broker".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2027, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let der = parameters.self_signed(&key).unwrap().der().to_vec();
        let at = |year, month| {
            let date = rcgen::date_time_ymd(year, month, 10);
            judge("the broker", &der, Moment { unix_ms: date.unix_timestamp() * 1000, synchronised: true }).unwrap()
        };
        assert_eq!(at(2026, 6), Found::ok("the certificate of the broker is valid until 2027-01-01"));
        assert!(at(2026, 12).state == State::Warning && at(2027, 2).state == State::Failed);
        let early = at(2025, 12);
        assert!(early.state == State::Failed && early.todo[0].contains("clock"), "{early:?}");
        for cut in 0..der.len().min(200) {
            assert_eq!(judge("x", &der[..cut], Moment { unix_ms: 0, synchronised: true }), None);
        }
    }
}
