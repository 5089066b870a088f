//! The life of one connection of a collector: subscribes, sends what arrives to the disk, and only
//! then signs its receipt. Never blocks. MQTT's own acknowledgement means nothing here: what is
//! lost after it is not receipted, and so comes again.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::{Discriminant, discriminant};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::checkpoints::Noted;
use super::errand::{Checked, Errand, Followed, Look, NotKept, Receipted, Returned, Seen, base};
use super::{Collector, Device, Sent, WINDOW};
use crate::mqtt::{Arrival, Event, JOSE, KEEP_ALIVE, Link, Loss, Message, Qos, Retain, Retained, Subscribed, random};
use crate::seal::link::MAX_KEYS_FOLLOWED;
use crate::seal::message::MAX_MESSAGE_BYTES;
use crate::seal::receiver::{Command, Held, MAX_RECEIPT_OUTCOMES, Receipt};

/// No event at all for so long: build the connection anew.
const SILENCE: Duration = KEEP_ALIVE.saturating_mul(2);
/// Receipts and commands under way at once; what comes after waits, merged by device.
const MOST_UNANSWERED: usize = WINDOW as usize / 2;
/// Kept outcomes whose receipt waits; one that is dropped comes again, and is receipted then.
const MOST_PENDING: usize = 4096;
/// Outcomes in one step to the disk, and so in one receipt at most.
const BATCH: usize = 64;
/// Outcomes that wait for the disk. With more the connection is not read, so that a broker
/// which does not keep to the receive maximum (mosquitto 2.0, rumqttd) has to wait as well.
const MOST_ARRIVED: usize = 2 * BATCH;
/// For the last errand when stopping; what it did not receipt comes again.
const LAST_ERRAND_LIMIT: Duration = Duration::from_secs(5);
/// Different troubles that are told one by one before only the counts go on.
const MOST_TOLD: usize = 1000;

/// How a session ended.
pub(super) enum Ended {
    /// As we were told.
    Stopped,
    /// The connection is gone.
    Lost(Loss),
}

/// What a person was told already.
#[derive(Debug, Default)]
pub(super) struct Told {
    loss: Option<Discriminant<Loss>>,
    troubles: BTreeSet<String>,
    shelf: bool,
}

impl Told {
    /// True where this kind of loss was not the last that was told.
    pub fn is_news(&mut self, loss: &Loss) -> bool {
        self.loss.replace(discriminant(loss)) != Some(discriminant(loss))
    }
}

/// The heartbeat's members that matter here; it is not signed, so it is a hint and no more.
#[derive(Deserialize)]
struct Status {
    key_id: String,
    state: String,
    #[serde(default)]
    earlier_key_ids: Vec<String>,
    #[serde(default)]
    last_sequence: u64,
    /// This alone is signed.
    #[serde(default)]
    audit_checkpoint: Option<String>,
}

pub(super) struct Session<'a> {
    collector: &'a mut Collector,
    link: Link,
    connected: bool,
    arrived: Vec<Arrival>,
    errand: Option<JoinHandle<Returned>>,
    errand_from: Instant,
    look_at: Instant,
    last_event: Instant,
    unanswered: usize,
    /// Receipts that are not signed yet, by base and key of the device.
    pending: BTreeMap<(String, String), Vec<Held>>,
}

impl<'a> Session<'a> {
    pub fn new(collector: &'a mut Collector, link: Link) -> Self {
        let now = Instant::now();
        Self {
            look_at: now + collector.pace.look,
            collector,
            link,
            connected: false,
            arrived: Vec::new(),
            errand: None,
            errand_from: now,
            last_event: now,
            unanswered: 0,
            pending: BTreeMap::new(),
        }
    }

