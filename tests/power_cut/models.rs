//! The power goes while model bundles are installed, let serve, taken back and swept: in every
//! state that is left one bundle serves, whole, and it is one that was to serve.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use residentd::clock::Moment;
use residentd::digest::Digest;
use residentd::models::{
    self, BundleName, Choice, Demands, Depot, Floors, Notice, Package, Pointer, Source, Standing, Vouching,
};
use residentd::os::disk;
use residentd::os::disk::watch::Watch;
use residentd::seal::key::DeviceKey;

use crate::check::lay_out;
use crate::cut::{Disk, State};
use crate::ledger::Span;
use crate::random::Random;

const NOW: Moment = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
/// States looked at after each call.
const STATES_A_CUT: u64 = 12;

/// Which version was to serve from where to where.
type Serves = Vec<(String, Span)>;

/// Runs it and cuts it everywhere; true where all holds.
pub fn all(seed: u64) -> bool {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let (disk, lower) = (folder.path().join("disk"), folder.path().join("state"));
    std::fs::create_dir(&disk).unwrap();
    let vendor = DeviceKey::generate().unwrap();
    let vouching = Vouching::Trusted(vec![vendor.public().clone()]);
    let packages = ["1.0.0", "1.1.0", "1.2.0"].map(|version| package(folder.path(), version, &vendor));
    let watch = Watch::over(&disk, None);
    let serves = life(&watch, &disk, &packages, &vouching);
    let log = watch.take_log();
    let mut random = Random::new(seed);
    let (mut held, mut states, mut failures) = (Disk::holding(State::default()), 0, Vec::new());
    for at in 0..=log.len() {
        if let Some(operation) = at.checked_sub(1).map(|last| &log[last]) {
            held.follow(operation, &mut random);
        }
        let mut left = Vec::new();
        held.states(STATES_A_CUT, &mut random, |state| left.push(state));
        for state in left {
            states += 1;
            lay_out(&state, &lower);
            if let Err(why) = holds(&lower, at, &serves, &vouching, &packages[2]) {
                failures.push(format!("after call {at} of {}: {why}", log.len()));
            }
        }
    }
    failures.iter().take(5).for_each(|failure| println!("FAILED: {failure}"));
    println!("power cut: models: {} calls, {states} states, {} not as promised", log.len(), failures.len());
    failures.is_empty()
}

/// Installs three versions, goes back from the last, sweeps; what was to serve when.
fn life(watch: &std::sync::Arc<Watch>, disk: &Path, packages: &[PathBuf], vouching: &Vouching) -> Serves {
    let depot = Depot::on(disk::Disk::Watched(watch.clone()), disk);
    let mut serves = Serves::new();
    let mut switch = |pointer: &Pointer| {
        let begun = watch.position();
        depot.switch(&name(), pointer).unwrap();
        let span = Span { begun, promised: Some(watch.position()) };
        serves.push((pointer.active.version.to_string(), span));
    };
    let mut before: Option<Choice> = None;
    for package in packages {
        let received = receive(&depot, package, vouching).unwrap();
        switch(&Pointer::to(received.clone(), before.replace(received), Standing::Proving));
        depot.leave(&Notice::Refused("so that a notice is in the way".into()), NOW).unwrap();
        depot.sweep(&name()).unwrap();
    }
    let pointer = depot.pointer(&name()).unwrap().unwrap();
    switch(&pointer.back("it failed").unwrap());
    for (path, _) in depot.noticed().unwrap() {
        depot.forget(&path).unwrap();
    }
    depot.sweep(&name()).unwrap();
    serves
}

/// What serves in `folder`, cut after call `cut`, is whole, and what was to serve; and the work
/// goes on.
fn holds(folder: &Path, cut: usize, serves: &Serves, vouching: &Vouching, next: &Path) -> Result<(), String> {
    let depot = Depot::of(folder);
    let promised = serves.iter().rposition(|(_, span)| span.must_show(cut));
    let allowed: Vec<&str> = serves
        .iter()
        .enumerate()
        .filter(|(at, (_, span))| promised.is_none_or(|promised| *at >= promised) && span.may_show(cut))
        .map(|(_, (version, _))| version.as_str())
        .collect();
    let pointer = depot.pointer(&name()).map_err(|e| format!("the pointer is damaged: {e}"))?;
    if pointer.is_none() && promised.is_none() {
        return Ok(());
    }
    let source = Source {
        shipped: folder.join("none"),
        depot: Some(depot.clone()),
        floors: Floors::new(),
        vouching: vouching.clone(),
        research: Vec::new(),
    };
    let selection = models::select(&source, None, NOW, None).map_err(|e| format!("NOTHING serves: {e}"))?;
    let vouched = selection.images.first().ok_or("NOTHING serves")?;
    let version = vouched.identity.version.as_str();
    if !allowed.contains(&version) {
        return Err(format!("{version} serves, {allowed:?} were to"));
    }
    let inspected = models::inspect(&vouched.folder, vouching, NOW).map_err(|e| e.to_string())?;
    let signed = inspected.signed.ok_or("nobody signed it")?;
    models::same_bytes(&vouched.folder, &signed).map_err(|e| format!("HALF: {e}"))?;
    let received = receive(&depot, next, vouching).map_err(|e| format!("cannot be installed again: {e}"))?;
    depot.switch(&name(), &Pointer::to(received, None, Standing::Proving)).map_err(|e| e.to_string())?;
    depot.sweep(&name()).map_err(|e| format!("cannot be swept: {e}"))
}

fn receive(depot: &Depot, package: &Path, vouching: &Vouching) -> Result<Choice, models::Refusal> {
    let floors = Floors::new();
    let demands =
        Demands { vouching, now: NOW, floors: &floors, forced: None, room_bytes: 1 << 30, memory_bytes: 1 << 30 };
    Ok(models::receive(depot, &Package::open(package)?, &demands)?.choice)
}

fn name() -> BundleName {
    "chest".parse().unwrap()
}

/// A signed bundle of a few small files.
fn package(folder: &Path, version: &str, vendor: &DeviceKey) -> PathBuf {
    let folder = folder.join(version);
    std::fs::create_dir_all(folder.join("golden")).unwrap();
    let mut digests = String::new();
    for file in ["model.onnx", "CARD.md", "golden/input.f32"] {
        // More than a sector, so that it can tear.
        let text = format!("{file} of {version} ").repeat(60);
        std::fs::write(folder.join(file), &text).unwrap();
        writeln!(digests, "\"{file}\" = \"{}\"", Digest::of(text.as_bytes())).unwrap();
    }
    let manifest = format!(
        "format = 1\n[bundle]\nname = \"chest\"\nversion = \"{version}\"\ntitle = \"t\"\nintended_use = \"i\"\n\
         forbidden_use = \"f\"\nlicence = \"l\"\nresearch_only = false\nsources = []\n[digests]\n{digests}"
    );
    std::fs::write(folder.join("manifest.toml"), manifest).unwrap();
    models::sign(&folder, vendor, NOW, None).unwrap();
    folder
}
