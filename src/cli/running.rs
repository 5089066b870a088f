//! The daemon as a process of its own, which a command started and ends.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::ensure;

use crate::os;

/// How often the daemon's process is looked at.
const POLL: Duration = Duration::from_millis(50);

/// The daemon's process; dropped, it is killed.
pub struct Running(Child);

impl Running {
    /// Starts `residentd run` on `config`; its log goes to `log`.
    pub fn start(config: &Path, log: Stdio) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("run").arg("--config").arg(config);
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?))
    }

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

    /// Ends it with SIGKILL, as a power cut would: returns when it is gone.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Two ports that are free now. (Another process may take one before the daemon does;
/// it then says so.)
pub fn free_ports() -> anyhow::Result<[SocketAddr; 2]> {
    let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    Ok([listeners[0].local_addr()?, listeners[1].local_addr()?])
}
