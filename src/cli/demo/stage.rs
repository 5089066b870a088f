//! The demo's stage: a temporary folder, free ports, the daemon's process, a step list.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::os;

/// How often the daemon's process is looked at.
const POLL: Duration = Duration::from_millis(50);

/// A provisioned device in a folder that goes when this does.
pub struct Theatre {
    folder: PathBuf,
    /// Where the storage SCP will listen.
    pub dicom: SocketAddr,
    /// Where the embedded broker will.
    pub broker: SocketAddr,
}

impl Theatre {
    /// Provisions with this program's own `provision`.
    pub fn provision(models: &Path) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("residentd-demo-{}", std::process::id()));
        std::fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
        let [dicom, broker] = free_ports()?;
        let theatre = Self { folder, dicom, broker };
        let output = Command::new(std::env::current_exe()?)
            .args(["provision", "--site", "demo", "--device", "demo"])
            .args(["--listen", &dicom.to_string(), "--broker-listen", &broker.to_string()])
            .arg("--dir")
            .arg(&theatre.folder)
            .arg("--state-dir")
            .arg(theatre.folder.join("state"))
            .arg("--models-dir")
            .arg(models)
            .output()?;
        ensure!(output.status.success(), "provision failed: {}", String::from_utf8_lossy(&output.stderr));
        // A temporary folder may be on a small disk; the reserve is for real boxes.
        let config = theatre.folder.join("residentd.toml");
        let text = std::fs::read_to_string(&config)?.replace("# min_free_mib = 512", "min_free_mib = 64");
        std::fs::write(&config, text)?;
        Ok(theatre)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts `residentd run` on it; its log goes to our standard error.
    pub fn start_daemon(&self) -> anyhow::Result<Running> {
        let child = Command::new(std::env::current_exe()?)
            .arg("run")
            .arg("--config")
            .arg(self.folder.join("residentd.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Running(child))
    }
}

impl Drop for Theatre {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Two ports that are free now. (Another process may take one before the daemon does;
/// it then says so.)
fn free_ports() -> anyhow::Result<[SocketAddr; 2]> {
    let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    Ok([listeners[0].local_addr()?, listeners[1].local_addr()?])
}

/// The daemon's process; dropped, it is killed.
pub struct Running(Child);

impl Running {
    /// Peak resident memory of gateway and reader, in words.
    pub fn peak_memory(&self) -> anyhow::Result<String> {
        let gateway = os::peak_rss_kib(Some(self.0.id()))?;
        let reader = os::children(self.0.id())?.first().map(|pid| os::peak_rss_kib(Some(*pid))).transpose()?;
        let reader = reader.map_or_else(|| "gone".to_owned(), |kib| format!("{:.1} MiB", kib as f64 / 1024.0));
        Ok(format!("peak memory: gateway {:.1} MiB, reader {reader}", gateway as f64 / 1024.0))
    }

    /// Resolves when the process ends of itself, which it must not.
    pub async fn ended(&mut self) -> anyhow::Error {
        loop {
            match self.0.try_wait() {
                Ok(None) => tokio::time::sleep(POLL).await,
                Ok(Some(status)) => return anyhow::anyhow!("the daemon ended ({status}); its log says why"),
                Err(e) => return e.into(),
            }
        }
    }

    /// Stops it as a service manager would, and says if it did not end well.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = self.0.wait()?;
        ensure!(status.success(), "the daemon ended with {status}");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
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
