# Español. This file awaits review by a native clinician.
#
# Findings and hedges are joined by a colon, so that no gender has to agree.

language-name = Español
review-state = awaiting-native-clinician
review-note = La redacción de este texto no ha sido revisada por un clínico de lengua materna española.

## Headings
title-report = Borrador preliminar hecho por una máquina, sin revisar
title-abstention = No leído por la máquina
title-failure = La lectura por la máquina falló
title-test = IMAGEN DE PRUEBA - no es un paciente. { $title }
heading-findings = Hallazgos
heading-impression = Impresión
heading-about = Sobre este borrador
heading-origin = Origen
about = Se refiere a: { $what }.
about-image = imagen { $value }
about-accession = número de acceso { $value }
about-study = estudio del { $value }
about-patient = ID de paciente { $value }
made = Hecho por { $device } a las { $time }.
clock = El reloj del dispositivo no estaba sincronizado entonces: esta hora puede ser errónea.

## What the image is
kind-radiograph = radiografía
kind-ultrasound = ecografía
kind-mammogram = mamografía
kind-ct = imagen de TC
kind-mr = imagen de RM
kind-image = imagen
region-chest = tórax
region-lung = pulmón
region-heart = corazón
region-abdomen = abdomen
region-pelvis = pelvis
region-breast = mama
region-head = cabeza
region-spine = columna
region-hand = mano
region-wrist = muñeca
region-knee = rodilla
region-ankle = tobillo
region-foot = pie
region-hip = cadera
region-shoulder = hombro
region-elbow = codo
view-pa = PA
view-ap = AP
view-left-lateral = lateral izquierda
view-right-lateral = lateral derecha
view-lateral = lateral
view-right-decubitus = decúbito lateral derecho
view-left-decubitus = decúbito lateral izquierdo
view-right-oblique = oblicua lateral derecha
view-left-oblique = oblicua lateral izquierda
image-of = { $kind } de { $region }
image-view = { $image }, proyección { $view }
image-sentence = { $image }.
test-image = IMAGEN DE PRUEBA - no es un paciente: esta imagen muestra un fantoma u otro objeto de prueba.

## Findings, in the clinician's words
finding-device = dispositivo médico
finding-foreign-body = cuerpo extraño
finding-opacity = opacidad pulmonar
finding-consolidation = consolidación
finding-pneumonia = neumonía
finding-tuberculosis = tuberculosis
finding-infiltration = infiltrado
finding-edema = edema pulmonar
finding-congestion = congestión pulmonar
finding-atelectasis = atelectasia
finding-emphysema = enfisema
finding-hyperinflation = hiperinsuflación
finding-fibrosis = fibrosis
finding-granuloma = granuloma
finding-nodule = nódulo pulmonar
finding-mass = masa pulmonar
finding-lung-disorder = trastorno del pulmón o de la pleura
finding-pneumothorax = neumotórax
finding-effusion = derrame pleural
finding-pleural-thickening = engrosamiento pleural
finding-cardiomegaly = cardiomegalia
finding-atherosclerosis = aterosclerosis
finding-hernia = hernia de hiato
finding-fracture = fractura
finding-scoliosis = escoliosis
finding-spine-degenerative = cambios degenerativos de la columna
finding-free-air = aire libre bajo el diafragma
finding-whether-normal = si la imagen es normal
finding-nodule-or-mass = nódulo o masa
finding-b-lines = líneas B
finding-cause = causa bacteriana o viral
finding-bronchiolitis = bronquiolitis e hiperinsuflación
foreign-words = «{ $words }» [en]

## Where and how large
placed = { $finding } ({ $place })
side-right = lado derecho
side-left = lado izquierdo
side-both = ambos lados
zone-apex = vértice
zone-upper = zona superior
zone-middle = zona media
zone-lower = zona inferior
zone-base = base
zone-hilum = hilio
size = { $mm } mm

## Lists
list-comma = { $a }, { $b }
list-semicolon = { $a }; { $b }
list-or = { $a } ni { $b }
list-and = { $a }, { $b }

## How surely
hedge-likely = { $finding }: probable (probabilidad estimada { $probability }).
hedge-suspected = { $finding }: se sospecha (probabilidad estimada { $probability }).
hedge-may-well-be = { $finding }: bien puede estar presente (probabilidad estimada { $probability }).
hedge-possible = { $finding }: posible (probabilidad estimada { $probability }).
hedge-cannot-be-excluded = { $finding }: no se puede excluir (probabilidad estimada { $probability }).
hedge-less-likely = { $finding }: menos probable (probabilidad estimada { $probability }), pero no se excluye.
hedge-no-sign = No se observan signos de { $list }.
no-sign-first = { $finding } (probabilidad estimada { $probability })
no-sign-more = { $finding } ({ $probability })
name-likely = Probable
name-suspected = Se sospecha
name-may-well-be = Bien puede estar presente
name-possible = Posible
name-cannot-be-excluded = No se puede excluir
name-less-likely = Menos probable
name-no-sign = Ausente
percent = { $n } %
percent-least = menos del 1 %
percent-most = más del 99 %
of-100 = { $n } de cada 100
of-100-least = menos de 1 de cada 100
flagged = En los datos de desarrollo, de las imágenes señaladas así, { $share } mostraban: { $finding }.

