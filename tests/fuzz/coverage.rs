//! Which code an execution reached: LLVM's inline 8-bit counters, one an edge, where
//! residentd was compiled with them (`tests/fuzz/instrument`). Without them there is no
//! coverage, and nothing here says otherwise.
#![expect(unsafe_code, reason = "LLVM hands its counters over as two addresses, to a function of this name")]

use std::ffi::c_void;
use std::sync::OnceLock;

/// Every counter of the program: the address of the first, and how many.
static COUNTERS: OnceLock<(usize, usize)> = OnceLock::new();
/// What counters are compared with, many at once: most are 0, and this is what an execution
/// costs at least. The C library's comparison is fast, and has no counters itself.
static NOTHING: [u8; BLOCK] = [0; BLOCK];
const BLOCK: usize = 2048;
const LINE: usize = 64;

/// Called by the constructor of each instrumented object, each time with the same two ends.
// SAFETY: no other item of this program has the name, which is LLVM's for this purpose.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
    COUNTERS.get_or_init(|| (start.expose_provenance(), (stop as usize).saturating_sub(start as usize)));
}

/// What was reached so far.
pub struct Coverage {
    /// By counter: each bit a range of counts that was seen.
    seen: Vec<u8>,
    /// Counters that were ever reached.
    edges: usize,
}

impl Coverage {
    /// Nothing reached yet.
    pub fn new() -> Self {
        Self { seen: vec![0; COUNTERS.get().map_or(0, |(_, length)| *length)], edges: 0 }
    }

    /// True where residentd was compiled with counters.
    pub const fn is_there(&self) -> bool {
        !self.seen.is_empty()
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
        let Some((start, length)) = COUNTERS.get().copied() else { return false };
        let mut is_new = false;
        for block in (0..length).step_by(BLOCK).filter(|block| is_used(start + block, BLOCK.min(length - block))) {
            let end = length.min(block + BLOCK);
            for line in (block..end).step_by(LINE).filter(|line| is_used(start + line, LINE.min(end - line))) {
                for at in line..end.min(line + LINE) {
                    let range = range(take(start + at));
                    if range & !self.seen[at] != 0 {
                        self.edges += usize::from(self.seen[at] == 0);
                        self.seen[at] |= range;
                        is_new = true;
                    }
                }
            }
        }
        is_new
    }
}

/// Whether one of the `length` counters from `start` on, at most a block, is not 0.
fn is_used(start: usize, length: usize) -> bool {
    let counters = std::ptr::with_exposed_provenance::<c_void>(start);
    // SAFETY: LLVM's contract: the counters are one section of this program, readable and
    // writable as long as it runs; callers stay in it. A count that comes meanwhile from the
    // thread that watches is one of its own code.
    unsafe { libc::memcmp(counters, NOTHING.as_ptr().cast(), length) != 0 }
}

/// The counter at `address`, which starts anew.
fn take(address: usize) -> u8 {
    let counter = std::ptr::with_exposed_provenance_mut::<u8>(address);
    // SAFETY: as above; volatile, since nobody in this language writes there.
    unsafe {
        let count = counter.read_volatile();
        counter.write_volatile(0);
        count
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
