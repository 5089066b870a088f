//! What a node says beside its tensors: scales, zero points, weights, windows, limits; each held
//! against what the kernels compute exactly.

use super::graph::{Attribute, Constant, Graph, Node, Values};
use super::kernel::finish::Quantization;
use super::network::{Convolution, Value, ValueId};
use super::pack::Window;

/// Most values of one tensor; a reference model's largest has a hundredth of it.
pub const MOST_VALUES: usize = 1 << 28;
/// Scales within these keep every product and sum finite: 2^31 · 1e12 is far below 3e38.
const SCALES: std::ops::RangeInclusive<f32> = 1e-12..=1e6;
/// Largest magnitude of a real bias, for the same reason.
const MOST_BIAS: f32 = 1e30;

/// Scale and zero point of an activation's quantize or dequantize node.
///
/// # Errors
/// Not one scale in a usable range, or not a u8 zero point.
pub fn quantization(graph: &Graph, node: &Node) -> Result<Quantization, String> {
    let [scale] = scales(graph, node.input(1))? else { return Err("only one scale a tensor is covered".into()) };
    match node.input(2).and_then(|name| graph.constants.get(name)) {
        Some(Constant { values: Values::U8(zero), .. }) if zero.len() == 1 => Ok(Quantization::new(*scale, zero[0])),
        _ => Err("only u8 with a zero point is covered".into()),
    }
}

fn scales<'a>(graph: &'a Graph, name: Option<&str>) -> Result<&'a [f32], String> {
    let scales = name.and_then(|name| graph.floats(name)).ok_or("its scale is no float constant")?;
    match scales.iter().find(|s| !SCALES.contains(s)) {
        Some(scale) => Err(format!("scale {scale:e} is not within {SCALES:?}")),
        None => Ok(scales),
    }
}

/// Lower and upper limit of a Relu or Clip.
///
/// # Errors
/// A limit is no finite constant, or they are in the wrong order.
pub fn limits(graph: &Graph, node: &Node) -> Result<(f32, f32), String> {
    if node.op == "Relu" {
        return Ok((0.0, f32::MAX));
    }
    let limit = |at, attribute: &str, absent| match node.input(at).map(|name| graph.floats(name)) {
        None => node.float(attribute, absent),
        Some(Some([limit])) => Some(*limit),
        Some(_) => None,
    };
    match (limit(1, "min", f32::MIN), limit(2, "max", f32::MAX)) {
        (Some(low), Some(high)) if low <= high && low.is_finite() && high.is_finite() => Ok((low, high)),
        _ => Err("its limits are not two finite constants in order".into()),
    }
}

/// The convolution that a `Conv`, `Gemm` or `MatMul` node does on `value`, and the value that it makes.
///
/// # Errors
/// What in it is not covered.
pub fn convolution(graph: &Graph, node: &Node, input: ValueId, value: &Value) -> Result<(Convolution, Value), String> {
    let how = value.quantization.ok_or("its input is not quantized")?;
    let (constant, weights, weight_scales) = weights(graph, node)?;
    let plan = if node.op == "Conv" { conv(node, constant, value)? } else { dense(node, constant, value)? };
    let weights = if plan.transposed { transposed(weights, plan.channels) } else { weights.to_vec() };
    let multiplier: Vec<f32> = match weight_scales {
        [one] => vec![how.scale() * one; plan.channels],
        each if each.len() == plan.channels => each.iter().map(|scale| how.scale() * scale).collect(),
        _ => return Err("its weights' scales are neither one nor one a channel".into()),
    };
    // With |u8 - zero| <= 255 and |s8| <= 128, no sum leaves i32.
    if plan.window.taps() > (i32::MAX / (2 * 255 * 128)) as usize {
        return Err("its sums may leave 32 bits".into());
    }
    let bias = bias(graph, node, plan.channels)?;
    let out = plan.out;
    let convolution = Convolution {
        input,
        skip: None,
        window: plan.window,
        strides: plan.strides,
        padding: plan.padding,
        depthwise: plan.depthwise,
        weights,
        multiplier,
        bias,
    };
    Ok((convolution, out))
}

struct Plan {
    window: Window,
    channels: usize,
    strides: (usize, usize),
    padding: [usize; 4],
    depthwise: bool,
    transposed: bool,
    out: Value,
}

fn conv(node: &Node, weights: &Constant, value: &Value) -> Result<Plan, String> {
    let [channels, depth, height, width] = weights.shape[..] else { return Err("only 2-D is covered".into()) };
    let (strides, padding, dilations) = (node.sizes("strides", 1), node.sizes("pads", 0), node.sizes("dilations", 1));
    let (Some([down, along]), Some(padding)) = (strides, padding) else {
        return Err("its strides or pads are not covered".into());
    };
    if dilations != Some([1, 1]) {
        return Err("only dilation 1 is covered".into());
    }
    if !matches!(node.attributes.get("auto_pad"), None | Some(Attribute::Text(_)))
        || matches!(node.attributes.get("auto_pad"), Some(Attribute::Text(how)) if how != "NOTSET")
    {
        return Err("only explicit pads are covered".into());
    }
    let group = node.int("group", 1).and_then(|g| usize::try_from(g).ok()).unwrap_or(0);
    let depthwise = group > 1 && group == value.channels && group == channels && depth == 1;
    if !(depthwise || group == 1 && depth == value.channels) {
        return Err(format!("{group} groups of {depth} channels: only 1 group or one a channel is covered"));
    }
    let [top, left, bottom, right] = padding;
    let fits = [height, width, down, along, channels].iter().all(|&n| (1..=1 << 16).contains(&n))
        && padding.iter().all(|&n| n < 1 << 16);
    let framed =
        (value.height + top.min(1 << 16) + bottom.min(1 << 16), value.width + left.min(1 << 16) + right.min(1 << 16));
    if !fits || framed.0 < height || framed.1 < width {
        return Err("its window does not fit".into());
    }
    let out_size = ((framed.0 - height) / down + 1, (framed.1 - width) / along + 1);
    // The frame must fit too: it is what is held.
    let most = framed.0.saturating_mul(framed.1).saturating_mul(value.channels.max(channels));
    if most.max(out_size.0.saturating_mul(out_size.1).saturating_mul(channels)) > MOST_VALUES {
        return Err("it is too large".into());
    }
    let out = Value { height: out_size.0, width: out_size.1, channels, quantization: None, shared: false };
    let window = Window { height, width, depth };
    Ok(Plan { window, channels, strides: (down, along), padding, depthwise, transposed: false, out })
}

