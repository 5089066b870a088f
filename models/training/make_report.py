"""Makes the report writer from the shared reports: `make_report.py report-writer --data DIR --out DIR`.

Clean, split, pair, train on one core, export with int8 weights, measure once on the test reports,
write golden vectors, figures, card and manifest. `--cache` keeps a finished training.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "reports"))

import torch  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

import bundle  # noqa: E402
import corpus  # noqa: E402
import fit  # noqa: E402
import measure  # noqa: E402
import network  # noqa: E402
import pairs  # noqa: E402
import report_card  # noqa: E402
import synthetic  # noqa: E402

SEED = 5
EPOCHS = 12
MADE = 5000
SHEETS = 300


def main():
    asked = arguments()
    torch.set_num_threads(1)
    asked.cache.mkdir(parents=True, exist_ok=True)
    reports = corpus.load(asked.data)
    model, tok = trained(reports, asked)
    folder = asked.out / bundle.NAME
    parts = {name: [r for r in reports if r.split == name and r.raw.strip()] for name in ("train", "validation", "test")}
    found = bundle.masks(tok.get_vocab(), parts["train"], synthetic.pairs(MADE, parts["train"], SEED))
    figures = measured(folder, model, tok, found, parts, asked)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    report_card.write(folder, figures)
    golden = [(facts, question) for facts, question in zip(measure.random_sheets(bundle.GOLDEN_TEXTS, SEED + 2),
                                                           ("", "pneumonia, pleural effusion", ""))]
    bundle.write(folder, model, tok, found, golden)
    print(json.dumps({name: figures[name] for name in ("made_sheets", "expert_sheets", "rouge_l")}, indent=1))


def measured(folder, model, tok, found, parts, asked):
    """What the int8 graphs do on made sheets and, once, on the test reports (validation where rehearsing)."""
    bundle.graphs(folder, model, int8=True)
    running_here, number = bundle.runner(folder, model.size), tok.get_vocab()

    def text(facts, question=""):
        tokens = running_here.greedy(bundle.given(tok, facts, question, model.size), number[pairs.START], number[pairs.END],
                                     bundle.allowed(tok, facts, found), bundle.TOKENS)
        return measure.sentences_of(tok, tokens), len(tokens)
    examined = "validation" if asked.rehearse else "test"
    sheets = measure.random_sheets(SHEETS, SEED + 3)
    made = [text(facts) for facts in sheets]
    held = [(r, measure.expert_sheet(r)) for r in parts[examined]]
    expert = [text(facts) for _, facts in held]
    mean = lambda values: round(sum(values) / len(values), 4)  # noqa: E731
    overlap = {"writer": mean([measure.rouge_l(" ".join(t), r.raw) for (r, _), (t, _) in zip(held, expert)]),
               "always_normal": mean([measure.rouge_l(measure.ALWAYS_NORMAL, r.raw) for r, _ in held])}
    return {
        "bundle": bundle.NAME, "version": bundle.VERSION, "examined_part": examined,
        "reports": {name: len(part) for name, part in parts.items()},
        "network": {"parameters": sum(p.numel() for p in model.parameters()), **model.size.as_dict(), "epochs": asked.epochs,
                    "went_on_from_earlier_training": bool(asked.go_on),
                    "bytes": sum((folder / f"{name}.onnx").stat().st_size for name in ("encoder", "decoder"))},
        "made_sheets": {"sheets": len(sheets), **measure.faithfulness(sheets, [t for t, _ in made])},
        "expert_sheets": {"sheets": len(held), **measure.faithfulness([f for _, f in held], [t for t, _ in expert])},
        "rouge_l": overlap,
        "tokens": {"made_sheets": mean([n for _, n in made]), "expert_sheets": mean([n for _, n in expert])},
    }


def trained(reports, asked):
    parts = {name: [r for r in reports if r.split == name] for name in ("train", "validation", "test")}
    made = synthetic.pairs(MADE, parts["train"], SEED)
    tok = pairs.tokenizer(parts["train"], made)
    tok.save(str(asked.cache / "tokenizer.json"))
    kept = asked.cache / f"report-writer-{asked.epochs}.pt"
    if kept.exists():
        saved = torch.load(kept)
        model = network.Writer(network.Size(**saved["size"]))
        model.load_state_dict(saved["weights"])
        return model.eval(), tok
    rows = pairs.Pairs(tok, parts["train"], made, SEED).rows
    held = pairs.Pairs(tok, parts["validation"], [], SEED).rows + \
        pairs.Pairs(tok, [], synthetic.pairs(300, parts["train"], SEED + 1), SEED).rows
    size = network.Size(vocabulary=tok.get_vocab_size())
    initial = carried_over(asked.go_on, tok, size) if asked.go_on else None
    model = fit.train(size, rows, held, tok.token_to_id(pairs.START), asked.epochs, SEED,
                      log=lambda line: print(line, flush=True), checkpoint=asked.cache / "running.pt",
                      initial=initial, peak=fit.PEAK_RATE / 2 if initial else fit.PEAK_RATE)
    torch.save({"size": size.as_dict(), "weights": model.state_dict()}, kept)
    return model, tok


def carried_over(folder, tok, size):
    """Weights of an earlier training, its words' rows moved to where the new tokenizer has them."""
    saved = torch.load(folder / "running.pt")["weights"]
    before = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
    torch.manual_seed(SEED)
    fresh = network.Writer(size).state_dict()
    for name, weight in saved.items():
        if name in ("embed.weight", "bias"):
            for word, row in tok.get_vocab().items():
                if word in before:
                    fresh[name][row] = weight[before[word]]
        else:
            fresh[name] = weight
    return fresh


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", choices=["report-writer"])
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds reports/")
    parser.add_argument("--out", type=Path, required=True, help="the folder that will hold the bundle's folder")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "residentd-training-reports",
                        help="a finished training is kept here and reused; remove it to train anew")
    parser.add_argument("--go-on", type=Path, help="a folder with running.pt and tokenizer.json of an earlier training to start from")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--rehearse", action="store_true", help="look at the validation reports only")
    return parser.parse_args()


if __name__ == "__main__":
    main()
