//! The life of one connection: birth first, then alerts and reports through the window, a
//! heartbeat, and at the end the farewell. Never blocks: the socket is polled by the
//! link's task, the store is asked by errands.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::drive::{Drive, Farewell, Notice};
use super::lane::{Parcel, Request};
use super::ledger::{Errand, Returned};
use super::message::Lifecycle;
use super::receivers::{Receivers, Said};
use super::state::count;
use super::window::{Acknowledged, Next};
use crate::mqtt::{Arrival, Event, Link, Loss, Message, Retained, Subscribed, Verdict, packet_bytes, random};
use crate::pulse::BEAT;
use crate::store::{Outgoing, Receipted};

/// From the wish to stop to the closed socket, the last errand apart.
const FAREWELL_LIMIT: Duration = Duration::from_millis(1500);
/// For the last errand when stopping; what it did not write is sent again after the start.
const LAST_ERRAND_LIMIT: Duration = Duration::from_millis(400);
/// After the store failed.
const STORE_WAIT: Duration = Duration::from_secs(2);

/// How a session ended.
pub(super) enum Ended {
    /// As we were told.
    Stopped,
    /// The connection is gone.
    Lost(Loss),
}

/// One connection's life.
pub(super) struct Session<'a> {
    drive: &'a mut Drive,
    link: Link,
    stage: Stage,
    errand: Option<JoinHandle<Returned>>,
    errand_from: Instant,
    status: Option<Lifecycle>,
    count_due: bool,
    heartbeat_at: Instant,
    resume_at: Option<Instant>,
    /// When the wait for receipts is over once more; none while none is awaited.
    overdue_at: Option<Instant>,
    /// Waits for receipts in a row in which none came.
    overdue_rounds: u32,
    /// When those receivers are reminded that lack what others have.
    remind_at: Instant,
    last_event: Instant,
    last_answer: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No CONNACK yet.
    Connecting,
    /// The birth is not out yet, so nothing else is.
    Connected,
    /// Working.
    Born,
    /// The farewell goes out; done at the latest then.
    Leaving(Instant),
}

impl<'a> Session<'a> {
    pub(super) fn new(drive: &'a mut Drive, link: Link) -> Self {
        let now = Instant::now();
        let remind_at = now + drive.pace.receipt.longest;
        Self {
            heartbeat_at: now + drive.heartbeat,
            drive,
            link,
            stage: Stage::Connecting,
            errand: None,
            errand_from: now,
            status: None,
            count_due: false,
            resume_at: None,
            overdue_at: None,
            overdue_rounds: 0,
            remind_at,
            last_event: now,
            last_answer: now,
        }
    }

    /// Lives until the connection ends or `stop` says so.
    pub(super) async fn run(mut self, stop: &mut watch::Receiver<bool>) -> Ended {
        let ended = self.live(stop).await;
        let alerts = self.drive.window.disconnected().into_iter().filter_map(|notice| match notice {
            Notice::Alert(stamped) => Some(stamped),
            Notice::Status(_) | Notice::Subscription => None,
        });
        self.drive.alerts.put_back(alerts.collect());
        match ended {
            Ended::Stopped => drop(timeout(LAST_ERRAND_LIMIT, self.settle()).await),
            Ended::Lost(_) => self.settle().await,
        }
        ended
    }

    async fn live(&mut self, stop: &mut watch::Receiver<bool>) -> Ended {
        loop {
            if self.errand.is_none() {
                self.drive.state.pulse.beat();
            }
            if let Err(loss) = self.advance() {
                return Ended::Lost(loss);
            }
            let leaving = matches!(self.stage, Stage::Leaving(_));
            let timer = self.next_timer();
            let turned = tokio::select! {
                event = self.link.next() => self.on_event(event),
                returned = finished(&mut self.errand) => {
                    self.errand = None;
                    self.on_returned(returned);
                    Ok(())
                }
                () = self.drive.bell.notified() => {
                    self.drive.window.ring();
                    Ok(())
                }
                () = self.drive.alerts.arrived() => {
                    self.drive.alerts.stamp((self.drive.now)());
                    Ok(())
                }
                () = self.drive.telemetry.changed() => Ok(()),
                () = sleep_until(timer) => self.on_timer(),
                _ = stop.wait_for(|stop| *stop), if !leaving => self.leave(),
            };
            if let Err(ended) = turned {
                return ended;
            }
        }
    }

