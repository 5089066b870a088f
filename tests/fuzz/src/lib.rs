//! What each fuzz target does with bytes: decode them, and hold what must hold of whatever
//! was decoded. libFuzzer drives these (`scripts/fuzz`), and an ordinary test drives them
//! over the seeds and seeded mutations of them (`tests/it/fuzz_seeds.rs`).
//!
//! A target that returns is content; a panic, an overflow or a failed claim is a finding.

use std::cell::RefCell;
use std::io::{Cursor, Write};
use std::path::Path;

use dicom_transfer_syntax_registry::{TransferSyntaxIndex, TransferSyntaxRegistry};
use residentd::config::Configuration;
use residentd::infer::manifest::Manifest;
use residentd::ingest::replay;
use residentd::instance::uid::{AeTitle, Uid};
use residentd::instance::{Headers, Instance, Pixels, Syntax, validate_dataset};
use residentd::preprocess::{self, Geometry, Look};
use residentd::reader::wire::{Answer, Request};
use residentd::seal::header::Header;
use residentd::seal::jws;
use residentd::seal::key::DeviceKey;
use residentd::seal::public::PublicKey;
use residentd::study::Study;
use residentd::{pixels, quality};

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 9] = [
    ("pdu_stream", pdu_stream),
    ("command_set", command_set),
    ("validator", validator),
    ("reader", reader),
    ("configuration", configuration),
    ("manifest", manifest),
    ("jws", jws),
    ("reader_wire", reader_wire),
    ("identifiers", identifiers),
];

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

const SYNTAXES: [(&str, Syntax); 3] = [
    ("1.2.840.10008.1.2", Syntax::ImplicitLe),
    ("1.2.840.10008.1.2.1", Syntax::ExplicitLe),
    ("1.2.840.10008.1.2.2", Syntax::ExplicitBe),
];

/// A dataset, its first byte choosing the syntax: what the gateway lets through, the decoder
/// behind it reads, and finds the same instance in it.
pub fn validator(bytes: &[u8]) {
    let Some((choice, dataset)) = bytes.split_first() else { return };
    let (uid, syntax) = SYNTAXES[usize::from(*choice) % SYNTAXES.len()];
    let Ok(headers) = validate_dataset(Cursor::new(dataset), syntax, dataset.len() as u64) else { return };
    assert!(headers.frames >= 1 || headers.pixels == Pixels::Absent, "an image without frames");
    // Where it is not 0, the decoder reads otherwise than the standard says; the reader
    // process is told.
    if headers.unknown_sequences == 0 {
        agrees(&headers, dataset, uid);
    }
}

fn agrees(headers: &Headers, dataset: &[u8], uid: &str) {
    let syntax = TransferSyntaxRegistry.get(uid).expect("a syntax of ours");
    // Values that it cannot read are errors of its own, for the reader to abstain on.
    let Ok(object) = dicom_object::InMemDicomObject::read_dataset_with_ts(Cursor::new(dataset), syntax) else { return };
    let Ok(element) = object.element_by_name("SOPInstanceUID") else { return };
    let Ok(text) = element.to_str() else { return };
    let theirs = text.trim_end_matches(['\0', ' ']).parse::<Uid>().ok();
    assert!(theirs.as_ref() == Some(&headers.sop_instance_uid), "gateway and decoder see different instances");
}

/// A whole DICOM file through the reader's stages up to the model's input; no model runs,
/// whose input has always the same shape.
pub fn reader(bytes: &[u8]) {
    thread_local! {
        static FILE: RefCell<tempfile::NamedTempFile> = RefCell::new(tempfile::NamedTempFile::new().expect("a file"));
    }
    FILE.with_borrow_mut(|file| {
        file.as_file().set_len(0).expect("an empty file");
        std::io::Seek::rewind(file).expect("its start");
        file.write_all(bytes).expect("the bytes in it");
        read(file.path());
    });
}

/// More pixels than this cost a fuzzer seconds and show it nothing new.
const ENOUGH_PIXELS: u64 = 1 << 20;

