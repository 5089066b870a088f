//! A layer's work: the convolutions by a kernel, the rest portable.

use super::kernel::finish::{Finish, Out, Skip, clamp};
use super::network::{Convolution, Layer, Value, ValueId, Work};
use super::plan::{Buffer, Plan, Workspace};
use super::prepare::{Step, Weights};

impl Plan {
    /// Does layer `at`: reads its inputs in `workspace`, fills `out`.
    pub(super) fn layer(&self, at: usize, workspace: &Workspace, out: &mut Buffer) {
        let layer = &self.network.layers[at];
        match (&layer.work, &self.steps[at]) {
            (Work::Convolution(convolution), Step::Convolution { .. }) => {
                self.convolution(at, convolution, workspace, out);
            }
            (Work::Quantize(from), _) => self.quantize(layer, *from, workspace, out),
            (Work::Add(left, right), _) => {
                let value = &self.network.values[*left];
                self.each(layer, value, out, |row, column, channel| {
                    self.real_at(workspace, *left, row, column, channel)
                        + self.real_at(workspace, *right, row, column, channel)
                });
            }
            (Work::Pool(from), _) => self.pool(*from, workspace, out),
            (Work::Convolution(_), Step::Portable) => unreachable!("`step` makes the one of the other"),
        }
    }

    fn convolution(&self, at: usize, convolution: &Convolution, workspace: &Workspace, out: &mut Buffer) {
        let layer = &self.network.layers[at];
        let Step::Convolution { weights, kernel, multiplier, bias, windows } = &self.steps[at] else {
            unreachable!("`layer` looked")
        };
        let skip = match convolution.skip.map(|skip| (&workspace[skip], self.network.values[skip].quantization)) {
            None => Skip::None,
            Some((Buffer::Quantized(skip), Some(how))) => Skip::Quantized(skip, how),
            Some((Buffer::Real(skip), None)) => Skip::Real(skip),
            Some(_) => unreachable!("`workspace` made the buffers"),
        };
        let mut finish = Finish {
            multiplier,
            bias,
            skip,
            skip_view: self.places[convolution.skip.unwrap_or(layer.output)].view,
            clamp: layer.clamp,
            out: self.out(layer, out),
            out_view: self.places[layer.output].view,
        };
        let input = quantized(workspace, convolution.input);
        match weights {
            Weights::Packed(packed) => kernel.convolution(input, windows, packed, &mut finish),
            Weights::Depthwise(packed) => {
                kernel.depthwise(input, windows, packed, self.network.values[layer.output].channels, &mut finish);
            }
        }
    }

    fn out<'a>(&self, layer: &Layer, out: &'a mut Buffer) -> Out<'a> {
        match (out, self.network.values[layer.output].quantization) {
            (Buffer::Quantized(out), Some(how)) => Out::Quantized(out, how),
            (Buffer::Real(out), None) => Out::Real(out),
            _ => unreachable!("`workspace` made the buffers"),
        }
    }

    fn quantize(&self, layer: &Layer, from: ValueId, workspace: &Workspace, out: &mut Buffer) {
        let value = &self.network.values[from];
        let (from_view, to_view) = (self.places[from].view, self.places[layer.output].view);
        let row_len = value.width * value.channels;
        let Out::Quantized(out, how) = self.out(layer, out) else { unreachable!("`recognise` made it quantized") };
        for row in 0..value.height {
            let reals = &real(workspace, from)[from_view.at(row, 0)..][..row_len];
            for (quantized, real) in out[to_view.at(row, 0)..][..row_len].iter_mut().zip(reals) {
                *quantized = how.nearest(*real);
            }
        }
    }

    /// A value for each place of `value`, clamped and put out.
    fn each(&self, layer: &Layer, value: &Value, out: &mut Buffer, real: impl Fn(usize, usize, usize) -> f32) {
        let view = self.places[layer.output].view;
        let mut out = self.out(layer, out);
        for row in 0..value.height {
            for column in 0..value.width {
                for channel in 0..value.channels {
                    let result = clamp(real(row, column, channel), layer.clamp);
                    let to = view.at(row, column) + channel;
                    match &mut out {
                        Out::Quantized(out, how) => out[to] = how.nearest(result),
                        Out::Real(out) => out[to] = result,
                    }
                }
            }
        }
    }

    #[inline]
    fn real_at(&self, workspace: &Workspace, value: ValueId, row: usize, column: usize, channel: usize) -> f32 {
        let at = self.places[value].view.at(row, column) + channel;
        match (&workspace[value], self.network.values[value].quantization) {
            (Buffer::Quantized(values), Some(how)) => how.real(values[at]),
            (Buffer::Real(values), _) => values[at],
            (Buffer::Quantized(_), None) => unreachable!("`workspace` made the buffers"),
        }
    }

    /// Sums pixel by pixel in C order, each channel by itself, then divides once.
    fn pool(&self, from: ValueId, workspace: &Workspace, out: &mut Buffer) {
        let value = &self.network.values[from];
        let Buffer::Real(sums) = out else { unreachable!("a mean is real") };
        sums.fill(0.0);
        for row in 0..value.height {
            for column in 0..value.width {
                for (channel, sum) in sums.iter_mut().enumerate() {
                    *sum += self.real_at(workspace, from, row, column, channel);
                }
            }
        }
        let pixels = (value.height * value.width) as f32;
        for sum in sums {
            *sum /= pixels;
        }
    }
}

fn quantized(workspace: &Workspace, value: ValueId) -> &[u8] {
    match &workspace[value] {
        Buffer::Quantized(values) => values,
        Buffer::Real(_) => unreachable!("`recognise` saw that a convolution reads quantized values"),
    }
}

/// The values of a real tensor.
#[must_use]
pub fn real(workspace: &Workspace, value: ValueId) -> &[f32] {
    match &workspace[value] {
        Buffer::Real(values) => values,
        Buffer::Quantized(_) => unreachable!("`recognise` saw that the result is real"),
    }
}
