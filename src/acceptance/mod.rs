//! The acceptance certificate: what a box was seen to do at its scanner, signed by itself.
//!
//! It is a message (`seal::message`) of type `residentd-acceptance-certificate+jws` with the payload
//! ```text
//! {"acceptance":1,"result":"passed","site":"clinic","device":"cart-1","ae_title":"RESIDENTD",
//!  "engineer":"…"|null,"software":"0.1.0","board":"…","config_sha256":"…",
//!  "bundles":[{"name","version","sha256"}],"began":"…","ended":"…","clock_synchronised":true,
//!  "outcomes":{"first":1,"last":7}|null,
//!  "steps":[{"name":"echo","what":"…","mark":"passed","seen":"…","ms":3},…]}
//! ```
//! 1. `result` is `passed` where no step failed and those that prove the way of an image were
//!    exercised; a step that could not be is `not-exercised`, with its reason in `seen`.
//! 2. The signature is the device's: it says that the box that holds this key went through it,
//!    not that somebody looked. `engineer` is what was typed in.
//! 3. No patient is in it: every image was a phantom, or is told by its outcome's sequence.

mod page;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::seal::key::DeviceKey;
use crate::seal::message::{self, MessageError, MessageType};
use crate::seal::public::PublicKey;

/// Version of the payload.
const FORMAT: u32 = 1;
/// Longest text of a step that goes into the certificate: the whole is one page.
const MAX_SEEN: usize = 600;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// As it should.
    Passed,
    /// It could not be tried, and why is told.
    NotExercised,
    /// Not as it should.
    Failed,
}

/// One step of the acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// For machines; stands once in a certificate.
    pub name: String,
    /// What was done.
    pub what: String,
    /// How it ended.
    pub mark: Mark,
    /// What was seen.
    pub seen: String,
    /// How long it took.
    pub ms: u64,
}

/// Whether the box is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is.
    Passed,
    /// It is not.
    Failed,
}

/// A bundle that served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its manifest.
    pub sha256: Digest,
}

/// The outcomes that were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first one's sequence.
    pub first: u64,
    /// The last one's.
    pub last: u64,
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    acceptance: u32,
    /// Whether the box is accepted.
    pub result: Verdict,
    /// Its site.
    pub site: String,
    /// Its name.
    pub device: String,
    /// Its AE title.
    pub ae_title: String,
    /// Who did it, as typed in.
    pub engineer: Option<String>,
    /// Version of this program.
    pub software: String,
    /// The board.
    pub board: String,
    /// Digest of the configuration file.
    pub config_sha256: Digest,
    /// The bundles that served.
    pub bundles: Vec<Bundle>,
    /// When it began, RFC 3339.
    pub began: String,
    /// When it ended.
    pub ended: String,
    /// Whether the clock was believed then.
    pub clock_synchronised: bool,
    /// The outcomes that it made.
    pub outcomes: Option<Span>,
    /// What was done, in order.
    pub steps: Vec<Step>,
}

/// Steps without which nothing is accepted.
const NEEDED: [&str; 8] = ["examine", "start", "echo", "read", "retake", "power-cut", "chain", "receipt"];

impl Certificate {
    /// The format's version, for whoever fills in the rest.
    pub const FORMAT: u32 = FORMAT;

    /// A certificate of these `facts`, whose result follows from its steps.
    #[must_use]
    pub fn conclude(mut facts: Self) -> Self {
        facts.acceptance = FORMAT;
        for step in &mut facts.steps {
            step.seen = step.seen.chars().take(MAX_SEEN).collect();
        }
        let passed = |name: &&str| facts.steps.iter().any(|step| step.name == **name && step.mark == Mark::Passed);
        let failed = facts.steps.iter().any(|step| step.mark == Mark::Failed);
        facts.result = if !failed && NEEDED.iter().all(passed) { Verdict::Passed } else { Verdict::Failed };
        facts
    }

    /// An empty one, for the box that is described.
    #[must_use]
    pub fn of(site: String, device: String, ae_title: String, config_sha256: Digest) -> Self {
        Self {
            acceptance: FORMAT,
            result: Verdict::Failed,
            site,
            device,
            ae_title,
            engineer: None,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            board: String::new(),
            config_sha256,
            bundles: Vec::new(),
            began: String::new(),
            ended: String::new(),
            clock_synchronised: false,
            outcomes: None,
            steps: Vec::new(),
        }
    }

