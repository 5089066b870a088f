//! A box is provisioned once, whatever happens on the way, and then stays as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::site::{MODELS, RESIDENTD, Site, files_below, installed, text, wait_for};

/// `residentd provision` with `arguments`; nobody is there to be asked.
fn provision(arguments: &[&str]) -> Command {
    let mut command = Command::new(RESIDENTD);
    command.arg("provision").args(arguments).stdin(Stdio::null());
    command
}

fn output(mut command: impl std::borrow::BorrowMut<Command>) -> Output {
    command.borrow_mut().output().unwrap()
}

/// Every file below `folder` with its bytes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let name = |path: &Path| path.strip_prefix(folder).unwrap().display().to_string();
    files_below(folder).iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

/// A stick with the answers for a site and all that they name.
fn stick(folder: &Path) -> String {
    let hospital = residentd::seal::key::DeviceKey::generate().unwrap();
    fs::write(folder.join("receiver.pub.pem"), hospital.public().to_pem()).unwrap();
    fs::write(folder.join("vendor.pub.jwk"), hospital.public().to_jwk()).unwrap();
    fs::write(folder.join("broker.password"), "secret\n").unwrap();
    let authority = rcgen::generate_simple_self_signed(vec!["broker".to_owned()]).unwrap();
    fs::write(folder.join("ca.pem"), authority.cert.pem()).unwrap();
    let answers = folder.join("site.toml");
    let page = "site = \"clinic\"\nbroker = \"broker\"\nbroker_ca = \"ca.pem\"\nbroker_user = \"cart\"\n\
                broker_password_file = \"broker.password\"\nclient_certificate = \"request\"\n\
                receivers = [\"receiver.pub.pem\"]\nmodel_anchors = [\"vendor.pub.jwk\"]\n";
    fs::write(&answers, page).unwrap();
    answers.display().to_string()
}

#[test]
fn one_answer_file_provisions_many_boxes_each_with_a_key_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let answers = stick(folder.path());
    let mut keys = std::collections::BTreeSet::new();
    for n in 1..=3 {
        let (device, dir) = (format!("cart-{n}"), folder.path().join(format!("box-{n}")));
        let made =
            output(provision(&["--answers", &answers, "--device", &device, "--dir", &dir.display().to_string()]));
        let page = text(&made);
        assert!(made.status.success(), "{page}");
        assert!(page.contains("mqtt.csr signed by the broker's authority"), "what is missing is said: {page}");
        let config = residentd::config::Configuration::load(&dir.join("residentd.toml")).unwrap();
        assert_eq!(config.file.device.name.as_str(), device);
        assert_eq!((config.file.mqtt.port, config.file.receiver.unwrap().keys.len()), (8883, 1));
        keys.insert(fs::read_to_string(dir.join("device.pub.pem")).unwrap());
        let secret = |name: &str| residentd::os::mode(&dir.join(name)).unwrap();
        assert_eq!(["device.key", "mqtt.key", "mqtt.password"].map(secret), [0o600; 3]);
        assert_eq!(files_below(&dir.join("trust/models")).len(), 1);
        if installed("openssl") {
            let csr = dir.join("mqtt.csr");
            let told = Command::new("openssl")
                .args(["req", "-verify", "-noout", "-subject", "-in"])
                .arg(&csr)
                .output()
                .unwrap();
            assert!(
                told.status.success() && text(&told).contains(&device) && text(&told).contains("clinic"),
                "{}",
                text(&told)
            );
        }
    }
    assert_eq!(keys.len(), 3);
}

#[test]
fn an_answer_file_with_a_typo_is_refused_at_its_line_and_column_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (answers, dir) = (folder.path().join("site.toml"), folder.path().join("box"));
    let run = || output(provision(&["--answers", &answers.display().to_string(), "--dir", &dir.display().to_string()]));
    for (page, told) in [
        ("site = \"clinic\"\ndevcie = \"cart-1\"\n", ["line 2, column 1", "expected one of `site`, `device`"]),
        ("site = \"clinic\"\ndevice = \"cart-1\"\nlisten = 104\n", ["line 3, column 10", "listen = 104"]),
        ("site = \"clinic\"\ndevice = \"cart-1\"\nreceivers = [\"no.pem\"]\n", ["receivers", "no.pem"]),
        ("site = \"clinic\"\n", ["not answered: device", "--device"]),
    ] {
        fs::write(&answers, page).unwrap();
        let refused = run();
        let said = text(&refused);
        assert!(!refused.status.success() && told.iter().all(|words| said.contains(words)), "{page}: {said}");
        assert!(!dir.exists(), "{page}");
    }
}

