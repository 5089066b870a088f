"""The clips of the index: frames through the sector, labels, patient groups, folds.

Whole patient groups land in one part or fold. The part follows from the id alone, so that anyone
can find it again; the folds are dealt so that sources and classes are spread over them.
"""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import preprocess
import radiographs
from ultrasound import sector

SPLIT_SALT = "residentd ultrasound split 1"
TEST_SHARE = 0.25
FOLDS = 5
FRAMES = 8  # of a cine that are read, as the manifest says
FLAGS = ("consolidation", "effusion", "b_lines")  # 1 is noted, 0 often means not noted


@dataclass
class Clip:
    name: str
    group: str
    source: str
    kind: str  # column ``cls``
    licence: str
    pathological: bool
    flags: np.ndarray  # [3] 1, 0, or nan
    pixels: np.ndarray  # [frames, size, size] float32 in 0..1
    read: np.ndarray  # which of these the daemon reads
    statistics: np.ndarray  # of the files as they are, for the baseline
    size: float  # side of the original, pixels
    still: bool
    years: str
    sex: str


def part_of(group):
    digest = hashlib.sha256(f"{SPLIT_SALT}:{group}".encode()).hexdigest()
    return "test" if int(digest[:8], 16) / 2**32 < TEST_SHARE else "development"


def source_of(row):
    """Who published it, which is about which machine made it."""
    url = row["url"].lower()
    for name in ("northumbria", "charlotte", "litfl", "pocusatlas", "ultrasoundjournal", "scielo", "pmc7241588",
                 "stemlyns", "emdocs"):
        if name in url:
            return name
    return "other"


def sampled(count, frames=FRAMES):
    """Which of ``count`` frames are read: the middles of equal spans, or all where they are few."""
    if count <= frames:
        return np.arange(count)
    return np.array([(2 * k + 1) * count // (2 * frames) for k in range(frames)])


def load(folder, size, probe="convex"):
    """Every clip of ``probe`` with a sector and a class that is sure; and the names of those without a sector."""
    folder = Path(folder)
    with open(folder / "index.csv", newline="") as index:
        rows = [row for row in csv.DictReader(index) if row["probe"] == probe and row["cls"] != "uncertain"]
    by_clip = {}
    for row in rows:
        by_clip.setdefault(row["clip_id"], []).append(row)
    clips = [clip_of(folder, frames, size) for frames in by_clip.values()]
    return ([clip for clip in clips if isinstance(clip, Clip)], [clip for clip in clips if isinstance(clip, str)])


def clip_of(folder, rows, size):
    rows = sorted(rows, key=lambda row: int(row["frame"]))
    paths = [folder / row["file"] for row in rows]
    frames = [np.asarray(Image.open(path).convert("L")) for path in paths]
    read, first = sampled(len(frames)), rows[0]
    found = sector.find([frames[k] for k in read])
    if found is None:
        return first["clip_id"]
    pixels = [preprocess.stretch(preprocess.resize(sector.cut(frame, found), size, size)) for frame in frames]
    statistics = [radiographs.pixel_statistics(frames[k], paths[k].stat().st_size) for k in read]
    flags = [float(first[flag]) if first[flag] else np.nan for flag in FLAGS]
    return Clip(first["clip_id"], first["patient_group"], source_of(first), first["cls"], first["license"],
                first["cls"] != "normal", np.array(flags), np.stack(pixels), read, np.mean(statistics, axis=0),
                float(first["orig_w"]), len(frames) == 1, first["age"], first["sex"])


def folds_of(clips):
    """{group: fold}: the largest groups first, each to the fold that has fewest like it, then fewest clips."""
    members = {}
    for clip in clips:
        members.setdefault(clip.group, []).append(clip)
    like = {group: (of[0].source, np.mean([c.pathological for c in of]) >= 0.5) for group, of in members.items()}
    dealt = {}
    for group in sorted(members, key=lambda group: (-len(members[group]), group)):
        def burden(fold):
            there = [other for other, at in dealt.items() if at == fold]
            return (sum(like[other] == like[group] for other in there), sum(len(members[other]) for other in there))
        dealt[group] = min(range(FOLDS), key=burden)
    return dealt
