# العربية. This file awaits review by a native clinician.
#
# Findings and hedges are joined by a colon, so that no gender has to agree.

language-name = العربية
review-state = awaiting-native-clinician
review-note = لم يراجع صياغة هذا النص طبيب لغته الأم العربية.

## Headings
title-report = مسودة أولية كتبتها آلة، ولم تُراجَع
title-abstention = لم تقرأها الآلة
title-failure = فشلت القراءة الآلية
title-test = صورة اختبار - ليست لمريض. { $title }
heading-findings = الموجودات
heading-impression = الخلاصة
heading-about = عن هذه المسودة
heading-origin = المصدر
about = بخصوص: { $what }.
about-image = الصورة { $value }
about-accession = رقم الطلب { $value }
about-study = الفحص بتاريخ { $value }
about-patient = رقم المريض { $value }
made = كتبها الجهاز { $device } في { $time }.
clock = لم تكن ساعة الجهاز مضبوطة حينها: قد يكون هذا الوقت خطأ.

## What the image is
kind-radiograph = صورة شعاعية
kind-ultrasound = صورة بالموجات فوق الصوتية
kind-mammogram = صورة الثدي الشعاعية
kind-ct = صورة مقطعية
kind-mr = صورة بالرنين المغناطيسي
kind-image = صورة
region-chest = الصدر
region-lung = الرئة
region-heart = القلب
region-abdomen = البطن
region-pelvis = الحوض
region-breast = الثدي
region-head = الرأس
region-spine = العمود الفقري
region-hand = اليد
region-wrist = الرسغ
region-knee = الركبة
region-ankle = الكاحل
region-foot = القدم
region-hip = الورك
region-shoulder = الكتف
region-elbow = المرفق
view-pa = PA
view-ap = AP
view-left-lateral = جانبية يسرى
view-right-lateral = جانبية يمنى
view-lateral = جانبية
view-right-decubitus = استلقاء على الجانب الأيمن
view-left-decubitus = استلقاء على الجانب الأيسر
view-right-oblique = مائلة يمنى
view-left-oblique = مائلة يسرى
image-of = { $kind }، المنطقة: { $region }
image-view = { $image }، الوضعية: { $view }
image-sentence = { $image }.
test-image = صورة اختبار - ليست لمريض: تُظهر هذه الصورة جسمًا للاختبار.

## Findings, in the clinician's words
finding-device = جهاز طبي مزروع أو أنبوب
finding-foreign-body = جسم غريب
finding-opacity = عتامة رئوية
finding-consolidation = تصلد رئوي
finding-pneumonia = التهاب رئوي
finding-tuberculosis = السل
finding-infiltration = ارتشاح رئوي
finding-edema = وذمة رئوية
finding-congestion = احتقان رئوي
finding-atelectasis = انخماص رئوي
finding-emphysema = نفاخ رئوي
finding-hyperinflation = فرط انتفاخ الرئتين
finding-fibrosis = تليف رئوي
finding-granuloma = ورم حبيبي
finding-nodule = عقيدة رئوية
finding-mass = كتلة رئوية
finding-lung-disorder = اضطراب في الرئة أو الجنبة
finding-pneumothorax = استرواح الصدر
finding-effusion = انصباب جنبي
finding-pleural-thickening = تثخن الجنبة
finding-cardiomegaly = تضخم القلب
finding-atherosclerosis = تصلب الشرايين
finding-hernia = فتق حجابي
finding-fracture = كسر
finding-scoliosis = جنف
finding-spine-degenerative = تغيرات تنكسية في العمود الفقري
finding-free-air = هواء حر تحت الحجاب الحاجز
finding-whether-normal = هل الصورة طبيعية
finding-nodule-or-mass = عقيدة أو كتلة
finding-b-lines = خطوط B
finding-cause = سبب جرثومي أو فيروسي
finding-bronchiolitis = التهاب القصيبات وفرط الانتفاخ
foreign-words = «{ $words }» [en]

## Where and how large
placed = { $finding } ({ $place })
side-right = الجانب الأيمن
side-left = الجانب الأيسر
side-both = الجانبان
zone-apex = القمة
zone-upper = المنطقة العليا
zone-middle = المنطقة الوسطى
zone-lower = المنطقة السفلى
zone-base = القاعدة
zone-hilum = السرة الرئوية
size = { $mm } مم

