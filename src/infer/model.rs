//! The model: an ONNX graph prepared once and run image by image. It and `int8::import` are the
//! only ones to name tract.
//!
//! A quantized graph runs on our own integer kernels (`int8`); what they do not cover runs in
//! tract as a whole, with the reason kept. A graph on which tract is known to be wrong (Softmax
//! between quantize nodes is folded as if it were element-wise) is refused by name.

mod explain;

use std::io::Cursor;
use std::sync::Arc;

use tract_onnx::pb::{GraphProto, ModelProto};
use tract_onnx::prelude::*;

use super::int8;
use super::int8::kernel::Kernel;
pub use explain::{NodePath, Path};

/// A graph that is ready to run.
pub struct Model {
    engine: Engine,
    shape: [usize; 4],
    outputs: usize,
}

enum Engine {
    Int8(int8::Plan),
    Tract(Arc<TypedRunnableModel>, String),
}

/// Who may run a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engines {
    /// Our integer kernels where they cover the graph, else tract.
    Best,
    /// As `Best`, with this kernel wherever it takes the weights, to compare with.
    One(Kernel),
    /// Tract as it comes, to compare with.
    StockTract,
}

/// Why a graph cannot be used, or did not run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Not an ONNX graph that tract can prepare.
    #[error("cannot prepare the graph: {0}")]
    Unprepared(String),
    /// The graph disagrees with the manifest.
    #[error("the graph has {what} {found}, the manifest says {wanted}")]
    Disagrees {
        /// Input or output, name or shape.
        what: &'static str,
        /// In the graph.
        found: String,
        /// In the manifest.
        wanted: String,
    },
    /// Known to give wrong results.
    #[error(
        "node {0:?} is a Softmax fed by a DequantizeLinear: tract computes it wrongly; export without quantize nodes around Softmax"
    )]
    QuantizedSoftmax(String),
    /// Running failed.
    #[error("inference failed: {0}")]
    Run(String),
    /// A result that is no number.
    #[error("inference gave a value that is not finite at output {0}")]
    NotFinite(usize),
}

/// What the manifest says of the graph.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    /// Name of the input.
    pub input: &'a str,
    /// Height and width of `[1, 1, height, width]`.
    pub height: usize,
    /// See `height`.
    pub width: usize,
    /// Name of the output.
    pub output: &'a str,
    /// Least number of logits.
    pub least_outputs: usize,
}

impl Model {
    /// Prepares the graph in `onnx` and holds it against its manifest.
    ///
    /// # Errors
    /// Not a usable graph, one that disagrees with the manifest, or one that tract gets wrong.
    pub fn prepare(onnx: &[u8], signature: &Signature<'_>) -> Result<Self, ModelError> {
        Self::prepare_with(onnx, signature, Engines::Best)
    }

    /// As `prepare`, with a choice of who may run it.
    ///
    /// # Errors
    /// As `prepare`.
    pub fn prepare_with(onnx: &[u8], signature: &Signature<'_>, engines: Engines) -> Result<Self, ModelError> {
        let proto = tract_onnx::onnx().proto_model_for_read(&mut Cursor::new(onnx)).map_err(unprepared)?;
        let graph = proto.graph.as_ref().ok_or_else(|| ModelError::Unprepared("no graph in the file".into()))?;
        if let Some(node) = quantized_softmax(graph) {
            return Err(ModelError::QuantizedSoftmax(node));
        }
        agrees("inputs", &inputs(graph).join(", "), signature.input)?;
        agrees(
            "outputs",
            &graph.output.iter().map(|o| o.name.as_str()).collect::<Vec<_>>().join(", "),
            signature.output,
        )?;
        let covered = match engines {
            Engines::Best | Engines::One(_) => {
                int8::import(graph).and_then(|graph| Ok((int8::recognise(&graph)?, graph.input_shape)))
            }
            Engines::StockTract => Err("stock tract was asked for".into()),
        };
        let (engine, outputs) = match covered {
            Ok((network, input_shape)) => {
                let mut kernels = Kernel::available();
                if let Engines::One(kernel) = engines {
                    kernels.insert(0, kernel);
                }
                let plan = int8::Plan::new(network, &kernels);
                let outputs = plan.output_len();
                agrees_in_shape(&format!("{input_shape:?}"), &format!("{:?}", signature.shape()))?;
                (Engine::Int8(plan), enough_outputs(outputs, signature)?)
            }
            Err(reason) => {
                if engines == Engines::Best {
                    log::warn!("the graph is left to tract, several times slower than our kernels: {reason}");
                }
                in_tract(&proto, signature, reason)?
            }
        };
        Ok(Self { engine, shape: signature.shape(), outputs })
    }

