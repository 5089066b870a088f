"""Makes the lung ultrasound bundle: `make_ultrasound.py lung-ultrasound --data DIR --out DIR`.

A hash would leave a test part of nine patient groups, four clips of them abnormal: no interval of it
says anything. So the figures are those of grouped cross-validation: five networks, each measured as an
int8 file on the patients that it never saw. What ships is trained by the same fixed recipe on all
patients, and was measured on none of its own.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch

import golden
import quantize
from ultrasound import card, clips, examine, fit, manifest, network, recipe, vector

LEAST_TOLERANCE = 0.02
TOLERANCE_PER_DIFFERENCE = 2.0


def main():
    asked = arguments()
    torch.set_num_threads(asked.threads)
    folder = asked.out / recipe.NAME
    folder.mkdir(parents=True, exist_ok=True)
    make(folder, asked)


def make(folder, asked):
    known, without_sector = clips.load(asked.data / "lung_ultrasound", recipe.SIZE)
    linear, _ = clips.load(asked.data / "lung_ultrasound", recipe.SIZE, probe="linear")
    folds = np.array([clips.folds_of(known)[clip.group] for clip in known])
    plain, whole = (np.zeros((len(known), 1 + len(clips.FLAGS))) for _ in range(2))
    histories = []
    for fold in range(clips.FOLDS):
        away, here = folds != fold, np.flatnonzero(folds == fold)
        model, history = trained([c for c, a in zip(known, away) if a], f"fold-{fold}", recipe.SEED + fold, asked)
        histories.append(history)
        plain[here] = fit.predict(model, [known[i] for i in here])
        whole[here] = as_shipped(model, [c for c, a in zip(known, away) if a], [known[i] for i in here])
    model, history = trained(known, "all", recipe.SEED, asked)
    quantize.export(model, [0], calibration_frames(known), folder / "model.onnx")
    differences = golden.write(folder, recipe.SIZE)
    vector.write(folder)
    figures = {
        "bundle": recipe.NAME, "version": recipe.VERSION,
        "network": {"parameters": sum(p.numel() for p in model.parameters()), "steps": recipe.STEPS,
                    "size": recipe.SIZE, "model_bytes": (folder / "model.onnx").stat().st_size,
                    "nodes": quantize.node_counts(folder / "model.onnx"),
                    "losses_by_tenth": {"folds": histories, "all": history}},
        "without_sector": without_sector,
        **examine.figures(known, folds, plain, whole),
        "learning_curve": learning_curve(known, folds, plain, asked) if asked.learning_curve else [],
        "linear_probe": examine.elsewhere(shipped_logits(folder / "model.onnx", linear)[:, 0], linear,
                                          examine.shipped_point(known, whole[:, 0])),
        "golden": {"differences": differences,
                   "tolerance": round(max(LEAST_TOLERANCE, TOLERANCE_PER_DIFFERENCE * max(differences.values())), 3)},
    }
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    card.write(folder, figures)
    manifest.write(folder, figures)
    print(json.dumps({name: figures[name]["auroc"] for name in ("pooled", "within_source")}))


def trained(known, name, seed, asked):
    """(network, losses), from the cache or by training."""
    kept = asked.cache / f"{recipe.NAME}-{name}-{recipe.SIZE}-{recipe.STEPS}.pt"
    if kept.exists():
        saved = torch.load(kept)
        model = network.network(1 + len(clips.FLAGS))
        model.load_state_dict(saved["weights"])
        return model, saved["losses"]
    model, losses = fit.fit(known, recipe.STEPS, recipe.LEARNING_RATE, seed)
    kept.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"weights": model.state_dict(), "losses": losses}, kept)
    return model, losses


def as_shipped(model, seen, unseen):
    """[clips, outputs] mean logits of ``unseen`` by the int8 file that ``model`` becomes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        quantize.export(model, list(range(1 + len(clips.FLAGS))), calibration_frames(seen), path)
        return shipped_logits(path, unseen)


def shipped_logits(path, known):
    running = quantize.session(path)
    return np.stack([quantize.logits(running, clip.pixels[clip.read][:, None]).mean(axis=0) for clip in known])


def calibration_frames(known):
    """One frame of each clip in turn, until there are enough."""
    random, frames = np.random.default_rng(recipe.SEED), []
    while len(frames) < quantize.CALIBRATION_IMAGES:
        frames += [clip.pixels[random.integers(len(clip.pixels))][None] for clip in known]
    return np.stack(frames[:quantize.CALIBRATION_IMAGES])


def learning_curve(known, folds, plain, asked):
    """AUROC by the share of the patient groups that the same folds were trained on."""
    rows = []
    for share in (0.25, 0.5):
        scores = np.zeros(len(known))
        for fold in range(clips.FOLDS):
            groups = sorted({c.group for c, f in zip(known, folds) if f != fold})
            some = set(np.random.default_rng(recipe.SEED + fold).permutation(groups)[:round(share * len(groups))])
            few = [c for c, f in zip(known, folds) if f != fold and c.group in some]
            model, _ = trained(few, f"fold-{fold}-{share}", recipe.SEED + fold, asked)
            here = np.flatnonzero(folds == fold)
            scores[here] = fit.predict(model, [known[i] for i in here])[:, 0]
        rows.append(examine.on_the_curve(known, folds, scores, share))
    return rows + [examine.on_the_curve(known, folds, plain[:, 0], 1.0)]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", choices=[recipe.NAME])
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds lung_ultrasound/")
    parser.add_argument("--out", type=Path, required=True, help="the folder that will hold the bundle's folder")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "residentd-training",
                        help="finished trainings are kept here and reused; remove it to train anew")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--learning-curve", action="store_true", help="trains ten networks more, on fewer patients")
    return parser.parse_args()


if __name__ == "__main__":
    main()
