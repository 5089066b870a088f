//! Minds the board: looks at it, tells the reading loop how hot it is and the site what is
//! wrong with it, draws the lights, measures for telemetry.
//!
//! It never stops what is under way and never keeps an image out: the reading loop does
//! what heat asks for, and ingest what room does.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use log::info;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::judge::Judge;
use super::tally::Tally;
use super::telemetry::Measured;
use crate::board::{Board, Health, Heat, Lights, Look, Root, State};
use crate::clock::Moment;
use crate::config::{Configuration, File};
use crate::ingest::{Counters, Listener, Room};
use crate::os;
use crate::publish::{AlertSender, Publisher, PublisherState};
use crate::store::Store;

/// Between two looks: heat comes in seconds, and an image takes some.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A step of a light's pattern.
const STEP: Duration = Duration::from_millis(250);
/// The same where there is no light to draw.
const STEP_IN_THE_DARK: Duration = Duration::from_secs(1);
/// How long a light asks for another image: somebody has to walk up to the box.
const RETAKE_SHOWN: Duration = Duration::from_mins(1);

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

/// Images that must be taken again, so far, and when there was a new one.
#[derive(Debug, Default)]
struct Retakes {
    seen: u64,
    since: Option<Instant>,
}

impl Retakes {
    /// Whether a light asks for one.
    fn ask(&mut self, retakes: u64, at: Instant) -> bool {
        if retakes != self.seen {
            (self.seen, self.since) = (retakes, Some(at));
        }
        self.since.is_some_and(|since| at.duration_since(since) < RETAKE_SHOWN)
    }
}

/// The first of what holds, which is the gravest.
fn gravest(holds: [(bool, State); 4]) -> State {
    holds.into_iter().find_map(|(holds, state)| holds.then_some(state)).unwrap_or(State::Ready)
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
        let (mut judge, mut retakes) = (Judge::new(&self.board), Retakes::default());
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
                self.judge(&look, &mut judge, now);
                if tells {
                    told = Some(now);
                    self.tell(&look, began.elapsed().as_secs(), since).await;
                }
            }
            if !lights.is_empty() {
                let state = self.state(&judge, &mut retakes, now);
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
    fn judge(&self, look: &Look, judge: &mut Judge, at: Instant) {
        for alert in judge.judge(look, os::resident_kib(None).ok(), (self.now)(), at) {
            self.alerts.raise(alert);
        }
        let heat = judge.heat();
        self.heat.send_if_modified(|before| std::mem::replace(before, heat) != heat);
    }

    /// What the lights show.
    fn state(&self, judge: &Judge, retakes: &mut Retakes, at: Instant) -> State {
        let broken = judge.heat() == Heat::Hot
            || judge.health() == Health::Failing
            || *self.room.borrow() == Room::Short
            || self.tally.is_stuck();
        let asks = retakes.ask(self.tally.outcomes().retakes, at);
        gravest([
            (broken, State::Fault),
            (asks, State::Retake),
            (!self.publisher.is_connected(), State::Offline),
            (self.tally.is_reading(), State::Reading),
        ])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_light_asks_for_another_image_for_a_minute() {
        let (mut retakes, start) = (Retakes::default(), Instant::now());
        let mut asks = |count, seconds| retakes.ask(count, start + Duration::from_secs(seconds));
        assert_eq!((asks(0, 0), asks(1, 10), asks(1, 69), asks(1, 70)), (false, true, true, false));
        assert_eq!((asks(2, 80), asks(3, 130), asks(3, 189), asks(3, 190)), (true, true, true, false));
    }

    #[test]
    fn the_gravest_of_what_holds_is_shown_and_ready_where_nothing_does() {
        let states = [State::Fault, State::Retake, State::Offline, State::Reading];
        assert_eq!(gravest(states.map(|state| (false, state))), State::Ready);
        assert_eq!(gravest(states.map(|state| (state != State::Fault, state))), State::Retake);
        assert_eq!(gravest(states.map(|state| (state == State::Reading, state))), State::Reading);
    }
}
