"""Makes a bundle from the data: `make.py chest-adult|chest-child --data DIR --out DIR`.

Train, choose what may be claimed, export, quantize, measure the shipped file,
write golden vectors, figures, card and manifest. `--rehearse` does it all in
minutes with a short training and looks at the validation part only.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch

import card
import examine
import golden
import manifest
import measure
import quantize
import train
from recipes import RECIPES, SIZE

REHEARSAL_EPOCHS = 3
LEAST_TOLERANCE = 0.02
TOLERANCE_PER_DIFFERENCE = 2.0
CLAIM_RULE = (
    f"AUROC with a lower bound above {examine.CLAIM_LOWER_BOUND} among abnormal images, among those of the same "
    "view, and against normals matched by collection, view and patient-number block; and an estimate above that of "
    "metadata alone. Where the interval of the difference to a baseline holds zero, that baseline is not beaten.")


def main():
    asked = arguments()
    torch.set_num_threads(asked.threads)
    recipe = RECIPES[asked.bundle]
    folder = asked.out / recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    make(recipe, folder, asked)


def make(recipe, folder, asked):
    images = train.data_of(recipe, asked.data)
    epochs = REHEARSAL_EPOCHS if asked.rehearse else recipe.epochs
    model, history = train.trained(recipe, images, asked.cache, epochs)
    parts = {name: images.part(name) for name in ("train", "validation", "test")}
    if asked.rehearse:
        parts["test"] = parts["validation"]

    findings, beside = examine.first_look(recipe, model, parts)
    claimed = [label for label, figures in findings.items() if examine.claimed(figures)]
    if not claimed and asked.rehearse:
        claimed = [recipe.candidates[0].label]
    if not claimed:
        raise SystemExit(f"{recipe.name}: no finding passed the rule: {json.dumps(findings)}")
    kept = [recipe.labels.index(label) for label in claimed]
    running = quantize.export(model, kept, calibration_pixels(parts["train"], recipe.seed), folder / "model.onnx")
    widest = measure_shipped(recipe, claimed, findings, running, folder / "model.onnx", parts)

    differences = golden.write(folder, SIZE)
    figures = {
        "bundle": recipe.name,
        "version": recipe.version + ("-rehearsal" if asked.rehearse else ""),
        "examined_part": "validation" if asked.rehearse else "test",
        "compared": "among abnormal images" if parts["test"].has_other_findings else "pneumonia against normal",
        "claim_rule": CLAIM_RULE if parts["test"].has_other_findings else "",
        "claimed": claimed,
        "data": examine.counts(parts),
        "network": {"parameters": sum(p.numel() for p in model.parameters()), "epochs": epochs, "size": SIZE,
                    "model_bytes": (folder / "model.onnx").stat().st_size,
                    "nodes": quantize.node_counts(folder / "model.onnx"), "history": history},
        "findings": findings,
        "beside": beside,
        "golden": {"differences": differences, "largest_difference_on_images": round(widest, 5),
                   "tolerance": round(max(LEAST_TOLERANCE, TOLERANCE_PER_DIFFERENCE * max(differences.values())), 3)},
    }
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    card.write(folder, recipe, figures)
    manifest.write(folder, recipe, figures)
    print(json.dumps({label: f["auroc"] for label, f in findings.items()}), "claimed:", claimed)


def measure_shipped(recipe, claimed, findings, running, model_path, parts):
    """Operating points and int8 figures of the shipped file; returns the widest logit difference."""
    known, _ = examine.shipped_logits(model_path, parts["validation"])
    fused, plain = examine.shipped_logits(model_path, parts["test"])
    before = quantize.logits(running, parts["test"].pixels)
    test = parts["test"]
    for output, label in enumerate(claimed):
        k = recipe.labels.index(label)
        point = examine.operating_points(recipe, k, known[:, output], fused[:, output], parts)
        others = test.compared(k)
        findings[label].update({
            "auroc_float": findings[label]["auroc"],
            "auroc": measure.area(fused[others, output], test.labels[others, k], test.groups[others]),
            "operating_point": point,
            "int8": examine.int8_against_float(k, before[:, output], fused[:, output], point, test),
        })
    return float(np.abs(fused - plain).max())


def calibration_pixels(images, seed):
    chosen = np.random.default_rng(seed).permutation(len(images.rows))[:quantize.CALIBRATION_IMAGES]
    return images.pixels[chosen]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", choices=sorted(RECIPES))
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds chest_xray/")
    parser.add_argument("--out", type=Path, required=True, help="the folder that will hold the bundle's folder")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "residentd-training",
                        help="finished trainings are kept here and reused; remove it to train anew")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rehearse", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
