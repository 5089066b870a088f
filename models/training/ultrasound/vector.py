"""golden/sector.json: drawn frames, the sector they must have, and the input that the first one becomes.

It holds `sector.py` and the daemon's `src/preprocess/sector.rs` to one contract. Nothing of a patient is
in it: a fan of waves and noise, with letters, a ruler and a gray bar beside it.
"""

import json

import numpy as np

import preprocess
from ultrasound import recipe, sector

SEED = 20261124
WIDTH, HEIGHT, FRAMES = 168, 132, 2


def write(folder):
    frames = [picture(np.random.default_rng(SEED + k), k) for k in range(FRAMES)]
    found = sector.find(frames)
    size = recipe.SIZE
    seen = preprocess.stretch(preprocess.resize(sector.cut(frames[0], found), size, size))
    text = json.dumps({
        "width": WIDTH, "height": HEIGHT,
        "frames": [frame.ravel().tolist() for frame in frames],
        "inside": "".join("1" if inside else "0" for inside in found.inside.ravel()),
        "input": np.round(preprocess.normalise(seen).ravel() * 1000).astype(int).tolist(),
    }, separators=(",", ":"))
    (folder / "golden").mkdir(exist_ok=True)
    (folder / "golden" / "sector.json").write_text(text + "\n")


def picture(random, k):
    """[HEIGHT, WIDTH] bytes; the second frame lies in shadow on one side."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    across, down = x - 0.47 * WIDTH, y + 25
    radius, slope = np.hypot(across, down), np.abs(across / down)
    tissue = 70 + 40 * np.sin(radius / 5) * np.cos(across / 9) + random.normal(0, 18, x.shape)
    if k:
        tissue[:, :WIDTH // 2] *= 0.1
    gray = np.where((slope < 0.55) & (radius > 35) & (radius < 140), tissue, random.uniform(0, 3, x.shape))
    gray[4:12, 4:40] = np.where((np.arange(36) % 5 < 1)[None, :], 230, gray[4:12, 4:40])
    gray[20:120, 160:163] = np.where((np.arange(100) % 20 < 2)[:, None], 250, gray[20:120, 160:163])
    gray[40:100, 6:9] = np.linspace(250, 10, 60)[:, None]
    return np.clip(gray, 0, 255).astype(np.uint8)
