//! Attacks on a box by what is brought to it, each by its name: none gets anything to serve, and
//! what served serves on.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::tests::{NOW, bundle};
use super::*;
use crate::seal::key::DeviceKey;

/// Does something to a file.
type Attack = fn(&Path);

/// What is enough for every bundle here.
const PLENTY: u64 = 1 << 30;

/// A box on which version 1.0.0 serves, its vendor, and a place where packages are made.
struct Site {
    folder: tempfile::TempDir,
    depot: Depot,
    vendor: DeviceKey,
    vouching: Vouching,
    floors: Floors,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vendor = DeviceKey::generate().unwrap();
        let vouching = Vouching::Trusted(vec![vendor.public().clone()]);
        let depot = Depot::of(folder.path());
        let mut site = Self { depot, vendor, vouching, floors: Floors::new(), folder };
        let first = site.signed("1.0.0");
        let received = site.receive(&first).unwrap();
        site.depot.switch(&name(), &Pointer::to(received.choice, None, Standing::Proven)).unwrap();
        site.floors.insert("chest".into(), "1.0.0".parse().unwrap());
        site
    }

    /// A signed bundle in a folder of its own.
    fn signed(&self, version: &str) -> PathBuf {
        let folder = self.folder.path().join(format!("stick-{version}/chest"));
        bundle(&folder, "chest", version);
        sign(&folder, &self.vendor, NOW, None).unwrap();
        folder
    }

    fn demands(&self) -> Demands<'_> {
        Demands {
            vouching: &self.vouching,
            now: NOW,
            floors: &self.floors,
            forced: None,
            room_bytes: PLENTY,
            memory_bytes: PLENTY,
        }
    }

    fn receive(&self, path: &Path) -> Result<Received, Refusal> {
        receive(&self.depot, &Package::open(path)?, &self.demands())
    }

    /// The words of the refusal of `path`; the old bundle stands and nothing came in beside it.
    fn refused(&self, path: &Path) -> String {
        let words = self.receive(path).expect_err("it must be refused").to_string();
        self.serves_as_before();
        words
    }

    fn serves_as_before(&self) {
        let source = Source {
            shipped: self.folder.path().join("none"),
            depot: Some(self.depot.clone()),
            floors: self.floors.clone(),
            vouching: self.vouching.clone(),
            research: Vec::new(),
        };
        let selection = select(&source, None, NOW, None).unwrap();
        assert_eq!(selection.images[0].identity.version, "1.0.0");
        let installed = self.depot.installed(&name(), self.keys()).unwrap();
        assert_eq!(installed.len(), 1, "{installed:?}");
    }

    fn keys(&self) -> &[crate::seal::public::PublicKey] {
        let Vouching::Trusted(keys) = &self.vouching else { unreachable!() };
        keys
    }

    /// A tar file of `entries`.
    fn tar(&self, entries: &[Entry]) -> PathBuf {
        let path = self.folder.path().join("package.tar");
        fs::write(&path, tar(entries)).unwrap();
        path
    }
}

fn name() -> BundleName {
    "chest".parse().unwrap()
}

/// One entry of a tar file.
#[derive(Clone)]
struct Entry {
    name: String,
    kind: u8,
    link: &'static str,
    bytes: Vec<u8>,
    /// What the header says instead of the number of bytes.
    claims: Option<&'static [u8]>,
}

fn entry(name: &str, bytes: &[u8]) -> Entry {
    Entry { name: name.to_owned(), kind: b'0', link: "", bytes: bytes.to_owned(), claims: None }
}

fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in entries {
        let mut header = [0u8; 512];
        header[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[108..116].copy_from_slice(b"0000000\0");
        header[116..124].copy_from_slice(b"0000000\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", entry.bytes.len()).as_bytes());
        if let Some(claims) = entry.claims {
            header[124..124 + claims.len()].copy_from_slice(claims);
        }
        header[136..148].copy_from_slice(b"00000000000\0");
        header[148..156].copy_from_slice(b"        ");
        header[156] = entry.kind;
        header[157..157 + entry.link.len()].copy_from_slice(entry.link.as_bytes());
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u64 = header.iter().map(|b| u64::from(*b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        all.extend_from_slice(&header);
        all.extend_from_slice(&entry.bytes);
        all.resize(all.len().next_multiple_of(512), 0);
    }
    all.resize(all.len() + 1024, 0);
    all
}

/// The files of a bundle as entries below `chest/`.
fn entries(folder: &Path) -> Vec<Entry> {
    let files: BTreeMap<FileName, u64> = inspect::files_below(folder).unwrap();
    let of = |name: &FileName| entry(&format!("chest/{name}"), &fs::read(folder.join(name.as_str())).unwrap());
    files.keys().map(of).collect()
}

#[test]
fn a_good_package_is_received_from_a_folder_a_tar_file_and_a_stick() {
    let site = Site::new();
    let folder = site.signed("1.1.0");
    fs::write(folder.parent().unwrap().join("holiday.jpg"), "nothing of ours").unwrap();
    let tar_file = site.tar(&entries(&folder));
    let flat: Vec<Entry> =
        entries(&folder).into_iter().map(|e| Entry { name: e.name.replace("chest/", "./"), ..e }).collect();
    for path in [folder.clone(), folder.parent().unwrap().to_owned(), tar_file, site.tar(&flat)] {
        let received = site.receive(&path).unwrap();
        let At::Installed(at) = &received.choice.at else { panic!("it is installed") };
        same_bytes(&site.depot.place(&name(), at), &received.signed).unwrap();
        assert_eq!(received.choice.version.to_string(), "1.1.0");
        // Nothing serves yet, and without a pointer to it, it goes again.
        site.depot.sweep(&name()).unwrap();
        site.serves_as_before();
    }
}

/// What GNU tar and others write in their usual ways is taken.
#[test]
fn tar_files_of_gnu_tar_are_read() {
    if !Path::new("/usr/bin/tar").exists() && !Path::new("/bin/tar").exists() {
        return println!("skipped: there is no tar");
    }
    let site = Site::new();
    let folder = site.signed("1.1.0");
    for format in ["ustar", "gnu", "pax"] {
        for arguments in
            [["-C", folder.parent().unwrap().to_str().unwrap(), "chest"], ["-C", folder.to_str().unwrap(), "."]]
        {
            let path = site.folder.path().join("real.tar");
            let made = std::process::Command::new("tar")
                .args(["--format", format, "-cf", path.to_str().unwrap()])
                .args(arguments)
                .status();
            assert!(made.unwrap().success());
            site.receive(&path).unwrap_or_else(|e| panic!("{format}: {e}"));
            site.depot.sweep(&name()).unwrap();
        }
    }
}

#[test]
fn zip_slip() {
    let site = Site::new();
    let good = entries(&site.signed("1.1.0"));
    for name in ["../evil", "chest/../../evil", "/etc/evil", "chest//evil", "chest/./evil", "..", "chest/a\\b"] {
        let mut attack = good.clone();
        attack.push(entry(name, b"x"));
        let words = site.refused(&site.tar(&attack));
        assert!(words.contains("leads out of the bundle's folder"), "{name}: {words}");
    }
}

#[test]
fn links_devices_and_pipes_in_a_tar_file() {
    let site = Site::new();
    let good = entries(&site.signed("1.1.0"));
    for (kind, what) in [
        (b'1', "a hard link"),
        (b'2', "a link"),
        (b'3', "a device"),
        (b'4', "a device"),
        (b'6', "a pipe"),
        (b'S', "a sparse file"),
        (b'L', "something else"),
        (b'7', "something else"),
    ] {
        let mut attack = good.clone();
        attack.push(Entry { kind, link: "/etc/passwd", ..entry("chest/CARD2.md", b"") });
        let words = site.refused(&site.tar(&attack));
        assert!(words.contains(what), "{words}");
    }
}

#[test]
fn links_devices_and_pipes_in_a_folder() {
    let site = Site::new();
    let attacks: [(&str, Attack); 3] = [
        ("a link", |at| symlink("/dev/zero", at).unwrap()),
        ("a link", |at| symlink("manifest.toml", at).unwrap()),
        ("a pipe", |at| {
            assert!(std::process::Command::new("mkfifo").arg(at).status().unwrap().success());
        }),
    ];
    for (number, (what, attack)) in attacks.into_iter().enumerate() {
        let folder = site.signed(&format!("1.1.{number}"));
        fs::remove_file(folder.join("CARD.md")).unwrap();
        attack(&folder.join("CARD.md"));
        let words = site.refused(&folder);
        assert!(words.contains(what), "{words}");
    }
}

#[test]
fn a_package_that_is_a_pipe_or_a_device() {
    let site = Site::new();
    let pipe = site.folder.path().join("pipe.tar");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe.as_path(), Path::new("/dev/zero")] {
        let words = site.refused(path);
        assert!(words.contains("neither a folder nor a file"), "{words}");
    }
}

