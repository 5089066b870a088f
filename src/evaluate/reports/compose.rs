//! Who writes: the human, the baseline that always says normal, and our composers, each
//! from the experts' labels alone. Those are the fact sheet: present or absent, no place.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Row;
use crate::digest::Digest;
use crate::infer::findings::{Band, BundleIdentity, Code, MAX_FINDINGS, Probability};
use crate::infer::writer::vocabulary::Parts;
use crate::infer::writer::{Sheet, Writer};
use crate::language::Language;
use crate::reader::write::fact_words;
use crate::report::facts::{FORMAT, Fact, FactSheet, Facts, Hedge, Image, Kind, Region};
use crate::report::grammar::{Voice, complete, compose};
use crate::report::guard::{Draft, GuardCounts, guard};
use crate::report::label::NORMAL;
use crate::study::Subject;

/// What the baseline says of every image: the sentences that most human reports of a normal
/// chest consist of.
const ALWAYS_NORMAL: [&str; 2] = [
    "The heart is normal in size. The mediastinum is unremarkable. The lungs are clear. \
     There is no pleural effusion or pneumothorax.",
    "No acute cardiopulmonary abnormality.",
];
/// The probabilities that stand for the experts' yes and no: well inside the surest rows.
const YES_AND_NO: [f32; 2] = [0.9, 0.01];

/// Longest time for one text, far above what a writer takes that is of any use.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Who writes.
#[derive(Clone, Copy)]
pub enum Composer<'a> {
    /// The human text itself: how well the labeler reads.
    Human,
    /// "Always the normal report".
    AlwaysNormal,
    /// The grammar, in English.
    Grammar,
    /// A writer bundle, as it drafts.
    NeuralRaw(&'a Writer),
    /// The same, guarded and completed: what a report would say.
    NeuralGuarded(&'a Writer),
}

/// What was written of one image.
#[derive(Debug, Default)]
pub struct Written {
    /// Findings and Impression.
    pub text: [String; 2],
    /// What the guard did.
    pub guard: Option<GuardCounts>,
    /// Tokens that a writer took for it; none where it refused.
    pub tokens: Option<usize>,
}

impl<'a> Composer<'a> {
    /// All, in the order of the report.
    #[must_use]
    pub fn all(writer: Option<&'a Writer>) -> Vec<Self> {
        let neural = writer.into_iter().flat_map(|writer| [Self::NeuralRaw(writer), Self::NeuralGuarded(writer)]);
        [Self::Human, Self::AlwaysNormal, Self::Grammar].into_iter().chain(neural).collect()
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Human => "human (the labeler's own figure)",
            Self::AlwaysNormal => "always normal",
            Self::Grammar => "grammar",
            Self::NeuralRaw(_) => "neural, raw",
            Self::NeuralGuarded(_) => "neural, guarded and completed",
        }
    }

    /// Whether it writes here, so that its time means something.
    #[must_use]
    pub const fn writes(self) -> bool {
        match self {
            Self::Human | Self::AlwaysNormal => false,
            Self::Grammar | Self::NeuralRaw(_) | Self::NeuralGuarded(_) => true,
        }
    }

    /// A report with the labels of `row`, of all `labels`.
    #[must_use]
    pub fn write(self, row: &Row, labels: &[&str]) -> Written {
        let of = |text| Written { text, ..Written::default() };
        match self {
            Self::Human => of([row.findings.clone(), row.impression.clone()]),
            Self::AlwaysNormal => of(ALWAYS_NORMAL.map(str::to_owned)),
            Self::Grammar => of(by_grammar(&sheet(&row.labels, labels))),
            Self::NeuralRaw(writer) => match drafted(writer, &sheet(&row.labels, labels)) {
                Some((parts, tokens)) => Written {
                    text: [parts.findings.join(" "), parts.impression.join(" ")],
                    guard: None,
                    tokens: Some(tokens),
                },
                None => Written::default(),
            },
            Self::NeuralGuarded(writer) => by_writer(writer, &sheet(&row.labels, labels)),
        }
    }
}

fn by_grammar(sheet: &FactSheet) -> [String; 2] {
    let text = compose(sheet, &Voice::clinician(sheet, Language::ENGLISH));
    [text.findings.join(" "), text.impression.join(" ")]
}

fn by_writer(writer: &Writer, sheet: &FactSheet) -> Written {
    let [findings, impression] = by_grammar(sheet);
    let Some((Parts { findings: own, impression: concluded }, tokens)) = drafted(writer, sheet) else {
        return Written { text: [findings, impression], ..Written::default() };
    };
    let guarded = guard(sheet, &Draft { findings: own, impression: concluded });
    let findings = complete(sheet, &Voice::clinician(sheet, Language::ENGLISH), &guarded).join(" ");
    Written { text: [findings, impression], guard: Some(guarded.counts), tokens: Some(tokens) }
}

/// What the writer drafts of `sheet`, and in how many tokens; `None` where it refuses.
fn drafted(writer: &Writer, sheet: &FactSheet) -> Option<(Parts, usize)> {
    let start = Instant::now();
    let given = Sheet {
        format: sheet.format.into(),
        facts: fact_words(sheet, &writer.manifest().sheet.labels),
        question: String::new(),
        image: None,
    };
    let tokens = writer.tokens(&given, &|| start.elapsed() > TIME_LIMIT).ok()?;
    Some((writer.spell(&tokens).ok()?, tokens.len()))
}

/// The fact sheet of an image of which the experts say `expected`: those present, all other
/// `labels` absent. Of more labels than a sheet holds, the last are not assessed.
pub(super) fn sheet(expected: &BTreeSet<String>, labels: &[&str]) -> FactSheet {
    let [yes, no] = YES_AND_NO.map(|p| Probability::try_from(p).expect("a constant below 1"));
    let fact = |label: &&str| {
        let (state, probability) = if expected.contains(*label) { (Band::Present, yes) } else { (Band::Absent, no) };
        Some(Fact {
            label: heapless::String::try_from(*label).ok()?,
            words: label.replace('-', " "),
            code: Code { system: String::new(), code: String::new(), display: String::new() },
            state,
            probability,
            hedge: Hedge::of(state, probability),
            side: None,
            zone: None,
            size_mm: None,
            change: None,
            prevalence: no,
            positives_among_present: yes,
        })
    };
    let facts = Facts {
        format: FORMAT,
        subject: Subject::Patient,
        image: Image { kind: Some(Kind::Radiograph), region: Some(Region::Chest), view: None },
        sex: None,
        age: None,
        asked: heapless::Vec::new(),
        facts: labels.iter().filter(|label| **label != NORMAL).filter_map(fact).take(MAX_FINDINGS).collect(),
        not_assessed: heapless::Vec::new(),
        fitness: heapless::Vec::new(),
        prior: None,
        unread: None,
        bundle: Some(experts()),
    };
    facts.try_into().expect("labels of the labeler's table stand once each, with the hedge of their probability")
}

/// Who says what is in the image: here the experts.
fn experts() -> BundleIdentity {
    BundleIdentity {
        name: "expert labels".to_owned(),
        version: "1".to_owned(),
        title: String::new(),
        intended_use: String::new(),
        forbidden_use: String::new(),
        research_only: true,
        sha256: Digest::of(b""),
    }
}
