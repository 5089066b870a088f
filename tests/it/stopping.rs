//! Ends that are asked for: at any time, and with nothing left behind.

use std::process::{Command, Stdio};

use crate::site::{Daemon, MODELS, RESIDENTD, Site, wait_for};

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[test]
fn a_daemon_that_is_stopped_while_it_starts_stops_and_its_reader_with_it() {
    let site = Site::new();
    // A reader that loads for ever.
    let mut starting = Daemon(site.run_command().env("RESIDENTD_WEDGE", "reader-walled").spawn().unwrap());
    wait_for("the reader", || !starting.children().is_empty());
    let reader = starting.children()[0];
    signal(starting.0.id(), rustix::process::Signal::TERM);
    wait_for("the end", || starting.0.try_wait().unwrap().is_some());
    assert!(starting.0.wait().unwrap().success());
    wait_for("the reader's end", || !std::path::Path::new(&format!("/proc/{reader}")).exists());
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(RESIDENTD)
        .args(["demo", "--runs", "100", "--models", MODELS])
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let entries = || std::fs::read_dir(folder.path()).unwrap().count();
    wait_for("its folder", || entries() == 1);
    signal(demo.id(), rustix::process::Signal::INT);
    wait_for("the end", || demo.try_wait().unwrap().is_some());
    assert_eq!((demo.wait().unwrap().code(), entries()), (Some(130), 0));
}

/// Whatever our parent left open for us, a stranger's image must not reach it.
#[test]
fn the_reader_has_no_descriptor_that_the_gateway_inherited() {
    let site = Site::new();
    let secret = site.path("secret");
    std::fs::write(&secret, "left open by a careless parent").unwrap();
    let run = site.run_command();
    let words: Vec<_> = run.get_args().map(|word| word.to_str().unwrap()).collect();
    let script = format!("exec 9<{}; exec {RESIDENTD} {}", secret.display(), words.join(" "));
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let daemon = Daemon(shell.spawn().unwrap());
    wait_for("the storage SCP", || std::net::TcpStream::connect(site.dicom).is_ok());
    let holds = |pid: u32| {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
        open.filter_map(|entry| std::fs::read_link(entry.path()).ok()).any(|to| to == secret)
    };
    assert!(holds(daemon.0.id()), "the test leaves a descriptor open");
    assert!(!holds(daemon.children()[0]));
    daemon.stop();
}
