//! Which sequences are there, as few spans: a device that missed nothing is one. Pure.

use std::collections::BTreeMap;

/// Disjoint spans that do not touch, by first sequence, with the last one.
#[derive(Debug, Default)]
pub(super) struct Spans(BTreeMap<u64, u64>);

impl Spans {
    pub fn insert(&mut self, sequence: u64) {
        if self.contains(sequence) {
            return;
        }
        let last = self.0.remove(&(sequence + 1)).unwrap_or(sequence);
        match self.0.range_mut(..sequence).next_back() {
            Some((_, before)) if *before + 1 == sequence => *before = last,
            _ => {
                self.0.insert(sequence, last);
            }
        }
    }

    pub fn contains(&self, sequence: u64) -> bool {
        self.0.range(..=sequence).next_back().is_some_and(|(_, last)| *last >= sequence)
    }

    /// The first sequences after 0 that are not there, up to the last that is, or `known`.
    pub fn first_missing(&self, known: u64) -> (u64, Option<(u64, u64)>) {
        let through = self.0.get(&1).copied().unwrap_or(0);
        let next = self.0.range(through + 1..).next().map(|(first, _)| first - 1);
        let to = next.unwrap_or(known);
        (through, (to > through).then_some((through + 1, to)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn spans_are_the_set_that_was_inserted(sequences in prop::collection::vec(1u64..60, 0..80), known in 0u64..70) {
            let (mut spans, mut set) = (Spans::default(), BTreeSet::new());
            for sequence in sequences {
                spans.insert(sequence);
                set.insert(sequence);
            }
            for sequence in 1..70 {
                prop_assert_eq!(spans.contains(sequence), set.contains(&sequence));
            }
            let through = (1..70).take_while(|s| set.contains(s)).count() as u64;
            let to = set.range(through + 1..).next().map_or(known, |next| next - 1);
            let missing = (to > through).then_some((through + 1, to));
            prop_assert_eq!(spans.first_missing(known), (through, missing));
            let touching = spans.0.iter().zip(spans.0.keys().skip(1)).any(|((_, last), next)| last + 1 >= *next);
            prop_assert!(!touching, "{:?}", spans);
        }
    }
}
