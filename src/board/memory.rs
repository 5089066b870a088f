//! How much memory there is, and how busy the processor.

use super::root::Root;

/// Memory of the machine, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// All of it.
    pub total_kib: u64,
    /// What could be had without swapping.
    pub available_kib: u64,
}

pub(super) fn memory(root: &Root) -> Option<Memory> {
    let text = root.text("proc/meminfo")?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    Some(Memory { total_kib: field("MemTotal")?, available_kib: field("MemAvailable")? })
}

/// Memory of this service, both processes and what the kernel keeps of their files, by its
/// control group (v2).
pub(super) fn service_kib(root: &Root) -> Option<u64> {
    let groups = root.text("proc/self/cgroup")?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    root.number::<u64>(&format!("sys/fs/cgroup{group}/memory.current")).map(|bytes| bytes / 1024)
}

/// Load averages of one, five and fifteen minutes.
pub(super) fn load(root: &Root) -> Option<[f64; 3]> {
    let text = root.text("proc/loadavg")?;
    let mut numbers = text.split_whitespace().map(|number| number.parse().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}

/// Since the machine booted.
pub(super) fn uptime_s(root: &Root) -> Option<u64> {
    let text = root.text("proc/uptime")?;
    text.split(['.', ' ']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::recorded::Recorded;

    #[test]
    fn memory_load_and_uptime_are_read_or_not_known() {
        let tree = Recorded::new();
        assert_eq!((memory(&tree.root()), load(&tree.root()), uptime_s(&tree.root())), (None, None, None));
        tree.file("proc/meminfo", "MemTotal:        3884312 kB\nMemFree:  99 kB\nMemAvailable:    2911004 kB\n");
        tree.file("proc/loadavg", "0.42 0.30 0.12 1/187 4242\n").file("proc/uptime", "350735.47 234388.90\n");
        assert_eq!(memory(&tree.root()), Some(Memory { total_kib: 3_884_312, available_kib: 2_911_004 }));
        assert_eq!(load(&tree.root()), Some([0.42, 0.30, 0.12]));
        assert_eq!(uptime_s(&tree.root()), Some(350_735));
        assert_eq!(service_kib(&tree.root()), None);
        tree.file("proc/self/cgroup", "0::/system.slice/residentd.service\n");
        tree.file("sys/fs/cgroup/system.slice/residentd.service/memory.current", "104857600\n");
        assert_eq!(service_kib(&tree.root()), Some(102_400));
    }
}
