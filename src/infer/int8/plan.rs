//! The network made ready: weights packed, a kernel chosen, every tensor given its place.
//!
//! A quantized tensor is held inside a frame as wide as the padding of whatever reads it, filled
//! once with its zero point; a convolution then never sees a border. Workspaces are kept, so that
//! a run allocates nothing but its result.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::kernel::Kernel;
use super::network::{Layer, Network, Value, Work};
use super::prepare::{Place, Step, place, step};
use super::work::real;

/// Workspaces kept for the next run: as many as there are usually readers at once.
const KEPT_WORKSPACES: usize = 4;

/// A network that is ready to run.
pub struct Plan {
    pub(super) network: Network,
    pub(super) steps: Vec<Step>,
    pub(super) places: Vec<Place>,
    kept: Mutex<Vec<Workspace>>,
}

/// A value's buffer.
pub enum Buffer {
    /// In its frame.
    Quantized(Vec<u8>),
    /// As it is.
    Real(Vec<f32>),
}

/// A buffer for each value.
pub type Workspace = Vec<Buffer>;

/// What one layer is, for `explain`.
pub struct LayerPath<'a> {
    /// The layer.
    pub layer: &'a Layer,
    /// Its output.
    pub output: &'a Value,
    /// Which kernel does it; none: portable code.
    pub kernel: Option<Kernel>,
    /// Products of a value and a weight, those with padding counted.
    pub products: usize,
}

impl Plan {
    /// Prepares `network` with the first of `kernels` that takes each layer's weights.
    #[must_use]
    pub fn new(network: Network, kernels: &[Kernel]) -> Self {
        let places: Vec<Place> = (0..network.values.len()).map(|value| place(&network, value)).collect();
        let steps = network.layers.iter().map(|layer| step(&network, &places, layer, kernels)).collect();
        Self { network, steps, places, kept: Mutex::new(Vec::new()) }
    }

    /// Number of results.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.network.values[self.network.output].count()
    }

    /// Runs it on `input`, which has the input's size.
    ///
    /// # Panics
    /// It does not.
    #[must_use]
    pub fn run(&self, input: &[f32]) -> Vec<f32> {
        self.run_watched(input, |_| {})
    }

    /// Runs it and tells `each` after which layer it is.
    ///
    /// # Panics
    /// `input` has another size than the network's.
    #[must_use]
    pub fn run_watched(&self, input: &[f32], mut each: impl FnMut(usize)) -> Vec<f32> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut workspace = kept.unwrap_or_else(|| self.workspace());
        let Buffer::Real(first) = &mut workspace[0] else { unreachable!("the input is real") };
        first.copy_from_slice(input);
        for (at, layer) in self.network.layers.iter().enumerate() {
            let mut out = std::mem::replace(&mut workspace[layer.output], Buffer::Real(Vec::new()));
            self.layer(at, &workspace, &mut out);
            workspace[layer.output] = out;
            each(at);
        }
        let result = real(&workspace, self.network.output).to_vec();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_WORKSPACES {
            kept.push(workspace);
        }
        result
    }

    /// Least time of each layer over `runs`, by `now`.
    ///
    /// # Panics
    /// `input` has another size than the network's.
    #[must_use]
    pub fn times(&self, input: &[f32], runs: usize, now: &dyn Fn() -> Duration) -> Vec<Duration> {
        let mut least = vec![Duration::MAX; self.steps.len()];
        for _ in 0..runs {
            let mut before = now();
            let _ = self.run_watched(input, |at| {
                let after = now();
                least[at] = least[at].min(after.saturating_sub(before));
                before = now();
            });
        }
        least
    }

    /// What does each layer.
    pub fn paths(&self) -> impl Iterator<Item = LayerPath<'_>> {
        self.network.layers.iter().zip(&self.steps).map(|(layer, step)| LayerPath {
            layer,
            output: &self.network.values[layer.output],
            kernel: match step {
                Step::Convolution { kernel, .. } => Some(*kernel),
                Step::Portable => None,
            },
            products: match &layer.work {
                Work::Convolution(convolution) => {
                    let output = &self.network.values[layer.output];
                    output.height * output.width * convolution.weights.len()
                }
                _ => 0,
            },
        })
    }

    fn workspace(&self) -> Workspace {
        let buffer = |(value, place): (&Value, &Place)| match value.quantization {
            Some(how) => Buffer::Quantized(vec![how.zero(); place.len]),
            None => Buffer::Real(vec![0.0; place.len]),
        };
        self.network.values.iter().zip(&self.places).map(buffer).collect()
    }
}
