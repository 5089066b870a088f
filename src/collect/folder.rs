//! One file an outcome. A file is written under a temporary name, synced and renamed; the folder
//! is synced before anything in it is receipted. One collector at a time, held by a lock.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::checkpoints::{Last, MAX_CHECKPOINTS, Noted, Vouched, half, place};
use super::shelf::{Genuine, Kept, Neighbours, ShelfError};
use super::spans::Spans;
use crate::clock::Moment;
use crate::digest::Digest;
use crate::os::disk::Disk;
use crate::seal::jws::{MAX_JWS_BYTES, claimed_previous};

/// Name of a file that is still being written.
const UNFINISHED: &str = ".unfinished";
/// Ends the name of the copy of a link that hands a key over.
const HAND_OVER: &str = "handover";
/// Most of those: far more than any hospital's devices make.
const MAX_HAND_OVERS: usize = 100_000;
/// Outcomes are patient data.
const FOLDER_MODE: u32 = 0o750;
const FILE_MODE: u32 = 0o640;
/// Of each device's folder, the one for the checkpoints of its audit log.
const CHECKPOINTS: &str = "checkpoints";

/// A folder of outcomes and, in memory, which sequences it holds.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    held: BTreeMap<String, Spans>,
    /// The last checkpoint of each device, once one came.
    last: BTreeMap<String, Last>,
    // Held for as long as we live.
    _lock: File,
}

impl Folder {
    pub(super) fn open(root: &Path) -> Result<Self, ShelfError> {
        let failed = |source| ShelfError::Io { path: root.to_owned(), source };
        Disk::Real.make_folders(root, FOLDER_MODE).map_err(failed)?;
        let lock = File::create(root.join(".lock")).map_err(failed)?;
        lock.try_lock().map_err(|_| ShelfError::InUse { path: root.to_owned() })?;
        let mut held = BTreeMap::new();
        for entry in fs::read_dir(root).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(device) = entry.file_name().into_string() else { continue };
            if entry.path().is_dir() {
                held.insert(device, list(&entry.path())?);
            }
        }
        Ok(Self { root: root.to_owned(), held, last: BTreeMap::new(), _lock: lock })
    }

    pub(super) fn keep(&mut self, outcomes: &[Genuine]) -> Result<Vec<Kept>, ShelfError> {
        let mut touched = BTreeSet::new();
        let mut kept = Vec::new();
        for outcome in outcomes {
            let Genuine { device, link, jws } = outcome;
            let judged = self.neighbours(device, link.seq())?.judge(link);
            let folder = self.folder_of(device)?;
            let put =
                |path: PathBuf| write(&folder, &path, jws.as_bytes()).map_err(|source| ShelfError::Io { path, source });
            // First: what says that it is here must not be there without it.
            if link.hands_over_to().is_some() && judged.is_kept() {
                put(file(&folder, link.seq()).with_extension(HAND_OVER))?;
            }
            if judged == Kept::New {
                put(file(&folder, link.seq()))?;
            }
            // Also for the same again: the sync after its first writing may have failed.
            touched.insert(folder);
            kept.push(judged);
        }
        for folder in touched {
            Disk::Real.sync_folder(&folder).map_err(|source| ShelfError::Io { path: folder, source })?;
        }
        for (outcome, kept) in outcomes.iter().zip(&kept) {
            if kept.is_kept() {
                self.held.entry(outcome.device.clone()).or_default().insert(outcome.link.seq());
            }
        }
        Ok(kept)
    }

    /// Copies of the hand-overs, so that not everything has to be read to find them.
    pub(super) fn hand_overs(&self) -> Result<Vec<String>, ShelfError> {
        let mut found = Vec::new();
        for device in self.held.keys() {
            let folder = self.root.join(device);
            let failed = |source| ShelfError::Io { path: folder.clone(), source };
            if !folder.is_dir() {
                continue;
            }
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                if path.extension().is_some_and(|extension| extension == HAND_OVER) && found.len() < MAX_HAND_OVERS {
                    found.extend(read(&path).map_err(failed)?);
                }
            }
        }
        Ok(found)
    }

    /// Keeps a checkpoint as `<folder>/<key id>/checkpoints/<seq>-<half of its head>.jws`.
    pub(super) fn keep_checkpoint(&mut self, vouched: &Vouched, now: Moment) -> Result<Noted, ShelfError> {
        let Vouched { checkpoint, jws } = vouched;
        let device = &checkpoint.kid;
        let Some(placing) = place(self.last.get(device), checkpoint, now) else { return Ok(Noted::Known) };
        let folder = self.folder_of(device)?.join(CHECKPOINTS);
        let path = folder.join(checkpoint_file(checkpoint.seq, &half(checkpoint)));
        let failed = |source| ShelfError::Io { path: path.clone(), source };
        let is_known = path.exists();
        if !is_known {
            Disk::Real.make_folders(&folder, FOLDER_MODE).map_err(failed)?;
            Disk::Real.replace(&path, format!("{jws}\n").as_bytes(), FILE_MODE).map_err(failed)?;
            crate::os::step("kept-checkpoint");
        }
        if let Some(before) = self.last.get(device).filter(|_| placing.replaces) {
            // Its successor is durable; where this fails, one more stays.
            let _ = Disk::Real.remove(&folder.join(checkpoint_file(before.seq, &before.head)));
        }
        self.last.insert(device.clone(), placing.last);
        Ok(if is_known { Noted::Known } else { placing.noted })
    }

    pub(super) fn first_missing(&self, device: &str, last: u64) -> (u64, Option<(u64, u64)>) {
        self.held.get(device).map_or_else(|| Spans::default().first_missing(last), |spans| spans.first_missing(last))
    }

    fn neighbours(&self, device: &str, sequence: u64) -> Result<Neighbours, ShelfError> {
        let folder = self.root.join(device);
        let at = |sequence: u64| {
            let path = file(&folder, sequence);
            read(&path).map_err(|source| ShelfError::Io { path, source })
        };
        let after = at(sequence + 1)?.map(|jws| claimed_previous(&jws));
        Ok(Neighbours {
            own: at(sequence)?.map(|jws| Digest::of(jws.as_bytes())),
            before: at(sequence - 1)?.map(|jws| Digest::of(jws.as_bytes())),
            named_after: after.flatten(),
        })
    }

    /// The device's folder, made and durable.
    fn folder_of(&mut self, device: &str) -> Result<PathBuf, ShelfError> {
        let folder = self.root.join(device);
        if !folder.is_dir() {
            let made = Disk::Real.make_folders(&folder, FOLDER_MODE);
            made.map_err(|source| ShelfError::Io { path: folder.clone(), source })?;
        }
        Ok(folder)
    }
}