## Against an earlier image
compared = Comparado con la imagen del { $date }.
change-new = Respecto a la imagen del { $date }, hallazgo nuevo: { $finding }.
change-larger = Respecto a la imagen del { $date }, hallazgo mayor: { $finding }.
change-unchanged = Respecto a la imagen del { $date }, hallazgo sin cambios: { $finding }.
change-smaller = Respecto a la imagen del { $date }, hallazgo menor: { $finding }.
change-resolved = Respecto a la imagen del { $date }, hallazgo que ya no se ve: { $finding }.

## What was not looked for, and what limits the reading
not-assessed = No evaluado: { $list }; y todo lo demás que no se nombra arriba. Que no se mencione no significa que esté ausente.
not-assessed-other = No evaluado: todo lo que no se nombra arriba. Que no se mencione no significa que esté ausente.
note-age-unknown = La cabecera de la imagen no dice la edad del paciente.
note-view-unknown = La cabecera de la imagen no dice de qué proyección se trata.
note-ap-view = En una proyección AP el corazón puede parecer mayor de lo que es.

## Impression
asked = La solicitud pregunta por: { $finding }.
asked-not-assessed = La solicitud pregunta por: { $finding }. Este modelo no lo evalúa, y un clínico debe buscarlo.
no-sign-of-all = No se observan signos de los hallazgos evaluados ({ $list }).
nothing-reached = Ningún hallazgo evaluado alcanzó una probabilidad estimada del 10 %.
nothing-assessed = No se evaluó nada.
urgent = { $finding }: puede ser urgente, por lo que un clínico debe mirar esta imagen sin demora.
compare-earlier = Si existen imágenes anteriores, deben compararse con esta.
compare-prior = La imagen del { $date } debe mirarse junto a esta.
other-view = Si persiste la duda, otra proyección puede ayudar.
other-disease = No se excluye otra enfermedad.
must-review = Un clínico debe revisar esta imagen.

## About this draft
test-reading = Esta es la lectura de una imagen de prueba, no de un paciente.
draft = Este es un borrador sin revisar hecho por una máquina ({ $name } { $version }).
not-diagnosis = No es un diagnóstico y debe revisarlo un clínico cualificado antes de que nadie actúe según él.
calibrated = Sus probabilidades se calibraron donde mostraban el hallazgo { $list } imágenes, y son erróneas donde eso es distinto.
calibrated-item = { $share } ({ $finding })
intended-use = Uso previsto (en inglés): { $text }.
research-only = Este modelo es solo para investigación: su lectura no debe usarse para la atención.

## Where nothing was read
not-read = No leído.
because-abstention = No leído; motivo (en inglés): { $reason }.
because-failure = La lectura falló; motivo (en inglés): { $reason }.
unfit-too-small = No leído: la imagen tiene menos de 128 píxeles de lado; hay que enviarla a tamaño completo.
unfit-elongated = No leído: la imagen es más de tres veces más larga que ancha; hay que enviar solo la imagen del tórax.
unfit-blank = No leído: la imagen está vacía; hay que comprobar que el haz llegó al detector y repetirla.
unfit-saturated = No leído: la mayor parte de la imagen está sobreexpuesta o subexpuesta hasta el límite de la escala; hay que comprobar la exposición y la ventana y repetirla.
unfit-noise = No leído: la imagen solo contiene ruido; hay que comprobar la exposición y el detector y repetirla.
unfit-not-a-chest = No leído: esto no parece una radiografía frontal de tórax; hay que comprobar qué imagen se envió y su cabecera.
unfit-upside-down = No leído: la imagen está boca abajo; hay que girarla 180 grados y enviarla de nuevo.
unfit-turned-left = No leído: la imagen está tumbada, girada a la izquierda; hay que girarla 90 grados a la derecha y enviarla de nuevo.
unfit-turned-right = No leído: la imagen está tumbada, girada a la derecha; hay que girarla 90 grados a la izquierda y enviarla de nuevo.
unfit-mirrored = No leído: la imagen parece reflejada como en un espejo; hay que comprobar el marcador de lado y enviarla de nuevo bien orientada.
unfit-inverted = No leído: el blanco y el negro están intercambiados; hay que corregir la polaridad y enviarla de nuevo.
unfit-bases-cut-off = No leído: las dos bases pulmonares están cortadas; hay que repetirla con el detector más abajo.
unfit-apices-cut-off = No leído: los dos vértices pulmonares están cortados; hay que repetirla con el detector más arriba.
unfit-side-cut-off = No leído: un lado del tórax está cortado; hay que repetirla con el paciente centrado en el detector.
unfit-blurred = No leído: la imagen está borrosa, como por movimiento; hay que repetirla con el paciente quieto y sin respirar.
next-no-model = Un clínico debe leer esta imagen.
next-unfit = Un clínico debe leer esta imagen y decidir si hay que repetirla.
next-no-pixels = Si se quería enviar una imagen, hay que enviarla de nuevo, y un clínico debe leerla.
next-undecodable = Un clínico debe leer esta imagen; quien mantiene el emisor puede cambiar la forma en que se envía.
next-malformed = Un clínico debe leer esta imagen; hay que avisar a quien mantiene el emisor de que su archivo es defectuoso.
next-device = Un clínico debe leer esta imagen; hay que avisar a quien mantiene este dispositivo.
unread-notice = Este es un aviso sin revisar hecho por una máquina: no dice nada de lo que muestra la imagen.
unread-not-diagnosis = No es un diagnóstico, y un clínico cualificado debe leer la imagen.
unread-test = Esto se refiere a una imagen de prueba, no a un paciente.

