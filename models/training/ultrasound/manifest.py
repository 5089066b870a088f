"""Writes manifest.toml of the clip-level bundle, and the digests of everything beside it."""

import json

import preprocess
from manifest import digest, entry, finding
from ultrasound import clips, recipe

FILES = ("model.onnx", "CARD.md", "figures.json", "golden/input.f32", "golden/output.f32", "golden/sector.json")


def write(folder, figures):
    lines = [
        "format = 1", "",
        "[bundle]",
        entry("name", recipe.NAME), entry("version", figures["version"]), entry("title", recipe.TITLE),
        entry("intended_use", recipe.INTENDED_USE), entry("forbidden_use", recipe.FORBIDDEN_USE),
        entry("licence", recipe.LICENCE), "research_only = true", entry("sources", recipe.SOURCES), "",
        "[applies_to]",
        entry("modality", recipe.MODALITY), entry("body_part", recipe.BODY_PART),
        "# Ultrasound has no view position: any is taken, and none need be stated.",
        entry("view", ()), "age_years = {{ min = {}, max = {} }}".format(*recipe.AGE_YEARS), "",
        "[input]",
        entry("tensor", "image"), entry("width", recipe.SIZE), entry("height", recipe.SIZE),
        entry("low_percentile", preprocess.LOW_PERCENTILE), entry("high_percentile", preprocess.HIGH_PERCENTILE),
        entry("mean", preprocess.MEAN), entry("std", preprocess.STD), entry("mask", "sector"), "",
        "[cine]", entry("frames", clips.FRAMES), entry("aggregate", "mean-logit"), "",
        "[output]", entry("tensor", "logits"), "",
        *finding(0, recipe.FINDING, figures),
        "[not_assessed]", entry("words", recipe.NOT_ASSESSED), "",
        "[golden]", entry("input", "golden/input.f32"), entry("output", "golden/output.f32"),
        entry("tolerance", figures["golden"]["tolerance"]), "",
        "[digests]", *(f"{json.dumps(name)} = {json.dumps(digest(folder / name))}" for name in FILES),
    ]
    (folder / "manifest.toml").write_text("\n".join(lines) + "\n")
