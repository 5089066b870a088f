"""A synthetic input and what onnxruntime answers: proof that a runtime is right.

The picture owes nothing to any radiograph: seeded ellipses, waves and noise,
put through the last two steps of the preprocessing.
"""

import numpy as np

import preprocess
import quantize

SEED = 20261123


def picture(size):
    """[1, size, size] in 0..1."""
    random = np.random.default_rng(SEED)
    y, x = np.mgrid[0:size, 0:size] / size
    gray = 60 + 40 * np.sin(5 * x + 2) * np.cos(4 * y)
    for _ in range(12):
        centre_x, centre_y = random.uniform(0.1, 0.9, 2)
        radius_x, radius_y = random.uniform(0.05, 0.35, 2)
        inside = ((x - centre_x) / radius_x) ** 2 + ((y - centre_y) / radius_y) ** 2 < 1
        gray = gray + inside * random.uniform(-60, 90)
    gray = gray + random.normal(0, 6, gray.shape)
    return preprocess.stretch(gray)[None]


def write(folder, size):
    """Writes golden/input.f32 and golden/output.f32; returns how far other ways of running differ.

    The output is that of onnxruntime's fused integer kernels. Other runtimes run the same
    file node by node in floats, or leave the activations unrounded.
    """
    pixels = picture(size)[None]
    path = folder / "model.onnx"
    expected = quantize.logits(quantize.session(path), pixels)
    others = {
        "node by node": quantize.session(path, optimised=False),
        "activations not rounded": quantize.without_activation_rounding(path),
    }
    (folder / "golden").mkdir(exist_ok=True)
    preprocess.normalise(pixels).astype("<f4").tofile(folder / "golden" / "input.f32")
    expected.astype("<f4").tofile(folder / "golden" / "output.f32")
    return {way: round(float(np.abs(quantize.logits(running, pixels) - expected).max()), 5)
            for way, running in others.items()}
