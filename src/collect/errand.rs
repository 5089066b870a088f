//! What a collector does at the disk, beside the connection and one at a time: it checks what
//! arrived, keeps it, and looks for what is missing.

use std::collections::BTreeMap;

use super::checkpoints::{Noted, Vouched};
use super::lineage::Lineage;
use super::shelf::{Contradiction, Genuine, Kept, Shelf, ShelfError};
use crate::audit::Checkpoint;
use crate::clock::Moment;
use crate::mqtt::Arrival;
use crate::seal::jws::OpenError;
use crate::seal::link::{Link, is_event};
use crate::seal::public::PublicKey;
use crate::seal::receiver::Held;
use crate::seal::verify::{Statement, verify};

/// A question for what a device has sent: how far it was kept, and the last that there is.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub device: String,
    pub through: u64,
    pub last: u64,
}

/// The answer: how far it is kept now, and what is missing first.
#[derive(Debug)]
pub(super) struct Seen {
    pub device: String,
    pub through: u64,
    pub missing: Option<(u64, u64)>,
}

/// Outcomes that arrived and devices to look at.
#[derive(Debug)]
pub(super) struct Errand {
    pub arrived: Vec<Arrival>,
    /// Checkpoints of audit logs, as they came.
    pub checkpoints: Vec<String>,
    pub looks: Vec<Look>,
}

/// One outcome that is kept, and where its receipt goes.
#[derive(Debug)]
pub(super) struct Receipted {
    /// `<prefix>/<site>/<device>`.
    pub base: String,
    pub device: String,
    /// Id of the key that signed it: the receipt names what the device knows itself by.
    pub key: String,
    pub held: Held,
    pub new: bool,
}

/// Something that is not kept, for the log.
#[derive(Debug)]
pub(super) enum NotKept {
    /// No known device signed it, or what it signed contradicts itself.
    Foreign(String),
    /// A key signed it that is none of a known device's, perhaps not yet.
    Unknown(String),
    /// A known device signed it, and it contradicts what is kept.
    Contradiction { device: String, sequence: u64, why: Contradiction },
}

/// A device's key that was handed over, and is followed.
#[derive(Debug)]
pub(super) struct Followed {
    pub device: String,
    pub from: String,
    pub to: String,
    pub sequence: u64,
}

/// A checkpoint that is kept: what is odd about it, if anything is.
#[derive(Debug)]
pub(super) struct Checked {
    pub device: String,
    pub seq: u64,
    pub noted: Noted,
}

/// What came of an errand.
#[derive(Debug, Default)]
pub(super) struct Returned {
    /// The shelf failed: these have to be tried again.
    pub undone: Vec<Arrival>,
    pub receipted: Vec<Receipted>,
    pub not_kept: Vec<NotKept>,
    pub seen: Vec<Seen>,
    /// Each key id with its device, where that has changed.
    pub keys: Option<BTreeMap<String, String>>,
    pub followed: Vec<Followed>,
    pub checked: Vec<Checked>,
    pub failed: Option<ShelfError>,
}

impl Errand {
    pub fn is_empty(&self) -> bool {
        self.arrived.is_empty() && self.checkpoints.is_empty() && self.looks.is_empty()
    }

    pub fn run(self, on: &mut Shelf, lineage: &mut Lineage, now: Moment) -> Returned {
        let mut returned = Returned::default();
        // What says who signs the rest comes first, whatever the order of arrival.
        let (events, outcomes): (Vec<&Arrival>, Vec<&Arrival>) =
            self.arrived.iter().partition(|arrival| text(arrival).is_ok_and(is_event));
        let one_by_one = events.chunks(1).chain((!outcomes.is_empty()).then_some(&outcomes[..]));
        for batch in one_by_one {
            if let Err(error) = take(batch, on, lineage, now, &mut returned) {
                (returned.undone, returned.failed) = (self.arrived, Some(error));
                returned.receipted.clear();
                return returned;
            }
        }
        for jws in self.checkpoints {
            // A heartbeat is anybody's: what no known device signed is nothing to speak of.
            let Ok(checkpoint) = Checkpoint::open(&jws, lineage.keys()) else { continue };
            let (device, seq) = (checkpoint.kid.clone(), checkpoint.seq);
            match on.keep_checkpoint(&Vouched { checkpoint, jws }, now) {
                Ok(noted) => returned.checked.push(Checked { device, seq, noted }),
                Err(error) => returned.failed = Some(error),
            }
        }
        for Look { device, through, last } in self.looks {
            match on.first_missing(&device, through, last) {
                Ok((through, missing)) => returned.seen.push(Seen { device, through, missing }),
                Err(error) => returned.failed = Some(error),
            }
        }
        returned
    }
}

