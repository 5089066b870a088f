//! With mosquitto 2, as a child process; skipped with a message where it is not installed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rumqttc::{TlsConfiguration, Transport};

use super::subscriber::Subscriber;
use super::*;

const PROGRAM: &str = "/usr/sbin/mosquitto";
const REPORTS: &str = "residentd/clinic/cart-7/report";
/// `QoS` 1 messages that mosquitto has under way to one subscriber (its default `max_inflight_messages`).
const MOSQUITTO_INFLIGHT: usize = 20;

pub(super) struct Mosquitto {
    pub port: u16,
    folder: tempfile::TempDir,
    child: Child,
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Mosquitto {
    /// Starts it with `extra` lines in its configuration, `{folder}` replaced; `None`
    /// where it is not installed.
    pub async fn start(extra: &str, files: impl FnOnce(&Path)) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            println!("skipped: {PROGRAM} is not installed");
            return None;
        }
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        files(folder.path());
        let extra = extra.replace("{folder}", folder.path().to_str().unwrap());
        let anonymous = if extra.contains("allow_anonymous") { "" } else { "allow_anonymous true" };
        let text = format!("user root\nlistener {port} 127.0.0.1\npersistence false\n{anonymous}\n{extra}\n");
        std::fs::write(folder.path().join("mosquitto.conf"), text).unwrap();
        let child = spawn(folder.path());
        let broker = Self { port, folder, child };
        broker.ready().await;
        Some(broker)
    }

    async fn ready(&self) {
        until("mosquitto listens", || std::net::TcpStream::connect(localhost(self.port)).is_ok()).await;
    }

    /// SIGKILL.
    fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    async fn restart(&mut self) {
        self.child = spawn(self.folder.path());
        self.ready().await;
    }
}

