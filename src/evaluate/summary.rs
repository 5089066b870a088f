//! `Summary`: all that came of an evaluation; its JSON form is `metrics.json`, format 1.
//!
//! 1. Every row of the index is counted once: read, refused by reason, read by another
//!    bundle, or a problem with its line.
//! 2. Figures are over the images that the bundle read, and over nothing else.
//! 3. Intervals are 95 %, resampled by patient, with the seed that stands beside them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::account::{Counts, Refusals, Times, counts, problems, refusals, times};
use super::bootstrap::DRAWS;
use super::figures::{Curves, Figures, Judged, Thresholds, figures};
use super::index::{Problem, Row};
use super::labels::Match;
use super::observe::{Observation, Seen};
use super::{Assume, Evaluation};
use crate::digest::Digest;
use crate::infer::findings::Finding;

/// Fewest images of a level that get figures of their own.
const LEAST_OF_A_LEVEL: usize = 10;
/// Most levels of a column that do, the largest first.
const MOST_LEVELS: usize = 50;
/// The column of boxes, which no bundle answers yet.
const BOXES: &str = "nih_bbox_2017";

/// See the module.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of the JSON, described in the module and in the report")]
pub struct Summary {
    pub format: u32,
    pub program: &'static str,
    pub bundle: BundleUnderTest,
    pub index_sha256: Digest,
    pub seed: u64,
    pub draws: usize,
    pub rows: Counts,
    pub refused: Vec<Refusals>,
    pub other_bundles: BTreeMap<String, usize>,
    pub assumed: BTreeMap<&'static str, usize>,
    pub ms_an_image: Option<Times>,
    pub labels: Vec<Match>,
    pub labels_without_a_finding: BTreeMap<String, usize>,
    pub findings: Vec<OfFinding>,
    pub clips: Option<Clips>,
    pub by: Vec<OfColumn>,
    pub not_evaluated: Vec<String>,
    pub problems: Vec<Problem>,
}

/// Which bundle.
#[derive(Debug, Serialize)]
pub struct BundleUnderTest {
    pub name: String,
    pub version: String,
    pub manifest_sha256: Digest,
}

/// The figures of one finding.
#[derive(Debug, Serialize)]
pub struct OfFinding {
    /// The bundle's label.
    pub finding: String,
    /// The thresholds that it ships with.
    pub thresholds: Thresholds,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// For the plots.
    #[serde(skip)]
    pub curves: Curves,
}

/// The figures by clip: the mean of its frames' probabilities against all their labels.
#[derive(Debug, Serialize)]
pub struct Clips {
    pub clips: usize,
    pub findings: Vec<OfFinding>,
}

/// The figures by the levels of one column.
#[derive(Debug, Serialize)]
pub struct OfColumn {
    pub column: String,
    pub levels: Vec<OfLevel>,
    /// Levels with too few images, or beyond the most that get figures.
    pub left_out: BTreeMap<String, usize>,
}

/// The figures of one level.
#[derive(Debug, Serialize)]
pub struct OfLevel {
    pub level: String,
    pub images: usize,
    pub findings: Vec<OfFinding>,
}

/// An image, or a clip, that was read.
struct Case<'a> {
    row: &'a Row,
    labels: Vec<&'a str>,
    /// In the order of the bundle's findings.
    probabilities: Vec<f64>,
}

/// Counts, measures and lists everything.
#[must_use]
pub fn summarise(evaluation: &Evaluation, observations: &[Observation]) -> Summary {
    let index = &evaluation.index;
    let cases: Vec<Case> = observations.iter().filter_map(|seen| case(evaluation, seen)).collect();
    let mut labels_without_a_finding = index.labels();
    labels_without_a_finding.retain(|label, _| evaluation.matches.iter().all(|m| m.label != *label));
    let bundle = &evaluation.manifest.bundle;
    Summary {
        format: 1,
        program: concat!("residentd ", env!("CARGO_PKG_VERSION")),
        bundle: BundleUnderTest {
            name: bundle.name.clone(),
            version: bundle.version.clone(),
            manifest_sha256: evaluation.manifest_sha256,
        },
        index_sha256: evaluation.index_sha256,
        seed: evaluation.seed,
        draws: DRAWS,
        rows: counts(evaluation, observations),
        refused: refusals(observations),
        other_bundles: tally(observations.iter().filter_map(|o| match &o.seen {
            Seen::OtherBundle(name) => Some(name.clone()),
            _ => None,
        })),
        assumed: tally(observations.iter().flat_map(|o| o.assumed.iter().copied())),
        ms_an_image: times(observations),
        labels: evaluation.matches.clone(),
        labels_without_a_finding,
        findings: of_findings(evaluation, &cases.iter().collect::<Vec<_>>()),
        clips: clips(evaluation, &cases),
        by: evaluation.by.iter().map(|column| of_column(evaluation, column, &cases)).collect(),
        not_evaluated: not_evaluated(evaluation),
        problems: problems(evaluation, observations),
    }
}