## For the patient: plain words, short sentences
patient-title = Lo que el ordenador vio en su imagen
patient-awaiting = NO ENTREGAR: antes un clínico debe aceptar el informe
patient-test = Esta es una imagen de prueba. No muestra a una persona.
patient-intro = Un ordenador miró esta imagen. Puede equivocarse.
patient-unread = El ordenador no leyó esta imagen. Una persona tiene que mirarla.
patient-hedge-likely = Cree que esto es probable: { $finding }.
patient-hedge-suspected = Vio algo que podría ser esto: { $finding }.
patient-hedge-may-well-be = Cree que bien puede haber esto: { $finding }.
patient-hedge-possible = Cree que esto es posible: { $finding }.
patient-hedge-cannot-be-excluded = No puede descartar esto: { $finding }.
patient-hedge-less-likely = Cree que esto es menos probable, pero no está seguro: { $finding }.
patient-hedge-no-sign = No vio señales de esto: { $finding }.
patient-change-new = Esto no se veía en la imagen anterior: { $finding }.
patient-change-larger = Esto es más que en la imagen anterior: { $finding }.
patient-change-unchanged = Esto está igual que en la imagen anterior: { $finding }.
patient-change-smaller = Esto es menos que en la imagen anterior: { $finding }.
patient-change-resolved = Esto estaba en la imagen anterior y ya no se ve: { $finding }.
patient-asked-not-assessed = Su equipo médico preguntó por esto, y el ordenador no puede buscarlo: { $finding }.
patient-not-assessed = No buscó otras cosas. Usted aún puede tenerlas.
patient-urgent = Esto puede ser urgente: { $finding }. Pregunte hoy mismo a un clínico qué significa.
patient-talk = Por favor, hable con su clínico sobre lo que esto significa para usted.
patient-keep = No empiece, deje ni cambie ningún tratamiento por este texto.
patient-finding-device = un tubo, cable u otro objeto puesto por un médico
patient-finding-foreign-body = un objeto que no debería estar en el cuerpo
patient-finding-opacity = una zona borrosa en los pulmones
patient-finding-consolidation = una parte del pulmón llena de líquido
patient-finding-pneumonia = una infección de los pulmones
patient-finding-tuberculosis = tuberculosis, una enfermedad de los pulmones
patient-finding-infiltration = una zona turbia en los pulmones
patient-finding-edema = agua en los pulmones
patient-finding-congestion = demasiada sangre en los pulmones
patient-finding-atelectasis = una parte del pulmón sin aire
patient-finding-emphysema = bolsas de aire gastadas en los pulmones
patient-finding-hyperinflation = demasiado aire en los pulmones
patient-finding-fibrosis = cicatrices en los pulmones
patient-finding-granuloma = una pequeña mancha curada en los pulmones
patient-finding-nodule = una pequeña mancha redonda en los pulmones
patient-finding-mass = una mancha grande en los pulmones
patient-finding-lung-disorder = algo fuera de lo normal en los pulmones o alrededor de ellos
patient-finding-pneumothorax = aire entre el pulmón y la pared del pecho
patient-finding-effusion = líquido alrededor de los pulmones
patient-finding-pleural-thickening = la piel que rodea los pulmones más gruesa
patient-finding-cardiomegaly = un corazón grande
patient-finding-atherosclerosis = vasos sanguíneos endurecidos
patient-finding-hernia = una parte del estómago dentro del pecho
patient-finding-fracture = un hueso roto
patient-finding-scoliosis = la columna torcida
patient-finding-spine-degenerative = desgaste de la columna
patient-finding-free-air = aire libre en el vientre
