"""What the bundle is: its words, its bounds, its training. Nothing here computes."""

from recipes import Finding

NAME = "lung-ultrasound"
VERSION = "0.1.0"
TITLE = "Lung ultrasound, convex probe: any disorder of lung or pleura, research only"
SIZE = 96
STEPS = 600
LEARNING_RATE = 3e-3
SEED = 1
FINDING = Finding("lung-disorder", "disorder of lung or pleura", "19829001", "Disorder of lung")
MODALITY = ("US",)
BODY_PART = ("LUNG", "CHEST", "THORAX")
AGE_YEARS = (18, 90)
SPECIFICITY = 0.95  # asked of present_above
SENSITIVITY = 0.95  # asked of absent_below
MISSED = 0.02  # largest share of positives among clips called absent
MISSED_AT_MOST = 0.10  # upper bound of it, with which absent may be said at all
INTENDED_USE = (
    "Research only: a draft score, by clip, for whether a lung ultrasound clip of a convex probe shows "
    "a disorder of lung or pleura in an adult. It does not say which. To be checked by a qualified reader."
)
FORBIDDEN_USE = (
    "Not for care: its data's licences allow research only. Not for diagnosis, triage or ruling out disease; not for "
    "linear or phased-array probes, other body parts, children or other modalities; not a basis for withholding a human reading."
)
LICENCE = (
    "Research only: trained on clips under CC BY 4.0, CC BY 2.0, CC BY-NC 4.0, CC BY-NC-SA 4.0 and a COVID-19 emergency "
    "licence, the larger part of them non-commercial"
)
SOURCES = (
    "COVID-19 ultrasound dataset (Born J et al., Applied Sciences 2021), convex clips; licences by clip: CC BY 4.0, "
    "CC BY-NC 4.0, CC BY-NC-SA 4.0, COVID-19 emergency licence",
)
ATTRIBUTION = (
    "Born J, Wiedemann N, Cossio M, et al. Accelerating Detection of Lung Pathologies with Explainable Ultrasound Image "
    "Analysis. Applied Sciences 11(2):672, 2021: clips and stills gathered from Northumbria Specialist Emergency Care "
    "Hospital, Charlotte (healthy volunteers), The POCUS Atlas, LITFL, emDocs, St Emlyn's, The Ultrasound Journal, SciELO and "
    "PMC articles, each under the licence that the index states. Convex probe only; one class that is uncertain is left out."
)
NOT_ASSESSED = (
    "consolidation", "pleural effusion", "B-lines", "pneumothorax", "pneumonia", "pulmonary edema", "atelectasis",
    "pleural thickening", "bacterial or viral cause", "whether the image is normal",
)
KNOWN_FAILURES = (
    "54 patient groups stand in the index and 52 of them here: every interval is wide, and a subgroup says next to nothing.",
    "Normal and abnormal clips come mostly from different publishers and machines. Text and graphics are masked, the sector's "
    "outline and gain are varied in training and sources are balanced; part of the pooled figure may still be the source. Within a "
    "source this cannot be: see that row.",
    "Diffuse B-lines (interstitial pattern) are missed most often: few patients show them here, and bright bands between "
    "rib shadows of a normal lung look alike.",
    "The class is what the publisher said the clip shows, not a verified diagnosis; clips of a sick patient that look normal "
    "are labelled abnormal, and flags of findings mean not noted where they are 0.",
    "The clips are what people chose to publish: clear cases. Real clips are duller, and figures will be lower.",
    "It believes the header: a heart or abdominal scan whose body part is CHEST is read. It cannot tell a linear probe from a "
    "convex one.",
    "All clips are 8-bit JPEG renditions of at most 256 pixels, most of them cropped to a square around the sector by whoever "
    "collected them: whole screens of a scanner were seen in none of the trainings.",
    "A clip is read by eight frames that are judged one by one: lung sliding, lung point and anything else that is motion is "
    "not seen.",
)
TRIED = (
    "128 x 128 pixels and 400 steps, a slope of gain over depth twice as steep: 0.869 [0.750, 0.944] pooled, 0.909 [0.788, 0.969] "
    "within source, by the same folds. It had not converged (mean loss 0.57 to 0.61), hence more steps.",
    "In the trainings of 0.1.0 three clips had a sector that was a little smaller or larger (without the second pass of the mask's "
    "steps 2 to 4; mean difference of their pixels up to 0.03 of the range); every figure is of the mask that ships.",
)
