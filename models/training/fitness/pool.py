"""The training pictures, made once: flawed chests, pieces of chests put together wrongly, drawn pictures.

No foreign image of the data is among them, so that all of those show what happens to what was never seen.
"""

from dataclasses import dataclass

import numpy as np
import torch

import drawn
import flaws
import images

BATCH = 64
FLAWED, MISCUT, DRAWN, DRAWN_SHOWN = 17_920, 3_000, 1_000, 3_000
# Children and adults alike, phantoms as the small part of all images that they are.
PHANTOM_SHARE = 0.06


@dataclass
class Pool:
    pictures: np.ndarray  # [n, 96, 96] uint8
    targets: np.ndarray  # [n, flaws] float32: 0, 1 or UNKNOWN
    kinds: np.ndarray  # "chest", "miscut" or "drawn"


def make(train, phantoms, seed):
    random, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    pieces = drawn.miscut(train.source[random.choice(len(train.rows), MISCUT)], random)
    parts = [flawed(train, phantoms, random, generator), not_chest(pieces, MISCUT, "miscut", random, generator),
             not_chest(drawn.drawn(DRAWN, seed), DRAWN_SHOWN, "drawn", random, generator)]
    return joined(parts)


def joined(parts):
    return Pool(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("pictures", "targets", "kinds")))


def flawed(train, phantoms, random, generator):
    by_age = [np.flatnonzero(train.ages == age) for age in (images.ADULT, images.CHILD)]
    pictures, targets = [], []
    for _ in range(FLAWED // BATCH):
        chosen = np.concatenate([random.choice(indices, BATCH // 2) for indices in by_age])
        batch = train.source[chosen]
        drawn_ones = random.random(BATCH) < PHANTOM_SHARE
        batch[drawn_ones] = phantoms[random.choice(len(phantoms), drawn_ones.sum())]
        made, wanted = flaws.flawed(torch.from_numpy(batch).float() / 255, generator)
        pictures.append(bytes_of(made)), targets.append(wanted.numpy())
    return Pool(np.concatenate(pictures), np.concatenate(targets), np.full(len(pictures) * BATCH, "chest", "<U8"))


def not_chest(source, count, kind, random, generator):
    """``count`` pictures of ``source``: mirrored, cut, toned, some inverted. Only what they are not is asked."""
    pictures = []
    order = np.concatenate([random.permutation(len(source)) for _ in range(-(-count // len(source)))])[:count]
    for start in range(0, count, BATCH):
        batch = torch.from_numpy(source[order[start:start + BATCH]]).float() / 255
        mirrored, inverted = (flaws.chance(len(batch), share, generator)[:, None, None] for share in (0.5, 0.2))
        batch = torch.where(mirrored, batch.flip(2), batch)
        edges = [flaws.uniform(len(batch), -0.1, 0.15, generator) for _ in range(4)]
        made = flaws.tone(flaws.cut(batch, *edges), generator)
        made = torch.where(inverted, 1 - made, made)
        grain = flaws.uniform(len(batch), 0, 0.02, generator)[:, None, None]
        made = made + torch.randn(made.shape, generator=generator) * grain
        pictures.append(bytes_of(flaws.stretch(made)))
    targets = np.full((count, len(flaws.FLAWS)), flaws.UNKNOWN, np.float32)
    targets[:, flaws.NUMBER["not-a-chest"]] = 1
    return Pool(np.concatenate(pictures), targets, np.full(count, kind, "<U8"))


def bytes_of(pictures):
    return (255 * pictures).round().clamp(0, 255).to(torch.uint8).numpy()