#[test]
fn a_second_run_shows_what_is_there_and_changes_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let answers = stick(folder.path());
    let dir = folder.path().join("box");
    let at = ["--dir".to_owned(), dir.display().to_string()];
    let at = [at[0].as_str(), at[1].as_str()];
    let first = output(provision(&[&["--answers", &answers, "--device", "cart-1"], &at[..]].concat()));
    assert!(first.status.success(), "{}", text(&first));
    let before = contents(&dir);
    for arguments in [&[][..], &["--device", "cart-1"], &["--answers", &answers]] {
        let again = output(provision(&[arguments, &at[..]].concat()));
        assert!(again.status.success(), "{}", text(&again));
        let key = residentd::seal::public::PublicKey::load(&dir.join("device.pub.pem")).unwrap();
        assert!(text(&again).contains(key.id()) && text(&again).contains("cart-1"), "{}", text(&again));
        assert_eq!(contents(&dir), before);
    }
    let other = output(provision(&[&["--device", "cart-2"], &at[..]].concat()));
    assert_eq!(other.status.code(), Some(73), "{}", text(&other));
    assert_eq!(contents(&dir), before);
    // What can be made again is; what cannot is said.
    for name in ["device.pub.pem", "enrolment.png", "mqtt.csr"] {
        fs::remove_file(dir.join(name)).unwrap();
    }
    assert!(output(provision(&at)).status.success());
    let mended = contents(&dir);
    assert!(mended.keys().eq(before.keys()));
    assert!(mended.iter().all(|(name, bytes)| name == "mqtt.csr" || before[name] == *bytes));
    fs::remove_file(dir.join("device.key")).unwrap();
    let lacking = output(provision(&at));
    assert!(
        text(&lacking).contains("MISSING") && text(&lacking).contains("device.key is not there"),
        "{}",
        text(&lacking)
    );
    assert!(!dir.join("device.key").exists(), "a chain is not begun anew under its feet");
}

/// The power goes after each durable step, and within it.
#[test]
fn a_run_that_was_killed_between_any_two_steps_is_completed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let answers = stick(folder.path());
    let mut whole = 0;
    for step in ["written", "placed", "provision-key", "provision-public", "provision-put"] {
        for nth in 1.. {
            let dir = folder.path().join(format!("{step}-{nth}"));
            let run = || provision(&["--answers", &answers, "--device", "cart-1", "--dir", &dir.display().to_string()]);
            let mut doomed = run();
            doomed.env("RESIDENTD_KILL_AT", format!("{step}:{nth}"));
            if output(doomed).status.success() {
                assert!(nth > 1, "{step} is no step");
                break;
            }
            let public = fs::read(dir.join("device.pub.pem")).ok();
            let key = fs::read(dir.join("device.key")).ok();
            let again = output(run());
            assert!(again.status.success(), "after {step}:{nth}: {}", text(&again));
            assert!(key.is_none_or(|key| fs::read(dir.join("device.key")).unwrap() == key), "the key stays");
            assert!(public.is_none_or(|public| fs::read(dir.join("device.pub.pem")).unwrap() == public));
            let files = contents(&dir);
            assert!(files.keys().all(|name| !name.contains("/.") && !name.starts_with('.')), "{:?}", files.keys());
            let expected = [
                "broker-ca.crt",
                "device.key",
                "device.pub.jwk",
                "device.pub.pem",
                "enrolment.png",
                "enrolment.txt",
                "mqtt.csr",
                "mqtt.key",
                "mqtt.password",
                "receiver-1.pub.pem",
                "residentd.toml",
            ];
            assert!(expected.iter().all(|name| files.contains_key(*name)), "after {step}:{nth}: {:?}", files.keys());
            assert_eq!(files.len(), expected.len() + 1, "and the anchor");
            whole += 1;
        }
    }
    println!("completed after {whole} different kills");
}

