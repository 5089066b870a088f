"""Thresholds on validation images that are fit, and what they do to test images that are fit, flawed or foreign."""

import math

import numpy as np
import torch

import flaws
import images
import measure

# Share of fit validation images, of adults and of children each, that a flaw may refuse wrongly.
BUDGET = {"not-a-chest": 0.004, "mirrored": 0.002, "bases-cut-off": 0.004, "apices-cut-off": 0.004, "blurred": 0.002}
OTHERWISE = 0.001
MARGIN = 0.25  # of a logit above every phantom
LEAST = -1.5  # no image is refused for what is less likely than this
SEED = 41
# How each flaw is made for the figures: the middle of what was learned.
BASES, APICES, SIDE, MOTION = (0.40, 0.50), (0.33, 0.42), (0.36, 0.45), 0.08
AGES = (images.ADULT, images.CHILD)


def thresholds(logits, ages, phantom_logits):
    """{flaw: logit} from which an image is refused."""
    chosen = {}
    for k, flaw in enumerate(flaws.FLAWS):
        share = 1 - BUDGET.get(flaw, OTHERWISE)
        asked = [np.quantile(logits[ages == age, k], share, method="higher") for age in AGES]
        chosen[flaw] = round(float(max(*asked, phantom_logits[:, k].max() + MARGIN, LEAST)), 3)
    return chosen


def refused(logits, limits):
    """[n, flaws] whether each flaw refuses each image."""
    return logits >= np.array([limits[flaw] for flaw in flaws.FLAWS])


def first(refusals):
    """The flaw that is named: the first of the list; None where an image passes."""
    return [flaws.FLAWS[row.argmax()] if row.any() else None for row in refusals]


def flawed_sets(part):
    """{flaw: [n, 96, 96]} every image of the part with each flaw, made anew by a fixed seed."""
    generator = torch.Generator().manual_seed(SEED)
    made = {flaw: [] for flaw in flaws.FLAWS[1:]}
    for start in range(0, len(part.rows), 128):
        batch = torch.from_numpy(part.source[start:start + 128]).float() / 255
        count = len(batch)

        def cut(**sides):
            edges = [flaws.uniform(count, *sides.get(side, (0, 0)), generator) for side in ("top", "bottom", "left", "right")]
            return flaws.cut(batch, *edges)
        whole = cut()
        angle = flaws.uniform(count, 0, math.pi, generator)
        pictures = {
            "upside-down": torch.rot90(whole, 2, (1, 2)), "turned-left": torch.rot90(whole, 1, (1, 2)),
            "turned-right": torch.rot90(whole, 3, (1, 2)), "mirrored": whole.flip(2), "inverted": 1 - whole,
            "bases-cut-off": cut(bottom=BASES), "apices-cut-off": cut(top=APICES),
            "side-cut-off": cut(left=SIDE) if start % 256 else cut(right=SIDE),
            "blurred": flaws.motion(whole, torch.full((count,), MOTION), angle),
        }
        for flaw, picture in pictures.items():
            made[flaw].append(flaws.stretch(picture))
    return {flaw: torch.cat(batches).numpy() for flaw, batches in made.items()}


def share(hits, groups):
    """[estimate, low, high] of a share, by bootstrap over patients; exact bounds where all or none are hit."""
    hits = np.asarray(hits, float)
    if len(hits) == 0:
        return [0.0, 0.0, 1.0]
    estimate, count = hits.mean(), len(set(groups))
    if estimate in (0.0, 1.0):
        # Clopper-Pearson for none or all of so many independent patients.
        bound = 1 - 0.025**(1 / count)
        return [round(v, 4) for v in ((0.0, 0.0, bound) if estimate == 0 else (1.0, 1 - bound, 1.0))]
    draws = measure.patient_draws(np.asarray(groups))
    with np.errstate(invalid="ignore"):
        return measure.interval(estimate, (draws @ hits) / draws.sum(1))


def of_fit(logits, limits, part):
    """What is refused of images that are fit, by age and collection and flaw."""
    by_flaw = refused(logits, limits)
    anything = by_flaw.any(1)
    by = {age: share(anything[part.ages == age], part.groups[part.ages == age]) for age in AGES}
    sources = np.array([row["source"] for row in part.rows])
    return {
        "all": share(anything, part.groups), "by_age": by,
        "by_source": {s: share(anything[sources == s], part.groups[sources == s]) for s in sorted(set(sources))},
        "by_flaw": {flaw: share(by_flaw[:, k], part.groups) for k, flaw in enumerate(flaws.FLAWS)},
        "images": {age: int((part.ages == age).sum()) for age in AGES},
    }


def of_flawed(run, fit_logits, limits, part):
    """For each flaw: how well it is told from fit images, what is refused of it and by the right name."""
    figures = {}
    for flaw, pictures in flawed_sets(part).items():
        logits, k = run(pictures), flaws.NUMBER[flaw]
        by_flaw = refused(logits, limits)
        anything, named = by_flaw.any(1), np.array([name == flaw for name in first(by_flaw)])
        figures[flaw] = {
            "auroc": {age: round(area(logits[part.ages == age, k], fit_logits[part.ages == age, k]), 4) for age in AGES},
            "refused": share(anything, part.groups), "named": share(named, part.groups),
            "refused_by_age": {age: share(anything[part.ages == age], part.groups[part.ages == age]) for age in AGES},
        }
    return figures


def area(positive, negative):
    above = (positive[:, None] > negative[None]).mean() + 0.5 * (positive[:, None] == negative[None]).mean()
    return float(above)


def of_foreign(logits, limits, foreign):
    """What is refused of images that are no chest radiograph, for any reason and as such, by kind."""
    by_flaw = refused(logits, limits)
    anything, named = by_flaw.any(1), by_flaw[:, flaws.NUMBER["not-a-chest"]]
    kinds = sorted(set(foreign.kinds))
    row = lambda keep: {"images": int(keep.sum()), "sources": len(set(foreign.groups[keep])),  # noqa: E731
                        "refused": share(anything[keep], foreign.groups[keep]),
                        "as_not_a_chest": share(named[keep], foreign.groups[keep]),
                        "passed": [foreign.names[i] for i in np.flatnonzero(keep & ~anything)][:12]}
    everything = np.ones(len(foreign.names), bool)
    return {"all": row(everything), **{kind: row(foreign.kinds == kind) for kind in kinds}}
