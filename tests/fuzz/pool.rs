//! The inputs that are worth changing: the seeds of a target, and whatever reached
//! something new. Kept beside the build, so that the next run goes on from there.

use std::fs;
use std::path::{Path, PathBuf};

use residentd::digest::Digest;

use crate::random::Random;

/// Inputs that are kept in memory, and their bytes in all.
const MOST: usize = 20_000;
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// Inputs.
#[derive(Default)]
pub struct Pool {
    inputs: Vec<Vec<u8>>,
    bytes: usize,
}

impl Pool {
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Takes an input in, while there is room.
    pub fn add(&mut self, input: Vec<u8>) {
        if self.inputs.len() < MOST && self.bytes + input.len() <= MOST_BYTES {
            self.bytes += input.len();
            self.inputs.push(input);
        }
    }

    /// One of them; the newer a little more often, which are nearer to what is not reached yet.
    pub fn pick(&self, random: &mut Random) -> &[u8] {
        let all = self.inputs.len() as u64;
        let newest = all.min(64);
        let at = if random.below(3) == 0 { all - 1 - random.below(newest) } else { random.below(all) };
        self.inputs.get(usize::try_from(at).expect("an index")).map_or(&[], Vec::as_slice)
    }
}

/// The seeds of `target`, in order of their names.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target))
}

/// The files in `folder`, in order of their names; none where there is no folder.
pub fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths.into_iter().filter(|path| path.is_file()).filter_map(|path| fs::read(path).ok()).collect()
}

/// Keeps `input` in `folder` under a name that is its own.
pub fn keep(folder: &Path, prefix: &str, input: &[u8]) -> PathBuf {
    let name: String = Digest::of(input).to_string().chars().take(16).collect();
    let path = folder.join(format!("{prefix}{name}"));
    let kept = fs::create_dir_all(folder).and_then(|()| fs::write(&path, input));
    kept.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    path
}

/// Words that stand in `seeds`: names of keys and values, which no blind change would spell.
pub fn words(seeds: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let mut words: Vec<Vec<u8>> = Vec::new();
    for seed in seeds.iter().filter(|seed| std::str::from_utf8(seed).is_ok()) {
        let found = seed.split(|byte| !is_word(byte)).filter(|word| (2..=40).contains(&word.len()));
        words.extend(found.map(<[u8]>::to_vec));
    }
    words.sort();
    words.dedup();
    words
}
