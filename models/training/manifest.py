"""Writes manifest.toml, format 1, and the digests of everything beside it."""

import hashlib
import json

import preprocess
from recipes import SIZE, SNOMED

FILES = ("model.onnx", "CARD.md", "figures.json", "golden/input.f32", "golden/output.f32")
OUTPUT = ["[output]", 'tensor = "logits"', ""]


def write(folder, recipe, figures):
    lines = [
        "format = 1", "",
        *about(name=recipe.name, version=figures["version"], title=recipe.title, intended_use=recipe.intended_use,
               forbidden_use=recipe.forbidden_use, licence=recipe.licence, research_only=False, sources=recipe.sources),
        "[applies_to]",
        entry("modality", ("CR", "DX")), entry("body_part", ("CHEST", "THORAX")), entry("view", recipe.view),
        "age_years = {{ min = {}, max = {} }}".format(*recipe.age_years), "",
        *input_of(SIZE), "",
        *OUTPUT,
    ]
    for output, label in enumerate(figures["claimed"]):
        lines += finding(output, next(f for f in recipe.candidates if f.label == label), figures["findings"][label])
    dropped = [f.words for f in recipe.candidates if f.label not in figures["claimed"]]
    lines += ["[not_assessed]", entry("words", tuple(dropped) + recipe.not_assessed), ""]
    finish(folder, lines, figures, FILES)


def about(**bundle):
    return ["[bundle]", *(entry(key, value) for key, value in bundle.items()), ""]


def input_of(size):
    return ["[input]", entry("tensor", "image"), entry("width", size), entry("height", size),
            entry("low_percentile", preprocess.LOW_PERCENTILE), entry("high_percentile", preprocess.HIGH_PERCENTILE),
            entry("mean", preprocess.MEAN), entry("std", preprocess.STD)]


def finish(folder, lines, figures, files):
    """Writes ``lines``, and behind them what every manifest ends with."""
    lines += ["[golden]", entry("input", "golden/input.f32"), entry("output", "golden/output.f32"),
              entry("tolerance", figures["golden"]["tolerance"]), "",
              "[digests]", *(f"{json.dumps(name)} = {json.dumps(digest(folder / name))}" for name in files)]
    (folder / "manifest.toml").write_text("\n".join(lines) + "\n")


def finding(output, described, figures):
    code = {"system": SNOMED, "code": described.code, "display": described.display}
    point = figures["operating_point"]
    return [
        "[[finding]]",
        entry("label", described.label.replace("_", "-")), entry("output", output), entry("words", described.words),
        f"code = {inline(code)}", f"calibration = {inline(point['calibration'])}",
        entry("absent_below", point["absent_below"]), entry("present_above", point["present_above"]),
        entry("prevalence", point["prevalence"]["development"]),
        entry("positives_among_present", point["positives_among_called_present"][0]),
        *([entry("view", described.view)] if described.view else []),
        entry("auroc", figures["auroc"]),
        entry("sensitivity_at_absent", point["sensitivity_at_absent"]),
        entry("specificity_at_present", point["specificity_at_present"]), "",
    ]


def entry(key, value):
    """Strings, numbers and lists of them are written alike in JSON and TOML."""
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"


def inline(table):
    return "{ " + ", ".join(entry(key, value) for key, value in table.items()) + " }"


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
