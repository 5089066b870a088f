//! Pure: from a graph to the network that it means, or the first node that is not covered and why.
//!
//! Nothing is approximated: where a node's meaning is not exactly one of ours the whole graph is
//! left to tract, because a boundary in the middle would cost what the kernels gain.

use std::collections::{HashMap, HashSet};

use super::graph::{Graph, Node};
use super::network::{Layer, Network, UNLIMITED, Value, ValueId, Work};
use super::operands;

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
enum Bound {
    /// A value as it is held.
    Plain(ValueId),
    /// The real meaning of a quantized value.
    Dequantized(ValueId),
}

impl Bound {
    const fn value(self) -> ValueId {
        match self {
            Self::Plain(value) | Self::Dequantized(value) => value,
        }
    }
}

/// The network that `graph` means.
///
/// # Errors
/// The node that is not covered, and why.
pub fn recognise(graph: &Graph) -> Result<Network, String> {
    let [1, channels, height, width] = graph.input_shape[..] else {
        return Err(format!("input {:?}: only [1, channels, height, width] is covered", graph.input));
    };
    if channels != 1 {
        return Err(format!("input {:?}: only one channel is covered, it has {channels}", graph.input));
    }
    if height.saturating_mul(width) == 0 || height.saturating_mul(width) > operands::MOST_VALUES {
        return Err(format!("input {:?}: too large or empty", graph.input));
    }
    let network = Network { values: Vec::new(), layers: Vec::new(), output: 0 };
    let mut recogniser =
        Recogniser { graph, readings: graph.readings(), bound: HashMap::new(), flat: HashSet::new(), network };
    let input = Value { height, width, channels, quantization: None, shared: false };
    recogniser.add_value(&graph.input, input);
    for node in &graph.nodes {
        recogniser.take(node).map_err(|why| format!("{} {:?}: {why}", node.op, node.name))?;
    }
    recogniser.finish()
}

struct Recogniser<'a> {
    graph: &'a Graph,
    readings: HashMap<String, usize>,
    bound: HashMap<String, Bound>,
    /// Names of tensors `[1, channels]`; the others are `[1, channels, height, width]`.
    flat: HashSet<String>,
    network: Network,
}

