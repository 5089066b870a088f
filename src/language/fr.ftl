# Français. This file awaits review by a native clinician.
#
# Findings and hedges are joined by a colon, so that no gender has to agree.

language-name = Français
review-state = awaiting-native-clinician
review-note = La formulation de ce texte n’a pas été relue par un clinicien de langue maternelle française.

## Headings
title-report = Brouillon préliminaire fait par une machine, non relu
title-abstention = Non lu par la machine
title-failure = La lecture par la machine a échoué
title-test = IMAGE D’ESSAI - pas un patient. { $title }
heading-findings = Résultats
heading-impression = Conclusion
heading-about = À propos de ce brouillon
heading-origin = Origine
about = Concerne : { $what }.
about-image = image { $value }
about-accession = numéro d’accès { $value }
about-study = examen du { $value }
about-patient = identifiant du patient { $value }
made = Fait par { $device } à { $time }.
clock = L’horloge de l’appareil n’était pas synchronisée : cette heure peut être fausse.

## What the image is
kind-radiograph = radiographie
kind-ultrasound = échographie
kind-mammogram = mammographie
kind-ct = image de scanner
kind-mr = image d’IRM
kind-image = image
region-chest = thorax
region-lung = poumon
region-heart = cœur
region-abdomen = abdomen
region-pelvis = bassin
region-breast = sein
region-head = tête
region-spine = rachis
region-hand = main
region-wrist = poignet
region-knee = genou
region-ankle = cheville
region-foot = pied
region-hip = hanche
region-shoulder = épaule
region-elbow = coude
view-pa = PA
view-ap = AP
view-left-lateral = profil gauche
view-right-lateral = profil droit
view-lateral = profil
view-right-decubitus = décubitus latéral droit
view-left-decubitus = décubitus latéral gauche
view-right-oblique = oblique latérale droite
view-left-oblique = oblique latérale gauche
image-of = { $kind }, région : { $region }
image-view = { $image }, incidence : { $view }
image-sentence = { $image }.
test-image = IMAGE D’ESSAI - pas un patient : cette image montre un fantôme ou un autre objet d’essai.

## Findings, in the clinician's words
finding-device = dispositif médical
finding-foreign-body = corps étranger
finding-opacity = opacité pulmonaire
finding-consolidation = condensation
finding-pneumonia = pneumonie
finding-tuberculosis = tuberculose
finding-infiltration = infiltrat
finding-edema = œdème pulmonaire
finding-congestion = congestion pulmonaire
finding-atelectasis = atélectasie
finding-emphysema = emphysème
finding-hyperinflation = hyperinflation
finding-fibrosis = fibrose
finding-granuloma = granulome
finding-nodule = nodule pulmonaire
finding-mass = masse pulmonaire
finding-lung-disorder = atteinte du poumon ou de la plèvre
finding-pneumothorax = pneumothorax
finding-effusion = épanchement pleural
finding-pleural-thickening = épaississement pleural
finding-cardiomegaly = cardiomégalie
finding-atherosclerosis = athérosclérose
finding-hernia = hernie hiatale
finding-fracture = fracture
finding-scoliosis = scoliose
finding-spine-degenerative = remaniement dégénératif du rachis
finding-free-air = air libre sous le diaphragme
finding-whether-normal = caractère normal de l’image
finding-nodule-or-mass = nodule ou masse
finding-b-lines = lignes B
finding-cause = cause bactérienne ou virale
finding-bronchiolitis = bronchiolite et hyperinflation
foreign-words = « { $words } » [en]

## Where and how large
placed = { $finding } ({ $place })
side-right = côté droit
side-left = côté gauche
side-both = deux côtés
zone-apex = apex
zone-upper = zone supérieure
zone-middle = zone moyenne
zone-lower = zone inférieure
zone-base = base
zone-hilum = hile
size = { $mm } mm

## Lists
list-comma = { $a }, { $b }
list-semicolon = { $a } ; { $b }
list-or = { $a } ou { $b }
list-and = { $a } et { $b }

## How surely
hedge-likely = { $finding } : probable (probabilité estimée { $probability }).
hedge-suspected = { $finding } : suspicion (probabilité estimée { $probability }).
hedge-may-well-be = { $finding } : présence assez vraisemblable (probabilité estimée { $probability }).
hedge-possible = { $finding } : possible (probabilité estimée { $probability }).
hedge-cannot-be-excluded = { $finding } : ne peut être exclu (probabilité estimée { $probability }).
hedge-less-likely = { $finding } : moins probable (probabilité estimée { $probability }), mais non exclu.
hedge-no-sign = Aucun signe visible : { $list }.
no-sign-first = { $finding } (probabilité estimée { $probability })
no-sign-more = { $finding } ({ $probability })
name-likely = Probable
name-suspected = Suspicion
name-may-well-be = Présence assez vraisemblable
name-possible = Possible
name-cannot-be-excluded = Ne peut être exclu
name-less-likely = Moins probable
name-no-sign = Absent
percent = { $n } %
percent-least = moins de 1 %
percent-most = plus de 99 %
of-100 = { $n } sur 100
of-100-least = moins de 1 sur 100
flagged = Dans les données de développement, { $share } images signalées ainsi montraient : { $finding }.

