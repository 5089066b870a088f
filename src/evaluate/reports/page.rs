//! The report for people, in the form of the images' report.

use std::fmt::Write;

use super::{OfComposer, Part, Summary};
use crate::evaluate::html::{MOST_PROBLEMS, STYLE, escaped, estimate, table};

/// The whole page.
#[must_use]
pub fn page(summary: &Summary) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>reports evaluated</title><style>{STYLE}</style></head>\n<body>\n\
         <h1>Labeler and composers held against expert labels</h1>\n\
         <p class=\"warn\">Not a medical device. These figures hold for these reports and labels only.</p>\n"
    );
    let part = match summary.part {
        Part::Development => "on which the labeler's phrases were found: its own figure is too good here",
        Part::HeldOut => "from which no phrase of the labeler was taken",
        Part::Unseen => {
            "on which the shipped writer was neither trained nor chosen; the labeler's phrases were found on 70 % of them"
        }
        Part::All => "all of the file: the labeler's phrases were found on 70 % of them",
    };
    let _ = writeln!(
        page,
        "<p>{} reports, {part}. Left out: {} of another part, {} that the experts never indexed, {} lines that are \
         wrong.</p>\n<h2>Composers</h2>",
        summary.reports,
        summary.of_another_part,
        summary.never_indexed,
        summary.problems.len()
    );
    let heads = [
        "composer",
        "micro F1",
        "precision",
        "recall",
        "macro F1",
        "BLEU-4",
        "ROUGE-L",
        "words a report",
        "ms a report",
    ];
    table(&mut page, &heads.map(str::to_owned), summary.composers.iter().map(composer));
    writers(&mut page, summary);
    for of in &summary.composers {
        let _ = writeln!(page, "<h2>By label: {}</h2>", escaped(of.composer));
        let heads = ["label", "reports", "found", "too much", "missed", "precision", "recall", "F1"].map(str::to_owned);
        let rows = of.agreement.labels.iter().map(|of| {
            let score = &of.score;
            let counts = [of.reports, of.counts[0], of.counts[1], of.counts[2]].map(|count| count.to_string());
            let scores = [&score.precision, &score.recall, &score.f1].map(estimate);
            std::iter::once(escaped(&of.label)).chain(counts).chain(scores).collect()
        });
        table(&mut page, &heads, rows);
    }
    end(&mut page, summary);
    page + "</body></html>\n"
}

fn composer(of: &OfComposer) -> Vec<String> {
    let micro = &of.agreement.micro;
    let scores =
        [&micro.f1, &micro.precision, &micro.recall, &of.agreement.macro_f1, &of.bleu_4, &of.rouge_l].map(estimate);
    let ms = of.ms_a_report.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.3}"));
    std::iter::once(escaped(of.composer)).chain(scores).chain([format!("{:.1}", of.words_a_report), ms]).collect()
}

/// What the guard did, and how fast the writer is.
fn writers(page: &mut String, summary: &Summary) {
    let Some(identity) = &summary.writer else { return };
    let _ = writeln!(page, "<h2>Writer: {} {}</h2>", escaped(&identity.name), escaped(&identity.version));
    for (of, writer) in summary.composers.iter().filter_map(|of| Some((of, of.writer.as_ref()?))) {
        let per_token = writer.ms_a_token.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.3} ms"));
        let _ = writeln!(
            page,
            "<p>{}: {} tokens, {per_token} a token; {} reports refused.</p>",
            escaped(of.composer),
            writer.tokens,
            writer.refused
        );
        let (Some(guard), Some(removed)) = (&writer.guard, writer.removed) else { continue };
        let _ = writeln!(
            page,
            "<p>Guard: {} sentences drafted, {} kept, {:.1} % removed; the grammar supplied {} facts.</p>",
            guard.sentences,
            guard.kept,
            removed * 100.0,
            guard.supplied
        );
        let rows = guard.removed.iter().map(|(reason, count)| vec![format!("{reason:?}"), count.to_string()]);
        table(page, &["removed because", "sentences"].map(str::to_owned), rows);
    }
}

fn end(page: &mut String, summary: &Summary) {
    page.push_str(
        "<h2>What this cannot show</h2>\n<ul>\n\
         <li>Whether the experts are right: their labels are taken as the truth.</li>\n\
         <li>Whether a text is true of an image: composers were given the experts' labels, not an image.</li>\n\
         <li>Whether it reads well. BLEU-4 and ROUGE-L reward the wording of the human text, and are for orientation \
         only.</li>\n\
         <li>Reports of other places, or in other languages.</li>\n</ul>\n",
    );
    if !summary.problems.is_empty() {
        let _ = writeln!(page, "<h2>Problems ({})</h2>", summary.problems.len());
        let listed = summary.problems.iter().take(MOST_PROBLEMS);
        let rows = listed.map(|problem| vec![problem.line.to_string(), escaped(&problem.what)]);
        table(page, &["line", "what"].map(str::to_owned), rows);
    }
    let _ = writeln!(
        page,
        "<h2>How it was made</h2>\n<p>{}. Intervals: 95 %, {} draws of reports, seed {}. File SHA-256 <code>{}</code>.</p>",
        summary.program, summary.draws, summary.seed, summary.file_sha256
    );
}
