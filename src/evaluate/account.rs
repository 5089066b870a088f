//! The account of every row: what was read, what was refused and why, what was wrong.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::Evaluation;
use super::bootstrap::quantile;
use super::csv::quoted;
use super::index::{Problem, Row};
use super::observe::{Observation, Seen};
use crate::infer::findings::Band;
use crate::report::reading::ReasonCode;

/// What became of the rows; of a clip that was joined each of its frames is one.
#[derive(Debug, Default, Serialize)]
pub struct Counts {
    /// In the index.
    pub listed: usize,
    /// Read by the bundle.
    pub read: usize,
    /// Declined by the reader.
    pub refused: usize,
    /// Read by another bundle.
    pub other_bundle: usize,
    /// Wrong rows and files that never came to the reader.
    pub unreadable: usize,
}

/// Refused images of one reason.
#[derive(Debug, Serialize)]
pub struct Refusals {
    /// The reason's code.
    pub code: &'static str,
    /// How many.
    pub count: usize,
    /// The same in the reader's words.
    pub words: BTreeMap<String, usize>,
}

/// Wall time of reading an image, by the images that were read.
#[derive(Debug, Serialize)]
pub struct Times {
    pub median: f64,
    pub p95: f64,
}

/// One line an image and finding: file, finding, probability, band, outcome.
#[must_use]
pub fn readings(evaluation: &Evaluation, observations: &[Observation]) -> String {
    let mut csv = String::from("file,finding,probability,band,outcome\n");
    for observation in observations {
        let file = quoted(&evaluation.index.rows[observation.row].file);
        let outcome = match &observation.seen {
            Seen::Read(findings) => {
                for finding in findings {
                    let p = f32::from(finding.probability);
                    let _ = writeln!(csv, "{file},{},{p},{},read", finding.label, band(finding.band));
                }
                continue;
            }
            Seen::Refused(code, _) => format!("refused:{}", code.as_str()),
            Seen::OtherBundle(name) => quoted(&format!("other-bundle:{name}")),
            Seen::Unreadable(_) => "unreadable".into(),
        };
        let _ = writeln!(csv, "{file},,,,{outcome}");
    }
    csv
}

const fn band(band: Band) -> &'static str {
    match band {
        Band::Absent => "absent",
        Band::Uncertain => "uncertain",
        Band::Present => "present",
    }
}

pub(super) fn counts(evaluation: &Evaluation, observations: &[Observation]) -> Counts {
    let wrong = evaluation.index.problems.len();
    let rows = |row: &Row| 1 + row.further.len();
    let fine: usize = evaluation.index.rows.iter().map(rows).sum();
    let mut counts = Counts { listed: fine + wrong, unreadable: wrong, ..Counts::default() };
    for observation in observations {
        *match observation.seen {
            Seen::Read(_) => &mut counts.read,
            Seen::Refused(..) => &mut counts.refused,
            Seen::OtherBundle(_) => &mut counts.other_bundle,
            Seen::Unreadable(_) => &mut counts.unreadable,
        } += rows(&evaluation.index.rows[observation.row]);
    }
    counts
}

/// By reason, most frequent first.
pub(super) fn refusals(observations: &[Observation]) -> Vec<Refusals> {
    let mut by_code: BTreeMap<&'static str, BTreeMap<String, usize>> = BTreeMap::new();
    for observation in observations {
        if let Seen::Refused(code, words) = &observation.seen {
            *by_code.entry(code.as_str()).or_default().entry(words.clone()).or_insert(0) += 1;
        }
    }
    let mut refusals: Vec<Refusals> =
        by_code.into_iter().map(|(code, words)| Refusals { code, count: words.values().sum(), words }).collect();
    refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.count));
    refusals
}

pub(super) fn times(observations: &[Observation]) -> Option<Times> {
    let read = observations.iter().filter(|o| matches!(o.seen, Seen::Read(_)));
    let mut ms: Vec<f64> = read.map(|o| o.ms).collect();
    ms.sort_by(f64::total_cmp);
    let rounded = |share| (quantile(&ms, share) * 100.0).round() / 100.0;
    (!ms.is_empty()).then(|| Times { median: rounded(0.5), p95: rounded(0.95) })
}

/// Rows that could not be evaluated for a fault of file or reader, by line.
pub(super) fn problems(evaluation: &Evaluation, observations: &[Observation]) -> Vec<Problem> {
    use ReasonCode::{Internal, Malformed, ReaderDied, Undecodable};
    let mut problems = evaluation.index.problems.clone();
    for observation in observations {
        let what = match &observation.seen {
            Seen::Unreadable(what) => what.clone(),
            Seen::Refused(code @ (Undecodable | Malformed | ReaderDied | Internal), words) => {
                format!("{words} [{}]", code.as_str())
            }
            _ => continue,
        };
        let row = &evaluation.index.rows[observation.row];
        problems.push(Problem { line: row.line, file: row.file.clone(), what });
    }
    problems.sort_by_key(|problem| problem.line);
    problems
}
