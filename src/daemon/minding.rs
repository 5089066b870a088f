//! Minds the board: looks at it, tells the reading loop how hot it is and the site what is
//! wrong with it, draws the lights, measures for telemetry.
//!
//! It never stops what is under way and never keeps an image out: the reading loop does
//! what heat asks for, and ingest what room does.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use log::{info, warn};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::tally::Tally;
use super::telemetry::Measured;
use crate::board::{Board, Health, Heat, Lights, Look, Root, State, Thermostat};
use crate::clock::Moment;
use crate::config::{Configuration, File};
use crate::ingest::{Counters, Listener, Room};
use crate::os;
use crate::publish::{Alert, AlertKind, AlertSender, Publisher, PublisherState};
use crate::store::Store;

/// Between two looks: heat comes in seconds, and an image takes some.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A step of a light's pattern.
const STEP: Duration = Duration::from_millis(250);
/// The same where there is no light to draw.
const STEP_IN_THE_DARK: Duration = Duration::from_secs(1);
/// How long a light asks for another image: somebody has to walk up to the box.
const RETAKE_SHOWN: Duration = Duration::from_mins(1);
/// Between two alerts about the same: what comes and goes must not push others out.
const ALERT_EVERY: Duration = Duration::from_mins(10);

/// On whose word an outcome counts as delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Receipt,
    Broker,
}

/// What it works with.
pub struct Minding {
    board: Board,
    root: Root,
    state_dir: PathBuf,
    names: (String, String),
    reader_limit_bytes: u64,
    telemetry_every: Duration,
    word: Word,
    store: Store,
    tally: Arc<Tally>,
    counters: Arc<Counters>,
    publisher: Arc<PublisherState>,
    room: watch::Receiver<Room>,
    alerts: AlertSender,
    heat: watch::Sender<Heat>,
    telemetry: watch::Sender<String>,
    now: fn() -> Moment,
}

/// What others hear of it, and tell it.
pub struct Minded {
    /// For the reading loop.
    pub heat: watch::Receiver<Heat>,
    /// For the publisher.
    pub telemetry: watch::Receiver<String>,
    /// From the reading loop.
    pub tally: Arc<Tally>,
}

/// What was seen and told so far.
struct Memory {
    thermostat: Thermostat,
    health: Health,
    weak: bool,
    over_budget: bool,
    /// Retakes at the last look at them, and when there was a new one.
    retakes: (u64, Option<Instant>),
    told: Vec<(AlertKind, Instant)>,
}

impl Minding {
    /// For this machine's board, and the parts that it tells of.
    pub fn new(
        config: &Configuration,
        listener: &Listener,
        publisher: &Publisher,
        store: &Store,
        alerts: AlertSender,
        reader_limit_bytes: u64,
        now: fn() -> Moment,
    ) -> (Self, Minded) {
        let File { device, mqtt, receiver, .. } = &config.file;
        let (heat, felt) = watch::channel(Heat::Cool);
        let (telemetry, measured) = watch::channel(String::new());
        let (root, tally) = (Root::machine(), Arc::<Tally>::default());
        let minding = Self {
            board: Board::detect(&root),
            root,
            state_dir: device.state_dir.clone(),
            names: (device.site.to_string(), device.name.to_string()),
            reader_limit_bytes,
            telemetry_every: mqtt.telemetry_s.duration(),
            word: if receiver.is_some() { Word::Receipt } else { Word::Broker },
            store: store.clone(),
            tally: tally.clone(),
            counters: listener.counters(),
            publisher: publisher.state(),
            room: listener.room(),
            alerts,
            heat,
            telemetry,
            now,
        };
        (minding, Minded { heat: felt, telemetry: measured, tally })
    }

    /// Minds the board until `stop`.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> (&'static str, Result<(), String>) {
        tokio::select! {
            () = self.mind() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
        ("minding the board", Ok(()))
    }

