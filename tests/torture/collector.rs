//! The hospital's receiver as it ships, `residentd collect`, in a process that may be killed too.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use residentd::seal::key::DeviceKey;

use crate::receiver::Receiver;
use crate::site::{RESIDENTD, Site};

/// The collector of one device.
pub struct Collector<'a> {
    site: &'a Site,
    broker: std::net::SocketAddr,
    process: Child,
}

impl<'a> Collector<'a> {
    /// Makes the collector's key, lets the device wait for its receipts, and starts it.
    pub fn start(site: &'a Site, receiver: &Receiver) -> Self {
        let key = DeviceKey::generate().unwrap();
        key.save_new(&site.path("receiver.key")).unwrap();
        key.save_public(&site.path("receiver.key")).unwrap();
        site.edit("# [receiver]\n# keys = [\"receiver.pub.pem\"]", "[receiver]\nkeys = [\"receiver.pub.pem\"]\n");
        Self { site, broker: receiver.broker, process: spawn(site, receiver.broker, &[]) }
    }

    /// Kills it and starts another, with `environment`.
    pub fn kill(&mut self, environment: &[(&str, String)]) {
        let _ = self.process.kill();
        self.process.wait().unwrap();
        self.process = spawn(self.site, self.broker, environment);
    }

    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    /// What it keeps, in sequence.
    pub fn kept(&self) -> Vec<String> {
        let mut files: Vec<PathBuf> = folders(&self.site.path("collected"))
            .iter()
            .flat_map(|device| std::fs::read_dir(device).unwrap().flatten())
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "jws"))
            .collect();
        files.sort();
        files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}

impl Drop for Collector<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn folders(root: &std::path::Path) -> Vec<PathBuf> {
    std::fs::read_dir(root).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect()
}

fn spawn(site: &Site, broker: std::net::SocketAddr, environment: &[(&str, String)]) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(site.path("collector.log")).unwrap();
    Command::new(RESIDENTD)
        .args(["collect", "--host", &broker.ip().to_string(), "--port", &broker.port().to_string()])
        .args(["--devices".as_ref(), site.path("device.pub.pem").as_os_str()])
        .args(["--key".as_ref(), site.path("receiver.key").as_os_str()])
        .args(["--folder".as_ref(), site.path("collected").as_os_str()])
        .envs(environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}
