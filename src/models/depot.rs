//! Installed bundles: their files, and which of them serve.
//!
//! ```text
//! <state_dir>/models/<name>/<version>-<first 8 digits of the manifest's digest>/…
//!                    <name>/active          the pointer, JSON
//!                    notices/<time>-<pid>-<n>.json
//! ```
//! 1. A version's folder is whole where its `signature.jws` stands: that is placed last, after
//!    every other file, and every folder, is durable; and it is what is removed first.
//! 2. The pointer is replaced by one rename. Before it, the old bundle serves; after it, the new.
//! 3. A bundle that a pointer names, as active or as the one before, is not removed.
//! 4. Without a pointer the shipped bundle of that name serves.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::inspect::signature;
use super::{BundleName, MAX_BUNDLES, Refusal, SIGNATURE, Signed, Version};
use crate::digest::Digest;
use crate::os::disk::Disk;

/// Everything below is the daemon's, and its group's to read.
const FOLDER_MODE: u32 = 0o750;
pub(super) const FILE_MODE: u32 = 0o640;
/// The file that says what serves.
const POINTER: &str = "active";
/// The only format of pointers that this version reads.
const FORMAT: u32 = 1;
/// Largest pointer.
const MAX_POINTER_BYTES: u64 = 16 * 1024;
/// Folders that one version may have: a damaged one is not mended where it serves.
const MAX_COPIES: u32 = 9;

/// The depot of one box.
#[derive(Debug, Clone)]
pub struct Depot {
    disk: Disk,
    folder: PathBuf,
}

/// Which bundle of a name serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pointer {
    format: u32,
    /// The one that serves.
    pub active: Choice,
    /// The one that served before, to go back to.
    pub previous: Option<Choice>,
    /// Whether it has shown that it can.
    pub standing: Standing,
}

/// A bundle that was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Where it lies.
    pub at: At,
    /// Its version.
    pub version: Version,
    /// Of its manifest.
    pub sha256: Digest,
    /// Why it may serve although a newer one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below_floor: Option<String>,
}

/// Where a bundle lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// In the folder of bundles that came with the program.
    Shipped,
    /// In the depot, in this folder of its name's.
    Installed(String),
}

/// Whether a bundle has shown that it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Its first readings are watched: a failure brings the one before back.
    Proving,
    /// It read.
    Proven,
}

impl Pointer {
    /// A pointer to `active`.
    #[must_use]
    pub const fn to(active: Choice, previous: Option<Choice>, standing: Standing) -> Self {
        Self { format: FORMAT, active, previous, standing }
    }

    /// What brings the bundle before back, because of `why`: it may serve although a newer
    /// one did. `None` where there is none.
    #[must_use]
    pub fn back(&self, why: &str) -> Option<Self> {
        let previous = self.previous.clone()?;
        let active = Choice { below_floor: Some(why.to_owned()), ..previous };
        Some(Self::to(active, None, Standing::Proven))
    }
}

