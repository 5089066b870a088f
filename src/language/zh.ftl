# 简体中文. This file awaits review by a native clinician.

language-name = 简体中文
review-state = awaiting-native-clinician
review-note = 本文的措辞尚未由母语为中文的临床医生审阅。

## Headings
title-report = 机器生成的初步草稿，未经审阅
title-abstention = 机器未作判读
title-failure = 机器判读失败
title-test = 测试图像 - 并非患者。{ $title }
heading-findings = 影像所见
heading-impression = 印象
heading-about = 关于本草稿
heading-origin = 来源
about = 关于：{ $what }。
about-image = 图像 { $value }
about-accession = 检查号 { $value }
about-study = 检查日期 { $value }
about-patient = 患者编号 { $value }
made = 由 { $device } 于 { $time } 生成。
clock = 当时设备时钟未同步：此时间可能有误。

## What the image is
kind-radiograph = X线片
kind-ultrasound = 超声图像
kind-mammogram = 钼靶片
kind-ct = CT图像
kind-mr = 磁共振图像
kind-image = 图像
region-chest = 胸部
region-lung = 肺部
region-heart = 心脏
region-abdomen = 腹部
region-pelvis = 骨盆
region-breast = 乳腺
region-head = 头部
region-spine = 脊柱
region-hand = 手部
region-wrist = 腕部
region-knee = 膝部
region-ankle = 踝部
region-foot = 足部
region-hip = 髋部
region-shoulder = 肩部
region-elbow = 肘部
view-pa = 后前位（PA）
view-ap = 前后位（AP）
view-left-lateral = 左侧位
view-right-lateral = 右侧位
view-lateral = 侧位
view-right-decubitus = 右侧卧位
view-left-decubitus = 左侧卧位
view-right-oblique = 右斜位
view-left-oblique = 左斜位
image-of = { $region }{ $kind }
image-view = { $image }，{ $view }
image-sentence = { $image }。
test-image = 测试图像 - 并非患者：此图像显示体模或其他测试物体。

## Findings, in the clinician's words
finding-device = 医疗器械
finding-foreign-body = 异物
finding-opacity = 肺部阴影
finding-consolidation = 肺实变
finding-pneumonia = 肺炎
finding-tuberculosis = 肺结核
finding-infiltration = 肺浸润
finding-edema = 肺水肿
finding-congestion = 肺淤血
finding-atelectasis = 肺不张
finding-emphysema = 肺气肿
finding-hyperinflation = 肺过度充气
finding-fibrosis = 肺纤维化
finding-granuloma = 肉芽肿
finding-nodule = 肺结节
finding-mass = 肺部肿块
finding-lung-disorder = 肺或胸膜病变
finding-pneumothorax = 气胸
finding-effusion = 胸腔积液
finding-pleural-thickening = 胸膜增厚
finding-cardiomegaly = 心影增大
finding-atherosclerosis = 动脉粥样硬化
finding-hernia = 食管裂孔疝
finding-fracture = 骨折
finding-scoliosis = 脊柱侧弯
finding-spine-degenerative = 脊柱退行性改变
finding-free-air = 膈下游离气体
finding-whether-normal = 图像是否正常
finding-nodule-or-mass = 结节或肿块
finding-b-lines = B线
finding-cause = 细菌性或病毒性病因
finding-bronchiolitis = 细支气管炎和过度充气
foreign-words = “{ $words }”[en]

## Where and how large
placed = { $finding }（{ $place }）
side-right = 右侧
side-left = 左侧
side-both = 双侧
zone-apex = 肺尖
zone-upper = 上肺野
zone-middle = 中肺野
zone-lower = 下肺野
zone-base = 肺底
zone-hilum = 肺门
size = { $mm } 毫米

## Lists
list-comma = { $a }、{ $b }
list-semicolon = { $a }；{ $b }
list-or = { $a }或{ $b }
list-and = { $a }和{ $b }

