//! The device's private key: made once, kept in one file, used to sign, never shown.
//!
//! The file is PKCS#8 PEM (RFC 8410), readable by its owner alone, and is put in place
//! whole under a name that was free: it is never overwritten and never half-written.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use super::link::Next;
use super::public::PublicKey;
use crate::os::disk::Disk;
use crate::os::private::{self, NotPrivate};

/// The Ed25519 key that this device signs with; wiped from memory when dropped.
pub struct DeviceKey {
    signing: SigningKey,
    public: PublicKey,
}

/// Why there is no device key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The operating system gave no randomness.
    #[error("no randomness for a new key: {0}")]
    Randomness(String),
    /// A file of that name exists.
    #[error("key {path} exists and is not overwritten: every outcome ever signed is verified with it")]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("key {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not this device's alone, or cannot be read.
    #[error("key {0}")]
    NotPrivate(#[from] NotPrivate),
    /// The chain of outcomes goes on with another key.
    #[error(
        "key {ours} may not sign: the chain of outcomes goes on with key {chains}; if the key was being changed, finish with `residentd provision rotate-key`, else put that key back"
    )]
    NotTheChains {
        /// Id of the key that is here.
        ours: String,
        /// Id of the key that the chain goes on with.
        chains: String,
    },
    /// The chain of outcomes has ended.
    #[error(
        "this device was decommissioned: its last outcome is signed, and nothing can follow it; finish with `residentd provision decommission`, and provision it anew as another device"
    )]
    Ended,
    /// The file is no Ed25519 private key.
    #[error("key {path} is not an Ed25519 private key in PKCS#8 PEM: {what}")]
    NotAKey {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

impl DeviceKey {
    /// Makes a new key from the operating system's randomness.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(|e| KeyError::Randomness(e.to_string()))?;
        Ok(Self::of(SigningKey::from_bytes(&seed)))
    }

    fn of(signing: SigningKey) -> Self {
        let public = PublicKey::of(signing.verifying_key());
        Self { signing, public }
    }

    /// Reads the key in file `path`.
    ///
    /// # Errors
    /// Unreadable, open to others, owned by somebody else, or not a key.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::from_pem(&private::read(path)?, path)
    }

    /// Reads the key as it would be for the user `uid`.
    ///
    /// # Errors
    /// As [`DeviceKey::load`].
    pub fn load_as(path: &Path, uid: u32) -> Result<Self, KeyError> {
        Self::from_pem(&private::read_as(path, uid)?, path)
    }

    /// Takes the key out of `bytes`, a PEM that came from `path` by other ways than reading it.
    ///
    /// # Errors
    /// Not a key.
    pub fn from_pem(bytes: &[u8], path: &Path) -> Result<Self, KeyError> {
        let not_a_key = |what: String| KeyError::NotAKey { path: path.to_owned(), what };
        let text = std::str::from_utf8(bytes).map_err(|e| not_a_key(e.to_string()))?;
        let signing = SigningKey::from_pkcs8_pem(text.trim()).map_err(|e| not_a_key(e.to_string()))?;
        Ok(Self::of(signing))
    }

    /// Writes the key to a new file `path` with mode 0600. When this returns, the file
    /// survives a power cut.
    ///
    /// # Errors
    /// The file exists (it is left as it is), or the system refused.
    pub fn save_new(&self, path: &Path) -> Result<(), KeyError> {
        self.save_new_on(&Disk::Real, path)
    }

    /// As [`DeviceKey::save_new`], on another disk.
    ///
    /// # Errors
    /// As [`DeviceKey::save_new`].
    pub fn save_new_on(&self, disk: &Disk, path: &Path) -> Result<(), KeyError> {
        let io = |source| KeyError::Io { path: path.to_owned(), source };
        disk.place_new(path, self.pkcs8_pem().as_bytes(), 0o600).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
            _ => io(source),
        })
    }

    /// The key itself, for what seals it. Version 1 of PKCS#8, without the public half: OpenSSL
    /// refuses version 2.
    ///
    /// # Panics
    /// Never: 32 bytes can be written as PKCS#8.
    #[must_use]
    pub fn pkcs8_pem(&self) -> Zeroizing<String> {
        let pair = KeypairBytes { secret_key: self.signing.to_bytes(), public_key: None };
        pair.to_pkcs8_pem(LineEnding::LF).expect("32 bytes can be written as PKCS#8")
    }

    /// Writes the public half beside the key at `key_path`: `<stem>.pub.pem` and
    /// `<stem>.pub.jwk`, mode 0644. Returns both paths.
    ///
    /// # Errors
    /// A file exists with other content, or the system refused.
    pub fn save_public(&self, key_path: &Path) -> Result<[PathBuf; 2], KeyError> {
        let files = [("pub.pem", self.public.to_pem()), ("pub.jwk", self.public.to_jwk() + "\n")];
        for (extension, text) in &files {
            let path = key_path.with_extension(extension);
            match Disk::Real.place_new(&path, text.as_bytes(), 0o644) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    let same = std::fs::read(&path).is_ok_and(|found| found == text.as_bytes());
                    if !same {
                        return Err(KeyError::Exists { path });
                    }
                }
                result => result.map_err(|source| KeyError::Io { path, source })?,
            }
        }
        Ok(files.map(|(extension, _)| key_path.with_extension(extension)))
    }

    /// The key id: the public half's JWK thumbprint.
    #[must_use]
    pub fn id(&self) -> &str {
        self.public.id()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Whether this key signs what follows `last`, the last link of the device's chain.
    ///
    /// # Errors
    /// Another does, or nobody.
    pub fn follows(&self, last: Option<&str>) -> Result<(), KeyError> {
        match Next::after(last) {
            Next::Anyone => Ok(()),
            Next::Key(chains) if chains == self.id() => Ok(()),
            Next::Key(chains) => Err(KeyError::NotTheChains { ours: self.id().to_owned(), chains }),
            Next::Nobody => Err(KeyError::Ended),
        }
    }

    /// What secrets of this device's own are derived from (`pseudonym`).
    pub(super) fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.signing.to_bytes())
    }

    /// The Ed25519 signature of `message` (RFC 8032).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_private_survives_its_file_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        let key = DeviceKey::generate().unwrap();
        key.save_new(&path).unwrap();
        assert_eq!(crate::os::mode(&path).unwrap(), 0o600);
        assert_eq!(DeviceKey::load(&path).unwrap().id(), key.id());
        let before = std::fs::read(&path).unwrap();
        let error = DeviceKey::generate().unwrap().save_new(&path).unwrap_err();
        assert!(matches!(error, KeyError::Exists { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn loose_permissions_are_refused_with_path_mode_and_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        DeviceKey::generate().unwrap().save_new(&path).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o610] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = DeviceKey::load(&path).unwrap_err().to_string();
            let shown = path.display().to_string();
            assert!(
                error.contains(&shown) && error.contains(&format!("{mode:04o}")) && error.contains("chmod 600"),
                "{error}"
            );
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert!(DeviceKey::load(&path).is_ok());
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        for bytes in [
            &b""[..],
            b"-----BEGIN PRIVATE KEY-----\nSECRETSECRET\n-----END PRIVATE KEY-----\n",
            &[b'A'; 5000],
            b"\xff\xfe",
        ] {
            let _ = std::fs::remove_file(&path);
            Disk::Real.place_new(&path, bytes, 0o600).unwrap();
            let error = DeviceKey::load(&path).unwrap_err().to_string();
            assert!(error.contains("device.key") && !error.contains("SECRET"), "{error}");
        }
    }

    #[test]
    fn debug_shows_the_id_and_nothing_else() {
        let key = DeviceKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), format!("DeviceKey({})", key.id()));
    }

    #[test]
    fn the_public_half_is_written_beside_the_key_and_can_be_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        let key = DeviceKey::generate().unwrap();
        for written in [key.save_public(&path).unwrap(), key.save_public(&path).unwrap()].concat() {
            assert_eq!(&PublicKey::load(&written).unwrap(), key.public());
        }
        assert!(DeviceKey::generate().unwrap().save_public(&path).is_err());
        assert!(path.with_extension("pub.pem").is_file() && path.with_extension("pub.jwk").is_file());
    }
}
