//! What is said of a fact sheet, and in which order. No language here.

use std::collections::BTreeSet;

use super::{Name, Next, Percent, Share, Spot, Statement};
use crate::infer::findings::{Band, MAX_FINDINGS};
use crate::report::facts::{Fact, Facts, FitnessNote, Hedge, Image, Label, Unread};
use crate::report::reading::ReasonCode;
use crate::report::vocabulary::{Urgency, system, urgency, urgency_rank};
use crate::study::Subject;

/// Most sentences in a section: three a finding, and at most sixteen about the image, the
/// prior, the negatives of each system, limits, questions and who must look.
pub const MAX_SENTENCES: usize = 3 * MAX_FINDINGS + 16;

/// The Findings: system by system as a radiologist goes through an image; in each what is
/// there, then what may be there, then the pertinent negatives; then what was not looked for.
#[must_use]
pub fn findings(sheet: &Facts) -> Vec<Statement> {
    let mut said = opening(sheet);
    if sheet.unread.is_some() {
        said.push(Statement::NotRead);
        return said;
    }
    if sheet.image != Image::default() {
        said.push(Statement::Image(sheet.image));
    }
    said.extend(sheet.prior.iter().map(|prior| Statement::Compared(prior.date.clone())));
    let mut facts: Vec<&Fact> = sheet.facts.iter().collect();
    facts.sort_by(|a, b| system(&a.label).cmp(&system(&b.label)).then(surest(a, b)));
    for of_system in facts.chunk_by(|a, b| system(&a.label) == system(&b.label)) {
        let (no_sign, spoken): (Vec<_>, Vec<_>) = of_system.iter().copied().partition(|f| f.hedge == Hedge::NoSign);
        said.extend(spoken.iter().flat_map(|fact| about(fact, sheet)));
        if !no_sign.is_empty() {
            said.push(negative(&no_sign));
            said.extend(no_sign.iter().filter_map(|fact| changed(fact, sheet)));
        }
    }
    said.extend(sheet.fitness.iter().map(|note| Statement::Note(*note)));
    said.push(not_assessed(sheet));
    said
}

/// The Impression: what the order asks about, then the rest by urgency and certainty, then
/// what a human should do.
#[must_use]
pub fn impression(sheet: &Facts) -> Vec<Statement> {
    let mut said = opening(sheet);
    if let Some(unread) = &sheet.unread {
        said.extend(not_read(unread));
        return said;
    }
    let mut answered = false;
    for label in &sheet.asked {
        let Some(fact) = sheet.fact(label) else {
            said.push(Statement::AskedNotAssessed(label.clone()));
            continue;
        };
        said.push(Statement::Asked(label.clone()));
        said.extend(concluded(fact));
        answered = true;
    }
    let rest: Vec<&Fact> =
        ranked(sheet).into_iter().filter(|f| f.hedge.is_for_impression() && !sheet.asked.contains(&f.label)).collect();
    if rest.is_empty() && !answered {
        said.push(nothing_stated(sheet));
    }
    said.extend(rest.into_iter().flat_map(concluded));
    said.extend(recommended(sheet));
    said.extend([Statement::OtherDisease, Statement::MustReview]);
    said
}

/// What the Findings say of one finding: how sure, how often such images showed it, and
/// what changed. A finding without a sign is said in one sentence with others.
#[must_use]
pub fn about(fact: &Fact, sheet: &Facts) -> Vec<Statement> {
    let mut said = vec![hedged(fact)];
    if fact.state == Band::Present {
        said.push(Statement::Flagged(fact.label.clone(), Share::of(fact.positives_among_present)));
    }
    said.extend(changed(fact, sheet));
    said
}

/// True for what stands before the first finding.
#[must_use]
pub fn is_opening(statement: &Statement) -> bool {
    matches!(statement, Statement::TestImage | Statement::Image(_) | Statement::Compared(_))
}

/// `statement` without how sure the findings `spoken` are, which is said elsewhere; `None`
/// where nothing is left.
#[must_use]
pub fn without(statement: &Statement, spoken: &BTreeSet<Label>) -> Option<Statement> {
    match statement {
        Statement::Hedged(spot, ..) if spoken.contains(&spot.label) => None,
        Statement::NoSign(findings) => {
            let rest: Vec<_> = findings.iter().filter(|(label, _)| !spoken.contains(label)).cloned().collect();
            (!rest.is_empty()).then_some(Statement::NoSign(rest))
        }
        other => Some(other.clone()),
    }
}

