//! Which bundles serve: under each name the one that its pointer says, else the shipped one;
//! none that is older than the newest that ever served, unless its pointer says why.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::inspect::{Inspected, inspect};
use super::receive::not_older;
use super::{At, BundleName, Depot, Floors, MAX_BUNDLES, ModelsError, Pointer, Refusal, Vouching};
use crate::clock::Moment;
use crate::infer::bundle::{Kind, Outline, Vouched};

/// Where bundles come from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Folder whose sub-folders are bundles.
    pub shipped: PathBuf,
    /// What was installed, on a box.
    pub depot: Option<Depot>,
    /// The newest version of each name that ever served.
    pub floors: Floors,
    /// Whose are taken.
    pub vouching: Vouching,
    /// Names of the bundles for research that may read images: the others sleep.
    pub research: Vec<String>,
}

/// What is to serve.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The bundles that read images, by name.
    pub images: Vec<Vouched>,
    /// Those for research that nobody switched on.
    pub asleep: Vec<Vouched>,
    /// The bundles that judge whether an image can be read, by name.
    pub fitness: Vec<Vouched>,
    /// The writer that was asked for, or why there is none.
    pub writer: Option<Result<Vouched, String>>,
    /// The pointers that were followed.
    pub pointers: BTreeMap<BundleName, Pointer>,
    /// What expired, and so does not serve, in words.
    pub expired: Vec<String>,
}

/// One bundle that may serve, before it was looked at.
struct Candidate {
    folder: PathBuf,
    /// The name under which it is looked up.
    name: String,
    pointer: Option<Pointer>,
}

/// The bundles of `source` that serve, with the writer that is called `writer`, and `instead`
/// of whatever else has that name.
///
/// # Errors
/// There is none that reads images, or one of them may not serve. A writer that may not takes
/// nothing from the reading: the grammar writes.
pub fn select(
    source: &Source,
    writer: Option<&str>,
    now: Moment,
    instead: Option<&Inspected>,
) -> Result<Selection, ModelsError> {
    let pointers = source.depot.as_ref().map(Depot::pointers).transpose();
    let depot_folder = source.depot.as_ref().map(|depot| depot.folder().to_owned()).unwrap_or_default();
    let pointers = pointers
        .map_err(|refusal| ModelsError::Refused { folder: depot_folder, installed: None, refusal: Box::new(refusal) })?
        .unwrap_or_default();
    let mut selection = Selection { pointers, ..Selection::default() };
    let instead_of = instead.map(|inspected| inspected.vouched.identity.name.as_str());
    for candidate in candidates(source, &selection.pointers, instead.is_some())? {
        if instead_of != Some(&candidate.name) {
            let looked = inspect(&candidate.folder, &source.vouching, now)
                .and_then(|inspected| served(&candidate, inspected, source));
            take(&mut selection, &candidate, looked, &source.research, writer)?;
        }
    }
    if let Some(inspected) = instead {
        // Tried as what it is, whether or not it is in use.
        let name = std::slice::from_ref(&inspected.vouched.identity.name);
        add(&mut selection, inspected.clone(), name, writer);
    }
    if let (None, Some(writer)) = (&selection.writer, writer) {
        selection.writer = Some(Err(format!("there is no writer bundle {writer:?} in {}", source.shipped.display())));
    }
    for bundles in [&mut selection.images, &mut selection.fitness] {
        bundles.sort_by(|a, b| a.identity.name.cmp(&b.identity.name));
    }
    let found = selection.images.len();
    let pairs = selection.images.windows(2).chain(selection.fitness.windows(2));
    if let Some([one, twin]) = pairs
        .into_iter()
        .find(|pair| pair[0].identity.name == pair[1].identity.name)
        .and_then(|pair| pair.first_chunk())
    {
        let refusal = Refusal::NotABundle(format!("{} has the same name", one.folder.display()));
        return Err(ModelsError::Refused { folder: twin.folder.clone(), installed: None, refusal: Box::new(refusal) });
    }
    let silent = selection.expired.len() + selection.asleep.len();
    if found <= MAX_BUNDLES && found + silent > 0 {
        Ok(selection)
    } else {
        Err(ModelsError::Count { path: source.shipped.clone(), found })
    }
}

/// Every bundle that a pointer names, and the shipped ones of other names; where there is one
/// `elsewhere`, there need be none.
fn candidates(
    source: &Source,
    pointers: &BTreeMap<BundleName, Pointer>,
    elsewhere: bool,
) -> Result<Vec<Candidate>, ModelsError> {
    let mut candidates = Vec::new();
    for (name, pointer) in pointers {
        if let (At::Installed(folder), Some(depot)) = (&pointer.active.at, &source.depot) {
            let folder = depot.place(name, folder);
            candidates.push(Candidate { folder, name: name.to_string(), pointer: Some(pointer.clone()) });
        }
    }
    let elsewhere = elsewhere || !candidates.is_empty();
    for folder in bundles_below(&source.shipped, elsewhere)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !candidates.iter().any(|candidate| candidate.name == name) {
            let pointer = name.parse().ok().and_then(|name: BundleName| pointers.get(&name)).cloned();
            candidates.push(Candidate { folder, name, pointer });
        }
    }
    Ok(candidates)
}

