"""What customers type as they speak, in the words and endings that are written.

Dialects, chat spellings and short forms are many, an article is written once, and encoders have read far more of the
written language. Questions and rows are both brought to it before anything is compared, so a question in one dialect
also finds a phrasing in another. Only words that mean one thing to a shop are here; what stays is left to n-grams.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from botkit.language.forms import folded, normal

# written: as typed, in any folding. No written word is another's typed one.
_WORDS = {
    "en": """
        you: u ye yous youse yall
        your: ur yer
        are: r
        please: pls plz plss
        thanks: thx thnx tnx ta
        going to: gonna
        want to: wanna
        have to: gotta
        give me: gimme gie
        let me: lemme
        do not know: dunno
        is not: aint isnae
        can't: cant cannae canna
        don't: dont dinnae dinna
        didn't: didnt didnae
        doesn't: doesnt disnae
        haven't: havent havenae
        hasn't: hasnt hasnae
        isn't: isnt
        wasn't: wasnt wisnae
        won't: wont willnae
        what's: whats wots
        where's: wheres
        how's: hows
        when's: whens
        I'm: im
        I've: ive
        small: wee
        yes: aye
        no: nae
        anything: owt
        nothing: nowt
        something: summat
        because: cuz coz bc
        before: b4
        tomorrow: tmrw tmr 2moro
        today: 2day
        message: msg
        messages: msgs
        address: addy
        account: acct
        password: pw pwd passwd
        number: num
        details: deets
        broken: banjaxed knackered borked busted
        pounds: quid
        dirty: manky
    """,
    "ar": """
        متى: ايمتى امتى ايمته وقتاش فوقاش شوكت يمتى
        أين: وين فين وينه فينه وينها فينها وينكم فينكم
        من أين: منين
        لماذا: ليش ليه علاش عليش لشو
        ماذا: شو ايش وش شنو شنوه ايه اش شنهو
        كيف: ازاي ازي شلون كيفاش اشلون كيفن
        كم: قديش اديش شقد شحال بكام كام بشحال بقديش قداش
        أريد: بدي عايز عاوز عايزه عاوزه ابغى ابغا ابي بغيت نبغي ودي
        نريد: بدنا عايزين عاوزين نبغى
        تريد: بدك تبغى تبي
        الآن: هلق هلا دلوقتي دلوقت هسه هسا دابا الحين ذلحين
        ليس: مو مش موب مب مهو مهوش ماهو
        لا يوجد: مافي مافيش مفيش ماكو ماكاينش مكاينش
        يوجد: اكو كاين كاينه
        ليس عندي: معنديش ماعنديش ماعندي معييش
        هذا: هاد هدا هيدا ده هادا هاظا
        هذه: هاي هيدي دي هادي هذي هاذي
        الذي: اللي يلي
        أيضا: كمان برضو برضه بردو زاده
        المال: فلوس الفلوس مصاري المصاري
        مالي: فلوسي مصرياتي
        سوف: راح رح غادي
        لكي: عشان علشان منشان مشان باش
        ما زال: لسه لسا
        شيء: حاجه شي اشي
        الشيء: الحاجه
        جيد: منيح زين كويس مزيان مليح كويسه منيحه زينه
        كثير: كتير برشا بزاف هوايه واجد
        قليلا: شوي شويه شويا
        أستطيع: اقدر بقدر فيني فيي اكدر نقدر كنقدر
        هل يمكن: بيصير ينفع بينفع
        طلب: اوردر كوموند كومند
        الطلب: الاوردر الطلبيه الكوموند
        طلبي: اوردري طلبيتي
        نقدا: كاش
        التوصيل: الدليفري
        رقم الهاتف: النمره
        أتكلم: نهضر اهضر احكي نحكي اهدر
        أعطوني: عطيوني ادوني عطوني اديني انطوني
        أدفع: هدفع بدفع انطي
        وصل: اجا اجى
        وصلني: جاني جالي اجاني
        لم يصل: ماوصلش موصلش ماجاش مجاش ماجا
        لم تصل: ماوصلتش موصلتش ماجاتش ماجت
        صغير: زغير صغيور
        أستبدل: ابدل نبدل
        زوجي: راجلي جوزي
        السيارة: الطوموبيل
        المندوب: السايق
        أعرف: بعرف نعرف
        أنتظر: مستني مستنيه ناطر ناطره
        حساب: اكونت اكاونت
        حسابي: اكونتي اكاونتي
        كلمة المرور: باسورد الباسورد باسوورد
        بريد إلكتروني: ايميل
        البريد الإلكتروني: الايميل
        رمز: كود
        الرمز: الكود
        مقاس: سايز
        المقاس: السايز
        إلغاء: كنسل اكنسل
        تالف: خربان بايظ بايظه خربانه
    """,
    "tr": """
        bir: bi
        bir şey: bişey bişi bişe birşey
        her şey: herşey herşi
        ne oldu: noldu nooldu
        ne oluyor: noluyo noluyor
        ne yapacağım: napcam napıcam napicam
        ne yapayım: napayım napıyım napim
        ne yapıyorsunuz: napıyonuz
        nasıl: nası
        nerede: nerde
        burada: burda
        şurada: şurda
        orada: orda
        şimdi: şindi
        öyle: öle
        böyle: böle
        şöyle: şöle
        değil: diil deel değel
        değil mi: dimi demi
        hiç: heç
        tamam: tmm
        cevap: cvp
        mesaj: msj
        numara: nömre
        kardeş: gardaş gardaşım gardeş
        eksik: eysik
        dükkân: tükan tükkan
        kadar: gadar
        nakit: keş
        hesap: akkaunt
        yok mu: yokmu
        var mı: varmı varmi
        olur mu: olurmu
    """,
    "fa": """
        را: رو
        یک: یه
        اگر: اگه
        دیگر: دیگه
        برای: واسه برا
        چیست: چیه
        کیست: کیه
        چگونه: چجوری چطوری
        چه کار: چیکار
        چه: چی
        چقدر: چقد چقده چقدره
        قیمت چند است: چنده
        کدام: کدوم
        کدام است: کدومه
        می‌شود: میشه میشِد
        نمی‌شود: نمیشه
        بشود: بشه
        می‌خواهم: میخوام میخام
        می‌خواهد: میخواد
        می‌توانم: میتونم
        نمی‌توانم: نمیتونم
        می‌توانید: میتونین میتونید
        بتوانم: بتونم
        می‌دهید: میدین میدید
        می‌دهد: میده
        می‌دهم: میدم
        بدهید: بدین بدید
        بدهم: بدم
        می‌آید: میاد
        می‌آورید: میارین میارید
        بیاورید: بیارین بیارید
        نیامد: نیومد
        نیامده: نیومده
        آمد: اومد
        آمده: اومده
        می‌کنید: میکنین میکنید
        کنید: کنین کونید
        دارید: دارین
        هستید: هستین
        فرستادید: فرستادین
        خانه: خونه
        دانه: دونه
        آن: اون
        این را: اینو
        آن را: اونو
        همان: همون
        تمام: تموم
        می‌رسد: میرسه
        برسد: برسه
        می‌ماند: میمونه
        از شما: ازتون
        با شما: باهاتون
        حساب کاربری: اکانت
        رمز عبور: پسورد پسوورد
        صورت‌حساب: بل
    """,
    "bg": """
        ще: шъ ша шь
        какво: кво квот
        защо: оти що
        няма: нема
        нямам: немам
        къде: дека
        искам: сакам
        иска: сака
        искате: сакате
        това: тва туй туйто тоа
        този: тоя
        тази: тая
        тези: тия
        така: тъй
        правя: праа прайм
        може: моа мож
        мога: моем моам
        веднага: одма
        никак: ич
        нищо: ништо нищу
        пари: кинти мангизи парички
        парите: кинтите мангизите паричките
        съобщения: есемеси смс
        съобщенията: есемесите
        телефон: гсм джиесем
        профил: акаунт
        профила: акаунта
        като: кат
        защото: щото щот
        взема: зема
        взимам: земам зимам
        дойде: доде
        много: мн
        колко: колку кольо
        сега: сига
        куриерът: куриеро
        куриера: куриерчето
    """,
}
# Endings of a word as it is typed, in lower case, and as it is written.
_ENDINGS: dict[str, tuple[tuple[str, Any], ...]] = {
    "ar": (
        (r"^ما?(\w{4,})ش$", r"لا \1"),
        (r"^هال(\w{3,})$", r"هذا ال\1"),
        (r"^عال(\w{4,})$", r"على ال\1"),
    ),
    "tr": (
        (r"^gonuş", "konuş"),
        (r"^(ga)(?=lay|pı|rgo|rşı|rt)", "ka"),
        (r"(?<=\wm)[ıi]cam$", "ayacağım"),
        (r"(?<=\wm)[ıi]cem$", "eyeceğim"),
        (r"(?<=[^aeıioöuü\W])[ıiuü]?cam$", "acağım"),
        (r"(?<=[^aeıioöuü\W])[ıiuü]?cem$", "eceğim"),
        (r"(?<=[^aeıioöuü\W])[ıiuü]?caz$", "acağız"),
        (r"(?<=[^aeıioöuü\W])[ıiuü]?cez$", "eceğiz"),
        (r"(?<=\w[^aeıioöuün\W])cak$", "acak"),
        (r"(?<=\w[^aeıioöuün\W])cek$", "ecek"),
        (r"(?<=[^aeıioöuüs\W][ıiuü])yon$", "yorsun"),
        (r"(?<=[^aeıioöuü\W][ıiuü])yo(m|z|lar)$", lambda m: {"m": "yorum", "z": "yoruz", "lar": "yorlar"}[m[1]]),
        (r"(?<=[^aeıioöuü\W][ıiuü])yo(m[ıuü]s[ıuü]n[ıuü]z)$", r"yor \1"),
        (r"(?<=[^aeıioöuü\W][ıiuü])yonuz$", "yorsunuz"),
        (r"(?<=[^aeıioöuü\W][ıiuü])yo$", "yor"),
        (r"(?<=\w[^aeıioöuün\W])ior?$", "iyor"),
    ),
    "fa": (
        (r"^(\w{3,})مو$", r"\1م را"),
        (r"^(\w{3,})تونو$", r"\1تان را"),
        (r"^(\w{3,})تون$", r"\1تان"),
        (r"^(\w{3,})هارو$", r"\1ها را"),
    ),
}
_AS_THEY_ARE = frozenset(
    """
    kocam hocam amcam gecem bahcem bütcem butcem örümcek orumcek yumurcak gercek mercek olcek ölcek piyon şampiyon
    sampiyon radio audio studio trio folio portfolio
    کارتون ماراتون پرومو
    """.split()
)
"""words that end so and mean something else"""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
# A Persian verb is one word, whatever stands between its parts.
_PERSIAN_VERB = re.compile(
    r"(?<!\w)(ن?می)[\u200c ](خوام|خام|خواد|شه|تونم|تونین|تونید|دین|دید|ده|دم|کنین|اد|ارین|ارید|رسه|مونه)(?!\w)"
)


def written(text: str, lang: str) -> str:
    """A text with the everyday words and endings of its language as they are written; the rest as it is. What is
    written already stays."""
    if lang not in _WORDS:
        return text
    if lang == "fa":
        text = _PERSIAN_VERB.sub(r"\1\2", text)
    known, endings = _words(lang), _endings(lang)

    def replaced(match: re.Match[str]) -> str:
        word = match[0]
        if len(word) == 1 and text[match.end() : match.end() + 1] == ".":  # of an abbreviation
            return word
        found = known.get(folded(word, lang))
        if found is not None:
            return found
        lower = normal(word, lang)
        if endings and lower not in _AS_THEY_ARE:
            for typed, standard in endings:
                changed = typed.sub(standard, lower)
                if changed != lower:
                    return changed
        return word

    return _WORD.sub(replaced, text)


@functools.cache
def _words(lang: str) -> Mapping[str, str]:
    """Written words by the folded typed ones."""
    pairs = (line.split(":") for line in _WORDS[lang].strip().splitlines())
    return {folded(typed, lang): standard.strip() for standard, several in pairs for typed in several.split()}


@functools.cache
def _endings(lang: str) -> tuple[tuple[re.Pattern[str], Any], ...]:
    return tuple((re.compile(typed), standard) for typed, standard in _ENDINGS.get(lang, ()))
