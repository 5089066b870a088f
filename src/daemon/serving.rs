//! What reads: the reader's process with the bundles that it was started with, and what becomes
//! of both when others are installed, or when new ones fail.
//!
//! A bundle that a pointer newly names is taken over between two images: the old reader ends
//! its image first. Until it has read [`PROVING_READINGS`] images it is on probation: a golden
//! output that it does not reproduce, a reader that dies or a reading that fails brings the
//! bundle before back, which reads that image again. An image that no reader bears does that too:
//! the safe side is the bundle that is known, and the new one can be activated again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use log::{error, info, warn};

use super::{DaemonError, reader_settings};
use crate::audit::{Audit, Event};
use crate::clock::Moment;
use crate::config::{Configuration, File, Name};
use crate::models::{self, BundleName, Choice, Depot, Notice, Pointer, Selection, Source, Standing, Vouching, Which};
use crate::os;
use crate::publish::{Alert, AlertKind, AlertSender};
use crate::pulse::Pulse;
use crate::reader::supervise::{ReaderError, Settings, Supervised};
use crate::report::reading::Outcome;
use crate::store::Store;

/// Readings by which a bundle shows that it can.
const PROVING_READINGS: u32 = 5;
/// How often the depot is looked at while nothing is to be read.
pub const LOOK: Duration = Duration::from_secs(1);

/// What it takes to choose bundles and to start a reader with them.
#[derive(Clone)]
pub struct Models {
    file: File,
    store: Store,
    audit: Audit,
    alerts: AlertSender,
    now: fn() -> Moment,
    /// Of the loop that waits for the reader, whichever that is.
    pulse: Arc<Pulse>,
}

/// The reader and its bundles.
pub struct Serving {
    models: Models,
    settings: Settings,
    reader: Option<Supervised>,
    /// Images that each bundle on probation has read.
    proving: BTreeMap<BundleName, u32>,
    /// Pointers that were tried and could not be followed.
    given_up: Option<BTreeMap<BundleName, Choice>>,
}

/// Whether a reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Stands,
    /// A bundle on probation was taken back: the image is to be read again.
    ReadAgain,
}

impl Serving {
    /// Starts the reader; where an installed bundle cannot serve, with the one before it.
    ///
    /// # Errors
    /// No bundle can be chosen, or no reader starts.
    pub async fn start(models: Models) -> Result<Self, DaemonError> {
        models.write_down_notices().await;
        loop {
            let (settings, error) = match models.selected().await {
                Err(error) => (None, error),
                Ok(selection) => {
                    let settings = models.settings(selection);
                    match Supervised::start(&settings).await {
                        Ok(reader) => return Self::with(models, settings, reader).await,
                        Err(error) => (Some(settings), error.into()),
                    }
                }
            };
            let Some(name) = blamed(&error, settings.as_ref()) else { return Err(error) };
            if !models.bring_back(&name, &error.to_string()).await {
                return Err(error);
            }
        }
    }

    async fn with(models: Models, settings: Settings, reader: Supervised) -> Result<Self, DaemonError> {
        let (store, selection, now) = (models.store.clone(), settings.models.clone(), (models.now)());
        blocking(move || models::raise_floors(&store, &selection, now)).await??;
        super::auditing::note_bundles(&models.audit, reader.identities());
        if reader.fitness.is_empty() {
            warn!("no bundle judges fitness: that an image is upright, whole and of a chest is not checked");
        }
        for missing in &reader.walls.missing {
            warn!("the reader's sandbox is incomplete: {missing}");
        }
        for message in &settings.models.expired {
            models.refuse(message);
        }
        let proving = |(name, pointer): (&BundleName, &Pointer)| {
            (pointer.standing == Standing::Proving && pointer.previous.is_some()).then(|| (name.clone(), 0))
        };
        let proving = settings.models.pointers.iter().filter_map(proving).collect();
        os::step("model-serves");
        Ok(Self { models, settings, reader: Some(reader), proving, given_up: None })
    }

    /// How the reader was started.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What serves.
    pub fn bundles(&self) -> Vec<crate::infer::findings::BundleIdentity> {
        self.settings.models.images.iter().map(|vouched| vouched.identity.clone()).collect()
    }

    /// The reader, a new one where it is dead: that is nobody's strike.
    ///
    /// # Errors
    /// None starts.
    pub async fn living(&mut self) -> Result<&mut Supervised, ReaderError> {
        let mut living = self.reader.take();
        if !living.as_mut().is_some_and(Supervised::is_alive) {
            living = None;
        }
        let reader = if let Some(reader) = living {
            reader
        } else {
            let started = Supervised::start(&self.settings).await?;
            for missing in &started.walls.missing {
                warn!("the new reader's sandbox is incomplete: {missing}");
            }
            started
        };
        Ok(self.reader.insert(reader))
    }