/// `000000000007-0123456789abcdef0123456789abcdef.jws`
fn checkpoint_file(seq: u64, half: &str) -> String {
    format!("{seq:012}-{half}.jws")
}

/// The checkpoints that are kept of `device` in `root`, oldest line first.
pub(super) fn checkpoints(root: &Path, device: &str) -> Result<Vec<String>, ShelfError> {
    let folder = root.join(device).join(CHECKPOINTS);
    let failed = |path: &Path, source| ShelfError::Io { path: path.to_owned(), source };
    let entries = match fs::read_dir(&folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|e| failed(&folder, e))?,
    };
    let mut paths = Vec::new();
    for entry in entries.take(MAX_CHECKPOINTS) {
        let path = entry.map_err(|e| failed(&folder, e))?.path();
        // What is still being written begins with a dot.
        let is_ours = path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b"."));
        paths.extend((is_ours && path.extension().is_some_and(|ending| ending == "jws")).then_some(path));
    }
    paths.sort();
    paths
        .iter()
        .map(|path| Ok(read(path).map_err(|e| failed(path, e))?.unwrap_or_default().trim().to_owned()))
        .collect()
}

/// `000000000007.jws`: names sort as sequences do.
fn file(folder: &Path, sequence: u64) -> PathBuf {
    folder.join(format!("{sequence:012}.jws"))
}

fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(UNFINISHED);
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    crate::os::step("kept-unfinished");
    fs::rename(&unfinished, path)
}

/// A kept outcome; `None` where there is none.
fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
        Ok(metadata) if metadata.len() > MAX_JWS_BYTES as u64 => Err(io::Error::other("too large for an outcome")),
        Ok(_) => fs::read_to_string(path).map(Some),
    }
}

/// The sequences in a device's folder; what has another name is somebody else's.
fn list(folder: &Path) -> Result<Spans, ShelfError> {
    let failed = |source| ShelfError::Io { path: folder.to_owned(), source };
    let mut spans = Spans::default();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let sequence = name.to_str().and_then(|name| name.strip_suffix(".jws")?.parse().ok());
        if let Some(sequence) = sequence.filter(|sequence| *sequence > 0) {
            spans.insert(sequence);
        }
    }
    Ok(spans)
}
