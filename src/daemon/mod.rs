//! The daemon: wires ingest, store, reader, seal and publisher, and decides nothing else.
//!
//! One of the two files that know everything (the other is `reader::resident`). Channels
//! and bells only say that there is work; the work itself is always in the store.

mod auditing;
mod comparing;
mod isolate;
mod judge;
mod lock;
mod minding;
mod probe;
mod reach;
mod reading;
mod reload;
mod retention;
mod room;
mod serving;
mod tally;
mod telemetry;
pub mod trial;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use log::{info, warn};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub use auditing::KEY_CREDENTIAL;
pub use lock::{Holder, StateLock, holder};
pub use reach::reach;
pub use reload::{NotReloaded, Reload};
pub use serving::source;

use minding::Minding;

use crate::audit::{AuditError, Event, Writer};
use crate::board::{Board, Root};
use crate::clock::Moment;
use crate::config::{Configuration, File, Name, Reader};
use crate::ingest::{IngestError, Listener};
use crate::models::{self, ModelsError, Selection};
use crate::os;
use crate::publish::{self, PublishError, Publisher};
use crate::pulse::{Part, Watch};
use crate::reader::supervise::{ReaderError, Settings};
use crate::seal::key::KeyError;
use crate::store::{self, Store, StoreError};

/// Why the daemon could not start, or stopped.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each stage's own error says it")]
pub enum DaemonError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Models(#[from] ModelsError),
    #[error("models: {0}")]
    Reader(#[from] ReaderError),
    #[error("{path}: {message}")]
    Lock { path: PathBuf, message: String },
    #[error("state folder {path}: {source}; it must belong to the user that runs residentd (chown)")]
    State { path: PathBuf, source: std::io::Error },
    #[cfg(feature = "broker")]
    #[error(transparent)]
    Broker(#[from] publish::BrokerError),
    #[error("{0} ended unexpectedly: {1}")]
    Ended(&'static str, String),
}

/// A daemon whose parts are all up: it answers on its port once [`Daemon::run`] is polled.
pub struct Daemon {
    tasks: JoinSet<(&'static str, Result<(), String>)>,
    stop: watch::Sender<bool>,
    address: SocketAddr,
    watch: Watch<'static>,
    audit: Writer,
    reload: Reload,
    _lock: lock::StateLock,
    #[cfg(feature = "broker")]
    _broker: Option<publish::EmbeddedBroker>,
}

impl Daemon {
    /// Brings every part up, in the order in which a failure costs least. `now` is the
    /// one clock that all of them read.
    ///
    /// # Errors
    /// The first part that cannot start; nothing runs then.
    pub async fn start(config: &Configuration, now: fn() -> Moment) -> Result<Self, DaemonError> {
        let File { device, dicom, mqtt, .. } = &config.file;
        let state_lock = lock::StateLock::take(&device.state_dir)?;
        let (alerts, alerts_out) = publish::alert_channel();
        let auditing::Begun { writer, after, key } = auditing::begin(device, now, &alerts)?;
        let audit = writer.audit();
        let store = Store::open(&device.state_dir)?;
        os::step("opened");
        if let Err(e) = store.reserve().keep(store::RESERVE_BYTES) {
            warn!("storing is refused until there is room for a reserve in {}: {e}", device.state_dir.display());
        }
        let key = auditing::note_start(&audit, after, &store, config, key)?;
        let swept = store.sweep()?;
        os::step("swept");
        if swept > 0 {
            info!("removed {swept} files that were still being received when the power went");
        }
        let models = serving::Models::of(config, &store, &audit, &alerts, now);
        let serving = serving::Serving::start(models).await?;
        os::step("reader-up");
        #[cfg(feature = "broker")]
        let broker = config.file.broker.as_ref().map(|b| publish::EmbeddedBroker::start(b.listen)).transpose()?;
        let listener = Listener::bind(dicom, now)?;
        let (address, room) = (listener.local_addr(), listener.room());
        os::step("listening");

        let (stop, stopped) = watch::channel(false);
        let (received, sealed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let mut publisher = Publisher::new(mqtt, device, key.id(), store.clone(), sealed.clone(), alerts_out, now)?
            .audited(audit.clone())
            .known_before_as(auditing::earlier_keys(&store, key.id())?);
        if let Some(receiver) = &config.file.receiver {
            publisher = publisher.believing(receiver)?;
        }
        let (minding, minded) =
            Minding::new(config, &listener, &publisher, &store, alerts.clone(), serving.settings().memory_bytes, now);
        let publisher = publisher.telling(minded.telemetry);

        let days = config.file.retention.comparison_days;
        let (config, live) = watch::channel(Arc::new(config.clone()));
        let reload = Reload { config, ingest: listener.settings(), audit: audit.clone() };

        let (ingest, reading, publishing) = (listener.pulse(), serving.settings().pulse.clone(), publisher.state());
        let watch = Watch::new(vec![
            Part::new("ingest", move || ingest.beats()),
            Part::new("the reading loop", move || reading.beats()),
            Part::new("the publisher", move || publishing.pulse().beats()),
            Part::new("the store", probe::beats_of(store.clone())),
        ]);

        let mut tasks = JoinSet::new();
        let (s, b, a, st) = (store.clone(), received.clone(), audit.clone(), stopped.clone());
        tasks.spawn(async move {
            listener.serve(s, b, a, st).await;
            ("ingest", Ok(()))
        });
        let st = stopped.clone();
        tasks.spawn(async move {
            publisher.run(st).await;
            ("publish", Ok(()))
        });
        let (a, st) = (alerts.clone(), stopped.clone());
        tasks.spawn(async move {
            room::tell(room, a, st).await;
            ("room", Ok(()))
        });
        tasks.spawn(minding.run(stopped.clone()));
        let comparing = Arc::new(comparing::Comparing::new(&key, days));
        let reading = reading::Reading {
            store: store.clone(),
            pulse: serving.settings().pulse.clone(),
            key,
            config: live.clone(),
            audit: audit.clone(),
            alerts,
            sealed,
            comparing,
            tally: minded.tally,
            heat: minded.heat,
            now,
        };
        let st = stopped.clone();
        tasks.spawn(async move { ("reading", Box::pin(reading.run(serving, received, st)).await) });
        tasks.spawn(async move {
            retention::run(store, audit, live, now, stopped).await;
            ("retention", Ok(()))
        });
        Ok(Self {
            tasks,
            stop,
            address,
            watch,
            audit: writer,
            reload,
            _lock: state_lock,
            #[cfg(feature = "broker")]
            _broker: broker,
        })
    }

    /// Where the storage SCP listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What reads the configuration again while it runs.
    #[must_use]
    pub fn reload(&self) -> Reload {
        self.reload.clone()
    }

    /// Runs until `until` resolves, then stops every part in order. While it runs,
    /// `alive` is called every second in which every part makes progress.
    ///
    /// # Errors
    /// A part ended that must not.
    pub async fn run(mut self, until: impl Future<Output = ()>, alive: impl FnMut()) -> Result<(), DaemonError> {
        let ended = tokio::select! {
            () = until => None,
            () = self.watch.run(alive) => None,
            ended = self.tasks.join_next() => Some(ended),
        };
        if ended.is_none() {
            self.audit.audit().note(Event::Stopping);
        }
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        match ended {
            None => {
                self.audit.close();
                Ok(())
            }
            Some(Some(Ok((part, result)))) => {
                Err(DaemonError::Ended(part, result.err().unwrap_or_else(|| "no reason given".into())))
            }
            Some(Some(Err(panic))) => Err(DaemonError::Ended("a part", panic.to_string())),
            Some(None) => Err(DaemonError::Ended("everything", "no part was running".into())),
        }
    }
}

/// The model bundles that serve on a box that is configured so, none older than `floors` says.
///
/// # Errors
/// Nobody is trusted, or a bundle may not serve.
pub fn selected(file: &File, floors: models::Floors, now: Moment) -> Result<Selection, ModelsError> {
    let source = serving::source(file, floors)?;
    models::select(&source, file.reader.writer.as_ref().map(Name::as_str), now, None)
}

/// What the reader gets of the configuration; the board says what it does not.
#[must_use]
pub fn reader_settings(reader: &Reader, models: Selection, image_dirs: Vec<PathBuf>) -> Settings {
    let root = Root::machine();
    let board = Board::detect(&root);
    let configured = reader.memory_mib.map(|mib| u64::from(mib) * 1024 * 1024);
    Settings {
        models,
        image_dirs,
        memory_bytes: configured.unwrap_or_else(|| board.reader_memory_bytes(&root)),
        cpus: board.facts.cpu.reader.as_ref().map_or_else(Vec::new, |cpus| cpus.numbers().to_vec()),
        time_limit: reader.time_limit_s.duration(),
        pulse: Arc::default(),
    }
}
