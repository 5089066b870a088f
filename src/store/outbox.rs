//! The outbox: what waits, in its order, and on whose word an outcome left it.

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Outgoing, Store, StoreError, Urgency};
use crate::clock::Moment;
use crate::digest::Digest;

/// Name of the proof that a receiver's signed receipt is.
const RECEIPT: &str = "receipt";

/// Whose receipts take an outcome out of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required<'a> {
    /// The first receiver's.
    Any,
    /// Those of all these receivers (key ids).
    All(&'a [String]),
}

/// What came of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipted {
    /// The outcome is delivered, by this receipt or an earlier one.
    Delivered,
    /// It is noted, and others have to follow.
    Noted,
    /// No outcome has that sequence and these bytes: it is a receipt for something else.
    Foreign,
}

/// What waits in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// Images that are kept: unread, undelivered, or not yet due to go.
    pub spooled: u64,
    /// Instances without an outcome.
    pub unread: u64,
    /// Outcomes that are not delivered.
    pub outbox: u64,
}

impl Store {
    /// What waits, counted over what waits alone, however much there was before.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn queue(&self) -> Result<Queue, StoreError> {
        const COUNT: &str =
            "SELECT (SELECT count(*) FROM instances WHERE concluded = 0), (SELECT count(*) FROM outbox),
             (SELECT count(*) FROM deliveries WHERE image_retired = 0)";
        let row = |row: &rusqlite::Row| Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?].map(i64::cast_unsigned));
        let [unread, outbox, delivered] = self.lock().query_row(COUNT, [], row).map_err(|e| self.sqlite(e))?;
        Ok(Queue { spooled: unread + outbox + delivered, unread, outbox })
    }

    /// At most `limit` undelivered outcomes of one urgency with a sequence above `after`, in order.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn outbox_of(&self, urgency: Urgency, after: u64, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        self.select_outcomes(
            "SELECT o.sequence, o.report_id, o.jws FROM outbox b JOIN outcomes o ON o.sequence = b.sequence
             WHERE b.urgency = ?1 AND b.sequence > ?2 ORDER BY b.sequence LIMIT ?3",
            &[&(urgency as u8), &after.cast_signed(), &limit],
        )
    }

    /// At most `limit` undelivered outcomes with a sequence above `after`, in order.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn outbox(&self, after: u64, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        self.select_outcomes(
            "SELECT o.sequence, o.report_id, o.jws FROM outbox b JOIN outcomes o ON o.sequence = b.sequence
             WHERE b.sequence > ?1 ORDER BY b.sequence LIMIT ?2",
            &[&after.cast_signed(), &limit],
        )
    }

    /// Takes outcomes out of the outbox, all in one step; `proof` says on whose word.
    ///
    /// # Errors
    /// `SQLite` failed; then nothing was changed.
    pub fn delivered(&self, sequences: &[u64], proof: &str, at: Moment) -> Result<(), StoreError> {
        self.in_one_step(|tx| sequences.iter().try_for_each(|sequence| leave(tx, *sequence, proof, at)))
    }

    /// Notes what `receiver` (a key id) says that it has: sequence and SHA-256 of the JWS of
    /// each. An outcome leaves the outbox when the receivers that are `required` said so.
    ///
    /// # Errors
    /// `SQLite` failed; then nothing was changed.
    pub fn receipted(
        &self,
        receiver: &str,
        entries: &[(u64, Digest)],
        required: Required,
        at: Moment,
    ) -> Result<Vec<Receipted>, StoreError> {
        self.in_one_step(|tx| {
            entries.iter().map(|(sequence, sha256)| note(tx, receiver, *sequence, sha256, required, at)).collect()
        })
    }

    /// Deliveries that were stamped by a clock that nobody disciplined count from `now` on.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn restamp_deliveries(&self, now: Moment) -> Result<(), StoreError> {
        const RESTAMP: &str =
            "UPDATE deliveries SET delivered_unix_ms = ?1, delivered_synchronised = 1 WHERE delivered_synchronised = 0";
        self.in_one_step(|tx| tx.execute(RESTAMP, [now.unix_ms]).map(drop))
    }

    /// How many outcomes are undelivered.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn undelivered(&self) -> Result<u64, StoreError> {
        self.lock()
            .query_row("SELECT count(*) FROM outbox", [], |row| row.get::<_, i64>(0))
            .map(i64::cast_unsigned)
            .map_err(|e| self.sqlite(e))
    }

    /// One transaction, in which the reserve may be spent.
    pub(super) fn in_one_step<T>(&self, steps: impl Fn(&Transaction) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let sqlite = |e| self.sqlite(e);
        self.spending(|| {
            let mut connection = self.writing()?;
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
            let done = steps(&tx).map_err(sqlite)?;
            tx.commit().map_err(sqlite)?;
            Ok(done)
        })
    }
}

/// One outcome leaves; saying it twice changes nothing.
fn leave(tx: &Transaction, sequence: u64, proof: &str, at: Moment) -> rusqlite::Result<()> {
    tx.prepare(
        "INSERT INTO deliveries (sequence, proof, delivered_unix_ms, delivered_synchronised)
         VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?
    .execute(params![sequence.cast_signed(), proof, at.unix_ms, at.synchronised])?;
    tx.prepare("DELETE FROM outbox WHERE sequence = ?1")?.execute([sequence.cast_signed()])?;
    Ok(())
}

fn note(
    tx: &Transaction,
    receiver: &str,
    sequence: u64,
    sha256: &Digest,
    required: Required,
    at: Moment,
) -> rusqlite::Result<Receipted> {
    let waits: Option<bool> = tx
        .prepare(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE sequence = ?1) FROM outcomes WHERE sequence = ?1 AND sha256 = ?2",
        )?
        .query_row(params![sequence.cast_signed(), sha256.as_bytes()], |row| row.get(0))
        .optional()?;
    match waits {
        None => return Ok(Receipted::Foreign),
        Some(false) => return Ok(Receipted::Delivered),
        Some(true) => {}
    }
    if let Required::All(receivers) = required {
        tx.prepare("INSERT INTO receipts VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?.execute(params![
            sequence.cast_signed(),
            receiver,
            at.unix_ms
        ])?;
        let mut noted = tx.prepare("SELECT 1 FROM receipts WHERE sequence = ?1 AND receiver = ?2")?;
        for receiver in receivers {
            if !noted.exists(params![sequence.cast_signed(), receiver])? {
                return Ok(Receipted::Noted);
            }
        }
    }
    leave(tx, sequence, RECEIPT, at)?;
    Ok(Receipted::Delivered)
}