/// The facts, most urgent first where minutes count, then surest, of equally sure ones the
/// most urgent, then most probable, then in the bundle's order.
#[must_use]
pub fn ranked(sheet: &Facts) -> Vec<&Fact> {
    let mut ranked: Vec<&Fact> = sheet.facts.iter().collect();
    let key = |f: &Fact| (!is_immediate(f), f.hedge, urgency_rank(&f.label));
    ranked.sort_by(|a, b| key(a).cmp(&key(b)).then(surest(a, b)));
    ranked
}

/// True for what may be there and cannot wait.
#[must_use]
pub fn is_immediate(fact: &Fact) -> bool {
    urgency(&fact.label) == Urgency::Immediate && fact.hedge <= Hedge::Possible
}

fn surest(a: &Fact, b: &Fact) -> std::cmp::Ordering {
    let by_probability = b.probability.partial_cmp(&a.probability).expect("a probability is never NaN");
    a.hedge.cmp(&b.hedge).then(by_probability)
}

fn opening(sheet: &Facts) -> Vec<Statement> {
    if sheet.subject == Subject::TestObject { vec![Statement::TestImage] } else { Vec::new() }
}

fn hedged(fact: &Fact) -> Statement {
    if fact.hedge == Hedge::NoSign {
        return negative(&[fact]);
    }
    Statement::Hedged(Spot::of(fact), fact.hedge, Percent::of(fact.probability))
}

fn negative(facts: &[&Fact]) -> Statement {
    Statement::NoSign(facts.iter().map(|f| (f.label.clone(), Percent::of(f.probability))).collect())
}

fn changed(fact: &Fact, sheet: &Facts) -> Option<Statement> {
    Some(Statement::Changed(fact.label.clone(), fact.change?, sheet.prior.as_ref()?.date.clone()))
}

fn not_assessed(sheet: &Facts) -> Statement {
    let name = |n: &crate::report::facts::NotAssessed| match &n.label {
        Some(label) => Name::Label(label.clone()),
        None => Name::Words(n.words.clone()),
    };
    Statement::NotAssessed(sheet.not_assessed.iter().map(name).collect())
}

fn concluded(fact: &Fact) -> Vec<Statement> {
    let urgent = is_immediate(fact).then(|| Statement::Urgent(fact.label.clone()));
    std::iter::once(hedged(fact)).chain(urgent).collect()
}

/// The Impression where no finding is stated in it: all are below 10 %, or there is none.
fn nothing_stated(sheet: &Facts) -> Statement {
    if sheet.facts.is_empty() {
        Statement::NothingAssessed
    } else if sheet.facts.iter().all(|f| f.hedge == Hedge::NoSign) {
        Statement::NoSignOfAll(sheet.facts.iter().map(|f| f.label.clone()).collect())
    } else {
        Statement::NothingReached
    }
}

/// What a human should do next; who must look is said in any case.
fn recommended(sheet: &Facts) -> Vec<Statement> {
    if sheet.subject == Subject::TestObject {
        return Vec::new();
    }
    let compare = sheet.facts.iter().any(|f| f.hedge <= Hedge::Possible).then(|| match &sheet.prior {
        Some(prior) => Statement::ComparePrior(prior.date.clone()),
        None => Statement::CompareEarlier,
    });
    let is_limited = sheet.fitness.iter().any(|note| matches!(note, FitnessNote::ViewUnknown | FitnessNote::ApView));
    let doubt = sheet.facts.iter().any(|f| f.state == Band::Uncertain);
    compare.into_iter().chain((is_limited && doubt).then_some(Statement::OtherView)).collect()
}

fn not_read(unread: &Unread) -> [Statement; 2] {
    let next = match unread.code {
        ReasonCode::NoModel => Next::NoModel,
        ReasonCode::Unfit => Next::Unfit,
        ReasonCode::NoPixels => Next::NoPixels,
        ReasonCode::TooLarge | ReasonCode::Undecodable => Next::Undecodable,
        ReasonCode::Malformed => Next::Malformed,
        ReasonCode::ReaderDied | ReasonCode::Internal => Next::Device,
    };
    let because = match unread.unfit {
        Some(unfit) => Statement::Unfit(unfit),
        None => Statement::Because(unread.kind, unread.words.clone()),
    };
    [because, Statement::Next(next)]
}
