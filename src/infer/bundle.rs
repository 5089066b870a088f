//! `Bundle`: a folder with manifest, graph, card and golden vectors, verified and ready to read.
//!
//! Each file is read once, held against its digest, and used from those same bytes;
//! a bundle serves only after it reproduced its golden output on this CPU (promise 7).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::decide::{decide, undecided};
use super::findings::{BundleIdentity, Findings};
use super::manifest::Manifest;
use super::model::{Engines, Model, ModelError, Signature};
use super::writer::manifest::{Kind, kind};
use crate::digest::Digest;

/// Largest file of a bundle; the largest reference model is a hundredth of it.
const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;
/// Most bundles that a models folder may hold.
const MAX_BUNDLES: usize = 32;

/// A bundle that may serve.
pub struct Bundle {
    manifest: Manifest,
    identity: BundleIdentity,
    model: Model,
}

/// Why a bundle may not serve.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The folder of bundles or one of their files cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The manifest is wrong.
    #[error("{path}: {message}")]
    Manifest {
        /// Which manifest.
        path: PathBuf,
        /// What is wrong in it.
        message: String,
    },
    /// A file is not the one that the manifest names.
    #[error(
        "{path} has SHA-256 {found}, the manifest says {wanted}: the bundle was changed or damaged; install it again"
    )]
    Changed {
        /// Which file.
        path: PathBuf,
        /// Its digest.
        found: Digest,
        /// The manifest's.
        wanted: Digest,
    },
    /// The graph cannot be used.
    #[error("{path}: {source}")]
    Model {
        /// Which graph.
        path: PathBuf,
        /// Why.
        source: ModelError,
    },
    /// This CPU does not compute what the bundle's maker computed.
    #[error(
        "{path}: golden output differs by {by} (tolerance {tolerance}) on this CPU: the bundle must not serve here"
    )]
    Golden {
        /// Which bundle.
        path: PathBuf,
        /// The first difference of a logit beyond the tolerance.
        by: f32,
        /// What the manifest allows.
        tolerance: f32,
    },
    /// This CPU does not write what the bundle's maker's wrote.
    #[error("{path}: golden text {number} is not reproduced on this CPU ({said}): the bundle must not serve here")]
    GoldenText {
        /// Which bundle.
        path: PathBuf,
        /// Which sheet, from 0.
        number: usize,
        /// What came instead.
        said: String,
    },
    /// There is nothing to serve, or too much.
    #[error("{path} holds {found} model bundles, need 1 to {MAX_BUNDLES}: set [reader] models_dir")]
    Count {
        /// The models folder.
        path: PathBuf,
        /// How many sub-folders have a manifest.
        found: usize,
    },
}

impl Bundle {
    /// Loads every image bundle below `folder` (each sub-folder with a `manifest.toml` that is
    /// not a writer's), by name.
    ///
    /// # Errors
    /// The first bundle that may not serve.
    pub fn load_all(folder: &Path) -> Result<Vec<Self>, BundleError> {
        let unreadable = |source| BundleError::Unreadable { path: folder.to_owned(), source };
        let mut folders = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let manifest = path.join("manifest.toml");
            if manifest.is_file() && !is_writer(&manifest)? {
                folders.push(path);
            }
        }
        folders.sort();
        if !(1..=MAX_BUNDLES).contains(&folders.len()) {
            return Err(BundleError::Count { path: folder.to_owned(), found: folders.len() });
        }
        folders.iter().map(|f| Self::load(f)).collect()
    }

    /// Loads one bundle: manifest, digests of every file, graph, golden check.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn load(folder: &Path) -> Result<Self, BundleError> {
        Self::load_with(folder, Engines::Best)
    }

    /// As `load`, with a choice of who may run the graph.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn load_with(folder: &Path, engines: Engines) -> Result<Self, BundleError> {
        let path = folder.join("manifest.toml");
        let text = read(&path)?;
        let wrong = |message| BundleError::Manifest { path: path.clone(), message };
        let manifest = Manifest::parse(std::str::from_utf8(&text).map_err(|e| wrong(e.to_string()))?).map_err(wrong)?;
        for name in manifest.digests.keys() {
            read_verified(folder, name, &manifest.digests)?;
        }
        let model = prepare(folder, &manifest, engines)?;
        let identity = BundleIdentity::of(&manifest.bundle, Digest::of(&text));
        let bundle = Self { manifest, identity, model };
        bundle.reproduce_golden(folder)?;
        Ok(bundle)
    }

    /// Who it is.
    #[must_use]
    pub const fn identity(&self) -> &BundleIdentity {
        &self.identity
    }

    /// What it says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its graph.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Reads one input tensor (`[1, 1, height, width]`, C order) of an image of `view`
    /// (View Position (0018,5101)).
    ///
    /// # Errors
    /// Inference failed.
    pub fn findings(&self, input: &[f32], view: Option<&str>) -> Result<Findings, ModelError> {
        let logits = self.model.run(input)?;
        let specs = &self.manifest.finding;
        // What it reads on other views comes first: it is what would be expected here.
        let mut not_assessed = undecided(specs, view);
        not_assessed.extend_from_slice(&self.manifest.not_assessed.words);
        Ok(Findings { bundle: self.identity.clone(), findings: decide(specs, &logits, view), not_assessed })
    }

    fn reproduce_golden(&self, folder: &Path) -> Result<(), BundleError> {
        let golden = &self.manifest.golden;
        let input = floats(&read_verified(folder, &golden.input, &self.manifest.digests)?);
        let wanted = floats(&read_verified(folder, &golden.output, &self.manifest.digests)?);
        let model = |source| BundleError::Model { path: folder.join("model.onnx"), source };
        let found = self.model.run(&input).map_err(model)?;
        let beyond = if found.len() == wanted.len() {
            let differences = found.iter().zip(&wanted).map(|(f, w)| (f - w).abs());
            // A NaN in the vectors compares with nothing, and is a refusal too.
            differences.into_iter().find(|by| by.is_nan() || *by > golden.tolerance)
        } else {
            Some(f32::INFINITY)
        };
        match beyond {
            None => Ok(()),
            Some(by) => Err(BundleError::Golden { path: folder.to_owned(), by, tolerance: golden.tolerance }),
        }
    }
}

