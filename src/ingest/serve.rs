//! One association from its first command to its end: C-ECHO, C-STORE, and no for the rest.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use dicom_ul::pdu::{AbortRQServiceProviderReason, Pdu};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::accept::{Job, Piece, Refusal};
use super::associate::{Association, Context};
use super::dimse::{self, Command};
use super::limits::SPOOL_QUEUE;
use super::messages::{Budget, Ended, Messages};
use super::offers::VERIFICATION;
use super::{Room, Shared};
use crate::audit::Event;
use crate::instance::uid::{AeTitle, Uid};
use crate::store::Accepted;

/// Serves an association until it ends, and ends it as the standard says.
pub(super) async fn serve<S>(
    shared: &Arc<Shared>,
    association: Association<S>,
    peer: IpAddr,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Association { wire, calling, contexts, .. } = association;
    let (idle, instance) = {
        let settings = shared.settings.borrow();
        (settings.idle_s.duration(), settings.instance_s.duration())
    };
    let messages = Messages::new(wire, idle, instance);
    let mut session = Session { shared, messages, calling, peer, contexts, stored: 0, known: 0 };
    let ended = loop {
        if let Err(ended) = session.message(&mut stop).await {
            break ended;
        }
    };
    let Session { messages, calling, stored, known, .. } = session;
    if stored + known > 0 {
        log::info!("association of {calling} at {peer}: {stored} new, {known} already here, {ended}");
    }
    let wire = messages.wire;
    match ended {
        Ended::Released => wire.say_last(&Pdu::ReleaseRP).await,
        Ended::Aborted => {}
        Ended::Stopped => wire.abort(AbortRQServiceProviderReason::ReasonNotSpecified).await,
        ended => {
            shared.broken.warn(format_args!("association of {calling} at {peer} was ended: {ended}"));
            wire.abort(AbortRQServiceProviderReason::UnexpectedPduParameter).await;
        }
    }
}

struct Session<'a, S> {
    shared: &'a Arc<Shared>,
    messages: Messages<S>,
    calling: AeTitle,
    peer: IpAddr,
    contexts: Vec<Context>,
    /// Instances answered with success: new ones, and ones that were here.
    stored: u64,
    known: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    /// Answers one message.
    async fn message(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), Ended> {
        let (id, command) = self.messages.command(stop).await?;
        let found = self.contexts.iter().find(|context| context.id == id).copied();
        let context = found.ok_or(Ended::Protocol("a context that was not accepted"))?;
        match command.field {
            dimse::C_ECHO_RQ => self.echo(context, &command).await,
            dimse::C_STORE_RQ => self.store(context, &command).await,
            dimse::C_CANCEL_RQ => Ok(()),
            field if field & dimse::RESPONSE != 0 => Err(Ended::Protocol("a response to nothing")),
            _ => {
                self.drain(id, &command).await?;
                self.messages.respond(id, command.response(dimse::UNRECOGNISED_OPERATION, "")).await
            }
        }
    }

    async fn echo(&mut self, context: Context, command: &Command) -> Result<(), Ended> {
        self.drain(context.id, command).await?;
        let status = if context.sop_class == VERIFICATION { dimse::SUCCESS } else { dimse::SOP_CLASS_NOT_SUPPORTED };
        self.messages.respond(context.id, command.response(status, "")).await
    }

    async fn store(&mut self, context: Context, command: &Command) -> Result<(), Ended> {
        let result = match storable(context, command) {
            Ok((class, instance)) => self.receive(context, class, instance).await?,
            Err(refusal) => {
                self.drain(context.id, command).await?;
                Err(refusal)
            }
        };
        let (status, comment) = match result {
            Ok(accepted) => {
                match accepted {
                    Accepted::New => self.stored += 1,
                    Accepted::Same | Accepted::Conflict => self.known += 1,
                }
                (dimse::SUCCESS, String::new())
            }
            Err(refusal) => {
                self.shared.counters.refused.fetch_add(1, Relaxed);
                let status = refusal.status();
                if status == dimse::OUT_OF_RESOURCES {
                    self.shared.found_room(Room::Short);
                }
                self.shared
                    .refusals
                    .warn(format_args!("instance of {} refused with 0x{status:04X}: {refusal}", self.calling));
                let (address, calling_ae) = (Some(self.peer), Some(self.calling.clone()));
                self.shared.audit.note(Event::Refused { address, calling_ae, status, more: 0 });
                (status, refusal.comment())
            }
        };
        self.messages.respond(context.id, command.response(status, &comment)).await?;
        crate::os::step("answered");
        Ok(())
    }

    /// Streams the dataset to the blocking half and waits for its verdict; drains what
    /// comes after that has given up.
    async fn receive(
        &mut self,
        context: Context,
        class: Uid,
        instance: Uid,
    ) -> Result<Result<Accepted, Refusal>, Ended> {
        let (pieces, queue) = mpsc::channel(SPOOL_QUEUE);
        let (shared, calling, peer) = (Arc::clone(self.shared), self.calling.clone(), self.peer);
        let (max_dataset_mib, min_free_mib) = {
            let settings = shared.settings.borrow();
            (settings.max_dataset_mib, settings.min_free_mib)
        };
        let writer = tokio::task::spawn_blocking(move || {
            let job = Job {
                store: &shared.store,
                commit: &shared.commit,
                now: shared.now,
                audit: &shared.audit,
                calling,
                peer,
                sop_class_uid: class,
                sop_instance_uid: instance,
                transfer_syntax: context.transfer_syntax,
                max_dataset_mib,
                min_free_mib,
            };
            let result = job.run(queue);
            // Here and not below, so that it happens even where the peer has gone.
            if let Ok(Accepted::New) = result {
                shared.counters.accepted.fetch_add(1, Relaxed);
                shared.found_room(Room::Enough);
                shared.bell.notify_one();
            }
            result
        });
        let limit = self.messages.instance;
        let mut budget = Budget::new();
        let mut last = false;
        while !last {
            let bytes;
            (bytes, last) = self.messages.data(context.id, &mut budget).await?;
            // A closed queue: the writer has its verdict, the rest is only drained.
            let _ = timeout(limit, pieces.send(Piece::Bytes(bytes))).await.map_err(|_| Ended::Disk(limit))?;
        }
        let _ = timeout(limit, pieces.send(Piece::End)).await.map_err(|_| Ended::Disk(limit))?;
        let result = timeout(limit, writer).await.map_err(|_| Ended::Disk(limit))?;
        Ok(result.unwrap_or(Err(Refusal::Internal)))
    }

    /// Reads and forgets the dataset of a command that is refused.
    async fn drain(&mut self, context: u8, command: &Command) -> Result<(), Ended> {
        let mut budget = Budget::new();
        let mut last = !command.has_dataset;
        while !last {
            (_, last) = self.messages.data(context, &mut budget).await?;
        }
        Ok(())
    }
}

/// Class and instance of a C-STORE-RQ that may be received in `context`.
fn storable(context: Context, command: &Command) -> Result<(Uid, Uid), Refusal> {
    let class = command.sop_class_uid.clone().filter(|class| class.as_str() == context.sop_class);
    let class = class.filter(|class| class.as_str() != VERIFICATION).ok_or(Refusal::WrongContext)?;
    let instance = command.sop_instance_uid.clone().ok_or(Refusal::NoInstanceUid)?;
    if command.has_dataset { Ok((class, instance)) } else { Err(Refusal::NoDataset) }
}
