//! `model install | list | activate | rollback`: the bundles of one box, changed while its daemon
//! runs or not. Each ends in one rename, which a running daemon sees within a second; what was
//! done waits in the depot until the daemon writes it into the audit log.

use std::path::{Path, PathBuf};

use crate::cli::exit;
use crate::config::{Configuration, Name};
use crate::daemon::trial::{TRIAL_IMAGES, trial};
use crate::daemon::{self, reader_settings};
use crate::infer::bundle::Kind;
use crate::models::{
    self, At, BundleName, Change, Choice, Demands, Depot, Floors, Inspected, Installed, Notice, Package, Pointer,
    Received, Refusal, Selection, SignedBy, Source, Standing, Version, Which,
};
use crate::os::{self, confine};
use crate::store::{RESERVE_BYTES, Store};

#[derive(clap::Args)]
pub struct OfBox {
    /// The box's configuration file
    #[arg(long, default_value = "/etc/residentd/residentd.toml")]
    config: PathBuf,
}

#[derive(clap::Args)]
pub struct Install {
    /// A bundle's folder, a .tar of it, or a stick with one of either on it
    package: PathBuf,
    #[command(flatten)]
    of: OfBox,
    #[command(flatten)]
    force: Force,
}

#[derive(clap::Args)]
pub struct Activate {
    /// The bundle's name
    name: BundleName,
    /// Which of its versions on this box
    version: Version,
    #[command(flatten)]
    of: OfBox,
    #[command(flatten)]
    force: Force,
}

#[derive(clap::Args)]
pub struct Rollback {
    /// The bundle's name
    name: BundleName,
    /// Why, for the audit log
    #[arg(long, default_value = "by hand")]
    reason: String,
    #[command(flatten)]
    of: OfBox,
}

#[derive(clap::Args)]
pub struct Force {
    /// Take a version that is older than one that has served here
    #[arg(long, requires = "reason")]
    force: bool,
    /// Why, for the audit log
    #[arg(long, requires = "force", value_parser = reason)]
    reason: Option<String>,
}

fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("say why".to_owned()) } else { Ok(text.trim().to_owned()) }
}

/// The box as this command finds it.
struct Bench {
    config: Configuration,
    depot: Depot,
    store: Store,
    source: Source,
    _lock: std::fs::File,
}

impl Bench {
    /// Opens the box's depot and store as their owner, within the walls that the daemon has.
    fn open(config: &Path, reads: Option<&Path>) -> anyhow::Result<Self> {
        let config = Configuration::load(config)?;
        let state_dir = &config.file.device.state_dir;
        let unusable = |e: std::io::Error| {
            exit::coded(exit::PERMISSION, format!("{}: {e}; run as root or as residentd's user", state_dir.display()))
        };
        std::fs::create_dir_all(state_dir).map_err(unusable)?;
        os::become_owner(state_dir).map_err(unusable)?;
        // As the daemon: what is beside images and reports is for nobody else.
        os::keep_files_private();
        let mut reach = daemon::reach(&config)?;
        reach.readable.extend(reads.map(Path::to_owned));
        (reach.listens, reach.connects) = (Vec::new(), Vec::new());
        confine::raise(&reach)?;
        let depot = Depot::of(state_dir);
        depot.make().map_err(|e| {
            exit::coded(exit::PERMISSION, format!("{e}; run as root or as the user that owns {}", state_dir.display()))
        })?;
        let lock = alone(&depot.folder().join("lock"))?;
        let store = Store::open(state_dir)?;
        let source = daemon::source(&config.file, models::floors(store.model_floors()?))?;
        Ok(Self { config, depot, store, source, _lock: lock })
    }

    /// What would serve with `instead` in place of its namesake.
    fn selection(&self, instead: Option<&Inspected>) -> Result<Selection, models::ModelsError> {
        let writer = match instead {
            // Tried as the writer that it is, whether or not it is in use.
            Some(inspected) if inspected.kind == Kind::Writes => Some(inspected.vouched.identity.name.as_str()),
            _ => self.config.file.reader.writer.as_ref().map(Name::as_str),
        };
        models::select(&self.source, writer, os::now(), instead)
    }

