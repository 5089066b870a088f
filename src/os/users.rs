//! Accounts: who we are, who the service is, and whose a file is.

use std::io;
use std::path::Path;

use rustix::fs::{Gid, Uid, chown};

/// Longest list of accounts that is read.
const MAX_PASSWD_BYTES: u64 = 1024 * 1024;

/// An account of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Id of its first group.
    pub gid: u32,
}

/// True where this process may give files away.
#[must_use]
pub fn effective_is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The account `name` of this machine itself (`/etc/passwd`; systemd's sysusers writes there).
#[must_use]
pub fn lookup(name: &str) -> Option<Account> {
    let path = Path::new("/etc/passwd");
    if std::fs::metadata(path).ok()?.len() > MAX_PASSWD_BYTES {
        return None;
    }
    in_passwd(&String::from_utf8_lossy(&std::fs::read(path).ok()?), name)
}

fn in_passwd(text: &str, name: &str) -> Option<Account> {
    accounts(text).find_map(|(found, account)| (found == name).then_some(account))
}

/// The accounts in the text of a user database (passwd(5)) with their names; a line that is
/// none is left out.
pub fn accounts(text: &str) -> impl Iterator<Item = (&str, Account)> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (name, _password) = (fields.next()?, fields.next()?);
        Some((name, Account { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? }))
    })
}

/// Whose `path` is.
///
/// # Errors
/// It cannot be looked at.
pub fn owner(path: &Path) -> io::Result<Account> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::symlink_metadata(path)?;
    Ok(Account { uid: metadata.uid(), gid: metadata.gid() })
}

/// Gives `path` to group `gid`, and to user `uid` where there is one.
///
/// # Errors
/// The system refused.
pub fn give(path: &Path, uid: Option<u32>, gid: u32) -> io::Result<()> {
    Ok(chown(path, uid.map(Uid::from_raw), Some(Gid::from_raw(gid)))?)
}

/// Gives everything below `folder` to whom `folder` belongs, where we are root: what root
/// wrote for the service must be the service's. Links are not followed.
///
/// # Errors
/// The system refused.
pub fn give_to_owner_of(folder: &Path) -> io::Result<()> {
    if !effective_is_root() {
        return Ok(());
    }
    let account = owner(folder)?;
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_symlink() {
                continue;
            }
            if owner(&entry.path())? != account {
                give(&entry.path(), Some(account.uid), account.gid)?;
            }
            if kind.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let text = "root:x:0:0:root:/root:/bin/sh\nresidentd-old:x:7:8::/:\nresidentd:x:998:997::/var/lib/residentd:/usr/sbin/nologin\n";
        assert_eq!(in_passwd(text, "residentd"), Some(Account { uid: 998, gid: 997 }));
        assert_eq!(in_passwd(text, "resident"), None);
        assert_eq!(in_passwd("residentd:x:y:z\n", "residentd"), None);
    }
}
