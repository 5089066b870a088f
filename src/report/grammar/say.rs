//! Statements as sentences of one language.

use super::names::{Names, Register};
use super::{Percent, Share, Spot, Statement};
use crate::language::Language;
use crate::report::facts::{Facts, FitnessNote, Hedge, Image, UnreadKind};

/// A language with the names of everything that one sheet speaks of.
pub struct Voice {
    pub(super) language: Language,
    pub(super) names: Names,
}

impl Voice {
    /// The clinician's words in `language` for what `facts` speak of.
    #[must_use]
    pub fn clinician(facts: &Facts, language: Language) -> Self {
        Self { language, names: Names::of(facts, language, Register::Clinician) }
    }

    /// The patient's words.
    #[must_use]
    pub fn patient(facts: &Facts, language: Language) -> Self {
        Self { language, names: Names::of(facts, language, Register::Patient) }
    }

    /// `statement` as one sentence.
    #[must_use]
    pub fn say(&self, statement: &Statement) -> String {
        let say = |id: &str, arguments: &[(&str, &str)]| self.language.say(id, arguments);
        let of = |id: &str, label: &str| say(id, &[("finding", self.names.label(label))]);
        capital(&match statement {
            Statement::Image(image) => say("image-sentence", &[("image", &image_words(self.language, *image))]),
            Statement::Compared(date) => say("compared", &[("date", date.as_str())]),
            Statement::Hedged(spot, hedge, percent) => say(
                &format!("hedge-{}", hedge.id()),
                &[("finding", &self.spot(spot)), ("probability", &self.percent(*percent))],
            ),
            Statement::NoSign(findings) => say("hedge-no-sign", &[("list", &self.no_sign(findings))]),
            Statement::Flagged(label, share) => {
                say("flagged", &[("finding", self.names.label(label)), ("share", &self.share(*share))])
            }
            Statement::Changed(label, change, date) => say(
                &format!("change-{}", change.id()),
                &[("finding", self.names.label(label)), ("date", date.as_str())],
            ),
            Statement::NotAssessed(names) if !names.is_empty() => {
                let names: Vec<&str> = names.iter().map(|name| self.names.name(name)).collect();
                say("not-assessed", &[("list", &self.list(&names, "list-semicolon", "list-semicolon"))])
            }
            Statement::Asked(label) => of("asked", label),
            Statement::AskedNotAssessed(label) => of("asked-not-assessed", label),
            Statement::NoSignOfAll(labels) => {
                let names: Vec<&str> = labels.iter().map(|label| self.names.label(label)).collect();
                say("no-sign-of-all", &[("list", &self.list(&names, "list-comma", "list-and"))])
            }
            Statement::Urgent(label) => of("urgent", label),
            Statement::ComparePrior(date) => say("compare-prior", &[("date", date.as_str())]),
            Statement::Because(UnreadKind::Abstention, words) => say("because-abstention", &[("reason", words)]),
            Statement::Because(UnreadKind::Failure, words) => say("because-failure", &[("reason", words)]),
            Statement::Unfit(unfit) => say(&format!("unfit-{}", unfit.code()), &[]),
            Statement::Next(next) => say(&format!("next-{}", next.id()), &[]),
            fixed => say(fixed_id(fixed), &[]),
        })
    }

    fn spot(&self, spot: &Spot) -> String {
        let say = |id: &str, arguments: &[(&str, &str)]| self.language.say(id, arguments);
        let side = spot.side.map(|side| say(&format!("side-{}", side.id()), &[]));
        let zone = spot.zone.map(|zone| say(&format!("zone-{}", zone.id()), &[]));
        let diameter = spot.size_mm.map(|mm| say("size", &[("mm", &u16::from(mm).to_string())]));
        let place: Vec<String> = [side, zone, diameter].into_iter().flatten().collect();
        let name = self.names.label(&spot.label);
        if place.is_empty() {
            return name.to_owned();
        }
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        say("placed", &[("finding", name), ("place", &self.list(&place, "list-comma", "list-comma"))])
    }

