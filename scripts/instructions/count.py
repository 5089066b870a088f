"""Instructions of one encoder run, layer by layer, of our aarch64 kernels and of tract, counted in
an emulated core by the plugin beside this: `count.py RESIDENTD PLUGIN FOLDER BUNDLE...`.

Counts are exact and the same in every run; they are not time. What each runs on is that core's
own choice but where the column says otherwise.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import onnx

import as_real

# Title, core, its part number and what Linux would say of it, options, precision of the graph.
OURS = [
    ("i8mm", "max", ("0xd49", "asimd asimddp asimdhp i8mm"), ["--kernel", "neon i8mm"], None),
    ("sdot", "cortex-a76", ("0xd0b", "asimd asimddp asimdhp"), ["--kernel", "neon sdot"], None),
    ("smlal", "cortex-a72", ("0xd08", "asimd"), ["--kernel", "neon smlal"], None),
    ("portable", "cortex-a72", ("0xd08", "asimd"), ["--kernel", "portable"], None),
]
TRACT = [
    ("tract f32", "cortex-a76", ("0xd0b", "asimd asimddp asimdhp"), ["--stock"], "float32"),
    ("tract f32, A72", "cortex-a72", ("0xd08", "asimd"), ["--stock"], "float32"),
    ("tract f16", "cortex-a76", ("0xd0b", "asimd asimddp asimdhp"), ["--stock"], "float16"),
    ("tract, int8 file", "cortex-a76", ("0xd0b", "asimd asimddp asimdhp"), ["--stock"], None),
]
# The second of two runs: the first also fills caches of prepared things.
RUNS = 2


def main(residentd, plugin, folder, *bundles):
    for bundle in map(Path, bundles):
        columns, layers = {}, None
        for title, core, facts, options, precision in OURS + TRACT:
            graph = bundle if precision is None else real_copy(bundle, folder, precision)
            try:
                whole, nodes = count(residentd, plugin, system(folder, core, *facts), core, graph, options)
            except subprocess.CalledProcessError as error:
                print(f"{title}: {error.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                continue
            layers = layers or [name for name, _ in nodes]
            columns[title] = (whole, by_layer(nodes, layers))
        report(bundle, layers, columns)


def real_copy(bundle, folder, precision):
    copy = Path(folder) / f"{bundle.name}-{precision}"
    if not copy.exists():
        as_real.main(bundle, copy, precision)
    return copy


def system(folder, core, part, features):
    """What the emulated program sees as its system: the C library, and that core's /proc/cpuinfo,
    without which tract would choose by the facts of this machine."""
    root = Path(folder) / f"system-{core}"
    if not root.exists():
        (root / "proc").mkdir(parents=True)
        (root / "lib").symlink_to("/usr/aarch64-linux-gnu/lib")
        (root / "proc/cpuinfo").write_text(
            f"processor\t: 0\nFeatures\t: {features}\nCPU implementer\t: 0x41\nCPU part\t: {part}\n"
        )
    return root


def count(residentd, plugin, root, core, bundle, options):
    command = ["qemu-aarch64", "-plugin", plugin, "-cpu", core, "-L", str(root), residentd]
    command += ["model", "explain", str(bundle), "--runs", str(RUNS), "--allow-unsigned", *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "RUST_LOG": "off"})
    notes = json.loads(done.stderr.splitlines()[-1])
    rows = re.findall(r"% +[\d.]+ ms +\[[^]]*\] +(\S.*?) {2,}(\S+) \[(.*)\]$", done.stdout, re.M)
    asked = options[-1] if "--kernel" in options else "tract"
    assert rows and all(path in (asked, "portable") for path, *_ in rows), f"{asked} did not run: {rows[:3]}"
    between = lambda a, b: {kind: notes[b][kind] - notes[a][kind] for kind in notes[a]}
    whole = between(2 * RUNS - 2, 2 * RUNS - 1)
    # Ours asks before the first layer, after each and before the next; tract's before and after.
    of_run = (len(notes) - 2 * RUNS) // RUNS
    start = len(notes) - of_run
    evaluated = rows if of_run >= 2 * len(rows) else [row for row in rows if row[2] != "Const"]
    assert of_run == 2 * len(evaluated) + (asked != "tract"), f"{of_run} notes for {len(evaluated)} nodes"
    return whole, [(name, between(start + 2 * at, start + 2 * at + 1)) for at, (_, name, _) in enumerate(evaluated)]


def by_layer(nodes, layers):
    """Each node belongs to the layer that its name begins with, else to the one before it."""
    sums, current = {layer: 0 for layer in layers}, layers[0]
    for name, counted in nodes:
        current = next((layer for layer in layers if name == layer or name.startswith(f"{layer}.")), current)
        sums[current] += counted["all"]
    return sums


def macs(bundle):
    model = onnx.shape_inference.infer_shapes(onnx.load(bundle / "model.onnx"))
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in model.graph.value_info}
    shapes |= {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in model.graph.output}
    shapes |= {t.name: list(t.dims) for t in model.graph.initializer}
    found = {}
    for node in model.graph.node:
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            out, weights = shapes[node.output[0]], shapes[node.input[1]]
            places = out[2] * out[3] if node.op_type == "Conv" else 1
            product = places
            for size in weights:
                product *= size
            found[node.name] = product
    return found


def report(bundle, layers, columns):
    of_layer = macs(bundle)
    total = sum(of_layer.values())
    titles = list(columns)
    print(f"\n### {bundle.name}: instructions a MAC ({total / 1e6:.1f} million MACs)\n")
    print("| layer | MACs | " + " | ".join(titles) + " |\n|---|" + "---|" * (len(titles) + 1))
    for layer in layers:
        if of_layer.get(layer, 0):
            cells = [f"{columns[title][1][layer] / of_layer[layer]:.3f}" for title in titles]
            print(f"| {layer} | {of_layer[layer]:,} | " + " | ".join(cells) + " |")
    print(f"| whole run | {total:,} | " + " | ".join(f"{columns[t][0]['all'] / total:.3f}" for t in titles) + " |")
    for kind in ("matrix", "dot", "widening", "fused", "memory"):
        print(f"| of it {kind} | | " + " | ".join(f"{columns[t][0][kind] / total:.3f}" for t in titles) + " |")
    for peer in (t for t in titles if t.startswith("tract")):
        ratios = [f"{columns[t][0]['all'] / columns[peer][0]['all']:.2f}" for t in titles]
        print(f"| whole run against {peer} | | " + " | ".join(ratios) + " |")


if __name__ == "__main__":
    main(*sys.argv[1:])