## How surely
hedge-likely = { $finding }：很可能（估计概率 { $probability }）。
hedge-suspected = { $finding }：疑似（估计概率 { $probability }）。
hedge-may-well-be = { $finding }：较有可能存在（估计概率 { $probability }）。
hedge-possible = { $finding }：有可能（估计概率 { $probability }）。
hedge-cannot-be-excluded = { $finding }：不能排除（估计概率 { $probability }）。
hedge-less-likely = { $finding }：可能性较小（估计概率 { $probability }），但未排除。
hedge-no-sign = 未见以下征象：{ $list }。
no-sign-first = { $finding }（估计概率 { $probability }）
no-sign-more = { $finding }（{ $probability }）
name-likely = 很可能
name-suspected = 疑似
name-may-well-be = 较有可能存在
name-possible = 有可能
name-cannot-be-excluded = 不能排除
name-less-likely = 可能性较小
name-no-sign = 未见
percent = { $n } %
percent-least = 小于 1 %
percent-most = 大于 99 %
of-100 = 每 100 张中有 { $n } 张
of-100-least = 每 100 张中不足 1 张
flagged = 在开发数据中，这样标记的图像{ $share }确有：{ $finding }。

## Against an earlier image
compared = 已与 { $date } 的图像比较。
change-new = 与 { $date } 的图像相比，新出现：{ $finding }。
change-larger = 与 { $date } 的图像相比，增大：{ $finding }。
change-unchanged = 与 { $date } 的图像相比，无变化：{ $finding }。
change-smaller = 与 { $date } 的图像相比，减小：{ $finding }。
change-resolved = 与 { $date } 的图像相比，不再可见：{ $finding }。

## What was not looked for, and what limits the reading
not-assessed = 未评估：{ $list }；以及上文未提及的一切。未提及并不表示不存在。
not-assessed-other = 未评估：上文未提及的一切。未提及并不表示不存在。
note-age-unknown = 图像文件头未注明患者年龄。
note-view-unknown = 图像文件头未注明投照体位。
note-ap-view = 前后位（AP）图像中心影可能比实际显得更大。

## Impression
asked = 申请单询问：{ $finding }。
asked-not-assessed = 申请单询问：{ $finding }。本模型不评估此项，须由临床医生查看。
no-sign-of-all = 未见所评估各项（{ $list }）的征象。
nothing-reached = 所评估各项的估计概率均未达到 10 %。
nothing-assessed = 未评估任何项目。
urgent = { $finding }：可能属于急症，临床医生须立即查看此图像。
compare-earlier = 如有既往图像，应与本图像比较。
compare-prior = 应将 { $date } 的图像与本图像对照查看。
other-view = 如仍有疑问，其他体位可能有帮助。
other-disease = 不排除其他疾病。
must-review = 临床医生必须审阅此图像。

## About this draft
test-reading = 这是对测试图像的判读，并非患者。
draft = 这是机器生成、未经审阅的草稿（{ $name } { $version }）。
not-diagnosis = 这不是诊断；在任何人据此行动之前，须由合格的临床医生审阅。
calibrated = 其概率的校准数据中，图像存在该项的比例为{ $list }；比例不同之处，概率不准确。
calibrated-item = { $share }（{ $finding }）
intended-use = 预期用途（英文）：{ $text }。
research-only = 本模型仅供研究：其判读不得用于诊疗。

## Where nothing was read
not-read = 未判读。
because-abstention = 未判读；原因（英文）：{ $reason }。
because-failure = 判读失败；原因（英文）：{ $reason }。
unfit-too-small = 未判读：图像有一边小于128像素；请以完整尺寸发送。
unfit-elongated = 未判读：图像长度超过宽度的三倍；请只发送胸部图像。
unfit-blank = 未判读：图像为空白；请检查射线是否到达探测器，并重拍。
unfit-saturated = 未判读：图像大部分曝光过度或不足，已到灰阶尽头；请检查曝光和窗宽窗位，并重拍。
unfit-noise = 未判读：图像只有噪声；请检查曝光和探测器，并重拍。
unfit-not-a-chest = 未判读：这不像正位胸片；请检查所发送的图像及其头信息。
unfit-upside-down = 未判读：图像上下颠倒；请旋转180度后重新发送。
unfit-turned-left = 未判读：图像横置，向左旋转；请向右旋转90度后重新发送。
unfit-turned-right = 未判读：图像横置，向右旋转；请向左旋转90度后重新发送。
unfit-mirrored = 未判读：图像似乎左右镜像；请核对侧别标记，并以正确方向重新发送。
unfit-inverted = 未判读：黑白颠倒；请纠正极性后重新发送。
unfit-bases-cut-off = 未判读：两侧肺底被截去；请将探测器放低后重拍。
unfit-apices-cut-off = 未判读：两侧肺尖被截去；请将探测器抬高后重拍。
unfit-side-cut-off = 未判读：胸部一侧被截去；请让患者位于探测器中央后重拍。
unfit-blurred = 未判读：图像模糊，似因移动所致；请让患者保持不动并屏气后重拍。
next-no-model = 临床医生必须判读此图像。
next-unfit = 临床医生必须判读此图像，并决定是否重拍。
next-no-pixels = 如本应发送图像，须重新发送，并由临床医生判读。
next-undecodable = 临床医生必须判读此图像；发送设备的维护者可更改发送格式。
next-malformed = 临床医生必须判读此图像；须告知发送设备的维护者其文件有缺陷。
next-device = 临床医生必须判读此图像；须告知本设备的维护者。
unread-notice = 这是机器生成、未经审阅的通知：它不说明图像显示了什么。
unread-not-diagnosis = 这不是诊断，图像须由合格的临床医生判读。
unread-test = 这与测试图像有关，并非患者。

