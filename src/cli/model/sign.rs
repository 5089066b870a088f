//! `model new-key` and `model sign`: for vendors, and for whoever retrains a bundle.

use std::path::PathBuf;

use crate::cli::exit;
use crate::models;
use crate::os;
use crate::seal::key::DeviceKey;

#[derive(clap::Args)]
pub struct NewKey {
    /// File for the private key; the public one is written beside it, as .pub.pem and .pub.jwk
    #[arg(long)]
    out: PathBuf,
}

#[derive(clap::Args)]
pub struct Sign {
    /// The bundle's folder
    bundle: PathBuf,
    /// The vendor's private key
    #[arg(long)]
    key: PathBuf,
    /// When boxes are to stop using the bundle (RFC 3339, for example 2028-01-01T00:00:00Z);
    /// without it, never
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}

pub fn new_key(arguments: &NewKey) -> anyhow::Result<()> {
    let key = DeviceKey::generate()?;
    key.save_new(&arguments.out)?;
    let [public, _] = key.save_public(&arguments.out)?;
    println!("key id         {}\nprivate key    {} (keep it off the boxes)", key.id(), arguments.out.display());
    println!("public key     {} (boxes trust it in /etc/residentd/trust/models)", public.display());
    Ok(())
}

pub fn sign(arguments: &Sign) -> anyhow::Result<()> {
    let key = DeviceKey::load(&arguments.key)?;
    let signed = models::sign(&arguments.bundle, &key, os::now(), arguments.expires.as_deref())
        .map_err(|e| exit::coded(exit::DATA, format!("model bundle {}: {e}", arguments.bundle.display())))?;
    let statement = &signed.statement;
    println!("{} {} signed by {}", statement.name, statement.version, signed.signed_by);
    println!("{} files, {} bytes, issued {}", statement.files.len(), statement.bytes(), statement.issued);
    Ok(())
}
