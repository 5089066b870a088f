//! One ONNX graph of a writer, run by tract, its tensors by name. It and `product` are the
//! writer's only files that name tract.

use std::io::Cursor;
use std::sync::Arc;

use tract_onnx::prelude::*;

use super::product;
use crate::infer::model::{ModelError, failed, unprepared};

/// A graph that is ready to run.
pub struct Graph {
    plan: Arc<TypedRunnableModel>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    int8_products: usize,
}

/// A graph while it runs, step by step.
pub struct Session(TypedSimpleState);

/// A tensor; copies share its values.
#[derive(Clone)]
pub struct Value(TValue);

impl Graph {
    /// Prepares the graph in `onnx`; dimensions may be named instead of sized.
    ///
    /// # Errors
    /// Not a graph that tract can prepare.
    pub fn prepare(onnx: &[u8]) -> Result<Self, ModelError> {
        let mut tract = tract_onnx::onnx();
        product::register(&mut tract);
        let mut proto = tract.proto_model_for_read(&mut Cursor::new(onnx)).map_err(unprepared)?;
        let graph = proto.graph.as_mut().ok_or_else(|| ModelError::Unprepared("no graph in the file".into()))?;
        let int8_products = product::rewrite(graph);
        let is_constant = |name: &String| graph.initializer.iter().any(|t| t.name == *name);
        let inputs = graph.input.iter().map(|i| i.name.clone()).filter(|name| !is_constant(name)).collect();
        let outputs = graph.output.iter().map(|o| o.name.clone()).collect();
        let plan = tract
            .model_for_proto_model(&proto)
            .and_then(InferenceModelExt::into_optimized)
            .and_then(IntoRunnable::into_runnable)
            .map_err(unprepared)?;
        Ok(Self { plan, inputs, outputs, int8_products })
    }

    /// Names of the inputs, in the order that [`Session::run`] takes them.
    #[must_use]
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Names of the outputs, in the order that [`Session::run`] gives them.
    #[must_use]
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Products that our int8 kernels compute.
    #[must_use]
    pub const fn int8_products(&self) -> usize {
        self.int8_products
    }

    /// Begins to run.
    ///
    /// # Errors
    /// Tract refused.
    pub fn session(&self) -> Result<Session, ModelError> {
        Ok(Session(self.plan.spawn().map_err(failed)?))
    }
}

impl Session {
    /// Runs once.
    ///
    /// # Errors
    /// Tract failed, for example on a shape that the graph does not take.
    pub fn run(&mut self, inputs: impl IntoIterator<Item = Value>) -> Result<Vec<Value>, ModelError> {
        let outputs = self.0.run(inputs.into_iter().map(|v| v.0).collect()).map_err(failed)?;
        Ok(outputs.into_iter().map(Value).collect())
    }
}

impl Value {
    /// i64 `[1, n]`.
    #[must_use]
    pub fn tokens(tokens: &[u32]) -> Self {
        let row: Vec<i64> = tokens.iter().map(|&t| i64::from(t)).collect();
        Self(Tensor::from(tract_ndarray::Array2::from_shape_vec((1, row.len()), row).expect("one row")).into_tvalue())
    }

    /// i64 `[1]`.
    #[must_use]
    pub fn position(position: u32) -> Self {
        Self(tensor1(&[i64::from(position)]).into_tvalue())
    }

    /// f32 of `shape` in C order.
    ///
    /// # Errors
    /// Another number of values than the shape says.
    pub fn floats(shape: &[usize], values: &[f32]) -> Result<Self, ModelError> {
        Ok(Self(Tensor::from_shape(shape, values).map_err(failed)?.into_tvalue()))
    }

    /// Its values.
    ///
    /// # Errors
    /// It holds no f32.
    pub fn as_floats(&self) -> Result<Vec<f32>, ModelError> {
        Ok(self.0.to_plain_array_view::<f32>().map_err(failed)?.iter().copied().collect())
    }
}
