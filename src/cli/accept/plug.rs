//! The plug that an engineer pulls: what was promised before it is looked for after the boot.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bench::Bench;
use super::steps::Seen;
use crate::cli::exit;
use crate::instance::uid::Uid;
use crate::os::disk::Disk;
use crate::phantom::Kind;

/// Where the promise is kept, in the folder of the certificate.
const FILE: &str = "plug.json";
/// Changes with each boot of the kernel.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// Small: it is about the way.
const SIZE: (u16, u16) = (512, 640);

/// What the box promised before the plug was pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plug {
    /// The boot in which it was.
    boot: String,
    /// The image that was answered with success.
    uid: String,
}

impl Plug {
    /// What an earlier run left in `out`, if it did.
    pub fn left_in(out: &Path) -> anyhow::Result<Option<Self>> {
        let path = out.join(FILE);
        match std::fs::read(&path) {
            Ok(bytes) => {
                Ok(Some(serde_json::from_slice(&bytes).map_err(|e| {
                    exit::coded(exit::DATA, format!("{}: {e}; remove it to begin anew", path.display()))
                })?))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(exit::coded(exit::DATA, format!("{}: {e}", path.display()))),
        }
    }

    /// It was looked at.
    pub fn forget(out: &Path) -> anyhow::Result<()> {
        Disk::Real.remove(&out.join(FILE)).and_then(|()| Disk::Real.sync_folder(out))?;
        Ok(())
    }
}

fn boot() -> String {
    std::fs::read_to_string(BOOT_ID).unwrap_or_default().trim().to_owned()
}

/// Has the box take an image, and notes durably that it did.
pub async fn pull(bench: &mut Bench, out: &Path) -> anyhow::Result<()> {
    let failed = |e: String| exit::coded(exit::NO, e);
    let (path, uid) = bench.phantom(Kind::Chest, SIZE).await.map_err(failed)?;
    bench.store(&path, &uid).await.map_err(failed)?;
    let plug = Plug { boot: boot(), uid: uid.as_str().to_owned() };
    Disk::Real.replace(&out.join(FILE), &serde_json::to_vec(&plug)?, 0o640)?;
    Ok(())
}

/// What became of that image after the boot.
pub async fn resume(plug: &Plug, bench: &Bench) -> Result<Seen, String> {
    let uid: Uid = plug.uid.parse().map_err(|_| "the note of the earlier run is damaged".to_owned())?;
    let (fate, _) = bench.outcome(&uid).await.map_err(|e| format!("the image that was taken before: {e}"))?;
    if plug.boot == boot() {
        return Ok(Seen::Skipped(format!(
            "outcome {} is there, but this machine was not started anew since",
            fate.sequence
        )));
    }
    Ok(Seen::Yes(format!("the image that was taken before the power went has its outcome {}", fate.sequence)))
}
