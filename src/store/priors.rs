//! Past results by patient pseudonym, for comparison: written with their outcome in one
//! transaction, erased at the end of their own retention. Who a patient is stands nowhere here.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, StoreError};
use crate::clock::Moment;
use crate::digest::Digest;

/// What must be the same for two images to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparable {
    /// The patient's pseudonym.
    pub patient: [u8; 32],
    /// Kind of image, body region and view, as closed words.
    pub image: [&'static str; 3],
}

/// When an image was taken, by what its header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The day, `YYYY-MM-DD`.
    pub day: String,
    /// The moment, where the header states its time zone.
    pub unix_ms: Option<i64>,
}

/// A result to be kept for comparison with later ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrior {
    /// Whose image of what.
    pub comparable: Comparable,
    /// The study's pseudonym: an image is no prior of its own study.
    pub study: [u8; 32],
    /// When it was taken.
    pub taken: Taken,
    /// The manifest's digest of the bundle that read it.
    pub bundle: Digest,
    /// What was seen, as JSON.
    pub seen: String,
}

/// A result that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPrior {
    /// Its outcome's sequence.
    pub sequence: u64,
    /// SHA-256 of its outcome's JWS.
    pub outcome: Digest,
    /// The bundle that read it.
    pub bundle: Digest,
    /// The day it was taken, `YYYY-MM-DD`.
    pub day: String,
    /// What was seen, as JSON.
    pub seen: String,
}

/// Writes the row of outcome `sequence`, inside its transaction.
pub(super) fn insert(
    connection: &Connection,
    sequence: u64,
    outcome: Digest,
    prior: &NewPrior,
    at: Moment,
) -> rusqlite::Result<()> {
    let [kind, region, view] = prior.comparable.image;
    connection
        .execute(
            "INSERT INTO priors (sequence, patient, study, kind, region, view, taken_day, taken_unix_ms, bundle_sha256,
                                 outcome_sha256, kept_unix_ms, kept_synchronised, seen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            params![
                sequence.cast_signed(),
                prior.comparable.patient,
                prior.study,
                kind,
                region,
                view,
                prior.taken.day,
                prior.taken.unix_ms,
                prior.bundle.as_bytes(),
                outcome.as_bytes(),
                at.unix_ms,
                at.synchronised,
                prior.seen,
            ],
        )
        .map(drop)
}

impl Store {
    /// The last result of `comparable` that was taken before `taken`, in another study than
    /// `study`, and kept at or after `since_unix_ms`. Of the same day only one that the
    /// headers' times show to be earlier.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn prior(
        &self,
        comparable: &Comparable,
        study: &[u8; 32],
        taken: &Taken,
        since_unix_ms: i64,
    ) -> Result<Option<StoredPrior>, StoreError> {
        let [kind, region, view] = comparable.image;
        self.lock()
            .query_row(
                "SELECT sequence, outcome_sha256, bundle_sha256, taken_day, seen FROM priors
                 WHERE patient = ?1 AND kind = ?2 AND region = ?3 AND view = ?4 AND study <> ?5 AND (kept_unix_ms >= ?6 OR kept_synchronised = 0)
                   AND (taken_day < ?7 OR (taken_day = ?7 AND taken_unix_ms < ?8))
                 ORDER BY taken_day DESC, taken_unix_ms DESC, sequence DESC LIMIT 1",
                params![comparable.patient, kind, region, view, study, since_unix_ms, taken.day, taken.unix_ms],
                |row| {
                    Ok(StoredPrior {
                        sequence: row.get::<_, i64>(0)?.cast_unsigned(),
                        outcome: Digest::from_bytes(row.get(1)?),
                        bundle: Digest::from_bytes(row.get(2)?),
                        day: row.get(3)?,
                        seen: row.get(4)?,
                    })
                },
            )
            .optional()
            .map_err(|e| self.sqlite(e))
    }

    /// Lets the retention of priors that an unsynchronised clock stamped begin at `now`.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn restamp_priors(&self, now: Moment) -> Result<(), StoreError> {
        const RESTAMP: &str = "UPDATE priors SET kept_unix_ms = ?1, kept_synchronised = 1 WHERE kept_synchronised = 0";
        self.in_one_step(|tx| tx.execute(RESTAMP, [now.unix_ms]).map(drop))
    }

    /// Erases the results that were kept before `before_unix_ms`; their pages are overwritten.
    ///
    /// # Errors
    /// `SQLite` failed.
    pub fn erase_priors(&self, before_unix_ms: i64) -> Result<u64, StoreError> {
        let connection = self.writing()?;
        connection.pragma_update(None, "secure_delete", true).map_err(|e| self.sqlite(e))?;
        let erased = connection.execute("DELETE FROM priors WHERE kept_unix_ms < ?1", [before_unix_ms]);
        let back = connection.pragma_update(None, "secure_delete", false);
        let erased = erased.and_then(|erased| back.map(|()| erased)).map_err(|e| self.sqlite(e))?;
        Ok(erased as u64)
    }
}
