//! Verifying: what a sealed outcome, or a series of them, proves to a human, and what not.
//!
//! The pure half of `residentd verify`: text and keys in, statements out.

use std::fmt;

use serde_json::Value;

use super::chain::ChainCheck;
use super::event::{EventHeader, Happened, OpenedEvent};
use super::header::{Clock, Header, Kind};
use super::jws::Opened;
use super::link::{Link, followed};
use super::public::PublicKey;

/// Most outcomes in one file: years of one device; more than that is not a file of outcomes.
pub const MAX_OUTCOMES: usize = 1_000_000;

/// One thing that was checked, as a sentence without its stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// It holds.
    Proven(String),
    /// It does not hold: the whole must not be relied on.
    Refuted(String),
    /// No signature can show it.
    NotProven(String),
}

/// What came of verifying.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// What is proven, refuted and not proven, in that order of reading.
    pub statements: Vec<Statement>,
    /// The links that opened, in the order of the text: outcomes, and events of the device.
    pub links: Vec<Link>,
}

impl Verified {
    /// True where at least one outcome was there and nothing was refuted.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.links.is_empty() && !self.statements.iter().any(|s| matches!(s, Statement::Refuted(_)))
    }

    fn proven(&mut self, text: String) {
        self.statements.push(Statement::Proven(text));
    }

    fn refuted(&mut self, text: String) {
        self.statements.push(Statement::Refuted(text));
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proven(text) => write!(f, "proven: {text}"),
            Self::Refuted(text) => write!(f, "WRONG: {text}"),
            Self::NotProven(text) => write!(f, "not proven: {text}"),
        }
    }
}

impl fmt::Display for Verified {
    /// One statement a line, then the verdict.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statements.iter().try_for_each(|statement| writeln!(f, "{statement}"))?;
        f.write_str(if self.passed() { "The seal holds." } else { "THE SEAL DOES NOT HOLD." })
    }
}

/// Verifies `text`: one JWS, or several, one a line, as a chain.
#[must_use]
pub fn verify(text: &str, keys: &[PublicKey]) -> Verified {
    let mut verified = Verified::default();
    let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
    let lines: Vec<(usize, &str)> = lines.filter(|(_, line)| !line.is_empty()).take(MAX_OUTCOMES + 1).collect();
    if lines.is_empty() {
        verified.refuted("there is no outcome here".to_owned());
    }
    if lines.len() > MAX_OUTCOMES {
        verified.refuted(format!(
            "there are more than {MAX_OUTCOMES} outcomes here, of which only the first are looked at"
        ));
    }
    // A key that is not given counts where one that is has handed over to it, in this text.
    let keys = followed(lines.iter().take(MAX_OUTCOMES).map(|(_, line)| *line), keys);
    for (number, line) in lines.iter().take(MAX_OUTCOMES) {
        let place = if lines.len() == 1 { String::new() } else { format!("line {number}: ") };
        match Link::open(line, &keys) {
            Ok(Link::Outcome(opened)) => take(&mut verified, &place, opened, lines.len() == 1),
            Ok(Link::Event(event)) => take_event(&mut verified, &place, event),
            Err(error) => verified.refuted(format!("{place}this is not an outcome sealed by a given key: {error}")),
        }
    }
    if lines.len() > 1 {
        chain(&mut verified);
    }
    if !verified.links.is_empty() {
        limits(&mut verified, lines.len() == 1);
    }
    verified
}

/// States what an opened outcome proves; at length where it is the only one.
fn take(verified: &mut Verified, place: &str, opened: Opened, alone: bool) {
    let header = &opened.header;
    if alone {
        for text in at_length(header) {
            verified.proven(text);
        }
    } else {
        let (kind, id, key) = (header.kind.as_str(), &header.report_id, &header.kid);
        verified.proven(format!("{place}outcome {} ({kind} {id}) is signed by key {key}", header.seq));
    }
    for text in disagreements(&opened) {
        verified.refuted(format!("{place}{text}"));
    }
    verified.links.push(Link::Outcome(opened));
}

/// States what happened to the device.
fn take_event(verified: &mut Verified, place: &str, event: OpenedEvent) {
    let EventHeader { seq, kid, sealed_at, .. } = &event.header;
    match &event.happened {
        Happened::HandedOver(new) => {
            verified.proven(format!(
                "{place}outcome {seq} is no image's: key {kid} hands over to key {}, which accepts and signs what follows (at {sealed_at} by the device's clock)",
                new.id()
            ));
            let text = format!(
                "that key {kid} was in nobody else's hands when it handed over: compare key {} with the one shown on the device",
                new.id()
            );
            verified.statements.push(Statement::NotProven(text));
        }
        Happened::Decommissioned { outcomes, undelivered } => verified.proven(format!(
            "{place}outcome {seq} is no image's: key {kid} says that the device was decommissioned after {outcomes} images, {undelivered} of its outcomes undelivered, and signs nothing more (at {sealed_at} by the device's clock)"
        )),
    }
    verified.links.push(Link::Event(event));
}

