"""The network and its training: one small trunk, one output a flaw, each asked only where it is known."""

import copy
import time

import numpy as np
import torch
from torch import nn

import flaws
import network
import preprocess
from fit import average_into

BATCH = 64
LEARNING_RATE = 4e-3
AVERAGING = 0.99
FEATURES = 96
# Of a good image's outputs any may refuse it: negatives weigh more than positives.
NEGATIVE_WEIGHT = 2.0


def fresh(seed):
    torch.manual_seed(seed)
    body = nn.Sequential(
        network.convolution(1, 16, 2),
        network.convolution(16, 32, 2),
        network.convolution(32, 48, 2),
        network.Residual(48),
        network.convolution(48, 64, 2),
        network.convolution(64, FEATURES, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return nn.Sequential(body, nn.Dropout(0.1), nn.Linear(FEATURES, len(flaws.FLAWS)))


def train(pool, pictures, seed, log=print):
    """A network that saw ``pictures`` pictures of the pool."""
    model = fresh(seed)
    averaged = copy.deepcopy(model)
    order_random = np.random.default_rng(seed)
    steps = pictures // BATCH
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, steps, pct_start=0.15)
    order, running, started = np.empty(0, int), None, time.process_time()
    model.train()
    for step in range(steps):
        if len(order) < BATCH:
            order = order_random.permutation(len(pool.pictures))
        chosen, order = order[:BATCH], order[BATCH:]
        images = torch.from_numpy(pool.pictures[chosen]).float()[:, None] / 255
        targets = torch.from_numpy(pool.targets[chosen])
        known = (targets != flaws.UNKNOWN).float() * torch.where(targets == 0, NEGATIVE_WEIGHT, 1.0)
        losses = nn.functional.binary_cross_entropy_with_logits(model(preprocess.normalise(images)), targets.clamp(min=0), reduction="none")
        loss = (losses * known).sum() / len(chosen)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        average_into(averaged, model, min(AVERAGING, 1 - 1 / (1 + step / 4)))
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        if (step + 1) % 200 == 0:
            log(f"step {step + 1}/{steps}: loss {running:.4f}, {time.process_time() - started:.0f} s of CPU", flush=True)
    return averaged.eval()


def logits(model, whole):
    """[n, flaws] of pictures in 0..1."""
    with torch.no_grad():
        return torch.cat([model(preprocess.normalise(torch.from_numpy(whole[i:i + 128]).float()[:, None]))
                          for i in range(0, len(whole), 128)]).numpy()
