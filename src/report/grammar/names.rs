//! What findings are called in a language, both ways; a bundle's own words where the
//! vocabulary has no name.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::language::Language;
use crate::report::facts::{Facts, Label};
use crate::report::grammar::Name;
use crate::report::grammar::say::{capital, uncapital};
use crate::report::vocabulary::{ENTRIES, entry};

/// Which set of names: the clinician's or the patient's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Register {
    Clinician,
    Patient,
}

impl Register {
    fn message(self, label: &str) -> String {
        match self {
            Self::Clinician => format!("finding-{label}"),
            Self::Patient => format!("patient-finding-{label}"),
        }
    }
}

/// The vocabulary's names in every language.
static LISTED: LazyLock<HashMap<(Language, Register), Names>> = LazyLock::new(|| {
    let both = |language| [Register::Clinician, Register::Patient].map(|register| (language, register));
    Language::all().flat_map(both).map(|(l, register)| ((l, register), Names::listed(l, register))).collect()
});

/// Names of everything that the texts of one sheet speak of, in one language.
#[derive(Debug, Clone)]
pub struct Names {
    by_label: HashMap<Label, String>,
    by_words: HashMap<String, String>,
    back: HashMap<String, Name>,
    /// Bytes of the longest name.
    longest: usize,
}

impl Names {
    pub(super) fn of(facts: &Facts, language: Language, register: Register) -> Self {
        let mut names = LISTED.get(&(language, register)).expect("every language has names").clone();
        let unlisted = |label: &Label| entry(label).is_none_or(|e| !e.is_finding() && register == Register::Patient);
        for fact in facts.facts.iter().filter(|f| unlisted(&f.label)) {
            let words = language.say("foreign-words", &[("words", &unbracketed(&fact.words))]);
            names.add(Name::Label(fact.label.clone()), words);
        }
        let own = facts.not_assessed.iter().filter(|n| n.label.as_ref().is_none_or(unlisted));
        for thing in own {
            let words = language.say("foreign-words", &[("words", &unbracketed(&thing.words))]);
            let name = thing.label.clone().map_or_else(|| Name::Words(thing.words.clone()), Name::Label);
            names.add(name, words);
        }
        names
    }

    /// The vocabulary's.
    fn listed(language: Language, register: Register) -> Self {
        let mut names = Self { by_label: HashMap::new(), by_words: HashMap::new(), back: HashMap::new(), longest: 0 };
        for listed in ENTRIES.iter().filter(|e| e.is_finding() || register == Register::Clinician) {
            let Ok(label) = Label::try_from(listed.label) else { continue };
            names.add(Name::Label(label), language.say(&register.message(listed.label), &[]));
        }
        names
    }

    /// Two that are called alike would be one in the text: the later one is told apart.
    fn add(&mut self, name: Name, mut called: String) {
        let alike = [capital(&called), uncapital(&called)];
        if called.is_empty() || alike.iter().any(|alike| self.back.contains_key(alike)) {
            called = match &name {
                Name::Label(label) => format!("{called} [{label}]"),
                Name::Words(_) => format!("{called} [{}]", self.back.len()),
            };
        }
        match &name {
            Name::Label(label) => self.by_label.insert(label.clone(), called.clone()),
            Name::Words(words) => self.by_words.insert(words.clone(), called.clone()),
        };
        self.longest = self.longest.max(called.len());
        self.back.insert(called, name);
    }

    /// What `label` is called; the label itself where nobody named it.
    pub(super) fn label<'a>(&'a self, label: &'a str) -> &'a str {
        Label::try_from(label).ok().and_then(|label| self.by_label.get(&label)).map_or(label, String::as_str)
    }

    pub(super) fn name<'a>(&'a self, name: &'a Name) -> &'a str {
        match name {
            Name::Label(label) => self.label(label),
            Name::Words(words) => self.by_words.get(words).unwrap_or(words),
        }
    }

    /// Bytes of the longest name.
    pub(super) const fn longest(&self) -> usize {
        self.longest
    }

    /// What is called `called`.
    pub(super) fn back(&self, called: &str) -> Option<&Name> {
        if called.len() > self.longest { None } else { self.back.get(called) }
    }

    /// The label that is called `called`.
    pub(super) fn label_of(&self, called: &str) -> Option<&Label> {
        match self.back(called)? {
            Name::Label(label) => Some(label),
            Name::Words(_) => None,
        }
    }
}

/// Brackets hold a finding's place: a bundle's words must not look like one.
fn unbracketed(words: &str) -> String {
    let bracket = |c: char| matches!(c, '(' | ')' | '[' | ']' | '«' | '»' | '（' | '）');
    let plain: String = words.chars().map(|c| if bracket(c) { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
