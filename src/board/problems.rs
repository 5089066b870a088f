//! What is wrong with the board, and what to do: for `residentd check` and `doctor`.

use std::fmt;
use std::path::Path;

use super::facts::StorageKind;
use super::look::Look;
use super::root::Root;
use super::storage::{Health, Storage, Wear};
use super::{Board, Recognised};

/// Free inodes below which images will soon find no room, however much disk is free.
const FEW_INODES: u64 = 10_000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know; nothing has to be done.
    Note,
    /// It works, and will not for ever.
    Warning,
    /// This box must not serve like that.
    Bad,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, in one or two words.
    pub about: &'static str,
    /// What was seen.
    pub seen: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.about, self.seen, self.remedy)
    }
}

fn problem(severity: Severity, about: &'static str, seen: impl Into<String>, remedy: impl Into<String>) -> Problem {
    Problem { severity, about, seen: seen.into(), remedy: remedy.into() }
}

/// Everything that can be seen to be wrong with the board below `root` whose images lie in
/// `state_dir` (or will), the gravest first. Changes nothing.
#[must_use]
pub fn problems(root: &Root, state_dir: &Path) -> Vec<Problem> {
    let board = Board::detect(root);
    let there = state_dir.ancestors().find(|folder| folder.is_dir()).unwrap_or(state_dir);
    let look = Look::at(&board, root, there);
    let mut found: Vec<Problem> = unknown(&board)
        .into_iter()
        .chain(heat(&board, &look))
        .chain(memory(&board, &look))
        .chain(look.storage.iter().flat_map(|storage| disk(&board, storage)))
        .chain(watchdog(&board, root))
        .chain(lights(&board, root))
        .chain(timekeeper(root))
        .collect();
    found.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    found
}

fn unknown(board: &Board) -> Option<Problem> {
    let name = &board.facts.name;
    match &board.recognised {
        Recognised::Board(_) => None,
        Recognised::Chip(chip) => Some(problem(
            Severity::Note,
            "board",
            format!("this board is not known, its chip {chip} is: the facts of {name} are used, without its LEDs"),
            "copy the file of that board in board/, with this board's first compatible string",
        )),
        Recognised::Nothing(seen) => Some(problem(
            Severity::Warning,
            "board",
            format!("NOBODY KNOWS THIS BOARD ({seen}): cautious facts ({name}) are used"),
            format!(
                "copy board/{}.toml under this board's name, fill in what is known of it, and build",
                name.replace(' ', "-")
            ),
        )),
    }
}

fn heat(board: &Board, look: &Look) -> Vec<Problem> {
    let limits = &board.facts.thermal;
    let mut found = Vec::new();
    match &look.hottest {
        None => found.push(problem(
            Severity::Note,
            "heat",
            "no temperature can be read",
            "a box that gets too hot will not notice: see that it has air",
        )),
        Some(sensor) if sensor.celsius >= f64::from(limits.hot_c) => found.push(problem(
            Severity::Bad,
            "heat",
            format!("{} shows {:.0} °C, and from {} °C on nothing is read", sensor.name, sensor.celsius, limits.hot_c),
            "clean or repair its fan, give it air, or move it away from what heats it",
        )),
        Some(sensor) if sensor.celsius >= f64::from(limits.warm_c) => found.push(problem(
            Severity::Warning,
            "heat",
            format!("{} shows {:.0} °C: reading is slower from {} °C on", sensor.name, sensor.celsius, limits.warm_c),
            "give it air",
        )),
        Some(_) => {}
    }
    if look.throttling.under_voltage == Some(true) {
        found.push(problem(
            Severity::Bad,
            "power",
            "the supply is too weak: the voltage falls below what the board needs",
            "use the maker's power supply and a short cable; images can be lost where it fails while writing",
        ));
    }
    if look.throttling.by_heat {
        found.push(problem(Severity::Warning, "heat", "the board slows itself down for its heat", "give it air"));
    }
    found
}

