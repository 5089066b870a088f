//! DICOM in: a Storage and Verification SCP (PS3.4 annexes A and B) that trusts no peer.
//!
//! [`Listener::serve`] takes connections; `associate` decides who may and what is spoken;
//! `serve` answers messages; `accept` makes a received dataset a durable instance. No
//! file here looks deeper into a dataset than its element headers.

mod accept;
mod associate;
mod dimse;
pub mod limits;
mod messages;
pub mod offers;
mod refusals;
pub mod replay;
mod seats;
mod serve;
mod spool;
mod tls;
mod welcome;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::audit::Audit;
use crate::clock::Moment;
use crate::config::Dicom;
use crate::os;
use crate::pulse::{BEAT, Pulse};
use crate::store::Store;
use refusals::Refusals;
use seats::Seats;
pub use tls::TlsError;

/// Who wrote a file or opened an association (PS3.7 D.3.3.2); the same for every release,
/// so that a file's bytes depend on its dataset alone.
const IMPLEMENTATION_CLASS_UID: &str = "2.25.140890692750106246156786332660837670385";
/// As above, in words (PS3.7 D.3.3.2.3).
const IMPLEMENTATION_VERSION: &str = "RESIDENTD";

/// Why ingest cannot start.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The address cannot be listened on.
    #[error("cannot listen for DICOM on {address}: {source} (is another daemon using the port? see [dicom] listen)")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// TLS is configured and cannot be had.
    #[error("[dicom.tls] {0}")]
    Tls(#[from] TlsError),
}

/// What ingest has done since it started.
#[derive(Debug, Default)]
pub struct Counters {
    /// Associations accepted.
    pub associations: AtomicU64,
    /// Connections that did not become an association.
    pub turned_away: AtomicU64,
    /// Instances accepted as new.
    pub accepted: AtomicU64,
    /// Instances refused, each with a status.
    pub refused: AtomicU64,
}

/// Whether there is room for images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// The last one was kept.
    Enough,
    /// The last one was refused with 0xA700: out of resources, try later.
    Short,
}

/// A bound address that serves nobody yet.
pub struct Listener {
    socket: std::net::TcpListener,
    address: SocketAddr,
    settings: watch::Sender<Dicom>,
    now: fn() -> Moment,
    tls: Option<TlsAcceptor>,
    counters: Arc<Counters>,
    pulse: Arc<Pulse>,
    room: watch::Sender<Room>,
}

/// What all associations share.
struct Shared {
    /// As they are for the next connection.
    settings: watch::Sender<Dicom>,
    store: Store,
    now: fn() -> Moment,
    bell: Arc<Notify>,
    audit: Audit,
    counters: Arc<Counters>,
    room: watch::Sender<Room>,
    tls: Option<TlsAcceptor>,
    commit: Mutex<()>,
    /// Connections that became no association.
    strangers: Refusals,
    /// Associations that were ended for what the peer did.
    broken: Refusals,
    /// Instances that were refused.
    refusals: Refusals,
    /// SOP classes and transfer syntaxes that were asked for in vain.
    unspoken: Refusals,
}

impl Shared {
    /// Notes how much room there turned out to be; who listens hears of changes only.
    fn found_room(&self, now: Room) {
        self.room.send_if_modified(|room| std::mem::replace(room, now) != now);
    }
}

