//! PDUs on a stream (PS3.8 9.3): one at a time, of bounded length, within a time.
//!
//! dicom-ul decodes and encodes them; its own association reads the request under the
//! limit of later PDUs and handshakes without a timeout, so the framing is here.

use std::io;
use std::time::Duration;

use dicom_ul::pdu::{AbortRQServiceProviderReason, AbortRQSource, Pdu, read_pdu, write_pdu};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::limits::LINGER;

/// Type, reserved byte, length (PS3.8 9.3.1).
const HEADER_BYTES: usize = 6;
/// Bytes read ahead: header and first fragment in one read.
const READ_AHEAD_BYTES: usize = 8 * 1024;
/// What is read after our last word before the connection is cut anyway.
const LINGER_BYTES: u64 = 64 * 1024;

/// Why no PDU came or went.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("connection: {0}")]
    Io(#[from] io::Error),
    #[error("nothing came or went in {0:?}")]
    Silent(Duration),
    #[error("a PDU of {length} bytes where {limit} are allowed")]
    TooLong { length: u32, limit: u32 },
    #[error("a PDU that cannot be decoded")]
    Malformed,
}

pub(super) struct Wire<S> {
    stream: BufReader<S>,
    pdu: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub fn new(stream: S) -> Self {
        Self { stream: BufReader::with_capacity(READ_AHEAD_BYTES, stream), pdu: Vec::new() }
    }

    /// The next PDU, of at most `limit` bytes.
    pub async fn read(&mut self, limit: u32, within: Duration) -> Result<Pdu, WireError> {
        timeout(within, self.fill(limit)).await.map_err(|_| WireError::Silent(within))??;
        match read_pdu(&self.pdu[..], limit, true) {
            Ok(Some(pdu)) => Ok(pdu),
            _ => Err(WireError::Malformed),
        }
    }

    async fn fill(&mut self, limit: u32) -> Result<(), WireError> {
        self.pdu.resize(HEADER_BYTES, 0);
        self.stream.read_exact(&mut self.pdu).await?;
        let length = u32::from_be_bytes([self.pdu[2], self.pdu[3], self.pdu[4], self.pdu[5]]);
        if length > limit {
            return Err(WireError::TooLong { length, limit });
        }
        self.pdu.resize(HEADER_BYTES + length as usize, 0);
        self.stream.read_exact(&mut self.pdu[HEADER_BYTES..]).await?;
        Ok(())
    }

    /// Sends `pdu` in one write.
    pub async fn write(&mut self, pdu: &Pdu, within: Duration) -> Result<(), WireError> {
        let mut bytes = Vec::new();
        write_pdu(&mut bytes, pdu).map_err(|_| WireError::Malformed)?;
        let sent = async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        timeout(within, sent).await.map_err(|_| WireError::Silent(within))??;
        Ok(())
    }

    /// Sends a last PDU and lets the peer close first (states 2 and 13 of PS3.8 9.2.3):
    /// closing with unread bytes would reset the connection before they are read.
    pub async fn say_last(mut self, pdu: &Pdu) {
        if self.write(pdu, LINGER).await.is_ok() {
            let mut rest = (&mut self.stream).take(LINGER_BYTES);
            let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
        }
        let _ = timeout(LINGER, self.stream.shutdown()).await;
    }

    /// Ends the association with an A-ABORT (PS3.8 9.3.8).
    pub async fn abort(self, reason: AbortRQServiceProviderReason) {
        self.say_last(&Pdu::AbortRQ { source: AbortRQSource::ServiceProvider(reason) }).await;
    }
}
