# English. This file awaits review by a native clinician.
#
# One message a line. Translate what stands right of the equals sign; keep each
# { $argument } exactly once; use no selectors. No two findings, and no two hedges, may
# read the same. A finding is written as it stands inside a sentence.

language-name = English
review-state = awaiting-native-clinician
review-note = The wording of this text has not been reviewed by a clinician who is a native speaker of English.

## Headings
title-report = Preliminary machine draft, not reviewed
title-abstention = Not read by the machine
title-failure = Reading by the machine failed
title-test = TEST IMAGE - not a patient. { $title }
heading-findings = Findings
heading-impression = Impression
heading-about = About this draft
heading-origin = Origin
about = About { $what }.
about-image = image { $value }
about-accession = accession { $value }
about-study = study of { $value }
about-patient = patient ID { $value }
made = Made by { $device } at { $time }.
clock = The device's clock was not synchronised then: this time may be wrong.

## What the image is
kind-radiograph = radiograph
kind-ultrasound = ultrasound image
kind-mammogram = mammogram
kind-ct = CT image
kind-mr = MR image
kind-image = image
region-chest = chest
region-lung = lung
region-heart = heart
region-abdomen = abdominal
region-pelvis = pelvic
region-breast = breast
region-head = head
region-spine = spine
region-hand = hand
region-wrist = wrist
region-knee = knee
region-ankle = ankle
region-foot = foot
region-hip = hip
region-shoulder = shoulder
region-elbow = elbow
view-pa = PA
view-ap = AP
view-left-lateral = left lateral
view-right-lateral = right lateral
view-lateral = lateral
view-right-decubitus = right lateral decubitus
view-left-decubitus = left lateral decubitus
view-right-oblique = right lateral oblique
view-left-oblique = left lateral oblique
image-of = { $region } { $kind }
image-view = { $image }, { $view } view
image-sentence = { $image }.
test-image = TEST IMAGE - not a patient: this image shows a phantom or another test object.

## Findings, in the clinician's words
finding-device = medical device
finding-foreign-body = foreign body
finding-opacity = lung opacity
finding-consolidation = consolidation
finding-pneumonia = pneumonia
finding-tuberculosis = tuberculosis
finding-infiltration = infiltration
finding-edema = pulmonary edema
finding-congestion = pulmonary congestion
finding-atelectasis = atelectasis
finding-emphysema = emphysema
finding-hyperinflation = hyperinflation
finding-fibrosis = fibrosis
finding-granuloma = granuloma
finding-nodule = lung nodule
finding-mass = lung mass
finding-lung-disorder = disorder of lung or pleura
finding-pneumothorax = pneumothorax
finding-effusion = pleural effusion
finding-pleural-thickening = pleural thickening
finding-cardiomegaly = cardiomegaly
finding-atherosclerosis = atherosclerosis
finding-hernia = hiatal hernia
finding-fracture = fracture
finding-scoliosis = scoliosis
finding-spine-degenerative = degenerative change of the spine
finding-free-air = free air under the diaphragm
finding-whether-normal = whether the image is normal
finding-nodule-or-mass = nodule or mass
finding-b-lines = B-lines
finding-cause = bacterial or viral cause
finding-bronchiolitis = bronchiolitis and hyperinflation
foreign-words = { $words }

## Where and how large
placed = { $finding } ({ $place })
side-right = right side
side-left = left side
side-both = both sides
zone-apex = apex
zone-upper = upper zone
zone-middle = middle zone
zone-lower = lower zone
zone-base = base
zone-hilum = hilum
size = { $mm } mm

## Lists
list-comma = { $a }, { $b }
list-semicolon = { $a }; { $b }
list-or = { $a } or { $b }
list-and = { $a } and { $b }

