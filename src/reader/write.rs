//! From a fact sheet to a draft of its words: what the gateway asks of the reader where a
//! writer bundle is in use.
//!
//! The writer is given what was assessed and where it is, and what the order asks about; no
//! number, name, date or word of the header. What comes back is a draft that the gateway
//! holds against the sheet; the reader's word counts for nothing there.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::infer::findings::{Band, BundleIdentity};
use crate::infer::writer::refusal::RefusalCode;
use crate::infer::writer::vocabulary::Parts;
use crate::infer::writer::{Sheet, Writer};
use crate::report::facts::{Fact, Facts};
use crate::report::vocabulary::entry;

/// Longest time for one text: a hundred times what the shipped writer takes on one core.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// What became of the writer that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Serving {
    /// It serves.
    Ready(BundleIdentity),
    /// It cannot, in words: every report is the grammar's.
    Unusable(String),
}

/// What came of asking for a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Drafted {
    /// Sentences, not yet guarded.
    Text(Parts),
    /// None, and why.
    Refused(RefusalCode),
    /// There is no writer that serves.
    NoWriter,
}

/// Drafts the words of `facts`; `image` is the writer's view of the image that was read.
#[must_use]
pub fn draft(writer: &Writer, facts: &Facts, image: Option<Vec<f32>>) -> Drafted {
    let start = Instant::now();
    let labels = &writer.manifest().sheet.labels;
    let sheet =
        Sheet { format: facts.format.into(), facts: fact_words(facts, labels), question: question(facts), image };
    match writer.write(&sheet, &|| start.elapsed() > TIME_LIMIT) {
        Ok(parts) => Drafted::Text(parts),
        Err(refusal) => {
            // A refusal's words may hold what the decoder wrote; its code does not.
            log::warn!("the writer's text is not used: {:?}", refusal.code());
            Drafted::Refused(refusal.code())
        }
    }
}

/// The sheet's facts as a writer's words, in the order of the writer's labels; what it has no
/// label for is left to the grammar.
#[must_use]
pub fn fact_words(facts: &Facts, labels: &[String]) -> Vec<String> {
    let known = labels.iter().filter_map(|label| facts.facts.iter().find(|fact| fact.label == label.as_str()));
    known.flat_map(words).collect()
}

fn words(fact: &Fact) -> Vec<String> {
    let state = match fact.state {
        Band::Present => "present",
        Band::Uncertain => "uncertain",
        Band::Absent => "absent",
    };
    let mut words = vec![format!("<{}:{state}>", fact.label)];
    if fact.state != Band::Absent {
        words.extend(fact.side.map(|side| format!("<side:{}>", side.id())));
        words.extend(fact.zone.map(|zone| format!("<zone:{}>", zone.id())));
    }
    words
}

/// What the order asks about, in plain words.
fn question(facts: &Facts) -> String {
    let terms = facts.asked.iter().filter_map(|label| entry(label)?.terms.first().copied());
    terms.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::facts::samples::{fact, sheet};
    use crate::report::facts::{Hedge, Side, Zone};

    #[test]
    fn facts_become_words_in_the_writers_order_and_unknown_labels_are_left_out() {
        let mut facts =
            sheet([fact("effusion", Hedge::Likely), fact("edema", Hedge::NoSign), fact("free-air", Hedge::NoSign)]);
        facts.facts[0].side = Some(Side::Left);
        facts.facts[0].zone = Some(Zone::Base);
        // A place of what is not there is not spoken of.
        facts.facts[1].side = Some(Side::Right);
        let labels = ["edema", "effusion", "mass"].map(str::to_owned);
        assert_eq!(fact_words(&facts, &labels), ["<edema:absent>", "<effusion:present>", "<side:left>", "<zone:base>"]);
    }

    #[test]
    fn the_question_is_plain_words_of_closed_labels() {
        let mut facts = sheet([fact("effusion", Hedge::Likely)]);
        facts.asked = ["pneumonia", "effusion"].into_iter().map(|label| label.try_into().unwrap()).collect();
        assert_eq!(question(&facts), "pneumonia, pleural effusion");
    }
}
