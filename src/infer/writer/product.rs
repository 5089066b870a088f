//! Weight-only int8 in tract: each `MatMul` with weights behind a `DequantizeLinear` becomes one
//! operator of ours, run by `int8::gemv`; everything else of the graph stays tract's.

use std::sync::Arc;

use tract_onnx::model::{Onnx, ParsingContext};
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};
use tract_onnx::prelude::DatumExt;
use tract_onnx::tract_hir::internal::{
    Datum, EvalContext, EvalOp, Expansion, InferenceOp, InferenceResult, IntoTValue, Op, OutletId, Solver, SpecialOps,
    StaticName, TValue, TVec, Tensor, TensorProxy, ToDim, TractErrorContext, TractResult, TypedFact, TypedModel,
    TypedOp, as_op, check_input_arity, check_output_arity, ensure, expand, format_err, op_as_typed_op, op_out_of_plan,
    tvec,
};

use crate::infer::int8::gemv::Weights;
use crate::infer::int8::kernel::Kernel;
use crate::infer::int8::{Values, constant};

/// The operator's name in a rewritten graph; no ONNX operator is called so.
const NAME: &str = "ResidentInt8Product";

/// Makes `onnx` know the operator.
pub fn register(onnx: &mut Onnx) {
    onnx.op_register.insert(NAME, build);
}

/// Replaces every `MatMul` whose right side is dequantized s8 weights; gives their number.
pub fn rewrite(graph: &mut GraphProto) -> usize {
    let mut count = 0;
    for i in 0..graph.node.len() {
        if let Some(product) = product(graph, &graph.node[i]) {
            graph.node[i] = product;
            count += 1;
        }
    }
    let unused = |node: &NodeProto, graph: &GraphProto| {
        node.op_type == "DequantizeLinear"
            && node.output.iter().all(|name| !graph.node.iter().any(|n| n.input.contains(name)))
    };
    let keep: Vec<bool> = graph.node.iter().map(|node| !unused(node, graph)).collect();
    let mut keep = keep.into_iter();
    graph.node.retain(|_| keep.next().unwrap_or(true));
    count
}

fn product(graph: &GraphProto, node: &NodeProto) -> Option<NodeProto> {
    let [x, weights] = node.input.as_slice() else { return None };
    if node.op_type != "MatMul" {
        return None;
    }
    let dequantize = graph.node.iter().find(|n| n.op_type == "DequantizeLinear" && n.output.contains(weights))?;
    let initializer = |name: &String| graph.initializer.iter().find(|t| t.name == *name);
    let (weights, scales) = (initializer(dequantize.input.first()?)?, initializer(dequantize.input.get(1)?)?);
    let symmetric = dequantize.input.get(2).is_none_or(|name| initializer(name).is_some_and(is_zero));
    let axis = dequantize.attribute.iter().find(|a| a.name == "axis").map_or(1, |a| a.i);
    let by_output = scales.dims.is_empty() || axis == 1 || axis == -1;
    let whole = weights_of(weights, scales).is_ok();
    (symmetric && by_output && whole).then(|| NodeProto {
        input: vec![x.clone()],
        output: node.output.clone(),
        name: node.name.clone(),
        op_type: NAME.into(),
        attribute: vec![held("weights", weights), held("scales", scales)],
        ..NodeProto::default()
    })
}

fn is_zero(tensor: &TensorProto) -> bool {
    matches!(constant(tensor).map(|c| c.values), Ok(Values::I8(values)) if values.iter().all(|&v| v == 0))
}

fn held(name: &str, tensor: &TensorProto) -> AttributeProto {
    AttributeProto { name: name.into(), t: Some(tensor.clone()), ..AttributeProto::default() }
}

fn weights_of(weights: &TensorProto, scales: &TensorProto) -> Result<Weights, String> {
    let (weights, scales) = (constant(weights)?, constant(scales)?);
    match (weights.shape.as_slice(), &weights.values, &scales.values) {
        (&[inner, outer], Values::I8(values), Values::F32(scales)) => Weights::new(values, inner, outer, scales),
        _ => Err("weights must be s8 of two dimensions, scales f32".into()),
    }
}

fn build(_: &ParsingContext<'_>, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let tensor = |name: &str| {
        let found = node.attribute.iter().find(|a| a.name == name).and_then(|a| a.t.as_ref());
        found.with_context(|| format!("{NAME} without {name}"))
    };
    let weights = weights_of(tensor("weights")?, tensor("scales")?).map_err(|e| format_err!("{}: {e}", node.name))?;
    let kernel = Kernel::available()[0];
    Ok((expand(Int8Product { weights: Arc::new(weights), kernel }), vec![]))
}

/// `x · W` over the last axis of x.
#[derive(Debug, Clone)]
struct Int8Product {
    weights: Arc<Weights>,
    kernel: Kernel,
}

impl PartialEq for Int8Product {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.weights, &other.weights)
    }
}

impl Eq for Int8Product {}

impl Expansion for Int8Product {
    fn name(&self) -> StaticName {
        NAME.into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].datum_type, f32::datum_type())?;
        s.equals(&outputs[0].datum_type, f32::datum_type())?;
        s.equals(&inputs[0].rank, &outputs[0].rank)?;
        s.given(&inputs[0].shape, move |s, mut shape| {
            let last = shape.last_mut().context("a product needs a row")?;
            *last = self.weights.outer().to_dim();
            s.equals(&outputs[0].shape, shape)
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}

impl Op for Int8Product {
    fn name(&self) -> StaticName {
        NAME.into()
    }

    op_as_typed_op!();
}

impl EvalOp for Int8Product {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = inputs.first().context("a product needs a row")?;
        let mut shape: TVec<usize> = x.shape().into();
        let last = shape.last_mut().context("a product needs a row")?;
        ensure!(*last == self.weights.inner(), "rows of {last}, weights for {}", self.weights.inner());
        *last = self.weights.outer();
        let mut out = Tensor::zero::<f32>(&shape)?;
        let view = x.try_as_plain_ram()?;
        let rows = view.as_slice::<f32>()?.chunks_exact(self.weights.inner());
        let mut plain = out.try_as_plain_ram_mut()?;
        for (x, out) in rows.zip(plain.as_slice_mut::<f32>()?.chunks_exact_mut(self.weights.outer())) {
            self.weights.product(self.kernel, x, out);
        }
        Ok(tvec![out.into_tvalue()])
    }
}

impl TypedOp for Int8Product {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let mut shape = inputs.first().context("a product needs a row")?.shape.to_tvec();
        let last = shape.last_mut().context("a product needs a row")?;
        *last = self.weights.outer().to_dim();
        Ok(tvec![f32::fact(shape)])
    }
}