    /// Hands in what the window lets through and sends the next errand.
    fn advance(&mut self) -> Result<(), Loss> {
        let now = (self.drive.now)();
        if let (true, Some(lifecycle)) = (self.drive.window.has_room(), self.status) {
            self.status = None;
            let farewell = if matches!(lifecycle, Lifecycle::Stopped(_)) { Farewell::Yes } else { Farewell::No };
            self.hand_in_notice(Notice::Status(farewell), self.drive.sender.status(lifecycle, now))?;
            if self.stage == Stage::Connected {
                self.stage = Stage::Born;
            }
        }
        if self.stage == Stage::Born {
            while self.drive.window.has_room() {
                let Some(stamped) = self.drive.alerts.take(now) else { break };
                let message = self.drive.sender.alert(&stamped, self.drive.alerts.dropped());
                self.hand_in_notice(Notice::Alert(stamped), message)?;
            }
            self.hand_in_reports()?;
            self.hand_in_telemetry();
        }
        self.send_errand();
        if self.overdue_at.is_none() && self.drive.window.awaits_receipts() {
            self.overdue_at = Some(Instant::now() + self.drive.pace.receipt.wait(self.overdue_rounds, random()));
        }
        let waits = self.stage != Stage::Born || self.drive.window.may_wait();
        self.drive.watch_for_alarm(waits);
        Ok(())
    }

    fn hand_in_notice(&mut self, notice: Notice, message: Message) -> Result<(), Loss> {
        if !self.drive.window.fits(packet_bytes(&message)) {
            log::debug!("mqtt: a notice on {} is larger than what the broker takes", message.topic);
            return Ok(());
        }
        self.note_hand_in();
        let room = self.drive.window.hand_in_notice(notice).is_ok();
        debug_assert!(room, "the caller asked for room");
        self.link.hand_in(message).map_err(|_| Loss::Silent)
    }

    /// Takes no packet id, so no room in the window; what does not go is not missed.
    fn hand_in_telemetry(&mut self) {
        if let Some(document) = self.drive.telemetry.take() {
            let message = self.drive.sender.telemetry(document);
            if self.drive.window.fits(packet_bytes(&message)) {
                let _ = self.link.hand_in(message);
            }
        }
    }

    fn hand_in_reports(&mut self) -> Result<(), Loss> {
        loop {
            self.note_hand_in();
            match self.drive.window.next_report() {
                Next::Send(outgoing) => {
                    count(&self.drive.state.handed_in);
                    let message = self.drive.sender.report(outgoing);
                    self.link.hand_in(message).map_err(|_| Loss::Silent)?;
                    crate::os::step("handed-in");
                }
                Next::TooLarge { sequence, packet_bytes } => self.drive.tell_too_large(sequence, packet_bytes),
                Next::Nothing => return Ok(()),
            }
        }
    }

    /// The wait for answers starts with the first hand-in, not before it.
    fn note_hand_in(&mut self) {
        if !self.drive.window.is_waiting() {
            self.last_answer = Instant::now();
        }
    }

    fn send_errand(&mut self) {
        if self.errand.is_some() || self.stage == Stage::Connecting || Instant::now() < self.errand_from {
            return;
        }
        let leaving = matches!(self.stage, Stage::Leaving(_));
        let errand = Errand {
            fetch: if leaving { None } else { self.drive.window.fetch() },
            count: std::mem::take(&mut self.count_due),
            ..self.record()
        };
        if !errand.is_empty() {
            let (store, audit, now) = (self.drive.store.clone(), self.drive.sender.audit.clone(), (self.drive.now)());
            self.errand = Some(tokio::task::spawn_blocking(move || errand.run(&store, &audit, now)));
        }
    }

