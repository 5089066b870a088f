//! Huffman codes (T.81 C, F.2.2) over entropy-coded bytes, in bounded time and memory.

use super::{PixelError, corrupt};

/// Codes up to this length are found in one step: nearly all.
const FAST_BITS: u8 = 9;
/// The longest code (T.81 C.2).
const LONGEST_CODE_BITS: usize = 16;

/// A Huffman table.
pub(super) struct Table {
    /// By the next `FAST_BITS` bits: length << 8 | symbol, 0 where the code is longer.
    fast: Vec<u16>,
    /// By length: the codes of that length begin at `first` and end before `end`;
    /// the symbol of `first` is at `index`.
    lengths: [Length; LONGEST_CODE_BITS + 1],
    symbols: Vec<u8>,
}

#[derive(Clone, Copy, Default)]
struct Length {
    first: u32,
    end: u32,
    index: usize,
}

impl Table {
    /// From the counts by length and the symbols of a DHT segment; also says how many
    /// symbols it took.
    pub fn new(counts: &[u8; LONGEST_CODE_BITS], symbols: &[u8]) -> Result<(Self, usize), PixelError> {
        let total: usize = counts.iter().map(|c| usize::from(*c)).sum();
        let symbols = symbols.get(..total).filter(|s| s.len() <= 256).ok_or_else(|| corrupt("wrong Huffman table"))?;
        let mut lengths = [Length::default(); LONGEST_CODE_BITS + 1];
        let mut fast = vec![0u16; 1 << FAST_BITS];
        let (mut code, mut index) = (0u32, 0usize);
        for (bits, &count) in (1u8..).zip(counts) {
            code <<= 1;
            let end = code + u32::from(count);
            if end > 1 << bits {
                return Err(corrupt("wrong Huffman table"));
            }
            lengths[usize::from(bits)] = Length { first: code, end, index };
            for symbol in &symbols[index..index + usize::from(count)] {
                if bits <= FAST_BITS {
                    let (from, span) = ((code << (FAST_BITS - bits)) as usize, 1usize << (FAST_BITS - bits));
                    fast[from..from + span].fill(u16::from_be_bytes([bits, *symbol]));
                }
                code += 1;
            }
            index += usize::from(count);
        }
        Ok((Self { fast, lengths, symbols: symbols.to_vec() }, total))
    }

    /// The next symbol.
    pub fn decode(&self, bits: &mut Bits<'_>) -> Result<u8, PixelError> {
        let next = bits.peek16();
        let entry = self.fast[(next >> (16 - FAST_BITS)) as usize];
        if entry != 0 {
            let [bit_count, symbol] = entry.to_be_bytes();
            bits.consume(u32::from(bit_count))?;
            return Ok(symbol);
        }
        for (bit_count, length) in (0u32..).zip(&self.lengths).skip(usize::from(FAST_BITS) + 1) {
            let Length { first, end, index } = *length;
            let code = next >> (16 - bit_count);
            if (first..end).contains(&code) {
                bits.consume(bit_count)?;
                return Ok(self.symbols[index + (code - first) as usize]);
            }
        }
        Err(corrupt("no such Huffman code"))
    }
}

/// Entropy-coded bytes as bits; stops at a marker and never reads past it.
pub(super) struct Bits<'a> {
    stream: &'a [u8],
    at: usize,
    /// Next bit on top.
    buffer: u64,
    /// Bits in the buffer, `padding` of them made up after the end.
    available: u32,
    padding: u32,
}

impl<'a> Bits<'a> {
    pub fn at(stream: &'a [u8], at: usize) -> Self {
        Self { stream, at, buffer: 0, available: 0, padding: 0 }
    }

    /// Where the entropy-coded data ended, once all of it was used.
    pub fn position(&self) -> usize {
        self.at
    }

    fn peek16(&mut self) -> u32 {
        if self.available < 32 {
            self.fill();
        }
        (self.buffer >> 48) as u32
    }

    fn fill(&mut self) {
        while self.available <= 56 {
            let byte = match (self.stream.get(self.at), self.stream.get(self.at + 1)) {
                // A zero byte is stuffed behind FF (T.81 F.1.2.3).
                (Some(0xFF), Some(0)) => {
                    self.at += 2;
                    0xFF
                }
                (Some(0xFF) | None, _) => {
                    self.padding += 8;
                    0
                }
                (Some(&byte), _) => {
                    self.at += 1;
                    byte
                }
            };
            self.buffer |= u64::from(byte) << (56 - self.available);
            self.available += 8;
        }
    }

    fn consume(&mut self, count: u32) -> Result<(), PixelError> {
        self.buffer <<= count;
        self.available -= count;
        if self.available < self.padding {
            return Err(corrupt("scan ends early"));
        }
        Ok(())
    }

    /// RECEIVE and EXTEND (T.81 F.2.2.1): a number of `size` bits, at most 16.
    pub fn number(&mut self, size: u8) -> Result<i32, PixelError> {
        if size == 0 {
            return Ok(0);
        }
        let size = u32::from(size.min(16));
        let value = (self.peek16() >> (16 - size)).cast_signed();
        self.consume(size)?;
        Ok(if value < 1 << (size - 1) { value - (1 << size) + 1 } else { value })
    }

    /// Takes the restart marker of `count`, modulo eight, that must come now (T.81 F.1.1.5.2).
    pub fn restart(&mut self, count: u32) -> Result<(), PixelError> {
        while self.stream.get(self.at + 1) == Some(&0xFF) && self.stream.get(self.at) == Some(&0xFF) {
            self.at += 1;
        }
        let wanted = 0xD0 + (count % 8) as u8;
        if self.stream.get(self.at..self.at + 2) != Some(&[0xFF, wanted]) {
            return Err(corrupt("restart marker expected"));
        }
        *self = Self::at(self.stream, self.at + 2);
        Ok(())
    }
}