## Lists
list-comma = { $a }، { $b }
list-semicolon = { $a }؛ { $b }
list-or = { $a } أو { $b }
list-and = { $a }، { $b }

## How surely
hedge-likely = { $finding }: مرجّح (الاحتمال المقدّر { $probability }).
hedge-suspected = { $finding }: مشتبه به (الاحتمال المقدّر { $probability }).
hedge-may-well-be = { $finding }: من المحتمل جدًا وجوده (الاحتمال المقدّر { $probability }).
hedge-possible = { $finding }: ممكن (الاحتمال المقدّر { $probability }).
hedge-cannot-be-excluded = { $finding }: لا يمكن نفيه (الاحتمال المقدّر { $probability }).
hedge-less-likely = { $finding }: أقل احتمالًا (الاحتمال المقدّر { $probability })، لكنه غير منفي.
hedge-no-sign = لا تُرى علامات على: { $list }.
no-sign-first = { $finding } (الاحتمال المقدّر { $probability })
no-sign-more = { $finding } ({ $probability })
name-likely = مرجّح
name-suspected = مشتبه به
name-may-well-be = من المحتمل جدًا وجوده
name-possible = ممكن
name-cannot-be-excluded = لا يمكن نفيه
name-less-likely = أقل احتمالًا
name-no-sign = غائب
percent = { $n } %
percent-least = أقل من 1 %
percent-most = أكثر من 99 %
of-100 = { $n } من كل 100
of-100-least = أقل من 1 من كل 100
flagged = في بيانات التطوير، من بين الصور المعلَّمة هكذا كان في { $share } منها: { $finding }.

## Against an earlier image
compared = قورنت بصورة { $date }.
change-new = مقارنة بصورة { $date }، أمر جديد: { $finding }.
change-larger = مقارنة بصورة { $date }، أمر ازداد: { $finding }.
change-unchanged = مقارنة بصورة { $date }، أمر لم يتغير: { $finding }.
change-smaller = مقارنة بصورة { $date }، أمر نقص: { $finding }.
change-resolved = مقارنة بصورة { $date }، أمر لم يعد يُرى: { $finding }.

## What was not looked for, and what limits the reading
not-assessed = لم يُقيَّم: { $list }؛ وكل ما لم يُذكر أعلاه. عدم الذكر لا يعني عدم الوجود.
not-assessed-other = لم يُقيَّم: كل ما لم يُذكر أعلاه. عدم الذكر لا يعني عدم الوجود.
note-age-unknown = لا تذكر ترويسة الصورة عمر المريض.
note-view-unknown = لا تذكر ترويسة الصورة وضعية التصوير.
note-ap-view = في الوضعية AP قد يبدو القلب أكبر مما هو.

## Impression
asked = يسأل الطلب عن: { $finding }.
asked-not-assessed = يسأل الطلب عن: { $finding }. هذا النموذج لا يقيّمه، ويجب أن يبحث عنه طبيب.
no-sign-of-all = لا تُرى علامات على الموجودات المقيَّمة ({ $list }).
nothing-reached = لم يبلغ أي مما قُيِّم احتمالًا مقدّرًا قدره 10 %.
nothing-assessed = لم يُقيَّم شيء.
urgent = { $finding }: قد يكون عاجلًا، لذلك يجب أن ينظر طبيب إلى هذه الصورة دون تأخير.
compare-earlier = إن وُجدت صور سابقة فيجب مقارنتها بهذه الصورة.
compare-prior = يجب النظر إلى صورة { $date } بجانب هذه الصورة.
other-view = إن بقي شك فقد تفيد وضعية أخرى.
other-disease = لا يُنفى وجود مرض آخر.
must-review = يجب أن يراجع طبيب هذه الصورة.

