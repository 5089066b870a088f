//! One sentence against the sheet. Every check fails closed; their order is the order of
//! [`Reason`], so that the first reason that applies is the one that is counted.

use std::collections::BTreeSet;

use super::super::facts::{Change, Fact, FactSheet, Hedge, Label, Side, Zone};
use super::super::label::{Certainty, Claim, EVERYTHING, Phrases, TABLE, claims, normality, sentences};
use super::{Reason, cut};

/// A sentence that may stand.
#[derive(Debug)]
pub struct Kept {
    /// As it is written.
    pub text: String,
    /// The facts that it speaks of.
    pub labels: BTreeSet<Label>,
}

/// Whether `sentence` may stand beside `sheet`.
pub fn judge(sheet: &FactSheet, sentence: &str) -> Result<Kept, Reason> {
    let words = single(sentence)?;
    free_of_what_no_draft_says(&words)?;
    let claims = claims(&words);
    let normality = normality(&words, &claims);
    let change = change(&words)?;
    let said = Said { words: &words, claims: &claims, normality: &normality };
    let denies = said.shape(change)?;
    if denies == Denies::None && TABLE.guard.limiting.any(&words) {
        return Err(Reason::Grading);
    }
    let facts = said.facts(sheet)?;
    if change.is_some() && !facts.iter().all(|fact| fact.change == change) {
        return Err(Reason::Comparison);
    }
    let hedge = hedge(&claims, &facts)?;
    place(&words, &facts, denies)?;
    said.accounted()?;
    let labels = facts.iter().map(|fact| fact.label.clone()).collect();
    Ok(Kept { text: cut::written(sentence, hedge.map(Hedge::id)), labels })
}

/// The words of what is one sentence of plain English.
fn single(sentence: &str) -> Result<Vec<String>, Reason> {
    if !cut::is_readable(sentence) {
        return Err(Reason::Unreadable);
    }
    let mut cut = sentences(sentence);
    match (cut.pop(), cut.pop()) {
        (Some(words), None) => Ok(words),
        _ => Err(Reason::Unreadable),
    }
}

fn free_of_what_no_draft_says(words: &[String]) -> Result<(), Reason> {
    let guard = &TABLE.guard;
    let has_digit = words.iter().any(|word| word.contains(|c: char| c.is_ascii_digit()));
    let never: [(&Phrases, Reason); 5] = [
        (&guard.measuring, Reason::Measurement),
        (&guard.identity, Reason::Identity),
        (&guard.urging, Reason::Urging),
        (&guard.certain, Reason::Certainty),
        (&guard.grading, Reason::Grading),
    ];
    if has_digit {
        return Err(Reason::Measurement);
    }
    never.iter().find(|(phrases, _)| phrases.any(words)).map_or(Ok(()), |(_, reason)| Err(*reason))
}

/// The one change that the sentence claims, if any; words of an earlier image without a
/// change claim something that the sheet cannot back.
fn change(words: &[String]) -> Result<Option<Change>, Reason> {
    let guard = &TABLE.guard;
    let all: [(&Phrases, Change); 5] = [
        (&guard.new, Change::New),
        (&guard.larger, Change::Larger),
        (&guard.unchanged, Change::Unchanged),
        (&guard.smaller, Change::Smaller),
        (&guard.resolved, Change::Resolved),
    ];
    let mut claimed = all.iter().filter(|(phrases, _)| phrases.any(words)).map(|(_, change)| *change);
    match (claimed.next(), claimed.next()) {
        (Some(change), None) => Ok(Some(change)),
        (None, _) if !guard.earlier.any(words) => Ok(None),
        _ => Err(Reason::Comparison),
    }
}

/// What a sentence says, taken apart.
struct Said<'a> {
    words: &'a [String],
    claims: &'a [Claim],
    normality: &'a [Claim],
}

/// Whether a sentence denies its findings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Denies {
    All,
    None,
}

