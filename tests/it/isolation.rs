//! Promise 6 on the running program: what each process holds, and where the key is not.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use base64::Engine as _;

use crate::site::{Daemon, Site, wait_for};

/// The targets of a process's descriptors.
fn descriptors(pid: u32) -> Vec<String> {
    let folder = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    folder.filter_map(|entry| Some(fs::read_link(entry.ok()?.path()).ok()?.display().to_string())).collect()
}

/// One field of a task's status.
fn status(task: &std::path::Path, field: &str) -> String {
    let text = fs::read_to_string(task.join("status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
    line.trim().to_owned()
}

fn tasks(pid: u32) -> Vec<PathBuf> {
    fs::read_dir(format!("/proc/{pid}/task")).unwrap().map(|task| task.unwrap().path()).collect()
}

/// A daemon that has received, read and delivered, with its log in a file.
fn at_work(site: &Site) -> Daemon {
    let mut command = site.run_command();
    command.env("RUST_LOG", "trace").stderr(fs::File::create(site.path("log")).unwrap());
    let daemon = Daemon(command.spawn().unwrap());
    wait_for("the storage SCP", || std::net::TcpStream::connect(site.dicom).is_ok());
    assert_eq!(site.send(&site.phantom(1)), Ok(0));
    let store = residentd::store::Store::open(&site.path("state")).unwrap();
    wait_for("an outcome that is delivered", || {
        store.outcomes(0, 1).unwrap().len() == 1 && store.undelivered().unwrap() == 0
    });
    daemon
}

#[test]
fn the_reader_inherits_no_descriptor_but_its_socket() {
    let site = Site::new();
    let daemon = at_work(&site);
    let readers = daemon.children();
    assert_eq!(readers.len(), 1);
    let held = descriptors(readers[0]);
    let sockets: BTreeSet<&String> = held.iter().filter(|target| target.starts_with("socket:")).collect();
    assert_eq!(sockets.len(), 1, "its conversation with the gateway: {held:?}");
    let others: Vec<&String> = held.iter().filter(|target| !target.starts_with("socket:")).collect();
    assert!(others.iter().all(|target| *target == "/dev/null"), "{others:?}");
    daemon.stop();
}

#[test]
fn every_thread_of_both_processes_stands_behind_its_walls() {
    let site = Site::new();
    let daemon = at_work(&site);
    for pid in daemon.children().into_iter().chain([daemon.0.id()]) {
        for task in tasks(pid) {
            assert_eq!((status(&task, "NoNewPrivs"), status(&task, "Seccomp")), ("1".to_owned(), "2".to_owned()));
        }
    }
    daemon.stop();
}

/// The key's seed (RFC 8410: the last 32 bytes of the PKCS#8), and the key as others write it.
fn secrets(site: &Site) -> (Vec<u8>, Vec<String>) {
    let pem = fs::read_to_string(site.path("device.key")).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(&body).unwrap();
    let seed = der[der.len() - 32..].to_vec();
    let hex = residentd::digest::Digest::from_bytes(seed.clone().try_into().unwrap()).to_string();
    let url = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&seed);
    let standard = base64::engine::general_purpose::STANDARD.encode(&seed);
    (seed, vec![body, hex, url, standard.trim_end_matches('=').to_owned()])
}

/// How often `needle` stands in the memory of a process; `None` where we may not look.
fn in_memory(pid: u32, needle: &[u8]) -> Option<usize> {
    use std::os::unix::fs::FileExt;
    let memory = fs::File::open(format!("/proc/{pid}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        let [from, to] = [from, to].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        // A page that was never touched, or is gone by now, holds nothing.
        let read = memory.read_at(&mut bytes, from).unwrap_or(0);
        found += bytes[..read].windows(needle.len()).filter(|window| *window == needle).count();
    }
    Some(found)
}

#[test]
fn the_key_is_in_no_argument_environment_log_or_reader_and_once_in_memory() {
    let site = Site::new();
    let (seed, written) = secrets(&site);
    let daemon = at_work(&site);
    let readers = daemon.children();
    for pid in readers.iter().chain([&daemon.0.id()]) {
        for file in ["cmdline", "environ"] {
            let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            assert!(written.iter().all(|secret| !text.contains(secret)), "/proc/{pid}/{file}");
        }
    }
    match in_memory(daemon.0.id(), &seed) {
        None => println!("skipped in part: this user may not look into the gateway's memory, which is as it should be"),
        Some(times) => assert_eq!(times, 1, "copies of the key's seed in the gateway's memory"),
    }
    assert!(in_memory(readers[0], &seed).is_none_or(|times| times == 0), "the key is in the reader's memory");
    daemon.stop();
    let log = fs::read_to_string(site.path("log")).unwrap();
    assert!(log.contains("ready"), "{log}");
    assert!(written.iter().all(|secret| !log.contains(secret)), "the key is in the log");
}
