"""The writer's folder: graphs, tokenizer, golden texts and the manifest with every digest."""

import hashlib
import json
from collections import defaultdict

import numpy as np
import onnx

import export
import labels as lab
import pairs
import running
import synthetic

NAME, VERSION = "report-writer", "0.1.0"
TITLE = "Chest report writer: fact sheet to findings and impression, research only"
INTENDED = ("Drafts the English wording of a chest radiograph report from a fact sheet that was decided elsewhere; "
            "every sentence is held against that sheet before it is used. Research only.")
FORBIDDEN = ("Not a source of findings. Not for use without the guard. Not for clinical or commercial use: its training "
             "reports are licensed CC BY-NC-ND 4.0.")
SOURCES = ["Indiana University chest X-ray reports (Open-i, NLM): Demner-Fushman D et al., JAMIA 2016; CC BY-NC-ND 4.0",
           "Fact sheets and patterns made by this training"]
SHEET_FORMAT = 1
TOKENS, BEAM_WIDTH, NO_REPEAT = 150, 1, 0
GOLDEN_TEXTS = 3
# A word that stands in so large a share of its sentences with a label needs that label in the sheet.
NEEDS_SHARE = 0.995
PLACE_WORDS = {
    "side:left": ("left", "left-sided"), "side:right": ("right", "right-sided"),
    "side:both": ("bilateral", "bilaterally", "both", "bibasilar", "biapical"),
    "zone:apex": ("apical", "apex", "biapical", "apices"), "zone:upper": ("upper",), "zone:middle": ("mid", "middle", "midlung", "lingula"),
    "zone:lower": ("lower",), "zone:base": ("base", "bases", "basilar", "bibasilar", "basal"), "zone:hilum": ("hilar", "perihilar", "hilum"),
}


def masks(number, reports, made):
    """``[{words, any, all}]``: words that need a fact, learned from the sentences they stand in."""
    uses, along = defaultdict(int), defaultdict(lambda: defaultdict(int))
    sentences = [(s.text, synthetic.CORE if s.overall else tuple(s.states)) for r in reports for s in r.sentences]
    for _, findings, impression in made:
        for text in findings + impression:
            overall = lab.statements(text.lower()) == {}
            sentences.append((text, synthetic.CORE if overall else tuple(lab.statements(text.lower()) or ())))
    for text, held in sentences:
        for word in set(pairs.pieces(text)):
            uses[word] += 1
            for label in held:
                along[word][label] += 1
    places = {w for words in PLACE_WORDS.values() for w in words}
    by_need = defaultdict(list)
    for word in sorted(uses):
        if word in number and word.strip("▁").lower() not in places:
            needs = tuple(sorted(l for l, n in along[word].items() if n >= NEEDS_SHARE * uses[word]))
            if needs:
                by_need[needs].append(word)
    found = [{"words": words, "all": list(needs)} for needs, words in sorted(by_need.items())]
    by_place = defaultdict(list)
    for place, words in PLACE_WORDS.items():
        for word in words:
            if "▁" + word in number:
                by_place["▁" + word].append(place)
    found += [{"words": [word], "all": sorted(needs)} for word, needs in sorted(by_place.items())]
    pleural = [w for w in ("▁pleural",) if w in number]
    return found + [{"words": pleural, "any": ["effusion", "pleural-thickening"]}] * bool(pleural)


def allowed(tok, facts, found):
    """As residentd computes it: for each token, whether a text from ``facts`` may hold it."""
    number = tok.get_vocab()
    may = np.zeros(len(number), bool)
    for word, i in number.items():
        may[i] = not word.startswith("<") or word in (pairs.END, pairs.IMPRESSION)
    held = set(facts)
    for _, side, zone in facts.values():
        held |= {f"side:{side}"} if side else set()
        held |= {f"zone:{zone}"} if zone else set()
    for mask in found:
        if (mask.get("any") and not held & set(mask["any"])) or not set(mask.get("all", ())) <= held:
            for word in mask["words"]:
                may[number[word]] = False
    return may


