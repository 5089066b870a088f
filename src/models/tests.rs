//! Each way in which a bundle may not be what its vendor signed, by its name.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;
use crate::clock::Moment;
use crate::infer::bundle::Outline;
use crate::seal::key::DeviceKey;

pub(super) const NOW: Moment = Moment { unix_ms: 1_800_000_000_000, synchronised: true };

/// A small bundle called `name`, unsigned; its graph is none, which only the reader minds.
pub(super) fn bundle(folder: &Path, name: &str, version: &str) {
    fs::create_dir_all(folder.join("golden")).unwrap();
    let files =
        [("model.onnx", "graph"), ("CARD.md", "card"), ("golden/input.f32", "in"), ("golden/output.f32", "out")];
    let mut digests = String::new();
    for (file, text) in files {
        let text = format!("{text} of {name} {version}");
        fs::write(folder.join(file), &text).unwrap();
        writeln!(digests, "\"{file}\" = \"{}\"", Digest::of(text.as_bytes())).unwrap();
    }
    let manifest = format!(
        "format = 1\n[bundle]\nname = \"{name}\"\nversion = \"{version}\"\ntitle = \"t\"\nintended_use = \"i\"\n\
         forbidden_use = \"f\"\nlicence = \"l\"\nresearch_only = false\nsources = []\n[digests]\n{digests}"
    );
    fs::write(folder.join("manifest.toml"), manifest).unwrap();
}

/// A signed bundle, its vendor's key, and trust in that vendor.
fn signed() -> (tempfile::TempDir, DeviceKey, Vouching) {
    let folder = tempfile::tempdir().unwrap();
    let key = DeviceKey::generate().unwrap();
    bundle(folder.path(), "chest", "1.2.3");
    sign(folder.path(), &key, NOW, None).unwrap();
    let trust = Vouching::Trusted(vec![key.public().clone()]);
    (folder, key, trust)
}

fn refused(folder: &Path, trust: &Vouching) -> Refusal {
    inspect(folder, trust, NOW).expect_err("it must be refused")
}

#[test]
fn the_shipped_bundles_are_signed_by_the_vendor_of_this_program() {
    let vouching = Vouching::of_this_program().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    for name in ["chest-adult", "chest-child", "chest-fitness", "lung-ultrasound", "report-writer"] {
        let inspected = inspect(&shipped.join(name), &vouching, NOW).unwrap();
        let signed = inspected.signed.unwrap();
        assert_eq!((signed.statement.name.as_str(), inspected.vouched.identity.name.as_str()), (name, name));
        inspect::same_bytes(&shipped.join(name), &signed).unwrap();
    }
    let source = Source { shipped, depot: None, floors: Floors::new(), vouching, research: Vec::new() };
    let selection = select(&source, Some("report-writer"), NOW, None).unwrap();
    assert_eq!((selection.images.len(), selection.fitness.len()), (2, 1));
    assert_eq!(selection.asleep[0].identity.name, "lung-ultrasound");
    assert!(selection.writer.unwrap().unwrap().identity.research_only);
}

#[test]
fn a_bundle_for_research_sleeps_until_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["chest", "lung"] {
        bundle(&folder.path().join(name), name, "1.0.0");
    }
    let manifest = folder.path().join("lung/manifest.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("research_only = false", "research_only = true")).unwrap();
    let selected = |research: &[&str]| {
        let source = Source {
            shipped: folder.path().to_owned(),
            depot: None,
            floors: Floors::new(),
            vouching: Vouching::Anybody,
            research: research.iter().map(|name| (*name).to_owned()).collect(),
        };
        let selection = select(&source, None, NOW, None).unwrap();
        let names =
            |of: &[crate::infer::bundle::Vouched]| of.iter().map(|v| v.identity.name.clone()).collect::<Vec<_>>();
        (names(&selection.images), names(&selection.asleep))
    };
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(selected(&[]), (owned(&["chest"]), owned(&["lung"])));
    assert_eq!(selected(&["lung"]), (owned(&["chest", "lung"]), owned(&[])));
}

#[test]
fn what_a_trusted_vendor_signed_is_vouched_for() {
    let (folder, key, trust) = signed();
    let inspected = inspect(folder.path(), &trust, NOW).unwrap();
    assert_eq!(inspected.signed.unwrap().signed_by, key.id());
    assert_eq!(inspected.vouched.identity.version, "1.2.3");
    assert_eq!(inspected.vouched.identity.sha256, Outline::read(folder.path()).unwrap().1);
}

#[test]
fn unsigned_and_signed_by_somebody_else_are_refused() {
    let (folder, _, trust) = signed();
    let other = DeviceKey::generate().unwrap();
    sign(folder.path(), &other, NOW, None).unwrap();
    let error = refused(folder.path(), &trust).to_string();
    assert!(error.contains(other.id()) && error.contains("trusted vendor"), "{error}");
    fs::remove_file(folder.path().join(SIGNATURE)).unwrap();
    assert!(matches!(refused(folder.path(), &trust), Refusal::Unsigned));
}

