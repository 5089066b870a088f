"""The one look at the test split: every figure of a bundle, as one dictionary."""

import numpy as np

import fit
import measure
import quantize

CLAIM_LOWER_BOUND = 0.60
FEWEST_PATIENTS = 8  # with and without the finding; in a subgroup with fewer nothing is measured
NOT_STATED = "not stated"
OLDEST_BAND = "65+"


def counts(parts):
    """Images, patients and normal images by part."""
    return {name: {"images": len(part.rows), "patients": len(set(part.groups)), "normal": int(part.normal.sum())}
            for name, part in parts.items()}


def ranking(recipe, k, scores, parts):
    """AUROC of candidate k with its baselines, and in subgroups."""
    test = parts["test"]
    labels, others = test.labels[:, k], test.compared(k)
    rivals = {name: baseline_scores(name, k, parts) for name in recipe.baselines}
    figures = {
        "positives": {name: int(part.labels[:, k].sum()) for name, part in parts.items()},
        **judgement(scores, rivals, labels, test.groups, others),
        "subgroups": subgroups(test, k, scores, others),
    }
    if test.has_other_findings:
        figures["within_view"] = judgement(scores, rivals, labels, test.groups, others, test.views)
        pool = test.normal | (labels == 1)
        figures["against_matched_normals"] = judgement(scores, rivals, labels, test.groups, pool, test.strata)
    return figures


def judgement(scores, rivals, labels, groups, chosen, strata=None):
    """AUROC over the chosen images, beside each rival's and the paired difference.

    With ``strata`` only pairs of one stratum count, and images without a partner are left out.
    """
    if strata is not None:
        positive, negative = (set(strata[chosen & (labels == value)]) for value in (1, 0))
        chosen = chosen & np.isin(strata, list(positive & negative))
        strata = strata[chosen]
    if not 0 < labels[chosen].sum() < chosen.sum():
        return {"compared": {"images": int(chosen.sum()), "positives": int(labels[chosen].sum())},
                "auroc": None, "baselines": {}}
    judged = measure.areas([s[chosen] for s in (scores, *rivals.values())], labels[chosen], groups[chosen], strata)
    return {
        "compared": {"images": int(chosen.sum()), "positives": int(labels[chosen].sum())},
        "auroc": judged["areas"][0],
        "baselines": {name: {"auroc": judged["areas"][i + 1], "network_minus_baseline": judged["differences"][i]}
                      for i, name in enumerate(rivals)},
    }


def baseline_scores(name, k, parts):
    """Trained on the same images that the figure is about: abnormal ones, where there are others."""
    chosen = {part: images.take(images.compared(k)) for part, images in parts.items() if part != "test"}
    train, validation = chosen["train"], chosen["validation"]
    return measure.baseline(features(name, train), train.labels[:, k], features(name, validation),
                            validation.labels[:, k], features(name, parts["test"]))


def features(name, images):
    if name == "metadata":
        return images.metadata
    if name == "pixels":
        return np.hstack([images.statistics, images.metadata])
    side = images.pixels.shape[-1] // 32
    thumbnails = images.pixels.reshape(len(images.rows), 32, side, 32, side).mean(axis=(2, 4))
    return thumbnails.reshape(len(images.rows), -1)


def subgroups(test, k, scores, others):
    """Every subgroup with its counts; where it has too few patients, without an AUROC."""
    table = {}
    for column in ("view", "sex", "age band", "collection"):
        values = np.array([(age_band(row) if column == "age band" else row[column]) or NOT_STATED
                           for row in test.rows])
        for value in sorted(set(values[others])):
            here = others & (values == value)
            table[f"{column} {value}"] = subgroup(test, k, scores, here)
    return table


def subgroup(test, k, scores, here):
    positive, negative = (here & (test.labels[:, k] == value) for value in (1, 0))
    patients = {"with": len(set(test.groups[positive])), "without": len(set(test.groups[negative]))}
    enough = min(patients.values()) >= FEWEST_PATIENTS
    return {"images": int(here.sum()), "positives": int(positive.sum()), "patients": patients,
            "auroc": measure.area(scores[here], test.labels[here, k], test.groups[here]) if enough else None}


def age_band(row):
    if not row["age"].isdigit():
        return ""
    return "18-44" if int(row["age"]) < 45 else "45-64" if int(row["age"]) < 65 else OLDEST_BAND


def claimed(figures):
    """The rule, fixed before the test split was looked at; make.CLAIM_RULE says it in words."""
    judged = [figures] + [figures[key] for key in ("within_view", "against_matched_normals") if key in figures]
    beaten = figures["baselines"].get("metadata")
    return (all(j["auroc"] and j["auroc"][1] > CLAIM_LOWER_BOUND for j in judged)
            and (beaten is None or figures["auroc"][0] > beaten["auroc"][0]))


