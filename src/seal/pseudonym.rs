//! Pseudonyms: what the device calls a patient and a study where it need not know who it is.
//!
//! ```text
//! secret    = HMAC-SHA-256(private key's seed, "residentd pseudonyms 1")
//! pseudonym = HMAC-SHA-256(secret, kind NUL issuer NUL identifier)
//! ```
//! Only who holds the device's key can make one or try a list of identifiers against one,
//! and no two devices make the same. With a new device key all old pseudonyms are nobody's.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::key::DeviceKey;

const LABEL: &str = "residentd pseudonyms 1";

/// Makes pseudonyms; its secret is wiped from memory when dropped.
pub struct Pseudonyms(Zeroizing<[u8; 32]>);

/// A pseudonym. It says nothing without the secret, and is shown nowhere all the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pseudonym([u8; 32]);

impl Pseudonyms {
    /// Those of the device that signs with `key`.
    #[must_use]
    pub fn of(key: &DeviceKey) -> Self {
        Self(Zeroizing::new(mac(key.seed().as_ref(), &[LABEL])))
    }

    /// Of the patient with Patient ID (0010,0020) `id`, given out by `issuer` (0010,0021).
    /// The same number from another issuer is somebody else; no issuer is one of its own.
    #[must_use]
    pub fn patient(&self, issuer: Option<&str>, id: &str) -> Pseudonym {
        Pseudonym(mac(self.0.as_ref(), &["patient", issuer.unwrap_or_default(), id]))
    }

    /// Of the study with Study Instance UID (0020,000D) `uid`.
    #[must_use]
    pub fn study(&self, uid: &str) -> Pseudonym {
        Pseudonym(mac(self.0.as_ref(), &["study", "", uid]))
    }
}

impl Pseudonym {
    /// The 32 raw bytes, for the store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonym")
    }
}

/// NUL stands between the parts; no DICOM text that is kept holds one.
fn mac(secret: &[u8], parts: &[&str]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(parts.join("\0").as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_the_devices_own_and_the_same_each_time() {
        let (ours, theirs) = (DeviceKey::generate().unwrap(), DeviceKey::generate().unwrap());
        let of = |key: &DeviceKey| Pseudonyms::of(key).patient(None, "PAT-4711");
        assert_eq!(of(&ours), of(&ours));
        assert_ne!(of(&ours), of(&theirs));
    }

    #[test]
    fn issuer_kind_and_identifier_each_make_another_pseudonym() {
        let pseudonyms = Pseudonyms::of(&DeviceKey::generate().unwrap());
        let all = [
            pseudonyms.patient(None, "1.2"),
            pseudonyms.patient(Some("CLINIC"), "1.2"),
            pseudonyms.patient(Some("HOSPITAL"), "1.2"),
            pseudonyms.patient(None, "1.20"),
            pseudonyms.study("1.2"),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(!all[i + 1..].contains(one), "{i}");
        }
        assert_eq!(format!("{:?}", all[0]), "Pseudonym");
    }

    #[test]
    fn the_construction_is_hmac_sha_256() {
        // RFC 4231, test case 2.
        let tag = mac(b"Jefe", &["what do ya want for nothing?"]);
        assert_eq!(
            crate::digest::Digest::from_bytes(tag).to_string(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
