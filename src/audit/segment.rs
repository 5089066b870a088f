//! Segments on the disk: their names, their order, their bytes.

use std::io;
use std::path::{Path, PathBuf};

const LINES: &str = "jsonl";
const CHECKPOINT: &str = "checkpoint";
/// Largest number of a line: what any JSON reader counts exactly.
const MAX_SEQ: u64 = 1 << 53;
/// Largest segment that is read: several times what any writer makes.
const MAX_SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

/// A segment as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The `seq` of its first line, by its name.
    pub first: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Where the segment that starts with line `first` is.
pub(super) fn lines_path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.{LINES}"))
}

/// Where its checkpoint is.
pub(super) fn checkpoint_path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.{CHECKPOINT}"))
}

/// First lines of the segments in `folder`, in order. Other files are none of ours.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let first = name.to_str().and_then(|name| name.strip_suffix(LINES)?.strip_suffix('.')?.parse().ok());
        let first = first.filter(|first| (1..=MAX_SEQ).contains(first));
        found.extend(first.filter(|first| lines_path(folder, *first).file_name() == Some(&name)));
    }
    found.sort_unstable();
    Ok(found)
}

/// The bytes of a segment.
pub(super) fn read(folder: &Path, first: u64) -> io::Result<Segment> {
    let path = lines_path(folder, first);
    if std::fs::metadata(&path)?.len() > MAX_SEGMENT_BYTES {
        return Err(io::Error::other(format!("{} is larger than any segment", path.display())));
    }
    Ok(Segment { first, bytes: std::fs::read(path)? })
}

/// The checkpoint of a segment as it stands there, if one does.
pub(super) fn read_checkpoint(folder: &Path, first: u64) -> io::Result<Option<String>> {
    match std::fs::read(checkpoint_path(folder, first)) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim_end().to_owned())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

impl Segment {
    /// Every segment in `folder` in order, and the checkpoints that stand beside them. The
    /// checkpoints are read first, so that a daemon that writes meanwhile does no harm.
    ///
    /// # Errors
    /// The folder or a file in it cannot be read.
    pub fn all(folder: &Path) -> io::Result<(Vec<Self>, Vec<String>)> {
        let checkpoints: Vec<Option<String>> =
            list(folder)?.into_iter().map(|first| read_checkpoint(folder, first)).collect::<io::Result<_>>()?;
        let segments = list(folder)?.into_iter().map(|first| read(folder, first)).collect::<io::Result<_>>()?;
        Ok((segments, checkpoints.into_iter().flatten().collect()))
    }
}
