//! A key that changes, followed and attacked.

use super::*;
use crate::seal::link::{Link, followed};
use crate::seal::outcome::samples;
use crate::seal::verify::verify;

const NOW: Moment = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
const GENESIS: Head = Head { sequence: 0, sha256: Digest::from_bytes([0; 32]) };

/// A device that signs, changes its key, and signs on.
struct Device {
    old: DeviceKey,
    new: DeviceKey,
    lines: Vec<String>,
}

fn head(lines: &[String]) -> Head {
    lines.last().map_or(GENESIS, |last| Head { sequence: lines.len() as u64, sha256: Digest::of(last.as_bytes()) })
}

impl Device {
    fn new() -> Self {
        let (old, new) = (DeviceKey::generate().unwrap(), DeviceKey::generate().unwrap());
        let mut lines = samples::chain(&old, 3);
        lines.push(hand_over(&old, &new, &head(&lines), NOW).unwrap().jws);
        lines.extend(samples::chain_from(&new, head(&lines), 4..7));
        Self { old, new, lines }
    }

    fn old(&self) -> [PublicKey; 1] {
        [self.old.public().clone()]
    }
}

fn passes(lines: &[String], keys: &[PublicKey]) -> bool {
    verify(&lines.join("\n"), keys).passed()
}

#[test]
fn the_old_public_key_verifies_the_stream_across_the_change_and_so_do_both() {
    let device = Device::new();
    let verified = verify(&device.lines.join("\n"), &device.old());
    let told = verified.to_string();
    assert!(verified.passed(), "{told}");
    for words in ["hands over to key", device.new.id(), "outcomes 1 to 7 are all here", "compare key"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(passes(&device.lines, &[device.old.public().clone(), device.new.public().clone()]));
    assert!(passes(&device.lines[..3], &device.old()), "old outcomes stay verifiable");
    assert!(passes(&device.lines[4..], &[device.new.public().clone()]));
    // Whatever the order of arrival, the keys are followed; the order itself is told.
    let reversed: Vec<&str> = device.lines.iter().rev().map(String::as_str).collect();
    assert_eq!(followed(reversed.into_iter(), &device.old()).len(), 2);
}

#[test]
fn a_new_key_without_a_hand_over_is_nobodys() {
    let device = Device::new();
    let without: Vec<String> = [&device.lines[..3], &device.lines[4..]].concat();
    assert!(!passes(&without, &device.old()));
    let told = verify(&without.join("\n"), &[device.old.public().clone(), device.new.public().clone()]).to_string();
    assert!(told.contains("outcome 4 is missing"), "{told}");
    // Both keys given, and the links fit: still nobody handed over.
    let mut lines = samples::chain(&device.old, 3);
    lines.extend(samples::chain_from(&device.new, head(&lines), 3..4));
    let told = verify(&lines.join("\n"), &[device.old.public().clone(), device.new.public().clone()]).to_string();
    assert!(told.contains("outcome 4 is signed by another key"), "{told}");
}

/// Whoever steals the old key after its hand-over signs nothing that fits.
#[test]
fn a_stolen_old_key_signs_nothing_that_passes() {
    let device = Device::new();
    let thief = DeviceKey::generate().unwrap();
    // On top of the chain, as the device or as a hand-over to his own.
    for forged in [
        samples::chain_from(&device.old, head(&device.lines), 9..10).remove(0),
        hand_over(&device.old, &thief, &head(&device.lines), NOW).unwrap().jws,
    ] {
        let lines = [device.lines.clone(), vec![forged]].concat();
        let told = verify(&lines.join("\n"), &device.old()).to_string();
        assert!(told.contains("had handed over to another before") && told.contains("DOES NOT HOLD"), "{told}");
    }
    // In the place of the true hand-over.
    let fork = hand_over(&device.old, &thief, &head(&device.lines[..3]), NOW).unwrap().jws;
    let lines = [device.lines.clone(), vec![fork]].concat();
    let told = verify(&lines.join("\n"), &device.old()).to_string();
    assert!(told.contains("two different outcomes with sequence 4"), "{told}");
}

#[test]
fn nobody_is_handed_what_he_does_not_accept_there() {
    let device = Device::new();
    let at = head(&device.lines[..3]);
    let accepted = |by: &DeviceKey, from: &str, head: Head| {
        let said = Accepted { from: from.to_owned(), seq: head.sequence + 1, prev: head.sha256 };
        message::sign(by, MessageType::Acceptance, &serde_json::to_string(&said).unwrap()).unwrap()
    };
    let opens = |accepted: String| {
        let to = serde_json::from_str(&device.new.public().to_jwk()).unwrap();
        let made = sealed(&device.old, &at, NOW, HAND_OVER, &Payload::KeyHandedOver { to, accepted }).unwrap();
        Link::open(&made.jws, &device.old()).map(|link| link.hands_over_to().cloned())
    };
    assert_eq!(opens(accepted(&device.new, device.old.id(), at)).unwrap().as_ref(), Some(device.new.public()));
    for wrong in [
        accepted(&device.old, device.old.id(), at),
        accepted(&device.new, "another", at),
        accepted(&device.new, device.old.id(), Head { sequence: 8, ..at }),
        accepted(&device.new, device.old.id(), GENESIS),
        String::new(),
    ] {
        assert!(matches!(opens(wrong), Err(OpenError::Header(_))));
    }
    let itself = hand_over(&device.old, &device.old, &at, NOW).unwrap();
    assert!(Link::open(&itself.jws, &device.old()).is_err());
}

#[test]
fn an_event_is_no_outcome_and_an_outcome_no_event() {
    let device = Device::new();
    assert!(jws::open(&device.lines[3], &device.old()).is_err());
    assert!(matches!(Link::open(&device.lines[3], &device.old()), Ok(Link::Event(_))));
    assert!(matches!(Link::open(&device.lines[0], &device.old()), Ok(Link::Outcome(_))));
    let keys = device.old();
    for at in 0..device.lines[3].len() {
        let mut changed = device.lines[3].clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(Link::open(&String::from_utf8(changed).unwrap(), &keys).is_err(), "character {at}");
    }
}

#[test]
fn nothing_follows_the_end() {
    let device = Device::new();
    let mut lines = device.lines.clone();
    let ending = Ending { site: "clinic", device: "cart", outcomes: 6, undelivered: 0 };
    lines.push(decommission(&device.new, ending, &head(&lines), NOW).unwrap().jws);
    let told = verify(&lines.join("\n"), &device.old()).to_string();
    assert!(told.contains("was decommissioned after 6 images") && told.contains("The seal holds."), "{told}");
    lines.extend(samples::chain_from(&device.new, head(&lines), 8..9));
    let told = verify(&lines.join("\n"), &device.old()).to_string();
    assert!(told.contains("outcome 9 follows the end of its device"), "{told}");
}

#[test]
fn the_key_whose_turn_it_is_may_sign_and_no_other() {
    use crate::seal::key::KeyError;
    let Device { old, new, lines } = Device::new();
    let last = |n: usize| n.checked_sub(1).map(|at| lines[at].as_str());
    for (links, old_may, new_may) in [(0, true, true), (3, true, false), (4, false, true), (7, false, true)] {
        assert_eq!(old.follows(last(links)).is_ok(), old_may, "{links}");
        assert_eq!(new.follows(last(links)).is_ok(), new_may, "{links}");
    }
    let ending = Ending { site: "a", device: "b", outcomes: 0, undelivered: 0 };
    let end = decommission(&new, ending, &head(&lines), NOW).unwrap().jws;
    assert!(matches!(new.follows(Some(&end)), Err(KeyError::Ended)));
}
