//! What somebody wants to be installed: a bundle's folder, a tar file, or a stick with one of
//! either on it. Nothing of it is believed; reading it ends where its signature says.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::inspect::{files_below, signature};
use super::tar::{self, Place};
use super::{FileName, Refusal, SIGNATURE};
use crate::seal::message::MAX_MESSAGE_BYTES;

/// Entries of a stick that are looked at.
const MAX_LOOKED_AT: usize = 1000;
/// Of what is on a stick, how much a refusal names.
const MAX_NAMED: usize = 3;
/// Read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// A package that can be read, file by file.
#[derive(Debug)]
pub enum Package {
    /// A bundle's folder.
    Folder(PathBuf),
    /// A tar file, with what is in it.
    Tar {
        /// Where it is.
        path: PathBuf,
        /// It, open.
        file: File,
        /// Where each file of the bundle stands in it.
        files: BTreeMap<FileName, Place>,
    },
}

impl Package {
    /// Opens what is at `path`.
    ///
    /// # Errors
    /// It is neither, holds none or several bundles, or is an archive with a trick in it.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        let io = |source| Refusal::Io { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(io)?;
        if metadata.is_file() {
            return Self::archive(path);
        }
        if !metadata.is_dir() {
            return Err(Refusal::NotABundle(format!("{} is neither a folder nor a file", path.display())));
        }
        if path.join(SIGNATURE).symlink_metadata().is_ok() || path.join("manifest.toml").is_file() {
            return Ok(Self::Folder(path.to_owned()));
        }
        Self::on_stick(path)
    }

    fn archive(path: &Path) -> Result<Self, Refusal> {
        let file = open_plain(path)?;
        let size_bytes = file.metadata().map_err(|source| Refusal::Io { path: path.to_owned(), source })?.len();
        let files = tar::index(&file, size_bytes)?;
        Ok(Self::Tar { path: path.to_owned(), file, files })
    }

    /// The one bundle on a stick, in a folder or a tar file of its own; what else is on it is
    /// not touched.
    fn on_stick(stick: &Path) -> Result<Self, Refusal> {
        let io = |source| Refusal::Io { path: stick.to_owned(), source };
        let (mut bundles, mut others) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(stick).map_err(io)?.take(MAX_LOOKED_AT) {
            let path = entry.map_err(io)?.path();
            let is_tar = path.extension().is_some_and(|e| e == "tar");
            let looks = if is_tar { path.is_file() } else { path.join(SIGNATURE).is_file() };
            if looks { bundles.push(path) } else { others.push(path) }
        }
        bundles.sort();
        others.sort();
        let named = |paths: &[PathBuf]| {
            let names = paths.iter().take(MAX_NAMED).filter_map(|path| path.file_name());
            names.map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>().join(", ")
        };
        match &bundles[..] {
            [one] if one.is_dir() => Ok(Self::Folder(one.clone())),
            [one] => Self::archive(one),
            [] => Err(Refusal::NotABundle(format!(
                "nothing in {} is a model bundle (there are {} other things, such as {})",
                stick.display(),
                others.len(),
                named(&others)
            ))),
            _ => Err(Refusal::NotABundle(format!(
                "{} holds {} bundles ({}): give the path of one",
                stick.display(),
                bundles.len(),
                named(&bundles)
            ))),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Tar { path, .. } => path,
        }
    }

    /// Its signature, not yet believed.
    pub(super) fn signature(&self) -> Result<String, Refusal> {
        let Self::Tar { file, files, .. } = self else { return signature(self.path()) };
        let place = files.iter().find(|(name, _)| name.as_str() == SIGNATURE).map(|(_, place)| *place);
        let Some(place) = place else { return Err(Refusal::Unsigned) };
        if place.bytes > MAX_MESSAGE_BYTES as u64 + 1 {
            let (found, signed) = (place.bytes, MAX_MESSAGE_BYTES as u64);
            return Err(Refusal::Size { name: SIGNATURE.into(), found, signed });
        }
        let mut bytes = vec![0; usize::try_from(place.bytes).unwrap_or(0)];
        let read = file.read_exact_at(&mut bytes, place.offset);
        read.map_err(|source| Refusal::Io { path: self.path().to_owned(), source })?;
        String::from_utf8(bytes).map_err(|_| Refusal::Statement("it is no text".into()))
    }

    /// Its files with their sizes, the signature among them.
    pub(super) fn sizes(&self) -> Result<BTreeMap<FileName, u64>, Refusal> {
        match self {
            Self::Folder(path) => files_below(path),
            Self::Tar { files, .. } => Ok(files.iter().map(|(name, place)| (name.clone(), place.bytes)).collect()),
        }
    }

    /// Gives the bytes of file `name` to `take`, in pieces: exactly `bytes`, whatever became of
    /// the file meanwhile.
    pub(super) fn read(
        &self,
        name: &FileName,
        bytes: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let io = |source| Refusal::Io { path: self.path().join(name.as_str()), source };
        let mut chunk = vec![0; CHUNK_BYTES];
        let piece = |done: u64| usize::try_from(bytes - done).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
        let mut done = 0;
        match self {
            Self::Folder(folder) => {
                let mut file = open_plain(&folder.join(name.as_str()))?;
                while done < bytes {
                    let length = piece(done);
                    file.read_exact(&mut chunk[..length]).map_err(io)?;
                    take(&chunk[..length])?;
                    done += length as u64;
                }
            }
            Self::Tar { file, files, .. } => {
                let place = files.get(name).ok_or_else(|| Refusal::Missing(name.to_string()))?;
                while done < bytes {
                    let length = piece(done);
                    file.read_exact_at(&mut chunk[..length], place.offset + done).map_err(io)?;
                    take(&chunk[..length])?;
                    done += length as u64;
                }
            }
        }
        Ok(())
    }
}

/// Opens a plain file, without waiting for the other end of a pipe or following a link.
fn open_plain(path: &Path) -> Result<File, Refusal> {
    let io = |source| Refusal::Io { path: path.to_owned(), source };
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(io)?;
    if file.metadata().map_err(io)?.is_file() {
        Ok(file)
    } else {
        Err(Refusal::NotAFile(path.display().to_string(), "no plain file"))
    }
}