#[test]
fn duplicate_entries() {
    let site = Site::new();
    let mut attack = entries(&site.signed("1.1.0"));
    attack.push(entry("chest/model.onnx", b"another graph"));
    assert!(site.refused(&site.tar(&attack)).contains("is in it twice"));
}

#[test]
fn endless_data() {
    let site = Site::new();
    let good = entries(&site.signed("1.1.0"));
    // Entries without end.
    let mut many = good.clone();
    many.extend((0..300).map(|n| entry(&format!("chest/{n}"), b"")));
    assert!(site.refused(&site.tar(&many)).contains("more than"));
    // A file that is larger than any bundle, all of it holes.
    let path = site.folder.path().join("holes.tar");
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(site.refused(&path).contains("at most"));
    // More behind the end.
    let mut long = tar(&good);
    long.extend(tar(&good));
    fs::write(&path, &long).unwrap();
    assert!(site.refused(&path).contains("more follows behind its end"));
    // No end.
    fs::write(&path, &tar(&good)[..512 * 5]).unwrap();
    assert!(!site.refused(&path).is_empty());
}

#[test]
fn sizes_that_lie() {
    let site = Site::new();
    let good = entries(&site.signed("1.1.0"));
    let claims: [(&[u8], &str); 4] = [
        (b"77777777777\0", "which are not there"),
        (b"00000000001\0", ""),
        (b"\x80\0\0\0\0\0\0\0\0\0\x10\0", "none, or too large"),
        (b"-0000000001\0", "none, or too large"),
    ];
    for (claims, says) in claims {
        let mut attack = good.clone();
        attack[0].claims = Some(claims);
        let words = site.refused(&site.tar(&attack));
        assert!(words.contains(says), "{words}");
    }
    // A pax record that says otherwise than the header.
    for record in [&b"19 size=99999999999\n"[..], b"22 path=../../etc/evil\n", b"22 GNU.sparse.size=99\n"] {
        let mut attack = good.clone();
        attack.insert(0, Entry { kind: b'x', ..entry("x", record) });
        let words = site.refused(&site.tar(&attack));
        assert!(words.contains("a pax record"), "{words}");
    }
}

