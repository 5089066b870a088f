//! Connection after connection: opens one, lets a session live on it, waits, opens the next.
//! Remembers across them what a person was already told, so that a state is logged and
//! alerted when it changes and not each time it is met.

use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::Pace;
use super::alarm::Alarm;
use super::alert::{Alert, AlertKind, AlertReceiver, Stamped};
use super::message::{Counts, Lifecycle, Sender};
use super::receivers::{Disbelief, Receivers};
use super::session::{Ended, Session};
use super::state::{PublisherState, count};
use super::telemetry::Latest;
use super::window::{Proof, WINDOW, Window};
use crate::clock::Moment;
use crate::mqtt::{Access, Link, Loss, Manner, Verdict, random};
use crate::pulse::BEAT;
use crate::seal::message::MAX_MESSAGE_BYTES;
use crate::store::{Receipted, Store};

/// Largest packet taken from a broker: a receipt or command with its topic and properties.
const MAX_INCOMING_BYTES: usize = MAX_MESSAGE_BYTES + 16 * 1024;
/// Receipts and commands under way to us at once.
const RECEIVE_MAXIMUM: u16 = 16;

/// A connection that held so long was a good one: the next wait is short again.
const STABLE: Duration = Duration::from_secs(30);

/// What shares the window with reports.
#[derive(Debug)]
pub(super) enum Notice {
    /// Birth, heartbeat or farewell; whether it is the last.
    Status(Farewell),
    /// An alert, to be sent again where it was never answered.
    Alert(Stamped),
    /// Receipts and commands are subscribed to.
    Subscription,
}

/// Whether a status is the last one before we disconnect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    Yes,
    No,
}

/// Everything that outlives a connection.
pub(super) struct Drive {
    pub access: Access,
    pub sender: Sender,
    pub store: Store,
    pub bell: Arc<Notify>,
    pub alerts: AlertReceiver,
    pub telemetry: Latest,
    pub now: fn() -> Moment,
    pub heartbeat: Duration,
    pub pace: Pace,
    pub state: Arc<PublisherState>,
    pub window: Window<Notice>,
    pub counts: Counts,
    /// Whom to believe; `None`: the broker.
    pub receivers: Option<Receivers>,
    pub alarm: Alarm,
    /// What went wrong last, for the alarm.
    trouble: String,
    /// Connections in a row that came to nothing.
    pub failures: u32,
    told_lost: Option<Discriminant<Loss>>,
    told_refused: Option<u64>,
    told_too_large: u64,
    told_store: bool,
    told_deaf: bool,
}

impl Drive {
    pub(super) fn new(
        access: Access,
        sender: Sender,
        store: Store,
        bell: Arc<Notify>,
        alerts: AlertReceiver,
        now: fn() -> Moment,
        heartbeat: Duration,
    ) -> Self {
        Self {
            access,
            sender,
            store,
            bell,
            alerts,
            telemetry: Latest::default(),
            now,
            heartbeat,
            pace: Pace::default(),
            state: Arc::default(),
            window: Window::new(Proof::Acknowledgement),
            counts: Counts::default(),
            receivers: None,
            alarm: Alarm::default(),
            trouble: "no broker was reached yet".to_owned(),
            failures: 0,
            told_lost: None,
            told_refused: None,
            told_too_large: 0,
            told_store: false,
            told_deaf: false,
        }
    }

    /// From here on outcomes are delivered on receipts alone.
    pub(super) fn believe(&mut self, receivers: Receivers) {
        self.receivers = Some(receivers);
        self.window = Window::new(Proof::Receipt);
    }

