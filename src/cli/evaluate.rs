//! `evaluate`: a bundle held against labelled images, through the very same reader, or
//! the labeler and composers against labelled reports.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::reports::{Of, reports};
use super::vouching::Trusting;
use super::{exit, read};
use crate::config::Reader;
use crate::daemon;
use crate::evaluate::{Assume, Evaluation, OUTPUTS, Observation, Summary, Wanted, observe, page, readings, summarise};
use crate::models::Selection;
use crate::os::Scratch;

/// Most problems that are printed; `metrics.json` has them all.
const MOST_PROBLEMS: usize = 20;

#[derive(clap::Args)]
pub struct Arguments {
    /// Folder of the images: DICOM or JPEG
    #[arg(long, required_unless_present = "reports")]
    images: Option<PathBuf>,
    /// CSV with columns file, labels (separated by ;) and `group_id` or `patient_group`
    #[arg(long, required_unless_present = "reports")]
    index: Option<PathBuf>,
    /// Name of the bundle that must answer
    #[arg(long, required_unless_present = "reports")]
    bundle: Option<String>,
    /// Folder for metrics.json, readings.csv and report.html, or reports.json and
    /// reports.html; never overwrites
    #[arg(long, required_unless_present = "reports")]
    out: Option<PathBuf>,
    /// Evaluate the labeler and the composers on labelled reports instead: one JSON object
    /// a line with uid, findings, impression and labels
    #[arg(long, value_name = "FILE.jsonl", conflicts_with_all = ["images", "index", "bundle", "models", "by", "assume"])]
    reports: Option<PathBuf>,
    /// Folder of a writer bundle that writes too, raw and guarded
    #[arg(long, requires = "reports")]
    writer: Option<PathBuf>,
    /// Which of the reports
    #[arg(long, value_enum, default_value_t = Of::HeldOut, requires = "reports")]
    part: Of,
    /// Folder of model bundles (default: the ones that are shipped)
    #[arg(long)]
    models: Option<PathBuf>,
    #[command(flatten)]
    trusting: Trusting,
    /// Give the figures by each level of this column too; may be repeated
    #[arg(long, value_name = "COLUMN")]
    by: Vec<String>,
    /// Assume of JPEG files, where the index does not state it, the modality, body part,
    /// view and age that the bundle applies to; what was assumed is counted
    #[arg(long)]
    assume: bool,
    /// Seed of the bootstrap intervals
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub fn evaluate(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(file) = &arguments.reports {
        let writer = arguments.writer.as_deref().map(|writer| arguments.trusting.one(writer)).transpose()?;
        return reports(file, arguments.part, arguments.seed, writer.as_ref(), arguments.out.as_deref());
    }
    let (Some(images), Some(index), Some(bundle), Some(out)) =
        (&arguments.images, &arguments.index, &arguments.bundle, &arguments.out)
    else {
        unreachable!("clap requires them where --reports is not given");
    };
    let outputs = OUTPUTS.map(|name| out.join(name));
    if let Some(there) = outputs.iter().find(|path| path.exists()) {
        let words = format!("{} exists, and an evaluation never overwrites: give another --out", there.display());
        return Err(exit::coded(exit::CANNOT_CREATE, words));
    }
    let models =
        arguments.trusting.select(None, read::models_dir(arguments.models.as_deref())?, None, vec![bundle.clone()])?;
    let evaluation = Evaluation::prepare(Wanted {
        images,
        index,
        bundles: &models.images,
        bundle,
        assume: if arguments.assume { Assume::WhatTheBundleNeeds } else { Assume::Nothing },
        by: arguments.by.clone(),
        seed: arguments.seed,
    })?;
    std::fs::create_dir_all(out).map_err(|e| cannot_create(out, &e))?;
    for m in &evaluation.matches {
        println!("finding {} is held against label {} (by {})", m.finding, m.label, m.by);
    }
    let observations = super::runtime()?.block_on(observe_all(&evaluation, models))?;
    let summary = summarise(&evaluation, &observations);
    let json = serde_json::to_string_pretty(&summary)? + "\n";
    let texts = [json, readings(&evaluation, &observations), page(&summary)];
    for (path, text) in outputs.iter().zip(&texts) {
        write_new(path, text).map_err(|e| cannot_create(path, &e))?;
    }
    print(&summary, out);
    match summary.problems.len() {
        0 => Ok(()),
        count => Err(exit::coded(
            exit::PARTIAL,
            format!("partial: {count} of {} rows could not be evaluated; the rest was", summary.rows.listed),
        )),
    }
}

async fn observe_all(evaluation: &Evaluation, models: Selection) -> anyhow::Result<Vec<Observation>> {
    let scratch = Scratch::new("evaluate").context("cannot make a temporary folder")?;
    let settings =
        daemon::reader_settings(&Reader::default(), models, vec![evaluation.images.clone(), scratch.path().to_owned()]);
    let bar = progress(evaluation.index.rows.len() as u64, "images");
    let observing = observe(evaluation, &settings, &scratch, |done| bar.set_position(done as u64));
    tokio::select! {
        observed = observing => {
            bar.finish_and_clear();
            Ok(observed?)
        }
        // Leaving by the front door removes the wrapped image.
        _ = tokio::signal::ctrl_c() => Err(exit::coded(exit::INTERRUPTED, "interrupted; nothing was written")),
    }
}

/// A bar on a terminal, nothing elsewhere.
pub(super) fn progress(count: u64, of: &str) -> ProgressBar {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(count), target);
    let style = ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {of}, {{per_sec}}, {{eta}} left"));
    bar.set_style(style.expect("the template is a constant that a test holds"));
    bar
}