    async fn mind(&self) {
        let (began, since) = (Instant::now(), (self.now)());
        let (board, root) = (self.board.clone(), self.root.clone());
        let (mut lights, refused) = spawn_blocking(move || Lights::take(&board, &root)).await.unwrap_or_default();
        for light in refused {
            info!("{light}: it shows nothing; let residentd's user write its brightness and trigger");
        }
        let mut memory = Memory {
            thermostat: Thermostat::new(self.board.facts.thermal.clone()),
            health: Health::Fine,
            weak: false,
            over_budget: false,
            retakes: (0, None),
            told: Vec::new(),
        };
        let mut beat = interval(if lights.is_empty() { STEP_IN_THE_DARK } else { STEP });
        beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut looked, mut told): (Option<Instant>, Option<Instant>) = (None, None);
        for step in 0_u32.. {
            let now = beat.tick().await;
            let due = |last: Option<Instant>, every| last.is_none_or(|last| now.duration_since(last) >= every);
            let tells = due(told, self.telemetry_every);
            if (tells || due(looked, LOOK_EVERY))
                && let Some(look) = self.look().await
            {
                looked = Some(now);
                self.judge(&look, &mut memory, now);
                if tells {
                    told = Some(now);
                    self.tell(&look, began.elapsed().as_secs(), since).await;
                }
            }
            if !lights.is_empty() {
                let state = self.state(&mut memory, now);
                let shown = spawn_blocking(move || {
                    lights.show(state, step);
                    lights
                });
                lights = shown.await.unwrap_or_default();
            }
        }
    }

    async fn look(&self) -> Option<Look> {
        let (board, root, state_dir) = (self.board.clone(), self.root.clone(), self.state_dir.clone());
        spawn_blocking(move || Look::at(&board, &root, &state_dir)).await.ok()
    }

    /// Says what has changed, to whom it concerns.
    fn judge(&self, look: &Look, memory: &mut Memory, now: Instant) {
        let celsius = look.hottest.as_ref().map(|sensor| sensor.celsius);
        let heat = memory.thermostat.feel(celsius, look.throttling.by_heat);
        let before = self.heat.send_replace(heat);
        if heat != before {
            self.tell_heat(heat, before, look, memory, now);
        }
        let health = look.storage.as_ref().map_or(memory.health, |s| s.health(&self.board.facts.storage));
        if health != std::mem::replace(&mut memory.health, health) && health != Health::Fine {
            let seen = look.storage.as_ref().map(crate::board::worn).unwrap_or_default();
            let urgency = if health == Health::Failing { "is failing, replace it now" } else { "is worn" };
            self.raise(AlertKind::StorageWorn, format!("what the images lie on {urgency}: {seen}"), memory, now);
        }
        let weak = look.throttling.under_voltage == Some(true);
        if weak && !std::mem::replace(&mut memory.weak, weak) {
            let message = "the board's supply is too weak: use the maker's power supply and a short cable".to_owned();
            self.raise(AlertKind::SupplyWeak, message, memory, now);
        }
        memory.weak = weak;
        let budget_kib = u64::from(self.board.facts.memory.gateway_mib) * 1024;
        let over_budget = os::resident_kib(None).is_ok_and(|kib| kib > budget_kib);
        if over_budget && !memory.over_budget {
            warn!("the gateway uses more memory than the {} MiB that this board has for it", budget_kib / 1024);
        }
        memory.over_budget = over_budget;
    }

    fn tell_heat(&self, heat: Heat, before: Heat, look: &Look, memory: &mut Memory, now: Instant) {
        let seen = look.hottest.as_ref().map_or_else(
            || "no sensor shows how hot".to_owned(),
            |sensor| format!("{} shows {:.0} °C", sensor.name, sensor.celsius),
        );
        match heat {
            Heat::Hot => {
                let message = format!(
                    "the box is too hot ({seen}): images are received and wait, none is read before it is below {} °C; give it air",
                    self.board.facts.thermal.hot_c - self.board.facts.thermal.hysteresis_c
                );
                self.raise(AlertKind::TooHot, message, memory, now);
            }
            Heat::Warm => info!(
                "the box is warm ({seen}): {}",
                if before == Heat::Hot { "reading again, slowly" } else { "reading is slower" }
            ),
            Heat::Cool => info!("the box is cool again ({seen})"),
        }
    }

    fn raise(&self, kind: AlertKind, message: String, memory: &mut Memory, now: Instant) {
        warn!("{message}");
        memory.told.retain(|(_, at)| now.duration_since(*at) < ALERT_EVERY);
        if memory.told.iter().all(|(told, _)| *told != kind) {
            memory.told.push((kind, now));
            self.alerts.raise(Alert { kind, report_id: None, message });
        }
    }

    /// What the lights show, the gravest first.
    fn state(&self, memory: &mut Memory, now: Instant) -> State {
        let retakes = self.tally.outcomes().retakes;
        if retakes != memory.retakes.0 {
            memory.retakes = (retakes, Some(now));
        }
        let asks = memory.retakes.1.is_some_and(|at| now.duration_since(at) < RETAKE_SHOWN);
        let broken = *self.heat.borrow() == Heat::Hot
            || *self.room.borrow() == Room::Short
            || memory.health == Health::Failing
            || self.tally.is_stuck();
        match (broken, asks, self.publisher.is_connected(), self.tally.is_reading()) {
            (true, ..) => State::Fault,
            (_, true, ..) => State::Retake,
            (_, _, false, _) => State::Offline,
            (_, _, _, true) => State::Reading,
            _ => State::Ready,
        }
    }

    async fn tell(&self, look: &Look, uptime_s: u64, since: Moment) {
        let store = self.store.clone();
        let queue = spawn_blocking(move || store.queue()).await.ok().and_then(Result::ok);
        let reader = self.tally.reader_pid().and_then(|pid| os::resident_kib(Some(pid)).ok());
        let measured = Measured {
            names: (&self.names.0, &self.names.1),
            board: &self.board,
            look,
            heat: *self.heat.borrow(),
            now: (self.now)(),
            since,
            uptime_s,
            resident_kib: (os::resident_kib(None).ok(), reader),
            reader_limit_bytes: self.reader_limit_bytes,
            queue,
            ingested: (self.counters.accepted.load(Relaxed), self.counters.refused.load(Relaxed)),
            outcomes: self.tally.outcomes(),
            delivered: match self.word {
                Word::Receipt => self.publisher.receipted(),
                Word::Broker => self.publisher.acknowledged(),
            },
            alerts: self.alerts.raised(),
            serving: &self.tally.serving(),
        };
        self.telemetry.send_replace(measured.document());
    }
}