impl Depot {
    /// The depot of the state folder `state_dir`; made when something is installed.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self::on(Disk::Real, state_dir)
    }

    /// As [`Depot::of`], on another disk.
    #[must_use]
    pub fn on(disk: Disk, state_dir: &Path) -> Self {
        Self { disk, folder: state_dir.join("models") }
    }

    /// Where notices wait for the daemon.
    pub(super) fn notices(&self) -> PathBuf {
        self.folder.join("notices")
    }

    /// Where it writes.
    pub(super) const fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes its folder.
    ///
    /// # Errors
    /// The system refused.
    pub fn make(&self) -> Result<(), Refusal> {
        self.make_folder(&self.folder)
    }

    pub(super) fn make_folder(&self, path: &Path) -> Result<(), Refusal> {
        self.disk.make_folders(path, FOLDER_MODE).map_err(|source| Refusal::Io { path: path.to_owned(), source })
    }

    /// The folder of an installed bundle.
    #[must_use]
    pub fn place(&self, name: &BundleName, folder: &str) -> PathBuf {
        self.folder.join(name.as_str()).join(folder)
    }

    /// Every pointer, by name.
    ///
    /// # Errors
    /// One cannot be read, or is none.
    pub fn pointers(&self) -> Result<BTreeMap<BundleName, Pointer>, Refusal> {
        let mut pointers = BTreeMap::new();
        for name in names_in(&self.folder)? {
            if let Some(pointer) = self.pointer(&name)? {
                pointers.insert(name, pointer);
            }
        }
        Ok(pointers)
    }

    /// What is said of `name`.
    ///
    /// # Errors
    /// It cannot be read, or is no pointer.
    pub fn pointer(&self, name: &BundleName) -> Result<Option<Pointer>, Refusal> {
        let path = self.place(name, POINTER);
        let io = |source| Refusal::Io { path: path.clone(), source };
        let bytes = match std::fs::metadata(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(metadata) if metadata.len() > MAX_POINTER_BYTES => Err(io::Error::other("too large for a pointer")),
            _ => std::fs::read(&path),
        };
        let pointer: Pointer = serde_json::from_slice(&bytes.map_err(io)?)
            .map_err(|e| Refusal::Io { path: path.clone(), source: io::Error::other(e.to_string()) })?;
        let inside = |choice: &Choice| match &choice.at {
            At::Shipped => true,
            At::Installed(folder) => folder.parse::<super::FileName>().is_ok() && !folder.contains('/'),
        };
        if pointer.format == FORMAT && inside(&pointer.active) && pointer.previous.as_ref().is_none_or(inside) {
            Ok(Some(pointer))
        } else {
            Err(Refusal::Io { path, source: io::Error::other("a pointer of another residentd") })
        }
    }

    /// Lets `pointer` say what serves under `name`, from this instant on.
    ///
    /// # Errors
    /// The system refused: what served serves.
    pub fn switch(&self, name: &BundleName, pointer: &Pointer) -> Result<(), Refusal> {
        let path = self.place(name, POINTER);
        self.make_folder(&self.folder.join(name.as_str()))?;
        let text = serde_json::to_string(pointer).map_err(|e| Refusal::Statement(e.to_string()))? + "\n";
        self.disk.replace(&path, text.as_bytes(), FILE_MODE).map_err(|source| Refusal::Io { path, source })
    }

    /// The whole versions of `name`, by folder, with what their signature claims: `keys` say
    /// whether to believe it.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn installed(
        &self,
        name: &BundleName,
        keys: &[crate::seal::public::PublicKey],
    ) -> Result<Vec<Installed>, Refusal> {
        let of = |folder: String| {
            let path = self.place(name, &folder);
            let signed = signature(&path).and_then(|jws| Signed::open(&jws, keys));
            match signed {
                Err(Refusal::Unsigned) => None,
                signed => Some(Installed { folder, signed }),
            }
        };
        Ok(folders_in(&self.folder.join(name.as_str()))?.into_iter().filter_map(of).collect())
    }

    /// Names of which something is installed.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn names(&self) -> Result<Vec<BundleName>, Refusal> {
        names_in(&self.folder)
    }

    /// A folder for the bundle of `signed`, empty; or the one in which it stands already.
    pub(super) fn room_for(&self, signed: &Signed) -> Result<Room, Refusal> {
        let statement = &signed.statement;
        let digest = statement.manifest_sha256().ok_or_else(|| Refusal::Missing("manifest.toml".into()))?;
        let stem = format!("{}-{}", statement.version, &digest.to_string()[..8]);
        for copy in 0..MAX_COPIES {
            let folder = if copy == 0 { stem.clone() } else { format!("{stem}-{copy}") };
            let path = self.place(&statement.name, &folder);
            if !path.join(SIGNATURE).exists() {
                self.clear(&path)?;
                self.make_folder(&path)?;
                return Ok(Room::Empty(folder));
            }
            let whole = super::inspect::same_files(&path, signed).and_then(|()| super::same_bytes(&path, signed));
            if whole.is_ok() {
                return Ok(Room::Taken(folder));
            }
        }
        Err(Refusal::NotABundle(format!("{MAX_COPIES} damaged copies of it are installed already")))
    }

    /// Removes the versions of `name` that its pointer does not name.
    ///
    /// # Errors
    /// One could not be removed: it is tried again next time.
    pub fn sweep(&self, name: &BundleName) -> Result<(), Refusal> {
        let pointer = self.pointer(name)?;
        let named = |folder: &str| {
            let is = |choice: &Choice| choice.at == At::Installed(folder.to_owned());
            pointer.as_ref().is_some_and(|pointer| is(&pointer.active) || pointer.previous.as_ref().is_some_and(is))
        };
        for folder in folders_in(&self.folder.join(name.as_str()))? {
            if !named(&folder) {
                self.clear(&self.place(name, &folder))?;
                crate::os::step("model-cleared");
            }
        }
        Ok(())
    }

    /// Removes what is in `path`, the signature first, and then `path`.
    pub(super) fn clear(&self, path: &Path) -> Result<(), Refusal> {
        let io = |source| Refusal::Io { path: path.to_owned(), source };
        match self.disk.remove(&path.join(SIGNATURE)) {
            Ok(()) => self.disk.sync_folder(path).map_err(io)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(io(source)),
        }
        self.empty(path, 0).map_err(io)
    }

    fn empty(&self, path: &Path, depth: usize) -> io::Result<()> {
        let entries = match std::fs::read_dir(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() && depth < 4 {
                self.empty(&entry.path(), depth + 1)?;
            } else {
                self.disk.remove(&entry.path())?;
            }
        }
        // An empty folder is no promise to anyone: it need not go durably.
        std::fs::remove_dir(path)
    }
}

/// A bundle that is installed.
#[derive(Debug)]
pub struct Installed {
    /// Its folder's name.
    pub folder: String,
    /// What its signature says, or why that is not believed.
    pub signed: Result<Signed, Refusal>,
}

/// Where a bundle goes.
pub(super) enum Room {
    /// Into this folder, which is empty.
    Empty(String),
    /// It stands in this one, whole.
    Taken(String),
}

fn names_in(folder: &Path) -> Result<Vec<BundleName>, Refusal> {
    let names = folders_in(folder)?.into_iter().filter(|name| name != "notices");
    Ok(names.filter_map(|name| name.parse().ok()).take(MAX_BUNDLES).collect())
}

/// Folders in `folder`, in order; none where it is not there.
fn folders_in(folder: &Path) -> Result<Vec<String>, Refusal> {
    let io = |source| Refusal::Io { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io)?;
        if entry.file_type().map_err(io)?.is_dir() {
            found.extend(entry.file_name().into_string().ok());
        }
    }
    found.sort();
    Ok(found)
}
