//! Whom this device believes: the receivers whose signed receipts take an outcome out of the
//! outbox, and who may ask for outcomes again. What anybody else says is counted and told once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::topics::Topics;
use crate::config::{Commands, Receiver, RequiredReceipts};
use crate::mqtt::Arrival;
use crate::seal::public::{PublicKey, PublicKeyError};
use crate::seal::receiver::{Command, Held, Receipt, ReceiverError};

/// Between two commands of one receiver: each is good for a thousand outcomes.
const COMMAND_EVERY: Duration = Duration::from_secs(1);
/// Receipted outcomes that wait for the store, 160 kB; a receiver whose receipt is dropped
/// is sent the outcomes again, and says it again.
const MOST_WAITING: usize = 4096;

/// Why the receivers cannot be believed from the start.
#[derive(Debug, thiserror::Error)]
pub enum ReceiversError {
    /// A key cannot be read.
    #[error("[receiver] keys: {0}")]
    Key(#[from] PublicKeyError),
    /// One key is there twice.
    #[error("[receiver] keys: {path} is the same key as another one: name each receiver once")]
    Twice {
        /// The file.
        path: PathBuf,
    },
}

/// What a receiver has, as it signed it; not yet held against the store.
#[derive(Debug)]
pub(super) struct Believed {
    /// Key id of the receiver.
    pub receiver: String,
    pub outcomes: Vec<Held>,
}

/// Why something that arrived is not followed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Disbelief {
    #[error("it was retained: a receipt or command is for now, and never accepted later")]
    Retained,
    #[error("it is no text")]
    NotText,
    #[error(transparent)]
    Receiver(#[from] ReceiverError),
    #[error("[receiver] commands = \"refuse\"")]
    Refused,
    #[error("receiver {0} asks more than once a second")]
    TooOften(String),
    #[error("it names bytes that this device never signed in that place")]
    Foreign,
}

impl Disbelief {
    /// One word for each kind, so that each is told once.
    fn kind(&self) -> &'static str {
        match self {
            Self::Retained => "retained",
            Self::NotText | Self::Receiver(ReceiverError::Message(_)) => "unsigned",
            Self::Receiver(ReceiverError::NotUnderstood { .. }) => "malformed",
            Self::Receiver(ReceiverError::OtherDevice { .. }) => "misdirected",
            Self::Refused => "refused",
            Self::TooOften(_) => "too often",
            Self::Foreign => "foreign",
        }
    }
}

/// What arrived, where it is to be followed.
pub(super) enum Said {
    /// Outcomes that a receiver has; they wait for the store in [`Receivers::waiting`].
    Has,
    /// Send these again.
    Again { from: u64, to: u64 },
    /// Not on a topic of ours.
    Nothing,
}

/// The receivers of a site.
#[derive(Debug)]
pub(super) struct Receivers {
    keys: Vec<PublicKey>,
    /// Where all are required.
    required: Option<Arc<[String]>>,
    commands: Commands,
    /// Ids of this device's keys, now and before.
    device: Vec<String>,
    waiting: Vec<Believed>,
    last_command: BTreeMap<String, Instant>,
    told: BTreeSet<&'static str>,
}

impl Receivers {
    /// Reads the keys that `settings` names.
    pub fn load(settings: &Receiver, device: Vec<String>) -> Result<Self, ReceiversError> {
        let mut keys: Vec<PublicKey> = Vec::new();
        for path in &settings.keys {
            let key = PublicKey::load(path)?;
            if keys.contains(&key) {
                return Err(ReceiversError::Twice { path: path.clone() });
            }
            keys.push(key);
        }
        let required = match settings.required {
            RequiredReceipts::Any => None,
            RequiredReceipts::All => Some(keys.iter().map(|key| key.id().to_owned()).collect()),
        };
        Ok(Self {
            keys,
            required,
            commands: settings.commands,
            device,
            waiting: Vec::new(),
            last_command: BTreeMap::new(),
            told: BTreeSet::new(),
        })
    }

    /// Whose receipts deliver; `None`: the first one's.
    pub fn required(&self) -> Option<Arc<[String]>> {
        self.required.clone()
    }

    /// The topics to subscribe to.
    pub fn filters(topics: &Topics) -> [String; 2] {
        [topics.receipt.clone(), topics.command.clone()]
    }

    /// Listens to what arrived.
    pub fn hear(&mut self, arrival: &Arrival, topics: &Topics, now: Instant) -> Result<Said, Disbelief> {
        let is_receipt = arrival.topic() == topics.receipt;
        if !is_receipt && arrival.topic() != topics.command {
            return Ok(Said::Nothing);
        }
        if arrival.is_retained() {
            return Err(Disbelief::Retained);
        }
        let jws = std::str::from_utf8(arrival.payload()).map_err(|_| Disbelief::NotText)?;
        if is_receipt {
            let (receiver, Receipt { outcomes, .. }) = Receipt::open(jws, &self.keys, &self.device)?;
            self.wait(receiver, outcomes);
            return Ok(Said::Has);
        }
        let (receiver, Command::Resend { from, to, .. }) = Command::open(jws, &self.keys, &self.device)?;
        if self.commands == Commands::Refuse {
            return Err(Disbelief::Refused);
        }
        if self.last_command.get(&receiver).is_some_and(|last| now < *last + COMMAND_EVERY) {
            return Err(Disbelief::TooOften(receiver));
        }
        self.last_command.insert(receiver, now);
        Ok(Said::Again { from, to })
    }

    /// Several receipts of one receiver are one step to the disk.
    fn wait(&mut self, receiver: String, outcomes: Vec<Held>) {
        let waiting: usize = self.waiting.iter().map(|believed| believed.outcomes.len()).sum();
        if waiting + outcomes.len() > MOST_WAITING {
            return;
        }
        match self.waiting.last_mut() {
            Some(last) if last.receiver == receiver => last.outcomes.extend(outcomes),
            _ => self.waiting.push(Believed { receiver, outcomes }),
        }
    }

    /// Takes the receipts that wait for the store.
    pub fn waiting(&mut self) -> Vec<Believed> {
        std::mem::take(&mut self.waiting)
    }

    /// True the first time that something of this kind is disbelieved.
    pub fn is_news(&mut self, disbelief: &Disbelief) -> bool {
        self.told.insert(disbelief.kind())
    }
}
