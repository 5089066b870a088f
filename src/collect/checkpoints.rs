//! Which checkpoints of a device's audit log are kept: the newest, and one an hour of those
//! before it. Whoever can change the box's log can take away the checkpoints beside it, but
//! not these. A heartbeat is not signed and may be anybody's; its checkpoint is signed. Pure.

use crate::audit::Checkpoint;
use crate::clock::Moment;

/// Between two checkpoints that stay: nine thousand a year.
const STAYS_EVERY_MS: i64 = 60 * 60 * 1000;
/// Most that are read back for one device: a century of them.
pub(super) const MAX_CHECKPOINTS: usize = 1_000_000;

/// A checkpoint whose signature held, with the text that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// What it says, and by whom.
    pub checkpoint: Checkpoint,
    /// The JWS in compact form.
    pub jws: String,
}

/// What became of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// It is new, and durable.
    New,
    /// The same is kept, or was until a newer one took its place.
    Known,
    /// It is kept, and is for a line that was signed for otherwise: the device has, or had,
    /// two logs.
    Forked,
    /// It is kept, and is for an earlier line than another one: an old heartbeat came again,
    /// or the log began anew.
    Behind,
}

/// The last checkpoint of a device that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Last {
    pub seq: u64,
    /// The first half of its head, in hex: enough to tell two logs apart.
    pub head: String,
    /// When the last one came that stays.
    pub stayed_unix_ms: i64,
    /// Whether this one stays.
    pub stays: bool,
}

/// What to do with a checkpoint.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Placing {
    pub noted: Noted,
    /// The new last one.
    pub last: Last,
    /// Whether the one before gives its place up.
    pub replaces: bool,
}

/// Where `checkpoint` goes after `last`; `None` where it is the same.
pub(super) fn place(last: Option<&Last>, checkpoint: &Checkpoint, now: Moment) -> Option<Placing> {
    let (seq, head) = (checkpoint.seq, half(checkpoint));
    let Some(last) = last else {
        let last = Last { seq, head, stayed_unix_ms: now.unix_ms, stays: true };
        return Some(Placing { noted: Noted::New, last, replaces: false });
    };
    let noted = match seq.cmp(&last.seq) {
        std::cmp::Ordering::Equal if head == last.head => return None,
        std::cmp::Ordering::Equal => Noted::Forked,
        std::cmp::Ordering::Less => Noted::Behind,
        std::cmp::Ordering::Greater => Noted::New,
    };
    // What is odd stays, and so does what it stands against. A clock that was set back makes
    // one more stay.
    let due = now.unix_ms.abs_diff(last.stayed_unix_ms) >= STAYS_EVERY_MS.unsigned_abs();
    let stays = due || noted != Noted::New;
    let stayed_unix_ms = if stays { now.unix_ms } else { last.stayed_unix_ms };
    let replaces = noted == Noted::New && !last.stays;
    Some(Placing { noted, last: Last { seq, head, stayed_unix_ms, stays }, replaces })
}

/// The first half of its head, in hex.
pub(super) fn half(checkpoint: &Checkpoint) -> String {
    checkpoint.head.to_string().chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn checkpoint(seq: u64, line: &[u8]) -> Checkpoint {
        Checkpoint { seq, head: Digest::of(line), at: String::new(), synchronised: true, kid: "k".into() }
    }

    fn at(minutes: i64) -> Moment {
        Moment { unix_ms: minutes * 60_000, synchronised: true }
    }

    #[test]
    fn the_newest_is_kept_and_one_an_hour_before_it() {
        let (mut kept, mut last) = (Vec::new(), None);
        for minute in 0..200_u64 {
            let placing =
                place(last.as_ref(), &checkpoint(minute + 1, &minute.to_le_bytes()), at(minute.cast_signed())).unwrap();
            assert_eq!(placing.noted, Noted::New);
            if placing.replaces {
                kept.pop();
            }
            kept.push(minute);
            last = Some(placing.last);
        }
        assert_eq!(kept, [0, 60, 120, 180, 199]);
    }

    #[test]
    fn what_contradicts_or_goes_back_is_kept_beside_what_was_there() {
        let first = place(None, &checkpoint(9, b"a"), at(0)).unwrap().last;
        let newer = place(Some(&first), &checkpoint(12, b"b"), at(1)).unwrap();
        assert!(!newer.replaces && !newer.last.stays, "the first stays");
        assert_eq!(place(Some(&newer.last), &checkpoint(12, b"b"), at(2)), None);
        for (seq, line, noted) in [(12, b"c", Noted::Forked), (3, b"d", Noted::Behind)] {
            let odd = place(Some(&newer.last), &checkpoint(seq, line), at(2)).unwrap();
            assert_eq!((odd.noted, odd.replaces, odd.last.stays), (noted, false, true));
        }
    }
}