    /// Runs until stopped.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            count(&self.state.attempts);
            let opened = Instant::now();
            let manner = Manner {
                will: Some(self.sender.status(Lifecycle::Lost, (self.now)())),
                window: u16::try_from(WINDOW).unwrap_or(u16::MAX),
                receive_maximum: RECEIVE_MAXIMUM,
                max_incoming_bytes: u32::try_from(MAX_INCOMING_BYTES).unwrap_or(u32::MAX),
            };
            let link = Link::open(&self.access, manner);
            let ended = Session::new(&mut self, link).run(&mut stop).await;
            self.state.connected.store(false, Relaxed);
            let Ended::Lost(loss) = ended else { return };
            self.tell_lost(&loss);
            if opened.elapsed() >= STABLE {
                self.failures = 0;
            }
            let wait = self.pace.reconnect.wait(self.failures, random());
            self.failures = self.failures.saturating_add(1);
            if self.wait(Instant::now() + wait, &mut stop).await == Waited::Stopped {
                return;
            }
        }
    }

    /// Waits until `until`; alerts that arrive meanwhile get their time.
    async fn wait(&mut self, until: Instant, stop: &mut watch::Receiver<bool>) -> Waited {
        loop {
            self.state.pulse.beat();
            self.watch_for_alarm(true);
            let alarm_at = self.alarm.next(self.pace.alarm).unwrap_or(until);
            tokio::select! {
                () = sleep(BEAT) => {}
                () = sleep_until(until) => return Waited::Over,
                () = sleep_until(alarm_at), if alarm_at < until => {}
                () = self.alerts.arrived() => self.alerts.stamp((self.now)()),
                _ = stop.wait_for(|stop| *stop) => return Waited::Stopped,
            }
        }
    }

    /// The broker accepted us.
    pub(super) fn tell_connected(&mut self) {
        self.state.connected.store(true, Relaxed);
        if self.told_lost.take().is_some() || self.state.attempts.load(Relaxed) == 1 {
            log::info!("mqtt: connected to {}:{}", self.access.host, self.access.port);
        }
    }

    /// Raises the alarm where what `waits` has waited for too long.
    pub(super) fn watch_for_alarm(&mut self, waits: bool) {
        let now = Instant::now();
        self.alarm.look(waits, now);
        if self.alarm.is_due(now, self.pace.alarm) {
            count(&self.state.alarms);
            let what = format!("no outcome arrived for {} s: {}", self.pace.alarm.as_secs(), self.trouble);
            log::error!("mqtt: {what}; nothing is lost, outcomes wait in the store");
            self.raise(AlertKind::OutcomesWait, what);
        }
    }

    /// An outcome arrived where it belongs, or one of several receivers has it.
    fn tell_progress(&mut self) {
        self.failures = 0;
        if self.alarm.arrived() {
            log::info!("mqtt: outcomes arrive again");
        }
    }

    fn tell_lost(&mut self, loss: &Loss) {
        self.trouble = format!("no connection to {}:{}: {loss}", self.access.host, self.access.port);
        if let Loss::TurnedAway(_) = loss {
            count(&self.state.turned_away);
        }
        if self.told_lost.replace(discriminant(loss)) == Some(discriminant(loss)) {
            return;
        }
        log::warn!("mqtt: {}; outcomes wait in the store", self.trouble);
        if let Loss::TurnedAway(_) = loss {
            self.raise(AlertKind::BrokerRefuses, format!("the broker did not let this device in: {loss}"));
        }
    }

    /// An outcome was acknowledged, which delivers it.
    pub(super) fn tell_delivered(&mut self, sequence: u64) {
        self.tell_progress();
        self.tell_taken(sequence);
    }

    /// The broker has an outcome.
    pub(super) fn tell_taken(&mut self, sequence: u64) {
        count(&self.state.acknowledged);
        self.state.last_acknowledged.fetch_max(sequence, Relaxed);
        if self.receivers.is_some() {
            "the broker takes outcomes, and no receiver says that it has them".clone_into(&mut self.trouble);
        }
        if self.told_refused == Some(sequence) {
            self.told_refused = None;
            log::info!("mqtt: the broker takes outcomes again, from {sequence} on");
        }
    }

    /// A receipt was held against the store.
    pub(super) fn tell_receipted(&mut self, receipted: Receipted) {
        match receipted {
            Receipted::Delivered => count(&self.state.receipted),
            Receipted::Noted => {}
            Receipted::Foreign => return self.tell_disbelieved(&Disbelief::Foreign),
        }
        self.tell_progress();
    }

    /// Something came that is not believed.
    pub(super) fn tell_disbelieved(&mut self, disbelief: &Disbelief) {
        count(&self.state.disbelieved);
        if self.receivers.as_mut().is_some_and(|receivers| receivers.is_news(disbelief)) {
            let what = format!("a receipt or command is not believed: {disbelief}");
            log::warn!("mqtt: {what}");
            self.raise(AlertKind::ReceiverDisbelieved, what);
        }
    }

    /// The broker does not let us hear receivers.
    pub(super) fn tell_not_subscribed(&mut self) {
        let what = "the broker refuses the subscription to receipts and commands: allow this device to read them";
        what.clone_into(&mut self.trouble);
        if !std::mem::replace(&mut self.told_deaf, true) {
            log::warn!("mqtt: {what}");
            self.raise(AlertKind::BrokerRefuses, what.to_owned());
        }
    }

    /// An outcome was refused.
    pub(super) fn tell_refused(&mut self, sequence: u64, verdict: Verdict) {
        self.trouble = format!("outcome {sequence}: {verdict}");
        count(if verdict == Verdict::NoSubscriber { &self.state.no_subscriber } else { &self.state.refused });
        if self.told_refused.is_none() {
            self.told_refused = Some(sequence);
            log::warn!("mqtt: outcome {sequence}: {verdict}; it is kept and sent again");
            self.raise(AlertKind::BrokerRefuses, format!("outcome {sequence}: {verdict}; it is kept and sent again"));
        }
    }

    /// An outcome is larger than what the broker takes.
    pub(super) fn tell_too_large(&mut self, sequence: u64, packet_bytes: usize) {
        if sequence > self.told_too_large {
            self.told_too_large = sequence;
            count(&self.state.too_large);
            let what = format!(
                "outcome {sequence} makes a packet of {packet_bytes} bytes, more than the broker takes: raise its maximum packet size; the outcome is kept"
            );
            log::warn!("mqtt: {what}");
            self.raise(AlertKind::OutcomeTooLarge, what);
        }
    }

    /// The store answered, or did not.
    pub(super) fn tell_store(&mut self, failed: Option<&dyn std::fmt::Display>) {
        match failed {
            Some(why) if !self.told_store => log::error!("mqtt: the outbox cannot be read or written: {why}"),
            None if self.told_store => log::info!("mqtt: the outbox can be read and written again"),
            _ => {}
        }
        self.told_store = failed.is_some();
    }

    fn raise(&self, kind: AlertKind, message: String) {
        self.alerts.raise(Alert { kind, report_id: None, message });
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Waited {
    Over,
    Stopped,
}
