"""A copy of a writer whose int8 weights stand in the files as the floats they mean: `as_float.py BUNDLE OUT`."""

import hashlib
import shutil
import sys
import tomllib
from pathlib import Path

import onnx
from onnx import numpy_helper


def main(source, target):
    shutil.copytree(source, target)
    text = (target / "manifest.toml").read_text()
    manifest = tomllib.loads(text)
    for part in ("encoder", "decoder"):
        path = target / manifest[part]["file"]
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        onnx.save(as_float(onnx.load(path)), path)
        text = text.replace(before, hashlib.sha256(path.read_bytes()).hexdigest())
    (target / "manifest.toml").write_text(text)


def as_float(model):
    graph = model.graph
    values = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for node in [n for n in graph.node if n.op_type == "DequantizeLinear"]:
        weights, scales = (values[name] for name in node.input[:2])
        graph.initializer.append(numpy_helper.from_array(weights.astype("float32") * scales, node.output[0]))
        graph.node.remove(node)
    used = {name for n in graph.node for name in n.input}
    for unused in [t for t in graph.initializer if t.name not in used]:
        graph.initializer.remove(unused)
    return model


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