    /// Runs the graph on `input`, `[1, 1, height, width]` in C order; gives the logits.
    ///
    /// # Errors
    /// The input has another size, tract failed, or a logit is not finite.
    pub fn run(&self, input: &[f32]) -> Result<Vec<f32>, ModelError> {
        let logits = match &self.engine {
            Engine::Int8(_) if input.len() != self.input_len() => {
                return Err(ModelError::Run(format!("{} values, need {}", input.len(), self.input_len())));
            }
            Engine::Int8(plan) => plan.run(input),
            Engine::Tract(plan, _) => {
                let result = plan.run(tvec![self.tensor(input)?]).map_err(failed)?;
                result[0].to_plain_array_view::<f32>().map_err(failed)?.iter().copied().collect()
            }
        };
        match logits.iter().position(|l| !l.is_finite()) {
            Some(at) => Err(ModelError::NotFinite(at)),
            None => Ok(logits),
        }
    }

    fn tensor(&self, input: &[f32]) -> Result<TValue, ModelError> {
        Ok(Tensor::from_shape(&self.shape, input).map_err(failed)?.into_tvalue())
    }

    /// Number of values that the input needs.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of logits that a run gives.
    #[must_use]
    pub const fn output_len(&self) -> usize {
        self.outputs
    }
}

impl Signature<'_> {
    const fn shape(&self) -> [usize; 4] {
        [1, 1, self.height, self.width]
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
pub(super) fn unprepared(error: TractError) -> ModelError {
    ModelError::Unprepared(format!("{error:#}"))
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
pub(super) fn failed(error: TractError) -> ModelError {
    ModelError::Run(format!("{error:#}"))
}

fn in_tract(proto: &ModelProto, signature: &Signature<'_>, reason: String) -> Result<(Engine, usize), ModelError> {
    let typed =
        tract_onnx::onnx().model_for_proto_model(proto).and_then(InferenceModelExt::into_typed).map_err(unprepared)?;
    let shape = &typed.input_fact(0).map_err(unprepared)?.shape;
    agrees_in_shape(&format!("{shape:?}"), &format!("{:?}", ShapeFact::from_dims(signature.shape())))?;
    let shape = &typed.output_fact(0).map_err(unprepared)?.shape;
    let outputs = match shape.as_concrete() {
        Some([1, outputs]) => enough_outputs(*outputs, signature)?,
        _ => return Err(few_outputs(format!("{shape:?}"), signature)),
    };
    let plan = typed.into_optimized().and_then(IntoRunnable::into_runnable).map_err(unprepared)?;
    Ok((Engine::Tract(plan, reason), outputs))
}

fn inputs(graph: &GraphProto) -> Vec<&str> {
    let is_constant = |name: &&str| graph.initializer.iter().any(|t| t.name == *name);
    graph.input.iter().map(|i| i.name.as_str()).filter(|name| !is_constant(name)).collect()
}

fn agrees(what: &'static str, found: &str, wanted: &str) -> Result<(), ModelError> {
    if found == wanted {
        Ok(())
    } else {
        Err(ModelError::Disagrees { what, found: found.into(), wanted: wanted.into() })
    }
}

fn agrees_in_shape(found: &str, wanted: &str) -> Result<(), ModelError> {
    agrees("input shape", found, wanted)
}

fn enough_outputs(outputs: usize, signature: &Signature<'_>) -> Result<usize, ModelError> {
    if outputs >= signature.least_outputs { Ok(outputs) } else { Err(few_outputs(format!("1,{outputs}"), signature)) }
}

fn few_outputs(found: String, signature: &Signature<'_>) -> ModelError {
    ModelError::Disagrees { what: "output shape", found, wanted: format!("1,{} or more", signature.least_outputs) }
}

/// The name of a Softmax whose input comes straight from a `DequantizeLinear`, if any.
fn quantized_softmax(graph: &GraphProto) -> Option<String> {
    let dequantized =
        |name: &String| graph.node.iter().any(|n| n.op_type == "DequantizeLinear" && n.output.contains(name));
    graph.node.iter().find(|n| n.op_type == "Softmax" && n.input.iter().any(dequantized)).map(|n| n.name.clone())
}
