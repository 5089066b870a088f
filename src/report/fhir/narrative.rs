//! The whole text of an outcome, plain and as XHTML: all sections, disclaimer included.

use std::fmt::Write as _;

use super::{Maker, codes};
use crate::language::Language;
use crate::report::reading::{Outcome, Text};
use crate::study::Subject;

impl Maker<'_> {
    /// The clinician's texts: the one that was written first, then those in further languages.
    pub(super) fn texts(&self) -> impl Iterator<Item = (Language, &Text)> {
        let written = self.reading.written.as_deref();
        let also = written.into_iter().flat_map(|written| written.also.iter().map(|r| (r.language, &r.text)));
        std::iter::once((self.language(), &self.reading.text)).chain(also)
    }

    /// The language of the clinician's text.
    pub(super) fn language(&self) -> Language {
        self.reading.written.as_ref().map_or(Language::ENGLISH, |written| written.language)
    }

    /// The heading: what this is, before anything else.
    pub(super) fn title(&self, language: Language) -> String {
        let what = language.say(
            match self.reading.outcome {
                Outcome::Report(_) => "title-report",
                Outcome::Abstention(_) => "title-abstention",
                Outcome::Failure(_) => "title-failure",
            },
            &[],
        );
        if self.is_test() { language.say("title-test", &[("title", &what)]) } else { what }
    }

    /// Which image this is about, for whoever has the page and not the resources: the
    /// image alone where it shows no patient. It stands only here, and in no `Text`.
    fn about(&self, language: Language) -> String {
        let say = |id: &str, value: &str| language.say(id, &[("value", value)]);
        let mut about = say("about-image", self.context.instance.sop_instance_uid.as_str());
        if let Some(study) = self.reading.study.as_ref().filter(|study| study.subject == Subject::Patient) {
            let date = study.started.as_deref().and_then(|started| started.get(..10));
            for (id, value) in [
                ("about-accession", self.accession()),
                ("about-study", date.map(codes::clean)),
                ("about-patient", self.patient_id()),
            ] {
                if let Some(value) = value {
                    about = language.say("list-comma", &[("a", &about), ("b", &say(id, &value))]);
                }
            }
        }
        language.say("about", &[("what", &about)])
    }

    /// Sections by heading; the last says about what, who made it, when, and what its clock
    /// is worth.
    fn sections(&self, language: Language, text: &Text) -> [(String, Vec<String>); 4] {
        let heading = |id: &str| language.say(id, &[]);
        let (device, time) = (self.device_name(), self.context.issued.rfc3339());
        let mut origin = vec![self.about(language), language.say("made", &[("device", &device), ("time", &time)])];
        if !self.context.issued.synchronised {
            origin.push(heading("clock"));
        }
        [
            (heading("heading-findings"), text.findings.clone()),
            (heading("heading-impression"), text.impression.clone()),
            (heading("heading-about"), text.disclaimer.clone()),
            (heading("heading-origin"), origin),
        ]
    }

    pub(super) fn plain_text(&self, language: Language, text: &Text) -> String {
        let mut plain = format!("{}\n", self.title(language));
        for (heading, sentences) in self.sections(language, text) {
            write!(plain, "\n{heading}\n{}\n", sentences.join("\n")).expect("a String takes all that is written");
        }
        plain
    }

    pub(super) fn xhtml(&self) -> String {
        let language = self.language();
        let title = escaped(&self.title(language));
        let mut div =
            format!("<div xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"{}\"><h1>{title}</h1>", language.code());
        for (heading, sentences) in self.sections(language, &self.reading.text) {
            write!(div, "<h2>{}</h2>", escaped(&heading)).expect("a String takes all that is written");
            for sentence in sentences {
                write!(div, "<p>{}</p>", escaped(&sentence)).expect("a String takes all that is written");
            }
        }
        div + "</div>"
    }
}

/// Text as XML character data (XML 1.0, 2.4): markup escaped, what XML cannot hold taken out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_markup_gets_into_the_narrative() {
        assert_eq!(super::escaped("a<b>&\"'\u{0}\u{b}\nc"), "a&lt;b&gt;&amp;&quot;&#39; c");
    }
}
