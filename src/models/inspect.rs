//! What can be said of a bundle without reading its large files: who signed it, that it has
//! those files and no others, that its manifest is the one that was signed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::statement::{SIGNATURE, Signed};
use super::{FileName, MAX_FILES, Refusal, Vouching};
use crate::clock::Moment;
use crate::digest::{Digest, Digester};
use crate::infer::bundle::{Kind, Outline, Vouched};
use crate::infer::findings::BundleIdentity;
use crate::seal::message::MAX_MESSAGE_BYTES;

/// Folders below a bundle's folder.
const MAX_FOLDERS: usize = 16;
/// Read at once while a digest is computed.
const CHUNK_BYTES: usize = 64 * 1024;
/// Behind the version of a bundle for which nobody vouches, wherever that is shown.
const UNSIGNED: &str = "+unsigned";

/// A bundle that was looked at.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// It, for the reader.
    pub vouched: Vouched,
    /// What it is for.
    pub kind: Kind,
    /// Who vouches; `None` where anybody's bundle is taken and nobody trusted signed this one.
    pub signed: Option<Signed>,
}

/// Looks at the bundle in `folder`.
///
/// # Errors
/// See [`Refusal`]: with [`Vouching::Trusted`] everything that keeps a bundle from serving but
/// a changed byte in a file of the right size, which the reader finds.
pub fn inspect(folder: &Path, vouching: &Vouching, now: Moment) -> Result<Inspected, Refusal> {
    let keys = match vouching {
        Vouching::Trusted(keys) => keys.as_slice(),
        Vouching::Anybody => return as_it_stands(folder),
    };
    plain(folder)?;
    let signed = Signed::open(&signature(folder)?, keys)?;
    signed.statement.in_time(now)?;
    same_files(folder, &signed)?;
    let (outline, sha256) = Outline::read(folder)?;
    if Some(sha256) != signed.statement.manifest_sha256() {
        let wanted = signed.statement.manifest_sha256().unwrap_or(sha256);
        return Err(Refusal::Changed { name: "manifest.toml".into(), found: sha256, signed: wanted });
    }
    signed.statement.is_of(&outline)?;
    let vouched = Vouched { folder: folder.to_owned(), identity: BundleIdentity::of(&outline.bundle, sha256) };
    Ok(Inspected { vouched, kind: outline.kind(), signed: Some(signed) })
}

/// For development: whatever lies there, with a version that says so in every report.
fn as_it_stands(folder: &Path) -> Result<Inspected, Refusal> {
    let (outline, _) = Outline::read(folder)?;
    let mut vouched = Vouched::as_it_stands(folder)?;
    vouched.identity.version.push_str(UNSIGNED);
    Ok(Inspected { vouched, kind: outline.kind(), signed: None })
}

/// The text of a bundle's signature.
pub(super) fn signature(folder: &Path) -> Result<String, Refusal> {
    let path = folder.join(SIGNATURE);
    match path.symlink_metadata() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(Refusal::Unsigned),
        Err(source) => return Err(Refusal::Io { path, source }),
        Ok(metadata) if !metadata.is_file() => return Err(not_a_file(SIGNATURE, &metadata)),
        Ok(metadata) if metadata.len() > MAX_MESSAGE_BYTES as u64 + 1 => {
            return Err(Refusal::Size {
                name: SIGNATURE.into(),
                found: metadata.len(),
                signed: MAX_MESSAGE_BYTES as u64,
            });
        }
        Ok(_) => {}
    }
    let mut text = String::new();
    let read = File::open(&path).and_then(|file| file.take(MAX_MESSAGE_BYTES as u64 + 2).read_to_string(&mut text));
    read.map(|_| text).map_err(|source| Refusal::Io { path, source })
}

/// The files in `folder` are those of the statement, by name and size.
pub(super) fn same_files(folder: &Path, signed: &Signed) -> Result<(), Refusal> {
    same_files_of(files_below(folder)?, signed)
}

/// As [`same_files`], of files that were found elsewhere.
pub(super) fn same_files_of(mut found: BTreeMap<FileName, u64>, signed: &Signed) -> Result<(), Refusal> {
    found.retain(|name, _| name.as_str() != SIGNATURE);
    for (name, facts) in &signed.statement.files {
        match found.remove(name) {
            None => return Err(Refusal::Missing(name.to_string())),
            Some(bytes) if bytes != facts.bytes => {
                return Err(Refusal::Size { name: name.to_string(), found: bytes, signed: facts.bytes });
            }
            Some(_) => {}
        }
    }
    found.into_keys().next().map_or(Ok(()), |extra| Err(Refusal::Extra(extra.to_string())))
}

/// Every file in `folder` is the one of the statement, byte for byte.
///
/// # Errors
/// The first that is not.
pub fn same_bytes(folder: &Path, signed: &Signed) -> Result<(), Refusal> {
    for (name, facts) in &signed.statement.files {
        let found = digest_of(&folder.join(name.as_str()))?;
        if found != facts.sha256 {
            return Err(Refusal::Changed { name: name.to_string(), found, signed: facts.sha256 });
        }
    }
    Ok(())
}

/// Each file below `folder` with its size; nothing else may be there.
pub(super) fn files_below(folder: &Path) -> Result<BTreeMap<FileName, u64>, Refusal> {
    let mut files = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    let mut looked_at = 0;
    while let Some(below) = folders.pop() {
        looked_at += 1;
        let path = folder.join(&below);
        let io = |source| Refusal::Io { path: path.clone(), source };
        for entry in std::fs::read_dir(&path).map_err(io)? {
            let entry = entry.map_err(io)?;
            let inside = below.join(entry.file_name());
            let shown = inside.to_string_lossy().into_owned();
            // Of the entry itself: a link is not followed.
            let metadata = entry.metadata().map_err(io)?;
            if metadata.is_dir() && looked_at + folders.len() < MAX_FOLDERS {
                folders.push(inside);
                continue;
            }
            if !metadata.is_file() {
                return Err(not_a_file(&shown, &metadata));
            }
            let name = shown.parse().map_err(|_| Refusal::Extra(shown))?;
            files.insert(name, metadata.len());
            if files.len() > MAX_FILES + 1 {
                return Err(Refusal::TooMany);
            }
        }
    }
    Ok(files)
}

/// The digest of the file at `path`.
pub(super) fn digest_of(path: &Path) -> Result<Digest, Refusal> {
    let io = |source| Refusal::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(io)?;
    let (mut digester, mut chunk) = (Digester::new(), vec![0; CHUNK_BYTES]);
    loop {
        match file.read(&mut chunk).map_err(io)? {
            0 => return Ok(digester.finish()),
            read => digester.update(&chunk[..read]),
        }
    }
}

/// `folder` is a folder, and no link to one.
pub(super) fn plain(folder: &Path) -> Result<(), Refusal> {
    let io = |source| Refusal::Io { path: folder.to_owned(), source };
    let metadata = folder.symlink_metadata().map_err(io)?;
    if metadata.is_dir() { Ok(()) } else { Err(not_a_file(&folder.display().to_string(), &metadata)) }
}

fn not_a_file(name: &str, metadata: &std::fs::Metadata) -> Refusal {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = metadata.file_type();
    let what = match () {
        () if kind.is_symlink() => "a link",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () if kind.is_block_device() || kind.is_char_device() => "a device",
        () if kind.is_file() => "a file",
        () => "a folder",
    };
    Refusal::NotAFile(name.to_owned(), what)
}
