//! Comparing two readings of one patient: what changed, and when nothing may be said.
//!
//! A change is said only where both states carry it. What was or is uncertain changes into
//! nothing sure; a probability that moved inside its band is no change; larger and smaller
//! need two sizes. Wherever the rules below are silent, so is the report.

use serde::{Deserialize, Serialize};

use super::facts::{Change, Day, Fact, Facts, Hedge, Image, Label, Side, SizeMm};
use crate::clock::Moment;
use crate::infer::findings::{Band, MAX_FINDINGS};
use crate::study::{Sex, Study, Subject};

/// A diameter changed where it did by more than both, as RECIST 1.1 has it for progression:
/// less is how two hands measure one thing.
const CHANGED_MM: u16 = 5;
const CHANGED_PERCENT: u32 = 20;
/// How far the ages on two images may contradict the days between them: Patient's Age is in
/// completed years, and birthdays lie between.
const AGE_SLACK_YEARS: f32 = 1.5;
/// Mean Gregorian year.
const DAYS_PER_YEAR: f32 = 365.2425;
/// Patient IDs that stand for nobody in particular.
const NOBODY: [&str; 14] = [
    "UNKNOWN",
    "UNK",
    "NONE",
    "NULL",
    "N/A",
    "NA",
    "ANON",
    "ANONYMOUS",
    "ANONYMIZED",
    "TEST",
    "PATIENT",
    "EMERGENCY",
    "TRAUMA",
    "TEMP",
];

/// What is kept of a reading for later ones, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    sex: Option<Sex>,
    age_years: Option<f32>,
    seen: heapless::Vec<Seen, MAX_FINDINGS>,
}

/// One finding as it was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    label: Label,
    hedge: Hedge,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    side: Option<Side>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size_mm: Option<SizeMm>,
}

/// What an image must have to be compared at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'a> {
    /// Patient ID (0010,0020) of somebody in particular.
    pub patient_id: &'a str,
    /// Issuer of Patient ID (0010,0021).
    pub issuer: Option<&'a str>,
    /// Study Instance UID (0020,000D).
    pub study: &'a str,
    /// Kind of image, region and view, all known.
    pub image: [&'static str; 3],
    /// When it was taken: the header's day, or the day on which it came in by a clock that was
    /// believed. A day that nobody vouches for orders nothing.
    pub day: Day,
    /// The moment, where the header states its time zone.
    pub unix_ms: Option<i64>,
}

impl<'a> Place<'a> {
    /// Of the image with header `study` that came in at `received`; `None` where something
    /// is missing, or where it is a test object's.
    #[must_use]
    pub fn of(study: &'a Study, received: Moment) -> Option<Self> {
        if study.subject == Subject::TestObject {
            return None;
        }
        let Image { kind: Some(kind), region: Some(region), view: Some(view) } = Image::of(study) else { return None };
        let stated = study.started.as_deref().and_then(|started| started.get(..10)?.parse().ok());
        let arrived = || received.synchronised.then(|| received.rfc3339().get(..10)?.parse().ok())?;
        Some(Self {
            patient_id: study.patient_id.as_deref().filter(|id| !is_nobody(id))?,
            issuer: study.patient_id_issuer.as_deref(),
            study: study.study_instance_uid.as_ref()?.as_str(),
            image: [kind.id(), region.id(), view.id()],
            unix_ms: study.started.as_deref().and_then(instant),
            day: stated.or_else(arrived)?,
        })
    }
}

/// True for what modalities send where nobody typed an identifier in: such a number would
/// make one patient of many.
fn is_nobody(id: &str) -> bool {
    let mut letters = id.chars().filter(char::is_ascii_alphanumeric);
    let first = letters.next();
    letters.all(|letter| Some(letter) == first) || NOBODY.iter().any(|nobody| id.eq_ignore_ascii_case(nobody))
}

