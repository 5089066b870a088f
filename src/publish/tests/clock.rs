//! The broker's certificate under clocks that are right and wrong.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncReadExt;
use tokio_rustls::TlsAcceptor;

use super::super::message::{Lifecycle, Sender};
use super::*;
use crate::mqtt::{Event, Link, Loss, Manner};

/// A broker that answers nothing, with a certificate of 2020 to 2035; it counts handshakes
/// that came to an end.
fn broker(folder: &std::path::Path) -> (u16, Arc<Notify>) {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(1960, 1, 1);
    let authority = params.self_signed(&authority_key).unwrap();
    std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2035, 1, 1));
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (acceptor, in_tls) = (TlsAcceptor::from(Arc::new(config)), Arc::new(Notify::new()));
    let told = Arc::clone(&in_tls);
    tokio::spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await
                && stream.read_u8().await.is_ok()
            {
                told.notify_one();
            }
        }
    });
    (port, in_tls)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_clock_is_named_where_it_makes_a_brokers_certificate_untimely() {
    let folder = tempfile::tempdir().unwrap();
    let (port, in_tls) = broker(folder.path());
    let mut settings = Site::new(port).settings;
    settings.tls = Some(MqttTls { ca: folder.path().join("ca.pem"), certificate: None, key: None });
    let sender = Sender {
        site: "clinic".to_owned(),
        device: "cart-7".to_owned(),
        key_id: "key-thumbprint".to_owned(),
        earlier_key_ids: Vec::new(),
        topics: Topics::of(&settings, &device()),
        audit: crate::audit::Audit::nowhere(),
    };
    let open = |now: fn() -> Moment| {
        let access = Access::read(&settings, client_id(&device()), now).unwrap();
        let will = Some(sender.status(Lifecycle::Lost, now()));
        Link::open(&access, Manner { will, window: 16, receive_maximum: 16, max_incoming_bytes: 65_536 })
    };
    let lost = |mut link: Link| async move {
        let lost = async {
            loop {
                if let Event::Lost(loss) = link.next().await {
                    return loss;
                }
            }
        };
        tokio::time::timeout(DEADLINE, lost).await.expect("it says so")
    };
    let early = lost(open(|| Moment { unix_ms: 86_400_000, synchronised: false })).await;
    let Loss::Tls(why) = &early else { panic!("{early}") };
    assert!(why.contains("not valid yet by this device's clock, 1970-01-02T00:00:00Z (NOT synchronised"), "{why}");
    let late = lost(open(|| Moment { unix_ms: 2_500_000_000_000, synchronised: true })).await;
    let Loss::Tls(why) = &late else { panic!("{late}") };
    assert!(why.contains("no longer valid by this device's clock, 2049-"), "{why}");
    let _right = open(|| NOW);
    tokio::time::timeout(DEADLINE, in_tls.notified()).await.expect("the right clock gets through");
}
