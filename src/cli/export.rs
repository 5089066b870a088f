//! `export`: every sealed outcome of a box, as it was signed, for a receiver that missed some.

use std::path::PathBuf;

use super::exit;
use crate::config::Configuration;
use crate::store::Store;

/// Outcomes read from the store at once.
const PAGE: u32 = 256;

#[derive(clap::Args)]
pub struct Arguments {
    /// The configuration file
    #[arg(long, default_value = "/etc/residentd/residentd.toml")]
    config: PathBuf,
    /// Only outcomes after this sequence number
    #[arg(long, default_value_t = 0)]
    after: u64,
}

pub fn export(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = Configuration::load(&arguments.config)?.file.device.state_dir;
    if !folder.join("residentd.sqlite").is_file() {
        return Err(exit::coded(exit::DATA, format!("{} holds no store: this box has never run", folder.display())));
    }
    let store = Store::open(&folder)?;
    let mut after = arguments.after;
    loop {
        let page = store.outcomes(after, PAGE)?;
        for outcome in &page {
            println!("{}", outcome.jws);
        }
        match page.last() {
            Some(last) => after = last.sequence,
            None => return Ok(()),
        }
    }
}
