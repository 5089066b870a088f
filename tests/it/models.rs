//! Promise 7: no model serves that is not signed by a trusted key, not older than the newest ever
//! active, and that did not reproduce its golden outputs on this very CPU. Held against the
//! running program: installed, taken over, taken back, killed in between.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use residentd::clock::Moment;
use residentd::digest::Digest;
use residentd::models::{self, BundleName, Demands, Depot, Floors, Package, Pointer, Source, Standing, Vouching};
use residentd::seal::key::DeviceKey;

use crate::site::{Daemon, MODELS, RESIDENTD, Site, files_below, text, wait_for};

const NOW: Moment = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
/// Makes a site with one bundle quick: nothing else is loaded each time.
const NAME: &str = "chest-adult";

/// A box with one shipped bundle, and a vendor of newer ones that it trusts.
struct Shop {
    site: Site,
    vendor: DeviceKey,
}

impl Shop {
    fn new() -> Self {
        let site = Site::new();
        copy(&Path::new(MODELS).join(NAME), &site.path("models").join(NAME));
        site.edit(&format!("models_dir = \"{MODELS}\""), "models_dir = \"models\"");
        let vendor = DeviceKey::generate().unwrap();
        fs::write(site.path("trust/models/other.pub.pem"), vendor.public().to_pem()).unwrap();
        Self { site, vendor }
    }

    /// The shipped bundle as a version of the other vendor's, changed by `change` before it is signed.
    fn bundle(&self, version: &str, change: impl FnOnce(&Path)) -> PathBuf {
        let folder = self.site.path(&format!("stick/{version}"));
        copy(&Path::new(MODELS).join(NAME), &folder);
        let manifest = folder.join("manifest.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        assert!(text.contains("version = \"0.1.1\""));
        fs::write(&manifest, text.replace("version = \"0.1.1\"", &format!("version = \"{version}\""))).unwrap();
        change(&folder);
        models::sign(&folder, &self.vendor, NOW, None).unwrap();
        folder
    }

    fn model(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(RESIDENTD);
        command.arg("model").args(arguments).arg("--config").arg(self.site.path("residentd.toml"));
        command
    }

    fn install(&self, folder: &Path) -> Output {
        self.model(&["install", folder.to_str().unwrap()]).output().unwrap()
    }

    /// The version that would serve after a start.
    fn serves(&self) -> String {
        let state = self.site.path("state");
        let source = Source {
            shipped: self.site.path("models"),
            depot: Some(Depot::of(&state)),
            floors: Floors::new(),
            vouching: Vouching::load(&self.site.path("trust/models")).unwrap(),
            research: Vec::new(),
        };
        let selection = models::select(&source, None, NOW, None).unwrap();
        selection.images.iter().find(|vouched| vouched.identity.name == NAME).unwrap().identity.version.clone()
    }

    fn audited(&self) -> String {
        let config = self.site.path("residentd.toml");
        text(&Command::new(RESIDENTD).args(["audit", "show", "--config"]).arg(config).output().unwrap())
    }

    /// Sends phantom `seed` and waits for its outcome; the manifest digest of the bundle that read it.
    fn read(&self, seed: u64) -> Digest {
        let before = self.site.outcomes().len();
        assert_eq!(self.site.send(&self.site.phantom(seed)), Ok(0));
        wait_for("the outcome", || self.site.outcomes().len() > before);
        let jws = self.site.outcomes().pop().unwrap().jws;
        let header: serde_json::Value = serde_json::from_slice(&decoded(&jws)).unwrap();
        assert_eq!(header["kind"], "report", "{header}");
        header["bundle_sha256"].as_str().unwrap().parse().unwrap()
    }

    fn stop(&self, daemon: Daemon) -> String {
        daemon.stop();
        self.audited()
    }
}

fn decoded(jws: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(jws.split('.').next().unwrap()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, &target).unwrap();
    }
}

fn digest(folder: &Path) -> Digest {
    Digest::of(&fs::read(folder.join("manifest.toml")).unwrap())
}

