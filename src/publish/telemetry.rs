//! Telemetry on its way out: the latest document and no other. It is published once, `QoS` 0,
//! not retained; one that finds no broker, or no room on the connection, is not missed.

use tokio::sync::watch;

use super::message::{Sender, json};
use crate::mqtt::{Message, Qos, Retain};

/// Longest document: a receiver may count on it. A real one has some two kilobytes.
pub const MAX_TELEMETRY_BYTES: usize = 16 * 1024;

/// Where the latest document stands.
#[derive(Debug, Default)]
pub(super) struct Latest {
    source: Option<watch::Receiver<String>>,
    /// It was not published yet.
    fresh: bool,
}

impl Latest {
    pub(super) const fn of(source: watch::Receiver<String>) -> Self {
        Self { source: Some(source), fresh: false }
    }

    /// Waits until there is another document; cancel safe.
    pub(super) async fn changed(&mut self) {
        if let Some(source) = &mut self.source
            && source.changed().await.is_ok()
        {
            self.fresh = true;
            return;
        }
        // Nobody measures, or no longer.
        self.source = None;
        std::future::pending::<()>().await;
    }

    /// The document that was not published yet.
    pub(super) fn take(&mut self) -> Option<String> {
        let source = self.source.as_ref().filter(|_| std::mem::take(&mut self.fresh))?;
        Some(source.borrow().clone()).filter(|document| (1..=MAX_TELEMETRY_BYTES).contains(&document.len()))
    }
}

impl Sender {
    /// The message of a document.
    pub(super) fn telemetry(&self, document: String) -> Message {
        Message { qos: Qos::AtMostOnce, ..json(self.topics.telemetry.clone(), Retain::No, document) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_document_is_taken_once_and_one_that_is_too_long_never() {
        let (sender, receiver) = watch::channel(String::new());
        let mut latest = Latest::of(receiver);
        assert_eq!(latest.take(), None);
        for (document, taken) in [("{}".to_owned(), true), ("x".repeat(MAX_TELEMETRY_BYTES + 1), false)] {
            sender.send_replace(document.clone());
            latest.changed().await;
            assert_eq!((latest.take(), latest.take()), (taken.then_some(document), None));
        }
    }
}
