"""The bundle's card and manifest, written from the figures alone."""

import flaws
from card import table
from manifest import FILES, OUTPUT, about, entry, finish, input_of

NAME, VERSION = "chest-fitness", "0.1.0"
LEAST_TOLERANCE = 0.02
TITLE = "Chest radiograph: fit to be read or not, and why"
INTENDED = ("Keeps images that cannot be read from being read: asked of CR and DX images of the chest before any model "
            "bundle reads them, so that an image can be taken or sent again while the patient is there.")
FORBIDDEN = ("Not a statement about the patient. Not a measure of quality: an image that passes may still be too poor "
             "for a finding. Not for lateral, oblique or lordotic projections, of which it saw none.")
LICENCE = "Weights: free to use with attribution"
SOURCES = (
    "NIH Clinical Center ChestX-ray14, Wang et al. 2017: free with attribution",
    "Kermany, Zhang, Goldbaum: Labeled OCT and Chest X-Ray Images, Mendeley Data rscbjbr9sj v2, CC BY 4.0",
    "covid-chestxray-dataset (Cohen et al.) and VQA-RAD images, each under its own terms, CC BY or CC0",
    "Pictures drawn by the training, and chest phantoms drawn by residentd",
)
WORDS = {
    "not-a-chest": "another part, modality or picture", "upside-down": "turned by 180 degrees",
    "turned-left": "turned by 90 degrees to the left", "turned-right": "turned by 90 degrees to the right",
    "mirrored": "left and right exchanged", "inverted": "black and white exchanged",
    "bases-cut-off": "lower 40 to 50 % of the image cut off", "apices-cut-off": "upper 33 to 42 % cut off",
    "side-cut-off": "outer 36 to 45 % of one side cut off", "blurred": "motion over 8 % of the width (2.8 cm on 35 cm)",
}


def write(folder, figures):
    (folder / "CARD.md").write_text("\n\n".join(card(figures)) + "\n")
    write_manifest(folder, figures)


def card(figures):
    fit, flawed = figures["fit"], figures["flawed"]
    part = figures["examined_part"]
    yield f"# {NAME} {figures['version']}"
    yield TITLE + ". It claims no finding."
    if part != "test":
        yield "**Rehearsal: figures of the validation part. Not a bundle to use.**"
    yield f"## Use\n\nIntended: {INTENDED}\n\nForbidden: {FORBIDDEN}"
    yield "## Data\n\n" + "\n".join(f"- {source}" for source in SOURCES)
    yield table([["part", "adults' images", "children's images", "patients"]] +
                [[name, row["adult"], row["child"], row["patients"]] for name, row in figures["data"].items()])
    yield ("Split by patient group, by the same hash as the other chest bundles. Flaws were made from the images of the "
           "training part: turned, mirrored, inverted, cut, blurred; tone, window and padding varied so that 8-bit "
           "renditions and a scanner's 16 bits look alike. As examples of what is no chest it saw drawn pictures and "
           "pieces of radiographs put together wrongly, and no foreign image at all.")
    network = figures["network"]
    yield (f"## Network\n\n{network['parameters']:,} parameters, random start, {network['pictures']:,} pictures, input "
           f"{network['size']} x {network['size']}, int8 by static quantization, {network['model_bytes']:,} bytes. Thresholds: "
           "on validation images that are fit, so that each flaw refuses at most one to four in a thousand of adults' and "
           f"of children's; and above all {figures['phantoms']['checked']} chest phantoms that were checked. "
           f"int8 instead of float changes the decision on {percent(figures['int8']['decision_changes_share'])} of the images.")
    yield f"## Fit images that it refuses ({part} part)\n\nIn brackets: 95 % interval by bootstrap over patients, exact where none or all are hit."
    yield table([["images", "number", "refused for any flaw"]] +
                [[age, fit["images"][age], bracket(fit["by_age"][age])] for age in fit["by_age"]] +
                [[f"of {source}", "", bracket(value)] for source, value in fit["by_source"].items()])
    yield ("Fit is what the data set holds: nobody looked whether its images are. Some are turned, cut or mirrored, and are "
           "counted here as refused wrongly.")
    yield "## Flawed images that it refuses\n\nEvery fit image of the part, with the flaw put into it."
    yield table([["flaw", "AUROC adults", "AUROC children", "refused, for any flaw", "refused by this name", "fit refused for it"]] +
                [[f"{flaw}: {WORDS[flaw]}", row["auroc"]["adult"], row["auroc"]["child"], bracket(row["refused"]),
                  bracket(row["named"]), bracket(fit["by_flaw"][flaw])] for flaw, row in flawed.items()])
    yield "By age: " + "; ".join(
        f"{flaw} {percent(row['refused_by_age']['adult'][0])} of adults', {percent(row['refused_by_age']['child'][0])} of children's"
        for flaw, row in flawed.items()) + "."
    foreign = figures["foreign"]
    yield ("## Foreign images that it refuses\n\nAll of them of kinds that it never saw. A source is what one file shows, in "
           "however many encodings, or an ultrasound patient. There are few: the intervals say so.")
    yield table([["kind", "images", "sources", "refused for any flaw", "as no chest"]] +
                [[kind, row["images"], row["sources"], bracket(row["refused"]), bracket(row["as_not_a_chest"])]
                 for kind, row in foreign.items()])
    passed = [image for kind, row in foreign.items() if kind not in ("all", "ultrasound") for image in row["passed"]]
    yield "Passed, beside ultrasound: " + (", ".join(f"`{image}`" for image in passed) if passed else "none") + "."
    yield "Chest radiographs among the DICOM files, none of which was learned from: " + ", ".join(
        f"`{name}`: {said or 'passes'}" for name, said in figures["dicom_chests"].items()) + "."
    yield "## Known failures\n\n" + "\n".join(f"- {line}" for line in failures(figures))
    yield ("## Reproduce\n\n```\npython models/training/make_fitness.py chest-fitness --data ../shared/data "
           "--residentd target/release/residentd --out models/\n```\n\nSeeds are fixed. The weights of 0.1.0 are "
           "of this recipe with the training pictures drawn in another order: a retraining gives other bits, and figures "
           "within the intervals.")


