//! Seeded damage to a seed, for the runs that have no coverage to be guided by.

use std::fs;
use std::path::Path;

/// Numbers at which lengths go wrong.
const EDGES: [u8; 8] = [0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF, 0x0A];

/// xorshift64*: the same mutations on every machine.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `n`, or 0.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n.max(1)
    }

    /// `seed` with up to five wounds; some are grafts from `other`.
    pub fn mutate(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
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

/// The seeds of `target`.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().filter(|file| file.is_file()).map(|file| fs::read(file).unwrap()).collect()
}
