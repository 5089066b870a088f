//! The figures of one finding over some images, each as `[estimate, low, high]`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bootstrap::intervals;
use super::metrics::{Bin, Ranked, Scored};
use crate::infer::findings::Probability;

/// Risk that a one-sided exact bound leaves, as each end of the 95 % intervals.
const TAIL: f64 = 0.025;

/// Fewest patients whose draws are worth an interval: of fewer, a percentile bootstrap is
/// known to be far too narrow.
const LEAST_PATIENTS: usize = 10;

/// Estimate, and ends of the 95 % interval; `null` where it does not exist.
pub type Estimate = [Option<f64>; 3];

/// One image as it counts for a finding.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The calibrated probability.
    pub p: f64,
    /// Whether the label is there.
    pub positive: bool,
    /// Whose image.
    pub patient: &'a str,
}

/// The thresholds that the bundle ships with.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Thresholds {
    /// Below: absent.
    pub absent_below: f64,
    /// At or above: present.
    pub present_above: f64,
}

impl Thresholds {
    /// Those of a finding's manifest entry.
    #[must_use]
    pub fn new(absent_below: Probability, present_above: Probability) -> Self {
        let [absent_below, present_above] = [absent_below, present_above].map(|p| f64::from(f32::from(p)));
        Self { absent_below, present_above }
    }
}

/// How many images fell into each band.
#[derive(Debug, Default, Serialize)]
pub struct Bands {
    /// Below `absent_below`.
    pub absent: usize,
    /// Between.
    pub uncertain: usize,
    /// At or above `present_above`.
    pub present: usize,
}

/// The figures of one finding. Shares and areas are 0 to 1.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Images.
    pub n: usize,
    /// Of them with the label.
    pub positives: usize,
    /// Patients.
    pub patients: usize,
    /// Area under the ROC curve.
    pub auroc: Estimate,
    /// Average precision; a random score has the share of positives.
    pub average_precision: Estimate,
    /// Share of positives not called absent.
    pub sensitivity_at_absent: Estimate,
    /// Share of negatives called absent.
    pub specificity_at_absent: Estimate,
    /// Share of positives called present.
    pub sensitivity_at_present: Estimate,
    /// Share of negatives not called present.
    pub specificity_at_present: Estimate,
    /// Mean squared difference of probability and truth.
    pub brier: Estimate,
    /// Expected calibration error over ten bins of equal mass.
    pub calibration_error: Estimate,
    /// Area under the risk-coverage curve.
    pub aurc: Estimate,
    /// Images by band.
    pub bands: Bands,
    /// Share of images outside the uncertain band, and of those the share called wrong.
    pub decided: [Option<f64>; 2],
    /// The bins of the calibration error.
    pub reliability: Vec<Bin>,
}

/// A finding's curves, for the report only.
#[derive(Debug)]
pub struct Curves {
    /// False against true positive rate.
    pub roc: Vec<(f64, f64)>,
    /// Coverage against risk.
    pub risk_coverage: Vec<(f64, f64)>,
}

