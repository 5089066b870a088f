"""Training on clips: a clip is shown by one of its frames, groups and sources balanced.

No epoch is chosen: the last averaged weights are the network. With so few patients a choice by a
validation fold would be a choice by chance.
"""

import copy
import time

import numpy as np
import torch
from torch import nn

import preprocess
from fit import average_into
from ultrasound import augment, network

BATCH = 32
AVERAGING = 0.98  # per step, of the weights that are kept
FLAGS_WEIGHT = 0.3  # of consolidation, effusion and B-lines beside the class


def shares(clips):
    """How often each clip is drawn: classes alike, sources of a class and groups by the root of their number."""
    def number(key):
        return {k: sum(key(c) == k for c in clips) for k in {key(c) for c in clips}}

    groups = number(lambda c: (c.pathological, c.group))
    base = np.array([groups[c.pathological, c.group] ** -0.5 for c in clips])
    mass = {}
    for clip, share in zip(clips, base):
        mass[clip.pathological, clip.source] = mass.get((clip.pathological, clip.source), 0) + share
    share = np.array([b * mass[c.pathological, c.source] ** -0.5 for c, b in zip(clips, base)])
    for value in (True, False):
        chosen = np.array([c.pathological == value for c in clips])
        share[chosen] *= 0.5 / share[chosen].sum()
    return share


def fit(clips, steps, learning_rate, seed):
    """A network trained on ``clips``, and its mean loss by tenths of the training."""
    torch.manual_seed(seed)
    generator, random = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    model = network.network(1 + len(clips[0].flags))
    optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, steps, pct_start=0.2)
    targets = np.array([[c.pathological, *c.flags] for c in clips], np.float32)
    share, averaged, losses, started = shares(clips), copy.deepcopy(model), [], time.monotonic()
    model.train()
    for step in range(steps):
        drawn = random.choice(len(clips), BATCH, p=share)
        frames = np.stack([clips[i].pixels[random.integers(len(clips[i].pixels))] for i in drawn])[:, None]
        images = augment.augment(torch.from_numpy(frames), generator)
        loss = loss_of(model(preprocess.normalise(images)), torch.from_numpy(targets[drawn]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        average_into(averaged, model, min(AVERAGING, 1 - 1 / (1 + step / 4)))
        losses.append(loss.item())
    tenths = [round(float(np.mean(part)), 4) for part in np.array_split(losses, 10)]
    print(f"{len(clips)} clips, {steps} steps, {time.monotonic() - started:.0f} s, loss {tenths[-1]}", flush=True)
    return averaged, tenths


def loss_of(logits, targets):
    """Of the class, and of the flags where they are stated."""
    stated = ~targets.isnan()
    each = nn.functional.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none") * stated
    return each[:, 0].mean() + FLAGS_WEIGHT * each[:, 1:].mean()


def predict(model, clips):
    """[clips, outputs] mean logits over the frames that the daemon reads."""
    model.eval()
    with torch.no_grad():
        return np.stack([model(preprocess.normalise(torch.from_numpy(c.pixels[c.read][:, None]))).numpy().mean(axis=0)
                         for c in clips])
