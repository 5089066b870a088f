//! Bootstrap by patient: how far a figure moves when other patients had come.
//!
//! A draw takes as many patients as there are, with replacement, and every image of a
//! patient as often as the patient was drawn. The seed is an argument: same seed, same
//! intervals, on every machine.

/// Draws of every interval.
pub const DRAWS: usize = 1000;
/// Ends of a 95 % interval.
const ENDS: [f64; 2] = [0.025, 0.975];
/// Share of draws in which a figure must exist for its interval to be given.
const LEAST_DEFINED: f64 = 0.5;

/// `SplitMix64` (Steele, Lea, Flood 2014): 64 bits of state, equidistributed, enough for
/// resampling.
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound` (the high word of a product; its bias is below 2^-40 here).
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.next()) * bound as u128;
        usize::try_from(wide >> 64).expect("below a bound that is a usize")
    }
}

/// The 95 % interval of each of `K` figures. `group_of` names the group (from 0) of each
/// image; `figures` computes them all from how often each image counts. A figure that
/// does not exist in most draws has no interval.
pub fn intervals<const K: usize>(
    group_of: &[usize],
    seed: u64,
    mut figures: impl FnMut(&[u32]) -> [Option<f64>; K],
) -> [Option<[f64; 2]>; K] {
    let groups = group_of.iter().max().map_or(0, |last| last + 1);
    let mut random = Random::new(seed);
    let mut drawn: [Vec<f64>; K] = std::array::from_fn(|_| Vec::with_capacity(DRAWS));
    let mut times = vec![0u32; groups];
    let mut weights = vec![0u32; group_of.len()];
    for _ in 0..DRAWS {
        times.fill(0);
        for _ in 0..groups {
            times[random.below(groups)] += 1;
        }
        weights.iter_mut().zip(group_of).for_each(|(weight, group)| *weight = times[*group]);
        for (values, figure) in drawn.iter_mut().zip(figures(&weights)) {
            values.extend(figure);
        }
    }
    drawn.map(|mut values| {
        values.sort_by(f64::total_cmp);
        let defined = values.len() as f64 / DRAWS as f64;
        (defined >= LEAST_DEFINED).then(|| ENDS.map(|end| quantile(&values, end)))
    })
}

/// The quantile of values in ascending order, linear between neighbours (type 7); NaN of none.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last index")]
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = share.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * at.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // First outputs of the reference implementation for seed 1234567.
        let mut random = Random::new(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn same_seed_same_interval_and_every_draw_has_as_many_patients() {
        let groups = [0, 0, 1, 2, 2, 2, 3];
        let run = |seed| {
            intervals(&groups, seed, |weights| {
                // Images of one patient are drawn together.
                assert!(weights[0] == weights[1] && weights[3] == weights[5]);
                assert_eq!(weights[0] + weights[2] + weights[3] + weights[6], 4);
                [Some(f64::from(weights[0])), None]
            })
        };
        assert_eq!(run(7), run(7));
        let [defined, undefined] = run(7);
        assert!(defined.is_some_and(|[low, high]| low < 0.1 && high > 1.9) && undefined.is_none());
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_normal_law() {
        let values: Vec<f64> = (0..400).map(|at| f64::from(at % 10)).collect();
        let groups: Vec<usize> = (0..400).collect();
        let [interval] = intervals(&groups, 1, |weights| {
            let sum: f64 = values.iter().zip(weights).map(|(v, w)| v * f64::from(*w)).sum();
            [Some(sum / 400.0)]
        });
        // Mean 4.5, standard error sqrt(8.25 / 400) = 0.1436.
        let [low, high] = interval.unwrap();
        assert!((low - 4.2185).abs() < 0.03 && (high - 4.7815).abs() < 0.03, "{low} {high}");
    }

    #[test]
    fn quantiles_are_linear_between_neighbours() {
        assert!((quantile(&[1.0, 2.0, 4.0], 0.75) - 3.0).abs() < 1e-12);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
