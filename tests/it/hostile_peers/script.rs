//! A hostile peer: what it sends and does, step by step, and what it may get for it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::speech::responses;
use crate::site::LIMIT;

/// What a peer does.
#[derive(Clone)]
pub enum Step {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends bytes one by one with a pause after each, until it is cut off.
    Trickle(Vec<u8>, Duration),
    /// Sends the same bytes over and over, as often as it may.
    Flood(Vec<u8>, usize),
    /// Waits until the gateway has said so many PDUs in all.
    Heard(usize),
    /// Reads no more.
    StopReading,
    /// Closes its sending half.
    HalfClose,
    /// Resets the connection.
    Reset,
    /// Closes.
    Close,
}

/// What a peer may get.
#[derive(Clone, Copy, Debug)]
pub enum Allow {
    /// Rejected, aborted or cut off, and never a status.
    Ended,
    /// For every message one of these statuses, none of them success.
    Refused(&'static [u16]),
    /// Either of these.
    EndedOrRefused(&'static [u16]),
    /// Exactly these statuses: the control cases, legal and odd.
    Statuses(&'static [u16]),
    /// Irregular, but no doubt about what is meant: accepted or refused, never cut off.
    Tolerated,
}

/// A hostile peer.
pub struct Case {
    pub name: &'static str,
    pub steps: Vec<Step>,
    pub allow: Allow,
}

/// What it got: PDU types, and field and status of each response.
#[derive(Debug)]
pub struct Heard {
    pub kinds: Vec<u8>,
    pub statuses: Vec<(u16, u16)>,
}

/// Opens a connection from an address of the peer's own.
pub async fn connect(gateway: SocketAddr, from: IpAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    let stream = socket.connect(gateway).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Case {
    /// Plays the peer from address `from` and says what was wrong about what it got.
    pub async fn play(&self, gateway: SocketAddr, from: IpAddr) -> Result<(), String> {
        let heard = timeout(LIMIT, self.converse(gateway, from)).await.map_err(|_| "the gateway hangs".to_owned())?;
        self.judge(&heard.map_err(|e| format!("cannot connect: {e}"))?)
    }

    async fn converse(&self, gateway: SocketAddr, from: IpAddr) -> std::io::Result<Heard> {
        let (mut receiver, mut sender) = connect(gateway, from).await?.into_split();
        let (told, mut counted) = watch::channel(0);
        let paused = Arc::new(tokio::sync::Notify::new());
        let pause = Arc::clone(&paused);
        let listening = tokio::spawn(async move {
            let mut bytes = Vec::new();
            let mut buffer = vec![0; 16 * 1024];
            loop {
                let read = tokio::select! {
                    () = pause.notified() => std::future::pending().await,
                    read = receiver.read(&mut buffer) => read,
                };
                match read {
                    Ok(n) if n > 0 => bytes.extend(&buffer[..n]),
                    _ => return bytes,
                }
                told.send_replace(responses(&bytes).0.len());
            }
        });
        let mut deaf = false;
        for step in &self.steps {
            match step {
                Step::Send(bytes) => drop(sender.write_all(bytes).await),
                Step::Trickle(bytes, pause) => {
                    for byte in bytes {
                        if sender.write_all(&[*byte]).await.is_err() || listening.is_finished() {
                            break;
                        }
                        sleep(*pause).await;
                    }
                }
                Step::Flood(bytes, times) => {
                    for _ in 0..*times {
                        if sender.write_all(bytes).await.is_err() || listening.is_finished() {
                            break;
                        }
                    }
                }
                Step::Heard(n) => drop(counted.wait_for(|heard| heard >= n).await),
                Step::StopReading => {
                    paused.notify_one();
                    deaf = true;
                }
                Step::HalfClose => drop(sender.shutdown().await),
                Step::Reset => {
                    #[expect(deprecated, reason = "a linger of zero does not block: it is the reset")]
                    sender.as_ref().set_linger(Some(Duration::ZERO))?;
                    listening.abort();
                    return Ok(Heard { kinds: Vec::new(), statuses: Vec::new() });
                }
                Step::Close => {
                    listening.abort();
                    return Ok(Heard { kinds: Vec::new(), statuses: Vec::new() });
                }
            }
        }
        if deaf {
            // It learns of its end by writing.
            while sender.write_all(&[0]).await.is_ok() {
                sleep(Duration::from_millis(50)).await;
            }
            listening.abort();
            return Ok(Heard { kinds: Vec::new(), statuses: Vec::new() });
        }
        let (kinds, statuses) = responses(&listening.await.unwrap_or_default());
        Ok(Heard { kinds, statuses })
    }

    fn judge(&self, heard: &Heard) -> Result<(), String> {
        let statuses: Vec<u16> = heard.statuses.iter().map(|(_, status)| *status).collect();
        let refused = |allowed: &[u16]| {
            !statuses.is_empty() && statuses.iter().all(|status| *status != 0 && allowed.contains(status))
        };
        let fine = match self.allow {
            // A release that is confirmed would say that all is well.
            Allow::Ended => statuses.is_empty() && !heard.kinds.contains(&6),
            Allow::Refused(allowed) => refused(allowed),
            Allow::EndedOrRefused(allowed) => statuses.is_empty() || refused(allowed),
            Allow::Statuses(exactly) => statuses == exactly,
            Allow::Tolerated => !statuses.is_empty(),
        };
        if fine { Ok(()) } else { Err(format!("it heard {heard:04X?} where {:04X?} is allowed", self.allow)) }
    }
}
