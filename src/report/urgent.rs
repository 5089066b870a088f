//! Urgent findings: which of a sheet somebody must be told of at once.

use super::facts::{Fact, Facts, Hedge};
use crate::language::Language;
use crate::study::Subject;

/// The facts of `sheet` whose label is in `urgent` and that are there, or as likely there
/// as not: present by the bundle's thresholds, or uncertain with a probability from 50 %.
/// None of a test object's.
pub fn urgent<'s>(sheet: &'s Facts, urgent: &[impl AsRef<str>]) -> Vec<&'s Fact> {
    let is_urgent = |fact: &&Fact| {
        fact.hedge <= Hedge::MayWellBe && urgent.iter().any(|label| label.as_ref() == fact.label.as_str())
    };
    if sheet.subject == Subject::TestObject { Vec::new() } else { sheet.facts.iter().filter(is_urgent).collect() }
}

/// What an alert says of them, without a word about the patient: `pneumothorax: Likely`.
#[must_use]
pub fn message(facts: &[&Fact]) -> String {
    let said = |fact: &&Fact| {
        let hedge = Language::ENGLISH.say(&format!("name-{}", fact.hedge.id()), &[]);
        format!("{}: {hedge}", fact.label)
    };
    let said: Vec<String> = facts.iter().map(said).collect();
    format!("urgent finding, a clinician must look at this image now: {}", said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::facts::samples::{fact, sheet};
    use crate::report::vocabulary::{ENTRIES, Urgency};

    #[test]
    fn what_is_there_or_as_likely_as_not_is_urgent_where_its_label_is_listed() {
        for hedge in Hedge::ALL {
            let facts = sheet([fact("pneumothorax", hedge), fact("effusion", hedge)]);
            let found = urgent(&facts, &["pneumothorax"]);
            let expected = usize::from(hedge <= Hedge::MayWellBe);
            assert_eq!(found.len(), expected, "{hedge:?}");
            assert!(found.iter().all(|fact| fact.label == "pneumothorax"));
        }
        let mut test = sheet([fact("pneumothorax", Hedge::Likely)]);
        test.subject = Subject::TestObject;
        assert!(urgent(&test, &["pneumothorax"]).is_empty());
    }

    #[test]
    fn the_message_names_finding_and_hedge_and_nothing_else() {
        let facts = sheet([fact("pneumothorax", Hedge::Suspected)]);
        let said = message(&urgent(&facts, &["pneumothorax"]));
        assert_eq!(said, "urgent finding, a clinician must look at this image now: pneumothorax: Suspected");
    }

    #[test]
    fn what_cannot_wait_for_minutes_is_in_the_default_set() {
        let default = crate::config::Report::default().urgent;
        let immediate = ENTRIES.iter().filter(|e| e.urgency == Urgency::Immediate).map(|e| e.label);
        assert!(immediate.eq(default.iter().map(AsRef::as_ref)));
    }
}
