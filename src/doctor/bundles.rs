//! The model bundles: signed by whom this box trusts, and, by the reader itself behind its
//! walls, held to their golden outputs on this very CPU (promise 7).

use super::finding::Found;
use crate::clock::Moment;
use crate::config::File;
use crate::daemon;
use crate::models::{Floors, ModelsError, Refusal};
use crate::reader::supervise::{ReaderError, Supervised};

/// Chooses the bundles that would serve at `now`, none older than `floors` says, starts a reader
/// on them and ends it again.
pub async fn look(file: &File, floors: Floors, now: Moment) -> Found {
    let selected = match daemon::selected(file, floors, now) {
        Ok(selected) => selected,
        Err(e) => return Found::failed(e.to_string(), unchosen(&e)),
    };
    let reader = match Supervised::start(&daemon::reader_settings(&file.reader, selected, Vec::new())).await {
        Ok(reader) => reader,
        Err(e) => return Found::failed(e.to_string(), todo(&e)),
    };
    let names: Vec<String> =
        reader.identities().map(|b| format!("{} {} ({})", b.name, b.version, short(&b.sha256.to_string()))).collect();
    let found =
        Found::ok(format!("{}: signed by a trusted key, golden outputs reproduced on this CPU", names.join(", ")));
    let missing = &reader.walls.missing;
    if missing.is_empty() {
        return found.and(Found::ok("the reader's sandbox is complete"));
    }
    found.and(Found::warning(
        format!("the reader's sandbox is incomplete: {}", missing.join("; ")),
        "use a kernel with landlock and seccomp (5.13 or newer, `lsm=` with landlock on its command line): until then an image that takes the reader over reaches more than it should",
    ))
}

fn unchosen(error: &ModelsError) -> &'static str {
    match error {
        ModelsError::Trust(_) => {
            "put the public key of whoever signs your bundles where [models] trust says; it comes with the package or from the vendor"
        }
        ModelsError::Refused { refusal, .. } if matches!(**refusal, Refusal::Older { .. }) => {
            "install a version that is not older (`residentd model list` shows what has served), or take this one all the same: `residentd model install … --force --reason WHY`, which is audited"
        }
        ModelsError::Refused { .. } => {
            "install the bundle anew from where it came: a file in it was changed or is missing, or nobody whom this box trusts signed it"
        }
        ModelsError::Unreadable { .. } | ModelsError::Count { .. } => {
            "install the bundles (they come with the package), or correct [reader] models_dir"
        }
    }
}

/// The first characters of a digest, enough to tell two bundles apart by eye.
fn short(digest: &str) -> &str {
    digest.get(..8).unwrap_or(digest)
}

fn todo(error: &ReaderError) -> &'static str {
    match error {
        ReaderError::Unusable { .. } => {
            "install the bundle anew from where it came: a file in it was changed or is missing, or this CPU computes it differently; `residentd model` looks into a bundle"
        }
        ReaderError::Spawn(_) | ReaderError::NotReady(_) => {
            "give the reader more memory ([reader] memory_mib), and see the kernel's log for why it died: `dmesg | tail`"
        }
    }
}
