//! `provision decommission`: a signed last outcome, then everything of patients and every secret
//! is wiped. Afterwards the box is nobody: `run` refuses, and `provision` makes it another device.
//!
//! Each step is durable before the next, and a run that was cut is finished by the next one:
//! 1. the last link of the chain (nothing can be signed after it), and the audit log says so;
//! 2. all outcomes in a file, where `--export` names one; the last one to the broker, if it takes it;
//! 3. `decommissioning.jws`, the last link: from here on only wiping is left;
//! 4. secrets: the device's key, TLS keys, the broker's password;
//! 5. state: store, images, quarantine, results; the audit log, which names no patient, is set aside;
//! 6. what provisioning had made, the public key apart, which goes to `retired/`;
//! 7. the configuration and the last link under names of their own.

use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::folder::{Folder, For, make, put};
use super::keeping::Keeping;
use super::rotate::note;
use super::say;
use crate::audit::{self, Event};
use crate::cli::exit;
use crate::config::Configuration;
use crate::daemon::StateLock;
use crate::os::disk::Disk;
use crate::os::{self, terminal, users};
use crate::publish::{self, Publisher};
use crate::seal::event::{Ending, decommission as last_link};
use crate::seal::key::DeviceKey;
use crate::seal::link::{self, Next};
use crate::store::Store;

/// Outcomes read from the store at once.
const PAGE: u32 = 256;
/// Between looks whether the last outcome has left.
const LOOK: Duration = Duration::from_millis(100);
/// Of the state folder stays: the audit log, which names no patient, installed models, the lock.
const STAYS: [&str; 3] = ["audit", "models", "lock"];
const FLASH: &str = "every file was overwritten before it was removed. On flash (SD card, eMMC, SSD) that does not reach \
                     the cells that held it before: where the disk was not encrypted, destroy it or erase it by its \
                     own secure erase";

#[derive(clap::Args)]
#[command(
    about = "Sign the last outcome and wipe patient data and keys; stop residentd first",
    after_help = "Overwriting does not reach what flash kept aside: encrypt the disk of a box that holds patient data."
)]
pub struct Arguments {
    /// The configuration file
    #[arg(long, default_value = "/etc/residentd/residentd.toml")]
    config: PathBuf,
    /// First write every outcome, the last included, to this file, one a line
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Also where outcomes are undelivered or images unread, which are lost then
    #[arg(long)]
    force: bool,
    /// The device's name, instead of typing it
    #[arg(long, value_name = "NAME")]
    yes_wipe: Option<String>,
    /// Longest wait for the broker to take the last outcome
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=3600))]
    wait_s: u64,
}

pub fn decommission(arguments: &Arguments) -> anyhow::Result<()> {
    let path = std::path::absolute(&arguments.config).unwrap_or_else(|_| arguments.config.clone());
    let folder = Folder::new(path.parent().map(Path::to_owned).unwrap_or_default());
    if !path.exists() && folder.ending().exists() {
        return close(&folder);
    }
    let config = Configuration::load(&path)?;
    let folder = Folder::of(&config)?;
    confirm(arguments, config.file.device.name.as_str())?;
    let state_dir = &config.file.device.state_dir;
    let _lock = StateLock::take(state_dir)?;
    if folder.ending().exists() {
        say("a decommissioning that was cut is finished");
    } else {
        end(arguments, &config, &folder)?;
    }
    wipe_secrets(&config, &folder)?;
    wipe_state(&config, &folder)?;
    clear(&folder)?;
    users::give_to_owner_of(state_dir).map_err(|e| cannot(state_dir, &e))?;
    Disk::Real
        .rename(&path, &folder.path().join(format!("residentd-{}.toml", of(&folder))))
        .map_err(|e| cannot(&path, &e))?;
    os::step("decommission-configuration");
    close(&folder)
}

/// Why this box, whose configuration is or was at `path`, must not run, if it is decommissioned.
pub fn refusal(path: &Path) -> Option<String> {
    let folder = Folder::new(path.parent().map(Path::to_owned).unwrap_or_default());
    if folder.ending().exists() {
        return Some(format!(
            "{}: this box is being decommissioned, and that was cut: finish with `residentd provision decommission`",
            folder.ending().display()
        ));
    }
    if path.exists() {
        return None;
    }
    let name =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"decommissioned-"));
    let last = std::fs::read_dir(folder.path()).ok()?.flatten().map(|entry| entry.path()).find(name)?;
    Some(format!(
        "{}: this box was decommissioned, its last outcome is {}; `residentd provision` makes it a new device",
        path.display(),
        last.display()
    ))
}

fn confirm(arguments: &Arguments, name: &str) -> anyhow::Result<()> {
    let typed = match &arguments.yes_wipe {
        Some(typed) => typed.clone(),
        None if terminal::is_there() => {
            say(&format!("This wipes every image, outcome and key of {name} on this box, for good."));
            print!("Type the device's name to go on: ");
            io::stdout().flush()?;
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line)?;
            line.trim().to_owned()
        }
        None => return Err(exit::coded(exit::CONFIG, format!("nothing was wiped: confirm by --yes-wipe {name}"))),
    };
    if typed == name {
        return Ok(());
    }
    Err(exit::coded(exit::CONFIG, format!("nothing was wiped: this device's name is {name}, not {typed:?}")))
}

