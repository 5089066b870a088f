"""The labelled radiographs of one source: pixels, labels, groups and splits.

Patients, not images, are split: every image of a ``group_id`` lands in the
same part, and the part follows from the id alone, so that anyone can find it
again.
"""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import preprocess

SPLIT_SALT = "residentd chest split 1"
TRAIN_SHARE, VALIDATION_SHARE = 0.60, 0.15
PATIENTS_PER_BLOCK = 10_000  # with narrower blocks hardly a positive meets a normal
ADULT_YEARS = 18


def part_of(group_id):
    """``train``, ``validation`` or ``test`` (60, 15 and 25 % of the groups)."""
    digest = hashlib.sha256(f"{SPLIT_SALT}:{group_id}".encode()).hexdigest()
    draw = int(digest[:8], 16) / 2**32
    if draw < TRAIN_SHARE:
        return "train"
    return "validation" if draw < TRAIN_SHARE + VALIDATION_SHARE else "test"


@dataclass
class Radiographs:
    """Aligned by image: row i of every field is the same radiograph."""

    rows: list  # dictionaries of index.csv
    pixels: np.ndarray  # [n, 1, h, w] float32 in 0..1, after step 3
    labels: np.ndarray  # [n, labels] float32, 0 or 1
    statistics: np.ndarray  # [n, 12] of the raw file, for the baseline
    metadata: np.ndarray  # [n, 4] view, sex and age, for the baseline

    @property
    def groups(self):
        return np.array([row["group_id"] for row in self.rows])

    @property
    def normal(self):
        return np.array([row["labels"] == "normal" for row in self.rows])

    @property
    def views(self):
        return np.array([row["view"] for row in self.rows])

    @property
    def strata(self):
        """Collection, view and patient-number block: what normals are matched by."""
        return np.array([stratum_of(row) for row in self.rows])

    @property
    def has_other_findings(self):
        """Whether abnormal means more than one finding, so that findings can be told apart."""
        abnormal = self.labels[~self.normal]
        return bool(len(abnormal)) and abnormal[:, 0].min() == 0

    def compared(self, k):
        """Which images label k is ranked among: the abnormal ones, where there are other findings."""
        return ~self.normal if self.has_other_findings else np.ones(len(self.rows), bool)

    def take(self, keep):
        keep = np.flatnonzero(keep)
        return Radiographs([self.rows[i] for i in keep], self.pixels[keep],
                           self.labels[keep], self.statistics[keep], self.metadata[keep])

    def part(self, name):
        return self.take(np.array([part_of(row["group_id"]) == name for row in self.rows]))


def load(folder, source, label_names, size):
    """Reads every image of ``source`` listed in ``folder``/index.csv."""
    folder = Path(folder)
    with open(folder / "index.csv", newline="") as index:
        rows = [row for row in csv.DictReader(index) if row["source"] == source and wanted(row)]
    pixels = np.empty((len(rows), 1, size, size), np.float32)
    statistics = np.empty((len(rows), 12))
    for i, row in enumerate(rows):
        path = folder / row["file"]
        gray = np.asarray(Image.open(path).convert("L"))
        pixels[i, 0] = preprocess.stretch(preprocess.resize(gray, size, size))
        statistics[i] = pixel_statistics(gray, path.stat().st_size)
    present = [set(row["labels"].split(";")) for row in rows]
    labels = np.array([[name in p for name in label_names] for p in present], np.float32)
    metadata = np.array([metadata_of(row) for row in rows])
    return Radiographs(rows, pixels, labels, statistics, metadata)


def wanted(row):
    """Labelled, and not a minor in the adults' source (the children's states a cohort)."""
    age = row["age"]
    return bool(row["labels"]) and not (age.isdigit() and int(age) < ADULT_YEARS)


def stratum_of(row):
    number = row["patient_id"].rsplit("_", 1)[-1]
    block = int(number) // PATIENTS_PER_BLOCK if number.isdigit() else "-"
    return f'{row["collection"]}|{row["view"]}|{block}'


def metadata_of(row):
    age = float(row["age"]) / 100 if row["age"].isdigit() else 0.0
    return [row["view"] == "AP", row["sex"] == "M", age, age * age]


def pixel_statistics(gray, size_bytes):
    """Eleven global figures and the file's size: what a shortcut would use."""
    values = gray.astype(np.float64).ravel() / 255
    mean, deviation = values.mean(), values.std() + 1e-9
    z = (values - mean) / deviation
    percentiles = np.percentile(values, [1, 5, 25, 50, 75, 95, 99])
    return [mean, deviation, *percentiles, (z**3).mean(), (z**4).mean(), np.log(size_bytes)]
