//! What a vendor signs of a bundle: name, version, and each file by size and digest.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::inspect::{digest_of, files_below, plain};
use super::{BundleName, FileName, MAX_BUNDLE_BYTES, MAX_FILES, Refusal, Version};
use crate::clock::{self, Moment};
use crate::digest::Digest;
use crate::infer::bundle::Outline;
use crate::os::disk::Disk;
use crate::seal::key::DeviceKey;
use crate::seal::message::{self, MAX_MESSAGE_BYTES, MessageType};
use crate::seal::public::PublicKey;

/// The file that holds it.
pub const SIGNATURE: &str = "signature.jws";
/// The file that the reader holds all others against.
pub(super) const MANIFEST: &str = "manifest.toml";
/// The only format of statements that this version reads.
const FORMAT: u32 = 1;
/// Everybody may read a signature.
const FILE_MODE: u32 = 0o644;

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    bundle: u32,
    /// As in the manifest.
    pub name: BundleName,
    /// As in the manifest.
    pub version: Version,
    /// When it was signed, by the vendor's clock (RFC 3339).
    pub issued: String,
    /// From when on it is not to be used any more (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Every file but the signature.
    pub files: BTreeMap<FileName, FileFacts>,
}

/// One file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// Of its bytes.
    pub sha256: Digest,
    /// How many there are.
    pub bytes: u64,
}

/// A statement whose signature held under a trusted key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub statement: Statement,
    /// Who signed: JWK thumbprint.
    pub signed_by: String,
    /// As it was signed.
    pub jws: String,
}

impl Signed {
    /// Opens the signature `jws` if one of `keys` made it.
    ///
    /// # Errors
    /// It is no such signature, or states what cannot be.
    pub fn open(jws: &str, keys: &[PublicKey]) -> Result<Self, Refusal> {
        let jws = jws.trim_end_matches('\n');
        let message = message::open(jws, keys, MessageType::Bundle)?;
        let statement: Statement =
            serde_json::from_slice(&message.payload).map_err(|e| Refusal::Statement(e.to_string()))?;
        statement.possible()?;
        Ok(Self { statement, signed_by: message.kid, jws: jws.to_owned() })
    }
}

impl Statement {
    /// What the bundle as it lies in `folder` is to be signed as.
    fn of(folder: &Path, issued: Moment, expires: Option<&str>) -> Result<Self, Refusal> {
        let (outline, _) = Outline::read(folder)?;
        let wrong = |e: super::NotAnIdentity| Refusal::Statement(e.to_string());
        let mut files = BTreeMap::new();
        for (name, bytes) in files_below(folder)? {
            if name.as_str() != SIGNATURE {
                let sha256 = digest_of(&folder.join(name.as_str()))?;
                files.insert(name, FileFacts { sha256, bytes });
            }
        }
        let statement = Self {
            bundle: FORMAT,
            name: outline.bundle.name.parse().map_err(wrong)?,
            version: outline.bundle.version.parse().map_err(wrong)?,
            issued: issued.rfc3339(),
            expires: expires.map(str::to_owned),
            files,
        };
        statement.possible()?;
        statement.is_of(&outline)?;
        Ok(statement)
    }

    fn possible(&self) -> Result<(), Refusal> {
        if self.bundle != FORMAT {
            return Err(Refusal::Statement(format!("format {}, {FORMAT} is known", self.bundle)));
        }
        if self.files.len() > MAX_FILES {
            return Err(Refusal::TooMany);
        }
        if self.bytes() > MAX_BUNDLE_BYTES {
            return Err(Refusal::TooLarge(self.bytes()));
        }
        let times = [Some(&self.issued), self.expires.as_ref()];
        if let Some(wrong) = times.into_iter().flatten().find(|text| clock::unix_ms(text).is_none()) {
            return Err(Refusal::Statement(format!("{wrong:?} is no time (RFC 3339)")));
        }
        match self.manifest() {
            Some(_) => Ok(()),
            None => Err(Refusal::Missing(MANIFEST.to_owned())),
        }
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.values().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    fn manifest(&self) -> Option<&FileFacts> {
        self.files.iter().find(|(name, _)| name.as_str() == MANIFEST).map(|(_, facts)| facts)
    }

    /// Digest of the manifest: what reports know the bundle by.
    #[must_use]
    pub fn manifest_sha256(&self) -> Option<Digest> {
        self.manifest().map(|facts| facts.sha256)
    }

    /// Ok where the signature is not past its time, or `now` cannot be believed: a clock in
    /// 1970 or 2100 neither lets a bundle in nor takes it out.
    ///
    /// # Errors
    /// It expired.
    pub fn in_time(&self, now: Moment) -> Result<(), Refusal> {
        match &self.expires {
            Some(at) if now.synchronised && clock::unix_ms(at).is_none_or(|at| at <= now.unix_ms) => {
                Err(Refusal::Expired(at.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Holds the statement against a manifest: the same bundle, the same digests.
    pub(super) fn is_of(&self, outline: &Outline) -> Result<(), Refusal> {
        let found = format!("{} {}", outline.bundle.name, outline.bundle.version);
        let signed = format!("{} {}", self.name, self.version);
        if found != signed {
            return Err(Refusal::OtherBundle { found, signed });
        }
        for (name, facts) in self.files.iter().filter(|(name, _)| name.as_str() != MANIFEST) {
            match outline.digests.get(name.as_str()) {
                None => return Err(Refusal::Extra(name.to_string())),
                Some(digest) if *digest != facts.sha256 => {
                    let (found, signed) = (facts.sha256, *digest);
                    return Err(Refusal::Changed {
                        name: format!("{name} by its manifest"),
                        found: signed,
                        signed: found,
                    });
                }
                Some(_) => {}
            }
        }
        let named = |name: &&String| !self.files.keys().any(|file| file.as_str() == name.as_str());
        outline.digests.keys().find(named).map_or(Ok(()), |name| Err(Refusal::Missing(name.clone())))
    }
}

/// Signs the bundle in `folder` with a vendor's `key`, in place of a signature that is there.
///
/// # Errors
/// It is no bundle: a file that the manifest does not name or that is not the one it names, a
/// name or version that is none, or a folder that cannot be written.
pub fn sign(folder: &Path, key: &DeviceKey, now: Moment, expires: Option<&str>) -> Result<Signed, Refusal> {
    plain(folder)?;
    let statement = Statement::of(folder, now, expires)?;
    let payload = serde_json::to_string(&statement).map_err(|e| Refusal::Statement(e.to_string()))?;
    let jws = message::sign(key, MessageType::Bundle, &payload)?;
    debug_assert!(jws.len() <= MAX_MESSAGE_BYTES, "sign bounds it");
    let path = folder.join(SIGNATURE);
    Disk::Real
        .replace(&path, format!("{jws}\n").as_bytes(), FILE_MODE)
        .map_err(|source| Refusal::Io { path, source })?;
    Ok(Signed { statement, signed_by: key.id().to_owned(), jws })
}
