"""What one reading costs as the image grows: `residentd read`, CPU time of both its processes, memory
of the one that reads. That one ends with its parent, which does not wait for it: we are its heir.

Frames are copies of one small frame; pixels are one frame of growing size.
    growth.py RESIDENTD MODELS
"""

import ctypes
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pydicom

FRAMES = (1, 10, 30, 100, 300)
FRAME_PIXELS = 256
SIDES = (256, 512, 1024, 2048, 4096)
ROUNDS = 5
PR_SET_CHILD_SUBREAPER = 36


def main(residentd, models):
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    print("| image | MB | CPU ms, least | wall ms, least | peak MiB of the reader |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for frames in FRAMES:
            row(residentd, models, f"{frames} frames of {FRAME_PIXELS} x {FRAME_PIXELS}",
                of_frames(phantom(residentd, Path(folder), FRAME_PIXELS), frames))
        for side in SIDES:
            row(residentd, models, f"{side} x {side}", phantom(residentd, Path(folder), side))


def row(residentd, models, name, file):
    runs = [read(residentd, models, file) for _ in range(ROUNDS)]
    cpu, wall, memory = (min(values) for values in zip(*runs, strict=True))
    print(f"| {name} | {os.path.getsize(file) / 1e6:.1f} | {cpu:.0f} | {wall:.0f} | {memory:.0f} |", flush=True)


def phantom(residentd, folder, side):
    file = folder / f"{side}.dcm"
    if not file.exists():
        subprocess.run([residentd, "phantom", "--columns", str(side), "--rows", str(side), "--out", file],
                       check=True, capture_output=True)
    return file


def of_frames(file, frames):
    dataset = pydicom.dcmread(file)
    dataset.NumberOfFrames = frames
    dataset.PixelData *= frames
    target = file.with_name(f"frames-{frames}.dcm")
    dataset.save_as(target)
    return target


def read(residentd, models, file):
    start = time.monotonic()
    process = subprocess.Popen([residentd, "read", "--models", models, file], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, gateway = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"residentd read {file} failed")
    _, _, reader = os.wait4(-1, 0)
    cpu = sum(used.ru_utime + used.ru_stime for used in (gateway, reader))
    return cpu * 1000, wall * 1000, reader.ru_maxrss / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