## Against an earlier image
compared = Comparé à l’image du { $date }.
change-new = Depuis l’image du { $date }, élément nouveau : { $finding }.
change-larger = Depuis l’image du { $date }, élément plus étendu : { $finding }.
change-unchanged = Depuis l’image du { $date }, élément inchangé : { $finding }.
change-smaller = Depuis l’image du { $date }, élément moins étendu : { $finding }.
change-resolved = Depuis l’image du { $date }, élément qui ne se voit plus : { $finding }.

## What was not looked for, and what limits the reading
not-assessed = Non évalué : { $list } ; et tout ce qui n’est pas nommé ci-dessus. Ne pas être mentionné ne veut pas dire être absent.
not-assessed-other = Non évalué : tout ce qui n’est pas nommé ci-dessus. Ne pas être mentionné ne veut pas dire être absent.
note-age-unknown = L’en-tête de l’image ne dit pas l’âge du patient.
note-view-unknown = L’en-tête de l’image ne dit pas de quelle incidence il s’agit.
note-ap-view = Sur une incidence AP, le cœur peut paraître plus grand qu’il n’est.

## Impression
asked = La demande porte sur : { $finding }.
asked-not-assessed = La demande porte sur : { $finding }. Ce modèle ne l’évalue pas, et un clinicien doit le rechercher.
no-sign-of-all = Aucun signe des éléments évalués ({ $list }).
nothing-reached = Aucun élément évalué n’a atteint une probabilité estimée de 10 %.
nothing-assessed = Rien n’a été évalué.
urgent = { $finding } : peut être urgent, un clinicien doit donc regarder cette image sans délai.
compare-earlier = S’il existe des images antérieures, il faut les comparer à celle-ci.
compare-prior = L’image du { $date } doit être regardée à côté de celle-ci.
other-view = Si un doute subsiste, une autre incidence peut aider.
other-disease = Une autre maladie n’est pas exclue.
must-review = Un clinicien doit relire cette image.

## About this draft
test-reading = Ceci est la lecture d’une image d’essai, et non d’un patient.
draft = Ceci est un brouillon non relu, fait par une machine ({ $name } { $version }).
not-diagnosis = Ce n’est pas un diagnostic ; un clinicien qualifié doit le relire avant que quiconque agisse.
calibrated = Ses probabilités ont été calibrées là où { $list } images montraient l’élément, et sont fausses là où c’est différent.
calibrated-item = { $share } ({ $finding })
intended-use = Usage prévu (en anglais) : { $text }.
research-only = Ce modèle est réservé à la recherche : sa lecture ne doit pas servir aux soins.

## Where nothing was read
not-read = Non lu.
because-abstention = Non lu ; raison (en anglais) : { $reason }.
because-failure = La lecture a échoué ; raison (en anglais) : { $reason }.
unfit-too-small = Non lu : l’image a moins de 128 pixels de côté ; il faut l’envoyer en taille réelle.
unfit-elongated = Non lu : l’image est plus de trois fois plus longue que large ; il faut envoyer l’image du thorax seule.
unfit-blank = Non lu : l’image est vide ; il faut vérifier que le faisceau a atteint le détecteur, et la refaire.
unfit-saturated = Non lu : la plus grande partie de l’image est surexposée ou sous-exposée jusqu’au bout de l’échelle ; il faut vérifier l’exposition et la fenêtre, et la refaire.
unfit-noise = Non lu : l’image ne contient que du bruit ; il faut vérifier l’exposition et le détecteur, et la refaire.
unfit-not-a-chest = Non lu : ceci ne ressemble pas à une radiographie du thorax de face ; il faut vérifier quelle image a été envoyée, et son en-tête.
unfit-upside-down = Non lu : l’image est à l’envers ; il faut la tourner de 180 degrés et l’envoyer à nouveau.
unfit-turned-left = Non lu : l’image est couchée, tournée vers la gauche ; il faut la tourner de 90 degrés vers la droite et l’envoyer à nouveau.
unfit-turned-right = Non lu : l’image est couchée, tournée vers la droite ; il faut la tourner de 90 degrés vers la gauche et l’envoyer à nouveau.
unfit-mirrored = Non lu : l’image semble inversée comme dans un miroir ; il faut vérifier le repère de côté et l’envoyer à nouveau dans le bon sens.
unfit-inverted = Non lu : le noir et le blanc sont échangés ; il faut corriger la polarité et l’envoyer à nouveau.
unfit-bases-cut-off = Non lu : les deux bases pulmonaires sont coupées ; il faut la refaire avec le détecteur plus bas.
unfit-apices-cut-off = Non lu : les deux sommets pulmonaires sont coupés ; il faut la refaire avec le détecteur plus haut.
unfit-side-cut-off = Non lu : un côté du thorax est coupé ; il faut la refaire avec le patient centré sur le détecteur.
unfit-blurred = Non lu : l’image est floue, comme par un mouvement ; il faut la refaire avec le patient immobile, en apnée.
next-no-model = Un clinicien doit lire cette image.
next-unfit = Un clinicien doit lire cette image et décider s’il faut la refaire.
next-no-pixels = Si une image devait être envoyée, il faut l’envoyer à nouveau, et un clinicien doit la lire.
next-undecodable = Un clinicien doit lire cette image ; le responsable de l’émetteur peut changer la forme de l’envoi.
next-malformed = Un clinicien doit lire cette image ; il faut dire au responsable de l’émetteur que son fichier est défectueux.
next-device = Un clinicien doit lire cette image ; il faut prévenir le responsable de cet appareil.
unread-notice = Ceci est un avis non relu, fait par une machine : il ne dit rien de ce que montre l’image.
unread-not-diagnosis = Ce n’est pas un diagnostic, et un clinicien qualifié doit lire l’image.
unread-test = Ceci concerne une image d’essai, et non un patient.

