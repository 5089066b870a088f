//! What provisioning copies to the box: each file is read and understood before anything is written.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use super::answers::Answers;
use super::folder::{Folder, For};
use crate::cli::exit;
use crate::models::Vouching;
use crate::seal::public::PublicKey;

/// Largest file that is copied: an authority's bundle has some hundred kB.
const MAX_SOURCE_BYTES: u64 = 1024 * 1024;

/// A file to be put on the box.
pub struct Copied {
    pub to: PathBuf,
    pub bytes: Zeroizing<Vec<u8>>,
    pub whose: For,
}

/// Everything that the answers name, understood; `password` is one that was typed.
pub fn copies(answers: &Answers, password: Option<&str>, folder: &Folder) -> anyhow::Result<Vec<Copied>> {
    let mut copies = Vec::new();
    let mut copy = |to: PathBuf, bytes: Vec<u8>, whose| copies.push(Copied { to, bytes: Zeroizing::new(bytes), whose });
    let wrong = |answer: &'static str| move |why: String| exit::coded(exit::DATA, format!("{answer}: {why}"));
    if let Some(password) = password {
        copy(folder.password(), format!("{password}\n").into_bytes(), For::Service);
    } else if let Some(path) = &answers.broker_password_file {
        let bytes = read(path).map_err(wrong("broker_password_file"))?;
        if bytes.split(|b| matches!(b, b'\n' | b'\r')).next().is_none_or(<[u8]>::is_empty) {
            return Err(wrong("broker_password_file")(format!(
                "{}: the first line must be the password",
                path.display()
            )));
        }
        copy(folder.password(), bytes, For::Service);
    }
    if let Some(path) = &answers.broker_ca {
        copy(folder.broker_ca(), certificates(path).map_err(wrong("broker_ca"))?, For::All);
    }
    let mut receivers: Vec<PublicKey> = Vec::new();
    for (n, path) in (1..).zip(answers.receivers.iter().flatten()) {
        let key = public_key(path).map_err(wrong("receivers"))?;
        if receivers.contains(&key) {
            return Err(wrong("receivers")(format!(
                "{} is the same key as another one: name each once",
                path.display()
            )));
        }
        copy(folder.receiver(n), key.to_pem().into_bytes(), For::All);
        receivers.push(key);
    }
    // The key of this program's own bundles comes from this program: one that lies with them
    // proves nothing of them.
    if answers.model_anchors.as_ref().is_none_or(Vec::is_empty) {
        copy(folder.model_anchors().join("vendor.pub.pem"), Vouching::vendor_pem().as_bytes().to_vec(), For::All);
    }
    for path in answers.model_anchors.iter().flatten() {
        let key = public_key(path).map_err(wrong("model_anchors"))?;
        // By its own name: two files of one key are one anchor.
        copy(folder.model_anchors().join(format!("{}.pem", key.id())), key.to_pem().into_bytes(), For::All);
    }
    Ok(copies)
}

/// The public key in `path`.
pub fn public_key(path: &Path) -> Result<PublicKey, String> {
    PublicKey::load(path).map_err(|e| e.to_string())
}

/// The bytes of `path`, in which there is at least one certificate.
pub fn certificates(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = read(path)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match all {
        Ok(found) if !found.is_empty() => Ok(bytes),
        Ok(_) => Err(format!("{}: there is no certificate in PEM in it", path.display())),
        Err(e) => Err(format!("{}: {e}", path.display())),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let said = |e: std::io::Error| format!("{}: {e}", path.display());
    if std::fs::metadata(path).map_err(said)?.len() > MAX_SOURCE_BYTES {
        return Err(format!("{}: larger than {MAX_SOURCE_BYTES} bytes: is this the right file?", path.display()));
    }
    std::fs::read(path).map_err(said)
}
