# Português. This file awaits review by a native clinician.
#
# Findings and hedges are joined by a colon, so that no gender has to agree.

language-name = Português
review-state = awaiting-native-clinician
review-note = A redação deste texto não foi revista por um clínico de língua materna portuguesa.

## Headings
title-report = Rascunho preliminar feito por uma máquina, não revisto
title-abstention = Não lido pela máquina
title-failure = A leitura pela máquina falhou
title-test = IMAGEM DE TESTE - não é um paciente. { $title }
heading-findings = Achados
heading-impression = Impressão
heading-about = Sobre este rascunho
heading-origin = Origem
about = Refere-se a: { $what }.
about-image = imagem { $value }
about-accession = número de acesso { $value }
about-study = estudo de { $value }
about-patient = ID do paciente { $value }
made = Feito por { $device } às { $time }.
clock = O relógio do dispositivo não estava sincronizado: esta hora pode estar errada.

## What the image is
kind-radiograph = radiografia
kind-ultrasound = ecografia
kind-mammogram = mamografia
kind-ct = imagem de TC
kind-mr = imagem de RM
kind-image = imagem
region-chest = tórax
region-lung = pulmão
region-heart = coração
region-abdomen = abdome
region-pelvis = pelve
region-breast = mama
region-head = cabeça
region-spine = coluna
region-hand = mão
region-wrist = punho
region-knee = joelho
region-ankle = tornozelo
region-foot = pé
region-hip = anca
region-shoulder = ombro
region-elbow = cotovelo
view-pa = PA
view-ap = AP
view-left-lateral = perfil esquerdo
view-right-lateral = perfil direito
view-lateral = perfil
view-right-decubitus = decúbito lateral direito
view-left-decubitus = decúbito lateral esquerdo
view-right-oblique = oblíqua lateral direita
view-left-oblique = oblíqua lateral esquerda
image-of = { $kind } de { $region }
image-view = { $image }, incidência { $view }
image-sentence = { $image }.
test-image = IMAGEM DE TESTE - não é um paciente: esta imagem mostra um fantoma ou outro objeto de teste.

## Findings, in the clinician's words
finding-device = dispositivo médico
finding-foreign-body = corpo estranho
finding-opacity = opacidade pulmonar
finding-consolidation = consolidação
finding-pneumonia = pneumonia
finding-tuberculosis = tuberculose
finding-infiltration = infiltrado
finding-edema = edema pulmonar
finding-congestion = congestão pulmonar
finding-atelectasis = atelectasia
finding-emphysema = enfisema
finding-hyperinflation = hiperinsuflação
finding-fibrosis = fibrose
finding-granuloma = granuloma
finding-nodule = nódulo pulmonar
finding-mass = massa pulmonar
finding-lung-disorder = doença do pulmão ou da pleura
finding-pneumothorax = pneumotórax
finding-effusion = derrame pleural
finding-pleural-thickening = espessamento pleural
finding-cardiomegaly = cardiomegalia
finding-atherosclerosis = aterosclerose
finding-hernia = hérnia de hiato
finding-fracture = fratura
finding-scoliosis = escoliose
finding-spine-degenerative = alterações degenerativas da coluna
finding-free-air = ar livre sob o diafragma
finding-whether-normal = se a imagem é normal
finding-nodule-or-mass = nódulo ou massa
finding-b-lines = linhas B
finding-cause = causa bacteriana ou viral
finding-bronchiolitis = bronquiolite e hiperinsuflação
foreign-words = «{ $words }» [en]

## Where and how large
placed = { $finding } ({ $place })
side-right = lado direito
side-left = lado esquerdo
side-both = ambos os lados
zone-apex = ápice
zone-upper = zona superior
zone-middle = zona média
zone-lower = zona inferior
zone-base = base
zone-hilum = hilo
size = { $mm } mm

## Lists
list-comma = { $a }, { $b }
list-semicolon = { $a }; { $b }
list-or = { $a } ou { $b }
list-and = { $a } e { $b }

## How surely
hedge-likely = { $finding }: provável (probabilidade estimada { $probability }).
hedge-suspected = { $finding }: há suspeita (probabilidade estimada { $probability }).
hedge-may-well-be = { $finding }: pode bem estar presente (probabilidade estimada { $probability }).
hedge-possible = { $finding }: possível (probabilidade estimada { $probability }).
hedge-cannot-be-excluded = { $finding }: não se pode excluir (probabilidade estimada { $probability }).
hedge-less-likely = { $finding }: menos provável (probabilidade estimada { $probability }), mas não se exclui.
hedge-no-sign = Sem sinais de: { $list }.
no-sign-first = { $finding } (probabilidade estimada { $probability })
no-sign-more = { $finding } ({ $probability })
name-likely = Provável
name-suspected = Há suspeita
name-may-well-be = Pode bem estar presente
name-possible = Possível
name-cannot-be-excluded = Não se pode excluir
name-less-likely = Menos provável
name-no-sign = Ausente
percent = { $n } %
percent-least = menos de 1 %
percent-most = mais de 99 %
of-100 = { $n } em cada 100
of-100-least = menos de 1 em cada 100
flagged = Nos dados de desenvolvimento, { $share } imagens assinaladas assim mostravam: { $finding }.

