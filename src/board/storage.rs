//! What the images lie on, and how worn it is: found by the number of the file system's
//! device, through partitions, encryption and volumes, down to the disk.

use super::facts::{Storage as Limits, StorageKind};
use super::root::Root;
use crate::os::Volume;

/// Partition, encryption, volume, disk: no sane box has more on top of each other.
const MAX_DEPTH: usize = 6;
/// Sectors of `/sys/block/*/stat` have 512 bytes on every disk.
const SECTORS_A_MIB: u64 = 2048;

/// What the images lie on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// What it is.
    pub kind: StorageKind,
    /// The kernel's name of the disk.
    pub disk: Option<String>,
    /// Its room.
    pub volume: Volume,
    /// What it says of its wear.
    pub wear: Wear,
    /// What was written to the disk since boot.
    pub written_mib: Option<u64>,
    /// Errors that the file system (ext4) found in itself, ever.
    pub errors: Option<u64>,
}

/// What a disk says of its wear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wear {
    /// Life that was used, in percent, as an upper bound; above 100 it is beyond its life.
    Used {
        /// In steps of ten.
        percent: u8,
        /// Spare blocks.
        spare: Spare,
    },
    /// It tells nothing, or not to us.
    Untold,
}

/// How many spare blocks are left (`PRE_EOL_INFO` of JESD84-B51).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spare {
    /// Enough, or not told.
    Enough,
    /// Four fifths are used.
    Few,
    /// Nine tenths are used.
    Least,
}

/// What follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Nothing is known against it.
    Fine,
    /// Plan to replace it.
    Worn,
    /// Replace it now: it is at its end, or loses data.
    Failing,
}

impl Storage {
    /// How it is, by the limits of the board.
    #[must_use]
    pub fn health(&self, limits: &Limits) -> Health {
        let wear = match self.wear {
            Wear::Used { percent, spare } if percent >= limits.spent_percent || spare == Spare::Least => {
                Health::Failing
            }
            Wear::Used { percent, spare } if percent >= limits.worn_percent || spare == Spare::Few => Health::Worn,
            Wear::Used { .. } | Wear::Untold => Health::Fine,
        };
        if self.volume.read_only || self.errors.is_some_and(|errors| errors > 0) { Health::Failing } else { wear }
    }
}

/// What `volume` lies on.
pub(super) fn storage(root: &Root, volume: Volume) -> Storage {
    let (major, minor) = volume.device;
    let number = format!("{major}:{minor}");
    let entry = format!("sys/dev/block/{number}");
    let disk = disk(root, &entry);
    let folder = disk.as_ref().map(|disk| format!("sys/block/{disk}"));
    let device = |file: &str| folder.as_ref().and_then(|folder| root.text(&format!("{folder}/{file}")));
    let kind = match (disk.as_deref(), device("device/type").as_deref()) {
        (Some(disk), Some("SD")) if disk.starts_with("mmcblk") => StorageKind::Sd,
        (Some(disk), Some("MMC")) if disk.starts_with("mmcblk") => StorageKind::Emmc,
        (Some(disk), _) if disk.starts_with("nvme") => StorageKind::Nvme,
        (Some(disk), _) if disk.starts_with("sd") => match device("queue/rotational").as_deref() {
            Some("0") => StorageKind::Ssd,
            Some("1") => StorageKind::Disk,
            _ => StorageKind::Unknown,
        },
        _ => StorageKind::Unknown,
    };
    let written = device("stat").and_then(|stat| stat.split_whitespace().nth(6)?.parse::<u64>().ok());
    Storage {
        kind,
        wear: device("device/life_time")
            .map_or(Wear::Untold, |life| emmc(&life, device("device/pre_eol_info").as_deref())),
        written_mib: written.map(|sectors| sectors / SECTORS_A_MIB),
        errors: name(root, &entry).and_then(|name| root.number(&format!("sys/fs/ext4/{name}/errors_count"))),
        disk,
        volume,
    }
}

/// `DEVICE_LIFE_TIME_EST_TYP_A` and `_B` (JESD84-B51 7.4.23): 1 is up to ten percent, 11
/// beyond the end, 0 not told.
fn emmc(life: &str, pre_eol: Option<&str>) -> Wear {
    let hex = |text: &str| u8::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    let spare = match pre_eol.and_then(hex) {
        Some(3) => Spare::Least,
        Some(2) => Spare::Few,
        _ => Spare::Enough,
    };
    match life.split_whitespace().filter_map(hex).max() {
        Some(steps @ 1..=11) => Wear::Used { percent: steps * 10, spare },
        _ if spare == Spare::Enough => Wear::Untold,
        _ => Wear::Used { percent: 0, spare },
    }
}

