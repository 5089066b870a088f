//! Trees as boards show them, for tests: files below a temporary folder.

use std::fs;
use std::path::Path;

use super::root::Root;

/// A recorded tree; gone when dropped.
pub(crate) struct Recorded(tempfile::TempDir);

impl Recorded {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn root(&self) -> Root {
        Root::at(self.0.path())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Makes a link, and the folders above it.
    pub(crate) fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
        self
    }

    pub(crate) fn zone(&self, number: usize, kind: &str, temp: &str) -> &Self {
        let folder = format!("sys/class/thermal/thermal_zone{number}");
        self.file(&format!("{folder}/type"), &format!("{kind}\n")).file(&format!("{folder}/temp"), temp)
    }

    pub(crate) fn cooling(&self, number: usize, kind: &str, state: &str) -> &Self {
        let folder = format!("sys/class/thermal/cooling_device{number}");
        self.file(&format!("{folder}/type"), &format!("{kind}\n")).file(&format!("{folder}/cur_state"), state)
    }

    /// A device tree of these strings.
    pub(crate) fn device_tree(&self, compatible: &[&str]) -> &Self {
        self.file("proc/device-tree/compatible", &format!("{}\0", compatible.join("\0")))
    }

    /// A block device `number` that is partition `partition` of `disk`.
    pub(crate) fn disk(&self, number: &str, disk: &str, partition: &str) -> &Self {
        let folder = format!("sys/devices/platform/{disk}/block/{disk}");
        self.file(&format!("{folder}/{partition}/partition"), "2\n");
        self.link(
            &format!("sys/dev/block/{number}"),
            &format!("../../devices/platform/{disk}/block/{disk}/{partition}"),
        )
    }
}
