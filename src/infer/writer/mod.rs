//! A writer: a bundle whose transformer writes the words of a report from its fact sheet.
//!
//! ```text
//!  sheet ─▶ vocabulary ─▶ decoder: encoder once, one step a token ─▶ search ─▶ vocabulary ─▶ sentences
//!           tokens, masks  (tract, our int8 products)                 (pure)    text
//! ```
//!
//! What it writes is a draft of words, never a source of facts: whoever asks holds each sentence
//! against the sheet. A text that is not to be believed is a [`Refusal`] with a code; nothing here
//! panics on what a decoder does.

pub mod decoder;
mod graph;
pub mod manifest;
mod product;
pub mod refusal;
pub mod search;
#[cfg(test)]
mod tests;
pub mod vocabulary;

use std::path::Path;

use serde::Deserialize;

use super::bundle::{BundleError, Vouched, read_verified, verify};
use super::findings::BundleIdentity;
use crate::preprocess::Geometry;
use decoder::{Decoder, Given};
use manifest::{InputSpec, WriterManifest};
use refusal::Refusal;
use search::{Rules, search};
use vocabulary::{Parts, Vocabulary};

/// A writer that may serve.
pub struct Writer {
    manifest: WriterManifest,
    identity: BundleIdentity,
    vocabulary: Vocabulary,
    decoder: Decoder,
}

/// What a text is to be written from.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    /// Format of the fact sheet that the words were taken from.
    pub format: u32,
    /// Fact words: `<label:state>`, each with its `<side:…>` and `<zone:…>` behind it.
    pub facts: Vec<String>,
    /// The clinical question, free text; empty where there is none.
    pub question: String,
    /// The image as [`Writer::geometry`] asks for it, `[1, 1, height, width]` in C order.
    pub image: Option<Vec<f32>>,
}

/// `golden` file: a sheet and the text that it must give.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    facts: Vec<String>,
    question: String,
    tokens: Vec<u32>,
}

impl Writer {
    /// Loads a writer: manifest, digests of every file, tokenizer, graphs, golden texts.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn load(vouched: &Vouched) -> Result<Self, BundleError> {
        let folder = vouched.folder.as_path();
        let manifest = vouched.parsed(WriterManifest::parse)?;
        verify(folder, &manifest.digests)?;
        let file = |name: &str| read_verified(folder, name, &manifest.digests);
        let vocabulary = Vocabulary::read(&file(&manifest.tokenizer.file)?, &manifest)
            .map_err(|message| BundleError::Manifest { path: folder.join(&manifest.tokenizer.file), message })?;
        let decoder = Decoder::prepare(&file(&manifest.encoder.file)?, &file(&manifest.decoder.file)?, &manifest)
            .map_err(|source| BundleError::Model { path: folder.to_owned(), source })?;
        let golden = file(&manifest.golden.sheets)?;
        let writer = Self { manifest, identity: vouched.identity.clone(), vocabulary, decoder };
        writer.reproduce_golden(folder, &golden)?;
        Ok(writer)
    }

    /// Who it is.
    #[must_use]
    pub const fn identity(&self) -> &BundleIdentity {
        &self.identity
    }

    /// What it says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &WriterManifest {
        &self.manifest
    }

    /// How the image is made that it looks at, where it looks at one.
    #[must_use]
    pub fn geometry(&self) -> Option<Geometry> {
        self.manifest.input.iter().find_map(InputSpec::geometry)
    }

    /// Products of its graphs that our int8 kernels compute.
    #[must_use]
    pub const fn int8_products(&self) -> usize {
        self.decoder.int8_products()
    }

    /// Writes a text from `sheet`, until `out_of_time`.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn write(&self, sheet: &Sheet, out_of_time: &dyn Fn() -> bool) -> Result<Parts, Refusal> {
        self.spell(&self.tokens(sheet, out_of_time)?)
    }

    /// The sentences of a text.
    ///
    /// # Errors
    /// The tokens are no text, or no sentence.
    pub fn spell(&self, tokens: &[u32]) -> Result<Parts, Refusal> {
        let parts = self.vocabulary.spell(tokens).map_err(Refusal::Garbled)?;
        if parts.findings.is_empty() && parts.impression.is_empty() { Err(Refusal::Empty) } else { Ok(parts) }
    }

    /// The tokens of the text that [`Self::write`] spells.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn tokens(&self, sheet: &Sheet, out_of_time: &dyn Fn() -> bool) -> Result<Vec<u32>, Refusal> {
        let known = self.manifest.sheet.format;
        if sheet.format > known {
            return Err(Refusal::SheetFormat { found: sheet.format, known });
        }
        let allowed = self.vocabulary.allowed(&sheet.facts);
        let rules = Rules {
            start: self.vocabulary.start(),
            end: self.vocabulary.end(),
            allowed: &allowed,
            limits: self.manifest.limits,
            out_of_time,
        };
        let mut writing = self.decoder.begin(self.given(sheet)?).map_err(Refusal::Model)?;
        search(writing.nothing_yet(), &rules, |past, token| writing.step(past, token))
    }

    /// The encoder's inputs, in its order.
    fn given(&self, sheet: &Sheet) -> Result<Vec<Given>, Refusal> {
        let inputs = self.manifest.input.iter().map(|input| match input {
            InputSpec::Facts { most, .. } => Ok(Given::Tokens(self.vocabulary.facts(&sheet.facts, *most))),
            InputSpec::Question { most, .. } => {
                let question = self.vocabulary.question(&sheet.question.to_lowercase(), *most);
                Ok(Given::Tokens(question.map_err(Refusal::Garbled)?))
            }
            InputSpec::Image { height, width, .. } => {
                let pixels = sheet.image.clone().ok_or(Refusal::NoImage)?;
                Ok(Given::Image([*height as usize, *width as usize], pixels))
            }
        });
        inputs.collect()
    }

    fn reproduce_golden(&self, folder: &Path, golden: &[u8]) -> Result<(), BundleError> {
        let path = || folder.join(&self.manifest.golden.sheets);
        let sheets: Vec<Golden> = serde_json::from_slice(golden)
            .map_err(|e| BundleError::Manifest { path: path(), message: e.to_string() })?;
        if sheets.is_empty() {
            return Err(BundleError::Manifest { path: path(), message: "no golden text".into() });
        }
        for (number, Golden { facts, question, tokens }) in sheets.into_iter().enumerate() {
            let image = self.geometry().map(|g| vec![0.0; (g.width * g.height) as usize]);
            let sheet = Sheet { format: self.manifest.sheet.format, facts, question, image };
            let said = match self.tokens(&sheet, &|| false) {
                Ok(found) if found == tokens => continue,
                Ok(_) => "other words".to_owned(),
                Err(refusal) => refusal.to_string(),
            };
            return Err(BundleError::GoldenText { path: folder.to_owned(), number, said });
        }
        Ok(())
    }
}