impl Recogniser<'_> {
    fn take(&mut self, node: &Node) -> Result<(), String> {
        let [output] = &node.outputs[..] else { return Err("only one output is covered".into()) };
        let flat: Vec<bool> = node.inputs.iter().map(|name| self.flat.contains(name)).collect();
        let fits = match node.op.as_str() {
            "Gemm" | "MatMul" => flat.first() == Some(&true),
            "Conv" | "GlobalAveragePool" => flat.first() == Some(&false),
            "Add" => flat.windows(2).all(|sides| sides[0] == sides[1]),
            _ => true,
        };
        if !fits {
            return Err("an input has another rank".into());
        }
        if flat.first() == Some(&true) || ["Gemm", "MatMul", "Flatten"].contains(&node.op.as_str()) {
            self.flat.insert(output.clone());
        }
        match node.op.as_str() {
            "QuantizeLinear" => self.quantize(node),
            "DequantizeLinear" => self.dequantize(node),
            "Conv" | "Gemm" | "MatMul" => self.multiply(node),
            "Add" => self.add(node),
            "Relu" | "Clip" => self.limit(node),
            "GlobalAveragePool" => self.pool(node),
            "Flatten" => self.flatten(node),
            "Identity" => {
                let bound = self.input(node, 0)?;
                self.bind(&node.outputs[0], bound);
                Ok(())
            }
            _ => Err("the operator is not covered".into()),
        }
    }

    fn finish(mut self) -> Result<Network, String> {
        let Some(Bound::Plain(output)) = self.bound.get(&self.graph.output).copied() else {
            return Err(format!("output {:?}: only a real tensor is covered", self.graph.output));
        };
        let value = &self.network.values[output];
        if value.quantization.is_some() || !self.flat.contains(&self.graph.output) {
            return Err(format!("output {:?}: only [1, values] of floats is covered", self.graph.output));
        }
        self.network.output = output;
        Ok(self.network)
    }

    fn quantize(&mut self, node: &Node) -> Result<(), String> {
        let how = operands::quantization(self.graph, node)?;
        let Bound::Plain(from) = self.input(node, 0)? else { return Err("its input is quantized already".into()) };
        let value = self.network.values[from].clone();
        if value.quantization.is_some() {
            return Err("its input is quantized already".into());
        }
        let maker = self.network.maker(from).filter(|_| !value.shared);
        let fused = maker
            .map(|at| &mut self.network.layers[at])
            .filter(|layer| matches!(layer.work, Work::Convolution(_) | Work::Add(..)));
        if let Some(layer) = fused {
            layer.nodes.push(called(node));
            self.network.values[from].quantization = Some(how);
            self.bind(&node.outputs[0], Bound::Plain(from));
        } else {
            self.add_layer(node, Work::Quantize(from), Value { quantization: Some(how), shared: false, ..value });
        }
        Ok(())
    }

    fn dequantize(&mut self, node: &Node) -> Result<(), String> {
        // Weights and biases are read by the node that they belong to.
        if node.input(0).is_some_and(|name| self.graph.constants.contains_key(name)) {
            return Ok(());
        }
        let how = operands::quantization(self.graph, node)?;
        let bound = self.input(node, 0)?;
        match bound {
            Bound::Plain(value) if self.network.values[value].quantization == Some(how) => {
                self.bind(&node.outputs[0], Bound::Dequantized(value));
                Ok(())
            }
            _ => Err("scale and zero point are not those of its input".into()),
        }
    }

    fn multiply(&mut self, node: &Node) -> Result<(), String> {
        let Bound::Dequantized(input) = self.input(node, 0)? else {
            return Err("its input does not come from a DequantizeLinear".into());
        };
        let value = &self.network.values[input];
        let (convolution, out) = operands::convolution(self.graph, node, input, value)?;
        self.add_layer(node, Work::Convolution(convolution), out);
        Ok(())
    }

    /// An Add goes into the convolution that makes one of its sides, if nothing else reads that.
    fn add(&mut self, node: &Node) -> Result<(), String> {
        let sides = [self.input(node, 0)?, self.input(node, 1)?];
        let [left, right] = sides.map(|side| &self.network.values[side.value()]);
        if (left.height, left.width, left.channels) != (right.height, right.width, right.channels) {
            return Err("its sides differ in shape".into());
        }
        if sides.iter().any(|s| matches!(s, Bound::Plain(v) if self.network.values[*v].quantization.is_some())) {
            return Err("it adds quantized values as integers".into());
        }
        let shape = Value { quantization: None, shared: false, ..left.clone() };
        let host = |side: Bound| match side {
            Bound::Plain(value) if !self.network.values[value].shared => {
                self.network.maker(value).filter(|&at| open_to_add(&self.network.layers[at]))
            }
            _ => None,
        };
        let hosts = [(host(sides[0]), sides[1]), (host(sides[1]), sides[0])];
        let Some((at, skip)) = hosts.into_iter().filter_map(|(at, skip)| Some((at?, skip))).max_by_key(|h| h.0) else {
            self.add_layer(node, Work::Add(sides[0].value(), sides[1].value()), shape);
            return Ok(());
        };
        // To the end, after whatever makes the other side: nothing but this Add reads its value.
        let mut layer = self.network.layers.remove(at);
        if let Work::Convolution(convolution) = &mut layer.work {
            convolution.skip = Some(skip.value());
        }
        layer.nodes.push(called(node));
        let output = layer.output;
        self.network.layers.push(layer);
        self.bind(&node.outputs[0], Bound::Plain(output));
        Ok(())
    }

    fn limit(&mut self, node: &Node) -> Result<(), String> {
        let clamp = operands::limits(self.graph, node)?;
        let uncovered = || "only directly after a convolution or an Add, which nothing else reads".to_owned();
        let Bound::Plain(value) = self.input(node, 0)? else { return Err(uncovered()) };
        let held = &self.network.values[value];
        let at = self.network.maker(value).filter(|_| !held.shared && held.quantization.is_none());
        let layer = at
            .map(|at| &mut self.network.layers[at])
            .filter(|layer| layer.clamp == UNLIMITED && matches!(layer.work, Work::Convolution(_) | Work::Add(..)));
        let layer = layer.ok_or_else(uncovered)?;
        layer.clamp = clamp;
        layer.nodes.push(called(node));
        self.bind(&node.outputs[0], Bound::Plain(value));
        Ok(())
    }

    fn pool(&mut self, node: &Node) -> Result<(), String> {
        let bound = self.input(node, 0)?;
        let value = &self.network.values[bound.value()];
        if matches!(bound, Bound::Plain(_)) && value.quantization.is_some() {
            return Err("it reads quantized values as integers".into());
        }
        let out = Value { height: 1, width: 1, quantization: None, shared: false, ..value.clone() };
        self.add_layer(node, Work::Pool(bound.value()), out);
        Ok(())
    }

    /// Only where NHWC and NCHW are the same.
    fn flatten(&mut self, node: &Node) -> Result<(), String> {
        let bound = self.input(node, 0)?;
        let value = &self.network.values[bound.value()];
        if value.height * value.width != 1 || node.int("axis", 1) != Some(1) {
            return Err("only of one pixel, at axis 1, is covered".into());
        }
        self.bind(&node.outputs[0], bound);
        Ok(())
    }

    fn input(&self, node: &Node, at: usize) -> Result<Bound, String> {
        let name = node.input(at).ok_or("an input is missing")?;
        self.bound.get(name).copied().ok_or_else(|| format!("input {name:?} is not a covered tensor"))
    }

    fn add_value(&mut self, name: &str, value: Value) -> ValueId {
        self.network.values.push(value);
        let id = self.network.values.len() - 1;
        self.bind(name, Bound::Plain(id));
        id
    }

    fn add_layer(&mut self, node: &Node, work: Work, out: Value) {
        let output = self.add_value(&node.outputs[0], out);
        self.network.layers.push(Layer { nodes: vec![called(node)], work, clamp: UNLIMITED, output });
    }

    fn bind(&mut self, name: &str, bound: Bound) {
        self.network.values[bound.value()].shared |= self.readings.get(name) != Some(&1);
        self.bound.insert(name.to_owned(), bound);
    }
}

fn open_to_add(layer: &Layer) -> bool {
    matches!(&layer.work, Work::Convolution(c) if c.skip.is_none()) && layer.clamp == UNLIMITED
}

fn called(node: &Node) -> (String, String) {
    (node.op.clone(), node.name.clone())
}
