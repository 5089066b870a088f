//! Reports held against expert labels: the labeler itself, and every composer.
//!
//! ```text
//! rows ─▶ compose (from the expert labels alone) ─▶ labeler ─▶ agreement with the experts
//!                                                └▶ overlap with the human text
//! ```
//!
//! A composer is given what the experts say is in the image, writes, and what the labeler
//! reads back out of its text is held against the experts. The human's own text stands
//! beside them: its agreement is the labeler's own figure.

mod agreement;
mod compose;
mod overlap;
mod page;
mod rows;

use std::time::Instant;

use serde::Serialize;

pub use agreement::{Agreement, OfLabel, Score};
pub use compose::{Composer, Written};
pub use page::page;
pub use rows::{Part, Reports, Row};

use super::Problem;
use super::bootstrap::{DRAWS, intervals};
use super::figures::Estimate;
use crate::digest::Digest;
use crate::infer::findings::BundleIdentity;
use crate::infer::writer::Writer;
use crate::report::guard::GuardCounts;
use crate::report::label::{NORMAL, OTHER, TABLE, coded};
use agreement::{agreement, joined};
use overlap::{Bleu, rouge_l, words};

/// The files that are written.
pub const OUTPUTS: [&str; 2] = ["reports.json", "reports.html"];

/// All that came of it; its JSON form is `reports.json`, format 1. Intervals are 95 %,
/// resampled by report.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of the JSON, described in the report")]
pub struct Summary {
    pub format: u32,
    pub program: &'static str,
    pub file_sha256: Digest,
    pub part: Part,
    pub seed: u64,
    pub draws: usize,
    pub reports: usize,
    pub never_indexed: usize,
    pub of_another_part: usize,
    pub writer: Option<BundleIdentity>,
    pub composers: Vec<OfComposer>,
    pub problems: Vec<Problem>,
}

/// The figures of one composer.
#[derive(Debug, Serialize)]
pub struct OfComposer {
    /// Its name.
    pub composer: &'static str,
    /// What the labeler reads in its text, against the experts.
    pub agreement: Agreement,
    /// Against the human text, for orientation.
    pub bleu_4: Estimate,
    /// Against the human text, for orientation.
    pub rouge_l: Estimate,
    /// Mean words of Findings and Impression together.
    pub words_a_report: f64,
    /// Mean time of writing, where it was written here.
    pub ms_a_report: Option<f64>,
    /// Of a writer's texts.
    pub writer: Option<OfWriter>,
}

/// What only a writer bundle has.
#[derive(Debug, Serialize)]
pub struct OfWriter {
    /// Reports that it refused to write, or wrote no text of.
    pub refused: usize,
    /// Tokens that it took.
    pub tokens: usize,
    /// Mean time a token.
    pub ms_a_token: Option<f64>,
    /// What the guard did to all of its sentences, where it was guarded.
    pub guard: Option<GuardCounts>,
    /// Share of its sentences that the guard removed.
    pub removed: Option<f64>,
}

/// Evaluates every composer on `reports`; `tick` is told how many texts are done.
#[must_use]
pub fn evaluate(
    reports: Reports,
    file_sha256: Digest,
    part: Part,
    seed: u64,
    writer: Option<&Writer>,
    tick: impl Fn(usize),
) -> Summary {
    let each = |(at, composer): (usize, &Composer<'_>)| {
        let tick = |done: usize| tick(at * reports.rows.len() + done);
        of_composer(*composer, &reports, seed, tick)
    };
    Summary {
        format: 1,
        program: concat!("residentd ", env!("CARGO_PKG_VERSION")),
        file_sha256,
        part,
        seed,
        draws: DRAWS,
        reports: reports.rows.len(),
        never_indexed: reports.not_indexed,
        of_another_part: reports.other_part,
        writer: writer.map(|writer| writer.identity().clone()),
        composers: Composer::all(writer).iter().enumerate().map(each).collect(),
        problems: reports.problems,
    }
}

