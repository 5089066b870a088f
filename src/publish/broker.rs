//! The embedded broker, for a first run and for sites without one: MQTT 5, in memory, no
//! access control. It acknowledges everything with success, so it is no proof that anybody
//! listens. The only file that knows rumqttd, which cannot be stopped: it lives as long as the process.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

/// Clients at once: one device, its receivers, a few curious ones.
const MAX_CONNECTIONS: usize = 64;
/// Largest packet: an outcome is some hundred kilobytes.
const MAX_PACKET_BYTES: usize = 16 * 1024 * 1024;
/// Unacknowledged messages a client.
const MAX_INFLIGHT: usize = 200;
/// A topic filter's messages stay in memory in segments of that size …
const SEGMENT_BYTES: usize = 4 * 1024 * 1024;
/// … at most so many; a receiver slower than that misses outcomes and sees it by the sequence.
const SEGMENTS: usize = 8;
/// From connect to CONNECT.
const CONNECT_TIMEOUT_MS: u16 = 5000;
/// Between accepted connections: bounds what a flood of them costs.
const NEXT_CONNECTION_DELAY_MS: u64 = 1;
/// From start to the first accepted connection.
const START_LIMIT: Duration = Duration::from_secs(5);

/// Why the embedded broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Another program listens there.
    #[error("embedded broker: {0} is in use; is another MQTT broker running? Remove [broker] or choose another port")]
    InUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("embedded broker: cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// It did not come up.
    #[error("embedded broker: did not start on {0}")]
    NotStarted(SocketAddr),
}

/// A running embedded broker. Dropping it does not stop it.
#[derive(Debug)]
pub struct EmbeddedBroker {
    address: SocketAddr,
}

impl EmbeddedBroker {
    /// Starts the broker in threads of its own; returns when it accepts connections. With
    /// port 0 a free port is chosen. Blocks for up to some milliseconds, 5 s at worst.
    ///
    /// # Errors
    /// The address is in use or cannot be listened on, or the broker did not come up.
    pub fn start(listen: SocketAddr) -> Result<Self, BrokerError> {
        let failed = |source: std::io::Error| match source.kind() {
            ErrorKind::AddrInUse => BrokerError::InUse(listen),
            _ => BrokerError::Listen { address: listen, source },
        };
        // rumqttd only logs that it could not bind, so try it first.
        let probe = TcpListener::bind(listen).map_err(failed)?;
        let address = probe.local_addr().map_err(failed)?;
        drop(probe);
        let broker = thread::Builder::new()
            .name("broker".to_owned())
            .spawn(move || {
                // Blocks until every server thread of it has ended.
                if let Err(error) = Broker::new(config(address)).start() {
                    log::error!("embedded broker: {error}");
                }
            })
            .map_err(failed)?;
        let started = Instant::now();
        while TcpStream::connect_timeout(&reachable(address), START_LIMIT).is_err() {
            if broker.is_finished() || started.elapsed() > START_LIMIT {
                return Err(BrokerError::NotStarted(address));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(Self { address })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

/// An address that listens everywhere is reached on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(a) if a.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, a.port()).into(),
        SocketAddr::V6(a) if a.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, a.port()).into(),
        other => other,
    }
}

fn config(listen: SocketAddr) -> Config {
    let server = ServerSettings {
        name: "mqtt-5".to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: NEXT_CONNECTION_DELAY_MS,
        connections: ConnectionSettings {
            connection_timeout_ms: CONNECT_TIMEOUT_MS,
            max_payload_size: MAX_PACKET_BYTES,
            max_inflight_count: MAX_INFLIGHT,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    };
    Config {
        router: RouterConfig {
            max_connections: MAX_CONNECTIONS,
            max_outgoing_packet_count: MAX_INFLIGHT as u64,
            max_segment_size: SEGMENT_BYTES,
            max_segment_count: SEGMENTS,
            ..RouterConfig::default()
        },
        v5: Some(HashMap::from([("1".to_owned(), server)])),
        ..Config::default()
    }
}
