"""What the shipped writer does on sheets that it never saw: faithfulness before the guard, overlap with human text."""

import random
from collections import Counter

import labels as lab
import synthetic


def read_back(sentences):
    """``{label: state}`` of a text; a contradiction inside it becomes ``contradicted``."""
    states = {}
    for text in sentences:
        for label, state in (lab.statements(text.lower()) or {}).items():
            states[label] = state if states.get(label, state) == state else "contradicted"
    return states


def faithfulness(sheets, texts):
    """Counts of what texts say of their sheets: found with the right state, missed, or said against the sheet."""
    counts, by_label = Counter(), {}
    for facts, sentences in zip(sheets, texts):
        states = read_back(sentences)
        for label in lab.LABELS:
            wanted, said = facts.get(label, (None,))[0], states.get(label)
            of = by_label.setdefault(label, Counter())
            positive, claimed = wanted in ("present", "uncertain"), said not in (None, "absent")
            key = "hit" if positive and said == wanted else "missed" if positive else None
            if key:
                counts[key] += 1
                of[key] += 1
            if claimed and said != wanted:
                counts["false"] += 1
                of["false"] += 1
            if wanted == "absent":
                counts["absent_said" if said == "absent" else "absent_silent"] += label in synthetic.DENIED
            if said and not wanted:
                counts["not_assessed_said"] += 1
            if positive and said == "absent":
                counts["denied_against_the_sheet"] += 1
    return {"micro_f1": f1(counts), "counts": dict(counts),
            "labels": {label: {"f1": f1(of), **of} for label, of in by_label.items() if of}}


def f1(of):
    hit, all_ = of["hit"], 2 * of["hit"] + of["false"] + of["missed"]
    return round(2 * hit / all_, 4) if all_ else None


def words(text):
    return [w.lower() for w in "".join(c if c.isalnum() else " " for c in text).split()]


def rouge_l(found, wanted):
    """F1 of the longest common subsequence of words."""
    a, b = words(found), words(wanted)
    if not a or not b:
        return 0.0
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], before + 1 if x == y else max(row[j], row[j - 1])
    return 2 * row[-1] / (len(a) + len(b))


ALWAYS_NORMAL = ("The heart is normal in size. The mediastinum is unremarkable. The lungs are clear. There is no pleural "
                 "effusion or pneumothorax. No acute cardiopulmonary abnormality.")


def random_sheets(count, seed):
    rng = random.Random(seed)
    return [synthetic.random_facts(rng) for _ in range(count)]


def expert_sheet(report):
    """The sheet that a report's expert labels make: those present, all others assessed and absent."""
    return {label: ("present" if label in report.labels else "absent", None, None) for label in lab.LABELS}


def sentences_of(tok, tokens):
    """As residentd spells them."""
    impression = tok.token_to_id("<impression>")
    cut = tokens.index(impression) if impression in tokens else len(tokens)
    text = [tok.decode(part, skip_special_tokens=False) for part in (tokens[:cut], tokens[cut + 1:])]
    return [s.strip() + "." for part in text for s in part.split(".") if s.strip()]
