# Kiswahili. This file awaits review by a native clinician.
#
# Findings and hedges are joined by a colon, so that no noun class has to agree.

language-name = Kiswahili
review-state = awaiting-native-clinician
review-note = Maneno ya maandishi haya hayajapitiwa na mhudumu wa afya ambaye Kiswahili ni lugha yake ya kwanza.

## Headings
title-report = Rasimu ya awali iliyoandikwa na mashine, haijapitiwa
title-abstention = Haijasomwa na mashine
title-failure = Mashine imeshindwa kusoma
title-test = PICHA YA MAJARIBIO - si mgonjwa. { $title }
heading-findings = Matokeo
heading-impression = Hitimisho
heading-about = Kuhusu rasimu hii
heading-origin = Chanzo
about = Inahusu: { $what }.
about-image = picha { $value }
about-accession = namba ya usajili { $value }
about-study = uchunguzi wa { $value }
about-patient = namba ya mgonjwa { $value }
made = Imeandikwa na { $device } saa { $time }.
clock = Saa ya kifaa haikuwa sahihi wakati huo: muda huu unaweza kuwa si sahihi.

## What the image is
kind-radiograph = picha ya eksirei
kind-ultrasound = picha ya ultrasound
kind-mammogram = picha ya mamografia
kind-ct = picha ya CT
kind-mr = picha ya MRI
kind-image = picha
region-chest = kifua
region-lung = pafu
region-heart = moyo
region-abdomen = tumbo
region-pelvis = nyonga ya ndani
region-breast = titi
region-head = kichwa
region-spine = uti wa mgongo
region-hand = mkono
region-wrist = kifundo cha mkono
region-knee = goti
region-ankle = kifundo cha mguu
region-foot = unyayo
region-hip = nyonga
region-shoulder = bega
region-elbow = kiwiko
view-pa = PA
view-ap = AP
view-left-lateral = upande wa kushoto
view-right-lateral = upande wa kulia
view-lateral = upande
view-right-decubitus = kulalia upande wa kulia
view-left-decubitus = kulalia upande wa kushoto
view-right-oblique = mshazari wa kulia
view-left-oblique = mshazari wa kushoto
image-of = { $kind }, sehemu: { $region }
image-view = { $image }, mwelekeo: { $view }
image-sentence = { $image }.
test-image = PICHA YA MAJARIBIO - si mgonjwa: picha hii inaonyesha kifaa cha majaribio.

## Findings, in the clinician's words
finding-device = kifaa cha tiba
finding-foreign-body = kitu kigeni mwilini
finding-opacity = weupe usio wa kawaida katika pafu
finding-consolidation = pafu kujaa (consolidation)
finding-pneumonia = nimonia
finding-tuberculosis = kifua kikuu
finding-infiltration = kivuli katika pafu (infiltration)
finding-edema = maji ndani ya mapafu (edema)
finding-congestion = msongamano wa damu mapafuni
finding-atelectasis = pafu kusinyaa (atelectasis)
finding-emphysema = emfisema
finding-hyperinflation = mapafu kujaa hewa kupita kiasi
finding-fibrosis = makovu ya mapafu (fibrosis)
finding-granuloma = granuloma
finding-nodule = kinundu katika pafu
finding-mass = uvimbe katika pafu
finding-lung-disorder = ugonjwa wa pafu au wa utando wa pafu
finding-pneumothorax = hewa nje ya pafu (pneumothorax)
finding-effusion = maji kando ya pafu (effusion)
finding-pleural-thickening = unene wa utando wa pafu
finding-cardiomegaly = moyo mkubwa (cardiomegaly)
finding-atherosclerosis = ugumu wa mishipa ya damu
finding-hernia = henia ya tumbo kifuani
finding-fracture = mfupa uliovunjika
finding-scoliosis = uti wa mgongo uliopinda
finding-spine-degenerative = uchakavu wa uti wa mgongo
finding-free-air = hewa huru chini ya kiwambo
finding-whether-normal = kama picha ni ya kawaida
finding-nodule-or-mass = kinundu au uvimbe
finding-b-lines = mistari ya B (B-lines)
finding-cause = chanzo cha bakteria au virusi
finding-bronchiolitis = bronkiolitis na mapafu kujaa hewa
foreign-words = «{ $words }» [en]

