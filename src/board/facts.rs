//! Facts of one board, as `board/*.toml` says them. A file is compiled in by being there; a
//! stranger adds a board by copying one. What is not known of a board is left out.

use serde::Deserialize;

use super::cpus::Cpus;
use super::lamp::Lamp;

/// Every file of the folder `board`: its name and its text.
pub(super) const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/boards.rs"));

/// Facts of one board.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// As people call it.
    pub name: String,
    /// Rust's name of the architecture.
    pub arch: String,
    /// Device-tree `compatible` strings of the board.
    #[serde(default)]
    pub compatible: Vec<String>,
    /// Those of its chip: another board with that chip gets these facts but for the LEDs.
    #[serde(default)]
    pub chip: Vec<String>,
    /// What the firmware of a PC calls the product (DMI), where there is no device tree.
    #[serde(default)]
    pub product: Vec<String>,
    /// Its processor.
    pub cpu: Cpu,
    /// What the two processes may use.
    pub memory: Memory,
    /// What it keeps images on.
    pub storage: Storage,
    /// When it is too warm.
    pub thermal: Thermal,
    /// Its hardware watchdog, which the service manager feeds.
    pub watchdog: Option<Watchdog>,
    /// The LEDs that show what the box does.
    #[serde(default)]
    pub leds: Vec<Lamp>,
    /// Its power modes.
    pub power: Option<Power>,
}

/// `[cpu]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cpu {
    /// Cores; of a generic board, those that can be counted on.
    pub cores: u16,
    /// CPUs for the gateway; absent: the kernel chooses.
    pub gateway: Option<Cpus>,
    /// CPUs for the reader, whose one thread reads one image at a time.
    pub reader: Option<Cpus>,
}

/// `[memory]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Resident memory that the gateway should never need more than.
    pub gateway_mib: u32,
    /// Address space of the reader where the configuration does not say.
    pub reader_mib: u32,
}

/// `[storage]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// What it comes with, or what it should have.
    pub kind: StorageKind,
    /// Used life in percent, where the device tells it, from which on it is worn.
    pub worn_percent: u8,
    /// The same from which on it is spent.
    pub spent_percent: u8,
}

/// What images are kept on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StorageKind {
    /// An SD card: tells nothing of its wear.
    Sd,
    /// An eMMC: tells its used life in steps of ten percent (JESD84-B51).
    Emmc,
    /// An `NVMe` drive: tells its wear to root alone.
    Nvme,
    /// A solid-state disk behind another interface.
    Ssd,
    /// A rotating disk.
    Disk,
    /// No block device of our own can be seen: a container, a network, a memory disk.
    Unknown,
}

/// `[thermal]`, in degrees Celsius.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thermal {
    /// Types of thermal zones and names of hwmon chips, the hottest of which counts; empty:
    /// every thermal zone.
    pub sensors: Vec<String>,
    /// From here on reading is slower.
    pub warm_c: i16,
    /// From here on nothing is read; images are still received.
    pub hot_c: i16,
    /// It ends so far below where it began.
    pub hysteresis_c: i16,
    /// Where the board slows itself down, as its maker documents.
    pub throttles_c: Option<i16>,
    /// Files that hold the Raspberry Pi firmware's `get_throttled` word.
    #[serde(default)]
    pub throttled_files: Vec<String>,
}

/// `[watchdog]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watchdog {
    /// Its device.
    pub device: String,
    /// The kernel's driver for it.
    pub driver: Option<String>,
    /// The longest time that it can be set to.
    pub longest_s: Option<u16>,
}

/// `[power]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// The program that sets the modes.
    pub modes: PowerModes,
}

/// Who knows the power mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PowerModes {
    /// NVIDIA's `nvpmodel`: the number in `/var/lib/nvpmodel/status`, its name in `/etc/nvpmodel.conf`.
    Nvpmodel,
}

impl Facts {
    /// Facts from the text of a file.
    ///
    /// # Errors
    /// It is not TOML, has an unknown key, or two values contradict each other; in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let facts: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        let Thermal { warm_c, hot_c, hysteresis_c, .. } = facts.thermal;
        let outside = |cpus: &Option<Cpus>| {
            cpus.iter().flat_map(|cpus| cpus.numbers().iter().copied()).any(|cpu| cpu >= facts.cpu.cores)
        };
        let wrong = [
            (facts.name.is_empty(), "name is empty"),
            (facts.cpu.cores == 0, "[cpu] cores must be at least 1"),
            (outside(&facts.cpu.gateway) || outside(&facts.cpu.reader), "[cpu] names a CPU that it has not"),
            (facts.cpu.gateway.is_some() != facts.cpu.reader.is_some(), "[cpu] gateway and reader go together"),
            (facts.memory.reader_mib < 256, "[memory] reader_mib must be at least 256: the models alone need that"),
            (warm_c >= hot_c, "[thermal] warm_c must be below hot_c"),
            (hysteresis_c < 1, "[thermal] hysteresis_c must be at least 1"),
            (hot_c >= 125 || warm_c <= 30, "[thermal] limits lie between 30 and 125 degrees"),
            (facts.storage.worn_percent > facts.storage.spent_percent, "[storage] worn comes before spent"),
            (!facts.compatible.is_empty() && !facts.product.is_empty(), "a board has a device tree or DMI, not both"),
        ];
        match wrong.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, why)) => Err(why.to_owned()),
            None => Ok(facts),
        }
    }

    /// True where they are an architecture's, not a board's.
    pub(super) fn is_generic(&self) -> bool {
        self.compatible.is_empty() && self.chip.is_empty() && self.product.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn shipped() -> Vec<Facts> {
        FILES.iter().map(|(file, text)| Facts::parse(text).unwrap_or_else(|e| panic!("board/{file}: {e}"))).collect()
    }

    #[test]
    fn every_file_in_the_folder_is_compiled_in_and_makes_sense() {
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/board")).unwrap();
        let tomls = files.filter(|f| f.as_ref().unwrap().path().extension().is_some_and(|e| e == "toml")).count();
        assert_eq!(shipped().len(), tomls);
        assert!(tomls >= 6);
    }

    #[test]
    fn no_two_boards_claim_the_same_string_and_each_architecture_has_one_generic_board() {
        let mut seen = BTreeSet::new();
        for facts in shipped() {
            for string in facts.compatible.iter().chain(&facts.chip).chain(&facts.product) {
                assert!(seen.insert(string.clone()), "{string} twice");
            }
            if facts.is_generic() {
                assert!(seen.insert(format!("generic {}", facts.arch)), "two generic boards");
                assert!(facts.leds.is_empty(), "nobody knows the LEDs of an unknown board");
            }
        }
        assert!(seen.contains("generic aarch64") && seen.contains("generic x86_64"));
    }

    #[test]
    fn reading_slows_and_stops_before_the_board_throttles_itself() {
        for facts in shipped() {
            if let Some(throttles_c) = facts.thermal.throttles_c {
                assert!(facts.thermal.warm_c < throttles_c, "{}", facts.name);
            }
        }
    }

    #[test]
    fn facts_that_contradict_each_other_are_refused_with_the_reason() {
        let text = FILES.iter().find(|(file, _)| *file == "raspberry-pi-4.toml").unwrap().1;
        for (from, to, why) in [
            ("cores = 4", "cores = 2", "a CPU that it has not"),
            ("warm_c = 70", "warm_c = 90", "below hot_c"),
            ("worn_percent = 80", "worn_percent = 101", "worn comes before spent"),
            ("cores = 4", "corse = 4", "unknown field `corse`"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = Facts::parse(&text.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
