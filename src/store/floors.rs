//! The newest version of each model bundle that ever served: an older one is a replay.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, StoreError};
use crate::clock::Moment;

/// Name and version of each.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut floors = connection.prepare("SELECT name, version FROM model_floors")?;
    floors.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

impl Store {
    /// Name and version of each.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn model_floors(&self) -> Result<Vec<(String, String)>, StoreError> {
        all(&self.lock()).map_err(|e| self.sqlite(e))
    }

    /// Notes that `version` of `name` serves, where `is_newer` than what is noted; durable when
    /// this returns. A floor never sinks.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn raise_model_floor(
        &self,
        name: &str,
        version: &str,
        now: Moment,
        is_newer: impl Fn(&str) -> bool,
    ) -> Result<(), StoreError> {
        const RAISE: &str = "INSERT INTO model_floors (name, version, raised_unix_ms) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET version = ?2, raised_unix_ms = ?3";
        self.in_one_step(|tx| {
            let noted: Option<String> = tx
                .query_row("SELECT version FROM model_floors WHERE name = ?1", [name], |row| row.get(0))
                .optional()?;
            match noted {
                Some(noted) if !is_newer(&noted) => Ok(()),
                _ => tx.execute(RAISE, params![name, version, now.unix_ms]).map(drop),
            }
        })
    }
}
