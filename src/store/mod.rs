//! The one durable store: instances, outcomes, deliveries and, as the last outcome, the chain head.
//!
//! Invariants, each kept by SQL constraints and one transaction:
//! 1. One row an SOP Instance UID; the file is in place and durable before the row is.
//! 2. One outcome an instance; an outcome is written together with its sequence and hash. An
//!    event of the device is a link like an outcome, of no instance.
//! 3. Sequences start at 1 and have no gap; `previous` is the hash of the outcome before.
//! 4. An outcome's bytes are never updated.
//! 5. An outcome is in the outbox until a delivery row says how it left; both change in one step.
//! 6. An image is deleted after the row says that it is not kept, and only where its
//!    outcome was delivered.

mod floors;
mod glance;
mod instances;
mod outbox;
mod outcomes;
mod priors;
#[cfg(test)]
mod priors_tests;
pub mod quarantine;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use crate::os::disk::reserve::Reserve;
use crate::os::disk::{self, Disk, sqlite};
pub use glance::{Counts, Delivery, Fate, Glance};
pub use instances::{Accepted, NewInstance, StoredInstance};
pub use outbox::{Queue, Receipted, Required};
pub use outcomes::{Head, Outgoing, SealedOutcome, Urgency};
pub use priors::{Comparable, NewPrior, StoredPrior, Taken};

/// The schema, step by step: `PRAGMA user_version` says how many steps a database has
/// taken. A step that was shipped is never edited; a change is a new one at the end.
const MIGRATIONS: [&str; 8] = [
    INSTANCES_OUTCOMES_DELIVERIES,
    DELIVERIES_KNOW_THEIR_CLOCK,
    OUTBOX_AND_RECEIPTS,
    PRIORS,
    RETENTION,
    STRUCK_WAIT_A_WHILE,
    EVENTS_OF_THE_DEVICE,
    MODEL_FLOORS,
];
/// Version of a database that has taken every step.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len().cast_signed() as i64;
/// How long a writer waits for another process (`residentd check`) to finish.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Images are patient data: the folders are for the daemon's user, and its group to list.
const FOLDER_MODE: u32 = 0o750;
/// What is kept free for outcomes, chain and audit when others have filled the disk: a
/// write-ahead log at its usual 4 MiB twice, and more than a thousand outcomes.
pub const RESERVE_BYTES: u64 = 32 * 1024 * 1024;

