//! `provision rotate-key`: a new key, to which the old one hands over by a link of the chain. The
//! daemon must be stopped: one process signs, and it holds the key for as long as it lives.
//!
//! Each step is durable before the next, and a run that was cut is finished by the next one:
//! 1. the new key, `device.key.next`;
//! 2. the hand-over in the chain and the outbox: from here on the old key signs nothing more
//!    (the daemon refuses to start with it);
//! 3. the hand-over in the audit log, under a checkpoint of the old key;
//! 4. the old public key in `retired/`, since old outcomes and checkpoints are verified with it;
//! 5. `device.key` becomes `device.key.old` as well, and then `device.key.next` becomes it;
//! 6. public key and card are made anew, and a checkpoint of the new key;
//! 7. `device.key.old` is overwritten and removed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::answers::KeyKept;
use super::folder::{self, Folder, For};
use super::keeping::{Keeping, has_tpm2};
use super::{Card, put, say};
use crate::audit::{self, Event, Limits, Log};
use crate::cli::exit;
use crate::config::Configuration;
use crate::daemon::StateLock;
use crate::os::disk::Disk;
use crate::os::{self, users};
use crate::seal::event::hand_over;
use crate::seal::key::DeviceKey;
use crate::seal::link::Next;
use crate::store::Store;

/// Words at the end of a key file's name: the key that follows, and the one that was.
const NEXT: &str = "next";
const OLD: &str = "old";

#[derive(clap::Args)]
#[command(
    about = "Make a new signing key and hand over to it; stop residentd first",
    after_help = "Receivers follow the hand-over by themselves. What is compared with a patient's last result begins\n\
                  anew, since patients are known by pseudonyms that only the old key makes."
)]
pub struct Arguments {
    /// The configuration file
    #[arg(long, default_value = "/etc/residentd/residentd.toml")]
    config: PathBuf,
}

/// A rotation at work.
struct Rotation {
    config: Configuration,
    folder: Folder,
    keeping: Keeping,
    store: Store,
}

pub fn rotate(arguments: &Arguments) -> anyhow::Result<()> {
    let config = Configuration::load(&arguments.config)?;
    let folder = Folder::of(&config)?;
    let Some(keeping) = Keeping::find(&folder) else {
        return Err(exit::coded(
            exit::PERMISSION,
            format!("{} is not there: nothing can hand over", folder.device_key().display()),
        ));
    };
    let _lock = StateLock::take(&config.file.device.state_dir)?;
    folder.sweep()?;
    let store = Store::open(&config.file.device.state_dir)?;
    let rotation = Rotation { config, folder, keeping, store };
    let done = rotation.run();
    // Root may have made files that the service has to write.
    let state_dir = &rotation.config.file.device.state_dir;
    users::give_to_owner_of(state_dir)
        .map_err(|e| exit::coded(exit::PERMISSION, format!("{}: {e}", state_dir.display())))?;
    done
}

impl Rotation {
    fn run(&self) -> anyhow::Result<()> {
        let last = self.store.last()?;
        let turn = Next::after(last.as_ref().map(|last| last.jws.as_str()));
        let key = self.keeping.load()?;
        let next = Keeping::find_other(&self.folder, NEXT);
        match (&turn, next) {
            (Next::Nobody, _) => Err(crate::seal::key::KeyError::Ended.into()),
            (Next::Key(kid), Some(next)) if *kid != key.id() => {
                let new = next.load()?;
                if new.id() != kid {
                    return Err(not_the_chains(&key, kid));
                }
                say("a rotation that was cut is finished");
                self.switch(&key, &new, &next)
            }
            (Next::Key(kid), None) if *kid != key.id() => Err(not_the_chains(&key, kid)),
            // The switch was made, and what follows it was cut.
            (_, None) if Keeping::find_other(&self.folder, OLD).is_some() => {
                say("a rotation that was cut is finished");
                self.finish(&key)
            }
            (_, next) => self.begin(&key, next),
        }
    }

    /// Steps 1 and 2.
    fn begin(&self, old: &DeviceKey, next: Option<Keeping>) -> anyhow::Result<()> {
        let next = if let Some(next) = next {
            next
        } else {
            let next = self.keeping.beside(&self.folder, NEXT);
            next.save_new(&DeviceKey::generate()?, self.kept())?;
            os::step("rotation-next");
            next
        };
        let new = next.load()?;
        let now = os::now();
        let sequence = self.store.append(now, |head| hand_over(old, &new, head, now))?;
        os::step("rotation-handed-over");
        say(&format!("handed over    outcome {sequence} of the chain says so; it is sent first when residentd runs"));
        self.switch(old, &new, &next)
    }