fn tally<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_insert(0) += 1);
    counts
}

fn case<'a>(evaluation: &'a Evaluation, observation: &Observation) -> Option<Case<'a>> {
    let Seen::Read(findings) = &observation.seen else { return None };
    let row = &evaluation.index.rows[observation.row];
    let said = |label: &str| {
        let finding: Option<&Finding> = findings.iter().find(|f| f.label == label);
        finding.map(|f| f64::from(f32::from(f.probability)))
    };
    let probabilities: Option<Vec<f64>> = evaluation.matches.iter().map(|m| said(&m.finding)).collect();
    Some(Case { row, labels: row.labels.iter().map(String::as_str).collect(), probabilities: probabilities? })
}

fn of_findings(evaluation: &Evaluation, cases: &[&Case<'_>]) -> Vec<OfFinding> {
    let specs = evaluation.manifest.finding.iter().zip(&evaluation.matches).enumerate();
    specs
        .map(|(at, (spec, matched))| {
            let judged = cases.iter().map(|case| Judged {
                p: case.probabilities[at],
                positive: matched.holds(&case.labels),
                patient: &case.row.group,
            });
            let thresholds = Thresholds::new(spec.absent_below, spec.present_above);
            let (figures, curves) = figures(&judged.collect::<Vec<_>>(), thresholds, evaluation.seed);
            OfFinding { finding: matched.finding.clone(), thresholds, figures, curves }
        })
        .collect()
}

/// `None` where the index names no clips.
fn clips(evaluation: &Evaluation, cases: &[Case<'_>]) -> Option<Clips> {
    cases.iter().find(|case| case.row.clip.is_some())?;
    let mut by_clip: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        // A still among clips stands for itself.
        by_clip.entry(case.row.clip.as_deref().unwrap_or(&case.row.file)).or_default().push(case);
    }
    let joined: Vec<Case> = by_clip.values().map(|frames| clip(frames)).collect();
    let findings = of_findings(evaluation, &joined.iter().collect::<Vec<_>>());
    Some(Clips { clips: joined.len(), findings })
}

fn clip<'a>(frames: &[&Case<'a>]) -> Case<'a> {
    let first = frames[0];
    let mean = |at: usize| frames.iter().map(|f| f.probabilities[at]).sum::<f64>() / frames.len() as f64;
    Case {
        row: first.row,
        labels: frames.iter().flat_map(|frame| frame.labels.iter().copied()).collect(),
        probabilities: (0..first.probabilities.len()).map(mean).collect(),
    }
}

fn of_column(evaluation: &Evaluation, column: &str, cases: &[Case<'_>]) -> OfColumn {
    let mut levels: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        let level = evaluation.index.value(case.row, column).unwrap_or("(empty)");
        levels.entry(level).or_default().push(case);
    }
    let mut largest: Vec<_> = levels.into_iter().collect();
    largest.sort_by_key(|(_, cases)| std::cmp::Reverse(cases.len()));
    let enough = largest.iter().take(MOST_LEVELS).take_while(|(_, cases)| cases.len() >= LEAST_OF_A_LEVEL).count();
    let left_out = largest.split_off(enough);
    let level = |(level, cases): (&str, Vec<&Case>)| OfLevel {
        level: level.to_owned(),
        images: cases.len(),
        findings: of_findings(evaluation, &cases),
    };
    OfColumn {
        column: column.to_owned(),
        levels: largest.into_iter().map(level).collect(),
        left_out: left_out.into_iter().map(|(level, cases)| (level.to_owned(), cases.len())).collect(),
    }
}

fn not_evaluated(evaluation: &Evaluation) -> Vec<String> {
    let mut words = Vec::new();
    if evaluation.index.columns.iter().any(|column| column == BOXES) {
        words.push(format!("place: the index has boxes ({BOXES}), but this bundle's findings have no place"));
    }
    if evaluation.assume == Assume::WhatTheBundleNeeds {
        words.push("routing, where a header was assumed: see the assumed attributes".into());
    }
    words
}
