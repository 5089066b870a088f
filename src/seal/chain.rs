//! The chain of outcomes: what a series of opened outcomes shows about missing, reordered
//! or altered ones (promise 4). It looks at headers and hashes alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::header::Header;
use super::jws::Opened;
use crate::digest::Digest;

/// What a series of outcomes is worth as a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainCheck {
    /// First sequence in the series.
    pub first: u64,
    /// Last sequence in the series.
    pub last: u64,
    /// How many different outcomes the series holds.
    pub outcomes: usize,
    /// Hash of the last outcome: what the next one must name.
    pub head: Digest,
    /// True where the series starts with the device's first outcome.
    pub starts_at_genesis: bool,
    /// Outcomes that came again unchanged, which a redelivery does and which harms nothing.
    pub repeated: usize,
    /// What is wrong, in order of sequence.
    pub breaks: Vec<Break>,
}

/// One thing that is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Break {
    /// Outcomes `from` to `to` are not in the series.
    Missing {
        /// First missing sequence.
        from: u64,
        /// Last missing sequence.
        to: u64,
    },
    /// The outcome came later in the series than one that follows it.
    Reordered {
        /// Its sequence.
        sequence: u64,
        /// The higher sequence that came before it.
        after: u64,
    },
    /// The outcome does not name the hash of the one before it: one of both is not the
    /// one that the device chained.
    Altered {
        /// Its sequence.
        sequence: u64,
    },
    /// Two different outcomes have one sequence.
    Fork {
        /// Their sequence.
        sequence: u64,
    },
    /// Two sequences carry one report id: an instance had two outcomes.
    SecondOutcome {
        /// The later sequence.
        sequence: u64,
        /// The report id.
        report_id: String,
    },
    /// The device's first outcome names an outcome before it.
    FalseGenesis,
    /// Another key signed it than the one whose turn it was: none handed over to it.
    OtherKey {
        /// Its sequence.
        sequence: u64,
    },
    /// It was signed by a key that had handed over to another before.
    AfterHandOver {
        /// Its sequence.
        sequence: u64,
    },
    /// It follows the link by which the device was decommissioned.
    AfterTheEnd {
        /// Its sequence.
        sequence: u64,
    },
}

/// What the chain sees of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Its sequence.
    pub seq: u64,
    /// Hash of the one before.
    pub prev: Digest,
    /// Its own hash.
    pub sha256: Digest,
    /// Its report id.
    pub id: &'a str,
    /// Key id of the key that signed it.
    pub kid: &'a str,
    /// Who signs what follows.
    pub then: Then<'a>,
}

/// Who signs what follows a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then<'a> {
    /// The same key.
    Same,
    /// The key with this id.
    Key(&'a str),
    /// Nobody.
    Nothing,
}

impl<'a> From<&'a Opened> for Place<'a> {
    fn from(Opened { header, sha256, .. }: &'a Opened) -> Self {
        let Header { seq, prev, report_id, kid, .. } = header;
        Self { seq: *seq, prev: *prev, sha256: *sha256, id: report_id, kid, then: Then::Same }
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { from, to } if from == to => write!(f, "outcome {from} is missing"),
            Self::Missing { from, to } => write!(f, "outcomes {from} to {to} are missing"),
            Self::Reordered { sequence, after } => {
                write!(f, "outcome {sequence} comes after outcome {after}: the order was changed")
            }
            Self::Altered { sequence } => {
                write!(
                    f,
                    "outcome {sequence} does not follow the outcome before it that is here: one of both was replaced"
                )
            }
            Self::Fork { sequence } => write!(f, "there are two different outcomes with sequence {sequence}"),
            Self::SecondOutcome { sequence, report_id } => {
                write!(f, "outcome {sequence} is a second outcome for report {report_id}")
            }
            Self::FalseGenesis => write!(f, "outcome 1 claims to follow another outcome"),
            Self::OtherKey { sequence } => {
                write!(f, "outcome {sequence} is signed by another key, to which the one before it never handed over")
            }
            Self::AfterHandOver { sequence } => {
                write!(f, "outcome {sequence} is signed by a key that had handed over to another before")
            }
            Self::AfterTheEnd { sequence } => write!(f, "outcome {sequence} follows the end of its device"),
        }
    }
}

