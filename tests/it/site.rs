//! A site for tests: a provisioned device in a temporary folder, its daemon's process,
//! free ports, and where the real data and peers are.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The program under test.
pub const RESIDENTD: &str = env!("CARGO_BIN_EXE_residentd");
/// The shipped bundles.
pub const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
/// Longest wait for anything; reached only when a test fails.
pub const LIMIT: Duration = Duration::from_mins(1);

/// A provisioned device.
pub struct Site {
    pub folder: tempfile::TempDir,
    pub dicom: SocketAddr,
    pub broker: SocketAddr,
}

impl Site {
    /// Provisions a device with the embedded broker on free ports.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (dicom, broker) = (free_port(), free_port());
        let output = Command::new(RESIDENTD)
            .args(["provision", "--site", "test", "--device", "cart", "--models-dir", MODELS])
            .args(["--listen", &dicom.to_string(), "--broker-listen", &broker.to_string()])
            .args(["--dir".as_ref(), folder.path(), "--state-dir".as_ref(), &folder.path().join("state")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output));
        let site = Self { folder, dicom, broker };
        site.edit("# min_free_mib = 512", "min_free_mib = 1");
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes the configuration.
    pub fn edit(&self, from: &str, to: &str) {
        let path = self.path("residentd.toml");
        let config = fs::read_to_string(&path).unwrap();
        assert!(config.contains(from), "nothing to edit: {from}");
        fs::write(path, config.replacen(from, to, 1)).unwrap();
    }

    /// Uses the broker at `address` instead of the embedded one.
    pub fn use_broker(&self, address: SocketAddr) {
        self.edit(&format!("[broker]\nlisten = \"{}\"", self.broker), "");
        self.edit(&format!("port = {}", self.broker.port()), &format!("port = {}", address.port()));
    }

    /// The command `residentd run` for this device.
    pub fn run_command(&self) -> Command {
        let mut command = Command::new(RESIDENTD);
        command.arg("run").arg("--config").arg(self.path("residentd.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Starts the daemon and waits until its port answers.
    pub fn start(&self) -> Daemon {
        let daemon = Daemon(self.run_command().spawn().unwrap());
        wait_for("the storage SCP", || std::net::TcpStream::connect(self.dicom).is_ok());
        daemon
    }

    /// Writes a phantom of `seed`, small enough to be quick.
    pub fn phantom(&self, seed: u64) -> PathBuf {
        let path = self.path(&format!("phantom-{seed}.dcm"));
        let mut command = Command::new(RESIDENTD);
        command.args(["phantom", "--columns", "512", "--rows", "640", "--seed", &seed.to_string(), "--out"]).arg(&path);
        assert!(command.output().unwrap().status.success());
        path
    }

    /// Sends a file by C-STORE with residentd's own SCU; the status, or what broke.
    pub fn send(&self, file: &Path) -> Result<u16, String> {
        let (calling, called) = ("TEST".parse().unwrap(), "RESIDENTD".parse().unwrap());
        let address = self.dicom.to_string();
        runtime().block_on(residentd::deliver::send(&address, &calling, &called, file)).map_err(|e| e.to_string())
    }

    /// Every outcome in the store, in sequence, whether delivered or not.
    pub fn outcomes(&self) -> Vec<residentd::store::Outgoing> {
        residentd::store::Store::open(&self.path("state")).unwrap().outcomes(0, 100_000).unwrap()
    }

    /// Verifies `stream` (outcomes, one a line) with `residentd verify`.
    pub fn verify(&self, stream: &str) -> Output {
        let file = self.path("stream.jws");
        fs::write(&file, stream).unwrap();
        Command::new(RESIDENTD).arg("verify").arg(&file).arg("--key").arg(self.path("device.pub.pem")).output().unwrap()
    }
}

/// A running daemon; dropped, it is killed.
pub struct Daemon(pub Child);

impl Daemon {
    /// Stops it as a service manager would.
    pub fn stop(mut self) {
        let status = Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        assert!(status.success());
        assert!(self.0.wait().unwrap().success());
    }

    /// Its children: the reader.
    pub fn children(&self) -> Vec<u32> {
        residentd::os::children(self.0.id()).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that is free now, and that nobody else is given: below those that the system hands
/// out, where the tests beside this one get theirs, and another one at each call.
pub fn free_port() -> SocketAddr {
    const LOWEST: u32 = 10_000;
    const PORTS: u32 = 22_000;
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(211);
    let free = |_| {
        let port = LOWEST + first.wrapping_add(CALLS.fetch_add(1, Ordering::Relaxed)) % PORTS;
        let address = SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).expect("below 32,000")));
        TcpListener::bind(address).ok().map(|_| address)
    };
    (0..PORTS).find_map(free).expect("one of so many ports is free")
}

/// Waits until `condition` holds.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not happen within {LIMIT:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a command printed.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A runtime for one blocking call.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The folder of real DICOM files, or `None` with a message.
pub fn real_dicom() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join("shared/data/dicom");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no real DICOM files at {}", folder.display());
    None
}

/// True where a peer's program is installed; says so where not.
pub fn installed(program: &str) -> bool {
    let found = ["/usr/bin", "/usr/sbin", "/usr/local/bin"].iter().any(|d| Path::new(d).join(program).is_file());
    if !found {
        println!("skipped: {program} is not installed (.ci/run installs it)");
    }
    found
}

/// Files below `folder`, in name order.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.extension().is_none_or(|e| e != "csv") {
            files.push(path);
        }
    }
    files.sort();
    files
}
