//! What is wrong with a box is found, and what to do is said.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::site::{MODELS, RESIDENTD, Site, free_port, installed, text, wait_for};

/// `residentd COMMAND --json` on the box of `config`: exit code and document.
fn examine(command: &str, config: &Path) -> (i32, Value) {
    let words = command.split(' ');
    let output = Command::new(RESIDENTD).args(words).args(["--json", "--config"]).arg(config).output().unwrap();
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output)));
    (output.status.code().unwrap(), document)
}

/// State, findings and advice of check `name`.
fn check(document: &Value, name: &str) -> (String, String, String) {
    let checks = document["checks"].as_array().unwrap();
    let mut found = checks.iter().filter(|check| check["name"] == name);
    let check = found.next().unwrap_or_else(|| panic!("no check {name} in {document}"));
    assert!(found.next().is_none(), "two checks {name}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let todo = check["todo"].as_array().unwrap().iter().map(text).collect::<Vec<_>>().join("\n");
    (text(&check["state"]), text(&check["what"]), todo)
}

#[test]
fn a_sound_box_is_sound_and_the_doctor_leaves_one_test_outcome() {
    let site = Site::new();
    let daemon = site.start();
    let (code, document) = examine("doctor", &site.path("residentd.toml"));
    assert_eq!(code, 0, "{document:#}");
    assert_eq!((&document["format"], &document["version"]), (&"residentd-doctor".into(), &1.into()));
    for name in
        ["configuration", "permissions", "key", "disk", "store", "models", "port", "dicom", "broker", "receiver"]
    {
        let (state, what, _) = check(&document, name);
        assert!(["ok", "warning"].contains(&state.as_str()), "{name}: {state}: {what}");
    }
    let dicom = check(&document, "dicom").1;
    assert!(dicom.contains("C-ECHO") && dicom.contains("marked as a test"), "{dicom}");
    let broker = check(&document, "broker").1;
    assert!(broker.contains("published and received on residentd/test/cart/doctor"), "{broker}");
    assert!(broker.contains("a test outcome on residentd/test/cart/report was taken"), "{broker}");
    assert!(check(&document, "receiver").1.contains("broker's word"), "{document:#}");
    assert!(check(&document, "sandbox").1.contains("reader (process"), "{document:#}");
    let outcomes = site.outcomes();
    assert_eq!(outcomes.len(), 1);
    daemon.stop();
    let verified = text(&site.verify(&outcomes[0].jws));
    assert!(verified.contains("TEST IMAGE"), "{verified}");
}

/// A copy of the shipped bundles, to be spoiled.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn each_thing_that_is_broken_is_found_with_what_to_do() {
    let site = Site::new();
    let config = site.path("residentd.toml");
    let sound = fs::read_to_string(&config).unwrap();
    let expect = |name: &str, seen: &str, advice: &str| {
        let (code, document) = examine("check", &config);
        let (state, what, todo) = check(&document, name);
        assert_eq!((code, state.as_str()), (1, "failed"), "{name}: {what}");
        assert!(what.contains(seen), "{name}: {seen:?} is not in {what}");
        assert!(todo.contains(advice), "{name}: {advice:?} is not in {todo}");
    };
    let chmod = |name: &str, mode| fs::set_permissions(site.path(name), fs::Permissions::from_mode(mode)).unwrap();

    chmod("device.key", 0o644);
    expect("permissions", "mode 0644", "chmod 600");
    expect("key", "mode 0644", "chmod 600");
    chmod("device.key", 0o600);

    let public = fs::read(site.path("device.pub.pem")).unwrap();
    let other = residentd::seal::key::DeviceKey::generate().unwrap();
    fs::write(site.path("device.pub.pem"), other.public().to_pem()).unwrap();
    expect("key", "another key's public half", "which of both the hospital enrolled");
    fs::write(site.path("device.pub.pem"), public).unwrap();

    let held = TcpListener::bind(site.dicom).unwrap();
    expect("port", "is taken by", "[dicom] listen");
    drop(held);

    site.edit("min_free_mib = 1", "min_free_mib = 4000000000");
    expect("disk", "0xA700", "make room");
    fs::write(&config, &sound).unwrap();

    site.use_broker(free_port());
    expect("broker", "cannot be reached", "start the broker");
    fs::write(&config, &sound).unwrap();

    let models = site.path("models");
    copy(Path::new(MODELS).join("chest-adult").as_path(), &models.join("chest-adult"));
    let card = models.join("chest-adult/CARD.md");
    fs::write(&card, fs::read_to_string(&card).unwrap() + "better than any radiologist\n").unwrap();
    site.edit(&format!("models_dir = \"{MODELS}\""), "models_dir = \"models\"");
    expect("models", "CARD.md", "install the bundle anew");
    fs::write(&config, &sound).unwrap();

    let now = residentd::clock::Moment { unix_ms: 1_800_000_000_000, synchronised: true };
    let store = residentd::store::Store::open(&site.path("state")).unwrap();
    store.raise_model_floor("chest-adult", "9.0.0", now, |_| true).unwrap();
    drop(store);
    expect("models", "is older than 9.0.0", "not older");
}

