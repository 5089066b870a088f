"""Fact sheets that the corpus does not hold, with texts put together from its sentences and from patterns.

The corpus has few of the findings that matter most and hardly a sheet of which only a part was
assessed. These pairs teach that every fact is said, at its place, with its certainty, and no other.
"""

import random
from collections import Counter

import corpus
import labels as lab

WORDS = {
    "pneumothorax": "pneumothorax", "effusion": "pleural effusion", "edema": "pulmonary edema",
    "congestion": "pulmonary vascular congestion", "pneumonia": "pneumonia", "infiltration": "infiltrate",
    "consolidation": "consolidation", "opacity": "airspace opacity", "atelectasis": "atelectasis", "mass": "mass",
    "nodule": "nodule", "granuloma": "calcified granuloma", "fibrosis": "scarring", "emphysema": "emphysema",
    "pleural-thickening": "pleural thickening", "hernia": "hiatal hernia", "fracture": "fracture",
    "scoliosis": "scoliosis", "spine-degenerative": "degenerative changes", "atherosclerosis": "aortic atherosclerosis",
    "cardiomegaly": "cardiomegaly", "device": "medical device",
}
COUNTED = {"infiltration", "opacity", "mass", "nodule", "granuloma", "fracture", "hernia", "device", "pneumothorax",
           "effusion", "consolidation"}
# By anatomical system, the order in which they are said.
ORDER = ("cardiomegaly", "congestion", "edema", "atherosclerosis", "opacity", "consolidation", "infiltration", "pneumonia",
         "atelectasis", "nodule", "mass", "granuloma", "fibrosis", "emphysema", "effusion", "pneumothorax",
         "pleural-thickening", "hernia", "fracture", "scoliosis", "spine-degenerative", "device")
# What radiologists deny; the others are absent in silence.
DENIED = ("cardiomegaly", "congestion", "edema", "opacity", "consolidation", "infiltration", "pneumonia", "atelectasis",
          "nodule", "mass", "effusion", "pneumothorax", "fracture")
SIDED = {"effusion", "pneumothorax", "pneumonia", "infiltration", "consolidation", "opacity", "atelectasis", "mass",
         "nodule", "granuloma", "fibrosis", "pleural-thickening", "fracture", "device", "edema", "emphysema"}
ZONED = {"pneumonia", "infiltration", "consolidation", "opacity", "atelectasis", "mass", "nodule", "granuloma", "fibrosis"}
ZONE_WORDS = {"apex": "apex", "upper": "upper lung", "middle": "mid lung", "lower": "lower lung", "base": "base", "hilum": "hilum"}
ZONE_ADJECTIVE = {"apex": "apical", "upper": "upper lobe", "middle": "mid lung", "lower": "lower lobe", "base": "basilar",
                  "hilum": "hilar"}
# Longer sentences say more than their label.
MOST_WORDS = 12
USUALLY_DENIED = ("cardiomegaly", "opacity", "consolidation", "effusion", "pneumothorax")
WIDE_SHEET = 14
# How many wordings of one statement are learned, and how often a denial must have been written.
USUAL = 3
# A sheet must deny these before the whole may be called free of acute disease.
CORE = ("effusion", "pneumothorax", "consolidation", "opacity")


def pool(reports):
    """Usual sentences of the training reports: those that assert one label, by label, state and place; those that deny."""
    asserting, denying, overall = {}, Counter(), Counter()
    for report in reports:
        for s in report.sentences:
            if s.overall:
                overall[s.text] += 1
            elif all(state == "absent" for state in s.states.values()):
                denying[frozenset(s.states), s.text] += 1
            elif len(s.states) == 1 and len(s.text.split()) <= MOST_WORDS:
                (label, state), = s.states.items()
                asserting.setdefault((label, state, s.place), Counter())[s.text] += 1
    usual = {key: [text for text, uses in texts.most_common(USUAL) if uses >= 2] for key, texts in asserting.items()}
    denying = sorted(((covers, text) for (covers, text), uses in denying.items() if uses >= USUAL), key=lambda d: d[1])
    return usual, denying, [text for text, _ in overall.most_common(USUAL)]


def pairs(count, reports, seed):
    """``count`` pairs of facts and ``(findings, impression)`` sentences."""
    rng = random.Random(seed)
    parts = pool(reports)
    return [_pair(rng, *parts) for _ in range(count)]


def _pair(rng, asserting, denying, overall):
    facts = random_facts(rng)
    positive = [l for l in ORDER if facts.get(l, ("absent",))[0] != "absent"]
    said = [(ORDER.index(l), _assert(rng, l, facts[l], asserting)) for l in positive]
    said += _deny(rng, facts, denying)
    said.sort(key=lambda s: s[0])
    findings = [text for _, text in said]
    return facts, findings, _impression(rng, facts, positive, asserting, overall)


