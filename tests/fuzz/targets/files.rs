//! What stands in files of the site's and the box's own: configuration, manifests, the
//! audit log; and what the two processes say to each other.

use std::path::Path;

use residentd::audit::{self, Segment};
use residentd::config::Configuration;
use residentd::infer::manifest::Manifest;
use residentd::infer::writer::manifest::WriterManifest;
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
