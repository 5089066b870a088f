//! A cine: which of its frames are read, and how what they say becomes one answer.

use serde::Deserialize;

/// Most frames of a cine that a manifest may ask for: each is one run of the network.
const MAX_FRAMES: u32 = 64;

/// `[cine]` of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cine {
    /// How many frames are read of a cine that has more.
    pub frames: u32,
    /// What becomes of their logits.
    pub aggregate: Aggregate,
}

/// How the frames of a cine become one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregate {
    /// Each logit is the mean over the frames.
    MeanLogit,
}

impl Cine {
    /// What contradicts itself in it.
    pub(super) fn contradiction(self) -> Option<String> {
        let fits = (1..=MAX_FRAMES).contains(&self.frames);
        (!fits).then(|| format!("[cine] frames is {}, not in 1 to {MAX_FRAMES}", self.frames))
    }

    /// Which of `count` frames are read, from 0: the middles of equal spans, or all where they
    /// are no more than wanted.
    #[must_use]
    pub fn sampled(&self, count: u32) -> Vec<u32> {
        if count <= self.frames {
            return (0..count).collect();
        }
        let (count, frames) = (u64::from(count), u64::from(self.frames));
        let middle = |span: u64| u32::try_from((2 * span + 1) * count / (2 * frames)).unwrap_or(u32::MAX);
        (0..frames).map(middle).collect()
    }
}

impl Aggregate {
    /// The logits of a cine of which `frames` are those of its frames, at least one, alike in
    /// length. Their order changes no bit.
    #[must_use]
    pub fn of(self, frames: &[Vec<f32>]) -> Vec<f32> {
        let Self::MeanLogit = self;
        let outputs = frames.first().map_or(0, Vec::len);
        (0..outputs).map(|output| mean(frames.iter().map(|logits| logits[output]).collect())).collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a mean of logits is one")]
fn mean(mut values: Vec<f32>) -> f32 {
    // Sums of floats depend on their order.
    values.sort_by(f32::total_cmp);
    let sum: f64 = values.iter().copied().map(f64::from).sum();
    (sum / values.len() as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const CINE: Cine = Cine { frames: 8, aggregate: Aggregate::MeanLogit };

    #[test]
    fn frames_are_the_middles_of_equal_spans_as_training_takes_them() {
        // What `clips.sampled` of the training gives.
        assert_eq!(CINE.sampled(16), [1, 3, 5, 7, 9, 11, 13, 15]);
        assert_eq!(CINE.sampled(91), [5, 17, 28, 39, 51, 62, 73, 85]);
        assert_eq!(CINE.sampled(9), [0, 1, 2, 3, 5, 6, 7, 8]);
        assert_eq!(CINE.sampled(8), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(CINE.sampled(1), [0]);
    }

    #[test]
    fn the_longest_cine_that_a_header_can_claim_has_frames_within_it() {
        let frames = CINE.sampled(u32::MAX);
        assert!(frames.len() == 8 && frames.is_sorted() && frames[7] < u32::MAX);
    }

    #[test]
    fn the_order_of_frames_changes_no_bit_and_equal_frames_are_one_frame() {
        let frames = vec![vec![1.0e7, 0.1], vec![-1.0e7, 0.2], vec![0.3, 0.7], vec![1.0e-7, -0.4]];
        let mut turned = frames.clone();
        turned.rotate_left(2);
        turned.swap(0, 3);
        assert_eq!(Aggregate::MeanLogit.of(&frames), Aggregate::MeanLogit.of(&turned));
        assert_eq!(Aggregate::MeanLogit.of(&vec![vec![0.3f32, -1.7]; 7]), [0.3, -1.7]);
        assert_eq!(Aggregate::MeanLogit.of(&[vec![1.0], vec![2.0]]), [1.5]);
    }

    #[test]
    fn a_manifest_that_asks_for_no_frame_or_too_many_is_refused() {
        for (frames, fine) in [(0, false), (1, true), (MAX_FRAMES, true), (MAX_FRAMES + 1, false)] {
            assert_eq!(Cine { frames, ..CINE }.contradiction().is_none(), fine, "{frames}");
        }
    }
}
