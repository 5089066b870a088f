//! Sentences as statements: the strict inverse of `say`, by the same patterns.
//!
//! A sentence is read only if exactly one statement is said in exactly these words.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::say::{SPOKEN, Voice, fixed_id, image_words, uncapital};
use super::{Name, Next, Percent, Share, Spot, Statement};
use crate::language::Language;
use crate::quality::Unfit;
use crate::report::facts::{
    Change, Day, FitnessNote, Hedge, Image, Kind, Label, Region, Side, SizeMm, UnreadKind, View, Zone,
};

/// Why a sentence is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No statement is said like this.
    #[error("the grammar has no sentence `{0}`")]
    Unknown(String),
    /// Several statements are said like this.
    #[error("the sentence `{0}` has several meanings")]
    Ambiguous(String),
}

/// Most bytes that stand around a finding in a list of negatives: its probability in words.
const LONGEST_PERCENT: usize = 160;

/// Statements with nothing to fill in.
const FIXED: [Statement; 12] = [
    Statement::TestImage,
    Statement::Note(FitnessNote::AgeUnknown),
    Statement::Note(FitnessNote::ViewUnknown),
    Statement::Note(FitnessNote::ApView),
    Statement::NothingReached,
    Statement::NothingAssessed,
    Statement::CompareEarlier,
    Statement::OtherView,
    Statement::OtherDisease,
    Statement::MustReview,
    Statement::NotRead,
    Statement::NotAssessed(Vec::new()),
];

impl Voice {
    /// The statement that `sentence` is.
    ///
    /// # Errors
    /// None is said so, or several are.
    pub fn read(&self, sentence: &str) -> Result<Statement, Unreadable> {
        // A sentence starts with a capital letter, and what it starts with may not.
        let small = uncapital(sentence);
        let mut meanings = self.meanings(&small);
        if meanings.is_empty() && small != sentence {
            meanings = self.meanings(sentence);
        }
        meanings.retain(|meaning| self.say(meaning) == sentence);
        let mut meanings = meanings.into_iter();
        match (meanings.next(), meanings.next()) {
            (Some(meaning), None) => Ok(meaning),
            (None, _) => Err(Unreadable::Unknown(sentence.to_owned())),
            (Some(_), Some(_)) => Err(Unreadable::Ambiguous(sentence.to_owned())),
        }
    }

    /// All that `text` can mean.
    fn meanings(&self, text: &str) -> Vec<Statement> {
        let mut found: Vec<Statement> =
            FIXED.iter().filter(|fixed| self.language.template(fixed_id(fixed)).is(text)).cloned().collect();
        for hedge in SPOKEN {
            let arguments = self.filled(&format!("hedge-{}", hedge.id()), text);
            found.extend(arguments.iter().flat_map(|filled| self.hedged(filled, hedge)));
        }
        for change in Change::ALL {
            let arguments = self.filled(&format!("change-{}", change.id()), text);
            found.extend(arguments.iter().filter_map(|filled| {
                Some(Statement::Changed(self.label(filled.get("finding")?)?, change, filled.get("date")?.parse().ok()?))
            }));
        }
        for next in Next::ALL {
            let template = self.language.template(&format!("next-{}", next.id()));
            found.extend(template.is(text).then_some(Statement::Next(next)));
        }
        let unfit = self.unfit(text);
        found.extend(unfit.map(Statement::Unfit));
        let mut one = |id: &str, name: &str, meaning: &dyn Fn(&str) -> Vec<Statement>| {
            found.extend(self.filled(id, text).iter().filter_map(|f| f.get(name).map(meaning)).flatten());
        };
        let of_label = |meaning: fn(Label) -> Statement| {
            move |text: &str| self.label(text).map(meaning).into_iter().collect::<Vec<_>>()
        };
        let of_day = |meaning: fn(Day) -> Statement| move |text: &str| text.parse().map(meaning).into_iter().collect();
        one("asked", "finding", &of_label(Statement::Asked));
        one("asked-not-assessed", "finding", &of_label(Statement::AskedNotAssessed));
        one("urgent", "finding", &of_label(Statement::Urgent));
        one("compared", "date", &of_day(Statement::Compared));
        one("compare-prior", "date", &of_day(Statement::ComparePrior));
        one("image-sentence", "image", &|text| self.read_image(text).map(Statement::Image).into_iter().collect());
        one("hedge-no-sign", "list", &|text| self.no_sign_list(text).into_iter().map(Statement::NoSign).collect());
        one("not-assessed", "list", &|text| {
            self.names_list(text, "list-semicolon", "list-semicolon").into_iter().map(Statement::NotAssessed).collect()
        });
        one("no-sign-of-all", "list", &|text| {
            let labels = |names: Vec<Name>| names.into_iter().map(label_only).collect::<Option<Vec<_>>>();
            let lists = self.names_list(text, "list-comma", "list-and").into_iter();
            lists.filter_map(labels).map(Statement::NoSignOfAll).collect()
        });
        let because = |kind| move |text: &str| vec![Statement::Because(kind, text.to_owned())];
        // In English that an image is unfit is said in the words of any reason.
        if unfit.is_none() {
            one("because-abstention", "reason", &because(UnreadKind::Abstention));
        }
        one("because-failure", "reason", &because(UnreadKind::Failure));
        found.extend(self.filled("flagged", text).iter().filter_map(|filled| {
            Some(Statement::Flagged(self.label(filled.get("finding")?)?, self.read_share(filled.get("share")?)?))
        }));
        found
    }