## How surely
hedge-likely = { $finding } is likely (estimated probability { $probability }).
hedge-suspected = { $finding } is suspected (estimated probability { $probability }).
hedge-may-well-be = { $finding } may well be present (estimated probability { $probability }).
hedge-possible = { $finding } is possible (estimated probability { $probability }).
hedge-cannot-be-excluded = { $finding } cannot be excluded (estimated probability { $probability }).
hedge-less-likely = { $finding } is less likely (estimated probability { $probability }), but is not excluded.
hedge-no-sign = No sign of { $list } was found.
no-sign-first = { $finding } (estimated probability { $probability })
no-sign-more = { $finding } ({ $probability })
name-likely = Likely
name-suspected = Suspected
name-may-well-be = May well be present
name-possible = Possible
name-cannot-be-excluded = Cannot be excluded
name-less-likely = Less likely
name-no-sign = Absent
percent = { $n } %
percent-least = less than 1 %
percent-most = more than 99 %
of-100 = { $n } of 100
of-100-least = less than 1 of 100
flagged = In development data, { $share } images flagged like this showed { $finding }.

## Against an earlier image
compared = Compared with the image of { $date }.
change-new = Since the image of { $date }, { $finding } is new.
change-larger = Since the image of { $date }, { $finding } is larger.
change-unchanged = Since the image of { $date }, { $finding } is unchanged.
change-smaller = Since the image of { $date }, { $finding } is smaller.
change-resolved = Since the image of { $date }, { $finding } is no longer seen.

## What was not looked for, and what limits the reading
not-assessed = Not assessed: { $list }; and anything else not named above. That they are not mentioned does not mean that they are absent.
not-assessed-other = Not assessed: anything else not named above. That it is not mentioned does not mean that it is absent.
note-age-unknown = The image's header does not say how old the patient is.
note-view-unknown = The image's header does not say which view this is.
note-ap-view = In an AP view the heart can look larger than it is.

## Impression
asked = The order asks about { $finding }.
asked-not-assessed = The order asks about { $finding }: this model does not assess it, and a clinician must look for it.
no-sign-of-all = No sign of the assessed findings ({ $list }) was found.
nothing-reached = No assessed finding reached an estimated probability of 10 %.
nothing-assessed = Nothing was assessed.
urgent = { $finding } can be urgent, so a clinician must look at this image without delay.
compare-earlier = Where earlier images exist, they should be compared with this one.
compare-prior = The image of { $date } should be looked at beside this one.
other-view = Where doubt remains, another view can help.
other-disease = Other disease is not excluded.
must-review = A clinician must review this image.

## About this draft
test-reading = This is the reading of a test image, not of a patient.
draft = This is an unreviewed draft made by a machine ({ $name } { $version }).
not-diagnosis = It is not a diagnosis and must be reviewed by a qualified clinician before anyone acts on it.
calibrated = Its probabilities were calibrated where { $list } images showed the finding, and are wrong where that differs.
calibrated-item = { $share } ({ $finding })
intended-use = Intended use: { $text }.
research-only = This model bundle is for research only: its reading must not be used for care.

## Where nothing was read
not-read = Not read.
because-abstention = Not read, because { $reason }.
because-failure = Reading failed: { $reason }.
unfit-too-small = Not read, because the image is smaller than 128 pixels on a side: send it in full size.
unfit-elongated = Not read, because the image is more than three times as long as it is wide: send the image of the chest alone.
unfit-blank = Not read, because the image is blank: check that the beam reached the detector, and repeat.
unfit-saturated = Not read, because most of the image is over- or underexposed to the end of the scale: check exposure and window, and repeat.
unfit-noise = Not read, because the image holds only noise: check exposure and detector, and repeat.
unfit-not-a-chest = Not read, because this does not look like a frontal chest radiograph: check which image was sent, and its header.
unfit-upside-down = Not read, because the image is upside down: turn it by 180 degrees, and send it again.
unfit-turned-left = Not read, because the image lies on its side, turned to the left: turn it to the right by 90 degrees, and send it again.
unfit-turned-right = Not read, because the image lies on its side, turned to the right: turn it to the left by 90 degrees, and send it again.
unfit-mirrored = Not read, because the image looks mirrored: check the side marker, and send it again the right way round.
unfit-inverted = Not read, because black and white are exchanged: correct the polarity, and send it again.
unfit-bases-cut-off = Not read, because both lung bases are cut off: repeat with the detector lower.
unfit-apices-cut-off = Not read, because both lung apices are cut off: repeat with the detector higher.
unfit-side-cut-off = Not read, because one side of the chest is cut off: repeat with the patient centred on the detector.
unfit-blurred = Not read, because the image is blurred, as by motion: repeat while patient and breath are held still.
next-no-model = A clinician must read this image.
next-unfit = A clinician must read this image and decide whether it is to be taken again.
next-no-pixels = If an image was meant to be sent, it must be sent again, and a clinician must read it.
next-undecodable = A clinician must read this image; whoever maintains the sender can change the form in which it is sent.
next-malformed = A clinician must read this image; whoever maintains the sender must be told that its file is faulty.
next-device = A clinician must read this image; whoever maintains this device must be told.
unread-notice = This is an unreviewed notice made by a machine: it says nothing about what the image shows.
unread-not-diagnosis = It is not a diagnosis, and the image must be read by a qualified clinician.
unread-test = This is about a test image, not about a patient.

