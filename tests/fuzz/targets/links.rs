//! Links of a device's chain that are about the device: who may sign what follows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use residentd::clock::Moment;
use residentd::digest::Digest;
use residentd::seal::event::{self, Happened};
use residentd::seal::jws;
use residentd::seal::key::DeviceKey;
use residentd::seal::link::{self, Link};
use residentd::seal::message::{self, MessageType};
use residentd::store::Head;

thread_local! {
    static OLD: DeviceKey = DeviceKey::generate().expect("randomness");
    static NEW: DeviceKey = DeviceKey::generate().expect("randomness");
}

/// A hand-over or an end, as a link of the chain: whoever has the old key alone makes nobody
/// its heir; what the new key accepted at another place holds nowhere else; and a changed
/// byte opens as nothing. The first byte chooses.
pub fn link(bytes: &[u8]) {
    let Some((choice, said)) = bytes.split_first() else { return };
    OLD.with(|old| {
        NEW.with(|new| match choice % 3 {
            0 => event_of(said, old, new),
            1 => accepted_elsewhere(said, old, new),
            _ => changed(said, old, new),
        });
    });
}

/// The place in the chain that all links here have.
fn head() -> Head {
    Head { sequence: 6, sha256: Digest::of(b"the sixth") }
}

/// The parts of a hand-over that holds.
fn handed_over(old: &DeviceKey, new: &DeviceKey) -> String {
    event::hand_over(old, new, &head(), Moment { unix_ms: 1_800_000_000_000, synchronised: true })
        .expect("few links")
        .jws
}

/// `payload` under the header of a hand-over that holds, signed by `key`.
fn signed_by(key: &DeviceKey, of: &str, payload: &[u8]) -> String {
    let header = of.split('.').next().expect("a JWS has parts");
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn event_of(payload: &[u8], old: &DeviceKey, new: &DeviceKey) {
    let jws = signed_by(old, &handed_over(old, new), payload);
    let keys = [old.public().clone()];
    let Ok(opened) = Link::open(&jws, &keys) else { return };
    let Link::Event(opened) = opened else { panic!("an event opens as an outcome") };
    assert!(matches!(opened.happened, Happened::Decommissioned { .. }), "an heir who accepted nothing");
    assert!(link::is_event(&jws) && jws::open(&jws, &keys).is_err());
}

fn accepted_elsewhere(accepted: &[u8], old: &DeviceKey, new: &DeviceKey) {
    let Ok(text) = std::str::from_utf8(accepted) else { return };
    let Ok(accepted) = message::sign(new, MessageType::Acceptance, text) else { return };
    let to: serde_json::Value = serde_json::from_str(&new.public().to_jwk()).expect("a JWK is JSON");
    let payload = serde_json::json!({"event": "key-handed-over", "to": to, "accepted": accepted}).to_string();
    let jws = signed_by(old, &handed_over(old, new), payload.as_bytes());
    if Link::open(&jws, &[old.public().clone()]).is_ok() {
        let said: serde_json::Value = serde_json::from_str(text).expect("what is accepted is JSON");
        let here = (said["from"] == old.id(), said["seq"] == 7, said["prev"] == head().sha256.to_string());
        assert_eq!(here, (true, true, true), "the new key accepted another hand-over");
    }
}

/// Pairs of bytes: where in the link, and what is written there.
fn changed(edits: &[u8], old: &DeviceKey, new: &DeviceKey) {
    let whole = handed_over(old, new);
    let keys = [old.public().clone()];
    let mut bytes = whole.clone().into_bytes();
    for edit in edits.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % bytes.len();
        bytes[at] = edit[2];
    }
    let Ok(edited) = String::from_utf8(bytes) else { return };
    let opened = Link::open(&edited, &keys);
    if edited == whole {
        let Ok(Link::Event(opened)) = opened else { panic!("a hand-over that holds does not open") };
        assert_eq!(opened.happened, Happened::HandedOver(new.public().clone()));
    } else {
        assert!(opened.is_err(), "a changed link opens");
    }
}
