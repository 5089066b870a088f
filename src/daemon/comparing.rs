//! Comparison with the patient's last result on this device: found before the words are
//! made, kept with the outcome. The rules are `report::compare`'s, the rows the store's.

use log::warn;

use crate::clock::Moment;
use crate::report::compare::{Kept, Place};
use crate::report::facts::{Comparison, FactSheet, Prior};
use crate::report::reading::{Outcome, Reading};
use crate::seal::key::DeviceKey;
use crate::seal::pseudonym::Pseudonyms;
use crate::store::{Comparable, NewPrior, Store, StoreError, StoredPrior, Taken};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Finds and makes priors.
pub struct Comparing {
    pseudonyms: Pseudonyms,
    days: u16,
}

/// What came of looking.
#[derive(Default)]
pub struct Compared {
    /// With the last result, where there is one that may be compared.
    pub comparison: Option<Comparison>,
    /// This result, for later ones.
    pub kept: Option<NewPrior>,
}

/// Results that were kept before this are over, `days` being how long they are kept.
pub fn expiry(now: Moment, days: u16) -> i64 {
    now.unix_ms.saturating_sub(i64::from(days) * DAY_MS)
}

impl Comparing {
    /// With results of at most `days` days; none where that is 0.
    pub fn new(key: &DeviceKey, days: u16) -> Self {
        Self { pseudonyms: Pseudonyms::of(key), days }
    }

    /// What `reading`, of an image that came in at `received`, is compared with, and what is
    /// kept of it. Blocks on the store.
    pub fn compare(
        &self,
        store: &Store,
        reading: &Reading,
        received: Moment,
        now: Moment,
    ) -> Result<Compared, StoreError> {
        let nothing = Ok(Compared::default());
        let (Outcome::Report(findings), Some(study)) = (&reading.outcome, &reading.study) else { return nothing };
        let place = Place::of(study, received).filter(|_| self.days > 0);
        let sheet = FactSheet::of(&reading.outcome, Some(study), None);
        let (Some(place), Ok(sheet)) = (place, sheet) else { return nothing };
        let seen = Kept::of(&sheet, study);
        let Ok(json) = serde_json::to_string(&seen) else { return nothing };
        let kept = NewPrior {
            comparable: Comparable {
                patient: *self.pseudonyms.patient(place.issuer, place.patient_id).as_bytes(),
                image: place.image,
            },
            study: *self.pseudonyms.study(place.study).as_bytes(),
            taken: Taken { day: place.day.to_string(), unix_ms: place.unix_ms },
            bundle: findings.bundle.sha256,
            seen: json,
        };
        let found = store.prior(&kept.comparable, &kept.study, &kept.taken, expiry(now, self.days))?;
        // Another bundle sees with other eyes: what differs then need not be the patient. An
        // older result by this bundle would pass over what was said since.
        let prior = found.filter(|prior| prior.bundle == kept.bundle);
        let comparison = prior.and_then(|prior| compared(prior, &seen, &place));
        Ok(Compared { comparison, kept: Some(kept) })
    }
}

fn compared(prior: StoredPrior, seen: &Kept, place: &Place<'_>) -> Option<Comparison> {
    let StoredPrior { sequence, outcome, day, seen: json, .. } = prior;
    let read = serde_json::from_str::<Kept>(&json).ok().zip(day.parse().ok());
    let Some((before, date)) = read else {
        warn!("what was kept of outcome {sequence} is not understood by this version, so nothing is compared with it");
        return None;
    };
    let changes = before.changes(&date, seen, &place.day)?;
    Some(Comparison { prior: Prior { date, sha256: outcome }, changes })
}