## For the patient: plain words, short sentences
patient-title = What the computer saw in your picture
patient-awaiting = NOT FOR RELEASE: a clinician must accept the report first
patient-test = This is a test picture. It does not show a person.
patient-intro = A computer looked at this picture. It can be wrong.
patient-unread = The computer did not read this picture. A person must look at it.
patient-hedge-likely = It thinks that this is likely: { $finding }.
patient-hedge-suspected = It saw something that could be this: { $finding }.
patient-hedge-may-well-be = It thinks that there may well be this: { $finding }.
patient-hedge-possible = It thinks that this is possible: { $finding }.
patient-hedge-cannot-be-excluded = It cannot rule this out: { $finding }.
patient-hedge-less-likely = It thinks that this is less likely, but can not be sure: { $finding }.
patient-hedge-no-sign = It saw no sign of this: { $finding }.
patient-change-new = This was not seen in the last picture: { $finding }.
patient-change-larger = This is more than in the last picture: { $finding }.
patient-change-unchanged = This is the same as in the last picture: { $finding }.
patient-change-smaller = This is less than in the last picture: { $finding }.
patient-change-resolved = This was in the last picture and is no longer seen: { $finding }.
patient-asked-not-assessed = Your care team asked about this, and the computer can not look for it: { $finding }.
patient-not-assessed = It did not look for other things. You can still have them.
patient-urgent = This can be urgent: { $finding }. Ask a clinician today what it means.
patient-talk = Please talk with your clinician about what this means for you.
patient-keep = Do not start, stop or change any care because of this text.
patient-finding-device = a tube, wire or other thing put in by a doctor
patient-finding-foreign-body = a thing that should not be in the body
patient-finding-opacity = a hazy spot in the lungs
patient-finding-consolidation = a part of the lung filled with fluid
patient-finding-pneumonia = an infection of the lungs
patient-finding-tuberculosis = TB, a lung disease
patient-finding-infiltration = a cloudy part of the lungs
patient-finding-edema = water in the lungs
patient-finding-congestion = too much blood in the lungs
patient-finding-atelectasis = a part of the lung without air
patient-finding-emphysema = worn out air sacs in the lungs
patient-finding-hyperinflation = too much air in the lungs
patient-finding-fibrosis = scars in the lungs
patient-finding-granuloma = a small healed spot in the lungs
patient-finding-nodule = a small round spot in the lungs
patient-finding-mass = a large spot in the lungs
patient-finding-lung-disorder = something unusual in or around the lungs
patient-finding-pneumothorax = air between the lung and the chest wall
patient-finding-effusion = fluid around the lungs
patient-finding-pleural-thickening = a thick skin around the lungs
patient-finding-cardiomegaly = a large heart
patient-finding-atherosclerosis = hard blood vessels
patient-finding-hernia = a part of the stomach in the chest
patient-finding-fracture = a broken bone
patient-finding-scoliosis = a curved spine
patient-finding-spine-degenerative = wear of the spine
patient-finding-free-air = free air in the belly