def operating_points(recipe, k, validation_logits, test_logits, parts):
    """Calibration and thresholds from validation, judged on test."""
    validation, test = parts["validation"], parts["test"]
    slope, intercept = measure.platt(validation_logits, validation.labels[:, k])
    slope, intercept = round(slope, 4), round(intercept, 4)
    known = measure.sigmoid(slope * validation_logits + intercept)
    absent, present, sensitive = measure.thresholds(known, validation.labels[:, k], validation.compared(k),
                                                    recipe.sensitivity, recipe.specificity, recipe.missed)
    p, positive, others = measure.sigmoid(slope * test_logits + intercept), test.labels[:, k] == 1, test.compared(k)
    error, reliability = measure.calibration_error(p, test.labels[:, k])
    below = known < absent
    views = recipe.candidates[k].view
    figures = {
        "calibration": {"slope": slope, "intercept": intercept},
        "absent_below": absent, "present_above": present,
        "asked_of_validation": {"sensitivity_at_absent": recipe.sensitivity,
                                "specificity_at_present": recipe.specificity,
                                "positives_among_called_absent": recipe.missed,
                                "absent_below": measure.ABSENT_AT_MOST},
        "absent_below_by_sensitivity_alone": sensitive,
        "validation_called_absent": {"images": int(below.sum()), "positives": int(validation.labels[below, k].sum())},
        **at_thresholds(p, positive, others, test.groups, absent, present),
        "bands": {name: composition(recipe, test, k, chosen) for name, chosen in
                  (("absent", p < absent), ("uncertain", (p >= absent) & (p < present)), ("present", p >= present))},
        "prevalence": {"development": round(float(np.mean(np.concatenate(
                           [parts[name].labels[:, k] for name in ("train", "validation")]))), 4),
                       "validation": round(float(validation.labels[:, k].mean()), 4),
                       "test": round(float(positive.mean()), 4)},
        "brier": round(float(np.mean((p - positive) ** 2)), 4),
        "calibration_error": error, "reliability": reliability,
    }
    if views:
        here = np.isin(test.views, views)
        figures["decided_views"] = {
            "views": list(views), "images": int(here.sum()), "positives": int(positive[here].sum()),
            **at_thresholds(p[here], positive[here], others[here], test.groups[here], absent, present)}
    return figures


def composition(recipe, test, k, chosen):
    """What the images of a band are: how many have the finding, how many are normal, how many of each kind."""
    kinds = {kind: int(test.labels[chosen, recipe.labels.index(kind)].sum()) for kind in recipe.kinds}
    return {"images": int(chosen.sum()), "patients": len(set(test.groups[chosen])),
            "positives": int(test.labels[chosen, k].sum()), "normal": int(test.normal[chosen].sum()), **kinds}


def at_thresholds(p, positive, others, groups, absent, present):
    """Shares with their intervals; ``others`` marks the images that are ranked."""
    negative, other_negative = ~positive, ~positive & others
    return {
        "sensitivity_at_absent": measure.share(p[positive] >= absent, groups[positive]),
        "specificity_at_present": measure.share(p[other_negative] < present, groups[other_negative]),
        "sensitivity_at_present": measure.share(p[positive] >= present, groups[positive]),
        "specificity_at_present_all_negatives": measure.share(p[negative] < present, groups[negative]),
        "positives_among_called_present": measure.share(positive[p >= present], groups[p >= present]),
        "positives_among_called_absent": measure.share(positive[p < absent], groups[p < absent]),
        "share_called_uncertain": measure.share((p >= absent) & (p < present), groups),
    }


def int8_against_float(k, float_logits, int8_logits, point, test):
    slope, intercept = point["calibration"]["slope"], point["calibration"]["intercept"]
    before, after = (measure.sigmoid(slope * x + intercept) for x in (float_logits, int8_logits))
    edges = [point["absent_below"], point["present_above"]]
    others, labels = test.compared(k), test.labels[:, k]
    return {
        "auroc_float": round(measure.concordance(float_logits[others], labels[others]), 4),
        "auroc_int8": round(measure.concordance(int8_logits[others], labels[others]), 4),
        "mean_probability_change": round(float(np.abs(after - before).mean()), 5),
        "largest_probability_change": round(float(np.abs(after - before).max()), 5),
        "band_changes_share": round(float((np.digitize(before, edges) != np.digitize(after, edges)).mean()), 4),
    }


def shipped_logits(model_path, images):
    """Logits of the shipped file, fused and node by node."""
    return tuple(quantize.logits(quantize.session(model_path, optimised), images.pixels) for optimised in (True, False))


def first_look(recipe, model, parts):
    """Ranking figures by the float network: of every candidate, and of the labels learned beside them.

    The second are published where the claim rule can be put to them, and never claimed.
    """
    scores = fit.predict(model, parts["test"].pixels)
    count = len(recipe.candidates) if not parts["test"].has_other_findings else len(recipe.labels)
    figures = {label: ranking(recipe, k, scores[:, k], parts) for k, label in enumerate(recipe.labels[:count])}
    beside = {label: figures.pop(label) for label in recipe.auxiliary if label in figures}
    for judged in beside.values():
        judged["passes_claim_rule"] = bool(claimed(judged))
        del judged["subgroups"]
    return figures, beside