## For the patient: plain words, short sentences
patient-title = 电脑在您的图像中看到了什么
patient-awaiting = 请勿发放：须先由临床医生认可报告
patient-test = 这是测试图像。上面没有人。
patient-intro = 电脑看了这张图像。它可能会出错。
patient-unread = 电脑没有看这张图像。必须由人来看。
patient-hedge-likely = 它认为这个很可能有：{ $finding }。
patient-hedge-suspected = 它看到了可能是这个的东西：{ $finding }。
patient-hedge-may-well-be = 它认为这个比较可能有：{ $finding }。
patient-hedge-possible = 它认为这个有可能：{ $finding }。
patient-hedge-cannot-be-excluded = 它不能排除这个：{ $finding }。
patient-hedge-less-likely = 它认为这个可能性较小，但不能肯定：{ $finding }。
patient-hedge-no-sign = 它没有看到这个的迹象：{ $finding }。
patient-change-new = 这个在上次的图像里没有看到：{ $finding }。
patient-change-larger = 这个比上次的图像多了：{ $finding }。
patient-change-unchanged = 这个和上次的图像一样：{ $finding }。
patient-change-smaller = 这个比上次的图像少了：{ $finding }。
patient-change-resolved = 这个在上次的图像里有，现在看不到了：{ $finding }。
patient-asked-not-assessed = 您的医疗团队问到这个，而电脑不能查找它：{ $finding }。
patient-not-assessed = 它没有查找其他问题。您仍然可能有。
patient-urgent = 这个可能很急：{ $finding }。请今天就问医生这是什么意思。
patient-talk = 请和您的医生谈谈这对您意味着什么。
patient-keep = 请不要因为这段文字开始、停止或改变任何治疗。
patient-finding-device = 医生放入的管子、导线或其他东西
patient-finding-foreign-body = 不应该在身体里的东西
patient-finding-opacity = 肺里一块模糊的地方
patient-finding-consolidation = 肺的一部分充满了液体
patient-finding-pneumonia = 肺部感染
patient-finding-tuberculosis = 结核，一种肺病
patient-finding-infiltration = 肺里一块阴影
patient-finding-edema = 肺里有水
patient-finding-congestion = 肺里的血太多
patient-finding-atelectasis = 肺的一部分没有空气
patient-finding-emphysema = 肺里的小气囊磨损了
patient-finding-hyperinflation = 肺里的空气太多
patient-finding-fibrosis = 肺里有疤痕
patient-finding-granuloma = 肺里一个已经愈合的小点
patient-finding-nodule = 肺里一个圆形的小点
patient-finding-mass = 肺里一个大的斑块
patient-finding-lung-disorder = 肺部或肺的周围有异常
patient-finding-pneumothorax = 肺和胸壁之间有空气
patient-finding-effusion = 肺的周围有液体
patient-finding-pleural-thickening = 肺外面的膜变厚
patient-finding-cardiomegaly = 心脏偏大
patient-finding-atherosclerosis = 血管变硬
patient-finding-hernia = 胃的一部分进入了胸腔
patient-finding-fracture = 骨头断了
patient-finding-scoliosis = 脊柱弯曲
patient-finding-spine-degenerative = 脊柱磨损
patient-finding-free-air = 肚子里有游离的空气