fn read(path: &Path) {
    let Ok((instance, headers)) = Instance::inspect(path) else { return };
    let size =
        u64::from(headers.rows.unwrap_or(0)) * u64::from(headers.columns.unwrap_or(0)) * u64::from(headers.frames);
    let Ok(object) = dicom_object::open_file(path) else { return };
    let Ok(study) = Study::from_object(&object) else { return };
    if headers.unknown_sequences == 0 {
        assert_eq!(study.sop_instance_uid, instance.sop_instance_uid, "validator and decoder see different instances");
    }
    if size > ENOUGH_PIXELS {
        return;
    }
    let Ok(frames) = pixels::decode(&object) else { return };
    let gray = preprocess::gray(&frames, frames.frames / 2, &Look::from_object(&object));
    assert_eq!(gray.values.len(), gray.width as usize * gray.height as usize, "a picture of another size than it says");
    if quality::assess(&gray).is_err() {
        return;
    }
    let geometry = Geometry { width: 32, height: 32, low_percentile: 1.0, high_percentile: 99.0, mean: 0.5, std: 0.25 };
    let input = preprocess::input(&gray, &geometry);
    assert_eq!(input.len(), 32 * 32);
    assert!(input.iter().all(|value| value.is_finite()), "a model would be fed what is no number");
}

/// A configuration: what is accepted says the same when it is written out and read again.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(first) = Configuration::parse(text, Path::new("/etc/residentd/residentd.toml")) else { return };
    let written = toml::to_string(&first.file).expect("what was read can be written");
    let second = Configuration::parse(&written, Path::new("/etc/residentd/residentd.toml"))
        .unwrap_or_else(|e| panic!("what was accepted is refused when written out: {e}"));
    assert_eq!(toml::to_string(&second.file).ok(), Some(written));
}

/// A bundle's manifest: what is accepted keeps the promises of its module.
pub fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(manifest) = Manifest::parse(text) else { return };
    assert!(manifest.digests.keys().all(|name| !name.starts_with('/') && !name.split('/').any(|part| part == "..")));
    assert!(manifest.finding.iter().all(|finding| finding.absent_below <= finding.present_above));
    assert!(manifest.geometry().std > 0.0);
}

/// The key that signed the seeds of [`jws`]; its private half was thrown away.
const SEED_KEY: &str = include_str!("../seeds/jws.pub.pem");

/// A sealed outcome: opens for the key that signed it and for nobody else, and what opens
/// is spelled in the one way that it can be.
pub fn jws(bytes: &[u8]) {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let key = PublicKey::parse(SEED_KEY).expect("the seeds' key");
    let _ = PublicKey::parse(text);
    if let Ok(header) = serde_json::from_str::<Header>(text) {
        sealed(header, bytes);
    }
    let Ok(opened) = jws::open(text, &[key]) else { return };
    let parts: Vec<&str> = text.split('.').collect();
    assert_eq!(URL_SAFE_NO_PAD.encode(&opened.payload), parts[1], "two spellings of one payload");
    assert!(jws::open(text, &[]).is_err(), "it opens without a key");
}

/// Whatever header can be sealed opens as the same header and payload.
fn sealed(header: Header, payload: &[u8]) {
    thread_local! {
        static KEY: DeviceKey = DeviceKey::generate().expect("randomness");
    }
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

/// What the reader process, once it belongs to an attacker, may say to the gateway.
pub fn reader_wire(bytes: &[u8]) {
    if let Ok(answer) = serde_json::from_slice::<Answer>(bytes) {
        let written = serde_json::to_vec(&answer).expect("what was read can be written");
        serde_json::from_slice::<Answer>(&written).expect("and read again");
    }
    if let Ok(request) = serde_json::from_slice::<Request>(bytes) {
        serde_json::to_vec(&request).expect("what was read can be written");
    }
}

/// UIDs and AE titles: what is one stays itself.
pub fn identifiers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(uid) = text.parse::<Uid>() {
        assert!(uid.as_str().len() <= 64 && uid.as_str().bytes().all(|b| b.is_ascii_digit() || b == b'.'));
        assert_eq!(uid.as_str().parse::<Uid>().as_ref(), Ok(&uid));
    }
    if let Ok(title) = text.parse::<AeTitle>() {
        assert!(title.as_str().len() <= 16);
        assert_eq!(title.as_str().parse::<AeTitle>().as_ref(), Ok(&title));
    }
}
