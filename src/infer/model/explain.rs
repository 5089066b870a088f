//! Who does each node of a model, and how long it takes.

use std::sync::Arc;
use std::time::Duration;

use tract_onnx::prelude::*;
use tract_onnx::tract_core;

use super::{Engine, Model, ModelError, failed};
use crate::infer::int8;
use crate::infer::int8::kernel::Kernel;

/// Who does a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path {
    /// Our integer kernel of this name.
    Int8(&'static str),
    /// Tract, and why.
    Tract(String),
}

/// What `model explain` says of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodePath {
    /// Name, with the operators that are done in one.
    pub node: String,
    /// Of its output, as ONNX orders it.
    pub shape: Vec<usize>,
    /// Who does it.
    pub path: Path,
    /// Least time of a few runs.
    pub time: Duration,
    /// Products of a value and a weight, where our kernels make them.
    pub products: usize,
    /// Of the products that this core's instructions could make in that time, 0 to 1 and a
    /// little more by chance; none where that is not known.
    pub share_of_peak: Option<f64>,
}

impl Model {
    /// Who does each node and how long it takes, the least of `runs` by `now`.
    ///
    /// # Errors
    /// Tract failed.
    pub fn explain(&self, runs: usize, now: &dyn Fn() -> Duration) -> Result<Vec<NodePath>, ModelError> {
        // Any values do: no path depends on them.
        let input = vec![0.5; self.input_len()];
        match &self.engine {
            Engine::Int8(plan) => {
                let times = plan.times(&input, runs, now);
                let mut peaks: Vec<(Kernel, Option<f64>)> = Vec::new();
                for kernel in plan.paths().filter_map(|path| path.kernel) {
                    if peaks.iter().all(|(known, _)| *known != kernel) {
                        peaks.push((kernel, kernel.peak_per_s(now)));
                    }
                }
                let peak = |kernel| peaks.iter().find(|(known, _)| *known == kernel)?.1;
                Ok(plan.paths().zip(times).map(|(path, time)| of_layer(&path, time, peak)).collect())
            }
            Engine::Tract(plan, reason) => self.explain_tract(plan, reason, &input, runs, now),
        }
    }

    fn explain_tract(
        &self,
        plan: &Arc<TypedRunnableModel>,
        reason: &str,
        input: &[f32],
        runs: usize,
        now: &dyn Fn() -> Duration,
    ) -> Result<Vec<NodePath>, ModelError> {
        let nodes = &plan.model().nodes;
        let mut least = vec![None; nodes.len()];
        for _ in 0..runs {
            let mut state = plan.spawn().map_err(failed)?;
            state
                .run_plan_with_eval(tvec![self.tensor(input)?], |context, op_state, node, inputs| {
                    let before = now();
                    let result = tract_core::plan::eval(context, op_state, node, inputs);
                    let took = now().saturating_sub(before);
                    least[node.id] = Some(least[node.id].map_or(took, |l: Duration| l.min(took)));
                    result
                })
                .map_err(failed)?;
        }
        let path = |(node, time): (&TypedNode, Option<Duration>)| NodePath {
            node: format!("{} [{}]", node.name, node.op.name()),
            shape: node.outputs[0].fact.shape.as_concrete().map(<[usize]>::to_vec).unwrap_or_default(),
            path: Path::Tract(reason.to_owned()),
            time: time.unwrap_or_default(),
            products: 0,
            share_of_peak: None,
        };
        Ok(nodes.iter().zip(least).map(path).collect())
    }
}

fn of_layer(path: &int8::plan::LayerPath<'_>, time: Duration, peak: impl Fn(Kernel) -> Option<f64>) -> NodePath {
    let (_, name) = &path.layer.nodes[0];
    let operators: Vec<&str> = path.layer.nodes.iter().map(|(operator, _)| operator.as_str()).collect();
    NodePath {
        node: format!("{name} [{}]", operators.join(" + ")),
        shape: vec![1, path.output.channels, path.output.height, path.output.width],
        path: Path::Int8(path.kernel.map_or("portable", Kernel::name)),
        time,
        products: path.products,
        share_of_peak: path.kernel.and_then(peak).map(|peak| path.products as f64 / time.as_secs_f64() / peak),
    }
}
