//! Who may vouch for a bundle: public keys in a folder that the configuration names.

use std::path::{Path, PathBuf};

use crate::seal::public::{PublicKey, PublicKeyError};

/// Most keys that are trusted at once.
const MAX_KEYS: usize = 16;
/// The vendor of the bundles that come with this program, for commands without a
/// configuration, and for provisioning to write into the trust folder.
const VENDOR: &str = include_str!("../../models/vendor.pub.pem");

/// Whose bundles are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vouching {
    /// Those that one of these keys signed.
    Trusted(Vec<PublicKey>),
    /// Everybody's. For development: the daemon never does this, and a report made so says it.
    Anybody,
}

/// Why there is nobody to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The folder cannot be read.
    #[error(
        "trust folder {path}: {source}; put the public keys of the model vendors that you trust there, or set [models] trust"
    )]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no key in it, or too many.
    #[error(
        "trust folder {path} holds {found} public keys (*.pem, *.jwk), need 1 to {MAX_KEYS}: put that of the model vendor there"
    )]
    Count {
        /// Which.
        path: PathBuf,
        /// How many.
        found: usize,
    },
    /// A file in it is no public key.
    #[error(transparent)]
    Key(#[from] PublicKeyError),
}

impl Vouching {
    /// The keys in the folder at `path` (`*.pem` and `*.jwk`), or the one key in the file there.
    ///
    /// # Errors
    /// There is none, or a file that is no public key.
    pub fn load(path: &Path) -> Result<Self, TrustError> {
        if path.is_file() {
            return Ok(Self::Trusted(vec![PublicKey::load(path)?]));
        }
        let unreadable = |source| TrustError::Unreadable { path: path.to_owned(), source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if file.extension().is_some_and(|e| e == "pem" || e == "jwk") {
                files.push(file);
            }
        }
        files.sort();
        if !(1..=MAX_KEYS).contains(&files.len()) {
            return Err(TrustError::Count { path: path.to_owned(), found: files.len() });
        }
        Ok(Self::Trusted(files.iter().map(|file| PublicKey::load(file)).collect::<Result<_, _>>()?))
    }

    /// The vendor of this program's own bundles, whose key came with it.
    ///
    /// # Errors
    /// Never on a shipped build: a test parses it.
    pub fn of_this_program() -> Result<Self, TrustError> {
        Ok(Self::Trusted(vec![PublicKey::parse(VENDOR)?]))
    }

    /// That vendor's key as PEM.
    #[must_use]
    pub const fn vendor_pem() -> &'static str {
        VENDOR
    }
}
