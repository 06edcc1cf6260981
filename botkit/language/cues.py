"""The words by which a text hangs on what was said before it, per language. Data alone; `context` reads it.

Lists of phrases are parted by commas, lists of words by blanks. They are written as people write and folded when they
are read (see `folded`), so marks and capitals do not count. Persian and Arabic in Latin letters are listed as far as
people agree on a spelling; Bulgarian in Latin letters is read as Cyrillic first.
"""

from __future__ import annotations

PLAIN = {
    "en": (
        # grammar
        "a an the and or but so if then than as of to in on at by for from with without into about over after before "
        "again also too even only just still yet not no yes ok okay well oh hm hi please pls thanks thank now already "
        "i im me my mine we us our you your youre u ur he she it its they them their those these that this there here "
        "one ones some any all both each other another same else something anything everything nothing such "
        "is isnt are arent was were be been being am do dont does doesnt did didnt done have havent has hasnt had "
        "having can cant cannot could couldnt will wont would wouldnt should shouldnt may might must shall "
        "what whats which who whom whose when where wheres why how hows",
        # what anything can be asked for
        "long many much often soon late early far big take takes taking took cost costs price free charge paid extra "
        "fee cheap expensive possible allowed need needed required happen happens work works working mean "
        "time times day days week weeks month months year years hour hours minute minutes today tomorrow "
        "get got go goes going come comes want like make sure case really exactly usually normally always "
        "ever never later first next anyway",
    ),
    "tr": (
        "ve veya ya da de ki ile için gibi kadar ama fakat yoksa eğer ise peki hani evet hayır tamam lütfen "
        "bir bi birşey şey şu bu o bunu şunu onu bunun onun buna ona bundan ondan bunda onda bunlar onlar "
        "bunları onları bunların onların böyle öyle şöyle orada burada oraya buraya ben bana beni benim biz bize siz "
        "size sizin hem daha hala hep her hiç bile sadece yalnız yine tekrar sonra önce artık şimdi yani acaba "
        "mı mi mu mü mıyım miyim muyum müyüm mısınız misiniz musunuz müsünüz var varmı yok değil "
        "ne neyi nedir nasıl neden niye niçin nerede nerde nereye nereden kim kime hangi hangisi kaç kaçta "
        "olur olurmu oluyor oluyormu olacak oldu olsa olursa olmaz olmazsa mümkün edilir yapılır yapabilir "
        "yapmam yapmalıyım yapayım yapıyor yapıyorsunuz ederim eder edebilir",
        "zaman süre süresi süreç sürer sürüyor sürecek ücretsiz ücretli ücreti ücret parasız "
        "bedava para paralı fiyat fiyatı fiyatlar tutar tutuyor çok az uzun kısa gün günde gündür hafta ay yıl "
        "sene saat dakika bugün yarın gerek gerekir gerekiyor gerekli lazım şart zorunlu garanti çalışır "
        "geçer geçerli geçiyor istiyorum isterim ister tam genelde normalde mutlaka fazla ekstra ayrıca",
    ),
    "ar": (
        "و او أو ثم في من على إلى عن مع بعد قبل حتى لو اذا ان لكن بس لان كمان أيضا برضو طيب طب يعني "
        "نعم ايوه لا مش مو ليس غير فقط الا كل بعض اي نفس شي شيء حاجة "
        "هل ما ماذا شو ايش وش متى امتى كيف كيفية لماذا ليش ليه أين وين فين مين كم بكم قديش اديش "
        "انا نحن احنا انت انتم انتو هو هي هم هذا هذه ذلك تلك هذي هاي هاد هيدا هيك ده دي دا دول هذول هناك هنا "
        "عليه عليها فيه فيها له لها لهم منه منها به بها معه معها عنه عنها اله الها لي لنا عندي عندكم عندك لديكم "
        "كان كانت يكون تكون صار يصير راح رح سوف هسه الحين الان دلوقتي بعدين لسه ممكن يمكن يجوز لازم يلزم ضروري "
        "اقدر بقدر فيني استطيع يمكنني نقدر قد ولا يا اللي الذي التي",
        "ياخذ تاخذ بياخد بتاخد ياخد يستغرق تستغرق بيستغرق يستمر مدة مدته مدتها المدة وقت الوقت يوم ايام يومين "
        "اسبوع اسابيع شهر اشهر سنة سنين سنوات ساعة ساعات دقيقة اليوم بكرة غدا سعر سعره سعرها السعر ثمن تكلفة "
        "تكلفته تكلفتها التكلفة يكلف تكلف بيكلف رسوم مجاني مجانا مجانية ببلاش بلاش فلوس مطلوب متاح متوفر مسموح "
        "يحتاج احتاج اريد ابغى ابي بدي عايز عاوز يحصل عادة بالضبط كثير قليل طويل "
        "aw w wa law lw bs bas eh esh shu sho kam kem kif keef ezay wen wein feen emta imta leh lesh hal da di dah "
        "hada hay momken mumkin lazem fi fe men min 3ala 3la el al ya ana enta enti mesh msh mish mo ma la kaman bardo "
        "tayeb tab yoom yom ayam waet wa2t se3r sa3r bkam bikam majani magani balash balesh yakhod byakhod tawel",
    ),
    "fa": (
        "و یا ولی اما اگه اگر پس که تا از به در با بی برای واسه بابت بعد بعدش قبل هم همین هنوز دیگه دیگر فقط حتی مثل "
        "آره بله نه خب خوب باشه لطفا حالا الان اصلا دقیقا معمولا همیشه هیچ همه بعضی یه یک این آن اون اینو اونو اینا "
        "اونا اینها آنها همون همان اینجا اونجا آنجا من ما شما تو او ایشون خودم خودش را رو ها های می نمی ام اید اند ش "
        "چی چه چیه چیست چرا چطور چطوره چجوری چگونه چقدر چقدره چند چنده چندتا کی کجا کجاست کدوم کدام مگه مگر "
        "است هست هستش نیست هستید بود باشد باشم باشن میشه شود بشه میشم شد شده نشه نمیشه دارد داره دارید "
        "دارین دارم نداره ندارید داشت بدم بدید بدین میدید میدین میدن کنم کنید کنین کرد کردم کرده میکنید میکنین میکنم "
        "میخوام میخواهم خواستم باید نباید لازم لازمه ممکن ممکنه امکان امکانش توان تونم میتونم",
        "طول میکشه کشه کشد بکشه رسه رسد شه شود زمان زمانی وقت مدت مدتش روز روزه هفته ماه ماهه سال ساله ساعت دقیقه "
        "امروز فردا رایگان رایگانه مجانی مجانیه هزینه هزینش قیمت قیمتش پول پولی قیمتا اضافه جدا زیاد کم زود دیر "
        "گرون ارزون شامل نیاز نیازه اجباری مجاز میرسه میاد میگیره میگیرید بگیرم میشود اتفاق میفته "
        "va ya vali ama age agar pas ke ta az be dar ba baraye vase bad badesh ham hanuz dige faghat man ma shoma to "
        "in un on oon ino uno ina una inja unja ra ro chi chie che chera chetor chetori chejori chegadr cheghadr chand "
        "key kei koja kojast kodom ast hast nist mishe mishavad nemishe shod shode dare darid darin daram konam konid "
        "mikonid mikhad mikham bayad lazem tool tul mikeshe rooz ruz hafte mah saal sal majani raygan rayegan gheymat "
        "gheymatesh hazine pool",
    ),
    "bg": (
        "и а ами но или ако да не ли че на за от до с със в във към при по под над след преди без през като само пак "
        "още все пък тогава значи добре ок моля благодаря също даже дори така такъв такава такова нещо нищо всичко "
        "аз ми ме мен мене ни нас вие ви вас си се той тя то те го я ги му им него нея тях това този тази тези онова "
        "вече онзи онази ония там тук друг друга друго други същия същата същото един една едно "
        "какво какъв каква какви кой коя кое кои кога къде как защо колко чий дали кво ко кат "
        "съм е сме сте са бях беше били бъде ще няма нямам има имат имате може мога можем можете трябва "
        "нужно искам искаме правя прави прави правите направя стане става ставало",
        "време дълго отнема трае продължава струва струват цена цената безплатно безплатна безплатен безплатни пари "
        "плаща плащам плащане доплаща ден дни дена седмица седмици месец месеца месеци година години час часа часове "
        "минути днес утре възможно позволено задължително много малко дълъг скоро рано късно точно обикновено винаги "
        "важи валидно валидна валиден",
    ),
}
"""Words that name no thing: first a language's grammar, then what anything can be asked for (its price, its time)."""

