//! `Bundle`: a folder with manifest, graph, card and golden vectors, verified and ready to read.
//!
//! Each file is read once, held against its digest, and used from those same bytes: the
//! manifest's digest is what somebody vouches for ([`Vouched`], made by `models`), the others
//! stand in it. A bundle serves only after it reproduced its golden output on this CPU (promise 7).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::decide::{decide, undecided};
use super::findings::{BundleIdentity, Findings};
use serde::{Deserialize, Serialize};

use super::manifest::{About, Golden, InputSpec, Manifest, OutputSpec};
use super::model::{Engines, Model, ModelError, Signature};
use crate::digest::Digest;

/// Largest file of a bundle; the largest reference model is a hundredth of it.
const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;
/// Largest manifest, as no other file read before anything of it is known.
const MAX_MANIFEST_BYTES: u64 = 1024 * 1024;

/// A bundle by its folder and by who it must turn out to be: whoever asks for it has seen who
/// vouches for that manifest. It crosses from the gateway to the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vouched {
    /// Where it lies.
    pub folder: PathBuf,
    /// What reports will say of it; its `sha256` is that of the manifest.
    pub identity: BundleIdentity,
}

/// What a bundle is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It reads images.
    Reads,
    /// It says whether an image can be read at all (`kind = "fitness"`).
    JudgesFitness,
    /// It writes words (`kind = "writer"`).
    Writes,
}

/// What every manifest says, whatever its kind.
#[derive(Debug, Clone, Deserialize)]
pub struct Outline {
    /// See [`Kind`]; absent for a bundle that reads images.
    #[serde(default)]
    kind: Option<String>,
    /// `[bundle]`
    pub bundle: About,
    /// `[digests]`
    pub digests: BTreeMap<String, Digest>,
}

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
    /// The manifest is not the one that somebody vouches for.
    #[error(
        "{path} has SHA-256 {found}, {wanted} was vouched for: the bundle was changed or damaged; install it again"
    )]
    Replaced {
        /// Which manifest.
        path: PathBuf,
        /// Its digest.
        found: Digest,
        /// The one that was looked at.
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
}

impl Outline {
    /// Reads the manifest of the bundle in `folder`; its digest too.
    ///
    /// # Errors
    /// There is none, it is too large, or it lacks what every manifest says.
    pub fn read(folder: &Path) -> Result<(Self, Digest), BundleError> {
        let path = folder.join("manifest.toml");
        let bytes = read_within(&path, MAX_MANIFEST_BYTES)?;
        let wrong = |message| BundleError::Manifest { path: path.clone(), message };
        let text = std::str::from_utf8(&bytes).map_err(|e| wrong(e.to_string()))?;
        let outline = toml::from_str(text).map_err(|e| wrong(e.to_string().trim_end().to_owned()))?;
        Ok((outline, Digest::of(&bytes)))
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.kind.as_deref() {
            Some("writer") => Kind::Writes,
            Some("fitness") => Kind::JudgesFitness,
            // A kind that is not known here is refused with its manifest.
            _ => Kind::Reads,
        }
    }
}

impl Vouched {
    /// The bundle as it stands in `folder`, nobody having vouched for it: for tools that look
    /// into a bundle, and tests.
    ///
    /// # Errors
    /// As [`Outline::read`].
    pub fn as_it_stands(folder: &Path) -> Result<Self, BundleError> {
        let (outline, sha256) = Outline::read(folder)?;
        Ok(Self { folder: folder.to_owned(), identity: BundleIdentity::of(&outline.bundle, sha256) })
    }

    /// The text of its manifest, if it is still the one that was vouched for.
    ///
    /// # Errors
    /// It cannot be read, or is another.
    pub fn manifest(&self) -> Result<String, BundleError> {
        let path = self.folder.join("manifest.toml");
        let bytes = read_within(&path, MAX_MANIFEST_BYTES)?;
        let (found, wanted) = (Digest::of(&bytes), self.identity.sha256);
        if found != wanted {
            return Err(BundleError::Replaced { path, found, wanted });
        }
        String::from_utf8(bytes).map_err(|e| BundleError::Manifest { path, message: e.to_string() })
    }

    /// The manifest, as `parse` understands it.
    ///
    /// # Errors
    /// It is not the one that was vouched for, or `parse` refused it.
    pub fn parsed<M>(&self, parse: impl Fn(&str) -> Result<M, String>) -> Result<M, BundleError> {
        let wrong = |message| BundleError::Manifest { path: self.folder.join("manifest.toml"), message };
        parse(&self.manifest()?).map_err(wrong)
    }
}

