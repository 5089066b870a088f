//! The figures of one finding: pure functions of probabilities, truths and weights.
//!
//! Each takes how often every image counts, so that the bootstrap needs no second
//! definition. Ties are treated as what they are: no figure depends on the order in
//! which images of one probability stand.

use serde::Serialize;

/// Bins of the calibration error.
pub const BINS: u32 = 10;

/// One image: what was said and what is true.
#[derive(Debug, Clone, Copy)]
pub struct Scored {
    /// Probability.
    pub p: f64,
    /// Whether the label is there.
    pub positive: bool,
    /// The patient, numbered from 0.
    pub group: usize,
}

/// Images in ascending order of probability.
#[derive(Debug)]
pub struct Ranked {
    images: Vec<Scored>,
    /// Positions in `images`, surest first.
    by_confidence: Vec<usize>,
}

/// One bin of equal mass.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// How many images.
    pub n: u32,
    /// Mean of what was said.
    pub mean_probability: f64,
    /// Share of positives.
    pub observed: f64,
}

/// How far the called side is from even odds.
fn confidence(image: Scored) -> f64 {
    (image.p - 0.5).abs()
}

impl Ranked {
    /// Sorts the images.
    #[must_use]
    pub fn new(mut images: Vec<Scored>) -> Self {
        images.sort_by(|a, b| a.p.total_cmp(&b.p).then(a.positive.cmp(&b.positive)));
        let mut by_confidence: Vec<usize> = (0..images.len()).collect();
        by_confidence.sort_by(|a, b| confidence(images[*b]).total_cmp(&confidence(images[*a])));
        Self { images, by_confidence }
    }

    /// The images, least probable first.
    #[must_use]
    pub fn images(&self) -> &[Scored] {
        &self.images
    }

    /// Each image once.
    #[must_use]
    pub fn once(&self) -> Vec<u32> {
        vec![1; self.images.len()]
    }

    /// Weights of positives and negatives, by runs of one probability, ascending.
    fn ties<'a>(&'a self, weights: &'a [u32]) -> impl DoubleEndedIterator<Item = (f64, f64)> + 'a {
        let runs = self.images.chunk_by(|a, b| a.p.total_cmp(&b.p).is_eq());
        let mut start = 0;
        let spans: Vec<_> = runs
            .map(|run| {
                start += run.len();
                start - run.len()..start
            })
            .collect();
        spans.into_iter().map(move |span| {
            let mut counts = (0.0, 0.0);
            for (image, weight) in self.images[span.clone()].iter().zip(&weights[span]) {
                *(if image.positive { &mut counts.0 } else { &mut counts.1 }) += f64::from(*weight);
            }
            counts
        })
    }

    /// Weights of all positives and all negatives.
    #[must_use]
    pub fn totals(&self, weights: &[u32]) -> (f64, f64) {
        self.ties(weights).fold((0.0, 0.0), |sum, tie| (sum.0 + tie.0, sum.1 + tie.1))
    }

    /// Area under the ROC curve: share of pairs ranked right, a tie counting half.
    #[must_use]
    pub fn auroc(&self, weights: &[u32]) -> Option<f64> {
        let (mut right, mut positives, mut negatives) = (0.0, 0.0, 0.0);
        for (pos, neg) in self.ties(weights) {
            right += pos * (negatives + neg / 2.0);
            positives += pos;
            negatives += neg;
        }
        (positives > 0.0 && negatives > 0.0).then(|| right / (positives * negatives))
    }

    /// Average precision: precision at each threshold, weighted by the recall it adds.
    #[must_use]
    pub fn average_precision(&self, weights: &[u32]) -> Option<f64> {
        let (mut sum, mut hits, mut called) = (0.0, 0.0, 0.0);
        for (pos, neg) in self.ties(weights).rev().filter(|(pos, neg)| pos + neg > 0.0) {
            hits += pos;
            called += pos + neg;
            sum += pos * hits / called;
        }
        (hits > 0.0 && called > hits).then(|| sum / hits)
    }

    /// Share of the images of one truth at or above `threshold`.
    #[must_use]
    pub fn at_or_above(&self, threshold: f64, positive: bool, weights: &[u32]) -> Option<f64> {
        let of_truth = || self.images.iter().zip(weights).filter(|(image, _)| image.positive == positive);
        let sum = |above: bool| -> u64 {
            of_truth().filter(|(image, _)| !above || image.p >= threshold).map(|(_, w)| u64::from(*w)).sum()
        };
        let all = sum(false);
        (all > 0).then(|| sum(true) as f64 / all as f64)
    }

