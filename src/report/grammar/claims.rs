//! What statements claim, against the sheet that they are about (promise 8).

use super::plan;
use super::{Name, Percent, Share, Spot, Statement, Unreadable, Voice};
use crate::infer::findings::Band;
use crate::report::facts::{Change, Day, Fact, Facts, Hedge, Label};
use crate::report::reading::Text;

/// How a text contradicts its sheet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Contradiction {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the sheet does not bear out: {0:?}")]
    Unfounded(Statement),
    #[error("the text leaves out or says twice what is known of `{0}`")]
    Missing(Label),
    #[error("the text leaves out: {0}")]
    Silent(&'static str),
}

/// What a text claims of each finding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// Finding, row, probability, in the order of the text.
    pub findings: Vec<(Spot, Hedge, Percent)>,
    /// What changed.
    pub changes: Vec<(Label, Change, Day)>,
    /// What was not assessed.
    pub not_assessed: Vec<Name>,
    /// What the order asked about.
    pub asked: Vec<Label>,
}

impl Claims {
    /// What `statements` claim.
    #[must_use]
    pub fn of(statements: &[Statement]) -> Self {
        let mut claims = Self::default();
        let bare = |label: &Label| Spot { label: label.clone(), side: None, zone: None, size_mm: None };
        for statement in statements {
            match statement {
                Statement::Hedged(spot, hedge, percent) => claims.findings.push((spot.clone(), *hedge, *percent)),
                Statement::NoSign(findings) => {
                    let no_sign = findings.iter().map(|(label, percent)| (bare(label), Hedge::NoSign, *percent));
                    claims.findings.extend(no_sign);
                }
                Statement::Changed(label, change, day) => {
                    claims.changes.push((label.clone(), *change, day.clone()));
                }
                Statement::NotAssessed(names) => claims.not_assessed.extend(names.iter().cloned()),
                Statement::Asked(label) | Statement::AskedNotAssessed(label) => claims.asked.push(label.clone()),
                _ => {}
            }
        }
        claims
    }
}

/// Reads `text` back by `voice` and holds it against `sheet`: every statement is borne out,
/// the Findings speak of every fact exactly once, with its change, and of all that was not
/// assessed, and the Impression answers every question.
///
/// # Errors
/// The first contradiction.
pub fn check(text: &Text, sheet: &Facts, voice: &Voice) -> Result<(), Contradiction> {
    let read = |sentences: &[String]| sentences.iter().map(|s| voice.read(s)).collect::<Result<Vec<_>, _>>();
    let (findings, impression) = (read(&text.findings)?, read(&text.impression)?);
    if let Some(unfounded) = findings.iter().chain(&impression).find(|statement| !is_borne_out(statement, sheet)) {
        return Err(Contradiction::Unfounded(unfounded.clone()));
    }
    let (said, concluded) = (Claims::of(&findings), Claims::of(&impression));
    for fact in &sheet.facts {
        let times = said.findings.iter().filter(|(spot, ..)| spot.label == fact.label).count();
        let changes = said.changes.iter().filter(|(label, ..)| *label == fact.label).count();
        if times != 1 || changes != usize::from(fact.change.is_some()) {
            return Err(Contradiction::Missing(fact.label.clone()));
        }
    }
    let all_named = said.not_assessed.len() == sheet.not_assessed.len();
    let all_answered = concluded.asked.iter().eq(sheet.asked.iter());
    match (sheet.unread.is_some() || all_named, sheet.unread.is_some() || all_answered) {
        (false, _) => Err(Contradiction::Silent("something that was not assessed")),
        (_, false) => Err(Contradiction::Silent("the clinical question")),
        _ => Ok(()),
    }
}

fn is_borne_out(statement: &Statement, sheet: &Facts) -> bool {
    let fact = |label: &Label| sheet.fact(label);
    let is_prior = |day: &Day| sheet.prior.as_ref().is_some_and(|prior| prior.date == *day);
    match statement {
        Statement::TestImage => sheet.subject == crate::study::Subject::TestObject,
        Statement::Image(image) => *image == sheet.image,
        Statement::Compared(day) | Statement::ComparePrior(day) => is_prior(day),
        Statement::CompareEarlier => sheet.prior.is_none(),
        Statement::Hedged(spot, hedge, percent) => fact(&spot.label).is_some_and(|fact| {
            Spot::of(fact) == *spot && fact.hedge == *hedge && Percent::of(fact.probability) == *percent
        }),
        Statement::NoSign(findings) => findings.iter().all(|(label, percent)| {
            fact(label).is_some_and(|f| f.hedge == Hedge::NoSign && Percent::of(f.probability) == *percent)
        }),
        Statement::Flagged(label, share) => {
            fact(label).is_some_and(|f| f.state == Band::Present && Share::of(f.positives_among_present) == *share)
        }
        Statement::Changed(label, change, day) => {
            is_prior(day) && fact(label).is_some_and(|f| f.change == Some(*change))
        }
        Statement::Note(note) => sheet.fitness.contains(note),
        Statement::NotAssessed(names) => names.iter().all(|name| {
            sheet.not_assessed.iter().any(|known| match name {
                Name::Label(label) => known.label.as_ref() == Some(label),
                Name::Words(words) => known.label.is_none() && known.words == *words,
            })
        }),
        Statement::Asked(label) => sheet.asked.contains(label) && fact(label).is_some(),
        Statement::AskedNotAssessed(label) => sheet.asked.contains(label) && fact(label).is_none(),
        Statement::NoSignOfAll(labels) => {
            labels.len() == sheet.facts.len()
                && labels.iter().all(|l| fact(l).is_some_and(|f| f.hedge == Hedge::NoSign))
        }
        Statement::NothingReached => sheet.facts.iter().all(is_left_out),
        Statement::NothingAssessed => sheet.facts.is_empty(),
        Statement::Urgent(label) => fact(label).is_some_and(plan::is_immediate),
        Statement::OtherView | Statement::OtherDisease | Statement::MustReview => sheet.unread.is_none(),
        Statement::NotRead | Statement::Next(_) => sheet.unread.is_some(),
        Statement::Unfit(unfit) => sheet.unread.as_ref().is_some_and(|unread| unread.unfit == Some(*unfit)),
        Statement::Because(kind, words) => {
            sheet.unread.as_ref().is_some_and(|unread| unread.kind == *kind && unread.words == *words)
        }
    }
}

fn is_left_out(fact: &Fact) -> bool {
    !fact.hedge.is_for_impression()
}
