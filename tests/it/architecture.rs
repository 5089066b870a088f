//! The cut of the program, held by a test: the module table is true, edges stay edges,
//! vendors are named where they live.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every Rust file below `src` that ships, by its path from there: files that only
/// tests include (`#[cfg(test)] mod name;` beside or above them) are left out.
fn sources() -> BTreeMap<String, String> {
    let all = files();
    let test_only: Vec<String> = all
        .iter()
        .flat_map(|(file, text)| {
            let home = file.strip_suffix("/mod.rs").or(file.strip_suffix(".rs")).unwrap().to_owned();
            let declared = text.split("#[cfg(test)]\n").skip(1).filter_map(|rest| {
                let line = rest.lines().next()?.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
                Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
            });
            declared.map(move |name| format!("{home}/{name}")).collect::<Vec<_>>()
        })
        .collect();
    let in_tests =
        |file: &str| test_only.iter().any(|t| file.strip_prefix(t).is_some_and(|r| r.starts_with(['.', '/'])));
    all.into_iter().filter(|(file, _)| !in_tests(file)).collect()
}

/// Every Rust file below `src`, by its path from there.
fn files() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![Path::new(ROOT).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(Path::new(ROOT).join("src")).unwrap().display().to_string();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The module that a file belongs to: `store/mod.rs` and `store.rs` are `store`.
fn module(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// The part of a file that ships: what stands before its tests.
fn shipped(text: &str) -> &str {
    let tests = |at: &usize| text[*at..].lines().nth(1).is_some_and(|l| l.contains("mod ") && l.ends_with('{'));
    let start = text.match_indices("#[cfg(test)]\n").map(|(at, _)| at).find(tests);
    &text[..start.unwrap_or(text.len())]
}

#[test]
fn the_module_table_in_lib_rs_names_every_module_and_no_other() {
    let lib = fs::read_to_string(PathBuf::from(ROOT).join("src/lib.rs")).unwrap();
    let row = |line: &str| Some(line.strip_prefix("//! | `")?.split('`').next()?.to_owned());
    let mut table: Vec<String> = lib.lines().filter_map(row).collect();
    let mut modules: Vec<String> =
        lib.lines().filter_map(|l| Some(l.strip_prefix("pub mod ")?.trim_end_matches(';').to_owned())).collect();
    table.sort();
    modules.sort();
    assert_eq!(table, modules);
}

#[test]
fn every_file_says_what_it_is_for() {
    for (file, text) in sources() {
        assert!(text.starts_with("//! "), "src/{file} must open with a module comment");
    }
}

/// Which of our modules each module may use. `reader` and `daemon` know everything
/// that they compose; the rest know what they consume.
const MAY_USE: &[(&str, &[&str])] = &[
    ("acceptance", &["digest", "seal"]),
    ("audit", &["clock", "digest", "instance", "os", "seal"]),
    ("board", &["os"]),
    ("clock", &[]),
    ("collect", &["audit", "clock", "digest", "mqtt", "os", "seal"]),
    ("config", &["digest", "instance", "language"]),
    ("deliver", &["instance"]),
    ("digest", &[]),
    (
        "doctor",
        &[
            "audit", "board", "clock", "config", "daemon", "deliver", "ingest", "instance", "models", "mqtt", "os",
            "phantom", "publish", "reader", "seal", "store",
        ],
    ),
    ("evaluate", &["digest", "infer", "language", "os", "reader", "report", "study"]),
    ("infer", &["digest", "preprocess", "study"]),
    ("ingest", &["audit", "clock", "config", "digest", "instance", "os", "pulse", "store"]),
    ("instance", &["digest"]),
    ("language", &[]),
    ("models", &["clock", "digest", "infer", "os", "seal", "store"]),
    ("mqtt", &["clock", "config", "os"]),
    ("os", &["clock"]),
    ("phantom", &["digest", "instance"]),
    ("pixels", &["digest", "report"]),
    ("preprocess", &["pixels"]),
    ("publish", &["audit", "clock", "config", "digest", "mqtt", "os", "pulse", "seal", "store"]),
    ("pulse", &[]),
    ("quality", &["digest", "infer", "preprocess", "study"]),
    ("receive", &[]),
    ("report", &["clock", "config", "digest", "infer", "instance", "language", "quality", "study"]),
    ("seal", &["clock", "digest", "os", "report", "store", "study"]),
    ("store", &["clock", "digest", "instance", "os"]),
    ("study", &["instance"]),
];

#[test]
fn a_module_uses_only_what_the_architecture_allows() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    for (file, text) in sources() {
        let Some(allowed) = allowed.get(module(&file)) else {
            assert!(["cli", "daemon", "lib", "main", "reader"].contains(&module(&file)), "say what src/{file} may use");
            continue;
        };
        for used in shipped(&text).split("crate::").skip(1).map(|rest| module(rest.split(':').next().unwrap())) {
            let used = used.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap();
            assert!(used == module(&file) || allowed.contains(&used), "src/{file} may not use {used}");
        }
    }
}

/// Crates that are colleagues: each is named below one path only.
const AT_HOME: &[(&str, &[&str])] = &[
    (
        "tract_onnx",
        &["infer/model.rs", "infer/model/", "infer/int8/import.rs", "infer/writer/graph.rs", "infer/writer/product.rs"],
    ),
    ("tract_core", &["infer/model.rs", "infer/model/"]),
    ("fluent_bundle", &["language/dictionary.rs"]),
    ("unic_langid", &["language/dictionary.rs"]),
    ("tokenizers", &["infer/writer/vocabulary.rs"]),
    // `os` registers the file system on which the store is watched and made to fail.
    ("rusqlite", &["store/", "os/disk/sqlite.rs", "collect/sqlite.rs"]),
    ("rumqttc", &["mqtt/link.rs", "receive.rs", "cli/mod.rs"]),
    ("rumqttd", &["publish/broker.rs", "cli/mod.rs"]),
    ("ed25519_dalek", &["seal/"]),
    ("landlock::", &["os/"]),
    ("seccompiler", &["os/"]),
    ("libc::", &["os/"]),
    ("dicom_ul", &["ingest/", "deliver.rs"]),
    ("dicom_pixeldata", &["pixels/"]),
    ("sd_notify", &["cli/run.rs"]),
    // The one wall clock; everything else is handed a `Moment`.
    ("SystemTime", &["os/"]),
    ("clap::", &["cli/"]),
    ("anyhow", &["cli/"]),
    ("unsafe {", &["os/", "infer/int8/kernel/"]),
];

#[test]
fn a_vendor_crate_is_named_only_where_it_lives() {
    for (file, text) in sources() {
        for (vendor, homes) in AT_HOME {
            let named =
                shipped(&text).lines().any(|line| !line.trim_start().starts_with("//") && line.contains(vendor));
            assert!(!named || homes.iter().any(|home| file.starts_with(home)), "src/{file} names {vendor}");
        }
    }
}

#[test]
fn main_is_at_most_forty_lines() {
    assert!(sources()["main.rs"].lines().count() <= 40);
}
