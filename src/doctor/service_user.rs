//! Who runs the daemon, and what that user may touch: judged from owners and mode bits, so
//! that root can say what the service will meet.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::os::users::accounts;

/// The user that runs the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUser {
    /// Its number.
    pub uid: u32,
    /// Its groups, the first its own.
    pub groups: Vec<u32>,
    /// Its name, or its number where it has none.
    pub name: String,
}

/// What is wanted of a file: the bits of one of the three triplets of its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To read it.
    Read = 0o4,
    /// To write it.
    Write = 0o2,
    /// To go through a folder.
    Enter = 0o1,
}

impl ServiceUser {
    /// The user `uid`, as the user database below `root` has it.
    #[must_use]
    pub fn of(root: &Path, uid: u32) -> Self {
        let passwd = std::fs::read_to_string(root.join("etc/passwd")).unwrap_or_default();
        let Some((name, account)) = accounts(&passwd).find(|(_, account)| account.uid == uid) else {
            return Self { uid, groups: vec![uid], name: uid.to_string() };
        };
        let group = std::fs::read_to_string(root.join("etc/group")).unwrap_or_default();
        let member = |fields: &Vec<&str>| fields.get(3).is_some_and(|members| members.split(',').any(|m| m == name));
        let lines = group.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let others = lines.filter(member).filter_map(|fields| fields.get(2)?.parse().ok());
        Self { uid, groups: std::iter::once(account.gid).chain(others).collect(), name: name.to_owned() }
    }

    /// The user `name`, where there is one.
    #[must_use]
    pub fn named(root: &Path, name: &str) -> Option<Self> {
        let passwd = std::fs::read_to_string(root.join("etc/passwd")).ok()?;
        let (_, account) = accounts(&passwd).find(|(found, _)| *found == name)?;
        Some(Self::of(root, account.uid))
    }

    /// Whether mode and owner let this user do that.
    #[must_use]
    pub fn may(&self, wish: Wish, file: &Metadata) -> bool {
        let (bits, mode) = (wish as u32, file.mode());
        if self.uid == 0 {
            return wish != Wish::Enter || mode & 0o111 != 0;
        }
        let shift = match () {
            () if file.uid() == self.uid => 6,
            () if self.groups.contains(&file.gid()) => 3,
            () => 0,
        };
        mode >> shift & bits == bits
    }

    /// Whether this user comes as far as the folder that `path` is in.
    #[must_use]
    pub fn reaches(&self, path: &Path) -> bool {
        path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).all(|folder| {
            // What we may not look at ourselves we do not judge.
            std::fs::metadata(folder).map_or(true, |metadata| self.may(Wish::Enter, &metadata))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_user_is_known_by_name_and_number_with_all_its_groups() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        let write = |name, text: &str| std::fs::write(root.path().join("etc").join(name), text).unwrap();
        write("passwd", "root:x:0:0::/root:/bin/sh\nresidentd:x:990:991::/:/usr/sbin/nologin\n");
        write("group", "root:x:0:\nkeys:x:5:other,residentd\nvideo:x:6:other\n");
        let expected = ServiceUser { uid: 990, groups: vec![991, 5], name: "residentd".to_owned() };
        assert_eq!(ServiceUser::named(root.path(), "residentd"), Some(expected.clone()));
        assert_eq!(ServiceUser::of(root.path(), 990), expected);
        assert_eq!(
            (ServiceUser::named(root.path(), "nobody"), ServiceUser::of(root.path(), 7).name),
            (None, "7".into())
        );
    }

    #[test]
    fn mode_and_owner_decide_as_the_kernel_would() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, "").unwrap();
        let owner = std::fs::metadata(&file).unwrap();
        let user = |uid, gid| ServiceUser { uid, groups: vec![gid], name: String::new() };
        let may = |mode, user: &ServiceUser, wish| {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            user.may(wish, &std::fs::metadata(&file).unwrap())
        };
        let (member, stranger) = (user(4_000_000, owner.gid()), user(4_000_000, 4_000_000));
        assert!(may(0o640, &member, Wish::Read) && !may(0o640, &member, Wish::Write));
        assert!(!may(0o640, &stranger, Wish::Read) && may(0o604, &stranger, Wish::Read));
        assert!(!may(0o604, &member, Wish::Read), "the first triplet that fits decides");
        assert!(may(0o000, &user(0, 0), Wish::Read));
    }
}
