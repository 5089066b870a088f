//! The audit log of a running box: what is in it, who cannot be, and what it proves.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::site::{Daemon, LIMIT, RESIDENTD, Site, runtime, text, wait_for};

fn audit(site: &Site, arguments: &[&str]) -> Output {
    let mut command = Command::new(RESIDENTD);
    command.arg("audit").args(arguments).arg("--config").arg(site.path("residentd.toml")).output().unwrap()
}

/// The status messages of `site` until one's checkpoint covers line `seq`, one a line.
fn statuses_until(site: &Site, seq: u64) -> String {
    runtime().block_on(async {
        let host = site.broker.ip().to_string();
        let topic = "residentd/test/cart/status";
        let port = site.broker.port();
        let mut subscriber = residentd::receive::Subscriber::subscribe(&host, port, topic, LIMIT).await.unwrap();
        let mut heard = String::new();
        loop {
            let status = String::from_utf8(subscriber.next(LIMIT).await.unwrap().payload).unwrap();
            heard += &status;
            heard.push('\n');
            let status: Value = serde_json::from_str(&status).unwrap();
            if status["audit_checkpoint"].as_str().is_some_and(|jws| signed_for(jws) >= seq) {
                return heard;
            }
        }
    })
}

/// The line that a checkpoint is about.
fn signed_for(jws: &str) -> u64 {
    use base64::Engine as _;
    let payload = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(jws.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&payload).unwrap()["seq"].as_u64().unwrap()
}

/// Sequence of the line of `event`, once there is one.
fn seq_of(site: &Site, event: &str) -> u64 {
    let mut found = None;
    wait_for(event, || {
        let page = text(&audit(site, &["show"]));
        let line = page.lines().find(|line| line.split(' ').nth(2) == Some(event));
        found = line.and_then(|line| line.split(' ').next()?.parse().ok());
        found.is_some()
    });
    found.unwrap()
}

fn only_segment(folder: &Path) -> std::path::PathBuf {
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|e| e == "jsonl")).unwrap()
}

#[test]
fn what_a_box_did_is_in_its_log_and_holds_under_the_checkpoint_of_its_heartbeat() {
    let site = Site::new();
    site.edit("# heartbeat_s = 30", "heartbeat_s = 1");
    let daemon = site.start();
    let phantom = site.phantom(5);
    assert_eq!(site.send(&phantom), Ok(0));
    let garbage = site.path("garbage.dcm");
    std::fs::write(&garbage, garbled(&phantom)).unwrap();
    assert_ne!(site.send(&garbage), Ok(0));
    let calling = "STRANGER".parse().unwrap();
    let (called, address) = ("SOMEBODY".parse().unwrap(), site.dicom.to_string());
    assert!(runtime().block_on(residentd::deliver::send(&address, &calling, &called, &phantom)).is_err());

    let needed = ["sealed", "refused", "denied"].map(|event| seq_of(&site, event));
    let published = site.path("statuses.jsonl");
    std::fs::write(&published, statuses_until(&site, *needed.iter().max().unwrap())).unwrap();
    daemon.stop();

    let page = text(&audit(&site, &["show"]));
    for event in ["started", "configured", "key-loaded", "serving", "accepted", "read", "sealed", "stopping", "stopped"]
    {
        assert!(page.lines().any(|line| line.split(' ').nth(2) == Some(event)), "no {event} in\n{page}");
    }
    assert!(page.contains("calling_ae=STRANGER why=called-ae"), "{page}");
    assert!(!page.contains("PHANTOM") && !page.contains("2.25."), "no patient and no UID:\n{page}");

    let published = published.to_str().unwrap();
    let good = audit(&site, &["verify", "--checkpoint", published]);
    assert!(good.status.success(), "{}", text(&good));
    assert!(text(&good).contains("holds up to checkpoint"), "{}", text(&good));

    // Without the box: a copy of the folder, the public key, and what the hospital kept.
    let folder = site.path("state/audit");
    let verify = |folder: &Path| {
        let mut command = Command::new(RESIDENTD);
        let key = site.path("device.pub.pem");
        command.args(["audit", "verify", "--checkpoint", published, "--dir"]).arg(folder).arg("--key").arg(key);
        command.output().unwrap()
    };
    assert!(verify(&folder).status.success());
    let segment = only_segment(&folder);
    let whole = std::fs::read_to_string(&segment).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let without = |n: usize| {
        let kept: Vec<&str> = lines.iter().enumerate().filter(|(i, _)| *i != n).map(|(_, line)| *line).collect();
        kept.join("\n") + "\n"
    };
    for damaged in [whole.replacen("STRANGER", "STRANGED", 1), without(2), lines[..4].join("\n") + "\n", String::new()]
    {
        std::fs::write(&segment, damaged).unwrap();
        let output = verify(&folder);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    }
    assert_eq!(verify(&site.path("nowhere")).status.code(), Some(65));
}

