"""One encoder run, interleaved: our kernels, stock tract and onnxruntime, int8 and float.

Each round runs every peer once for a batch of runs, so that all see the same machine; figures
are over the runs of all rounds. CPU time is of all threads; residentd and tract use one.
    encoder.py RESIDENTD BUNDLE...
"""

import hashlib
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper

ROUNDS = 10
RUNS = 50
WARM_UP = 5
LOG_ERRORS_ONLY = 3
OURS, PEER, STOCK = "residentd int8", "onnxruntime int8, 1 thread", "stock tract int8 (QDQ)"


def main(residentd, *bundles):
    print("| bundle | runs by | CPU ms, least | median | against onnxruntime int8 | against stock tract |")
    print("|---|---|---|---|---|---|")
    for bundle in map(Path, bundles):
        with tempfile.TemporaryDirectory() as folder:
            as_float = float_copy(bundle, Path(folder) / bundle.name)
            peers = {
                OURS: ours(residentd, bundle),
                STOCK: ours(residentd, bundle, "--stock"),
                "stock tract float": ours(residentd, as_float, "--stock", "--allow-unsigned"),
                PEER: onnxruntime(bundle, 1),
                "onnxruntime int8, 2 threads": onnxruntime(bundle, 2),
                "onnxruntime float, 1 thread": onnxruntime(as_float, 1),
                "onnxruntime float, 2 threads": onnxruntime(as_float, 2),
            }
            times = {name: [] for name in peers}
            for number in range(ROUNDS):
                for name, batch in peers.items():
                    times[name] += batch()
                print(f"\r{bundle.name}: round {number + 1} of {ROUNDS}", end="", file=sys.stderr, flush=True)
            print(file=sys.stderr)
        report(bundle.name, times)


def report(bundle, times):
    least = {name: min(values) for name, values in times.items()}
    for name, values in times.items():
        print(f"| {bundle} | {name} | {least[name]:.3f} | {statistics.median(values):.3f} "
              f"| {least[name] / least[PEER]:.2f} | {least[name] / least[STOCK]:.2f} |")


def ours(residentd, bundle, *flags):
    command = [residentd, "model", "explain", bundle, "--runs", str(RUNS + WARM_UP), "--times", *flags]

    def batch():
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return [float(line) for line in printed.split()][WARM_UP:]

    return batch


def onnxruntime(bundle, threads):
    options = ort.SessionOptions()
    options.log_severity_level = LOG_ERRORS_ONLY
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = ort.InferenceSession(bundle / "model.onnx", options, providers=["CPUExecutionProvider"])
    (declared,) = session.get_inputs()
    image = np.full(declared.shape, 0.5, np.float32)

    def one():
        before = time.process_time_ns()
        session.run(None, {declared.name: image})
        return (time.process_time_ns() - before) / 1e6

    return lambda: [one() for _ in range(RUNS + WARM_UP)][WARM_UP:]


def float_copy(bundle, target):
    """The same network in floats: weights are what they mean, activations are not rounded."""
    manifest = (bundle / "manifest.toml").read_text()
    known = tomllib.loads(manifest)
    model = unquantized(onnx.load(bundle / "model.onnx"))
    image = np.fromfile(bundle / known["golden"]["input"], "<f4").reshape(1, 1, known["input"]["height"], -1)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    output = session.run(None, {known["input"]["tensor"]: image})[0].astype("<f4")
    files = {"model.onnx": model.SerializeToString(), known["golden"]["output"]: output.tobytes()}
    for name, old in known["digests"].items():
        content = files.get(name, (bundle / name).read_bytes())
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
        manifest = manifest.replace(old, hashlib.sha256(content).hexdigest())
    (target / "manifest.toml").write_text(manifest)
    return target


def unquantized(model):
    graph = model.graph
    values = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    quantized = {n.output[0]: n for n in graph.node if n.op_type == "QuantizeLinear"}
    same = {}
    for node in [n for n in graph.node if n.op_type == "DequantizeLinear"]:
        source, scale = node.input[0], values[node.input[1]]
        if source in values:
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            weights = values[source].astype("float32")
            shape = [1] * weights.ndim
            if scale.ndim and weights.ndim > 1:
                shape[axis] = -1
            elif scale.ndim:
                shape = [-1]
            graph.initializer.append(numpy_helper.from_array(weights * scale.reshape(shape), node.output[0]))
        else:
            same[node.output[0]] = quantized[source].input[0]
        graph.node.remove(node)
    for node in quantized.values():
        graph.node.remove(node)
    for node in graph.node:
        for at, name in enumerate(node.input):
            while name in same:
                name = same[name]
            node.input[at] = name
    used = {name for n in graph.node for name in n.input}
    for unused in [t for t in graph.initializer if t.name not in used]:
        graph.initializer.remove(unused)
    return model


if __name__ == "__main__":
    main(*sys.argv[1:])
