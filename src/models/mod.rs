//! Model bundles as a trust boundary: who vouches for a bundle, which of its versions serve.
//!
//! ```text
//! <bundle>/signature.jws      a message (`seal::message`) of type residentd-bundle+jws, payload:
//! {"bundle":1,"name":"chest-adult","version":"0.1.1","issued":"2026-11-24T10:00:00Z",
//!  "expires":"…",             (may be absent)
//!  "files":{"manifest.toml":{"sha256":"…","bytes":2623},"model.onnx":{…},…}}
//! ```
//! 1. A bundle serves only where a trusted key signed exactly its files: none less, none more,
//!    none other, no links. The trust anchors are keys in a folder of their own, or given by
//!    whoever asks; never one that lies with the bundle.
//! 2. The gateway looks: signature, name and version, the list of files, their sizes, the
//!    manifest's digest. The reader, which loads them, is given folder and manifest digest
//!    ([`Vouched`]) and holds every file against the digests in that manifest, from the same
//!    bytes that it uses. What a report says of its bundle is what the gateway said at the
//!    start: a reader that was subverted later can name no bundle that is not trusted.
//! 3. Under each name one bundle serves: the installed one that a pointer names (`depot`), else
//!    the one that came with the program. None serves that is older than the newest that ever
//!    did, as the store knows it, unless its pointer says why; that is audited.
//! 4. A signature that has a last day is held to it whenever bundles are chosen, at a start or a
//!    switch, by a clock that can be believed: an expired bundle is left out, the others serve.
//! 5. Whoever installs a bundle holds every file against the signature himself, before
//!    anything of it is used.
//!
//! [`Vouched`]: crate::infer::bundle::Vouched

#[cfg(test)]
mod attacks;
mod depot;
mod identity;
mod inspect;
mod notice;
mod package;
mod receive;
mod select;
mod statement;
pub mod tar;
#[cfg(test)]
mod tests;
mod trust;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use depot::{At, Choice, Depot, Installed, Pointer, Standing};
pub use identity::{BundleName, FileName, NotAnIdentity, Version};
pub use inspect::{Inspected, inspect, same_bytes};
pub use notice::{Change, Notice, SignedBy, Which};
pub use package::Package;
pub use receive::{Demands, Received, not_older, receive};
pub use select::{Selection, Source, select};
pub use statement::{FileFacts, SIGNATURE, Signed, Statement, sign};
pub use trust::{TrustError, Vouching};

use crate::clock::Moment;
use crate::digest::Digest;
use crate::infer::bundle::BundleError;
use crate::seal::message::MessageError;
use crate::store::{Store, StoreError};

/// Most files of a bundle: a writer has eight.
pub const MAX_FILES: usize = 64;
/// Most bytes of a bundle: a hundred times the largest that there is.
pub const MAX_BUNDLE_BYTES: u64 = 1024 * 1024 * 1024;
/// Most bundles that may serve at once.
pub const MAX_BUNDLES: usize = 32;

/// The newest version of each name that ever served.
pub type Floors = BTreeMap<String, Version>;

/// The floors that a store has noted. One that is no version, which none of ours writes, is none.
#[must_use]
pub fn floors(noted: Vec<(String, String)>) -> Floors {
    noted.into_iter().filter_map(|(name, version)| Some((name, version.parse().ok()?))).collect()
}

/// Notes in `store` that the bundles of `selection` serve.
///
/// # Errors
/// `SQLite` failed.
pub fn raise_floors(store: &Store, selection: &Selection, now: Moment) -> Result<(), StoreError> {
    for (name, version) in selection.versions() {
        let is_newer = |noted: &str| noted.parse().is_ok_and(|noted: Version| version > noted);
        store.raise_model_floor(name, &version.to_string(), now, is_newer)?;
    }
    Ok(())
}

/// Why no bundles could be chosen.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// There is nobody to trust.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A bundle may not serve.
    #[error("model bundle {folder}: {refusal}")]
    Refused {
        /// Which.
        folder: PathBuf,
        /// Its name, where it was installed: the one before may serve in its place.
        installed: Option<Box<BundleName>>,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// A folder of bundles cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is nothing to serve, or too much.
    #[error("{path} holds {found} model bundles, need 1 to {MAX_BUNDLES}: set [reader] models_dir, or install one")]
    Count {
        /// The models folder.
        path: PathBuf,
        /// How many sub-folders have a manifest.
        found: usize,
    },
}

/// Why a bundle may not serve.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's words say what its fields are")]
pub enum Refusal {
    #[error("it is not signed ({SIGNATURE} is missing): `residentd model sign` signs it with a key of yours")]
    Unsigned,
    #[error(
        "{SIGNATURE} is not that of a trusted vendor: {0}; trust whoever signed it by putting his public key into the trust folder, if you do"
    )]
    Signature(#[from] MessageError),
    #[error("{SIGNATURE} is signed, but not a statement that this residentd understands: {0}")]
    Statement(String),
    #[error("its signature expired on {0}: ask its vendor for a newer one")]
    Expired(String),
    #[error("its manifest says {found}, its signature {signed}: the files of two bundles are mixed")]
    OtherBundle { found: String, signed: String },
    #[error("it holds {0}, which is not in its signature: the files of two bundles are mixed, or something was added")]
    Extra(String),
    #[error("it lacks {0}, which its signature names")]
    Missing(String),
    #[error("{0} is {1}: a bundle is made of plain files and folders")]
    NotAFile(String, &'static str),
    #[error("{name} has {found} bytes, the signature says {signed}")]
    Size { name: String, found: u64, signed: u64 },
    #[error("{name} has SHA-256 {found}, the signature says {signed}: the bundle was changed or damaged")]
    Changed { name: String, found: Digest, signed: Digest },
    #[error("{0:?} leads out of the bundle's folder")]
    Escapes(String),
    #[error("it is no tar file that is taken: {0}")]
    Tar(String),
    #[error("{0}")]
    NotABundle(String),
    #[error(
        "version {version} is older than {floor}, which has served here: `--force --reason WHY` takes it all the same, and is audited"
    )]
    Older { version: Version, floor: Version },
    #[error("it needs {needed} bytes, and {there} may be used: free some of the disk, or lower [dicom] min_free_mib")]
    NoRoom { needed: u64, there: u64 },
    #[error(
        "it has {needed} bytes, too much for a reader with {there} bytes of memory: set [reader] memory_mib if the box has more"
    )]
    NoMemory { needed: u64, there: u64 },
    #[error("on trial: {0}")]
    Trial(String),
    #[error("it has more than {MAX_FILES} files")]
    TooMany,
    #[error("it has {0} bytes, at most {MAX_BUNDLE_BYTES} are taken")]
    TooLarge(u64),
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
}