    /// Steps 3 to 5.
    fn switch(&self, old: &DeviceKey, new: &DeviceKey, next: &Keeping) -> anyhow::Result<()> {
        let sequence = self.store.last()?.map_or(0, |last| last.sequence);
        let event = Event::KeyHandedOver { from: old.id().into(), to: new.id().into(), sequence };
        note(&self.config.file.device.state_dir, self.keeping.load()?, Some(event))?;
        os::step("rotation-noted");
        let retired = self.folder.retired();
        folder::make(&retired)?;
        put(&retired.join(format!("{}.pem", old.id())), old.public().to_pem().as_bytes(), For::All)?;
        os::step("rotation-retired");
        let was = self.keeping.beside(&self.folder, OLD);
        let io = |path: &Path, e: std::io::Error| exit::coded(exit::CANNOT_CREATE, format!("{}: {e}", path.display()));
        if !was.path().exists() {
            Disk::Real.link(self.keeping.path(), was.path()).map_err(|e| io(was.path(), e))?;
            Disk::Real.sync_folder(self.folder.path()).map_err(|e| io(self.folder.path(), e))?;
        }
        os::step("rotation-old-kept");
        Disk::Real.rename(next.path(), self.keeping.path()).map_err(|e| io(next.path(), e))?;
        os::step("rotation-switching");
        Disk::Real.sync_folder(self.folder.path()).map_err(|e| io(self.folder.path(), e))?;
        os::step("rotation-switched");
        self.finish(new)
    }

    /// Steps 6 and 7.
    fn finish(&self, new: &DeviceKey) -> anyhow::Result<()> {
        let device = &self.config.file.device;
        let card = Card { site: &device.site, device: &device.name, key: new.public() };
        for (path, bytes) in [
            (self.folder.public_key(), new.public().to_pem().into_bytes()),
            (self.folder.public_key().with_extension("jwk"), (new.public().to_jwk() + "\n").into_bytes()),
            (self.folder.card_text(), card.text().into_bytes()),
            (self.folder.card_picture(), card.png()),
        ] {
            Disk::Real
                .replace(&path, &bytes, For::All.mode())
                .map_err(|e| exit::coded(exit::CANNOT_CREATE, format!("{}: {e}", path.display())))?;
            folder::hand_over(&path, For::All)?;
            os::step("rotation-public");
        }
        note(&device.state_dir, self.keeping.load()?, None)?;
        os::step("rotation-checkpoint");
        if let Some(was) = Keeping::find_other(&self.folder, OLD) {
            Disk::Real
                .wipe(was.path())
                .map_err(|e| exit::coded(exit::CANNOT_CREATE, format!("{}: {e}", was.path().display())))?;
        }
        os::step("rotation-done");
        say(&format!("key id         {}", new.id()));
        say(&format!("public key     {}", self.folder.public_key().display()));
        say(&format!(
            "retired        public keys in {}: old outcomes are verified with them",
            self.folder.retired().display()
        ));
        say(&format!("enrolment card {}, made anew", self.folder.card_picture().display()));
        say(
            "old key        overwritten and removed; on flash a copy may outlive that, and can sign nothing that fits any more",
        );
        say(
            "next           start residentd; receivers follow the hand-over; then give them the new public key as well",
        );
        Ok(())
    }

    fn kept(&self) -> KeyKept {
        match self.keeping {
            Keeping::File(_) => KeyKept::File,
            Keeping::Credential(_) if has_tpm2() => KeyKept::Tpm2,
            Keeping::Credential(_) => KeyKept::Host,
        }
    }
}

fn not_the_chains(key: &DeviceKey, chains: &str) -> anyhow::Error {
    exit::coded(
        exit::PERMISSION,
        format!("key {} is here, and the chain of outcomes goes on with key {chains}: put that key back", key.id()),
    )
}

/// Notes `event` in the audit log, if any, and signs where it stands with `key`.
pub fn note(state_dir: &Path, key: DeviceKey, event: Option<Event>) -> anyhow::Result<()> {
    let now = os::now();
    let opened = Log::open(&audit::folder_of(state_dir), Limits::default(), Some(Arc::new(key)))?;
    let mut log = opened.log;
    let events: Vec<_> = opened.first.into_iter().chain(event).map(|event| (now, event)).collect();
    log.append(&events)?;
    log.checkpoint(now)?;
    Ok(())
}
