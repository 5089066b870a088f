//! The thread that writes the log, syncs it in time, and signs checkpoints when asked.

use std::io;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::event::Event;
use super::handle::{Audit, Hours, Noted};
use super::log::{AuditError, Log, Opened};
use super::{MAX_WAITING, SYNC_WITHIN};
use crate::clock::Moment;

/// Bytes that are made durable before [`SYNC_WITHIN`] is over.
const SYNC_BYTES: usize = 64 * 1024;
/// After a failure: a full disk is not less full at once.
const RETRY: Duration = Duration::from_secs(1);
/// For what is written at the end: systemd gives more, a dead disk takes it all.
const CLOSE_LIMIT: Duration = Duration::from_secs(3);
/// A wall clock that moved so far against the monotonic one was set.
const CLOCK_STEP_MS: i64 = 1000;
/// With nothing to do, the writer looks up so often.
const IDLE: Duration = Duration::from_hours(1);

/// The writing thread; dropped, it writes what is noted and ends.
pub struct Writer {
    audit: Audit,
}

/// What the thread works with.
struct Work {
    audit: Audit,
    log: Log,
    /// Taken from the desk and not written yet.
    hand: Vec<(Moment, Event)>,
    /// Both clocks at the event before.
    clocks: Option<(Instant, i64)>,
    unsynced_since: Option<Instant>,
    retry_at: Option<Instant>,
    /// The last attempt failed, and that was said.
    troubled: bool,
    trouble: Box<dyn Fn(String) + Send>,
}

/// What there is to do.
struct Task {
    asked: u64,
    hours: Hours,
}

impl Writer {
    /// Starts the thread on a log that was just opened. `trouble` is called, on the thread,
    /// when the log can no longer be written.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(opened: Opened, now: fn() -> Moment, trouble: impl Fn(String) + Send + 'static) -> io::Result<Self> {
        let audit = Audit::new(now, Hours::Open);
        for event in opened.first {
            match &event {
                Event::Recovered { bytes, .. } => {
                    log::warn!("the audit log ended in {bytes} torn bytes, as after a power cut; they were cut off");
                }
                Event::SetAside { folder, why } => {
                    trouble(format!(
                        "the audit log is broken ({why}): it stands aside as {folder} for whoever looks into it, and a new one begins"
                    ));
                }
                _ => {}
            }
            audit.note(event);
        }
        let work = Work {
            audit: audit.clone(),
            log: opened.log,
            hand: Vec::new(),
            clocks: None,
            unsynced_since: None,
            retry_at: None,
            troubled: false,
            trouble: Box::new(trouble),
        };
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || work.run())?;
        Ok(Self { audit })
    }

    /// The end that notes.
    #[must_use]
    pub fn audit(&self) -> Audit {
        self.audit.clone()
    }

    /// Ends the log in order.
    pub fn close(self) {
        self.audit.note(Event::Stopped);
    }
}

impl Drop for Writer {
    /// Waits for what is noted, but not for ever.
    fn drop(&mut self) {
        let mut desktop = self.audit.desk.lock();
        if desktop.hours == Hours::Open {
            desktop.hours = Hours::Closing;
        }
        self.audit.desk.work.notify_one();
        let ended = self.audit.desk.done.wait_timeout_while(desktop, CLOSE_LIMIT, |d| d.hours != Hours::Closed);
        if ended.unwrap_or_else(PoisonError::into_inner).1.timed_out() {
            log::error!("the audit log could not be ended in order: its disk does not answer");
        }
    }
}

impl Work {
    fn run(mut self) {
        loop {
            let task = self.wait();
            let worked = self.work(&task);
            let last = task.hours == Hours::Closing && (worked.is_err() || self.is_done());
            self.tell(&worked);
            let mut desktop = self.audit.desk.lock();
            desktop.answered = task.asked;
            if last {
                desktop.hours = Hours::Closed;
            }
            drop(desktop);
            self.audit.desk.done.notify_all();
            if last {
                return;
            }
        }
    }