/// With a secret that lies on the same disk; a TPM is sealed to in the same way, and is not here.
#[test]
fn a_key_sealed_to_the_machine_is_nowhere_in_the_clear_and_can_be_changed() {
    if !installed("systemd-creds") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (dir, state) = (folder.path().join("box"), folder.path().join("state"));
    let run = |arguments: &[&str]| {
        let mut command = provision(arguments);
        // Not the machine's own.
        output(command.env("SYSTEMD_CREDENTIAL_SECRET", folder.path().join("secret")))
    };
    let (at, state_dir) = (dir.display().to_string(), state.display().to_string());
    let made = run(&["--site", "a", "--device", "b", "--key", "host", "--dir", &at, "--state-dir", &state_dir]);
    if text(&made).contains("systemd-creds") && !made.status.success() {
        println!("skipped: {}", text(&made));
        return;
    }
    assert!(made.status.success() && text(&made).contains("sealed-key.conf"), "{}", text(&made));
    let is_sealed = || {
        assert!(dir.join("device.key.cred").is_file() && !dir.join("device.key").exists());
        assert!(contents(folder.path()).values().all(|bytes| !String::from_utf8_lossy(bytes).contains("PRIVATE KEY")));
    };
    is_sealed();
    let before = contents(&dir);
    assert!(run(&["--dir", &at]).status.success());
    assert_eq!(contents(&dir), before);
    let config = dir.join("residentd.toml").display().to_string();
    let rotated = run(&["rotate-key", "--config", &config]);
    assert!(rotated.status.success(), "{}", text(&rotated));
    is_sealed();
    assert_ne!(fs::read(dir.join("device.key.cred")).unwrap(), before["device.key.cred"]);
    let ended = run(&["decommission", "--config", &config, "--yes-wipe", "b", "--force", "--wait-s", "0"]);
    assert!(ended.status.success() && !dir.join("device.key.cred").exists(), "{}", text(&ended));
}

