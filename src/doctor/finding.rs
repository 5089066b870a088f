//! What a check found, and the document that `residentd doctor --json` prints.
//!
//! ```text
//! {"format":"residentd-doctor","version":1,"software":"0.1.0","at":"2026-11-24T10:00:00.123Z",
//!  "clock_synchronised":true,"verdict":"warning",
//!  "checks":[{"name":"clock","state":"ok","what":"…","todo":[],"ms":0}, …]}
//! ```
//! 1. `state` is `ok`, `not-checked`, `warning` or `failed`, in that order of weight; `verdict` is
//!    the heaviest of all, except that what was not checked weighs nothing there.
//! 2. `name` stands once in a document and keeps its meaning; a reader passes over names and
//!    members that it does not know. `version` rises when a meaning changes.
//! 3. `what` and the sentences of `todo` are for people. `todo` is empty where all is well.
//! 4. No patient is in it, no password and no key: only paths, key ids, addresses, counts.

use std::time::Duration;

use serde::Serialize;

use crate::clock::Moment;

/// How a check ended, by weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It could not be looked at; the reason is told.
    NotChecked,
    /// It works, and somebody should do something.
    Warning,
    /// It does not work.
    Failed,
}

/// What one look found; [`Found::and`] puts several into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// How it ended.
    pub state: State,
    /// What was seen.
    pub what: Vec<String>,
    /// What to do, a sentence each.
    pub todo: Vec<String>,
}

impl Found {
    fn new(state: State, what: impl Into<String>, todo: Option<String>) -> Self {
        Self { state, what: vec![what.into()], todo: todo.into_iter().collect() }
    }

    /// As it should be.
    #[must_use]
    pub fn ok(what: impl Into<String>) -> Self {
        Self::new(State::Ok, what, None)
    }

    /// Not looked at, and why.
    #[must_use]
    pub fn not_checked(why: impl Into<String>) -> Self {
        Self::new(State::NotChecked, why, None)
    }

    /// It works, and something should be done.
    #[must_use]
    pub fn warning(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self::new(State::Warning, what, Some(todo.into()))
    }

    /// It does not work, and what to do.
    #[must_use]
    pub fn failed(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self::new(State::Failed, what, Some(todo.into()))
    }

    /// Both: the heavier state, everything that was seen and is to be done.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.state = self.state.max(other.state);
        self.what.extend(other.what);
        self.todo.extend(other.todo.into_iter().filter(|todo| !self.todo.contains(todo)).collect::<Vec<_>>());
        self
    }

    /// All of `found` in one; `None` where there is nothing.
    pub fn all(found: impl IntoIterator<Item = Self>) -> Option<Self> {
        found.into_iter().reduce(Self::and)
    }
}

/// A check by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check.
    pub name: &'static str,
    /// How it ended.
    pub state: State,
    /// What was seen.
    pub what: String,
    /// What to do.
    pub todo: Vec<String>,
    /// How long it took.
    pub ms: u64,
}

impl Finding {
    /// What check `name` found within `took`.
    #[must_use]
    pub fn new(name: &'static str, found: Found, took: Duration) -> Self {
        let Found { state, what, todo } = found;
        Self { name, state, what: what.join("; "), todo, ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX) }
    }
}

/// Everything that was found: the document.
#[derive(Debug, Clone, Serialize)]
pub struct Examination {
    format: &'static str,
    version: u32,
    software: &'static str,
    at: String,
    clock_synchronised: bool,
    /// The heaviest state.
    pub verdict: State,
    /// In the order in which they were made.
    pub checks: Vec<Finding>,
}

impl Examination {
    /// What was found at `at`.
    #[must_use]
    pub fn new(at: Moment, checks: Vec<Finding>) -> Self {
        let heavy = checks.iter().map(|check| check.state).filter(|state| *state != State::NotChecked).max();
        Self {
            format: "residentd-doctor",
            version: 1,
            software: env!("CARGO_PKG_VERSION"),
            at: at.rfc3339(),
            clock_synchronised: at.synchronised,
            verdict: heavy.unwrap_or(State::Ok),
            checks,
        }
    }

    /// The same with one check more, of what only a command knows.
    #[must_use]
    pub fn with(mut self, finding: Finding) -> Self {
        if finding.state != State::NotChecked {
            self.verdict = self.verdict.max(finding.state);
        }
        self.checks.push(finding);
        self
    }

    /// Those that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Finding> {
        self.checks.iter().filter(|check| check.state == State::Failed)
    }

    /// The document.
    ///
    /// # Panics
    /// Never: texts and numbers are JSON.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers are JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_state_is_the_verdict_and_what_was_not_checked_weighs_nothing() {
        let at = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
        let finding = |found| Finding::new("x", found, Duration::ZERO);
        let of = |found: Vec<Found>| Examination::new(at, found.into_iter().map(finding).collect()).verdict;
        assert_eq!(of(vec![Found::ok("a"), Found::not_checked("b")]), State::Ok);
        assert_eq!(of(vec![Found::warning("a", "do"), Found::not_checked("b")]), State::Warning);
        assert_eq!(of(vec![Found::failed("a", "do"), Found::warning("b", "do")]), State::Failed);
    }

    #[test]
    fn looks_are_put_together_and_no_advice_is_said_twice() {
        let both = Found::failed("a", "do").and(Found::warning("b", "do")).and(Found::ok("c"));
        assert_eq!(
            both,
            Found { state: State::Failed, what: vec!["a".into(), "b".into(), "c".into()], todo: vec!["do".into()] }
        );
    }

    #[test]
    fn the_document_is_what_its_description_says() {
        let at = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
        let checks = vec![Finding::new("clock", Found::warning("late", "set it"), Duration::from_millis(3))];
        let document: serde_json::Value = serde_json::from_str(&Examination::new(at, checks).json()).unwrap();
        let expected = serde_json::json!({
            "format": "residentd-doctor", "version": 1, "software": env!("CARGO_PKG_VERSION"),
            "at": "2027-01-15T08:00:00Z", "clock_synchronised": true, "verdict": "warning",
            "checks": [{"name": "clock", "state": "warning", "what": "late", "todo": ["set it"], "ms": 3}],
        });
        assert_eq!(document, expected);
    }
}
