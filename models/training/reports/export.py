"""The trained writer as two ONNX graphs, written node by node: `encoder.onnx`, once a text, gives keys and
values of every cross-attention; `decoder.onnx`, once a token, takes past keys and values and gives them back.

With ``int8`` the weights of every product stand in the file as symmetric s8 with a scale an output, behind a
DequantizeLinear; activations are not quantized. Gains of layer norms and the attention's scale are folded
into the products that follow.
"""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


class Graph:
    """Nodes and constants while a graph is made."""

    def __init__(self, int8):
        self.int8, self.nodes, self.constants = int8, [], []

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def linear(self, x, weight, bias, name):
        """``x · weight + bias`` with ``weight`` of [in, out]."""
        if self.int8:
            scale = np.maximum(np.abs(weight).max(0), 1e-8).astype(np.float32) / 127
            whole = np.clip(np.rint(weight / scale), -127, 127).astype(np.int8)
            held = self.node("DequantizeLinear", [self.constant(f"{name}.s8", whole), self.constant(f"{name}.scale", scale)],
                             f"{name}.weight", axis=1)
        else:
            held = self.constant(f"{name}.weight", weight.astype(np.float32))
        product = self.node("MatMul", [x, held], f"{name}.product")
        return self.node("Add", [product, self.constant(f"{name}.bias", bias.astype(np.float32))], name)

    def norm(self, x, name):
        """Mean zero, deviation one; the gain is folded elsewhere."""
        centred = self.node("Sub", [x, self.node("ReduceMean", [x], f"{name}.mean", axes=[-1])], f"{name}.centred")
        square = self.node("Mul", [centred, centred], f"{name}.square")
        variance = self.node("ReduceMean", [square], f"{name}.variance", axes=[-1])
        deviation = self.node("Sqrt", [self.node("Add", [variance, self.constant(f"{name}.eps", np.float32(1e-5))],
                                                 f"{name}.safe")], f"{name}.deviation")
        return self.node("Div", [centred, deviation], name)

    def reshape(self, x, shape, name):
        return self.node("Reshape", [x, self.constant(f"{name}.shape", np.array(shape, np.int64))], name)

    def model(self, inputs, outputs, name):
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.constants)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="residentd training")
        made.ir_version = 8
        onnx.checker.check_model(made)
        return made


def folded(norm, *linears):
    """Weight [in, out] and bias of the linears side by side, with the norm's gain and shift in them."""
    gain, shift = norm.weight.detach().numpy(), norm.bias.detach().numpy()
    weight = np.concatenate([l.weight.detach().numpy().T for l in linears], 1)
    bias = np.concatenate([l.bias.detach().numpy() for l in linears])
    return gain[:, None] * weight, bias + shift @ weight


def plain(linear):
    return linear.weight.detach().numpy().T, linear.bias.detach().numpy()


def queries_scaled(weight, bias, width, heads):
    """The attention's scale in the queries, which are the first ``width`` outputs."""
    scale = np.ones(weight.shape[1], np.float32)
    scale[:width] = 1 / math.sqrt(width // heads)
    return weight * scale, bias * scale


def encoder(model, int8):
    size, g = model.size, Graph(int8)
    w, h, d = size.width, size.heads, size.width // size.heads
    table = g.constant("embedding", model.embed.weight.detach().numpy() * np.float32(model.scale))
    parts = []
    for part, positions in (("facts", model.fact_position), ("question", model.question_position)):
        places = g.constant(f"{part}.positions", positions.detach().numpy())
        length = g.node("Shape", [part], f"{part}.length", start=1, end=2)
        known = g.node("Slice", [places, g.constant(f"{part}.zero", np.array([0], np.int64)), length,
                                 g.constant(f"{part}.axis", np.array([0], np.int64))], f"{part}.places")
        parts.append(g.node("Add", [g.node("Gather", [table, part], f"{part}.words"), known], f"{part}.embedded"))
    x = g.node("Concat", parts, "embedded", axis=1)
    for i, layer in enumerate(model.encoder):
        n = f"encoder.{i}"
        own = layer.own
        weight, bias = queries_scaled(*folded(layer.norm1, own.q, own.k, own.v), w, h)
        qkv = g.linear(g.norm(x, f"{n}.norm1"), weight, bias, f"{n}.qkv")
        split = g.node("Transpose", [g.reshape(qkv, [1, -1, 3, h, d], f"{n}.split")], f"{n}.heads", perm=[2, 0, 3, 1, 4])
        q, k, v = (g.node("Gather", [split, g.constant(f"{n}.{p}.index", np.int64(j))], f"{n}.{p}", axis=0)
                   for j, p in enumerate("qkv"))
        scores = g.node("MatMul", [q, g.node("Transpose", [k], f"{n}.kt", perm=[0, 1, 3, 2])], f"{n}.scores")
        mixed = g.node("MatMul", [g.node("Softmax", [scores], f"{n}.shares", axis=-1), v], f"{n}.mixed")
        joined = g.reshape(g.node("Transpose", [mixed], f"{n}.together", perm=[0, 2, 1, 3]), [1, -1, w], f"{n}.joined")
        x = g.node("Add", [x, g.linear(joined, *plain(own.o), f"{n}.out")], f"{n}.attended")
        up = g.node("Relu", [g.linear(g.norm(x, f"{n}.norm3"), *folded(layer.norm3, layer.up), f"{n}.up")], f"{n}.relu")
        x = g.node("Add", [x, g.linear(up, *plain(layer.down), f"{n}.down")], f"{n}.done")
    memory = g.norm(x, "memory")
    outputs = []
    for i, layer in enumerate(model.decoder):
        for name, linear, order, shape in (("cross_key", layer.cross.k, [0, 2, 3, 1], [1, h, d, "memory"]),
                                           ("cross_value", layer.cross.v, [0, 2, 1, 3], [1, h, "memory", d])):
            rows = g.linear(memory, *folded(model.encoder_norm, linear), f"{name}.{i}.rows")
            split = g.reshape(rows, [1, -1, h, d], f"{name}.{i}.split")
            g.node("Transpose", [split], f"{name}.{i}", perm=order)
            outputs.append(helper.make_tensor_value_info(f"{name}.{i}", TensorProto.FLOAT, shape))
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, [1, n]) for n in ("facts", "question")]
    return g.model(inputs, outputs, "encoder")


