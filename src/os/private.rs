//! Files that hold a secret: read only where nobody else could read them, and wiped
//! from memory when dropped.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Mode bits that let anyone but the owner at a file.
const OTHERS: u32 = 0o077;
/// The same of a credential: systemd gives root's file to us alone by an access control list,
/// whose mask is shown where the group's bits stand (since systemd 250).
const OTHERS_OF_CREDENTIAL: u32 = 0o037;
/// The variable that names the folder of this service's credentials (systemd.exec(5)).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// Longest file of keys or passwords: an RSA key of 16,384 bits in PEM has 13 kB.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Why a secret is not taken from its file.
#[derive(Debug, thiserror::Error)]
pub enum NotPrivate {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than the owner may touch it.
    #[error(
        "{path} has mode {mode:04o}, so that others can use it: `chmod 600 {path}`, and consider a new secret in it"
    )]
    Permissions {
        /// Which file.
        path: PathBuf,
        /// Its mode bits.
        mode: u32,
    },
    /// Somebody else owns it.
    #[error("{path} belongs to user {owner}, not to user {us} or root: `chown {us} {path}`")]
    Owner {
        /// Which file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// It is longer than any secret.
    #[error("{path} is longer than {MAX_SECRET_BYTES} bytes: it is no key and no password")]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
}

/// The folder of the credentials that the service manager gave to this process, if it did.
#[must_use]
pub fn credentials() -> Option<PathBuf> {
    std::env::var_os(CREDENTIALS).map(PathBuf::from).filter(|folder| folder.is_absolute())
}

/// The credential `name`, where there is one; it goes before a file that says the same.
#[must_use]
pub fn credential(name: &str) -> Option<PathBuf> {
    credentials().map(|folder| folder.join(name)).filter(|path| path.exists())
}

/// The bytes of the secret in file `path`.
///
/// # Errors
/// Unreadable, too long, open to others, or owned by somebody else.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, NotPrivate> {
    read_as(path, rustix::process::geteuid().as_raw())
}

/// As [`read`], as it would be for the user `us`, where root looks at what a daemon will meet.
///
/// # Errors
/// As [`read`].
pub fn read_as(path: &Path, us: u32) -> Result<Zeroizing<Vec<u8>>, NotPrivate> {
    let unreadable = |source| NotPrivate::Unreadable { path: path.to_owned(), source };
    // What is checked is what is read: the file is opened once.
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let others = match credentials() {
        Some(folder) if path.starts_with(&folder) => OTHERS_OF_CREDENTIAL,
        _ => OTHERS,
    };
    check(path, others, metadata.mode() & 0o7777, metadata.uid(), us)?;
    if metadata.len() > MAX_SECRET_BYTES {
        return Err(NotPrivate::TooLong { path: path.to_owned() });
    }
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(vec![0; usize::try_from(metadata.len()).unwrap_or(0)]);
    (&file).read_exact(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn check(path: &Path, others: u32, mode: u32, owner: u32, us: u32) -> Result<(), NotPrivate> {
    if mode & others != 0 {
        return Err(NotPrivate::Permissions { path: path.to_owned(), mode });
    }
    // Root tries out what is the service's; the service takes nobody's word but root's.
    if owner != us && owner != 0 && us != 0 {
        return Err(NotPrivate::Owner { path: path.to_owned(), owner, us });
    }
    Ok(())
}

/// Writes a file that [`read`] takes; for tests.
#[cfg(test)]
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_read_whole_and_only_where_nobody_else_can() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "word").unwrap();
        for mode in [0o640, 0o604, 0o660, 0o610, 0o600, 0o400] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match read(&path) {
                Ok(bytes) => assert!(mode & OTHERS == 0 && bytes[..] == *b"word"),
                Err(e) => assert!(mode & OTHERS != 0 && e.to_string().contains("chmod 600"), "{mode:o}: {e}"),
            }
        }
        File::options().write(true).open(&path).unwrap().set_len(MAX_SECRET_BYTES + 1).unwrap();
        assert!(matches!(read(&path), Err(NotPrivate::TooLong { .. })));
    }

    #[test]
    fn a_secret_of_somebody_else_is_refused_and_one_of_root_is_not() {
        let error = check(Path::new("k"), OTHERS, 0o600, 1000, 998).unwrap_err().to_string();
        assert!(error.contains("chown 998"), "{error}");
        assert!(check(Path::new("k"), OTHERS, 0o600, 0, 998).is_ok());
        assert!(check(Path::new("k"), OTHERS, 0o600, 998, 0).is_ok(), "root checks the service's");
    }

    #[test]
    fn a_credential_of_root_that_a_list_gives_to_us_is_private_and_a_file_like_it_is_not() {
        assert!(check(Path::new("k"), OTHERS_OF_CREDENTIAL, 0o440, 0, 998).is_ok());
        assert!(check(Path::new("k"), OTHERS_OF_CREDENTIAL, 0o444, 0, 998).is_err());
        assert!(check(Path::new("k"), OTHERS_OF_CREDENTIAL, 0o460, 0, 998).is_err());
        assert!(check(Path::new("k"), OTHERS, 0o440, 0, 998).is_err());
    }
}
