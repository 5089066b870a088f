"""Training on one core: batches of like length, a warm-up and a cosine, seeds fixed."""

import math
import random
import time

import torch
from torch.nn import functional as F

from network import Writer

BATCH_TOKENS = 2600
PEAK_RATE = 2e-3
WARM_UP = 200


def batches(rows, rng):
    """Batches of about ``BATCH_TOKENS`` padded tokens, rows of like length together, in random order."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][2]) + len(rows[i][0]) / 2 + rng.random() * 8)
    made, batch, longest = [], [], 0
    for i in order:
        longest = max(longest, len(rows[i][2]))
        if batch and longest * (len(batch) + 1) > BATCH_TOKENS:
            made.append(batch)
            batch, longest = [], len(rows[i][2])
        batch.append(i)
    made.append(batch)
    rng.shuffle(made)
    return made


def tensors(rows, start):
    """Padded ``facts, question, tokens in, tokens out, mask``."""
    def padded(parts):
        width = max(map(len, parts))
        return torch.tensor([p + [0] * (width - len(p)) for p in parts])
    facts, question, text = (padded(p) for p in zip(*rows))
    # 0 is padding, and also the token of an empty sheet or question, which stands alone.
    known = torch.cat([facts != 0, question != 0], 1)
    known[:, 0] = True
    known[:, facts.shape[1]] = True
    mask = (~known).float()[:, None, None, :] * -1e9
    begin = torch.full((len(rows), 1), start)
    return facts, question, torch.cat([begin, text[:, :-1]], 1), text, mask


def train(size, rows, held_out, start, epochs, seed, log=print, checkpoint=None, initial=None, peak=PEAK_RATE):
    torch.manual_seed(seed)
    rng = random.Random(seed)
    model = Writer(size)
    if initial:
        model.load_state_dict(initial)
    log(f"{sum(p.numel() for p in model.parameters())} parameters, {len(rows)} pairs")
    steps = epochs * len(batches(rows, random.Random(seed)))
    best = torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.98), weight_decay=0.01)
    rate = torch.optim.lr_scheduler.LambdaLR(
        best, lambda s: min(1, (s + 1) / WARM_UP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, s / steps)))))
    began = time.process_time()
    for epoch in range(epochs):
        model.train()
        total, count = 0.0, 0
        for batch in batches(rows, rng):
            facts, question, given, wanted, mask = tensors([rows[i] for i in batch], start)
            loss = F.cross_entropy(model(facts, question, given, mask).flatten(0, 1), wanted.flatten(), ignore_index=0,
                                   label_smoothing=0.02)
            best.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            best.step()
            rate.step()
            total, count = total + loss.item(), count + 1
        log(f"epoch {epoch + 1}/{epochs}: loss {total / count:.3f}, held out {loss_of(model, held_out, start):.3f}, "
            f"{time.process_time() - began:.0f} CPU s")
        if checkpoint:
            torch.save({"size": size.as_dict(), "weights": model.state_dict()}, checkpoint)
    return model.eval()


@torch.no_grad()
def loss_of(model, rows, start):
    model.eval()
    total = count = 0
    for batch in batches(rows, random.Random(0)):
        facts, question, given, wanted, mask = tensors([rows[i] for i in batch], start)
        loss = F.cross_entropy(model(facts, question, given, mask).flatten(0, 1), wanted.flatten(), ignore_index=0, reduction="sum")
        total, count = total + loss.item(), count + int((wanted != 0).sum())
    return total / max(1, count)
