//! The publisher against real and scripted brokers. Everything listens on a free port, and
//! every wait is for an event with a deadline.

mod clock;
#[cfg(feature = "broker")]
mod embedded;
mod hostile;
mod mosquitto;
#[cfg(feature = "broker")]
mod receipts;
#[cfg(feature = "broker")]
mod store_trouble;
mod subscriber;
#[cfg(feature = "broker")]
mod telemetry;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::*;
use crate::config::MqttTls;
use crate::digest::Digest;
use crate::instance::Instance;
use crate::store::{NewInstance, SealedOutcome, Urgency};

/// Longest wait for anything.
const DEADLINE: Duration = Duration::from_secs(40);
const NOW: Moment = Moment { unix_ms: 1_800_000_000_123, synchronised: true };

/// Waits until `true`, or fails with the words.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A device with a store and a configuration, before its publisher starts.
struct Site {
    folder: tempfile::TempDir,
    store: Store,
    settings: Mqtt,
    receiver: Option<Receiver>,
    pace: Pace,
}

/// A publisher at work.
struct Running {
    store: Store,
    state: Arc<PublisherState>,
    bell: Arc<Notify>,
    alerts: AlertSender,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

fn device() -> Device {
    Device {
        site: "clinic".to_owned().try_into().unwrap(),
        name: "cart-7".to_owned().try_into().unwrap(),
        state_dir: PathBuf::new(),
        key_file: PathBuf::new(),
    }
}

/// The JWS of outcome `sequence`, made up.
fn jws(sequence: u64) -> String {
    format!("eyJ.{sequence:06}.{}", "x".repeat(1500))
}

/// Accepts and concludes `n` more instances with `jws` as their bytes.
fn conclude(store: &Store, n: u64, jws: impl Fn(u64) -> String) {
    for _ in 0..n {
        let number = store.head().unwrap().sequence + 1;
        let sha256 = Digest::of(&number.to_be_bytes());
        let instance = Instance {
            path: store.instance_path(&sha256),
            sha256,
            size_bytes: 1,
            sop_class_uid: "1.2.3".parse().unwrap(),
            sop_instance_uid: format!("1.2.3.{number}").parse().unwrap(),
            transfer_syntax_uid: "1.2.840.10008.1.2.1".parse().unwrap(),
        };
        store.accept(&NewInstance { instance, calling_ae: "CART7".parse().unwrap(), received: NOW }).unwrap();
        let id = store.next_unread().unwrap().unwrap().id;
        let seal = |head: &crate::store::Head| {
            let sequence = head.sequence + 1;
            Ok::<_, String>(SealedOutcome {
                urgency: Urgency::Routine,
                report_id: report_id(sequence),
                kind: "report",
                jws: jws(sequence),
            })
        };
        assert_eq!(store.conclude(id, NOW, seal).unwrap(), Some(number));
    }
}

fn report_id(sequence: u64) -> String {
    format!("urn:uuid:{sequence:08}")
}

impl Site {
    fn new(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let settings = Mqtt {
            host: "127.0.0.1".to_owned(),
            port,
            topic_prefix: "residentd".to_owned().try_into().unwrap(),
            user: None,
            password_file: None,
            heartbeat_s: 1.try_into().unwrap(),
            telemetry_s: 1.try_into().unwrap(),
            tls: None,
        };
        Self { folder, store, settings, receiver: None, pace: Pace::default() }
    }

    fn with_login(mut self, user: &str, password: &str) -> Self {
        let path = self.folder.path().join("password");
        crate::os::private::write(&path, format!("{password}\n"));
        self.settings.user = Some(user.to_owned());
        self.settings.password_file = Some(path);
        self
    }

    fn with_outcomes(self, n: u64) -> Self {
        conclude(&self.store, n, jws);
        self
    }

    fn publisher(&self, bell: &Arc<Notify>) -> Result<(Publisher, AlertSender), PublishError> {
        let (sender, receiver) = alert_channel();
        let publisher = Publisher::new(
            &self.settings,
            &device(),
            "key-thumbprint",
            self.store.clone(),
            Arc::clone(bell),
            receiver,
            || NOW,
        )?;
        Ok((publisher, sender))
    }

    fn start(&self) -> Running {
        let bell = Arc::new(Notify::new());
        let (mut publisher, alerts) = self.publisher(&bell).unwrap();
        if let Some(receiver) = &self.receiver {
            publisher = publisher.believing(receiver).unwrap();
        }
        publisher.drive.pace = self.pace;
        let (stop, stopped) = watch::channel(false);
        let state = publisher.state();
        Running { store: self.store.clone(), state, bell, alerts, stop, task: tokio::spawn(publisher.run(stopped)) }
    }
}

impl Running {
    fn undelivered(&self) -> u64 {
        self.store.undelivered().unwrap()
    }

    async fn drained(&self) {
        until("the outbox is empty", || self.undelivered() == 0).await;
    }

    /// Stops in order.
    async fn stopped(self) {
        self.stop.send(true).unwrap();
        tokio::time::timeout(DEADLINE, self.task).await.expect("it stops").unwrap();
    }
}

#[test]
fn wrong_files_are_errors_that_name_the_file() {
    let mut device = Site::new(1).with_login("cart", "secret");
    let bell = Arc::new(Notify::new());
    let path = device.settings.password_file.clone().unwrap();
    std::fs::write(&path, "\n").unwrap();
    let says = |device: &Site| device.publisher(&bell).err().unwrap().to_string();
    assert_eq!(says(&device), format!("password file {}: the first line must be the password", path.display()));
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert!(says(&device).contains(&format!("chmod 600 {}", path.display())));
    std::fs::remove_file(&path).unwrap();
    assert!(says(&device).starts_with(&format!("password file {}: No such file", path.display())));
    device.settings.password_file = None;
    device.settings.tls = Some(MqttTls { ca: path.clone(), certificate: None, key: None });
    assert!(says(&device).starts_with(&format!("certificate file {}:", path.display())));
    std::fs::write(&path, "no certificate").unwrap();
    assert!(says(&device).contains("no certificate in it"));
}

#[test]
fn a_password_does_not_show_itself() {
    let device_ = Site::new(1).with_login("cart", "secret");
    let shown = format!("{:?}", Access::read(&device_.settings, client_id(&device()), crate::os::now).unwrap());
    assert!(shown.contains("cart") && !shown.contains("secret"), "{shown}");
}

fn localhost(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