    /// Tries `candidate` in the place that it is to have; what came of it, in words.
    fn tried(&self, candidate: &Inspected, images: u32) -> anyhow::Result<()> {
        let images = self.store.last_images(images)?;
        let spool = vec![self.store.spool()];
        let settings = |selection| reader_settings(&self.config.file.reader, selection, spool.clone());
        let new = settings(self.selection(Some(candidate))?);
        if let Some(Err(why)) = &new.models.writer {
            return Err(Refusal::Trial(why.clone()).into());
        }
        let old = self.selection(None).ok().map(settings);
        let is_writer = candidate.kind == Kind::Writes;
        let done = crate::cli::runtime()?.block_on(async {
            if is_writer {
                trial_of_writer(&new).await?;
            }
            trial(old.as_ref(), &new, &images).await
        });
        let done = done.map_err(Refusal::Trial)?;
        os::step("model-tried");
        println!("trial          golden outputs reproduced; {} of the last images read again", done.images);
        for change in &done.changes {
            println!("  {change}");
        }
        if done.images > 0 && done.changes.is_empty() {
            println!("  each as before");
        }
        Ok(())
    }

    /// Where a bundle that was chosen lies.
    fn folder(&self, name: &BundleName, choice: &Choice) -> PathBuf {
        match &choice.at {
            At::Installed(folder) => self.depot.place(name, folder),
            At::Shipped => self.source.shipped.join(name.as_str()),
        }
    }

    /// What serves under `name` now: by its pointer, or as it was shipped.
    fn serving(&self, name: &BundleName) -> Result<Option<Choice>, Refusal> {
        if let Some(pointer) = self.depot.pointer(name)? {
            return Ok(Some(pointer.active));
        }
        Ok(self.shipped(name).map(|(_, choice)| choice))
    }

    /// The shipped bundle of that name, if a trusted key signed it.
    fn shipped(&self, name: &BundleName) -> Option<(Inspected, Choice)> {
        let folder = self.source.shipped.join(name.as_str());
        let inspected = models::inspect(&folder, &self.source.vouching, os::now()).ok()?;
        let statement = &inspected.signed.as_ref()?.statement;
        let choice = Choice {
            at: At::Shipped,
            version: statement.version.clone(),
            sha256: statement.manifest_sha256()?,
            below_floor: None,
        };
        (statement.name == *name).then_some((inspected, choice))
    }

    /// Lets `choice` serve, on probation; what is neither it nor the one before is removed. Gives
    /// the version that served.
    fn switch(&self, name: &BundleName, choice: &Choice) -> anyhow::Result<Option<String>> {
        let is_it = |other: &Choice| other.at == choice.at && other.sha256 == choice.sha256;
        let found = self.depot.pointer(name)?;
        let from = self.serving(name)?;
        let pointer = match found {
            // It serves already: the one before stays the one before.
            Some(found) if is_it(&found.active) => Pointer::to(choice.clone(), found.previous, found.standing),
            _ => Pointer::to(choice.clone(), from.clone().filter(|from| !is_it(from)), Standing::Proving),
        };
        let from = from.map(|from| from.version.to_string());
        os::step("model-switching");
        self.depot.switch(name, &pointer)?;
        os::step("model-switched");
        self.notice(&Notice::Activated(
            Which::of(name, choice),
            Change { from: from.clone(), why: choice.below_floor.clone() },
        ));
        self.depot.sweep(name)?;
        Ok(from)
    }

    fn notice(&self, notice: &Notice) {
        if let Err(e) = self.depot.leave(notice, os::now()) {
            eprintln!("residentd: the audit log will not know of this: {e}");
        }
    }

    /// What `work` gives; a refusal is left for the audit log too.
    fn noting<T>(&self, what: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let done = work();
        if let Err(e) = &done {
            self.notice(&Notice::Refused(format!("{what}: {e}")));
        }
        done.map_err(|e| match e.downcast::<Refusal>() {
            Ok(refusal) => exit::coded(exit::DATA, format!("{what}: refused, and what served serves on: {refusal}")),
            Err(other) => other.context(format!("{what}: not done, and what served serves on")),
        })
    }

    fn receive(&self, package: &Package, forced: Option<&str>) -> anyhow::Result<Received> {
        let free = os::free_bytes(self.depot.folder())?;
        let keep_free = u64::from(self.config.file.dicom.min_free_mib) * 1024 * 1024 + RESERVE_BYTES;
        let demands = Demands {
            vouching: &self.source.vouching,
            now: os::now(),
            floors: &self.source.floors,
            forced,
            room_bytes: free.saturating_sub(keep_free),
            memory_bytes: reader_settings(&self.config.file.reader, Selection::default(), Vec::new()).memory_bytes,
        };
        Ok(models::receive(&self.depot, package, &demands)?)
    }
}