#[test]
fn unsigned_bundles_are_taken_only_where_anybodys_are_and_say_so_in_their_version() {
    let (folder, ..) = signed();
    fs::remove_file(folder.path().join(SIGNATURE)).unwrap();
    let inspected = inspect(folder.path(), &Vouching::Anybody, NOW).unwrap();
    assert_eq!((inspected.vouched.identity.version.as_str(), inspected.signed), ("1.2.3+unsigned", None));
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() {
    for name in ["manifest.toml", "model.onnx", "CARD.md", "golden/input.f32", SIGNATURE] {
        let (folder, _, trust) = signed();
        let path = folder.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.len() / 2;
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        fs::write(&path, bytes).unwrap();
        match inspect(folder.path(), &trust, NOW) {
            Err(_) => assert!(["manifest.toml", SIGNATURE].contains(&name), "{name}"),
            // A large file's bytes are held against the signature by whoever uses them.
            Ok(inspected) => {
                let error = inspect::same_bytes(folder.path(), &inspected.signed.unwrap()).unwrap_err().to_string();
                assert!(error.contains(name) && error.contains("changed or damaged"), "{error}");
            }
        }
    }
}

#[test]
fn a_file_more_less_longer_or_elsewhere_is_refused_by_its_name() {
    type Attack = fn(&Path);
    let attacks: [(&str, &str, Attack); 8] = [
        ("a file more", "not in its signature", |f| fs::write(f.join("extra.onnx"), "x").unwrap()),
        ("a file that hides", "not in its signature", |f| fs::write(f.join(".hidden"), "x").unwrap()),
        ("a file less", "lacks CARD.md", |f| fs::remove_file(f.join("CARD.md")).unwrap()),
        ("a longer file", "bytes, the signature says", |f| fs::write(f.join("CARD.md"), "longer than it was").unwrap()),
        ("a link in its place", "is a link", |f| {
            fs::rename(f.join("CARD.md"), f.parent().unwrap().join(format!("card-{}", std::process::id()))).unwrap();
            symlink("/etc/passwd", f.join("CARD.md")).unwrap();
        }),
        ("a signature that is a link", "is a link", |f| {
            fs::remove_file(f.join(SIGNATURE)).unwrap();
            symlink("/dev/zero", f.join(SIGNATURE)).unwrap();
        }),
        ("a folder that is a link", "is a link", |f| {
            fs::remove_dir_all(f.join("golden")).unwrap();
            symlink("/tmp", f.join("golden")).unwrap();
        }),
        ("an endless signature", "bytes", |f| fs::write(f.join(SIGNATURE), vec![b'a'; 70_000]).unwrap()),
    ];
    for (attack, says, change) in attacks {
        let (folder, _, trust) = signed();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        for name in ["manifest.toml", "model.onnx", "CARD.md", SIGNATURE, "golden"] {
            fs::rename(folder.path().join(name), inner.join(name)).unwrap();
        }
        change(&inner);
        let error = refused(&inner, &trust).to_string();
        assert!(error.contains(says), "{attack}: {error}");
    }
}

#[test]
fn the_files_of_two_bundles_do_not_mix_even_where_one_vendor_signed_both() {
    let (folder, key, trust) = signed();
    let other = tempfile::tempdir().unwrap();
    bundle(other.path(), "chest", "1.2.4");
    sign(other.path(), &key, NOW, None).unwrap();
    // The newer signature over the older files.
    fs::copy(other.path().join(SIGNATURE), folder.path().join(SIGNATURE)).unwrap();
    let error = refused(folder.path(), &trust).to_string();
    assert!(error.contains("manifest.toml") && error.contains("changed"), "{error}");
    // The newer manifest and signature over the older graph.
    fs::copy(other.path().join("manifest.toml"), folder.path().join("manifest.toml")).unwrap();
    let signed = inspect(folder.path(), &trust, NOW).unwrap().signed.unwrap();
    assert!(inspect::same_bytes(folder.path(), &signed).unwrap_err().to_string().contains("changed"));
}

#[test]
fn a_bundle_expires_by_a_clock_that_can_be_believed_and_by_no_other() {
    let (folder, key, trust) = signed();
    sign(folder.path(), &key, NOW, Some("2027-06-01T00:00:00Z")).unwrap();
    let at = |unix_ms, synchronised| inspect(folder.path(), &trust, Moment { unix_ms, synchronised });
    let expiry = crate::clock::unix_ms("2027-06-01T00:00:00Z").unwrap();
    assert!(at(expiry - 1, true).is_ok());
    assert!(matches!(at(expiry, true), Err(Refusal::Expired(_))));
    assert!(at(expiry * 2, false).is_ok() && at(0, false).is_ok());
    assert!(matches!(sign(folder.path(), &key, NOW, Some("tomorrow")), Err(Refusal::Statement(_))));
}

#[test]
fn what_is_no_bundle_is_not_signed() {
    let key = DeviceKey::generate().unwrap();
    for (says, change) in [
        ("not in its signature", ("extra.txt", "x")),
        ("changed or damaged", ("CARD.md", "another card")),
        ("no version", ("manifest.toml", "")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        bundle(folder.path(), "chest", "1.2.3");
        let (file, text) = change;
        let manifest = fs::read_to_string(folder.path().join("manifest.toml")).unwrap().replace("1.2.3", "latest");
        fs::write(folder.path().join(file), if text.is_empty() { &manifest } else { text }).unwrap();
        let error = sign(folder.path(), &key, NOW, None).unwrap_err().to_string();
        assert!(error.contains(says), "{file}: {error}");
        assert!(!folder.path().join(SIGNATURE).exists());
    }
}

#[test]
fn a_trust_folder_holds_public_keys_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let said = || Vouching::load(folder.path()).unwrap_err().to_string();
    assert!(said().contains("holds 0 public keys"), "{}", said());
    let key = DeviceKey::generate().unwrap();
    key.save_new(&folder.path().join("vendor.key")).unwrap();
    fs::write(folder.path().join("a.pem"), key.public().to_pem()).unwrap();
    fs::write(folder.path().join("README"), "whose keys these are").unwrap();
    assert_eq!(Vouching::load(folder.path()).unwrap(), Vouching::Trusted(vec![key.public().clone()]));
    fs::copy(folder.path().join("vendor.key"), folder.path().join("b.pem")).unwrap();
    assert!(said().contains("private key"), "{}", said());
    assert!(Vouching::load(&folder.path().join("none")).unwrap_err().to_string().contains("[models] trust"));
}
