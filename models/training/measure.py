"""Figures with intervals: ranking, calibration, thresholds and baselines.

Every interval is a 95 % bootstrap over patients, never over images.
"""

import numpy as np
import torch

REPLICATES = 1000


def concordance(scores, labels, strata=None, weights=None):
    """Share of (positive, negative) pairs ranked right: the AUROC.

    With ``strata`` only pairs of one stratum count; ``weights`` are per image.
    """
    labels = np.asarray(labels) == 1
    weights = np.ones(len(labels)) if weights is None else weights
    right, counted = pairs(scores, labels, strata)
    return ratio(right, counted, weights[labels], weights[~labels])


def pairs(scores, labels, strata):
    above, below = scores[labels][:, None], scores[~labels][None, :]
    counted = np.ones((above.shape[0], below.shape[1]), np.float32)
    if strata is not None:
        counted = (strata[labels][:, None] == strata[~labels][None, :]).astype(np.float32)
    return counted * ((above > below) + 0.5 * (above == below)), counted


def ratio(right, counted, positive, negative):
    total = positive @ counted @ negative
    return float(positive @ right @ negative / total) if total > 0 else float("nan")


def patient_draws(groups, seed=0):
    """[REPLICATES, n] how often each image is drawn when patients are."""
    _, patient = np.unique(groups, return_inverse=True)
    count = patient.max() + 1
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), REPLICATES)
    return draws[:, patient].astype(np.float32)


def interval(estimate, replicates):
    low, high = np.nanpercentile(replicates, [2.5, 97.5])
    return [round(float(v), 4) for v in (estimate, low, high)]


def area(scores, labels, groups, strata=None):
    """AUROC with its interval: [estimate, low, high]."""
    return areas([scores], labels, groups, strata)["areas"][0]


def areas(score_sets, labels, groups, strata=None):
    """AUROC of each set, and the paired differences of the first to the others."""
    labels = np.asarray(labels) == 1
    draws = patient_draws(groups)
    estimates, replicates = [], []
    for scores in score_sets:
        right, counted = pairs(scores, labels, strata)
        estimates.append(ratio(right, counted, np.ones(labels.sum()), np.ones((~labels).sum())))
        replicates.append(np.array([ratio(right, counted, d[labels], d[~labels]) for d in draws]))
    differences = [interval(estimates[0] - estimates[k], replicates[0] - replicates[k])
                   for k in range(1, len(score_sets))]
    return {"areas": [interval(e, r) for e, r in zip(estimates, replicates)], "differences": differences}


def share(flags, groups):
    """Share of true flags with its interval; None where there is no image.

    Where all agree the bootstrap would claim certainty: the bound is then the exact
    one for as many patients without an exception.
    """
    if len(flags) == 0:
        return None
    flags, draws = np.asarray(flags, np.float32), patient_draws(groups)
    exact = round(0.025 ** (1 / len(set(groups))), 4)
    if flags.all():
        return [1.0, exact, 1.0]
    if not flags.any():
        return [0.0, 0.0, round(1 - exact, 4)]
    return interval(flags.mean(), draws @ flags / np.maximum(draws.sum(axis=1), 1))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def logistic_regression(features, labels, penalty):
    """Weights and intercept by L-BFGS, penalised; features should be scaled."""
    x = torch.tensor(features, dtype=torch.float64)
    y = torch.tensor(labels, dtype=torch.float64)
    w = torch.zeros(x.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([w], max_iter=300, line_search_fn="strong_wolfe")

    def loss():
        optimiser.zero_grad()
        logits = x @ w[:-1] + w[-1]
        value = torch.nn.functional.binary_cross_entropy_with_logits(logits, y)
        value = value + penalty * (w[:-1] ** 2).sum()
        value.backward()
        return value

    optimiser.step(loss)
    return w.detach().numpy()


def baseline(train, train_labels, validation, validation_labels, test):
    """Scores of a logistic regression; its penalty is chosen on validation."""
    mean, deviation = train.mean(axis=0), train.std(axis=0) + 1e-6
    train, validation, test = ((x - mean) / deviation for x in (train, validation, test))
    fits = [logistic_regression(train, train_labels, penalty) for penalty in (0.3, 0.03, 0.003)]
    best = max(fits, key=lambda w: concordance(validation @ w[:-1] + w[-1], validation_labels))
    return test @ best[:-1] + best[-1]


def platt(logits, labels):
    """Slope and intercept with p = sigmoid(slope * logit + intercept)."""
    slope, intercept = logistic_regression(logits[:, None], labels, 1e-6)
    return float(slope), float(intercept)


ABSENT_AT_MOST = 0.10  # a finding that is more probable than this is never called absent


def thresholds(probabilities, labels, negatives, sensitivity, specificity, missed):
    """(absent_below, present_above, and absent_below by sensitivity alone).

    The first is the largest and the second the smallest that keeps its promise.

    ``negatives`` marks the images that specificity is asked of; ``missed`` is the largest
    share of positives among the images called absent, or None where none is asked.
    """
    positive = np.sort(probabilities[labels == 1])
    negative = np.sort(probabilities[(labels == 0) & negatives])
    absent = positive[int(np.floor((1 - sensitivity) * len(positive)))]
    present = negative[min(int(np.ceil(specificity * len(negative))), len(negative) - 1)]
    sensitive, high = sorted((absent, present))
    low = few_missed(probabilities, labels, min(sensitive, ABSENT_AT_MOST), missed)
    low, sensitive, high = np.floor(low * 1e4) / 1e4, np.floor(sensitive * 1e4) / 1e4, np.ceil(high * 1e4) / 1e4
    return round(low, 4), round(max(high, low + 1e-4), 4), round(sensitive, 4)


def few_missed(probabilities, labels, highest, missed):
    """The largest threshold up to ``highest`` below which at most ``missed`` of the images are positive.

    Only thresholds on the grid of 1e-4 are tried, so that rounding cannot undo the promise.
    """
    if missed is None:
        return highest
    steps = int(np.floor(highest * 1e4 + 1e-6))
    below = ((probabilities < step / 1e4) for step in range(steps, 0, -1))
    kept = (steps - k for k, b in enumerate(below) if labels[b].sum() <= missed * b.sum())
    return next(kept, 0) / 1e4 + 1e-9


def calibration_error(probabilities, labels, bins=10):
    """Expected calibration error over bins of equal count, and the bins."""
    order = np.argsort(probabilities)
    table = [{"n": len(b), "positives": int(labels[b].sum()),
              "lowest_probability": round(float(probabilities[b].min()), 4),
              "mean_probability": round(float(probabilities[b].mean()), 4),
              "observed": round(float(labels[b].mean()), 4)} for b in np.array_split(order, bins)]
    error = sum(b["n"] * abs(b["mean_probability"] - b["observed"]) for b in table) / len(order)
    return round(error, 4), table