/// Steps 1 to 3.
fn end(arguments: &Arguments, config: &Configuration, folder: &Folder) -> anyhow::Result<()> {
    let device = &config.file.device;
    let Some(keeping) = Keeping::find(folder) else {
        return Err(exit::coded(
            exit::PERMISSION,
            format!(
                "{} is not there: the last outcome cannot be signed; put the key back",
                folder.device_key().display()
            ),
        ));
    };
    let key = keeping.load()?;
    let store = Store::open(&device.state_dir)?;
    let last = store.last()?;
    if Next::after(last.as_ref().map(|last| last.jws.as_str())) != Next::Nobody {
        key.follows(last.as_ref().map(|last| last.jws.as_str()))?;
        let (undelivered, unread) = (store.undelivered()?, store.unread()?);
        if (undelivered > 0 && arguments.export.is_none() || unread > 0) && !arguments.force {
            return Err(exit::coded(
                exit::NO,
                format!(
                    "nothing was wiped: {undelivered} outcomes are undelivered and {unread} images unread; let residentd run until they are gone, take the outcomes along with --export FILE, or lose them with --force"
                ),
            ));
        }
        let now = os::now();
        let outcomes = store.concluded()?;
        let ending = Ending { site: device.site.as_str(), device: device.name.as_str(), outcomes, undelivered };
        store.append(now, |head| last_link(&key, ending, head, now))?;
        os::step("decommission-sealed");
    }
    let Some(last) = store.last()? else {
        return Err(exit::coded(exit::SOFTWARE, "the last outcome is not in the store"));
    };
    say(&format!("last outcome   {} says that this device is decommissioned", last.sequence));
    note(&device.state_dir, keeping.load()?, Some(Event::Decommissioned { sequence: last.sequence }))?;
    os::step("decommission-noted");
    if let Some(file) = &arguments.export {
        export(&store, file, &last.jws)?;
    }
    deliver(arguments, config, &key, &store);
    put(&folder.ending(), format!("{}\n", last.jws).as_bytes(), For::All)?;
    os::step("decommission-marked");
    Ok(())
}

/// Every outcome to a new file, whole and durable; one that ends in the last outcome is done.
fn export(store: &Store, file: &Path, last: &str) -> anyhow::Result<()> {
    if file.exists() {
        let text = std::fs::read_to_string(file).map_err(|e| cannot(file, &e))?;
        if text.lines().next_back() == Some(last) {
            return Ok(());
        }
        return Err(exit::coded(exit::CANNOT_CREATE, format!("{} exists and is not overwritten", file.display())));
    }
    let unfinished = file.with_extension("unfinished");
    let write = |store: &Store| -> anyhow::Result<u64> {
        let _ = std::fs::remove_file(&unfinished);
        let mut out = Disk::Real.create_new(&unfinished, 0o600)?;
        let (mut after, mut lines) = (0, 0);
        while let Some(last) = {
            let page = store.outcomes(after, PAGE)?;
            for outcome in &page {
                out.write_all(outcome.jws.as_bytes())?;
                out.write_all(b"\n")?;
            }
            lines += page.len() as u64;
            page.last().map(|last| last.sequence)
        } {
            after = last;
        }
        Disk::Real.durable_rename(&out, &unfinished, file)?;
        Ok(lines)
    };
    let lines = write(store)
        .map_err(|e| exit::coded(exit::CANNOT_CREATE, format!("{}: {e}; nothing was wiped", file.display())))?;
    say(&format!("exported       {lines} outcomes to {}: patient data, keep it as such", file.display()));
    os::step("decommission-exported");
    Ok(())
}

/// Gives what waits to the broker, for as long as it was said; what does not go is told.
fn deliver(arguments: &Arguments, config: &Configuration, key: &DeviceKey, store: &Store) {
    let limit = Duration::from_secs(arguments.wait_s);
    let tried = super::super::runtime().and_then(|runtime| runtime.block_on(publish(config, key, store, limit)));
    let left = store.undelivered().unwrap_or(0);
    match tried {
        Ok(()) if left == 0 => say("delivered      the last outcome was taken"),
        Ok(()) => say(&format!(
            "NOT delivered  {left} outcomes within {limit:?}: hand the last one, decommissioned-….jws, to the receiver yourself"
        )),
        Err(e) => say(&format!(
            "NOT delivered  {left} outcomes: {e}; hand the last one, decommissioned-….jws, to the receiver yourself"
        )),
    }
}