    /// Waits until there is something to do, and takes what is noted.
    fn wait(&mut self) -> Task {
        let desk = std::sync::Arc::clone(&self.audit.desk);
        let mut desktop = desk.lock();
        loop {
            let now = Instant::now();
            let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            let resting = self.retry_at.is_some_and(|at| at > now);
            let called = !desktop.waiting.is_empty() || desktop.asked > desktop.answered || !self.hand.is_empty();
            let sync_at = self.unsynced_since.map(|since| since + SYNC_WITHIN);
            let timely = due(sync_at) || due(desktop.repeats.next());
            if desktop.hours == Hours::Closing || !resting && (called || timely) {
                break;
            }
            let wake = if resting { self.retry_at } else { sync_at.into_iter().chain(desktop.repeats.next()).min() };
            let wait = wake.map_or(IDLE, |at| at.saturating_duration_since(now));
            desktop = desk.work.wait_timeout(desktop, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        self.retry_at = None;
        // What an attempt left in hand goes first; whoever asks waits until the desk is taken too.
        let mut asked = desktop.answered;
        if self.hand.is_empty() {
            asked = desktop.asked;
            let closing = desktop.hours == Hours::Closing;
            let counts = desktop.repeats.due(Instant::now(), closing);
            // `stopped` stays the last word.
            let farewell =
                if closing { desktop.waiting.pop_back_if(|noted| noted.event == Event::Stopped) } else { None };
            desktop.waiting.drain(..).for_each(|noted| self.take(noted));
            let at = (desk.now)();
            let lost = std::mem::take(&mut desktop.lost);
            self.hand.extend(counts.into_iter().map(|event| (at, event)));
            self.hand.extend((lost > 0).then_some((at, Event::AuditGap { lost })));
            if let Some(noted) = farewell {
                self.take(noted);
            }
            debug_assert!(self.hand.len() <= MAX_WAITING + 128, "the desk is bounded");
        }
        Task { asked, hours: desktop.hours }
    }

    /// Takes an event in hand, after a line about the clock where that was set.
    fn take(&mut self, Noted { at, instant, event }: Noted) {
        if let Some(instant) = instant {
            if let Some((instant_before, wall_before)) = self.clocks {
                let passed = i64::try_from(instant.saturating_duration_since(instant_before).as_millis());
                let by_ms = at.unix_ms.saturating_sub(wall_before).saturating_sub(passed.unwrap_or(i64::MAX));
                if by_ms.saturating_abs() >= CLOCK_STEP_MS {
                    self.hand.push((at, Event::ClockStepped { by_ms }));
                }
            }
            self.clocks = Some((instant, at.unix_ms));
        }
        self.hand.push((at, event));
    }

    /// Writes what is in hand, and syncs or signs what is due.
    fn work(&mut self, task: &Task) -> Result<(), AuditError> {
        self.log.append(&self.hand)?;
        self.hand.clear();
        let closing = task.hours == Hours::Closing;
        if self.log.unsynced_bytes() > 0 {
            self.unsynced_since = self.unsynced_since.or_else(|| Some(Instant::now()));
        }
        let due = self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_WITHIN);
        let unanswered = task.asked > self.audit.desk.lock().answered;
        if unanswered || closing {
            let checkpoint = self.log.checkpoint((self.audit.desk.now)())?;
            self.audit.desk.lock().latest = checkpoint;
        } else if due || self.log.unsynced_bytes() >= SYNC_BYTES {
            self.log.sync()?;
        }
        if self.log.unsynced_bytes() == 0 {
            self.unsynced_since = None;
        }
        Ok(())
    }

    /// True where the desk is empty, so that nothing noted is left behind.
    fn is_done(&self) -> bool {
        let desktop = self.audit.desk.lock();
        desktop.waiting.is_empty() && desktop.lost == 0
    }

    /// Says once that the log cannot be written, and once that it can again.
    fn tell(&mut self, worked: &Result<(), AuditError>) {
        match worked {
            Ok(()) if self.troubled => log::info!("the audit log can be written again"),
            Ok(()) => {}
            Err(error) => {
                self.retry_at = Some(Instant::now() + RETRY);
                if !self.troubled {
                    (self.trouble)(format!("{error}; events wait in memory, and are counted where there is no room"));
                }
            }
        }
        self.troubled = worked.is_err();
    }
}

impl Drop for Work {
    /// A panic must not leave a handle that notes into nothing without a word.
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.trouble)("the audit log failed inside residentd and is closed: restart it".to_owned());
            self.audit.desk.lock().hours = Hours::Closed;
            self.audit.desk.done.notify_all();
        }
    }
}
