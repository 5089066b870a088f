"""CARD.md, written from the figures alone, so that the two cannot disagree."""

from card import HEDGES, bracket, int8_table, table
from ultrasound import clips, examine, recipe

NAMES = {"source": "who published it and its licence", "pixels": "pixel statistics and file size",
         "size": "size of the picture, still or cine"}


def write(folder, figures):
    point = figures["operating_point"]
    network, all_of_them = figures["network"], figures["counts"]["all"]
    parts = [
        f"# {recipe.NAME} {figures['version']}", recipe.TITLE + ".",
        "## Use", f"Intended: {recipe.INTENDED_USE}", f"Forbidden: {recipe.FORBIDDEN_USE}",
        f"Applies to {' and '.join(recipe.MODALITY)}, body part {' or '.join(recipe.BODY_PART)}, any view, ages "
        f"{recipe.AGE_YEARS[0]} to {recipe.AGE_YEARS[1]} years. It is off until a site names it in its configuration "
        "(`[reader] research`), and each report of it says that it is for research only.",
        "## Data", recipe.ATTRIBUTION, f"Licence: {recipe.LICENCE}.", counts_table(figures),
        f"{all_of_them['clips']} clips and stills of {all_of_them['patient_groups']} patient groups. A hash of the group's id, as "
        "the chest bundles are split, would leave a test part of nine groups with four abnormal clips, of which no interval says "
        "anything. So there is no test part: the figures are those of five-fold cross-validation over whole groups, dealt so "
        "that sources and classes are spread. Each clip is scored by an int8 file whose training never saw its group; calibration and "
        "thresholds of a fold come from the other folds. The shipped file is a sixth training, by the same fixed recipe (no epoch is "
        "chosen), on all groups: it was measured on no patient of its own, and evaluated on the clips of this data it looks better "
        "than it is. The shipped calibration is fitted on the held-out scores of all folds.",
        "## What it looks at",
        f"{clips.FRAMES} frames of a cine at equal distances, or the still. The sector is found in them, everything outside it "
        "(names, scales, logos) is blackened and cut away, and what is left is resized and stretched between its 1st and 99th percentile. The mean "
        "of the frames' logits is calibrated. A frame that is not fit to be read is left out; where most are not, or no sector is seen, "
        "the clip is not read. Clips of this data without a sector: "
        f"{', '.join(figures['without_sector']) or 'none'}.",
        "## Network",
        f"{network['parameters']:,} parameters, random start, {network['steps']} steps, input {network['size']} x {network['size']}, "
        f"int8 by static quantization, {network['model_bytes']:,} bytes. Learned beside and not exported: "
        f"{', '.join(clips.FLAGS).replace('_', '-')}.",
        "## Figures", "By clip, by the int8 files. In brackets: 95 % interval by bootstrap over patient groups.",
        ranking_table(figures),
        "The goal of this bundle is an AUROC of at least 0.90 with a lower bound above 0.75: "
        f"{'reached' if figures['auroc'][0] >= 0.9 and figures['auroc'][1] > 0.75 else 'not reached'} pooled "
        f"({bracket(figures['auroc'])}).",
        curve(figures),
        "Also tried: " + " ".join(recipe.TRIED) + " The choice among what was tried was made on these very folds, which makes the "
        "figures somewhat optimistic.",
        "### By subgroup", subgroup_table(figures),
        "### At the shipped thresholds", thresholds(point), band_table(point), reliability_table(point),
        int8_table(figures["int8"], "same clips, each by its fold's file", "clips"),
        "### Learned beside it and not claimed",
        "Among abnormal clips, the flag noted against not noted. Not noted often means that nobody wrote it down, so these are no "
        "figures of a finding, and none is claimed.",
        table([["flag", "clips", "noted", "groups with it", "AUROC"]] +
              [[flag.replace("_", "-"), str(row["clips"]), str(row["noted"]), str(row["groups_noted"]), bracket(row["auroc"])]
               for flag, row in figures["beside"].items()]),
        "## Golden vectors", golden_words(figures),
        "## Known failures",
        "\n".join(f"- {line}" for line in (*found(figures), *recipe.KNOWN_FAILURES)),
        "Calibration holds at this data's prevalence only; at another the probabilities are wrong, though their order is not.",
        "Not assessed: " + ", ".join(recipe.NOT_ASSESSED) + ".",
        "## Words for probabilities", HEDGES,
        "## Reproduce",
        f"```\npython models/training/make_ultrasound.py {recipe.NAME} --data ../shared/data --out models/"
        f"{' --learning-curve' if figures['learning_curve'] else ''}\n```",
        "Seeds are fixed; other processors and library versions change the last digits.",
    ]
    (folder / "CARD.md").write_text("\n\n".join(p for p in parts if p) + "\n")


def counts_table(figures):
    return table([["part", "clips", "of them stills", "frames", "patient groups", "normal", "abnormal"]] +
                 [[name, *(str(row[key]) for key in ("clips", "stills", "frames", "patient_groups", "normal", "abnormal"))]
                  for name, row in figures["counts"].items()])