## For the patient: plain words, short sentences
patient-title = Ce que l’ordinateur a vu sur votre image
patient-awaiting = NE PAS REMETTRE : un clinicien doit d’abord accepter le compte rendu
patient-test = C’est une image d’essai. Elle ne montre personne.
patient-intro = Un ordinateur a regardé cette image. Il peut se tromper.
patient-unread = L’ordinateur n’a pas lu cette image. Une personne doit la regarder.
patient-hedge-likely = Il pense que ceci est probable : { $finding }.
patient-hedge-suspected = Il a vu quelque chose qui pourrait être ceci : { $finding }.
patient-hedge-may-well-be = Il pense qu’il peut bien y avoir ceci : { $finding }.
patient-hedge-possible = Il pense que ceci est possible : { $finding }.
patient-hedge-cannot-be-excluded = Il ne peut pas écarter ceci : { $finding }.
patient-hedge-less-likely = Il pense que ceci est moins probable, mais n’en est pas sûr : { $finding }.
patient-hedge-no-sign = Il n’a pas vu de signe de ceci : { $finding }.
patient-change-new = Ceci ne se voyait pas sur l’image d’avant : { $finding }.
patient-change-larger = Il y en a plus que sur l’image d’avant : { $finding }.
patient-change-unchanged = C’est pareil que sur l’image d’avant : { $finding }.
patient-change-smaller = Il y en a moins que sur l’image d’avant : { $finding }.
patient-change-resolved = Ceci était sur l’image d’avant et ne se voit plus : { $finding }.
patient-asked-not-assessed = Votre équipe de soins veut savoir ceci, mais l’ordinateur ne peut pas le chercher : { $finding }.
patient-not-assessed = Il n’a pas cherché autre chose. Vous pouvez quand même l’avoir.
patient-urgent = Ceci peut être urgent : { $finding }. Demandez aujourd’hui à un clinicien ce que cela veut dire.
patient-talk = Parlez avec votre clinicien de ce que cela veut dire pour vous.
patient-keep = Ne commencez, n’arrêtez et ne changez aucun soin à cause de ce texte.
patient-finding-device = un tube, un fil ou un autre objet mis par un médecin
patient-finding-foreign-body = un objet qui ne devrait pas être dans le corps
patient-finding-opacity = une zone floue dans les poumons
patient-finding-consolidation = une partie du poumon pleine de liquide
patient-finding-pneumonia = une infection des poumons
patient-finding-tuberculosis = la tuberculose, une maladie des poumons
patient-finding-infiltration = une zone trouble dans les poumons
patient-finding-edema = de l’eau dans les poumons
patient-finding-congestion = trop de sang dans les poumons
patient-finding-atelectasis = une partie du poumon sans air
patient-finding-emphysema = des poches d’air usées dans les poumons
patient-finding-hyperinflation = trop d’air dans les poumons
patient-finding-fibrosis = des cicatrices dans les poumons
patient-finding-granuloma = une petite tache guérie dans les poumons
patient-finding-nodule = une petite tache ronde dans les poumons
patient-finding-mass = une grande tache dans les poumons
patient-finding-lung-disorder = quelque chose d’inhabituel dans les poumons ou autour d’eux
patient-finding-pneumothorax = de l’air entre le poumon et la paroi de la poitrine
patient-finding-effusion = du liquide autour des poumons
patient-finding-pleural-thickening = une peau épaisse autour des poumons
patient-finding-cardiomegaly = un grand cœur
patient-finding-atherosclerosis = des vaisseaux durcis
patient-finding-hernia = une partie de l’estomac dans la poitrine
patient-finding-fracture = un os cassé
patient-finding-scoliosis = une colonne courbée
patient-finding-spine-degenerative = une usure de la colonne
patient-finding-free-air = de l’air libre dans le ventre
