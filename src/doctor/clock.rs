//! The clock: whether it can be believed. An outcome says so itself, and certificates are
//! judged by it.

use super::finding::Found;
use crate::clock::Moment;

/// What `now` is worth.
#[must_use]
pub fn judge(now: Moment) -> Found {
    let at = now.rfc3339();
    if !now.is_plausible() {
        return Found::failed(
            format!("{at}: long past, so certificates look not valid yet and outcomes carry a wrong time"),
            "set the clock: give this box a way to a time server (NTP, UDP port 123) and run `timedatectl set-ntp true`; \
             without a network `timedatectl set-time 'YYYY-MM-DD hh:mm:ss'`, and a battery for the board's clock",
        );
    }
    if now.synchronised {
        return Found::ok(format!("{at}, synchronised"));
    }
    Found::warning(
        format!("{at}, NOT synchronised: every outcome will say so, and no image is deleted by age"),
        "let this box reach a time server (NTP, UDP port 123) and run `timedatectl set-ntp true`; `timedatectl timesync-status` shows what it hears",
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn a_clock_in_1970_fails_one_that_nobody_sets_warns_and_both_say_what_to_do() {
        let at = |unix_ms, synchronised| judge(Moment { unix_ms, synchronised });
        let lost = at(3_000, true);
        assert!(
            lost.state == State::Failed && lost.what[0].starts_with("1970") && lost.todo[0].contains("timedatectl")
        );
        let free = at(1_800_000_000_000, false);
        assert!(
            free.state == State::Warning && free.what[0].contains("NOT synchronised") && free.todo[0].contains("NTP")
        );
        assert_eq!(at(1_800_000_000_000, true).state, State::Ok);
    }
}