fn memory(board: &Board, look: &Look) -> Option<Problem> {
    let needed_kib = u64::from(board.facts.memory.gateway_mib + board.facts.memory.reader_mib) * 1024;
    let memory = look.memory.filter(|memory| memory.total_kib < needed_kib)?;
    Some(problem(
        Severity::Warning,
        "memory",
        format!(
            "{} MiB in all, and {} wants {} for gateway and reader together",
            memory.total_kib / 1024,
            board.facts.name,
            needed_kib / 1024
        ),
        "use a board with more memory, or set [reader] memory_mib to what is left for it",
    ))
}

fn disk(board: &Board, storage: &Storage) -> Vec<Problem> {
    let mut found = Vec::new();
    let disk = storage.disk.as_deref().unwrap_or("the disk");
    match storage.health(&board.facts.storage) {
        Health::Fine => {}
        Health::Worn => found.push(problem(
            Severity::Warning,
            "storage",
            format!("{disk} is worn: {}", worn(storage)),
            "plan to replace it; `residentd export` has the outcomes",
        )),
        Health::Failing => found.push(problem(
            Severity::Bad,
            "storage",
            format!("{disk} is failing: {}", worn(storage)),
            "replace it now; what is delivered is safe, what is not goes out first",
        )),
    }
    if storage.wear == Wear::Untold {
        let seen = match storage.kind {
            StorageKind::Sd => format!("{disk} is an SD card, which tells nobody how worn it is"),
            StorageKind::Nvme => {
                format!("{disk} is an NVMe drive, which tells its wear to root alone (nvme smart-log)")
            }
            StorageKind::Emmc => format!("{disk} is an eMMC that does not tell its wear"),
            StorageKind::Ssd | StorageKind::Disk => format!("{disk} tells its wear to root alone (smartctl -a)"),
            StorageKind::Unknown if storage.disk.is_some() => format!("{disk} tells nothing of its wear"),
            StorageKind::Unknown => "what the images lie on cannot be seen from here".to_owned(),
        };
        found.push(problem(
            Severity::Note,
            "storage",
            seen,
            "replace it by the calendar, or have its wear watched otherwise",
        ));
    }
    let volume = &storage.volume;
    if volume.inodes > 0 && volume.free_inodes < FEW_INODES {
        found.push(problem(
            Severity::Bad,
            "storage",
            format!("only {} more files can be made on {disk}", volume.free_inodes),
            "delete what else lies there, or make a file system with more inodes",
        ));
    }
    found
}

/// What is known of a disk that is not fine, in words.
#[must_use]
pub fn worn(storage: &Storage) -> String {
    let errors = storage.errors.filter(|errors| *errors > 0);
    let mut seen = Vec::new();
    seen.extend(storage.volume.read_only.then(|| "it can only be read".to_owned()));
    seen.extend(errors.map(|errors| format!("its file system found {errors} errors in itself")));
    if let Wear::Used { percent, spare } = storage.wear {
        seen.push(format!("up to {percent} % of its life is used, spare blocks: {spare:?}").to_lowercase());
    }
    seen.join(", ")
}

fn watchdog(board: &Board, root: &Root) -> Option<Problem> {
    let watchdog = board.facts.watchdog.as_ref()?;
    let limit = watchdog.longest_s.map_or_else(String::new, |longest_s| format!(" of at most {longest_s}s"));
    let name = watchdog.device.rsplit('/').next().unwrap_or_default();
    let state = root.text(&format!("sys/class/watchdog/{name}/state"));
    let seen = match state.as_deref() {
        Some("active") => return None,
        Some(_) => format!("{} is there, and nobody feeds it", watchdog.device),
        None if root.path(&format!("sys/class/watchdog/{name}")).is_dir() => return None,
        None => {
            let driver = watchdog.driver.as_ref().map_or_else(String::new, |driver| format!(" (driver {driver})"));
            format!("{}{driver} is not there", watchdog.device)
        }
    };
    let remedy = format!(
        "set RuntimeWatchdogSec={limit} in /etc/systemd/system.conf, so that a kernel that hangs is started anew",
        limit = if limit.is_empty() { "30".to_owned() } else { format!("10 (here{limit})") }
    );
    Some(problem(Severity::Note, "watchdog", seen, remedy))
}

