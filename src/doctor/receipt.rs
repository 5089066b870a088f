//! Whether what is published arrives: the receiver's signed receipt for the test outcome, or
//! the broker's word where the site has no receiver.

use std::time::Duration;

use super::finding::Found;
use super::itself::{Sent, until};
use super::records::ago;
use crate::clock::Moment;
use crate::config::File;
use crate::store::Glance;

/// Longest wait for a receipt: the publisher sends again what has none after ten seconds.
const RECEIPT_LIMIT: Duration = Duration::from_secs(30);
/// A box that delivered nothing for so long is idle, or does not arrive.
const STALE_MS: i64 = 7 * 24 * 3_600_000;

/// Waits for the proof that `sent` arrived, or says when something last did.
pub async fn look(file: &File, glance: Option<&Glance>, sent: Option<&Sent>, now: Moment) -> Found {
    let Some(glance) = glance else { return Found::not_checked("the store cannot be seen") };
    let Some(sent) = sent else { return last(glance, now) };
    let sequence = sent.fate.sequence;
    let proof = until(RECEIPT_LIMIT, || glance.fate(&sent.uid).ok().flatten()?.proof).await;
    judge(proof.as_deref(), sequence, file.receiver.is_some())
}

fn judge(proof: Option<&str>, sequence: u64, has_receivers: bool) -> Found {
    let limit = RECEIPT_LIMIT.as_secs();
    match (proof, has_receivers) {
        (Some("receipt"), _) => Found::ok(format!("a receiver signed that it has outcome {sequence}")),
        (Some(proof), false) => {
            Found::ok(format!("outcome {sequence} left on the broker's word ({proof}); no [receiver] is configured"))
        }
        (Some(proof), true) => Found::warning(
            format!("outcome {sequence} left on {proof}, although receivers are configured"),
            "the daemon was started before [receiver] was set: restart it",
        ),
        (None, true) => Found::failed(
            format!("no receiver's receipt for outcome {sequence} within {limit} s"),
            "see the check `broker` first. Then: does the receiver run (`residentd collect`), was it given this device's public key (--devices), does [receiver] keys name its key, and may it write on the topic `receipt`? Nothing is lost: the outcome waits",
        ),
        (None, false) => Found::failed(
            format!("the broker has not taken outcome {sequence} within {limit} s, or has nobody to give it to"),
            "see the check `broker`; somebody must subscribe to the topic `report`. Nothing is lost: the outcome waits",
        ),
    }
}

fn last(glance: &Glance, now: Moment) -> Found {
    match glance.last_delivery() {
        Ok(None) => Found::not_checked("nothing was ever delivered from this box; it is tried when the daemon runs"),
        Ok(Some(delivery)) => {
            let seen = format!("last delivery {} ({})", ago(delivery.delivered_unix_ms, now), delivery.proof);
            if now.unix_ms - delivery.delivered_unix_ms > STALE_MS {
                Found::warning(
                    seen,
                    "start the daemon and run the doctor again: it then sends a test outcome and waits for its receipt",
                )
            } else {
                Found::ok(seen)
            }
        }
        Err(e) => Found::not_checked(e.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn without_a_receipt_the_advice_names_every_reason_for_it() {
        assert_eq!(judge(Some("receipt"), 3, true).state, State::Ok);
        assert_eq!(judge(Some("broker-ack"), 3, false).state, State::Ok);
        assert_eq!(judge(Some("broker-ack"), 3, true).state, State::Warning);
        let none = judge(None, 3, true);
        assert_eq!(none.state, State::Failed);
        assert!(
            ["collect", "--devices", "[receiver] keys", "receipt"].iter().all(|w| none.todo[0].contains(w)),
            "{none:?}"
        );
        assert_eq!(judge(None, 3, false).state, State::Failed);
    }
}
