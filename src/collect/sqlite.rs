//! One row an outcome, in a database that several collectors may share: what decides whether an
//! outcome fits and what keeps it are one transaction.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};

use super::checkpoints::{Last, MAX_CHECKPOINTS, Noted, Vouched, half, place};
use super::shelf::{Genuine, Kept, Neighbours, ShelfError};
use crate::clock::Moment;
use crate::digest::Digest;
use crate::os::disk::sqlite::write_ahead;

/// How long a collector waits for another one's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Sequences looked at in one query.
const LOOK: u32 = 1000;
const VERSION: i64 = 1;
/// Most hand-overs that are read: far more than any hospital's devices make.
const MAX_HAND_OVERS: u32 = 100_000;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS outcomes (
    device TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    previous BLOB NOT NULL,
    report_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    received_unix_ms INTEGER NOT NULL,
    jws TEXT NOT NULL,
    PRIMARY KEY (device, sequence)
) STRICT;
";

/// Beside the schema's version: a collector that does not know it does no harm to it. Of
/// checkpoints in order of arrival, `stays` where no later one takes its place.
const BESIDE: &str = "
CREATE INDEX IF NOT EXISTS outcomes_hand_overs ON outcomes(device, sequence) WHERE kind = 'key-handed-over';
CREATE TABLE IF NOT EXISTS checkpoints (
    device TEXT NOT NULL,
    seq INTEGER NOT NULL,
    half_head TEXT NOT NULL,
    received_unix_ms INTEGER NOT NULL,
    stays INTEGER NOT NULL,
    jws TEXT NOT NULL,
    PRIMARY KEY (device, seq, half_head)
) STRICT;
";

/// A database of outcomes.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    path: PathBuf,
}

impl Database {
    pub(super) fn open(path: &Path) -> Result<Self, ShelfError> {
        let failed = |source| error(path, source);
        let connection = Connection::open(path).map_err(failed)?;
        let version = prepare(&connection).map_err(failed)?;
        if version != VERSION {
            let what = format!("its schema is {version}, not {VERSION}");
            return Err(ShelfError::Damaged { path: path.to_owned(), what });
        }
        Ok(Self { connection, path: path.to_owned() })
    }

    pub(super) fn keep(&mut self, outcomes: &[Genuine], now: Moment) -> Result<Vec<Kept>, ShelfError> {
        let kept = keep(&mut self.connection, outcomes, now);
        kept.map_err(|source| error(&self.path, source))
    }

    pub(super) fn keep_checkpoint(&mut self, vouched: &Vouched, now: Moment) -> Result<Noted, ShelfError> {
        keep_checkpoint(&mut self.connection, vouched, now).map_err(|source| error(&self.path, source))
    }

    pub(super) fn first_missing(
        &self,
        device: &str,
        through: u64,
        last: u64,
    ) -> Result<(u64, Option<(u64, u64)>), ShelfError> {
        self.look(device, through, last).map_err(|source| error(&self.path, source))
    }

    pub(super) fn hand_overs(&self) -> Result<Vec<String>, ShelfError> {
        let query = "SELECT jws FROM outcomes WHERE kind = 'key-handed-over' ORDER BY device, sequence LIMIT ?1";
        let found = self
            .connection
            .prepare(query)
            .and_then(|mut query| query.query_map([MAX_HAND_OVERS], |row| row.get(0))?.collect());
        found.map_err(|source| error(&self.path, source))
    }

