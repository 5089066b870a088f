"""Every figure of the bundle, by clip: ranking beside baselines, calibration, bands, int8 against float.

Clips of a fold are scored by the network that never saw their patients; what is fitted to scores
(calibration, thresholds) is fitted on the other folds too, and only then judged. Intervals are 95 % by
bootstrap over patient groups.
"""

import numpy as np

import measure
from ultrasound import clips, recipe

PENALTY = 0.03  # of the baselines, fixed beforehand
FEWEST_GROUPS = 8  # with and without the finding; of fewer no figure is given
BASELINES = ("source", "pixels", "size")


def figures(known, folds, plain, whole):
    labels, groups, sources = described(known)
    scores = whole[:, 0]
    rivals = {name: baseline(features(name, known), labels, folds) for name in BASELINES}
    judged = {
        "auroc": measure.area(scores, labels, groups), "auroc_float": measure.area(plain[:, 0], labels, groups),
        "pooled": judgement(scores, rivals, labels, groups, None),
        "within_source": judgement(scores, rivals, labels, groups, sources),
        "within_fold": judgement(scores, {}, labels, groups, folds),
    }
    crossed = cross_fitted(scores, labels, folds)
    shipped = shipped_point(known, scores)
    return {
        **judged,
        "counts": counts(known, folds),
        "operating_point": operating_point(crossed, shipped, labels, groups, known),
        "subgroups": subgroups(known, scores, crossed),
        "beside": {flag: noted(k, known, whole[:, 1 + k]) for k, flag in enumerate(clips.FLAGS)},
        "int8": int8_against_float(plain[:, 0], scores, labels, shipped),
    }


def described(known):
    return (np.array([c.pathological for c in known]), np.array([c.group for c in known]),
            np.array([c.source for c in known]))


def counts(known, folds):
    rows = {f"fold {fold + 1}": [c for c, f in zip(known, folds) if f == fold] for fold in range(clips.FOLDS)}
    rows["all"] = known
    return {name: {"clips": len(here), "frames": sum(len(c.pixels) for c in here), "stills": sum(c.still for c in here),
                   "patient_groups": len({c.group for c in here}), "normal": sum(not c.pathological for c in here),
                   "abnormal": sum(c.pathological for c in here)} for name, here in rows.items()}


def features(name, known):
    """What a shortcut would use: who published it and how, global pixel statistics, the size of the picture."""
    if name == "pixels":
        return np.stack([c.statistics for c in known])
    if name == "size":
        return np.array([[c.size, np.log(c.size), c.still] for c in known], float)
    names = sorted({c.source for c in known}), sorted({c.licence for c in known})
    return np.array([[c.source == s for s in names[0]] + [c.licence == s for s in names[1]] for c in known], float)


def baseline(values, labels, folds):
    """Scores of a logistic regression, each fold's by the others."""
    scores = np.zeros(len(labels))
    for fold in set(folds):
        away, here = folds != fold, folds == fold
        mean, deviation = values[away].mean(axis=0), values[away].std(axis=0) + 1e-6
        w = measure.logistic_regression((values[away] - mean) / deviation, labels[away].astype(float), PENALTY)
        scores[here] = (values[here] - mean) / deviation @ w[:-1] + w[-1]
    return scores


def judgement(scores, rivals, labels, groups, strata):
    chosen = np.ones(len(labels), bool)
    if strata is not None:
        positive, negative = (set(strata[labels == value]) for value in (True, False))
        chosen = np.isin(strata, list(positive & negative))
        strata = strata[chosen]
    judged = measure.areas([s[chosen] for s in (scores, *rivals.values())], labels[chosen], groups[chosen], strata)
    return {"clips": int(chosen.sum()), "abnormal": int(labels[chosen].sum()),
            "patient_groups": len(set(groups[chosen])), "auroc": judged["areas"][0],
            "baselines": {name: {"auroc": judged["areas"][i + 1], "network_minus_baseline": judged["differences"][i]}
                          for i, name in enumerate(rivals)}}


def point(scores, labels):
    """Calibration and thresholds from scores, without a look at what they are used on."""
    slope, intercept = measure.platt(scores, labels.astype(float))
    slope, intercept = round(slope, 4), round(intercept, 4)
    p = measure.sigmoid(slope * scores + intercept)
    absent, present, _ = measure.thresholds(p, labels.astype(int), np.ones(len(labels), bool), recipe.SENSITIVITY,
                                            recipe.SPECIFICITY, recipe.MISSED)
    return {"slope": slope, "intercept": intercept, "absent_below": absent, "present_above": present}


def shipped_point(known, scores):
    return point(scores, described(known)[0])


def cross_fitted(scores, labels, folds):
    """Probabilities and bands (0 absent, 1 uncertain, 2 present) of each fold by the others' calibration."""
    probabilities, bands = np.zeros(len(scores)), np.zeros(len(scores), int)
    for fold in set(folds):
        away, here = folds != fold, folds == fold
        fitted = point(scores[away], labels[away])
        p = measure.sigmoid(fitted["slope"] * scores[here] + fitted["intercept"])
        probabilities[here] = p
        bands[here] = np.digitize(p, [fitted["absent_below"], fitted["present_above"]])
    return {"probabilities": probabilities, "bands": bands}


