//! Bad input gets a clear error that says what, where and what to do; nothing crashes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::site::{MODELS, RESIDENTD, Site, files_below, real_dicom, text, wait_for};

/// Starts the daemon on a broken site; its exit code and message.
fn refusal(site: &Site) -> (i32, String) {
    let output = site.run_command().stderr(std::process::Stdio::piped()).output().unwrap();
    (output.status.code().unwrap(), text(&output))
}

#[test]
fn a_wrong_configuration_names_line_column_and_remedy() {
    let site = Site::new();
    site.edit("name = \"cart\"", "nmae = \"cart\"");
    let (code, message) = refusal(&site);
    assert_eq!(code, 78, "{message}");
    let config = fs::read_to_string(site.path("residentd.toml")).unwrap();
    let line = config.lines().position(|line| line.starts_with("nmae")).unwrap() + 1;
    assert!(message.contains(&format!("line {line}, column 1")) && message.contains("expected one of"), "{message}");
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let site = Site::new();
    let key = site.path("device.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, message) = refusal(&site);
    assert_eq!(code, 77, "{message}");
    assert!(message.contains("chmod 600") && message.contains("device.key"), "{message}");
}

#[test]
fn a_bundle_with_a_changed_byte_is_refused_before_anything_listens() {
    let site = Site::new();
    let models = site.path("models");
    for bundle in ["chest-adult", "chest-child"] {
        for file in files_below(&std::path::Path::new(MODELS).join(bundle)) {
            let to = models.join(file.strip_prefix(MODELS).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&file, &to).unwrap();
        }
    }
    let model = models.join("chest-child/model.onnx");
    let mut bytes = fs::read(&model).unwrap();
    bytes[1000] ^= 1;
    fs::write(&model, bytes).unwrap();
    site.edit(&format!("models_dir = \"{MODELS}\""), "models_dir = \"models\"");
    let (code, message) = refusal(&site);
    assert_eq!(code, 65, "{message}");
    assert!(message.contains("chest-child/model.onnx") && message.contains("changed or damaged"), "{message}");
}

#[test]
fn a_port_in_use_names_the_port() {
    let site = Site::new();
    let _other = std::net::TcpListener::bind(site.dicom).unwrap();
    let (code, message) = refusal(&site);
    assert_eq!(code, 69, "{message}");
    assert!(message.contains(&site.dicom.to_string()), "{message}");
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused() {
    let site = Site::new();
    let daemon = site.start();
    let (code, message) = refusal(&site);
    assert_eq!(code, 69, "{message}");
    assert!(message.contains("another residentd"), "{message}");
    daemon.stop();
}

#[test]
fn provisioning_never_overwrites() {
    let site = Site::new();
    let key = fs::read(site.path("device.key")).unwrap();
    let output = Command::new(RESIDENTD)
        .args(["provision", "--site", "a", "--device", "b", "--dir"])
        .arg(site.folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(73), "{}", text(&output));
    assert_eq!(fs::read(site.path("device.key")).unwrap(), key);
}

#[test]
fn provisioning_with_relative_folders_makes_a_box_that_runs_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let (listen, broker) = (crate::site::free_port().to_string(), crate::site::free_port().to_string());
    let output = Command::new(RESIDENTD)
        .current_dir(folder.path())
        .args(["provision", "--site", "a", "--device", "b", "--dir", "box", "--state-dir", "box/state"])
        .args(["--models-dir", MODELS, "--listen", &listen, "--broker-listen", &broker])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let config = folder.path().join("box/residentd.toml");
    let check = Command::new(RESIDENTD).current_dir("/").arg("check").arg("--config").arg(config).output().unwrap();
    assert!(check.status.success(), "{}", text(&check));
}

#[test]
fn check_says_yes_to_a_provisioned_box_and_changes_nothing() {
    let site = Site::new();
    let before = files_below(site.folder.path());
    let output =
        Command::new(RESIDENTD).arg("check").arg("--config").arg(site.path("residentd.toml")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(files_below(site.folder.path()), before);
    fs::remove_file(site.path("device.key")).unwrap();
    let output =
        Command::new(RESIDENTD).arg("check").arg("--config").arg(site.path("residentd.toml")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("BAD   key"), "{}", text(&output));
}

/// Every real file, good and broken, through `read`: each is one line of JSON with one outcome.
#[test]
fn every_real_file_ends_in_one_outcome_by_read() {
    let Some(folder) = real_dicom() else { return };
    let files = files_below(&folder);
    let output = Command::new(RESIDENTD).args(["read", "--json", "--models", MODELS]).args(&files).output().unwrap();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), files.len());
    for (file, line) in files.iter().zip(&lines) {
        let outcome = &line["reading"]["outcome"];
        assert!(outcome["report"].is_object() || outcome["abstention"].is_object(), "{}: {outcome}", file.display());
        assert!(line["reading"]["text"]["impression"][0].is_string(), "{}", file.display());
    }
}

/// Every real file by C-STORE: a status and one outcome, or a refusal; never a crash,
/// and the gateway does not grow by more than 32 MB.
#[test]
fn every_real_file_by_c_store_costs_the_gateway_at_most_32_mb() {
    let Some(folder) = real_dicom() else { return };
    let site = Site::new();
    let daemon = site.start();
    let rss = || residentd::os::peak_rss_kib(Some(daemon.0.id())).unwrap();
    let before = rss();
    let (mut stored, mut refused) = (0, 0);
    for file in files_below(&folder) {
        match site.send(&file) {
            Ok(0) => stored += 1,
            Ok(status) => {
                assert!(
                    [0xA700, 0xA900, 0xC000, 0x0111, 0x0117, 0x0122].contains(&status),
                    "{}: 0x{status:04X}",
                    file.display()
                );
                refused += 1;
            }
            Err(_) => refused += 1,
        }
    }
    println!("stored {stored}, refused {refused}, gateway grew by {} KiB", rss() - before);
    assert!(stored >= 40, "only {stored} stored, {refused} refused");
    assert!(rss() - before <= 32 * 1024, "gateway grew by {} KiB", rss() - before);
    let store = residentd::store::Store::open(&site.path("state")).unwrap();
    wait_for("every outcome", || store.unread().unwrap() == 0);
    assert_eq!(site.send(&site.phantom(1)), Ok(0), "the listener still serves");
    daemon.stop();
}