## Where and how large
placed = { $finding } ({ $place })
side-right = upande wa kulia
side-left = upande wa kushoto
side-both = pande zote mbili
zone-apex = kilele
zone-upper = sehemu ya juu
zone-middle = sehemu ya kati
zone-lower = sehemu ya chini
zone-base = kitako
zone-hilum = hilamu
size = milimita { $mm }

## Lists
list-comma = { $a }, { $b }
list-semicolon = { $a }; { $b }
list-or = { $a } au { $b }
list-and = { $a } na { $b }

## How surely
hedge-likely = { $finding }: kuna uwezekano mkubwa (makadirio { $probability }).
hedge-suspected = { $finding }: inashukiwa (makadirio { $probability }).
hedge-may-well-be = { $finding }: huenda ipo kweli (makadirio { $probability }).
hedge-possible = { $finding }: inawezekana (makadirio { $probability }).
hedge-cannot-be-excluded = { $finding }: haiwezi kuondolewa (makadirio { $probability }).
hedge-less-likely = { $finding }: uwezekano ni mdogo (makadirio { $probability }), lakini haijaondolewa.
hedge-no-sign = Hakuna dalili iliyoonekana ya: { $list }.
no-sign-first = { $finding } (makadirio { $probability })
no-sign-more = { $finding } ({ $probability })
name-likely = Kuna uwezekano mkubwa
name-suspected = Inashukiwa
name-may-well-be = Huenda ipo kweli
name-possible = Inawezekana
name-cannot-be-excluded = Haiwezi kuondolewa
name-less-likely = Uwezekano ni mdogo
name-no-sign = Haipo
percent = asilimia { $n }
percent-least = chini ya asilimia 1
percent-most = zaidi ya asilimia 99
of-100 = { $n } kati ya 100
of-100-least = chini ya 1 kati ya 100
flagged = Katika data za utengenezaji, picha { $share } zilizotajwa hivi zilionyesha: { $finding }.

## Against an earlier image
compared = Imelinganishwa na picha ya { $date }.
change-new = Tangu picha ya { $date }, jambo jipya: { $finding }.
change-larger = Tangu picha ya { $date }, jambo lililoongezeka: { $finding }.
change-unchanged = Tangu picha ya { $date }, jambo lisilobadilika: { $finding }.
change-smaller = Tangu picha ya { $date }, jambo lililopungua: { $finding }.
change-resolved = Tangu picha ya { $date }, jambo lisiloonekana tena: { $finding }.

## What was not looked for, and what limits the reading
not-assessed = Haikuchunguzwa: { $list }; na kingine chochote kisichotajwa hapo juu. Kutotajwa hakumaanishi kwamba hakipo.
not-assessed-other = Haikuchunguzwa: chochote kisichotajwa hapo juu. Kutotajwa hakumaanishi kwamba hakipo.
note-age-unknown = Kichwa cha picha hakisemi umri wa mgonjwa.
note-view-unknown = Kichwa cha picha hakisemi mwelekeo wa picha.
note-ap-view = Katika mwelekeo wa AP moyo unaweza kuonekana mkubwa kuliko ulivyo.

## Impression
asked = Ombi linauliza kuhusu: { $finding }.
asked-not-assessed = Ombi linauliza kuhusu: { $finding }. Modeli hii haichunguzi hilo, na mhudumu wa afya lazima alitafute.
no-sign-of-all = Hakuna dalili iliyoonekana ya mambo yaliyochunguzwa ({ $list }).
nothing-reached = Hakuna jambo lililochunguzwa lililofikia makadirio ya asilimia 10.
nothing-assessed = Hakuna kilichochunguzwa.
urgent = { $finding }: inaweza kuwa ya dharura, kwa hiyo mhudumu wa afya lazima aangalie picha hii bila kuchelewa.
compare-earlier = Kama kuna picha za awali, zilinganishwe na hii.
compare-prior = Picha ya { $date } iangaliwe pamoja na hii.
other-view = Kama shaka inabaki, picha ya mwelekeo mwingine inaweza kusaidia.
other-disease = Ugonjwa mwingine haujaondolewa.
must-review = Mhudumu wa afya lazima aipitie picha hii.

