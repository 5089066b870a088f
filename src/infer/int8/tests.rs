//! Whole graphs: the shipped bundles on every kernel and against stock tract, and graphs that are
//! not covered.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::PathBuf;

use proptest::prelude::*;
use tract_onnx::prelude::Framework;

use super::graph::{Attribute, Constant, Graph, Node, Values};
use super::kernel::Kernel;
use super::network::Work;
use super::{Plan, import, recognise};
use crate::infer::model::{Engines, Model, Path, Signature};

const BUNDLES: [(&str, usize, f32); 2] = [("chest-adult", 2, 0.02), ("chest-child", 1, 0.03)];
const SIDE: usize = 160;

fn file(bundle: &str, name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models").join(bundle).join(name)).unwrap()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn graph(bundle: &str) -> Graph {
    let proto = tract_onnx::onnx().proto_model_for_read(&mut Cursor::new(file(bundle, "model.onnx"))).unwrap();
    import(proto.graph.as_ref().unwrap()).unwrap()
}

fn plan(bundle: &str, kernel: Kernel) -> Plan {
    // Weights that the kernel does not take go to the portable one, the last.
    Plan::new(recognise(&graph(bundle)).unwrap(), &[kernel, *Kernel::available().last().unwrap()])
}

fn model(onnx: &[u8], outputs: usize, engines: Engines) -> Model {
    let signature = Signature { input: "image", height: SIDE, width: SIDE, output: "logits", least_outputs: outputs };
    Model::prepare_with(onnx, &signature, engines).unwrap()
}

/// Blobs and noise, from a seed: neither constant nor only noise, which says little of a network.
fn image(seed: u32) -> Vec<f32> {
    let mut state = seed | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f32::from(u16::try_from(state >> 16).unwrap()) / 65536.0
    };
    let (x, y, size) = (next() * 160.0, next() * 160.0, 10.0 + next() * 60.0);
    (0..SIDE * SIDE)
        .map(|at| {
            let far = ((at % SIDE) as f32 - x).hypot((at / SIDE) as f32 - y) / size;
            4.0 / (1.0 + far * far) - 2.0 + next() * 0.3
        })
        .collect()
}

#[test]
fn every_kernel_gives_the_same_logits_to_the_bit() {
    for (bundle, ..) in BUNDLES {
        let kernels = Kernel::available();
        let inputs = [floats(&file(bundle, "golden/input.f32")), image(3), image(4), vec![9.0; SIDE * SIDE]];
        let portable = plan(bundle, *kernels.last().unwrap());
        for input in inputs {
            let bits = |plan: &Plan| plan.run(&input).iter().map(|l| l.to_bits()).collect::<Vec<_>>();
            let wanted = bits(&portable);
            for kernel in &kernels {
                assert_eq!(bits(&plan(bundle, *kernel)), wanted, "{bundle} {}", kernel.name());
            }
        }
    }
}

