//! A package becomes an installed bundle: everything that can be refused is refused before
//! the first byte is written, and what is written counts for nothing until the last step.

use std::io::Write as _;

use super::depot::{FILE_MODE, Room};
use super::inspect::same_files_of;
use super::package::Package;
use super::{Choice, Depot, Refusal, SIGNATURE, Signed, Version, Vouching};
use crate::clock::Moment;
use crate::digest::Digester;
use crate::infer::bundle::Outline;
use crate::os;

/// Memory of the reader that a bundle's files may fill: beside them stand what is made of
/// them, and the image. Whether it runs in what there is, the trial shows.
const SHARE_OF_MEMORY: u64 = 4;

/// What a bundle is held to.
#[derive(Debug, Clone)]
pub struct Demands<'a> {
    /// Whose are taken.
    pub vouching: &'a Vouching,
    /// By which clock it expires.
    pub now: Moment,
    /// The newest version of each name that ever served.
    pub floors: &'a super::Floors,
    /// Why an older one is to be taken all the same.
    pub forced: Option<&'a str>,
    /// Bytes that may be written, what has to stay free being taken off.
    pub room_bytes: u64,
    /// Memory of the reader.
    pub memory_bytes: u64,
}

/// A bundle that is installed, and does not serve yet.
#[derive(Debug, Clone)]
pub struct Received {
    /// Whose it is and what is in it.
    pub signed: Signed,
    /// What a pointer to it says.
    pub choice: Choice,
}

/// Takes the bundle in `package` into `depot`. When this returns, it survives a power cut.
///
/// # Errors
/// See [`Refusal`]: nothing serves that did not before.
pub fn receive(depot: &Depot, package: &Package, demands: &Demands<'_>) -> Result<Received, Refusal> {
    let Vouching::Trusted(keys) = demands.vouching else { return Err(Refusal::Unsigned) };
    let signed = Signed::open(&package.signature()?, keys)?;
    let statement = &signed.statement;
    statement.in_time(demands.now)?;
    same_files_of(package.sizes()?, &signed)?;
    let below_floor = not_older(statement.name.as_str(), &statement.version, demands.floors, demands.forced)?;
    let needed = statement.bytes();
    if needed > demands.memory_bytes / SHARE_OF_MEMORY {
        return Err(Refusal::NoMemory { needed, there: demands.memory_bytes });
    }
    depot.make()?;
    let folder = match depot.room_for(&signed)? {
        Room::Taken(folder) => folder,
        Room::Empty(folder) => {
            if needed > demands.room_bytes {
                return Err(Refusal::NoRoom { needed, there: demands.room_bytes });
            }
            if let Err(refusal) = fill(depot, &folder, package, &signed) {
                // What is left behind is no bundle, and is removed by whoever comes next.
                let _ = depot.clear(&depot.place(&statement.name, &folder));
                return Err(refusal);
            }
            folder
        }
    };
    let sha256 = statement.manifest_sha256().ok_or_else(|| Refusal::Missing("manifest.toml".into()))?;
    let choice = Choice { at: super::At::Installed(folder), version: statement.version.clone(), sha256, below_floor };
    Ok(Received { signed, choice })
}

/// `None` where `version` of `name` is not older than the newest that ever served, else the
/// reason for which it may serve.
///
/// # Errors
/// It is older, and nobody gave a reason.
pub fn not_older(
    name: &str,
    version: &Version,
    floors: &super::Floors,
    forced: Option<&str>,
) -> Result<Option<String>, Refusal> {
    match (floors.get(name), forced) {
        (Some(floor), None) if version < floor => {
            Err(Refusal::Older { version: version.clone(), floor: floor.clone() })
        }
        (Some(floor), Some(reason)) if version < floor => Ok(Some(reason.to_owned())),
        _ => Ok(None),
    }
}

fn fill(depot: &Depot, folder: &str, package: &Package, signed: &Signed) -> Result<(), Refusal> {
    let (disk, place) = (depot.disk(), depot.place(&signed.statement.name, folder));
    let mut folders = vec![place.clone()];
    for (name, facts) in &signed.statement.files {
        let path = place.join(name.as_str());
        let io = |source| Refusal::Io { path: path.clone(), source };
        let within = path.parent().unwrap_or(&place).to_owned();
        if !folders.contains(&within) {
            depot.make_folder(&within)?;
            folders.push(within);
        }
        let mut file = disk.create_new(&path, FILE_MODE).map_err(io)?;
        let mut digester = Digester::new();
        package.read(name, facts.bytes, |piece| {
            digester.update(piece);
            file.write_all(piece).map_err(io)
        })?;
        let found = digester.finish();
        if found != facts.sha256 {
            return Err(Refusal::Changed { name: name.to_string(), found, signed: facts.sha256 });
        }
        file.sync().map_err(io)?;
        os::step("model-file");
    }
    for folder in folders.iter().rev() {
        disk.sync_folder(folder).map_err(|source| Refusal::Io { path: folder.clone(), source })?;
    }
    signed.statement.is_of(&Outline::read(&place)?.0)?;
    os::step("model-received");
    let path = place.join(SIGNATURE);
    disk.place_new(&path, format!("{}\n", signed.jws).as_bytes(), FILE_MODE)
        .map_err(|source| Refusal::Io { path, source })?;
    os::step("model-signed");
    Ok(())
}
