# हिन्दी. This file awaits review by a native clinician.
#
# Findings and hedges are joined by a colon, so that no gender has to agree.

language-name = हिन्दी
review-state = awaiting-native-clinician
review-note = इस पाठ की भाषा की जाँच हिन्दी मातृभाषा वाले किसी चिकित्सक ने नहीं की है।

## Headings
title-report = मशीन का बनाया प्रारंभिक मसौदा, जाँचा नहीं गया
title-abstention = मशीन ने नहीं पढ़ा
title-failure = मशीन पढ़ने में विफल रही
title-test = परीक्षण चित्र - रोगी नहीं। { $title }
heading-findings = निष्कर्ष
heading-impression = सारांश
heading-about = इस मसौदे के बारे में
heading-origin = स्रोत
about = संबंधित: { $what }।
about-image = चित्र { $value }
about-accession = पंजीकरण संख्या { $value }
about-study = जाँच दिनांक { $value }
about-patient = रोगी संख्या { $value }
made = { $device } ने { $time } पर बनाया।
clock = उस समय यंत्र की घड़ी मिली हुई नहीं थी: यह समय गलत हो सकता है।

## What the image is
kind-radiograph = एक्स-रे
kind-ultrasound = अल्ट्रासाउंड चित्र
kind-mammogram = मैमोग्राम
kind-ct = सीटी चित्र
kind-mr = एमआरआई चित्र
kind-image = चित्र
region-chest = छाती
region-lung = फेफड़ा
region-heart = हृदय
region-abdomen = पेट
region-pelvis = श्रोणि
region-breast = स्तन
region-head = सिर
region-spine = रीढ़
region-hand = हाथ
region-wrist = कलाई
region-knee = घुटना
region-ankle = टखना
region-foot = पैर
region-hip = कूल्हा
region-shoulder = कंधा
region-elbow = कोहनी
view-pa = PA
view-ap = AP
view-left-lateral = बायाँ पार्श्व
view-right-lateral = दायाँ पार्श्व
view-lateral = पार्श्व
view-right-decubitus = दाईं करवट
view-left-decubitus = बाईं करवट
view-right-oblique = दायाँ तिरछा
view-left-oblique = बायाँ तिरछा
image-of = { $kind }, अंग: { $region }
image-view = { $image }, दृश्य: { $view }
image-sentence = { $image }।
test-image = परीक्षण चित्र - रोगी नहीं: इस चित्र में कोई परीक्षण वस्तु है।

## Findings, in the clinician's words
finding-device = चिकित्सा उपकरण
finding-foreign-body = बाहरी वस्तु
finding-opacity = फेफड़े की अपारदर्शिता
finding-consolidation = कंसोलिडेशन
finding-pneumonia = निमोनिया
finding-tuberculosis = क्षय रोग (टीबी)
finding-infiltration = इन्फिल्ट्रेशन
finding-edema = फुफ्फुसीय शोथ (एडिमा)
finding-congestion = फेफड़ों में रक्त जमाव
finding-atelectasis = एटेलेक्टेसिस
finding-emphysema = वातस्फीति (एम्फाइसीमा)
finding-hyperinflation = फेफड़ों का अतिप्रसार
finding-fibrosis = फाइब्रोसिस
finding-granuloma = ग्रैनुलोमा
finding-nodule = फेफड़े की गाँठिका (नोड्यूल)
finding-mass = फेफड़े का पिंड (मास)
finding-lung-disorder = फेफड़े या फुफ्फुसावरण का विकार
finding-pneumothorax = न्यूमोथोरैक्स
finding-effusion = फुफ्फुस बहाव (प्ल्यूरल इफ्यूजन)
finding-pleural-thickening = फुफ्फुसावरण का मोटा होना
finding-cardiomegaly = हृदय का बढ़ा आकार (कार्डियोमेगाली)
finding-atherosclerosis = एथेरोस्क्लेरोसिस
finding-hernia = हायटल हर्निया
finding-fracture = अस्थिभंग (फ्रैक्चर)
finding-scoliosis = स्कोलियोसिस
finding-spine-degenerative = रीढ़ में अपक्षयी परिवर्तन
finding-free-air = डायाफ्राम के नीचे मुक्त वायु
finding-whether-normal = चित्र सामान्य है या नहीं
finding-nodule-or-mass = गाँठिका या पिंड
finding-b-lines = बी-लाइनें (B-lines)
finding-cause = जीवाणु या विषाणु कारण
finding-bronchiolitis = ब्रोंकियोलाइटिस और अतिप्रसार
foreign-words = «{ $words }» [en]