AGREEING = {
    "en": "ok okay so oh well hm hmm yes no right great thanks fine",
    "tr": "tamam ok evet hayır anladım teşekkürler",
    "ar": "طيب طب اوكي تمام نعم ايوه لا شكرا",
    "fa": "باشه اوکی خب خوب بله آره نه مرسی ممنون",
    "bg": "добре ок да не ясно благодаря мерси",
}
"""Words that may stand before an opening."""

OPENINGS = {
    "en": "and, but, or, then, what about, how about, what if, even, same, plus, in that case, for, to, by, with, "
    "within, until",
    "tr": "peki, ya, ve, ama, yoksa, öyleyse, o zaman, o halde, hani",
    "ar": "و, ماذا عن, ماذا لو, شو عن, ايش عن, حتى لو, حتى, لكن, بس, او, طيب, طب, اذا, لو, بالنسبة, نفس, w, wa, tayeb, "
    "tab, bas, law, aw",
    "fa": "و, پس, ولی, اما, یا, خب, خوب, حتی, va, pas, vali, ama, khob",
    "bg": "а, ами, и, но, или, тогава, значи, дори, даже, за, до, с, със, по, в, към",
}
"""How a continuation begins."""

ENDINGS = {
    "en": "then, though, instead, as well, too, either",
    "tr": "peki, ise, ne olacak, ya, için de, da olur mu, de olur mu, da mı, de mi, da oluyor mu, de oluyor mu",
    "ar": "كمان, ايضا, برضو, kaman, bardo",
    "fa": "چی, چی میشه, چطور, چطوره, چه, چی پس, chi, chetor",
    "bg": "тогава, също, пък",
}
"""How one ends."""

