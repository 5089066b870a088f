//! Public keys: Ed25519 (RFC 8032), read from PEM, JWK or bare base64url, known by thumbprint.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePublicKey, EncodePublicKey};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;

use crate::digest::Digest;

/// Largest key file: a PEM or JWK of Ed25519 has a few hundred bytes.
pub(super) const MAX_KEY_FILE_BYTES: u16 = 4096;

/// A key that outcomes are verified with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    id: String,
}

/// Why there is no public key.
#[derive(Debug, thiserror::Error)]
pub enum PublicKeyError {
    /// The file cannot be read.
    #[error("public key {path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no key.
    #[error("public key {path}: {source}")]
    In {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<PublicKeyError>,
    },
    /// It is a private key.
    #[error("this is a private key: keep it where it was, and give the public key")]
    Private,
    /// It is a key of another kind.
    #[error("not an Ed25519 public key (PEM \"PUBLIC KEY\", JWK, or 43 characters of base64url): {0}")]
    NotAKey(String),
    /// A key under which anyone can forge.
    #[error("this Ed25519 key is weak: anyone can sign under it")]
    Weak,
}

/// A JWK as RFC 8037 has it for Ed25519; other members are ignored (RFC 7517 4).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    d: Option<serde::de::IgnoredAny>,
}

impl PublicKey {
    pub(super) fn of(key: VerifyingKey) -> Self {
        let id = thumbprint(&key);
        Self { key, id }
    }

    /// Reads the key in file `path`, in any form that [`PublicKey::parse`] takes.
    ///
    /// # Errors
    /// Unreadable, or not a public key.
    pub fn load(path: &Path) -> Result<Self, PublicKeyError> {
        let bytes =
            read_bounded(path).map_err(|source| PublicKeyError::Unreadable { path: path.to_owned(), source })?;
        let text = String::from_utf8_lossy(&bytes);
        Self::parse(&text).map_err(|source| PublicKeyError::In { path: path.to_owned(), source: Box::new(source) })
    }

    /// Takes a key from PEM (SPKI, RFC 8410), JWK (RFC 8037) or its bare base64url `x`.
    ///
    /// # Errors
    /// Not an Ed25519 public key, a private one, or a weak one.
    pub fn parse(text: &str) -> Result<Self, PublicKeyError> {
        let text = text.trim();
        let key = if text.contains("PRIVATE KEY-----") {
            return Err(PublicKeyError::Private);
        } else if text.starts_with("-----BEGIN") {
            VerifyingKey::from_public_key_pem(text).map_err(|e| PublicKeyError::NotAKey(e.to_string()))?
        } else if text.starts_with('{') {
            from_jwk(text)?
        } else {
            from_x(text)?
        };
        if key.is_weak() { Err(PublicKeyError::Weak) } else { Ok(Self::of(key)) }
    }

    /// The key id: its JWK thumbprint (RFC 7638), SHA-256 in base64url.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key as PEM (SPKI, RFC 8410).
    #[must_use]
    pub fn to_pem(&self) -> String {
        spki_pem(&self.key)
    }

    /// The key as a JWK (RFC 8037) on one line.
    #[must_use]
    pub fn to_jwk(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.key.as_bytes());
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{}","use":"sig","alg":"EdDSA"}}"#, self.id)
    }

    /// True where `signature` is this key's over `message`. Strict (RFC 8032 5.1.7 without
    /// cofactor, canonical, no small order): one message has one valid signature form.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id)
    }
}

/// RFC 7638 3: the required members in lexicographic order, no white space.
fn thumbprint(key: &VerifyingKey) -> String {
    let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Digest::of(members.as_bytes()).as_bytes())
}

fn spki_pem(key: &VerifyingKey) -> String {
    key.to_public_key_pem(LineEnding::LF).expect("32 bytes can be written as SPKI")
}

fn from_jwk(text: &str) -> Result<VerifyingKey, PublicKeyError> {
    let jwk: Jwk = serde_json::from_str(text).map_err(|e| PublicKeyError::NotAKey(e.to_string()))?;
    if jwk.d.is_some() {
        return Err(PublicKeyError::Private);
    }
    if jwk.kty != "OKP" || jwk.crv != "Ed25519" {
        return Err(PublicKeyError::NotAKey("the JWK is not of kty OKP and crv Ed25519".to_owned()));
    }
    from_x(&jwk.x)
}

fn from_x(text: &str) -> Result<VerifyingKey, PublicKeyError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|e| PublicKeyError::NotAKey(e.to_string()))?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| PublicKeyError::NotAKey("not 32 bytes".to_owned()))?;
    VerifyingKey::from_bytes(&bytes).map_err(|e| PublicKeyError::NotAKey(e.to_string()))
}

/// A key file's bytes, never more than [`MAX_KEY_FILE_BYTES`].
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(u64::from(MAX_KEY_FILE_BYTES) + 1).read_to_end(&mut bytes)?;
    if bytes.len() > usize::from(MAX_KEY_FILE_BYTES) {
        return Err(std::io::Error::other("too large for a key: is this the right file?"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 8037 appendix A.2 and its thumbprint of A.3.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    #[test]
    fn the_key_id_is_the_thumbprint_of_rfc_8037() {
        assert_eq!(PublicKey::parse(X).unwrap().id(), THUMBPRINT);
    }

    #[test]
    fn a_key_is_the_same_in_each_of_its_forms() {
        let key = PublicKey::parse(X).unwrap();
        assert_eq!(PublicKey::parse(&key.to_pem()).unwrap(), key);
        assert_eq!(PublicKey::parse(&key.to_jwk()).unwrap(), key);
        assert_eq!(PublicKey::parse(&format!(" {X}\n")).unwrap(), key);
    }

    #[test]
    fn what_is_no_public_key_of_ours_is_refused_in_words() {
        let wrong = [
            ("", "not an Ed25519 public key"),
            ("{}", "missing field"),
            (r#"{"kty":"EC","crv":"P-256","x":"AA"}"#, "kty OKP"),
            (&X[1..], "base64url"),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "not an Ed25519 public key"),
            ("-----BEGIN PRIVATE KEY-----\n", "private key"),
            (r#"{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}"#, "private key"),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "weak"),
        ];
        for (text, says) in wrong {
            let error = PublicKey::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }
}