def operating_point(crossed, shipped, labels, groups, known):
    p, bands = crossed["probabilities"], crossed["bands"]
    missed = measure.share(labels[bands == 0], groups[bands == 0])
    says_absent = missed is not None and missed[2] <= recipe.MISSED_AT_MOST
    tried = {"absent_below": shipped["absent_below"], "clips": int((bands == 0).sum()), "positives_among": missed}
    if not says_absent:
        bands = np.maximum(bands, 1)
    error, reliability = measure.calibration_error(p, labels)
    negative = ~labels
    return {
        "calibration": {"slope": shipped["slope"], "intercept": shipped["intercept"]},
        "absent_below": shipped["absent_below"] if says_absent else 0.0,
        "present_above": shipped["present_above"],
        "absent_tried": tried, "says_absent": bool(says_absent),
        "sensitivity_at_absent": measure.share(bands[labels] >= 1, groups[labels]),
        "sensitivity_at_present": measure.share(bands[labels] == 2, groups[labels]),
        "specificity_at_present": measure.share(bands[negative] < 2, groups[negative]),
        "positives_among_called_present": measure.share(labels[bands == 2], groups[bands == 2]),
        "share_called_uncertain": measure.share(bands == 1, groups),
        "bands": {name: {"clips": int((bands == k).sum()), "patient_groups": len(set(groups[bands == k])),
                         "abnormal": int(labels[bands == k].sum())}
                  for k, name in enumerate(("absent", "uncertain", "present"))},
        "prevalence": {"development": round(float(labels.mean()), 4)},
        "brier": round(float(np.mean((p - labels) ** 2)), 4),
        "calibration_error": [error, *calibration_interval(p, labels, groups)], "reliability": reliability,
    }


def calibration_interval(p, labels, groups):
    """Of the calibration error, which is never small in a resample of so few."""
    draws = measure.patient_draws(groups).astype(int)
    errors = [measure.calibration_error(np.repeat(p, d), np.repeat(labels, d))[0] for d in draws]
    return [round(float(v), 4) for v in np.percentile(errors, [2.5, 97.5])]


def subgroups(known, scores, crossed):
    """Ranking where there are groups enough, and in any case how many were called present."""
    labels, groups, sources = described(known)
    ways = {"source": sources, "kind": np.array([c.kind for c in known]),
            "form": np.array(["still" if c.still else "cine" for c in known]),
            "sex": np.array([{"m": "male", "w": "female"}.get(c.sex, "not stated") for c in known])}
    table = {}
    for way, values in ways.items():
        for value in sorted(set(values)):
            here = values == value
            both = min(len(set(groups[here & labels])), len(set(groups[here & ~labels])))
            table[f"{way} {value}"] = {
                "clips": int(here.sum()), "abnormal": int(labels[here].sum()), "patient_groups": len(set(groups[here])),
                "called_present": int((crossed["bands"][here] == 2).sum()),
                "auroc": measure.area(scores[here], labels[here], groups[here]) if both >= FEWEST_GROUPS else None}
    return table


def noted(k, known, scores):
    """A finding's flag among abnormal clips: noted against not noted, which is not the same as absent."""
    chosen = np.array([c.pathological and not np.isnan(c.flags[k]) for c in known])
    flag = np.array([c.flags[k] == 1 for c in known])[chosen]
    groups = described(known)[1][chosen]
    return {"clips": int(chosen.sum()), "noted": int(flag.sum()), "groups_noted": len(set(groups[flag])),
            "auroc": measure.area(scores[chosen], flag, groups)}


def int8_against_float(before, after, labels, shipped):
    p, q = (measure.sigmoid(shipped["slope"] * x + shipped["intercept"]) for x in (before, after))
    edges = [shipped["present_above"]]
    return {"auroc_float": round(measure.concordance(before, labels), 4),
            "auroc_int8": round(measure.concordance(after, labels), 4),
            "mean_probability_change": round(float(np.abs(q - p).mean()), 5),
            "largest_probability_change": round(float(np.abs(q - p).max()), 5),
            "band_changes_share": round(float((np.digitize(p, edges) != np.digitize(q, edges)).mean()), 4)}


def elsewhere(scores, known, shipped):
    """What the shipped file says of clips outside its use."""
    p = measure.sigmoid(shipped["slope"] * scores + shipped["intercept"])
    return {"clips": len(known), "abnormal": sum(c.pathological for c in known),
            "called_present": int((p >= shipped["present_above"]).sum())}


def on_the_curve(known, folds, scores, share):
    labels, groups, sources = described(known)
    trained_on = [len({c.group for c, f in zip(known, folds) if f != fold}) for fold in range(clips.FOLDS)]
    return {"share": share, "patient_groups": round(share * float(np.mean(trained_on)), 1),
            "pooled": judgement(scores, {}, labels, groups, None)["auroc"],
            "within_source": judgement(scores, {}, labels, groups, sources)["auroc"]}
