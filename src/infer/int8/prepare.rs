//! What each layer needs, made once: weights packed, a kernel chosen, a place for every tensor.

use super::kernel::Kernel;
use super::kernel::finish::View;
use super::kernel::sweep::Windows;
use super::network::{Convolution, Layer, Network, Value, ValueId, Work};
use super::pack::{Depthwise, LANES, Lanes, Packed, by_block};

/// Where a value lies in its buffer.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Where its pixels lie.
    pub view: View,
    /// Length of the buffer.
    pub len: usize,
}

/// How a layer is done.
pub enum Step {
    /// By a kernel.
    Convolution {
        /// Packed.
        weights: Weights,
        /// The first that takes them.
        kernel: Kernel,
        /// Real size of a product, by block.
        multiplier: Vec<Lanes<f32>>,
        /// Real bias, by block.
        bias: Vec<Lanes<f32>>,
        /// Where it reads.
        windows: Windows,
    },
    /// By plain code.
    Portable,
}

/// A convolution's weights.
pub enum Weights {
    /// Over all channels.
    Packed(Packed),
    /// Each channel by itself.
    Depthwise(Depthwise),
}

/// The frame of a value is the most padding on each side of whatever reads it.
#[must_use]
pub fn place(network: &Network, id: ValueId) -> Place {
    let value = &network.values[id];
    let mut frame = [0; 4];
    for layer in &network.layers {
        if let Work::Convolution(convolution) = &layer.work
            && convolution.input == id
        {
            frame = std::array::from_fn(|side| frame[side].max(convolution.padding[side]));
        }
    }
    let [top, left, bottom, right] = frame;
    let pitch = (value.width + left + right) * value.channels;
    let view = View { start: top * pitch + left * value.channels, pitch, channels: value.channels };
    // Kernels read whole groups and lanes, past the last value; what they read there meets zero weights.
    let slack = if value.quantization.is_some() { LANES } else { 0 };
    Place { view, len: (value.height + top + bottom) * pitch + slack }
}

/// How `layer` is done, by the first of `kernels` that takes its weights.
///
/// # Panics
/// `kernels` lacks the portable one, which takes all.
#[must_use]
pub fn step(network: &Network, places: &[Place], layer: &Layer, kernels: &[Kernel]) -> Step {
    let Work::Convolution(convolution) = &layer.work else { return Step::Portable };
    let (input, output) = (&network.values[convolution.input], &network.values[layer.output]);
    let zero = input.quantization.expect("`recognise` saw that a convolution reads quantized values").zero();
    let view = places[convolution.input].view;
    let [top, left, ..] = convolution.padding;
    let mut windows = Windows {
        start: view.start - top * view.pitch - left * view.channels,
        pitch: view.pitch,
        step: convolution.strides.1 * view.channels,
        row_step: convolution.strides.0 * view.pitch,
        height: output.height,
        width: output.width,
    };
    let limit = convolution.weights.iter().map(|w| w.unsigned_abs()).max().unwrap_or(0);
    let kernel = *kernels.iter().find(|k| k.takes(limit)).expect("the portable kernel takes all");
    let pack = (&convolution.weights, output.channels, convolution.window, zero);
    let weights = if convolution.depthwise {
        Weights::Depthwise(Depthwise::new(pack.0, pack.1, pack.2, pack.3))
    } else {
        if is_one_row(convolution, layer, places, output) {
            windows = Windows { height: 1, width: output.height * output.width, ..windows };
        }
        Weights::Packed(Packed::new(pack.0, pack.1, pack.2, pack.3))
    };
    Step::Convolution {
        weights,
        kernel,
        multiplier: by_block(&convolution.multiplier),
        bias: by_block(&convolution.bias),
        windows,
    }
}

/// A 1x1 convolution between tensors without frames is one long row: fuller tiles.
fn is_one_row(convolution: &Convolution, layer: &Layer, places: &[Place], output: &Value) -> bool {
    let whole = |value: ValueId| {
        let view = places[value].view;
        view.pitch == output.width * view.channels
    };
    convolution.window.height * convolution.window.width == 1
        && convolution.strides == (1, 1)
        && convolution.padding == [0; 4]
        && whole(convolution.input)
        && whole(layer.output)
        && convolution.skip.is_none_or(whole)
}