    fn no_sign(&self, findings: &[(crate::report::facts::Label, Percent)]) -> String {
        let item = |(i, (label, percent)): (usize, &(_, Percent))| {
            let id = if i == 0 { "no-sign-first" } else { "no-sign-more" };
            let label: &crate::report::facts::Label = label;
            let arguments = [("finding", self.names.label(label)), ("probability", &self.percent(*percent))];
            self.language.say(id, &arguments)
        };
        let items: Vec<String> = findings.iter().enumerate().map(item).collect();
        let items: Vec<&str> = items.iter().map(String::as_str).collect();
        self.list(&items, "list-comma", "list-or")
    }

    pub(super) fn percent(&self, percent: Percent) -> String {
        match percent {
            Percent::Least => self.language.say("percent-least", &[]),
            Percent::Whole(n) => self.language.say("percent", &[("n", &n.to_string())]),
            Percent::Most => self.language.say("percent-most", &[]),
        }
    }

    pub(super) fn share(&self, share: Share) -> String {
        match share {
            Share::Least => self.language.say("of-100-least", &[]),
            Share::Whole(n) => self.language.say("of-100", &[("n", &n.to_string())]),
        }
    }

    /// `a`, `a or b`, `a, b or c`: all but the last joined by `comma`, the last by `joint`.
    pub(super) fn list(&self, items: &[&str], comma: &str, joint: &str) -> String {
        match items {
            [] => String::new(),
            [only] => (*only).to_owned(),
            [a, b] => self.language.say(joint, &[("a", a), ("b", b)]),
            [a, rest @ ..] => self.language.say(comma, &[("a", a), ("b", &self.list(rest, comma, joint))]),
        }
    }
}

/// What an image is called: `chest radiograph, PA view`.
pub(super) fn image_words(language: Language, image: Image) -> String {
    let say = |id: &str, arguments: &[(&str, &str)]| language.say(id, arguments);
    let kind = say(&format!("kind-{}", image.kind.map_or("image", |kind| kind.id())), &[]);
    let what = match image.region {
        Some(region) => say("image-of", &[("kind", &kind), ("region", &say(&format!("region-{}", region.id()), &[]))]),
        None => kind,
    };
    match image.view {
        Some(view) => say("image-view", &[("image", &what), ("view", &say(&format!("view-{}", view.id()), &[]))]),
        None => what,
    }
}

/// The message of a statement that has nothing to fill in.
pub(super) fn fixed_id(statement: &Statement) -> &'static str {
    match statement {
        Statement::TestImage => "test-image",
        Statement::Note(FitnessNote::AgeUnknown) => "note-age-unknown",
        Statement::Note(FitnessNote::ViewUnknown) => "note-view-unknown",
        Statement::Note(FitnessNote::ApView) => "note-ap-view",
        Statement::NothingReached => "nothing-reached",
        Statement::NothingAssessed => "nothing-assessed",
        Statement::CompareEarlier => "compare-earlier",
        Statement::OtherView => "other-view",
        Statement::OtherDisease => "other-disease",
        Statement::NotRead => "not-read",
        Statement::NotAssessed(_) => "not-assessed-other",
        // The rest has arguments, and is said above.
        _ => "must-review",
    }
}

/// Capital first letter, where the script has one that stands for this letter alone.
pub(super) fn capital(text: &str) -> String {
    other_case(text, char::to_uppercase, char::to_lowercase)
}

/// The inverse of [`capital`].
pub(super) fn uncapital(text: &str) -> String {
    other_case(text, char::to_lowercase, char::to_uppercase)
}

fn other_case<T: Iterator<Item = char>, B: Iterator<Item = char>>(
    text: &str,
    there: fn(char) -> T,
    back: fn(char) -> B,
) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    let changed = Some(there(first)).filter(|c| c.size_hint().0 == 1).and_then(|mut c| c.next());
    let changed = changed.filter(|c| back(*c).eq([first])).unwrap_or(first);
    std::iter::once(changed).chain(letters).collect()
}

/// Rows of the hedge table that have a sentence of one finding.
pub(super) const SPOKEN: [Hedge; 6] =
    [Hedge::Likely, Hedge::Suspected, Hedge::MayWellBe, Hedge::Possible, Hedge::CannotBeExcluded, Hedge::LessLikely];
