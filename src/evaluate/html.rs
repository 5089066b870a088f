//! The report for people: one HTML file with tables and plots, nothing loaded from
//! elsewhere, made to be printed. It says what was refused, and what it cannot show.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::figures::Estimate;
use super::plot::{Mark, Plot};
use super::summary::{OfFinding, Summary};

/// Most problems that are listed; `metrics.json` has them all.
pub(super) const MOST_PROBLEMS: usize = 200;

pub(super) const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;color:#111;background:#fff;max-width:62rem;\
margin:2rem auto;padding:0 1rem}h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem;border-bottom:1px solid #999}\
h3{font-size:1rem;margin:1.4rem 0 .3rem}table{border-collapse:collapse;margin:.6rem 0;font-size:.86rem}\
th,td{border:1px solid #bbb;padding:.25rem .5rem;text-align:left;vertical-align:top}th{background:#eee}\
td{font-variant-numeric:tabular-nums}.plots{display:flex;flex-wrap:wrap;gap:.5rem}\
svg{width:19rem;max-width:100%}svg text{font:9px system-ui,sans-serif;text-anchor:middle}svg .title{font-weight:600}\
svg .left{text-anchor:end}.grid{stroke:#ddd;stroke-width:.5}.line{fill:none;stroke:#104e8b;stroke-width:1.6}\
.dashed{stroke:#777;stroke-dasharray:4 3}.dot{fill:#104e8b}.warn{border-left:4px solid #b00;padding:.2rem .8rem}\
.wrap{overflow-x:auto}@media print{body{margin:0;font-size:11px}h3,svg,table{break-inside:avoid}}";

/// Heads of the table of ranking and calibration.
const RANKING: [&str; 8] =
    ["n", "with it", "patients", "AUROC", "average precision", "Brier", "calibration error", "AURC"];
/// Heads of the table of what the thresholds make of it.
const CALLS: [&str; 9] = [
    "sensitivity at absent",
    "specificity at absent",
    "sensitivity at present",
    "specificity at present",
    "absent",
    "uncertain",
    "present",
    "decided",
    "of those wrong",
];

/// The whole page.
#[must_use]
pub fn page(summary: &Summary) -> String {
    let name = escaped(&summary.bundle.name);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{name} evaluated</title><style>{STYLE}</style></head>\n<body>\n\
         <h1>{name} {} held against labelled images</h1>\n",
        escaped(&summary.bundle.version)
    );
    page.push_str(
        "<p class=\"warn\">Not a medical device. These figures hold for these images, labels and patients only.</p>\n",
    );
    rows(&mut page, summary);
    let _ = writeln!(page, "<h2>Findings, by image</h2>");
    tables(&mut page, "", &all(&summary.findings));
    for finding in &summary.findings {
        plots(&mut page, finding);
    }
    if let Some(clips) = &summary.clips {
        let _ = writeln!(
            page,
            "<h2>Findings, by clip ({} clips)</h2><p>Mean probability of a clip's frames.</p>",
            clips.clips
        );
        tables(&mut page, "", &all(&clips.findings));
    }
    levels(&mut page, summary);
    limits(&mut page, summary);
    problems(&mut page, summary);
    provenance(&mut page, summary);
    page + "</body></html>\n"
}

/// Text as HTML shows it, in attributes too.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn rows(page: &mut String, summary: &Summary) {
    let counts = &summary.rows;
    let _ = writeln!(
        page,
        "<h2>Images</h2>\n<p>{} rows: <b>{} read</b>, <b>{} refused</b>, {} read by another bundle, {} not readable. \
         Figures are over the {} that were read.</p>",
        counts.listed, counts.read, counts.refused, counts.other_bundle, counts.unreadable, counts.read
    );
    if let Some(times) = &summary.ms_an_image {
        let _ = writeln!(page, "<p>Time an image: median {} ms, 95th percentile {} ms.</p>", times.median, times.p95);
    }
    if !summary.refused.is_empty() {
        let rows = summary.refused.iter().map(|refusal| {
            let words: Vec<String> = refusal.words.iter().map(|(w, n)| format!("{} ({n})", escaped(w))).collect();
            vec![refusal.code.to_owned(), refusal.count.to_string(), words.join("<br>")]
        });
        let heads = ["refused because", "images", "in the reader's words"].map(str::to_owned);
        table(page, &heads, rows);
    }
    if !summary.assumed.is_empty() {
        let _ = writeln!(
            page,
            "<p class=\"warn\">Assumed, because the index does not say it: {}.</p>",
            listed(summary.assumed.iter().map(|(name, n)| (*name, *n)))
        );
    }
    if !summary.other_bundles.is_empty() {
        let _ = writeln!(page, "<p>Read by another bundle: {}.</p>", counted(&summary.other_bundles));
    }
}

fn counted(counts: &BTreeMap<String, usize>) -> String {
    listed(counts.iter().map(|(name, n)| (name.as_str(), *n)))
}

fn listed<'a>(counts: impl Iterator<Item = (&'a str, usize)>) -> String {
    counts.map(|(name, n)| format!("{} ({n})", escaped(name))).collect::<Vec<_>>().join(", ")
}

