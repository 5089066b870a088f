"""From decoded pixels to the network's input tensor.

The daemon does the same four steps in Rust, so they are a contract:

1. A gray image as floats, bright = dense (MONOCHROME2).
2. Exact area averaging to ``height`` x ``width``; the aspect is not kept.
   Output cell i covers the input interval [i*S, (i+1)*S) with S = in/out and
   weighs each input cell by overlap / S. Separable, on floats.
3. ``lo`` and ``hi`` are the resized map's values at the sorted index
   floor(p/100 * (N-1)); x = clip((v-lo)/(hi-lo), 0, 1), and all zeros when
   hi <= lo.
4. (x - mean) / std.
"""

import numpy as np

LOW_PERCENTILE = 1.0
HIGH_PERCENTILE = 99.0
MEAN = 0.5
STD = 0.25


def average_rows(values, size_out):
    """Step 2 along the first axis, by differences of the running integral."""
    size_in = len(values)
    step = size_in / size_out
    edges = np.arange(size_out + 1) * step
    cell = np.minimum(edges.astype(int), size_in - 1)
    integral = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    at_edges = integral[cell] + (edges - cell)[:, None] * values[cell]
    return np.diff(at_edges, axis=0) / step


def resize(gray, height, width):
    """Step 2: [h, w] of any real type to [height, width] floats."""
    shrunk = average_rows(gray.astype(np.float64), height)
    return average_rows(shrunk.T, width).T


def stretch(resized):
    """Step 3: to 0..1 between the two percentiles."""
    ordered = np.sort(resized, axis=None)
    last = ordered.size - 1
    low = ordered[int(LOW_PERCENTILE / 100 * last)]
    high = ordered[int(HIGH_PERCENTILE / 100 * last)]
    if high <= low:
        return np.zeros(resized.shape, np.float32)
    return np.clip((resized - low) / (high - low), 0, 1).astype(np.float32)


def normalise(stretched):
    """Step 4, for arrays and tensors alike."""
    return (stretched - MEAN) / STD
