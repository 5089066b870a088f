//! An ear at the broker, as a receiver would have: outcomes and alerts as they arrive there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::mqtt::{Access, Event, Link, Manner, Retained, Subscribed};

/// Longest wait for the broker to grant the subscriptions.
const GRANT_LIMIT: Duration = Duration::from_secs(10);
/// Largest message taken: several times the largest outcome.
const MAX_MESSAGE_BYTES: u32 = 16 * 1024 * 1024;
/// Messages that are kept: a box that serves patients meanwhile sends its own as well.
const MOST_HEARD: usize = 512;

/// What arrived: topic and payload.
type Heard = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A subscription; it ends when this is dropped.
pub struct Observer {
    heard: Heard,
    news: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Observer {
    /// Subscribes to `topics`; returns when all are granted.
    pub async fn listen(access: &Access, topics: &[String]) -> Result<Self, String> {
        let manner = Manner { will: None, window: 4, receive_maximum: 64, max_incoming_bytes: MAX_MESSAGE_BYTES };
        let mut link = Link::open(access, manner);
        let deadline = Instant::now() + GRANT_LIMIT;
        loop {
            match timeout_at(deadline, link.next()).await.map_err(|_| "the broker did not answer".to_owned())? {
                Event::Connected(_) => {
                    link.subscribe(topics, Retained::Unwanted).map_err(|_| "the connection is over".to_owned())?;
                }
                Event::Subscribed(_, Subscribed::Granted) => break,
                Event::Subscribed(_, Subscribed::Refused(code)) => {
                    return Err(format!("the broker does not let this device listen on its own topics (0x{code:02x})"));
                }
                Event::Lost(loss) => return Err(loss.to_string()),
                _ => {}
            }
        }
        let (heard, news) = (Heard::default(), Arc::new(Notify::new()));
        let task = tokio::spawn(keep(link, heard.clone(), news.clone()));
        Ok(Self { heard, news, task })
    }

    fn has(&self, topic: &str, wanted: impl Fn(&[u8]) -> bool) -> bool {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().any(|(on, payload)| on == topic && wanted(payload))
    }

    /// The first message on `topic` that `wanted` takes, waiting for it up to `limit`.
    pub async fn wait(&self, topic: &str, limit: Duration, wanted: impl Fn(&[u8]) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let came = self.news.notified();
            if self.has(topic, &wanted) {
                return true;
            }
            if timeout_at(deadline, came).await.is_err() {
                return false;
            }
        }
    }
}

async fn keep(mut link: Link, heard: Heard, news: Arc<Notify>) {
    loop {
        match link.next().await {
            Event::Arrived(arrival) => {
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                if heard.len() < MOST_HEARD {
                    heard.push((arrival.topic().to_owned(), arrival.payload().to_vec()));
                }
                drop(heard);
                news.notify_one();
            }
            Event::Lost(_) => return,
            _ => {}
        }
    }
}