/// Two tables over figures, each with what it is of (an image, a clip, a level): how
/// well they rank and how true the probabilities are, then what the thresholds make of them.
fn tables(page: &mut String, of: &str, figures: &[(&str, &OfFinding)]) {
    let names = |(level, of): &(&str, &OfFinding)| match *level {
        "" => vec![escaped(&of.finding)],
        level => vec![escaped(&of.finding), escaped(level)],
    };
    let heads = |words: &[&'static str]| -> Vec<String> {
        let level = (!of.is_empty()).then(|| escaped(of));
        std::iter::once("finding".to_owned()).chain(level).chain(words.iter().map(|&w| w.to_owned())).collect()
    };
    let ranking = figures.iter().map(|row| {
        let f = &row.1.figures;
        let counts = [f.n, f.positives, f.patients].map(|count| count.to_string());
        let values = [&f.auroc, &f.average_precision, &f.brier, &f.calibration_error, &f.aurc].map(estimate);
        names(row).into_iter().chain(counts).chain(values).collect()
    });
    table(page, &heads(&RANKING), ranking);
    let calls = figures.iter().map(|row| {
        let f = &row.1.figures;
        let values =
            [&f.sensitivity_at_absent, &f.specificity_at_absent, &f.sensitivity_at_present, &f.specificity_at_present]
                .map(estimate);
        let bands = [f.bands.absent, f.bands.uncertain, f.bands.present].map(|count| count.to_string());
        let percent = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |v| format!("{:.1} %", v * 100.0));
        names(row).into_iter().chain(values).chain(bands).chain(f.decided.map(percent)).collect()
    });
    table(page, &heads(&CALLS), calls);
}

/// One table; cells are HTML.
pub(super) fn table(page: &mut String, heads: &[String], rows: impl Iterator<Item = Vec<String>>) {
    page.push_str("<div class=\"wrap\"><table>");
    line(page, "th", heads);
    for row in rows {
        line(page, "td", &row);
    }
    page.push_str("</table></div>\n");
}

/// One row of `cells` in elements `tag`.
fn line(page: &mut String, tag: &str, cells: &[String]) {
    page.push_str("<tr>");
    for cell in cells {
        let _ = write!(page, "<{tag}>{cell}</{tag}>");
    }
    page.push_str("</tr>\n");
}

fn all(findings: &[OfFinding]) -> Vec<(&str, &OfFinding)> {
    findings.iter().map(|of| ("", of)).collect()
}

/// Estimate over its interval.
pub(super) fn estimate(value: &Estimate) -> String {
    match value {
        [Some(v), Some(low), Some(high)] => format!("{v:.3}<br>{low:.3}–{high:.3}"),
        [Some(v), ..] => format!("{v:.3}<br>no interval"),
        _ => "–".into(),
    }
}

fn plots(page: &mut String, of: &OfFinding) {
    let thresholds = &of.thresholds;
    let _ = writeln!(
        page,
        "<h3>{}</h3>\n<p>Absent below {:.4}, present from {:.4}.</p>\n<div class=\"plots\">",
        escaped(&of.finding),
        thresholds.absent_below,
        thresholds.present_above
    );
    let diagonal = Mark::Dashed((0.0, 0.0), (1.0, 1.0));
    let roc = Plot { title: "ROC", x: "1 − specificity", y: "sensitivity", top: 1.0 };
    page.push_str(&roc.draw(&[diagonal, Mark::Line(&of.curves.roc)]));
    let bins: Vec<(f64, f64)> = of.figures.reliability.iter().map(|b| (b.mean_probability, b.observed)).collect();
    let reliability = Plot { title: "Reliability, ten bins of equal mass", x: "said", y: "seen", top: 1.0 };
    page.push_str(&reliability.draw(&[Mark::Dashed((0.0, 0.0), (1.0, 1.0)), Mark::Line(&bins), Mark::Dots(&bins)]));
    let curve = &of.curves.risk_coverage;
    let highest = curve.iter().map(|(_, risk)| *risk).fold(0.0, f64::max);
    let top = [0.1, 0.2, 0.5].into_iter().find(|top| highest <= *top).unwrap_or(1.0);
    let risk = Plot { title: "Risk and coverage", x: "coverage, surest first", y: "share called wrong", top };
    page.push_str(&risk.draw(&[Mark::Line(curve)]));
    page.push_str("</div>\n");
}

