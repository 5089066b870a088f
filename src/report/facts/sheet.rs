//! Making a fact sheet of a reading. What the reader wrote is cleaned or left out here:
//! it parsed a stranger's bytes.

use super::{
    AgeBand, Change, Comparison, FORMAT, Fact, FactSheet, Facts, FitnessNote, Hedge, Image, MAX_WORDS, NotAFactSheet,
    NotAssessed, Unread, UnreadKind, View, asked,
};
use crate::infer::findings::{Band, Finding, Findings};
use crate::report::reading::{Outcome, Reason};
use crate::report::vocabulary::{self, System};
use crate::study::{Study, Subject};

impl FactSheet {
    /// The sheet of `outcome`; `study` is the header, where it could be read, and
    /// `comparison` what came of an earlier outcome of the same patient, if there is one.
    ///
    /// # Errors
    /// The findings contradict themselves: a label stands twice.
    pub fn of(
        outcome: &Outcome,
        study: Option<&Study>,
        comparison: Option<&Comparison>,
    ) -> Result<Self, NotAFactSheet> {
        let mut facts = Facts {
            format: FORMAT,
            subject: study.map_or(Subject::Patient, |study| study.subject),
            image: study.map(Image::of).unwrap_or_default(),
            sex: study.and_then(|study| study.sex),
            age: study.and_then(|study| AgeBand::of(study.age)),
            asked: study.map(|study| asked(&study.order)).unwrap_or_default(),
            facts: heapless::Vec::new(),
            not_assessed: heapless::Vec::new(),
            fitness: heapless::Vec::new(),
            prior: None,
            unread: None,
            bundle: None,
        };
        match outcome {
            Outcome::Report(findings) => facts.read(findings, comparison),
            Outcome::Abstention(reason) => facts.unread = Some(unread(UnreadKind::Abstention, reason)),
            Outcome::Failure(reason) => facts.unread = Some(unread(UnreadKind::Failure, reason)),
        }
        facts.try_into()
    }
}

impl Facts {
    fn read(&mut self, findings: &Findings, comparison: Option<&Comparison>) {
        self.bundle = Some(findings.bundle.clone());
        self.facts = findings.findings.iter().map(|finding| fact(finding, comparison)).collect();
        self.prior = comparison.map(|comparison| comparison.prior.clone());
        for words in &findings.not_assessed {
            let words = clean(words);
            let label = vocabulary::by_words(&words).and_then(|entry| entry.label.try_into().ok());
            let known = self.facts.iter().any(|f| Some(&f.label) == label.as_ref() || f.words == words)
                || self.not_assessed.iter().any(|n| n.words == words || (label.is_some() && n.label == label));
            if !words.is_empty() && !known && self.not_assessed.push(NotAssessed { label, words }).is_err() {
                break;
            }
        }
        self.fitness = self.notes();
    }

    fn notes(&self) -> heapless::Vec<FitnessNote, 4> {
        let heart = self.facts.iter().any(|fact| vocabulary::system(&fact.label) == System::Heart);
        let view = match self.image.view {
            None => Some(FitnessNote::ViewUnknown),
            Some(View::Ap) if heart => Some(FitnessNote::ApView),
            Some(_) => None,
        };
        let age = self.age.is_none().then_some(FitnessNote::AgeUnknown);
        [view, age].into_iter().flatten().collect()
    }
}

fn fact(finding: &Finding, comparison: Option<&Comparison>) -> Fact {
    let change = comparison
        .and_then(|c| c.changes.iter().find(|(label, _)| *label == finding.label))
        .map(|(_, change)| *change)
        .filter(|change| match change {
            Change::Resolved => finding.band == Band::Absent,
            Change::New | Change::Larger | Change::Unchanged | Change::Smaller => finding.band != Band::Absent,
        });
    Fact {
        label: finding.label.clone(),
        words: clean(&finding.words),
        code: finding.code.clone(),
        state: finding.band,
        probability: finding.probability,
        hedge: Hedge::of(finding.band, finding.probability),
        side: None,
        zone: None,
        size_mm: None,
        change,
        prevalence: finding.prevalence,
        positives_among_present: finding.positives_among_present,
    }
}

fn unread(kind: UnreadKind, reason: &Reason) -> Unread {
    Unread { kind, code: reason.code, words: clean(&reason.words), unfit: reason.unfit }
}

/// Text from elsewhere, fit to stand inside a sentence: one line, no control characters
/// and nothing that the grammar uses to hold a sentence together at its ends or around
/// a finding's place, bounded.
#[must_use]
pub fn clean(text: &str) -> String {
    let plain = |c: char| {
        if c.is_control() || matches!(c, '"' | '“' | '”' | ';' | '\u{2066}'..='\u{2069}') { ' ' } else { c }
    };
    let text: String = text.chars().map(plain).take(MAX_WORDS).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").trim_end_matches(['.', ' ', ',', ':', '!', '?']).to_owned()
}
