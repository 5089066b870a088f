//! Which board this is: the most specific string of the device tree that a file of facts
//! claims, or the product's name where there is firmware of a PC. A board that nobody
//! knows gets its architecture's cautious facts, and is told so.

use std::fmt;

use super::facts::{FILES, Facts};
use super::memory;
use super::root::Root;

/// Least memory that a reader can do anything with (as the configuration has it).
const LEAST_READER_MIB: u64 = 256;

/// A board and why it is held for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// What is known of it.
    pub facts: Facts,
    /// By what it was recognised.
    pub recognised: Recognised,
}

/// By what a board was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognised {
    /// The board itself, by this string.
    Board(String),
    /// Another board with the same chip, by the chip's string.
    Chip(String),
    /// Not at all; what it calls itself.
    Nothing(String),
}

impl Board {
    /// The board of the machine below `root`.
    #[must_use]
    pub fn detect(root: &Root) -> Self {
        let tree = root.bytes("proc/device-tree/compatible").unwrap_or_default();
        let strings: Vec<String> = tree
            .split(|byte| *byte == 0)
            .filter_map(|string| std::str::from_utf8(string).ok())
            .filter(|string| !string.is_empty())
            .map(str::to_owned)
            .collect();
        let firmware = ["product_name", "board_name"].map(|file| root.text(&format!("sys/class/dmi/id/{file}")));
        let products: Vec<String> = firmware.into_iter().flatten().collect();
        Self::choose(&strings, &products, std::env::consts::ARCH)
    }

    /// # Panics
    /// Never on a shipped build: a test parses every file.
    fn choose(tree: &[String], products: &[String], arch: &str) -> Self {
        let boards: Vec<Facts> =
            FILES.iter().map(|(_, text)| Facts::parse(text).expect("a test parses every board file")).collect();
        let of = |claims: fn(&Facts) -> &[String], wanted: &[String]| {
            let claimed = |string: &String| boards.iter().find(|facts| claims(facts).contains(string));
            wanted.iter().find_map(|string| Some((claimed(string)?.clone(), string.clone())))
        };
        let known = of(|facts| &facts.compatible, tree).or_else(|| of(|facts| &facts.product, products));
        if let Some((facts, string)) = known {
            return Self { facts, recognised: Recognised::Board(string) };
        }
        if let Some((facts, chip)) = of(|facts| &facts.chip, tree) {
            // Whatever hangs on the chip's pins is the board's affair.
            let facts = Facts { leds: Vec::new(), ..facts };
            return Self { facts, recognised: Recognised::Chip(chip) };
        }
        let seen = tree.first().or_else(|| products.first()).cloned();
        let recognised = Recognised::Nothing(seen.unwrap_or_else(|| format!("{arch}, and no name")));
        let mut generic = boards.iter().filter(|facts| facts.is_generic());
        let facts = generic.clone().find(|facts| facts.arch == arch).or_else(|| generic.next());
        Self { facts: facts.expect("a test wants a generic board").clone(), recognised }
    }

    /// False where another board's facts stand in.
    #[must_use]
    pub const fn is_recognised(&self) -> bool {
        matches!(self.recognised, Recognised::Board(_))
    }

    /// Address space for the reader, in bytes, on a machine below `root`: the board's, or what
    /// the gateway leaves where this one has less memory.
    #[must_use]
    pub fn reader_memory_bytes(&self, root: &Root) -> u64 {
        let budget = &self.facts.memory;
        let total_mib = memory::memory(root).map_or(u64::MAX, |memory| memory.total_kib / 1024);
        let left_mib = total_mib.saturating_sub(budget.gateway_mib.into()).max(LEAST_READER_MIB);
        u64::from(budget.reader_mib).min(left_mib) * 1024 * 1024
    }
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.facts.name;
        match &self.recognised {
            Recognised::Board(string) => write!(f, "{name} ({string})"),
            Recognised::Chip(chip) => write!(f, "an unknown board with the chip of {name} ({chip})"),
            Recognised::Nothing(seen) => write!(f, "an UNKNOWN board ({seen}), for which {name} stands in"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::recorded::Recorded;

    fn choose(tree: &[&str], products: &[&str], arch: &str) -> Board {
        let owned = |strings: &[&str]| strings.iter().map(|&string| string.to_owned()).collect::<Vec<_>>();
        Board::choose(&owned(tree), &owned(products), arch)
    }

    #[test]
    fn the_most_specific_string_wins() {
        for (tree, name) in [
            (["raspberrypi,5-model-b", "brcm,bcm2712"], "Raspberry Pi 5"),
            (["raspberrypi,4-model-b", "brcm,bcm2711"], "Raspberry Pi 4"),
            (["nvidia,p3768-0000+p3767-0005-super", "nvidia,tegra234"], "Jetson Orin Nano"),
            (["fsl,imx8mp-evk", "fsl,imx8mp"], "i.MX 8M Plus EVK"),
        ] {
            let board = choose(&tree, &[], "aarch64");
            assert_eq!((board.facts.name.as_str(), board.recognised), (name, Recognised::Board(tree[0].to_owned())));
        }
    }

    #[test]
    fn a_known_chip_on_another_board_brings_its_facts_without_the_leds() {
        let board = choose(&["acme,carrier", "fsl,imx8mp"], &[], "aarch64");
        assert_eq!(board.facts.name, "i.MX 8M Plus EVK");
        assert!(matches!(&board.recognised, Recognised::Chip(chip) if chip == "fsl,imx8mp"));
        assert!(board.facts.leds.is_empty());
    }

    #[test]
    fn an_unknown_board_gets_its_architectures_facts_and_says_what_it_is() {
        for (tree, products, arch, name, seen) in [
            (&["acme,new"][..], &[][..], "aarch64", "generic arm64", "acme,new"),
            (&[], &["OptiBox 9"], "x86_64", "generic x86-64", "OptiBox 9"),
            (&[], &[], "x86_64", "generic x86-64", "x86_64, and no name"),
            (&[], &[], "riscv64", "generic arm64", "riscv64, and no name"),
        ] {
            let board = choose(tree, products, arch);
            assert_eq!((board.facts.name.as_str(), &board.recognised), (name, &Recognised::Nothing(seen.to_owned())));
            assert!(board.to_string().contains("UNKNOWN"), "{board}");
        }
    }

    #[test]
    fn a_recorded_device_tree_is_recognised() {
        let tree = Recorded::new();
        tree.device_tree(&["raspberrypi,5-model-b", "brcm,bcm2712"]);
        assert_eq!(Board::detect(&tree.root()).to_string(), "Raspberry Pi 5 (raspberrypi,5-model-b)");
    }

    #[test]
    fn on_a_machine_with_less_memory_the_reader_gets_what_the_gateway_leaves() {
        const MIB: u64 = 1024 * 1024;
        let tree = Recorded::new();
        let board = choose(&["raspberrypi,4-model-b"], &[], "aarch64");
        assert_eq!(board.reader_memory_bytes(&tree.root()), 1024 * MIB);
        for (total_kib, mib) in [(3_884_312, 1024), (943_000, 920 - 256), (300_000, 256)] {
            tree.file("proc/meminfo", &format!("MemTotal: {total_kib} kB\nMemAvailable: 1 kB\n"));
            assert_eq!(board.reader_memory_bytes(&tree.root()) / MIB, mib, "{total_kib} KiB in all");
        }
    }
}
