//! A wire that can be cut: TCP to the broker through this process.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A wire to one address.
pub struct Wire {
    pub address: SocketAddr,
    cut: Arc<Notify>,
}

impl Wire {
    /// Lays a wire to `to` in a thread of its own.
    pub fn to(to: SocketAddr) -> Self {
        let cut = Arc::new(Notify::new());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let cuts = Arc::clone(&cut);
        std::thread::spawn(move || {
            crate::site::runtime().block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let Ok((mut near, _)) = listener.accept().await else { continue };
                    let Ok(mut far) = TcpStream::connect(to).await else { continue };
                    let _ = (near.set_nodelay(true), far.set_nodelay(true));
                    // One device, one connection at a time.
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        () = cuts.notified() => {}
                    }
                }
            });
        });
        Self { address, cut }
    }

    /// Cuts it; the next connection finds it whole.
    pub fn cut(&self) {
        self.cut.notify_one();
    }
}
