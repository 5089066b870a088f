"""Pairs as token sequences: the fact sheet and the question into the encoder, the text out of the decoder."""

import random
import re
from collections import Counter

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

import corpus
import labels as lab
import measure
import synthetic

START, END, UNKNOWN, NOTHING, IMPRESSION = "<start>", "<end>", "<unknown>", "<nothing>", "<impression>"
SIDES, ZONES = ("right", "left", "both"), ("apex", "upper", "middle", "lower", "base", "hilum")
STATES = ("present", "uncertain", "absent")
LEAST_USES = 6
# Wordings of one statement that are compared with each other.
WORDINGS = 24
OFTEN = 5
# A word or mark with the space before it; "<" never joins a word, so no text spells a fact.
PIECE = "▁?[A-Za-z]+(?:[-'/][A-Za-z]+)*|▁?[^A-Za-z▁]|▁"


def fact_words():
    """The tokens of the fact sheet, in the order of their numbers."""
    return [f"<{l}:{s}>" for l in lab.LABELS for s in STATES] + [f"<side:{s}>" for s in SIDES] + [f"<zone:{z}>" for z in ZONES]


def pieces(text):
    return re.findall(PIECE, "▁" + text.replace(" ", "▁"))


def tokenizer(reports, made):
    """A WordLevel tokenizer over the words of the training texts and questions."""
    uses, asked = Counter(), Counter()
    for report in reports:
        for s in report.sentences:
            uses.update(pieces(s.text))
        asked.update(pieces(report.question))
    always = Counter()
    for _, findings, impression in made:
        for text in findings + impression:
            always.update(pieces(text))
    words = {w for w, n in uses.items() if n >= LEAST_USES} | {w for w, n in always.items() if n >= 30}
    words |= {w for w, n in asked.items() if n >= 12}
    names = [NOTHING, START, END, UNKNOWN, IMPRESSION] + fact_words() + sorted(words)
    made = Tokenizer(models.WordLevel({w: i for i, w in enumerate(names)}, unk_token=UNKNOWN))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.pre_tokenizer = pre_tokenizers.Split(Regex(PIECE), "isolated")
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return made


def source(facts, order=lab.LABELS):
    """The words of a fact sheet: each assessed label with its state, then its side and zone."""
    words = []
    for label in order:
        if label in facts:
            state, side, zone = facts[label]
            words.append(f"<{label}:{state}>")
            words += [f"<side:{side}>"] * bool(side) + [f"<zone:{zone}>"] * bool(zone)
    return words or [NOTHING]


def target(findings, impression):
    return [p for t in findings for p in pieces(t)] + [IMPRESSION] + [p for t in impression for p in pieces(t)] + [END]


def signature(sentence):
    """What a sentence says, whatever its words."""
    denies = all(state == "absent" for state in sentence.states.values())
    return tuple(sorted(sentence.states.items())), None if denies else sentence.place, sentence.overall


def usual_wording(reports):
    """The most central wording of each statement that is made often: one statement, one sentence."""
    uses = {}
    for report in reports:
        for s in report.sentences:
            uses.setdefault(signature(s), []).append((s.text, report.raw))
    return {what: central(what, texts) for what, texts in uses.items() if len(texts) >= LEAST_USES}


def central(what, texts):
    """Of what is asserted the most frequent wording: rarer ones say more. Of what is denied, among those that are
    used often, the one that shares most with the reports that deny it."""
    states, _, overall = what
    often = Counter(text for text, _ in texts).most_common(WORDINGS)
    wordings = [text for text, uses in often if uses >= OFTEN] or [often[0][0]]
    if not overall and any(state != "absent" for _, state in states):
        return wordings[0]
    whole = [raw for _, raw in texts][:WORDINGS]
    return max(wordings, key=lambda text: sum(measure.rouge_l(text, raw) for raw in whole))


def is_whole(report):
    """True for a report that goes through heart, lungs and pleura, and concludes."""
    facts = report.facts()
    return bool(report.impression) and len(report.findings) >= 3 and "cardiomegaly" in facts and bool({"opacity", "consolidation", "infiltration"} & set(facts)) \
        and bool({"effusion", "pneumothorax"} & set(facts))


class Pairs:
    """Encoded pairs: ``(facts, question, text)`` of token numbers."""

    def __init__(self, tok, reports, made, seed):
        self.number = tok.get_vocab()
        rng = random.Random(seed)
        self.rows, self.usual = [], usual_wording(reports)
        for report in reports:
            # Reports that lost most of their sentences teach terseness; those that go through the whole image, style.
            for _ in range(4 if is_whole(report) else 1 if report.sentences and report.kept_share >= 0.3 else 0):
                self._real(rng, report)
        for facts, findings, impression in made:
            self._add(facts, "", findings, impression)

    def _real(self, rng, report):
        facts = dict(report.facts())
        if any(s.overall for s in report.sentences):
            for label in synthetic.CORE:
                facts.setdefault(label, ("absent", None, None))
        extra = rng.random()
        for label in lab.LABELS:
            if label not in facts and (extra < 0.5 or label not in synthetic.DENIED and extra < 0.75):
                facts[label] = ("absent", None, None)
        asked = report.question if rng.random() < 0.7 else ""
        findings, impression = ([self.usual.get(signature(s), s.text) for s in part]
                                for part in (report.findings, report.impression))
        if not impression:
            impression = [self.usual.get(signature(s), s.text) for s in report.findings if any(v != "absent" for v in s.states.values())][:2]
            if not impression and set(synthetic.CORE) <= {l for l, f in facts.items() if f[0] == "absent"}:
                impression = ["no acute cardiopulmonary abnormality."]
        self._add(facts, asked, findings, impression)

    def _add(self, facts, asked, findings, impression):
        text = [self.number.get(p) for p in target(findings, impression)]
        if None in text or len(text) > 150:
            return
        unknown = self.number[UNKNOWN]
        question = [self.number.get(p, unknown) for p in pieces(asked)] if asked else [self.number[NOTHING]]
        self.rows.append(([self.number[w] for w in source(facts)], question[:24], text))
