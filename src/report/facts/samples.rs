//! Fact sheets for tests: chosen ones, and random ones from a seed.

use super::*;
use crate::digest::Digest;
use crate::report::vocabulary::{ENTRIES, Entry};

/// A small generator of numbers (xorshift, Marsaglia 2003): the same seed, the same sheets.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn sometimes<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        if self.one_in(2) { Some(self.pick(of)) } else { None }
    }
}

pub(crate) fn bundle() -> BundleIdentity {
    BundleIdentity {
        name: "chest-adult".into(),
        version: "0.1.0".into(),
        title: "Chest radiographs of adults".into(),
        intended_use: "Draft reading of frontal chest radiographs of adults.".into(),
        forbidden_use: "Not without a qualified reader.".into(),
        research_only: false,
        sha256: Digest::of(b"manifest"),
    }
}

pub(crate) fn prior() -> Prior {
    Prior { date: "2026-01-02".parse().unwrap(), sha256: Digest::of(b"prior") }
}

/// The sheet of `facts` of a PA radiograph of an adult's chest; nothing else is known.
pub(crate) fn sheet(facts: impl IntoIterator<Item = Fact>) -> Facts {
    Facts {
        format: FORMAT,
        subject: Subject::Patient,
        image: Image { kind: Some(Kind::Radiograph), region: Some(Region::Chest), view: Some(View::Pa) },
        sex: Some(Sex::Female),
        age: Some(AgeBand::Adult),
        asked: heapless::Vec::new(),
        facts: facts.into_iter().collect(),
        not_assessed: heapless::Vec::new(),
        fitness: heapless::Vec::new(),
        prior: None,
        unread: None,
        bundle: Some(bundle()),
    }
}

/// A fact in row `hedge`, with a probability that lies in it.
pub(crate) fn fact(label: &str, hedge: Hedge) -> Fact {
    let probability = match hedge {
        Hedge::Likely => 0.87,
        Hedge::Suspected | Hedge::Possible => 0.3,
        Hedge::MayWellBe => 0.62,
        Hedge::CannotBeExcluded => 0.06,
        Hedge::LessLikely => 0.35,
        Hedge::NoSign => 0.02,
    };
    with_probability(label, hedge.band(), probability)
}

pub(crate) fn with_probability(label: &str, band: Band, probability: f32) -> Fact {
    let p = |value| Probability::try_from(value).unwrap();
    Fact {
        label: label.try_into().unwrap(),
        words: label.replace('-', " "),
        code: Code { system: "http://snomed.info/sct".into(), code: "1".into(), display: label.into() },
        state: band,
        probability: p(probability),
        hedge: Hedge::of(band, p(probability)),
        side: None,
        zone: None,
        size_mm: None,
        change: None,
        prevalence: p(0.15),
        positives_among_present: p(0.383),
    }
}

pub(crate) fn not_assessed(entry: &Entry) -> NotAssessed {
    NotAssessed { label: Some(entry.label.try_into().unwrap()), words: entry.terms[0].to_owned() }
}

/// A random sheet of an image that was read: any labels in any state, with places,
/// sizes, changes, questions, and sometimes a label that the vocabulary lacks.
pub(crate) fn random(dice: &mut Dice) -> FactSheet {
    let mut facts = sheet([]);
    facts.subject = if dice.one_in(10) { Subject::TestObject } else { Subject::Patient };
    facts.image =
        Image { kind: dice.sometimes(Kind::ALL), region: dice.sometimes(Region::ALL), view: dice.sometimes(View::ALL) };
    facts.prior = dice.one_in(2).then(prior);
    for entry in ENTRIES {
        match dice.below(5) {
            0 | 1 if entry.is_finding() => {
                let fact = random_fact(entry.label, facts.prior.is_some(), dice);
                let _ = facts.facts.push(fact);
            }
            2 => {
                let _ = facts.not_assessed.push(not_assessed(entry));
            }
            _ => {}
        }
        if entry.is_finding() && dice.one_in(6) {
            let _ = facts.asked.push(entry.label.try_into().unwrap());
        }
    }
    if dice.one_in(4) && !facts.facts.is_full() {
        let fact = random_fact("something-odd", facts.prior.is_some(), dice);
        let _ = facts.facts.push(fact);
    }
    if dice.one_in(4) {
        let _ = facts.not_assessed.push(NotAssessed { label: None, words: "what no list names".into() });
    }
    for note in [FitnessNote::AgeUnknown, FitnessNote::ViewUnknown, FitnessNote::ApView] {
        if dice.one_in(3) {
            let _ = facts.fitness.push(note);
        }
    }
    facts.try_into().unwrap()
}

fn random_fact(label: &str, has_prior: bool, dice: &mut Dice) -> Fact {
    let band = dice.pick(&[Band::Absent, Band::Uncertain, Band::Present]);
    let edge = dice.pick(&[0.0, 0.004, 0.05, 0.1, 0.5, 0.75, 0.996, 1.0]);
    let any = dice.below(1001) as f32 / 1000.0;
    let mut fact = with_probability(label, band, if dice.one_in(5) { edge } else { any });
    if band != Band::Absent {
        fact.side = dice.sometimes(&Side::ALL);
        fact.zone = dice.sometimes(&Zone::ALL);
        fact.size_mm = dice.one_in(3).then(|| u16::try_from(1 + dice.below(500)).unwrap().try_into().unwrap());
    }
    if has_prior {
        fact.change = match band {
            Band::Absent => dice.sometimes(&[Change::Resolved]),
            _ => dice.sometimes(&[Change::New, Change::Larger, Change::Unchanged, Change::Smaller]),
        };
    }
    fact
}
