//! The labeler: which findings a report in English words asserts, holds possible or denies.
//!
//! Rules, in the manner of `NegEx` (Chapman et al. 2001) and of the `CheXpert` labeler (Irvin
//! et al. 2019): mentions, and cues that turn them, each with a scope. All phrases stand in
//! `english.toml`. How well it does is measured by `residentd evaluate --reports`; the
//! guard's safety does not rest on it alone, for the guard lets no word pass that it
//! cannot account for.

mod phrase;
mod table;
mod words;

use std::collections::BTreeSet;
use std::ops::Range;

pub use phrase::{Found, Phrases};
pub use table::{Mention, TABLE, Table};
pub use words::{MAX_WORDS, sentences};

/// The label of a report in which nothing is abnormal. No draft says so.
pub const NORMAL: &str = "normal";
/// The label of what is abnormal and has no label of its own.
pub const OTHER: &str = "other";
/// What a general statement of normality denies: more than labels can say.
pub const EVERYTHING: &str = "*";

/// How surely a sentence speaks of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// It says that the finding is not there.
    Denied,
    /// It only considers it.
    Possible,
    /// It holds it probable, or one of two.
    Probable,
    /// It says that it is there.
    Asserted,
}

/// What a sentence says of one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The finding; [`EVERYTHING`] where a sentence calls more normal than labels can say.
    pub label: &'static str,
    /// How surely.
    pub certainty: Certainty,
    /// Where it is mentioned.
    pub found: Found,
}

/// The claims of one sentence's `words`, see [`sentences`].
#[must_use]
pub fn claims(words: &[String]) -> Vec<Claim> {
    let scopes = Scopes::of(words);
    let mut claims = Vec::new();
    for finding in &TABLE.findings {
        let never = finding.never.find(words);
        for found in finding.say.find(words) {
            if !never.iter().any(|not| overlap(&not.range, &found.range)) {
                claims.push(Claim { label: &finding.label, certainty: scopes.certainty(&found.range), found });
            }
        }
    }
    claims
}

/// What a sentence's statements of normality deny. A general one (`*`) that only stands
/// inside a particular one, or inside the mention of a finding, is none.
#[must_use]
pub fn normality(words: &[String], claims: &[Claim]) -> Vec<Claim> {
    let mut denied = Vec::new();
    for normal in &TABLE.normals {
        for found in normal.say.find(words) {
            let particular = claims.iter().chain(&denied).any(|claim| overlap(&claim.found.range, &found.range));
            let is_general = normal.denies.iter().any(|label| label == EVERYTHING);
            if !(is_general && particular) {
                let claim = |label| Claim { label, certainty: Certainty::Denied, found: found.clone() };
                denied.extend(normal.denies.iter().map(|label| claim(label.as_str())));
            }
        }
    }
    denied
}

/// The labels that an indexer of reports would give to a report of these sections: what
/// it asserts or holds probable. What it only considers is not coded, but the report is
/// not [`NORMAL`] then.
#[must_use]
pub fn coded<'a>(sections: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'static str> {
    let mut labels = BTreeSet::new();
    let mut is_normal = true;
    for sentence in sections.into_iter().flat_map(sentences) {
        for claim in claims(&sentence) {
            is_normal &= claim.certainty == Certainty::Denied;
            if claim.certainty >= Certainty::Probable {
                labels.insert(claim.label);
            }
        }
    }
    if is_normal {
        labels.insert(NORMAL);
    }
    labels
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The cues of one sentence.
struct Scopes {
    ends: Vec<Range<usize>>,
    cues: [Cue; 3],
}

/// What makes a mention less than asserted.
struct Cue {
    makes: Certainty,
    before: Vec<Range<usize>>,
    behind: Vec<Range<usize>>,
}

impl Scopes {
    fn of(words: &[String]) -> Self {
        let ranges = |phrases: &Phrases| -> Vec<Range<usize>> {
            phrases.find(words).into_iter().map(|found| found.range).collect()
        };
        let cues = &TABLE.cues;
        let pseudo = ranges(&cues.pseudo);
        let is_pseudo = |cue: &Range<usize>| pseudo.iter().any(|p| p.start <= cue.start && cue.end <= p.end);
        let denied: Vec<_> = ranges(&cues.denied_before).into_iter().filter(|cue| !is_pseudo(cue)).collect();
        Self {
            ends: ranges(&cues.scope_end),
            cues: [
                Cue { makes: Certainty::Denied, before: denied, behind: ranges(&cues.denied_after) },
                Cue {
                    makes: Certainty::Possible,
                    before: ranges(&cues.possible_before),
                    behind: ranges(&cues.possible_after),
                },
                Cue {
                    makes: Certainty::Probable,
                    before: ranges(&cues.probable_before),
                    behind: ranges(&cues.probable_after),
                },
            ],
        }
    }

    /// How surely a mention at `at` is made: the first kind of cue that reaches it decides.
    /// A denial inside the mention (`heart is not enlarged`) counts too.
    fn certainty(&self, at: &Range<usize>) -> Certainty {
        let from = self.ends.iter().filter(|end| end.end <= at.start).map(|end| end.end).max().unwrap_or(0);
        let to = self.ends.iter().filter(|end| end.start >= at.end).map(|end| end.start).min().unwrap_or(usize::MAX);
        for Cue { makes, before, behind } in &self.cues {
            let inside = |cue: &Range<usize>| *makes == Certainty::Denied && cue.start >= at.start && cue.end <= at.end;
            let reaches = before.iter().any(|cue| (cue.start >= from && cue.end <= at.start) || inside(cue));
            if reaches || behind.iter().any(|cue| cue.start >= at.end && cue.end <= to) {
                return *makes;
            }
        }
        Certainty::Asserted
    }
}

#[cfg(test)]
mod tests;
