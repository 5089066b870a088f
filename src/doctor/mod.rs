//! The doctor: everything that can be wrong with a box, each with what to do about it.
//!
//! It looks and does not mend. The one thing that it leaves is the outcome of a phantom that is
//! marked as a test, where a daemon runs. It works on a box that is half provisioned, whose
//! configuration is broken, as root and as the daemon's user: what cannot be looked at is said.
//! `residentd check` is the part of it that sends nothing ([`Scope::Quiet`]).

mod board;
mod broker;
mod bundles;
mod certificate;
mod clock;
mod disk;
mod files;
mod finding;
mod itself;
mod key;
mod port;
mod process;
mod receipt;
mod records;
mod service_user;
mod systemd;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

pub use finding::{Examination, Finding, Found, State};
pub use itself::closed_to_us;
pub use port::reachable;
pub use records::audit;

use crate::clock::Moment;
use crate::config::{ConfigError, Configuration, Dicom};
use crate::daemon::{Holder, holder};
use crate::models;
use crate::seal::jws;
use crate::seal::public::PublicKey;
use crate::store::Outgoing;
use files::KeyBy;
use service_user::ServiceUser;
use systemd::Unit;

/// How far the doctor goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// It sends nothing but one TCP connection to the broker.
    Quiet,
    /// It sends a phantom, and talks to the broker.
    Whole,
    /// As whole, and only these checks.
    Only(Vec<String>),
}

/// Every check, in the order in which they are made.
#[must_use]
pub fn names() -> Vec<&'static str> {
    ["board", "clock", "configuration"].into_iter().chain(NEED_CONFIGURATION).chain(["service"]).collect()
}

/// The box, as far as it could be seen before the first check.
struct Scene {
    root: PathBuf,
    config: Result<Configuration, ConfigError>,
    unit: Option<Unit>,
    holder: Result<Holder, String>,
    user: ServiceUser,
    key_by: KeyBy,
    keys: Vec<PublicKey>,
}

impl Scene {
    fn of(config_path: &Path) -> Self {
        let root = PathBuf::from("/");
        let config = Configuration::load(config_path);
        let unit = Unit::ask();
        let device = config.as_ref().ok().map(|config| &config.file.device);
        let holder = device.map_or(Ok(Holder::Nobody), |device| holder(&device.state_dir).map_err(|e| e.to_string()));
        let ours = unit.as_ref().filter(|unit| unit.runs(config_path));
        let user = user(&root, ours, holder.as_ref().ok(), device.map(|device| device.state_dir.as_path()));
        let public = device.and_then(|device| PublicKey::load(&device.key_file.with_extension("pub.pem")).ok());
        let key_by = if ours.is_some_and(Unit::gives_key) { KeyBy::Credential } else { KeyBy::File };
        Self { root, config, unit, holder, user, key_by, keys: public.into_iter().collect() }
    }

    /// The process of the daemon, where one runs and can be seen.
    fn pid(&self) -> Option<u32> {
        match self.holder {
            Ok(Holder::Daemon(pid)) => pid,
            _ => None,
        }
    }

    fn runs(&self) -> bool {
        matches!(self.holder, Ok(Holder::Daemon(_)))
    }
}

/// Who runs the daemon: the process that does, else the unit that will, else the folder's owner.
fn user(root: &Path, unit: Option<&Unit>, holder: Option<&Holder>, state_dir: Option<&Path>) -> ServiceUser {
    let running = match holder {
        Some(Holder::Daemon(Some(pid))) => process::Walls::around(root, *pid).map(|walls| walls.uid),
        _ => None,
    };
    let named = || unit.and_then(Unit::user).and_then(|name| ServiceUser::named(root, name));
    let owner = || state_dir.and_then(|folder| std::fs::metadata(folder).ok()).map(|metadata| metadata.uid());
    match running {
        Some(uid) => ServiceUser::of(root, uid),
        None => named()
            .unwrap_or_else(|| ServiceUser::of(root, owner().unwrap_or_else(|| rustix::process::geteuid().as_raw()))),
    }
}