fn at_length(header: &Header) -> Vec<String> {
    let kind = match header.kind {
        Kind::Report => "a report",
        Kind::Abstention => "an abstention (the image was deliberately not read)",
        Kind::Failure => "a failure (reading the image failed)",
    };
    let place = if header.seq == 1 {
        "it is the first outcome of its device".to_owned()
    } else {
        format!("it is outcome {} of its device and follows the outcome with SHA-256 {}", header.seq, header.prev)
    };
    let clock = match header.clock {
        Clock::Synchronised => "held for synchronised",
        Clock::Unsynchronised => "NOT synchronised",
    };
    [
        Some(format!("every byte is as it was signed with Ed25519 by key {}", header.kid)),
        Some(format!("it is {kind} with the id {}", header.report_id)),
        header.test.then(|| "it is about a TEST IMAGE and no patient".to_owned()),
        Some(place),
        Some(format!("it is about the instance file with SHA-256 {}", header.instance_sha256)),
        header.pixels_sha256.map(|digest| format!("the decoded pixels have SHA-256 {digest}")),
        header
            .bundle_sha256
            .map(|digest| format!("it was read with the model bundle whose manifest has SHA-256 {digest}")),
        Some(format!("the device ran under the configuration with SHA-256 {}", header.config_sha256)),
        Some(format!("the device says that it was sealed at {}, by a clock that was {clock}", header.sealed_at)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Where payload and header, both signed, say different things.
fn disagreements(opened: &Opened) -> Vec<String> {
    let Ok(bundle) = serde_json::from_slice::<Value>(&opened.payload) else {
        return vec!["its payload is not JSON".to_owned()];
    };
    let header = &opened.header;
    let is_test = bundle["meta"]["tag"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag["code"] == "HTEST"));
    [
        (bundle["resourceType"] != "Bundle", "its payload is not a FHIR Bundle"),
        (
            bundle["identifier"]["value"] != format!("urn:uuid:{}", header.report_id),
            "header and payload name different reports",
        ),
        (is_test != header.test, "header and payload disagree whether this is a test image"),
    ]
    .into_iter()
    .filter(|(wrong, _)| *wrong)
    .map(|(_, text)| text.to_owned())
    .collect()
}

fn chain(verified: &mut Verified) {
    let Some(check) = ChainCheck::of_places(verified.links.iter().map(Link::place)) else { return };
    for broken in &check.breaks {
        verified.refuted(broken.to_string());
    }
    if check.is_unbroken() {
        verified.proven(format!(
            "outcomes {} to {} are all here, unaltered and in their order; the last has SHA-256 {}",
            check.first, check.last, check.head
        ));
    }
    if check.repeated > 0 {
        verified.proven(format!("{} came more than once, each time the same", check.repeated));
    }
    if check.starts_at_genesis {
        verified.proven("the series starts with the device's first outcome".to_owned());
    } else {
        let text = format!(
            "what came before outcome {}: the series does not start with the device's first outcome",
            check.first
        );
        verified.statements.push(Statement::NotProven(text));
    }
}

/// What no seal shows, said each time.
fn limits(verified: &mut Verified, alone: bool) {
    let others = alone.then_some("that no other outcome is missing: give the whole series, one a line, to see that");
    let always = [
        "that the report is right: it is a machine's draft until a clinician has reviewed it",
        "that the device's clock was right",
        "whose key this is: compare the key id with the one shown on the device",
        "that nothing came after the last outcome here",
    ];
    let texts = others.into_iter().chain(always).map(|text| Statement::NotProven(text.to_owned()));
    verified.statements.extend(texts);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::jws::open;
    use crate::seal::key::DeviceKey;
    use crate::seal::outcome::samples;

    fn made(n: u64) -> ([PublicKey; 1], Vec<String>) {
        let key = DeviceKey::generate().unwrap();
        let chain = samples::chain(&key, n);
        ([key.public().clone()], chain)
    }

    #[test]
    fn one_outcome_is_told_with_all_that_it_proves_and_what_it_does_not() {
        let (keys, chain) = made(1);
        let verified = verify(&format!("{}\n", chain[0]), &keys);
        let told = verified.to_string();
        assert!(verified.passed(), "{told}");
        let proven = [keys[0].id(), "first outcome", "instance file", "model bundle"];
        for words in proven.into_iter().chain(["not proven: that the report is right", "The seal holds."]) {
            assert!(told.contains(words), "{words}: {told}");
        }
    }

    #[test]
    fn a_series_is_checked_as_a_chain() {
        let (keys, chain) = made(4);
        let verified = verify(&chain.join("\n"), &keys);
        assert!(verified.passed(), "{verified}");
        assert!(verified.to_string().contains("outcomes 1 to 4 are all here"), "{verified}");
        let gap = verify(&[&chain[0], &chain[3]].map(String::as_str).join("\r\n"), &keys);
        assert!(!gap.passed());
        assert!(gap.to_string().contains("WRONG: outcomes 2 to 3 are missing"), "{gap}");
    }

    #[test]
    fn whatever_is_not_sealed_by_a_given_key_fails() {
        let (keys, chain) = made(2);
        let (other, _) = made(1);
        let changed = chain[0].replacen('.', ".A", 1);
        for text in ["", "\n\n", "hello", &changed, &format!("{}\n{changed}", chain[0])] {
            assert!(!verify(text, &keys).passed(), "{text}");
        }
        assert!(!verify(&chain[0], &other).passed());
        assert!(!verify(&chain[0], &[]).passed());
    }

    #[test]
    fn header_and_payload_must_tell_one_story() {
        use crate::seal::jws::seal;
        let key = DeviceKey::generate().unwrap();
        let keys = [key.public().clone()];
        let opened = open(&samples::chain(&key, 1)[0], &keys).unwrap();
        let header = Header { test: true, ..opened.header.clone() };
        let told = verify(&seal(&key, &header, &opened.payload).unwrap(), &keys);
        assert!(!told.passed() && told.to_string().contains("test image"), "{told}");
        for payload in [&b"not json"[..], b"{}"] {
            assert!(!verify(&seal(&key, &opened.header, payload).unwrap(), &keys).passed());
        }
    }

    #[test]
    fn no_line_shows_what_a_patient_is() {
        let (keys, chain) = made(3);
        let verified = verify(&chain.join("\n"), &keys);
        assert!(!format!("{verified} {verified:?}").contains("PAT-4711"));
    }
}