/// A person at a terminal, which `script` gives.
#[test]
fn on_a_terminal_it_asks_shows_a_summary_and_writes_after_a_yes() {
    if !installed("script") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (dir, last, written) in [("no", "no", false), ("yes", "", true)] {
        let dir = folder.path().join(dir);
        let typed = folder.path().join("typed");
        fs::write(&typed, format!("my clinic\nclinic\ncart-9\n\n104\n\n\n\n{last}\n")).unwrap();
        let command = format!("{RESIDENTD} provision --models-dir {MODELS} --dir {}", dir.display());
        let mut script = Command::new("script");
        script.args(["-q", "-e", "-c", &command, "/dev/null"]).stdin(fs::File::open(&typed).unwrap());
        let talked = script.output().unwrap();
        let page = text(&talked);
        assert_eq!(talked.status.success(), written, "{page}");
        for said in ["is not a name", "AE title", "[RESIDENTD]", "cart-9", "Write this?"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        assert_eq!(dir.join("residentd.toml").exists(), written);
    }
}

/// Steps of a change of the key, in their order.
const ROTATION: [&str; 14] = [
    "written",
    "placed",
    "rotation-next",
    "appending",
    "rotation-handed-over",
    "audit-synced",
    "rotation-noted",
    "rotation-retired",
    "rotation-old-kept",
    "rotation-switching",
    "rotation-switched",
    "rotation-public",
    "rotation-checkpoint",
    "wiping",
];

fn rotate(site: &Site) -> Command {
    let mut command = provision(&["rotate-key", "--config"]);
    command.arg(site.path("residentd.toml"));
    command
}

fn verified(site: &Site, keys: &[&Path]) -> Output {
    let stream: Vec<String> = site.outcomes().into_iter().map(|outcome| outcome.jws).collect();
    let file = site.path("stream.jws");
    fs::write(&file, stream.join("\n")).unwrap();
    let mut command = Command::new(RESIDENTD);
    command.arg("verify").arg(&file);
    for key in keys {
        command.arg("--key").arg(key);
    }
    output(command)
}

#[test]
fn a_device_that_changed_its_key_signs_on_and_its_old_outcomes_stay_verifiable() {
    let site = Site::new();
    let old = site.path("old.pub.pem");
    fs::copy(site.path("device.pub.pem"), &old).unwrap();
    let private = fs::read(site.path("device.key")).unwrap();
    let daemon = site.start();
    assert_eq!(output(rotate(&site)).status.code(), Some(69), "while the daemon runs");
    assert_eq!(site.send(&site.phantom(1)), Ok(0));
    wait_for("the outcome", || site.outcomes().len() == 1);
    daemon.stop();
    let rotated = output(rotate(&site));
    assert!(rotated.status.success(), "{}", text(&rotated));
    assert_ne!(fs::read(site.path("device.key")).unwrap(), private);
    assert!(contents(site.folder.path()).iter().all(|(name, bytes)| *bytes != private || name.contains("phantom")));
    let daemon = site.start();
    assert_eq!(site.send(&site.phantom(2)), Ok(0));
    wait_for("the next outcome", || site.outcomes().len() == 3);
    daemon.stop();
    let new = site.path("device.pub.pem");
    for keys in [vec![old.as_path()], vec![old.as_path(), new.as_path()]] {
        let told = verified(&site, &keys);
        assert!(told.status.success() && text(&told).contains("hands over to key"), "{}", text(&told));
    }
    assert!(!verified(&site, &[&new]).status.success(), "the new key signed none of the old ones");
    let mut audit = Command::new(RESIDENTD);
    audit.args(["audit", "verify", "--config"]).arg(site.path("residentd.toml"));
    let told = output(audit);
    assert!(told.status.success(), "{}", text(&told));
    let mut show = Command::new(RESIDENTD);
    show.args(["audit", "show", "--config"]).arg(site.path("residentd.toml"));
    assert!(text(&output(show)).contains("key-handed-over"));
}

#[test]
fn a_change_of_the_key_that_was_killed_between_any_two_steps_is_finished_by_the_next_run() {
    for step in ROTATION {
        let site = Site::new();
        let old = site.path("old.pub.pem");
        fs::copy(site.path("device.pub.pem"), &old).unwrap();
        drop(residentd::store::Store::open(&site.path("state")).unwrap());
        let mut doomed = rotate(&site);
        doomed.env("RESIDENTD_KILL_AT", step);
        let killed = output(doomed);
        assert!(!killed.status.success(), "{step} was not met: {}", text(&killed));
        // Whatever it left: the daemon does not sign with a key whose turn it is not.
        let handed_over = site.outcomes().len() == 1;
        let again = output(rotate(&site));
        assert!(again.status.success(), "after {step}: {}", text(&again));
        let outcomes = site.outcomes();
        assert_eq!(outcomes.len(), 1, "one hand-over after {step}");
        if handed_over {
            assert!(text(&again).contains("was cut is finished"), "after {step}: {}", text(&again));
        }
        let key = residentd::seal::key::DeviceKey::load(&site.path("device.key")).unwrap();
        key.follows(Some(&outcomes[0].jws)).unwrap();
        assert_eq!(residentd::seal::public::PublicKey::load(&site.path("device.pub.pem")).unwrap(), *key.public());
        assert!(verified(&site, &[&old]).status.success(), "after {step}");
        let names: Vec<String> = contents(site.folder.path()).into_keys().collect();
        let left =
            names.iter().find(|name| ["next", "old", "new"].iter().any(|end| name.ends_with(&format!(".{end}"))));
        assert_eq!(left, None, "after {step}");
        assert!(fs::read_to_string(site.path("enrolment.txt")).unwrap().contains(key.id()));
    }
}

#[test]
fn a_daemon_does_not_sign_with_a_key_to_which_none_was_handed_over() {
    let site = Site::new();
    let daemon = site.start();
    assert_eq!(site.send(&site.phantom(1)), Ok(0));
    wait_for("the outcome", || site.outcomes().len() == 1);
    daemon.stop();
    fs::remove_file(site.path("device.key")).unwrap();
    residentd::seal::key::DeviceKey::generate().unwrap().save_new(&site.path("device.key")).unwrap();
    let refused = site.run_command().stderr(Stdio::piped()).output().unwrap();
    assert_eq!(refused.status.code(), Some(77), "{}", text(&refused));
    assert!(text(&refused).contains("goes on with key"), "{}", text(&refused));
}

/// Steps of a decommissioning, in their order.
const ENDING: [&str; 12] = [
    "appending",
    "decommission-sealed",
    "decommission-noted",
    "decommission-exported",
    "decommission-marked",
    "wiping",
    "decommission-secrets",
    "decommission-wiped",
    "decommission-state",
    "decommission-cleared",
    "decommission-configuration",
    "wiping:3",
];

fn decommission(site: &Site, more: &[&str]) -> Command {
    let mut command = provision(&["decommission", "--config"]);
    command.arg(site.path("residentd.toml")).args(more);
    if !more.contains(&"--wait-s") {
        command.args(["--wait-s", "0"]);
    }
    command
}

/// A box that has signed something and was stopped, with a copy of its public key; its broker
/// is on it, or one that nobody reaches.
fn worked(broker: Option<std::net::SocketAddr>) -> Site {
    let site = Site::new();
    if let Some(address) = broker {
        site.use_broker(address);
    }
    fs::copy(site.path("device.pub.pem"), site.path("old.pub.pem")).unwrap();
    let daemon = site.start();
    assert_eq!(site.send(&site.phantom(1)), Ok(0));
    wait_for("the outcome", || site.outcomes().len() == 1);
    let store = residentd::store::Store::open(&site.path("state")).unwrap();
    wait_for("its delivery", || broker.is_some() || store.undelivered().unwrap() == 0);
    drop(store);
    daemon.stop();
    site
}

fn copied(from: &Path, to: &Path) {
    for file in files_below(from) {
        let at = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::copy(&file, at).unwrap();
    }
}

/// Nothing of a patient, no secret, no identity is left, and the box can begin anew.
fn is_blank(site: &Site, exported: &Path, what: &str) {
    let names: Vec<String> = contents(site.folder.path()).into_keys().collect();
    let left = names.iter().find(|name| {
        name.contains("sqlite")
            || name.contains("spool")
            || name.contains("device.key")
            || name.ends_with("residentd.toml")
    });
    assert_eq!(left, None, "{what}");
    let last = names.iter().find(|name| name.starts_with("decommissioned-")).unwrap();
    let mut verify = Command::new(RESIDENTD);
    verify.arg("verify").arg(site.path(last)).arg("--key").arg(site.path("old.pub.pem"));
    let told = output(verify);
    assert!(
        told.status.success() && text(&told).contains("was decommissioned after 1 images"),
        "{what}: {}",
        text(&told)
    );
    let mut verify = Command::new(RESIDENTD);
    verify.arg("verify").arg(exported).arg("--key").arg(site.path("old.pub.pem"));
    let told = output(verify);
    assert!(told.status.success() && text(&told).contains("outcomes 1 to 2 are all here"), "{what}: {}", text(&told));
    let refused = site.run_command().stderr(Stdio::piped()).output().unwrap();
    assert_eq!(refused.status.code(), Some(78), "{what}: {}", text(&refused));
    assert!(text(&refused).contains("this box was decommissioned"), "{what}: {}", text(&refused));
    let folder = site.folder.path().display().to_string();
    let anew = output(provision(&["--site", "test", "--device", "cart", "--dir", &folder]));
    assert!(anew.status.success(), "{what}: {}", text(&anew));
    let old = fs::read(site.path("old.pub.pem")).unwrap();
    assert_ne!(fs::read(site.path("device.pub.pem")).unwrap(), old, "a new identity");
}

#[test]
fn a_decommissioned_box_signs_its_end_keeps_nothing_of_patients_and_can_begin_anew() {
    let site = worked(Some(crate::site::free_port()));
    let file = site.path("everything.jws");
    let export = ["--export", &file.display().to_string()].map(str::to_owned);
    let refused = |more: &[&str], told: &str| {
        let before = site.outcomes();
        let output = output(decommission(&site, more));
        assert!(!output.status.success() && text(&output).contains(told), "{}", text(&output));
        assert_eq!(site.outcomes(), before);
    };
    refused(&[], "--yes-wipe cart");
    refused(&["--yes-wipe", "cart-2"], "this device's name is cart");
    refused(&["--yes-wipe", "cart"], "undelivered");
    let done = output(decommission(&site, &["--yes-wipe", "cart", &export[0], &export[1]]));
    assert!(done.status.success(), "{}", text(&done));
    assert!(text(&done).contains("On flash") && text(&done).contains("NOT delivered"), "{}", text(&done));
    is_blank(&site, &file, "a whole run");
}

#[test]
fn the_last_outcome_is_given_to_a_broker_that_takes_it() {
    let site = worked(None);
    let done = output(decommission(&site, &["--yes-wipe", "cart", "--wait-s", "60"]));
    assert!(done.status.success() && text(&done).contains("the last outcome was taken"), "{}", text(&done));
}

#[test]
fn a_decommissioning_that_was_killed_between_any_two_steps_is_finished_by_the_next_run() {
    let model = worked(Some(crate::site::free_port()));
    for step in ENDING {
        let folder = tempfile::tempdir().unwrap();
        copied(model.folder.path(), folder.path());
        let site = Site { folder, dicom: model.dicom, broker: model.broker };
        site.edit(&model.folder.path().join("state").display().to_string(), &site.path("state").display().to_string());
        site.edit(
            &model.folder.path().join("device.key").display().to_string(),
            &site.path("device.key").display().to_string(),
        );
        site.edit(&model.folder.path().join("trust").display().to_string(), &site.path("trust").display().to_string());
        let file = site.path("everything.jws").display().to_string();
        let run = || decommission(&site, &["--yes-wipe", "cart", "--export", &file]);
        let mut doomed = run();
        doomed.env("RESIDENTD_KILL_AT", step);
        let killed = output(doomed);
        assert!(!killed.status.success(), "{step} was not met: {}", text(&killed));
        if step == "wiping" {
            let refused = site.run_command().stderr(Stdio::piped()).output().unwrap();
            assert!(text(&refused).contains("is being decommissioned"), "{}", text(&refused));
        }
        let again = output(run());
        assert!(again.status.success(), "after {step}: {}", text(&again));
        is_blank(&site, Path::new(&file), step);
    }
}