/// The lock that lets one such command work at a time; it ends with the process.
fn alone(path: &Path) -> anyhow::Result<std::fs::File> {
    let lock = std::fs::File::create(path)?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| exit::coded(exit::UNAVAILABLE, "another `residentd model` is at work on this box: wait for it"))?;
    Ok(lock)
}

/// A writer that cannot serve keeps no reader from starting: it is asked.
async fn trial_of_writer(settings: &crate::reader::supervise::Settings) -> Result<(), String> {
    use crate::reader::supervise::Supervised;
    use crate::reader::write::Serving;
    match Supervised::start(settings).await.map_err(|e| e.to_string())?.writer {
        Some(Serving::Unusable(why)) => Err(why),
        _ => Ok(()),
    }
}

pub fn install(arguments: &Install) -> anyhow::Result<()> {
    let shown = arguments.package.display().to_string();
    let package = arguments.package.canonicalize();
    let package = package.map_err(|e| exit::coded(exit::DATA, format!("{shown}: {e}")))?;
    let bench = Bench::open(&arguments.of.config, Some(&package))?;
    bench.noting(&shown, || {
        let package = Package::open(&package)?;
        let Received { signed, choice } = bench.receive(&package, arguments.force.reason.as_deref())?;
        let name = &signed.statement.name;
        println!("{name} {} from {}", choice.version, package.path().display());
        println!("signed by      {} on {}", signed.signed_by, signed.statement.issued);
        bench.notice(&Notice::Installed(Which::of(name, &choice), SignedBy(signed.signed_by.clone())));
        let tried = put_to_work(&bench, name, &choice);
        if tried.is_err() {
            // Nothing points to it: it goes.
            bench.depot.sweep(name)?;
        }
        tried
    })
}

/// Tries an installed bundle and lets it serve.
fn put_to_work(bench: &Bench, name: &BundleName, choice: &Choice) -> anyhow::Result<()> {
    let folder = bench.folder(name, choice);
    let inspected = models::inspect(&folder, &bench.source.vouching, os::now())?;
    if let Some(signed) = &inspected.signed {
        models::same_bytes(&folder, signed)?;
    }
    bench.tried(&inspected, TRIAL_IMAGES)?;
    let version = choice.version.clone();
    let from = bench.switch(name, choice)?;
    match from {
        Some(from) => println!("serves         {name} {version} in place of {from}"),
        None => println!("serves         {name} {version}"),
    }
    println!("a running daemon takes it over within seconds, and goes back by itself if its first readings fail");
    Ok(())
}

pub fn activate(arguments: &Activate) -> anyhow::Result<()> {
    let Activate { name, version, of, force } = arguments;
    let bench = Bench::open(&of.config, None)?;
    bench.noting(&format!("{name} {version}"), || {
        let choice = there(&bench, name, version)?;
        let below_floor = models::not_older(name.as_str(), version, &bench.source.floors, force.reason.as_deref())?;
        put_to_work(&bench, name, &Choice { below_floor, ..choice })
    })
}

/// The bundle of that version on this box.
fn there(bench: &Bench, name: &BundleName, version: &Version) -> Result<Choice, Refusal> {
    let mut versions = Vec::new();
    for Installed { folder, signed } in bench.depot.installed(name, keys(&bench.source))? {
        let Ok(signed) = signed else { continue };
        if let (true, Some(sha256)) = (signed.statement.version == *version, signed.statement.manifest_sha256()) {
            return Ok(Choice { at: At::Installed(folder), version: version.clone(), sha256, below_floor: None });
        }
        versions.push(signed.statement.version.to_string());
    }
    match bench.shipped(name) {
        Some((_, choice)) if choice.version == *version => Ok(choice),
        shipped => {
            versions.extend(shipped.map(|(_, choice)| choice.version.to_string()));
            let there = if versions.is_empty() { "none".to_owned() } else { versions.join(", ") };
            Err(Refusal::NotABundle(format!("that version is not on this box; there are: {there}")))
        }
    }
}

