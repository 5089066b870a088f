//! A device's store and its publisher, a broker that can be killed, and a real collector.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use residentd::clock::Moment;
use residentd::config::{Commands, Device, Mqtt, Receiver, RequiredReceipts};
use residentd::digest::Digest;
use residentd::instance::Instance;
use residentd::publish::{Publisher, PublisherState, alert_channel};
use residentd::seal::header::{Algorithm, Clock, ContentType, Header, Kind, Type};
use residentd::seal::jws::seal;
use residentd::seal::key::DeviceKey;
use residentd::store::{Head, NewInstance, SealedOutcome, Store, Urgency};
use tokio::sync::{Notify, watch};

use crate::site::RESIDENTD;

const MOSQUITTO: &str = "/usr/sbin/mosquitto";
/// Between looks at something that is awaited.
const LOOK: Duration = Duration::from_micros(200);

/// True where mosquitto is installed; said where it is not.
pub fn has_broker() -> bool {
    Path::new(MOSQUITTO).exists()
}

/// Waits for `condition`; false where it takes longer than `limit`.
pub fn wait(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(LOOK);
    }
    true
}

/// A mosquitto on a port of its own; dropped, it is killed.
pub struct Broker {
    pub port: u16,
    config: PathBuf,
    child: Option<Child>,
}

impl Broker {
    /// Not started yet.
    pub fn new(folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = folder.join("mosquitto.conf");
        let lines = format!(
            "user root\nlistener {port} 127.0.0.1\npersistence false\nallow_anonymous true\nmax_queued_messages 0\n"
        );
        std::fs::write(&config, lines).unwrap();
        Self { port, config, child: None }
    }

