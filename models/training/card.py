"""CARD.md, written from the figures alone, so that the two cannot disagree."""

import examine
import failures


# What residentd's grammar says, from its table of hedges; a test of residentd holds the two together.
HEDGES = """Each row is one word for one range of probabilities in one band, and no other. Of a band, the first row applies whose probability is reached.

| called | from | word | as a report says it |
|---|---|---|---|
| present | 75 % | Likely | X is likely (estimated probability P). |
| present | 0 % | Suspected | X is suspected (estimated probability P). |
| uncertain | 50 % | May well be present | X may well be present (estimated probability P). |
| uncertain | 10 % | Possible | X is possible (estimated probability P). |
| uncertain | 0 % | Cannot be excluded | X cannot be excluded (estimated probability P). |
| absent | 5 % | Less likely | X is less likely (estimated probability P), but is not excluded. |
| absent | 0 % | Absent | No sign of X (estimated probability P) was found. |"""


def write(folder, recipe, figures):
    parts = [
        f"# {recipe.name} {figures['version']}", recipe.title + ".", rehearsal(figures),
        "## Use", f"Intended: {recipe.intended_use}", f"Forbidden: {recipe.forbidden_use}",
        f"Applies to CR and DX, view {' or '.join(recipe.view)}, "
        f"ages {recipe.age_years[0]} to {recipe.age_years[1]} years.",
        "## Data", recipe.attribution, f"Licence: {recipe.licence}.", data_table(figures),
        "Split by patient group: a hash of the group's id with a fixed salt decides, so every image of a patient "
        "is in one part. Validation chose the epoch, the calibration and the thresholds; "
        f"the figures below are of the {figures['examined_part']} part. Because the claim was decided on these "
        "patients, the figures are somewhat optimistic. The rule for absent was tightened after the first figures "
        "of these patients had been seen; that can only make absent rarer. The thresholds themselves still "
        "come from validation.",
        prevalences(recipe, figures),
        "## Network",
        f"{figures['network']['parameters']:,} parameters, random start, "
        f"{figures['network']['epochs']} epochs, input {figures['network']['size']} x {figures['network']['size']}, "
        f"int8 by static quantization, {figures['network']['model_bytes']:,} bytes. "
        f"Learned beside the claimed findings and not exported: {', '.join(recipe.auxiliary).replace('_', ' ')}.",
        "## Figures", "In brackets: 95 % interval by bootstrap over patients.",
        *(block for finding in recipe.candidates for block in finding_blocks(finding, recipe, figures)),
        *beside(figures),
        "## Golden vector", golden(figures),
        "## Known failures",
        "\n".join(f"- {line}" for line in (*failures.found(recipe, figures), *recipe.known_failures)),
        "Calibration holds at this data's prevalence only; at another the probabilities are wrong, "
        "though their order is not.",
        "Not assessed: " + ", ".join(not_assessed(recipe, figures)) + ".",
        "## Words for probabilities", HEDGES,
        "## Reproduce", f"```\npython models/training/make.py {recipe.name} --data ../shared/data --out models/\n```",
        "Seeds are fixed; other processors and library versions change the last digits.",
    ]
    (folder / "CARD.md").write_text("\n\n".join(p for p in parts if p) + "\n")


def rehearsal(figures):
    if figures["examined_part"] == "test":
        return ""
    return "**Rehearsal: short training, figures of the validation part. Not a bundle to use.**"


def not_assessed(recipe, figures):
    return [f.words for f in recipe.candidates if f.label not in figures["claimed"]] + list(recipe.not_assessed)


def data_table(figures):
    lines = ["| part | images | patients | normal | " + " | ".join(figures["findings"]) + " |",
             "|---" * (4 + len(figures["findings"])) + "|"]
    for part, row in figures["data"].items():
        positives = [str(f["positives"][part]) for f in figures["findings"].values()]
        lines.append(f"| {part} | {row['images']} | {row['patients']} | {row['normal']} | {' | '.join(positives)} |")
    return "\n".join(lines)


def prevalences(recipe, figures):
    """What the manifest calls prevalence, in words."""
    shares = (f"{finding.words} {row['development']} (validation alone {row['validation']})"
              for finding, row in ((f, figures["findings"][f.label]["operating_point"]["prevalence"])
                                   for f in recipe.candidates if f.label in figures["claimed"]))
    return ("The manifest's prevalence is the share of positives among all images of train and validation: "
            f"{', '.join(shares)}. The calibration was fitted on validation alone.")


def finding_blocks(finding, recipe, figures):
    measured = figures["findings"][finding.label]
    stands = "claimed" if finding.label in figures["claimed"] else "not claimed: it failed the rule below"
    yield f"### {finding.words.capitalize()} ({stands})"
    yield auroc_table(measured, figures)
    if figures["claim_rule"]:
        yield f"Claim rule, fixed beforehand: {figures['claim_rule']}"
    yield subgroup_table(measured["subgroups"])
    if "operating_point" in measured:
        if finding.view:
            views = " and ".join(finding.view)
            yield (f"Decided on {views} images only. The manifest's AUROC, sensitivity, specificity, prevalence and "
                   f"share of positives are of all views; the rows and columns of {views} are what applies where it is "
                   "used.")
        yield operating_table(measured["operating_point"], figures["compared"])
        yield bands_table(measured["operating_point"]["bands"], recipe)
        yield reliability_table(measured["operating_point"])
        yield int8_table(measured["int8"])


def auroc_table(measured, figures):
    comparisons = [(figures["compared"], measured)]
    comparisons += [(words, measured[key]) for key, words in STRICTER.items() if key in measured]
    rows = [["AUROC", "this network"]]
    for name in measured["baselines"]:
        rows[0] += [BASELINES[name], "network minus it"]
    for words, judged in comparisons:
        rows.append(["{} ({images} images, {positives} positives)".format(words, **judged["compared"]),
                     bracket(judged["auroc"])])
        for rival in judged["baselines"].values():
            rows[-1] += [bracket(rival["auroc"]), bracket(rival["network_minus_baseline"])]
    return table(rows)


