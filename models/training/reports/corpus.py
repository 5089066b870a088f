"""The shared reports, split by a hash of their identity, as pairs of fact sheet and text.

A target keeps only sentences that a fact sheet could have caused: nothing redacted, compared,
measured, dated or graded, and nothing that the vocabulary has no label for. The fact sheet is then
read off the sentences that were kept, so the two agree by construction.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field

import labels as lab

ACUTE = {"pneumothorax", "effusion", "edema", "congestion", "pneumonia", "infiltration", "consolidation", "opacity",
         "atelectasis", "mass", "nodule", "fracture"}
# Words of things that no fact sheet holds.
BEYOND = re.compile(
    r"xxxx|\d|\b(?:compar\w*|unchanged|again|stable|interval\w*|previous\w*|prior|new|newly|increas\w*|decreas\w*|improv\w*|"
    r"worsen\w*|progress\w*|redemonstrat\w*|persist\w*|remain\w*|since|resol\w*|develop\w*|change from|no change|"
    r"cm|mm|centimeter\w*|millimeter\w*|year\w*|old|male|female|patient\w*|mr|ms|dr|history|clinical\w*|"
    r"recommend\w*|suggest (?:ct|follow)|follow-?up|ct|mri|tomograph\w*|ultrasound|further evaluation|evaluat\w*|correlat\w*|lateral view|"
    r"lateral|frontal|views?|radiographs?|examination|exam|study|technique|portable|film|limited|rotat\w*|inspirat\w*|"
    r"volumes?|elevat\w*|eventration|trachea|azygos|adenopathy|lymph\w*|free air|intraperitoneal|soft tissues?|"
    r"breast\w*|nipple\w*|abdom\w*|bowel|stomach|gastric|liver|spleen|humer\w*|shoulder\w*|arthrit\w*|kyphosis|"
    r"kyphotic|osteopeni\w*|demineraliz\w*|lucen\w*|bulla\w*|blebs?|cavit\w*|bronch(?:itis|iectasis|iolitis|ial|ovascular)\w*|cuffing|"
    r"sarcoid\w*|tuberculosis|tb|lingual|fat pad|epicardial|pericardial|aneurysm\w*|dilat\w*|hypertension|hilar prominence|"
    r"crowding|markings|reticul\w*|interstitium|foreign bod\w*|mastectomy|lobectomy|resection|thoracotomy|pneumonectomy|"
    r"infection|infectious|malignan\w*|cancer|neoplas\w*|metasta\w*|aspiration|hemorrhage|trauma|contusion|"
    r"he|she|his|her|physician|called|discussed|report|dictated|telephone|findings were|hypoinflat\w*|hypoexpan\w*|sternum|clavicles?|"
    r"sinus\w*|airways? disease|deformit\w*|wedg\w*|heights?|spur\w*|aortic (?:knob|arch|valve)|coronary|mitral|artery|arteries|"
    r"ventric\w*|atri\w*|nodes?|hemangioma|lipoma\w*|artifact\w*|overl\w*|superimpos\w*|shadow\w*|diaphragm\w*|blunt\w*|angles?|"
    r"thymic|thymus|goiter|thyroid|esophag\w*|otherwise|remainder|remaining|"
    r"posterior\w*|anterior\w*|adjacent|segment\w*|lobar|multilobar|medial\w*|peripher\w*|fissure\w*|central\w*|tumou?r|raises|smaller|larger|"
    r"bigger|upper limits?|reaction|differential|pneumomediastinum|dislocations?|lesions?|overall|due to|secondary|related|"
    r"heart failure|failure|cabg|fusion|orthopedic|postsurgical|surgery|status post|but no|"
    r"clearing|(?:left|right) lung (?:is )?clear|vertebral bodies|engorgement|pattern|specifically|typical|suggest|consistent|numerous|varying|malalign\w*|reflect|symmetric\w*|with no|"
    r"poly|there's|appearing|additional\w*|hyperlucen\w*|residual|near|junction|"
    r"suspect\w*|likely|probabl[ey]|appears? to|suspicio\w*|borderline|mediastin(?:um|al)|bon(?:y|es?)|osseous|skelet\w+|thorax|"
    r"knee|neck|axill\w*|hip|joints?|bypass|quadrant|marrow|destruct\w*|subcutaneous|callus|concern\w*|question\w*|retrocardiac|"
    r"hemidiaphragm\w*|costophrenic|pleural reaction|calcif\w+ (?!granulom)\w+|calcifications?|but|characteristic|widespread|sequela\w*|"
    r"tip|tips|terminat\w*|svc|cavoatrial|carina|project\w*|position\w*|placement|placed|removal|removed|lead|leads)\b")
# Kinds of a finding that its label does not tell.
SPECIFIC = re.compile(r"tortu|ecta(?:tic|sia)|dextro|levo|\brib|catheter|clips?\b|pacemaker|port\b|tube|stent|wires|sternotomy|picc|valve|"
                      r"lung disease|interstitial|compression|clavic|numerous|biventricular")
# Grades that a fact sheet does not carry: dropped as words, not as sentences.
GRADES = re.compile(
    r"\b(?:very |at least )?(?:mild(?:ly)?|minimal(?:ly)?|small|tiny|trace|slight(?:ly)?|moderate(?:ly)?(?: sized)?|large|massive|severe(?:ly)?|"
    r"marked(?:ly)?|subtle|extensive|significant(?:ly)?|gross(?:ly)?|prominent|multilevel|minor|diffuse|scattered|multiple|few|focal|acute|definite|suspicious|displaced|bilaterally|overt|active|discrete|obvious|visible|dense|"
    r"several|faint|patchy|streaky|linear|bandlike|band-like|hazy|discoid|plate-?like|subsegmental|old|chronic|healed|remote)(?:-| to |,? and )?(?=\W)", re.I)
# Dictation that lost a word.
BROKEN = re.compile(r"\b(?:there (?!is|are|may|appears?|has|was|were|also)\w+|changes the|is are|are is|the the|of of|is raises|appear present of|"
                    r"hyperinflation lungs|(?:is|are) (?:and|or|of))\b")
ARTICLE = [(re.compile(r"\ba (?=[aeiou])", re.I), "an "), (re.compile(r"\ban (?=[^aeiou\W])", re.I), "a ")]
SENTENCE = re.compile(r"(?<=[.?!])\s*(?=[A-Z0-9])|(?<=[.])\s*(?=\d\.\s)")
NUMBER = re.compile(r"^\s*(?:\d{1,2}[.)]\s*)+")


@dataclass
class Sentence:
    text: str
    states: dict
    place: tuple
    overall: bool = False


@dataclass
class Report:
    uid: str
    split: str
    labels: list
    mesh: list
    question: str
    findings: list = field(default_factory=list)
    impression: list = field(default_factory=list)
    raw: str = ""
    dropped: int = 0  # sentences of the original that are not kept

    @property
    def kept_share(self):
        return len(self.sentences) / max(1, len(self.sentences) + self.dropped)

    @property
    def sentences(self):
        return self.findings + self.impression

    def facts(self):
        """``{label: (state, side, zone)}``: what the kept sentences say."""
        facts = {}
        for s in self.sentences:
            for label, state in s.states.items():
                side, zone = s.place if state != "absent" else (None, None)
                known = facts.get(label)
                if known is None:
                    facts[label] = (state, side, zone)
                else:
                    facts[label] = (known[0], known[1] or side, known[2] or zone)
        return facts


def split_of(uid):
    """train, validation or test, by the first byte of the SHA-256 of the identity."""
    tenth = hashlib.sha256(uid.encode()).digest()[0] % 10
    return "train" if tenth < 8 else "validation" if tenth == 8 else "test"


def load(path):
    """Every report, cleaned; some keep no sentence."""
    with open(path / "reports" / "iu_reports.jsonl", encoding="utf-8") as lines:
        return [_report(json.loads(line)) for line in lines]


def _report(row):
    report = Report(row["uid"], split_of(row["uid"]),
                    [l.replace("_", "-") for l in row["labels"]], row["mesh_major"], question(row["indication"]),
                    raw=" ".join(filter(None, (row["findings"], row["impression"]))))
    said = [s for part in ("findings", "impression") for s in SENTENCE.split(row[part]) if len(s.split()) > 1]
    for part in ("findings", "impression"):
        kept = filter(None, map(_sentence, SENTENCE.split(row[part])))
        getattr(report, part).extend(_once(kept, report))
    _agree(report)
    report.dropped = max(0, len(said) - len(report.sentences))
    return report


def question(indication):
    """The clinical question as lower-case words, what was redacted and who asked left out."""
    words = re.sub(r"XXXX|\d+|\b(?:year|old|male|female|man|woman|patient|y/o|yo)\b|[^a-z ]", " ", indication.lower().replace("xxxx", " "))
    return " ".join(words.split()[:16])


def _sentence(text):
    text = NUMBER.sub("", text).strip(" .,;:-")
    text = re.sub(r"\s+", " ", text.replace("cardio mediastinal", "cardiomediastinal").replace("air space", "airspace"))
    lower = text.lower()
    whole = (text[:1].lower() if text[:2].istitle() or text[1:2].islower() else text[:1]) + text[1:] + "."
    if lab.OVERALL.match(whole.lower()):
        return Sentence(whole, {}, (None, None), overall=True)
    if not text or BEYOND.search(GRADES.sub("", lower) if "old" not in lower.split()[:0] else lower):
        return None
    text = GRADES.sub("", text)
    text = re.sub(r"\bno, ", "no ", re.sub(r"\s+([,;]?)", r"\1 ", text).replace("  ", " "), flags=re.I).strip(" ,;:-")
    text = re.sub(r"^(?:and|or|with) ", "", text, flags=re.I)
    for wrong, right in ARTICLE:
        text = wrong.sub(lambda m, right=right: right if m.group(0)[0].islower() else right.capitalize(), text)
    if not 2 <= len(text.split()) <= 28 and text.lower() not in ("cardiomegaly", "emphysema", "scoliosis", "copd"):
        return None
    first = text.split(" ")[0]
    if not first.isupper() or len(first) == 1:
        text = text[0].lower() + text[1:]
    text = re.sub(r"\s+([,.;:])", r"\1", text) + "."
    lower = text.lower()
    if re.search(r"[^a-zA-Z ,.-]", text) or BROKEN.search(lower) or re.search(r"\b(?:a|an|the|of|with|and|or|is|are)\.$", lower):
        return None
    states = lab.statements(lower)
    if not states:
        return None
    where = lab.place(lower)
    positive = [l for l, s in states.items() if s != "absent"]
    if positive and SPECIFIC.search(lower):
        return None
    if positive and (where is False or (where != (None, None) and (len(positive) > 1 or len(states) > 1))):
        return None
    return Sentence(text, states, where or (None, None))


def _once(sentences, report):
    seen = {s.text for s in report.sentences}
    for sentence in sentences:
        if sentence.text not in seen:
            seen.add(sentence.text)
            yield sentence


def _agree(report):
    """Drops what the report's other sentences contradict, the denying before the asserting."""
    strength = {"present": 2, "uncertain": 1, "absent": 0}
    firm = {}
    for s in report.sentences:
        for label, state in s.states.items():
            if strength[state] > strength.get(firm.get(label), -1):
                firm[label] = state
    places = {}

    def stands(s):
        if any(firm[label] != state for label, state in s.states.items()):
            return False
        if s.overall and any(firm.get(label) in ("present", "uncertain") for label in ACUTE):
            return False
        for label, state in s.states.items():
            if state == "absent" or s.place == (None, None):
                continue
            if places.setdefault(label, s.place) != s.place:
                return False
        return True
    report.findings = [s for s in report.findings if stands(s)]
    report.impression = [s for s in report.impression if stands(s)]