    pub fn start(&mut self) {
        let mut command = Command::new(MOSQUITTO);
        command.arg("-c").arg(&self.config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One `residentd collect` with a database, or several that share it; dropped, they are killed.
pub struct Collector {
    folder: PathBuf,
    port: u16,
    shared_by: u64,
    children: Vec<Child>,
}

impl Collector {
    /// Makes its key; not started yet. `folder` has the device's `device.pub.pem`.
    pub fn new(folder: &Path, port: u16, shared_by: u64) -> Self {
        let key = DeviceKey::generate().unwrap();
        key.save_new(&folder.join("receiver.key")).unwrap();
        key.save_public(&folder.join("receiver.key")).unwrap();
        Self { folder: folder.to_owned(), port, shared_by, children: Vec::new() }
    }

    pub fn start(&mut self) {
        for _ in 0..self.shared_by {
            let child = self.spawn();
            self.children.push(child);
        }
    }

    fn spawn(&self) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("collect.log")).unwrap();
        let path = |name: &str| self.folder.join(name);
        let mut command = Command::new(RESIDENTD);
        command.args(["collect", "--port", &self.port.to_string()]);
        for (flag, file) in
            [("--devices", "device.pub.pem"), ("--key", "receiver.key"), ("--store", "collected.sqlite")]
        {
            command.arg(flag).arg(path(file));
        }
        if self.shared_by > 1 {
            command.args(["--group", "hospital"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        for mut child in self.children.drain(..) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The receiver's public key.
    pub fn public_key(&self) -> PathBuf {
        self.folder.join("receiver.pub.pem")
    }

    /// What it keeps, in order of sequence.
    pub fn kept(&self) -> Vec<(u64, String)> {
        let kept = rusqlite::Connection::open(self.folder.join("collected.sqlite")).unwrap();
        let mut query = kept.prepare("SELECT sequence, jws FROM outcomes ORDER BY sequence, rowid").unwrap();
        let rows = query.query_map([], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// How many it keeps.
    pub fn count(&self) -> u64 {
        let count = rusqlite::Connection::open(self.folder.join("collected.sqlite"))
            .and_then(|kept| kept.query_row("SELECT count(*) FROM outcomes", [], |row| row.get::<_, i64>(0)));
        count.map_or(0, i64::cast_unsigned)
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("collect.log")).unwrap_or_default()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What is kept against what was sealed; the error says what is missing, doubled or other.
pub fn compare(store: &Store, kept: &[(u64, String)]) -> Result<u64, String> {
    let mut after = 0;
    let mut kept = kept.iter();
    loop {
        let some = store.outcomes(after, 1000).map_err(|e| e.to_string())?;
        for outcome in &some {
            match kept.next() {
                Some((sequence, jws)) if *sequence == outcome.sequence && *jws == outcome.jws => after = *sequence,
                Some((sequence, _)) if *sequence == outcome.sequence => {
                    return Err(format!("outcome {sequence} is kept with other bytes"));
                }
                Some((sequence, _)) if *sequence == after => return Err(format!("outcome {sequence} is kept twice")),
                _ => return Err(format!("outcome {} is missing at the collector", outcome.sequence)),
            }
        }
        if some.is_empty() {
            return kept.next().map_or(Ok(after), |(sequence, _)| Err(format!("outcome {sequence} was never sealed")));
        }
    }
}

/// Accepts and concludes `n` more outcomes of `payload_bytes`, every seventh urgent.
pub fn fill(store: &Store, key: &DeviceKey, n: u64, payload_bytes: usize) {
    let first = store.head().unwrap().sequence + 1;
    for number in first..first + n {
        let sha256 = Digest::of(&number.to_be_bytes());
        let instance = Instance {
            path: store.instance_path(&sha256),
            sha256,
            size_bytes: 1,
            sop_class_uid: "1.2.3".parse().unwrap(),
            sop_instance_uid: format!("1.2.3.{number}").parse().unwrap(),
            transfer_syntax_uid: "1.2.840.10008.1.2.1".parse().unwrap(),
        };
        let received = residentd::os::now();
        store.accept(&NewInstance { instance, calling_ae: "TORTURE".parse().unwrap(), received }).unwrap();
        let id = store.next_unread().unwrap().unwrap().id;
        store.conclude(id, received, |head| outcome(key, head, sha256, received, payload_bytes)).unwrap();
    }
}

fn outcome(
    key: &DeviceKey,
    head: &Head,
    instance_sha256: Digest,
    at: Moment,
    payload_bytes: usize,
) -> Result<SealedOutcome, String> {
    let seq = head.sequence + 1;
    let report_id = format!("00000000-0000-4000-8000-{seq:012}");
    let padding = "x".repeat(payload_bytes);
    let payload =
        format!(r#"{{"resourceType":"Bundle","identifier":{{"value":"urn:uuid:{report_id}"}},"entry":"{padding}"}}"#);
    let header = Header {
        alg: Algorithm::EdDsa,
        kid: key.id().to_owned(),
        typ: Type::Outcome,
        cty: ContentType::FhirJson,
        seq,
        prev: head.sha256,
        report_id: report_id.clone(),
        kind: Kind::Failure,
        instance_sha256,
        pixels_sha256: None,
        bundle_sha256: None,
        config_sha256: instance_sha256,
        sealed_at: at.rfc3339(),
        clock: Clock::Unsynchronised,
        test: false,
    };
    let jws = seal(key, &header, payload.as_bytes()).map_err(|e| e.to_string())?;
    let urgency = if seq.is_multiple_of(7) { Urgency::Urgent } else { Urgency::Routine };
    Ok(SealedOutcome { urgency, report_id, kind: "failure", jws })
}

/// A publisher in this process, on a runtime of its own.
pub struct Publishing {
    pub state: Arc<PublisherState>,
    pub bell: Arc<Notify>,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Publishing {
    /// Publishes what `store` holds at the broker on `port`, until dropped.
    pub fn start(store: &Store, key: &DeviceKey, port: u16, receiver: PathBuf) -> Self {
        let settings = Mqtt {
            host: "127.0.0.1".to_owned(),
            port,
            topic_prefix: "residentd".to_owned().try_into().unwrap(),
            user: None,
            password_file: None,
            heartbeat_s: 5.try_into().unwrap(),
            telemetry_s: 60.try_into().unwrap(),
            tls: None,
        };
        let name = |name: &str| name.to_owned().try_into().unwrap();
        let nowhere = PathBuf::new;
        let device = Device { site: name("torture"), name: name("rig"), state_dir: nowhere(), key_file: nowhere() };
        let receiver = Receiver { keys: vec![receiver], required: RequiredReceipts::Any, commands: Commands::Accept };
        let bell = Arc::new(Notify::new());
        let (_, alerts) = alert_channel();
        let publisher =
            Publisher::new(&settings, &device, key.id(), store.clone(), bell.clone(), alerts, residentd::os::now)
                .unwrap()
                .believing(&receiver)
                .unwrap();
        let (state, (stop, stopped)) = (publisher.state(), watch::channel(false));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(publisher.run(stopped));
        });
        Self { state, bell, stop, thread: Some(thread) }
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
