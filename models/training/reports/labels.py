"""What a sentence says of each label of the closed vocabulary: present, uncertain or absent.

A small labeler for making training pairs: it reads one sentence, and says so when it does not
understand it (``None``), so that the sentence can be dropped. It is not the guard's.
"""

import re

# Kebab-case label: the words that name it. Order matters: the first that matches takes the words.
TERMS = {
    "pneumothorax": r"pneumothora(?:x|ces)(?:es)?|hydropneumothorax",
    "effusion": r"(?:pleural |parapneumonic )?effusions?|pleural fluid(?: collections?)?",
    "edema": r"(?:pulmonary |interstitial |alveolar )*edema",
    "congestion": r"(?:pulmonary |venous |central )*(?:vascular )?congestion|vascular engorgement",
    "pneumonia": r"(?:broncho)?pneumonias?|pneumonic process|pneumonitis",
    "infiltration": r"infiltrat(?:es?|ions?)",
    "consolidation": r"(?:air ?space |airspace |alveolar )?consolidations?|alveolar process",
    "opacity": r"(?:air ?space |alveolar |interstitial |lung |pulmonary |parenchymal )*(?:opacit(?:y|ies)|opacifications?)|(?:air ?space|airspace|parenchymal|lung|alveolar|interstitial) (?:diseases?|process|abnormality|abnormalities)",
    "atelectasis": r"atelecta(?:sis|ses|tic changes?|tic)|collapse",
    "mass": r"mass(?:es)?(?: lesions?)?",
    "nodule": r"(?:pulmonary |lung )?nodul(?:es?|ar density)|noncalcified nodules?",
    "granuloma": r"(?:calcified )?granulomas?|granulomatous (?:disease|changes?|calcifications?|process|infection)|granulomata",
    "fibrosis": r"fibrosis|fibrotic changes?|scarring|scars?|cicatrix|fibronodular scarring",
    "emphysema": r"emphysema(?:tous changes?|tous)?|copd|chronic obstructive pulmonary disease|hyperinflat(?:ed|ion)|hyperexpan(?:ded|sion)|hyperaerat(?:ed|ion)",
    "pleural-thickening": r"pleural (?:thickening|plaques?)",
    "hernia": r"(?:hiatal |hiatus )?hernias?",
    "fracture": r"(?:rib |compression |clavicle |clavicular )*(?:fractures?|fracture deformit(?:y|ies))",
    "scoliosis": r"(?:dextro|levo)?scoliosis|scoliotic curvature",
    "spine-degenerative": r"degenerative (?:changes?|disease|disc disease|disk disease|spurring|endplate changes?|osteophytes?|osteophytosis)|spondylosis|osteophytes?|osteophytosis|endplate (?:spurring|changes?)",
    "atherosclerosis": r"atheroscl\w+(?: (?:changes?|disease))?|tortuous (?:thoracic )?aorta|(?:thoracic )?aort(?:a|ic) (?:tortuosity|is tortuous)|(?:thoracic )?aorta is (?:ectatic|tortuous)|ectatic (?:thoracic )?aorta",
    "cardiomegaly": r"cardiomegaly|cardiac enlargement|enlarged heart|enlargement of the (?:heart|cardiac silhouette|cardiomediastinal silhouette)|(?:enlarged|prominent) (?:cardiac|cardiomediastinal) silhouette|(?:heart(?: size)?|cardiac silhouette|cardiomediastinal silhouette)(?: size)? (?:is|appears|are) (?:at the upper limits of normal and )?(?:enlarged|prominent)",
    "device": r"medical devices?|(?:central venous |dialysis |venous )*catheters?|picc(?: line)?|(?:chest )?ports?|port-a-cath|mediport|pacemakers?|pacing leads?|pacer|aicd|icd|defibrillator|(?:surgical |cholecystectomy )?clips?|(?:median )?sternotomy(?: wires| sutures| changes)?|sternal wires|(?:endotracheal |nasogastric |enteric |tracheostomy |ng |et |chest )+tubes?|central line|stents?|valve replacement|prosthetic valve",
}
LABELS = tuple(TERMS)
TERM = {label: re.compile(rf"\b(?:{words})\b") for label, words in TERMS.items()}

# Whole statements of normality, and what they deny.
PARENCHYMA = ("opacity", "consolidation", "infiltration", "pneumonia", "atelectasis", "edema", "nodule", "mass",
              "granuloma", "fibrosis")
