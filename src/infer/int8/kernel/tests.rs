//! Every kernel this CPU has against the portable one, and that one against the definition.

use proptest::prelude::*;

use super::super::pack::{Depthwise, GROUP, LANES, Packed, Window, by_block};
use super::Kernel;
use super::finish::{Finish, Out, Quantization, Skip, View, clamp};
use super::sweep::Windows;

/// A convolution with everything that a kernel is told.
#[derive(Debug, Clone)]
struct Case {
    window: Window,
    channels: usize,
    strides: (usize, usize),
    /// Of the input with its padding around it.
    framed: (usize, usize),
    zero: u8,
    out_zero: u8,
    relu: bool,
    skip: u8,
    depthwise: bool,
    input: Vec<u8>,
    weights: Vec<i8>,
    seed: u32,
}

#[derive(Debug, PartialEq)]
struct Bits {
    quantized: Vec<u8>,
    real: Vec<u32>,
}

impl Case {
    fn input_channels(&self) -> usize {
        if self.depthwise { self.channels } else { self.window.depth }
    }

    fn size(&self) -> (usize, usize) {
        let along = |all, window, stride| (all - window) / stride + 1;
        (
            along(self.framed.0, self.window.height, self.strides.0),
            along(self.framed.1, self.window.width, self.strides.1),
        )
    }

    /// Values that differ from channel to channel, from the seed.
    fn reals(&self, count: usize, range: f32) -> Vec<f32> {
        let mix = |i: usize| u32::try_from(i).unwrap().wrapping_add(self.seed).wrapping_mul(2_654_435_761) >> 8;
        (0..count).map(|i| (mix(i) as f32 / 8_388_608.0 - 1.0) * range).collect()
    }

    fn multipliers(&self) -> Vec<f32> {
        let size = 400.0 / (self.window.taps() as f32).sqrt() / (255.0 * 64.0);
        self.reals(self.channels, size).iter().map(|m| m.abs() + 1e-9).collect()
    }

    fn run(&self, kernel: Kernel) -> Bits {
        let (height, width) = self.size();
        let pixels = height * width * self.channels;
        let mut quantized = vec![0xA5; pixels];
        let mut real = vec![f32::NAN; pixels];
        self.run_into(kernel, Out::Quantized(&mut quantized, Quantization::new(0.37, self.out_zero)));
        self.run_into(kernel, Out::Real(&mut real));
        Bits { quantized, real: real.iter().map(|r| r.to_bits()).collect() }
    }

    fn run_into(&self, kernel: Kernel, out: Out<'_>) {
        let (height, width) = self.size();
        let pitch = self.framed.1 * self.input_channels();
        let windows = Windows {
            start: 0,
            pitch,
            step: self.strides.1 * self.input_channels(),
            row_step: self.strides.0 * pitch,
            height,
            width,
        };
        let view = View { start: 0, pitch: width * self.channels, channels: self.channels };
        let (multiplier, bias) = (by_block(&self.multipliers()), by_block(&self.reals(self.channels, 40.0)));
        let real = self.reals(height * width * self.channels, 30.0);
        let quantized: Vec<u8> = real.iter().map(|r| Quantization::new(0.5, 99).nearest(*r)).collect();
        let skip = match self.skip {
            0 => Skip::None,
            1 => Skip::Quantized(&quantized, Quantization::new(0.41, 7)),
            _ => Skip::Real(&real),
        };
        let limits = if self.relu { (0.0, f32::MAX) } else { (f32::MIN, f32::MAX) };
        let mut finish =
            Finish { multiplier: &multiplier, bias: &bias, skip, skip_view: view, clamp: limits, out, out_view: view };
        let mut input = self.input.clone();
        input.resize(input.len() + LANES, 0xC3);
        if self.depthwise {
            let packed = Depthwise::new(&self.weights, self.channels, self.window, self.zero);
            kernel.depthwise(&input, &windows, &packed, self.channels, &mut finish);
        } else {
            let packed = Packed::new(&self.weights, self.channels, self.window, self.zero);
            kernel.convolution(&input, &windows, &packed, &mut finish);
        }
    }

