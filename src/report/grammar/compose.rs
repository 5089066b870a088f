//! The clinician's text of a sheet in one language: Findings, Impression, and what this
//! draft is and is not.

use super::say::capital;
use super::{Share, Voice, plan};
use crate::infer::findings::BundleIdentity;
use crate::report::facts::{Facts, clean};
use crate::report::guard::Guarded;
use crate::report::reading::Text;
use crate::study::Subject;

/// Writes the text of `sheet` in the words of `voice`.
#[must_use]
pub fn compose(sheet: &Facts, voice: &Voice) -> Text {
    let say = |statements: Vec<_>| statements.iter().map(|statement| voice.say(statement)).collect();
    Text {
        findings: say(plan::findings(sheet)),
        impression: say(plan::impression(sheet)),
        disclaimer: disclaimer(sheet, voice),
    }
}

/// The Findings with the sentences that the guard kept of a draft: they stand for what is
/// said of how sure their facts are, and the grammar says all the rest.
#[must_use]
pub fn complete(sheet: &Facts, voice: &Voice, guarded: &Guarded) -> Vec<String> {
    let said = plan::findings(sheet);
    let opening = said.iter().take_while(|s| plan::is_opening(s)).count();
    let rest = said[opening..].iter().filter_map(|statement| plan::without(statement, &guarded.spoken));
    let opening = said[..opening].iter().map(|statement| voice.say(statement));
    opening.chain(guarded.sentences.iter().cloned()).chain(rest.map(|statement| voice.say(&statement))).collect()
}

fn disclaimer(sheet: &Facts, voice: &Voice) -> Vec<String> {
    let say = |id: &str| voice.language.say(id, &[]);
    let is_test = sheet.subject == Subject::TestObject;
    let test = if sheet.bundle.is_some() { "test-reading" } else { "unread-test" };
    let mut said: Vec<String> = is_test.then(|| say(test)).into_iter().collect();
    if let Some(bundle) = &sheet.bundle {
        said.extend(of_bundle(sheet, bundle, voice));
    } else {
        said.extend([say("unread-notice"), say("unread-not-diagnosis")]);
    }
    said.push(say("review-note"));
    said
}

fn of_bundle(sheet: &Facts, bundle: &BundleIdentity, voice: &Voice) -> Vec<String> {
    let say = |id: &str, arguments: &[(&str, &str)]| voice.language.say(id, arguments);
    let (name, version) = (clean(&bundle.name), clean(&bundle.version));
    let mut said = vec![say("draft", &[("name", &name), ("version", &version)]), say("not-diagnosis", &[])];
    said.extend(calibration(sheet, voice));
    let use_ = clean(&bundle.intended_use);
    if !use_.is_empty() {
        said.push(say("intended-use", &[("text", &use_)]));
    }
    if bundle.research_only {
        said.push(say("research-only", &[]));
    }
    said.iter().map(|sentence| capital(sentence)).collect()
}

/// How common the findings were where the probabilities come from: they hold only there.
fn calibration(sheet: &Facts, voice: &Voice) -> Option<String> {
    let item = |fact: &crate::report::facts::Fact| {
        let share = voice.share(Share::of(fact.prevalence));
        voice.language.say("calibrated-item", &[("share", &share), ("finding", voice.names.label(&fact.label))])
    };
    let items: Vec<String> = sheet.facts.iter().map(item).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let list = voice.list(&items, "list-comma", "list-and");
    (!items.is_empty()).then(|| voice.language.say("calibrated", &[("list", &list)]))
}