ARABIC_W = (
    "وصل وصلني وصلنا وصلت وصلتني وصلو وين وينه وينها وقت وصف واحد واحدة وزن ورق ورقة وضع ورد وردة وكيل وجدت وجد وعد "
    "واتساب واتس ودي وش وشو ولا وقف وقفت وثق وسط وسيلة وديعة ورشة والله وهم وسائد وسادة وصول وظيفة وظائف ولد ولدي "
    "والدتي والدي وثيقة وثائق واسع واضح"
)
"""Arabic words whose first letter is no "and"."""

POINTERS = {
    "en": "it, its, they, them, their, theirs, those, these, there, one, ones, both, such, then, else, instead",
    "tr": "bunu, şunu, onu, bunun, şunun, onun, buna, ona, bundan, ondan, bunda, onda, bunlar, onlar, bunları, onları, "
    "bunların, onların, bunlara, onlara, bununla, onunla, bunlardan, onlardan, orada, oraya, oradan, öyle, böyle, "
    "diğeri, aynı, ikisi, hepsi",
    "ar": "ذلك, تلك, هو, هي, هم, عليه, عليها, فيه, فيها, له, لها, لهم, منه, منها, به, بها, معه, معها, عنه, عنها, اله, "
    "الها, هيك, هناك, بعدين, ده, دي, دا, دول, نفسه, نفسها, كلها, da, di, dah, hada",
    "fa": "اینو, اونو, اینا, اونا, اینها, آنها, همون, همان, خودش, اونجا, آنجا, بعدش, این رو, اون رو, این را, آن را, "
    "ino, uno, ina, una, unja, badesh",
    "bg": "го, ги, му, им, него, нея, тях, той, тя, те, там, тогава, такъв, такава, такова, такива, онова, същото, "
    "същия, същата",
}
"""Pronouns and the like: they stand for something named before."""

