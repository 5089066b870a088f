"""CARD.md, written from the figures alone, so that the two cannot disagree."""


def write(folder, recipe, figures):
    parts = [
        f"# {recipe.name} {figures['version']}", recipe.title + ".", rehearsal(figures),
        "## Use", f"Intended: {recipe.intended_use}", f"Forbidden: {recipe.forbidden_use}",
        f"Applies to CR and DX, view {' or '.join(recipe.view)}, "
        f"ages {recipe.age_years[0]} to {recipe.age_years[1]} years.",
        "## Data", recipe.attribution, f"Licence: {recipe.licence}.", data_table(figures),
        "Split by patient group: a hash of the group's id with a fixed salt decides, so every image of a patient "
        "is in one part. Validation chose the epoch, the calibration and the thresholds; "
        f"the figures below are of the {figures['examined_part']} part, which nothing was chosen on "
        "but whether a finding is claimed.",
        "## Network",
        f"{figures['network']['parameters']:,} parameters, random start, "
        f"{figures['network']['epochs']} epochs, input {figures['network']['size']} x {figures['network']['size']}, "
        f"int8 by static quantization, {figures['network']['model_bytes']:,} bytes. "
        f"Learned beside the claimed findings and not exported: {', '.join(recipe.auxiliary).replace('_', ' ')}.",
        "## Figures", "In brackets: 95 % interval by bootstrap over patients.",
        *(block for finding in recipe.candidates for block in finding_blocks(finding, figures)),
        "## Golden vector", golden(figures),
        "## Known failures", "\n".join(f"- {line}" for line in recipe.known_failures),
        "Calibration holds at this data's prevalence only; at another the probabilities are wrong, "
        "though their order is not.",
        "Not assessed: " + ", ".join(not_assessed(recipe, figures)) + ".",
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


def finding_blocks(finding, figures):
    measured = figures["findings"][finding.label]
    stands = "claimed" if finding.label in figures["claimed"] else "not claimed: it failed the rule below"
    yield f"### {finding.words.capitalize()} ({stands})"
    yield auroc_table(measured, figures)
    if figures["claim_rule"]:
        yield f"Claim rule, fixed beforehand: {figures['claim_rule']}"
    if measured["subgroups"]:
        yield subgroup_table(measured["subgroups"])
    if "operating_point" in measured:
        yield operating_table(measured["operating_point"])
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
    return table([["subgroup", "images", "positives", "AUROC"]] +
                 [[name, str(row["images"]), str(row["positives"]), bracket(row["auroc"])]
                  for name, row in subgroups.items()])


def operating_table(point):
    return table([
        ["at the shipped thresholds", ""],
        ["asked of validation", "sensitivity {sensitivity_at_absent} not absent, specificity {specificity_at_present} "
                                "not present".format(**point["asked_of_validation"])],
        ["absent below", str(point["absent_below"])],
        ["present from", str(point["present_above"])],
        ["positives not called absent", bracket(point["sensitivity_at_absent"])],
        ["positives called present", bracket(point["sensitivity_at_present"])],
        ["negatives not called present, of the images compared first", bracket(point["specificity_at_present"])],
        ["negatives not called present, all", bracket(point["specificity_at_present_all_negatives"])],
        ["positives among those called present", bracket(point["positives_among_called_present"])],
        ["positives among those called absent", bracket(point["positives_among_called_absent"])],
        ["called uncertain", bracket(point["share_called_uncertain"])],
        ["prevalence, validation and examined", "{validation} and {test}".format(**point["prevalence"])],
        ["Brier score", str(point["brier"])],
        ["expected calibration error", str(point["calibration_error"])],
    ])


def reliability_table(point):
    return table([["images", "mean probability", "share positive"]] +
                 [[str(b["n"]), str(b["mean_probability"]), str(b["observed"])] for b in point["reliability"]])


def int8_table(int8):
    return table([["int8 against float, same images", ""],
                  ["AUROC float, int8", f"{int8['auroc_float']}, {int8['auroc_int8']}"],
                  ["mean change of probability", str(int8["mean_probability_change"])],
                  ["largest change of probability", str(int8["largest_probability_change"])],
                  ["images that change band", str(int8["band_changes_share"])]])


def golden(figures):
    row = figures["golden"]
    ways = ", ".join(f"{difference} ({way})" for way, difference in row["differences"].items())
    return (f"Synthetic input; the output is onnxruntime's with integer kernels. Other ways of running the same file "
            f"differ by {ways}; the tolerance is {row['tolerance']}. Over the examined radiographs integer kernels and "
            f"node by node differ by at most {row['largest_difference_on_images']}.")


def bracket(value):
    return f"{value[0]:.3f} [{value[1]:.3f}, {value[2]:.3f}]" if value else "–"


def table(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])