/// The sub-folders of `folder` that have a manifest, in order; on a box that has bundles
/// `elsewhere` it need not be there.
fn bundles_below(folder: &Path, elsewhere: bool) -> Result<Vec<PathBuf>, ModelsError> {
    let unreadable = |source| ModelsError::Unreadable { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Err(e) if elsewhere && e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.join("manifest.toml").is_file() {
            folders.push(path);
        }
        if folders.len() > MAX_BUNDLES {
            return Err(ModelsError::Count { path: folder.to_owned(), found: folders.len() });
        }
    }
    folders.sort();
    Ok(folders)
}

/// A bundle that was looked at, if it is the one of its pointer and not older than its floor.
fn served(candidate: &Candidate, inspected: Inspected, source: &Source) -> Result<Inspected, Refusal> {
    let Some(signed) = &inspected.signed else { return Ok(inspected) };
    let statement = &signed.statement;
    let choice = candidate.pointer.as_ref().map(|pointer| &pointer.active);
    let is_chosen = |choice: &&super::Choice| statement.manifest_sha256() == Some(choice.sha256);
    if let Some(choice) = choice.filter(|choice| choice.at != At::Shipped && !is_chosen(choice)) {
        let (found, signed) = (statement.version.to_string(), choice.version.to_string());
        return Err(Refusal::OtherBundle { found, signed });
    }
    // A reason holds for the bundle that it was given for, not for a later one in its place.
    let reason = choice.filter(is_chosen).and_then(|choice| choice.below_floor.as_deref());
    not_older(statement.name.as_str(), &statement.version, &source.floors, reason)?;
    Ok(inspected)
}

fn take(
    selection: &mut Selection,
    candidate: &Candidate,
    looked: Result<Inspected, Refusal>,
    research: &[String],
    writer: Option<&str>,
) -> Result<(), ModelsError> {
    match looked {
        Ok(inspected) => add(selection, inspected, research, writer),
        // A refused bundle's own word for its name is not asked.
        Err(refusal) if writer == Some(&candidate.name) => selection.writer = Some(Err(refusal.to_string())),
        Err(refusal @ Refusal::Expired(_)) => selection.expired.push(format!("{}: {refusal}", candidate.name)),
        // A writer that nobody asked for is not loaded, whatever it is.
        Err(_) if Outline::read(&candidate.folder).is_ok_and(|(outline, _)| outline.kind() == Kind::Writes) => {}
        Err(refusal) => {
            let installed = candidate.pointer.as_ref().and_then(|_| candidate.name.parse().ok().map(Box::new));
            return Err(ModelsError::Refused {
                folder: candidate.folder.clone(),
                installed,
                refusal: Box::new(refusal),
            });
        }
    }
    Ok(())
}

fn add(selection: &mut Selection, inspected: Inspected, research: &[String], writer: Option<&str>) {
    let Inspected { vouched, kind, signed } = inspected;
    if signed.is_none() {
        shout(&vouched);
    }
    match kind {
        Kind::Reads if vouched.identity.research_only && !research.contains(&vouched.identity.name) => {
            selection.asleep.push(vouched);
        }
        Kind::Reads => selection.images.push(vouched),
        Kind::JudgesFitness => selection.fitness.push(vouched),
        Kind::Writes if writer == Some(&vouched.identity.name) => selection.writer = Some(Ok(vouched)),
        Kind::Writes => {}
    }
}

fn shout(vouched: &Vouched) {
    let identity = &vouched.identity;
    log::warn!(
        "NOBODY TRUSTED VOUCHES for model bundle {} {}: for development only, and every result says so",
        identity.name,
        identity.version
    );
}

impl Selection {
    /// The bundle in `folder` alone, looked at under `vouching`.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn one(folder: &Path, vouching: &Vouching, now: Moment) -> Result<Vouched, Refusal> {
        let inspected = inspect(folder, vouching, now)?;
        if inspected.signed.is_none() {
            shout(&inspected.vouched);
        }
        Ok(inspected.vouched)
    }

    /// Each bundle that serves, with its version as it was signed.
    pub fn versions(&self) -> impl Iterator<Item = (&str, super::Version)> {
        let writer = self.writer.iter().filter_map(|writer| writer.as_ref().ok());
        let all = self.images.iter().chain(&self.fitness).chain(writer).map(|vouched| &vouched.identity);
        all.filter_map(|identity| Some((identity.name.as_str(), identity.version.parse().ok()?)))
    }
}