impl Bundle {
    /// Loads one bundle: manifest, digests of every file, graph, golden check.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn load(vouched: &Vouched) -> Result<Self, BundleError> {
        Self::load_with(vouched, Engines::Best)
    }

    /// As `load`, with a choice of who may run the graph.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn load_with(vouched: &Vouched, engines: Engines) -> Result<Self, BundleError> {
        let manifest = vouched.parsed(Manifest::parse)?;
        let network = Network {
            input: &manifest.input,
            output: &manifest.output,
            least_outputs: manifest.finding.iter().map(|finding| finding.output + 1).max().unwrap_or(1),
            golden: &manifest.golden,
            digests: &manifest.digests,
        };
        let model = network.load(&vouched.folder, engines)?;
        Ok(Self { manifest, identity: vouched.identity.clone(), model })
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

    /// Its graph alone.
    #[must_use]
    pub fn into_model(self) -> Model {
        self.model
    }

    /// The logits of one input tensor (`[1, 1, height, width]`, C order).
    ///
    /// # Errors
    /// Inference failed.
    pub fn logits(&self, input: &[f32]) -> Result<Vec<f32>, ModelError> {
        self.model.run(input)
    }

    /// What `logits` say of an image of `view` (View Position (0018,5101)).
    #[must_use]
    pub fn findings(&self, logits: &[f32], view: Option<&str>) -> Findings {
        let specs = &self.manifest.finding;
        // What it reads on other views comes first: it is what would be expected here.
        let mut not_assessed = undecided(specs, view);
        not_assessed.extend_from_slice(&self.manifest.not_assessed.words);
        Findings { bundle: self.identity.clone(), findings: decide(specs, logits, view), not_assessed }
    }
}

/// What a manifest says of its one network, `model.onnx`.
pub struct Network<'a> {
    /// `[input]`
    pub input: &'a InputSpec,
    /// `[output]`
    pub output: &'a OutputSpec,
    /// Logits that it must have at least.
    pub least_outputs: usize,
    /// `[golden]`
    pub golden: &'a Golden,
    /// `[digests]`
    pub digests: &'a BTreeMap<String, Digest>,
}

impl Network<'_> {
    /// Holds every file in `folder` against its digest, prepares the graph, and holds it to its
    /// golden output on this CPU.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn load(&self, folder: &Path, engines: Engines) -> Result<Model, BundleError> {
        verify(folder, self.digests)?;
        let onnx = read_verified(folder, "model.onnx", self.digests)?;
        let signature = Signature {
            input: &self.input.tensor,
            height: self.input.height as usize,
            width: self.input.width as usize,
            output: &self.output.tensor,
            least_outputs: self.least_outputs,
        };
        let unusable = |source| BundleError::Model { path: folder.join("model.onnx"), source };
        let model = Model::prepare_with(&onnx, &signature, engines).map_err(unusable)?;
        self.reproduce_golden(&model, folder)?;
        Ok(model)
    }

    fn reproduce_golden(&self, model: &Model, folder: &Path) -> Result<(), BundleError> {
        let golden = self.golden;
        let input = floats(&read_verified(folder, &golden.input, self.digests)?);
        let wanted = floats(&read_verified(folder, &golden.output, self.digests)?);
        let failed = |source| BundleError::Model { path: folder.join("model.onnx"), source };
        let found = model.run(&input).map_err(failed)?;
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

/// Holds every file in `folder` that has one against its digest.
pub(super) fn verify(folder: &Path, digests: &BTreeMap<String, Digest>) -> Result<(), BundleError> {
    digests.keys().try_for_each(|name| read_verified(folder, name, digests).map(drop))
}

/// The bytes of a bundle's file, at most `most_bytes`.
fn read_within(path: &Path, most_bytes: u64) -> Result<Vec<u8>, BundleError> {
    let unreadable = |source| BundleError::Unreadable { path: path.to_owned(), source };
    let size_bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if size_bytes > most_bytes {
        return Err(unreadable(std::io::Error::other(format!("larger than {most_bytes} bytes"))));
    }
    std::fs::read(path).map_err(unreadable)
}

/// The bytes of a bundle's file, held against its digest.
pub(super) fn read_verified(
    folder: &Path,
    name: &str,
    digests: &BTreeMap<String, Digest>,
) -> Result<Vec<u8>, BundleError> {
    let path = folder.join(name);
    let bytes = read_within(&path, MAX_FILE_BYTES)?;
    let (found, wanted) = (Digest::of(&bytes), digests[name]);
    if found == wanted { Ok(bytes) } else { Err(BundleError::Changed { path, found, wanted }) }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four bytes"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::damaged::{self, edit, flip};

    const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models");

    /// A copy of the first shipped bundle, to damage.
    fn copy() -> tempfile::TempDir {
        damaged::copy("chest-child")
    }

    fn refusal(folder: &Path) -> String {
        let stands = Vouched::as_it_stands(folder);
        stands.and_then(|vouched| Bundle::load(&vouched)).err().expect("the bundle must be refused").to_string()
    }

    #[test]
    fn every_shipped_bundle_reproduces_its_golden_output_here() {
        for name in ["chest-adult", "chest-child", "lung-ultrasound"] {
            let vouched = Vouched::as_it_stands(&Path::new(MODELS).join(name)).unwrap();
            assert_eq!(Bundle::load(&vouched).unwrap().identity().name, name);
        }
    }

    #[test]
    fn a_manifest_that_was_replaced_since_it_was_vouched_for_is_refused() {
        let folder = copy();
        let vouched = Vouched::as_it_stands(folder.path()).unwrap();
        edit(folder.path(), "absent_below = ", "absent_below = 0");
        let error = Bundle::load(&vouched).err().expect("another manifest").to_string();
        assert!(error.contains("was vouched for: the bundle was changed"), "{error}");
    }

    #[test]
    fn a_bundle_with_a_changed_byte_is_refused_by_file_and_digest() {
        for name in ["model.onnx", "CARD.md", "figures.json", "golden/input.f32"] {
            let folder = copy();
            flip(folder.path(), name);
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