def given(tok, facts, question, size):
    number = tok.get_vocab()
    words = [number[w] for w in pairs.source(facts)][:size.facts]
    asked = [number.get(p, number[pairs.UNKNOWN]) for p in pairs.pieces(question)] if question else [number[pairs.NOTHING]]
    return {"facts": np.array([words], np.int64), "question": np.array([asked[:size.question]], np.int64)}


def runner(folder, size):
    return running.Running(folder / "encoder.onnx", folder / "decoder.onnx", size.decoder_layers, size.heads,
                           size.width // size.heads)


def graphs(folder, model, int8):
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(export.encoder(model, int8), folder / "encoder.onnx")
    onnx.save(export.decoder(model, int8), folder / "decoder.onnx")


def write(folder, model, tok, found, golden, int8=True):
    """The whole folder but CARD.md and figures.json, which must stand there already."""
    graphs(folder, model, int8)
    tok.save(str(folder / "tokenizer.json"))
    (folder / "golden").mkdir(exist_ok=True)
    running_here, size, number = runner(folder, model.size), model.size, tok.get_vocab()
    texts = [{"facts": pairs.source(facts), "question": question,
              "tokens": running_here.greedy(given(tok, facts, question, size), number[pairs.START], number[pairs.END],
                                            allowed(tok, facts, found), TOKENS)} for facts, question in golden]
    (folder / "golden" / "sheets.json").write_text(json.dumps(texts, indent=1) + "\n")
    (folder / "manifest.toml").write_text(manifest(folder, size, found))


def manifest(folder, size, found):
    q = json.dumps
    lines = ["format = 1", 'kind = "writer"', "", "[bundle]", f"name = {q(NAME)}", f"version = {q(VERSION)}", f"title = {q(TITLE)}",
             f"intended_use = {q(INTENDED)}", f"forbidden_use = {q(FORBIDDEN)}",
             'licence = "Research only: trained on CC BY-NC-ND 4.0 reports"', "research_only = true", f"sources = {q(SOURCES)}",
             "", "[sheet]", f"format = {SHEET_FORMAT}", f"labels = {q(list(lab.LABELS))}",
             "", "[tokenizer]", 'file = "tokenizer.json"', f"start = {q(pairs.START)}", f"end = {q(pairs.END)}",
             f"impression = {q(pairs.IMPRESSION)}", f"nothing = {q(pairs.NOTHING)}", f"unknown = {q(pairs.UNKNOWN)}",
             "", "[[input]]", 'what = "facts"', 'tensor = "facts"', f"most = {size.facts}",
             "", "[[input]]", 'what = "question"', 'tensor = "question"', f"most = {size.question}",
             "", "[encoder]", 'file = "encoder.onnx"',
             "", "[decoder]", 'file = "decoder.onnx"', 'token = "token"', 'position = "position"', 'logits = "logits"',
             f"layers = {size.decoder_layers}", f"heads = {size.heads}", f"head_width = {size.width // size.heads}",
             'past = ["past_key.{}", "past_value.{}"]', 'present = ["present_key.{}", "present_value.{}"]',
             "", "[decoder.memory]", '"cross_key.{}" = "cross_key.{}"', '"cross_value.{}" = "cross_value.{}"',
             "", "[limits]", f"tokens = {TOKENS}", f"beam_width = {BEAM_WIDTH}", f"no_repeat = {NO_REPEAT}"]
    for mask in found:
        lines += ["", "[[mask]]", f"words = {json.dumps(mask['words'], ensure_ascii=False)}"]
        lines += [f"{key} = {q(mask[key])}" for key in ("any", "all") if mask.get(key)]
    lines += ["", "[golden]", 'sheets = "golden/sheets.json"', "", "[digests]"]
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.toml")
    lines += [f"{q(p.relative_to(folder).as_posix())} = {q(hashlib.sha256(p.read_bytes()).hexdigest())}" for p in files]
    return "\n".join(lines) + "\n"
