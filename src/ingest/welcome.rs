//! From a connection to an association: address, seat, TLS, request; or the door.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::associate::{self, NotAssociated, Policy};
use super::seats::{Seat, Seats};
use super::wire::Wire;
use super::{Shared, limits, serve};
use crate::audit::{Event, Why};
use crate::clock::untimely;
use crate::instance::uid::AeTitle;

/// Said of a connection that was cut off for another's sake.
const GAVE_WAY: &str = "it had asked for nothing when the seats were taken";

impl Shared {
    /// Gives a connection a seat, an answer, or neither.
    pub(super) fn welcome(
        self: &Arc<Self>,
        stream: TcpStream,
        peer: IpAddr,
        seats: &Arc<Seats>,
        turning_away: &Arc<Semaphore>,
        stop: &watch::Receiver<bool>,
        tasks: &mut JoinSet<()>,
    ) {
        if !self.lets_in(peer) {
            return self.turned_away(peer, Why::Address, &"its address is not allowed");
        }
        if let Some(seat) = seats.take(peer) {
            tasks.spawn(Arc::clone(self).connection(stream, peer, seat, stop.clone()));
            return;
        }
        self.turned_away(peer, Why::TooMany, &"it has too many connections");
        if let Ok(permit) = Arc::clone(turning_away).try_acquire_owned() {
            let shared = Arc::clone(self);
            tasks.spawn(async move {
                let _ = timeout(limits::TURN_AWAY, shared.turn_away(stream)).await;
                drop(permit);
            });
        }
    }

    fn lets_in(&self, peer: IpAddr) -> bool {
        let allowed = &self.settings.borrow().allow_addresses;
        allowed.is_empty() || allowed.iter().any(|address| address.to_canonical() == peer)
    }

    async fn turn_away(&self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => associate::turn_away(Wire::new(stream)).await,
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream).await {
                    associate::turn_away(Wire::new(stream)).await;
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, peer: IpAddr, seat: Seat, stop: watch::Receiver<bool>) {
        // Nagle would hold our answers back for the peer's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else { return self.associated(stream, peer, &seat, stop).await };
        let handshake = tokio::select! {
            biased;
            () = seat.called_away() => return self.turned_away(peer, Why::TooMany, &GAVE_WAY),
            handshake = timeout(limits::TLS_HANDSHAKE, tls.accept(stream)) => handshake,
        };
        match handshake {
            Ok(Ok(stream)) => self.associated(stream, peer, &seat, stop).await,
            Ok(Err(error)) => {
                let why = untimely(&error, (self.now)()).unwrap_or_else(|| error.to_string());
                self.turned_away(peer, Why::Tls, &format_args!("TLS: {why}"));
            }
            Err(_) => self.turned_away(peer, Why::Tls, &"TLS handshake took too long"),
        }
    }

    async fn associated<S: AsyncRead + AsyncWrite + Unpin>(
        self: &Arc<Self>,
        stream: S,
        peer: IpAddr,
        seat: &Seat,
        mut stop: watch::Receiver<bool>,
    ) {
        let settings = self.settings.borrow().clone();
        let policy = Policy {
            ae_title: &settings.ae_title,
            allow_calling: &settings.allow_calling,
            has_room: &|| seat.associate(),
        };
        let established = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            () = seat.called_away() => return self.turned_away(peer, Why::TooMany, &GAVE_WAY),
            established = associate::establish(Wire::new(stream), &policy) => established,
        };
        match established {
            Ok(association) => {
                self.counters.associations.fetch_add(1, Relaxed);
                if let Some(what) = &association.unspoken {
                    self.unspoken.warn(format_args!("{} at {peer}: {what}", association.calling));
                }
                serve::serve(self, association, peer, stop).await;
            }
            Err(error) => self.not_associated(peer, &error),
        }
    }

    /// A panic ends its own association only; what a peer can cause it can repeat.
    pub(super) fn report(&self, ended: Result<(), tokio::task::JoinError>) {
        if let Err(error) = ended {
            self.broken.warn(format_args!("an association failed inside residentd: {error}"));
        }
    }

    fn turned_away(&self, peer: IpAddr, why: Why, words: &dyn std::fmt::Display) {
        self.deny(peer, None, why, words);
    }

    fn not_associated(&self, peer: IpAddr, error: &NotAssociated) {
        let (why, calling) = match error {
            NotAssociated::Rejected { calling, .. } => (Why::CallingAe, calling.clone()),
            NotAssociated::OtherAeTitle { calling, .. } => (Why::CalledAe, calling.clone()),
            NotAssociated::Full => (Why::TooMany, None),
            NotAssociated::Wire(_) | NotAssociated::NotARequest | NotAssociated::BadContexts => (Why::Protocol, None),
        };
        self.deny(peer, calling, why, error);
    }

    fn deny(&self, peer: IpAddr, calling_ae: Option<AeTitle>, why: Why, words: &dyn std::fmt::Display) {
        self.counters.turned_away.fetch_add(1, Relaxed);
        self.strangers.warn(format_args!("connection from {peer} turned away: {words}"));
        self.audit.note(Event::Denied { address: Some(peer), calling_ae, why, more: 0 });
    }
}