fn levels(page: &mut String, summary: &Summary) {
    for of in &summary.by {
        let _ = writeln!(page, "<h2>By {}</h2>", escaped(&of.column));
        let findings = of.levels.iter().flat_map(|level| level.findings.iter().map(|f| (level.level.as_str(), f)));
        let mut rows: Vec<_> = findings.collect();
        let place = |label: &str| summary.findings.iter().position(|f| f.finding == label);
        rows.sort_by_key(|(_, f)| place(&f.finding));
        tables(page, &of.column, &rows);
        if !of.left_out.is_empty() {
            let images: usize = of.left_out.values().sum();
            let _ = writeln!(
                page,
                "<p>{} levels with too few images to say anything are left out ({images} images).</p>",
                of.left_out.len()
            );
        }
    }
}

fn limits(page: &mut String, summary: &Summary) {
    page.push_str("<h2>What this cannot show</h2>\n<ul>\n");
    for line in &summary.not_evaluated {
        let _ = writeln!(page, "<li>Not evaluated: {}.</li>", escaped(line));
    }
    if !summary.labels_without_a_finding.is_empty() {
        let others = counted(&summary.labels_without_a_finding);
        let _ = writeln!(page, "<li>Labels of the index that no finding of the bundle answers: {others}.</li>");
    }
    page.push_str(
        "<li>Whether the labels are right: they are taken as the truth.</li>\n\
         <li>What would have been said of refused images.</li>\n\
         <li>That the bundle looked at the finding and at nothing else: labels that go along with scanner, view or \
         department raise every figure. Compare within those (<code>--by</code>).</li>\n\
         <li>Whether these images were among those that the bundle was trained on; its card says which data those were.</li>\n\
         <li>Other sites, scanners and patients. Intervals cover chance in who came, and nothing else; of many figures \
         some lie outside theirs.</li>\n\
         <li>EXIF orientation of JPEG files: images are read as they are stored.</li>\n</ul>\n\
         <p>Sensitivity at absent: share of images with the finding that were not called absent. Specificity at present: \
         share of images without it that were not called present. AURC: mean share called wrong over all coverages, \
         surest images first, called positive from a probability of 0.5 on. Decided: share outside the uncertain band; calls of present where the finding is not, or of absent where it is, are wrong.</p>\n",
    );
}

fn problems(page: &mut String, summary: &Summary) {
    let count = summary.problems.len();
    if count == 0 {
        return;
    }
    let _ = writeln!(page, "<h2>Problems ({count})</h2>");
    let heads = ["line of the index", "file", "what"].map(str::to_owned);
    let listed = summary.problems.iter().take(MOST_PROBLEMS);
    table(page, &heads, listed.map(|p| vec![p.line.to_string(), escaped(&p.file), escaped(&p.what)]));
    if count > MOST_PROBLEMS {
        page.push_str("<p>The rest stands in metrics.json.</p>\n");
    }
}

fn provenance(page: &mut String, summary: &Summary) {
    page.push_str("<h2>How it was made</h2>\n");
    let heads = ["finding", "held against label", "matched by"].map(str::to_owned);
    let rows = summary.labels.iter().map(|m| vec![escaped(&m.finding), escaped(&m.label), m.by.to_owned()]);
    table(page, &heads, rows);
    let _ = writeln!(
        page,
        "<p>{}, through its own reader process. Intervals: 95 %, {} draws of patients, seed {}. Manifest SHA-256 \
         <code>{}</code>, index SHA-256 <code>{}</code>.</p>",
        summary.program, summary.draws, summary.seed, summary.bundle.manifest_sha256, summary.index_sha256
    );
}