fn lights(board: &Board, root: &Root) -> Option<Problem> {
    let missing = board.facts.leds.iter().filter(|lamp| lamp.folder(root).is_none());
    let names: Vec<&str> = missing.filter_map(|lamp| lamp.names.first().map(String::as_str)).collect();
    (!names.is_empty()).then(|| {
        problem(
            Severity::Note,
            "LEDs",
            format!("this kernel has no {}", names.join(", ")),
            "correct their names in the board's file; nothing else depends on them",
        )
    })
}

/// A box that was off, without a network, knows the time from a battery or not at all.
fn timekeeper(root: &Root) -> Option<Problem> {
    root.entries("sys/class/rtc", "rtc").is_empty().then(|| {
        problem(
            Severity::Note,
            "clock",
            "no battery-backed clock (/sys/class/rtc)",
            "after a power cut the time is wrong until the network has told it; outcomes say so",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::recorded::Recorded;

    fn about(tree: &Recorded, about: &str) -> Vec<Problem> {
        let all = problems(&tree.root(), &tree.folder().join("state/not/made/yet"));
        assert!(all.is_sorted_by_key(|problem| std::cmp::Reverse(problem.severity)), "the gravest first");
        all.into_iter().filter(|problem| problem.about == about).collect()
    }

    fn pi() -> Recorded {
        let tree = Recorded::new();
        tree.device_tree(&["raspberrypi,4-model-b", "brcm,bcm2711"]);
        tree.zone(0, "cpu-thermal", "48000").file("sys/class/leds/ACT/brightness", "0\n");
        tree.file("sys/class/leds/PWR/brightness", "0\n").file("sys/class/rtc/rtc0/name", "x\n");
        tree.file("sys/class/watchdog/watchdog0/state", "active\n");
        tree.file("proc/meminfo", "MemTotal: 3884312 kB\nMemAvailable: 2911004 kB\n");
        tree
    }

    #[test]
    fn nothing_is_wrong_with_a_known_board_in_good_health_but_that_its_disk_is_silent() {
        let found = problems(&pi().root(), pi().folder());
        assert!(
            found.iter().all(|problem| problem.severity == Severity::Note && problem.about == "storage"),
            "{found:?}"
        );
    }

    #[test]
    fn a_board_that_nobody_knows_is_said_loudly_with_what_to_do() {
        let tree = pi();
        tree.device_tree(&["acme,box", "acme,chip"]);
        let found = about(&tree, "board");
        if cfg!(target_arch = "aarch64") {
            assert!(found[0].remedy.contains("board/generic-arm64.toml"), "{found:?}");
        }
        assert!(found[0].severity == Severity::Warning && found[0].to_string().contains("NOBODY KNOWS"), "{found:?}");
        assert!(found[0].seen.contains("acme,box"), "{found:?}");
        tree.device_tree(&["acme,box", "brcm,bcm2711"]);
        assert_eq!(about(&tree, "board")[0].severity, Severity::Note);
    }

    #[test]
    fn heat_and_a_weak_supply_are_bad_and_named() {
        let tree = pi();
        tree.zone(0, "cpu-thermal", "72000");
        assert_eq!(about(&tree, "heat")[0].severity, Severity::Warning);
        tree.zone(0, "cpu-thermal", "85000");
        assert!(about(&tree, "heat")[0].to_string().contains("85 °C"));
        assert_eq!(about(&tree, "heat")[0].severity, Severity::Bad);
        tree.file("sys/devices/platform/soc/soc:firmware/get_throttled", "1\n");
        assert_eq!(about(&tree, "power")[0].severity, Severity::Bad);
        let tree = Recorded::new();
        assert_eq!(about(&tree, "heat")[0].severity, Severity::Note, "and not to know is no fault of the board");
    }

    #[test]
    fn small_memory_an_unfed_watchdog_and_a_missing_clock_are_named() {
        let tree = pi();
        tree.file("proc/meminfo", "MemTotal: 900000 kB\nMemAvailable: 700000 kB\n");
        tree.file("sys/class/watchdog/watchdog0/state", "inactive\n");
        assert!(about(&tree, "memory")[0].seen.contains("878 MiB"));
        assert!(about(&tree, "watchdog")[0].remedy.contains("RuntimeWatchdogSec"));
        std::fs::remove_dir_all(tree.folder().join("sys/class/rtc")).unwrap();
        assert_eq!(about(&tree, "clock").len(), 1);
    }
}
