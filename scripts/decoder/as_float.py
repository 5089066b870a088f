"""A copy of a writer whose int8 weights stand in the files as the floats they mean: `as_float.py BUNDLE OUT`."""

import hashlib
import shutil
import sys
import tomllib
from pathlib import Path

import onnx

from as_real import unquantized


def main(source, target):
    shutil.copytree(source, target)
    text = (target / "manifest.toml").read_text()
    manifest = tomllib.loads(text)
    for part in ("encoder", "decoder"):
        path = target / manifest[part]["file"]
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        onnx.save(unquantized(onnx.load(path)), path)
        text = text.replace(before, hashlib.sha256(path.read_bytes()).hexdigest())
    (target / "manifest.toml").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