/// Damage anywhere in a tar file: it is refused, or it is still the bundle that was signed.
#[test]
fn a_tar_file_with_any_byte_changed_brings_nothing_that_was_not_signed() {
    use std::os::unix::fs::FileExt as _;
    let site = Site::new();
    let folder = site.signed("1.1.0");
    let path = site.tar(&entries(&folder));
    let bytes = fs::read(&path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let (mut refused, mut taken) = (0, 0);
    for (at, byte) in bytes.iter().enumerate() {
        file.write_all_at(&[byte ^ 1], at as u64).unwrap();
        match site.receive(&path) {
            Err(_) => refused += 1,
            Ok(received) => {
                let At::Installed(at) = &received.choice.at else { panic!("it is installed") };
                same_bytes(&site.depot.place(&name(), at), &received.signed).unwrap();
                taken += 1;
            }
        }
        file.write_all_at(&[*byte], at as u64).unwrap();
    }
    // Headers and contents are most of it; what fills blocks is not looked at.
    assert!(refused > 1000 && taken > 0, "{refused} refused, {taken} taken");
}

#[test]
fn what_is_no_tar_file() {
    let site = Site::new();
    let path = site.folder.path().join("x.tar");
    for bytes in [&b""[..], b"PK\x03\x04 a zip file", &[0x1f; 4096], &[0; 4096]] {
        fs::write(&path, bytes).unwrap();
        let words = site.refused(&path);
        assert!(words.contains("tar file") || words.contains("not signed"), "{words}");
    }
    let mut damaged = tar(&entries(&site.signed("1.1.0")));
    damaged[3] ^= 1;
    fs::write(&path, &damaged).unwrap();
    assert!(site.refused(&path).contains("checksum"));
}

#[test]
fn oversize_and_too_many_files() {
    let site = Site::new();
    let folder = site.signed("1.1.0");
    let package = Package::open(&folder).unwrap();
    let with = |room_bytes, memory_bytes| {
        let demands = Demands { room_bytes, memory_bytes, ..site.demands() };
        let words = receive(&site.depot, &package, &demands).unwrap_err().to_string();
        site.serves_as_before();
        words
    };
    assert!(with(10, PLENTY).contains("free some of the disk"));
    assert!(with(PLENTY, 100).contains("too much for a reader"));
    for number in 0..=MAX_FILES {
        fs::write(folder.join(format!("{number}.txt")), "x").unwrap();
    }
    assert!(site.refused(&folder).contains("more than"));
}

#[test]
fn a_byte_that_was_changed_on_the_way() {
    let site = Site::new();
    for (number, file) in ["model.onnx", "manifest.toml", "golden/input.f32", SIGNATURE].into_iter().enumerate() {
        let folder = site.signed(&format!("1.2.{number}"));
        let mut bytes = fs::read(folder.join(file)).unwrap();
        let at = bytes.len() / 2;
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        fs::write(folder.join(file), bytes).unwrap();
        let words = site.refused(&folder);
        assert!(words.contains(file), "{words}");
        assert!(!site.refused(&site.tar(&entries(&folder))).is_empty());
    }
}

#[test]
fn unsigned_wrong_key_and_expired() {
    let site = Site::new();
    let folder = site.signed("1.1.0");
    let stranger = DeviceKey::generate().unwrap();
    sign(&folder, &stranger, NOW, None).unwrap();
    assert!(site.refused(&folder).contains("not that of a trusted vendor"));
    sign(&folder, &site.vendor, NOW, Some("2026-01-01T00:00:00Z")).unwrap();
    assert!(site.refused(&folder).contains("expired on 2026-01-01"));
    fs::remove_file(folder.join(SIGNATURE)).unwrap();
    assert!(site.refused(&folder).contains("not signed"));
}

#[test]
fn an_older_version_is_a_replay_unless_somebody_says_why() {
    let mut site = Site::new();
    site.floors.insert("chest".into(), "1.5.0".parse().unwrap());
    let folder = site.signed("1.4.9");
    let package = Package::open(&folder).unwrap();
    let refused = receive(&site.depot, &package, &site.demands()).unwrap_err();
    assert!(refused.to_string().contains("1.4.9 is older than 1.5.0"), "{refused}");
    let forced = Demands { forced: Some("1.5.0 misreads our detector"), ..site.demands() };
    let received = receive(&site.depot, &package, &forced).unwrap();
    assert_eq!(received.choice.below_floor.as_deref(), Some("1.5.0 misreads our detector"));
    // The pointer's reason holds for this bundle, and for no other in its place.
    site.depot.switch(&name(), &Pointer::to(received.choice.clone(), None, Standing::Proven)).unwrap();
    let source = |site: &Site| Source {
        shipped: site.folder.path().join("none"),
        depot: Some(site.depot.clone()),
        floors: site.floors.clone(),
        vouching: site.vouching.clone(),
        research: Vec::new(),
    };
    assert!(select(&source(&site), None, NOW, None).is_ok());
    let choice = Choice { below_floor: None, ..received.choice };
    site.depot.switch(&name(), &Pointer::to(choice, None, Standing::Proven)).unwrap();
    let error = select(&source(&site), None, NOW, None).unwrap_err().to_string();
    assert!(error.contains("older than 1.5.0"), "{error}");
}

#[test]
fn the_files_of_two_bundles() {
    let site = Site::new();
    let (one, two) = (site.signed("1.1.0"), site.signed("1.2.0"));
    fs::copy(two.join("model.onnx"), one.join("model.onnx")).unwrap();
    assert!(site.refused(&one).contains("model.onnx"));
    let mut both = entries(&two);
    both.extend(entries(&site.signed("1.3.0")).into_iter().map(|e| Entry { name: format!("other/{}", e.name), ..e }));
    assert!(site.refused(&site.tar(&both)).contains("two bundles"));
    let mut more = entries(&two);
    more.push(entry("chest/notes.txt", b"x"));
    assert!(site.refused(&site.tar(&more)).contains("not in its signature"));
    more.pop();
    more.push(entry("elsewhere.txt", b"x"));
    assert!(site.refused(&site.tar(&more)).contains("not in its signature"));
}

#[test]
fn a_stick_with_something_else_on_it() {
    let site = Site::new();
    let stick = site.folder.path().join("stick");
    fs::create_dir_all(stick.join("photos")).unwrap();
    fs::write(stick.join("letter.doc"), "dear all").unwrap();
    let words = site.refused(&stick);
    assert!(words.contains("is a model bundle") && words.contains("letter.doc"), "{words}");
    for version in ["1.1.0", "1.2.0"] {
        fs::rename(site.signed(version), stick.join(version)).unwrap();
    }
    let words = site.refused(&stick);
    assert!(words.contains("holds 2 bundles (1.1.0, 1.2.0)"), "{words}");
}

#[test]
fn what_an_earlier_attempt_left_is_cleared_and_a_damaged_copy_is_not_trusted() {
    let site = Site::new();
    let folder = site.signed("1.1.0");
    let first = site.receive(&folder).unwrap().choice;
    let At::Installed(at) = &first.at else { panic!("it is installed") };
    let place = site.depot.place(&name(), at);
    // Received again, it is the same.
    assert_eq!(site.receive(&folder).unwrap().choice, first);
    // Cut before its signature stood: it counts for nothing, and is written anew.
    fs::remove_file(place.join(SIGNATURE)).unwrap();
    fs::write(place.join("model.onnx"), "half").unwrap();
    assert_eq!(site.receive(&folder).unwrap().choice, first);
    // Damaged where it serves: not mended under the reader, but put beside it.
    fs::write(place.join("model.onnx"), "graph of chest 1.1.1").unwrap();
    let second = site.receive(&folder).unwrap().choice;
    assert_ne!(second.at, first.at);
}

#[test]
fn a_pointer_that_leads_elsewhere_is_none() {
    let site = Site::new();
    let path = site.depot.folder().join("chest/active");
    let good = fs::read_to_string(&path).unwrap();
    for evil in ["../../etc", "/etc", "", ".", "a/b"] {
        let At::Installed(at) = site.depot.pointer(&name()).unwrap().unwrap().active.at else { unreachable!() };
        fs::write(&path, good.replacen(&at, evil, 1)).unwrap();
        assert!(site.depot.pointer(&name()).is_err(), "{evil:?}");
        fs::write(&path, &good).unwrap();
    }
}