/// A file of the same class whose dataset is no dataset.
fn garbled(file: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read(file).unwrap();
    let length = bytes.len();
    bytes.truncate(length / 2);
    bytes
}

#[test]
fn a_kill_at_any_step_of_the_log_leaves_one_that_goes_on_and_holds() {
    for step in ["audit-synced", "audit-checkpoint"] {
        let site = Site::new();
        site.edit("# heartbeat_s = 30", "heartbeat_s = 1");
        let mut doomed = Daemon(site.run_command().env("RESIDENTD_KILL_AT", step).spawn().unwrap());
        wait_for(&format!("the kill at {step}"), || doomed.0.try_wait().unwrap().is_some());
        drop(doomed);
        let daemon = site.start();
        assert_eq!(site.send(&site.phantom(6)), Ok(0));
        seq_of(&site, "sealed");
        daemon.stop();
        let page = text(&audit(&site, &["show"]));
        assert!(page.contains("after=cut"), "after a kill at {step}:\n{page}");
        let output = audit(&site, &["verify"]);
        assert!(output.status.success(), "after a kill at {step}: {}", text(&output));
    }
}

#[test]
fn a_key_that_is_rejected_is_in_the_log() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::new();
    let key = site.path("device.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = site.run_command().output().unwrap();
    assert_eq!(output.status.code(), Some(77));
    assert!(text(&audit(&site, &["show"])).contains("key-rejected"));
    assert_eq!(audit(&site, &["verify"]).status.code(), Some(1), "nothing signed, nothing proven");
}

#[test]
fn what_the_collector_keeps_of_heartbeats_convicts_whoever_shortens_the_log() {
    let site = Site::new();
    site.edit("# heartbeat_s = 30", "heartbeat_s = 1");
    let daemon = site.start();
    let collectors = [("--folder", "kept"), ("--store", "kept.sqlite")].map(|(how, kept)| {
        let mut command = Command::new(RESIDENTD);
        command.args(["collect", "--make-key", how]).arg(site.path(kept));
        command.args(["--host", &site.broker.ip().to_string(), "--port", &site.broker.port().to_string()]);
        command.arg("--devices").arg(site.path("device.pub.pem")).arg("--key").arg(site.path(&format!("{kept}.key")));
        Daemon(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    });
    assert_eq!(site.send(&site.phantom(7)), Ok(0));
    let sealed = seq_of(&site, "sealed");

    let verify = |kept: &str| audit(&site, &["verify", "--checkpoint", site.path(kept).to_str().unwrap()]);
    let log = site.path("state/audit");
    for kept in ["kept", "kept.sqlite"] {
        // Of the box's own checkpoints none is believed: those that it kept beside its log are
        // what an intruder takes away first.
        let lone = site.path(&format!("{kept}.copy"));
        wait_for("a checkpoint of that line at the collector", || {
            std::fs::create_dir_all(&lone).unwrap();
            let segment = only_segment(&log);
            std::fs::copy(&segment, lone.join(segment.file_name().unwrap())).unwrap();
            let words = text(&verify_copy(&site, &lone, kept));
            let held =
                words.split_once("holds up to checkpoint ").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
            held.is_some_and(|held: u64| held >= sealed)
        });
        let whole = std::fs::read_to_string(only_segment(&lone)).unwrap();
        let before = whole.lines().take_while(|line| !line.contains("\"sealed\"")).map(|line| format!("{line}\n"));
        std::fs::write(only_segment(&lone), before.collect::<String>()).unwrap();
        let shortened = verify_copy(&site, &lone, kept);
        assert_eq!(shortened.status.code(), Some(1), "{}", text(&shortened));
    }
    collectors.into_iter().for_each(Daemon::stop);
    daemon.stop();
    assert!(verify("kept").status.success() && verify("kept.sqlite").status.success());
}

/// The log in `folder` held against what a collector kept.
fn verify_copy(site: &Site, folder: &Path, kept: &str) -> Output {
    let mut command = Command::new(RESIDENTD);
    command.args(["audit", "verify", "--checkpoint"]).arg(site.path(kept)).arg("--dir").arg(folder);
    command.arg("--key").arg(site.path("device.pub.pem")).output().unwrap()
}
