//! What of a configuration may change under a running daemon, and what a new file changes.

use serde_json::Value;

use super::{Configuration, File};

/// Keys, and sections, that a reload applies, as the head of the shipped file says too. All
/// others were taken for good at the start: sockets, threads, keys, the walls around the
/// process, who this box is.
pub const RELOADABLE: [&str; 9] = [
    "dicom.allow_addresses",
    "dicom.allow_calling",
    "dicom.idle_s",
    "dicom.instance_s",
    "dicom.max_dataset_mib",
    "dicom.min_free_mib",
    "report",
    "retention.image_days",
    "retention.image_min_days",
];

/// How two configurations differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Keys that a reload applies.
    pub reloadable: Vec<String>,
    /// Keys that only a start takes.
    pub fixed: Vec<String>,
}

impl Configuration {
    /// What `new` says otherwise, defaults counted as if they were written.
    #[must_use]
    pub fn change_to(&self, new: &Self) -> Change {
        let leaves = |file: &File| {
            let mut leaves = Vec::new();
            collect(&serde_json::to_value(file).unwrap_or_default(), String::new(), &mut leaves);
            leaves
        };
        let (old, new) = (leaves(&self.file), leaves(&new.file));
        let gone_or_other = old.iter().filter(|leaf| !new.contains(leaf));
        let come_or_other = new.iter().filter(|leaf| !old.contains(leaf));
        let mut keys: Vec<String> = gone_or_other.chain(come_or_other).map(|(key, _)| key.clone()).collect();
        keys.sort();
        keys.dedup();
        let (reloadable, fixed) = keys.into_iter().partition(|key| is_reloadable(key));
        Change { reloadable, fixed }
    }
}

fn is_reloadable(key: &str) -> bool {
    RELOADABLE.iter().any(|known| key.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// Every value that is no table, by its dotted key; what is not set is not there.
fn collect(value: &Value, key: String, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (name, member) in members {
                let inner = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                collect(member, inner, leaves);
            }
        }
        _ => leaves.push((key, value.clone())),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const SHIPPED: &str = include_str!("../../systemd/residentd.toml");

    fn parsed(text: &str) -> Configuration {
        Configuration::parse(text, Path::new("/etc/residentd/residentd.toml")).unwrap()
    }

    fn change(from: &str, to: &str) -> Change {
        assert!(SHIPPED.contains(from), "the shipped file lost {from}");
        parsed(SHIPPED).change_to(&parsed(&SHIPPED.replacen(from, to, 1)))
    }

    #[test]
    fn who_may_send_can_be_reloaded_and_who_we_are_cannot() {
        let allowed = change("# allow_calling = []", "allow_calling = [\"CART\"]");
        assert_eq!(allowed, Change { reloadable: vec!["dicom.allow_calling".into()], fixed: vec![] });
        let renamed = change("name = \"cart-1\"", "name = \"cart-2\"");
        assert_eq!(renamed, Change { reloadable: vec![], fixed: vec!["device.name".into()] });
    }

    #[test]
    fn a_section_that_comes_or_goes_is_a_change_of_its_keys_and_a_comment_is_none() {
        let broker = change("# [broker]", "[broker]");
        assert_eq!(broker.fixed, ["broker.listen"]);
        let language = change("# [report]\n", "[report]\nlanguage = \"fr\"\n");
        assert_eq!((language.reloadable, language.fixed), (vec!["report.language".into()], vec![]));
        assert_eq!(change("# port = 1883", "port = 1883 # the default"), Change::default());
    }

    #[test]
    fn the_shipped_file_says_what_can_be_reloaded() {
        let head: String = SHIPPED.lines().take_while(|line| line.starts_with('#')).collect();
        for key in RELOADABLE {
            assert!(head.contains(key), "{key} is missing in the head of systemd/residentd.toml");
        }
    }
}