#[test]
fn these_logits_are_the_same_on_every_cpu_and_in_every_build() {
    // Bits of the golden inputs' logits, written down once: another architecture must give them too.
    let kernel = Kernel::available()[0];
    let bits = |bundle: &str| {
        let logits = plan(bundle, kernel).run(&floats(&file(bundle, "golden/input.f32")));
        logits.iter().map(|l| l.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(BUNDLES.map(|(bundle, ..)| bits(bundle)), [vec![3_181_467_519, 1_050_659_513], vec![1_068_455_835]]);
}

#[test]
fn the_logits_are_those_of_stock_tract_within_the_golden_tolerance() {
    for (bundle, outputs, tolerance) in BUNDLES {
        let onnx = file(bundle, "model.onnx");
        let (ours, stock) = (model(&onnx, outputs, Engines::Best), model(&onnx, outputs, Engines::StockTract));
        for input in [floats(&file(bundle, "golden/input.f32")), image(1), image(2), image(5), image(8)] {
            let (found, wanted) = (ours.run(&input).unwrap(), stock.run(&input).unwrap());
            let by = found.iter().zip(&wanted).map(|(f, w)| (f - w).abs()).fold(0.0, f32::max);
            assert!(found.len() == wanted.len() && by <= tolerance, "{bundle}: {found:?} {wanted:?}");
        }
    }
}

#[test]
fn the_shipped_graphs_are_covered_whole_in_thirteen_layers() {
    for (bundle, ..) in BUNDLES {
        let network = recognise(&graph(bundle)).unwrap();
        let skips = network.layers.iter().filter(|l| matches!(&l.work, Work::Convolution(c) if c.skip.is_some()));
        assert_eq!((network.layers.len(), skips.count()), (13, 2), "{bundle}");
        let nodes: usize = network.layers.iter().map(|l| l.nodes.len()).sum();
        // 9 Conv, 9 Relu, 2 Add, 1 pool, 1 Gemm, 10 quantizers; Flatten and the dequantizers do nothing.
        assert_eq!(nodes, 32, "{bundle}");
    }
}

#[test]
fn a_wrong_input_size_is_an_error_and_no_panic() {
    let model = model(&file("chest-child", "model.onnx"), 1, Engines::Best);
    assert!(model.run(&[0.0; 7]).unwrap_err().to_string().contains("7 values, need 25600"));
}

#[test]
fn a_run_after_another_gives_what_the_first_gave() {
    let plan = plan("chest-adult", Kernel::available()[0]);
    let first = plan.run(&image(1));
    let _ = plan.run(&image(2));
    assert_eq!(plan.run(&image(1)), first);
}

#[test]
fn explaining_counts_the_products_of_each_layer() {
    let nodes =
        model(&file("chest-child", "model.onnx"), 1, Engines::Best).explain(1, &std::time::Duration::default).unwrap();
    // The second convolution: 40 x 40 pixels, 32 channels, each of 3 x 3 windows of 16.
    assert_eq!((nodes[2].shape.as_slice(), nodes[2].products), ([1, 32, 40, 40].as_slice(), 40 * 40 * 32 * 9 * 16));
    let portable = nodes.iter().filter(|n| n.path == Path::Int8("portable"));
    assert!(portable.clone().count() > 0 && portable.clone().all(|n| n.share_of_peak.is_none()), "{nodes:?}");
}

#[test]
fn an_uncovered_node_leaves_the_whole_graph_to_tract_with_the_reason() {
    let mut onnx = file("chest-child", "model.onnx");
    // `Relu` and `Sqrt` are four letters: the file stays well-formed.
    let relu = b"\x22\x04Relu";
    let at = onnx.windows(relu.len()).position(|w| w == relu).unwrap();
    onnx[at + 2..at + 6].copy_from_slice(b"Sqrt");
    let nodes = model(&onnx, 1, Engines::Best).explain(1, &std::time::Duration::default).unwrap();
    assert!(nodes.iter().all(|n| matches!(&n.path, Path::Tract(why) if why.starts_with("Sqrt"))), "{nodes:?}");
}

/// A protobuf field of bytes, shorter than 128.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

#[test]
fn a_softmax_between_quantize_nodes_is_refused_by_name() {
    let node = |input: &str, output: &str, name: &str, op: &str| {
        let fields = [(1, input), (2, output), (3, name), (4, op)];
        field(1, &fields.map(|(number, text)| field(number, text.as_bytes())).concat())
    };
    let nodes = [node("q", "r", "d", "DequantizeLinear"), node("r", "logits", "attention", "Softmax")].concat();
    let onnx = field(7, &nodes);
    let signature = Signature { input: "image", height: 1, width: 1, output: "logits", least_outputs: 1 };
    let error = Model::prepare(&onnx, &signature).err().expect("it must be refused").to_string();
    assert!(error.contains("node \"attention\" is a Softmax"), "{error}");
}

#[test]
fn what_is_not_exactly_ours_is_refused_by_node_and_reason() {
    type Change = fn(&mut Graph);
    let cases: [(Change, &str); 12] = [
        (|g| conv(g).inputs[0] = g_input(g), "does not come from a DequantizeLinear"),
        (|g| set(g, "dilations", Attribute::Ints(vec![2, 2])), "only dilation 1"),
        (|g| set(g, "group", Attribute::Int(2)), "2 groups"),
        (|g| set(g, "auto_pad", Attribute::Text("SAME_UPPER".into())), "only explicit pads"),
        (|g| set(g, "pads", Attribute::Ints(vec![-1, 0, 0, 0])), "strides or pads"),
        (|g| set(g, "strides", Attribute::Ints(vec![0, 1])), "does not fit"),
        (|g| constant(g, "image_scale", Values::F32(vec![f32::NAN])), "is not within"),
        (|g| constant(g, "image_scale", Values::F32(vec![0.1, 0.2])), "one scale a tensor"),
        (|g| constant(g, "image_zero_point", Values::I8(vec![0])), "only u8"),
        (|g| g.input_shape = vec![1, 3, 160, 160], "only one channel"),
        (|g| g.output = "image_DequantizeLinear_Output".into(), "only a real tensor"),
        (|g| g.nodes.retain(|n| n.op != "Flatten"), "is not a covered tensor"),
    ];
    for (change, says) in cases {
        let mut graph = graph("chest-child");
        change(&mut graph);
        let reason = recognise(&graph).unwrap_err();
        assert!(reason.contains(says), "{says}: {reason}");
    }
}

fn g_input(graph: &Graph) -> String {
    graph.input.clone()
}

fn conv(graph: &mut Graph) -> &mut Node {
    graph.nodes.iter_mut().find(|n| n.op == "Conv").unwrap()
}

fn set(graph: &mut Graph, name: &str, value: Attribute) {
    conv(graph).attributes.insert(name.into(), value);
}

fn constant(graph: &mut Graph, name: &str, values: Values) {
    graph.constants.get_mut(name).unwrap().values = values;
}

/// A graph of a few nodes: a depthwise and a pointwise convolution on both sides of an Add.
fn small(channels: usize, clip: bool) -> Graph {
    let mut graph = Graph { input: "x".into(), input_shape: vec![1, 1, 9, 7], output: "y".into(), ..Graph::default() };
    let mut put = |name: &str, shape: &[usize], values| {
        graph.constants.insert(name.into(), Constant { shape: shape.to_vec(), values });
    };
    put("s", &[], Values::F32(vec![0.03]));
    put("z", &[], Values::U8(vec![100]));
    put("ws", &[], Values::F32(vec![0.01]));
    put("wz", &[], Values::I8(vec![0]));
    put("low", &[], Values::F32(vec![-0.5]));
    put("high", &[], Values::F32(vec![1.0]));
    let weights = |count: usize| Values::I8((0..count).map(|i| i8::try_from(i * 37 % 255).unwrap_or(-77)).collect());
    put("w1", &[channels, 1, 3, 3], weights(channels * 9));
    put("w2", &[channels, 1, 3, 3], weights(channels * 9));
    put("w3", &[channels, channels, 1, 1], weights(channels * channels));
    put("w4", &[2, channels], weights(2 * channels));
    let mut node = |op: &str, inputs: &[&str], output: &str, attributes: &[(&str, Attribute)]| {
        graph.nodes.push(Node {
            name: output.into(),
            op: op.into(),
            inputs: inputs.iter().map(|&i| i.into()).collect(),
            outputs: vec![output.into()],
            attributes: attributes.iter().map(|(n, v)| ((*n).into(), v.clone())).collect::<HashMap<_, _>>(),
        });
    };
    for weights in ["w1", "w2", "w3", "w4"] {
        node("DequantizeLinear", &[weights, "ws", "wz"], &format!("{weights}r"), &[]);
    }
    let pads = ("pads", Attribute::Ints(vec![1, 1, 1, 1]));
    let group = ("group", Attribute::Int(i64::try_from(channels).unwrap()));
    node("QuantizeLinear", &["x", "s", "z"], "xq", &[]);
    node("DequantizeLinear", &["xq", "s", "z"], "xr", &[]);
    node("Conv", &["xr", "w1r"], "a", std::slice::from_ref(&pads));
    node("QuantizeLinear", &["a", "s", "z"], "aq", &[]);
    node("DequantizeLinear", &["aq", "s", "z"], "ar", &[]);
    node("Conv", &["ar", "w2r"], "b", &[pads, group]);
    node("Conv", &["ar", "w3r"], "c", &[]);
    node("Add", &["b", "c"], "d", &[]);
    if clip {
        node("Clip", &["d", "low", "high"], "e", &[]);
    } else {
        node("Relu", &["d"], "e", &[]);
    }
    node("GlobalAveragePool", &["e"], "p", &[]);
    node("Flatten", &["p"], "f", &[]);
    node("QuantizeLinear", &["f", "s", "z"], "fq", &[]);
    node("DequantizeLinear", &["fq", "s", "z"], "fr", &[]);
    node("Gemm", &["fr", "w4r"], "y", &[("transB", Attribute::Int(1))]);
    graph
}

proptest! {
    #[test]
    fn a_graph_with_depthwise_and_both_sides_of_an_add_computed_is_the_same_on_every_kernel(
        channels in 2usize..40, clip in any::<bool>(), input in prop::collection::vec(-4.0f32..4.0, 63),
    ) {
        let run = |kernel: Kernel| {
            let kernels = [kernel, *Kernel::available().last().unwrap()];
            let logits = Plan::new(recognise(&small(channels, clip)).unwrap(), &kernels).run(&input);
            logits.iter().map(|l| l.to_bits()).collect::<Vec<_>>()
        };
        let kernels = Kernel::available();
        let portable = run(*kernels.last().unwrap());
        for kernel in kernels {
            prop_assert_eq!(&run(kernel), &portable, "{}", kernel.name());
        }
    }
}