def ranking_table(figures):
    rows = [["AUROC", "this network"]]
    for name in examine.BASELINES:
        rows[0] += [NAMES[name], "network minus it"]
    for key, words in (("pooled", "all clips"), ("within_source", "pairs of one source only"), ("within_fold", "pairs of one fold only")):
        judged = figures[key]
        rows.append([f"{words} ({judged['clips']} clips, {judged['abnormal']} abnormal, {judged['patient_groups']} groups)",
                     bracket(judged["auroc"])])
        for name in examine.BASELINES:
            rival = judged["baselines"].get(name)
            rows[-1] += [bracket(rival["auroc"]), bracket(rival["network_minus_baseline"])] if rival else ["–", "–"]
    return table(rows)


def curve(figures):
    if not figures["learning_curve"]:
        return "No learning curve was made for this version: it costs ten trainings more."
    return ("Learning curve, by the float networks of the same folds:\n\n" +
            table([["share of the groups", "groups trained on", "all clips", "pairs of one source only"]] +
                  [[f"{100 * row['share']:.0f} %", str(row["patient_groups"]), bracket(row["pooled"]), bracket(row["within_source"])]
                   for row in figures["learning_curve"]]))


def subgroup_table(figures):
    too_few = f"fewer than {examine.FEWEST_GROUPS} groups: not measurable"
    return table([["subgroup", "clips", "abnormal", "groups", "called present", "AUROC"]] +
                 [[name, str(row["clips"]), str(row["abnormal"]), str(row["patient_groups"]), str(row["called_present"]),
                   bracket(row["auroc"]) if row["auroc"] else too_few] for name, row in figures["subgroups"].items()])


def thresholds(point):
    tried = point["absent_tried"]
    if point["says_absent"]:
        absent = f"Absent below {point['absent_below']}."
    else:
        absent = ("It never calls the finding absent. By the rule of the chest bundles absent would have begun below "
                  f"{tried['absent_below']}: of {tried['clips']} held-out clips called so, the share of abnormal ones is "
                  f"{bracket(tried['positives_among'])}, and absent is said only where its upper bound is at most "
                  f"{recipe.MISSED_AT_MOST:.2f}; so few patients cannot show that.")
    error = point["calibration_error"]
    return (f"{absent} Present from {point['present_above']} (asked for: specificity {recipe.SPECIFICITY}). Prevalence "
            f"{point['prevalence']['development']}, Brier score {point['brier']}, expected calibration error {bracket(error)}.")


def band_table(point):
    rows = [["at the thresholds, each fold's from the others", ""]]
    rows += [[words, bracket(point[key])] for key, words in (
        ("sensitivity_at_present", "abnormal called present"), ("specificity_at_present", "normal not called present"),
        ("positives_among_called_present", "abnormal among those called present"),
        ("share_called_uncertain", "called uncertain"))]
    bands = [["called", "clips", "patient groups", "abnormal", "normal"]] + [
        [name, str(row["clips"]), str(row["patient_groups"]), str(row["abnormal"]), str(row["clips"] - row["abnormal"])]
        for name, row in point["bands"].items()]
    return table(rows) + "\n\n" + table(bands)


def reliability_table(point):
    return table([["clips", "from probability", "mean probability", "abnormal", "share"]] +
                 [[str(b["n"]), str(b["lowest_probability"]), str(b["mean_probability"]), str(b["positives"]), str(b["observed"])]
                  for b in point["reliability"]])


def golden_words(figures):
    row = figures["golden"]
    ways = ", ".join(f"{difference} ({way})" for way, difference in row["differences"].items())
    return (f"Synthetic input; the output is onnxruntime's with integer kernels. Other ways of running the same file differ by {ways}; "
            f"the tolerance is {row['tolerance']}. `golden/sector.json` holds drawn frames, their sector and the input they become, "
            "by which training and daemon are held to the same masking.")


def found(figures):
    """What the figures show by themselves."""
    point, kinds = figures["operating_point"], figures["subgroups"]
    present = point["bands"]["present"]
    yield (f"Of {present['clips']} held-out clips called present {present['abnormal']} were abnormal; of "
           f"{figures['counts']['all']['abnormal']} abnormal clips {present['abnormal']} were called present.")
    for kind in ("covid", "bacterial_pneumonia"):
        row = kinds.get(f"kind {kind}")
        if row:
            yield f"Of {row['clips']} clips published as {kind.replace('_', ' ')}, {row['called_present']} were called present."
    linear = figures["linear_probe"]
    yield (f"Linear probe, outside its use: of {linear['clips']} clips ({linear['abnormal']} abnormal) {linear['called_present']} "
           "were called present.")
    if point["calibration_error"][0] > 0.05:
        yield f"The calibration error is {point['calibration_error'][0]:.3f}: with so few clips it cannot be shown to be small."