fn of_composer(composer: Composer<'_>, reports: &Reports, seed: u64, tick: impl Fn(usize)) -> OfComposer {
    let rows = &reports.rows;
    // A label that no report of the part has was assessed all the same.
    let (labels, assessed) = (labels(|label| rows.iter().any(|row| row.labels.contains(label))), assessed(reports));
    let started = Instant::now();
    let each = |(at, row): (usize, &Row)| {
        tick(at + 1);
        composer.write(row, &assessed)
    };
    let written: Vec<Written> = rows.iter().enumerate().map(each).collect();
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    let found = rows.iter().zip(&written).map(|(row, written)| {
        let said = coded(written.text.iter().map(String::as_str));
        (&row.labels, said.into_iter().filter(|label| *label != OTHER).collect())
    });
    let of_rows = rows.len().max(1) as f64;
    let texts: Vec<Vec<String>> = written.iter().map(|written| words(&written.text.join(" "))).collect();
    let human: Vec<Vec<String>> =
        rows.iter().map(|row| words(&format!("{} {}", row.findings, row.impression))).collect();
    let (bleu_4, rouge_l) = overlaps(&texts, &human, seed);
    OfComposer {
        composer: composer.name(),
        agreement: agreement(&labels, &found.collect::<Vec<_>>(), seed),
        bleu_4,
        rouge_l,
        words_a_report: texts.iter().map(Vec::len).sum::<usize>() as f64 / of_rows,
        ms_a_report: composer.writes().then_some(ms / of_rows),
        writer: matches!(composer, Composer::NeuralRaw(_) | Composer::NeuralGuarded(_))
            .then(|| of_writer(&written, ms)),
    }
}

fn of_writer(written: &[Written], ms: f64) -> OfWriter {
    let tokens: usize = written.iter().filter_map(|written| written.tokens).sum();
    let guard =
        written.iter().filter_map(|written| written.guard.as_ref()).fold(None, |sum: Option<GuardCounts>, of| {
            let mut sum = sum.unwrap_or_default();
            sum.add(of);
            Some(sum)
        });
    OfWriter {
        refused: written.iter().filter(|written| written.tokens.is_none()).count(),
        tokens,
        ms_a_token: (tokens > 0).then(|| ms / tokens as f64),
        removed: guard.as_ref().and_then(GuardCounts::share_removed),
        guard,
    }
}

/// What the experts looked for in every report of the file.
fn assessed(reports: &Reports) -> Vec<&'static str> {
    labels(|label| reports.assessed.contains(label))
}

/// The labels of the labeler's table, and [`NORMAL`], that are `there`.
fn labels(there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let all = TABLE.findings.iter().map(|finding| finding.label.as_str()).chain([NORMAL]);
    all.filter(|label| there(label)).collect()
}

/// BLEU-4 and ROUGE-L with their intervals.
fn overlaps(texts: &[Vec<String>], human: &[Vec<String>], seed: u64) -> (Estimate, Estimate) {
    let bleu: Vec<Bleu> = texts.iter().zip(human).map(|(text, human)| Bleu::of(text, human)).collect();
    let rouge: Vec<f64> = texts.iter().zip(human).map(|(text, human)| rouge_l(text, human)).collect();
    let groups: Vec<usize> = (0..texts.len()).collect();
    let measure = |weights: &[u32]| {
        let count: u32 = weights.iter().sum();
        let sum: f64 = rouge.iter().zip(weights).map(|(rouge, weight)| rouge * f64::from(*weight)).sum();
        [Some(Bleu::corpus(&bleu, weights)), (count > 0).then(|| sum / f64::from(count))]
    };
    let [bleu_4, rouge_l] = joined(measure(&vec![1; texts.len()]), intervals(&groups, seed, measure));
    (bleu_4, rouge_l)
}

#[cfg(test)]
mod tests;