fn prepare(folder: &Path, manifest: &Manifest, engines: Engines) -> Result<Model, BundleError> {
    let onnx = read_verified(folder, "model.onnx", &manifest.digests)?;
    let signature = Signature {
        input: &manifest.input.tensor,
        height: manifest.input.height as usize,
        width: manifest.input.width as usize,
        output: &manifest.output.tensor,
        least_outputs: manifest.finding.iter().map(|f| f.output + 1).max().unwrap_or(1),
    };
    Model::prepare_with(&onnx, &signature, engines)
        .map_err(|source| BundleError::Model { path: folder.join("model.onnx"), source })
}

/// True where the manifest says that the bundle writes instead of reading images.
///
/// # Errors
/// It cannot be read, or is too large.
pub fn is_writer(manifest: &Path) -> Result<bool, BundleError> {
    let text = read(manifest)?;
    Ok(std::str::from_utf8(&text).is_ok_and(|text| kind(text) == Kind::Writer))
}

/// The bytes of a bundle's file.
///
/// # Errors
/// It cannot be read, or is too large.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, BundleError> {
    let unreadable = |source| BundleError::Unreadable { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
        return Err(unreadable(std::io::Error::other(format!("larger than {MAX_FILE_BYTES} bytes"))));
    }
    std::fs::read(path).map_err(unreadable)
}

/// The bytes of a bundle's file, held against its digest.
///
/// # Errors
/// It cannot be read, or is another file than `digests` names.
pub(super) fn read_verified(
    folder: &Path,
    name: &str,
    digests: &BTreeMap<String, Digest>,
) -> Result<Vec<u8>, BundleError> {
    let path = folder.join(name);
    let bytes = read(&path)?;
    let (found, wanted) = (Digest::of(&bytes), digests[name]);
    if found == wanted { Ok(bytes) } else { Err(BundleError::Changed { path, found, wanted }) }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four bytes"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models");

    /// A copy of the first shipped bundle, to damage.
    fn copy() -> tempfile::TempDir {
        let source = Path::new(MODELS).join("chest-child");
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("golden")).unwrap();
        for name in
            Manifest::parse(&std::fs::read_to_string(source.join("manifest.toml")).unwrap()).unwrap().digests.keys()
        {
            std::fs::copy(source.join(name), folder.path().join(name)).unwrap();
        }
        std::fs::copy(source.join("manifest.toml"), folder.path().join("manifest.toml")).unwrap();
        folder
    }

    fn edit(folder: &Path, from: &str, to: &str) {
        let path = folder.join("manifest.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "nothing to edit: {from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }

    fn refusal(folder: &Path) -> String {
        Bundle::load(folder).err().expect("the bundle must be refused").to_string()
    }

    #[test]
    fn every_shipped_bundle_reproduces_its_golden_output_here() {
        let bundles = Bundle::load_all(Path::new(MODELS)).unwrap();
        let names: Vec<&str> = bundles.iter().map(|b| b.identity().name.as_str()).collect();
        assert_eq!(names, ["chest-adult", "chest-child"]);
    }

    #[test]
    fn a_bundle_with_a_changed_byte_is_refused_by_file_and_digest() {
        for name in ["model.onnx", "CARD.md", "figures.json", "golden/input.f32"] {
            let folder = copy();
            let path = folder.path().join(name);
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&path, bytes).unwrap();
            let error = refusal(folder.path());
            assert!(error.contains(name) && error.contains("the bundle was changed"), "{error}");
        }
    }

    #[test]
    fn a_golden_output_that_this_cpu_does_not_reproduce_is_refused() {
        for wrong in [1.0e3f32, f32::NAN] {
            let folder = copy();
            let other = wrong.to_le_bytes();
            let old = Digest::of(&std::fs::read(folder.path().join("golden/output.f32")).unwrap());
            std::fs::write(folder.path().join("golden/output.f32"), other).unwrap();
            edit(folder.path(), &old.to_string(), &Digest::of(&other).to_string());
            assert!(refusal(folder.path()).contains("golden output differs"));
        }
    }

    #[test]
    fn a_manifest_that_disagrees_with_its_graph_is_refused() {
        for (from, to, says) in [
            ("tensor = \"image\"", "tensor = \"picture\"", "the graph has inputs image, the manifest says picture"),
            ("width = 160", "width = 161", "input shape"),
            ("output = 0", "output = 9", "output shape"),
            ("format = 1", "format = 2", "this residentd reads 1"),
            ("output = 0", "output = 0\nview = [\"PA\"]", "view some of [applies_to] view"),
            ("output = 0", "output = 0\nview = []", "view some of [applies_to] view"),
            ("prevalence = ", "prevalence = 1", "is not a probability"),
            ("positives_among_present = ", "positives = ", "unknown field"),
            ("[input]", "[input]\nwidht = 3", "unknown field"),
            ("\"model.onnx\" =", "\"../model.onnx\" =", "lacks \"model.onnx\""),
        ] {
            let folder = copy();
            edit(folder.path(), from, to);
            let error = refusal(folder.path());
            assert!(error.contains(says), "{from} -> {to}: {error}");
        }
    }
}
