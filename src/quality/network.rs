//! A fitness bundle: a small network that says whether an image can be read at all.
//!
//! It claims nothing about the patient. Asked after the pixels were assessed and before a bundle
//! reads; loaded and held to its golden output like those.

use super::Unfit;
use super::manifest::{FitnessManifest, FlawSpec};
use crate::infer::bundle::{BundleError, Network, Vouched};
use crate::infer::findings::BundleIdentity;
use crate::infer::model::{Engines, Model, ModelError};
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
        Self::load_with(vouched, Engines::Best)
    }

    /// As `load`, with a choice of who may run the graph.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn load_with(vouched: &Vouched, engines: Engines) -> Result<Self, BundleError> {
        let manifest = vouched.parsed(FitnessManifest::parse)?;
        let network = Network {
            input: &manifest.input,
            output: &manifest.output,
            least_outputs: manifest.flaw.iter().map(|flaw| flaw.output + 1).max().unwrap_or(1),
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
    pub const fn manifest(&self) -> &FitnessManifest {
        &self.manifest
    }

    /// Its graph alone.
    #[must_use]
    pub fn into_model(self) -> Model {
        self.model
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
