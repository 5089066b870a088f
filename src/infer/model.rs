//! The model: an ONNX graph prepared once and run image by image. The only file that names tract.
//!
//! A graph on which tract is known to be wrong (Softmax between quantize nodes is folded
//! as if it were element-wise) is refused by name before it is ever run.

use std::io::Cursor;
use std::sync::Arc;

use tract_onnx::prelude::*;

/// A graph that is ready to run.
pub struct Model {
    plan: Arc<TypedRunnableModel>,
    shape: [usize; 4],
    outputs: usize,
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
        let unprepared = |e: TractError| ModelError::Unprepared(format!("{e:#}"));
        let framework = tract_onnx::onnx();
        let proto = framework.proto_model_for_read(&mut Cursor::new(onnx)).map_err(unprepared)?;
        let graph = proto.graph.as_ref().ok_or_else(|| ModelError::Unprepared("no graph in the file".into()))?;
        if let Some(node) = quantized_softmax(graph) {
            return Err(ModelError::QuantizedSoftmax(node));
        }
        let agrees = |what, found: &str, wanted: &str| {
            if found == wanted {
                Ok(())
            } else {
                Err(ModelError::Disagrees { what, found: found.into(), wanted: wanted.into() })
            }
        };
        let inputs: Vec<&str> = graph
            .input
            .iter()
            .map(|i| i.name.as_str())
            .filter(|n| !graph.initializer.iter().any(|t| t.name == *n))
            .collect();
        agrees("inputs", &inputs.join(", "), signature.input)?;
        agrees(
            "outputs",
            &graph.output.iter().map(|o| o.name.as_str()).collect::<Vec<_>>().join(", "),
            signature.output,
        )?;

        let shape = [1, 1, signature.height, signature.width];
        let typed = framework
            .model_for_read(&mut Cursor::new(onnx))
            .and_then(InferenceModelExt::into_typed)
            .map_err(unprepared)?;
        let fact = typed.input_fact(0).map_err(unprepared)?;
        agrees("input shape", &format!("{:?}", fact.shape), &format!("{:?}", ShapeFact::from_dims(shape)))?;
        let fact = typed.output_fact(0).map_err(unprepared)?;
        let outputs = match fact.shape.as_concrete() {
            Some([1, outputs]) if *outputs >= signature.least_outputs => *outputs,
            _ => {
                return Err(ModelError::Disagrees {
                    what: "output shape",
                    found: format!("{:?}", fact.shape),
                    wanted: format!("1,{} or more", signature.least_outputs),
                });
            }
        };
        let plan = typed.into_optimized().and_then(IntoRunnable::into_runnable).map_err(unprepared)?;
        Ok(Self { plan, shape, outputs })
    }

    /// Runs the graph on `input`, `[1, 1, height, width]` in C order; gives the logits.
    ///
    /// # Errors
    /// The input has another size, tract failed, or a logit is not finite.
    pub fn run(&self, input: &[f32]) -> Result<Vec<f32>, ModelError> {
        let run = |e: TractError| ModelError::Run(format!("{e:#}"));
        let tensor = Tensor::from_shape(&self.shape, input).map_err(run)?;
        let result = self.plan.run(tvec![tensor.into_tvalue()]).map_err(run)?;
        let logits: Vec<f32> = result[0].to_plain_array_view::<f32>().map_err(run)?.iter().copied().collect();
        match logits.iter().position(|l| !l.is_finite()) {
            Some(at) => Err(ModelError::NotFinite(at)),
            None => Ok(logits),
        }
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

/// The name of a Softmax whose input comes straight from a `DequantizeLinear`, if any.
fn quantized_softmax(graph: &tract_onnx::pb::GraphProto) -> Option<String> {
    let dequantized =
        |name: &String| graph.node.iter().any(|n| n.op_type == "DequantizeLinear" && n.output.contains(name));
    graph.node.iter().find(|n| n.op_type == "Softmax" && n.input.iter().any(dequantized)).map(|n| n.name.clone())
}