STRICTER = {
    "within_view": "among abnormal images of the same view",
    "against_matched_normals": "against matched normals",
}
BASELINES = {
    "metadata": "metadata only (view, sex, age)",
    "pixels": "pixel statistics, file size and metadata",
    "thumbnail": "linear, 32 x 32 pixels",
}


def subgroup_table(subgroups):
    too_few = f"fewer than {examine.FEWEST_PATIENTS} patients: not measurable"
    return table([["subgroup", "images", "positives", "patients with and without", "AUROC"]] +
                 [[name, str(row["images"]), str(row["positives"]),
                   "{with} and {without}".format(**row["patients"]),
                   bracket(row["auroc"]) if row["auroc"] else too_few]
                  for name, row in subgroups.items()])


def operating_table(point, compared):
    """At the shipped thresholds: all views, and beside them the views that the finding is decided on."""
    columns = [point] + ([point["decided_views"]] if "decided_views" in point else [])
    rows = [["at the shipped thresholds", "all examined"]]
    if len(columns) == 2:
        rows[0].append("{} only ({images} images, {positives} positives)".format(
            " and ".join(columns[1]["views"]), **columns[1]))
    everything = not compared.startswith("among")  # then the two specificities are one
    rows += [[words.format(compared=compared), *(bracket(column[key]) for column in columns)]
             for key, words in SHARES.items() if not (everything and "{compared}" in words)]
    return "\n".join([asked(point), "", table(rows)])


SHARES = {
    "sensitivity_at_absent": "positives not called absent",
    "sensitivity_at_present": "positives called present",
    "specificity_at_present": "negatives not called present, {compared}",
    "specificity_at_present_all_negatives": "negatives not called present, all",
    "positives_among_called_present": "positives among those called present",
    "positives_among_called_absent": "positives among those called absent",
    "share_called_uncertain": "called uncertain",
}


def asked(point):
    wanted, below = point["asked_of_validation"], point["validation_called_absent"]
    missed, sensitive = wanted["positives_among_called_absent"], point["absent_below_by_sensitivity_alone"]
    changed = sensitive != point["absent_below"]
    before = f"{sensitive} before the tightening" if changed else "unchanged by the tightening"
    return (f"Absent below {point['absent_below']} ({before}), present from {point['present_above']}. "
            f"Asked of validation: sensitivity {wanted['sensitivity_at_absent']} not absent, specificity "
            f"{wanted['specificity_at_present']} not present"
            + (f", at most {100 * missed:.0f} % positives among those called absent" if missed is not None else "")
            + f"; in any case absent is never above {wanted['absent_below']:.2f}. Of the {below['images']} validation "
            f"images called absent {below['positives']} had the finding. Prevalence of the examined patients' images "
            f"{point['prevalence']['test']}, Brier score {point['brier']}, expected calibration error "
            f"{point['calibration_error']}.")


def bands_table(bands, recipe):
    """What is called absent, uncertain and present is made of."""
    return table([["called", "images", "patients", "with the finding", *(k.replace("_", " ") for k in recipe.kinds),
                   "without it", "of these normal"]] +
                 [[name, str(row["images"]), str(row["patients"]), str(row["positives"]),
                   *(str(row[kind]) for kind in recipe.kinds),
                   str(row["images"] - row["positives"]), str(row["normal"])] for name, row in bands.items()])


def reliability_table(point):
    return table([["images", "from probability", "mean probability", "with the finding", "share"]] +
                 [[str(b["n"]), str(b["lowest_probability"]), str(b["mean_probability"]), str(b["positives"]),
                   str(b["observed"])] for b in point["reliability"]])


def beside(figures):
    """The findings that were learned and not claimed, by the same rule."""
    if not figures["beside"]:
        return
    yield "### Learned beside them and not claimed"
    yield "AUROC by the float network, computed after the claims had been decided; nothing was chosen on these figures."
    rows = [["finding", "positives", figures["compared"], *STRICTER.values(),
             *(BASELINES[name] for name in next(iter(figures["beside"].values()))["baselines"]), "claim rule"]]
    for label, judged in figures["beside"].items():
        rows.append([label.replace("_", " "), str(judged["compared"]["positives"]), bracket(judged["auroc"]),
                     *(bracket(judged[key]["auroc"]) for key in STRICTER),
                     *(bracket(rival["auroc"]) for rival in judged["baselines"].values()),
                     "passed" if judged["passes_claim_rule"] else "failed"])
    yield table(rows)


def int8_table(int8, compared="same images", unit="images"):
    return table([[f"int8 against float, {compared}", ""],
                  ["AUROC float, int8", f"{int8['auroc_float']}, {int8['auroc_int8']}"],
                  ["mean change of probability", str(int8["mean_probability_change"])],
                  ["largest change of probability", str(int8["largest_probability_change"])],
                  [f"{unit} that change band", str(int8["band_changes_share"])]])


def golden(figures):
    row = figures["golden"]
    ways = ", ".join(f"{difference} ({way})" for way, difference in row["differences"].items())
    return (f"Synthetic input; the output is onnxruntime's with integer kernels. Other ways of running the same file "
            f"differ by {ways}; the tolerance is {row['tolerance']}. Over the examined radiographs integer kernels and "
            f"node by node differ by at most {row['largest_difference_on_images']}.")


def bracket(value):
    return f"{value[0]:.3f} [{value[1]:.3f}, {value[2]:.3f}]" if value else "–"


def table(rows):
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])
