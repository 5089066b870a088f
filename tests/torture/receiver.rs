//! A broker and a receiver that outlive every daemon: what arrived, in the order in which it did.
//!
//! The broker is the shipped one, here in a process that nobody kills, so that whatever
//! it acknowledged it hands to the receiver.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use residentd::digest::Digest;
use residentd::publish::EmbeddedBroker;
use residentd::receive::{Message, Subscriber};

/// Longest wait for the broker to grant the subscription.
const SUBSCRIBE_LIMIT: Duration = Duration::from_secs(20);

/// What came for one device.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// Each outcome once, in the order in which each came first, since they were taken.
    pub outcomes: Vec<Arrived>,
    /// How many different ones came in all.
    pub count: usize,
    /// Copies beyond the first.
    pub again: u64,
    /// Report ids of which another copy had other bytes.
    pub altered: Vec<String>,
    by_id: HashMap<String, Digest>,
}

/// An outcome as it came first.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub report_id: String,
    pub jws: Vec<u8>,
    pub at: Instant,
}

type Shared = Arc<(Mutex<HashMap<String, Received>>, Condvar)>;

/// The receiver; it lives as long as this process.
pub struct Receiver {
    pub broker: SocketAddr,
    shared: Shared,
}

impl Receiver {
    /// Starts broker and receiver.
    pub fn start() -> Self {
        let broker = EmbeddedBroker::start("127.0.0.1:0".parse().unwrap()).unwrap().local_addr();
        let shared = Shared::default();
        let (ready, up) = std::sync::mpsc::channel();
        let to = Arc::clone(&shared);
        std::thread::spawn(move || {
            super::site::runtime().block_on(async {
                let (host, filter) = (broker.ip().to_string(), "residentd/+/+/report");
                let mut subscriber =
                    Subscriber::subscribe(&host, broker.port(), filter, SUBSCRIBE_LIMIT).await.unwrap();
                ready.send(()).unwrap();
                loop {
                    if let Ok(message) = subscriber.next(SUBSCRIBE_LIMIT).await {
                        note(&to, message);
                    }
                }
            });
        });
        up.recv().expect("the receiver subscribes");
        Self { broker, shared }
    }

    /// What came for `device` (the third level of the topic) so far.
    pub fn received(&self, device: &str) -> Received {
        self.lock().get(device).cloned().unwrap_or_default()
    }

    /// How many different outcomes came for `device`.
    pub fn count(&self, device: &str) -> usize {
        self.lock().get(device).map_or(0, |received| received.count)
    }

    /// Waits until `count` different outcomes of `device` came; false where it takes too long.
    pub fn wait_for(&self, device: &str, count: usize, limit: Duration) -> bool {
        let has = |all: &mut HashMap<String, Received>| all.get(device).map_or(0, |r| r.count) < count;
        !self.shared.1.wait_timeout_while(self.lock(), limit, has).unwrap().1.timed_out()
    }

    /// Takes what came for `device` since it was taken last, in order.
    pub fn take(&self, device: &str) -> Vec<Arrived> {
        self.lock().get_mut(device).map(|received| std::mem::take(&mut received.outcomes)).unwrap_or_default()
    }

    /// Forgets `device`.
    pub fn forget(&self, device: &str) {
        self.lock().remove(device);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Received>> {
        self.shared.0.lock().unwrap()
    }
}

fn note(shared: &Shared, message: Message) {
    let device = message.topic.split('/').nth(2).unwrap_or_default().to_owned();
    let report_id = message.correlation.unwrap_or_default();
    let mut all = shared.0.lock().unwrap();
    let received = all.entry(device).or_default();
    let sha256 = Digest::of(&message.payload);
    if let Some(first) = received.by_id.get(&report_id) {
        received.again += 1;
        if *first != sha256 {
            received.altered.push(report_id);
        }
    } else {
        received.by_id.insert(report_id.clone(), sha256);
        received.count += 1;
        received.outcomes.push(Arrived { report_id, jws: message.payload, at: Instant::now() });
    }
    shared.1.notify_all();
}
