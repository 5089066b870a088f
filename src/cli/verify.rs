//! `verify`: sealed outcomes against public keys; says what is proven and what is not.

use std::path::{Path, PathBuf};

use super::exit;
use crate::seal::public::PublicKey;
use crate::seal::verify;

/// Largest file of outcomes that is read at once.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

#[derive(clap::Args)]
pub struct Arguments {
    /// A JWS in compact form, or several, one a line, in the order received
    file: PathBuf,
    /// The device's public key (PEM or JWK); may be given more than once
    #[arg(long, required = true)]
    key: Vec<PathBuf>,
}

pub fn verify(arguments: &Arguments) -> anyhow::Result<()> {
    for statement in statements(&arguments.file, &arguments.key)? {
        println!("{statement}");
    }
    Ok(())
}

/// What `file` proves under the public keys in `key_files`.
///
/// # Errors
/// It proves nothing: exit code 1, and the statements say why.
pub fn statements(file: &Path, key_files: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let keys = key_files.iter().map(|path| PublicKey::load(path).map_err(|e| exit::coded(exit::DATA, e.to_string())));
    let verified = verify::verify(&text(file)?, &keys.collect::<anyhow::Result<Vec<_>>>()?);
    if verified.passed() {
        Ok(verified.statements.iter().map(ToString::to_string).collect())
    } else {
        Err(exit::coded(exit::NO, format!("{}\n{verified}", file.display())))
    }
}

fn text(path: &Path) -> anyhow::Result<String> {
    let wrong = |e: String| exit::coded(exit::DATA, format!("{}: {e}", path.display()));
    if std::fs::metadata(path).map_err(|e| wrong(e.to_string()))?.len() > MAX_FILE_BYTES {
        return Err(wrong(format!("larger than {MAX_FILE_BYTES} bytes")));
    }
    // What is no text is no seal: that is for the verdict, not for an error of input.
    Ok(String::from_utf8_lossy(&std::fs::read(path).map_err(|e| wrong(e.to_string()))?).into_owned())
}
