//! Labelled reports: one JSON object a line, with `uid`, `findings`, `impression` and
//! `labels`, as in the Indiana University collection. A line that is wrong is a problem
//! with its number; the rest is evaluated.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::digest::Digest;
use crate::evaluate::Problem;
use crate::report::label::{NORMAL, OTHER, TABLE};

/// Most reports: more than all collections that are public.
const MAX_REPORTS: usize = 1_000_000;
/// Longest line, in bytes: a hundred times the longest human report.
const MAX_LINE_BYTES: usize = 1024 * 1024;
/// What the collection's indexers wrote where they did not index a report: it has no
/// expert labels then, which is not the same as having none.
const NOT_INDEXED: &str = "No Indexing";
/// A report is held out where the first byte of the SHA-256 of its uid is below this: 30 %.
/// The labeler's phrases were found on the others only.
const HELD_OUT_BELOW: u8 = 77;

/// One report with expert labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line, from 1.
    pub line: usize,
    /// Its name.
    pub uid: String,
    /// What was seen.
    pub findings: String,
    /// What it means.
    pub impression: String,
    /// What the experts say is in it, kebab-case; [`NORMAL`] among them.
    pub labels: BTreeSet<String>,
}

/// Which of the reports are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Those that the labeler's phrases were found on.
    Development,
    /// The others.
    HeldOut,
    /// Those that the shipped writer was neither trained nor chosen on: a tenth.
    Unseen,
    /// All.
    All,
}

impl Part {
    /// Whether a report is in it, by the first byte of the SHA-256 of its uid.
    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Development => byte >= HELD_OUT_BELOW,
            Self::HeldOut => byte < HELD_OUT_BELOW,
            // As `models/training/reports/corpus.py` splits them.
            Self::Unseen => byte % 10 == 9,
            Self::All => true,
        }
    }
}

/// What stands in a file of reports.
#[derive(Debug, Default)]
pub struct Reports {
    /// Those of the part asked for that have expert labels.
    pub rows: Vec<Row>,
    /// The labels that the experts used in the whole file: what they assessed in each part.
    pub assessed: BTreeSet<String>,
    /// How many of the part were never indexed.
    pub not_indexed: usize,
    /// How many belong to another part.
    pub other_part: usize,
    /// Lines that are wrong.
    pub problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Raw {
    uid: String,
    #[serde(default)]
    findings: String,
    #[serde(default)]
    impression: String,
    labels: BTreeSet<String>,
    #[serde(default)]
    mesh_major: Vec<String>,
}

impl Reports {
    /// Reads the reports of `part`.
    #[must_use]
    pub fn parse(bytes: &[u8], part: Part) -> Self {
        let mut reports = Self::default();
        let mut seen = BTreeSet::new();
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let taken = Raw::parse(line).and_then(|raw| {
                let is_first = seen.len() < MAX_REPORTS && seen.insert(raw.uid.clone());
                if is_first { Ok(raw) } else { Err("its uid stands twice, or there are too many reports".to_owned()) }
            });
            match taken {
                Ok(raw) => reports.take(at + 1, raw, part),
                Err(what) => reports.problems.push(Problem { line: at + 1, file: String::new(), what }),
            }
        }
        reports
    }

    fn take(&mut self, line: usize, raw: Raw, part: Part) {
        self.assessed.extend(raw.labels.iter().cloned());
        if !part.has(Digest::of(raw.uid.as_bytes()).as_bytes()[0]) {
            self.other_part += 1;
        } else if raw.mesh_major == [NOT_INDEXED] {
            self.not_indexed += 1;
        } else {
            let Raw { uid, findings, impression, labels, .. } = raw;
            self.rows.push(Row { line, uid, findings, impression, labels });
        }
    }
}

impl Raw {
    /// What is wrong is said without a word of the line: reports are written about people.
    fn parse(line: &[u8]) -> Result<Self, String> {
        if line.len() > MAX_LINE_BYTES {
            return Err(format!("{} bytes, {MAX_LINE_BYTES} are read", line.len()));
        }
        let mut raw: Self = serde_json::from_slice(line)
            .map_err(|e| format!("not a report: {:?} error at column {}", e.classify(), e.column()))?;
        raw.labels = raw.labels.iter().map(|label| label.replace('_', "-")).collect();
        let known =
            |label: &str| label == NORMAL || (label != OTHER && TABLE.findings.iter().any(|f| f.label == label));
        match raw.labels.iter().filter(|label| !known(label)).count() {
            0 => Ok(raw),
            unknown => Err(format!("{unknown} labels that the labeler does not know")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_lines_are_problems_with_their_number_and_without_their_text() {
        let text = [
            r#"{"uid":"a","findings":"Clear.","impression":"","labels":["pleural_thickening"],"more":1}"#,
            "",
            r#"{"uid":"b","findings":"John Doe","labels":3}"#,
            r#"{"uid":"a","labels":[]}"#,
            r#"{"uid":"c","labels":["goitre"]}"#,
            r#"{"uid":"d","labels":[],"mesh_major":["No Indexing"]}"#,
            "\u{fffd}",
        ]
        .join("\n");
        let reports = Reports::parse(text.as_bytes(), Part::All);
        assert_eq!(reports.rows.len(), 1);
        assert!(reports.rows[0].labels.contains("pleural-thickening"));
        assert!(reports.assessed.contains("pleural-thickening"));
        assert_eq!(reports.not_indexed, 1);
        assert_eq!(reports.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [3, 4, 5, 7]);
        assert!(reports.problems.iter().all(|p| !p.what.contains("John") && !p.what.contains("goitre")));
    }

    #[test]
    fn each_report_is_in_exactly_one_part() {
        let lines: Vec<String> = (0..200).map(|n| format!(r#"{{"uid":"CXR{n}","labels":["normal"]}}"#)).collect();
        let text = lines.join("\n");
        let uids =
            |part| Reports::parse(text.as_bytes(), part).rows.into_iter().map(|r| r.uid).collect::<BTreeSet<_>>();
        let (development, held_out) = (uids(Part::Development), uids(Part::HeldOut));
        assert!(development.is_disjoint(&held_out) && !held_out.is_empty());
        assert_eq!(development.len() + held_out.len(), uids(Part::All).len());
    }
}
