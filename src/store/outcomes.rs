//! Sealed outcomes: chained in one transaction, sent in order, kept as they were signed.

use rusqlite::{OptionalExtension, ToSql, TransactionBehavior, params};

use super::priors::{self, NewPrior};
use super::{Store, StoreError};
use crate::clock::Moment;
use crate::digest::Digest;

/// Most events of a device that are looked at: a key changes once in years.
const MAX_EVENTS: u32 = 1000;

/// Where the chain stands: the last outcome's sequence and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Sequence of the last outcome; 0 before the first.
    pub sequence: u64,
    /// SHA-256 of its JWS; all zeros before the first.
    pub sha256: Digest,
}

/// Whether an outcome overtakes others in the outbox. Its place in the sequence it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Urgency {
    /// In its turn.
    #[default]
    Routine,
    /// Before everything that is routine.
    Urgent,
}

/// An outcome as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedOutcome {
    /// Whether it overtakes others on its way out.
    pub urgency: Urgency,
    /// Its identity for receivers, the same however often it is sent.
    pub report_id: String,
    /// `report`, `abstention` or `failure`; of an event of the device, what happened.
    pub kind: &'static str,
    /// The JWS in compact form: these bytes are stored, sent and verified.
    pub jws: String,
}

/// An outcome on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its place in the device's sequence.
    pub sequence: u64,
    /// Its identity for receivers.
    pub report_id: String,
    /// The JWS in compact form.
    pub jws: String,
}

impl Store {
    /// Where the chain stands.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn head(&self) -> Result<Head, StoreError> {
        read_head(&self.lock()).map_err(|e| self.sqlite(e))
    }

    /// Concludes instance `id` with exactly one outcome: `seal` is given the head and
    /// signs the next link; outcome, chain and instance change in one transaction.
    /// Returns the sequence, or `None` where the instance already had its outcome.
    ///
    /// # Errors
    /// `seal` failed or `SQLite` did; then nothing was changed.
    pub fn conclude<E: std::fmt::Display>(
        &self,
        id: i64,
        at: Moment,
        seal: impl FnOnce(&Head) -> Result<SealedOutcome, E>,
    ) -> Result<Option<u64>, StoreError> {
        self.conclude_and_keep(id, at, None, seal)
    }

    /// As [`Store::conclude`], and keeps `prior` for comparison with later images in the
    /// same transaction: there is no prior without its outcome, and none is lost.
    ///
    /// # Errors
    /// As [`Store::conclude`].
    pub fn conclude_and_keep<E: std::fmt::Display>(
        &self,
        id: i64,
        at: Moment,
        prior: Option<&NewPrior>,
        seal: impl FnOnce(&Head) -> Result<SealedOutcome, E>,
    ) -> Result<Option<u64>, StoreError> {
        let mut connection = self.writing()?;
        // Sealed once, also where a full disk makes it two attempts to write it.
        let (mut seal, mut sealed) = (Some(seal), None);
        self.spending(|| {
            self.conclude_with(&mut connection, id, at, prior, |head| {
                if let Some(seal) = seal.take() {
                    sealed = Some((*head, seal(head).map_err(|e| StoreError::Seal(e.to_string()))?));
                }
                match &sealed {
                    Some((after, sealed)) if after == head => Ok(sealed.clone()),
                    _ => Err(StoreError::Seal("the chain went on while this was being sealed".to_owned())),
                }
            })
        })
    }

    fn conclude_with(
        &self,
        connection: &mut rusqlite::Connection,
        id: i64,
        at: Moment,
        prior: Option<&NewPrior>,
        mut seal: impl FnMut(&Head) -> Result<SealedOutcome, StoreError>,
    ) -> Result<Option<u64>, StoreError> {
        let sqlite = |e| self.sqlite(e);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        let open: Option<bool> = tx
            .query_row("SELECT concluded = 0 FROM instances WHERE id = ?1", [id], |row| row.get(0))
            .optional()
            .map_err(sqlite)?;
        if open != Some(true) {
            return Ok(None);
        }
        let head = read_head(&tx).map_err(sqlite)?;
        let sealed = seal(&head)?;
        let Head { sequence, sha256 } = write_link(&tx, &head, Some(id), &sealed, at).map_err(sqlite)?;
        if let Some(prior) = prior {
            priors::insert(&tx, sequence, sha256, prior, at).map_err(sqlite)?;
        }
        tx.execute("UPDATE instances SET concluded = 1 WHERE id = ?1", [id]).map_err(sqlite)?;
        crate::os::step("concluding");
        tx.commit().map_err(sqlite)?;
        Ok(Some(sequence))
    }

    /// Appends an event of the device, which is about no instance: `seal` is given the head and
    /// signs the next link. Returns its sequence.
    ///
    /// # Errors
    /// `seal` failed or `SQLite` did; then nothing was changed.
    pub fn append<E: std::fmt::Display>(
        &self,
        at: Moment,
        seal: impl FnOnce(&Head) -> Result<SealedOutcome, E>,
    ) -> Result<u64, StoreError> {
        let sqlite = |e| self.sqlite(e);
        let mut connection = self.writing()?;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        let head = read_head(&tx).map_err(sqlite)?;
        let sealed = seal(&head).map_err(|e| StoreError::Seal(e.to_string()))?;
        let head = write_link(&tx, &head, None, &sealed, at).map_err(sqlite)?;
        crate::os::step("appending");
        tx.commit().map_err(sqlite)?;
        Ok(head.sequence)
    }

    /// The last link, if there is one.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn last(&self) -> Result<Option<Outgoing>, StoreError> {
        let last =
            self.select_outcomes("SELECT sequence, report_id, jws FROM outcomes ORDER BY sequence DESC LIMIT 1", &[]);
        Ok(last?.pop())
    }

    /// How many instances have their outcome.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn concluded(&self) -> Result<u64, StoreError> {
        self.lock()
            .query_row("SELECT count(*) FROM outcomes WHERE instance_id IS NOT NULL", [], |row| row.get::<_, i64>(0))
            .map(i64::cast_unsigned)
            .map_err(|e| self.sqlite(e))
    }

    /// The events of the device, in order.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn device_events(&self) -> Result<Vec<Outgoing>, StoreError> {
        self.select_outcomes(
            "SELECT sequence, report_id, jws FROM outcomes WHERE instance_id IS NULL ORDER BY sequence LIMIT ?1",
            &[&MAX_EVENTS],
        )
    }

    /// At most `limit` outcomes with a sequence above `after`, delivered or not, in order.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn outcomes(&self, after: u64, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        self.select_outcomes(
            "SELECT sequence, report_id, jws FROM outcomes WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
            &[&after.cast_signed(), &limit],
        )
    }

    /// The outcomes that `query` finds, which gives sequence, report id and JWS.
    pub(super) fn select_outcomes(&self, query: &str, values: &[&dyn ToSql]) -> Result<Vec<Outgoing>, StoreError> {
        self.lock()
            .prepare(query)
            .and_then(|mut query| {
                query
                    .query_map(values, |row| {
                        Ok(Outgoing {
                            sequence: row.get::<_, i64>(0)?.cast_unsigned(),
                            report_id: row.get(1)?,
                            jws: row.get(2)?,
                        })
                    })?
                    .collect()
            })
            .map_err(|e| self.sqlite(e))
    }
}

