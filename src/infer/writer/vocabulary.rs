//! The tokenizer of a writer: facts and questions into tokens, tokens into sentences, and which
//! tokens a sheet allows. Its only file that names `tokenizers`.
//!
//! A fact is one token, `<effusion:present>`, with its place behind it, `<side:left>`,
//! `<zone:lower>`. Such tokens are words of the vocabulary and not "special" to the tokenizer, so
//! no question's text can spell one; and none of them is ever written.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use tokenizers::Tokenizer;

use super::manifest::{Mask, WriterManifest};

/// States of an assessed label, as fact tokens spell them.
const STATES: [&str; 3] = ["present", "uncertain", "absent"];

/// A tokenizer that fits its writer.
pub struct Vocabulary {
    tokenizer: Tokenizer,
    size: usize,
    start: u32,
    end: u32,
    impression: u32,
    nothing: u32,
    unknown: u32,
    /// Tokens that a text may hold at all.
    words: Vec<bool>,
    masks: Vec<Masked>,
}

struct Masked {
    tokens: Vec<u32>,
    any: Vec<String>,
    all: Vec<String>,
}

/// Both parts of a text, sentence by sentence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// Sentences of the findings.
    pub findings: Vec<String>,
    /// Sentences of the impression.
    pub impression: Vec<String>,
}

impl Vocabulary {
    /// Reads the tokenizer's file and holds it against the manifest.
    ///
    /// # Errors
    /// Not a tokenizer, or it lacks a token that the manifest needs, in words.
    pub fn read(file: &[u8], manifest: &WriterManifest) -> Result<Self, String> {
        // It panics on files that are JSON and no tokenizer.
        let read = std::panic::catch_unwind(|| Tokenizer::from_bytes(file));
        let tokenizer = read.map_err(|_| "it is no tokenizer: reading it panics")?.map_err(|e| e.to_string())?;
        let size = tokenizer.get_vocab_size(true);
        let number = |token: &str| {
            let found = tokenizer.token_to_id(token).filter(|&id| (id as usize) < size);
            found.ok_or_else(|| format!("the tokenizer has no token {token:?}"))
        };
        let spec = &manifest.tokenizer;
        for label in &manifest.sheet.labels {
            for state in STATES {
                number(&format!("<{label}:{state}>"))?;
            }
        }
        let is_word = |id: u32| tokenizer.id_to_token(id).is_some_and(|token| !token.starts_with('<'));
        let mut words: Vec<bool> = (0..size).map(|id| u32::try_from(id).is_ok_and(is_word)).collect();
        for token in [&spec.end, &spec.impression] {
            words[number(token)? as usize] = true;
        }
        for token in [&spec.start, &spec.nothing, &spec.unknown] {
            words[number(token)? as usize] = false;
        }
        let masks = manifest.mask.iter().map(|mask| masked(mask, &number)).collect::<Result<_, _>>()?;
        Ok(Self {
            size,
            start: number(&spec.start)?,
            end: number(&spec.end)?,
            impression: number(&spec.impression)?,
            nothing: number(&spec.nothing)?,
            unknown: number(&spec.unknown)?,
            words,
            masks,
            tokenizer,
        })
    }

    /// Number of tokens.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// The token before a text.
    #[must_use]
    pub const fn start(&self) -> u32 {
        self.start
    }

    /// The token after a text.
    #[must_use]
    pub const fn end(&self) -> u32 {
        self.end
    }

    /// The sheet's tokens; words that the vocabulary lacks are left out, and so is what exceeds `most`.
    #[must_use]
    pub fn facts(&self, words: &[String], most: usize) -> Vec<u32> {
        let known = words.iter().filter_map(|word| self.tokenizer.token_to_id(word)).take(most).collect();
        self.or_nothing(known)
    }

    /// The question's tokens, at most `most`.
    ///
    /// # Errors
    /// The tokenizer refused the text.
    pub fn question(&self, text: &str, most: usize) -> Result<Vec<u32>, String> {
        let encoding = self.tokenizer.encode_fast(text, false).map_err(|e| e.to_string())?;
        let ids = encoding.get_ids().iter().copied();
        let known = ids.map(|id| if self.is_word(id) { id } else { self.unknown });
        Ok(self.or_nothing(known.take(most).collect()))
    }

    fn or_nothing(&self, tokens: Vec<u32>) -> Vec<u32> {
        if tokens.is_empty() { vec![self.nothing] } else { tokens }
    }

    fn is_word(&self, id: u32) -> bool {
        self.words.get(id as usize).is_some_and(|&is| is)
    }

    /// For each token, whether a text from the sheet of these facts may hold it.
    #[must_use]
    pub fn allowed(&self, facts: &[String]) -> Vec<bool> {
        let held: HashSet<&str> = facts.iter().filter_map(|word| held(word)).collect();
        let has = |name: &String| held.contains(name.as_str());
        let mut allowed = self.words.clone();
        for mask in &self.masks {
            if !(mask.any.is_empty() || mask.any.iter().any(has)) || !mask.all.iter().all(has) {
                for &token in &mask.tokens {
                    allowed[token as usize] = false;
                }
            }
        }
        allowed
    }

    /// The sentences that the tokens spell.
    ///
    /// # Errors
    /// They spell no text: broken UTF-8, or tokens that are no words; in words.
    pub fn spell(&self, tokens: &[u32]) -> Result<Parts, String> {
        let mut parts = tokens.split(|&token| token == self.impression);
        let mut next = || parts.next().map_or_else(|| Ok(Vec::new()), |part| self.sentences(part));
        let (findings, impression) = (next()?, next()?);
        if parts.next().is_some() {
            return Err("more than two parts".into());
        }
        Ok(Parts { findings, impression })
    }

    fn sentences(&self, tokens: &[u32]) -> Result<Vec<String>, String> {
        if let Some(token) = tokens.iter().find(|&&token| !self.is_word(token)) {
            return Err(format!("token {token} is no word"));
        }
        let text = self.tokenizer.decode(tokens, false).map_err(|e| e.to_string())?;
        if text.contains(char::REPLACEMENT_CHARACTER) || text.chars().any(char::is_control) {
            return Err("the tokens spell no valid UTF-8 text".into());
        }
        Ok(split_sentences(&text))
    }
}

/// What a fact word puts into the sheet: a label that was assessed, or a place.
fn held(word: &str) -> Option<&str> {
    let inside = word.strip_prefix('<')?.strip_suffix('>')?;
    match inside.split_once(':')? {
        (label, state) if STATES.contains(&state) => Some(label),
        _ => Some(inside),
    }
}

fn masked(mask: &Mask, number: &impl Fn(&str) -> Result<u32, String>) -> Result<Masked, String> {
    let tokens = mask.words.iter().map(|word| number(word)).collect::<Result<_, _>>()?;
    Ok(Masked { tokens, any: mask.any.clone(), all: mask.all.clone() })
}

/// Sentences end with a full stop; each begins with a capital.
fn split_sentences(text: &str) -> Vec<String> {
    let whole = text.split_inclusive(". ").flat_map(|s| s.split_inclusive(".\n")).map(str::trim);
    whole.filter(|s| s.chars().any(char::is_alphanumeric)).map(capitalised).collect()
}

fn capitalised(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}