    fn unfit(&self, text: &str) -> Option<Unfit> {
        let says = |unfit: &Unfit| self.language.template(&format!("unfit-{}", unfit.code())).is(text);
        Unfit::ALL.into_iter().find(says)
    }

    fn filled<'t>(&self, id: &str, text: &'t str) -> Vec<Filled<'t>> {
        let plausible = |name: &str, content: &str| match name {
            "probability" => read_percent(self.language, content).is_some(),
            "share" => self.read_share(content).is_some(),
            "date" => content.parse::<Day>().is_ok(),
            _ => !content.is_empty(),
        };
        self.language.template(id).matches(text, &plausible).into_iter().map(Filled).collect()
    }

    fn label(&self, called: &str) -> Option<Label> {
        self.names.label_of(called).cloned()
    }

    fn hedged(&self, filled: &Filled<'_>, hedge: Hedge) -> Vec<Statement> {
        let (Some(finding), Some(probability)) = (filled.get("finding"), filled.get("probability")) else {
            return Vec::new();
        };
        let Some(percent) = read_percent(self.language, probability) else { return Vec::new() };
        self.spots(finding).into_iter().map(|spot| Statement::Hedged(spot, hedge, percent)).collect()
    }

    fn spots(&self, text: &str) -> Vec<Spot> {
        let bare = |label| Spot { label, side: None, zone: None, size_mm: None };
        let mut spots: Vec<Spot> = self.label(text).map(bare).into_iter().collect();
        for filled in self.filled("placed", text) {
            let (Some(name), Some(place)) = (filled.get("finding"), filled.get("place")) else { continue };
            let Some(label) = self.label(name) else { continue };
            spots.extend(read_place(self.language, place).map(|(side, zone, size_mm)| Spot {
                label: label.clone(),
                side,
                zone,
                size_mm,
            }));
        }
        spots
    }

    /// Every list of what `item` reads in `text`, as `Voice::list` writes them.
    fn lists<T: Clone>(
        &self,
        text: &str,
        comma: &str,
        joint: &str,
        at: usize,
        item: &dyn Fn(&str, usize) -> Option<T>,
    ) -> Vec<Vec<T>> {
        let mut found: Vec<Vec<T>> = item(text, at).map(|only| vec![only]).into_iter().collect();
        for pair in self.pairs(joint, text) {
            if let (Some(a), Some(b)) = (item(pair.0, at), item(pair.1, at + 1)) {
                found.push(vec![a, b]);
            }
        }
        for (head, rest) in self.pairs(comma, text) {
            let Some(head) = item(head, at) else { continue };
            for rest in self.lists(rest, comma, joint, at + 1, item) {
                // Two are joined by `joint`, which was tried above.
                if rest.len() > 1 {
                    found.push(std::iter::once(head.clone()).chain(rest).collect());
                }
            }
        }
        found
    }

    fn pairs<'t>(&self, id: &str, text: &'t str) -> Vec<(&'t str, &'t str)> {
        self.filled(id, text).iter().filter_map(|filled| Some((filled.get("a")?, filled.get("b")?))).collect()
    }

    fn names_list(&self, text: &str, comma: &str, joint: &str) -> Vec<Vec<Name>> {
        let item = |called: &str, _| self.names.back(called).cloned();
        self.lists(text, comma, joint, 0, &item)
    }

    fn no_sign_list(&self, text: &str) -> Vec<Vec<(Label, Percent)>> {
        self.lists(text, "list-comma", "list-or", 0, &|item, at| {
            if item.len() > self.names.longest() + LONGEST_PERCENT {
                return None;
            }
            let id = if at == 0 { "no-sign-first" } else { "no-sign-more" };
            let read = |filled: &Filled<'_>| {
                Some((self.label(filled.get("finding")?)?, read_percent(self.language, filled.get("probability")?)?))
            };
            let mut items = self.filled(id, item).into_iter().filter_map(|filled| read(&filled));
            let only = items.next();
            if items.next().is_none() { only } else { None }
        })
    }

    fn read_share(&self, text: &str) -> Option<Share> {
        if text == self.language.say("of-100-least", &[]) {
            return Some(Share::Least);
        }
        number(self.language, "of-100", "n", text).filter(|n| *n <= 100).map(Share::Whole)
    }

    fn read_image(&self, text: &str) -> Option<Image> {
        IMAGES.get(&(self.language, text.to_owned())).copied()
    }
}