    /// The reader, if there is one.
    pub const fn reader(&mut self) -> Option<&mut Supervised> {
        self.reader.as_mut()
    }

    /// Lets a reader go that is spent.
    pub fn lose(&mut self) {
        self.reader = None;
    }

    /// Looks at the depot: writes down what was done there, and starts a reader with other
    /// bundles where others are to serve. The old one serves until the new one is up.
    pub async fn keep_up(&mut self) {
        self.models.write_down_notices().await;
        let depot = self.models.depot();
        let Ok(Ok(pointers)) = blocking(move || depot.pointers()).await else { return };
        let wanted = chosen(&pointers);
        if wanted == chosen(&self.settings.models.pointers) || self.given_up.as_ref() == Some(&wanted) {
            return;
        }
        info!("other model bundles are to serve: starting a reader with them");
        match Self::start(self.models.clone()).await {
            Ok(started) => {
                let names: Vec<String> =
                    started.bundles().iter().map(|b| format!("{} {}", b.name, b.version)).collect();
                info!("model bundles now: {}", names.join(", "));
                *self = started;
            }
            Err(e) => {
                self.models.refuse(&format!("{e}; what served before serves on"));
                self.given_up = Some(wanted);
            }
        }
    }

    /// Judges the bundles on probation by what came of an image; `Err`: why the reader died.
    pub async fn judge(&mut self, outcome: Result<&Outcome, &str>) -> Verdict {
        let why = match outcome {
            Ok(Outcome::Report(findings)) => {
                self.read_by(&findings.bundle.name).await;
                // What let it pass was proven by it too.
                let fitness: Vec<String> =
                    self.settings.models.fitness.iter().map(|vouched| vouched.identity.name.clone()).collect();
                for name in fitness {
                    self.read_by(&name).await;
                }
                return Verdict::Stands;
            }
            Ok(Outcome::Abstention(_)) => return Verdict::Stands,
            Ok(Outcome::Failure(reason)) => reason.words.clone(),
            Err(died) => format!("the reader died: {died}"),
        };
        let mut taken_back = false;
        for name in std::mem::take(&mut self.proving).into_keys() {
            taken_back |= self.models.bring_back(&name, &format!("one of its first readings failed: {why}")).await;
        }
        if !taken_back {
            return Verdict::Stands;
        }
        self.keep_up().await;
        Verdict::ReadAgain
    }

    /// Counts a reading by the bundle `name`.
    async fn read_by(&mut self, name: &str) {
        let Some((name, count)) = self.proving.iter_mut().find(|(proving, _)| proving.as_str() == name) else { return };
        *count += 1;
        if *count < PROVING_READINGS {
            return;
        }
        let name = name.clone();
        self.proving.remove(&name);
        let Some(pointer) = self.settings.models.pointers.get_mut(&name) else { return };
        pointer.standing = Standing::Proven;
        let (depot, now_proven) = (self.models.depot(), pointer.clone());
        let which = Which::of(&name, &now_proven.active);
        let switched = blocking(move || match depot.pointer(&name)? {
            // Another may have been chosen meanwhile.
            Some(found) if found.active == now_proven.active => depot.switch(&name, &now_proven),
            _ => Ok(()),
        });
        if !matches!(switched.await, Ok(Ok(()))) {
            warn!("model bundle {} {} begins its probation anew after a restart", which.name, which.version);
        }
        info!("model bundle {} {} has read its first {PROVING_READINGS} images", which.name, which.version);
        self.models.audit.note(Event::ModelProven {
            bundle: which.name.into(),
            version: which.version.into(),
            sha256: which.sha256,
        });
    }
}

impl Models {
    /// For a box that is configured so.
    pub fn of(config: &Configuration, store: &Store, audit: &Audit, alerts: &AlertSender, now: fn() -> Moment) -> Self {
        Self {
            file: config.file.clone(),
            store: store.clone(),
            audit: audit.clone(),
            alerts: alerts.clone(),
            now,
            pulse: Arc::default(),
        }
    }

    fn depot(&self) -> Depot {
        Depot::of(&self.file.device.state_dir)
    }

    async fn selected(&self) -> Result<Selection, DaemonError> {
        let (file, store, now) = (self.file.clone(), self.store.clone(), (self.now)());
        blocking(move || {
            let source = source(&file, models::floors(store.model_floors()?))?;
            Ok(models::select(&source, file.reader.writer.as_ref().map(Name::as_str), now, None)?)
        })
        .await?
    }

    fn settings(&self, selection: Selection) -> Settings {
        let spool = Store::spool_of(&self.file.device.state_dir);
        Settings { pulse: Arc::clone(&self.pulse), ..reader_settings(&self.file.reader, selection, vec![spool]) }
    }

