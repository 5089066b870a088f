//! Which label of the index answers which finding of the bundle.
//!
//! The names must agree, or the finding's last word must be the label (`effusion` for
//! `pleural-effusion`); a finding that means any disorder is answered by each label but
//! `normal`. How each was matched is written down beside every figure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::index::normal;

/// Findings that mean that something is not normal, whatever it is.
const ANY_DISORDER: [&str; 1] = ["lung-disorder"];
/// The label of an image on which nothing is.
const NORMAL: &str = "normal";
/// By the label that is not there.
const ANYTHING_BUT: &str = "anything but this label";

/// A finding and the label that it is held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Match {
    /// The bundle's finding.
    pub finding: String,
    /// The index's label, normalised.
    pub label: String,
    /// By which rule they were matched.
    pub by: &'static str,
}

impl Match {
    /// Whether an image with `labels` has the finding.
    #[must_use]
    pub fn holds(&self, labels: &[&str]) -> bool {
        labels.contains(&self.label.as_str()) != (self.by == ANYTHING_BUT)
    }
}

/// The match of each of `findings` among the `labels` of an index.
///
/// # Errors
/// The first finding that no label answers.
pub fn matched<'a>(
    findings: impl Iterator<Item = &'a str>,
    labels: &BTreeMap<String, usize>,
) -> Result<Vec<Match>, &'a str> {
    findings
        .map(|finding| {
            let name = normal(finding);
            let last = name.rsplit('-').next().unwrap_or_default();
            let candidates = [(name.as_str(), "name"), (last, "last word")];
            let named = candidates.into_iter().find(|(label, _)| labels.contains_key(*label));
            let negated = ANY_DISORDER.contains(&name.as_str()) && labels.contains_key(NORMAL);
            let (label, by) = named.or(negated.then_some((NORMAL, ANYTHING_BUT))).ok_or(finding)?;
            Ok(Match { finding: finding.to_owned(), label: label.to_owned(), by })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_disorder_is_every_label_but_normal() {
        let found: BTreeMap<String, usize> = ["normal", "covid"].map(|n| (n.to_owned(), 1)).into();
        let [m] = matched(["lung-disorder"].into_iter(), &found).unwrap().try_into().unwrap();
        assert!(m.holds(&["covid", "consolidation"]) && !m.holds(&["normal"]));
        assert_eq!(matched(["mass"].into_iter(), &found), Err("mass"));
        let named: BTreeMap<String, usize> = [("lung-disorder".to_owned(), 1)].into();
        let [m] = matched(["lung-disorder"].into_iter(), &named).unwrap().try_into().unwrap();
        assert!(m.holds(&["lung-disorder"]) && !m.holds(&["normal"]));
    }

    #[test]
    fn a_finding_is_matched_by_name_before_last_word_or_not_at_all() {
        let labels = |names: &[&str]| names.iter().map(|n| (normal(n), 1)).collect::<BTreeMap<_, _>>();
        let found = labels(&["Effusion", "pleural_effusion", "edema"]);
        let matches = matched(["pleural-effusion", "pulmonary-edema"].into_iter(), &found).unwrap();
        assert_eq!((matches[0].label.as_str(), matches[0].by), ("pleural-effusion", "name"));
        assert_eq!((matches[1].label.as_str(), matches[1].by), ("edema", "last word"));
        assert_eq!(matched(["edema", "mass"].into_iter(), &found), Err("mass"));
    }
}
