//! `audit`: the log of what a box did, shown line by line, and verified against checkpoints.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::exit;
use crate::audit::{self, Checkpoint, Segment};
use crate::collect::Shelf;
use crate::config::Configuration;
use crate::seal::public::PublicKey;

/// Largest file of checkpoints that is read: years of heartbeats.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;
/// How a database begins (`SQLite`'s file format, 1.3).
const SQLITE: &[u8; 16] = b"SQLite format 3\0";
/// Members at the head of a line that `show` writes in its own way.
const HEAD: [&str; 5] = ["seq", "prev", "at", "synchronised", "event"];

#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Print the log, one event a line
    Show {
        #[command(flatten)]
        place: Place,
        /// Only lines after this one
        #[arg(long, default_value_t = 0)]
        after: u64,
    },
    /// Find any edit, deletion, reordering or truncation up to the newest checkpoint
    Verify {
        #[command(flatten)]
        place: Place,
        /// A checkpoint as the device published it in a `status` message: the JWS, a file of them
        /// or of status messages, one a line, or what `residentd collect` keeps (its --folder or
        /// --store), of which those of the keys here are taken. Those that stand in the log's
        /// folder are always held too, but whoever can change the log can take them away
        #[arg(long, value_name = "FILE|FOLDER|JWS")]
        checkpoint: Vec<String>,
        /// The device's public key (PEM or JWK), may be given more than once; by default the
        /// one beside the configuration's key file
        #[arg(long, required_unless_present = "config")]
        key: Vec<PathBuf>,
    },
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// The box's configuration file
    #[arg(long)]
    config: Option<PathBuf>,
    /// The log's folder, or a copy of it
    #[arg(long)]
    dir: Option<PathBuf>,
}

pub fn audit(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.what {
        What::Show { place, after } => show(&place.folder()?, *after),
        What::Verify { place, checkpoint, key } => verify(place, checkpoint, key),
    }
}

impl Place {
    fn folder(&self) -> anyhow::Result<PathBuf> {
        match (&self.dir, &self.config) {
            (Some(dir), _) => Ok(dir.clone()),
            (None, Some(config)) => Ok(audit::folder_of(&Configuration::load(config)?.file.device.state_dir)),
            (None, None) => Err(exit::coded(exit::DATA, "neither --config nor --dir is given")),
        }
    }
}

fn verify(place: &Place, checkpoints: &[String], keys: &[PathBuf]) -> anyhow::Result<()> {
    let folder = place.folder()?;
    let beside = match &place.config {
        Some(config) if keys.is_empty() => {
            let public = Configuration::load(config)?.file.device.key_file.with_extension("pub.pem");
            super::provision::with_retired(&public)
        }
        _ => Vec::new(),
    };
    let keys = keys.iter().chain(&beside).map(|path| PublicKey::load(path).map_err(|e| data(&e)));
    let keys = keys.collect::<anyhow::Result<Vec<_>>>()?;
    let (segments, local) = read(&folder)?;
    let mut opened = Vec::new();
    for (origin, jws) in
        given(checkpoints, &keys)?.into_iter().chain(local.into_iter().map(|jws| ("the log's folder", jws)))
    {
        let checkpoint = Checkpoint::open(&jws, &keys)
            .map_err(|e| exit::coded(exit::NO, format!("a checkpoint of {origin} proves nothing: {e}")))?;
        opened.push(checkpoint);
    }
    let verified = audit::verify::verify(&segments, &opened);
    if verified.passed() {
        println!("{verified}");
        Ok(())
    } else {
        Err(exit::coded(exit::NO, format!("{}\n{verified}", folder.display())))
    }
}