    fn on_event(&mut self, event: Event) -> Result<(), Ended> {
        self.last_event = Instant::now();
        match event {
            Event::Connected(terms) => {
                self.drive.window.connected(terms.receive_maximum, terms.max_packet_bytes);
                if terms.receive_maximum == Some(0) {
                    return Err(Ended::Lost(Loss::NoReceiveMaximum));
                }
                self.drive.tell_connected();
                self.stage = Stage::Connected;
                self.count_due = true;
                return self.subscribe();
            }
            Event::Subscribed(pkid, subscribed) => {
                self.last_answer = Instant::now();
                let acknowledged = self.drive.window.acknowledged(pkid, Verdict::Taken);
                if matches!(acknowledged, Acknowledged::Notice(Notice::Subscription, _))
                    && subscribed != Subscribed::Granted
                {
                    self.drive.tell_not_subscribed();
                }
            }
            Event::Arrived(arrival) => self.on_arrived(&arrival),
            Event::Outgoing(pkid) => self.drive.window.outgoing(pkid),
            Event::Acknowledged(pkid, verdict) => {
                self.last_answer = Instant::now();
                let acknowledged = self.drive.window.acknowledged(pkid, verdict);
                return self.on_acknowledged(acknowledged);
            }
            Event::Alive => {}
            Event::Farewell => return Err(Ended::Stopped),
            Event::Lost(_) if matches!(self.stage, Stage::Leaving(_)) => return Err(Ended::Stopped),
            Event::Lost(loss) => return Err(Ended::Lost(loss)),
        }
        Ok(())
    }

    /// Asks for receipts and commands before anything is sent that could bring one.
    fn subscribe(&mut self) -> Result<(), Ended> {
        if self.drive.receivers.is_none() {
            return Ok(());
        }
        self.note_hand_in();
        let room = self.drive.window.hand_in_notice(Notice::Subscription).is_ok();
        debug_assert!(room, "nothing was handed in yet");
        let filters = Receivers::filters(&self.drive.sender.topics);
        self.link.subscribe(&filters, Retained::Unwanted).map_err(|_| Ended::Lost(Loss::Silent))
    }

    /// Hears a receipt or command; what is lost here is said again.
    fn on_arrived(&mut self, arrival: &Arrival) {
        let Drive { receivers: Some(receivers), sender, window, .. } = &mut *self.drive else { return };
        match receivers.hear(arrival, &sender.topics, Instant::now()) {
            Ok(Said::Again { from, to }) => match window.ask(from, to) {
                Request::Taken => log::info!("mqtt: a receiver asks for outcomes {from} to {to} again"),
                Request::UnderWay | Request::Busy => {}
            },
            Ok(Said::Has | Said::Nothing) => {}
            Err(disbelief) => self.drive.tell_disbelieved(&disbelief),
        }
    }

    fn on_acknowledged(&mut self, acknowledged: Acknowledged<Notice>) -> Result<(), Ended> {
        match acknowledged {
            Acknowledged::Delivered(sequence) => self.drive.tell_delivered(sequence),
            Acknowledged::Taken(sequence) => self.drive.tell_taken(sequence),
            Acknowledged::Refused { sequence, verdict, back_off } => {
                self.drive.tell_refused(sequence, verdict);
                if let Some(failures) = back_off {
                    self.resume_at = Some(Instant::now() + self.drive.pace.refused.wait(failures, random()));
                }
            }
            Acknowledged::Notice(Notice::Status(Farewell::Yes), _) => {
                return self.link.farewell().map_err(|_| Ended::Stopped);
            }
            Acknowledged::Notice(notice, verdict) => log::debug!("mqtt: {notice:?}: {verdict}"),
            Acknowledged::Unknown => {}
        }
        Ok(())
    }

    fn on_returned(&mut self, returned: Option<Returned>) {
        let Some(Returned { recorded, receipted, fetched, counts, failed }) = returned else {
            self.drive.window.fetch_failed();
            self.count_due = true;
            self.errand_from = Instant::now() + STORE_WAIT;
            self.drive.tell_store(Some(&"the errand panicked"));
            return;
        };
        self.drive.window.recorded(&recorded);
        for (sequence, receipted) in receipted {
            self.on_receipted(sequence, receipted);
        }
        match fetched {
            Some((fetch, outbox)) => {
                let parcels = outbox.into_iter().map(|outgoing| self.parcel(outgoing)).collect();
                self.drive.window.fetched(fetch, parcels);
            }
            None if failed.is_some() => self.drive.window.fetch_failed(),
            None => {}
        }
        if let Some(counts) = counts {
            self.drive.counts = counts;
            if !matches!(self.stage, Stage::Leaving(_)) {
                self.status = Some(Lifecycle::Online(counts));
            }
        }
        if failed.is_some() {
            self.errand_from = Instant::now() + STORE_WAIT;
            self.count_due |= counts.is_none();
        }
        self.drive.tell_store(failed.as_ref().map(|e| e as &dyn std::fmt::Display));
    }