## Where and how large
placed = { $finding } ({ $place })
side-right = दाईं ओर
side-left = बाईं ओर
side-both = दोनों ओर
zone-apex = शीर्ष
zone-upper = ऊपरी क्षेत्र
zone-middle = मध्य क्षेत्र
zone-lower = निचला क्षेत्र
zone-base = आधार
zone-hilum = हाइलम
size = { $mm } मिमी

## Lists
list-comma = { $a }, { $b }
list-semicolon = { $a }; { $b }
list-or = { $a } या { $b }
list-and = { $a } और { $b }

## How surely
hedge-likely = { $finding }: बहुत संभव (अनुमानित संभावना { $probability })।
hedge-suspected = { $finding }: संदेह है (अनुमानित संभावना { $probability })।
hedge-may-well-be = { $finding }: काफ़ी संभव है कि हो (अनुमानित संभावना { $probability })।
hedge-possible = { $finding }: संभव (अनुमानित संभावना { $probability })।
hedge-cannot-be-excluded = { $finding }: नकारा नहीं जा सकता (अनुमानित संभावना { $probability })।
hedge-less-likely = { $finding }: कम संभव (अनुमानित संभावना { $probability }), पर नकारा नहीं गया।
hedge-no-sign = इनका कोई चिह्न नहीं दिखा: { $list }।
no-sign-first = { $finding } (अनुमानित संभावना { $probability })
no-sign-more = { $finding } ({ $probability })
name-likely = बहुत संभव
name-suspected = संदेह है
name-may-well-be = काफ़ी संभव है कि हो
name-possible = संभव
name-cannot-be-excluded = नकारा नहीं जा सकता
name-less-likely = कम संभव
name-no-sign = अनुपस्थित
percent = { $n } %
percent-least = 1 % से कम
percent-most = 99 % से अधिक
of-100 = 100 में से { $n }
of-100-least = 100 में से 1 से कम
flagged = विकास के आँकड़ों में, इस तरह चिह्नित चित्रों में { $share } में यह था: { $finding }।

## Against an earlier image
compared = { $date } के चित्र से तुलना की गई।
change-new = { $date } के चित्र की तुलना में नया: { $finding }।
change-larger = { $date } के चित्र की तुलना में अधिक: { $finding }।
change-unchanged = { $date } के चित्र की तुलना में कोई बदलाव नहीं: { $finding }।
change-smaller = { $date } के चित्र की तुलना में कम: { $finding }।
change-resolved = { $date } के चित्र में था, अब नहीं दिखता: { $finding }।

## What was not looked for, and what limits the reading
not-assessed = नहीं जाँचा गया: { $list }; और जो कुछ ऊपर नहीं लिखा है। उल्लेख न होने का अर्थ यह नहीं कि वह अनुपस्थित है।
not-assessed-other = नहीं जाँचा गया: जो कुछ ऊपर नहीं लिखा है। उल्लेख न होने का अर्थ यह नहीं कि वह अनुपस्थित है।
note-age-unknown = चित्र के शीर्षलेख में रोगी की आयु नहीं है।
note-view-unknown = चित्र के शीर्षलेख में दृश्य नहीं लिखा है।
note-ap-view = AP दृश्य में हृदय अपने आकार से बड़ा दिख सकता है।

## Impression
asked = अनुरोध में इसके बारे में पूछा गया है: { $finding }।
asked-not-assessed = अनुरोध में इसके बारे में पूछा गया है: { $finding }। यह मॉडल इसे नहीं जाँचता; चिकित्सक को इसे देखना होगा।
no-sign-of-all = जाँचे गए निष्कर्षों ({ $list }) का कोई चिह्न नहीं दिखा।
nothing-reached = किसी जाँचे गए निष्कर्ष की अनुमानित संभावना 10 % तक नहीं पहुँची।
nothing-assessed = कुछ भी नहीं जाँचा गया।
urgent = { $finding }: आपात हो सकता है, इसलिए चिकित्सक को यह चित्र तुरंत देखना होगा।
compare-earlier = यदि पहले के चित्र हों, तो उनसे इसकी तुलना की जाए।
compare-prior = { $date } का चित्र इसके साथ देखा जाए।
other-view = यदि संदेह रहे, तो दूसरा दृश्य सहायक हो सकता है।
other-disease = अन्य रोग को नकारा नहीं गया है।
must-review = चिकित्सक को यह चित्र जाँचना होगा।

