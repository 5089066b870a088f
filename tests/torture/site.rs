//! A provisioned device in memory-backed files, its daemon's process, and a sender.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use residentd::store::{Outgoing, Store};

/// The program under test.
pub const RESIDENTD: &str = env!("CARGO_BIN_EXE_residentd");
/// The shipped bundles.
const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
/// Longest wait for anything; reached only where something is broken.
pub const LIMIT: Duration = Duration::from_mins(1);
/// Between looks at a process.
const LOOK: Duration = Duration::from_millis(5);

/// A provisioned device.
pub struct Site {
    folder: tempfile::TempDir,
    pub device: String,
    pub dicom: SocketAddr,
    notify: UnixDatagram,
}

/// How a start went.
#[derive(Debug, PartialEq, Eq)]
pub enum Started {
    /// It says that it is ready.
    Ready,
    /// It ended first.
    Ended,
}

impl Site {
    /// Provisions `device`, which publishes at `broker`.
    pub fn new(device: &str, broker: SocketAddr) -> Self {
        // SIGKILL does not test fsync: what is only in memory survives it as well.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let dicom = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let output = Command::new(RESIDENTD)
            .args(["provision", "--site", "torture", "--device", device, "--models-dir", MODELS])
            .args(["--listen", &dicom.to_string(), "--broker", &broker.to_string()])
            .args(["--dir".as_ref(), folder.path(), "--state-dir".as_ref(), &folder.path().join("state")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::create_dir(folder.path().join("out")).unwrap();
        let notify = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let site = Self { folder, device: device.to_owned(), dicom, notify };
        site.edit("# min_free_mib = 512", "min_free_mib = 1");
        site
    }

    /// A path in the device's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes the configuration.
    pub fn edit(&self, from: &str, to: &str) {
        let path = self.path("residentd.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        assert!(config.contains(from), "nothing to edit: {from}");
        std::fs::write(path, config.replacen(from, to, 1)).unwrap();
    }

    /// Starts the daemon with `environment`; it may not be ready yet. What it logs is
    /// appended to `log`.
    pub fn spawn(&self, environment: &[(&str, String)]) -> Daemon {
        self.notify.set_nonblocking(true).unwrap();
        while self.notify.recv(&mut [0; 256]).is_ok() {}
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = Command::new(RESIDENTD);
        command.arg("run").arg("--config").arg(self.path("residentd.toml"));
        command.env("NOTIFY_SOCKET", self.path("notify")).envs(environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Daemon(command.spawn().unwrap())
    }

    /// Waits for `daemon`, just spawned, to be ready.
    pub fn wait_ready(&self, daemon: &mut Daemon) -> Started {
        let deadline = Instant::now() + LIMIT;
        self.notify.set_nonblocking(false).unwrap();
        self.notify.set_read_timeout(Some(LOOK)).unwrap();
        let mut message = [0; 256];
        while Instant::now() < deadline {
            match self.notify.recv(&mut message) {
                Ok(length) if message[..length].starts_with(b"READY=1") => return Started::Ready,
                Ok(_) => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if daemon.has_ended() {
                        return Started::Ended;
                    }
                }
                Err(e) => panic!("notify socket: {e}"),
            }
        }
        panic!("the daemon is neither ready nor gone; its log:\n{}", self.log());
    }

    /// The next message to the supervisor, if one comes within `limit`.
    pub fn notified(&self, limit: Duration) -> Option<String> {
        self.notify.set_nonblocking(false).unwrap();
        self.notify.set_read_timeout(Some(limit)).unwrap();
        let mut message = [0; 256];
        let length = self.notify.recv(&mut message).ok()?;
        Some(String::from_utf8_lossy(&message[..length]).into_owned())
    }

    /// What the daemons of this device logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The store, as another process may open it.
    pub fn store(&self) -> Store {
        Store::open(&self.path("state")).unwrap()
    }

    /// Every outcome, in sequence.
    pub fn outcomes(&self) -> Vec<Outgoing> {
        let store = self.store();
        let mut all: Vec<Outgoing> = Vec::new();
        loop {
            let more = store.outcomes(all.last().map_or(0, |o| o.sequence), 1000).unwrap();
            if more.is_empty() {
                return all;
            }
            all.extend(more);
        }
    }

    /// Sends `file` by C-STORE; the status, or what broke.
    pub async fn send(&self, name: &str, file: &[u8]) -> Result<u16, String> {
        let path = self.path("out").join(name);
        std::fs::write(&path, file).unwrap();
        let (calling, called) = ("TORTURE".parse().unwrap(), "RESIDENTD".parse().unwrap());
        let sent = residentd::deliver::send(&self.dicom.to_string(), &calling, &called, &path).await;
        std::fs::remove_file(&path).unwrap();
        sent.map_err(|e| e.to_string())
    }
}

/// A running daemon; dropped, it is killed.
pub struct Daemon(Child);

impl Daemon {
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// SIGKILL to the reader; false where there is none now.
    pub fn kill_reader(&self) -> bool {
        let readers = residentd::os::children(self.pid()).unwrap_or_default();
        readers.iter().filter(|pid| signal(**pid, rustix::process::Signal::KILL)).count() > 0
    }

    /// The reader's process id, where one runs.
    pub fn reader(&self) -> Option<u32> {
        residentd::os::children(self.pid()).ok()?.first().copied()
    }

    /// Stops it as a service manager would; whether it ended well.
    pub fn stop(mut self) -> bool {
        signal(self.pid(), rustix::process::Signal::TERM);
        self.0.wait().unwrap().success()
    }

    /// Waits until it ends by itself; false where it takes longer than `limit`.
    pub fn wait_ended(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if self.has_ended() {
                return true;
            }
            std::thread::sleep(LOOK);
        }
        self.has_ended()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a signal; false where the process is gone.
pub fn signal(pid: u32, signal: rustix::process::Signal) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::kill_process(pid, signal).is_ok())
}

/// A runtime for one thread.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
