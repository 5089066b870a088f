//! Signs of life: a part beats while it makes progress, or while it waits for what may come.
//!
//! A beat is a promise: the part's own loop turned. What may take long by its nature (a
//! reader at work, an idle queue) beats while it is awaited, for as long as it may take
//! and no longer; a blocking call never does, so a wedged disk or lock falls silent.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{Instant, interval, sleep};

/// Between two beats of a part that waits.
pub const BEAT: Duration = Duration::from_secs(1);
/// A part without a beat for so long makes no progress. More than one beat, so that one
/// slow `fsync` is nothing; a longer one costs some pings, and only a lasting one all.
pub const FRESH: Duration = Duration::from_secs(2);

/// The beats of one part.
#[derive(Debug, Default)]
pub struct Pulse(AtomicU64);

impl Pulse {
    /// The part made progress.
    pub fn beat(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Beats so far.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Awaits what may never come, beating.
    pub async fn idle<T>(&self, awaited: impl Future<Output = T>) -> T {
        let mut awaited = pin!(awaited);
        loop {
            self.beat();
            tokio::select! {
                done = &mut awaited => return done,
                () = sleep(BEAT) => {}
            }
        }
    }

    /// Awaits what has `limit` to come, beating until then.
    pub async fn within<T>(&self, limit: Duration, awaited: impl Future<Output = T>) -> T {
        let mut awaited = pin!(awaited);
        let until = Instant::now() + limit;
        while Instant::now() < until {
            self.beat();
            tokio::select! {
                done = &mut awaited => return done,
                () = sleep(BEAT) => {}
            }
        }
        awaited.await
    }
}

/// Tells whether every part beats.
pub struct Watch<'a> {
    parts: Vec<Part<'a>>,
    late: Option<&'static str>,
}

/// A part that is watched.
pub struct Part<'a> {
    name: &'static str,
    beats: Box<dyn FnMut() -> u64 + Send + 'a>,
    seen: u64,
    since: Instant,
}

impl<'a> Part<'a> {
    /// A part whose `beats` grow while it lives.
    pub fn new(name: &'static str, mut beats: impl FnMut() -> u64 + Send + 'a) -> Self {
        Self { name, seen: beats(), beats: Box::new(beats), since: Instant::now() }
    }
}

impl<'a> Watch<'a> {
    /// Watches `parts`, all of them fresh now.
    #[must_use]
    pub const fn new(parts: Vec<Part<'a>>) -> Self {
        Self { parts, late: None }
    }

    /// The first part that is silent for longer than [`FRESH`]. Logs when that changes.
    pub fn silent(&mut self, now: Instant) -> Option<&'static str> {
        for part in &mut self.parts {
            let beats = (part.beats)();
            if beats != part.seen {
                (part.seen, part.since) = (beats, now);
            }
        }
        let late = self.parts.iter().find(|part| now.duration_since(part.since) > FRESH).map(|part| part.name);
        if late != self.late {
            match late {
                Some(name) => log::error!(
                    "{name} makes no progress for {} s: the service manager's watchdog gets no ping until it does",
                    FRESH.as_secs()
                ),
                None => log::info!("every part makes progress again"),
            }
            self.late = late;
        }
        late
    }

    /// Calls `alive` every [`BEAT`] at which no part is silent; never ends.
    pub async fn run(mut self, mut alive: impl FnMut()) {
        let mut beat = interval(BEAT);
        loop {
            let now = beat.tick().await;
            if self.silent(now).is_none() {
                alive();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn a_part_that_waits_beats_and_after_its_limit_no_more() {
        let pulse = Pulse::default();
        assert_eq!(pulse.idle(async { 7 }).await, 7);
        assert_eq!(pulse.within(BEAT, async { 8 }).await, 8);
        assert_eq!(pulse.beats(), 2);
        let never = pulse.within(Duration::ZERO, std::future::pending::<()>());
        assert!(tokio::time::timeout(SHORT, never).await.is_err());
        assert_eq!(pulse.beats(), 2, "its limit was over");
    }

    #[test]
    fn a_part_without_a_beat_is_silent_and_one_beat_ends_that() {
        let (steady, odd) = (Pulse::default(), Pulse::default());
        let start = Instant::now();
        let parts = vec![Part::new("steady", || steady.beats()), Part::new("odd", || odd.beats())];
        let mut watch = Watch::new(parts);
        let mut after = |seconds: u64| {
            steady.beat();
            watch.silent(start + Duration::from_secs(seconds))
        };
        assert_eq!((after(1), after(2)), (None, None));
        assert_eq!((after(4), after(100)), (Some("odd"), Some("odd")));
        odd.beat();
        assert_eq!((after(101), after(103), after(104)), (None, None, Some("odd")));
    }
}