def decoder(model, int8):
    size, g = model.size, Graph(int8)
    w, h, d = size.width, size.heads, size.width // size.heads
    table = g.constant("embedding", model.embed.weight.detach().numpy() * np.float32(model.scale))
    places = g.constant("positions", model.position.detach().numpy())
    x = g.node("Add", [g.node("Gather", [table, "token"], "word"), g.node("Gather", [places, "position"], "place")], "embedded")
    inputs = [helper.make_tensor_value_info("token", TensorProto.INT64, [1, 1]),
              helper.make_tensor_value_info("position", TensorProto.INT64, [1])]
    outputs = []
    for i, layer in enumerate(model.decoder):
        n = f"decoder.{i}"
        for name, shape in (("past_key", [1, h, "past", d]), ("past_value", [1, h, "past", d]),
                            ("cross_key", [1, h, d, "memory"]), ("cross_value", [1, h, "memory", d])):
            inputs.append(helper.make_tensor_value_info(f"{name}.{i}", TensorProto.FLOAT, shape))
        own, cross = layer.own, layer.cross
        weight, bias = queries_scaled(*folded(layer.norm1, own.q, own.k, own.v), w, h)
        qkv = g.reshape(g.linear(g.norm(x, f"{n}.norm1"), weight, bias, f"{n}.qkv"), [3, 1, h, 1, d], f"{n}.heads")
        q, k, v = (g.node("Gather", [qkv, g.constant(f"{n}.{p}.index", np.int64(j))], f"{n}.{p}", axis=0)
                   for j, p in enumerate("qkv"))
        k = g.node("Concat", [f"past_key.{i}", k], f"present_key.{i}", axis=2)
        v = g.node("Concat", [f"past_value.{i}", v], f"present_value.{i}", axis=2)
        for name in ("present_key", "present_value"):
            outputs.append(helper.make_tensor_value_info(f"{name}.{i}", TensorProto.FLOAT, [1, h, "present", d]))
        scores = g.node("MatMul", [q, g.node("Transpose", [k], f"{n}.kt", perm=[0, 1, 3, 2])], f"{n}.scores")
        mixed = g.node("MatMul", [g.node("Softmax", [scores], f"{n}.shares", axis=-1), v], f"{n}.mixed")
        joined = g.reshape(mixed, [1, 1, w], f"{n}.joined")
        x = g.node("Add", [x, g.linear(joined, *plain(own.o), f"{n}.out")], f"{n}.attended")
        weight, bias = queries_scaled(*folded(layer.norm2, cross.q), w, h)
        q = g.reshape(g.linear(g.norm(x, f"{n}.norm2"), weight, bias, f"{n}.cross.q"), [1, h, 1, d], f"{n}.cross.heads")
        scores = g.node("MatMul", [q, f"cross_key.{i}"], f"{n}.cross.scores")
        mixed = g.node("MatMul", [g.node("Softmax", [scores], f"{n}.cross.shares", axis=-1), f"cross_value.{i}"], f"{n}.cross.mixed")
        joined = g.reshape(mixed, [1, 1, w], f"{n}.cross.joined")
        x = g.node("Add", [x, g.linear(joined, *plain(cross.o), f"{n}.cross.out")], f"{n}.crossed")
        up = g.node("Relu", [g.linear(g.norm(x, f"{n}.norm3"), *folded(layer.norm3, layer.up), f"{n}.up")], f"{n}.relu")
        x = g.node("Add", [x, g.linear(up, *plain(layer.down), f"{n}.down")], f"{n}.done")
    gain, shift = model.decoder_norm.weight.detach().numpy(), model.decoder_norm.bias.detach().numpy()
    words = model.embed.weight.detach().numpy().T
    g.linear(g.norm(x, "norm"), gain[:, None] * words, model.bias.detach().numpy() + shift @ words, "logits")
    outputs.insert(0, helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1, size.vocabulary]))
    return g.model(inputs, outputs, "decoder")