## About this draft
test-reading = هذه قراءة صورة اختبار، لا صورة مريض.
draft = هذه مسودة لم تُراجَع كتبتها آلة ({ $name } { $version }).
not-diagnosis = هذا ليس تشخيصًا، ويجب أن يراجعه طبيب مؤهل قبل أن يتصرف أحد بناءً عليه.
calibrated = عويرت احتمالاتها حيث كان الأمر في { $list } من الصور، وهي خاطئة حيث يختلف ذلك.
calibrated-item = { $share } ({ $finding })
intended-use = الاستعمال المقصود (بالإنجليزية): { $text }.
research-only = هذا النموذج للبحث فقط: لا يجوز استعمال قراءته في الرعاية.

## Where nothing was read
not-read = لم تُقرأ.
because-abstention = لم تُقرأ؛ السبب (بالإنجليزية): { $reason }.
because-failure = فشلت القراءة؛ السبب (بالإنجليزية): { $reason }.
unfit-too-small = لم تُقرأ: أحد أضلاع الصورة أقل من 128 بكسل؛ تُرسل بحجمها الكامل.
unfit-elongated = لم تُقرأ: طول الصورة أكثر من ثلاثة أضعاف عرضها؛ تُرسل صورة الصدر وحدها.
unfit-blank = لم تُقرأ: الصورة فارغة؛ يُتحقق من وصول الأشعة إلى الكاشف ثم تُعاد.
unfit-saturated = لم تُقرأ: معظم الصورة زائد التعريض أو ناقصه حتى نهاية المقياس؛ يُتحقق من التعريض والنافذة ثم تُعاد.
unfit-noise = لم تُقرأ: لا تحوي الصورة إلا تشويشًا؛ يُتحقق من التعريض والكاشف ثم تُعاد.
unfit-not-a-chest = لم تُقرأ: لا يبدو هذا صورة أمامية للصدر بالأشعة؛ يُتحقق من الصورة المرسلة ومن ترويستها.
unfit-upside-down = لم تُقرأ: الصورة مقلوبة رأسًا على عقب؛ تُدار 180 درجة وتُرسل مرة أخرى.
unfit-turned-left = لم تُقرأ: الصورة على جنبها، مُدارة إلى اليسار؛ تُدار 90 درجة إلى اليمين وتُرسل مرة أخرى.
unfit-turned-right = لم تُقرأ: الصورة على جنبها، مُدارة إلى اليمين؛ تُدار 90 درجة إلى اليسار وتُرسل مرة أخرى.
unfit-mirrored = لم تُقرأ: تبدو الصورة معكوسة كما في المرآة؛ يُتحقق من علامة الجانب وتُرسل مرة أخرى في اتجاهها الصحيح.
unfit-inverted = لم تُقرأ: الأسود والأبيض متبادلان؛ تُصحَّح القطبية وتُرسل مرة أخرى.
unfit-bases-cut-off = لم تُقرأ: قاعدتا الرئتين مقطوعتان؛ تُعاد والكاشف أخفض.
unfit-apices-cut-off = لم تُقرأ: قمتا الرئتين مقطوعتان؛ تُعاد والكاشف أعلى.
unfit-side-cut-off = لم تُقرأ: أحد جانبي الصدر مقطوع؛ تُعاد والمريض في وسط الكاشف.
unfit-blurred = لم تُقرأ: الصورة غير واضحة كما في الحركة؛ تُعاد والمريض ساكن وحابس نفسه.
next-no-model = يجب أن يقرأ طبيب هذه الصورة.
next-unfit = يجب أن يقرأ طبيب هذه الصورة ويقرر هل تُعاد.
next-no-pixels = إن كان المقصود إرسال صورة فيجب إرسالها مرة أخرى، ويجب أن يقرأها طبيب.
next-undecodable = يجب أن يقرأ طبيب هذه الصورة؛ ويمكن لمن يدير المرسِل أن يغيّر صيغة الإرسال.
next-malformed = يجب أن يقرأ طبيب هذه الصورة؛ ويجب إخبار من يدير المرسِل بأن ملفه معيب.
next-device = يجب أن يقرأ طبيب هذه الصورة؛ ويجب إخبار من يدير هذا الجهاز.
unread-notice = هذا إشعار لم يُراجَع كتبته آلة: لا يقول شيئًا عما تُظهره الصورة.
unread-not-diagnosis = هذا ليس تشخيصًا، ويجب أن يقرأ الصورة طبيب مؤهل.
unread-test = هذا بخصوص صورة اختبار، لا مريض.

