//! The same port with TLS: strangers, stalled handshakes, and a scanner with a certificate.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};

use super::connections::{CLIENT_HELLO, says, strangers};
use super::scanner::{Scanner, Tls};
use super::script::{Allow, Case, Step};
use super::speech::{Request, pdu};
use super::{play, site, start, survived};
use crate::site::Site;

/// Turns TLS on with client certificates; what a scanner with one needs.
fn secure(site: &Site) -> Tls {
    let write = |name: &str, text: String| {
        std::fs::write(site.path(name), text).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(site.path(name), private).unwrap();
    };
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let issue = || {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    };
    let (certificate, key) = issue();
    write("dicom.crt", certificate);
    write("dicom.key", key);
    write("scanners.crt", ca.clone());
    site.edit(
        "# [dicom.tls]\n# certificate = \"dicom.crt\"\n# key = \"dicom.key\"\n# client_ca = \"scanners.crt\"",
        "[dicom.tls]\ncertificate = \"dicom.crt\"\nkey = \"dicom.key\"\nclient_ca = \"scanners.crt\"",
    );
    let (certificate, key) = issue();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    (Arc::new(config), ServerName::try_from("localhost").unwrap())
}

fn cases() -> Vec<Case> {
    let now_and_then = std::time::Duration::from_millis(300);
    let record = |kind: u8, length: u16, bytes: &[u8]| [&[kind, 3, 3][..], &length.to_be_bytes(), bytes].concat();
    let mut cases = strangers();
    cases.extend([
        says("DICOM without TLS", &Request::new().bytes()),
        says("a greeting and then silence", &CLIENT_HELLO),
        says("a greeting of garbage", &[&CLIENT_HELLO[..], &[0xA5; 512]].concat()),
        says("a record that claims 65,535 bytes", &record(0x16, 0xFFFF, &[1; 100])),
        says("application data before any greeting", &record(0x17, 64, &[7; 64])),
        says("1,000 alerts", &record(0x15, 2, &[1, 0]).repeat(1_000)),
        says("10,000 empty records", &record(0x16, 0, &[]).repeat(10_000)),
        says("a DICOM abort", &pdu(7, &[0; 4])),
        Case {
            name: "a greeting a byte now and then",
            steps: vec![Step::Trickle([&CLIENT_HELLO[..], &[0; 500]].concat(), now_and_then)],
            allow: Allow::Ended,
        },
        Case {
            name: "half a greeting and a reset",
            steps: vec![Step::Send(CLIENT_HELLO.to_vec()), Step::Reset],
            allow: Allow::Ended,
        },
    ]);
    cases
}

#[test]
fn hostile_peers_of_a_tls_port_are_cut_off_while_a_scanner_is_served() {
    let site = site();
    let tls = secure(&site);
    let daemon = start(&site);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let cases = cases();
    let count = cases.len();
    let (scanner, before) = runtime.block_on(async {
        let scanner = Scanner::start(site.dicom, Some(tls)).await;
        let before = residentd::os::peak_rss_kib(Some(daemon.0.id())).unwrap();
        let wrong = play(cases, &site).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        (scanner.stop().await, before)
    });
    survived(&site, daemon, before, count, &scanner);
}