/// The kernel's name of the device at `entry`.
fn name(root: &Root, entry: &str) -> Option<String> {
    let target = std::fs::canonicalize(root.path(entry)).ok()?;
    Some(target.file_name()?.to_str()?.to_owned())
}

/// The name of the disk below the device at `entry`.
fn disk(root: &Root, entry: &str) -> Option<String> {
    let mut at = std::fs::canonicalize(root.path(entry)).ok()?;
    for _ in 0..MAX_DEPTH {
        if at.join("partition").exists() {
            at = at.parent()?.to_owned();
        } else if let Some(below) = std::fs::read_dir(at.join("slaves")).ok().and_then(|mut below| below.next()) {
            at = std::fs::canonicalize(below.ok()?.path()).ok()?;
        } else {
            return Some(at.file_name()?.to_str()?.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::recorded::Recorded;

    const LIMITS: Limits = Limits { kind: StorageKind::Emmc, worn_percent: 80, spent_percent: 100 };

    fn volume() -> Volume {
        Volume { device: (179, 2), free_bytes: 1, size_bytes: 2, free_inodes: 3, inodes: 4, read_only: false }
    }

    fn card(kind: &str) -> Recorded {
        let tree = Recorded::new();
        tree.disk("179:2", "mmcblk0", "mmcblk0p2").file("sys/block/mmcblk0/device/type", &format!("{kind}\n"));
        tree
    }

    #[test]
    fn an_emmc_tells_its_life_and_is_worn_before_it_fails() {
        let tree = card("MMC");
        let wear = |life: &str, pre_eol: &str| {
            tree.file("sys/block/mmcblk0/device/life_time", life);
            tree.file("sys/block/mmcblk0/device/pre_eol_info", pre_eol);
            let storage = storage(&tree.root(), volume());
            (storage.kind, storage.wear, storage.health(&LIMITS))
        };
        let used = |percent, spare| Wear::Used { percent, spare };
        for (life, pre_eol, found, health) in [
            ("0x01 0x02\n", "0x01\n", used(20, Spare::Enough), Health::Fine),
            ("0x08 0x01\n", "0x01\n", used(80, Spare::Enough), Health::Worn),
            ("0x0b 0x01\n", "0x01\n", used(110, Spare::Enough), Health::Failing),
            ("0x01 0x01\n", "0x02\n", used(10, Spare::Few), Health::Worn),
            ("0x00 0x00\n", "0x03\n", used(0, Spare::Least), Health::Failing),
            ("0x00 0x00\n", "0x00\n", Wear::Untold, Health::Fine),
        ] {
            assert_eq!(wear(life, pre_eol), (StorageKind::Emmc, found, health), "{life} {pre_eol}");
        }
    }

    #[test]
    fn a_card_tells_nothing_but_its_file_system_does() {
        let tree = card("SD");
        let storage = |volume| super::storage(&tree.root(), volume);
        assert_eq!((storage(volume()).kind, storage(volume()).wear), (StorageKind::Sd, Wear::Untold));
        assert_eq!(storage(Volume { read_only: true, ..volume() }).health(&LIMITS), Health::Failing);
        tree.file("sys/fs/ext4/mmcblk0p2/errors_count", "3\n");
        tree.file("sys/block/mmcblk0/stat", "1 0 2 0 5 0 204800 0 0 0 0\n");
        let found = storage(volume());
        assert_eq!((found.health(&LIMITS), found.errors, found.written_mib), (Health::Failing, Some(3), Some(100)));
    }

    #[test]
    fn the_disk_below_an_encrypted_volume_is_found_and_a_container_has_none() {
        let tree = Recorded::new();
        tree.disk("259:3", "nvme0n1", "nvme0n1p3").link("sys/dev/block/254:0", "../../devices/virtual/block/dm-0");
        let below = "../../../../platform/nvme0n1/block/nvme0n1/nvme0n1p3";
        tree.link("sys/devices/virtual/block/dm-0/slaves/nvme0n1p3", below);
        let on = |device| storage(&tree.root(), Volume { device, ..volume() });
        assert_eq!((on((254, 0)).kind, on((254, 0)).disk.as_deref()), (StorageKind::Nvme, Some("nvme0n1")));
        assert_eq!((on((0, 41)).kind, on((0, 41)).disk), (StorageKind::Unknown, None));
    }
}
