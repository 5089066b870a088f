//! The whole text of an outcome, plain and as XHTML: all sections, disclaimer included.

use std::fmt::Write as _;

use super::{Maker, codes};
use crate::report::reading::Outcome;
use crate::study::Subject;

impl Maker<'_> {
    /// The heading: what this is, before anything else.
    pub(super) fn title(&self) -> String {
        let what = match self.reading.outcome {
            Outcome::Report(_) => "Preliminary machine draft, not reviewed",
            Outcome::Abstention(_) => "Not read by the machine",
            Outcome::Failure(_) => "Reading by the machine failed",
        };
        if self.is_test() { format!("TEST IMAGE - not a patient. {what}") } else { what.to_owned() }
    }

    /// Which image this is about, for whoever has the page and not the resources: the
    /// image alone where it shows no patient. It stands only here, and in no `Text`.
    fn about(&self) -> String {
        let mut about = format!("About image {}", self.context.instance.sop_instance_uid);
        if let Some(study) = self.reading.study.as_ref().filter(|study| study.subject == Subject::Patient) {
            let date = study.started.as_deref().and_then(|started| started.get(..10));
            for (what, value) in [
                ("accession", self.accession()),
                ("study of", date.map(codes::clean)),
                ("patient ID", self.patient_id()),
            ] {
                if let Some(value) = value {
                    write!(about, ", {what} {value}").expect("a String takes all that is written");
                }
            }
        }
        about + "."
    }

    /// Sections by heading; the last says about what, who made it, when, and what its clock
    /// is worth.
    fn sections(&self) -> [(&'static str, Vec<String>); 4] {
        let text = &self.reading.text;
        let made = format!("Made by {} at {}.", self.device_name(), self.context.issued.rfc3339());
        let mut origin = vec![self.about(), made];
        if !self.context.issued.synchronised {
            origin.push("The device's clock was not synchronised then: this time may be wrong.".to_owned());
        }
        [
            ("Findings", text.findings.clone()),
            ("Impression", text.impression.clone()),
            ("About this draft", text.disclaimer.clone()),
            ("Origin", origin),
        ]
    }

    pub(super) fn plain_text(&self) -> String {
        let mut plain = format!("{}\n", self.title());
        for (heading, sentences) in self.sections() {
            write!(plain, "\n{heading}\n{}\n", sentences.join("\n")).expect("a String takes all that is written");
        }
        plain
    }

    pub(super) fn xhtml(&self) -> String {
        let mut div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><h1>{}</h1>", escaped(&self.title()));
        for (heading, sentences) in self.sections() {
            write!(div, "<h2>{heading}</h2>").expect("a String takes all that is written");
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
