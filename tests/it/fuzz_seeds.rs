//! Every fuzz target over its seeds and some thousand seeded mutations of each: what
//! `scripts/fuzz` does for hours with coverage, for seconds and without a C++ compiler.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/seeds");
/// Mutations a target: a second or so each.
const MUTATIONS: usize = 4_000;
/// Numbers at which lengths go wrong.
const EDGES: [u8; 8] = [0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF, 0x0A];

/// xorshift64*: the same mutations on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n.max(1)
    }

    fn mutate(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            let (at, length) = (self.below(bytes.len()), bytes.len());
            match self.below(8) {
                0 | 1 if length > 0 => bytes[at] ^= 1 << self.below(8),
                2 if length > 0 => bytes[at] = EDGES[self.below(EDGES.len())],
                3 if length > 0 => drop(bytes.remove(at)),
                4 => bytes.insert(at.min(length), EDGES[self.below(EDGES.len())]),
                5 => bytes.truncate(at),
                6 => {
                    let from = self.below(other.len());
                    bytes.truncate(at);
                    bytes.extend(&other[from.min(other.len())..]);
                }
                _ => {
                    let until = (at + self.below(32)).min(length);
                    let part = bytes[at.min(until)..until].to_vec();
                    bytes.splice(at.min(length)..at.min(length), part);
                }
            }
        }
        bytes
    }
}

fn seeds(target: &str) -> Vec<PathBuf> {
    crate::site::files_below(&Path::new(SEEDS).join(target))
}

#[test]
fn no_target_fails_on_its_seeds_or_on_mutations_of_them() {
    for (name, target) in targets::TARGETS {
        let seeds: Vec<Vec<u8>> = seeds(name).iter().map(|seed| fs::read(seed).unwrap()).collect();
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
