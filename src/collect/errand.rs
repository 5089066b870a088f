//! What a collector does at the disk, beside the connection and one at a time: it checks what
//! arrived, keeps it, and looks for what is missing.

use super::shelf::{Contradiction, Genuine, Kept, Shelf, ShelfError};
use crate::clock::Moment;
use crate::mqtt::Arrival;
use crate::seal::jws::open;
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
    pub looks: Vec<Look>,
}

/// One outcome that is kept, and where its receipt goes.
#[derive(Debug)]
pub(super) struct Receipted {
    /// `<prefix>/<site>/<device>`.
    pub base: String,
    pub device: String,
    pub held: Held,
    pub new: bool,
}

/// Something that is not kept, for the log.
#[derive(Debug)]
pub(super) enum NotKept {
    /// No known device signed it, or what it signed contradicts itself.
    Foreign(String),
    /// A known device signed it, and it contradicts what is kept.
    Contradiction { device: String, sequence: u64, why: Contradiction },
}

/// What came of an errand.
#[derive(Debug, Default)]
pub(super) struct Returned {
    /// The shelf failed: these have to be tried again.
    pub undone: Vec<Arrival>,
    pub receipted: Vec<Receipted>,
    pub not_kept: Vec<NotKept>,
    pub seen: Vec<Seen>,
    pub failed: Option<ShelfError>,
}

impl Errand {
    pub fn is_empty(&self) -> bool {
        self.arrived.is_empty() && self.looks.is_empty()
    }

    pub fn run(self, on: &mut Shelf, devices: &[PublicKey], now: Moment) -> Returned {
        let mut returned = Returned::default();
        let (mut genuine, mut bases) = (Vec::new(), Vec::new());
        for arrival in &self.arrived {
            match check(arrival, devices) {
                Ok(outcome) => {
                    bases.push(base(arrival.topic()).to_owned());
                    genuine.push(outcome);
                }
                Err(why) => returned.not_kept.push(NotKept::Foreign(why)),
            }
        }
        match on.keep(&genuine, now) {
            Ok(kept) => {
                sort(&mut returned, genuine, bases, kept);
            }
            Err(error) => {
                (returned.undone, returned.failed) = (self.arrived, Some(error));
                return returned;
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

/// Everything that a receiver can check of an outcome by itself.
fn check(arrival: &Arrival, devices: &[PublicKey]) -> Result<Genuine, String> {
    let jws = std::str::from_utf8(arrival.payload()).map_err(|_| "it is no text".to_owned())?;
    let opened = open(jws, devices).map_err(|e| e.to_string())?;
    let verified = verify(jws, devices);
    let refuted = verified.statements.iter().find_map(|statement| match statement {
        Statement::Refuted(why) => Some(format!("outcome {} of {}: {why}", opened.header.seq, opened.header.kid)),
        _ => None,
    });
    refuted.map_or_else(|| Ok(Genuine { opened, jws: jws.to_owned() }), Err)
}

fn sort(returned: &mut Returned, genuine: Vec<Genuine>, bases: Vec<String>, kept: Vec<Kept>) {
    for ((Genuine { opened, .. }, base), kept) in genuine.into_iter().zip(bases).zip(kept) {
        let (device, seq) = (opened.header.kid, opened.header.seq);
        match kept {
            Kept::New | Kept::Same => returned.receipted.push(Receipted {
                base,
                device,
                held: Held { seq, sha256: opened.sha256 },
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
