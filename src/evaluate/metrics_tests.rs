//! The figures against values computed by hand and against their definitions.

use proptest::prelude::*;

use super::*;

fn ranked(images: &[(f64, bool)]) -> Ranked {
    Ranked::new(images.iter().enumerate().map(|(group, &(p, positive))| Scored { p, positive, group }).collect())
}

fn close(found: Option<f64>, wanted: f64) -> bool {
    found.is_some_and(|found| (found - wanted).abs() < 1e-9)
}

/// Every pair, as the definition has it.
fn pairs(images: &[(f64, bool)]) -> Option<f64> {
    let of = |truth| images.iter().filter(move |i| i.1 == truth).map(|i| i.0);
    let score = |p: f64, n: f64| if p > n { 1.0 } else { f64::from(u8::from(p.total_cmp(&n).is_eq())) / 2.0 };
    let all = of(true).count() * of(false).count();
    let right: f64 = of(true).flat_map(|p| of(false).map(move |n| score(p, n))).sum();
    (all > 0).then(|| right / all as f64)
}

#[test]
fn four_images_by_hand() {
    // The example of scikit-learn's documentation: AUROC 0.75, average precision 0.8333.
    let four = ranked(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)]);
    let once = four.once();
    assert!(close(four.auroc(&once), 0.75));
    assert!(close(four.average_precision(&once), 5.0 / 6.0));
    assert!(close(four.brier(&once), (0.01 + 0.16 + 0.4225 + 0.04) / 4.0));
    assert!(close(four.at_or_above(0.35, true, &once), 1.0));
    assert!(close(four.at_or_above(0.36, false, &once), 0.5));
    // Surest: 0.1 right, then 0.8 right, 0.35 wrong, 0.4 right.
    assert!(close(four.aurc(&once), (0.0 + 0.0 + 1.0 / 3.0 + 0.25) / 4.0));
    assert_eq!(four.roc(), [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)]);
}

#[test]
fn a_tie_counts_half_and_no_order_matters() {
    let tied = ranked(&[(0.5, true), (0.5, false), (0.5, false), (0.9, true)]);
    let once = tied.once();
    assert!(close(tied.auroc(&once), 0.75));
    // 0.9: 1 of 1; then 2 of 4.
    assert!(close(tied.average_precision(&once), 0.75));
    // 0.9 is right; the three at even odds are called positive, two of them wrongly.
    let third = 2.0 / 3.0;
    assert!(close(tied.aurc(&once), (0.0 + third / 2.0 + 2.0 * third / 3.0 + 3.0 * third / 4.0) / 4.0));
}

#[test]
fn one_truth_alone_has_no_ranking() {
    let negatives = ranked(&[(0.1, false), (0.4, false)]);
    let once = negatives.once();
    assert_eq!((negatives.auroc(&once), negatives.average_precision(&once)), (None, None));
    assert_eq!(negatives.at_or_above(0.2, true, &once), None);
    assert!(negatives.roc().is_empty());
    assert_eq!(ranked(&[]).calibration_error(&[]), None);
}

#[test]
fn calibration_bins_hold_equal_mass_and_the_first_take_the_rest() {
    let images: Vec<_> = (0..23).map(|at| (f64::from(at) / 23.0, at % 2 == 0)).collect();
    let ranked = ranked(&images);
    let bins = ranked.bins(&ranked.once());
    assert_eq!(bins.iter().map(|b| b.n).collect::<Vec<_>>(), [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]);
    assert!((bins[0].mean_probability - 1.0 / 23.0).abs() < 1e-12 && (bins[0].observed - 2.0 / 3.0).abs() < 1e-12);
    // Said 0.2 and seen 0.5 everywhere.
    let constant = super::tests::ranked(&[(0.2, true), (0.2, false)].repeat(50));
    assert!(close(constant.calibration_error(&constant.once()), 0.3));
}

proptest! {
    #[test]
    fn weights_are_repetitions(images in proptest::collection::vec((0u8..8, any::<bool>(), 0u32..4), 1..40)) {
        let p = |v: u8| f64::from(v) / 8.0;
        let unlike = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() > 1e-9,
            (a, b) => a.is_some() != b.is_some(),
        };
        let once: Vec<_> = images.iter().map(|&(v, t, _)| (p(v), t)).collect();
        let repeated: Vec<_> =
            images.iter().flat_map(|&(v, t, w)| std::iter::repeat_n((p(v), t), w as usize)).collect();
        let weighed = Ranked::new(
            images.iter().map(|&(v, positive, w)| Scored { p: p(v), positive, group: w as usize }).collect(),
        );
        let weights: Vec<u32> = weighed.images().iter().map(|i| u32::try_from(i.group).unwrap()).collect();
        let long = ranked(&repeated);
        let ones = long.once();
        prop_assert!(!unlike(weighed.auroc(&weights), long.auroc(&ones)));
        prop_assert!(!unlike(weighed.auroc(&weights), pairs(&repeated)));
        prop_assert!(!unlike(ranked(&once).auroc(&ranked(&once).once()), pairs(&once)));
        prop_assert!(!unlike(weighed.average_precision(&weights), long.average_precision(&ones)));
        prop_assert!(!unlike(weighed.brier(&weights), long.brier(&ones)));
        prop_assert!(!unlike(weighed.calibration_error(&weights), long.calibration_error(&ones)));
        prop_assert!(!unlike(weighed.aurc(&weights), long.aurc(&ones)));
        prop_assert!(!unlike(weighed.at_or_above(0.5, true, &weights), long.at_or_above(0.5, true, &ones)));
    }
}