/// What every image is called in every language: a thousand are too many to say anew.
static IMAGES: LazyLock<HashMap<(Language, String), Image>> = LazyLock::new(|| {
    let kinds = || Kind::ALL.iter().copied().map(Some).chain([None]);
    let regions = || Region::ALL.iter().copied().map(Some).chain([None]);
    let views = || View::ALL.iter().copied().map(Some).chain([None]);
    let images = kinds().flat_map(|kind| regions().map(move |region| (kind, region)));
    let images = images.flat_map(|(kind, region)| views().map(move |view| Image { kind, region, view }));
    let images: Vec<Image> = images.collect();
    let all = Language::all().flat_map(|language| images.iter().map(move |image| (language, *image)));
    all.map(|(language, image)| ((language, image_words(language, image)), image)).collect()
});

/// What stands in the holes of a message.
struct Filled<'t>(Vec<(&'static str, &'t str)>);

impl<'t> Filled<'t> {
    fn get(&self, name: &str) -> Option<&'t str> {
        self.0.iter().find(|(given, _)| *given == name).map(|(_, content)| *content)
    }
}

fn label_only(name: Name) -> Option<Label> {
    match name {
        Name::Label(label) => Some(label),
        Name::Words(_) => None,
    }
}

fn read_percent(language: Language, text: &str) -> Option<Percent> {
    if text == language.say("percent-least", &[]) {
        return Some(Percent::Least);
    }
    if text == language.say("percent-most", &[]) {
        return Some(Percent::Most);
    }
    number(language, "percent", "n", text).filter(|n| (1..100).contains(n)).map(Percent::Whole)
}

/// The number in the hole `name` of the message `id`, written as it is by `say`.
fn number<N: std::str::FromStr + ToString>(language: Language, id: &str, name: &str, text: &str) -> Option<N> {
    let digits =
        |_: &str, content: &str| (1..=3).contains(&content.len()) && content.bytes().all(|b| b.is_ascii_digit());
    let filled = language.template(id).matches(text, &digits);
    let written = filled.first()?.iter().find(|(given, _)| *given == name)?.1;
    written.parse().ok().filter(|number: &N| number.to_string() == written)
}

type Place = (Option<Side>, Option<Zone>, Option<SizeMm>);

/// A place: side, zone and size, as many as there are, in this order.
fn read_place(language: Language, text: &str) -> Option<Place> {
    let sides = || Side::ALL.into_iter().map(Some).chain([None]);
    let zones = || Zone::ALL.into_iter().map(Some).chain([None]);
    sides().flat_map(|side| zones().map(move |zone| (side, zone))).find_map(|(side, zone)| {
        let names = [
            side.map(|side| language.say(&format!("side-{}", side.id()), &[])),
            zone.map(|zone| language.say(&format!("zone-{}", zone.id()), &[])),
        ];
        let mut rest = text;
        let mut left = names.iter().flatten().peekable();
        while let Some(name) = left.next() {
            rest = rest.strip_prefix(name.as_str())?;
            if rest.is_empty() {
                return left.peek().is_none().then_some((side, zone, None));
            }
            rest = rest.strip_prefix(language.say("list-comma", &[("a", ""), ("b", "")]).as_str())?;
        }
        let size = number::<u16>(language, "size", "mm", rest)?.try_into().ok()?;
        Some((side, zone, Some(size)))
    })
}
