//! What a service manager sees of the daemon, and gives to it: readiness, reload, the key as
//! a credential, lines for its journal. With a real one: `scripts/boot`.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::site::{Daemon, LIMIT, RESIDENTD, Site, installed, text, wait_for};

/// The daemon of `site` under a stand-in for systemd.
struct Service {
    daemon: Daemon,
    socket: UnixDatagram,
}

impl Service {
    fn start(site: &Site) -> Self {
        let path = site.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let service = Self { daemon: Daemon(site.run_command().env("NOTIFY_SOCKET", &path).spawn().unwrap()), socket };
        service.wait_for("READY=1");
        service
    }

    /// Waits for a message with `line`; all of it.
    fn wait_for(&self, line: &str) -> String {
        let mut bytes = [0; 4096];
        loop {
            let length = self.socket.recv(&mut bytes).expect(line);
            let message = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if message.lines().any(|got| got == line) {
                return message;
            }
        }
    }

    /// Asks for a reload and waits for its end; the status that it is left with.
    fn reload(&self) -> String {
        let pid = Pid::from_raw(i32::try_from(self.daemon.0.id()).unwrap()).unwrap();
        kill_process(pid, Signal::HUP).unwrap();
        self.wait_for("RELOADING=1");
        self.wait_for("READY=1")
    }
}

/// The audit log's lines, from the oldest.
fn audit_log(site: &Site) -> String {
    let show = Command::new(RESIDENTD).args(["audit", "show", "--config"]).arg(site.path("residentd.toml")).output();
    text(&show.unwrap())
}

#[test]
fn a_reload_says_who_may_send_from_now_on_and_whose_outcome_is_made_by_which_configuration() {
    let site = Site::new();
    let service = Service::start(&site);
    assert_eq!(site.send(&site.phantom(1)), Ok(0));
    wait_for("the first outcome", || site.outcomes().len() == 1);
    site.edit("# allow_calling = []", "allow_calling = [\"OTHER\"]");
    let status = service.reload();
    assert!(status.contains("STATUS=configuration "), "{status}");
    let second = site.phantom(2);
    site.send(&second).expect_err("TEST may not send any more");
    site.edit("[\"OTHER\"]", "[\"OTHER\", \"TEST\"]");
    service.reload();
    assert_eq!(site.send(&second), Ok(0));
    wait_for("the second outcome", || site.outcomes().len() == 2);
    let digests: Vec<String> = site.outcomes().iter().map(|outcome| configuration_of(&outcome.jws)).collect();
    let now = residentd::config::Configuration::load(&site.path("residentd.toml")).unwrap().sha256.to_string();
    assert!(digests[0] != now && digests[1].contains(&now), "{digests:?}, now {now}");
    assert_eq!(audit_log(&site).matches(" reconfigured").count(), 2);
    service.daemon.stop();
}

/// The digest of the configuration in an outcome's protected header.
fn configuration_of(jws: &str) -> String {
    use base64::Engine as _;
    let header = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(jws.split('.').next().unwrap()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    let members = header.as_object().unwrap();
    members.iter().find(|(name, _)| name.contains("config")).map(|(_, value)| value.to_string()).unwrap()
}

#[test]
fn a_reload_of_a_wrong_file_or_of_what_only_a_start_takes_changes_nothing_and_says_so() {
    let site = Site::new();
    let service = Service::start(&site);
    site.edit("# allow_calling = []", "alow_calling = [\"OTHER\"]");
    let status = service.reload();
    assert!(status.contains("NOT reloaded") && status.contains("`alow_calling"), "{status}");
    site.edit("alow_calling = [\"OTHER\"]", "allow_calling = [\"OTHER\"]");
    site.edit("name = \"cart\"", "name = \"other\"");
    let status = service.reload();
    assert!(status.contains("device.name: only a start"), "{status}");
    assert_eq!(site.send(&site.phantom(1)), Ok(0), "whole or not at all: TEST may still send");
    let log = audit_log(&site);
    assert_eq!(log.matches(" reconfiguration-refused").count(), 2, "{log}");
    assert!(!log.contains(" reconfigured"), "{log}");
    service.daemon.stop();
}

#[test]
fn the_key_is_taken_from_the_service_managers_credentials_where_it_is_among_them() {
    let site = Site::new();
    let credentials = site.path("credentials");
    std::fs::create_dir(&credentials).unwrap();
    std::fs::rename(site.path("device.key"), credentials.join("device.key")).unwrap();
    let run = || site.run_command();
    assert_eq!(run().status().unwrap().code(), Some(77), "without credentials there is no key");
    let daemon = Daemon(run().env("CREDENTIALS_DIRECTORY", &credentials).spawn().unwrap());
    wait_for("the storage SCP", || std::net::TcpStream::connect(site.dicom).is_ok());
    assert_eq!(site.send(&site.phantom(1)), Ok(0));
    wait_for("the outcome", || site.outcomes().len() == 1);
    let verified = site.verify(&site.outcomes()[0].jws);
    assert!(verified.status.success(), "{}", text(&verified));
    daemon.stop();
}

/// Runs the daemon into its end with a configuration that is not there; what it wrote.
fn last_words(log: &Path, journal: impl Fn(&std::fs::Metadata) -> String) -> String {
    let file = std::fs::File::create(log).unwrap();
    let stream = journal(&file.metadata().unwrap());
    let mut command = Command::new(RESIDENTD);
    command.args(["run", "--config", "/nonexistent"]).env("JOURNAL_STREAM", stream);
    assert!(!command.stdin(Stdio::null()).stderr(file).status().unwrap().success());
    std::fs::read_to_string(log).unwrap()
}

#[test]
fn the_journal_gets_priorities_and_anybody_else_gets_none() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let to_journal = last_words(&log, |file| format!("{}:{}", file.dev(), file.ino()));
    assert!(to_journal.starts_with("<3>residentd: configuration /nonexistent"), "{to_journal}");
    let elsewhere = last_words(&log, |file| format!("{}:{}", file.dev(), file.ino() + 1));
    assert!(elsewhere.starts_with("residentd: configuration /nonexistent"), "{elsewhere}");
}

#[test]
fn the_units_are_exposed_by_one_tenth_of_what_a_unit_can_be() {
    if !installed("systemd-analyze") {
        return;
    }
    // In tenths of the score; scripts/boot asks a running systemd the same.
    for (unit, most) in [("residentd.service", 10), ("residentd-clock.service", 5)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(unit);
        let mut analyze = Command::new("systemd-analyze");
        analyze.args(["security", "--offline=true", "--no-pager", &format!("--threshold={most}")]).arg(path);
        let output = analyze.output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }
}
