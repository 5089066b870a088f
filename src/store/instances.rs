//! Accepted instances: in by ingest, out by the reader's queue, away by retention.

use std::sync::atomic::Ordering::Relaxed;

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};
use crate::clock::Moment;
use crate::digest::Digest;
use crate::instance::Instance;
use crate::instance::uid::{AeTitle, Uid};
use crate::os::disk::sqlite;

/// An instance whose file is durable in the spool under its final name.
#[derive(Debug, Clone)]
pub struct NewInstance {
    /// The file and its identity.
    pub instance: Instance,
    /// Who sent it.
    pub calling_ae: AeTitle,
    /// When it came in.
    pub received: Moment,
}

/// What the store made of a new instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is new; its row is durable.
    New,
    /// The same bytes were accepted before: success, and no second reading.
    Same,
    /// Other bytes have this UID: refuse, and keep the first.
    Conflict,
}

/// An accepted instance that awaits its outcome.
#[derive(Debug, Clone)]
pub struct StoredInstance {
    /// Row id.
    pub id: i64,
    /// The file and its identity.
    pub instance: Instance,
    /// Who sent it.
    pub calling_ae: AeTitle,
    /// When it came in.
    pub received: Moment,
    /// How many times the reader died on it.
    pub strikes: u32,
}

impl Store {
    /// The final path of an instance file: named by its own digest, never by the peer.
    #[must_use]
    pub fn instance_path(&self, sha256: &Digest) -> std::path::PathBuf {
        self.spool().join(format!("{sha256}.dcm"))
    }

