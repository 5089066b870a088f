//! The reading loop: oldest unread instance, reader, seal, outbox; over and over.
//!
//! Nothing waits in memory: a kill at any line leaves the instance unread, and it is
//! read again. A reader that dies on an image gets three tries at it (strikes are
//! durable), then the image gets a signed failure and is quarantined.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{error, info, warn};
use tokio::sync::{Notify, watch};

use super::isolate;
use crate::audit::{self, Audit, Event};
use crate::board::Heat;
use crate::clock::Moment;
use crate::config::{Configuration, FindingLabel, Report};
use crate::digest::Digest;
use crate::infer::findings::BundleIdentity;
use crate::os;
use crate::publish::{Alert, AlertKind, AlertSender};
use crate::pulse::Pulse;
use crate::reader;
use crate::reader::supervise::{Attempt, Supervised};
use crate::report::facts::Comparison;
use crate::report::fhir::{Context, DeviceFacts, InstanceFacts};
use crate::report::identity::report_id;
use crate::report::reading::{self as report, Outcome, Reason, ReasonCode, Text};
use crate::report::urgent::{self, urgent};
use crate::report::write::{self, Style};
use crate::report::written::Draft;
use crate::seal::key::DeviceKey;
use crate::seal::outcome::seal_reading;
use crate::store::{NewPrior, SealedOutcome, Store, StoreError, StoredInstance, Urgency};

use super::comparing::{Compared, Comparing};
use super::serving::{LOOK, Serving, Verdict};
use super::tally::{self, Tally};

/// How often the reader may die on one instance before that is its outcome.
const MAX_STRIKES: u32 = 3;
/// Pauses after a failure of store or reader that is not the image's fault.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The same where the disk is full: room may come back at any time, and then it goes on
/// within ten seconds.
const FULL_PAUSE: Duration = Duration::from_secs(2);
/// Longest rest of a warm board after an image. It rests for as long as the image took, so
/// that the reader, which has one thread, works half of the time.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// What the loop works with.
pub struct Reading {
    pub store: Store,
    pub pulse: Arc<Pulse>,
    pub key: Arc<DeviceKey>,
    pub config: watch::Receiver<Arc<Configuration>>,
    pub audit: Audit,
    pub alerts: AlertSender,
    pub sealed: Arc<Notify>,
    pub comparing: Arc<Comparing>,
    pub tally: Arc<Tally>,
    pub heat: watch::Receiver<Heat>,
    pub now: fn() -> Moment,
}

impl Reading {
    /// Reads until `stop`; an image in the reader then stays unread.
    pub async fn run(
        self,
        serving: Serving,
        received: Arc<Notify>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), String> {
        tokio::select! {
            never = self.read_all(serving, &received) => never,
            _ = stop.wait_for(|stop| *stop) => Ok(()),
        }
    }