## Against an earlier image
compared = Comparado com a imagem de { $date }.
change-new = Em relação à imagem de { $date }, achado novo: { $finding }.
change-larger = Em relação à imagem de { $date }, achado maior: { $finding }.
change-unchanged = Em relação à imagem de { $date }, achado sem alteração: { $finding }.
change-smaller = Em relação à imagem de { $date }, achado menor: { $finding }.
change-resolved = Em relação à imagem de { $date }, achado que já não se vê: { $finding }.

## What was not looked for, and what limits the reading
not-assessed = Não avaliado: { $list }; e tudo o mais que não é nomeado acima. Não ser mencionado não significa estar ausente.
not-assessed-other = Não avaliado: tudo o que não é nomeado acima. Não ser mencionado não significa estar ausente.
note-age-unknown = O cabeçalho da imagem não diz a idade do paciente.
note-view-unknown = O cabeçalho da imagem não diz de que incidência se trata.
note-ap-view = Numa incidência AP o coração pode parecer maior do que é.

## Impression
asked = O pedido pergunta por: { $finding }.
asked-not-assessed = O pedido pergunta por: { $finding }. Este modelo não avalia isso, e um clínico deve procurá-lo.
no-sign-of-all = Sem sinais dos achados avaliados ({ $list }).
nothing-reached = Nenhum achado avaliado atingiu uma probabilidade estimada de 10 %.
nothing-assessed = Nada foi avaliado.
urgent = { $finding }: pode ser urgente, pelo que um clínico deve ver esta imagem sem demora.
compare-earlier = Se existirem imagens anteriores, devem ser comparadas com esta.
compare-prior = A imagem de { $date } deve ser vista ao lado desta.
other-view = Se a dúvida persistir, outra incidência pode ajudar.
other-disease = Não se exclui outra doença.
must-review = Um clínico deve rever esta imagem.

## About this draft
test-reading = Esta é a leitura de uma imagem de teste, não de um paciente.
draft = Este é um rascunho não revisto, feito por uma máquina ({ $name } { $version }).
not-diagnosis = Não é um diagnóstico e deve ser revisto por um clínico qualificado antes de alguém agir com base nele.
calibrated = As suas probabilidades foram calibradas onde { $list } imagens mostravam o achado, e estão erradas onde isso difere.
calibrated-item = { $share } ({ $finding })
intended-use = Uso previsto (em inglês): { $text }.
research-only = Este modelo serve apenas para investigação: a sua leitura não deve ser usada para tratar.

## Where nothing was read
not-read = Não lido.
because-abstention = Não lido; motivo (em inglês): { $reason }.
because-failure = A leitura falhou; motivo (em inglês): { $reason }.
unfit-too-small = Não lido: a imagem tem menos de 128 pixels de lado; é preciso enviá-la em tamanho completo.
unfit-elongated = Não lido: a imagem é mais de três vezes mais comprida do que larga; é preciso enviar só a imagem do tórax.
unfit-blank = Não lido: a imagem está vazia; é preciso verificar se o feixe chegou ao detetor e repeti-la.
unfit-saturated = Não lido: a maior parte da imagem está sobre-exposta ou subexposta até ao fim da escala; é preciso verificar a exposição e a janela e repeti-la.
unfit-noise = Não lido: a imagem só contém ruído; é preciso verificar a exposição e o detetor e repeti-la.
unfit-not-a-chest = Não lido: isto não parece uma radiografia frontal do tórax; é preciso verificar que imagem foi enviada e o seu cabeçalho.
unfit-upside-down = Não lido: a imagem está de cabeça para baixo; é preciso rodá-la 180 graus e enviá-la de novo.
unfit-turned-left = Não lido: a imagem está deitada, rodada para a esquerda; é preciso rodá-la 90 graus para a direita e enviá-la de novo.
unfit-turned-right = Não lido: a imagem está deitada, rodada para a direita; é preciso rodá-la 90 graus para a esquerda e enviá-la de novo.
unfit-mirrored = Não lido: a imagem parece espelhada; é preciso verificar o marcador de lado e enviá-la de novo na orientação certa.
unfit-inverted = Não lido: o preto e o branco estão trocados; é preciso corrigir a polaridade e enviá-la de novo.
unfit-bases-cut-off = Não lido: as duas bases pulmonares estão cortadas; é preciso repeti-la com o detetor mais abaixo.
unfit-apices-cut-off = Não lido: os dois ápices pulmonares estão cortados; é preciso repeti-la com o detetor mais acima.
unfit-side-cut-off = Não lido: um lado do tórax está cortado; é preciso repeti-la com o paciente centrado no detetor.
unfit-blurred = Não lido: a imagem está desfocada, como por movimento; é preciso repeti-la com o paciente imóvel e sem respirar.
next-no-model = Um clínico deve ler esta imagem.
next-unfit = Um clínico deve ler esta imagem e decidir se deve ser repetida.
next-no-pixels = Se era para enviar uma imagem, deve ser enviada de novo, e um clínico deve lê-la.
next-undecodable = Um clínico deve ler esta imagem; quem mantém o emissor pode mudar a forma do envio.
next-malformed = Um clínico deve ler esta imagem; quem mantém o emissor deve saber que o seu ficheiro tem defeito.
next-device = Um clínico deve ler esta imagem; quem mantém este dispositivo deve ser avisado.
unread-notice = Este é um aviso não revisto, feito por uma máquina: nada diz do que a imagem mostra.
unread-not-diagnosis = Não é um diagnóstico, e um clínico qualificado deve ler a imagem.
unread-test = Isto refere-se a uma imagem de teste, não a um paciente.

