//! Where outcomes are kept: a folder, or a database that several collectors share.

use std::fmt;
use std::path::{Path, PathBuf};

use super::checkpoints::{Noted, Vouched};
use super::folder::Folder;
use super::sqlite::Database;
use crate::clock::Moment;
use crate::digest::Digest;
use crate::seal::link::Link;

/// Why an outcome cannot be kept now.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// A file or folder refused.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("{path}: {source}")]
    Sqlite {
        /// Which.
        path: PathBuf,
        /// What `SQLite` said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Somebody else keeps outcomes there.
    #[error("{path} is in use by another collector: several share a database (--store), never a folder")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// Something is there that no collector put there.
    #[error("{path} is not a collector's: {what}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// A link whose seal held, with the text that was sealed.
#[derive(Debug, Clone)]
pub struct Genuine {
    /// The device that it is of: the id of the key by which that is known.
    pub device: String,
    /// What it says.
    pub link: Link,
    /// The JWS in compact form.
    pub jws: String,
}

/// What became of an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is new, and durable.
    New,
    /// The same was there, durable.
    Same,
    /// It contradicts what is there, and is not kept.
    Refused(Contradiction),
}

impl Kept {
    /// True where it is durable.
    pub(super) const fn is_kept(&self) -> bool {
        matches!(self, Self::New | Self::Same)
    }
}

/// How an outcome contradicts what is kept of the same device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    /// Other bytes are kept under its sequence.
    Fork {
        /// SHA-256 of what is kept.
        kept: Digest,
    },
    /// It does not name the outcome that is kept before it.
    NotAfter,
    /// The outcome that is kept after it does not name it.
    NotBefore,
    /// It is the first, and names one before it.
    FalseGenesis,
    /// Its key had handed over to another before.
    AfterHandOver {
        /// The last sequence that was its.
        until: u64,
    },
    /// Its key was handed to only later.
    BeforeHandOver {
        /// The first sequence that is its.
        from: u64,
    },
    /// It hands over to a key that is known already.
    KnownKey,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fork { kept } => write!(f, "another outcome is kept under its sequence, with SHA-256 {kept}"),
            Self::NotAfter => f.write_str("it does not follow the outcome that is kept before it"),
            Self::NotBefore => f.write_str("the outcome that is kept after it does not follow it"),
            Self::AfterHandOver { until } => {
                write!(f, "its key handed over to another with outcome {until}: was it stolen since?")
            }
            Self::BeforeHandOver { from } => write!(f, "its key signs for this device only from outcome {from} on"),
            Self::KnownKey => f.write_str("it hands over to a key that is known as another's, or that signed before"),
            Self::FalseGenesis => f.write_str("it is the device's first, and claims to follow another"),
        }
    }
}

/// What is kept around an outcome: what decides whether it fits.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    /// SHA-256 of what is kept under its own sequence.
    pub own: Option<Digest>,
    /// SHA-256 of what is kept before it.
    pub before: Option<Digest>,
    /// What the outcome kept after it names as the one before.
    pub named_after: Option<Digest>,
}

impl Neighbours {
    /// What becomes of `opened` between them.
    pub fn judge(&self, link: &Link) -> Kept {
        let (sha256, prev) = (link.sha256(), link.prev());
        let contradiction = match self {
            Self { own: Some(kept), .. } if *kept == sha256 => return Kept::Same,
            Self { own: Some(kept), .. } => Contradiction::Fork { kept: *kept },
            _ if link.seq() == 1 && prev != Digest::from_bytes([0; 32]) => Contradiction::FalseGenesis,
            Self { before: Some(before), .. } if *before != prev => Contradiction::NotAfter,
            Self { named_after: Some(named), .. } if *named != sha256 => Contradiction::NotBefore,
            _ => return Kept::New,
        };
        Kept::Refused(contradiction)
    }
}

/// Where outcomes are kept.
#[derive(Debug)]
pub enum Shelf {
    /// One file an outcome: `<folder>/<first key id>/<sequence>.jws`, byte for byte as signed.
    Folder(Folder),
    /// One row an outcome; several collectors may share it.
    Database(Database),
}

impl Shelf {
    /// One file an outcome below `folder`, which is made where it is not.
    ///
    /// # Errors
    /// It cannot be made or read, or another collector uses it.
    pub fn folder(folder: &Path) -> Result<Self, ShelfError> {
        Folder::open(folder).map(Self::Folder)
    }

    /// The database at `path`, which is made where it is not.
    ///
    /// # Errors
    /// It cannot be made, or is something else.
    pub fn database(path: &Path) -> Result<Self, ShelfError> {
        Database::open(path).map(Self::Database)
    }

    /// Keeps outcomes. When this returns, those that are new or the same are durable.
    ///
    /// # Errors
    /// The disk or the database failed; then nothing may be receipted.
    pub fn keep(&mut self, outcomes: &[Genuine], now: Moment) -> Result<Vec<Kept>, ShelfError> {
        match self {
            Self::Folder(folder) => folder.keep(outcomes),
            Self::Database(database) => database.keep(outcomes, now),
        }
    }

    /// The hand-overs of keys that are kept.
    ///
    /// # Errors
    /// The disk or the database failed.
    pub(super) fn hand_overs(&self) -> Result<Vec<String>, ShelfError> {
        match self {
            Self::Folder(folder) => folder.hand_overs(),
            Self::Database(database) => database.hand_overs(),
        }
    }

    /// Keeps a checkpoint of a device's audit log. When this returns, it is durable.
    ///
    /// # Errors
    /// The disk or the database failed.
    pub fn keep_checkpoint(&mut self, vouched: &Vouched, now: Moment) -> Result<Noted, ShelfError> {
        match self {
            Self::Folder(folder) => folder.keep_checkpoint(vouched, now),
            Self::Database(database) => database.keep_checkpoint(vouched, now),
        }
    }

    /// The checkpoints of the device with key id `device` that a collector keeps at `path`, a
    /// folder or a database, oldest line first. Needs no lock: a collector may be at work.
    ///
    /// # Errors
    /// It cannot be read, or no collector made it.
    pub fn checkpoints(path: &Path, device: &str) -> Result<Vec<String>, ShelfError> {
        if path.is_dir() { super::folder::checkpoints(path, device) } else { super::sqlite::checkpoints(path, device) }
    }

    /// How far the outcomes of `device` are kept without a gap, and the first that are
    /// missing then; `through` is what was known before, `last` the highest that there is.
    ///
    /// # Errors
    /// The database failed.
    pub fn first_missing(
        &self,
        device: &str,
        through: u64,
        last: u64,
    ) -> Result<(u64, Option<(u64, u64)>), ShelfError> {
        match self {
            Self::Folder(folder) => Ok(folder.first_missing(device, last)),
            Self::Database(database) => database.first_missing(device, through, last),
        }
    }
}
