"""Makes the bundle that judges fitness: `make_fitness.py chest-fitness --data DIR --residentd PROGRAM --out DIR`.

Draw the training pictures, train, choose thresholds on validation images that are fit, export, quantize,
measure the shipped file once on the test images, and write golden vectors, figures, card and manifest.
`--residentd` is the built program: it draws the chest phantoms, which must pass. `--rehearse` looks at the
validation part only.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "fitness"))

import numpy as np  # noqa: E402
import torch  # noqa: E402

import fitness_bundle  # noqa: E402
import flaws  # noqa: E402
import golden  # noqa: E402
import images  # noqa: E402
import judge  # noqa: E402
import learn  # noqa: E402
import pool  # noqa: E402
import quantize  # noqa: E402

SEED = 20261124
PICTURES = 48_000
TRAINING_PHANTOMS, CHECKED_PHANTOMS = range(1000, 1150), range(1, 61)
# No more than so many frames of a clip: one of so many in a row.
ULTRASOUND_EVERY = 2


def main():
    asked = arguments()
    torch.set_num_threads(1)
    asked.cache.mkdir(parents=True, exist_ok=True)
    chests = images.chests(asked.data, flaws.SIZE)
    parts = {name: chests.part(name) for name in ("train", "validation", "test")}
    if asked.rehearse:
        parts["test"] = parts["validation"]
    drawn = images.phantoms(asked.residentd, TRAINING_PHANTOMS, flaws.SIZE)
    checked = images.phantoms(asked.residentd, CHECKED_PHANTOMS, flaws.SIZE)
    foreign = images.foreign(asked.data, flaws.SIZE, ULTRASOUND_EVERY)
    model = trained(parts["train"], drawn[0], asked)
    folder = asked.out / fitness_bundle.NAME
    folder.mkdir(parents=True, exist_ok=True)
    running = quantize.export(model, list(range(len(flaws.FLAWS))), calibration(parts["train"]), folder / "model.onnx")
    figures = measured(folder, model, running, parts, checked[1], foreign, asked)
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    fitness_bundle.write(folder, figures)
    print(json.dumps({"fit_refused": figures["fit"]["by_age"], "foreign": figures["foreign"]["all"]["refused"]}))


def trained(train, phantoms, asked):
    """The network, from the cache or by training it. No foreign image of the data is in what it learns from."""
    kept = asked.cache / f"{fitness_bundle.NAME}-{PICTURES}.pt"
    if not kept.exists():
        torch.save(learn.train(pool.make(train, phantoms, SEED), PICTURES, SEED).state_dict(), kept)
    model = learn.fresh(SEED)
    model.load_state_dict(torch.load(kept))
    return model.eval()


def measured(folder, model, running, parts, phantoms, foreign, asked):
    shipped = quantize.session(folder / "model.onnx")
    run = lambda whole: quantize.logits(shipped, whole[:, None])  # noqa: E731
    known, fit = run(parts["validation"].whole), run(parts["test"].whole)
    of_phantoms = run(phantoms)
    limits = judge.thresholds(known, parts["validation"].ages, of_phantoms)
    before = quantize.logits(running, parts["test"].whole[:, None])
    changed = judge.refused(before, limits).any(1) != judge.refused(fit, limits).any(1)
    differences = golden.write(folder, flaws.SIZE)
    return {
        "bundle": fitness_bundle.NAME, "version": fitness_bundle.VERSION + ("-rehearsal" if asked.rehearse else ""),
        "examined_part": "validation" if asked.rehearse else "test",
        "network": {"parameters": sum(p.numel() for p in model.parameters()), "pictures": PICTURES, "size": flaws.SIZE,
                    "model_bytes": (folder / "model.onnx").stat().st_size,
                    "nodes": quantize.node_counts(folder / "model.onnx")},
        "data": {name: {age: int((part.ages == age).sum()) for age in judge.AGES} | {"patients": len(set(part.groups))}
                 for name, part in parts.items()},
        "thresholds": limits,
        "fit": judge.of_fit(fit, limits, parts["test"]),
        "validation_fit": judge.of_fit(known, limits, parts["validation"]),
        "flawed": judge.of_flawed(run, fit, limits, parts["test"]),
        "foreign": judge.of_foreign(run(foreign.whole), limits, foreign),
        "phantoms": {"checked": len(phantoms), "refused": int(judge.refused(of_phantoms, limits).any(1).sum())},
        "dicom_chests": dicom_chests(run, limits, asked.data),
        "int8": {"decision_changes_share": round(float(changed.mean()), 5),
                 "largest_logit_change": round(float(np.abs(before - fit).max()), 4)},
        "golden": {"differences": differences,
                   "tolerance": round(max(fitness_bundle.LEAST_TOLERANCE, 2 * max(differences.values())), 3)},
    }


def dicom_chests(run, limits, data):
    """What is said of the few chest radiographs among the DICOM files, none of which was learned from."""
    said = {}
    for row, frame, gray in images.dicom_files(data):
        if images.is_chest(row["file"]):
            whole = images.prepared(gray, flaws.SIZE)[None]
            said[f"{row['file']}#{frame}"] = judge.first(judge.refused(run(whole), limits))[0]
    return said


def calibration(train):
    chosen = np.random.default_rng(SEED).permutation(len(train.rows))[:quantize.CALIBRATION_IMAGES]
    pictures = train.source[chosen].astype(np.float32) / 255
    flawed, _ = flaws.flawed(torch.from_numpy(pictures), torch.Generator().manual_seed(SEED))
    return np.concatenate([train.whole[chosen][:, None], flawed.numpy()[:, None]])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", choices=[fitness_bundle.NAME])
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds chest_xray/, dicom/ and lung_ultrasound/")
    parser.add_argument("--residentd", type=Path, required=True, help="the built program, which draws the phantoms")
    parser.add_argument("--out", type=Path, required=True, help="the folder that will hold the bundle's folder")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "residentd-training-fitness",
                        help="a finished training is kept here and reused; remove it to train anew")
    parser.add_argument("--rehearse", action="store_true", help="look at the validation images only")
    return parser.parse_args()


if __name__ == "__main__":
    main()
