//! `clock`: the witness outside of the service's sandbox, which states whether the clock is
//! synchronised (`os::witness`). It opens no connection and reads no file.

use super::exit;
use crate::os::{self, witness};

pub fn clock() -> anyhow::Result<()> {
    let file = witness::file();
    loop {
        let synchronised = os::kernel_believes_its_clock().unwrap_or(false);
        witness::state(&file, synchronised, os::since_boot()).map_err(|e| {
            exit::coded(
                exit::CANNOT_CREATE,
                format!("{}: {e}; systemd-tmpfiles --create makes its folder", file.display()),
            )
        })?;
        std::thread::sleep(witness::EVERY);
    }
}