impl Said<'_> {
    /// Whether the sentence has a shape that cannot be misread: all of its findings
    /// denied by one kind of denial, in one list, or none denied at all; statements of
    /// normality first, and beside denials only.
    fn shape(&self, change: Option<Change>) -> Result<Denies, Reason> {
        let guard = &TABLE.guard;
        let denials: Vec<usize> = guard.denying.find(self.words).into_iter().map(|found| found.range.start).collect();
        let same_denial = denials.iter().all(|at| self.words[*at] == self.words[denials[0]]);
        let doubt = self.doubt();
        let hedged = doubt != [false, false];
        let denied = self.claims.iter().filter(|claim| claim.certainty == Certainty::Denied).count();
        if let Some(end) = self.normality.iter().map(|claim| claim.found.range.end).max() {
            let ordered = denials.iter().all(|at| *at >= end)
                && self
                    .claims
                    .iter()
                    .all(|claim| denials.first().is_some_and(|first| claim.found.range.start > *first));
            let balanced = denials.is_empty() == self.claims.is_empty();
            let fits = ordered && balanced && same_denial && !hedged && change.is_none() && denied == self.claims.len();
            return if fits && self.is_one_list() { Ok(Denies::All) } else { Err(Reason::Tangled) };
        }
        if self.claims.is_empty() {
            return Err(Reason::SaysNothing);
        }
        let resolved = change == Some(Change::Resolved);
        let none_denied = denied == 0 && denials.is_empty() && !resolved && self.is_plain(doubt);
        let all_denied = denied == self.claims.len()
            && !hedged
            && same_denial
            && self.is_one_list()
            && (denials.is_empty() == resolved)
            && (change.is_none() || resolved);
        match (none_denied, all_denied) {
            (true, false) => Ok(Denies::None),
            (false, true) => Ok(Denies::All),
            _ => Err(Reason::Tangled),
        }
    }

    /// Whether the sentence has words that hold probable, and words that hold possible.
    fn doubt(&self) -> [bool; 2] {
        [TABLE.guard.probable.any(self.words), TABLE.guard.possible.any(self.words)]
    }

    /// What is not denied is asserted throughout or in the same doubt throughout, and is no
    /// choice.
    fn is_plain(&self, doubt: [bool; 2]) -> bool {
        let first = self.claims[0].certainty;
        let said = match doubt {
            [false, false] => Certainty::Asserted,
            [true, false] => Certainty::Probable,
            [_, true] => Certainty::Possible,
        };
        let same = self.claims.iter().all(|claim| claim.certainty == first);
        same && first == said && doubt != [true, true] && !self.words.iter().any(|word| word == "or")
    }

    /// Between the first finding and the last stands nothing that could end the list.
    fn is_one_list(&self) -> bool {
        let Some(from) = self.claims.iter().map(|claim| claim.found.range.start).min() else { return true };
        let to = self.claims.iter().map(|claim| claim.found.range.end).max().unwrap_or(from);
        let connecting = &TABLE.guard.connecting;
        (from..to).all(|at| {
            let word = std::slice::from_ref(&self.words[at]);
            self.is_named(at) || connecting.any(word) || TABLE.guard.limiting.any(word) || self.is_beside(at)
        })
    }

    /// The facts that the sentence speaks of, each in the state that it says.
    fn facts<'s>(&self, sheet: &'s FactSheet) -> Result<Vec<&'s Fact>, Reason> {
        let mut facts = Vec::new();
        for claim in self.claims.iter().chain(self.normality) {
            let fact = sheet.fact(claim.label).filter(|_| claim.label != EVERYTHING).ok_or(Reason::NotAssessed)?;
            agrees(fact, claim.certainty)?;
            facts.push(fact);
        }
        Ok(facts)
    }

    /// Every word is part of a finding, a place, a change, or one of the few filler words.
    fn accounted(&self) -> Result<(), Reason> {
        let guard = &TABLE.guard;
        let mut known = vec![false; self.words.len()];
        let sayings = [
            &guard.filler,
            &guard.denying,
            &guard.limiting,
            &guard.probable,
            &guard.possible,
            &guard.new,
            &guard.larger,
            &guard.unchanged,
            &guard.smaller,
            &guard.resolved,
        ];
        for found in sayings.iter().flat_map(|phrases| phrases.find(self.words)) {
            found.named.iter().for_each(|at| known[*at] = true);
        }
        let is_known = |at: usize| known[at] || self.is_named(at) || is_place(&self.words[at]) || self.is_beside(at);
        if (0..self.words.len()).all(is_known) { Ok(()) } else { Err(Reason::Unaccounted) }
    }

    fn is_named(&self, at: usize) -> bool {
        self.claims.iter().chain(self.normality).any(|claim| claim.found.named.contains(&at))
    }

    /// True for words that may stand beside what the sentence speaks of. A sentence with a
    /// statement of normality has the words of those only: in "heart and lungs are normal,
    /// no opacity" the lungs are not the opacity's.
    fn is_beside(&self, at: usize) -> bool {
        let word = &self.words[at];
        let spoken = |label: &str| self.claims.iter().any(|claim| claim.label == label);
        if self.normality.is_empty() {
            return TABLE.findings.iter().any(|f| f.beside.contains(word) && spoken(&f.label));
        }
        let denied = |labels: &[String]| self.normality.iter().any(|claim| labels.iter().any(|l| l == claim.label));
        TABLE.normals.iter().any(|normal| normal.beside.contains(word) && denied(&normal.denies))
    }
}