    async fn read_all(&self, mut serving: Serving, received: &Notify) -> Result<(), String> {
        let mut pause = FIRST_PAUSE;
        let resumed = self.blocking(|store| {
            isolate::resume(store, MAX_STRIKES);
            Ok(())
        });
        resumed.await.map_err(|e| e.to_string())?;
        let pulse = &self.pulse;
        loop {
            pulse.beat();
            serving.keep_up().await;
            if let Some(reader) = serving.reader() {
                self.tally.serves(reader);
            }
            self.cooled().await;
            let began = Instant::now();
            let stepped = self.step(&mut serving).await;
            self.tally.stuck(stepped.is_err());
            match stepped {
                Ok(true) => {
                    pause = FIRST_PAUSE;
                    self.rest(began.elapsed()).await;
                }
                Ok(false) => {
                    // Until an image comes, or it is time to look at the bundles again.
                    let _ = pulse.idle(tokio::time::timeout(LOOK, received.notified())).await;
                }
                Err(e) => {
                    if e.is_full() {
                        pause = pause.min(FULL_PAUSE);
                    }
                    error!("reading waits {} ms: {e}", pause.as_millis());
                    let kind = if e.is_full() { AlertKind::StorageLow } else { AlertKind::ReaderDied };
                    self.alerts.raise(Alert { kind, report_id: None, message: e.to_string() });
                    pulse.idle(tokio::time::sleep(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Waits while the board is too hot; what was accepted meanwhile is read afterwards.
    async fn cooled(&self) {
        let mut heat = self.heat.clone();
        if *heat.borrow() == Heat::Hot {
            self.audit.note(Event::ReadingPaused { why: "too-hot" });
            let _ = self.pulse.idle(heat.wait_for(|heat| *heat < Heat::Hot)).await;
            self.audit.note(Event::ReadingResumed);
        }
    }

    /// Rests after an image that took `worked`, while the board is warm.
    async fn rest(&self, worked: Duration) {
        let mut heat = self.heat.clone();
        let rest = rest(*heat.borrow(), worked);
        if rest > Duration::ZERO {
            let cool = heat.wait_for(|heat| *heat == Heat::Cool);
            let _ = self.pulse.idle(tokio::time::timeout(rest, cool)).await;
        }
    }

    /// One instance from unread to sealed; false where none is unread.
    async fn step(&self, serving: &mut Serving) -> Result<bool, StepError> {
        let Some(instance) = self.blocking(Store::next_unread).await? else { return Ok(false) };
        os::step("taken");
        let _busy = self.tally.begin();
        let bundles = serving.bundles();
        let reader = serving.living().await?;
        self.tally.serves(reader);
        let start = Instant::now();
        let mut survived = true;
        let reading = match reader.read(instance.instance.path.clone(), Some(instance.instance.sha256)).await {
            Attempt::Read(answered) => {
                let reading = believed(answered.reading, &instance, &bundles);
                if serving.judge(Ok(&reading.outcome)).await == Verdict::ReadAgain {
                    return Ok(true);
                }
                reading
            }
            Attempt::Died(why) => {
                serving.lose();
                if serving.judge(Err(&why)).await == Verdict::ReadAgain {
                    return Ok(true);
                }
                let strikes = self.blocking(move |store| store.strike(instance.id)).await?;
                os::step("struck");
                self.audit.note(Event::ReaderDied { instance: instance.instance.sha256, strikes });
                warn!("the reader died on an image, strike {strikes} of {MAX_STRIKES}: {why}");
                if strikes < MAX_STRIKES {
                    return Ok(true);
                }
                let words = format!("the reader process died on this image {strikes} times, last: {why}");
                survived = false;
                let (lost, reason) = (instance.clone(), Reason::new(ReasonCode::ReaderDied, words));
                self.blocking(move |_| Ok(isolate::failure(&lost, reason))).await?
            }
        };
        let compared = self.compared(&reading, &instance).await?;
        let prior = compared.comparison.as_ref().map(|comparison| comparison.prior.sha256);
        self.audit.note(read(instance.instance.sha256, &reading.outcome, prior));
        os::step("read");
        // One and the same from the words to the seal, whatever is reloaded meanwhile.
        let config = Arc::clone(&self.config.borrow());
        let reading = written(reading, compared.comparison.as_ref(), serving.reader(), &config.file.report).await;
        let (row, id) = (instance.id, self.report_id(&instance));
        self.seal(instance, reading, compared.kept, &config, start).await?;
        if !survived {
            let alert = self.blocking(move |store| Ok(isolate::quarantine(store, row, &id))).await?;
            self.alerts.raise(alert);
        }
        Ok(true)
    }

    fn report_id(&self, instance: &StoredInstance) -> String {
        let config = self.config.borrow();
        let device = &config.file.device;
        report_id(&format!("{}/{}", device.site, device.name), &instance.instance.sop_instance_uid)
    }

    /// What `reading` is compared with, and what is kept of it for later ones.
    async fn compared(&self, reading: &report::Reading, instance: &StoredInstance) -> Result<Compared, StepError> {
        let (comparing, reading) = (Arc::clone(&self.comparing), reading.clone());
        let (received, now) = (instance.received, (self.now)());
        self.blocking(move |store| comparing.compare(store, &reading, received, now)).await
    }

    async fn seal(
        &self,
        instance: StoredInstance,
        reading: report::Reading,
        kept: Option<NewPrior>,
        config: &Configuration,
        start: Instant,
    ) -> Result<(), StepError> {
        let device = &config.file.device;
        let id = self.report_id(&instance);
        let issued = (self.now)();
        let context = Context {
            report_id: id.clone(),
            device: DeviceFacts {
                site: device.site.clone(),
                name: device.name.clone(),
                key_id: self.key.id().to_owned(),
                software_version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            instance: InstanceFacts::of(&instance.instance, Some(instance.calling_ae)),
            received: instance.received,
            issued,
        };
        let (key, sha256) = (self.key.clone(), config.sha256);
        let (kind, alert) = (kind(&reading.outcome), alert(&reading, &config.file.report.urgent, &id));
        let counts_as = tally::Kind::from(&reading.outcome);
        let is_urgent = alert.as_ref().is_some_and(|alert| alert.kind == AlertKind::UrgentFinding);
        let urgency = if is_urgent { Urgency::Urgent } else { Urgency::Routine };
        let instance_sha256 = instance.instance.sha256;
        let sealed = self
            .blocking(move |store| {
                let mut outcome = None;
                let sequence = store.conclude_and_keep(instance.id, issued, kept.as_ref(), |head| {
                    seal_reading(&reading, &context, sha256, &key, head)
                        .map(|sealed| SealedOutcome { urgency, ..sealed })
                        .inspect(|sealed| outcome = Some(Digest::of(sealed.jws.as_bytes())))
                })?;
                Ok(sequence.zip(outcome))
            })
            .await?;
        os::step("sealed");
        if let Some((sequence, outcome)) = sealed {
            let report_id = id.as_str().into();
            self.audit.note(Event::Sealed { sequence, outcome, report_id, instance: instance_sha256 });
            info!("outcome {sequence} ({id}): {kind}, {} ms", start.elapsed().as_millis());
            self.tally.sealed(counts_as);
        }
        self.sealed.notify_one();
        if let Some(alert) = alert {
            self.alerts.raise(alert);
        }
        Ok(())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StepError> {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        Ok(done.map_err(|panic| StepError::Panicked(panic.to_string()))??)
    }
}

/// `reading` with its texts: from its facts alone, in this process, whatever the reader
/// drafted (promise 8).
async fn written(
    mut reading: report::Reading,
    comparison: Option<&Comparison>,
    reader: Option<&mut Supervised>,
    style: &Report,
) -> report::Reading {
    let sheet = Box::new(write::facts(&mut reading, comparison));
    let draft = match reader {
        Some(reader) => reader.draft(&sheet).await,
        None => Draft::None,
    };
    write::write(reading, *sheet, draft, &Style::of(style))
}

/// How long to rest after an image that took `worked`.
fn rest(heat: Heat, worked: Duration) -> Duration {
    if heat == Heat::Cool { Duration::ZERO } else { worked.min(LONGEST_REST) }
}

/// What the gateway takes from a reader that parsed a stranger's bytes: findings of this
/// very instance, by a bundle that serves, and no words: it writes those itself.
fn believed(mut reading: report::Reading, instance: &StoredInstance, serving: &[BundleIdentity]) -> report::Reading {
    let asked = &instance.instance.sop_instance_uid;
    let answered = reading.study.as_ref().map(|study| &study.sop_instance_uid);
    let credible = match &reading.outcome {
        Outcome::Report(findings) => answered == Some(asked) && serving.contains(&findings.bundle),
        Outcome::Abstention(_) | Outcome::Failure(_) => answered.is_none_or(|answered| answered == asked),
    };
    if !credible {
        let words = "the reader answered for another image or bundle".to_owned();
        return reader::failed(Reason::new(ReasonCode::Internal, words), None);
    }
    (reading.text, reading.written) = (Text::default(), None);
    reading
}

fn kind(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Report(findings) => format!("report by {} {}", findings.bundle.name, findings.bundle.version),
        Outcome::Abstention(reason) => format!("abstention ({})", reason.code.as_str()),
        Outcome::Failure(reason) => format!("failure ({})", reason.code.as_str()),
    }
}

fn read(instance: Digest, outcome: &Outcome, prior: Option<Digest>) -> Event {
    let (outcome, reason, bundle) = match outcome {
        Outcome::Report(findings) => (audit::Outcome::Report, None, Some(findings.bundle.sha256)),
        Outcome::Abstention(reason) => (audit::Outcome::Abstention, Some(reason.code.as_str()), None),
        Outcome::Failure(reason) => (audit::Outcome::Failure, Some(reason.code.as_str()), None),
    };
    Event::Read { instance, outcome, reason, bundle, prior }
}

/// What somebody at the site must be told of this outcome at once.
fn alert(reading: &report::Reading, labels: &[FindingLabel], report_id: &str) -> Option<Alert> {
    let facts = reading.written.as_deref().map(|written| urgent(&written.sheet, labels)).unwrap_or_default();
    if facts.is_empty() {
        return retake(&reading.outcome, report_id);
    }
    Some(Alert {
        kind: AlertKind::UrgentFinding,
        report_id: Some(report_id.to_owned()),
        message: urgent::message(&facts),
    })
}

/// An unfit image is an alert: the patient may still be there for another.
fn retake(outcome: &Outcome, report_id: &str) -> Option<Alert> {
    match outcome {
        Outcome::Abstention(Reason { code: ReasonCode::Unfit, words, unfit }) => Some(Alert {
            kind: AlertKind::RetakeRequested,
            report_id: Some(report_id.to_owned()),
            message: unfit.map_or_else(|| words.clone(), |unfit| format!("{words} ({})", unfit.code())),
        }),
        _ => None,
    }
}

/// Why a step must be tried again.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the reader cannot be started: {0}")]
    Reader(#[from] reader::supervise::ReaderError),
    #[error("a store task panicked: {0}")]
    Panicked(String),
}

impl StepError {
    fn is_full(&self) -> bool {
        matches!(self, Self::Store(e) if e.is_full())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fhir::samples;

    #[test]
    fn an_urgent_finding_raises_an_alert_without_a_word_about_the_patient() {
        let labels = ["effusion", "pneumothorax"].map(|label| FindingLabel::try_from(label.to_owned()).unwrap());
        let raised = alert(&samples::report(), &labels, "the-report").unwrap();
        assert_eq!((raised.kind, raised.report_id.as_deref()), (AlertKind::UrgentFinding, Some("the-report")));
        assert!(raised.message.ends_with("now: effusion: Likely"), "{}", raised.message);
        assert!(!raised.message.contains(samples::PATIENT_ID) && !raised.message.contains("ACC-1"));
        assert_eq!(alert(&samples::report(), &labels[1..], "the-report"), None);
    }

    #[test]
    fn a_warm_board_rests_as_long_as_it_worked_and_not_for_ever() {
        let seconds = Duration::from_secs;
        assert_eq!(rest(Heat::Cool, seconds(9)), Duration::ZERO);
        assert_eq!((rest(Heat::Warm, seconds(9)), rest(Heat::Warm, seconds(60))), (seconds(9), LONGEST_REST));
    }

    #[test]
    fn an_unfit_image_raises_a_retake_and_any_other_abstention_nothing() {
        let of = |code| {
            let reason = Reason::new(code, "the image is blank");
            alert(&samples::reading(Outcome::Abstention(reason), None), &[], "the-report").map(|alert| alert.kind)
        };
        assert_eq!(of(ReasonCode::Unfit), Some(AlertKind::RetakeRequested));
        assert_eq!(of(ReasonCode::NoModel), None);
    }
}