impl ChainCheck {
    /// Checks `series` in the order in which it was received. `None` where it is empty.
    #[must_use]
    pub fn of(series: &[Opened]) -> Option<Self> {
        Self::of_places(series.iter().map(Place::from))
    }

    /// As [`ChainCheck::of`], for links of any kind.
    #[must_use]
    pub fn of_places<'a>(series: impl Iterator<Item = Place<'a>>) -> Option<Self> {
        let mut by_sequence: BySequence<'a> = BTreeMap::new();
        let mut breaks = Vec::new();
        let mut repeated = 0;
        let mut highest = 0;
        for place in series {
            let sequence = place.seq;
            if by_sequence.entry(sequence).or_default().insert(place.sha256, place).is_some() {
                repeated += 1;
                continue;
            }
            if sequence < highest {
                breaks.push(Break::Reordered { sequence, after: highest });
            }
            highest = highest.max(sequence);
        }
        let (first, last) = (*by_sequence.keys().next()?, *by_sequence.keys().next_back()?);
        breaks.extend(links(&by_sequence));
        breaks.extend(second_outcomes(&by_sequence));
        breaks.extend(keys(&by_sequence));
        breaks.sort();
        breaks.dedup();
        Some(Self {
            first,
            last,
            outcomes: by_sequence.values().map(BTreeMap::len).sum(),
            head: *by_sequence[&last].keys().next()?,
            starts_at_genesis: first == 1 && !breaks.contains(&Break::FalseGenesis),
            repeated,
            breaks,
        })
    }

    /// True where nothing between first and last is missing, reordered or altered.
    #[must_use]
    pub fn is_unbroken(&self) -> bool {
        self.breaks.is_empty()
    }
}

/// The links of a series in their order; where there are two in one place, both.
type BySequence<'a> = BTreeMap<u64, BTreeMap<Digest, Place<'a>>>;

/// Links that were not for their key to sign.
fn keys(by_sequence: &BySequence) -> Vec<Break> {
    let mut breaks = Vec::new();
    let places = || by_sequence.values().flat_map(BTreeMap::values);
    let mut from: BTreeMap<&str, u64> = BTreeMap::new();
    let mut until: BTreeMap<&str, u64> = BTreeMap::new();
    let mut end = u64::MAX;
    for place in places() {
        match place.then {
            Then::Key(to) => {
                from.entry(to).or_insert(place.seq + 1);
                until.entry(place.kid).or_insert(place.seq);
            }
            Then::Nothing => end = end.min(place.seq),
            Then::Same => {}
        }
    }
    let mut before: Option<(u64, BTreeSet<&str>)> = None;
    for (&sequence, links) in by_sequence {
        let turn = before.as_ref().filter(|(previous, _)| previous + 1 == sequence).map(|(_, turn)| turn);
        for place in links.values() {
            if sequence > end {
                breaks.push(Break::AfterTheEnd { sequence });
            } else if until.get(place.kid).is_some_and(|until| sequence > *until) {
                breaks.push(Break::AfterHandOver { sequence });
            } else if from.get(place.kid).is_some_and(|from| sequence < *from)
                || turn.is_some_and(|turn| !turn.is_empty() && !turn.contains(place.kid))
            {
                breaks.push(Break::OtherKey { sequence });
            }
        }
        let next = links.values().filter_map(|place| match place.then {
            Then::Same => Some(place.kid),
            Then::Key(to) => Some(to),
            Then::Nothing => None,
        });
        before = Some((sequence, next.collect()));
    }
    breaks
}

/// Gaps, forks and links that do not fit.
fn links(by_sequence: &BySequence) -> Vec<Break> {
    let genesis = Digest::from_bytes([0; 32]);
    let mut breaks = Vec::new();
    let mut before: Option<(u64, BTreeSet<Digest>)> = None;
    for (&sequence, outcomes) in by_sequence {
        if outcomes.len() > 1 {
            breaks.push(Break::Fork { sequence });
        }
        let follows = |known: &dyn Fn(&Digest) -> bool| outcomes.values().all(|place| known(&place.prev));
        if sequence == 1 && !follows(&|prev| *prev == genesis) {
            breaks.push(Break::FalseGenesis);
        }
        if let Some((previous, hashes)) = &before {
            if previous + 1 != sequence {
                breaks.push(Break::Missing { from: previous + 1, to: sequence - 1 });
            } else if !follows(&|prev| hashes.contains(prev)) {
                breaks.push(Break::Altered { sequence });
            }
        }
        before = Some((sequence, outcomes.keys().copied().collect()));
    }
    breaks
}

