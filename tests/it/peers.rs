//! Real peers: dcmtk in, mosquitto between, a stock JOSE library out.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::site::{Site, free_port, installed, real_dicom, text, wait_for};

/// A mosquitto with TLS, a client certificate asked for, and an access list that lets
/// the device publish below its own topics only.
struct Mosquitto {
    child: Child,
    address: SocketAddr,
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Certificates of one authority for broker and clients, as files in `folder`.
fn certificates(folder: &Path) {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    let write = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "test authority");
    write("ca.crt", ca.self_signed(&ca_key).unwrap().pem());
    let issuer = Issuer::new(ca, ca_key);
    for name in ["broker", "cart", "hospital"] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        write(&format!("{name}.crt"), params.signed_by(&key, &issuer).unwrap().pem());
        write(&format!("{name}.key"), key.serialize_pem());
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(folder.join(format!("{name}.key")), private).unwrap();
    }
}

impl Mosquitto {
    fn start(folder: &Path) -> Self {
        let address = free_port();
        let path = |name: &str| folder.join(name).display().to_string();
        fs::write(
            folder.join("acl"),
            "user cart\ntopic readwrite residentd/test/cart/#\nuser hospital\ntopic read residentd/#\n",
        )
        .unwrap();
        let config = format!(
            "listener {} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\nuse_identity_as_username true\nacl_file {}\nuser root\n",
            address.port(),
            path("ca.crt"),
            path("broker.crt"),
            path("broker.key"),
            path("acl"),
        );
        fs::write(folder.join("mosquitto.conf"), config).unwrap();
        let child = Command::new("/usr/sbin/mosquitto")
            .args(["-c", &path("mosquitto.conf")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for("mosquitto", || std::net::TcpStream::connect(address).is_ok());
        Self { child, address }
    }

    /// `mosquitto_sub` as the hospital; prints one payload a line.
    fn subscriber(&self, folder: &Path) -> Child {
        let path = |name: &str| folder.join(name).display().to_string();
        // Its debug lines tell when it is subscribed; stdbuf hands them on at once.
        let mut child = Command::new("stdbuf")
            .args(["-oL", "/usr/bin/mosquitto_sub"])
            .args(["-h", "localhost", "-p", &self.address.port().to_string(), "-V", "5", "-q", "1", "-d"])
            .args(["-t", "residentd/test/cart/report", "--cafile", &path("ca.crt")])
            .args(["--cert", &path("hospital.crt"), "--key", &path("hospital.key")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take();
        child
    }
}

/// Payloads that look like a compact JWS, from `mosquitto_sub`'s output.
fn next_jws(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> String {
    lines.map(Result::unwrap).find(|l| l.starts_with("ey") && l.matches('.').count() == 2).expect("an outcome arrives")
}

/// Verification by a library that is not ours, from another language.
fn stock_library_accepts(jws: &str, jwk: &Path) -> bool {
    const SCRIPT: &str = "
import sys, json
from joserfc import jws
from joserfc.jwk import OKPKey
key = OKPKey.import_key(json.load(open(sys.argv[1])))
# Its defaults refuse header members that it does not know (RFC 7515 4 says: ignore
# them) and headers above 512 bytes; both are settings of the library.
registry = jws.JWSRegistry(algorithms=['EdDSA'], strict_check_header=False)
registry.max_header_length, registry.max_payload_length = 8192, 16 * 1024 * 1024
done = jws.deserialize_compact(sys.stdin.read(), key, registry=registry)
bundle = json.loads(done.payload)
assert bundle['resourceType'] == 'Bundle' and bundle['type'] == 'collection'
assert bundle['entry'][0]['resource']['status'] == 'preliminary'
";
    let mut child = Command::new("python3")
        .args(["-c", SCRIPT])
        .arg(jwk)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), jws.as_bytes()).unwrap();
    child.wait().unwrap().success()
}

fn stock_library() -> bool {
    let there = Command::new("python3").args(["-c", "import joserfc"]).output().is_ok_and(|o| o.status.success());
    if !there {
        println!("skipped: python3 has no joserfc (.ci/run installs it)");
    }
    there
}

fn storescu(site: &Site, syntax: &str, files: &[PathBuf]) -> std::process::Output {
    Command::new("/usr/bin/storescu")
        .env("TCP_NODELAY", "1")
        .args([syntax, "-aec", "RESIDENTD", "127.0.0.1", &site.dicom.port().to_string()])
        .args(files)
        .output()
        .unwrap()
}

#[test]
fn echoscu_is_answered() {
    if !installed("echoscu") {
        return;
    }
    let site = Site::new();
    let daemon = site.start();
    let port = site.dicom.port().to_string();
    let echo =
        |called: &str| Command::new("/usr/bin/echoscu").args(["-aec", called, "127.0.0.1", &port]).output().unwrap();
    assert!(echo("RESIDENTD").status.success(), "{}", text(&echo("RESIDENTD")));
    assert!(!echo("SOMEBODY").status.success(), "another called AE title is rejected");
    daemon.stop();
}

/// "A real DX in JPEG 2000 sent by storescu arrives at `mosquitto_sub` as a JWS that the
/// stock library verifies; flipping any byte of it fails."
#[test]
fn a_real_dx_in_jpeg_2000_arrives_as_a_jws_that_a_stock_library_verifies() {
    let Some(folder) = real_dicom() else { return };
    if !(installed("storescu") && installed("mosquitto") && installed("mosquitto_sub") && stock_library()) {
        return;
    }
    let site = Site::new();
    certificates(site.folder.path());
    let broker = Mosquitto::start(site.folder.path());
    site.use_broker(broker.address);
    site.edit("host = \"127.0.0.1\"", "host = \"localhost\"");
    site.edit(
        "# [mqtt.tls]\n# ca = \"broker-ca.crt\"\n# certificate = \"mqtt.crt\"\n# key = \"mqtt.key\"",
        "[mqtt.tls]\nca = \"ca.crt\"\ncertificate = \"cart.crt\"\nkey = \"cart.key\"",
    );
    let mut hospital = broker.subscriber(site.folder.path());
    let mut lines = BufReader::new(hospital.stdout.take().unwrap()).lines();
    lines.by_ref().map(Result::unwrap).find(|l| l.contains("SUBACK")).expect("the hospital is subscribed");
    let daemon = site.start();

    // A DX without the patient's age (an abstention), then a CR with it (a report).
    let jwk = site.path("device.pub.jwk");
    let mut send = |syntax: &str, file: &str| {
        let sent = storescu(&site, syntax, &[folder.join("xray_chest").join(file)]);
        assert!(sent.status.success(), "{}", text(&sent));
        let jws = next_jws(&mut lines);
        assert!(stock_library_accepts(&jws, &jwk));
        jws
    };
    let dx = send("-xv", "pylibjpeg-data__966_fixed.dcm");
    let jws = send("-xw", "pydicom-data__RG1_J2KI.dcm");
    let verified = text(&site.verify(&format!("{dx}\n{jws}")));
    assert!(verified.contains("(abstention ") && verified.contains("(report "), "{verified}");
    // A sample of bytes for the stock library, which starts a process a time; every
    // byte for our own verifier (seal's tests).
    for at in (0..jws.len()).step_by(jws.len() / 12) {
        let mut flipped = jws.clone().into_bytes();
        flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
        assert!(!stock_library_accepts(std::str::from_utf8(&flipped).unwrap(), &jwk), "byte {at}");
    }
    assert!(site.verify(&jws).status.success());
    let _ = hospital.kill();
    let _ = hospital.wait();
    daemon.stop();
}

/// The chest and ultrasound files in each transfer syntax, by dcmtk's own SCU.
#[test]
fn storescu_delivers_chest_and_ultrasound_in_every_transfer_syntax() {
    let Some(folder) = real_dicom() else { return };
    if !installed("storescu") {
        return;
    }
    let index = fs::read_to_string(folder.join("index.csv")).unwrap();
    let options = [
        ("1.2.840.10008.1.2", "-xi"),
        ("1.2.840.10008.1.2.1", "-xe"),
        ("1.2.840.10008.1.2.2", "-xb"),
        ("1.2.840.10008.1.2.5", "-xr"),
        ("1.2.840.10008.1.2.4.50", "-xy"),
        ("1.2.840.10008.1.2.4.51", "-xx"),
        ("1.2.840.10008.1.2.4.70", "-xs"),
        ("1.2.840.10008.1.2.4.90", "-xv"),
        ("1.2.840.10008.1.2.4.91", "-xw"),
    ];
    for (uid, option) in options {
        // A column of its own: commas on both sides tell it from longer ones.
        let files: Vec<PathBuf> = index
            .lines()
            .filter(|l| ["xray_chest/", "us_single/", "us_multi/"].iter().any(|f| l.starts_with(f)))
            .filter(|l| l.contains(&format!(",{uid},")))
            .map(|l| folder.join(l.split(',').next().unwrap()))
            .collect();
        // A box a syntax: files of this collection share UIDs across syntaxes.
        let site = Site::new();
        let daemon = site.start();
        let (stored, refused): (Vec<_>, Vec<_>) =
            files.iter().partition(|f| storescu(&site, option, std::slice::from_ref(f)).status.success());
        println!("{uid}: {} of {} stored, refused: {refused:?}", stored.len(), files.len());
        assert!(files.is_empty() || !stored.is_empty(), "nothing stored in {uid}");
        let store = residentd::store::Store::open(&site.path("state")).unwrap();
        wait_for("every outcome", || store.unread().unwrap() == 0);
        let stored = site.outcomes().len();
        assert!(stored + refused.len() >= files.len(), "{uid}: {stored} outcomes, {} refused", refused.len());
        daemon.stop();
    }
}
