//! The store as the doctor sees it, while the daemon uses it or not: read only, so that
//! looking changes nothing, and no file is left behind that the daemon could not open.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use super::{Outgoing, SCHEMA_VERSION, StoreError, floors};
use crate::instance::uid::Uid;
use crate::os::disk::sqlite;

/// A read-only handle.
pub struct Glance {
    connection: Connection,
    path: PathBuf,
}

/// What is in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Outcomes ever sealed.
    pub outcomes: u64,
    /// Images that have none yet.
    pub unread: u64,
    /// Outcomes that nobody has taken.
    pub undelivered: u64,
    /// When the last one was sealed.
    pub last_sealed_unix_ms: Option<i64>,
    /// When the oldest undelivered one was.
    pub oldest_waiting_unix_ms: Option<i64>,
}

/// What became of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// Place of its outcome in the chain.
    pub sequence: u64,
    /// Its outcome as it was sealed.
    pub jws: String,
    /// On whose word it left the outbox, if it did: `receipt` or `broker-ack`.
    pub proof: Option<String>,
}

/// How an outcome was last delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `receipt` or `broker-ack`.
    pub proof: String,
    /// When.
    pub delivered_unix_ms: i64,
}

impl Glance {
    /// Opens the store in `folder`. `in_use` says whether a daemon has it open: one that
    /// nobody has, and that was closed in order, is read without even a lock.
    ///
    /// # Errors
    /// `SQLite` cannot open it, or another version wrote it.
    pub fn at(folder: &Path, in_use: bool) -> Result<Self, StoreError> {
        let path = folder.join("residentd.sqlite");
        let log = folder.join("residentd.sqlite-wal");
        let whole = !in_use && std::fs::metadata(log).map_or(true, |log| log.len() == 0);
        let sqlite = |source| StoreError::Sqlite { path: path.clone(), source };
        let connection = sqlite::open_to_read(&path, whole).map_err(sqlite)?;
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sqlite)?;
        if found != SCHEMA_VERSION {
            return Err(StoreError::Schema { path, found });
        }
        Ok(Self { connection, path })
    }

    /// What `SQLite` finds wrong with the file; `None`: nothing.
    ///
    /// # Errors
    /// It cannot even be read.
    pub fn quick_check(&self) -> Result<Option<String>, StoreError> {
        let said: String = self.one("PRAGMA quick_check(1)")?.unwrap_or_default();
        Ok((said != "ok").then_some(said))
    }

    /// What is in it.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        let count = |query| Ok(self.one::<i64>(query)?.unwrap_or(0).cast_unsigned());
        Ok(Counts {
            outcomes: count("SELECT count(*) FROM outcomes")?,
            unread: count("SELECT count(*) FROM instances WHERE concluded = 0")?,
            undelivered: count("SELECT count(*) FROM outbox")?,
            last_sealed_unix_ms: self.one("SELECT sealed_unix_ms FROM outcomes ORDER BY sequence DESC LIMIT 1")?,
            oldest_waiting_unix_ms: self.one(
                "SELECT o.sealed_unix_ms FROM outbox b JOIN outcomes o ON o.sequence = b.sequence ORDER BY b.sequence LIMIT 1",
            )?,
        })
    }

    /// Name and version of the newest of each model bundle that ever served.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn model_floors(&self) -> Result<Vec<(String, String)>, StoreError> {
        floors::all(&self.connection).map_err(|e| self.sqlite(e))
    }

    /// The newest outcome as it was sealed.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn last_outcome(&self) -> Result<Option<Outgoing>, StoreError> {
        const LAST: &str = "SELECT sequence, report_id, jws FROM outcomes ORDER BY sequence DESC LIMIT 1";
        self.connection.query_row(LAST, [], outgoing).optional().map_err(|e| self.sqlite(e))
    }

    /// Every outcome with a sequence above `after`, in order: for the few of an acceptance.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn outcomes(&self, after: u64) -> Result<Vec<Outgoing>, StoreError> {
        const AFTER: &str =
            "SELECT sequence, report_id, jws FROM outcomes WHERE sequence > ?1 ORDER BY sequence LIMIT 1000";
        self.connection
            .prepare(AFTER)
            .and_then(|mut query| query.query_map([after.cast_signed()], outgoing)?.collect())
            .map_err(|e| self.sqlite(e))
    }

    /// What became of the instance `uid`; `None` while it has no outcome.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn fate(&self, uid: &Uid) -> Result<Option<Fate>, StoreError> {
        const FATE: &str = "SELECT o.sequence, o.jws, d.proof FROM instances i JOIN outcomes o ON o.instance_id = i.id
            LEFT JOIN deliveries d ON d.sequence = o.sequence WHERE i.sop_instance_uid = ?1";
        self.connection
            .query_row(FATE, [uid.as_str()], |row| {
                Ok(Fate { sequence: row.get::<_, i64>(0)?.cast_unsigned(), jws: row.get(1)?, proof: row.get(2)? })
            })
            .optional()
            .map_err(|e| self.sqlite(e))
    }

    /// How an outcome was last delivered, if one ever was.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn last_delivery(&self) -> Result<Option<Delivery>, StoreError> {
        const LAST: &str = "SELECT proof, delivered_unix_ms FROM deliveries ORDER BY sequence DESC LIMIT 1";
        self.connection
            .query_row(LAST, [], |row| Ok(Delivery { proof: row.get(0)?, delivered_unix_ms: row.get(1)? }))
            .optional()
            .map_err(|e| self.sqlite(e))
    }

    fn one<T: rusqlite::types::FromSql>(&self, query: &str) -> Result<Option<T>, StoreError> {
        self.connection.query_row(query, [], |row| row.get(0)).optional().map_err(|e| self.sqlite(e))
    }

    fn sqlite(&self, source: rusqlite::Error) -> StoreError {
        StoreError::Sqlite { path: self.path.clone(), source }
    }
}

fn outgoing(row: &rusqlite::Row) -> rusqlite::Result<Outgoing> {
    Ok(Outgoing { sequence: row.get::<_, i64>(0)?.cast_unsigned(), report_id: row.get(1)?, jws: row.get(2)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_glance_leaves_no_file_and_sees_what_a_running_daemon_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let names = || {
            let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let store = Store::open(folder.path()).unwrap();
        let before = names();
        let glance = Glance::at(folder.path(), true).unwrap();
        assert_eq!((glance.counts().unwrap(), glance.last_outcome().unwrap()), (Counts::default(), None));
        assert_eq!(glance.quick_check().unwrap(), None);
        drop(glance);
        assert_eq!(names(), before);
        drop(store);
        let before = names();
        assert_eq!(Glance::at(folder.path(), false).unwrap().last_delivery().unwrap(), None);
        assert_eq!(names(), before, "of a store that nobody uses");
    }
}
