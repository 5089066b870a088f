//! A trial of model bundles before they serve: a reader starts with them, which shows that each
//! gives its golden output on this CPU and in this box's memory, and reads the last images
//! again. What it reads is compared and thrown away; nothing is signed, stored or published.

use std::path::PathBuf;

use crate::digest::Digest;
use crate::infer::findings::Band;
use crate::reader::supervise::{Attempt, Settings, Supervised};
use crate::report::reading::Outcome;

/// Images that are read again: what a slow board reads in a minute.
pub const TRIAL_IMAGES: u32 = 8;

/// What a trial showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trial {
    /// Images that were read.
    pub images: usize,
    /// Those that are read in another way now, in words without a patient.
    pub changes: Vec<String>,
}

/// Tries the bundles of `new` on `images`, held against those of `old`, where those can serve.
///
/// # Errors
/// In words: no reader starts, or an image that was read before is not any more.
pub async fn trial(old: Option<&Settings>, new: &Settings, images: &[(PathBuf, Digest)]) -> Result<Trial, String> {
    let mut reader = Supervised::start(new).await.map_err(|e| e.to_string())?;
    let mut trial = Trial::default();
    if images.is_empty() {
        return Ok(trial);
    }
    // Where what serves now is broken there is nothing to compare with.
    let mut before = match old {
        Some(old) => Supervised::start(old).await.ok(),
        None => None,
    };
    for (number, (path, sha256)) in images.iter().enumerate() {
        let now = seen(&mut reader, path, *sha256).await;
        let then = match &mut before {
            Some(before) => Some(seen(before, path, *sha256).await),
            None => None,
        };
        let image = format!("image {} of {} ({}…)", number + 1, images.len(), &sha256.to_string()[..8]);
        match (&now, &then) {
            (Err(why), Some(Err(_))) => trial.changes.push(format!("{image}: not read before, nor now: {why}")),
            (Err(why), _) => return Err(format!("{image} cannot be read: {why}")),
            (Ok(now), Some(Ok(then))) if now == then => {}
            (Ok(now), Some(Ok(then))) => trial.changes.push(format!("{image}: {then}; now {now}")),
            (Ok(now), Some(Err(_))) => trial.changes.push(format!("{image}: could not be read; now {now}")),
            (Ok(_), None) => {}
        }
        trial.images += 1;
        if now.is_err() && !reader.is_alive() {
            reader = Supervised::start(new).await.map_err(|e| e.to_string())?;
        }
    }
    Ok(trial)
}

/// What a reader makes of an image, in words that name no patient.
async fn seen(reader: &mut Supervised, path: &std::path::Path, sha256: Digest) -> Result<String, String> {
    match reader.read(path.to_owned(), Some(sha256)).await {
        Attempt::Died(why) => Err(format!("the reader died: {why}")),
        Attempt::Read(answered) => match answered.reading.outcome {
            Outcome::Failure(reason) => Err(reason.words),
            Outcome::Abstention(reason) => Ok(format!("not read ({})", reason.code.as_str())),
            Outcome::Report(findings) => {
                let band = |band| match band {
                    Band::Present => "present",
                    Band::Uncertain => "uncertain",
                    Band::Absent => "absent",
                };
                let said = findings.findings.iter().map(|finding| format!("{} {}", finding.label, band(finding.band)));
                Ok(said.collect::<Vec<_>>().join(", "))
            }
        },
    }
}
