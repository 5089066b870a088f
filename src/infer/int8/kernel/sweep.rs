//! The loops around the kernels: channel blocks, rows, tiles of pixels. Safe and portable.
#![expect(clippy::inline_always, reason = "must be compiled with the features of the kernel around it")]

pub use super::super::pack::Reading;
use super::super::pack::{Depthwise, GROUP, LANES, Lanes, Packed};
use super::finish::Finish;

/// Most sums that a tile holds: pixels times blocks, as many as AVX-512 has registers for.
pub const MOST_SUMS: usize = 24;

/// Where a convolution's windows lie in its input.
#[derive(Debug, Clone, Copy)]
pub struct Windows {
    /// Index of the first value of the first window.
    pub start: usize,
    /// From a row of the input to the next.
    pub pitch: usize,
    /// From a window to the next in a row.
    pub step: usize,
    /// From a row of windows to the next.
    pub row_step: usize,
    /// Rows of the output.
    pub height: usize,
    /// Columns of the output.
    pub width: usize,
}

/// The sums of some neighbouring pixels over some neighbouring blocks. Its fields are private and
/// its constructor checks every bound that a kernel relies on.
pub struct Tile<'a> {
    input: &'a [u8],
    weights: &'a [i8],
    step: usize,
    pitch: usize,
    rows: usize,
    groups: usize,
    pixels: usize,
    blocks: usize,
}

impl<'a> Tile<'a> {
    /// A tile whose first window begins at `input[0]`.
    ///
    /// # Panics
    /// A window or a weight of the tile would lie outside its slice.
    #[inline(always)]
    #[must_use]
    pub fn new(
        input: &'a [u8],
        weights: &'a [i8],
        windows: &Windows,
        packed: &Packed,
        (pixels, blocks): (usize, usize),
    ) -> Self {
        let (rows, groups) = (packed.rows, packed.groups);
        assert!(rows > 0 && pixels > 0 && weights.len() == blocks * packed.block(), "weights of the blocks");
        // The furthest byte that is read: last group, last row, last pixel.
        let reach = (rows - 1)
            .checked_mul(windows.pitch)
            .zip((pixels - 1).checked_mul(windows.step))
            .and_then(|(down, along)| down.checked_add(along)?.checked_add(groups * GROUP));
        assert!(reach.is_some_and(|reach| reach <= input.len()), "windows inside the input");
        Self { input, weights, step: windows.step, pitch: windows.pitch, rows, groups, pixels, blocks }
    }

    /// Input, from the tile's first window: `(rows() - 1) · pitch() + (pixels() - 1) · step() + groups() · 4`
    /// bytes at least.
    #[inline(always)]
    #[must_use]
    pub const fn input(&self) -> &'a [u8] {
        self.input
    }

    /// Weights: exactly `blocks() · rows() · groups() · 64`.
    #[inline(always)]
    #[must_use]
    pub const fn weights(&self) -> &'a [i8] {
        self.weights
    }

    /// From a pixel's window to the next one's.
    #[inline(always)]
    #[must_use]
    pub const fn step(&self) -> usize {
        self.step
    }

    /// From a row of a window to the next.
    #[inline(always)]
    #[must_use]
    pub const fn pitch(&self) -> usize {
        self.pitch
    }

    /// Rows of a window.
    #[inline(always)]
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Groups of four in a row of a window.
    #[inline(always)]
    #[must_use]
    pub const fn groups(&self) -> usize {
        self.groups
    }

    /// Neighbouring windows.
    #[inline(always)]
    #[must_use]
    pub const fn pixels(&self) -> usize {
        self.pixels
    }

    /// Neighbouring channel blocks.
    #[inline(always)]
    #[must_use]
    pub const fn blocks(&self) -> usize {
        self.blocks
    }
}

/// How a kernel takes the work.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// Most pixels of a tile.
    pub pixels: usize,
    /// Most blocks of a tile.
    pub blocks: usize,
    /// What it multiplies.
    pub reading: Reading,
}

/// A whole convolution. `accumulate` adds a tile's products to its sums, `[block][pixel]`.
#[inline(always)]
pub fn convolution(
    input: &[u8],
    windows: &Windows,
    packed: &Packed,
    finish: &mut Finish<'_>,
    cut: Cut,
    accumulate: impl Fn(&Tile<'_>, &mut [Lanes<i32>]),
) {
    let tiles = windows.width.div_ceil(cut.pixels);
    let pixels = windows.width.div_ceil(tiles.max(1));
    let mut sums = [[0; LANES]; MOST_SUMS];
    for (index, starts) in packed.start(cut.reading).chunks(cut.blocks).enumerate() {
        let (first, blocks) = (index * cut.blocks, starts.len());
        let weights = &packed.weights[first * packed.block()..][..blocks * packed.block()];
        for row in 0..windows.height {
            let mut column = 0;
            while column < windows.width {
                let pixels = pixels.min(windows.width - column);
                let from = windows.start + row * windows.row_step + column * windows.step;
                let tile = Tile::new(&input[from..], weights, windows, packed, (pixels, blocks));
                for (block, start) in starts.iter().enumerate() {
                    sums[block * pixels..][..pixels].fill(*start);
                }
                accumulate(&tile, &mut sums[..blocks * pixels]);
                for (block, sums) in sums[..blocks * pixels].chunks_exact(pixels).enumerate() {
                    for (pixel, sums) in sums.iter().enumerate() {
                        finish.pixel(first + block, row, column + pixel, sums);
                    }
                }
                column += pixels;
            }
        }
    }
}

/// A whole depthwise convolution; `channels` values lie between neighbouring pixels of the input,
/// which has [`LANES`] readable bytes after its last one. `tap` adds a tap's products to the sums.
///
/// # Panics
/// A window would lie outside the input.
#[inline(always)]
pub fn depthwise(
    input: &[u8],
    windows: &Windows,
    packed: &Depthwise,
    channels: usize,
    finish: &mut Finish<'_>,
    tap: impl Fn(&[u8; LANES], &Lanes<i16>, &mut Lanes<i32>),
) {
    let window = packed.window;
    for row in 0..windows.height {
        for (block, start) in packed.start.iter().enumerate() {
            let taps = &packed.taps[block * window.taps()..][..window.taps()];
            for column in 0..windows.width {
                let from = windows.start + row * windows.row_step + column * windows.step + block * LANES;
                let mut sums = *start;
                for (down, taps) in taps.chunks_exact(window.width).enumerate() {
                    for (along, weights) in taps.iter().enumerate() {
                        let values = &input[from + down * windows.pitch + along * channels..][..LANES];
                        tap(values.try_into().expect("cut to that length"), weights, &mut sums);
                    }
                }
                finish.pixel(block, row, column, &sums);
            }
        }
    }
}

/// A tap in plain code; the compiler takes the vectors that it may.
#[inline(always)]
pub fn tap(values: &[u8; LANES], weights: &Lanes<i16>, sums: &mut Lanes<i32>) {
    for lane in 0..LANES {
        // At most 255 · 128: see `pack::Depthwise`.
        sums[lane] += i32::from(i16::from(values[lane]) * weights[lane]);
    }
}