    /// Lives until the connection ends or `stop` says so.
    pub async fn run(mut self, stop: &mut watch::Receiver<bool>) -> Ended {
        loop {
            self.send_errand();
            if let Err(loss) = self.send_receipts() {
                return self.lost(loss).await;
            }
            let timer = self.next_timer();
            let turned = tokio::select! {
                event = self.link.next(), if self.arrived.len() < MOST_ARRIVED => Some(self.on_event(event)),
                returned = finished(&mut self.errand) => {
                    self.errand = None;
                    Some(self.on_returned(returned))
                }
                () = sleep_until(timer) => Some(self.on_timer()),
                _ = stop.wait_for(|stop| *stop) => None,
            };
            let Some(turned) = turned else {
                self.leave().await;
                return Ended::Stopped;
            };
            if let Err(loss) = turned {
                return self.lost(loss).await;
            }
        }
    }

    /// What is under way at the disk is kept, and receipted when it comes again.
    async fn lost(mut self, loss: Loss) -> Ended {
        if let Some(errand) = self.errand.take() {
            drop(errand.await);
        }
        Ended::Lost(loss)
    }

    fn on_event(&mut self, event: Event) -> Result<(), Loss> {
        self.last_event = Instant::now();
        match event {
            Event::Connected(_) => {
                self.connected = true;
                let filters = &self.collector.filters;
                self.link.subscribe(std::slice::from_ref(&filters.report), Retained::Unwanted).map_err(full)?;
                self.link.subscribe(std::slice::from_ref(&filters.status), Retained::Wanted).map_err(full)
            }
            Event::Subscribed(_, Subscribed::Granted) => {
                self.collector.state.subscriptions.fetch_add(1, Relaxed);
                if self.collector.told.loss.take().is_some() {
                    log::info!("connected again");
                }
                Ok(())
            }
            Event::Subscribed(_, Subscribed::Refused(code)) => {
                Err(Loss::TurnedAway(format!("the broker refuses the subscription (0x{code:02x})")))
            }
            Event::Arrived(arrival) => {
                self.on_arrived(arrival);
                Ok(())
            }
            Event::Acknowledged(..) => {
                self.unanswered = self.unanswered.saturating_sub(1);
                Ok(())
            }
            Event::Lost(loss) => Err(loss),
            Event::Outgoing(_) | Event::Alive | Event::Farewell => Ok(()),
        }
    }

    fn on_arrived(&mut self, arrival: Arrival) {
        if arrival.topic().ends_with("/status") {
            self.on_status(&arrival);
        } else {
            self.arrived.push(arrival);
        }
    }

    fn on_status(&mut self, arrival: &Arrival) {
        let Ok(status) = serde_json::from_slice::<Status>(arrival.payload()) else { return };
        let kids = std::iter::once(&status.key_id).chain(&status.earlier_key_ids);
        let Some(device) = kids.take(MAX_KEYS_FOLLOWED).find_map(|kid| self.collector.keys.get(kid)) else { return };
        let Some(device) = self.collector.known.get_mut(device) else { return };
        device.base.get_or_insert_with(|| base(arrival.topic()).to_owned());
        device.last = device.last.max(status.last_sequence);
        if let Some(jws) = status.audit_checkpoint.filter(|jws| jws.len() <= MAX_MESSAGE_BYTES)
            && device.checkpoint.as_ref().is_none_or(|(known, _)| *known != jws)
        {
            device.checkpoint = Some((jws, Sent::Not));
        }
        if status.state != "online" {
            device.asking.forget();
        }
    }

    fn send_errand(&mut self) {
        let now = Instant::now();
        if self.errand.is_some() || !self.connected || now < self.errand_from {
            return;
        }
        let mut looks = Vec::new();
        if now >= self.look_at {
            self.look_at = now + self.collector.pace.look;
            looks.extend(self.collector.known.iter().filter(|(_, device)| device.base.is_some()).map(look));
        }
        let waiting = self.collector.known.values_mut().filter_map(|device| device.checkpoint.as_mut());
        let is_fresh = |sent: &mut Sent| std::mem::replace(sent, Sent::Off) == Sent::Not;
        let checkpoints = waiting.filter_map(|(jws, sent)| is_fresh(sent).then(|| jws.clone())).collect();
        let batch = self.arrived.len().min(BATCH);
        let errand = Errand { arrived: self.arrived.drain(..batch).collect(), checkpoints, looks };
        if errand.is_empty() {
            return;
        }
        let (on, lineage) = (Arc::clone(&self.collector.shelf), Arc::clone(&self.collector.lineage));
        let now = (self.collector.now)();
        self.errand = Some(tokio::task::spawn_blocking(move || {
            let mut on = on.lock().unwrap_or_else(PoisonError::into_inner);
            let mut lineage = lineage.lock().unwrap_or_else(PoisonError::into_inner);
            errand.run(&mut on, &mut lineage, now)
        }));
    }

