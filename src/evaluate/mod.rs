//! A bundle held against labelled images, through the very same reader process.
//!
//! ```text
//! index ─▶ observe (wrap ─▶ reader) ─▶ summary (metrics, bootstrap) ─▶ metrics.json, report.html, readings.csv
//! ```
//!
//! What is measured is what runs: routing, fitness and thresholds are the reader's own.
//! Refused images are counted by reason and take no part in the figures.

mod account;
mod bootstrap;
mod csv;
mod figures;
mod html;
mod index;
mod labels;
mod metrics;
mod observe;
mod plot;
pub mod reports;
mod summary;
mod wrap;

pub use account::readings;
pub use html::page;
pub use index::{Index, IndexError, Problem};
pub use labels::Match;
pub use observe::{Observation, observe};
pub use summary::{Summary, summarise};

use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::infer::bundle::{BundleError, Vouched};
use crate::infer::manifest::Manifest;
use crate::reader::supervise::ReaderError;

/// Largest index file: the most rows with 256 bytes each.
const MAX_INDEX_BYTES: u64 = 256 * 1024 * 1024;
/// The files that are written.
pub const OUTPUTS: [&str; 3] = ["metrics.json", "readings.csv", "report.html"];

/// What may be said of an image that has no header of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assume {
    /// Only what the index states.
    Nothing,
    /// What the bundle applies to, where the index states nothing.
    WhatTheBundleNeeds,
}

/// What is to be evaluated.
#[derive(Debug)]
pub struct Evaluation {
    /// The images' folder, canonical.
    pub images: PathBuf,
    /// Which images, with their labels.
    pub index: Index,
    /// Digest of the index file.
    pub index_sha256: Digest,
    /// The bundle.
    pub manifest: Manifest,
    /// Digest of its manifest: which bundle must answer.
    pub manifest_sha256: Digest,
    /// Which label answers which finding, in the bundle's order.
    pub matches: Vec<Match>,
    /// See [`Assume`].
    pub assume: Assume,
    /// Columns whose levels get figures of their own.
    pub by: Vec<String>,
    /// Seed of the bootstrap.
    pub seed: u64,
}

/// Why there is no evaluation.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// A file or folder.
    #[error("cannot read {path}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The index.
    #[error("the index {path} is wrong")]
    Index {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: IndexError,
    },
    /// The index is no text.
    #[error("{path}: byte {at} is not UTF-8: save the index as CSV in UTF-8")]
    NotText {
        /// Which.
        path: PathBuf,
        /// First wrong byte.
        at: usize,
    },
    /// The index is too large.
    #[error("{path}: {bytes} bytes, {MAX_INDEX_BYTES} are read")]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The bundle is not there.
    #[error("no bundle {name:?} that reads images; there are: {there}")]
    NoBundle {
        /// Which was asked for.
        name: String,
        /// What there is.
        there: String,
    },
    /// It is not what it was when it was chosen.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The bundle changed between reading its manifest and serving.
    #[error("bundle {0:?} changed while the evaluation started: run it again")]
    Replaced(String),
    /// A finding that no label answers.
    #[error("no label of the index answers the finding {finding:?}; its labels are: {labels}")]
    Unmatched {
        /// Which.
        finding: String,
        /// What there is, with counts.
        labels: String,
    },
    /// A column that is not there.
    #[error("--by {column:?}: the index has no such column; its columns are: {there}")]
    NoColumn {
        /// Which.
        column: String,
        /// What there is.
        there: String,
    },
    /// No row is fine.
    #[error("no row of the index can be evaluated; the first: line {}: {}", .0.line, .0.what)]
    NoRow(Problem),
    /// The reader.
    #[error(transparent)]
    Reader(#[from] ReaderError),
}

/// What the caller names.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The images' folder.
    pub images: &'a Path,
    /// The index file.
    pub index: &'a Path,
    /// The bundles that read images, as they will serve.
    pub bundles: &'a [Vouched],
    /// The bundle's name.
    pub bundle: &'a str,
    /// See [`Assume`].
    pub assume: Assume,
    /// Columns, see [`Evaluation::by`].
    pub by: Vec<String>,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl Evaluation {
    /// Reads index and manifest and holds them against each other.
    ///
    /// # Errors
    /// See [`EvaluateError`]; each names what exists instead of what was asked for.
    pub fn prepare(wanted: Wanted<'_>) -> Result<Self, EvaluateError> {
        let images = wanted.images.canonicalize().map_err(unreadable(wanted.images))?;
        let (mut index, index_sha256) = read_index(wanted.index)?;
        let (manifest, manifest_sha256) = find_bundle(wanted.bundles, wanted.bundle)?;
        if manifest.cine.is_some() {
            index.join_clips();
        }
        if let Some(column) = wanted.by.iter().find(|column| !index.columns.contains(column)) {
            return Err(EvaluateError::NoColumn { column: column.clone(), there: index.columns.join(", ") });
        }
        if let (true, Some(first)) = (index.rows.is_empty(), index.problems.first()) {
            return Err(EvaluateError::NoRow(first.clone()));
        }
        let counts = index.labels();
        let matches =
            labels::matched(manifest.finding.iter().map(|f| f.label.as_str()), &counts).map_err(|finding| {
                let labels: Vec<String> = counts.iter().map(|(label, count)| format!("{label} ({count})")).collect();
                EvaluateError::Unmatched { finding: finding.to_owned(), labels: labels.join(", ") }
            })?;
        let Wanted { assume, by, seed, .. } = wanted;
        Ok(Self { images, index, index_sha256, manifest, manifest_sha256, matches, assume, by, seed })
    }
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> EvaluateError {
    move |source| EvaluateError::Unreadable { path: path.to_owned(), source }
}

fn read_index(path: &Path) -> Result<(Index, Digest), EvaluateError> {
    let bytes = std::fs::metadata(path).map_err(unreadable(path))?.len();
    if bytes > MAX_INDEX_BYTES {
        return Err(EvaluateError::TooLarge { path: path.to_owned(), bytes });
    }
    let bytes = std::fs::read(path).map_err(unreadable(path))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|e| EvaluateError::NotText { path: path.to_owned(), at: e.valid_up_to() })?;
    let index = Index::parse(text).map_err(|source| EvaluateError::Index { path: path.to_owned(), source })?;
    Ok((index, Digest::of(&bytes)))
}

/// The manifest of the bundle `name`. Its files are verified where they are used: in the reader.
fn find_bundle(bundles: &[Vouched], name: &str) -> Result<(Manifest, Digest), EvaluateError> {
    let Some(vouched) = bundles.iter().find(|vouched| vouched.identity.name == name) else {
        let there: Vec<&str> = bundles.iter().map(|vouched| vouched.identity.name.as_str()).collect();
        return Err(EvaluateError::NoBundle { name: name.to_owned(), there: there.join(", ") });
    };
    let mut manifest = vouched.parsed(Manifest::parse)?;
    // Says too where nobody vouches for it, and so do the figures.
    manifest.bundle.version.clone_from(&vouched.identity.version);
    Ok((manifest, vouched.identity.sha256))
}

#[cfg(test)]
mod tests;
