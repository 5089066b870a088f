//! The demo's stage: a temporary folder, free ports, the daemon's process, a step list.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::cli::running::{Running, free_ports};
use crate::os::Scratch;

/// A provisioned device in a folder that goes when this does.
pub struct Theatre {
    folder: Scratch,
    /// Where the storage SCP will listen.
    pub dicom: SocketAddr,
    /// Where the embedded broker will.
    pub broker: SocketAddr,
}

impl Theatre {
    /// Provisions with this program's own `provision`.
    pub fn provision(models: &Path) -> anyhow::Result<Self> {
        let folder = Scratch::new("demo").context("cannot make a temporary folder")?;
        let [dicom, broker] = free_ports()?;
        let theatre = Self { folder, dicom, broker };
        let output = Command::new(std::env::current_exe()?)
            .args(["provision", "--site", "demo", "--device", "demo"])
            .args(["--listen", &dicom.to_string(), "--broker-listen", &broker.to_string()])
            .arg("--dir")
            .arg(theatre.folder())
            .arg("--state-dir")
            .arg(theatre.folder().join("state"))
            .arg("--models-dir")
            .arg(models)
            .output()?;
        ensure!(output.status.success(), "provision failed: {}", String::from_utf8_lossy(&output.stderr));
        // A temporary folder may be on a small disk; the reserve is for real boxes.
        let config = theatre.folder().join("residentd.toml");
        let text = std::fs::read_to_string(&config)?.replace("# min_free_mib = 512", "min_free_mib = 64");
        std::fs::write(&config, text)?;
        Ok(theatre)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts `residentd run` on it; its log goes to our standard error.
    pub fn start_daemon(&self) -> anyhow::Result<Running> {
        Running::start(&self.folder().join("residentd.toml"), Stdio::inherit())
    }
}

/// What was done and how long it took; each line is shown when it is done.
#[derive(Default)]
pub struct Steps(Vec<(String, Duration)>);

impl Steps {
    /// Does `work` as a step.
    pub fn run<T>(&mut self, what: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let start = Instant::now();
        let result = work().with_context(|| what.to_owned())?;
        self.note(what, start.elapsed());
        Ok(result)
    }

    /// Notes a step that took `time`.
    pub fn note(&mut self, what: &str, time: Duration) {
        eprintln!("demo: {what}");
        self.0.push((what.to_owned(), time));
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, time)| writeln!(f, "  {:>9.1} ms  {what}", time.as_secs_f64() * 1e3))
    }
}
