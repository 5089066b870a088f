//! How well labels found in texts agree with the experts': precision, recall and F1, by
//! label, micro (over all decisions) and macro (mean over labels), with intervals.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::evaluate::bootstrap::intervals;
use crate::evaluate::figures::Estimate;

/// Most labels: a report's set of them is the bits of a word.
const MAX_LABELS: usize = 64;

/// What was found in one text, and what should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    expected: u64,
    found: u64,
}

/// Precision, recall and F1.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Score {
    pub precision: Estimate,
    pub recall: Estimate,
    pub f1: Estimate,
}

/// The score of one label.
#[derive(Debug, Clone, Serialize)]
pub struct OfLabel {
    /// Which.
    pub label: String,
    /// Reports with it, by the experts.
    pub reports: usize,
    /// Found and there; found and not there; there and not found.
    pub counts: [usize; 3],
    /// The score.
    pub score: Score,
}

/// All scores.
#[derive(Debug, Clone, Serialize)]
pub struct Agreement {
    /// Over all decisions.
    pub micro: Score,
    /// Mean of the labels' F1, of those that any report has.
    pub macro_f1: Estimate,
    /// By label, most frequent first.
    pub labels: Vec<OfLabel>,
}

/// Holds `found` against `expected`, report by report, over `labels`; labels beyond those
/// take no part.
#[must_use]
pub fn agreement(labels: &[&str], reports: &[(&BTreeSet<String>, BTreeSet<&str>)], seed: u64) -> Agreement {
    assert!(labels.len() <= MAX_LABELS, "the labeler's table has fewer");
    let bits = |has: &dyn Fn(&str) -> bool| {
        labels.iter().enumerate().filter(|(_, label)| has(label)).fold(0u64, |bits, (at, _)| bits | 1 << at)
    };
    let pairs: Vec<Pair> = reports
        .iter()
        .map(|(expected, found)| Pair {
            expected: bits(&|label| expected.contains(label)),
            found: bits(&|label| found.contains(label)),
        })
        .collect();
    let groups: Vec<usize> = (0..pairs.len()).collect();
    let once = vec![1u32; pairs.len()];
    let score = |mask: u64| {
        let measure = |weights: &[u32]| rates(counts(&pairs, weights, mask));
        let [precision, recall, f1] = joined(measure(&once), intervals(&groups, seed, measure));
        Score { precision, recall, f1 }
    };
    let mut of_labels: Vec<OfLabel> = labels
        .iter()
        .enumerate()
        .map(|(at, label)| {
            let [hit, over, missed] = counts(&pairs, &once, 1 << at);
            OfLabel {
                label: (*label).to_owned(),
                reports: hit + missed,
                counts: [hit, over, missed],
                score: score(1 << at),
            }
        })
        .collect();
    let there: Vec<u64> = (0..labels.len()).filter(|at| of_labels[*at].reports > 0).map(|at| 1 << at).collect();
    let mean_f1 = |weights: &[u32]| {
        let f1 = there.iter().filter_map(|mask| rates(counts(&pairs, weights, *mask))[2]);
        let (sum, count) = f1.fold((0.0, 0), |(sum, count), f1| (sum + f1, count + 1));
        [(count > 0).then(|| sum / f64::from(count))]
    };
    let [macro_f1] = joined(mean_f1(&once), intervals(&groups, seed, mean_f1));
    of_labels.sort_by_key(|of| std::cmp::Reverse(of.reports));
    Agreement { micro: score(u64::MAX), macro_f1, labels: of_labels }
}

/// Found and there, found and not there, there and not found: of the labels in `mask`.
fn counts(pairs: &[Pair], weights: &[u32], mask: u64) -> [usize; 3] {
    pairs.iter().zip(weights).fold([0; 3], |sums, (pair, weight)| {
        let (expected, found) = (pair.expected & mask, pair.found & mask);
        let here = [expected & found, found & !expected, expected & !found];
        std::array::from_fn(|k| sums[k] + (here[k].count_ones() * weight) as usize)
    })
}

/// Precision, recall, F1 of such counts, where they exist.
fn rates([hit, over, missed]: [usize; 3]) -> [Option<f64>; 3] {
    let share = |of: usize, all: usize| (all > 0).then(|| of as f64 / all as f64);
    [share(hit, hit + over), share(hit, hit + missed), share(2 * hit, 2 * hit + over + missed)]
}

/// Estimates with their intervals.
pub(super) fn joined<const K: usize>(of: [Option<f64>; K], ends: [Option<[f64; 2]>; K]) -> [Estimate; K] {
    std::array::from_fn(|k| {
        let [low, high] = ends[k].map_or([None; 2], |ends| ends.map(Some));
        [of[k], low, high]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_hand_counted_reports() {
        let expected = [vec!["a", "b"], vec!["a"], vec![], vec!["b"]]
            .map(|labels| labels.into_iter().map(str::to_owned).collect::<BTreeSet<String>>());
        let found = [vec!["a"], vec!["a", "b"], vec!["x"], vec![]].map(|labels| labels.into_iter().collect());
        let reports: Vec<_> = expected.iter().zip(found).collect();
        let agreement = agreement(&["a", "b", "c"], &reports, 1);
        let close = |value: Option<f64>, wanted: f64| (value.unwrap() - wanted).abs() < 1e-12;
        // Two hits of a, none of b; one b too much, two b missed.
        assert!(close(agreement.micro.precision[0], 2.0 / 3.0) && close(agreement.micro.recall[0], 0.5));
        assert!(close(agreement.micro.f1[0], 4.0 / 7.0) && close(agreement.macro_f1[0], 0.5));
        let of = |label: &str| agreement.labels.iter().find(|of| of.label == label).unwrap();
        assert_eq!([of("a").counts, of("b").counts, of("c").counts], [[2, 0, 0], [0, 1, 2], [0, 0, 0]]);
        assert!(of("c").score.f1[0].is_none());
        let [f1, low, high] = agreement.micro.f1.map(Option::unwrap);
        assert!(low <= f1 && f1 <= high);
    }
}