fn second_outcomes(by_sequence: &BySequence) -> Vec<Break> {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    let mut breaks = Vec::new();
    for (&sequence, outcomes) in by_sequence {
        for place in outcomes.values() {
            let first = *seen.entry(place.id).or_insert(sequence);
            if first != sequence {
                breaks.push(Break::SecondOutcome { sequence, report_id: place.id.to_owned() });
            }
        }
    }
    breaks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::jws::{open, seal};
    use crate::seal::key::DeviceKey;
    use crate::seal::outcome::samples;

    fn series(n: u64) -> (DeviceKey, Vec<Opened>) {
        let key = DeviceKey::generate().unwrap();
        let keys = [key.public().clone()];
        let series = samples::chain(&key, n).iter().map(|jws| open(jws, &keys).unwrap()).collect();
        (key, series)
    }

    /// `opened` as the device itself could have signed it otherwise.
    fn resealed(key: &DeviceKey, opened: &Opened, change: impl FnOnce(&mut Header)) -> Opened {
        let mut header = opened.header.clone();
        change(&mut header);
        open(&seal(key, &header, &opened.payload).unwrap(), &[key.public().clone()]).unwrap()
    }

    fn breaks(series: &[Opened]) -> Vec<Break> {
        ChainCheck::of(series).unwrap().breaks
    }

    #[test]
    fn a_whole_chain_is_unbroken_from_genesis() {
        let (_, series) = series(5);
        let check = ChainCheck::of(&series).unwrap();
        assert!(check.is_unbroken() && check.starts_at_genesis);
        assert_eq!((check.first, check.last, check.outcomes, check.head), (1, 5, 5, series[4].sha256));
        let tail = ChainCheck::of(&series[2..]).unwrap();
        assert!(tail.is_unbroken() && !tail.starts_at_genesis);
        assert_eq!(ChainCheck::of(&[]), None);
    }

    #[test]
    fn a_missing_outcome_is_visible() {
        let (_, mut series) = series(6);
        series.drain(2..4);
        assert_eq!(breaks(&series), [Break::Missing { from: 3, to: 4 }]);
    }

    #[test]
    fn a_changed_order_is_visible_and_a_redelivery_harmless() {
        let (_, mut series) = series(4);
        series.push(series[1].clone());
        let check = ChainCheck::of(&series).unwrap();
        assert!(check.is_unbroken() && check.repeated == 1);
        series.swap(1, 2);
        assert_eq!(breaks(&series), [Break::Reordered { sequence: 2, after: 3 }]);
    }

    #[test]
    fn an_outcome_replaced_by_the_devices_own_key_is_visible() {
        let (key, mut series) = series(3);
        series[1] = resealed(&key, &series[1], |header| header.sealed_at = "2020-01-01T00:00:00Z".into());
        assert_eq!(breaks(&series), [Break::Altered { sequence: 3 }]);
    }

    #[test]
    fn two_outcomes_in_one_place_are_a_fork() {
        let (key, mut series) = series(3);
        series.insert(2, resealed(&key, &series[1], |header| header.test = !header.test));
        assert_eq!(breaks(&series), [Break::Fork { sequence: 2 }]);
    }

    #[test]
    fn a_second_outcome_for_one_report_and_a_false_start_are_visible() {
        let (key, mut series) = series(2);
        let report_id = series[0].header.report_id.clone();
        series[1] = resealed(&key, &series[1], |header| header.report_id = report_id.clone());
        assert_eq!(breaks(&series), [Break::SecondOutcome { sequence: 2, report_id }]);
        let start = [resealed(&key, &series[0], |header| header.prev = Digest::of(b"x"))];
        assert_eq!(breaks(&start), [Break::FalseGenesis]);
        assert!(!ChainCheck::of(&start).unwrap().starts_at_genesis);
    }
}