/// Computes everything over `images`.
#[must_use]
pub fn figures(images: &[Judged<'_>], thresholds: Thresholds, seed: u64) -> (Figures, Curves) {
    let mut numbers = BTreeMap::new();
    let scored = images.iter().map(|image| {
        let next = numbers.len();
        Scored { p: image.p, positive: image.positive, group: *numbers.entry(image.patient).or_insert(next) }
    });
    let ranked = Ranked::new(scored.collect());
    let groups: Vec<usize> = ranked.images().iter().map(|image| image.group).collect();
    let measure = |weights: &[u32]| all(&ranked, thresholds, weights);
    let once = ranked.once();
    let estimates = measure(&once);
    let ends = if numbers.len() < LEAST_PATIENTS { [None; 9] } else { intervals(&groups, seed, measure) };
    let joined: [Estimate; 9] = std::array::from_fn(|k| {
        let [low, high] = ends[k].map_or([None; 2], |ends| ends.map(Some));
        [estimates[k], low, high].map(|value| value.map(rounded))
    });
    let [auroc, average_precision, brier, calibration_error, under_risk_coverage, shares @ ..] = joined;
    let patients_of = |truth| {
        let mut of: Vec<usize> = ranked.images().iter().filter(|i| i.positive == truth).map(|i| i.group).collect();
        of.sort_unstable();
        of.dedup();
        of.len()
    };
    let (ill, well) = (patients_of(true), patients_of(false));
    let bands = bands(ranked.images(), thresholds);
    let bins = ranked.bins(&once).into_iter().map(|bin| Bin {
        n: bin.n,
        mean_probability: rounded(bin.mean_probability),
        observed: rounded(bin.observed),
    });
    let figures = Figures {
        n: images.len(),
        positives: images.iter().filter(|image| image.positive).count(),
        patients: numbers.len(),
        auroc,
        average_precision,
        sensitivity_at_absent: exact_at_the_ends(shares[0], ill),
        specificity_at_absent: exact_at_the_ends(shares[1], well),
        sensitivity_at_present: exact_at_the_ends(shares[2], ill),
        specificity_at_present: exact_at_the_ends(shares[3], well),
        brier,
        calibration_error,
        aurc: under_risk_coverage,
        decided: decided(ranked.images(), thresholds, &bands),
        bands,
        reliability: bins.collect(),
    };
    (figures, Curves { roc: ranked.roc(), risk_coverage: ranked.risk_coverage(&once) })
}

fn all(ranked: &Ranked, thresholds: Thresholds, weights: &[u32]) -> [Option<f64>; 9] {
    let Thresholds { absent_below, present_above } = thresholds;
    let below = |threshold| ranked.at_or_above(threshold, false, weights).map(|share| 1.0 - share);
    [
        ranked.auroc(weights),
        ranked.average_precision(weights),
        ranked.brier(weights),
        ranked.calibration_error(weights),
        ranked.aurc(weights),
        ranked.at_or_above(absent_below, true, weights),
        below(absent_below),
        ranked.at_or_above(present_above, true, weights),
        below(present_above),
    ]
}

/// Where all agree the bootstrap would claim certainty: the end is then the exact one
/// for as many patients without an exception.
fn exact_at_the_ends(share: Estimate, patients: usize) -> Estimate {
    let exact = TAIL.powf(1.0 / patients.max(1) as f64);
    match share[0] {
        Some(1.0) => [Some(1.0), Some(rounded(exact)), Some(1.0)],
        Some(0.0) => [Some(0.0), Some(0.0), Some(rounded(1.0 - exact))],
        _ => share,
    }
}

fn bands(images: &[Scored], thresholds: Thresholds) -> Bands {
    let absent = images.iter().filter(|image| image.p < thresholds.absent_below).count();
    let present = images.iter().filter(|image| image.p >= thresholds.present_above).count();
    Bands { absent, uncertain: images.len() - absent - present, present }
}

fn decided(images: &[Scored], thresholds: Thresholds, bands: &Bands) -> [Option<f64>; 2] {
    let wrong = |image: &&Scored| {
        (image.positive && image.p < thresholds.absent_below)
            || (!image.positive && image.p >= thresholds.present_above)
    };
    let share = |part: usize, of: usize| (of > 0).then(|| rounded(part as f64 / of as f64));
    let called = bands.absent + bands.present;
    [share(called, images.len()), share(images.iter().filter(wrong).count(), called)]
}

/// Four digits: more would claim what no test set can show.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thresholds() -> Thresholds {
        Thresholds { absent_below: 0.2, present_above: 0.7 }
    }

    #[test]
    fn figures_agree_with_a_table_made_by_hand() {
        let people: Vec<String> = (0..8).map(|at| format!("p{}", at / 2)).collect();
        let said = [(0.1, false), (0.15, true), (0.3, false), (0.4, true), (0.6, false), (0.7, true), (0.8, true)];
        let images: Vec<Judged> =
            said.iter().zip(&people).map(|(&(p, positive), patient)| Judged { p, positive, patient }).collect();
        let (figures, curves) = figures(&images, thresholds(), 3);
        assert_eq!((figures.n, figures.positives, figures.patients), (7, 4, 4));
        // 12 pairs; wrong: 0.15 under 0.3 and 0.6, 0.4 under 0.6.
        assert_eq!(figures.auroc[0], Some(0.75));
        assert_eq!(figures.sensitivity_at_absent[0], Some(0.75));
        assert_eq!(figures.specificity_at_absent[0], Some(0.3333));
        assert_eq!(figures.sensitivity_at_present[0], Some(0.5));
        // No negative is called present: three patients without an exception.
        assert_eq!(figures.specificity_at_present, [Some(1.0), Some(0.2924), Some(1.0)]);
        assert_eq!((figures.bands.absent, figures.bands.uncertain, figures.bands.present), (2, 3, 2));
        assert_eq!(figures.decided, [Some(0.5714), Some(0.25)]);
        // Four patients are too few for the bootstrap.
        assert!(figures.brier[0].is_some() && figures.brier[1..] == [None; 2]);
        assert_eq!((curves.roc.len(), curves.risk_coverage.len()), (8, 7));
    }

    #[test]
    fn an_interval_holds_its_estimate_and_the_same_seed_gives_it_again() {
        let people: Vec<String> = (0..60).map(|at| format!("p{}", at / 3)).collect();
        let image = |(at, patient)| Judged { p: f64::from(at * 7 % 60) / 60.0, positive: at % 4 == 0, patient };
        let images: Vec<Judged> = (0u32..).zip(people.iter().map(String::as_str)).map(image).collect();
        let run = |seed| figures(&images, thresholds(), seed).0;
        let [estimate, low, high] = run(3).auroc.map(Option::unwrap);
        assert!(low < estimate && estimate < high);
        assert_eq!((run(3).auroc, run(3).aurc), (run(3).auroc, run(3).aurc));
        assert_ne!(run(3).auroc, run(4).auroc);
    }

    #[test]
    fn no_images_have_no_figures_and_that_is_no_panic() {
        let (figures, curves) = figures(&[], thresholds(), 3);
        assert_eq!((figures.n, figures.auroc, figures.decided), (0, [None; 3], [None; 2]));
        assert!(curves.roc.is_empty() && figures.reliability.is_empty());
    }
}
