//! The folder of a provisioned box: where each thing that provisioning makes stands, and how
//! it gets there. Nothing is ever overwritten: what is there with other content is an error,
//! what is there as it should be is left alone, so that a run that was cut is run again.
//!
//! ```text
//! device.key              Ed25519 private key, mode 0600 …
//! device.key.cred         … or in its place a systemd credential
//! device.pub.pem, .jwk    its public half
//! mqtt.key, mqtt.csr      TLS key and certificate request, where the broker asks for a certificate
//! mqtt.password, broker-ca.crt, receiver-N.pub.pem, trust/models/…   copies of what was given
//! enrolment.txt, .png     the card
//! retired/                public keys that handed over to another
//! residentd.toml          the configuration, last: a box without it is not provisioned
//! ```

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::exit;
use crate::config::Configuration;
use crate::os::{self, disk::Disk, users};

/// For residentd's group to list, and nobody else.
const FOLDER_MODE: u32 = 0o750;
/// The account that the service runs as.
pub const SERVICE_USER: &str = "residentd";

/// Who reads a file beside root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// The service alone: mode 0600, its own.
    Service,
    /// The service's group: mode 0640, root's.
    Group,
    /// Everybody: mode 0644.
    All,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was not there.
    New,
    /// The same was there.
    There,
}

/// The folder, by default `/etc/residentd`.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder of a provisioned box with this configuration, where its key is the one that
    /// provisioning made.
    pub fn of(config: &Configuration) -> anyhow::Result<Self> {
        let path = std::path::absolute(&config.path).unwrap_or_else(|_| config.path.clone());
        let folder = Self(path.parent().map(Path::to_owned).unwrap_or_default());
        let key_file = &config.file.device.key_file;
        if *key_file == folder.device_key() {
            return Ok(folder);
        }
        Err(exit::coded(
            exit::CONFIG,
            format!(
                "[device] key_file is {}, not {} beside the configuration: only a box as `residentd provision` made it is changed",
                key_file.display(),
                folder.device_key().display()
            ),
        ))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn configuration(&self) -> PathBuf {
        self.0.join("residentd.toml")
    }

    pub fn device_key(&self) -> PathBuf {
        self.0.join("device.key")
    }

    pub fn password(&self) -> PathBuf {
        self.0.join("mqtt.password")
    }

    pub fn broker_ca(&self) -> PathBuf {
        self.0.join("broker-ca.crt")
    }

    pub fn tls_key(&self) -> PathBuf {
        self.0.join("mqtt.key")
    }

    pub fn tls_request(&self) -> PathBuf {
        self.0.join("mqtt.csr")
    }

    pub fn tls_certificate(&self) -> PathBuf {
        self.0.join("mqtt.crt")
    }

    /// Name of the `n`th receiver's public key, from 1.
    pub fn receiver_name(n: usize) -> String {
        format!("receiver-{n}.pub.pem")
    }

    pub fn receiver(&self, n: usize) -> PathBuf {
        self.0.join(Self::receiver_name(n))
    }

    /// The last link of a box that is being decommissioned, until that is done.
    pub fn ending(&self) -> PathBuf {
        self.0.join("decommissioning.jws")
    }

    /// Public keys that handed over to another.
    pub fn retired(&self) -> PathBuf {
        self.0.join("retired")
    }

    pub fn model_anchors(&self) -> PathBuf {
        self.0.join("trust/models")
    }

    /// Removes what a run that was cut was still writing; it may be half a key, or a whole one.
    pub fn sweep(&self) -> anyhow::Result<()> {
        for folder in [self.0.clone(), self.model_anchors()] {
            sweep(&folder).map_err(|e| exit::coded(exit::CANNOT_CREATE, format!("{}: {e}", folder.display())))?;
        }
        Ok(())
    }
}

fn sweep(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let mut swept = false;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_hidden && path.extension().is_some_and(|extension| extension == "new") {
            Disk::Real.remove(&path)?;
            swept = true;
        }
    }
    if swept { Disk::Real.sync_folder(folder) } else { Ok(()) }
}

/// Makes a folder of the box, or finds it made.
pub fn make(path: &Path) -> anyhow::Result<()> {
    Disk::Real.make_folders(path, FOLDER_MODE).map_err(|e| {
        exit::coded(exit::CANNOT_CREATE, format!("{}: {e}; run as root, or give --dir", path.display()))
    })?;
    hand_over(path, For::Group)
}

/// Puts `bytes` at `path`, whole and durable, unless the same is there.
pub fn put(path: &Path, bytes: &[u8], whose: For) -> anyhow::Result<Put> {
    let cannot = |e: io::Error| exit::coded(exit::CANNOT_CREATE, format!("{}: {e}", path.display()));
    let put = match Disk::Real.place_new(path, bytes, whose.mode()) {
        Ok(()) => Put::New,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            if std::fs::read(path).map_err(cannot)? != bytes {
                return Err(exit::coded(
                    exit::CANNOT_CREATE,
                    format!(
                        "{} exists with other content, and provisioning never overwrites: move it away to have it made anew",
                        path.display()
                    ),
                ));
            }
            Put::There
        }
        Err(e) => return Err(cannot(e)),
    };
    hand_over(path, whose)?;
    os::step("provision-put");
    Ok(put)
}

impl For {
    pub const fn mode(self) -> u32 {
        match self {
            Self::Service => 0o600,
            Self::Group => 0o640,
            Self::All => 0o644,
        }
    }
}

/// Gives `path` to the service's account, where we are root and there is one: the package
/// makes it, and a trial in a folder of one's own needs none.
pub fn hand_over(path: &Path, whose: For) -> anyhow::Result<()> {
    let Some(service) = users::effective_is_root().then(|| users::lookup(SERVICE_USER)).flatten() else {
        return Ok(());
    };
    let owner = if whose == For::Service { Some(service.uid) } else { None };
    users::give(path, owner, service.gid).map_err(|e| {
        exit::coded(exit::PERMISSION, format!("{}: cannot be given to {SERVICE_USER}: {e}", path.display()))
    })
}