fn dense(node: &Node, weights: &Constant, value: &Value) -> Result<Plan, String> {
    let [rows, columns] = weights.shape[..] else { return Err("only weights of rank 2 are covered".into()) };
    let gemm = node.op == "Gemm";
    let plain = node.float("alpha", 1.0) == Some(1.0) && node.float("beta", 1.0) == Some(1.0);
    if gemm && !(plain && node.int("transA", 0) == Some(0)) {
        return Err("only alpha = beta = 1 and transA = 0 are covered".into());
    }
    let transposed = !(gemm && node.int("transB", 0) == Some(1));
    let (channels, depth) = if transposed { (columns, rows) } else { (rows, columns) };
    if channels == 0 || depth != value.channels {
        return Err("its weights do not fit its input".into());
    }
    let window = Window { height: 1, width: 1, depth };
    let out = Value { height: 1, width: 1, channels, quantization: None, shared: false };
    Ok(Plan { window, channels, strides: (1, 1), padding: [0; 4], depthwise: false, transposed, out })
}

fn transposed(weights: &[i8], channels: usize) -> Vec<i8> {
    (0..channels).flat_map(|channel| weights.iter().skip(channel).step_by(channels)).copied().collect()
}

/// Weights of input 1: symmetric s8, with their scales.
fn weights<'a>(graph: &'a Graph, node: &Node) -> Result<(&'a Constant, &'a [i8], &'a [f32]), String> {
    let uncovered = "its weights are not s8 behind a DequantizeLinear";
    let dequantize =
        node.input(1).and_then(|name| graph.maker(name)).filter(|n| n.op == "DequantizeLinear").ok_or(uncovered)?;
    let constant = dequantize.input(0).and_then(|name| graph.constants.get(name)).ok_or(uncovered)?;
    let Values::I8(values) = &constant.values else { return Err(uncovered.into()) };
    let scales = scales(graph, dequantize.input(1))?;
    zero_at_zero(graph, dequantize)?;
    let axis = dequantize.int("axis", 1);
    let rank = i64::try_from(constant.shape.len()).unwrap_or(0);
    let axis = axis.map(|a| if a < 0 { a + rank } else { a });
    let plain_gemm = node.op == "Gemm" && node.int("transB", 0) == Some(0);
    let of_channels = i64::from(node.op == "MatMul" || plain_gemm);
    if scales.len() > 1 && axis != Some(of_channels) {
        return Err("its weights' scales are not by output channel".into());
    }
    Ok((constant, values, scales))
}

fn zero_at_zero(graph: &Graph, dequantize: &Node) -> Result<(), String> {
    let zero = match dequantize.input(2) {
        None => true,
        Some(name) => match graph.constants.get(name).map(|c| &c.values) {
            Some(Values::I8(zeros)) => zeros.iter().all(|&z| z == 0),
            Some(Values::I32(zeros)) => zeros.iter().all(|&z| z == 0),
            _ => false,
        },
    };
    if zero { Ok(()) } else { Err("its constants' zero point is not zero".into()) }
}

/// The real bias of each channel: input 2, s32 behind a `DequantizeLinear` or floats, or none.
fn bias(graph: &Graph, node: &Node, channels: usize) -> Result<Vec<f32>, String> {
    let Some(name) = node.input(2) else { return Ok(vec![0.0; channels]) };
    let bias = match graph.floats(name) {
        Some(bias) => bias.to_vec(),
        None => dequantized_bias(graph, name)?,
    };
    if bias.len() != channels {
        return Err("its bias is not one a channel".into());
    }
    if bias.iter().all(|b| b.abs() <= MOST_BIAS) { Ok(bias) } else { Err("its bias is not finite".into()) }
}

fn dequantized_bias(graph: &Graph, name: &str) -> Result<Vec<f32>, String> {
    let uncovered = "its bias is neither floats nor s32 behind a DequantizeLinear";
    let dequantize = graph.maker(name).filter(|n| n.op == "DequantizeLinear").ok_or(uncovered)?;
    let constant = dequantize.input(0).and_then(|name| graph.constants.get(name)).ok_or(uncovered)?;
    let (Values::I32(values), [_]) = (&constant.values, &constant.shape[..]) else { return Err(uncovered.into()) };
    zero_at_zero(graph, dequantize)?;
    let scales = dequantize.input(1).and_then(|name| graph.floats(name)).ok_or(uncovered)?;
    match scales {
        [one] => Ok(values.iter().map(|&v| v as f32 * one).collect()),
        each if each.len() == values.len() => Ok(values.iter().zip(each).map(|(&v, scale)| v as f32 * scale).collect()),
        _ => Err(uncovered.into()),
    }
}
