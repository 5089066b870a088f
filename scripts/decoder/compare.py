"""Holds `residentd model write` against onnxruntime, token for token, greedily, with the same masks.

`compare.py BUNDLE SHEETS ANSWERS`: SHEETS are the JSON lines that residentd was given, ANSWERS what it printed.
Reads the bundle's manifest, tokenizer and graphs itself; nothing of residentd is used.
"""

import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer


def main(folder, sheets, answers):
    manifest = tomllib.loads((folder / "manifest.toml").read_text())
    tokenizer = Tokenizer.from_file(str(folder / manifest["tokenizer"]["file"]))
    encoder, decoder = (session(folder / manifest[part]["file"]) for part in ("encoder", "decoder"))
    same = tokens = looped = 0
    lines = list(zip(sheets.read_text().splitlines(), answers.read_text().splitlines(), strict=True))
    times = []
    for number, (sheet, answer) in enumerate(lines):
        sheet, answer = json.loads(sheet), json.loads(answer)
        wanted = greedy(manifest, tokenizer, encoder, decoder, sheet)
        found = answer.get("tokens", answer.get("refused"))
        tokens += len(wanted) if isinstance(wanted, list) else 0
        looped += wanted == "looped"
        times.append(answer.get("cpu_ms", 0))
        same += found == wanted
        if found != wanted:
            print(f"sheet {number} differs\n  onnxruntime {wanted}\n  residentd   {found}")
    times.sort()
    print(f"{same} of {len(lines)} texts equal token for token, {tokens} tokens, {looped} of them refused as loops by both; residentd CPU ms a text: "
          f"median {times[len(times) // 2]:.1f}, most {times[-1]:.1f}")
    return same == len(lines)


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def greedy(manifest, tokenizer, encoder, decoder, sheet):
    spec, words, number = manifest["decoder"], manifest["tokenizer"], tokenizer.token_to_id
    given = {i["tensor"]: of_input(i, words, tokenizer, sheet) for i in manifest["input"]}
    made = dict(zip((o.name for o in encoder.get_outputs()), encoder.run(None, given)))
    memory = {}
    for to, source in spec["memory"].items():
        for layer in range(spec["layers"] if "{}" in to else 1):
            memory[to.replace("{}", str(layer))] = made[source.replace("{}", str(layer))]
    names = [(p.replace("{}", str(l)), q.replace("{}", str(l)))
             for l in range(spec["layers"]) for p, q in zip(spec["past"], spec["present"])]
    past = {p: np.zeros((1, spec["heads"], 0, spec["head_width"]), np.float32) for p, _ in names}
    outputs = [o.name for o in decoder.get_outputs()]
    may = allowed(manifest, tokenizer, sheet["facts"])
    token, text = number(words["start"]), []
    for place in range(manifest["limits"]["tokens"]):
        feeds = {spec["token"]: np.array([[token]], np.int64), **past, **memory}
        if "position" in spec:
            feeds[spec["position"]] = np.array([place], np.int64)
        out = dict(zip(outputs, decoder.run(None, feeds)))
        may_here = may.copy()
        may_here[repeated(text, manifest["limits"]["no_repeat"])] = False
        token = int(np.where(may_here, out[spec["logits"]].reshape(-1), -np.inf).argmax())
        if token == number(words["end"]):
            break
        text.append(token)
        if loops(text):
            return "looped"
        past = {p: out[q] for p, q in names}
    return text


def loops(text):
    """True where the text ends in one block of up to 16 tokens three times over: residentd refuses it then."""
    return any(len(text) >= 3 * n and text[-n:] == text[-2 * n:-n] == text[-3 * n:-2 * n] for n in range(1, 17))


def repeated(text, run):
    """Tokens that would complete a run that the text already holds."""
    tail = text[len(text) + 1 - run:] if run else []
    return [text[i + run - 1] for i in range(len(text) - run + 1) if run and text[i:i + run - 1] == tail]


def of_input(spec, words, tokenizer, sheet):
    if spec["what"] == "image":
        shape = (1, 1, spec["height"], spec["width"])
        return np.array(sheet["image"], np.float32).reshape(shape) if "image" in sheet else np.zeros(shape, np.float32)
    if spec["what"] == "facts":
        row = [n for n in map(tokenizer.token_to_id, sheet["facts"]) if n is not None]
    else:
        row = tokenizer.encode(sheet["question"].lower(), add_special_tokens=False).ids
    row = row[:spec["most"]] or [tokenizer.token_to_id(words["nothing"])]
    return np.array([row], np.int64)


def allowed(manifest, tokenizer, facts):
    number, words = tokenizer.get_vocab(), manifest["tokenizer"]
    may = np.zeros(len(number), bool)
    for word, i in number.items():
        may[i] = not word.startswith("<") or word in (words["end"], words["impression"])
    may[number[words["start"]]] = may[number[words["unknown"]]] = may[number[words["nothing"]]] = False
    held = set()
    for fact in facts:
        name, _, state = fact.strip("<>").partition(":")
        held.add(name if state in ("present", "uncertain", "absent") else fact.strip("<>"))
    for mask in manifest.get("mask", []):
        if (mask.get("any") and not held & set(mask["any"])) or not set(mask.get("all", [])) <= held:
            for word in mask["words"]:
                may[number[word]] = False
    return may


if __name__ == "__main__":
    sys.exit(0 if main(*map(Path, sys.argv[1:4])) else 1)
