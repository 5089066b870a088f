//! TLS: a client certificate of the configured authority gets in, none does not.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::config::DicomTls;

struct Pki {
    ca: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Pki {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // OpenSSL takes a certificate for its own issuer where the names are the same.
        params.distinguished_name.push(DnType::CommonName, "an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&key).unwrap().pem();
        Self { ca, issuer: Issuer::new(params, key) }
    }

    /// Certificate and key in PEM.
    fn issue(&self, usage: ExtendedKeyUsagePurpose) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn client(&self, identity: Option<&(String, String)>) -> rustls::ClientConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.ca.as_bytes()).unwrap()).unwrap();
        let builder =
            rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap(),
        }
    }
}

fn configured(folder: &Path, pki: &Pki) -> Dicom {
    let (certificate, key) = pki.issue(ExtendedKeyUsagePurpose::ServerAuth);
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        crate::os::private::write(&path, text);
        path
    };
    let tls = DicomTls {
        certificate: write("server.pem", &certificate),
        key: write("server.key", &key),
        client_ca: Some(write("ca.pem", &pki.ca)),
    };
    Dicom { tls: Some(tls), ..settings() }
}

async fn echo(gateway: &Gateway, config: rustls::ClientConfig) -> Option<u16> {
    let options = options().tls_config(config).server_name("localhost");
    let mut client = within(options.establish_tls_async(gateway.address)).await.ok()?;
    let echo = command(0x0030, VERIFICATION, None, false);
    within(client.send(&fragment(3, PDataValueType::Command, true, &echo))).await.ok()?;
    let Ok(Pdu::PData { data }) = within(client.receive()).await else { return None };
    Some(status(&data[0].data).0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_of_our_authority_is_needed_and_enough() {
    let folder = tempfile::tempdir().unwrap();
    let pki = Pki::new();
    let gateway = gateway(&configured(folder.path(), &pki));
    let identity = pki.issue(ExtendedKeyUsagePurpose::ClientAuth);
    assert_eq!(echo(&gateway, pki.client(Some(&identity))).await, Some(0x0000));
    assert_eq!(echo(&gateway, pki.client(None)).await, None);
    let stranger = Pki::new().issue(ExtendedKeyUsagePurpose::ClientAuth);
    assert_eq!(echo(&gateway, pki.client(Some(&stranger))).await, None);
    assert!(within(options().establish_async(gateway.address)).await.is_err(), "plain text gets no association");
    counted(&gateway.counters.associations, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clients_certificate_is_judged_by_the_devices_clock() {
    let folder = tempfile::tempdir().unwrap();
    let pki = Pki::new();
    let settings = configured(folder.path(), &pki);
    // As issued here: from 1975 to 4096.
    let identity = pki.issue(ExtendedKeyUsagePurpose::ClientAuth);
    let in_1970 = gateway_at(&settings, || Moment { unix_ms: 0, synchronised: false });
    assert_eq!(echo(&in_1970, pki.client(Some(&identity))).await, None);
    counted(&in_1970.counters.turned_away, 1).await;
    let in_2027 = gateway(&settings);
    assert_eq!(echo(&in_2027, pki.client(Some(&identity))).await, Some(0x0000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dcmtk_gets_in_with_a_certificate_and_not_without() {
    if std::process::Command::new("echoscu").arg("--version").output().is_err() {
        println!("skipped: no echoscu");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let pki = Pki::new();
    let gateway = gateway(&configured(folder.path(), &pki));
    let (certificate, key) = pki.issue(ExtendedKeyUsagePurpose::ClientAuth);
    for (name, text) in [("client.pem", &certificate), ("client.key", &key)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    for (identity, gets_in) in [(&["+tls", "client.key", "client.pem"][..], true), (&["+tla"], false)] {
        let mut echo = std::process::Command::new("echoscu");
        echo.current_dir(folder.path()).args(identity).args(["+cf", "ca.pem", "-aec", AE, "127.0.0.1"]);
        echo.arg(gateway.address.port().to_string());
        let output = within(tokio::task::spawn_blocking(move || echo.output())).await.unwrap().unwrap();
        assert_eq!(output.status.success(), gets_in, "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_missing_or_empty_pem_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = configured(folder.path(), &Pki::new());
    let tls = settings.tls.as_mut().unwrap();
    std::fs::write(&tls.certificate, "nothing here").unwrap();
    let error = Listener::bind(&settings, crate::os::now).err().unwrap().to_string();
    assert!(error.contains("server.pem") && error.contains("[dicom.tls]"), "{error}");
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = configured(folder.path(), &Pki::new());
    let key = settings.tls.as_ref().unwrap().key.clone();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let error = Listener::bind(&settings, crate::os::now).err().unwrap().to_string();
    assert!(
        error.starts_with("[dicom.tls] key ") && error.contains(&format!("chmod 600 {}", key.display())),
        "{error}"
    );
}