    fn on_returned(&mut self, returned: Option<Returned>) -> Result<(), Loss> {
        let Some(mut returned) = returned else {
            return Err(Loss::Protocol("checking what arrived panicked".to_owned()));
        };
        self.tell(&returned);
        if returned.failed.is_some() {
            self.errand_from = Instant::now() + self.collector.pace.shelf;
            for (_, sent) in self.collector.known.values_mut().filter_map(|device| device.checkpoint.as_mut()) {
                *sent = Sent::Not;
            }
        }
        if let Some(keys) = returned.keys.take() {
            let known = &mut self.collector.known;
            // What was given as a device of its own may be another one's next key.
            known.retain(|device, _| keys.values().any(|of| of == device));
            self.collector.keys = keys;
        }
        returned.undone.append(&mut self.arrived);
        self.arrived = returned.undone;
        self.receipt(returned.receipted);
        returned.seen.into_iter().try_for_each(|seen| self.on_seen(seen))
    }

    /// Notes what is kept now, to be receipted.
    fn receipt(&mut self, receipted: Vec<Receipted>) {
        let mut pending: usize = self.pending.values().map(Vec::len).sum();
        for Receipted { base, device, key, held, new } in receipted {
            let counter = if new { &self.collector.state.kept } else { &self.collector.state.repeated };
            counter.fetch_add(1, Relaxed);
            if let Some(known) = self.collector.known.get_mut(&device) {
                known.base = Some(base.clone());
            }
            if pending < MOST_PENDING {
                self.pending.entry((base, key)).or_default().push(held);
                pending += 1;
            }
        }
    }

    /// Signs receipts, one a device for as many outcomes as it holds, while there is room.
    fn send_receipts(&mut self) -> Result<(), Loss> {
        while self.unanswered < MOST_UNANSWERED {
            let Some(mut of_device) = self.pending.first_entry() else { break };
            let rest = of_device.get().len().min(MAX_RECEIPT_OUTCOMES);
            let rest = of_device.get_mut().split_off(rest);
            let ((base, device), outcomes) = of_device.remove_entry();
            let signed = Receipt { device: device.clone(), outcomes }.sign(&self.collector.key);
            self.say(format!("{base}/receipt"), signed.map_err(|e| Loss::Protocol(e.to_string()))?)?;
            self.collector.state.receipts.fetch_add(1, Relaxed);
            if !rest.is_empty() {
                self.pending.insert((base, device), rest);
            }
        }
        Ok(())
    }

    /// Looks whether something has to be asked for.
    fn on_seen(&mut self, seen: Seen) -> Result<(), Loss> {
        let Some(known) = self.collector.known.get_mut(&seen.device) else { return Ok(()) };
        known.through = known.through.max(seen.through);
        let asked = known.asking.look(seen.missing, Instant::now(), self.collector.pace.ask, random());
        let (Some((from, to)), Some(base)) = (asked, known.base.clone()) else { return Ok(()) };
        log::warn!("outcomes {from} to {to} of {base} are missing: asking for them again");
        self.collector.state.asked.fetch_add(1, Relaxed);
        let command = Command::Resend { device: seen.device, from, to, issued_at: (self.collector.now)().rfc3339() };
        let signed = command.sign(&self.collector.key).map_err(|e| Loss::Protocol(e.to_string()))?;
        self.say(format!("{base}/command"), signed)
    }

