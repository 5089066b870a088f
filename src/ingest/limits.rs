//! The bounds of the receiver that are constants; those that a site may change are in `[dicom]`.

use std::time::Duration;

/// Longest PDU after the association (PS3.8 9.3.1): twice what DCMTK sends by default,
/// and small enough to be held a few times an association.
pub const MAX_PDU_BYTES: u32 = 128 * 1024;
/// Longest A-ASSOCIATE-RQ: 128 contexts of 15 syntaxes take about 60 KiB.
pub const MAX_REQUEST_BYTES: u32 = 64 * 1024;
/// Most presentation contexts: their ids are the odd numbers of a byte (PS3.8 9.3.2.2).
pub const MAX_CONTEXTS: usize = 128;
/// Longest command set: a C-STORE-RQ has some 300 bytes.
pub const MAX_COMMAND_BYTES: usize = 4 * 1024;
/// Pieces of a dataset between socket and disk: with one PDU each in both hands and in
/// the read buffer, an association holds less than 1 MiB.
pub const SPOOL_QUEUE: usize = 4;
/// Bytes gathered before a write, for peers that send small fragments.
pub const WRITE_BUFFER_BYTES: usize = 64 * 1024;
/// Bytes written between two looks at the free disk, so that eight large datasets at once
/// do not pass the watermark that each of them was under at its start.
pub const FREE_CHECK_BYTES: u64 = 16 * 1024 * 1024;

/// A TLS handshake takes some round trips; a slower peer holds a seat for nothing.
pub const TLS_HANDSHAKE: Duration = Duration::from_secs(5);
/// From connection to A-ASSOCIATE-RQ (the ARTIM timer of PS3.8 9.1.5).
pub const ASSOCIATION: Duration = Duration::from_secs(10);
/// For a peer that is turned away: its request, our answer, its close.
pub const TURN_AWAY: Duration = Duration::from_secs(3);
/// Connections that wait to be accepted: a flood must not push a scanner's out.
pub const BACKLOG: i32 = 1024;
/// Connections that have asked for nothing yet: as many as a burst brings while one request
/// is being read, and few enough that all of their requests together take 16 MiB.
pub const MAX_WAITING: usize = 256;
/// Peers that are being turned away at once; more are cut off without an answer.
pub const MAX_TURNED_AWAY: usize = 16;
/// For the peer to close after our last word, so that a reset does not overtake it.
pub const LINGER: Duration = Duration::from_secs(1);
/// For what is in flight when the daemon stops.
pub const STOP_GRACE: Duration = Duration::from_secs(5);
/// After a failed `accept` (out of file descriptors), so as not to spin.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Slowest average over an instance: a modem of 1998.
pub const MIN_BYTES_PER_SECOND: u64 = 10_000;
/// How long a peer may be slower than that.
pub const RATE_GRACE: Duration = Duration::from_secs(10);
/// Between two log lines about the same kind of refusal.
pub const WARN_EVERY: Duration = Duration::from_mins(1);
