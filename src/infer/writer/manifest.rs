//! `manifest.toml` of a writer bundle, format 1: its graphs, their inputs, its words and limits.
//!
//! Invariants after parsing: 1. `format` is 1 and `kind` is `writer`; 2. every limit is within ours;
//! 3. every file that will be opened has a digest, and file names never leave the folder;
//! 4. there is an input, and at most one of each kind: a decoder trained elsewhere may know no
//!    facts, and what it writes is held against them all the same.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::Digest;
use crate::infer::manifest::{About, parsed, undigested};
use crate::preprocess::Geometry;

/// The only format that this version reads.
const FORMAT: u32 = 1;
/// Most tokens of a text: a long report is a quarter of it.
const MAX_TOKENS: usize = 1024;
/// Most tokens of one input of words.
const MAX_INPUT_TOKENS: usize = 1024;
/// Most hypotheses of a beam search: each costs a decoder's step a token.
const MAX_BEAM_WIDTH: usize = 8;
/// Most layers, heads and values a head that a decoder may declare.
const MAX_LAYERS: usize = 48;
const MAX_HEADS: usize = 64;
const MAX_HEAD_WIDTH: usize = 512;

/// A parsed manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriterManifest {
    format: u32,
    kind: String,
    /// `[bundle]`
    pub bundle: About,
    /// `[sheet]`
    pub sheet: SheetSpec,
    /// `[tokenizer]`
    pub tokenizer: TokenizerSpec,
    /// `[[input]]`: what the encoder is given.
    pub input: Vec<InputSpec>,
    /// `[encoder]`
    pub encoder: EncoderSpec,
    /// `[decoder]`
    pub decoder: DecoderSpec,
    /// `[limits]`
    pub limits: Limits,
    /// `[[mask]]`: words that need a fact.
    #[serde(default)]
    pub mask: Vec<Mask>,
    /// `[golden]`
    pub golden: GoldenSpec,
    /// `[digests]`: SHA-256 of each file in the folder but the manifest.
    pub digests: BTreeMap<String, Digest>,
}

/// `[sheet]`: which fact sheets the writer was trained on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheetSpec {
    /// Newest format of the fact sheet that it understands.
    pub format: u32,
    /// Labels that it can write of; other facts are left to the grammar.
    pub labels: Vec<String>,
}

/// `[tokenizer]`: a Hugging Face `tokenizers` file and the tokens with a meaning.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenizerSpec {
    /// The file.
    pub file: String,
    /// Stands before a text.
    pub start: String,
    /// Ends a text.
    pub end: String,
    /// Ends the findings; the impression follows.
    pub impression: String,
    /// Stands for an input without words.
    pub nothing: String,
    /// Stands for a word that is not in the vocabulary.
    pub unknown: String,
}

/// `[[input]]`: one input of the encoder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, tag = "what", rename_all = "kebab-case")]
pub enum InputSpec {
    /// The fact sheet's tokens, i64 `[1, n]`.
    Facts {
        /// Name in the graph.
        tensor: String,
        /// Most tokens.
        most: usize,
    },
    /// The clinical question's tokens, i64 `[1, n]`.
    Question {
        /// Name in the graph.
        tensor: String,
        /// Most tokens; what is longer is cut.
        most: usize,
    },
    /// The image that was read, f32 `[1, 1, height, width]`, made as an image bundle's input is;
    /// the encoder makes the tokens that the decoder attends to.
    Image {
        /// Name in the graph.
        tensor: String,
        /// As in `preprocess::Geometry`.
        width: u32,
        /// See `width`.
        height: u32,
        /// See `width`.
        low_percentile: f32,
        /// See `width`.
        high_percentile: f32,
        /// See `width`.
        mean: f32,
        /// See `width`.
        std: f32,
    },
}

/// `[encoder]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderSpec {
    /// The graph, run once a text.
    pub file: String,
}

/// `[decoder]`: one step of the text. `{}` in a name stands for the layer's number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderSpec {
    /// The graph.
    pub file: String,
    /// Input: the token before, i64 `[1, 1]`.
    pub token: String,
    /// Input: its place in the text from 0, i64 `[1]`, where the graph has one.
    pub position: Option<String>,
    /// Output: a logit for each token, f32 `[1, 1, vocabulary]`.
    pub logits: String,
    /// Layers.
    pub layers: usize,
    /// Heads of a layer.
    pub heads: usize,
    /// Values of a head.
    pub head_width: usize,
    /// Inputs of each layer: keys and values so far, f32 `[1, heads, n, head_width]`.
    pub past: Vec<String>,
    /// Outputs of each layer, in the order of `past`: the same with this token's.
    pub present: Vec<String>,
    /// Input of the decoder = output of the encoder that fills it at every step.
    pub memory: BTreeMap<String, String>,
}

