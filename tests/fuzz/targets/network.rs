//! What strangers reach: DICOM associations and command sets, and what comes by MQTT.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use residentd::audit::Checkpoint;
use residentd::ingest::replay;
use residentd::seal::header::Header;
use residentd::seal::jws;
use residentd::seal::key::DeviceKey;
use residentd::seal::link::{self, Link};
use residentd::seal::message::{self, MAX_MESSAGE_BYTES, MessageType};
use residentd::seal::public::PublicKey;
use residentd::seal::receiver::{Command, MAX_RECEIPT_OUTCOMES, MAX_RESEND, Receipt};

/// A whole conversation of a peer, from its first byte to its last: association, messages,
/// datasets; and each PDU of it says the same when it is written again.
pub fn pdu_stream(bytes: &[u8]) {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    }
    let done = RUNTIME.with(|runtime| runtime.block_on(replay::conversation(bytes)));
    assert!(done.dataset_bytes <= bytes.len() as u64, "more data than was sent");
    assert!(done.associated || done.commands == 0, "a command without an association");
    let mut rest = bytes;
    while let Some((head, body)) = rest.split_first_chunk::<6>() {
        let length = u32::from_be_bytes([head[2], head[3], head[4], head[5]]) as usize;
        let Some((_, after)) = body.split_at_checked(length) else { break };
        let (pdu, _) = rest.split_at(6 + length);
        // Items that its encoder leaves out, or texts whose padding is taken off, read
        // differently again: what must hold for data is held below.
        let same = replay::pdu(pdu);
        assert!(pdu[0] != 4 || same != Some(false), "data that reads differently after writing");
        rest = after;
    }
}

/// A command set: what is understood is answered about the same instance.
pub fn command_set(bytes: &[u8]) {
    assert_ne!(replay::command(bytes), Some(false), "the answer is about something else");
}

/// The key that signed the seeds of [`jws`]; its private half was thrown away.
const SEED_KEY: &str = include_str!("../seeds/jws.pub.pem");

/// A sealed outcome: opens for the key that signed it and for nobody else, and what opens
/// is spelled in the one way that it can be.
pub fn jws(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let key = PublicKey::parse(SEED_KEY).expect("the seeds' key");
    let _ = PublicKey::parse(text);
    if let Ok(header) = serde_json::from_str::<Header>(text) {
        sealed(header, bytes);
    }
    let keys = [key];
    let linked = Link::open(text, &keys);
    let _ = (link::is_event(text), link::Next::after(Some(text)), link::followed(std::iter::once(text), &keys));
    let Ok(opened) = jws::open(text, &keys) else {
        assert!(!matches!(linked, Ok(Link::Outcome(_))), "what is no outcome opens as one");
        return;
    };
    assert_eq!(linked, Ok(Link::Outcome(opened.clone())));
    let parts: Vec<&str> = text.split('.').collect();
    assert_eq!(URL_SAFE_NO_PAD.encode(&opened.payload), parts[1], "two spellings of one payload");
    assert!(jws::open(text, &[]).is_err(), "it opens without a key");
}

thread_local! {
    static KEY: DeviceKey = DeviceKey::generate().expect("randomness");
}

/// Whatever header can be sealed opens as the same header and payload.
fn sealed(header: Header, payload: &[u8]) {
    KEY.with(|key| {
        let header = Header { kid: key.id().to_owned(), ..header };
        let Ok(sealed) = jws::seal(key, &header, payload) else { return };
        let Ok(opened) = jws::open(&sealed, &[key.public().clone()]) else {
            // A header may be longer than anyone opens: only by its texts.
            assert!(header.report_id.len() + header.sealed_at.len() > 4_000, "what was sealed does not open");
            return;
        };
        assert!(opened.header == header && opened.payload == payload, "it opens as something else");
    });
}

/// What a receiver or a device says by MQTT: as bytes of a stranger's, and as the payload of
/// someone who holds a key. The first byte chooses.
pub fn message(bytes: &[u8]) {
    let Some((choice, said)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(said) else { return };
    KEY.with(|key| {
        let keys = [key.public().clone()];
        match choice % 4 {
            0 => no_message(text, &keys),
            1 => receipt(text, key, &keys),
            2 => command(text, key, &keys),
            _ => checkpoint(text, key, &keys),
        }
    });
}

/// What the device calls itself, in what receivers tell it.
const DEVICE: &str = "cart";

/// Nobody signs by chance.
fn no_message(text: &str, keys: &[PublicKey]) {
    for typ in [MessageType::Receipt, MessageType::Command, MessageType::Checkpoint] {
        assert!(message::open(text, keys, typ).is_err(), "a stranger's text opens");
    }
    assert!(Receipt::open(text, keys, &[DEVICE]).is_err() && Command::open(text, keys, &[DEVICE]).is_err());
}

fn receipt(text: &str, key: &DeviceKey, keys: &[PublicKey]) {
    let Ok(jws) = message::sign(key, MessageType::Receipt, text) else { return };
    assert!(jws.len() <= MAX_MESSAGE_BYTES, "more is signed than is opened");
    assert!(Command::open(&jws, keys, &[DEVICE]).is_err(), "a receipt is a command");
    let Ok((kid, receipt)) = Receipt::open(&jws, keys, &[DEVICE]) else { return };
    assert!(kid == key.id() && receipt.device == DEVICE && receipt.outcomes.len() <= MAX_RECEIPT_OUTCOMES);
    let again = Receipt::open(&receipt.sign(key).expect("it fits"), keys, &[DEVICE]);
    assert_eq!(again, Ok((kid, receipt)));
}

fn command(text: &str, key: &DeviceKey, keys: &[PublicKey]) {
    let Ok(jws) = message::sign(key, MessageType::Command, text) else { return };
    assert!(Receipt::open(&jws, keys, &[DEVICE]).is_err(), "a command is a receipt");
    let Ok((kid, command)) = Command::open(&jws, keys, &[DEVICE]) else { return };
    let Command::Resend { device, from, to, .. } = &command;
    assert!(device == DEVICE && *from >= 1 && from <= to && to - from < MAX_RESEND, "{from} to {to}");
    if let Ok(again) = command.sign(key) {
        assert_eq!(Command::open(&again, keys, &[DEVICE]), Ok((kid, command)));
    }
}

fn checkpoint(text: &str, key: &DeviceKey, keys: &[PublicKey]) {
    let Ok(jws) = message::sign(key, MessageType::Checkpoint, text) else { return };
    let Ok(checkpoint) = Checkpoint::open(&jws, keys) else { return };
    assert!(checkpoint.seq > 0 && checkpoint.kid == key.id());
    assert!(Checkpoint::open(&jws, &[]).is_err(), "it opens without a key");
}