    /// Lets the bundle before `name`'s serve again; true where there is one.
    async fn bring_back(&self, name: &BundleName, why: &str) -> bool {
        let (depot, of, because) = (self.depot(), name.clone(), format!("automatic rollback: {why}"));
        let switched = blocking(move || {
            let Some(pointer) = depot.pointer(&of)? else { return Ok(None) };
            let Some(back) = pointer.back(&because) else { return Ok(None) };
            depot.switch(&of, &back)?;
            os::step("model-back");
            Ok::<_, models::Refusal>(Some((pointer.active, back.active)))
        });
        match switched.await {
            Ok(Ok(Some((from, to)))) => {
                let words =
                    format!("model bundle {name} {} is taken back, {} serves again: {why}", from.version, to.version);
                error!("{words}");
                self.alerts.raise(Alert { kind: AlertKind::ModelRefused, report_id: None, message: words });
                self.audit.note(Event::ModelRolledBack {
                    bundle: name.as_str().into(),
                    version: to.version.to_string().into(),
                    sha256: to.sha256,
                    from: Some(from.version.to_string().into()),
                    why: Some(why.into()),
                });
                true
            }
            Ok(Err(models::Refusal::Io { path, source })) => {
                error!("model bundle {name} cannot be taken back: {}: {source}", path.display());
                false
            }
            // There is none to go back to.
            Ok(_) | Err(_) => false,
        }
    }

    fn refuse(&self, why: &str) {
        error!("{why}");
        self.alerts.raise(Alert { kind: AlertKind::ModelRefused, report_id: None, message: why.to_owned() });
        self.audit.note(Event::ModelRefused { why: why.into() });
    }

    /// Writes down what `residentd model` did.
    async fn write_down_notices(&self) {
        let depot = self.depot();
        let Ok(Ok(notices)) = blocking(move || depot.noticed()).await else { return };
        for (path, notice) in notices {
            if let Notice::Refused(why) = &notice {
                let message = format!("a model bundle was not installed: {why}");
                self.alerts.raise(Alert { kind: AlertKind::ModelRefused, report_id: None, message });
            }
            self.audit.note(event(notice));
            let depot = self.depot();
            if let Ok(Err(e)) = blocking(move || depot.forget(&path)).await {
                warn!("{e}");
            }
        }
    }
}

/// Where the bundles of a box come from that is configured so.
///
/// # Errors
/// Nobody is trusted.
pub fn source(file: &File, floors: models::Floors) -> Result<Source, models::ModelsError> {
    let vouching = Vouching::load(&file.models.trust)?;
    let depot = Some(Depot::of(&file.device.state_dir));
    let research = file.reader.research();
    Ok(Source { shipped: file.reader.models_dir.clone(), depot, floors, vouching, research })
}

/// The installed bundle that keeps a reader from starting.
fn blamed(error: &DaemonError, settings: Option<&Settings>) -> Option<BundleName> {
    match error {
        DaemonError::Models(models::ModelsError::Refused { installed, .. }) => installed.as_deref().cloned(),
        DaemonError::Reader(ReaderError::Unusable { bundle: Some(bundle), .. }) => {
            let name: BundleName = bundle.parse().ok()?;
            settings?.models.pointers.contains_key(&name).then_some(name)
        }
        // It died while it loaded: the newest comer is the likeliest.
        DaemonError::Reader(ReaderError::NotReady(_)) => {
            let pointers = settings?.models.pointers.iter();
            pointers.filter(|(_, pointer)| pointer.standing == Standing::Proving).map(|(name, _)| name.clone()).next()
        }
        _ => None,
    }
}

fn chosen(pointers: &BTreeMap<BundleName, Pointer>) -> BTreeMap<BundleName, Choice> {
    pointers.iter().map(|(name, pointer)| (name.clone(), pointer.active.clone())).collect()
}

fn event(notice: Notice) -> Event {
    match notice {
        Notice::Installed(Which { name, version, sha256 }, by) => {
            Event::ModelInstalled { bundle: name.into(), version: version.into(), sha256, signed_by: by.0.into() }
        }
        Notice::Activated(Which { name, version, sha256 }, change) => Event::ModelActivated {
            bundle: name.into(),
            version: version.into(),
            sha256,
            from: change.from.map(Into::into),
            below_floor: change.why.map(Into::into),
        },
        Notice::RolledBack(Which { name, version, sha256 }, change) => Event::ModelRolledBack {
            bundle: name.into(),
            version: version.into(),
            sha256,
            from: change.from.map(Into::into),
            why: change.why.map(Into::into),
        },
        Notice::Refused(why) => Event::ModelRefused { why: why.into() },
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, DaemonError> {
    tokio::task::spawn_blocking(work).await.map_err(|panic| DaemonError::Ended("a task", panic.to_string()))
}