def failures(figures):
    for flaw, row in figures["flawed"].items():
        if row["refused"][0] < 0.9:
            yield (f"{flaw}: {percent(1 - row['refused'][0])} of the images with this flaw pass. An image that passes is "
                   "not said to be free of it.")
    if figures["foreign"]["all"]["refused"][0] < 0.99:
        yield ("It refuses fewer than 99 % of what is no chest, and of ultrasound far fewer. The header decides first: images that do not call themselves CR or DX of a chest never come here.")
    yield ("Smaller faults pass: motion below 5 % of the width (1.6 cm), cuts of less than a third of the image, noise that "
           "averages out at 96 x 96 pixels, a rotation by less than a quarter turn.")
    yield "Lateral and oblique projections were not in the data: whether they are refused is not known."
    yield ("Mirrored is told by heart and stomach: dextrocardia, a shift of the mediastinum or a one-sided white-out can look "
           "mirrored.")
    yield "A chest that is cut, turned and inverted at once is refused, and named by one of its flaws only."
    yield ("The test part of 0.1.0 was measured twice: once for a stronger variant that also learned from foreign images, "
           "which was dropped because some of those may not be used commercially. The rule for the thresholds did not "
           "change in between.")


def write_manifest(folder, figures):
    lines = ["format = 1", 'kind = "fitness"', "",
             *about(name=NAME, version=figures["version"], title=TITLE, intended_use=INTENDED, forbidden_use=FORBIDDEN,
                    licence=LICENCE, research_only=False, sources=SOURCES),
             "[applies_to]", 'modality = ["CR", "DX"]', 'body_part = ["CHEST", "THORAX"]', "",
             *input_of(flaws.SIZE), "",
             *OUTPUT]
    for output, flaw in enumerate(flaws.FLAWS):
        found = figures["foreign"]["all"] if flaw == "not-a-chest" else figures["flawed"][flaw]
        lines += ["[[flaw]]", entry("code", flaw), entry("output", output),
                  entry("refused_from", figures["thresholds"][flaw]),
                  entry("fit_refused", figures["fit"]["by_flaw"][flaw]), entry("flawed_refused", found["refused"]), ""]
    finish(folder, lines, figures, FILES)


def percent(share):
    return f"{100 * share:.1f} %"


def bracket(value):
    return f"{100 * value[0]:.1f} % [{100 * value[1]:.1f}, {100 * value[2]:.1f}]"