_FINE = r"(?:normal|unremarkable|within normal limits?|not enlarged|preserved|stable and normal|intact|clear)"
_HEART = r"(?:heart|cardiac|cardio ?mediastinal|cardiomediastinal)"
NORMAL = [
    (re.compile(rf"\b{_HEART}\b[\w ,/]*\b{_FINE}"), ("cardiomegaly",)),
    (re.compile(rf"\bnormal (?:{_HEART})\b|\bnormal heart\b|\bno(?:t| evidence of)? (?:\w+ )?(?:cardiac|heart) enlargement"), ("cardiomegaly",)),
    (re.compile(rf"\b(?:pulmonary )?(?:vascularity|vasculature|vascular (?:pattern|markings))\b[\w ,/]*\b{_FINE}|\bnormal (?:pulmonary )?(?:vascularity|vasculature|vascular (?:pattern|markings))"), ("congestion",)),
    (re.compile(r"\b(?:lungs?|lung (?:fields|zones)|lung parenchyma)\b(?: and pleural spaces?)?[\w ,/]*\b(?:clear|unremarkable|normal)\b|\bclear (?:bilaterally|lungs?)|\blungs clear"), PARENCHYMA),
]
# Statements about the whole that name no label; fit to stand only where nothing acute is present.
OVERALL = re.compile(
    r"^(?:(?:there (?:is|are) )?(?:no|without)(?: evidence (?:of|for))?(?: (?:an|any))?(?: radiographic(?:ally)?(?: evidence of)?| definite)? "
    r"(?:acute|active)(?: or active)?(?: radiographic)?(?: cardiac,? pulmonary(?:,)? or pleural| cardiopulmonary| cardiac| pulmonary| intrathoracic| chest| thoracic)*"
    r" (?:abnormalit(?:y|ies)|findings?|disease|process(?:es)?|pathology)(?: (?:is |are )?(?:identified|seen|noted|demonstrated|visualized|evident))?"
    r"|(?:essentially )?(?:normal|negative) (?:chest|exam|examination|study)(?: (?:radiograph|x-ray|exam|examination|film)s?)?"
    r"|negative for acute (?:abnormality|cardiopulmonary (?:abnormality|disease|process))"
    r"|no acute (?:abnormality|disease|findings|process))\.$")

NEGATION = re.compile(
    r"\b(?:no|not|without|negative for|free of|clear of|absence of|absent|neither|nor|rather than|deny|denies|resolved|lack of|resolution)\b")
# A negation ends here: what follows is said anew.
TURN = re.compile(r"\b(?:but|however|although|though|except|other than|aside from|apart from|with|there (?:is|are)|which|consistent|compatible)\b|;|:")
DOUBT = re.compile(
    r"\b(?:may|might|could|possibly|possible|possibility|probabl[ey]|likely|suspected|suspicious|suggest\w*|question\w*|suspicion|"
    r"borderline|versus|vs|or|perhaps|cannot be|not exclude\w*|not excluded|presumably|presumed|concerning|equivocal|top normal|upper limits?|represent\w*|appears?)\b")
FIRM_OR = re.compile(r"\bor\b")


def statements(sentence):
    """``{label: state}`` of one lower-case sentence, or ``None`` where it contradicts itself."""
    states = {}
    taken = [False] * len(sentence)
    for label, term in TERM.items():
        for match in term.finditer(sentence):
            if any(taken[match.start():match.end()]):
                continue
            taken[match.start():match.end()] = [True] * (match.end() - match.start())
            if not _put(states, label, _state(sentence, match.start(), match.end())):
                return None
    for pattern, labels in NORMAL:
        match = pattern.search(sentence)
        if match and "not " not in match.group(0).replace("not enlarged", "") and " no " not in f" {match.group(0)}"[4:]:
            for label in labels:
                if label in states and states[label] != "absent":
                    return None
                states[label] = "absent"
    return states


def _put(states, label, state):
    if states.get(label, state) != state:
        return False
    states[label] = state
    return True


def _state(sentence, start, end):
    before = sentence[:start]
    turns = [m.end() for m in TURN.finditer(before)]
    clause = before[turns[-1]:] if turns else before
    # "There is no …": the turn word itself opens the clause that negates.
    after = sentence[end:end + 45].split(",")[0].split(";")[0]
    if re.search(r"\b(?:cannot|not) (?:be )?(?:completely |entirely )?(?:exclude\w*|ruled out)", sentence):
        return "uncertain"
    if NEGATION.search(clause) or re.match(r"[\w ,]{0,30}\b(?:is|are|was|were) (?:not (?:seen|identified|present|visualized|evident|demonstrated)|absent)", after):
        return "absent"
    doubt = DOUBT.search(FIRM_OR.sub(" ", clause)) or re.match(r"[\w ]{0,30}\b(?:is|are|cannot be) (?:possible|suspected|questioned|likely|not excluded|excluded)", after)
    if not doubt and FIRM_OR.search(clause):
        doubt = True
    if not doubt and re.match(r" (?:or|versus|vs\.?) ", sentence[end:]):
        doubt = True
    return "uncertain" if doubt else "present"


SIDES = [("both", re.compile(r"\bbilateral(?:ly)?\b|\bboth\b")), ("left", re.compile(r"\bleft(?:-sided)?\b")),
         ("right", re.compile(r"\bright(?:-sided)?\b"))]
ZONES = [
    ("apex", re.compile(r"\b(?:apex|apical|apices|biapical)\b")),
    ("upper", re.compile(r"\bupper\b")),
    ("middle", re.compile(r"\b(?:mid|middle|midlung|lingula\w*)\b")),
    ("lower", re.compile(r"\blower\b")),
    ("base", re.compile(r"\b(?:base|bases|basilar|basal|bibasilar|bibasal)\b")),
    ("hilum", re.compile(r"\b(?:perihilar|hilar|hilum)\b")),
]
BOTH = re.compile(r"\b(?:bibasilar|bibasal|biapical)\b")


def place(sentence):
    """Side and zone that a sentence names: ``(side, zone)``, ``None`` for none, ``False`` where several."""
    sides = [name for name, words in SIDES if words.search(sentence)]
    if BOTH.search(sentence):
        sides.append("both")
    sides = sorted(set(sides))
    if sides in (["left", "right"], ["both", "left", "right"]):
        return False
    zones = [name for name, words in ZONES if words.search(sentence)]
    if len(sides) > 1 or len(zones) > 1:
        return False
    return (sides[0] if sides else None, zones[0] if zones else None)
