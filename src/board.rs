//! Which board this is, from the device tree, and what it can spare.
//!
//! Facts are data: one TOML a board in `board/`, compiled in. The most specific
//! `compatible` string wins; an unknown board gets its architecture's generic facts.

use std::path::Path;

use serde::Deserialize;

/// Every board that is known, most particular ones first, the generic ones last.
const BOARDS: [&str; 6] = [
    include_str!("../board/jetson-orin-nano.toml"),
    include_str!("../board/raspberry-pi-4.toml"),
    include_str!("../board/raspberry-pi-5.toml"),
    include_str!("../board/imx8mp-evk.toml"),
    include_str!("../board/generic-arm64.toml"),
    include_str!("../board/generic-x86-64.toml"),
];

/// Facts of one board.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// As people call it.
    pub name: String,
    /// Rust's name of the architecture.
    pub arch: String,
    /// Device-tree `compatible` strings, most specific first; none: generic.
    pub compatible: Vec<String>,
    /// Cores that the gateway's runtime may use.
    pub cores: u16,
    /// Address space for the reader where the configuration does not say.
    pub reader_memory_mib: u32,
}

impl Board {
    /// The board of the machine whose `/proc` lies below `root` (`/` on a real one).
    ///
    /// # Panics
    /// Never on a shipped build: a test parses every fact file.
    #[must_use]
    pub fn detect(root: &Path) -> Self {
        let tree = std::fs::read(root.join("proc/device-tree/compatible")).unwrap_or_default();
        let strings: Vec<&str> =
            tree.split(|b| *b == 0).filter_map(|s| std::str::from_utf8(s).ok()).filter(|s| !s.is_empty()).collect();
        Self::choose(&strings, std::env::consts::ARCH)
    }

    fn choose(strings: &[&str], arch: &str) -> Self {
        let boards = || BOARDS.iter().map(|text| toml::from_str::<Self>(text).expect("a test parses every board file"));
        strings
            .iter()
            .find_map(|wanted| boards().find(|board| board.compatible.iter().any(|c| c == wanted)))
            .or_else(|| boards().find(|board| board.compatible.is_empty() && board.arch == arch))
            .unwrap_or_else(|| Self {
                name: format!("unknown {arch}"),
                ..boards().next_back().expect("there is a board")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_in_board_is_compiled_in() {
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/board")).unwrap();
        let tomls = files.filter(|f| f.as_ref().unwrap().path().extension().is_some_and(|e| e == "toml")).count();
        assert_eq!(tomls, BOARDS.len(), "add the new file to BOARDS in src/board.rs");
    }

    #[test]
    fn the_most_specific_string_wins() {
        let pi5 = ["raspberrypi,5-model-b", "brcm,bcm2712"];
        assert_eq!(Board::choose(&pi5, "aarch64").name, "Raspberry Pi 5");
        assert_eq!(Board::choose(&["acme,new", "nvidia,tegra234"], "aarch64").name, "Jetson Orin Nano");
    }

    #[test]
    fn an_unknown_board_gets_its_architectures_facts() {
        assert_eq!(Board::choose(&["acme,new"], "aarch64").name, "generic arm64");
        assert_eq!(Board::choose(&[], "x86_64").name, "generic x86-64");
        assert_eq!(Board::choose(&[], "riscv64").name, "unknown riscv64");
    }
}