    fn say(&mut self, topic: String, payload: String) -> Result<(), Loss> {
        self.unanswered += 1;
        let message = Message {
            qos: Qos::AtLeastOnce,
            topic,
            retain: Retain::No,
            payload,
            content_type: JOSE,
            correlation: None,
            user_properties: Vec::new(),
        };
        self.link.hand_in(message).map_err(full)
    }

    fn tell(&mut self, returned: &Returned) {
        let (state, told) = (&self.collector.state, &mut self.collector.told);
        for Followed { device, from, to, sequence } in &returned.followed {
            log::info!("device {device}: key {from} handed over to key {to} with outcome {sequence}; it is followed");
        }
        for not_kept in &returned.not_kept {
            let (counter, what) = match not_kept {
                NotKept::Unknown(why) => (
                    &state.foreign,
                    format!(
                        "not from a known device: {why}; where a known device changed its key, its hand-over comes first"
                    ),
                ),
                NotKept::Foreign(why) => (&state.foreign, format!("not from a known device: {why}")),
                NotKept::Contradiction { device, sequence, why } => {
                    (&state.refused, format!("REFUSED outcome {sequence} of device {device}: {why}"))
                }
            };
            counter.fetch_add(1, Relaxed);
            if told.troubles.len() < MOST_TOLD && told.troubles.insert(what.clone()) {
                log::error!("{what}; it is not kept and not receipted");
            }
        }
        for Checked { device, seq, noted } in &returned.checked {
            let odd = match noted {
                Noted::Known => continue,
                Noted::New => None,
                Noted::Forked => Some("is for a line that was signed for otherwise: it has two audit logs"),
                Noted::Behind => Some("is for an earlier line: an old heartbeat came again, or its log began anew"),
            };
            state.checkpoints.fetch_add(1, Relaxed);
            let what = odd.map(|odd| format!("the audit checkpoint of device {device} for line {seq} {odd}"));
            if let Some(what) =
                what.filter(|what| told.troubles.len() < MOST_TOLD && told.troubles.insert(what.clone()))
            {
                log::error!("{what}; it is kept: hold the log against it with `residentd audit verify`");
            }
        }
        match &returned.failed {
            Some(error) if !told.shelf => log::error!("outcomes cannot be kept: {error}; trying again"),
            None if told.shelf => log::info!("outcomes can be kept again"),
            _ => {}
        }
        told.shelf = returned.failed.is_some();
    }

    fn next_timer(&self) -> Instant {
        let next = self.last_event + SILENCE;
        if self.errand.is_some() || !self.connected {
            return next;
        }
        let due = if self.arrived.is_empty() { self.look_at } else { self.errand_from };
        next.min(due.max(self.errand_from))
    }

    fn on_timer(&mut self) -> Result<(), Loss> {
        if Instant::now() >= self.last_event + SILENCE { Err(Loss::Silent) } else { Ok(()) }
    }

    /// Finishes what is under way at the disk and says so; the rest comes again.
    async fn leave(mut self) {
        if let Some(errand) = self.errand.take()
            && let Ok(Ok(returned)) = tokio::time::timeout(LAST_ERRAND_LIMIT, errand).await
        {
            drop(self.on_returned(Some(returned)));
            drop(self.send_receipts());
        }
        drop(self.link.farewell());
        let said_goodbye = async { while !matches!(self.link.next().await, Event::Farewell | Event::Lost(_)) {} };
        drop(tokio::time::timeout(Duration::from_secs(1), said_goodbye).await);
    }
}

fn look((device, known): (&String, &Device)) -> Look {
    Look { device: device.clone(), through: known.through, last: known.last }
}

fn full(_: crate::mqtt::Full) -> Loss {
    Loss::Protocol("the connection takes no more".to_owned())
}

/// The errand's result, `None` where it panicked; waits for ever where there is none.
async fn finished(errand: &mut Option<JoinHandle<Returned>>) -> Option<Returned> {
    match errand {
        Some(handle) => handle.await.ok(),
        None => std::future::pending().await,
    }
}