async fn publish(config: &Configuration, key: &DeviceKey, store: &Store, limit: Duration) -> anyhow::Result<()> {
    let file = &config.file;
    if limit.is_zero() || store.undelivered()? == 0 {
        return Ok(());
    }
    #[cfg(feature = "broker")]
    let _broker = file.broker.as_ref().map(|broker| publish::EmbeddedBroker::start(broker.listen)).transpose()?;
    let (_alerts, alerts_out) = publish::alert_channel();
    let earlier = link::earlier_keys(store.device_events()?.iter().map(|event| event.jws.as_str()), key.id());
    let bell = Arc::new(Notify::new());
    let mut publisher = Publisher::new(&file.mqtt, &file.device, key.id(), store.clone(), bell, alerts_out, os::now)?
        .known_before_as(earlier);
    if let Some(receiver) = &file.receiver {
        publisher = publisher.believing(receiver)?;
    }
    let (stop, stopped) = watch::channel(false);
    let publishing = tokio::spawn(publisher.run(stopped));
    let until = Instant::now() + limit;
    while Instant::now() < until && store.undelivered()? > 0 {
        tokio::time::sleep(LOOK).await;
    }
    stop.send_replace(true);
    publishing.await?;
    Ok(())
}

/// Step 4.
fn wipe_secrets(config: &Configuration, folder: &Folder) -> anyhow::Result<()> {
    let file = &config.file;
    let named = [
        file.mqtt.tls.as_ref().and_then(|tls| tls.key.as_ref()),
        file.dicom.tls.as_ref().map(|tls| &tls.key),
        file.mqtt.password_file.as_ref(),
    ];
    let mut secrets: Vec<PathBuf> = named.into_iter().flatten().cloned().collect();
    for kept in ["", ".next", ".old"]
        .into_iter()
        .flat_map(|word| [format!("device.key{word}"), format!("device.key{word}.cred")])
    {
        secrets.push(folder.path().join(kept));
    }
    for secret in secrets {
        if secret.starts_with(folder.path()) {
            Disk::Real.wipe(&secret).map_err(|e| cannot(&secret, &e))?;
        } else if secret.exists() {
            say(&format!("NOT wiped      {}: it lies outside of {}", secret.display(), folder.path().display()));
        }
    }
    os::step("decommission-secrets");
    Ok(())
}

/// Step 5.
fn wipe_state(config: &Configuration, folder: &Folder) -> anyhow::Result<()> {
    let state_dir = &config.file.device.state_dir;
    for entry in std::fs::read_dir(state_dir).map_err(|e| cannot(state_dir, &e))? {
        let path = entry.map_err(|e| cannot(state_dir, &e))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if STAYS.contains(&&*name) || name.starts_with("audit-") {
            continue;
        }
        let wiped = if path.is_dir() { Disk::Real.wipe_folder(&path) } else { Disk::Real.wipe(&path) };
        wiped.map_err(|e| cannot(&path, &e))?;
        os::step("decommission-wiped");
    }
    let log = audit::folder_of(state_dir);
    if log.exists() {
        let aside = log.with_file_name(format!("audit-{}", of(folder)));
        Disk::Real.rename(&log, &aside).map_err(|e| cannot(&log, &e))?;
        Disk::Real.sync_folder(state_dir).map_err(|e| cannot(state_dir, &e))?;
        say(&format!("audit log      kept as {}: it names no patient", aside.display()));
    }
    os::step("decommission-state");
    Ok(())
}

/// Step 6.
fn clear(folder: &Folder) -> anyhow::Result<()> {
    let public = folder.public_key();
    if let Ok(key) = crate::seal::public::PublicKey::load(&public) {
        make(&folder.retired())?;
        put(&folder.retired().join(format!("{}.pem", key.id())), key.to_pem().as_bytes(), For::All)?;
    }
    let receivers = (1..=crate::config::MAX_RECEIVERS).map(|n| folder.receiver(n));
    let made = [
        public.with_extension("jwk"),
        public,
        folder.card_text(),
        folder.card_picture(),
        folder.tls_request(),
        folder.tls_certificate(),
        folder.broker_ca(),
    ];
    for path in made.into_iter().chain(receivers).filter(|path| path.exists()) {
        Disk::Real.remove(&path).map_err(|e| cannot(&path, &e))?;
        os::step("decommission-cleared");
    }
    Disk::Real.sync_folder(folder.path()).map_err(|e| cannot(folder.path(), &e))
}

/// Step 7, its end.
fn close(folder: &Folder) -> anyhow::Result<()> {
    let kept = folder.path().join(format!("decommissioned-{}.jws", of(folder)));
    Disk::Real.rename(&folder.ending(), &kept).map_err(|e| cannot(&folder.ending(), &e))?;
    Disk::Real.sync_folder(folder.path()).map_err(|e| cannot(folder.path(), &e))?;
    say(&format!("last outcome   {}", kept.display()));
    say("wiped          images, outcomes, quarantine, results for comparison, keys, passwords");
    say(&format!("honestly       {FLASH}"));
    say("next           `residentd provision` makes this box a new device, with a key and a chain of its own");
    Ok(())
}

/// Eight characters of the id of the key that signed the last link: a name for what is left.
fn of(folder: &Folder) -> String {
    let last = std::fs::read_to_string(folder.ending()).unwrap_or_default();
    link::signer(&last).unwrap_or_default().chars().take(8).collect()
}

fn cannot(path: &Path, error: &io::Error) -> anyhow::Error {
    exit::coded(exit::CANNOT_CREATE, format!("{}: {error}; run this again to go on", path.display()))
}