pub fn rollback(arguments: &Rollback) -> anyhow::Result<()> {
    let Rollback { name, reason, of } = arguments;
    let bench = Bench::open(&of.config, None)?;
    bench.noting(&format!("rollback of {name}"), || {
        let pointer = bench.depot.pointer(name)?;
        let back = pointer.as_ref().and_then(|pointer| pointer.back(&format!("rollback: {reason}")));
        let (Some(pointer), Some(back)) = (pointer, back) else {
            return Err(exit::coded(exit::NO, format!("no other bundle of the name {name} served before this one")));
        };
        let folder = bench.folder(name, &back.active);
        let inspected = models::inspect(&folder, &bench.source.vouching, os::now())?;
        // That it gives its golden output is enough: it read before.
        bench.tried(&inspected, 0)?;
        os::step("model-switching");
        bench.depot.switch(name, &back)?;
        os::step("model-switched");
        let from = Some(pointer.active.version.to_string());
        bench.notice(&Notice::RolledBack(Which::of(name, &back.active), Change { from, why: Some(reason.clone()) }));
        println!("serves         {name} {} in place of {}", back.active.version, pointer.active.version);
        println!("a running daemon takes it over within seconds");
        Ok(())
    })
}

pub fn list(arguments: &OfBox) -> anyhow::Result<()> {
    let bench = Bench::open(&arguments.config, None)?;
    let mut names = bench.depot.names()?;
    for entry in std::fs::read_dir(&bench.source.shipped).into_iter().flatten().flatten() {
        names.extend(entry.file_name().to_str().and_then(|name| name.parse().ok()));
    }
    names.sort();
    names.dedup();
    println!("{:<16} {:<10} {:<18} {:>9}  signed by", "name", "version", "", "KiB");
    for name in &names {
        show(&bench, name, &bench.source.floors)?;
    }
    if bench.selection(None).is_ok_and(|selection| selection.fitness.is_empty()) {
        println!("no bundle judges fitness: that an image is upright, whole and of a chest is not checked");
    }
    let free = os::free_bytes(bench.depot.folder())? / 1024;
    println!("{free} KiB free below {}", bench.depot.folder().display());
    Ok(())
}

fn show(bench: &Bench, name: &BundleName, floors: &Floors) -> anyhow::Result<()> {
    let pointer = bench.depot.pointer(name)?;
    let shipped = bench.shipped(name);
    // A writer, and what is for research only, serves where the configuration names it.
    let reader = &bench.config.file.reader;
    let in_use = reader.writer.iter().chain(&reader.research).any(|named| named.as_str() == name.as_str());
    let is_asked_for =
        |inspected: &Inspected| inspected.kind == Kind::Writes || inspected.vouched.identity.research_only;
    let is_idle = shipped.as_ref().is_some_and(|(inspected, _)| is_asked_for(inspected)) && !in_use;
    let line = |version: &Version, at: &At, bytes: u64, by: &str| {
        let is = |choice: &Choice| choice.at == *at && choice.version == *version;
        let state = match &pointer {
            _ if is_idle => "not in use",
            None if *at == At::Shipped => "serves (shipped)",
            Some(pointer) if is(&pointer.active) && pointer.standing == Standing::Proving => "serves (probation)",
            Some(pointer) if is(&pointer.active) => "serves",
            Some(pointer) if pointer.previous.as_ref().is_some_and(is) => "before",
            _ if *at == At::Shipped => "shipped",
            _ => "installed",
        };
        println!("{name:<16} {version:<10} {state:<18} {:>9}  {by}", bytes.div_ceil(1024));
    };
    if let Some((inspected, choice)) = shipped {
        if let Some(signed) = inspected.signed {
            line(&choice.version, &At::Shipped, signed.statement.bytes(), &signed.signed_by);
        }
    } else if bench.source.shipped.join(name.as_str()).join("manifest.toml").is_file() {
        let why = models::inspect(&bench.source.shipped.join(name.as_str()), &bench.source.vouching, os::now()).err();
        println!("{name:<16} {:<10} refused: {}", "-", why.map_or_else(|| "another name".into(), |e| e.to_string()));
    }
    for Installed { folder, signed } in bench.depot.installed(name, keys(&bench.source))? {
        match signed {
            Ok(signed) => {
                let statement = &signed.statement;
                line(&statement.version, &At::Installed(folder), statement.bytes(), &signed.signed_by);
            }
            Err(why) => println!("{name:<16} {folder:<10} refused: {why}"),
        }
    }
    if let Some(floor) = floors.get(name.as_str()) {
        println!("{:<16} {floor:<10} newest that has served; older ones need --force", "");
    }
    if let Some(why) = pointer.and_then(|pointer| pointer.active.below_floor) {
        println!("{:<16} {:<10} an older one serves: {why}", "", "");
    }
    Ok(())
}

fn keys(source: &Source) -> &[crate::seal::public::PublicKey] {
    match &source.vouching {
        models::Vouching::Trusted(keys) => keys,
        models::Vouching::Anybody => &[],
    }
}
