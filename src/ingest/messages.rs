//! DIMSE messages out of P-DATA fragments (PS3.7 annex F, PS3.8 annex E).

use std::collections::VecDeque;
use std::time::Duration;

use dicom_ul::pdu::{PDataValue, PDataValueType, Pdu};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;

use super::dimse::{Command, NotACommand};
use super::limits::{MAX_COMMAND_BYTES, MAX_PDU_BYTES, MIN_BYTES_PER_SECOND, RATE_GRACE};
use super::wire::{Wire, WireError};

/// Why an association ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("released")]
    Released,
    #[error("aborted by the peer")]
    Aborted,
    #[error("stopped by us")]
    Stopped,
    #[error("{0}")]
    Wire(#[from] WireError),
    #[error("{0}")]
    Command(#[from] NotACommand),
    #[error("a message against the protocol: {0}")]
    Protocol(&'static str),
    #[error("a message took longer than {0:?}")]
    Late(Duration),
    #[error("an instance came slower than {MIN_BYTES_PER_SECOND} bytes a second")]
    Slow,
    #[error("our disk did not answer in {0:?}")]
    Disk(Duration),
}

/// The fragments of one association, in order.
pub(super) struct Messages<S> {
    pub wire: Wire<S>,
    pub idle: Duration,
    pub instance: Duration,
    queue: VecDeque<PDataValue>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Messages<S> {
    pub fn new(wire: Wire<S>, idle: Duration, instance: Duration) -> Self {
        Self { wire, idle, instance, queue: VecDeque::new() }
    }

    /// The next command and the id of its presentation context; waits for its first
    /// fragment until `stop`.
    pub async fn command(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(u8, Command), Ended> {
        let first = tokio::select! {
            biased;
            // Also when the sender is gone: nobody could stop us later.
            _ = stop.wait_for(|stop| *stop) => return Err(Ended::Stopped),
            first = self.fragment(self.idle) => first?,
        };
        let context = first.presentation_context_id;
        let deadline = Instant::now() + self.idle;
        let mut bytes = Vec::new();
        let mut fragment = first;
        loop {
            if fragment.value_type != PDataValueType::Command || fragment.presentation_context_id != context {
                return Err(Ended::Protocol("a command is interrupted"));
            }
            if bytes.len() + fragment.data.len() > MAX_COMMAND_BYTES {
                return Err(NotACommand::TooLong.into());
            }
            bytes.extend(fragment.data);
            if fragment.is_last {
                return Ok((context, Command::parse(&bytes)?));
            }
            fragment = self.inside(deadline.saturating_duration_since(Instant::now())).await?;
        }
    }

    /// The next fragment of a dataset that belongs to `context`, and whether it is the
    /// last; `budget` holds times and rate.
    pub async fn data(&mut self, context: u8, budget: &mut Budget) -> Result<(Vec<u8>, bool), Ended> {
        let remaining = self.instance.saturating_sub(budget.since.elapsed());
        if remaining.is_zero() {
            return Err(Ended::Late(self.instance));
        }
        let fragment = self.inside(remaining.min(self.idle)).await?;
        if fragment.value_type != PDataValueType::Data || fragment.presentation_context_id != context {
            return Err(Ended::Protocol("a dataset is interrupted"));
        }
        budget.take(fragment.data.len(), Instant::now())?;
        Ok((fragment.data, fragment.is_last))
    }

    /// A fragment inside a message, where a release is out of place (PS3.8 7.2).
    async fn inside(&mut self, within: Duration) -> Result<PDataValue, Ended> {
        match self.fragment(within).await {
            Err(Ended::Released) => Err(Ended::Protocol("a release inside a message")),
            other => other,
        }
    }

    async fn fragment(&mut self, within: Duration) -> Result<PDataValue, Ended> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(fragment) = self.queue.pop_front() {
                return Ok(fragment);
            }
            // What keeps coming is read at once, however little time is left: empty fragments
            // and PDUs without any fill no bound but this one.
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                return Err(WireError::Silent(within).into());
            }
            match self.wire.read(MAX_PDU_BYTES, remaining).await? {
                Pdu::PData { data } => self.queue = data.into(),
                Pdu::ReleaseRQ => return Err(Ended::Released),
                Pdu::AbortRQ { .. } => return Err(Ended::Aborted),
                _ => return Err(Ended::Protocol("a PDU that may not come now")),
            }
        }
    }

    /// Sends a command set without dataset.
    pub async fn respond(&mut self, context: u8, command_set: Vec<u8>) -> Result<(), Ended> {
        let value = PDataValue {
            presentation_context_id: context,
            value_type: PDataValueType::Command,
            is_last: true,
            data: command_set,
        };
        Ok(self.wire.write(&Pdu::PData { data: vec![value] }, self.idle).await?)
    }
}

/// The time and rate of one dataset.
pub(super) struct Budget {
    since: Instant,
    bytes: u64,
}

impl Budget {
    pub fn new() -> Self {
        Self { since: Instant::now(), bytes: 0 }
    }

    fn take(&mut self, bytes: usize, now: Instant) -> Result<(), Ended> {
        self.bytes += bytes as u64;
        let elapsed = now.duration_since(self.since);
        let least = MIN_BYTES_PER_SECOND * elapsed.as_secs();
        if elapsed > RATE_GRACE && self.bytes < least { Err(Ended::Slow) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_may_be_slow_for_ten_seconds_and_no_longer() {
        let mut budget = Budget::new();
        let after = |s| budget.since + Duration::from_secs(s);
        let [ten, eleven, twelve] = [10, 11, 12].map(after);
        assert!(budget.take(1, ten).is_ok());
        assert!(matches!(budget.take(1, eleven), Err(Ended::Slow)));
        assert!(budget.take(120_000, twelve).is_ok());
    }
}
