"""Training: weighted multi-label loss, averaged weights, the best epoch kept."""

import copy
import time

import numpy as np
import torch
from torch import nn

import augment
import measure
import preprocess

BATCH = 32
AVERAGING = 0.995  # per step, of the weights that are kept


def fit(model, train, validation, watched, epochs, learning_rate, seed):
    """Trains in place; returns the history. ``watched`` outputs choose the epoch."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    repeats, weights = balance(train)
    order = np.repeat(np.arange(len(train.rows)), repeats)
    steps = epochs * (len(order) // BATCH)
    optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, steps, pct_start=0.2)
    averaged, best, history = copy.deepcopy(model), None, []
    for epoch in range(epochs):
        started, losses = time.monotonic(), []
        shuffled = order[torch.randperm(len(order), generator=generator).numpy()]
        model.train()
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = shuffled[start:start + BATCH]
            losses.append(step(model, optimiser, train, weights, chosen, generator))
            schedule.step()
            average_into(averaged, model, min(AVERAGING, 1 - 1 / (1 + schedule.last_epoch / 4)))
        scores = predict(averaged, validation.pixels)
        area = np.mean([compared_area(scores[:, k], validation, k) for k in watched])
        history.append({"epoch": epoch + 1, "loss": float(np.mean(losses)), "validation_auroc": float(area)})
        print(f"epoch {epoch + 1}/{epochs}: loss {np.mean(losses):.4f}, validation {area:.4f}, "
              f"{time.monotonic() - started:.0f} s", flush=True)
        if best is None or area > best[0]:
            best = area, copy.deepcopy(averaged.state_dict())
    model.load_state_dict(best[1])
    return history


def compared_area(scores, validation, k):
    chosen = validation.compared(k)
    return measure.concordance(scores[chosen], validation.labels[chosen, k])


def step(model, optimiser, train, weights, chosen, generator):
    images = augment.augment(torch.from_numpy(train.pixels[chosen]), generator)
    targets = torch.from_numpy(train.labels[chosen])
    with torch.autocast("cpu", dtype=torch.bfloat16):  # half the time where the processor has it
        logits = model(preprocess.normalise(images))
    loss = nn.functional.binary_cross_entropy_with_logits(
        logits.float(), targets, torch.from_numpy(weights[chosen]))
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


def average_into(averaged, model, share):
    with torch.no_grad():
        for kept, new in zip(averaged.state_dict().values(), model.state_dict().values()):
            if kept.dtype.is_floating_point:
                kept.mul_(share).add_(new, alpha=1 - share)
            else:
                kept.copy_(new)


def predict(model, pixels):
    """[n, outputs] logits, without augmentation."""
    model.eval()
    with torch.no_grad():
        batches = [model(preprocess.normalise(torch.from_numpy(pixels[i:i + 64])))
                   for i in range(0, len(pixels), 64)]
    return torch.cat(batches).numpy()


def balance(train):
    """How often each image is shown, and its weight in each label's loss.

    Positives and negatives of a label weigh the same in sum, a patient with many
    images counts by the square root of their number, and images of rare labels
    are shown up to three times an epoch.
    """
    groups = train.groups
    images_of_group = {group: np.sum(groups == group) for group in set(groups)}
    base = np.array([images_of_group[group] ** -0.5 for group in groups])
    weights = np.empty(train.labels.shape)
    for k, label in enumerate(train.labels.T):
        for chosen in (label == 1, label == 0):
            weights[chosen, k] = 0.5 * base[chosen] / base[chosen].sum()
    rarity = np.clip(np.sqrt(0.25 / train.labels.mean(axis=0)), 1, 3)
    repeats = np.maximum(1, np.round((train.labels * rarity).max(axis=1))).astype(int)
    weights *= repeats.sum() / repeats[:, None]
    return repeats, weights.astype(np.float32)
