//! Alerts: what a person at the site should know soon, such as a retake request or a
//! full disk. They wait in a bounded ring; the sender never blocks and the oldest gives way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::Notify;

use crate::clock::Moment;

/// Alerts that wait for a broker: more than that nobody would read one by one.
const WAITING_ALERTS: usize = 64;

/// What kind of alert it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertKind {
    /// A finding that cannot wait may be there: a clinician must look at the image now.
    UrgentFinding,
    /// The image is not fit to be read; take it again.
    RetakeRequested,
    /// Free disk is below the limit; storing is refused.
    StorageLow,
    /// The broker does not take reports, or does not let us in.
    BrokerRefuses,
    /// Nothing arrives, although outcomes wait or no broker is reached.
    OutcomesWait,
    /// An outcome is larger than the broker's maximum packet size.
    OutcomeTooLarge,
    /// A receipt or command came that no receiver of this site can have meant.
    ReceiverDisbelieved,
    /// The reader process died.
    ReaderDied,
    /// No reader survived an image: it has a signed failure and lies in quarantine.
    InstanceQuarantined,
    /// A model was refused: signature, version or golden output.
    ModelRefused,
    /// The audit log cannot be written, or was found broken.
    AuditTrouble,
    /// The clock is not disciplined by a time source.
    ClockUnsynchronised,
    /// The board is too hot: images are received and wait, none is read until it is cooler.
    TooHot,
    /// The board's supply is too weak.
    SupplyWeak,
    /// What the images lie on is worn or failing.
    StorageWorn,
}

/// One alert. `message` is for a person and holds no patient data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What kind it is.
    pub kind: AlertKind,
    /// The report it is about.
    pub report_id: Option<String>,
    /// What happened and what helps; no patient data.
    pub message: String,
}

/// An alert and when the publisher first saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamped {
    pub alert: Alert,
    pub at: Moment,
}

#[derive(Default)]
struct Ring {
    waiting: heapless::Deque<(Alert, Option<Moment>), WAITING_ALERTS>,
    dropped: u64,
    raised: u64,
}

/// The end that raises alerts; clones share one ring.
#[derive(Clone)]
pub struct AlertSender {
    ring: Arc<Mutex<Ring>>,
    arrived: Arc<Notify>,
}

/// The end that the publisher takes alerts from.
pub struct AlertReceiver {
    ring: Arc<Mutex<Ring>>,
    arrived: Arc<Notify>,
}

/// Both ends of a new ring.
#[must_use]
pub fn alert_channel() -> (AlertSender, AlertReceiver) {
    let (ring, arrived) = (Arc::new(Mutex::new(Ring::default())), Arc::new(Notify::new()));
    (AlertSender { ring: Arc::clone(&ring), arrived: Arc::clone(&arrived) }, AlertReceiver { ring, arrived })
}

impl AlertSender {
    /// Raises an alert. Where the ring is full the oldest alert gives way and is counted.
    pub fn raise(&self, alert: Alert) {
        push(&self.ring, alert);
        self.arrived.notify_one();
    }

    /// How many alerts were raised so far, by whomever.
    #[must_use]
    pub fn raised(&self) -> u64 {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).raised
    }
}

impl AlertReceiver {
    /// Waits until an alert was raised since the last wait.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Raises an alert of the publisher's own.
    pub(super) fn raise(&self, alert: Alert) {
        push(&self.ring, alert);
        self.arrived.notify_one();
    }

    /// Gives `now` to the alerts that have no time yet.
    pub(super) fn stamp(&self, now: Moment) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.waiting.iter_mut().for_each(|(_, at)| *at = at.or(Some(now)));
    }

    /// The oldest alert; `now` where it was not stamped.
    pub(super) fn take(&self, now: Moment) -> Option<Stamped> {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.waiting.pop_front().map(|(alert, at)| Stamped { alert, at: at.unwrap_or(now) })
    }

    /// Puts alerts whose acknowledgement never came back at the front, oldest first.
    pub(super) fn put_back(&self, alerts: VecDeque<Stamped>) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        for Stamped { alert, at } in alerts.into_iter().rev() {
            if ring.waiting.push_front((alert, Some(at))).is_err() {
                ring.dropped += 1;
            }
        }
    }

    /// How many alerts gave way to newer ones so far.
    pub(super) fn dropped(&self) -> u64 {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }
}

fn push(ring: &Mutex<Ring>, alert: Alert) {
    let mut ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
    ring.raised += 1;
    if ring.waiting.is_full() {
        ring.waiting.pop_front();
        ring.dropped += 1;
    }
    let pushed = ring.waiting.push_back((alert, None));
    debug_assert!(pushed.is_ok(), "room was made");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(message: usize) -> Alert {
        Alert { kind: AlertKind::StorageLow, report_id: None, message: message.to_string() }
    }

    const NOW: Moment = Moment { unix_ms: 0, synchronised: true };

    #[test]
    fn a_full_ring_drops_the_oldest_and_counts_it() {
        let (sender, receiver) = alert_channel();
        (0..WAITING_ALERTS + 3).for_each(|n| sender.raise(alert(n)));
        assert_eq!((receiver.dropped(), sender.raised()), (3, WAITING_ALERTS as u64 + 3));
        assert_eq!(receiver.take(NOW).unwrap().alert.message, "3");
    }

    #[test]
    fn alerts_put_back_come_first_again_and_keep_their_time() {
        let (sender, receiver) = alert_channel();
        (0..3).for_each(|n| sender.raise(alert(n)));
        receiver.stamp(NOW);
        let taken: VecDeque<_> = [receiver.take(NOW).unwrap(), receiver.take(NOW).unwrap()].into();
        receiver.put_back(taken.clone());
        let later = Moment { unix_ms: 9, synchronised: true };
        assert_eq!(
            [receiver.take(later).unwrap(), receiver.take(later).unwrap()],
            [taken[0].clone(), taken[1].clone()]
        );
        assert_eq!(receiver.take(later).unwrap().at, NOW);
    }
}