    /// Signs it with the device's key.
    ///
    /// # Errors
    /// It is larger than a message may be.
    ///
    /// # Panics
    /// Never: texts and numbers are JSON.
    pub fn sign(&self, key: &DeviceKey) -> Result<String, MessageError> {
        let json = serde_json::to_string(self).expect("texts and numbers are JSON");
        message::sign(key, MessageType::Certificate, &json)
    }

    /// Opens `jws` if one of `keys` signed it as a certificate; also says which.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn open(jws: &str, keys: &[PublicKey]) -> Result<(String, Self), String> {
        let opened = message::open(jws.trim(), keys, MessageType::Certificate).map_err(|e| e.to_string())?;
        let certificate: Self = serde_json::from_slice(&opened.payload).map_err(|e| e.to_string())?;
        if certificate.acceptance != FORMAT {
            return Err(format!("it is of version {}, this residentd knows {FORMAT}", certificate.acceptance));
        }
        if Self::conclude(certificate.clone()).result != certificate.result {
            return Err("its result does not follow from its steps".to_owned());
        }
        Ok((opened.kid, certificate))
    }

    /// The page to print, for the certificate that `jws` is (empty where none could be signed).
    #[must_use]
    pub fn page(&self, key_id: &str, jws: &str) -> String {
        page::page(self, key_id, jws)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, mark: Mark) -> Step {
        Step { name: name.to_owned(), what: "a <b>".to_owned(), mark, seen: "x".repeat(1000), ms: 3 }
    }

    fn certificate(marks: &[Mark]) -> Certificate {
        let mut facts = Certificate::of("clinic".into(), "cart".into(), "RESIDENTD".into(), Digest::of(b"config"));
        facts.steps = NEEDED.iter().map(|name| step(name, Mark::Passed)).collect();
        facts.steps.extend(marks.iter().map(|mark| step("other", *mark)));
        Certificate::conclude(facts)
    }

    #[test]
    fn only_what_was_exercised_and_did_not_fail_is_accepted() {
        assert_eq!(certificate(&[]).result, Verdict::Passed);
        assert_eq!(certificate(&[Mark::NotExercised]).result, Verdict::Passed);
        assert_eq!(certificate(&[Mark::Failed]).result, Verdict::Failed);
        let mut lacking = certificate(&[]);
        lacking.steps[5].mark = Mark::NotExercised;
        assert_eq!(Certificate::conclude(lacking).result, Verdict::Failed);
    }

    #[test]
    fn a_certificate_holds_under_its_key_and_a_better_result_does_not() {
        let key = DeviceKey::generate().unwrap();
        let keys = [key.public().clone()];
        let good = certificate(&[]);
        let jws = good.sign(&key).unwrap();
        assert_eq!(Certificate::open(&jws, &keys), Ok((key.id().to_owned(), good.clone())));
        let other = [DeviceKey::generate().unwrap().public().clone()];
        assert!(Certificate::open(&jws, &other).is_err());
        let mut bad = certificate(&[Mark::Failed]);
        bad.result = Verdict::Passed;
        assert!(Certificate::open(&bad.sign(&key).unwrap(), &keys).unwrap_err().contains("does not follow"));
        let changed = jws.replacen(&jws[200..=200], if &jws[200..=200] == "A" { "B" } else { "A" }, 1);
        assert!(Certificate::open(&changed, &keys).is_err());
    }

    #[test]
    fn the_page_has_every_step_and_nothing_that_a_name_could_break() {
        let mut facts = certificate(&[Mark::NotExercised]);
        facts.engineer = Some("<script>".to_owned());
        let page = facts.page("kid", "a.b.c");
        assert!(page.contains("PASSED") && !page.contains("<script>") && page.contains("&lt;script&gt;"), "{page}");
        assert!(page.contains("a &lt;b&gt;") && page.matches("<tr>").count() >= NEEDED.len());
        assert!(certificate(&[Mark::Failed]).page("kid", "").contains("FAILED"));
    }
}