## For the patient: plain words, short sentences
patient-title = ما رآه الحاسوب في صورتك
patient-awaiting = لا يُسلَّم: يجب أن يقبل طبيب التقرير أولًا
patient-test = هذه صورة اختبار. لا تُظهر شخصًا.
patient-intro = نظر حاسوب إلى هذه الصورة. وقد يخطئ.
patient-unread = لم يقرأ الحاسوب هذه الصورة. يجب أن ينظر إليها إنسان.
patient-hedge-likely = يرى أن هذا مرجّح: { $finding }.
patient-hedge-suspected = رأى شيئًا قد يكون هذا: { $finding }.
patient-hedge-may-well-be = يرى أن هذا قد يكون موجودًا فعلًا: { $finding }.
patient-hedge-possible = يرى أن هذا ممكن: { $finding }.
patient-hedge-cannot-be-excluded = لا يستطيع أن يستبعد هذا: { $finding }.
patient-hedge-less-likely = يرى أن هذا أقل احتمالًا، لكنه غير متأكد: { $finding }.
patient-hedge-no-sign = لم يرَ علامة على هذا: { $finding }.
patient-change-new = هذا لم يكن ظاهرًا في الصورة السابقة: { $finding }.
patient-change-larger = هذا أكثر مما في الصورة السابقة: { $finding }.
patient-change-unchanged = هذا كما كان في الصورة السابقة: { $finding }.
patient-change-smaller = هذا أقل مما في الصورة السابقة: { $finding }.
patient-change-resolved = هذا كان في الصورة السابقة ولم يعد ظاهرًا: { $finding }.
patient-asked-not-assessed = سأل فريقك الطبي عن هذا، ولا يستطيع الحاسوب أن يبحث عنه: { $finding }.
patient-not-assessed = لم يبحث عن أشياء أخرى. وقد تكون موجودة مع ذلك.
patient-urgent = قد يكون هذا عاجلًا: { $finding }. اسأل طبيبًا اليوم عن معناه.
patient-talk = من فضلك تحدث مع طبيبك عما يعنيه هذا لك.
patient-keep = لا تبدأ علاجًا ولا توقفه ولا تغيّره بسبب هذا النص.
patient-finding-device = أنبوب أو سلك أو شيء آخر وضعه طبيب
patient-finding-foreign-body = شيء لا ينبغي أن يكون في الجسم
patient-finding-opacity = بقعة ضبابية في الرئتين
patient-finding-consolidation = جزء من الرئة ممتلئ بالسائل
patient-finding-pneumonia = عدوى في الرئتين
patient-finding-tuberculosis = السل، وهو مرض في الرئة
patient-finding-infiltration = ظل في الرئتين
patient-finding-edema = ماء في الرئتين
patient-finding-congestion = دم كثير جدًا في الرئتين
patient-finding-atelectasis = جزء من الرئة بلا هواء
patient-finding-emphysema = أكياس هواء متعبة في الرئتين
patient-finding-hyperinflation = هواء كثير جدًا في الرئتين
patient-finding-fibrosis = ندوب في الرئتين
patient-finding-granuloma = بقعة صغيرة شُفيت في الرئتين
patient-finding-nodule = بقعة صغيرة مستديرة في الرئتين
patient-finding-mass = بقعة كبيرة في الرئتين
patient-finding-lung-disorder = شيء غير معتاد في الرئتين أو حولهما
patient-finding-pneumothorax = هواء بين الرئة وجدار الصدر
patient-finding-effusion = سائل حول الرئتين
patient-finding-pleural-thickening = غشاء سميك حول الرئتين
patient-finding-cardiomegaly = قلب كبير
patient-finding-atherosclerosis = أوعية دموية متصلبة
patient-finding-hernia = جزء من المعدة داخل الصدر
patient-finding-fracture = عظم مكسور
patient-finding-scoliosis = عمود فقري مائل
patient-finding-spine-degenerative = تآكل في العمود الفقري
patient-finding-free-air = هواء حر في البطن
