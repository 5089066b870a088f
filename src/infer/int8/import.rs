//! From the ONNX file, as tract's parser gives it, to our own graph.

use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dimension;
use tract_onnx::pb::type_proto::Value as Type;
use tract_onnx::pb::{AttributeProto, GraphProto, TensorProto, ValueInfoProto};

use super::graph::{Attribute, Constant, Graph, Node, Values};

/// ONNX `TensorProto.DataType`.
mod data_type {
    pub const FLOAT: i32 = 1;
    pub const UINT8: i32 = 2;
    pub const INT8: i32 = 3;
    pub const INT32: i32 = 6;
}

/// ONNX `AttributeProto.AttributeType`.
mod attribute_type {
    pub const FLOAT: i32 = 1;
    pub const INT: i32 = 2;
    pub const STRING: i32 = 3;
    pub const INTS: i32 = 7;
}

/// The graph in our words.
///
/// # Errors
/// It has several inputs or outputs, an input of unknown size, or a constant of a size that its
/// shape contradicts.
pub fn import(proto: &GraphProto) -> Result<Graph, String> {
    let mut graph = Graph::default();
    for tensor in &proto.initializer {
        graph.constants.insert(tensor.name.clone(), constant(tensor)?);
    }
    let inputs: Vec<_> = proto.input.iter().filter(|i| !graph.constants.contains_key(&i.name)).collect();
    let ([input], [output]) = (inputs.as_slice(), proto.output.as_slice()) else {
        return Err("the graph must have one input and one output".into());
    };
    graph.input.clone_from(&input.name);
    graph.input_shape = shape(input).ok_or("the input's size must stand in the file")?;
    graph.output.clone_from(&output.name);
    for node in &proto.node {
        let value = node.attribute.iter().find(|a| a.name == "value").and_then(|a| a.t.as_ref());
        if let ("Constant", Some(tensor), [output]) = (node.op_type.as_str(), value, node.output.as_slice()) {
            graph.constants.insert(output.clone(), constant(tensor)?);
            continue;
        }
        graph.nodes.push(Node {
            name: node.name.clone(),
            // Another domain's operator may share a name with ONNX's own.
            op: if node.domain.is_empty() || node.domain == "ai.onnx" {
                node.op_type.clone()
            } else {
                format!("{}::{}", node.domain, node.op_type)
            },
            inputs: node.input.clone(),
            outputs: node.output.clone(),
            attributes: node.attribute.iter().map(|a| (a.name.clone(), attribute(a))).collect(),
        });
    }
    Ok(graph)
}

fn shape(info: &ValueInfoProto) -> Option<Vec<usize>> {
    let Some(Type::TensorType(tensor)) = info.r#type.as_ref()?.value.as_ref() else { return None };
    let size = |dimension: Option<&Dimension>| match dimension {
        Some(Dimension::DimValue(size)) => usize::try_from(*size).ok(),
        _ => None,
    };
    tensor.shape.as_ref()?.dim.iter().map(|d| size(d.value.as_ref())).collect()
}

fn attribute(proto: &AttributeProto) -> Attribute {
    match proto.r#type {
        attribute_type::FLOAT => Attribute::Float(proto.f),
        attribute_type::INT => Attribute::Int(proto.i),
        attribute_type::STRING => Attribute::Text(String::from_utf8_lossy(&proto.s).into_owned()),
        attribute_type::INTS => Attribute::Ints(proto.ints.clone()),
        _ => Attribute::Other,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ONNX keeps u8 and s8 in 32-bit fields")]
/// A constant of the file.
///
/// # Errors
/// Its values contradict its shape.
///
/// # Panics
/// Never: four bytes are four bytes.
pub fn constant(tensor: &TensorProto) -> Result<Constant, String> {
    let wrong = || format!("constant {:?} does not hold what its shape says", tensor.name);
    let shape: Vec<usize> =
        tensor.dims.iter().map(|&d| usize::try_from(d)).collect::<Result<_, _>>().map_err(|_| wrong())?;
    let raw = &tensor.raw_data;
    let words = || raw.chunks_exact(4).map(|b| <[u8; 4]>::try_from(b).expect("four bytes"));
    let inline = raw.is_empty();
    let fields = &tensor.int32_data;
    let values = match tensor.data_type {
        data_type::FLOAT if inline => Values::F32(tensor.float_data.clone()),
        data_type::FLOAT => Values::F32(words().map(f32::from_le_bytes).collect()),
        data_type::UINT8 if inline => Values::U8(fields.iter().map(|&v| v as u8).collect()),
        data_type::UINT8 => Values::U8(raw.clone()),
        data_type::INT8 if inline => Values::I8(fields.iter().map(|&v| v as i8).collect()),
        data_type::INT8 => Values::I8(raw.iter().map(|b| b.cast_signed()).collect()),
        data_type::INT32 if inline => Values::I32(fields.clone()),
        data_type::INT32 => Values::I32(words().map(i32::from_le_bytes).collect()),
        _ => Values::Other,
    };
    let held = match &values {
        Values::F32(v) => v.len(),
        Values::U8(v) => v.len(),
        Values::I8(v) => v.len(),
        Values::I32(v) => v.len(),
        Values::Other => return Ok(Constant { shape, values }),
    };
    let wanted = shape.iter().try_fold(1usize, |all, &size| all.checked_mul(size));
    if wanted == Some(held) { Ok(Constant { shape, values }) } else { Err(wrong()) }
}
