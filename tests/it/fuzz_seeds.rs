//! Every fuzz target over its seeds and some thousand seeded mutations of each: what
//! `scripts/fuzz` does for hours with coverage, for seconds and without a C++ compiler.

#[path = "../fuzz/src/mutation.rs"]
mod mutation;
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use mutation::Dice;

/// Mutations a target: a second or so each.
const MUTATIONS: usize = 4_000;
#[test]
fn no_target_fails_on_its_seeds_or_on_mutations_of_them() {
    for (name, target) in targets::TARGETS {
        let seeds = mutation::seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        let mutants = (0..MUTATIONS).map(|n| {
            let other = dice.below(seeds.len());
            dice.mutate(&seeds[n % seeds.len()], &seeds[other])
        });
        for bytes in seeds.clone().into_iter().chain(mutants) {
            if catch_unwind(AssertUnwindSafe(|| target(&bytes))).is_err() {
                let file = std::env::temp_dir().join(format!("residentd-fuzz-{name}"));
                fs::write(&file, &bytes).unwrap();
                panic!("target {name} fails on {} bytes, kept as {}", bytes.len(), file.display());
            }
        }
    }
}

#[test]
fn each_target_has_a_binary_for_libfuzzer_and_the_other_way_round() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/targets");
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut files: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| stem(entry.unwrap().path())).collect();
    let mut names: Vec<String> = targets::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    files.sort();
    names.sort();
    assert_eq!(files, names);
}
