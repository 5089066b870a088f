//! The acceptance of a box, whole, as an engineer does it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::site::{Daemon, RESIDENTD, Site, text, wait_for};

fn accept(site: &Site, out: &Path) -> Output {
    let mut command = Command::new(RESIDENTD);
    command.args(["accept", "--engineer", "E. Xample", "--config"]).arg(site.path("residentd.toml"));
    command.arg("--out").arg(out).output().unwrap()
}

fn verify(certificate: &Path, key: &Path) -> Output {
    Command::new(RESIDENTD).args(["accept", "verify"]).arg(certificate).arg("--key").arg(key).output().unwrap()
}

/// The one file in `folder` that ends so.
fn the(folder: &Path, extension: &str) -> Option<PathBuf> {
    let mut found = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    found.find(|path| path.extension().is_some_and(|e| e == extension))
}

#[test]
fn a_sound_box_keeps_every_promise_and_signs_that_it_did() {
    let site = Site::new();
    let out = site.path("acceptance");
    let output = accept(&site, &out);
    let log = fs::read_to_string(out.join("daemon.log")).unwrap_or_default();
    assert!(output.status.success(), "{}\n{log}", text(&output));

    let certificate = the(&out, "jws").unwrap();
    let good = verify(&certificate, &site.path("device.pub.pem"));
    assert!(good.status.success() && text(&good).contains("ACCEPTED"), "{}", text(&good));
    for step in [
        "examine",
        "start",
        "echo",
        "read",
        "retake",
        "decline",
        "refuse",
        "broker-loss",
        "power-cut",
        "receipt",
        "chain",
        "stop",
    ] {
        assert!(text(&good).contains(&format!("passed         {step}:")), "{step} in {}", text(&good));
    }
    let page = fs::read_to_string(the(&out, "html").unwrap()).unwrap();
    assert!(page.contains("PASSED") && page.contains("E. Xample") && page.contains("chest-adult"), "{page}");

    // What it says is what the store has: seven images were taken, one outcome each.
    let outcomes = site.outcomes();
    assert_eq!(outcomes.len(), 7);
    let stream: Vec<&str> = outcomes.iter().map(|outcome| outcome.jws.as_str()).collect();
    let verified = text(&site.verify(&stream.join("\n")));
    assert!(verified.contains("outcomes 1 to 7 are all here"), "{verified}");

    let other = site.path("other.pub.pem");
    fs::write(&other, residentd::seal::key::DeviceKey::generate().unwrap().public().to_pem()).unwrap();
    assert_eq!(verify(&certificate, &other).status.code(), Some(1));
}

/// Starts an acceptance, and returns once it asks for something in these words.
fn asked(site: &Site, out: &Path, argument: &str, words: &str) -> Daemon {
    let log = site.path("asked.log");
    let mut command = Command::new(RESIDENTD);
    command.args(["accept", argument, "--config"]).arg(site.path("residentd.toml")).arg("--out").arg(out);
    let accepting = Daemon(command.stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap()).spawn().unwrap());
    wait_for(words, || fs::read_to_string(&log).unwrap().contains(words));
    accepting
}

#[test]
fn an_image_from_the_modality_is_waited_for_at_the_box_s_own_address() {
    let site = Site::new();
    let out = site.path("acceptance");
    let mut accepting = asked(&site, &out, "--from-modality", "SEND NOW");
    assert_eq!(site.send(&site.phantom(9)), Ok(0));
    assert!(accepting.0.wait().unwrap().success(), "{}", fs::read_to_string(site.path("asked.log")).unwrap());
    let good = text(&verify(&the(&out, "jws").unwrap(), &site.path("device.pub.pem")));
    assert!(good.contains("passed         modality: outcome 8 (report, marked as a test)"), "{good}");
}

#[test]
fn a_plug_that_nobody_pulled_is_no_power_cut() {
    let site = Site::new();
    let out = site.path("acceptance");
    let mut accepting = asked(&site, &out, "--pull-plug", "PULL THE PLUG");
    for process in accepting.children() {
        assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
    }
    accepting.0.kill().unwrap();
    accepting.0.wait().unwrap();
    let output = accept(&site, &out);
    assert!(output.status.success(), "{}", text(&output));
    let good = text(&verify(&the(&out, "jws").unwrap(), &site.path("device.pub.pem")));
    assert!(good.contains("plug: outcome 8 is there, but this machine was not started anew"), "{good}");
    assert!(!good.contains("passed         plug"), "{good}");
}

#[test]
fn a_box_that_is_not_sound_gets_a_page_that_says_failed_and_one_that_runs_is_left_alone() {
    let site = Site::new();
    let out = site.path("acceptance");
    fs::set_permissions(site.path("device.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = accept(&site, &out);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let page = fs::read_to_string(the(&out, "html").unwrap()).unwrap();
    assert!(page.contains("FAILED") && page.contains("NOT SIGNED") && page.contains("mode 0644"), "{page}");
    assert_eq!(the(&out, "jws"), None);

    fs::set_permissions(site.path("device.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let daemon = site.start();
    let output = accept(&site, &site.path("another"));
    assert!(output.status.code() == Some(69) && text(&output).contains("systemctl stop"), "{}", text(&output));
    daemon.stop();
}
