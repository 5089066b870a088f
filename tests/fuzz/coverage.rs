//! Which code an execution reached: LLVM's inline 8-bit counters, one an edge, where
//! residentd was compiled with them (`tests/fuzz/instrument`). Without them there is no
//! coverage, and nothing here says otherwise.
#![expect(unsafe_code, reason = "LLVM hands its counters over as two addresses, to a function of this name")]

use std::slice;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Every counter of the program, in words of eight.
static COUNTERS: OnceLock<&'static [AtomicU64]> = OnceLock::new();

/// Called by the constructor of each instrumented object, each time with the same two ends.
// SAFETY: no other item of this program has the name, which is LLVM's for this purpose.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
    COUNTERS.get_or_init(|| {
        let length = (stop as usize).saturating_sub(start as usize);
        // SAFETY: LLVM's contract: `start..stop` is one section of counters of this program,
        // writable, and there for as long as it runs. It is touched by the instrumented code
        // and, as atomics, from here; a count that is lost between the two costs nothing.
        let (_, words, _) = unsafe { slice::from_raw_parts(start, length).align_to::<AtomicU64>() };
        // At the ends, a few counters that fill no word are not looked at.
        words
    });
}

/// What was reached so far.
pub struct Coverage {
    counters: &'static [AtomicU64],
    /// By counter: each bit a range of counts that was seen.
    seen: Vec<u8>,
    /// Counters that were ever reached.
    edges: usize,
}

impl Coverage {
    /// Nothing reached yet.
    pub fn new() -> Self {
        let counters = COUNTERS.get().copied().unwrap_or_default();
        Self { counters, seen: vec![0; counters.len() * 8], edges: 0 }
    }

    /// True where residentd was compiled with counters.
    pub const fn is_there(&self) -> bool {
        !self.counters.is_empty()
    }

    /// Edges that were reached, of how many.
    pub const fn edges(&self) -> (usize, usize) {
        (self.edges, self.seen.len())
    }

    /// What was reached so far counts as known, and as no edge of ours: the fuzzer's own code,
    /// which is compiled with counters too.
    pub fn ignore(&mut self) {
        self.seen.iter_mut().filter(|seen| **seen != 0).for_each(|seen| *seen = u8::MAX);
        self.edges = 0;
    }

    /// True where something new was reached since the last look: an edge, or an edge so often
    /// as never before. Counting starts anew.
    pub fn harvest(&mut self) -> bool {
        let (seen, mut edges, mut is_new) = (&mut self.seen, 0, false);
        each(self.counters, |at, count| {
            let range = range(count);
            if range & !seen[at] != 0 {
                edges += usize::from(seen[at] == 0);
                seen[at] |= range;
                is_new = true;
            }
        });
        self.edges += edges;
        is_new
    }
}

/// Calls `work` with each counter that is not 0 and its place, and sets it to 0. Most are 0,
/// so that they are looked at by the dozen: this is what an execution costs at least.
fn each(counters: &[AtomicU64], mut work: impl FnMut(usize, u8)) {
    const WORDS: usize = 16;
    for (block, words) in counters.chunks(WORDS).enumerate() {
        if words.iter().fold(0, |all, word| all | word.load(Relaxed)) == 0 {
            continue;
        }
        for (at, word) in words.iter().enumerate() {
            let counts = word.swap(0, Relaxed).to_ne_bytes();
            for (byte, count) in counts.into_iter().enumerate().filter(|(_, count)| *count != 0) {
                work((block * WORDS + at) * 8 + byte, count);
            }
        }
    }
}

/// Counts in eight ranges, as bits: 1, 2, 3, 4 to 7, up to 15, 31, 127, 255.
const fn range(count: u8) -> u8 {
    match count {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        4..=7 => 8,
        8..=15 => 16,
        16..=31 => 32,
        32..=127 => 64,
        128..=255 => 128,
    }
}