pub(super) fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::File::create_new(path)?.write_all(text.as_bytes())
}

pub(super) fn cannot_create(path: &Path, error: &std::io::Error) -> anyhow::Error {
    exit::coded(exit::CANNOT_CREATE, format!("{}: {error}", path.display()))
}

fn print(summary: &Summary, out: &Path) {
    let rows = &summary.rows;
    println!(
        "{} rows: {} read, {} refused, {} read by another bundle, {} not readable",
        rows.listed, rows.read, rows.refused, rows.other_bundle, rows.unreadable
    );
    for refusal in &summary.refused {
        println!("  refused {:>6}  {}", refusal.count, refusal.code);
    }
    for (name, count) in &summary.assumed {
        println!("  assumed {count:>6}  {name}");
    }
    println!(
        "{:<24} {:>6} {:>6}  {:<22} {:<22} calibration error",
        "finding", "n", "with", "AUROC", "average precision"
    );
    for of in &summary.findings {
        let f = &of.figures;
        let error = f.calibration_error[0].map_or_else(|| "-".into(), |e| format!("{e:.3}"));
        let (auroc, precision) = (interval(&f.auroc), interval(&f.average_precision));
        println!("{:<24} {:>6} {:>6}  {auroc:<22} {precision:<22} {error}", of.finding, f.n, f.positives);
    }
    if let Some(times) = &summary.ms_an_image {
        println!("an image: median {} ms, 95th percentile {} ms", times.median, times.p95);
    }
    for line in &summary.not_evaluated {
        println!("not evaluated: {line}");
    }
    for problem in summary.problems.iter().take(MOST_PROBLEMS) {
        println!("line {}: {}: {}", problem.line, problem.file, problem.what);
    }
    if let Some(more) = summary.problems.len().checked_sub(MOST_PROBLEMS + 1) {
        println!("… and {} more in metrics.json", more + 1);
    }
    println!("wrote {} to {}", OUTPUTS.join(", "), out.display());
}

pub(super) fn interval(value: &[Option<f64>; 3]) -> String {
    match value {
        [Some(v), Some(low), Some(high)] => format!("{v:.3} [{low:.3}, {high:.3}]"),
        [Some(v), ..] => format!("{v:.3}"),
        _ => "-".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_has_a_template_that_parses() {
        progress(3, "images").set_position(1);
    }
}
