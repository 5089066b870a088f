"""The images that fitness is learned and judged on: chests, phantoms of chests, and everything else."""

import csv
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut

import preprocess
import radiographs

SOURCE = 224  # pixels a side from which training pictures are cut; the children's images have no more
ADULT, CHILD = "adult", "child"
PHANTOM_COLUMNS, PHANTOM_ROWS = 256, 312
LUMA = (0.299, 0.587, 0.114)
# Chest radiographs among the DICOM files, by their content: never examples of what is none.
CHESTS = ("torchxrayvision__1.2.276", "RG1_J2KI", "RG1_JLSN", "966_fixed", "Monochrome1-Jpeg")
INVERTED_CHEST = "Fake_MONOHR1"
SCOUT = "orthanc-tests__1.2.840.10008.1.2.4.70"  # a CT scout view of a chest: neither
LEAST_SIDE = 60
# Two pictures so much alike, at so many pixels a side, are one.
THUMBNAIL, ALIKE = 12, 0.985
# What kind of foreign image each folder or modality of the shared files is: one is left out at a time.
KINDS = {"CT": "CT", "MR": "MR", "US": "ultrasound", "CR": "other radiograph", "DX": "other radiograph",
         "XA": "other radiograph", "RF": "other radiograph"}


@dataclass
class Chests:
    """Aligned by image."""

    rows: list
    source: np.ndarray  # [n, 224, 224] uint8, to cut training pictures from
    whole: np.ndarray  # [n, 96, 96] float32, as the daemon prepares the image

    @property
    def groups(self):
        return np.array([row["group_id"] for row in self.rows])

    @property
    def ages(self):
        return np.array([CHILD if row["source"] == "kermany" else ADULT for row in self.rows])

    def part(self, name):
        keep = np.array([i for i, row in enumerate(self.rows) if radiographs.part_of(row["group_id"]) == name])
        return Chests([self.rows[i] for i in keep], self.source[keep], self.whole[keep])


@dataclass
class Foreign:
    """Images that are no chest radiograph, with the kind and group of each."""

    names: list
    kinds: np.ndarray
    groups: np.ndarray
    source: np.ndarray
    whole: np.ndarray


def chests(data, size):
    folder = Path(data) / "chest_xray"
    with open(folder / "index.csv", newline="") as index:
        rows = list(csv.DictReader(index))
    source, whole = np.empty((len(rows), SOURCE, SOURCE), np.uint8), np.empty((len(rows), size, size), np.float32)
    for i, row in enumerate(rows):
        gray = np.asarray(Image.open(folder / row["file"]).convert("L"))
        source[i], whole[i] = resampled(gray), preprocess.stretch(preprocess.resize(gray, size, size))
    return Chests(rows, source, whole)


def resampled(gray):
    if gray.shape == (SOURCE, SOURCE):
        return np.asarray(gray, np.uint8)
    # Small ones are drawn larger smoothly: blocks would tell them from all others.
    smooth = Image.fromarray(np.asarray(gray, np.float32))
    if min(gray.shape) < SOURCE:
        return np.asarray(smooth.resize((SOURCE, SOURCE), Image.BILINEAR)).round().clip(0, 255).astype(np.uint8)
    return preprocess.resize(gray, SOURCE, SOURCE).round().clip(0, 255).astype(np.uint8)


def phantoms(residentd, seeds, size):
    """(source, whole) of the chest phantoms of ``seeds``, as the program draws them."""
    source, whole = [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            path = Path(folder) / f"{seed}.dcm"
            subprocess.run([residentd, "phantom", "--out", path, "--seed", str(seed), "--columns", str(PHANTOM_COLUMNS),
                            "--rows", str(PHANTOM_ROWS)], check=True, capture_output=True)
            gray = gray_of(pydicom.dcmread(path), 0)
            source.append(resampled(eight_bits(gray)))
            whole.append(preprocess.stretch(preprocess.resize(gray, size, size)))
    return np.stack(source), np.stack(whole)


def dicom_files(data):
    """(row of the index, frame number, gray) of every file of the shared ones that pydicom decodes."""
    folder = Path(data) / "dicom"
    with open(folder / "index.csv", newline="") as index:
        rows = [row for row in csv.DictReader(index) if not row["file"].startswith("no_pixels")]
    for row in rows:
        try:
            dataset = pydicom.dcmread(folder / row["file"], force=True)
            frames = int(dataset.get("NumberOfFrames") or 1)
            if int(dataset.Rows) > 8000:
                continue
            for frame in sorted({frames // 4, frames // 2, 3 * frames // 4}):
                gray = gray_of(dataset, frame)
                if min(gray.shape) >= LEAST_SIDE:
                    yield row, frame, gray
        except Exception as problem:  # noqa: BLE001: odd on purpose, many of them
            print(f"left out: {row['file']}: {type(problem).__name__}")


def gray_of(dataset, frame):
    """As the daemon presents it: bright where dense."""
    stored = dataset.pixel_array
    if int(dataset.get("NumberOfFrames") or 1) > 1:
        stored = stored[frame]
    photometric = dataset.get("PhotometricInterpretation", "")
    if photometric == "PALETTE COLOR":
        stored = apply_color_lut(stored, dataset)
    if stored.ndim == 3:
        return stored.astype(float) @ LUMA
    gray = apply_voi_lut(apply_modality_lut(stored, dataset), dataset).astype(float)
    return gray.max() + gray.min() - gray if photometric == "MONOCHROME1" else gray


def eight_bits(gray):
    low, high = np.percentile(gray, [0.5, 99.5])
    if high <= low:
        low, high = gray.min(), gray.max() + 1e-9
    return 255 * np.clip((gray - low) / (high - low), 0, 1)


def prepared(gray, size):
    """As the daemon prepares it."""
    return preprocess.stretch(preprocess.resize(eight_bits(gray), size, size))


def is_chest(name):
    return any(known in name for known in (*CHESTS, INVERTED_CHEST, SCOUT))


def alike(groups, whole):
    """The groups, with one for all files that show the same: many hold one image in several encodings."""
    small = np.stack([preprocess.resize(picture, THUMBNAIL, THUMBNAIL).ravel() for picture in whole])
    small = small - small.mean(1, keepdims=True)
    small /= np.linalg.norm(small, axis=1, keepdims=True) + 1e-9
    found = {}
    for i, near in enumerate(small @ small.T > ALIKE):
        for j in np.flatnonzero(near[:i]):
            found[groups[i]] = found.get(groups[j], groups[j])
            break
    return [found.get(group, group) for group in groups]


def foreign(data, size, ultrasound_every):
    """The shared DICOM files that show no chest, and every so many-th frame of the lung ultrasound."""
    names, kinds, groups, source, whole = [], [], [], [], []

    def add(name, kind, group, gray):
        names.append(name), kinds.append(kind), groups.append(group)
        source.append(resampled(eight_bits(gray)))
        whole.append(prepared(gray, size))
    for row, frame, gray in dicom_files(data):
        if not is_chest(row["file"]):
            add(f"{row['file']}#{frame}", KINDS.get(row["modality"], "other"), row["file"], gray)
    groups = alike(groups, whole)
    folder = Path(data) / "lung_ultrasound"
    with open(folder / "index.csv", newline="") as index:
        rows = list(csv.DictReader(index))[::ultrasound_every]
    for row in rows:
        gray = np.asarray(Image.open(folder / row["file"]).convert("L"), float)
        add(row["file"], "ultrasound", row["patient_group"], gray)
    return Foreign(names, np.array(kinds), np.array(groups), np.stack(source), np.stack(whole))
