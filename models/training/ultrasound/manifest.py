"""Writes manifest.toml of the clip-level bundle, and the digests of everything beside it."""

from manifest import FILES, OUTPUT, about, entry, finding, finish, input_of
from ultrasound import clips, recipe


def write(folder, figures):
    lines = [
        "format = 1", "",
        *about(name=recipe.NAME, version=figures["version"], title=recipe.TITLE, intended_use=recipe.INTENDED_USE,
               forbidden_use=recipe.FORBIDDEN_USE, licence=recipe.LICENCE, research_only=True, sources=recipe.SOURCES),
        "[applies_to]",
        entry("modality", recipe.MODALITY), entry("body_part", recipe.BODY_PART),
        "# Ultrasound has no view position: any is taken, and none need be stated.",
        entry("view", ()), "age_years = {{ min = {}, max = {} }}".format(*recipe.AGE_YEARS), "",
        *input_of(recipe.SIZE), entry("mask", "sector"), "",
        "[cine]", entry("frames", clips.FRAMES), entry("aggregate", "mean-logit"), "",
        *OUTPUT,
        *finding(0, recipe.FINDING, figures),
        "[not_assessed]", entry("words", recipe.NOT_ASSESSED), "",
    ]
    finish(folder, lines, figures, (*FILES, "golden/sector.json"))
