//! Completing what was kept: the grammar says whatever no kept sentence says.

use super::super::facts::{FactSheet, Label};
use super::super::grammar::{Statement, Voice, plan};
use super::Guarded;

/// The Findings of `sheet`: what opens them, then the kept sentences, then the grammar's on
/// every fact that those do not speak of. The Impression is the grammar's alone.
#[must_use]
pub fn complete(sheet: &FactSheet, guarded: &Guarded, voice: &Voice) -> Vec<String> {
    let statements = plan::findings(sheet);
    let opens = |statement: &Statement| {
        matches!(statement, Statement::TestImage | Statement::Image(_) | Statement::Compared(_) | Statement::NotRead)
    };
    let behind = statements.iter().position(|statement| !opens(statement)).unwrap_or(statements.len());
    let (opening, rest) = statements.split_at(behind);
    let said = opening.iter().map(|statement| voice.say(statement));
    let rest = rest.iter().filter_map(|statement| left(statement, guarded)).map(|statement| voice.say(&statement));
    said.chain(guarded.sentences.iter().cloned()).chain(rest).collect()
}

/// What of `statement` no kept sentence says.
fn left(statement: &Statement, guarded: &Guarded) -> Option<Statement> {
    let is_spoken = |label: &Label| guarded.spoken.contains(label);
    match statement {
        Statement::Hedged(spot, ..) if is_spoken(&spot.label) => None,
        Statement::NoSign(findings) => {
            let left: Vec<_> = findings.iter().filter(|(label, _)| !is_spoken(label)).cloned().collect();
            (!left.is_empty()).then_some(Statement::NoSign(left))
        }
        other => Some(other.clone()),
    }
}