/// Checks what arrived, keeps it, and follows the keys that it hands over to.
fn take(
    batch: &[&Arrival],
    on: &mut Shelf,
    lineage: &mut Lineage,
    now: Moment,
    returned: &mut Returned,
) -> Result<(), ShelfError> {
    let (mut genuine, mut bases) = (Vec::new(), Vec::new());
    let mut asked = false;
    for arrival in batch {
        let mut checked = check(arrival, lineage);
        // Another collector on the same database may have kept the hand-over.
        if matches!(&checked, Err(NotKept::Unknown(_))) && !std::mem::replace(&mut asked, true) {
            if lineage.learn(&on.hand_overs()?) {
                returned.keys = Some(lineage.devices());
            }
            checked = check(arrival, lineage);
        }
        match checked {
            Ok(link) => {
                bases.push(base(arrival.topic()).to_owned());
                genuine.push(link);
            }
            Err(why) => returned.not_kept.push(why),
        }
    }
    let kept = on.keep(&genuine, now)?;
    for (link, _) in genuine.iter().zip(&kept).filter(|(_, kept)| kept.is_kept()) {
        if lineage.follow(&link.link) {
            returned.keys = Some(lineage.devices());
            let new = link.link.hands_over_to().map_or("", PublicKey::id);
            returned.followed.push(Followed {
                device: link.device.clone(),
                from: link.link.kid().to_owned(),
                to: new.to_owned(),
                sequence: link.link.seq(),
            });
        }
    }
    sort(returned, genuine, bases, kept);
    Ok(())
}

fn text(arrival: &Arrival) -> Result<&str, NotKept> {
    std::str::from_utf8(arrival.payload()).map_err(|_| NotKept::Foreign("it is no text".to_owned()))
}

/// Everything that a receiver can check of a link by itself.
fn check(arrival: &Arrival, lineage: &Lineage) -> Result<Genuine, NotKept> {
    let jws = text(arrival)?;
    let link = Link::open(jws, lineage.keys()).map_err(|error| match error {
        OpenError::UnknownKey(_) => NotKept::Unknown(error.to_string()),
        _ => NotKept::Foreign(error.to_string()),
    })?;
    let (kid, sequence) = (link.kid(), link.seq());
    let verified = verify(jws, lineage.keys());
    let refuted = verified.statements.iter().find_map(|statement| match statement {
        Statement::Refuted(why) => Some(format!("outcome {sequence} of {kid}: {why}")),
        _ => None,
    });
    if let Some(why) = refuted {
        return Err(NotKept::Foreign(why));
    }
    let device = lineage.device(kid).unwrap_or(kid).to_owned();
    match lineage.judge(&link) {
        Ok(()) => Ok(Genuine { device, link, jws: jws.to_owned() }),
        Err(why) => Err(NotKept::Contradiction { device, sequence, why }),
    }
}

fn sort(returned: &mut Returned, genuine: Vec<Genuine>, bases: Vec<String>, kept: Vec<Kept>) {
    for ((Genuine { link, device, .. }, base), kept) in genuine.into_iter().zip(bases).zip(kept) {
        let seq = link.seq();
        match kept {
            Kept::New | Kept::Same => returned.receipted.push(Receipted {
                base,
                device,
                key: link.kid().to_owned(),
                held: Held { seq, sha256: link.sha256() },
                new: kept == Kept::New,
            }),
            Kept::Refused(why) => returned.not_kept.push(NotKept::Contradiction { device, sequence: seq, why }),
        }
    }
}

/// A device's topics without the last level.
pub(super) fn base(topic: &str) -> &str {
    topic.rsplit_once('/').map_or(topic, |(base, _)| base)
}
