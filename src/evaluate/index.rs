//! The index: a CSV file that says which images there are and what is known of them.
//!
//! 1. Needed columns: `file` (below the images' folder), `labels` (separated by `;`, or one
//!    in `cls`) and the patient, `group_id` or `patient_group`.
//! 2. Used where there: `clip_id` (frames of one clip, in the order of the rows), and for images without a header
//!    of their own `modality`, `body_part`, `view`, `age`, `sex`.
//! 3. For a bundle that reads cines the rows of a clip are joined to one.
//! 4. A row that is wrong is a problem with its line; the rest is evaluated.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use serde::Serialize;

use super::csv::{Record, records};

/// Most rows: a year of a large hospital's chest radiographs.
const MAX_ROWS: usize = 1_000_000;

/// A parsed index.
#[derive(Debug)]
pub struct Index {
    /// The header, in order.
    pub columns: Vec<String>,
    /// The rows that are fine, in order.
    pub rows: Vec<Row>,
    /// The rows that are not.
    pub problems: Vec<Problem>,
}

/// One image of the index.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its line, counted from 1 (the header's).
    pub line: usize,
    /// Its file, below the images' folder.
    pub file: String,
    /// Its labels, normalised by [`normal`]; at least one.
    pub labels: BTreeSet<String>,
    /// Whose it is: what the bootstrap draws.
    pub group: String,
    /// The clip that it is a frame of.
    pub clip: Option<String>,
    /// The clip's other frames, where they were joined to this one.
    pub further: Vec<String>,
    fields: Vec<String>,
}

/// What is wrong with a row or its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The row's line, counted from 1 (the header's).
    pub line: usize,
    /// The file that it names.
    pub file: String,
    /// What is wrong.
    pub what: String,
}

/// Why there is no index.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IndexError {
    /// A quote without its end.
    #[error("line {0}: a quoted field starts here and never ends")]
    Unclosed(usize),
    /// Nothing in it.
    #[error("it holds no header line")]
    Empty,
    /// A needed column.
    #[error("it has no column {wanted}; its columns are: {there}")]
    NoColumn {
        /// Which.
        wanted: &'static str,
        /// What there is.
        there: String,
    },
    /// A bound.
    #[error("it has {0} rows, {MAX_ROWS} are evaluated at once at most")]
    TooLong(usize),
}

/// A label as it is compared: lower case, words joined by `-`.
#[must_use]
pub fn normal(label: &str) -> String {
    label.trim().to_lowercase().replace(['_', ' '], "-")
}

impl Index {
    /// Parses `text`.
    ///
    /// # Errors
    /// See [`IndexError`]; a wrong row is a problem and no error.
    pub fn parse(text: &str) -> Result<Self, IndexError> {
        let mut records = records(text).map_err(IndexError::Unclosed)?.into_iter();
        let header = records.next().ok_or(IndexError::Empty)?;
        let columns: Vec<String> = header.fields.iter().map(|name| name.trim().to_owned()).collect();
        let at = |names: &[&str]| names.iter().find_map(|name| columns.iter().position(|c| c == name));
        let needed = |wanted: &'static str, names: &[&str]| {
            at(names).ok_or_else(|| IndexError::NoColumn { wanted, there: columns.join(", ") })
        };
        let file = needed("file", &["file"])?;
        let labels = needed("labels", &["labels", "cls"])?;
        let group = needed("group_id (or patient_group)", &["group_id", "patient_group"])?;
        let clip = at(&["clip_id"]);
        if records.len() > MAX_ROWS {
            return Err(IndexError::TooLong(records.len()));
        }
        let (mut rows, mut problems) = (Vec::new(), Vec::new());
        let mut seen = BTreeMap::new();
        for record in records {
            let name = record.fields.get(file).map(|f| f.trim().to_owned()).unwrap_or_default();
            match row(record, columns.len(), [file, labels, group], clip, &mut seen) {
                Ok(row) => rows.push(row),
                Err((line, what)) => problems.push(Problem { line, file: name, what }),
            }
        }
        Ok(Self { columns, rows, problems })
    }

    /// Joins the rows of each clip to its first, which gets the labels of all.
    pub fn join_clips(&mut self) {
        let mut joined: Vec<Row> = Vec::with_capacity(self.rows.len());
        let mut first_of = BTreeMap::new();
        for row in self.rows.drain(..) {
            let Some(clip) = row.clip.clone() else {
                joined.push(row);
                continue;
            };
            // Clips of two patients may have one name.
            let first = *first_of.entry((row.group.clone(), clip)).or_insert(joined.len());
            match joined.get_mut(first) {
                None => joined.push(row),
                Some(first) => {
                    first.further.push(row.file);
                    first.labels.extend(row.labels);
                }
            }
        }
        self.rows = joined;
    }

    /// What `row` has in the column `name`; `None` where that is nothing.
    #[must_use]
    pub fn value<'a>(&self, row: &'a Row, name: &str) -> Option<&'a str> {
        let at = self.columns.iter().position(|column| column == name)?;
        row.fields.get(at).map(|field| field.trim()).filter(|field| !field.is_empty())
    }

    /// Every label and how many rows have it.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for label in self.rows.iter().flat_map(|row| &row.labels) {
            *counts.entry(label.clone()).or_insert(0) += 1;
        }
        counts
    }
}