fn spawn(folder: &Path) -> Child {
    Command::new(PROGRAM)
        .arg("-c")
        .arg(folder.join("mosquitto.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn password_file(folder: &Path) {
    for (flags, user, password) in [(&["-c", "-b"][..], "cart", "secret"), (&["-b"], "receiver", "open")] {
        let done = Command::new("mosquitto_passwd")
            .args(flags)
            .arg(folder.join("passwords"))
            .args([user, password])
            .status()
            .unwrap();
        assert!(done.success());
    }
}

const LOGIN: &str = "allow_anonymous false\npassword_file {folder}/passwords";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_and_password_open_the_door() {
    let Some(broker) = Mosquitto::start(LOGIN, password_file).await else { return };
    let login = |options: &mut rumqttc::v5::MqttOptions| {
        options.set_credentials("receiver", "open");
    };
    let subscriber = Subscriber::with(broker.port, REPORTS, login).await;
    let running = Site::new(broker.port).with_login("cart", "secret").with_outcomes(30).start();
    running.drained().await;
    until("30 messages", || subscriber.count() == 30).await;
    assert_eq!(running.state.turned_away(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_deletes_nothing_and_is_told() {
    let Some(broker) = Mosquitto::start(LOGIN, password_file).await else { return };
    let running = Site::new(broker.port).with_login("cart", "wrong").with_outcomes(5).start();
    until("turned away twice", || running.state.turned_away() >= 2).await;
    assert_eq!((running.undelivered(), running.state.is_connected()), (5, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_denial_deletes_nothing_and_raises_an_alert() {
    let acl = |folder: &Path| {
        std::fs::write(
            folder.join("acl"),
            "topic readwrite residentd/+/+/status\ntopic readwrite residentd/+/+/alert\ntopic read #\n",
        )
        .unwrap();
    };
    let Some(broker) = Mosquitto::start("acl_file {folder}/acl", acl).await else { return };
    let alerts = Subscriber::new(broker.port, "residentd/clinic/cart-7/alert").await;
    let running = Site::new(broker.port).with_outcomes(5).start();
    until("refusals of two rounds", || running.state.refused() >= 10).await;
    assert_eq!((running.undelivered(), running.state.acknowledged()), (5, 0));
    until("the alert", || alerts.count() > 0).await;
    let alert = &alerts.json()[0];
    assert_eq!((&alert["kind"], alerts.count()), (&"broker-refuses".into(), 1));
    assert!(alert["message"].as_str().unwrap().contains("not authorised (0x87)"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_subscriber_outcomes_wait_and_then_arrive() {
    let Some(broker) = Mosquitto::start("", |_| {}).await else { return };
    let running = Site::new(broker.port).with_outcomes(40).start();
    until("nobody subscribes", || running.state.no_subscriber() >= 16).await;
    assert_eq!((running.undelivered(), running.state.refused()), (40, 0));
    let subscriber = Subscriber::new(broker.port, REPORTS).await;
    running.drained().await;
    until("all 40", || subscriber.reports().len() == 40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_too_large_for_the_broker_is_kept_and_the_others_go() {
    let Some(broker) = Mosquitto::start("max_packet_size 4096", |_| {}).await else { return };
    let subscriber = Subscriber::new(broker.port, REPORTS).await;
    let site = Site::new(broker.port);
    conclude(&site.store, 10, |sequence| if sequence == 4 { "L".repeat(5000) } else { jws(sequence) });
    let running = site.start();
    until("nine", || running.state.acknowledged() == 9).await;
    until("nine in the store", || running.undelivered() == 1).await;
    assert_eq!((running.state.too_large(), running.store.outbox(0, 10).unwrap()[0].sequence), (1, 4));
    conclude(&running.store, 1, jws);
    running.bell.notify_one();
    until("a later one", || running.state.last_acknowledged() == 11).await;
    assert_eq!((running.state.attempts(), subscriber.count()), (1, 10));
}

/// Certificates of an authority, a server for 127.0.0.1, and a client.
fn certificates(folder: &Path) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    for (name, subject) in [("server", "127.0.0.1"), ("client", "cart-7")] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![subject.to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, subject);
        std::fs::write(folder.join(format!("{name}.pem")), params.signed_by(&key, &issuer).unwrap().pem()).unwrap();
        crate::os::private::write(&folder.join(format!("{name}.key")), key.serialize_pem());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_opens_the_door_and_its_absence_does_not() {
    let lines =
        "cafile {folder}/ca.pem\ncertfile {folder}/server.pem\nkeyfile {folder}/server.key\nrequire_certificate true";
    let Some(broker) = Mosquitto::start(lines, certificates).await else { return };
    let file = |name: &str| broker.folder.path().join(name);
    let mut site = Site::new(broker.port).with_outcomes(30);
    let tls = MqttTls { ca: file("ca.pem"), certificate: Some(file("client.pem")), key: Some(file("client.key")) };
    site.settings.tls = Some(MqttTls { certificate: None, key: None, ..tls.clone() });
    let stranger = site.start();
    until("two attempts", || stranger.state.attempts() >= 3).await;
    assert_eq!((stranger.undelivered(), stranger.state.is_connected()), (30, false));
    stranger.stopped().await;
    site.settings.tls = Some(tls);
    let access = Access::read(&site.settings, client_id(&device()), crate::os::now).unwrap().tls.unwrap();
    let with_tls = |options: &mut rumqttc::v5::MqttOptions| {
        options.set_transport(Transport::Tls(TlsConfiguration::Rustls(Arc::clone(&access))));
    };
    let subscriber = Subscriber::with(broker.port, REPORTS, with_tls).await;
    let running = site.start();
    running.drained().await;
    until("30 messages", || subscriber.reports().len() == 30).await;
}

/// 300 outcomes, SIGKILL in the midst, restart. What is acknowledged with success and was
/// still on mosquitto's way to the subscriber is lost by mosquitto; nothing else may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_loses_nothing_that_it_did_not_acknowledge() {
    let Some(mut broker) = Mosquitto::start("max_queued_messages 0", |_| {}).await else { return };
    let subscriber = Subscriber::new(broker.port, REPORTS).await;
    let running = Site::new(broker.port).start();
    conclude(&running.store, 150, jws);
    running.bell.notify_one();
    until("half", || subscriber.reports().len() >= 100).await;
    broker.kill();
    let received_before: BTreeSet<String> = subscriber.reports().into_keys().collect();
    let undelivered_at_kill = running.undelivered();
    conclude(&running.store, 150, jws);
    running.bell.notify_one();
    broker.restart().await;
    running.drained().await;
    assert!(subscriber.subscriptions() >= 2);
    let all: BTreeSet<String> = (1..=300).map(report_id).collect();
    let missing = || all.iter().filter(|id| !subscriber.reports().contains_key(*id)).cloned().collect::<Vec<_>>();
    until("all but those lost on the way", || missing().len() <= MOSQUITTO_INFLIGHT).await;
    let lost = missing();
    println!(
        "received before the kill {}, undelivered then {undelivered_at_kill}, acknowledged in vain {}",
        received_before.len(),
        lost.len()
    );
    let before_kill: BTreeSet<String> = (1..=150).map(report_id).collect();
    assert!(lost.iter().all(|id| before_kill.contains(id)), "lost after the restart: {lost:?}");
    for (id, payload) in subscriber.reports() {
        let sequence = id.trim_start_matches("urn:uuid:").parse().unwrap();
        assert_eq!(payload, jws(sequence));
    }
}