    /// The definition, value by value.
    fn real_bits_by_definition(&self) -> Vec<u32> {
        let (height, width) = self.size();
        let (multiplier, bias) = (self.multipliers(), self.reals(self.channels, 40.0));
        let real = self.reals(height * width * self.channels, 30.0);
        let mut found = Vec::new();
        for (at, &real) in real.iter().enumerate() {
            let (pixel, channel) = (at / self.channels, at % self.channels);
            let sum = self.sum(pixel / width, pixel % width, channel);
            let mut value = sum as f32 * multiplier[channel];
            value += bias[channel];
            value += match self.skip {
                0 => 0.0,
                1 => Quantization::new(0.41, 7).real(Quantization::new(0.5, 99).nearest(real)),
                _ => real,
            };
            found.push(clamp(value, if self.relu { (0.0, f32::MAX) } else { (f32::MIN, f32::MAX) }).to_bits());
        }
        found
    }

    fn sum(&self, row: usize, column: usize, channel: usize) -> i32 {
        let Window { height, width, .. } = self.window;
        let mut sum = 0;
        for (at, &weight) in self.weights[channel * self.window.taps()..][..self.window.taps()].iter().enumerate() {
            let (input, tap) = (at / (height * width), at % (height * width));
            let pixel = (row * self.strides.0 + tap / width) * self.framed.1 + column * self.strides.1 + tap % width;
            let input = if self.depthwise { channel } else { input };
            let value = self.input[pixel * self.input_channels() + input];
            sum += (i32::from(value) - i32::from(self.zero)) * i32::from(weight);
        }
        sum
    }
}

/// Mostly any value, often the extremes.
fn bytes(len: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => prop::collection::vec(any::<u8>(), len),
        1 => prop::collection::vec(prop_oneof![Just(0u8), Just(255u8)], len),
        1 => Just(vec![255u8; len]),
    ]
}

fn weights(len: usize, limit: i8) -> impl Strategy<Value = Vec<i8>> {
    let least = if limit == i8::MAX { i8::MIN } else { -limit };
    prop_oneof![
        3 => prop::collection::vec(least..=limit, len),
        1 => prop::collection::vec(prop_oneof![Just(least), Just(limit)], len),
        1 => Just(vec![limit; len]),
        1 => Just(vec![least; len]),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let shape = (1usize..=5, 1usize..=5, 1usize..=40, 1usize..=70, any::<bool>());
    let place = (1usize..=3, 1usize..=3, 0usize..=6, 0usize..=30, prop_oneof![Just(63i8), Just(127i8)]);
    (shape, place).prop_flat_map(|((height, width, depth, channels, depthwise), place)| {
        let (down, along, more_rows, more_columns, limit) = place;
        let window = Window { height, width, depth: if depthwise { 1 } else { depth } };
        let framed = (height + more_rows, width + more_columns);
        let input_channels = if depthwise { channels } else { depth };
        let rest = (any::<u8>(), any::<u8>(), any::<bool>(), 0u8..3, any::<u32>());
        (bytes(framed.0 * framed.1 * input_channels), weights(channels * window.taps(), limit), rest).prop_map(
            move |(input, weights, (zero, out_zero, relu, skip, seed))| Case {
                window,
                channels,
                strides: (down, along),
                framed,
                zero,
                out_zero,
                relu,
                skip,
                depthwise,
                input,
                weights,
                seed,
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_kernel_gives_the_bytes_of_the_portable_one_and_that_those_of_the_definition(case in case()) {
        let limit = case.weights.iter().map(|w| w.unsigned_abs()).max().unwrap();
        let kernels = Kernel::available();
        let portable = case.run(*kernels.last().unwrap());
        prop_assert_eq!(&portable.real, &case.real_bits_by_definition());
        for kernel in kernels.into_iter().filter(|k| k.takes(limit)) {
            prop_assert_eq!(&case.run(kernel), &portable, "{}", kernel.name());
        }
    }
}

proptest! {
    #[test]
    fn quantizing_rounds_half_to_even_and_saturates(value in -400.0f32..400.0, zero in any::<u8>()) {
        // Halves are exact in binary: ties do occur.
        let tie = (value * 2.0).round() / 2.0;
        for v in [value, tie] {
            let wanted = (v.round_ties_even() + f32::from(zero)).clamp(0.0, 255.0);
            prop_assert_eq!(f32::from(Quantization::new(1.0, zero).nearest(v)).to_bits(), wanted.to_bits());
        }
    }
}

#[test]
fn quantizing_what_is_no_number_or_endless_stays_inside() {
    let how = Quantization::new(0.1, 128);
    assert_eq!([f32::NAN, f32::NEG_INFINITY, f32::INFINITY, -0.0].map(|v| how.nearest(v)), [0, 0, 255, 128]);
}

#[test]
fn the_group_and_the_lanes_make_one_vector_of_512_bits() {
    assert_eq!(GROUP * LANES * 8, 512);
}
