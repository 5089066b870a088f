"""Receiving 10 MB images: residentd against dcmtk's storescp, which keeps a file and no promise.

The sender is dcmtk's storescu, with a new UID for each image; the images are of a body part
that no bundle claims, so that receiving is what is measured. residentd synchronises file,
folder and row before it answers; storescp never does. On the memory file system that costs
residentd nothing: this is "fsync off". Memory is of the process that listens: residentd's gateway
receives in it, storescp in a child an association, which is gone before it can be asked.
    ingest.py RESIDENTD MODELS [IMAGES]
"""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import DCMTK, await_port, box, free_port, own_peak_mib, program, running

ROUNDS = 5
COLUMNS, ROWS = 2048, 2560  # 10.5 MB of 16 bits
MEMORY = "/dev/shm"


def main(residentd, models, images=20):
    print("| kept on | associations | receiver | MB/s, median (least, most) | peak MiB, process that listens | against storescp |")
    print("|---|---|---|---|---|---|")
    for place in (None, MEMORY):
        for associations in (1, 4):
            compare(residentd, models, int(images), place, associations)


def compare(residentd, models, images, place, associations):
    with tempfile.TemporaryDirectory(dir=place) as folder, contextlib.ExitStack() as stack:
        folder = Path(folder)
        image = hand(residentd, folder)
        receivers = {
            "storescp": stack.enter_context(storescp(folder, "plain")),
            "storescp +B": stack.enter_context(storescp(folder, "bits", "+B")),
            "residentd": stack.enter_context(
                box(residentd, models, folder, "--broker-listen", f"127.0.0.1:{free_port()}")),
        }
        rates, memory = {name: [] for name in receivers}, {}
        for _ in range(ROUNDS):
            for name, (process, port) in receivers.items():
                rates[name].append(send(image, port, images, associations))
                memory[name] = own_peak_mib(process.pid)
                for kept in folder.glob("kept-*/*"):
                    kept.unlink()
        base = statistics.median(rates["storescp"])
        for name, values in rates.items():
            print(f"| {'memory' if place else 'disk'} | {associations} | {name} | {statistics.median(values):.0f} "
                  f"({min(values):.0f}, {max(values):.0f}) | {memory[name]:.0f} | {statistics.median(values) / base:.2f} |",
                  flush=True)


def hand(residentd, folder):
    """The phantom, said to be a hand."""
    file = folder / "hand.dcm"
    subprocess.run([residentd, "phantom", "--columns", str(COLUMNS), "--rows", str(ROWS), "--out", file],
                   check=True, capture_output=True)
    subprocess.run([program("dcmodify"), "-nb", "-m", "BodyPartExamined=HAND", file], check=True)
    return file


@contextlib.contextmanager
def storescp(folder, name, *flags):
    kept, port = folder / f"kept-{name}", free_port()
    kept.mkdir()
    # One process an association, as its users run it.
    command = [program("storescp"), "--fork", *flags, "-od", kept, port]
    with running(command, folder / f"{name}.log", env=DCMTK) as process:
        await_port(port)
        yield process, port


def send(image, port, images, associations):
    """MB a second over all associations."""
    command = [program("storescu"), "-aec", "RESIDENTD", "+II", "--repeat", str(images // associations), "127.0.0.1", str(port), image]
    start = time.monotonic()
    senders = [subprocess.Popen(command, env=DCMTK, stdout=subprocess.DEVNULL) for _ in range(associations)]
    if any(sender.wait() for sender in senders):
        raise SystemExit(f"storescu failed towards port {port}")
    return os.path.getsize(image) * (images // associations) * associations / 1e6 / (time.monotonic() - start)


if __name__ == "__main__":
    main(*sys.argv[1:])
