//! Quantized graphs on our own integer kernels, in NHWC, with requantization fused.
//!
//! ```text
//!  ONNX ─▶ import ─▶ graph ─▶ recognise ─▶ network ─▶ plan ─▶ kernel::{avx512, avx2, neon, scalar}
//!          (tract's  (our     (pure; or    (layers)   (packed,  (exact integer sums, then one
//!          parser)   words)   a reason)               placed)   float epilogue for all)
//! ```
//!
//! Taken are graphs in which each `Conv` (any window, stride and padding; one group or depthwise),
//! `Gemm` and `MatMul` stands between `QuantizeLinear`/`DequantizeLinear` with u8 activations
//! and symmetric s8 weights, joined by `Add`, `Relu`, `Clip`, `GlobalAveragePool`, `Flatten`. A
//! graph with anything else stays with tract as a whole, and the reason is kept.
//!
//! `gemv` holds the products of a decoder's steps, whose weights alone are quantized.
//!
//! The result is the same on every CPU, bit for bit: sums are integers, and the few float
//! operations of a layer have one order (`kernel::finish`).

pub mod gemv;
mod graph;
mod import;
pub mod kernel;
pub mod network;
mod operands;
pub mod pack;
pub mod plan;
mod prepare;
mod recognise;
#[cfg(test)]
mod tests;
mod work;

pub use graph::{Constant, Values};
pub use import::{constant, import};
pub use plan::Plan;
pub use recognise::recognise;
