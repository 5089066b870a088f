"""One encoder run, interleaved: our kernels, stock tract and onnxruntime, int8 and float.

Each round runs every peer once for a batch of runs, so that all see the same machine; figures
are over the runs of all rounds. CPU time is of all threads; residentd and tract use one.
    encoder.py RESIDENTD BUNDLE...
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import as_real
import numpy as np
import onnxruntime as ort

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
            as_float = Path(folder) / bundle.name
            as_real.main(bundle, as_float, "float32")
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


if __name__ == "__main__":
    main(*sys.argv[1:])