    fn look(&self, device: &str, mut through: u64, last: u64) -> rusqlite::Result<(u64, Option<(u64, u64)>)> {
        let mut query = self
            .connection
            .prepare("SELECT sequence FROM outcomes WHERE device = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3")?;
        loop {
            let found = query
                .query_map(params![device, through.cast_signed(), LOOK], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<i64>>>()?;
            for sequence in found.iter().map(|sequence| sequence.cast_unsigned()) {
                if sequence != through + 1 {
                    return Ok((through, Some((through + 1, sequence - 1))));
                }
                through = sequence;
            }
            if found.len() < LOOK as usize {
                return Ok((through, (last > through).then_some((through + 1, last))));
            }
        }
    }
}

fn error(path: &Path, source: rusqlite::Error) -> ShelfError {
    ShelfError::Sqlite { path: path.to_owned(), source: source.into() }
}

fn prepare(connection: &Connection) -> rusqlite::Result<i64> {
    write_ahead(connection, BUSY_TIMEOUT)?;
    let version = |c: &Connection| c.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    if version(connection)? == 0 {
        // Two collectors may start at once: the second finds it made.
        connection.execute_batch(&format!("BEGIN IMMEDIATE;{SCHEMA}PRAGMA user_version = {VERSION};COMMIT;"))?;
    }
    let found = version(connection)?;
    if found == VERSION {
        connection.execute_batch(&format!("BEGIN IMMEDIATE;{BESIDE}COMMIT;"))?;
    }
    Ok(found)
}

fn keep(connection: &mut Connection, outcomes: &[Genuine], now: Moment) -> rusqlite::Result<Vec<Kept>> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut kept = Vec::new();
    for Genuine { device, link, jws } in outcomes {
        let judged = neighbours(&tx, device, link.seq())?.judge(link);
        if judged == Kept::New {
            tx.prepare("INSERT INTO outcomes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(params![
                device,
                link.seq().cast_signed(),
                link.sha256().as_bytes(),
                link.prev().as_bytes(),
                link.id(),
                link.kind(),
                now.unix_ms,
                jws,
            ])?;
        }
        kept.push(judged);
    }
    crate::os::step("kept-unfinished");
    tx.commit()?;
    Ok(kept)
}

fn keep_checkpoint(connection: &mut Connection, vouched: &Vouched, now: Moment) -> rusqlite::Result<Noted> {
    let Vouched { checkpoint, jws } = vouched;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let last = last_checkpoint(&tx, &checkpoint.kid)?;
    let Some(placing) = place(last.as_ref(), checkpoint, now) else { return Ok(Noted::Known) };
    let added = tx.prepare("INSERT OR IGNORE INTO checkpoints VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        checkpoint.kid,
        checkpoint.seq.cast_signed(),
        half(checkpoint),
        now.unix_ms,
        placing.last.stays,
        jws
    ])?;
    if let Some(before) = last.filter(|_| placing.replaces && added > 0) {
        tx.prepare("DELETE FROM checkpoints WHERE device = ?1 AND seq = ?2 AND half_head = ?3")?.execute(params![
            checkpoint.kid,
            before.seq.cast_signed(),
            before.head
        ])?;
    }
    tx.commit()?;
    Ok(if added > 0 { placing.noted } else { Noted::Known })
}

fn last_checkpoint(tx: &Transaction, device: &str) -> rusqlite::Result<Option<Last>> {
    tx.prepare(
        "SELECT seq, half_head, stays, (SELECT max(received_unix_ms) FROM checkpoints WHERE device = ?1 AND stays)
         FROM checkpoints WHERE device = ?1 ORDER BY rowid DESC LIMIT 1",
    )?
    .query_row([device], |row| {
        Ok(Last {
            seq: row.get::<_, i64>(0)?.cast_unsigned(),
            head: row.get(1)?,
            stays: row.get(2)?,
            stayed_unix_ms: row.get::<_, Option<i64>>(3)?.unwrap_or(0),
        })
    })
    .optional()
}

/// The checkpoints that are kept of `device` in the database at `path`, oldest line first.
pub(super) fn checkpoints(path: &Path, device: &str) -> Result<Vec<String>, ShelfError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let mut query = connection.prepare("SELECT jws FROM checkpoints WHERE device = ?1 ORDER BY seq LIMIT ?2")?;
        let most = i64::try_from(MAX_CHECKPOINTS).unwrap_or(i64::MAX);
        query.query_map(params![device, most], |row| row.get(0))?.collect()
    };
    read().map_err(|source| error(path, source))
}

fn neighbours(tx: &Transaction, device: &str, sequence: u64) -> rusqlite::Result<Neighbours> {
    let digest = |column: &str, sequence: u64| {
        tx.prepare(&format!("SELECT {column} FROM outcomes WHERE device = ?1 AND sequence = ?2"))?
            .query_row(params![device, sequence.cast_signed()], |row| row.get(0).map(Digest::from_bytes))
            .optional()
    };
    Ok(Neighbours {
        own: digest("sha256", sequence)?,
        before: digest("sha256", sequence - 1)?,
        named_after: digest("previous", sequence + 1)?,
    })
}
