//! From a reading to a sealed outcome: header and payload of one image, signed as the next link.

use super::header::{Algorithm, ContentType, Header, Kind, Type};
use super::jws::{SealError, seal};
use super::key::DeviceKey;
use crate::digest::Digest;
use crate::report::fhir::{Context, payload};
use crate::report::reading::{Outcome, Reading};
use crate::store::{Head, SealedOutcome, Urgency};
use crate::study::Subject;

/// Seals `reading` as the outcome after `head`. Made for `Store::conclude`, whose
/// transaction makes head and outcome one step.
///
/// # Errors
/// The context names another key, the payload is too large to be opened by anyone, or
/// the sequence is used up.
pub fn seal_reading(
    reading: &Reading,
    context: &Context,
    config_sha256: Digest,
    key: &DeviceKey,
    head: &Head,
) -> Result<SealedOutcome, SealError> {
    let (kind, bundle_sha256) = match &reading.outcome {
        Outcome::Report(findings) => (Kind::Report, Some(findings.bundle.sha256)),
        Outcome::Abstention(_) => (Kind::Abstention, None),
        Outcome::Failure(_) => (Kind::Failure, None),
    };
    if context.device.key_id != key.id() {
        return Err(SealError::OtherKey(context.device.key_id.clone()));
    }
    let header = Header {
        alg: Algorithm::EdDsa,
        kid: context.device.key_id.clone(),
        typ: Type::Outcome,
        cty: ContentType::FhirJson,
        seq: head.sequence.saturating_add(1),
        prev: head.sha256,
        report_id: context.report_id.clone(),
        kind,
        instance_sha256: context.instance.sha256,
        pixels_sha256: reading.pixels_sha256,
        bundle_sha256,
        config_sha256,
        sealed_at: context.issued.rfc3339(),
        clock: context.issued.into(),
        test: reading.study.as_ref().is_some_and(|study| study.subject == Subject::TestObject),
    };
    let jws = seal(key, &header, &payload(reading, context))?;
    Ok(SealedOutcome { urgency: Urgency::Routine, report_id: header.report_id, kind: kind.as_str(), jws })
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use crate::report::fhir::samples::{context, findings, reading, reason, study};
    use crate::report::identity::report_id;

    /// The sample context of a device with `key`.
    pub(crate) fn context_of(key: &DeviceKey) -> Context {
        let mut context = context();
        context.device.key_id = key.id().to_owned();
        context
    }

    /// A chain of `n` sealed outcomes of different kinds.
    pub(crate) fn chain(key: &DeviceKey, n: u64) -> Vec<String> {
        chain_from(key, Head { sequence: 0, sha256: Digest::from_bytes([0; 32]) }, 0..n)
    }

    /// A chain of the outcomes of the images `images` that goes on from `head`.
    pub(crate) fn chain_from(key: &DeviceKey, mut head: Head, images: std::ops::Range<u64>) -> Vec<String> {
        let mut chain = Vec::new();
        for i in images {
            let outcome = match i % 3 {
                0 => Outcome::Report(Box::new(findings())),
                1 => Outcome::Abstention(reason()),
                _ => Outcome::Failure(reason()),
            };
            let subject = if i % 2 == 0 { Subject::Patient } else { Subject::TestObject };
            let mut context = context_of(key);
            context.report_id = report_id("clinic/cart-1", &format!("1.2.{i}").parse().unwrap());
            let sealed =
                seal_reading(&reading(outcome, Some(study(subject))), &context, Digest::of(b"config"), key, &head)
                    .unwrap();
            head = Head { sequence: head.sequence + 1, sha256: Digest::of(sealed.jws.as_bytes()) };
            chain.push(sealed.jws);
        }
        chain
    }
}

#[cfg(test)]
mod tests {
    use super::samples::context_of;
    use super::*;
    use crate::report::fhir::samples;
    use crate::seal::jws::open;

    #[test]
    fn the_seal_names_what_was_read_with_what_and_what_came_before() {
        let key = DeviceKey::generate().unwrap();
        let reading = samples::report();
        let head = Head { sequence: 6, sha256: Digest::of(b"the sixth") };
        let sealed = seal_reading(&reading, &context_of(&key), Digest::of(b"config"), &key, &head).unwrap();
        let opened = open(&sealed.jws, &[key.public().clone()]).unwrap();
        let header = &opened.header;
        assert_eq!((header.seq, header.prev), (7, head.sha256));
        assert_eq!(header.instance_sha256, Digest::of(b"file"));
        assert_eq!(header.pixels_sha256, Some(Digest::of(b"pixels")));
        assert_eq!(header.bundle_sha256, Some(Digest::of(b"manifest")));
        assert_eq!(header.config_sha256, Digest::of(b"config"));
        assert_eq!(
            (header.report_id.as_str(), header.kind, header.test),
            (sealed.report_id.as_str(), Kind::Report, false)
        );
        assert_eq!(opened.payload, payload(&reading, &context_of(&key)));
    }

    #[test]
    fn sealing_again_gives_the_same_bytes() {
        let key = DeviceKey::generate().unwrap();
        let head = Head { sequence: 0, sha256: Digest::from_bytes([0; 32]) };
        let sealed = || seal_reading(&samples::report(), &context_of(&key), Digest::of(b"c"), &key, &head).unwrap();
        assert_eq!(sealed(), sealed());
    }
    #[test]
    fn a_context_that_names_another_key_is_not_sealed() {
        let head = Head { sequence: 0, sha256: Digest::from_bytes([0; 32]) };
        let (key, other) = (DeviceKey::generate().unwrap(), DeviceKey::generate().unwrap());
        let error = seal_reading(&samples::report(), &context_of(&other), Digest::of(b"c"), &key, &head).unwrap_err();
        assert_eq!(error, SealError::OtherKey(other.id().to_owned()));
    }

    /// Promises 2 and 4 where they meet: what the store chains, `verify` finds unbroken.
    #[test]
    fn outcomes_concluded_in_a_store_verify_as_one_chain() {
        use crate::clock::Moment;
        use crate::instance::Instance;
        use crate::store::{NewInstance, Store};
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let key = DeviceKey::generate().unwrap();
        let at = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
        for n in 1..=3 {
            let sop_instance_uid: crate::instance::uid::Uid = format!("1.2.{n}").parse().unwrap();
            let sha256 = Digest::of(sop_instance_uid.as_str().as_bytes());
            let instance = Instance {
                path: store.instance_path(&sha256),
                sha256,
                size_bytes: 1,
                sop_class_uid: "1.2".parse().unwrap(),
                sop_instance_uid: sop_instance_uid.clone(),
                transfer_syntax_uid: "1.2.840.10008.1.2.1".parse().unwrap(),
            };
            store.accept(&NewInstance { instance, calling_ae: "CART".parse().unwrap(), received: at }).unwrap();
            let next = store.next_unread().unwrap().unwrap();
            let mut context = context_of(&key);
            context.report_id = crate::report::identity::report_id("clinic/cart-1", &sop_instance_uid);
            let seal = |head: &Head| seal_reading(&samples::report(), &context, Digest::of(b"c"), &key, head);
            assert_eq!(store.conclude(next.id, at, seal).unwrap(), Some(n));
            assert_eq!(store.conclude(next.id, at, seal).unwrap(), None);
        }
        let sent: Vec<String> = store.outbox(0, 10).unwrap().into_iter().map(|outcome| outcome.jws).collect();
        let verified = crate::seal::verify::verify(&sent.join("\n"), &[key.public().clone()]);
        assert!(verified.passed() && verified.to_string().contains("outcomes 1 to 3 are all here"), "{verified}");
    }
}