/// The moment of a FHIR `dateTime` with time and zone.
fn instant(started: &str) -> Option<i64> {
    let at = time::OffsetDateTime::parse(started, &time::format_description::well_known::Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

impl Kept {
    /// Of a reading: its facts, and its header.
    #[must_use]
    pub fn of(facts: &Facts, study: &Study) -> Self {
        Self { sex: study.sex, age_years: study.age.years(), seen: facts.facts.iter().map(Seen::of).collect() }
    }

    /// What changed from this reading, of day `before`, to `now`, of day `day`. `None` where
    /// the two cannot be of one person.
    #[must_use]
    pub fn changes(&self, before: &Day, now: &Self, day: &Day) -> Option<heapless::Vec<(Label, Change), MAX_FINDINGS>> {
        if !self.is_perhaps_of(before, now, day) {
            return None;
        }
        let change = |seen: &Seen| {
            let prior = self.seen.iter().find(|prior| prior.label == seen.label)?;
            Some((seen.label.clone(), change(prior, seen)?))
        };
        Some(now.seen.iter().filter_map(change).collect())
    }

    /// A wrong Patient ID is the commonest error at a modality: sex and age must not contradict.
    fn is_perhaps_of(&self, before: &Day, now: &Self, day: &Day) -> bool {
        let other_sex = self.sex.zip(now.sex).is_some_and(|(before, now)| before != now);
        let years = days_between(before, day) as f32 / DAYS_PER_YEAR;
        let other_age = self.age_years.zip(now.age_years);
        !other_sex && other_age.is_none_or(|(before, now)| (now - before - years).abs() <= AGE_SLACK_YEARS)
    }
}

/// Days from one to the other.
fn days_between(before: &Day, day: &Day) -> i32 {
    let number = |day: &Day| {
        time::Date::parse(day.as_str(), time::macros::format_description!("[year]-[month]-[day]"))
            .map_or(0, time::Date::to_julian_day)
    };
    number(day) - number(before)
}

impl Seen {
    fn of(fact: &Fact) -> Self {
        Self { label: fact.label.clone(), hedge: fact.hedge, side: fact.side, size_mm: fact.size_mm }
    }
}

fn change(prior: &Seen, now: &Seen) -> Option<Change> {
    let elsewhere = prior.side.zip(now.side).is_some_and(|(before, now)| before != now);
    match (prior.hedge, now.hedge) {
        // "No sign of" before: what there is now, or may be in the words of its hedge, is new.
        (Hedge::NoSign, now) if now.band() != Band::Absent => Some(Change::New),
        // Present before: gone only where there is no sign left.
        (prior, Hedge::NoSign) if prior.band() == Band::Present => Some(Change::Resolved),
        (prior, now) if prior.band() != now.band() || now.band() == Band::Absent || elsewhere => None,
        (before, _) if before.band() == Band::Present => Some(size(prior.size_mm, now.size_mm)),
        // As uncertain as it was.
        _ => Some(Change::Unchanged),
    }
}

fn size(before: Option<SizeMm>, now: Option<SizeMm>) -> Change {
    let Some((before, now)) = before.zip(now).map(|(before, now)| (u16::from(before), u16::from(now))) else {
        return Change::Unchanged;
    };
    let by = before.abs_diff(now);
    if by <= CHANGED_MM || u32::from(by) * 100 <= u32::from(before) * CHANGED_PERCENT {
        Change::Unchanged
    } else if now > before {
        Change::Larger
    } else {
        Change::Smaller
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(label: &str, hedge: Hedge, size_mm: Option<u16>) -> Seen {
        let size_mm = size_mm.map(|mm| mm.try_into().unwrap());
        Seen { label: label.try_into().unwrap(), hedge, side: None, size_mm }
    }

    fn kept(seen: impl IntoIterator<Item = Seen>) -> Kept {
        Kept { sex: Some(Sex::Female), age_years: Some(60.0), seen: seen.into_iter().collect() }
    }

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn changed(before: Seen, now: Seen) -> Option<Change> {
        let (first, second) = (day("2026-01-02"), day("2026-03-04"));
        let changes = kept([before]).changes(&first, &kept([now]), &second).unwrap();
        changes.first().map(|(_, change)| *change)
    }

    #[test]
    fn every_pair_of_hedges_says_a_change_only_where_both_states_carry_it() {
        for before in Hedge::ALL {
            for now in Hedge::ALL {
                let expected = match (before.band(), now.band()) {
                    (Band::Present, Band::Present) | (Band::Uncertain, Band::Uncertain) => Some(Change::Unchanged),
                    (Band::Absent, Band::Present | Band::Uncertain) if before == Hedge::NoSign => Some(Change::New),
                    (Band::Present, Band::Absent) if now == Hedge::NoSign => Some(Change::Resolved),
                    _ => None,
                };
                assert_eq!(changed(seen("x", before, None), seen("x", now, None)), expected, "{before:?} {now:?}");
            }
        }
    }

    #[test]
    fn a_finding_that_was_not_assessed_before_has_no_change() {
        assert_eq!(changed(seen("effusion", Hedge::NoSign, None), seen("edema", Hedge::Likely, None)), None);
    }

    #[test]
    fn larger_and_smaller_need_two_sizes_and_more_than_two_hands_differ() {
        let sized = |before, now| changed(seen("x", Hedge::Likely, before), seen("x", Hedge::Suspected, now)).unwrap();
        assert_eq!(sized(Some(20), Some(26)), Change::Larger);
        assert_eq!(sized(Some(26), Some(20)), Change::Smaller);
        assert_eq!(sized(Some(20), Some(25)), Change::Unchanged);
        assert_eq!(sized(Some(100), Some(119)), Change::Unchanged);
        for (before, now) in [(None, Some(90)), (Some(90), None), (None, None)] {
            assert_eq!(sized(before, now), Change::Unchanged);
        }
        let uncertain = changed(seen("x", Hedge::Possible, Some(9)), seen("x", Hedge::Possible, Some(90)));
        assert_eq!(uncertain, Some(Change::Unchanged), "a size of what may not be there is no growth");
    }

    #[test]
    fn the_same_word_on_the_other_side_is_another_finding() {
        let on = |side| Seen { side: Some(side), ..seen("effusion", Hedge::Likely, None) };
        assert_eq!(changed(on(Side::Left), on(Side::Right)), None);
        assert_eq!(changed(on(Side::Left), on(Side::Left)), Some(Change::Unchanged));
    }

    #[test]
    fn a_prior_of_another_sex_or_age_is_nobodys() {
        let (first, second) = (day("2020-01-02"), day("2026-01-02"));
        let before = kept([seen("x", Hedge::NoSign, None)]);
        let now = |sex, age_years| Kept { sex, age_years, ..kept([seen("x", Hedge::Likely, None)]) };
        let compared = |now: Kept| before.changes(&first, &now, &second).is_some();
        assert!(compared(now(Some(Sex::Female), Some(66.0))));
        assert!(compared(now(None, None)));
        assert!(compared(now(Some(Sex::Female), Some(65.0))));
        assert!(!compared(now(Some(Sex::Male), Some(66.0))));
        assert!(!compared(now(Some(Sex::Female), Some(60.0))));
    }

    #[test]
    fn what_stands_where_nobody_typed_an_identifier_is_nobody() {
        for id in ["0", "00000", "999-999", "XXXX", "----", "unknown", "Anonymous", "N/A", "1"] {
            assert!(is_nobody(id), "{id}");
        }
        for id in ["10", "PAT-4711", "2024001", "A1"] {
            assert!(!is_nobody(id), "{id}");
        }
    }

    #[test]
    fn what_is_kept_is_the_same_after_json_and_refuses_what_it_does_not_know() {
        let kept = kept([seen("effusion", Hedge::Likely, Some(12)), seen("edema", Hedge::NoSign, None)]);
        let json = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Kept>(&json).unwrap(), kept);
        assert!(serde_json::from_str::<Kept>(&json.replacen("likely", "surely", 1)).is_err());
    }
}