impl Listener {
    /// Takes the address and reads the certificates; serves nobody yet. `now` is the clock
    /// by which instances are stamped and certificates judged.
    ///
    /// # Errors
    /// The address is in use or not ours; a certificate, key or CA is missing or wrong.
    pub fn bind(settings: &Dicom, now: fn() -> Moment) -> Result<Self, IngestError> {
        let tls = settings.tls.as_ref().map(|tls| tls::acceptor(tls, now)).transpose()?;
        let failed = |source| IngestError::Listen { address: settings.listen, source };
        let socket = std::net::TcpListener::bind(settings.listen).map_err(failed)?;
        os::listen_backlog(&socket, limits::BACKLOG).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self {
            socket,
            address,
            settings: watch::Sender::new(settings.clone()),
            now,
            tls,
            counters: Arc::default(),
            pulse: Arc::default(),
            room: watch::Sender::new(Room::Enough),
        })
    }

    /// The address that peers connect to, with the port that the system chose for port 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What is counted while serving.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Beats while connections are accepted and an instance could be made durable.
    #[must_use]
    pub fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }

    /// Takes other settings while serving: who may send, how slow, how large, with how much
    /// room. Associations that are there keep theirs; address, TLS and seats stay.
    #[must_use]
    pub fn settings(&self) -> watch::Sender<Dicom> {
        self.settings.clone()
    }

    /// Tells when storing begins to be refused for want of room, and when that is over.
    #[must_use]
    pub fn room(&self) -> watch::Receiver<Room> {
        self.room.subscribe()
    }

    /// Serves until `stop` is true or its sender gone; gives what is in flight
    /// [`limits::STOP_GRACE`] to end. Rings `bell` after each new instance; `audit` is told
    /// of each, of each refusal, and of peers that are denied.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn serve(self, store: Store, bell: Arc<Notify>, audit: Audit, mut stop: watch::Receiver<bool>) {
        let Self { socket, settings, now, tls, counters, pulse, room, .. } = self;
        let socket = tokio::net::TcpListener::from_std(socket).expect("serve is called on a tokio runtime with I/O");
        let seats = {
            let settings = settings.borrow();
            Seats::new(settings.max_associations, settings.max_associations_per_peer)
        };
        let turning_away = Arc::new(Semaphore::new(limits::MAX_TURNED_AWAY));
        let shared = Arc::new(Shared {
            settings,
            store,
            now,
            bell,
            audit,
            counters,
            room,
            tls,
            commit: Mutex::default(),
            strangers: Refusals::default(),
            broken: Refusals::default(),
            refusals: Refusals::default(),
            unspoken: Refusals::default(),
        });
        let mut tasks = JoinSet::new();
        let mut beat = tokio::time::interval(BEAT);
        let mut probe: Option<JoinHandle<()>> = None;
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                Some(ended) = tasks.join_next() => {
                    shared.report(ended);
                    continue;
                }
                _ = beat.tick() => {
                    if probe.as_ref().is_none_or(JoinHandle::is_finished) {
                        probe = Some(shared.probe(&pulse));
                    }
                    continue;
                }
                accepted = socket.accept() => accepted,
            };
            os::step("welcomed");
            match accepted {
                Ok((stream, peer)) => {
                    shared.welcome(stream, peer.ip().to_canonical(), &seats, &turning_away, &stop, &mut tasks);
                }
                Err(error) => {
                    shared.strangers.warn(format_args!("accepting a connection: {error}"));
                    tokio::time::sleep(limits::ACCEPT_PAUSE).await;
                }
            }
        }
        drop(socket);
        let all = async {
            while let Some(ended) = tasks.join_next().await {
                shared.report(ended);
            }
        };
        // What is still there after that is cut off as `tasks` is dropped.
        let _ = timeout(limits::STOP_GRACE, all).await;
    }
}

impl Shared {
    /// Beats once what every instance needs can be had: a blocking thread, the turn to
    /// make its row, the spool.
    fn probe(self: &Arc<Self>, pulse: &Arc<Pulse>) -> JoinHandle<()> {
        let (shared, pulse) = (Arc::clone(self), Arc::clone(pulse));
        tokio::task::spawn_blocking(move || {
            drop(shared.commit.lock().unwrap_or_else(PoisonError::into_inner));
            // An error is an answer too: instances are refused with it.
            let _ = os::free_bytes(&shared.store.incoming());
            pulse.beat();
        })
    }
}

#[cfg(test)]
mod tests;
