//! The service is told where its key is, where that is not where the package says: a sealed key
//! is another kind of credential (`systemd.exec(5)`), which systemd knows since version 250.

use std::path::Path;

use super::folder::{For, put};
use super::keeping::Keeping;
use crate::cli::exit;
use crate::os::disk::Disk;

/// What the package ships as an example too.
const SEALED_KEY: &str = include_str!("../../../systemd/examples/sealed-key.conf");
/// The folder that the package's unit reads the key from.
const INSTALLED: &str = "/etc/residentd";
/// Where an administrator's additions to that unit are.
const DROP_INS: &str = "/etc/systemd/system/residentd.service.d";

/// Adds to the unit what a key that is kept so needs. Only for the box itself: provisioning
/// into another folder is a trial.
pub fn learn(folder: &Path, keeping: &Keeping) -> anyhow::Result<()> {
    if folder != Path::new(INSTALLED) || !matches!(keeping, Keeping::Credential(_)) {
        return Ok(());
    }
    Disk::Real
        .make_folders(Path::new(DROP_INS), 0o755)
        .map_err(|e| exit::coded(exit::CANNOT_CREATE, format!("{DROP_INS}: {e}")))?;
    put(&Path::new(DROP_INS).join("sealed-key.conf"), SEALED_KEY.as_bytes(), For::All)?;
    Ok(())
}

/// What to do next with the box in `folder`, where its package is installed.
pub fn next(folder: &Path) -> Option<&'static str> {
    let here = folder == Path::new(INSTALLED) && Path::new("/run/systemd/system").is_dir();
    here.then_some("systemctl daemon-reload && systemctl enable --now residentd")
}
