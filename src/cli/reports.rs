//! `evaluate --reports`: the labeler and every composer held against labelled reports.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::evaluate::{cannot_create, interval, progress, write_new};
use super::exit;
use crate::digest::Digest;
use crate::evaluate::reports::{Composer, OUTPUTS, Part, Reports, Summary, evaluate, page};
use crate::infer::bundle::Vouched;
use crate::infer::writer::Writer;

/// Largest file of reports: a hundred times the largest public collection.
const MAX_FILE_BYTES: u64 = 1024 * 1024 * 1024;
/// Most problems that are printed; `reports.json` has them all.
const MOST_PROBLEMS: usize = 20;

/// Which reports of the file are evaluated.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Of {
    /// Those on which the labeler's phrases were found (70 %, by a hash of the uid)
    Development,
    /// The others
    HeldOut,
    /// Those that the shipped writer was neither trained nor chosen on (10 %)
    Unseen,
    /// All
    All,
}

/// Evaluates `file`, with the writer bundle `writer` where it is given; prints
/// the figures, and writes them to `out` where it is given.
pub fn reports(file: &Path, of: Of, seed: u64, writer: Option<&Vouched>, out: Option<&Path>) -> anyhow::Result<()> {
    let outputs: Vec<PathBuf> = out.iter().flat_map(|out| OUTPUTS.map(|name| out.join(name))).collect();
    if let Some(there) = outputs.iter().find(|path| path.exists()) {
        let words = format!("{} exists, and an evaluation never overwrites: give another --out", there.display());
        return Err(exit::coded(exit::CANNOT_CREATE, words));
    }
    let summary = measured(file, of, seed, writer)?;
    print(&summary);
    if let Some(out) = out {
        std::fs::create_dir_all(out).map_err(|e| cannot_create(out, &e))?;
        let texts = [serde_json::to_string_pretty(&summary)? + "\n", page(&summary)];
        for (path, text) in outputs.iter().zip(&texts) {
            write_new(path, text).map_err(|e| cannot_create(path, &e))?;
        }
        println!("wrote {} to {}", OUTPUTS.join(", "), out.display());
    }
    match summary.problems.len() {
        0 => Ok(()),
        count => {
            Err(exit::coded(exit::PARTIAL, format!("partial: {count} lines are no labelled reports; the rest was")))
        }
    }
}

fn measured(file: &Path, of: Of, seed: u64, writer: Option<&Vouched>) -> anyhow::Result<Summary> {
    let size = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    if size > MAX_FILE_BYTES {
        let words = format!("{}: {size} bytes, {MAX_FILE_BYTES} are read", file.display());
        return Err(exit::coded(exit::DATA, words));
    }
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let part = match of {
        Of::Development => Part::Development,
        Of::HeldOut => Part::HeldOut,
        Of::Unseen => Part::Unseen,
        Of::All => Part::All,
    };
    let reports = Reports::parse(&bytes, part);
    if reports.rows.is_empty() {
        let first = reports
            .problems
            .first()
            .map_or_else(String::new, |p| format!("; the first problem: line {}: {}", p.line, p.what));
        let words = format!("{}: no labelled report of that part to evaluate{first}", file.display());
        return Err(exit::coded(exit::DATA, words));
    }
    let writer = writer.map(Writer::load).transpose().map_err(|e| exit::coded(exit::DATA, e.to_string()))?;
    let texts = reports.rows.len() * Composer::all(writer.as_ref()).len();
    let bar = progress(texts as u64, "reports");
    let summary =
        evaluate(reports, Digest::of(&bytes), part, seed, writer.as_ref(), |done| bar.set_position(done as u64));
    bar.finish_and_clear();
    Ok(summary)
}

fn print(summary: &Summary) {
    println!(
        "{} reports; left out: {} of another part, {} never indexed, {} wrong lines",
        summary.reports,
        summary.of_another_part,
        summary.never_indexed,
        summary.problems.len()
    );
    println!(
        "{:<32} {:<22} {:<22} {:<22} {:<22} {:>6}",
        "composer", "micro F1", "macro F1", "BLEU-4", "ROUGE-L", "words"
    );
    for of in &summary.composers {
        let scores = [&of.agreement.micro.f1, &of.agreement.macro_f1, &of.bleu_4, &of.rouge_l].map(interval);
        println!(
            "{:<32} {:<22} {:<22} {:<22} {:<22} {:>6.1}",
            of.composer, scores[0], scores[1], scores[2], scores[3], of.words_a_report
        );
    }
    for (of, writer) in summary.composers.iter().filter_map(|of| Some((of, of.writer.as_ref()?))) {
        let each = |ms: Option<f64>| ms.map_or_else(|| "-".into(), |ms| format!("{ms:.2}"));
        println!(
            "{}: {} ms a report, {} ms a token, {} refused",
            of.composer,
            each(of.ms_a_report),
            each(writer.ms_a_token),
            writer.refused
        );
        if let (Some(guard), Some(removed)) = (&writer.guard, writer.removed) {
            println!("  guard: {} sentences, {:.1} % removed: {:?}", guard.sentences, removed * 100.0, guard.removed);
        }
    }
    if let Some(labeler) = summary.composers.first() {
        println!("\n{:<24} {:>8}  {:<22} {:<22} F1", "labeler, by label", "reports", "precision", "recall");
        let micro = ("all (micro)", summary.reports, &labeler.agreement.micro);
        let labels = labeler.agreement.labels.iter().map(|of| (of.label.as_str(), of.reports, &of.score));
        for (label, reports, score) in std::iter::once(micro).chain(labels) {
            let [precision, recall, f1] = [&score.precision, &score.recall, &score.f1].map(interval);
            println!("{label:<24} {reports:>8}  {precision:<22} {recall:<22} {f1}");
        }
    }
    for problem in summary.problems.iter().take(MOST_PROBLEMS) {
        println!("line {}: {}", problem.line, problem.what);
    }
}
