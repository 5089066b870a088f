//! The disk of the state folder: room, whether it can be written, and whether what is written
//! there stays. How worn it is, is the board's to say.

use std::path::{Path, PathBuf};

use super::finding::Found;
use crate::os::{self, Volume};

const MIB: u64 = 1024 * 1024;
/// Where a path lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// `ext4`, `tmpfs`, …
    pub kind: String,
    /// `/dev/mmcblk0p2`, …
    pub source: String,
}

/// Looks at the disk of `folder`, or of what is above it where it is not there yet.
#[must_use]
pub fn look(root: &Path, folder: &Path, min_free_mib: u32) -> Found {
    let Some(there) = folder.ancestors().find(|path| path.is_dir()) else {
        return Found::failed(
            format!("no part of {} exists", folder.display()),
            "correct [device] state_dir, or mount the disk that it is on",
        );
    };
    let volume = match os::volume(there) {
        Ok(volume) => volume,
        Err(e) => return Found::not_checked(format!("{}: {e}", there.display())),
    };
    let found = judge(&volume, min_free_mib, folder);
    match mount(root, there) {
        Some(mount) => found.and(judge_mount(&mount)),
        None => found,
    }
}

/// What `volume` is worth for a daemon that refuses images below `min_free_mib`.
#[must_use]
pub fn judge(volume: &Volume, min_free_mib: u32, folder: &Path) -> Found {
    let (free_mib, least, shown) = (volume.free_bytes / MIB, u64::from(min_free_mib), folder.display());
    let room = format!("{shown}: {free_mib} MiB free");
    let make_room = "make room on that disk: `residentd` deletes delivered images itself, so look for what else lies there; or lower [retention] image_days";
    if volume.read_only {
        Found::failed(
            format!("{shown} is mounted read-only: the kernel does that after errors of the card"),
            "`dmesg | grep -i -e ext4 -e mmc -e nvme` says why; a card that did this is to be replaced; `mount -o remount,rw` is for the time until then",
        )
    } else if free_mib < least {
        Found::failed(
            format!("{room}, below [dicom] min_free_mib = {least}: images are refused with 0xA700"),
            make_room,
        )
    } else if free_mib < least.saturating_mul(2) {
        Found::warning(format!("{room}, and images are refused below {least}"), make_room)
    } else {
        Found::ok(room)
    }
}

/// The mount that `path` lies on, by the longest mount point above it.
fn mount(root: &Path, path: &Path) -> Option<Mount> {
    let path = path.canonicalize().ok()?;
    let table = std::fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let mounts = table.lines().filter_map(mount_of);
    mounts.filter(|mount| path.starts_with(&mount.point)).max_by_key(|mount| mount.point.as_os_str().len())
}

/// One line of `/proc/self/mountinfo` (proc(5)): fields, then ` - `, then type and source.
fn mount_of(line: &str) -> Option<Mount> {
    let (fields, rest) = line.split_once(" - ")?;
    let mut rest = rest.split(' ');
    let point = fields.split(' ').nth(4)?.replace("\\040", " ").into();
    Some(Mount { point, kind: rest.next()?.to_owned(), source: rest.next()?.to_owned() })
}

/// Whether what is written there can be durable.
#[must_use]
pub fn judge_mount(mount: &Mount) -> Found {
    let (kind, point) = (mount.kind.as_str(), mount.point.display());
    let seen = format!("{kind} on {} at {point}", mount.source);
    match kind {
        "tmpfs" | "ramfs" => Found::warning(
            format!("{seen}: in memory, so that every image and outcome is gone when the power goes"),
            "put [device] state_dir on a disk; the promises of this program rest on it",
        ),
        "overlay" => Found::warning(
            format!("{seen}: an overlay may lie in memory (a read-only root file system does that)"),
            "put [device] state_dir on a partition of its own that is written for good",
        ),
        "vfat" | "exfat" | "msdos" | "nfs" | "nfs4" | "cifs" => Found::failed(
            format!("{seen}: neither durable renames nor the store's locks can be had there"),
            "put [device] state_dir on a local file system such as ext4",
        ),
        _ => Found::ok(seen),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn a_full_and_a_read_only_disk_fail_and_a_filling_one_warns() {
        let sound = Volume {
            device: (179, 2),
            free_bytes: 4096 * MIB,
            size_bytes: 1 << 40,
            free_inodes: 9,
            inodes: 9,
            read_only: false,
        };
        let found = |volume: Volume| judge(&volume, 512, Path::new("/var/lib/residentd"));
        assert_eq!(found(sound.clone()).state, State::Ok);
        let full = found(Volume { free_bytes: 511 * MIB, ..sound.clone() });
        assert!(full.state == State::Failed && full.what[0].contains("0xA700") && full.todo[0].contains("make room"));
        assert_eq!(found(Volume { free_bytes: 600 * MIB, ..sound.clone() }).state, State::Warning);
        let fixed = found(Volume { read_only: true, ..sound });
        assert!(fixed.state == State::Failed && fixed.todo[0].contains("dmesg"), "{fixed:?}");
    }

    #[test]
    fn what_lies_in_memory_or_cannot_be_durable_is_said() {
        let on = |line| judge_mount(&mount_of(line).unwrap());
        let ext4 = "36 35 179:2 / /var/lib rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw";
        assert_eq!(on(ext4), Found::ok("ext4 on /dev/mmcblk0p2 at /var/lib"));
        assert_eq!(on("36 35 0:3 / /run rw - tmpfs tmpfs rw").state, State::Warning);
        assert_eq!(on("36 35 0:3 / / rw - overlay overlay rw").state, State::Warning);
        let stick = on("36 35 8:1 / /media/a\\040stick rw - vfat /dev/sda1 rw");
        assert!(stick.state == State::Failed && stick.what[0].contains("/media/a stick"), "{stick:?}");
    }
}
