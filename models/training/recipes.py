"""What each bundle is: its data, its labels, its words. Nothing here computes."""

from dataclasses import dataclass

SNOMED = "http://snomed.info/sct"
SIZE = 160


@dataclass(frozen=True)
class Finding:
    """A finding that may be claimed if it passes the test split."""

    label: str  # as the index spells it
    words: str
    code: str
    display: str
    view: tuple = ()  # views that it is decided on; empty: all of the bundle's


@dataclass(frozen=True)
class Recipe:
    name: str
    version: str
    title: str
    intended_use: str
    forbidden_use: str
    licence: str
    sources: tuple
    attribution: str
    source: str  # column ``source`` of the index
    view: tuple
    age_years: tuple  # inclusive
    candidates: tuple  # Finding; the first outputs of the network
    auxiliary: tuple  # labels that are learned beside them and never exported
    kinds: tuple  # of those, the ones that the findings are made of; the bands are broken down by them
    not_assessed: tuple
    baselines: tuple  # "metadata", "pixels", "thumbnail"
    sensitivity: float  # asked of absent_below on validation
    specificity: float  # asked of present_above on validation
    missed: float | None  # largest share of positives among validation images called absent, if one is asked
    epochs: int
    learning_rate: float
    seed: int
    known_failures: tuple

    @property
    def labels(self):
        return tuple(f.label for f in self.candidates) + self.auxiliary


FORBIDDEN = (
    "Not for diagnosis, triage or ruling out disease without a qualified reader; not for other ages, "
    "views, body parts or modalities; not a basis for withholding a human reading."
)
EVERY_CARD = (
    "Whole-image scores only: no place, no side, no size, no comparison with earlier images.",
    "Trained on 8-bit JPEG renditions with a short side of at most 256 pixels; originals of 10 to 16 bits "
    "and other windows were only imitated by random tone changes.",
    "It does not notice that an image is inverted, rotated, cropped, blank or no chest at all; "
    "it answers regardless.",
    "Lines, tubes, implants, fractures and bones were never looked at.",
)

CHILD = Recipe(
    name="chest-child",
    version="0.1.1",
    title="Child chest radiograph: pneumonia, first reading, made from one hospital's images",
    intended_use=(
        "A draft score for pneumonia on frontal chest radiographs of children aged 1 to 5 years, "
        "to be checked by a qualified reader. Made from the images of one hospital; performance elsewhere is not known."
    ),
    forbidden_use=FORBIDDEN,
    licence="Weights: free to use with attribution; data: CC BY 4.0",
    sources=("Kermany, Zhang, Goldbaum: Labeled OCT and Chest X-Ray Images, Mendeley Data rscbjbr9sj v2, CC BY 4.0",),
    attribution=(
        "Kermany D, Zhang K, Goldbaum M. Labeled Optical Coherence Tomography (OCT) and Chest X-Ray Images "
        "for Classification. Mendeley Data, rscbjbr9sj, version 2. CC BY 4.0. One hospital "
        "(Guangzhou Women and Children's Medical Center), children of 1 to 5 years, 224 x 224 renditions."
    ),
    source="kermany",
    view=("AP",),
    age_years=(1, 5),
    candidates=(Finding("pneumonia", "pneumonia", "233604007", "Pneumonia"),),
    auxiliary=("bacterial_pneumonia", "viral_pneumonia"),
    kinds=("bacterial_pneumonia", "viral_pneumonia"),
    not_assessed=(
        "bacterial or viral cause", "pleural effusion", "pneumothorax", "atelectasis", "cardiomegaly",
        "bronchiolitis and hyperinflation", "foreign body", "fracture", "tuberculosis", "mass",
    ),
    baselines=("thumbnail", "pixels"),
    sensitivity=0.98,
    specificity=0.97,
    missed=0.02,
    epochs=30,
    learning_rate=3e-3,
    seed=1,
    known_failures=(
        "One hospital and one way of making images: part of what separates the classes here may be the "
        "rendition, not the lung. Global pixel statistics alone separate them well (see the baseline). Nothing "
        "was measured at a second hospital. Performance elsewhere is not known.",
        "Normal means screened as normal, pneumonia means clear pneumonia: doubtful images are missing, "
        "so real-life figures will be lower.",
        "The source states the ages as a cohort (1 to 5 years) and no sex, and its images are all AP and of one "
        "collection, so nothing is known of any subgroup.",
    ) + EVERY_CARD,
)

ADULT = Recipe(
    name="chest-adult",
    version="0.1.1",
    title="Adult chest radiograph: first reading of few findings",
    intended_use=(
        "A draft score for the few findings listed, on frontal chest radiographs of adults, "
        "to be checked by a qualified reader. Performance is modest."
    ),
    forbidden_use=FORBIDDEN,
    licence="Weights: free to use with attribution; data: NIH, no restrictions on use, attribution requested",
    sources=(
        "NIH Clinical Center ChestX-ray14 (subset), no restrictions on use, attribution requested",
    ),
    attribution=(
        "NIH Clinical Center, ChestX-ray14: Wang X et al., ChestX-ray8, CVPR 2017; labels mined from report text. "
        "A subset as redistributed by several public collections; minors left out."
    ),
    source="nih14",
    view=("AP", "PA"),
    age_years=(18, 90),
    candidates=(
        Finding("edema", "pulmonary edema", "19242006", "Pulmonary edema", view=("AP",)),
        Finding("effusion", "pleural effusion", "60046008", "Pleural effusion"),
    ),
    auxiliary=(
        "cardiomegaly", "consolidation", "atelectasis", "infiltration", "pneumonia", "pneumothorax",
        "mass", "nodule", "emphysema", "fibrosis", "pleural_thickening",
    ),
    kinds=(),
    not_assessed=(
        "whether the image is normal", "pneumothorax", "pneumonia", "consolidation", "atelectasis",
        "cardiomegaly", "nodule or mass", "emphysema", "fibrosis", "pleural thickening", "fracture",
        "lines and tubes",
    ),
    baselines=("metadata", "pixels"),
    sensitivity=0.90,
    specificity=0.90,
    missed=None,
    epochs=18,
    learning_rate=3e-3,
    seed=1,
    known_failures=(
        "Labels were mined from report text, not read from the images; a share of them is wrong.",
        "Edema is nearly always on AP (bedside) images here; on PA images there is almost no evidence, so it is "
        "decided on AP images only and not assessed on PA images.",
        "View, collection and patient-number block were not balanced in training: weighting negatives towards the "
        "positives' collection and view was tried and lowered the validation figures, within AP too. Part of each "
        "pooled figure is therefore the view (see the rows within view).",
        "Four trainings were compared on the validation patients (that weighting, a start from chest-child's weights, "
        "18 or 26 epochs); the calibration and thresholds rest on the few validation positives of the table above, "
        "so the specificity asked for need not hold on other patients.",
        "Edema is rare here: its probabilities are small, and its thresholds too.",
        "It cannot say that an image is normal: in this data normals were collected differently from the "
        "abnormal, and a score for it would be a shortcut. A low score for the listed findings says nothing "
        "about any other.",
    ) + EVERY_CARD,
)

RECIPES = {recipe.name: recipe for recipe in (ADULT, CHILD)}
