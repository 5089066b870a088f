"""The one look at the test split: every figure of a bundle, as one dictionary."""

import numpy as np

import fit
import measure
import quantize

CLAIM_LOWER_BOUND = 0.60
FEWEST_PATIENTS = 8  # with and without the finding; a subgroup with fewer is not shown


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
    table = {}
    for column in ("view", "sex", "age band", "collection"):
        values = np.array([age_band(row) if column == "age band" else row[column] for row in test.rows])
        for value in sorted(set(values) - {""}):
            here = others & (values == value)
            positive, negative = (here & (test.labels[:, k] == value) for value in (1, 0))
            fewest = min(len(set(test.groups[positive])), len(set(test.groups[negative])))
            if here.sum() < others.sum() and fewest >= FEWEST_PATIENTS:
                area = measure.area(scores[here], test.labels[here, k], test.groups[here])
                table[f"{column} {value}"] = {"images": int(here.sum()), "positives": int(positive.sum()),
                                              "auroc": area}
    return table


def age_band(row):
    if not row["age"].isdigit():
        return ""
    return "18-44" if int(row["age"]) < 45 else "45-64" if int(row["age"]) < 65 else "65-"


def claimed(figures):
    """The rule, fixed before the test split was looked at; make.CLAIM_RULE says it in words."""
    judged = [figures] + [figures[key] for key in ("within_view", "against_matched_normals") if key in figures]
    beaten = figures["baselines"].get("metadata")
    return (min(j["auroc"][1] for j in judged) > CLAIM_LOWER_BOUND
            and (beaten is None or figures["auroc"][0] > beaten["auroc"][0]))


def operating_points(recipe, k, validation_logits, test_logits, parts):
    """Calibration and thresholds from validation, judged on test."""
    validation, test = parts["validation"], parts["test"]
    slope, intercept = measure.platt(validation_logits, validation.labels[:, k])
    slope, intercept = round(slope, 4), round(intercept, 4)
    known = measure.sigmoid(slope * validation_logits + intercept)
    absent, present = measure.thresholds(known, validation.labels[:, k], validation.compared(k),
                                         recipe.sensitivity, recipe.specificity)
    p, positive, others = measure.sigmoid(slope * test_logits + intercept), test.labels[:, k] == 1, test.compared(k)
    error, reliability = measure.calibration_error(p, test.labels[:, k])
    negative, other_negative = ~positive, ~positive & others
    return {
        "calibration": {"slope": slope, "intercept": intercept},
        "absent_below": absent, "present_above": present,
        "asked_of_validation": {"sensitivity_at_absent": recipe.sensitivity,
                                "specificity_at_present": recipe.specificity},
        "sensitivity_at_absent": measure.share(p[positive] >= absent, test.groups[positive]),
        "specificity_at_present": measure.share(p[other_negative] < present, test.groups[other_negative]),
        "sensitivity_at_present": measure.share(p[positive] >= present, test.groups[positive]),
        "specificity_at_present_all_negatives": measure.share(p[negative] < present, test.groups[negative]),
        "positives_among_called_present": measure.share(positive[p >= present], test.groups[p >= present]),
        "positives_among_called_absent": measure.share(positive[p < absent], test.groups[p < absent]),
        "share_called_uncertain": measure.share((p >= absent) & (p < present), test.groups),
        "prevalence": {"validation": round(float(validation.labels[:, k].mean()), 4),
                       "test": round(float(positive.mean()), 4)},
        "brier": round(float(np.mean((p - positive) ** 2)), 4),
        "calibration_error": error, "reliability": reliability,
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
    """Ranking figures of every candidate by the float network."""
    scores = fit.predict(model, parts["test"].pixels)
    return {f.label: ranking(recipe, k, scores[:, k], parts) for k, f in enumerate(recipe.candidates)}
