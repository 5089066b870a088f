//! What stands in files of the site's and the box's own: configuration, manifests, archives of
//! bundles, the audit log; and what the two processes say to each other.

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use residentd::audit::{self, Segment};
use residentd::config::Configuration;
use residentd::infer::manifest::Manifest;
use residentd::infer::writer::manifest::WriterManifest;
use residentd::models::{FileName, tar};
use residentd::reader::wire::{Answer, Request};

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
    writer_manifest(text);
    let Ok(manifest) = Manifest::parse(text) else { return };
    assert!(manifest.digests.keys().all(|name| !name.starts_with('/') && !name.split('/').any(|part| part == "..")));
    assert!(manifest.finding.iter().all(|finding| finding.absent_below <= finding.present_above));
    assert!(manifest.geometry().std > 0.0);
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

/// A writer's manifest: what is accepted names files of its own folder.
fn writer_manifest(text: &str) {
    let Ok(manifest) = WriterManifest::parse(text) else { return };
    assert!(manifest.digests.keys().all(|name| !name.starts_with('/') && !name.split('/').any(|part| part == "..")));
    for input in &manifest.input {
        assert!(input.geometry().is_none_or(|geometry| geometry.width > 0 && geometry.height > 0));
    }
}

/// A segment of an audit log, from whoever could write to the disk: nothing passes that no
/// checkpoint vouches for.
pub fn audit_log(bytes: &[u8]) {
    for first in [1, 7] {
        let verified = audit::verify::verify(&[Segment { first, bytes: bytes.to_vec() }], &[]);
        assert!(!verified.passed() && verified.holds_to.is_none(), "a log holds without a checkpoint");
        assert!(!verified.to_string().is_empty());
    }
}

/// Bytes of a tar block, and where in a header its checksum stands (IEEE 1003.1, ustar).
const BLOCK_BYTES: usize = 512;
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// A bundle's archive from a stick: what is understood lies in it, no file in another's bytes,
/// under names that stay inside. The first byte says whether checksums are set right, so that
/// more than the first header is reached.
pub fn archive(bytes: &[u8]) {
    thread_local! {
        static STICK: RefCell<File> = RefCell::new(tempfile::tempfile().expect("a temporary file"));
    }
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let mut bytes = bytes.to_vec();
    if choice % 2 == 1 {
        bytes.chunks_exact_mut(BLOCK_BYTES).filter(|block| &block[257..262] == b"ustar").for_each(set_checksum);
    }
    let found = STICK.with_borrow(|stick| {
        stick.set_len(0).expect("it can be emptied");
        stick.write_all_at(&bytes, 0).expect("it can be written");
        tar::index(stick, bytes.len() as u64)
    });
    let Ok(found) = found else { return };
    let mut end = 0;
    let mut places: Vec<_> = found.values().collect();
    places.sort_by_key(|place| place.offset);
    for place in places {
        assert!(place.offset >= end + BLOCK_BYTES as u64, "a file in another's bytes");
        end = place.offset + place.bytes;
    }
    assert!(end <= bytes.len() as u64, "a file behind the end");
    for name in found.keys().map(FileName::as_str) {
        assert!(!name.starts_with('/') && !name.split('/').any(|part| part.is_empty() || part == ".."), "{name:?}");
    }
}

fn set_checksum(block: &mut [u8]) {
    block[CHECKSUM].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