/// Lets the golden output of the bundle in `folder` be one that no CPU gives.
fn wrong_golden(folder: &Path) {
    let path = folder.join("golden/output.f32");
    let (old, new) = (fs::read(&path).unwrap(), [1.0e3f32.to_le_bytes(), 1.0e3f32.to_le_bytes()].concat());
    fs::write(&path, &new).unwrap();
    let manifest = folder.join("manifest.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace(&Digest::of(&old).to_string(), &Digest::of(&new).to_string())).unwrap();
}

#[test]
fn the_very_first_model_of_a_box_is_installed_and_serves() {
    let shop = Shop::new();
    fs::remove_dir_all(shop.site.path("models")).unwrap();
    fs::create_dir(shop.site.path("models")).unwrap();
    let refused = shop.site.run_command().stderr(std::process::Stdio::piped()).output().unwrap();
    assert_eq!(refused.status.code(), Some(65), "{}", text(&refused));
    let installed = shop.install(&Path::new(MODELS).join(NAME));
    assert!(installed.status.success(), "{}", text(&installed));
    let daemon = shop.site.start();
    assert_eq!(shop.read(1), digest(&Path::new(MODELS).join(NAME)));
    let log = shop.stop(daemon);
    assert!(log.contains("model-installed") && log.contains("model-activated"), "{log}");
    let list = text(&shop.model(&["list"]).output().unwrap());
    assert!(list.contains("0.1.1") && list.contains("serves") && list.contains("newest that has served"), "{list}");
}

#[test]
fn a_newer_model_is_taken_over_between_two_images_and_an_older_one_needs_a_reason() {
    let shop = Shop::new();
    let daemon = shop.site.start();
    let shipped = digest(&Path::new(MODELS).join(NAME));
    assert_eq!(shop.read(1), shipped);
    let newer = shop.bundle("0.3.0", |_| {});
    let installed = text(&shop.install(&newer));
    assert!(
        installed.contains("1 of the last images read again") && installed.contains("each as before"),
        "{installed}"
    );
    wait_for("the new model", || shop.audited().matches("serving ").count() >= 2);
    assert_eq!(shop.read(2), digest(&newer));

    // Signed by a trusted key, and older than what has served: a replay.
    let older = shop.bundle("0.2.9", |_| {});
    let refused = shop.install(&older);
    assert_eq!(refused.status.code(), Some(65), "{}", text(&refused));
    assert!(text(&refused).contains("0.2.9 is older than 0.3.0"), "{}", text(&refused));
    assert_eq!((shop.serves().as_str(), shop.read(3)), ("0.3.0", digest(&newer)));
    let forced = shop.model(&["install", older.to_str().unwrap(), "--force", "--reason", "0.3.0 misreads"]).output();
    assert!(forced.as_ref().unwrap().status.success(), "{}", text(&forced.unwrap()));
    wait_for("the older model", || shop.audited().matches("serving ").count() >= 3);
    assert_eq!(shop.read(4), digest(&older));

    // Back again, by hand.
    let back = shop.model(&["rollback", NAME, "--reason", "second thoughts"]).output().unwrap();
    assert!(back.status.success(), "{}", text(&back));
    wait_for("the newer model", || shop.audited().matches("serving ").count() >= 4);
    assert_eq!(shop.read(5), digest(&newer));
    let again = shop.model(&["rollback", NAME]).output().unwrap();
    assert_eq!(again.status.code(), Some(1), "{}", text(&again));
    let log = shop.stop(daemon);
    for needed in ["0.3.0 misreads", "second thoughts", "0.2.9 is older than 0.3.0", "model-rolled-back"] {
        assert!(log.contains(needed), "{needed}: {log}");
    }
}

/// The reader of the new bundle dies on its third image, as one would that cannot bear it: the
/// one before reads that image, and no outcome is lost or a failure.
#[test]
fn a_model_whose_first_readings_fail_is_taken_back_and_costs_no_image() {
    let shop = Shop::new();
    let daemon = Daemon(shop.site.run_command().env("RESIDENTD_KILL_AT", "reader-asked:3").spawn().unwrap());
    wait_for("the storage SCP", || std::net::TcpStream::connect(shop.site.dicom).is_ok());
    let runtime = crate::site::runtime();
    let mut alerts = runtime.block_on(crate::alerts::subscribe(&shop.site));
    let (shipped, newer) = (digest(&Path::new(MODELS).join(NAME)), shop.bundle("0.2.0", |_| {}));
    assert_eq!(shop.read(1), shipped);
    let installed = shop.install(&newer);
    assert!(installed.status.success(), "{}", text(&installed));
    wait_for("the new model", || shop.audited().matches("serving ").count() >= 2);
    assert_eq!([shop.read(2), shop.read(3), shop.read(4)], [digest(&newer), digest(&newer), shipped]);
    let alert = runtime.block_on(crate::alerts::next(&mut alerts, "model-refused"));
    assert!(alert["message"].as_str().unwrap().contains("0.2.0 is taken back, 0.1.1 serves again"), "{alert}");
    assert_eq!(shop.serves(), "0.1.1");
    let log = shop.stop(daemon);
    assert!(log.contains("model-rolled-back") && !log.contains("reader-died"), "{log}");
}

#[test]
fn a_model_that_does_not_reproduce_its_golden_output_here_never_serves() {
    let shop = Shop::new();
    let bad = shop.bundle("0.2.0", wrong_golden);
    let refused = shop.install(&bad);
    assert_eq!(refused.status.code(), Some(65), "{}", text(&refused));
    assert!(text(&refused).contains("golden output differs"), "{}", text(&refused));
    assert_eq!(shop.serves(), "0.1.1");
    assert!(!shop.site.path(&format!("state/models/{NAME}/active")).exists());

    // Where it is to serve all the same (a card that was in another box), the start goes back.
    let state = shop.site.path("state");
    let (depot, vouching) = (Depot::of(&state), Vouching::load(&shop.site.path("trust/models")).unwrap());
    let floors = Floors::new();
    let demands = Demands {
        vouching: &vouching,
        now: NOW,
        floors: &floors,
        forced: None,
        room_bytes: 1 << 30,
        memory_bytes: 1 << 30,
    };
    let good = models::receive(&depot, &Package::open(&shop.bundle("0.1.9", |_| {})).unwrap(), &demands).unwrap();
    let bad = models::receive(&depot, &Package::open(&bad).unwrap(), &demands).unwrap();
    let name: BundleName = NAME.parse().unwrap();
    depot.switch(&name, &Pointer::to(bad.choice, Some(good.choice), Standing::Proven)).unwrap();
    let daemon = shop.site.start();
    assert_eq!(shop.read(1), digest(&shop.site.path("stick/0.1.9")));
    let log = shop.stop(daemon);
    assert!(log.contains("model-rolled-back") && log.contains("golden output differs"), "{log}");
}

#[test]
fn a_kill_between_any_two_steps_of_an_installation_leaves_one_model_that_serves() {
    const STEPS: [(&str, &str); 7] = [
        ("model-file:2", "0.2.0"),
        ("model-received", "0.2.0"),
        ("model-signed", "0.2.0"),
        ("model-tried", "0.2.0"),
        ("model-switching", "0.2.0"),
        ("model-switched", "0.3.0"),
        ("model-cleared", "0.3.0"),
    ];
    let shop = Shop::new();
    // So that there is an old one to be cleared away.
    for version in ["0.1.5", "0.2.0"] {
        let installed = shop.install(&shop.bundle(version, |_| {}));
        assert!(installed.status.success(), "{}", text(&installed));
    }
    let newer = shop.bundle("0.3.0", |_| {});
    let package = newer.to_str().unwrap().to_owned();
    for (step, serves) in STEPS {
        let killed = shop.model(&["install", &package]).env("RESIDENTD_KILL_AT", step).output().unwrap();
        assert_eq!(killed.status.code(), None, "a kill at {step}: {}", text(&killed));
        assert_eq!(shop.serves(), serves, "after a kill at {step}");
    }
    let installed = shop.install(&newer);
    assert!(installed.status.success(), "{}", text(&installed));
    assert_eq!(shop.serves(), "0.3.0");
    let versions = fs::read_dir(shop.site.path(&format!("state/models/{NAME}"))).unwrap();
    let folders: Vec<_> = versions.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    assert_eq!(folders.len(), 2, "the active one and the one before: {folders:?}");
}

#[test]
fn a_box_that_trusts_nobody_or_finds_an_unsigned_model_does_not_start_and_says_what_to_do() {
    let shop = Shop::new();
    let refusal = || {
        let output = shop.site.run_command().stderr(std::process::Stdio::piped()).output().unwrap();
        (output.status.code(), text(&output))
    };
    let signature = shop.site.path("models").join(NAME).join("signature.jws");
    let held = fs::read(&signature).unwrap();
    fs::remove_file(&signature).unwrap();
    let (code, said) = refusal();
    assert!(code == Some(65) && said.contains("not signed") && said.contains("model sign"), "{said}");
    fs::write(&signature, held).unwrap();
    fs::remove_dir_all(shop.site.path("trust")).unwrap();
    let (code, said) = refusal();
    assert!(code == Some(78) && said.contains("[models] trust"), "{said}");
    let (models, phantom) = (shop.site.path("models"), shop.site.phantom(1));
    let read = |flag: &[&str]| {
        Command::new(RESIDENTD).arg("read").args(flag).arg("--json").arg("--models").arg(&models).arg(&phantom).output()
    };
    // The vendor of this program is trusted by the program; an unsigned bundle by nobody.
    assert!(read(&[]).unwrap().status.success());
    fs::remove_file(&signature).unwrap();
    assert_eq!(read(&[]).unwrap().status.code(), Some(65));
    let unsigned = read(&["--allow-unsigned"]).unwrap();
    let said = text(&unsigned);
    assert!(unsigned.status.success() && said.contains("0.1.1+unsigned") && said.contains("NOBODY TRUSTED"), "{said}");
}

#[test]
fn every_shipped_network_is_explained_node_by_node() {
    for name in ["chest-adult", "chest-child", "chest-fitness", "lung-ultrasound"] {
        let output = Command::new(RESIDENTD)
            .args(["model", "explain", "--runs", "1"])
            .arg(Path::new(MODELS).join(name))
            .output()
            .unwrap();
        let page = text(&output);
        assert!(output.status.success() && page.starts_with(&format!("{name} ")), "{page}");
        assert!(page.contains("one run ") && page.contains("Gemm"), "{page}");
    }
}
