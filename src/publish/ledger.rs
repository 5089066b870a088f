//! Errands to the store: they block on the disk, so they run beside the connection, one at a
//! time. Each first writes what was acknowledged and only then reads, so that an outcome
//! that arrived is never fetched again.

use super::message::Counts;
use super::window::Fetch;
use crate::clock::Moment;
use crate::store::{Outgoing, Store, StoreError};

/// On whose word an outcome left the outbox.
const PROOF: &str = "broker-ack";

/// What to do at the store.
#[derive(Debug)]
pub(super) struct Errand {
    pub record: Vec<u64>,
    pub fetch: Option<Fetch>,
    pub count: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Returned {
    pub recorded: Vec<u64>,
    pub fetched: Option<(Fetch, Vec<Outgoing>)>,
    pub counts: Option<Counts>,
    pub failed: Option<StoreError>,
}

impl Errand {
    /// True where there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.record.is_empty() && self.fetch.is_none() && !self.count
    }

    /// Does it; what was done before a failure counts.
    pub(super) fn run(self, store: &Store, now: Moment) -> Returned {
        let mut returned = Returned::default();
        returned.failed = self.steps(store, now, &mut returned).err();
        returned
    }

    fn steps(self, store: &Store, now: Moment, returned: &mut Returned) -> Result<(), StoreError> {
        for sequence in self.record {
            crate::os::step("acknowledged");
            store.delivered(sequence, PROOF, now)?;
            crate::os::step("recorded");
            returned.recorded.push(sequence);
        }
        if let Some(fetch) = self.fetch {
            returned.fetched = Some((fetch, store.outbox(fetch.after, fetch.limit)?));
        }
        if self.count {
            let (undelivered, unread) = (store.undelivered()?, store.unread()?);
            returned.counts = Some(Counts { last_sequence: store.head()?.sequence, undelivered, unread });
        }
        Ok(())
    }
}
