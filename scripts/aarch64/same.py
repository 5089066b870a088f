"""Holds two outputs of `residentd read --json` against each other: `same.py LEFT RIGHT`.

Each line must be the same text in both, number by number as printed, but for the timings.
"""

import json
import sys
from pathlib import Path


def main(left, right):
    left, right = (Path(file).read_text().splitlines() for file in (left, right))
    if len(left) != len(right):
        sys.exit(f"{len(left)} readings here, {len(right)} there")
    different = [number for number, pair in enumerate(zip(left, right)) if len({*map(untimed, pair)}) > 1]
    for number in different:
        print(f"reading {number} differs:")
        print("\n".join(differences(json.loads(left[number]), json.loads(right[number]))))
    if different:
        sys.exit(f"{len(different)} of {len(left)} readings differ")
    outcomes = [next(iter(json.loads(line)["reading"]["outcome"])) for line in left]
    counts = ", ".join(f"{outcomes.count(kind)} {kind}" for kind in sorted(set(outcomes)))
    print(f"{len(left)} readings are the same to the byte ({counts})")


def untimed(line):
    reading = json.loads(line, parse_float=str)
    timings = reading["reading"].pop("timings")
    assert all({"stage", "ms"} == timing.keys() for timing in timings), timings
    return json.dumps(reading)


def differences(left, right, path=""):
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted((left.keys() | right.keys()) - {"timings"}):
            yield from differences(left.get(key), right.get(key), f"{path}/{key}")
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for number, pair in enumerate(zip(left, right)):
            yield from differences(*pair, f"{path}/{number}")
    elif left != right:
        yield f"  {path}: {left!r} here, {right!r} there"


if __name__ == "__main__":
    main(*sys.argv[1:])