/// Writes the link after `head`, of an instance or of none, and puts it in the outbox; returns
/// the new head.
fn write_link(
    tx: &rusqlite::Transaction,
    head: &Head,
    instance: Option<i64>,
    sealed: &SealedOutcome,
    at: Moment,
) -> rusqlite::Result<Head> {
    let SealedOutcome { urgency, report_id, kind, jws } = sealed;
    let sequence = head.sequence + 1;
    let sha256 = Digest::of(jws.as_bytes());
    tx.execute(
        "INSERT INTO outcomes (sequence, instance_id, report_id, kind, jws, sha256, sealed_unix_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![sequence.cast_signed(), instance, report_id, kind, jws, sha256.as_bytes(), at.unix_ms],
    )?;
    tx.execute(
        "INSERT INTO outbox (sequence, urgency) VALUES (?1, ?2)",
        params![sequence.cast_signed(), *urgency as u8],
    )?;
    Ok(Head { sequence, sha256 })
}

fn read_head(connection: &rusqlite::Connection) -> rusqlite::Result<Head> {
    connection
        .query_row("SELECT sequence, sha256 FROM outcomes ORDER BY sequence DESC LIMIT 1", [], |row| {
            Ok(Head { sequence: row.get::<_, i64>(0)?.cast_unsigned(), sha256: Digest::from_bytes(row.get(1)?) })
        })
        .optional()
        .map(|head| head.unwrap_or(Head { sequence: 0, sha256: Digest::from_bytes([0; 32]) }))
}
