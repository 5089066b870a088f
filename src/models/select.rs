//! Which bundles serve: every image bundle that there is, and the writer that is asked for.

use std::path::{Path, PathBuf};

use super::inspect::{Inspected, inspect};
use super::{MAX_BUNDLES, ModelsError, Refusal, Vouching};
use crate::clock::Moment;
use crate::infer::bundle::Vouched;

/// Where bundles come from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Folder whose sub-folders are bundles.
    pub shipped: PathBuf,
    /// Whose are taken.
    pub vouching: Vouching,
}

/// What is to serve.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The bundles that read images, by name.
    pub images: Vec<Vouched>,
    /// The writer that was asked for, or why there is none.
    pub writer: Option<Result<Vouched, String>>,
}

/// The bundles of `source` that serve, with the writer that is called `writer`.
///
/// # Errors
/// There is none that reads images, or one of them may not serve. A writer that may not takes
/// nothing from the reading: the grammar writes.
pub fn select(source: &Source, writer: Option<&str>, now: Moment) -> Result<Selection, ModelsError> {
    let mut selection = Selection::default();
    let folders = bundles_below(&source.shipped)?;
    for folder in &folders {
        match inspect(folder, &source.vouching, now) {
            Ok(Inspected { vouched, is_writer: false, signed }) => {
                if signed.is_none() {
                    shout(&vouched);
                }
                selection.images.push(vouched);
            }
            Ok(Inspected { vouched, .. }) if writer == Some(&vouched.identity.name) => {
                selection.writer = Some(Ok(vouched));
            }
            Ok(_) => {}
            Err(refusal) if writer.is_some_and(|writer| is_named(folder, writer)) => {
                selection.writer = Some(Err(refusal.to_string()));
            }
            Err(refusal) => return Err(ModelsError::Refused { folder: folder.clone(), refusal }),
        }
    }
    if let (None, Some(writer)) = (&selection.writer, writer) {
        selection.writer = Some(Err(format!("there is no writer bundle {writer:?} in {}", source.shipped.display())));
    }
    selection.images.sort_by(|a, b| a.identity.name.cmp(&b.identity.name));
    let found = selection.images.len();
    if (1..=MAX_BUNDLES).contains(&found) {
        Ok(selection)
    } else {
        Err(ModelsError::Count { path: source.shipped.clone(), found })
    }
}

/// The sub-folders of `folder` that have a manifest, in order.
fn bundles_below(folder: &Path) -> Result<Vec<PathBuf>, ModelsError> {
    let unreadable = |source| ModelsError::Unreadable { path: folder.to_owned(), source };
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
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

/// A refused bundle's own word for its name is not asked.
fn is_named(folder: &Path, name: &str) -> bool {
    folder.file_name().is_some_and(|folder| folder == name)
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
}