DEMONSTRATIVES = {
    "en": (
        "that this",
        "is isnt are was be been do does take takes cost costs work works happen happens mean in on at to for from "
        "with by as too free possible allowed a the if when or and not also still apply include cover count back then "
        "again",
    ),
    "tr": ("bu şu o", "ne nasıl kaç da de mu mı mi için var yok olur ücretsiz ücretli geçerli mümkün zaman"),
    "ar": ("هذا هذه هذي هاي هاد هيدا", "هل مجاني ممكن متى كم في من على يشمل يكلف يستغرق صحيح لا مو مش"),
    "fa": (
        "این اون آن in oon",
        "چی چقدر چند کی هم چطور رایگان رایگانه میشه می ممکن طول شامل برای است هست",
    ),
    "bg": (
        "това този тази тези",
        "ли е са колко как кога може ще се отнема струва важи и за на в с не да става",
    ),
}
"""Words that point back when one of the second list follows them, or nothing: otherwise a noun of their own does."""

TURNINGS = {
    "en": "by the way, btw, another question, another thing, one more question, one more thing, other question, "
    "different question, different thing, something else, on another note, separately, unrelated",
    "tr": "bu arada, bir de, bir şey daha, bir soru daha, bi de, bi şey daha, bi soru daha, başka bir soru, "
    "başka bir sorum, başka soru, başka sorum, başka konu, başka bir konu, başka bir şey, ayrıca, bunun dışında",
    "ar": "على فكرة, بالمناسبة, وبالمناسبة, سؤال ثاني, سؤال تاني, سؤال آخر, شي ثاني, شيء آخر, موضوع ثاني, موضوع آخر, "
    "استفسار ثاني, استفسار آخر, غير موضوع, 3ala fekra",
    "fa": "راستی, ضمنا, یه سوال دیگه, یک سوال دیگه, یک سوال دیگر, یه چیز دیگه, یک چیز دیگر, سوال دیگه, سوال دیگر, "
    "سوال بعدی, rasti, ye soale dige",
    "bg": "между другото, друг въпрос, още един въпрос, още нещо, освен това, също така, на друга тема, отделно",
}
"""How a customer announces another subject."""

TURNING_STARTS = {"en": "also, and also"}
"""And what announces one only at the beginning."""

ATTACHED = {"ar": ("ها",), "fa": ("ش", "شون", "شان")}
"""Pronouns written together with the word before them."""

UNATTACHED = (
    # Persian words that end so by nature
    "سفارش فروش فرش بخش روش پیش بیش خوش کفش گزارش افزایش کاهش آموزش پوشش آتش ارزش نقش پذیرش پرسش نگارش همایش واکنش "
    "تلاش پاداش نمایش گرایش گردش چرخش ویرایش بالش رویش دانش سنجش خواهش خراش تراش کوشش پخش داداش نشان ایشان شش جوش گوش "
    "هوش",
    # Arabic ones
    "بعدها عندها وقتها غيرها انتهاها",
)
"""Words that only look as if a pronoun were attached."""

ORDINALS = {
    1: "1 1st first one 1inci birinci birincisi birincisini ilk ilki ilkini bir الأول الأولى اول اولى واحد واحدة اولی "
    "اولیه اولین یک یکم یکمی یکی avval avali avvali yek awal elawal alawal първи първия първият първата първото "
    "първо едно един една",
    2: "2 2nd second two ikinci ikincisi ikincisini iki ikincisine الثاني الثانية التاني التانية ثاني ثانية تاني اثنين "
    "اتنين دوم دومی دومیه دومین دو dovom dovomi do tani eltani althani втори втория вторият втората второто второ "
    "две два",
    3: "3 3rd third three üçüncü üçüncüsü üçüncüsünü üç الثالث الثالثة التالت التالتة ثالث ثالثة تالت ثلاثة تلاتة سوم "
    "سومی سومیه سومین سه sevom sevomi talet eltalet трети третия третият третата третото трето три",
    4: "4 4th fourth four dördüncü dördüncüsü dört الرابع الرابعة رابع چهارم چهارمی چهار четвърти четвъртия четвъртата "
    "четвъртото четири",
    -1: "last final son sonuncu sonuncusu sonuncusunu sonuncuyu الأخير الأخيرة اخير آخر آخری آخریه آخرین اخرین "
    "akhari akhar akhir последен последния последният последната последното",
}
"""Which of several things a word picks; -1 is the last."""