## For the patient: plain words, short sentences
patient-title = O que o computador viu na sua imagem
patient-awaiting = NÃO ENTREGAR: antes um clínico deve aceitar o relatório
patient-test = Esta é uma imagem de teste. Não mostra uma pessoa.
patient-intro = Um computador olhou para esta imagem. Ele pode errar.
patient-unread = O computador não leu esta imagem. Uma pessoa tem de a ver.
patient-hedge-likely = Ele acha que isto é provável: { $finding }.
patient-hedge-suspected = Ele viu algo que poderia ser isto: { $finding }.
patient-hedge-may-well-be = Ele acha que pode bem haver isto: { $finding }.
patient-hedge-possible = Ele acha que isto é possível: { $finding }.
patient-hedge-cannot-be-excluded = Ele não pode descartar isto: { $finding }.
patient-hedge-less-likely = Ele acha que isto é menos provável, mas não tem certeza: { $finding }.
patient-hedge-no-sign = Ele não viu sinais disto: { $finding }.
patient-change-new = Isto não se via na imagem anterior: { $finding }.
patient-change-larger = Isto é mais do que na imagem anterior: { $finding }.
patient-change-unchanged = Isto está igual à imagem anterior: { $finding }.
patient-change-smaller = Isto é menos do que na imagem anterior: { $finding }.
patient-change-resolved = Isto estava na imagem anterior e já não se vê: { $finding }.
patient-asked-not-assessed = A sua equipa de saúde perguntou por isto, e o computador não o pode procurar: { $finding }.
patient-not-assessed = Ele não procurou outras coisas. Pode tê-las na mesma.
patient-urgent = Isto pode ser urgente: { $finding }. Pergunte hoje a um clínico o que significa.
patient-talk = Por favor, fale com o seu clínico sobre o que isto significa para si.
patient-keep = Não comece, pare nem mude nenhum tratamento por causa deste texto.
patient-finding-device = um tubo, fio ou outro objeto posto por um médico
patient-finding-foreign-body = um objeto que não devia estar no corpo
patient-finding-opacity = uma zona esbatida nos pulmões
patient-finding-consolidation = uma parte do pulmão cheia de líquido
patient-finding-pneumonia = uma infeção dos pulmões
patient-finding-tuberculosis = tuberculose, uma doença dos pulmões
patient-finding-infiltration = uma zona turva nos pulmões
patient-finding-edema = água nos pulmões
patient-finding-congestion = sangue a mais nos pulmões
patient-finding-atelectasis = uma parte do pulmão sem ar
patient-finding-emphysema = bolsas de ar gastas nos pulmões
patient-finding-hyperinflation = ar a mais nos pulmões
patient-finding-fibrosis = cicatrizes nos pulmões
patient-finding-granuloma = uma pequena mancha curada nos pulmões
patient-finding-nodule = uma pequena mancha redonda nos pulmões
patient-finding-mass = uma mancha grande nos pulmões
patient-finding-lung-disorder = algo fora do normal nos pulmões ou à volta deles
patient-finding-pneumothorax = ar entre o pulmão e a parede do peito
patient-finding-effusion = líquido à volta dos pulmões
patient-finding-pleural-thickening = pele grossa à volta dos pulmões
patient-finding-cardiomegaly = um coração grande
patient-finding-atherosclerosis = vasos sanguíneos endurecidos
patient-finding-hernia = uma parte do estômago dentro do peito
patient-finding-fracture = um osso partido
patient-finding-scoliosis = a coluna torta
patient-finding-spine-degenerative = desgaste da coluna
patient-finding-free-air = ar livre na barriga