const INSTANCES_OUTCOMES_DELIVERIES: &str = "
CREATE TABLE instances (
    id INTEGER PRIMARY KEY,
    sop_instance_uid TEXT NOT NULL UNIQUE,
    sop_class_uid TEXT NOT NULL,
    transfer_syntax_uid TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    calling_ae TEXT NOT NULL,
    received_unix_ms INTEGER NOT NULL,
    received_synchronised INTEGER NOT NULL,
    strikes INTEGER NOT NULL DEFAULT 0,
    concluded INTEGER NOT NULL DEFAULT 0,
    image_kept INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX instances_unread ON instances(id) WHERE concluded = 0;
CREATE TABLE outcomes (
    sequence INTEGER PRIMARY KEY,
    instance_id INTEGER NOT NULL UNIQUE REFERENCES instances(id),
    report_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    jws TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    sealed_unix_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE deliveries (
    sequence INTEGER PRIMARY KEY REFERENCES outcomes(sequence),
    proof TEXT NOT NULL,
    delivered_unix_ms INTEGER NOT NULL
) STRICT;
";

/// What the clock of a delivery's stamp was worth; indices in the order in which the next
/// unread and the images that are still here are asked for.
const DELIVERIES_KNOW_THEIR_CLOCK: &str = "
ALTER TABLE deliveries ADD COLUMN delivered_synchronised INTEGER NOT NULL DEFAULT 1;
CREATE INDEX deliveries_unsynchronised ON deliveries(sequence) WHERE delivered_synchronised = 0;
CREATE INDEX instances_kept ON instances(id) WHERE image_kept = 1;
DROP INDEX instances_unread;
CREATE INDEX instances_unread ON instances(strikes, id) WHERE concluded = 0;
";

/// The outbox as a table of its own: however many outcomes were delivered, only those that
/// wait are looked at. Who receipted is kept, where every receiver has to.
const OUTBOX_AND_RECEIPTS: &str = "
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY REFERENCES outcomes(sequence),
    urgency INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO outbox (sequence) SELECT sequence FROM outcomes WHERE sequence NOT IN (SELECT sequence FROM deliveries);
CREATE INDEX outbox_by_urgency ON outbox(urgency, sequence);
CREATE TABLE receipts (
    sequence INTEGER NOT NULL REFERENCES outcomes(sequence),
    receiver TEXT NOT NULL,
    receipted_unix_ms INTEGER NOT NULL,
    PRIMARY KEY (sequence, receiver)
) STRICT, WITHOUT ROWID;
CREATE INDEX instances_by_sha256 ON instances(sha256);
";

/// Past results for comparison. `patient` and `study` are pseudonyms that only the device's
/// key can make, and no other column says who it is.
const PRIORS: &str = "
CREATE TABLE priors (
    sequence INTEGER PRIMARY KEY,
    patient BLOB NOT NULL,
    study BLOB NOT NULL,
    kind TEXT NOT NULL,
    region TEXT NOT NULL,
    view TEXT NOT NULL,
    taken_day TEXT NOT NULL,
    taken_unix_ms INTEGER,
    bundle_sha256 BLOB NOT NULL,
    outcome_sha256 BLOB NOT NULL,
    kept_unix_ms INTEGER NOT NULL,
    kept_synchronised INTEGER NOT NULL,
    seen TEXT NOT NULL
) STRICT;
CREATE INDEX priors_by_patient ON priors(patient, taken_day);
CREATE INDEX priors_by_age ON priors(kept_unix_ms);
";

/// Images that may go, in the order in which they do: retention reads no others.
const RETENTION: &str = "
DROP INDEX instances_kept;
ALTER TABLE deliveries ADD COLUMN image_retired INTEGER NOT NULL DEFAULT 0;
UPDATE deliveries SET image_retired = 1 WHERE sequence IN
    (SELECT o.sequence FROM outcomes o JOIN instances i ON i.id = o.instance_id WHERE i.image_kept = 0);
CREATE INDEX deliveries_to_retire ON deliveries(delivered_unix_ms) WHERE image_retired = 0;
";

/// The order of the unread: a strike lets sixteen others go first, not all that may ever come.
const STRUCK_WAIT_A_WHILE: &str = "
DROP INDEX instances_unread;
CREATE INDEX instances_unread ON instances(id + strikes * 16) WHERE concluded = 0;
";

/// Links of the chain that are about the device and no instance: its key was handed over, or
/// it was decommissioned.
const EVENTS_OF_THE_DEVICE: &str = "
ALTER TABLE outcomes ALTER COLUMN instance_id DROP NOT NULL;
CREATE INDEX outcomes_of_the_device ON outcomes(sequence) WHERE instance_id IS NULL;
";

/// The newest version of each model bundle that ever served.
const MODEL_FLOORS: &str = "
CREATE TABLE model_floors (
    name TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    raised_unix_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `SQLite` refused or failed.
    #[error("store {path}: {source}")]
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// The database was written by another version.
    #[error(
        "store {path} has schema {found}, this residentd knows {SCHEMA_VERSION}: use the residentd that wrote it, or move the folder away"
    )]
    Schema {
        /// The database file.
        path: PathBuf,
        /// What it says it is.
        found: i64,
    },
    /// A folder could not be made or synced.
    #[error("store folder {path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Sealing failed, so nothing was stored.
    #[error("sealing: {0}")]
    Seal(String),
    /// A stored value is not what the schema promises.
    #[error("store {path}: row {row} is damaged: {what}")]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// Which row.
        row: i64,
        /// What is wrong.
        what: String,
    },
}

impl StoreError {
    /// True where the disk is full, so that waiting may help (class *busy*).
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => sqlite::is_full_disk(source),
            Self::Folder { source, .. } => disk::is_full(source),
            _ => false,
        }
    }
}

/// A handle on the store; clones share one connection. Calls block on the disk:
/// from async code call them through `tokio::task::spawn_blocking`.
#[derive(Clone)]
pub struct Store {
    connection: Arc<Mutex<Connection>>,
    folder: Arc<Path>,
    disk: Disk,
    reserve: Arc<Reserve>,
    /// The disk failed under the log, which must be started anew before it goes on.
    suspect: Arc<AtomicBool>,
}

