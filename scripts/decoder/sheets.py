"""Random fact words of a writer's labels as JSON lines: `sheets.py BUNDLE COUNT`."""

import json
import random
import sys
import tomllib
from pathlib import Path

PLACES = [[], [], ["<side:left>"], ["<side:right>"], ["<side:both>"], ["<side:left>", "<zone:base>"], ["<side:right>", "<zone:apex>"]]
QUESTIONS = ["", "", "pneumonia", "pleural effusion, pneumothorax"]


def main(folder, count):
    labels = tomllib.loads((folder / "manifest.toml").read_text())["sheet"]["labels"]
    rng = random.Random(1)
    for _ in range(count):
        share, facts = rng.choice((0.3, 0.7, 1.0)), []
        for label in labels:
            if rng.random() < share:
                state = rng.choices(("present", "uncertain", "absent"), (1, 1, 8))[0]
                facts += [f"<{label}:{state}>"] + (rng.choice(PLACES) if state != "absent" else [])
        print(json.dumps({"facts": facts, "question": rng.choice(QUESTIONS)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