## About this draft
test-reading = Huu ni usomaji wa picha ya majaribio, si wa mgonjwa.
draft = Hii ni rasimu ambayo haijapitiwa, iliyoandikwa na mashine ({ $name } { $version }).
not-diagnosis = Si utambuzi wa ugonjwa, na lazima ipitiwe na mhudumu wa afya mwenye sifa kabla ya mtu kuchukua hatua.
calibrated = Makadirio yake yalipimwa mahali ambapo picha { $list } zilionyesha jambo hilo, na si sahihi mahali pengine.
calibrated-item = { $share } ({ $finding })
intended-use = Matumizi yaliyokusudiwa (kwa Kiingereza): { $text }.
research-only = Modeli hii ni ya utafiti tu: usomaji wake usitumike kwa matibabu.

## Where nothing was read
not-read = Haijasomwa.
because-abstention = Haijasomwa; sababu (kwa Kiingereza): { $reason }.
because-failure = Usomaji umeshindikana; sababu (kwa Kiingereza): { $reason }.
unfit-too-small = Haijasomwa: picha ni ndogo kuliko pikseli 128 kwa upande; itumwe kwa ukubwa wake kamili.
unfit-elongated = Haijasomwa: urefu wa picha unazidi mara tatu ya upana wake; itumwe picha ya kifua pekee.
unfit-blank = Haijasomwa: picha ni tupu; hakikisha mionzi ilifika kwenye kigunduzi, kisha ipigwe tena.
unfit-saturated = Haijasomwa: sehemu kubwa ya picha imeungua au ni nyeusi hadi mwisho wa kipimo; angalia kiasi cha mionzi na dirisha la picha, kisha ipigwe tena.
unfit-noise = Haijasomwa: picha ina chembechembe tu; angalia kiasi cha mionzi na kigunduzi, kisha ipigwe tena.
unfit-not-a-chest = Haijasomwa: hii haifanani na picha ya eksirei ya kifua ya mbele; angalia ni picha gani iliyotumwa, na maelezo yake.
unfit-upside-down = Haijasomwa: picha imepinduliwa juu chini; izungushwe digrii 180, kisha itumwe tena.
unfit-turned-left = Haijasomwa: picha imelala, imegeuzwa kushoto; izungushwe digrii 90 kulia, kisha itumwe tena.
unfit-turned-right = Haijasomwa: picha imelala, imegeuzwa kulia; izungushwe digrii 90 kushoto, kisha itumwe tena.
unfit-mirrored = Haijasomwa: picha inaonekana kugeuzwa kama kwenye kioo; angalia alama ya upande, kisha itumwe tena ikiwa sahihi.
unfit-inverted = Haijasomwa: nyeusi na nyeupe zimebadilishana; rekebisha rangi, kisha itumwe tena.
unfit-bases-cut-off = Haijasomwa: sehemu za chini za mapafu yote mawili zimekatwa; ipigwe tena kigunduzi kikiwa chini zaidi.
unfit-apices-cut-off = Haijasomwa: ncha za juu za mapafu yote mawili zimekatwa; ipigwe tena kigunduzi kikiwa juu zaidi.
unfit-side-cut-off = Haijasomwa: upande mmoja wa kifua umekatwa; ipigwe tena mgonjwa akiwa katikati ya kigunduzi.
unfit-blurred = Haijasomwa: picha ina ukungu, kama wa mwendo; ipigwe tena mgonjwa akiwa ametulia na amezuia pumzi.
next-no-model = Mhudumu wa afya lazima asome picha hii.
next-unfit = Mhudumu wa afya lazima asome picha hii na aamue kama ipigwe tena.
next-no-pixels = Kama picha ilikusudiwa kutumwa, itumwe tena, na mhudumu wa afya lazima aisome.
next-undecodable = Mhudumu wa afya lazima asome picha hii; msimamizi wa mtumaji anaweza kubadilisha namna inavyotumwa.
next-malformed = Mhudumu wa afya lazima asome picha hii; msimamizi wa mtumaji aambiwe kwamba faili lake lina kasoro.
next-device = Mhudumu wa afya lazima asome picha hii; msimamizi wa kifaa hiki aambiwe.
unread-notice = Hii ni taarifa ambayo haijapitiwa, iliyoandikwa na mashine: haisemi lolote kuhusu picha inachoonyesha.
unread-not-diagnosis = Si utambuzi wa ugonjwa, na picha lazima isomwe na mhudumu wa afya mwenye sifa.
unread-test = Hii inahusu picha ya majaribio, si mgonjwa.