/// Whether a fact is as a sentence says it is.
fn agrees(fact: &Fact, certainty: Certainty) -> Result<(), Reason> {
    use Hedge::{CannotBeExcluded, LessLikely, Likely, MayWellBe, NoSign, Possible, Suspected};
    match (certainty, fact.hedge) {
        (Certainty::Denied, NoSign)
        | (Certainty::Asserted, Likely | Suspected)
        | (Certainty::Probable, Likely)
        | (Certainty::Possible, MayWellBe | Possible) => Ok(()),
        (Certainty::Denied, LessLikely)
        | (Certainty::Asserted, MayWellBe | Possible | CannotBeExcluded)
        | (Certainty::Probable, Suspected | MayWellBe | Possible | CannotBeExcluded)
        | (Certainty::Possible, Likely | Suspected | CannotBeExcluded) => Err(Reason::Certainty),
        (Certainty::Denied, Likely | Suspected | MayWellBe | Possible | CannotBeExcluded)
        | (Certainty::Asserted | Certainty::Probable | Certainty::Possible, LessLikely | NoSign) => {
            Err(Reason::Contradiction)
        }
    }
}

/// The hedge that plain assertions get: one for the whole sentence.
fn hedge(claims: &[Claim], facts: &[&Fact]) -> Result<Option<Hedge>, Reason> {
    if !claims.iter().any(|claim| claim.certainty == Certainty::Asserted) {
        return Ok(None);
    }
    let first = facts.first().map(|fact| fact.hedge);
    if facts.iter().all(|fact| Some(fact.hedge) == first) { Ok(first) } else { Err(Reason::Certainty) }
}

fn place(words: &[String], facts: &[&Fact], denies: Denies) -> Result<(), Reason> {
    let named = |kind: &str| TABLE.place.get(kind).is_some_and(|own| words.iter().any(|word| own.contains(word)));
    let zones: Vec<Zone> = Zone::ALL.into_iter().filter(|zone| named(zone.id())).collect();
    let side = match [named("right"), named("left"), named("both")] {
        [false, false, false] => None,
        [true, false, false] => Some(Side::Right),
        [false, true, false] => Some(Side::Left),
        _ => Some(Side::Both),
    };
    let fits =
        |fact: &&Fact| (side.is_none() || fact.side == side) && zones.iter().all(|zone| fact.zone == Some(*zone));
    let is_placed = side.is_some() || !zones.is_empty();
    let denies_a_place = is_placed && denies == Denies::All;
    if !denies_a_place && facts.iter().all(fits) { Ok(()) } else { Err(Reason::Place) }
}

fn is_place(word: &String) -> bool {
    TABLE.place.values().any(|words| words.contains(word))
}
