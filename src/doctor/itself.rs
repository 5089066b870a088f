//! C-ECHO and C-STORE to this box itself: a phantom that is marked as a quality control image
//! goes the way that a scanner's image goes, and ends in an outcome that says `test`.
//!
//! It goes to the running daemon where there is one that takes it from this machine. Where not,
//! to a daemon of this process alone, with a store and key of its own in a temporary folder:
//! that shows what this box can do and leaves nothing.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::finding::Found;
use super::port::reachable;
use crate::config::{Configuration, Dicom};
use crate::daemon::Daemon;
use crate::deliver::{self, SendError};
use crate::instance::uid::{AeTitle, Uid};
use crate::os::{self, Scratch};
use crate::phantom::{self, Kind};
use crate::seal::jws;
use crate::seal::key::DeviceKey;
use crate::seal::public::PublicKey;
use crate::store::{Fate, Glance};

/// The phantom's columns and rows: small enough for a slow board, large enough to be read.
const SIZE: (u16, u16) = (512, 640);
/// Looks at the store for the outcome.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// From the C-STORE's answer to the outcome, beyond what the reader itself may take.
const BESIDE_READING: Duration = Duration::from_secs(20);
/// Our AE title where every one may send.
const CALLING: &str = "DOCTOR";

/// A phantom that was sent to the running daemon and has an outcome.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its SOP Instance UID.
    pub uid: Uid,
    /// What became of it.
    pub fate: Fate,
}

/// Where the phantom goes.
struct Target<'a> {
    address: SocketAddr,
    dicom: &'a Dicom,
    state_dir: &'a Path,
    reading: Duration,
    keys: &'a [PublicKey],
}

/// Why a daemon that is configured so would not take an image from this machine, if so.
#[must_use]
pub fn closed_to_us(dicom: &Dicom) -> Option<&'static str> {
    let ours = reachable(dicom.listen).ip();
    if dicom.tls.is_some() {
        Some("scanners speak TLS to the daemon, and the doctor has no certificate for that")
    } else if !dicom.allow_addresses.is_empty() && !dicom.allow_addresses.contains(&ours) {
        Some("[dicom] allow_addresses does not name this machine")
    } else {
        None
    }
}

/// Sends a phantom, with `seed` so that it is a new one, and waits for its outcome, which one
/// of `keys` signs. `Sent`: it went to the running daemon.
pub async fn look(config: &Configuration, running: bool, keys: &[PublicKey], seed: u64) -> (Found, Option<Sent>) {
    let folder = match Scratch::new("doctor") {
        Ok(folder) => folder,
        Err(e) => return (Found::not_checked(format!("no temporary folder: {e}; make room in /tmp")), None),
    };
    let file = &config.file;
    let closed = closed_to_us(&file.dicom);
    if running && closed.is_none() {
        let target = Target {
            address: reachable(file.dicom.listen),
            dicom: &file.dicom,
            state_dir: &file.device.state_dir,
            reading: file.reader.time_limit_s.duration(),
            keys,
        };
        return match send(&target, folder.path(), seed).await {
            Ok((found, sent)) => (found, sent),
            Err(found) => (found, None),
        };
    }
    let note = match closed {
        Some(why) if running => Found::not_checked(format!("the running daemon was not asked: {why}")),
        _ => Found::ok("the daemon does not run"),
    };
    let tried = alone(config, folder.path(), seed).await.unwrap_or_else(|found| found);
    (note.and(tried), None)
}

/// A daemon of this process alone, on the box's own models and limits.
async fn alone(config: &Configuration, folder: &Path, seed: u64) -> Result<Found, Found> {
    let cannot = |e: String| {
        Found::failed(
            format!("a daemon for this trial alone does not start: {e}"),
            "mend what the other checks found first; then run the doctor again",
        )
    };
    let config = stage(config, folder).map_err(|e| Found::not_checked(format!("{}: {e}", folder.display())))?;
    let daemon = Daemon::start(&config, os::now).await.map_err(|e| cannot(e.to_string()))?;
    let keys =
        [PublicKey::load(&config.file.device.key_file.with_extension("pub.pem")).map_err(|e| cannot(e.to_string()))?];
    let address = daemon.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(daemon.run(
        async {
            let _ = stopped.await;
        },
        || {},
    ));
    let file = &config.file;
    let target = Target {
        address,
        dicom: &file.dicom,
        state_dir: &file.device.state_dir,
        reading: file.reader.time_limit_s.duration(),
        keys: &keys,
    };
    let sent = send(&target, folder, seed).await;
    let _ = stop.send(());
    let _ = running.await;
    let (found, _) = sent?;
    Ok(Found::ok("a daemon for this trial alone").and(found))
}

