"""A bundle's graph without its quantization, as one would run it who has no int8 kernels:
`as_real.py BUNDLE OUT float32|float16`.

Weights are the reals that the int8 weights mean; activations are not rounded. In half precision
the input and the output stay single, and Gemm becomes MatMul and Add, which tract can do in it.
"""

import hashlib
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def main(source, target, precision):
    shutil.copytree(source, target)
    (target / "signature.jws").unlink()
    graph = target / "model.onnx"
    before = hashlib.sha256(graph.read_bytes()).hexdigest()
    model = unquantized(onnx.load(graph))
    onnx.save(halved(model) if precision == "float16" else model, graph)
    manifest = target / "manifest.toml"
    text = manifest.read_text().replace(before, hashlib.sha256(graph.read_bytes()).hexdigest())
    # Not the golden outputs' graph any more: how far it may be from them is not what is measured.
    lines = ["tolerance = 100.0" if line.startswith("tolerance = ") else line for line in text.splitlines()]
    manifest.write_text("\n".join(lines) + "\n")


def unquantized(model):
    graph = model.graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    same_as = {}
    for node in [n for n in graph.node if n.op_type in ("QuantizeLinear", "DequantizeLinear")]:
        if node.input[0] in values:
            graph.initializer.append(numpy_helper.from_array(real(node, values), node.output[0]))
        else:
            same_as[node.output[0]] = node.input[0]
        graph.node.remove(node)
    for node in graph.node:
        for at, name in enumerate(node.input):
            while name in same_as:
                name = same_as[name]
            node.input[at] = name
    return without_unused(model)


def real(node, values):
    value, scale = (values[name] for name in node.input[:2])
    zero = values[node.input[2]].astype("float32") if len(node.input) > 2 else np.float32(0)
    axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
    shape = [-1 if at == axis % value.ndim else 1 for at in range(value.ndim)] if scale.ndim and scale.size > 1 else []
    along = lambda parameter: parameter.reshape(shape) if shape else parameter.reshape(())
    return (value.astype("float32") - along(np.broadcast_to(zero, scale.shape))) * along(scale)


def halved(model):
    graph = model.graph
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype("float16"), tensor.name))
    nodes = [helper.make_node("Cast", [graph.input[0].name], ["half_input"], to=TensorProto.FLOAT16)]
    for node in graph.node:
        node.input[:] = ["half_input" if name == graph.input[0].name else name for name in node.input]
        node.output[:] = ["half_output" if name == graph.output[0].name else name for name in node.output]
        nodes += matmul(graph, node) if node.op_type == "Gemm" else [node]
    nodes.append(helper.make_node("Cast", ["half_output"], [graph.output[0].name], to=TensorProto.FLOAT))
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    return without_unused(model)


def matmul(graph, gemm):
    data, weights, bias = gemm.input
    attributes = {a.name: helper.get_attribute_value(a) for a in gemm.attribute}
    assert attributes.get("alpha", 1) == attributes.get("beta", 1) == 1 and not attributes.get("transA", 0)
    tensor = numpy_helper.to_array(next(t for t in graph.initializer if t.name == weights))
    turned = tensor.T if attributes.get("transB", 0) else tensor
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(turned), f"{weights}_turned"))
    return [
        helper.make_node("MatMul", [data, f"{weights}_turned"], [f"{gemm.name}_product"], name=gemm.name),
        helper.make_node("Add", [f"{gemm.name}_product", bias], gemm.output, name=f"{gemm.name}/bias"),
    ]


def without_unused(model):
    used = {name for node in model.graph.node for name in node.input}
    for unused in [t for t in model.graph.initializer if t.name not in used]:
        model.graph.initializer.remove(unused)
    return model


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