#[test]
fn a_half_provisioned_box_is_examined_and_told_what_comes_next() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("residentd.toml");
    let (code, document) = examine("doctor", &config);
    let (state, _, todo) = check(&document, "configuration");
    assert!((code, state.as_str()) == (1, "failed") && todo.contains("residentd provision"), "{todo}");
    assert_eq!(check(&document, "dicom").0, "not-checked");

    fs::write(&config, "[device]\nsite = \"a\"\nnam = \"b\"\n").unwrap();
    let (code, document) = examine("doctor", &config);
    let (state, what, _) = check(&document, "configuration");
    assert!((code, state.as_str()) == (1, "failed") && what.contains("line 3"), "{what}");

    // Configured, and neither key nor models are there.
    let text = "[device]\nsite = \"a\"\nname = \"b\"\nstate_dir = \"state\"\nkey_file = \"device.key\"\n\
                [dicom]\nlisten = \"127.0.0.1:0\"\n[reader]\nmodels_dir = \"models\"\n[mqtt]\nhost = \"127.0.0.1\"\nport = 9\n";
    fs::write(&config, text).unwrap();
    let (code, document) = examine("doctor", &config);
    assert_eq!(code, 1);
    for (name, advice) in [
        ("key", "residentd provision"),
        ("permissions", "put the file"),
        ("models", "public key"),
        ("dicom", "the other checks"),
    ] {
        let (state, what, todo) = check(&document, name);
        assert!(state == "failed" && todo.contains(advice), "{name}: {what}: {todo}");
    }
    assert!(!folder.path().join("state").exists(), "the doctor makes nothing");
}

/// A broker with users and access control.
struct Mosquitto(Child);

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Mosquitto {
    fn start(folder: &Path, access: &str) -> Option<(Self, std::net::SocketAddr)> {
        if !installed("mosquitto") || !installed("mosquitto_passwd") {
            return None;
        }
        let address = free_port();
        let passwords = folder.join("passwords");
        let made =
            Command::new("mosquitto_passwd").args(["-c", "-b"]).arg(&passwords).args(["cart", "secret"]).output();
        assert!(made.unwrap().status.success());
        let acl = folder.join("acl");
        fs::write(&acl, access).unwrap();
        let text = format!(
            "user root\nlistener {} 127.0.0.1\nallow_anonymous false\npassword_file {}\nacl_file {}\n",
            address.port(),
            passwords.display(),
            acl.display()
        );
        let config = folder.join("mosquitto.conf");
        fs::write(&config, text).unwrap();
        let mut command = Command::new("/usr/sbin/mosquitto");
        command.arg("-c").arg(config).stdout(Stdio::null()).stderr(Stdio::null());
        let broker = Self(command.spawn().unwrap());
        wait_for("mosquitto", || std::net::TcpStream::connect(address).is_ok());
        Some((broker, address))
    }
}

#[test]
fn what_a_broker_refuses_is_said_by_its_reason_and_with_the_rule_that_allows_it() {
    let site = Site::new();
    let Some((_broker, address)) =
        Mosquitto::start(site.folder.path(), "user cart\ntopic write residentd/test/cart/status\n")
    else {
        return;
    };
    let config = site.path("residentd.toml");
    site.use_broker(address);
    let (code, document) = examine("doctor --only broker", &config);
    let (state, what, todo) = check(&document, "broker");
    assert!((code, state.as_str()) == (1, "failed") && todo.contains("the broker wants a user"), "{what}: {todo}");

    let password = site.path("mqtt.password");
    residentd::os::disk::Disk::Real.place_new(&password, b"wrong\n", 0o600).unwrap();
    site.edit(
        "# user = \"cart-1\"\n# password_file = \"mqtt.password\"",
        "user = \"cart\"\npassword_file = \"mqtt.password\"",
    );
    let (state, what, todo) = check(&examine("doctor --only broker", &config).1, "broker");
    assert!(state == "failed" && what.contains("turned away") && todo.contains("password_file"), "{what}: {todo}");

    residentd::os::disk::Disk::Real.replace(&password, b"secret\n", 0o600).unwrap();
    let (state, what, todo) = check(&examine("doctor --only broker", &config).1, "broker");
    assert!(state == "failed" && what.contains("not authorised (0x87)"), "{what}");
    assert!(todo.contains("topic readwrite residentd/test/cart/#"), "{todo}");
}