/// The configuration of a daemon in `folder`: the box's, but for what is its own.
fn stage(config: &Configuration, folder: &Path) -> Result<Configuration, String> {
    let mut config = config.clone();
    let file = &mut config.file;
    file.device.state_dir = folder.join("state");
    file.device.key_file = folder.join("device.key");
    let key = DeviceKey::generate().map_err(|e| e.to_string())?;
    key.save_new(&file.device.key_file).map_err(|e| e.to_string())?;
    key.save_public(&file.device.key_file).map_err(|e| e.to_string())?;
    file.dicom = Dicom {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        ae_title: file.dicom.ae_title.clone(),
        // The temporary folder may be on a small disk.
        min_free_mib: 1,
        ..Dicom::default()
    };
    // Nobody is to hear of it: port 9 discards, where anybody listens there at all.
    (file.mqtt.host, file.mqtt.port) = ("127.0.0.1".to_owned(), 9);
    (file.mqtt.user, file.mqtt.password_file, file.mqtt.tls) = (None, None, None);
    (file.broker, file.receiver) = (None, None);
    Ok(config)
}

/// Echo, store, outcome.
async fn send(target: &Target<'_>, folder: &Path, seed: u64) -> Result<(Found, Option<Sent>), Found> {
    let (address, called) = (target.address.to_string(), &target.dicom.ae_title);
    let calling = target.dicom.allow_calling.first().cloned();
    let calling: AeTitle = calling.unwrap_or_else(|| CALLING.parse().expect("an AE title"));
    let start = Instant::now();
    let status = deliver::echo(&address, &calling, called).await.map_err(|e| unsent("C-ECHO", &e))?;
    if status != 0 {
        return Err(refused("C-ECHO", status));
    }
    let echoed = Found::ok(format!("C-ECHO to {called} at {address} in {} ms", start.elapsed().as_millis()));

    let path = folder.join("phantom.dcm");
    let uid = phantom::image_uid(Kind::Chest, seed, SIZE.0, SIZE.1);
    let made = tokio::task::spawn_blocking(move || phantom::chest(seed, SIZE.0, SIZE.1)).await;
    let made = made.map_err(|panic| Found::not_checked(format!("no phantom: {panic}")))?;
    std::fs::write(&path, made).map_err(|e| Found::not_checked(format!("{}: {e}", path.display())))?;
    let start = Instant::now();
    let status = deliver::send(&address, &calling, called, &path).await.map_err(|e| unsent("C-STORE", &e))?;
    if status != 0 {
        return Err(refused("C-STORE", status));
    }
    let stored =
        echoed.and(Found::ok(format!("C-STORE of a phantom answered 0x0000 in {} ms", start.elapsed().as_millis())));

    let start = Instant::now();
    let glance = match Glance::at(target.state_dir, true) {
        Ok(glance) => glance,
        Err(e) => return Ok((stored.and(Found::not_checked(format!("its outcome cannot be seen: {e}"))), None)),
    };
    let limit = target.reading + BESIDE_READING;
    let fate = until(limit, || glance.fate(&uid).ok().flatten()).await;
    let Some(fate) = fate else {
        let todo = "`journalctl -u residentd` says why reading waits: a reader that dies, a full disk, models that changed under it";
        return Ok((stored.and(Found::failed(format!("no outcome within {} s", limit.as_secs()), todo)), None));
    };
    let found = stored.and(judge(&fate, target.keys, start.elapsed()));
    Ok((found, Some(Sent { uid, fate })))
}

/// What `look_for` finds, as soon as it finds it.
pub async fn until<T>(limit: Duration, mut look_for: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        match look_for() {
            None if Instant::now() < deadline => tokio::time::sleep(LOOK_EVERY).await,
            found => return found,
        }
    }
}

/// The outcome must be signed, and must say that it is about no patient.
fn judge(fate: &Fate, keys: &[PublicKey], took: Duration) -> Found {
    let Fate { sequence, jws, .. } = fate;
    match jws::open(jws, keys) {
        Ok(opened) if opened.header.test => Found::ok(format!(
            "outcome {sequence} ({}, marked as a test) after {} ms",
            opened.header.kind.as_str(),
            took.as_millis()
        )),
        Ok(_) => Found::failed(
            format!("outcome {sequence} of a phantom does not say that it is a test"),
            "do not use this box: it would mix phantoms with patients; install the package anew",
        ),
        Err(_) if keys.is_empty() => Found::not_checked(format!(
            "outcome {sequence}: without the device's public key its signature is not checked"
        )),
        Err(e) => Found::failed(
            format!("outcome {sequence} is not signed with the configured key: {e}"),
            "the daemon runs with another key than the configuration names: restart it, and see the check `key`",
        ),
    }
}

fn unsent(what: &str, error: &SendError) -> Found {
    let todo = match error {
        SendError::Unreachable { .. } => {
            "start the daemon, or correct [dicom] listen; a firewall on this box may be in the way"
        }
        SendError::Association { .. } => {
            "the daemon's log says whom it turned away and why; [dicom] ae_title, allow_calling and allow_addresses decide"
        }
        SendError::File { .. } | SendError::NotAccepted { .. } => {
            "install the package anew: it does not take its own phantom"
        }
    };
    Found::failed(format!("{what}: {error}"), todo)
}

fn refused(what: &str, status: u16) -> Found {
    let todo = match status {
        0xA700 => "there is too little room: see the check `disk`",
        _ => "the daemon's log says why: `journalctl -u residentd`",
    };
    Found::failed(format!("{what} was answered with status 0x{status:04X}"), todo)
}
