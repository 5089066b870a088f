//! A fitness bundle: a small network that says whether an image can be read at all.
//!
//! It claims nothing about the patient. Asked after the pixels were assessed and before a bundle
//! reads; loaded and held to its golden output like those.

use super::Unfit;
use super::manifest::{FitnessManifest, FlawSpec};
use crate::infer::bundle::{BundleError, Vouched, read_verified, reproduce_golden};
use crate::infer::findings::BundleIdentity;
use crate::infer::model::{Model, ModelError, Signature};
use crate::preprocess::{self, Gray};
use crate::study::Study;

/// A fitness bundle that may serve.
pub struct Fitness {
    manifest: FitnessManifest,
    identity: BundleIdentity,
    model: Model,
}

impl Fitness {
    /// Loads one: manifest, digests of every file, graph, golden check.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn load(vouched: &Vouched) -> Result<Self, BundleError> {
        let folder = &vouched.folder;
        let wrong = |message| BundleError::Manifest { path: folder.join("manifest.toml"), message };
        let manifest = FitnessManifest::parse(&vouched.manifest()?).map_err(wrong)?;
        for name in manifest.digests.keys() {
            read_verified(folder, name, &manifest.digests)?;
        }
        let onnx = read_verified(folder, "model.onnx", &manifest.digests)?;
        let signature = Signature {
            input: &manifest.input.tensor,
            height: manifest.input.height as usize,
            width: manifest.input.width as usize,
            output: &manifest.output.tensor,
            least_outputs: manifest.flaw.iter().map(|flaw| flaw.output + 1).max().unwrap_or(1),
        };
        let unusable = |source| BundleError::Model { path: folder.join("model.onnx"), source };
        let model = Model::prepare(&onnx, &signature).map_err(unusable)?;
        reproduce_golden(&model, folder, &manifest.golden, &manifest.digests)?;
        Ok(Self { manifest, identity: vouched.identity.clone(), model })
    }

    /// Who it is.
    #[must_use]
    pub const fn identity(&self) -> &BundleIdentity {
        &self.identity
    }

    /// What it says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &FitnessManifest {
        &self.manifest
    }

    /// True where it knows what such an image should look like.
    #[must_use]
    pub fn judges(&self, study: &Study) -> bool {
        let listed = |list: &[String], value: &Option<String>| value.as_ref().is_some_and(|v| list.contains(v));
        let applies = &self.manifest.applies_to;
        listed(&applies.modality, &study.modality) && listed(&applies.body_part, &study.body_part)
    }

    /// The first flaw of its list for which `gray` is refused, if there is one.
    ///
    /// # Errors
    /// Inference failed.
    pub fn judge(&self, gray: &Gray) -> Result<Option<Unfit>, ModelError> {
        let logits = self.model.run(&preprocess::input(gray, &self.manifest.input.geometry()))?;
        let is_refused = |flaw: &&FlawSpec| logits[flaw.output] >= flaw.refused_from;
        Ok(self.manifest.flaw.iter().find(is_refused).map(|flaw| flaw.code))
    }
}

#[cfg(test)]
mod tests;
