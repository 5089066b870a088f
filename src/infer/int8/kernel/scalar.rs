//! The portable kernel: what every other kernel must equal, bit for bit.

use super::super::gemv::{ROWS, STRIDE};
use super::super::pack::{Depthwise, GROUP, LANES, Lanes, Packed};
use super::finish::Finish;
use super::sweep::{self, Cut, Reading, Tile, Windows};

const CUT: Cut = Cut { pixels: 8, blocks: 1, reading: Reading::Raw };

/// A convolution.
pub fn convolution(input: &[u8], windows: &Windows, packed: &Packed, finish: &mut Finish<'_>) {
    sweep::convolution(input, windows, packed, finish, CUT, accumulate);
}

/// A depthwise convolution.
pub fn depthwise(input: &[u8], windows: &Windows, packed: &Depthwise, channels: usize, finish: &mut Finish<'_>) {
    sweep::depthwise(input, windows, packed, channels, finish, sweep::tap);
}

/// Sums of rows of weights with one row of values.
pub fn rows(weights: &[i8], values: &[i16]) -> [i32; ROWS] {
    assert!(values.len().is_multiple_of(STRIDE) && weights.len() == ROWS * values.len(), "whole rows");
    let mut sums = [0; ROWS];
    for (sum, row) in sums.iter_mut().zip(weights.chunks_exact(values.len())) {
        *sum = row.iter().zip(values).map(|(&w, &v)| i32::from(w) * i32::from(v)).sum();
    }
    sums
}

fn accumulate(tile: &Tile<'_>, sums: &mut [Lanes<i32>]) {
    let row_weights = tile.groups() * GROUP * LANES;
    for (block, sums) in sums.chunks_exact_mut(tile.pixels()).enumerate() {
        let of_block = &tile.weights()[block * tile.rows() * row_weights..][..tile.rows() * row_weights];
        for (row, weights) in of_block.chunks_exact(row_weights).enumerate() {
            for (pixel, sums) in sums.iter_mut().enumerate() {
                let run = &tile.input()[row * tile.pitch() + pixel * tile.step()..][..tile.groups() * GROUP];
                window_row(run, weights, sums);
            }
        }
    }
}

fn window_row(run: &[u8], weights: &[i8], sums: &mut Lanes<i32>) {
    for (values, weights) in run.chunks_exact(GROUP).zip(weights.chunks_exact(GROUP * LANES)) {
        for (sum, weights) in sums.iter_mut().zip(weights.chunks_exact(GROUP)) {
            for (&value, &weight) in values.iter().zip(weights) {
                *sum += i32::from(value) * i32::from(weight);
            }
        }
    }
}