## About this draft
test-reading = यह एक परीक्षण चित्र का पठन है, किसी रोगी का नहीं।
draft = यह मशीन का बनाया मसौदा है, जिसे किसी ने जाँचा नहीं है ({ $name } { $version })।
not-diagnosis = यह निदान नहीं है; इस पर कुछ करने से पहले किसी योग्य चिकित्सक को इसे जाँचना होगा।
calibrated = इसकी संभावनाएँ वहाँ मापी गईं जहाँ चित्रों में यह था: { $list }; जहाँ यह अलग हो, वहाँ वे गलत हैं।
calibrated-item = { $share } ({ $finding })
intended-use = अभिप्रेत उपयोग (अंग्रेज़ी में): { $text }।
research-only = यह मॉडल केवल शोध के लिए है: इसके पठन का उपयोग उपचार में न किया जाए।

## Where nothing was read
not-read = नहीं पढ़ा गया।
because-abstention = नहीं पढ़ा गया; कारण (अंग्रेज़ी में): { $reason }।
because-failure = पढ़ना विफल रहा; कारण (अंग्रेज़ी में): { $reason }।
unfit-too-small = नहीं पढ़ा गया: चित्र की एक भुजा 128 पिक्सेल से छोटी है; इसे पूरे आकार में भेजें।
unfit-elongated = नहीं पढ़ा गया: चित्र की लंबाई चौड़ाई के तीन गुने से अधिक है; केवल छाती का चित्र भेजें।
unfit-blank = नहीं पढ़ा गया: चित्र खाली है; जाँचें कि किरणें डिटेक्टर तक पहुँचीं, और इसे फिर से लें।
unfit-saturated = नहीं पढ़ा गया: चित्र का अधिकांश भाग पैमाने के छोर तक अति-उद्भासित या अल्प-उद्भासित है; एक्सपोज़र और विंडो जाँचें, और इसे फिर से लें।
unfit-noise = नहीं पढ़ा गया: चित्र में केवल शोर है; एक्सपोज़र और डिटेक्टर जाँचें, और इसे फिर से लें।
unfit-not-a-chest = नहीं पढ़ा गया: यह छाती का सामने से लिया एक्स-रे नहीं लगता; जाँचें कि कौन सा चित्र भेजा गया, और उसका शीर्षक।
unfit-upside-down = नहीं पढ़ा गया: चित्र उल्टा है; इसे 180 डिग्री घुमाकर फिर से भेजें।
unfit-turned-left = नहीं पढ़ा गया: चित्र बाईं ओर घूमा हुआ है; इसे दाईं ओर 90 डिग्री घुमाकर फिर से भेजें।
unfit-turned-right = नहीं पढ़ा गया: चित्र दाईं ओर घूमा हुआ है; इसे बाईं ओर 90 डिग्री घुमाकर फिर से भेजें।
unfit-mirrored = नहीं पढ़ा गया: चित्र दर्पण जैसा पलटा हुआ लगता है; दाएँ-बाएँ का चिह्न जाँचें, और इसे सही दिशा में फिर से भेजें।
unfit-inverted = नहीं पढ़ा गया: काला और सफ़ेद आपस में बदले हुए हैं; ध्रुवता ठीक करके फिर से भेजें।
unfit-bases-cut-off = नहीं पढ़ा गया: दोनों फेफड़ों के निचले सिरे कटे हुए हैं; डिटेक्टर को नीचे रखकर इसे फिर से लें।
unfit-apices-cut-off = नहीं पढ़ा गया: दोनों फेफड़ों के ऊपरी सिरे कटे हुए हैं; डिटेक्टर को ऊपर रखकर इसे फिर से लें।
unfit-side-cut-off = नहीं पढ़ा गया: छाती का एक ओर का भाग कटा हुआ है; रोगी को डिटेक्टर के बीच में रखकर इसे फिर से लें।
unfit-blurred = नहीं पढ़ा गया: चित्र धुंधला है, जैसे हिलने से; रोगी स्थिर रहे और साँस रोके, तब इसे फिर से लें।
next-no-model = चिकित्सक को यह चित्र पढ़ना होगा।
next-unfit = चिकित्सक को यह चित्र पढ़ना होगा और तय करना होगा कि इसे फिर से लिया जाए या नहीं।
next-no-pixels = यदि कोई चित्र भेजना था, तो उसे फिर से भेजना होगा, और चिकित्सक को उसे पढ़ना होगा।
next-undecodable = चिकित्सक को यह चित्र पढ़ना होगा; भेजने वाले यंत्र का प्रबंधक भेजने का रूप बदल सकता है।
next-malformed = चिकित्सक को यह चित्र पढ़ना होगा; भेजने वाले यंत्र के प्रबंधक को बताया जाए कि उसकी फ़ाइल में दोष है।
next-device = चिकित्सक को यह चित्र पढ़ना होगा; इस यंत्र के प्रबंधक को बताया जाए।
unread-notice = यह मशीन की बनाई सूचना है, जिसे किसी ने जाँचा नहीं है: चित्र में क्या है, यह नहीं बताती।
unread-not-diagnosis = यह निदान नहीं है; चित्र किसी योग्य चिकित्सक को पढ़ना होगा।
unread-test = यह एक परीक्षण चित्र के बारे में है, किसी रोगी के बारे में नहीं।

