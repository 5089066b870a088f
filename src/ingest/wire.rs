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
        // Grows with what comes: a claim alone costs nothing.
        let read = (&mut self.stream).take(length.into()).read_to_end(&mut self.pdu).await?;
        if read < length as usize { Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()) } else { Ok(()) }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An A-ASSOCIATE-RQ with one context, to be damaged.
    fn request() -> Vec<u8> {
        let item = |kind: u8, body: &[u8]| [&[kind, 0, 0, u8::try_from(body.len()).unwrap()][..], body].concat();
        let context =
            [&[1, 0, 0, 0][..], &item(0x30, b"1.2.840.10008.1.1"), &item(0x40, b"1.2.840.10008.1.2")].concat();
        let identity = [&[2, 1, 0, 4][..], b"user", &[0, 4], b"pass"].concat();
        let user =
            [item(0x51, &[0, 0, 64, 0]), item(0x52, b"1.2.3"), item(0x54, b"\0\x031.2\x01\0"), item(0x58, &identity)]
                .concat();
        let body = [
            &[0, 1, 0, 0][..],
            &[b'A'; 32],
            &[0; 32],
            &item(0x10, b"1.2.840.10008.3.1.1.1"),
            &item(0x20, &context),
            &item(0x50, &user),
        ];
        let body = body.concat();
        [&[1, 0][..], &u32::try_from(body.len()).unwrap().to_be_bytes(), &body].concat()
    }

    #[test]
    fn the_request_that_is_damaged_below_is_one() {
        assert!(matches!(read_pdu(&request()[..], 65_536, true), Ok(Some(Pdu::AssociationRQ(_)))));
    }

    proptest! {
        #[test]
        fn damaged_pdus_never_panic(
            kind in 0..9u8,
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = request();
            bytes[0] = kind.max(1);
            for (at, byte) in &damage {
                let at = 6 + at.index(bytes.len() - 6);
                bytes[at] = *byte;
            }
            bytes.truncate(6 + cut.index(bytes.len() - 5));
            let length = u32::try_from(bytes.len() - 6).unwrap().to_be_bytes();
            bytes[2..6].copy_from_slice(&length);
            let _ = read_pdu(&bytes[..], 65_536, true);
        }
    }
}
