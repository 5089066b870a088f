//! Every image of the index through the supervised reader, one after the other; of a clip that
//! was joined its frames as one cine.
//!
//! A reader that dies costs one image. JPEG files are wrapped one at a time in a folder
//! that only this user can read and that is gone afterwards.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Instant;

use super::index::{Index, Row};
use super::wrap::{Header, part10};
use super::{Assume, EvaluateError, Evaluation};
use crate::infer::findings::Finding;
use crate::os::Scratch;
use crate::reader::supervise::{Attempt, Settings, Supervised};
use crate::report::reading::{Outcome, ReasonCode};

/// Largest JPEG file: 25 times a detector's at the best quality.
const MAX_JPEG_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes that tell what a file is: DICM ends at 132.
const HEAD_BYTES: u64 = 132;

/// What came of one row.
#[derive(Debug)]
pub struct Observation {
    /// Position of its row in the index's rows.
    pub row: usize,
    /// What was seen.
    pub seen: Seen,
    /// Wall time of the reading, milliseconds; 0 where the reader was not asked.
    pub ms: f64,
    /// What was assumed of the header.
    pub assumed: Vec<&'static str>,
}

/// What was seen.
#[derive(Debug)]
pub enum Seen {
    /// The bundle read it.
    Read(Vec<Finding>),
    /// The reader declined it or failed on it.
    Refused(ReasonCode, String),
    /// Another bundle read it.
    OtherBundle(String),
    /// It never came to the reader: no such file, or no format that is read.
    Unreadable(String),
}

/// Reads every row; `done` is told how many so far.
///
/// # Errors
/// No reader can be started, or the bundle is not the one of the manifest.
pub async fn observe(
    evaluation: &Evaluation,
    settings: &Settings,
    scratch: &Scratch,
    mut done: impl FnMut(usize),
) -> Result<Vec<Observation>, EvaluateError> {
    let mut reader = start(evaluation, settings).await?;
    let mut observations = Vec::with_capacity(evaluation.index.rows.len());
    for (at, row) in evaluation.index.rows.iter().enumerate() {
        let mut observation = Observation { row: at, seen: Seen::Unreadable(String::new()), ms: 0.0, assumed: vec![] };
        match readable(evaluation, row, scratch) {
            Err(what) => observation.seen = Seen::Unreadable(what),
            Ok((path, assumed)) => {
                let start_of_reading = Instant::now();
                let attempt = reader.read(path, None).await;
                observation.ms = start_of_reading.elapsed().as_secs_f64() * 1e3;
                observation.assumed = assumed;
                observation.seen = seen(&attempt, evaluation);
                if matches!(attempt, Attempt::Died(_)) {
                    reader = start(evaluation, settings).await?;
                }
            }
        }
        observations.push(observation);
        done(at + 1);
    }
    Ok(observations)
}

async fn start(evaluation: &Evaluation, settings: &Settings) -> Result<Supervised, EvaluateError> {
    let reader = Supervised::start(settings).await?;
    if reader.bundles.iter().any(|bundle| bundle.sha256 == evaluation.manifest_sha256) {
        Ok(reader)
    } else {
        Err(EvaluateError::Replaced(evaluation.manifest.bundle.name.clone()))
    }
}

fn seen(attempt: &Attempt, evaluation: &Evaluation) -> Seen {
    match attempt {
        Attempt::Died(why) => Seen::Refused(ReasonCode::ReaderDied, format!("the reader process died on it: {why}")),
        Attempt::Read(answered) => match &answered.reading.outcome {
            Outcome::Report(findings) if findings.bundle.sha256 == evaluation.manifest_sha256 => {
                Seen::Read(findings.findings.iter().cloned().collect())
            }
            Outcome::Report(findings) => Seen::OtherBundle(findings.bundle.name.clone()),
            Outcome::Abstention(reason) | Outcome::Failure(reason) => Seen::Refused(reason.code, reason.words.clone()),
        },
    }
}

/// The DICOM file to read for `row` and what was assumed of it, or why there is none.
fn readable(evaluation: &Evaluation, row: &Row, scratch: &Scratch) -> Result<(PathBuf, Vec<&'static str>), String> {
    let mut jpegs = Vec::with_capacity(1 + row.further.len());
    for name in std::iter::once(&row.file).chain(&row.further) {
        match file(evaluation, name)? {
            Image::Jpeg(bytes) => jpegs.push(bytes),
            Image::Dicom(path) if row.further.is_empty() => return Ok((path, Vec::new())),
            Image::Dicom(_) => return Err("a clip of several DICOM files: a cine is one file".into()),
        }
        if jpegs.iter().map(Vec::len).sum::<usize>() as u64 > MAX_JPEG_BYTES {
            return Err(format!("a clip of more than {MAX_JPEG_BYTES} bytes"));
        }
    }
    wrapped(jpegs, &evaluation.index, row, evaluation, scratch)
}

/// A file that the index names.
enum Image {
    Dicom(PathBuf),
    Jpeg(Vec<u8>),
}

fn file(evaluation: &Evaluation, name: &str) -> Result<Image, String> {
    let path = evaluation.images.join(name).canonicalize().map_err(|e| no_file(&e))?;
    if !path.starts_with(&evaluation.images) {
        return Err("leads outside the images' folder".into());
    }
    let mut head = Vec::new();
    let mut file = File::open(&path).map_err(|e| no_file(&e))?;
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(|e| no_file(&e))?;
    if head.ends_with(b"DICM") && head.len() as u64 == HEAD_BYTES {
        return Ok(Image::Dicom(path));
    }
    if head.starts_with(b"\x89PNG") {
        return Err("a PNG file: this build reads DICOM and JPEG; convert it to DICOM".into());
    }
    if !head.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return Err("neither a DICOM file (no DICM at byte 128) nor a JPEG".into());
    }
    file.take(MAX_JPEG_BYTES).read_to_end(&mut head).map_err(|e| no_file(&e))?;
    Ok(Image::Jpeg(head))
}

fn wrapped(
    jpegs: Vec<Vec<u8>>,
    index: &Index,
    row: &Row,
    evaluation: &Evaluation,
    scratch: &Scratch,
) -> Result<(PathBuf, Vec<&'static str>), String> {
    let mut header = Header::stated(index, row);
    let mut assumed = match evaluation.assume {
        Assume::Nothing => Vec::new(),
        Assume::WhatTheBundleNeeds => header.assume(&evaluation.manifest.applies_to),
    };
    if header.age_of_cohort {
        assumed.push("age (the middle of its cohort's)");
    }
    // One name for all: the reader is done with one image before the next is written.
    let path = scratch.path().join("image.dcm");
    std::fs::write(&path, part10(jpegs, &header)?).map_err(|e| format!("cannot be wrapped: {e}"))?;
    Ok((path, assumed))
}

fn no_file(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file below the images' folder".into(),
        _ => format!("cannot be read: {error}"),
    }
}