## For the patient: plain words, short sentences
patient-title = कंप्यूटर ने आपके चित्र में क्या देखा
patient-awaiting = अभी न दें: पहले चिकित्सक को रिपोर्ट स्वीकार करनी होगी
patient-test = यह एक परीक्षण चित्र है। इसमें कोई व्यक्ति नहीं है।
patient-intro = एक कंप्यूटर ने यह चित्र देखा। वह गलत हो सकता है।
patient-unread = कंप्यूटर ने यह चित्र नहीं पढ़ा। किसी व्यक्ति को इसे देखना होगा।
patient-hedge-likely = उसे लगता है कि इसकी बहुत संभावना है: { $finding }।
patient-hedge-suspected = उसने कुछ देखा जो यह हो सकता है: { $finding }।
patient-hedge-may-well-be = उसे लगता है कि यह काफ़ी हद तक हो सकता है: { $finding }।
patient-hedge-possible = उसे लगता है कि यह संभव है: { $finding }।
patient-hedge-cannot-be-excluded = वह इसे नकार नहीं सकता: { $finding }।
patient-hedge-less-likely = उसे लगता है कि इसकी संभावना कम है, पर वह पक्का नहीं है: { $finding }।
patient-hedge-no-sign = उसे इसका कोई चिह्न नहीं दिखा: { $finding }।
patient-change-new = यह पिछले चित्र में नहीं दिखा था: { $finding }।
patient-change-larger = यह पिछले चित्र से अधिक है: { $finding }।
patient-change-unchanged = यह पिछले चित्र जैसा ही है: { $finding }।
patient-change-smaller = यह पिछले चित्र से कम है: { $finding }।
patient-change-resolved = यह पिछले चित्र में था और अब नहीं दिखता: { $finding }।
patient-asked-not-assessed = आपके डॉक्टरों ने इसके बारे में पूछा, और कंप्यूटर इसे नहीं खोज सकता: { $finding }।
patient-not-assessed = उसने दूसरी चीज़ें नहीं खोजीं। वे फिर भी हो सकती हैं।
patient-urgent = यह ज़रूरी हो सकता है: { $finding }। आज ही डॉक्टर से पूछें कि इसका क्या अर्थ है।
patient-talk = आपके लिए इसका क्या अर्थ है, कृपया अपने डॉक्टर से बात करें।
patient-keep = इस पाठ के कारण कोई इलाज शुरू, बंद या बदलें नहीं।
patient-finding-device = डॉक्टर की लगाई कोई नली, तार या दूसरी चीज़
patient-finding-foreign-body = कोई चीज़ जो शरीर में नहीं होनी चाहिए
patient-finding-opacity = फेफड़ों में एक धुँधली जगह
patient-finding-consolidation = फेफड़े का एक भाग जिसमें द्रव भरा है
patient-finding-pneumonia = फेफड़ों का संक्रमण
patient-finding-tuberculosis = टीबी, फेफड़ों की एक बीमारी
patient-finding-infiltration = फेफड़ों में एक छाया
patient-finding-edema = फेफड़ों में पानी
patient-finding-congestion = फेफड़ों में बहुत अधिक खून
patient-finding-atelectasis = फेफड़े का एक भाग जिसमें हवा नहीं है
patient-finding-emphysema = फेफड़ों की घिसी हुई हवा की थैलियाँ
patient-finding-hyperinflation = फेफड़ों में बहुत अधिक हवा
patient-finding-fibrosis = फेफड़ों में घाव के निशान
patient-finding-granuloma = फेफड़ों में एक छोटा भरा हुआ धब्बा
patient-finding-nodule = फेफड़ों में एक छोटा गोल धब्बा
patient-finding-mass = फेफड़ों में एक बड़ा धब्बा
patient-finding-lung-disorder = फेफड़ों में या उनके आसपास कुछ असामान्य
patient-finding-pneumothorax = फेफड़े और छाती की दीवार के बीच हवा
patient-finding-effusion = फेफड़ों के चारों ओर पानी
patient-finding-pleural-thickening = फेफड़ों के चारों ओर मोटी परत
patient-finding-cardiomegaly = बड़ा दिल
patient-finding-atherosclerosis = सख्त हो गई खून की नलियाँ
patient-finding-hernia = पेट का एक भाग छाती में
patient-finding-fracture = टूटी हड्डी
patient-finding-scoliosis = टेढ़ी रीढ़
patient-finding-spine-degenerative = रीढ़ की घिसावट
patient-finding-free-air = पेट में खुली हवा
