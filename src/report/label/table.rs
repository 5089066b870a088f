//! The table `english.toml`, read once: an error in it is an error of this build.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::phrase::{NotAPhrase, Phrases};

/// The table as shipped.
const ENGLISH: &str = include_str!("english.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    cues: Cues<Vec<String>>,
    finding: Vec<RawFinding>,
    normal: Vec<RawNormal>,
    guard: Guard<Vec<String>>,
    place: BTreeMap<String, Vec<String>>,
}

/// What turns a mention into a denial or a guess; the table says what each is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cues<P> {
    pub denied_before: P,
    pub denied_after: P,
    pub probable_before: P,
    pub probable_after: P,
    pub possible_before: P,
    pub possible_after: P,
    pub scope_end: P,
    pub pseudo: P,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFinding {
    label: String,
    say: Vec<String>,
    #[serde(default)]
    redacted: Vec<String>,
    #[serde(default)]
    never: Vec<String>,
    #[serde(default)]
    beside: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNormal {
    say: Vec<String>,
    denies: Vec<String>,
    #[serde(default)]
    beside: Vec<String>,
}

/// Words of guarded drafts; the table says what each is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard<P> {
    pub filler: P,
    pub connecting: P,
    pub denying: P,
    pub probable: P,
    pub possible: P,
    pub grading: P,
    pub limiting: P,
    pub new: P,
    pub larger: P,
    pub unchanged: P,
    pub smaller: P,
    pub resolved: P,
    pub earlier: P,
    pub measuring: P,
    pub identity: P,
    pub urging: P,
    pub certain: P,
}

impl Guard<Vec<String>> {
    fn parsed(&self) -> Result<Guard<Phrases>, NotAPhrase> {
        Ok(Guard {
            filler: Phrases::new(&self.filler)?,
            connecting: Phrases::new(&self.connecting)?,
            denying: Phrases::new(&self.denying)?,
            probable: Phrases::new(&self.probable)?,
            possible: Phrases::new(&self.possible)?,
            grading: Phrases::new(&self.grading)?,
            limiting: Phrases::new(&self.limiting)?,
            new: Phrases::new(&self.new)?,
            larger: Phrases::new(&self.larger)?,
            unchanged: Phrases::new(&self.unchanged)?,
            smaller: Phrases::new(&self.smaller)?,
            resolved: Phrases::new(&self.resolved)?,
            earlier: Phrases::new(&self.earlier)?,
            measuring: Phrases::new(&self.measuring)?,
            identity: Phrases::new(&self.identity)?,
            urging: Phrases::new(&self.urging)?,
            certain: Phrases::new(&self.certain)?,
        })
    }
}

/// A finding, and how it is mentioned.
pub struct Mention {
    /// Its label.
    pub label: String,
    /// Phrases that mention it.
    pub say: Phrases,
    /// Phrases that only seem to.
    pub never: Phrases,
    /// Words that may stand beside it.
    pub beside: Vec<String>,
}

/// A statement of normality.
pub struct Normal {
    /// Phrases that make it.
    pub say: Phrases,
    /// Labels that it denies; `*` is more than labels can say.
    pub denies: Vec<String>,
    /// Words that may stand beside it.
    pub beside: Vec<String>,
}

/// The whole table.
pub struct Table {
    /// See [`Cues`].
    pub cues: Cues<Phrases>,
    /// By finding, in the table's order.
    pub findings: Vec<Mention>,
    /// Statements of normality.
    pub normals: Vec<Normal>,
    /// Words of guarded drafts.
    pub guard: Guard<Phrases>,
    /// Words that place, by side or zone.
    pub place: BTreeMap<String, Vec<String>>,
}

/// Why a text is no table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is no TOML of this form.
    #[error(transparent)]
    Form(#[from] toml::de::Error),
    /// A phrase in it.
    #[error(transparent)]
    Phrase(#[from] NotAPhrase),
}

/// The table of English reports.
pub static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(ENGLISH).expect("a constant of this build that a test holds"));

impl Table {
    /// # Errors
    /// See [`TableError`].
    pub fn parse(text: &str) -> Result<Self, TableError> {
        let raw: Raw = toml::from_str(text)?;
        let c = &raw.cues;
        let cues = Cues {
            denied_before: Phrases::new(&c.denied_before)?,
            denied_after: Phrases::new(&c.denied_after)?,
            probable_before: Phrases::new(&c.probable_before)?,
            probable_after: Phrases::new(&c.probable_after)?,
            possible_before: Phrases::new(&c.possible_before)?,
            possible_after: Phrases::new(&c.possible_after)?,
            scope_end: Phrases::new(&c.scope_end)?,
            pseudo: Phrases::new(&c.pseudo)?,
        };
        let mention = |raw: RawFinding| -> Result<Mention, NotAPhrase> {
            Ok(Mention {
                say: Phrases::new(raw.say.iter().chain(&raw.redacted))?,
                never: Phrases::new(&raw.never)?,
                label: raw.label,
                beside: raw.beside,
            })
        };
        let normal =
            |raw: RawNormal| Ok(Normal { say: Phrases::new(&raw.say)?, denies: raw.denies, beside: raw.beside });
        let guard = raw.guard.parsed()?;
        Ok(Self {
            cues,
            findings: raw.finding.into_iter().map(mention).collect::<Result<_, _>>()?,
            normals: raw.normal.into_iter().map(normal).collect::<Result<_, NotAPhrase>>()?,
            guard,
            place: raw.place,
        })
    }
}
