//! One look at the board: everything that can be measured, at one time.

use std::path::{Path, PathBuf};

use super::Board;
use super::facts::PowerModes;
use super::memory::{self, Memory};
use super::root::Root;
use super::storage::{self, Storage};
use super::thermal::{self, Sensor, Throttling};
use crate::os;

/// What was seen; `None` is what this board, or its kernel, does not tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The hottest sensor that counts.
    pub hottest: Option<Sensor>,
    /// What slows the processor down.
    pub throttling: Throttling,
    /// Memory of the machine.
    pub memory: Option<Memory>,
    /// Memory of this service, with what the kernel keeps of its files.
    pub service_kib: Option<u64>,
    /// What the images lie on.
    pub storage: Option<Storage>,
    /// Load averages of one, five and fifteen minutes.
    pub load: Option<[f64; 3]>,
    /// Since the machine booted.
    pub uptime_s: Option<u64>,
    /// The power mode, by its name.
    pub power_mode: Option<String>,
}

impl Look {
    /// Looks at `board` below `root`, and at the file system of `state_dir`. Blocks for as
    /// long as slow sensors take.
    #[must_use]
    pub fn at(board: &Board, root: &Root, state_dir: &Path) -> Self {
        let facts = &board.facts;
        Self {
            hottest: thermal::hottest(root, &facts.thermal),
            throttling: thermal::throttling(root, &facts.thermal),
            memory: memory::memory(root),
            service_kib: memory::service_kib(root),
            storage: os::volume(state_dir).ok().map(|volume| storage::storage(root, volume)),
            load: memory::load(root),
            uptime_s: memory::uptime_s(root),
            power_mode: facts.power.as_ref().and_then(|power| match power.modes {
                PowerModes::Nvpmodel => nvpmodel(root),
            }),
        }
    }
}

impl Board {
    /// What must be readable, beyond `/sys`, `/proc` and `/etc`, to look at it.
    #[must_use]
    pub fn readable(&self, root: &Root) -> Vec<PathBuf> {
        let modes = self.facts.power.as_ref().map(|power| match power.modes {
            PowerModes::Nvpmodel => root.path("var/lib/nvpmodel"),
        });
        let recorded = Some(root.folder().to_owned()).filter(|folder| folder != Path::new("/"));
        modes.into_iter().chain(recorded).collect()
    }
}

/// Name of the mode whose number `nvpmodel` wrote down, as in `pmode:0002`.
fn nvpmodel(root: &Root) -> Option<String> {
    let status = root.text("var/lib/nvpmodel/status")?;
    let number: u32 = status.strip_prefix("pmode:")?.split_whitespace().next()?.parse().ok()?;
    let names = root.text("etc/nvpmodel.conf").unwrap_or_default();
    let head = format!("POWER_MODEL ID={number} NAME=");
    let name = names.lines().find_map(|line| line.split_once(head.as_str())?.1.split([' ', '>']).next());
    Some(name.map_or_else(|| format!("mode {number}"), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::recorded::Recorded;

    #[test]
    fn a_power_mode_has_its_makers_name() {
        let tree = Recorded::new();
        assert_eq!(nvpmodel(&tree.root()), None);
        tree.file("var/lib/nvpmodel/status", "pmode:0002\n");
        assert_eq!(nvpmodel(&tree.root()).as_deref(), Some("mode 2"));
        tree.file("etc/nvpmodel.conf", "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n");
        assert_eq!(nvpmodel(&tree.root()).as_deref(), Some("MAXN_SUPER"));
    }

    #[test]
    fn a_machine_that_tells_nothing_is_looked_at_all_the_same() {
        let tree = Recorded::new();
        let look = Look::at(&Board::detect(&tree.root()), &tree.root(), tree.folder());
        assert_eq!((look.hottest, look.memory, look.load, look.power_mode), (None, None, None, None));
        assert!(look.storage.is_some_and(|storage| storage.volume.size_bytes > 0));
    }
}