def random_facts(rng):
    """``{label: (state, side, zone)}``; what is not in it was not assessed."""
    assessed = [l for l in lab.LABELS if rng.random() < rng.choice((0.1, 0.4, 0.8, 1.0))] if rng.random() < 0.8 else list(lab.LABELS)
    assessed = assessed or [rng.choice(lab.LABELS)]
    most = min(len(assessed), rng.choice((0, 1, 1, 2, 2, 3, 4, 6)))
    positive = set(rng.sample(assessed, most))
    facts = {}
    for label in assessed:
        if label not in positive:
            facts[label] = ("absent", None, None)
            continue
        state = "uncertain" if rng.random() < 0.35 else "present"
        side = rng.choice(("left", "right", "both")) if label in SIDED and rng.random() < 0.6 else None
        zone = rng.choice(tuple(ZONE_WORDS)) if side and label in ZONED and rng.random() < 0.6 else None
        facts[label] = (state, side, zone)
    return facts


def _assert(rng, label, fact, asserting):
    state, side, zone = fact
    real = asserting.get((label, state, (side, zone)), ())
    if real and rng.random() < 0.6:
        return rng.choice(real)
    words = WORDS[label]
    if label == "spine-degenerative":
        phrase = words + " of the " + rng.choice(("spine", "thoracic spine"))
    elif side == "both":
        phrase = f"bilateral {ZONE_ADJECTIVE[zone] + ' ' if zone else ''}{_plural(words) if label in COUNTED else words}"
    elif side and zone and rng.random() < 0.5:
        phrase = f"{words} in the {side} {ZONE_WORDS[zone]}" if label not in COUNTED else f"a {words} in the {side} {ZONE_WORDS[zone]}"
    elif side:
        noun = f"{side} {ZONE_ADJECTIVE[zone] + ' ' if zone else ''}{words}"
        phrase = f"a {noun}" if label in COUNTED else noun
    else:
        phrase = ("an " if words[0] in "aeiou" else "a ") + words if label in COUNTED else words
    bare = phrase[2:] if phrase.startswith("a ") else phrase[3:] if phrase.startswith("an ") else phrase
    many = side == "both" and label in COUNTED or label == "spine-degenerative"
    if state == "present":
        return rng.choice((f"there {'are' if many else 'is'} {phrase}.", f"{bare}.", f"{bare} {'are' if many else 'is'} present.",
                           f"{bare} {'are' if many else 'is'} seen."))
    return rng.choice((f"possible {bare}.", f"there may be {phrase}.", f"{bare} {'are' if many else 'is'} possible.",
                       f"there {'are' if many else 'is'} possible {bare}.", f"{bare} cannot be excluded."))


def _plural(words):
    return {"mass": "masses", "pneumothorax": "pneumothoraces", "airspace opacity": "airspace opacities"}.get(words, words + "s")


def _deny(rng, facts, denying):
    # Of a sheet of nearly everything, a radiologist denies the usual; of a short one, all of it.
    usual = USUALLY_DENIED if len(facts) >= WIDE_SHEET else DENIED
    left = {l for l in usual if facts.get(l, ("",))[0] == "absent"}
    allowed = {l for l, f in facts.items() if f[0] == "absent"}
    said = []
    for _ in range(40):
        if not left or rng.random() < 0.02:
            break
        covers, text = rng.choice(denying)
        if covers <= allowed and covers & left and len(covers & left) * 2 > len(covers):
            said.append((min(ORDER.index(l) for l in covers), text))
            left -= covers
    rest = [l for l in ORDER if l in left]
    while rest:
        most = rng.choice((1, 2, 3, 4))
        group, rest = rest[:most], rest[most:]
        said.append((ORDER.index(group[0]), rng.choice(("no {}.", "there is no {}.", "no evidence of {}.", "there is no evidence of {}."))
                     .format(_list(rng, [WORDS[l] for l in group]))))
    return said


def _list(rng, words):
    if len(words) == 1:
        return words[0]
    comma = "," if len(words) > 2 and rng.random() < 0.5 else ""
    return ", ".join(words[:-1]) + f"{comma} or {words[-1]}"


def _impression(rng, facts, positive, asserting, overall):
    acute = [l for l in positive if l in corpus.ACUTE]
    absent = {l for l, f in facts.items() if f[0] == "absent"}
    free = [rng.choice(overall)] if not acute and absent >= set(CORE) else []
    if positive:
        chosen = (acute or positive)[:3]
        said = [_assert(rng, l, facts[l], asserting) for l in chosen]
        return said + free if acute or rng.random() < 0.6 else free or said
    if free:
        return free
    named = [l for l in DENIED if l in absent][:4]
    return ["no {}.".format(_list(rng, [WORDS[l] for l in named]))] if named else ["no assessed finding is present."]