ONES = "one bir واحد واحدة یک یکی едно един една"
"""Words for 1 that also stand beside another ordinal: "the second one"."""

PICKING = (
    "the that this its it is a an option number no nr choice answer question please pls thanks i want mean meant think "
    "need would like yes yeah ok okay go with take from list ones of them those these thing my",
    "numara numaralı nolu no seçenek seçeneği seçenekteki şık şıkkı olan olanı soru soruyu konu lütfen istiyorum evet "
    "tamam bu şu onu sıradaki maddeyi madde yani olsun lazım",
    "الخيار خيار رقم رقمه السؤال سؤال الجواب لو سمحت سمحتي من فضلك اريد ابغى ابي بدي نعم ايوه طيب هو هي هذا هذه اللي "
    "قصدي اقصد تمام",
    "گزینه شماره مورد سوال همون همان رو را لطفا بله آره میخوام منظورم منظور من بود است هست همین اون این باشه gozine "
    "gozineye shomare shomareye ro lotfan baleh",
    "вариант варианта отговор въпрос въпроса номер моля искам да това е онова този тази благодаря имам предвид ок "
    "добре",
)
"""What may stand beside such a word."""

REFUSALS = (
    "none, neither, none of these, none of those, none of them, none of the above, neither of these, neither of them, "
    "not these, no these, not any of these, not any of them, nothing of that, none of that, none of this, "
    "something else, no something else, its something else, none fits, none of these fits, none of these help, "
    "none of them help",
    "hiçbiri, hiçbirisi, hiç biri, hiç birisi, hiçbiri değil, hiç biri değil, hiçbirisi değil, hayır hiçbiri, "
    "bunların hiçbiri, bunların hiçbiri değil, bunlar değil, hayır bunlar değil, bunlardan hiçbiri, "
    "bunlardan hiçbiri değil, başka bir şey, başka şey, hayır başka bir şey, hiçbiri uymuyor",
    "ولا واحد, ولا واحد منهم, ولا واحد منها, ولا واحدة, ولا واحدة منها, ولا وحدة, ولا وحدة منهم, لا ولا واحد, "
    "ولا شي, ولا شيء, لا شيء, لا شيء مما ذكر, لا شيء من هذا, لا شيء من ذلك, لا شيء منها, مو هذا, مو هذي, مو هذول, "
    "مش دول, مش ده, مش دي, مش هدول, مش هيك, ليس أي منها, ليس أيا منها, ليست هذه, ليس هذا, غير هذا, غير كذا, شي ثاني, "
    "شي تاني, شيء آخر, لا هذا ولا ذاك, لا هاد ولا هاد",
    "هیچکدام, هیچ کدام, هیچکدوم, هیچ کدوم, هیچکدومش, هیچ کدومش, هیچکدومشون, هیچ کدومشون, هیچ یک, هیچکدام نیست, "
    "هیچکدوم نیست, هیچ کدوم نیست, هیچ کدام نیست, هیچکدوم نبود, نه هیچکدوم, نه هیچ کدوم, نه هیچکدام, هیچ کدام از اینها, "
    "هیچکدوم از اینا, هیچ کدوم از اینا, هیچ کدام از این موارد, اینا نیست, اینا نیستن, این ها نیست, یه چیز دیگه, "
    "یک چیز دیگر, نه یه چیز دیگه, hichkodum, hichkodom, hich kodum, hich kodom, hichkodam",
    "нито едно, нито един, нито една, нито едно от тях, нито едно от тези, нито един от тях, нито една от тях, "
    "никое, никое от тях, никое от тези, никой от тях, не е нито едно, не е никое, не са тези, не тези, не това, "
    "не нещо друго, нещо друго, друго е, друго, nito edno, nikoe, neshto drugo",
)
"""What refuses all that was offered."""