    fn on_receipted(&mut self, sequence: u64, receipted: Receipted) {
        self.drive.tell_receipted(receipted);
        if receipted != Receipted::Foreign && self.drive.window.receipted(sequence, receipted == Receipted::Delivered) {
            self.overdue_rounds = 0;
        }
    }

    fn parcel(&self, outgoing: Outgoing) -> Parcel {
        let bare = Outgoing { jws: String::new(), report_id: outgoing.report_id.clone(), ..outgoing };
        Parcel { packet_bytes: packet_bytes(&self.drive.sender.report(bare)) + outgoing.jws.len(), outgoing }
    }

    fn next_timer(&self) -> Instant {
        let mut next = (self.last_event + self.drive.pace.silence).min(self.heartbeat_at).min(Instant::now() + BEAT);
        if self.drive.window.is_waiting() {
            next = next.min(self.last_answer + self.drive.pace.answer);
        }
        if let Stage::Leaving(by) = self.stage {
            next = next.min(by);
        }
        if self.errand.is_none() && self.errand_from > Instant::now() {
            next = next.min(self.errand_from);
        }
        if self.drive.receivers.is_some() {
            next = next.min(self.remind_at);
        }
        let others = [self.resume_at, self.overdue_at, self.drive.alarm.next(self.drive.pace.alarm)];
        others.into_iter().flatten().fold(next, Instant::min)
    }

    fn on_timer(&mut self) -> Result<(), Ended> {
        let now = Instant::now();
        if matches!(self.stage, Stage::Leaving(by) if now >= by) {
            return Err(Ended::Stopped);
        }
        let unanswered = self.drive.window.is_waiting() && now >= self.last_answer + self.drive.pace.answer;
        if unanswered || now >= self.last_event + self.drive.pace.silence {
            return Err(Ended::Lost(Loss::Silent));
        }
        if self.resume_at.is_some_and(|at| now >= at) {
            self.resume_at = None;
            self.drive.window.resume();
        }
        if self.overdue_at.is_some_and(|at| now >= at) {
            self.overdue_at = None;
            let overdue = self.drive.window.overdue() as u64;
            self.drive.state.sent_again.fetch_add(overdue, Relaxed);
            self.overdue_rounds = self.overdue_rounds.saturating_add(u32::from(overdue > 0));
        }
        if now >= self.remind_at {
            self.remind_at = now + self.drive.pace.receipt.longest;
            self.drive.window.remind();
        }
        if now >= self.heartbeat_at {
            self.heartbeat_at = now + self.drive.heartbeat;
            // Also looks into the outbox: a bell that nobody heard costs one heartbeat.
            self.drive.window.ring();
            self.count_due |= self.stage == Stage::Born;
        }
        Ok(())
    }

    /// Turns to the door: `offline` first, then DISCONNECT.
    fn leave(&mut self) -> Result<(), Ended> {
        if self.stage == Stage::Connecting {
            return Err(Ended::Stopped);
        }
        self.stage = Stage::Leaving(Instant::now() + FAREWELL_LIMIT);
        self.status = Some(Lifecycle::Stopped(self.drive.counts));
        Ok(())
    }

    /// An errand that writes what was acknowledged and receipted, and nothing else.
    fn record(&mut self) -> Errand {
        let receivers = self.drive.receivers.as_mut();
        Errand {
            record: self.drive.window.unrecorded().to_vec(),
            required: receivers.as_ref().and_then(|receivers| receivers.required()),
            receipts: receivers.map(Receivers::waiting).unwrap_or_default(),
            fetch: None,
            count: false,
        }
    }

    /// Waits for the errand under way and writes what was acknowledged since.
    async fn settle(&mut self) {
        if self.errand.is_some() {
            let returned = finished(&mut self.errand).await;
            self.errand = None;
            self.on_returned(returned);
        }
        let errand = self.record();
        if !errand.is_empty() {
            let (store, audit, now) = (self.drive.store.clone(), self.drive.sender.audit.clone(), (self.drive.now)());
            self.errand = Some(tokio::task::spawn_blocking(move || errand.run(&store, &audit, now)));
            let returned = finished(&mut self.errand).await;
            self.errand = None;
            self.on_returned(returned);
        }
    }
}

/// The errand's result, `None` where it panicked; waits for ever where there is none.
async fn finished(errand: &mut Option<JoinHandle<Returned>>) -> Option<Returned> {
    match errand {
        Some(handle) => handle.await.ok(),
        None => std::future::pending().await,
    }
}