## For the patient: plain words, short sentences
patient-title = Kompyuta iliona nini katika picha yako
patient-awaiting = USITOE: kwanza mhudumu wa afya lazima aikubali ripoti
patient-test = Hii ni picha ya majaribio. Haionyeshi mtu.
patient-intro = Kompyuta iliangalia picha hii. Inaweza kukosea.
patient-unread = Kompyuta haikusoma picha hii. Mtu lazima aiangalie.
patient-hedge-likely = Inadhani kwamba hili lina uwezekano mkubwa: { $finding }.
patient-hedge-suspected = Iliona kitu ambacho kinaweza kuwa hili: { $finding }.
patient-hedge-may-well-be = Inadhani kwamba huenda hili lipo: { $finding }.
patient-hedge-possible = Inadhani kwamba hili linawezekana: { $finding }.
patient-hedge-cannot-be-excluded = Haiwezi kusema kwamba hili halipo: { $finding }.
patient-hedge-less-likely = Inadhani kwamba hili lina uwezekano mdogo, lakini haina uhakika: { $finding }.
patient-hedge-no-sign = Haikuona dalili ya hili: { $finding }.
patient-change-new = Hili halikuonekana katika picha iliyopita: { $finding }.
patient-change-larger = Hili limezidi kuliko katika picha iliyopita: { $finding }.
patient-change-unchanged = Hili ni lile lile kama katika picha iliyopita: { $finding }.
patient-change-smaller = Hili limepungua kuliko katika picha iliyopita: { $finding }.
patient-change-resolved = Hili lilikuwa katika picha iliyopita na halionekani tena: { $finding }.
patient-asked-not-assessed = Wahudumu wako waliuliza kuhusu hili, na kompyuta haiwezi kulitafuta: { $finding }.
patient-not-assessed = Haikutafuta mambo mengine. Bado unaweza kuwa nayo.
patient-urgent = Hili linaweza kuwa la dharura: { $finding }. Muulize mhudumu wa afya leo maana yake.
patient-talk = Tafadhali zungumza na mhudumu wako wa afya kuhusu maana ya hili kwako.
patient-keep = Usianze, usiache wala usibadilishe matibabu kwa sababu ya maandishi haya.
patient-finding-device = mrija, waya au kitu kingine kilichowekwa na daktari
patient-finding-foreign-body = kitu ambacho hakipaswi kuwa mwilini
patient-finding-opacity = sehemu yenye ukungu katika mapafu
patient-finding-consolidation = sehemu ya pafu iliyojaa majimaji
patient-finding-pneumonia = maambukizi ya mapafu
patient-finding-tuberculosis = kifua kikuu, ugonjwa wa mapafu
patient-finding-infiltration = sehemu yenye kivuli katika mapafu
patient-finding-edema = maji ndani ya mapafu
patient-finding-congestion = damu nyingi mno katika mapafu
patient-finding-atelectasis = sehemu ya pafu isiyo na hewa
patient-finding-emphysema = vifuko vya hewa vilivyochakaa katika mapafu
patient-finding-hyperinflation = hewa nyingi mno katika mapafu
patient-finding-fibrosis = makovu katika mapafu
patient-finding-granuloma = doa dogo lililopona katika mapafu
patient-finding-nodule = doa dogo la mviringo katika mapafu
patient-finding-mass = doa kubwa katika mapafu
patient-finding-lung-disorder = kitu kisicho cha kawaida kwenye mapafu au kando yake
patient-finding-pneumothorax = hewa kati ya pafu na ukuta wa kifua
patient-finding-effusion = maji kuzunguka mapafu
patient-finding-pleural-thickening = ngozi nene kuzunguka mapafu
patient-finding-cardiomegaly = moyo mkubwa
patient-finding-atherosclerosis = mishipa ya damu iliyokuwa migumu
patient-finding-hernia = sehemu ya tumbo iliyoingia kifuani
patient-finding-fracture = mfupa uliovunjika
patient-finding-scoliosis = uti wa mgongo uliopinda
patient-finding-spine-degenerative = uti wa mgongo uliochakaa
patient-finding-free-air = hewa huru tumboni
