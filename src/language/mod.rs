//! The languages of reports: one Fluent file each, rendered from and matched against.
//!
//! To add a language, copy `en.ftl` to `<code>.ftl`, translate what stands right of each
//! `=`, and add its line to [`FILES`]; the tests say what is missing. A message is plain
//! text with arguments, each used once and no selectors: that is what makes every
//! sentence readable backwards by the very pattern it was written with.

mod dictionary;
mod template;

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use dictionary::Dictionary;
pub use template::Template;

/// Every language: its code (BCP 47), and its file.
const FILES: [(&str, &str); 8] = [
    ("en", include_str!("en.ftl")),
    ("es", include_str!("es.ftl")),
    ("fr", include_str!("fr.ftl")),
    ("pt", include_str!("pt.ftl")),
    ("sw", include_str!("sw.ftl")),
    ("hi", include_str!("hi.ftl")),
    ("ar", include_str!("ar.ftl")),
    ("zh", include_str!("zh.ftl")),
];

/// The files as they were compiled, each at its first use.
static COMPILED: [OnceLock<Dictionary>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];

/// A language that reports can be written in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(usize);

/// A code of no language here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no reports in `{0}`: languages are {codes}", codes = FILES.map(|(code, _)| code).join(", "))]
pub struct UnknownLanguage(String);

impl Language {
    /// The language that every file is measured by.
    pub const ENGLISH: Self = Self(0);

    /// All languages, English first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..FILES.len()).map(Self)
    }

    /// Its BCP 47 code: `en`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        FILES[self.0].0
    }

    /// The message `id` with its arguments filled in.
    ///
    /// # Panics
    /// The message or an argument does not exist: the tests write every message that the
    /// program uses, in every language.
    #[must_use]
    pub fn say(self, id: &str, arguments: &[(&str, &str)]) -> String {
        self.template(id).fill(arguments)
    }

    /// The pattern of the message `id`.
    ///
    /// # Panics
    /// As [`Language::say`].
    #[must_use]
    pub fn template(self, id: &str) -> &'static Template {
        let found = self.dictionary().get(id);
        found.unwrap_or_else(|| panic!("{}.ftl has no message `{id}`", self.code()))
    }

    fn dictionary(self) -> &'static Dictionary {
        COMPILED[self.0].get_or_init(|| {
            let (code, text) = FILES[self.0];
            Dictionary::of(code, text).unwrap_or_else(|e| panic!("{code}.ftl: {e}"))
        })
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(code: &str) -> Result<Self, UnknownLanguage> {
        Self::all().find(|language| language.code() == code).ok_or_else(|| UnknownLanguage(code.to_owned()))
    }
}

impl TryFrom<String> for Language {
    type Error = UnknownLanguage;

    fn try_from(code: String) -> Result<Self, UnknownLanguage> {
        code.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.code().to_owned()
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_the_messages_of_english_and_their_arguments_and_no_others() {
        let english = Language::ENGLISH.dictionary();
        for language in Language::all() {
            let dictionary = language.dictionary();
            for (id, template) in english.iter() {
                let here = dictionary.get(id).unwrap_or_else(|| panic!("{language:?} lacks {id}"));
                let sorted = |template: &Template| {
                    let mut arguments = template.arguments().collect::<Vec<_>>();
                    arguments.sort_unstable();
                    arguments
                };
                assert_eq!(sorted(here), sorted(template), "arguments of {id} in {language:?}");
            }
            for (id, _) in dictionary.iter() {
                assert!(english.get(id).is_some(), "{language:?} has {id}, which English has not");
            }
        }
    }

    #[test]
    fn every_file_says_that_it_awaits_a_native_clinician() {
        for (code, text) in FILES {
            assert!(text.lines().next().unwrap().contains("awaits review by a native clinician"), "{code}");
            let language: Language = code.parse().unwrap();
            assert_eq!(language.say("review-state", &[]), "awaiting-native-clinician");
        }
    }

    #[test]
    fn a_file_that_is_wrong_is_refused_with_the_message_that_is_wrong() {
        let refused = |text| Dictionary::of("en", text).err().unwrap().to_string();
        assert!(refused("a = x { $finding } { $finding }").contains("`a`"));
        assert!(refused("a = x { $nobody-knows }").contains("`a`"));
        assert!(refused("a = x\na = y").contains('a'));
        assert!(refused("a = { b").contains("line"));
        assert!(refused("b = { $n ->\n  [one] x\n *[other] y\n }").contains("`b`"));
    }

    #[test]
    fn a_language_is_known_by_its_code_and_by_nothing_else() {
        assert_eq!("sw".parse::<Language>().unwrap().code(), "sw");
        let unknown = "tlh".parse::<Language>().unwrap_err().to_string();
        assert_eq!(unknown, "no reports in `tlh`: languages are en, es, fr, pt, sw, hi, ar, zh");
    }
}
