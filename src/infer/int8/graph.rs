//! A graph as ONNX writes it, in our own words: nodes in order, constants, attributes.
//!
//! `import` makes it from a file; `network` recognises it. Names nothing of any runtime.

use std::collections::HashMap;

/// A graph with one input and one output.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// Name of the input.
    pub input: String,
    /// Its shape, where the file gives numbers.
    pub input_shape: Vec<usize>,
    /// Name of the output.
    pub output: String,
    /// Initializers and `Constant` nodes, by name.
    pub constants: HashMap<String, Constant>,
    /// The other nodes; each stands after those that it reads (ONNX demands it).
    pub nodes: Vec<Node>,
}

/// A tensor that is in the file.
#[derive(Debug, Clone)]
pub struct Constant {
    /// Sizes, empty for a scalar.
    pub shape: Vec<usize>,
    /// Values in C order.
    pub values: Values,
}

/// Values of the types that quantized graphs use.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the types say it")]
pub enum Values {
    F32(Vec<f32>),
    U8(Vec<u8>),
    I8(Vec<i8>),
    I32(Vec<i32>),
    Other,
}

/// A node.
#[derive(Debug, Clone, Default)]
pub struct Node {
    pub name: String,
    pub op: String,
    /// An optional input that is left out is empty.
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: HashMap<String, Attribute>,
}

/// A node's attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    Int(i64),
    Float(f32),
    Ints(Vec<i64>),
    Text(String),
    Other,
}

impl Node {
    /// The name of input `at`, if the node has it.
    #[must_use]
    pub fn input(&self, at: usize) -> Option<&str> {
        self.inputs.get(at).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// An integer attribute, or what ONNX says where it is absent; none where it has another type.
    #[must_use]
    pub fn int(&self, name: &str, absent: i64) -> Option<i64> {
        match self.attributes.get(name) {
            None => Some(absent),
            Some(Attribute::Int(value)) => Some(*value),
            Some(_) => None,
        }
    }

    /// A float attribute, likewise.
    #[must_use]
    pub fn float(&self, name: &str, absent: f32) -> Option<f32> {
        match self.attributes.get(name) {
            None => Some(absent),
            Some(Attribute::Float(value)) => Some(*value),
            Some(_) => None,
        }
    }

    /// An attribute of `N` sizes, likewise; none where one is negative.
    #[must_use]
    pub fn sizes<const N: usize>(&self, name: &str, absent: usize) -> Option<[usize; N]> {
        match self.attributes.get(name) {
            None => Some([absent; N]),
            Some(Attribute::Ints(values)) => {
                let values: Result<Vec<usize>, _> = values.iter().map(|&v| usize::try_from(v)).collect();
                values.ok()?.try_into().ok()
            }
            Some(_) => None,
        }
    }
}

impl Graph {
    /// The values of a float constant.
    #[must_use]
    pub fn floats(&self, name: &str) -> Option<&[f32]> {
        match &self.constants.get(name)?.values {
            Values::F32(values) => Some(values),
            _ => None,
        }
    }

    /// The node that makes `name`.
    #[must_use]
    pub fn maker(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|n| n.outputs.iter().any(|o| o == name))
    }

    /// How many nodes read each name; being the graph's output is a reading too.
    #[must_use]
    pub fn readings(&self) -> HashMap<String, usize> {
        let mut readings = HashMap::from([(self.output.clone(), 1)]);
        for name in self.nodes.iter().flat_map(|n| &n.inputs) {
            *readings.entry(name.clone()).or_default() += 1;
        }
        readings
    }
}
