//! Weights as the kernels read them: blocks of sixteen output channels, four inputs together.
//!
//! A convolution block is `[window row][group of four inputs][16 channels][4 inputs]` of s8.
//! A window row is contiguous in NHWC, so its columns and channels are one run of bytes, padded
//! with zero weights to a multiple of four. Every kernel reads this one layout: sixteen channels
//! are one 512-bit vector, two of 256, four of 128. Each channel starts its sum at minus zero
//! point times its weights' sum, so that kernels multiply activations as they are, or less 128.

/// Output channels in a block.
pub const LANES: usize = 16;
/// Input values that one 32-bit lane multiplies at once.
pub const GROUP: usize = 4;

/// One value for each channel of a block.
pub type Lanes<T> = [T; LANES];

/// A convolution's kernel size and input channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows of the window.
    pub height: usize,
    /// Columns of the window.
    pub width: usize,
    /// Input channels that one output channel sees.
    pub depth: usize,
}

impl Window {
    /// Values that one output sums.
    #[must_use]
    pub const fn taps(&self) -> usize {
        self.height * self.width * self.depth
    }

    /// Groups of [`GROUP`] in one row of the window.
    #[must_use]
    pub const fn groups(&self) -> usize {
        (self.width * self.depth).div_ceil(GROUP)
    }
}

/// What a kernel multiplies with the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The activations as they are, u8.
    Raw,
    /// The activations less 128, s8.
    Centred,
}

/// The weights of a convolution over all input channels.
pub struct Packed {
    /// See the module.
    pub weights: Vec<i8>,
    start: [Vec<Lanes<i32>>; 2],
    /// Rows of the window.
    pub rows: usize,
    /// Groups in a row.
    pub groups: usize,
    /// Largest magnitude of a weight.
    pub limit: u8,
}

impl Packed {
    /// Packs `weights`, `[channel][depth][height][width]` as ONNX has them, for activations
    /// with this zero point.
    ///
    /// # Panics
    /// `weights` does not hold `channels` windows.
    #[must_use]
    pub fn new(weights: &[i8], channels: usize, window: Window, zero: u8) -> Self {
        assert_eq!(weights.len(), channels * window.taps(), "one window a channel");
        let (rows, groups) = (window.height, window.groups());
        let block = rows * groups * GROUP * LANES;
        let mut packed = vec![0; channels.div_ceil(LANES) * block];
        for (channel, of_channel) in weights.chunks_exact(window.taps()).enumerate() {
            for (at, &weight) in of_channel.iter().enumerate() {
                let (input, tap) = (at / (window.height * window.width), at % (window.height * window.width));
                let (row, column) = (tap / window.width, tap % window.width);
                let run = column * window.depth + input;
                let group = row * groups + run / GROUP;
                let lane = channel % LANES;
                packed[channel / LANES * block + (group * LANES + lane) * GROUP + run % GROUP] = weight;
            }
        }
        let limit = weights.iter().map(|w| w.unsigned_abs()).max().unwrap_or(0);
        let start = [0, 128].map(|less| starts(weights, channels, window, i32::from(zero) - less));
        Self { weights: packed, start, rows, groups, limit }
    }

    /// Where each channel's sum starts, by block.
    #[must_use]
    pub fn start(&self, reading: Reading) -> &[Lanes<i32>] {
        match reading {
            Reading::Raw => &self.start[0],
            Reading::Centred => &self.start[1],
        }
    }

    /// Bytes of a block.
    #[must_use]
    pub const fn block(&self) -> usize {
        self.rows * self.groups * GROUP * LANES
    }
}

/// The weights of a depthwise convolution, `[block][tap][16 channels]`, widened: a product of u8
/// and s8 is at most 255 · 128 = 32640 and fits i16.
pub struct Depthwise {
    /// See above.
    pub taps: Vec<Lanes<i16>>,
    /// Where each channel's sum starts, by block.
    pub start: Vec<Lanes<i32>>,
    /// The window; its depth is 1.
    pub window: Window,
}

impl Depthwise {
    /// Packs `weights`, `[channel][1][height][width]`.
    ///
    /// # Panics
    /// `weights` does not hold `channels` windows.
    #[must_use]
    pub fn new(weights: &[i8], channels: usize, window: Window, zero: u8) -> Self {
        assert_eq!(weights.len(), channels * window.taps(), "one window a channel");
        let mut taps = vec![[0; LANES]; channels.div_ceil(LANES) * window.taps()];
        for (at, &weight) in weights.iter().enumerate() {
            let (channel, tap) = (at / window.taps(), at % window.taps());
            taps[channel / LANES * window.taps() + tap][channel % LANES] = i16::from(weight);
        }
        Self { taps, start: starts(weights, channels, window, zero.into()), window }
    }
}

fn starts(weights: &[i8], channels: usize, window: Window, zero: i32) -> Vec<Lanes<i32>> {
    let mut start = vec![[0; LANES]; channels.div_ceil(LANES)];
    for (channel, of_channel) in weights.chunks_exact(window.taps()).enumerate() {
        let sum: i32 = of_channel.iter().map(|&w| i32::from(w)).sum();
        start[channel / LANES][channel % LANES] = -zero * sum;
    }
    start
}

/// A value for each channel, by block, the missing ones of the last block zero.
#[must_use]
pub fn by_block(values: &[f32]) -> Vec<Lanes<f32>> {
    let mut blocks = vec![[0.0; LANES]; values.len().div_ceil(LANES)];
    for (channel, &value) in values.iter().enumerate() {
        blocks[channel / LANES][channel % LANES] = value;
    }
    blocks
}