/// A record as a row, or its line and what is wrong with it.
fn row(
    record: Record,
    columns: usize,
    [file, labels, group]: [usize; 3],
    clip: Option<usize>,
    seen: &mut BTreeMap<String, usize>,
) -> Result<Row, (usize, String)> {
    let Record { line, fields } = record;
    let wrong = |what: String| Err((line, what));
    if fields.len() != columns {
        return wrong(format!("{} fields, the header has {columns}", fields.len()));
    }
    let text = |at: usize| fields[at].trim().to_owned();
    let (name, patient) = (text(file), text(group));
    if !stays_below(&name) {
        return wrong("not the name of a file below the images' folder".into());
    }
    let labels: BTreeSet<String> = fields[labels].split(';').map(normal).filter(|l| !l.is_empty()).collect();
    if labels.is_empty() {
        return wrong("no labels, so nothing to hold the reading against".into());
    }
    if patient.is_empty() {
        return wrong("no patient group, and intervals are drawn by patient".into());
    }
    if let Some(before) = seen.insert(name.clone(), line) {
        return wrong(format!("names the file of line {before} again"));
    }
    let clip = clip.map(text).filter(|clip| !clip.is_empty());
    Ok(Row { line, file: name, labels, group: patient, clip, further: Vec::new(), fields })
}

/// Whether a file name leads to below the folder that it is joined to.
fn stays_below(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_rows_are_named_by_line_and_the_rest_is_kept() {
        let text = "file,labels,group_id,view\n\
                    a.jpg,Edema;pleural effusion,g1,AP\n\
                    b.jpg,,g1,AP\n\
                    ../c.jpg,edema,g1,AP\n\
                    d.jpg,edema,,AP\n\
                    e.jpg,edema,g1\n\
                    a.jpg,edema,g2,PA\n";
        let index = Index::parse(text).unwrap();
        assert_eq!(index.rows.len(), 1);
        assert_eq!(index.rows[0].labels.iter().collect::<Vec<_>>(), ["edema", "pleural-effusion"]);
        assert_eq!(index.value(&index.rows[0], "view"), Some("AP"));
        assert_eq!(index.value(&index.rows[0], "sex"), None);
        let lines: Vec<usize> = index.problems.iter().map(|p| p.line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7]);
        assert!(index.problems[4].what.contains("line 2"));
    }

    #[test]
    fn the_rows_of_a_clip_become_one_with_the_labels_of_all_and_stills_stay() {
        let text = "file,cls,patient_group,clip_id\n\
                    a0,normal,g1,a\nb0,covid,g2,b\ns0,normal,g3,\na1,covid,g1,a\ns1,normal,g3,\nx,normal,g4,a\n";
        let mut index = Index::parse(text).unwrap();
        index.join_clips();
        let rows: Vec<(&str, usize)> = index.rows.iter().map(|r| (r.file.as_str(), r.further.len())).collect();
        assert_eq!(rows, [("a0", 1), ("b0", 0), ("s0", 0), ("s1", 0), ("x", 0)]);
        assert_eq!((index.rows[0].further[0].as_str(), index.rows[0].labels.len()), ("a1", 2));
    }

    #[test]
    fn a_missing_column_is_named_beside_those_that_exist() {
        let error = Index::parse("file,labels,view\n").unwrap_err().to_string();
        assert!(error.contains("group_id (or patient_group)") && error.contains("file, labels, view"), "{error}");
        assert!(Index::parse("file,labels,patient_group,clip_id\nx,normal,g,\n").unwrap().rows[0].clip.is_none());
        assert_eq!(Index::parse("\n").unwrap_err(), IndexError::Empty);
    }
}
