//! A way between two ends of a TCP connection that can be cut, mended, and stopped in the
//! middle: what a pulled cable does, without anybody at the cable.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// Bytes carried at once.
const PIECE_BYTES: usize = 16 * 1024;

/// Whether the way is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It is.
    Open,
    /// Connections are ended and none is let in.
    Cut,
}

/// A proxy; it ends when this is dropped.
pub struct Proxy {
    address: SocketAddr,
    way: watch::Sender<Way>,
    carried: Arc<Carried>,
    task: JoinHandle<()>,
}

/// How much goes towards the target before everything stands still.
struct Carried {
    left: AtomicU64,
    stopped: Notify,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// A way to `target` (HOST:PORT) that stands still once `limit_bytes` went there.
    pub async fn start(target: String, limit_bytes: Option<u64>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (way, open) = watch::channel(Way::Open);
        let carried =
            Arc::new(Carried { left: AtomicU64::new(limit_bytes.unwrap_or(u64::MAX)), stopped: Notify::new() });
        let task = tokio::spawn(serve(listener, target, open, carried.clone()));
        Ok(Self { address, way, carried, task })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens or cuts the way.
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// Resolves when as much went as may.
    pub async fn stands_still(&self) {
        self.carried.stopped.notified().await;
    }
}

async fn serve(listener: TcpListener, target: String, way: watch::Receiver<Way>, carried: Arc<Carried>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        if *way.borrow() == Way::Cut {
            continue;
        }
        let (target, mut way, carried) = (target.clone(), way.clone(), carried.clone());
        tokio::spawn(async move {
            let Ok(to) = TcpStream::connect(&target).await else { return };
            let _ = (stream.set_nodelay(true), to.set_nodelay(true));
            let (mut from_read, mut from_write) = stream.into_split();
            let (mut to_read, mut to_write) = to.into_split();
            tokio::select! {
                () = carry(&mut from_read, &mut to_write, Some(&carried)) => {}
                () = carry(&mut to_read, &mut from_write, None) => {}
                _ = way.wait_for(|way| *way == Way::Cut) => {}
            }
        });
    }
}

/// Carries bytes until an end closes; stands still for ever once the limit is reached.
async fn carry(
    from: &mut (impl tokio::io::AsyncRead + Unpin),
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
    limit: Option<&Carried>,
) {
    let mut piece = vec![0; PIECE_BYTES];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        if let Some(carried) = limit {
            let left = carried.left.load(Relaxed);
            if left < read as u64 {
                carried.stopped.notify_one();
                return std::future::pending().await;
            }
            carried.left.store(left - if left == u64::MAX { 0 } else { read as u64 }, Relaxed);
        }
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}