impl Store {
    /// Opens or makes the store in `folder` (`residentd.sqlite` and `spool/` below it).
    ///
    /// # Errors
    /// The folder cannot be made, `SQLite` fails, or another version wrote it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_on(Disk::Real, folder)
    }

    /// As [`Store::open`], on another disk. What an older run kept in reserve is used where
    /// the disk is full: the outcomes of what was accepted must not wait for room.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(disk: Disk, folder: &Path) -> Result<Self, StoreError> {
        let reserve = Arc::new(Reserve::new(disk.clone(), folder.join("reserve")));
        let connection = reserve.spending(StoreError::is_full, || connect(&disk, folder))?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            folder: folder.into(),
            disk,
            reserve,
            suspect: Arc::default(),
        })
    }

    /// Where the store writes, for what is written beside it.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The room that is kept for outcomes, chain and audit.
    #[must_use]
    pub fn reserve(&self) -> &Reserve {
        &self.reserve
    }

    /// Where instance files live.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        Self::spool_of(&self.folder)
    }

    /// Where instance files live in the state folder `folder`.
    #[must_use]
    pub fn spool_of(folder: &Path) -> PathBuf {
        folder.join("spool")
    }

    /// Where files live that are still being received.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        self.spool().join("incoming")
    }

    /// Returns once the connection could be had and a change could have been made.
    ///
    /// # Errors
    /// `SQLite` failed: that too is an answer.
    pub fn probe(&self) -> Result<(), StoreError> {
        self.lock().execute_batch("BEGIN IMMEDIATE; ROLLBACK;").map_err(|e| self.sqlite(e))
    }

    /// The connection; a panic elsewhere does not make it unusable, since every
    /// change is one transaction that the panic rolled back.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, for a change. After the disk failed, the log is started anew first:
    /// a commit behind what was not synced could be lost with it.
    fn writing(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        let connection = self.lock();
        if self.suspect.load(Relaxed) {
            self.restart_log(&connection)?;
        }
        Ok(connection)
    }

    fn restart_log(&self, connection: &Connection) -> Result<(), StoreError> {
        sqlite::restart_log(connection).map_err(|e| self.sqlite(e))?;
        self.suspect.store(false, Relaxed);
        Ok(())
    }

    /// Does work that must go on when the disk is full.
    fn spending<T>(&self, work: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.reserve.spending(StoreError::is_full, work)
    }

    fn sqlite(&self, source: rusqlite::Error) -> StoreError {
        if sqlite::is_io(&source) {
            self.suspect.store(true, Relaxed);
        }
        StoreError::Sqlite { path: self.folder.join("residentd.sqlite"), source }
    }

    fn damaged(&self, row: i64, what: &impl ToString) -> StoreError {
        StoreError::Damaged { path: self.folder.join("residentd.sqlite"), row, what: what.to_string() }
    }
}

/// Makes the folders, and opens or makes the database.
fn connect(disk: &Disk, folder: &Path) -> Result<Connection, StoreError> {
    let spool = Store::spool_of(folder);
    for made in [folder, &spool, &spool.join("incoming")] {
        let io = |source| StoreError::Folder { path: made.to_owned(), source };
        disk.make_folders(made, FOLDER_MODE).map_err(io)?;
    }
    let path = folder.join("residentd.sqlite");
    let (connection, version) = sqlite::open(disk, &path)
        .and_then(|c| prepare(&c).map(|version| (c, version)))
        .map_err(|source| StoreError::Sqlite { path: path.clone(), source })?;
    if version == SCHEMA_VERSION { Ok(connection) } else { Err(StoreError::Schema { path, found: version }) }
}

/// Sets the durability that the promises rest on, and makes the schema on first use.
fn prepare(connection: &Connection) -> rusqlite::Result<i64> {
    sqlite::write_ahead(connection, BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Sorting never leaves the store for a temporary file on another, fuller disk.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let version = |c: &Connection| c.pragma_query_value(None, "user_version", |row| row.get(0));
    let taken: i64 = version(connection)?;
    for (step, sql) in (1..).zip(MIGRATIONS).skip(usize::try_from(taken).unwrap_or(MIGRATIONS.len())) {
        connection.execute_batch(&format!("BEGIN IMMEDIATE;{sql}PRAGMA user_version = {step};COMMIT;"))?;
    }
    version(connection)
}
