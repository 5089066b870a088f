"""CPU time of one encoder run, our kernels against stock tract and onnxruntime, interleaved.

Each round runs every peer once for a batch of runs, so that all see the same machine; figures
are over the runs of all rounds. The CPU time of the running thread is taken on both sides.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

ROUNDS = 20
RUNS = 50
WARM_UP = 5
LOG_ERRORS_ONLY = 3


def main(residentd, *bundles):
    print("| bundle | runs by | min ms | median ms | min against onnxruntime | min against stock tract |")
    print("|---|---|---|---|---|---|")
    for bundle in bundles:
        peers = {
            "residentd int8": ours(residentd, bundle),
            "stock tract": ours(residentd, bundle, "--stock"),
            f"onnxruntime {ort.__version__} int8": onnxruntime(bundle),
        }
        times = {name: [] for name in peers}
        for _ in range(ROUNDS):
            for name, batch in peers.items():
                times[name] += batch()
        report(Path(bundle).name, times)


def report(bundle, times):
    least = {name: min(values) for name, values in times.items()}
    tract, peer = least["stock tract"], list(least.values())[-1]
    for name, values in times.items():
        print(f"| {bundle} | {name} | {least[name]:.3f} | {statistics.median(values):.3f} "
              f"| {least[name] / peer:.2f} | {least[name] / tract:.2f} |")


def ours(residentd, bundle, *flags):
    command = [residentd, "model", "explain", bundle, "--runs", str(RUNS + WARM_UP), "--times", *flags]

    def batch():
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return [float(line) for line in printed.split()][WARM_UP:]

    return batch


def onnxruntime(bundle):
    options = ort.SessionOptions()
    options.log_severity_level = LOG_ERRORS_ONLY
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(f"{bundle}/model.onnx", options, providers=["CPUExecutionProvider"])
    (declared,) = session.get_inputs()
    image = np.full(declared.shape, 0.5, np.float32)

    def one():
        before = time.thread_time_ns()
        session.run(None, {declared.name: image})
        return (time.thread_time_ns() - before) / 1e6

    return lambda: [one() for _ in range(RUNS + WARM_UP)][WARM_UP:]


main(*sys.argv[1:])