/// The checkpoints that were given, each with where it came from.
fn given<'a>(arguments: &'a [String], keys: &[PublicKey]) -> anyhow::Result<Vec<(&'a str, String)>> {
    let mut found = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if is_collectors(path) {
            let before = found.len();
            for key in keys {
                let kept = Shelf::checkpoints(path, key.id()).map_err(|e| data(&e))?;
                found.extend(kept.into_iter().map(|jws| (argument.as_str(), jws)));
            }
            if found.len() == before {
                return Err(exit::coded(exit::DATA, format!("{argument} keeps no checkpoint of this device")));
            }
            continue;
        }
        let text = match std::fs::metadata(path) {
            Ok(metadata) if metadata.len() > MAX_FILE_BYTES => {
                return Err(exit::coded(exit::DATA, format!("{argument}: larger than {MAX_FILE_BYTES} bytes")));
            }
            Ok(_) => std::fs::read_to_string(path).map_err(|e| exit::coded(exit::DATA, format!("{argument}: {e}")))?,
            Err(_) if argument.matches('.').count() == 2 && !argument.contains('/') => argument.clone(),
            Err(e) => return Err(exit::coded(exit::DATA, format!("{argument}: {e}"))),
        };
        let origin = if path.exists() { argument.as_str() } else { "the command line" };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        found.extend(lines.filter_map(|line| Some((origin, published(line)?))));
    }
    Ok(found)
}

/// True for a collector's folder, or its database.
fn is_collectors(path: &Path) -> bool {
    let mut start = [0; SQLITE.len()];
    path.is_dir()
        || std::fs::File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok() && start == *SQLITE)
}

/// The checkpoint in one line: a JWS, or the member of a status message, which may have none.
fn published(line: &str) -> Option<String> {
    match serde_json::from_str::<Value>(line) {
        Ok(status) => Some(status.get("audit_checkpoint")?.as_str()?.to_owned()),
        Err(_) => Some(line.to_owned()),
    }
}

fn read(folder: &Path) -> anyhow::Result<(Vec<Segment>, Vec<String>)> {
    let read =
        Segment::all(folder).map_err(|e| exit::coded(exit::DATA, format!("audit log {}: {e}", folder.display())))?;
    if read.0.is_empty() {
        return Err(exit::coded(exit::DATA, format!("{} holds no audit log", folder.display())));
    }
    Ok(read)
}

fn show(folder: &Path, after: u64) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for segment in read(folder)?.0 {
        for line in String::from_utf8_lossy(&segment.bytes).lines() {
            match serde_json::from_str::<Map<String, Value>>(line) {
                Ok(line) if line["seq"].as_u64().is_some_and(|seq| seq <= after) => {}
                Ok(line) => writeln!(out, "{}", shown(&line))?,
                Err(_) => writeln!(out, "?? {}", line.escape_debug())?,
            }
        }
    }
    Ok(())
}

/// `12 2026-11-24T10:00:00.123Z sealed sequence=3 …`; a time that was not believed has a `?`.
fn shown(line: &Map<String, Value>) -> String {
    let text = |name: &str| match line.get(name) {
        Some(Value::String(text)) => text.escape_debug().to_string(),
        Some(other) => other.to_string(),
        None => "-".to_owned(),
    };
    let doubt = if line.get("synchronised") == Some(&Value::Bool(true)) { ' ' } else { '?' };
    let mut page = format!("{} {}{doubt} {}", text("seq"), text("at"), text("event"));
    for name in line.keys().filter(|name| !HEAD.contains(&name.as_str())) {
        let _ = match line[name].as_u64().filter(|_| name == "status") {
            Some(status) => write!(page, " status=0x{status:04X}"),
            None => write!(page, " {name}={}", text(name)),
        };
    }
    page
}

fn data(error: &impl ToString) -> anyhow::Error {
    exit::coded(exit::DATA, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_taken_from_a_status_message_or_as_it_is() {
        assert_eq!(published(r#"{"state":"online","audit_checkpoint":"a.b.c"}"#).as_deref(), Some("a.b.c"));
        assert_eq!(published("a.b.c").as_deref(), Some("a.b.c"));
        assert_eq!(published(r#"{"state":"offline"}"#), None);
    }

    #[test]
    fn a_shown_line_says_what_happened_and_what_the_clock_was_worth() {
        let line = r#"{"seq":7,"prev":"0","at":"T","synchronised":false,"event":"refused","status":42752,"more":3}"#;
        assert_eq!(shown(&serde_json::from_str(line).unwrap()), "7 T? refused status=0xA700 more=3");
    }
}
