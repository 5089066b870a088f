//! How the device's private key is kept: a file of mode 0600, or a systemd credential that only
//! this machine opens (`systemd-creds(1)`). Sealed, the key is never in the clear on disk: it
//! goes to systemd-creds through a pipe, and comes back through one.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::answers::KeyKept;
use super::folder::{Folder, For};
use crate::cli::exit;
use crate::os::disk::Disk;
use crate::seal::key::DeviceKey;

/// Name of the credential: what the service finds in `$CREDENTIALS_DIRECTORY`.
pub const CREDENTIAL: &str = "device.key";
const SYSTEMD_CREDS: &str = "systemd-creds";

/// Where a private key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeping {
    /// In a file of mode 0600.
    File(PathBuf),
    /// In an encrypted credential.
    Credential(PathBuf),
}

impl Keeping {
    /// Where the key of `folder` is, if it is.
    pub fn find(folder: &Folder) -> Option<Self> {
        Self::both(folder.device_key()).into_iter().find(|keeping| keeping.path().exists())
    }

    /// Where the key that follows, or that was before, is: its name ends in `word`.
    pub fn find_other(folder: &Folder, word: &str) -> Option<Self> {
        Self::both(with_word(&folder.device_key(), word)).into_iter().find(|keeping| keeping.path().exists())
    }

    /// The same kind of place under the name that ends in `word`.
    pub fn beside(&self, folder: &Folder, word: &str) -> Self {
        let [file, credential] = Self::both(with_word(&folder.device_key(), word));
        if matches!(self, Self::File(_)) { file } else { credential }
    }

    /// Where a key that is kept as `kept` will be.
    pub fn place(folder: &Folder, kept: KeyKept) -> Self {
        let [file, credential] = Self::both(folder.device_key());
        if kept == KeyKept::File { file } else { credential }
    }

    fn both(plain: PathBuf) -> [Self; 2] {
        let credential = with_word(&plain, "cred");
        [Self::File(plain), Self::Credential(credential)]
    }

    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Credential(path) => path,
        }
    }

    /// The key.
    pub fn load(&self) -> anyhow::Result<DeviceKey> {
        match self {
            Self::File(path) => Ok(DeviceKey::load(path)?),
            Self::Credential(path) => {
                let pem = piped(&["decrypt", &format!("--name={CREDENTIAL}"), &path.display().to_string(), "-"], b"")?;
                Ok(DeviceKey::from_pem(&pem, path)?)
            }
        }
    }

    /// Writes `key` to this place, which must be free, and leaves it root's: systemd gives the
    /// service a copy that is gone with the service. When this returns, it survives a power cut.
    pub fn save_new(&self, key: &DeviceKey, kept: KeyKept) -> anyhow::Result<()> {
        match self {
            Self::File(path) => key.save_new(path)?,
            Self::Credential(path) => {
                let sealed = seal(key, kept)?;
                Disk::Real
                    .place_new(path, &sealed, For::Service.mode())
                    .map_err(|e| exit::coded(exit::CANNOT_CREATE, format!("{}: {e}", path.display())))?;
            }
        }
        Ok(())
    }
}

/// Encrypts `key` under the name of the credential.
fn seal(key: &DeviceKey, kept: KeyKept) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let with = match kept {
        KeyKept::Tpm2 => "tpm2",
        KeyKept::Host => "host",
        KeyKept::File => "auto",
    };
    if kept == KeyKept::Tpm2 && !has_tpm2() {
        return Err(exit::coded(
            exit::UNAVAILABLE,
            "key = \"tpm2\": systemd-creds finds no usable TPM 2 on this machine; answer \"file\" (or \"host\")",
        ));
    }
    let pem = key.pkcs8_pem();
    piped(&["encrypt", &format!("--name={CREDENTIAL}"), &format!("--with-key={with}"), "-", "-"], pem.as_bytes())
}

/// True where there is a TPM 2 that systemd can use.
pub fn has_tpm2() -> bool {
    let quiet = Command::new(SYSTEMD_CREDS).arg("has-tpm2").stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// Runs systemd-creds with `input` on its standard input; what it says on its output.
fn piped(arguments: &[&str], input: &[u8]) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let failed = |why: String| exit::coded(exit::UNAVAILABLE, format!("systemd-creds {}: {why}", arguments[0]));
    let mut child = Command::new(SYSTEMD_CREDS)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(format!("{e}; it comes with systemd: answer key = \"file\" where it is not")))?;
    // Both are far smaller than a pipe holds, so that nobody waits for the other.
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input).map_err(|e| failed(e.to_string()))?;
    }
    let output = child.wait_with_output().map_err(|e| failed(e.to_string()))?;
    let said = Zeroizing::new(output.stdout);
    if output.status.success() {
        Ok(said)
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

fn with_word(path: &Path, word: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(word);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_where_it_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path().to_owned());
        assert_eq!(Keeping::find(&folder), None);
        let key = DeviceKey::generate().unwrap();
        let file = Keeping::place(&folder, KeyKept::File);
        file.save_new(&key, KeyKept::File).unwrap();
        assert_eq!(Keeping::find(&folder), Some(file.clone()));
        assert_eq!(file.load().unwrap().id(), key.id());
    }
}
