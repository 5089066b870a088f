//! Writing: from a reading to its texts. Every path takes this one: daemon, `read`, `evaluate`.

use std::time::Instant;

use super::facts::{Comparison, FactSheet};
use super::grammar::{Voice, complete, compose, patient};
use super::reading::{Outcome, Reading, Reason, ReasonCode, Timing};
use super::written::{Composer, Composition, Draft, Fallback, Rendering, Written};
use crate::config;
use crate::language::Language;

/// In which languages a report is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// The clinician's. English is added where it is another.
    pub language: Language,
    /// The patient's.
    pub patient_languages: Vec<Language>,
}

impl Default for Style {
    fn default() -> Self {
        Self::of(&config::Report::default())
    }
}

impl Style {
    /// As configured.
    #[must_use]
    pub fn of(report: &config::Report) -> Self {
        Self { language: report.language, patient_languages: report.patient_languages.clone() }
    }
}

/// The facts of `reading`. Findings that contradict themselves make it a failure: they are
/// nothing to write about.
///
/// # Panics
/// Never: a failure has no facts that could contradict themselves.
#[must_use]
pub fn facts(reading: &mut Reading, comparison: Option<&Comparison>) -> FactSheet {
    match FactSheet::of(&reading.outcome, reading.study.as_ref(), comparison) {
        Ok(sheet) => sheet,
        Err(e) => {
            let reason = Reason::new(ReasonCode::Internal, format!("the findings cannot be reported: {e}"));
            reading.outcome = Outcome::Failure(reason);
            FactSheet::of(&reading.outcome, reading.study.as_ref(), None).expect("a failure has no facts to contradict")
        }
    }
}

/// Writes all texts of `reading` from `sheet`, which is its own, and from what the guard
/// kept of a writer's draft of it.
#[must_use]
pub fn write(mut reading: Reading, sheet: FactSheet, draft: Draft, style: &Style) -> Reading {
    let start = Instant::now();
    let voice = Voice::clinician(&sheet, style.language);
    let mut text = compose(&sheet, &voice);
    let composition = match draft {
        Draft::None => Composition::default(),
        Draft::Fallback(reason) => Composition { fallback: Some(reason), ..Composition::default() },
        Draft::Guarded { guarded, .. } if style.language != Language::ENGLISH => Composition {
            guard: Some(guarded.counts),
            fallback: Some(Fallback::OtherLanguage),
            ..Composition::default()
        },
        Draft::Guarded { guarded, .. } if guarded.sentences.is_empty() => {
            Composition { guard: Some(guarded.counts), fallback: Some(Fallback::NothingKept), ..Composition::default() }
        }
        Draft::Guarded { guarded, writer } => {
            text.findings = complete(&sheet, &voice, &guarded);
            if writer.research_only {
                text.disclaimer.push(style.language.say("research-only", &[]));
            }
            let (writer, guard) = (Some(*writer), Some(guarded.counts));
            Composition { composer: Composer::Neural, writer, guard, fallback: None }
        }
    };
    let english = Some(Language::ENGLISH).filter(|english| *english != style.language);
    let also =
        english.map(|language| Rendering { language, text: compose(&sheet, &Voice::clinician(&sheet, language)) });
    let summaries = style.patient_languages.iter().filter_map(|language| patient::summary(&sheet, *language)).collect();
    reading.text = text;
    reading.written = Some(Box::new(Written {
        sheet,
        composition,
        language: style.language,
        also: also.into_iter().collect(),
        summaries,
    }));
    let ms = start.elapsed().as_secs_f64() * 1e3;
    reading.timings.push(Timing { stage: "compose".to_owned(), ms });
    reading
}

/// `reading` with its texts, by the grammar alone and without a prior.
#[must_use]
pub fn by_grammar(mut reading: Reading, style: &Style) -> Reading {
    let sheet = facts(&mut reading, None);
    write(reading, sheet, Draft::None, style)
}

#[cfg(test)]
mod tests;
