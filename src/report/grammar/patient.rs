//! The patient's summary: plain words, from the same sheet, by the same tables. It is
//! never to be given to anyone before a clinician accepted the report.

use serde::{Deserialize, Serialize};

use super::say::{Voice, capital, uncapital};
use super::{Unreadable, plan};
use crate::language::Language;
use crate::report::facts::{Change, Fact, Facts, Hedge, Label};
use crate::study::Subject;

/// A summary for the patient in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// In which language.
    pub language: Language,
    /// Whether it may be given to the patient.
    pub release: Release,
    /// Whether a native clinician reviewed the wording, as the language's file says.
    pub wording: String,
    /// Plain text, a sentence an entry.
    pub sentences: Vec<String>,
}

/// Whether a summary may be given to the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// Not before a human accepted the report. This device knows no other state: an
    /// acceptance is a human's, and a document of its own.
    AwaitingAcceptance,
}

/// One thing that is said to a patient. Each is one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the messages `patient-…` of the language files say it")]
pub enum Plain {
    Intro,
    Hedged(Label, Hedge),
    Changed(Label, Change),
    AskedNotAssessed(Label),
    Urgent(Label),
    NotAssessed,
    Unread,
    Talk,
    Keep,
}

/// What is said to the patient. Nothing of a test object: nobody is on it.
#[must_use]
pub fn plan(sheet: &Facts) -> Vec<Plain> {
    if sheet.subject == Subject::TestObject {
        return Vec::new();
    }
    if sheet.unread.is_some() {
        return vec![Plain::Unread, Plain::Talk];
    }
    let about = |fact: &Fact| {
        let hedged = Plain::Hedged(fact.label.clone(), fact.hedge);
        let urgent = plan::is_immediate(fact).then(|| Plain::Urgent(fact.label.clone()));
        let changed = fact.change.map(|change| Plain::Changed(fact.label.clone(), change));
        [Some(hedged), urgent, changed].into_iter().flatten().collect::<Vec<_>>()
    };
    let unanswered = sheet.asked.iter().filter(|label| sheet.fact(label).is_none()).cloned();
    std::iter::once(Plain::Intro)
        .chain(plan::ranked(sheet).into_iter().flat_map(about))
        .chain(unanswered.map(Plain::AskedNotAssessed))
        .chain([Plain::NotAssessed, Plain::Talk, Plain::Keep])
        .collect()
}

/// The summary of `sheet` in `language`; `None` where there is no patient.
#[must_use]
pub fn summary(sheet: &Facts, language: Language) -> Option<Summary> {
    let voice = Voice::patient(sheet, language);
    let mut sentences: Vec<String> = plan(sheet).iter().map(|plain| voice.say_plainly(plain)).collect();
    if sentences.is_empty() {
        return None;
    }
    sentences.push(language.say("review-note", &[]));
    let wording = language.say("review-state", &[]);
    Some(Summary { language, release: Release::AwaitingAcceptance, wording, sentences })
}

impl Voice {
    /// `plain` as one sentence.
    #[must_use]
    pub fn say_plainly(&self, plain: &Plain) -> String {
        let of = |id: &str, label: &str| self.language.say(id, &[("finding", self.names.label(label))]);
        capital(&match plain {
            Plain::Hedged(label, hedge) => of(&format!("patient-hedge-{}", hedge.id()), label),
            Plain::Changed(label, change) => of(&format!("patient-change-{}", change.id()), label),
            Plain::AskedNotAssessed(label) => of("patient-asked-not-assessed", label),
            Plain::Urgent(label) => of("patient-urgent", label),
            Plain::Intro => self.language.say("patient-intro", &[]),
            Plain::NotAssessed => self.language.say("patient-not-assessed", &[]),
            Plain::Unread => self.language.say("patient-unread", &[]),
            Plain::Talk => self.language.say("patient-talk", &[]),
            Plain::Keep => self.language.say("patient-keep", &[]),
        })
    }

    /// What `sentence` says to a patient.
    ///
    /// # Errors
    /// Nothing is said so, or several things are.
    pub fn read_plainly(&self, sentence: &str) -> Result<Plain, Unreadable> {
        let fixed = [Plain::Intro, Plain::NotAssessed, Plain::Unread, Plain::Talk, Plain::Keep];
        let mut meanings: Vec<Plain> = fixed.into_iter().filter(|p| self.say_plainly(p) == sentence).collect();
        let hedges = Hedge::ALL.map(|hedge| format!("patient-hedge-{}", hedge.id()));
        let changes = Change::ALL.map(|change| format!("patient-change-{}", change.id()));
        for label in self.labels_in("patient-asked-not-assessed", sentence) {
            meanings.push(Plain::AskedNotAssessed(label));
        }
        for label in self.labels_in("patient-urgent", sentence) {
            meanings.push(Plain::Urgent(label));
        }
        for (hedge, id) in Hedge::ALL.into_iter().zip(&hedges) {
            meanings.extend(self.labels_in(id, sentence).into_iter().map(|label| Plain::Hedged(label, hedge)));
        }
        for (change, id) in Change::ALL.into_iter().zip(&changes) {
            meanings.extend(self.labels_in(id, sentence).into_iter().map(|label| Plain::Changed(label, change)));
        }
        meanings.dedup();
        let mut meanings = meanings.into_iter();
        match (meanings.next(), meanings.next()) {
            (Some(meaning), None) => Ok(meaning),
            (None, _) => Err(Unreadable::Unknown(sentence.to_owned())),
            (Some(_), Some(_)) => Err(Unreadable::Ambiguous(sentence.to_owned())),
        }
    }

    /// The findings with which `sentence` is the message `id`.
    fn labels_in(&self, id: &str, sentence: &str) -> Vec<Label> {
        let named = |_: &str, called: &str| self.names.label_of(called).is_some();
        let mut labels = Vec::new();
        for text in [sentence, &uncapital(sentence)] {
            for filled in self.language.template(id).matches(text, &named) {
                labels.extend(filled.first().and_then(|(_, called)| self.names.label_of(called)).cloned());
            }
        }
        labels.dedup();
        labels
    }
}