/// `[limits]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Longest text.
    pub tokens: usize,
    /// Hypotheses kept; 1 is greedy.
    pub beam_width: usize,
    /// No run of so many tokens stands twice in a text; 0: no such rule.
    pub no_repeat: usize,
}

/// `[[mask]]`: words that may be written only where the sheet holds facts for them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// Words, each one token of the tokenizer.
    pub words: Vec<String>,
    /// Allowed where any of these is in the sheet: a label that was assessed, or `side:left` and
    /// the like for a place that a fact has.
    #[serde(default)]
    pub any: Vec<String>,
    /// Allowed where all of these are.
    #[serde(default)]
    pub all: Vec<String>,
}

/// `[golden]`: sheets whose texts must be reproduced before the bundle serves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenSpec {
    /// JSON: a list of `{ facts, question, tokens }`.
    pub sheets: String,
}

impl WriterManifest {
    /// Parses and checks a manifest.
    ///
    /// # Errors
    /// The text is no writer's manifest of format 1, or a value contradicts another.
    pub fn parse(text: &str) -> Result<Self, String> {
        parsed(text, Self::contradiction)
    }

    fn contradiction(&self) -> Option<String> {
        let Limits { tokens, beam_width, .. } = self.limits;
        let DecoderSpec { layers, heads, head_width, past, present, .. } = &self.decoder;
        if self.format != FORMAT || self.kind != "writer" {
            return Some(format!("format {} of kind {:?}, this residentd reads {FORMAT}", self.format, self.kind));
        }
        if !(1..=MAX_TOKENS).contains(&tokens) || !(1..=MAX_BEAM_WIDTH).contains(&beam_width) {
            return Some(format!("[limits] needs tokens in 1 to {MAX_TOKENS}, beam_width in 1 to {MAX_BEAM_WIDTH}"));
        }
        if !(1..=MAX_LAYERS).contains(layers)
            || !(1..=MAX_HEADS).contains(heads)
            || !(1..=MAX_HEAD_WIDTH).contains(head_width)
            || past.len() != present.len()
            || past.is_empty()
        {
            return Some(format!(
                "[decoder] needs layers to {MAX_LAYERS}, heads to {MAX_HEADS}, head_width to {MAX_HEAD_WIDTH}, as many past as present"
            ));
        }
        let needed = [&self.tokenizer.file, &self.encoder.file, &self.decoder.file, &self.golden.sheets, "CARD.md"];
        undigested(&self.digests, &needed).or_else(|| self.odd_input())
    }

    fn odd_input(&self) -> Option<String> {
        let count = |wanted: fn(&InputSpec) -> bool| self.input.iter().filter(|i| wanted(i)).count();
        let facts = count(|i| matches!(i, InputSpec::Facts { .. }));
        let questions = count(|i| matches!(i, InputSpec::Question { .. }));
        let images = count(|i| matches!(i, InputSpec::Image { .. }));
        let long = self.input.iter().any(|i| match i {
            InputSpec::Facts { most, .. } | InputSpec::Question { most, .. } => !(1..=MAX_INPUT_TOKENS).contains(most),
            InputSpec::Image { .. } => false,
        });
        (self.input.is_empty() || facts > 1 || questions > 1 || images > 1 || long).then(|| {
            format!("[[input]] needs one at least, at most one of facts, question and image each, 1 to {MAX_INPUT_TOKENS} tokens")
        })
    }
}

impl InputSpec {
    /// Name in the graph.
    #[must_use]
    pub fn tensor(&self) -> &str {
        match self {
            Self::Facts { tensor, .. } | Self::Question { tensor, .. } | Self::Image { tensor, .. } => tensor,
        }
    }

    /// How the image is made, for an input of that kind.
    #[must_use]
    pub const fn geometry(&self) -> Option<Geometry> {
        match *self {
            Self::Image { width, height, low_percentile, high_percentile, mean, std, .. } => {
                Some(Geometry { width, height, low_percentile, high_percentile, mean, std })
            }
            Self::Facts { .. } | Self::Question { .. } => None,
        }
    }
}

impl DecoderSpec {
    /// The names of `templates` for every layer: those of the first layer first.
    #[must_use]
    pub fn each_layer(&self, templates: &[String]) -> Vec<String> {
        (0..self.layers)
            .flat_map(|layer| templates.iter().map(move |name| name.replace("{}", &layer.to_string())))
            .collect()
    }

    /// Decoder input and encoder output of each tensor of the memory.
    #[must_use]
    pub fn memory_names(&self) -> Vec<(String, String)> {
        let of_layer = |name: &str, layer: usize| name.replace("{}", &layer.to_string());
        self.memory
            .iter()
            .flat_map(|(to, from)| {
                let layers = if to.contains("{}") { self.layers } else { 1 };
                (0..layers).map(move |layer| (of_layer(to, layer), of_layer(from, layer)))
            })
            .collect()
    }
}