    /// Mean squared difference of probability and truth.
    #[must_use]
    pub fn brier(&self, weights: &[u32]) -> Option<f64> {
        let square = |image: &Scored| (image.p - f64::from(u8::from(image.positive))).powi(2);
        let sum: f64 = self.images.iter().zip(weights).map(|(i, w)| square(i) * f64::from(*w)).sum();
        let all: f64 = weights.iter().copied().map(f64::from).sum();
        (all > 0.0).then(|| sum / all)
    }

    /// Ten bins of equal mass, ascending; the first ones take what is left over. Images
    /// of one probability that fall into two bins bring their share of positives to both.
    #[must_use]
    pub fn bins(&self, weights: &[u32]) -> Vec<Bin> {
        let total: u32 = weights.iter().sum();
        let mut bins = Vec::with_capacity(BINS as usize);
        let mut runs = self.images.chunk_by(|a, b| a.p.total_cmp(&b.p).is_eq()).map(|run| run[0].p);
        let mut ties = self.ties(weights);
        // Probability, share of positives, and images left of the run that is open.
        let (mut p, mut share, mut open) = (0.0, 0.0, 0.0);
        for bin in 0..BINS {
            let n = total / BINS + u32::from(bin < total % BINS);
            let (mut left, mut said, mut seen) = (f64::from(n), 0.0, 0.0);
            while left > 0.0 {
                if open == 0.0 {
                    let (Some(next), Some((pos, neg))) = (runs.next(), ties.next()) else { break };
                    (p, share, open) = (next, pos / f64::max(pos + neg, 1.0), pos + neg);
                }
                let taken = open.min(left);
                said += taken * p;
                seen += taken * share;
                left -= taken;
                open -= taken;
            }
            if n > 0 {
                bins.push(Bin { n, mean_probability: said / f64::from(n), observed: seen / f64::from(n) });
            }
        }
        bins
    }

    /// Expected calibration error over those bins.
    #[must_use]
    pub fn calibration_error(&self, weights: &[u32]) -> Option<f64> {
        let bins = self.bins(weights);
        let all: f64 = bins.iter().map(|bin| f64::from(bin.n)).sum();
        let apart = |bin: &Bin| f64::from(bin.n) * (bin.mean_probability - bin.observed).abs();
        (all > 0.0).then(|| bins.iter().map(apart).sum::<f64>() / all)
    }

    /// Risk-coverage: the surest images first, called positive from even odds on; each
    /// point is the share that was called so far and the share of those called wrong.
    #[must_use]
    pub fn risk_coverage(&self, weights: &[u32]) -> Vec<(f64, f64)> {
        let all: f64 = weights.iter().copied().map(f64::from).sum();
        let alike = |a: &usize, b: &usize| confidence(self.images[*a]).total_cmp(&confidence(self.images[*b])).is_eq();
        let mut points = Vec::with_capacity(self.images.len());
        let (mut called, mut wrong) = (0.0, 0.0);
        for run in self.by_confidence.chunk_by(alike) {
            let weight = |at: &usize| f64::from(weights[*at]);
            let of_run: f64 = run.iter().map(weight).sum();
            let missed = |at: &&usize| (self.images[**at].p >= 0.5) != self.images[**at].positive;
            let errors: f64 = run.iter().filter(missed).map(weight).sum();
            // Images of one confidence come in any order: their errors are spread evenly.
            for _ in run.iter().flat_map(|at| 0..weights[*at]) {
                called += 1.0;
                wrong += errors / of_run;
                points.push((called / all, wrong / called));
            }
        }
        points
    }

    /// Area under the risk-coverage curve: the mean risk over all coverages.
    #[must_use]
    pub fn aurc(&self, weights: &[u32]) -> Option<f64> {
        let points = self.risk_coverage(weights);
        (!points.is_empty()).then(|| points.iter().map(|(_, risk)| risk).sum::<f64>() / points.len() as f64)
    }

    /// The ROC curve from (0, 0) to (1, 1): false and true positive rate.
    #[must_use]
    pub fn roc(&self) -> Vec<(f64, f64)> {
        let weights = self.once();
        let (positives, negatives) = self.totals(&weights);
        if positives == 0.0 || negatives == 0.0 {
            return Vec::new();
        }
        let mut at = (0.0, 0.0);
        let mut points = vec![at];
        for (pos, neg) in self.ties(&weights).rev() {
            at = (at.0 + neg / negatives, at.1 + pos / positives);
            points.push(at);
        }
        points
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