    /// What accepting this UID with these bytes would give, without accepting it.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn known(&self, uid: &Uid, sha256: &Digest) -> Result<Accepted, StoreError> {
        let found: Option<Vec<u8>> = self
            .lock()
            .query_row("SELECT sha256 FROM instances WHERE sop_instance_uid = ?1", [uid.as_str()], |row| row.get(0))
            .optional()
            .map_err(|e| self.sqlite(e))?;
        Ok(match found {
            None => Accepted::New,
            Some(bytes) if bytes == sha256.as_bytes() => Accepted::Same,
            Some(_) => Accepted::Conflict,
        })
    }

    /// Makes the row of an instance whose file is already durable. When this returns
    /// `New`, the row is durable too.
    ///
    /// # Errors
    /// `SQLite` failed; [`StoreError::is_full`] tells a full disk.
    pub fn accept(&self, new: &NewInstance) -> Result<Accepted, StoreError> {
        let instance = &new.instance;
        let inserted = self
            .writing()?
            .execute(
                "INSERT INTO instances (sop_instance_uid, sop_class_uid, transfer_syntax_uid, sha256, size_bytes, calling_ae, received_unix_ms, received_synchronised)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (sop_instance_uid) DO NOTHING",
                params![
                    instance.sop_instance_uid.as_str(),
                    instance.sop_class_uid.as_str(),
                    instance.transfer_syntax_uid.as_str(),
                    instance.sha256.as_bytes(),
                    instance.size_bytes.cast_signed(),
                    new.calling_ae.as_str(),
                    new.received.unix_ms,
                    new.received.synchronised,
                ],
            )
            .map_err(|e| self.sqlite(e))?;
        if inserted == 1 { Ok(Accepted::New) } else { self.known(&instance.sop_instance_uid, &instance.sha256) }
    }

    /// The newest instances that were read and whose image is still here, at most `limit`:
    /// the file, and its digest.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn last_images(&self, limit: u32) -> Result<Vec<(std::path::PathBuf, Digest)>, StoreError> {
        const LAST: &str = "SELECT sha256 FROM instances WHERE concluded = 1 AND image_kept = 1 AND strikes = 0 ORDER BY id DESC LIMIT ?1";
        let connection = self.lock();
        let mut last = connection.prepare(LAST).map_err(|e| self.sqlite(e))?;
        let rows = last.query_map([limit], |row| row.get::<_, [u8; 32]>(0)).map_err(|e| self.sqlite(e))?;
        let place = |bytes| {
            let sha256 = Digest::from_bytes(bytes);
            (self.instance_path(&sha256), sha256)
        };
        rows.map(|row| row.map(place)).collect::<Result<_, _>>().map_err(|e| self.sqlite(e))
    }

    /// The oldest accepted instance without an outcome; one that the reader died on lets
    /// sixteen others go first each time, and no more: else it would wait for as long as
    /// others keep coming.
    ///
    /// # Errors
    /// `SQLite` failed, or the row is damaged.
    pub fn next_unread(&self) -> Result<Option<StoredInstance>, StoreError> {
        let row = self
            .lock()
            .query_row(
                "SELECT id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, calling_ae, sha256, size_bytes,
                        received_unix_ms, received_synchronised, strikes
                 FROM instances WHERE concluded = 0 ORDER BY id + strikes * 16 LIMIT 1",
                [],
                |row| {
                    Ok((
                        row.get::<_, i64>(0)?,
                        [row.get::<_, String>(1)?, row.get(2)?, row.get(3)?],
                        row.get::<_, String>(4)?,
                        row.get::<_, [u8; 32]>(5)?,
                        row.get::<_, i64>(6)?,
                        Moment { unix_ms: row.get(7)?, synchronised: row.get(8)? },
                        row.get::<_, u32>(9)?,
                    ))
                },
            )
            .optional()
            .map_err(|e| self.sqlite(e))?;
        let Some((id, [uid, class, syntax], calling_ae, sha256, size_bytes, received, strikes)) = row else {
            return Ok(None);
        };
        let parse = |text: String| text.parse::<Uid>().map_err(|e| self.damaged(id, &e));
        let sha256 = Digest::from_bytes(sha256);
        let instance = Instance {
            path: self.instance_path(&sha256),
            sha256,
            size_bytes: size_bytes.cast_unsigned(),
            sop_class_uid: parse(class)?,
            sop_instance_uid: parse(uid)?,
            transfer_syntax_uid: parse(syntax)?,
        };
        let calling_ae = calling_ae.parse().map_err(|e| self.damaged(id, &e))?;
        Ok(Some(StoredInstance { id, instance, calling_ae, received, strikes }))
    }

    /// Counts that the reader died on an instance; returns how often it has now.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn strike(&self, id: i64) -> Result<u32, StoreError> {
        self.spending(|| {
            self.writing()?
                .query_row("UPDATE instances SET strikes = strikes + 1 WHERE id = ?1 RETURNING strikes", [id], |row| {
                    row.get(0)
                })
                .map_err(|e| self.sqlite(e))
        })
    }

    /// How many accepted instances await their outcome.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn unread(&self) -> Result<u64, StoreError> {
        self.lock()
            .query_row("SELECT count(*) FROM instances WHERE concluded = 0", [], |row| row.get::<_, i64>(0))
            .map(i64::cast_unsigned)
            .map_err(|e| self.sqlite(e))
    }

    /// Deletes image files that no row points to (left by a kill between rename and
    /// row) and everything in `incoming`. Call before ingest starts: the log is started
    /// anew, since the run before may have ended because the disk failed.
    ///
    /// # Errors
    /// `SQLite` failed or the spool cannot be listed.
    pub fn sweep(&self) -> Result<u64, StoreError> {
        let io = |source| StoreError::Folder { path: self.spool(), source };
        match self.spending(|| self.restart_log(&self.lock())) {
            // Somebody reads along: before the first change, then.
            Err(StoreError::Sqlite { source, .. }) if sqlite::is_busy(&source) => self.suspect.store(true, Relaxed),
            restarted => restarted?,
        }
        let mut swept = 0;
        for entry in std::fs::read_dir(self.spool()).map_err(io)?.chain(std::fs::read_dir(self.incoming()).map_err(io)?)
        {
            let path = entry.map_err(io)?.path();
            if path.is_dir() || self.is_kept(&path)? {
                continue;
            }
            self.disk.remove(&path).map_err(io)?;
            swept += 1;
        }
        Ok(swept)
    }

    fn is_kept(&self, path: &std::path::Path) -> Result<bool, StoreError> {
        let digest = path
            .file_name()
            .and_then(|name| name.to_str()?.strip_suffix(".dcm")?.parse::<Digest>().ok())
            .filter(|_| path.parent() == Some(&self.spool()));
        let Some(digest) = digest else { return Ok(false) };
        self.lock()
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM instances WHERE sha256 = ?1 AND image_kept = 1)",
                [digest.as_bytes()],
                |row| row.get(0),
            )
            .map_err(|e| self.sqlite(e))
    }

    /// Deletes the image files of at most `limit` instances whose outcome was delivered
    /// before `before_unix_ms`, those delivered first before others; how many. Outcomes stay.
    ///
    /// # Errors
    /// `SQLite` failed or a file cannot be deleted.
    pub fn retire_images(&self, before_unix_ms: i64, limit: u32) -> Result<u64, StoreError> {
        let due: Vec<(i64, i64, [u8; 32])> = {
            let connection = self.lock();
            connection
                .prepare(DUE)
                .and_then(|mut query| {
                    let row = |row: &rusqlite::Row| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
                    query.query_map(params![before_unix_ms, limit], row)?.collect()
                })
                .map_err(|e| self.sqlite(e))?
        };
        for (sequence, id, sha256) in &due {
            // On a full disk the row needs room before the image gives any.
            self.in_one_step(|tx| {
                tx.execute("UPDATE instances SET image_kept = 0 WHERE id = ?1", [id])?;
                tx.execute("UPDATE deliveries SET image_retired = 1 WHERE sequence = ?1", [sequence])
            })?;
            crate::os::step("retired");
            let path = self.instance_path(&Digest::from_bytes(*sha256));
            match self.disk.remove(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::Folder { path, source });
                }
                _ => {}
            }
        }
        Ok(due.len() as u64)
    }
}

/// Images that may go, by the index that holds no others.
pub(super) const DUE: &str = "SELECT d.sequence, i.id, i.sha256 FROM deliveries d
    JOIN outcomes o ON o.sequence = d.sequence JOIN instances i ON i.id = o.instance_id
    WHERE d.image_retired = 0 AND d.delivered_unix_ms < ?1 ORDER BY d.delivered_unix_ms LIMIT ?2";