/// Makes every check in its order; `tell` hears the name of each before it is made.
pub async fn examine(
    config_path: &Path,
    scope: Scope,
    now: fn() -> Moment,
    tell: impl FnMut(&'static str),
) -> Examination {
    let scene = Scene::of(config_path);
    let only = if let Scope::Only(names) = &scope { Some(names.clone()) } else { None };
    let mut rounds = Rounds { tell, only, checks: Vec::new() };
    let state_dir = scene.config.as_ref().map_or(Path::new(STATE_DIR), |config| &config.file.device.state_dir);
    let mut storage = None;
    rounds.make("board", || {
        let (board, disk) = board::look(&scene.root, state_dir);
        storage = disk;
        board
    });
    rounds.make("clock", || clock::judge(now()));
    rounds.make("configuration", || configuration(&scene));
    match &scene.config {
        Ok(config) => Box::pin(of_the_box(&mut rounds, &scene, config, storage, (&scope, now))).await,
        Err(_) => {
            for name in NEED_CONFIGURATION {
                rounds.make(name, || match name {
                    "disk" => disk::look(&scene.root, state_dir, Dicom::default().min_free_mib),
                    _ => Found::not_checked("it needs a configuration"),
                });
            }
        }
    }
    rounds.make("service", || systemd::look(scene.unit.as_ref(), scene.pid()));
    Examination::new(now(), rounds.checks)
}

/// Where the state is where no configuration says it.
const STATE_DIR: &str = "/var/lib/residentd";
/// Checks of what the configuration names, in their order. Of the disk something can be said
/// without one.
const NEED_CONFIGURATION: [&str; 12] = [
    "permissions",
    "key",
    "disk",
    "store",
    "backlog",
    "audit",
    "models",
    "port",
    "dicom",
    "broker",
    "receiver",
    "sandbox",
];

async fn of_the_box<T: FnMut(&'static str)>(
    rounds: &mut Rounds<T>,
    scene: &Scene,
    config: &Configuration,
    storage: Option<Found>,
    (scope, now): (&Scope, fn() -> Moment),
) {
    let (file, running) = (&config.file, scene.runs());
    let state_dir = &file.device.state_dir;
    let glance = records::open(state_dir, running);
    let last = glance.as_ref().ok().and_then(|glance| glance.last_outcome().ok().flatten());
    rounds.make("permissions", || files::look(config, &scene.user, scene.key_by));
    let last_jws = last.as_ref().map(|last| last.jws.as_str());
    rounds.make("key", || key::look(&file.device.key_file, &scene.user, scene.key_by, last_jws));
    rounds.make("disk", || {
        let found = disk::look(&scene.root, state_dir, file.dicom.min_free_mib);
        storage.into_iter().fold(found, Found::and)
    });
    rounds.make("store", || glance.as_ref().map_or_else(Clone::clone, records::integrity));
    rounds.make("backlog", || glance.as_ref().map_or_else(Clone::clone, |glance| records::backlog(glance, now())));
    rounds.make("audit", || records::audit(state_dir, scene.keys.first()));
    // What keeps the store from being read stands beside it.
    let noted = glance.as_ref().ok().and_then(|glance| glance.model_floors().ok()).unwrap_or_default();
    rounds.take("models", bundles::look(file, models::floors(noted), now())).await;
    rounds.make("port", || port::look(&scene.root, &file.dicom, &scene.user, running));
    if *scope == Scope::Quiet {
        rounds.take("broker", async { broker::reach(config, running).await.and(broker::files(config)) }).await;
        return;
    }
    // Another phantom each time: the same one would be known, and not read again.
    let seed = now().unix_ms.unsigned_abs();
    let mut sent = None;
    let dicom = async {
        let (found, to) = itself::look(config, running, &scene.keys, seed).await;
        sent = to;
        found
    };
    rounds.take("dicom", Box::pin(dicom)).await;
    let glance = glance.ok();
    let test = glance
        .as_ref()
        .and_then(|glance| glance.last_outcome().ok().flatten())
        .filter(|last| is_test(last, &scene.keys));
    let key_id = scene.keys.first().map(PublicKey::id);
    let trial = broker::Trial { config, key_id, test: test.as_ref(), running, now };
    rounds.take("broker", async { broker::files(config).and(broker::look(&trial).await) }).await;
    rounds.take("receiver", receipt::look(file, glance.as_ref(), sent.as_ref(), now())).await;
    rounds.make("sandbox", || sandbox(scene));
}

/// Whether `outcome` is this device's and says that it is about no patient.
fn is_test(outcome: &Outgoing, keys: &[PublicKey]) -> bool {
    jws::open(&outcome.jws, keys).is_ok_and(|opened| opened.header.test)
}

fn configuration(scene: &Scene) -> Found {
    match &scene.config {
        Ok(config) => Found::ok(format!("{} ({})", config.path.display(), config.sha256)),
        Err(e @ ConfigError::Unreadable { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Found::failed(
                e.to_string(),
                "this box is not provisioned yet: `residentd provision --site SITE --device NAME`, or give --config",
            )
        }
        Err(e @ ConfigError::Unreadable { .. }) => {
            Found::failed(e.to_string(), "run the doctor as root or as the daemon's user, or mend the file's mode")
        }
        Err(e) => Found::failed(e.to_string(), "mend the line that is shown; the daemon does not start otherwise"),
    }
}

fn sandbox(scene: &Scene) -> Found {
    match (&scene.holder, scene.pid()) {
        (Ok(Holder::Nobody), _) => Found::not_checked("the daemon does not run"),
        (Ok(Holder::Daemon(_)), Some(pid)) => process::look(&scene.root, pid),
        (Ok(Holder::Daemon(_)), None) => {
            Found::not_checked("the daemon's process cannot be seen from here; run the doctor as root")
        }
        (Err(e), _) => Found::not_checked(format!("{e}; run the doctor as root or as the daemon's user")),
    }
}

/// Checks as they are made.
struct Rounds<T> {
    tell: T,
    only: Option<Vec<String>>,
    checks: Vec<Finding>,
}

impl<T: FnMut(&'static str)> Rounds<T> {
    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted == name))
    }

    fn make(&mut self, name: &'static str, look: impl FnOnce() -> Found) {
        if !self.wants(name) {
            return;
        }
        (self.tell)(name);
        let start = Instant::now();
        let found = look();
        self.checks.push(Finding::new(name, found, start.elapsed()));
    }

    async fn take(&mut self, name: &'static str, look: impl Future<Output = Found>) {
        if !self.wants(name) {
            return;
        }
        (self.tell)(name);
        let start = Instant::now();
        let found = look.await;
        self.checks.push(Finding::new(name, found, start.elapsed()));
    }
}
