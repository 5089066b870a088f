//! A peer's bytes without a network: the same code as the sockets', on a tape. The fuzz
//! targets come in here; nothing is stored, and nothing is believed that the port would not.

use std::time::Duration;

use dicom_ul::pdu::{read_pdu, write_pdu};
use tokio::sync::watch;

use super::associate::{Policy, establish};
use super::dimse::{Command, SUCCESS};
use super::limits::MAX_PDU_BYTES;
use super::messages::{Budget, Messages};
use super::wire::Wire;

/// Longer than any tape is read.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a peer got done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversation {
    /// It has an association.
    pub associated: bool,
    /// Commands that it was understood to send.
    pub commands: u32,
    /// Bytes of the datasets that came with them.
    pub dataset_bytes: u64,
    /// How it ended, in words.
    pub ended: String,
}

/// What a peer that says `bytes`, and then closes, gets done.
///
/// # Panics
/// Outside a tokio runtime with time.
pub async fn conversation(bytes: &[u8]) -> Conversation {
    let mut done = Conversation::default();
    let tape = tokio::io::join(bytes, tokio::io::sink());
    let ae_title = "RESIDENTD".parse().expect("a valid AE title");
    let policy = Policy { ae_title: &ae_title, allow_calling: &[], has_room: &|| true };
    let association = match establish(Wire::new(tape), &policy).await {
        Ok(association) => association,
        Err(why) => return Conversation { ended: why.to_string(), ..done },
    };
    done.associated = true;
    let (_running, mut stop) = watch::channel(false);
    let mut messages = Messages::new(association.wire, PATIENCE, PATIENCE);
    done.ended = loop {
        let (context, command) = match messages.command(&mut stop).await {
            Ok(command) => command,
            Err(ended) => break ended.to_string(),
        };
        done.commands += 1;
        let mut budget = Budget::new();
        let mut last = !command.has_dataset;
        let broken = loop {
            if last {
                break None;
            }
            match messages.data(context, &mut budget).await {
                Ok((bytes, end)) => {
                    done.dataset_bytes += bytes.len() as u64;
                    last = end;
                }
                Err(ended) => break Some(ended.to_string()),
            }
        };
        if let Some(broken) = broken {
            break broken;
        }
    };
    done
}

/// Reads a command set, answers it, and reads the answer as a peer would. `None` where it
/// is no command set; else whether the answer is about the same instance of the same class.
#[must_use]
pub fn command(bytes: &[u8]) -> Option<bool> {
    let command = Command::parse(bytes).ok()?;
    let answer = Command::parse(&command.response(SUCCESS, "comment"));
    Some(answer.is_ok_and(|answer| {
        answer.sop_class_uid == command.sop_class_uid && answer.sop_instance_uid == command.sop_instance_uid
    }))
}

/// Reads a PDU, writes it, and reads that. `None` where it is none, or none that can be
/// written; else whether both say the same.
#[must_use]
pub fn pdu(bytes: &[u8]) -> Option<bool> {
    let first = read_pdu(bytes, MAX_PDU_BYTES, true).ok()??;
    let mut written = Vec::new();
    write_pdu(&mut written, &first).ok()?;
    let second = read_pdu(&written[..], u32::MAX, false).ok()??;
    Some(first == second)
}
