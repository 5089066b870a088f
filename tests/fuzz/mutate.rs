//! How inputs are changed: seeded, bounded, and with an eye for what parsers trip over:
//! edges of integers, lengths that lie, lengths that grow with what they count, and words
//! of the format.

use crate::random::Random;

/// Numbers at which lengths and counts go wrong.
const EDGES: [u32; 18] = [
    0,
    1,
    2,
    3,
    7,
    8,
    0x7F,
    0x80,
    0xFE,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFE,
    0xFFFF,
    0x7FFF_FFFF,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
];
/// The same, for formats that are text.
const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "255",
    "65535",
    "4294967295",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "0.30000000000000004",
    "-0",
];
/// Changes that are made at once.
const MOST_CHANGES: u64 = 6;
/// Longest run of bytes that one change adds.
const MOST_ADDED: usize = 64;
/// Length fields that grow with one insertion: an item in an item in a PDU.
const MOST_NESTED: usize = 4;

/// Makes inputs of inputs.
pub struct Mutator {
    pub random: Random,
    /// Words of the format.
    tokens: Vec<Vec<u8>>,
    max_bytes: usize,
}

/// A length field.
#[derive(Clone, Copy)]
struct Field {
    at: usize,
    wide: bool,
    big_endian: bool,
}

impl Mutator {
    pub fn new(random: Random, tokens: Vec<Vec<u8>>, max_bytes: usize) -> Self {
        Self { random, tokens, max_bytes }
    }

    /// `seed`, changed; some changes are grafts from `other`.
    pub fn mutate(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.random.below(MOST_CHANGES) {
            self.change(&mut bytes, other);
        }
        bytes.truncate(self.max_bytes);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len());
        match self.random.below(16) {
            0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << self.random.below(8),
            2 if !bytes.is_empty() => bytes[at] = self.byte(),
            3 if !bytes.is_empty() => bytes[at] = bytes[at].wrapping_add(self.byte() % 9).wrapping_sub(4),
            4 => self.edge(bytes, at),
            5 => self.lie(bytes, at),
            6 => self.number(bytes, at),
            7 | 8 => drop(bytes.drain(at..self.end(at, bytes.len()))),
            9 => {
                let part = bytes[at..self.end(at, bytes.len())].to_vec();
                self.insert(bytes, &part);
            }
            10 | 11 => {
                let token = self.token();
                self.insert(bytes, &token);
            }
            12 => {
                let token = self.token();
                put(bytes, at, &token);
            }
            13 => {
                let from = self.below(other.len());
                let part = &other[from..self.end(from, other.len())];
                if self.random.below(2) == 0 { self.insert(bytes, part) } else { put(bytes, at, part) }
            }
            14 => {
                let run = vec![self.byte(); 1 + self.below(MOST_ADDED)];
                self.insert(bytes, &run);
            }
            _ => {
                let from = self.below(other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }

    /// Inserts `part` somewhere; every other time the lengths around it grow with it.
    fn insert(&mut self, bytes: &mut Vec<u8>, part: &[u8]) {
        let at = self.below(bytes.len() + 1);
        if bytes.len() + part.len() > self.max_bytes {
            return;
        }
        if self.random.below(2) == 0 {
            for field in self.around(bytes, at) {
                let grown = field.read(bytes).wrapping_add(count(part.len()));
                field.write(bytes, grown);
            }
        }
        bytes.splice(at..at, part.iter().copied());
    }

    /// Fields before `at` that, read as lengths, end at the end of the input or at the end of
    /// the field around them, and hold `at`.
    fn around(&mut self, bytes: &[u8], at: usize) -> Vec<Field> {
        let (mut found, mut within) = (Vec::new(), bytes.len());
        let big_endian = self.random.below(2) == 0;
        for start in 0..at {
            for wide in [true, false] {
                let field = Field { at: start, wide, big_endian };
                let end = (start + field.size() <= at).then(|| field.end(bytes)).flatten();
                let fits =
                    end.is_some_and(|end| end >= at && end <= within && (end == within || self.random.below(8) == 0));
                if fits && found.len() < MOST_NESTED {
                    within = end.unwrap_or(within);
                    found.push(field);
                    break;
                }
            }
        }
        found
    }

    /// An edge of an integer, or a step beside what stands there.
    fn edge(&mut self, bytes: &mut [u8], at: usize) {
        let field = self.field(at);
        if at + field.size() <= bytes.len() {
            let edge = self.random.one_of(&EDGES);
            let near = field.read(bytes).wrapping_add(count(self.below(33))).wrapping_sub(16);
            field.write(bytes, if self.random.below(3) == 0 { near } else { edge });
        }
    }

    /// A length that counts exactly what follows, or all but that.
    fn lie(&mut self, bytes: &mut [u8], at: usize) {
        let field = self.field(at);
        if let Some(rest) = bytes.len().checked_sub(at + field.size()) {
            let off = count(self.below(5)).wrapping_sub(2);
            let off = if self.random.below(2) == 0 { 0 } else { off };
            field.write(bytes, count(rest).wrapping_add(off));
        }
    }

    /// Another number for the decimal one at or after `at`.
    fn number(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let Some(first) = bytes[at..].iter().position(u8::is_ascii_digit).map(|found| at + found) else { return };
        let digits = bytes[first..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = self.random.one_of(&NUMBERS);
        bytes.splice(first..first + digits, number.bytes());
    }

    fn field(&mut self, at: usize) -> Field {
        Field { at, wide: self.random.below(2) == 0, big_endian: self.random.below(2) == 0 }
    }

    fn token(&mut self) -> Vec<u8> {
        if self.tokens.is_empty() {
            return vec![self.byte()];
        }
        let at = self.below(self.tokens.len());
        self.tokens[at].clone()
    }

    fn byte(&mut self) -> u8 {
        self.random.next().to_le_bytes()[0]
    }

    /// Where a part that starts at `at` ends: short ones more often.
    fn end(&mut self, at: usize, length: usize) -> usize {
        let most = 1 << self.random.below(9);
        (at + 1 + self.below(most)).min(length)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.random.below(end as u64)).expect("below a length")
    }
}

impl Field {
    const fn size(self) -> usize {
        if self.wide { 4 } else { 2 }
    }

    fn read(self, bytes: &[u8]) -> u32 {
        let mut value = [0; 4];
        let taken = &bytes[self.at..self.at + self.size()];
        if self.big_endian {
            value[4 - self.size()..].copy_from_slice(taken);
            u32::from_be_bytes(value)
        } else {
            value[..self.size()].copy_from_slice(taken);
            u32::from_le_bytes(value)
        }
    }

    fn write(self, bytes: &mut [u8], value: u32) {
        let (start, end) = (self.at, self.at + self.size());
        if self.big_endian {
            bytes[start..end].copy_from_slice(&value.to_be_bytes()[4 - self.size()..]);
        } else {
            bytes[start..end].copy_from_slice(&value.to_le_bytes()[..self.size()]);
        }
    }

    /// Where what it counts would end, if it counts anything.
    fn end(self, bytes: &[u8]) -> Option<usize> {
        let counted = usize::try_from(self.read(bytes)).ok().filter(|counted| *counted > 0)?;
        (self.at + self.size()).checked_add(counted)
    }
}

fn count(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("inputs are bounded")
}

/// Writes `part` over what is at `at`, as far as that goes.
fn put(bytes: &mut [u8], at: usize, part: &[u8]) {
    let length = part.len().min(bytes.len() - at.min(bytes.len()));
    bytes[at..at + length].copy_from_slice(&part[..length]);
}
