//! The layers that a quantized graph means.
//!
//! Each layer makes one value; what ONNX writes as several nodes (convolution, Add, Relu,
//! `QuantizeLinear`) is one layer, whose arithmetic `kernel::finish` fixes.

use super::kernel::finish::Quantization;
use super::pack::Window;

/// Index of a value.
pub type ValueId = usize;

/// Activations that nothing limits.
pub const UNLIMITED: (f32, f32) = (f32::MIN, f32::MAX);

/// A tensor `[1, channels, height, width]`, held as NHWC.
#[derive(Debug, Clone)]
pub struct Value {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels.
    pub channels: usize,
    /// How it is held: u8 with this meaning, or f32.
    pub quantization: Option<Quantization>,
    /// Read by more than the next node, so that it must exist as it is.
    pub shared: bool,
}

impl Value {
    /// Values in all.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.height * self.width * self.channels
    }
}

/// One step.
#[derive(Debug)]
pub struct Layer {
    /// The ONNX nodes that it does, the first gives the name.
    pub nodes: Vec<(String, String)>,
    /// What it does.
    pub work: Work,
    /// Least and greatest result.
    pub clamp: (f32, f32),
    /// The value that it makes.
    pub output: ValueId,
}

/// What a layer does.
#[derive(Debug)]
pub enum Work {
    /// f32 to u8.
    Quantize(ValueId),
    /// Products of u8 and s8.
    Convolution(Convolution),
    /// Sum of two values.
    Add(ValueId, ValueId),
    /// Mean over all pixels of a channel.
    Pool(ValueId),
}

/// Convolution, fully connected layer or depthwise convolution.
#[derive(Debug)]
pub struct Convolution {
    /// A quantized value.
    pub input: ValueId,
    /// Added before the clamp.
    pub skip: Option<ValueId>,
    /// Size of the window.
    pub window: Window,
    /// Down, along.
    pub strides: (usize, usize),
    /// Top, left, bottom, right.
    pub padding: [usize; 4],
    /// Every channel sees only itself.
    pub depthwise: bool,
    /// `[channel][depth][height][width]`.
    pub weights: Vec<i8>,
    /// Real size of a product, by channel.
    pub multiplier: Vec<f32>,
    /// Real, by channel.
    pub bias: Vec<f32>,
}

/// A whole graph.
#[derive(Debug)]
pub struct Network {
    /// The first is the input.
    pub values: Vec<Value>,
    /// In order of work.
    pub layers: Vec<Layer>,
    /// The real value that is the result.
    pub output: ValueId,
}

impl Network {
    /// The layer that makes a value.
    #[must_use]
    pub fn maker(&self, value: ValueId) -> Option<usize> {
        self.layers.iter().position(|l| l.output == value)
    }
}
