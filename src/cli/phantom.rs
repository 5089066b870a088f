//! `phantom`: a chest phantom as a DX file, marked as a quality control image.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::exit;
use crate::phantom;

#[derive(clap::Args)]
pub struct Arguments {
    /// Where to write it; must not exist
    #[arg(long)]
    out: PathBuf,
    /// Which phantom: same seed, same file
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Width in pixels
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u16).range(64..=8192))]
    columns: u16,
    /// Height in pixels
    #[arg(long, default_value_t = 2500, value_parser = clap::value_parser!(u16).range(64..=8192))]
    rows: u16,
}

pub fn phantom(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { out, seed, columns, rows } = arguments;
    write(out, *seed, (*columns, *rows))?;
    println!("wrote {}: a chest phantom, {columns} x {rows} pixels, seed {seed}", out.display());
    Ok(())
}

/// Writes the phantom of `seed`, `(columns, rows)` in pixels, to a new file.
fn write(out: &Path, seed: u64, (columns, rows): (u16, u16)) -> anyhow::Result<()> {
    let cannot = |e: std::io::Error| exit::coded(exit::CANNOT_CREATE, format!("{}: {e}", out.display()));
    let mut file = std::fs::File::create_new(out).map_err(cannot)?;
    file.write_all(&phantom::chest(seed, columns, rows)).map_err(cannot)
}
