//! Errands to the store: they block on the disk, so they run beside the connection, one at a
//! time. Each first writes what was acknowledged or receipted and only then reads, so that an
//! outcome that arrived is never fetched again.

use std::time::Duration;

use super::lane::{Fetch, Lane};
use super::message::Counts;
use super::receivers::Believed;
use crate::audit::{Audit, Event};
use crate::clock::Moment;
use crate::digest::Digest;
use crate::store::{Outgoing, Receipted, Required, Store, StoreError};

/// For the audit log's checkpoint; where its disk is slower, a heartbeat carries the one before.
const CHECKPOINT_LIMIT: Duration = Duration::from_secs(2);
/// On whose word an outcome left the outbox.
const PROOF: &str = "broker-ack";

/// What to do at the store.
#[derive(Debug)]
pub(super) struct Errand {
    pub record: Vec<u64>,
    pub receipts: Vec<Believed>,
    /// Whose receipts deliver; `None`: the first one's.
    pub required: Option<std::sync::Arc<[String]>>,
    pub fetch: Option<Fetch>,
    pub count: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Returned {
    pub recorded: Vec<u64>,
    pub receipted: Vec<(u64, Receipted)>,
    pub fetched: Option<(Fetch, Vec<Outgoing>)>,
    pub counts: Option<Counts>,
    pub failed: Option<StoreError>,
}

impl Errand {
    /// True where there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.record.is_empty() && self.receipts.is_empty() && self.fetch.is_none() && !self.count
    }

    /// Does it; what was done before a failure counts.
    pub(super) fn run(self, store: &Store, audit: &Audit, now: Moment) -> Returned {
        let mut returned = Returned::default();
        returned.failed = self.steps(store, audit, now, &mut returned).err();
        returned
    }

    fn steps(self, store: &Store, audit: &Audit, now: Moment, returned: &mut Returned) -> Result<(), StoreError> {
        let delivered = |sequence: u64, proof: &str| audit.note(Event::Delivered { sequence, proof: proof.into() });
        if !self.record.is_empty() {
            crate::os::step("acknowledged");
            store.delivered(&self.record, PROOF, now)?;
            self.record.iter().for_each(|sequence| delivered(*sequence, PROOF));
            crate::os::step("recorded");
            returned.recorded = self.record;
        }
        let required = self.required.as_deref().map_or(Required::Any, Required::All);
        for Believed { receiver, outcomes } in self.receipts {
            crate::os::step("receipted");
            let entries: Vec<(u64, Digest)> = outcomes.iter().map(|held| (held.seq, held.sha256)).collect();
            let said = store.receipted(&receiver, &entries, required, now)?;
            let receipted = entries.iter().map(|(sequence, _)| *sequence).zip(said);
            for (sequence, said) in receipted {
                if said == Receipted::Delivered {
                    delivered(sequence, &format!("receipt of {receiver}"));
                }
                returned.receipted.push((sequence, said));
            }
        }
        if let Some(fetch) = self.fetch {
            returned.fetched = Some((fetch, read(store, fetch)?));
        }
        if self.count {
            // The status that carries these numbers carries this checkpoint too.
            let _ = audit.checkpoint(CHECKPOINT_LIMIT);
            let (undelivered, unread) = (store.undelivered()?, store.unread()?);
            returned.counts = Some(Counts { last_sequence: store.head()?.sequence, undelivered, unread });
        }
        Ok(())
    }
}

fn read(store: &Store, fetch: Fetch) -> Result<Vec<Outgoing>, StoreError> {
    match fetch.lane {
        Lane::Outbox(urgency) => store.outbox_of(urgency, fetch.after, fetch.limit),
        Lane::Asked => {
            let mut outcomes = store.outcomes(fetch.after, fetch.limit)?;
            outcomes.retain(|outcome| outcome.sequence <= fetch.until);
            Ok(outcomes)
        }
    }
}
