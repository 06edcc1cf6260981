"""Texts in five languages: normal forms, words, scripts, guesses, small talk and the wish for a person."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.language import (
    LANGUAGES,
    Speller,
    clean,
    context_cues,
    detect,
    direction,
    domain_names,
    domains,
    folded,
    messages,
    named,
    neither,
    ngrams,
    normal,
    normalise_script,
    ordinal,
    out_of_domain,
    phonetic_keys,
    script,
    script_of,
    smalltalk,
    stemmer_version,
    typed_in_latin,
    wants_person,
    web_folder,
    words,
)
from botkit.language.tables import SHIPPED

ANYTHING = st.text(st.characters(), max_size=200)  # lone surrogates and NULs among them
SOME_LANGUAGE = st.sampled_from([*LANGUAGES, "de", "zh", None])


# ---------------------------------------------------------------- properties of any text


@given(ANYTHING)
def test_clean_is_idempotent_and_leaves_nothing_that_cannot_be_stored(text: str) -> None:
    """A cleaned text is UTF-8 without NULs and controls, and cleaning it again changes nothing."""
    once = clean(text)
    assert clean(once) == once
    once.encode("utf-8")
    assert not any(c < " " and c not in "\t\n" for c in once)
    assert not set(once) & set("\u202a\u202e\u2066\u200b\ufeff\u200f")


@given(ANYTHING, SOME_LANGUAGE)
def test_normal_is_idempotent(text: str, lang: str | None) -> None:
    """The normal form of a normal form is itself, in every language."""
    once = normal(text, lang)
    assert normal(once, lang) == once


@given(ANYTHING, SOME_LANGUAGE)
def test_no_text_breaks_the_analysis(text: str, lang: str | None) -> None:
    """Every text has words, n-grams and a folded form, and each is of the promised shape."""
    assert all(words(text, lang))
    assert all(len(gram) in (3, 4) for gram in ngrams(text, lang))
    assert folded(folded(text, lang), lang) == folded(text, lang)
    assert all(sound.strip() for sound in phonetic_keys(text, lang or "fa"))
    assert script(text) in ("latin", "arabic", "cyrillic", "other", "")


@given(ANYTHING, st.sampled_from([None, *LANGUAGES, "xx"]))
def test_no_text_breaks_the_guess_of_its_language(text: str, page: str | None) -> None:
    """The shares are of exactly the languages asked for and sum to one."""
    guess = detect(text, LANGUAGES, page)
    assert set(guess.shares) == set(LANGUAGES)
    assert sum(guess.shares.values()) == pytest.approx(1)
    assert guess.probability == max(guess.shares.values())


@given(ANYTHING)
def test_no_text_breaks_small_talk(text: str) -> None:
    """A text is one of the known kinds of small talk or none; the wish for a person is yes or no."""
    assert smalltalk(text) in (None, "greeting", "thanks", "goodbye", "robot", "wordless")
    assert wants_person(text) in (True, False)


@given(st.text("abcdefgh ıişğüöçİIŞĞ", max_size=40))
def test_ngrams_do_not_see_whether_marks_were_typed(text: str) -> None:
    """A Turkish text and the same in ASCII have the same n-grams."""
    ascii_text = normal(text, "tr").translate(str.maketrans("ışğüöç", "isguoc"))
    assert ngrams(text, "tr") == ngrams(ascii_text, "tr")


# ---------------------------------------------------------------- what is peculiar to a language


def test_turkish_has_two_letters_i() -> None:
    """I is the capital of ı and İ that of i, in Turkish alone."""
    assert normal("IŞIK", "tr") == "ışık"
    assert normal("İADE", "tr") == "iade"
    assert normal("İADE") == "iade"
    assert normal("ISSUE", "en") == "issue"
    assert words("KARGOM NEREDE", "tr") == words("kargom nerede", "tr")
    assert words("İadeyi", "tr") == words("iadeyi", "tr")
    assert words("İstanbul'dan", "tr") == words("istanbul", "tr")


def test_persian_typed_on_an_arabic_keyboard_is_persian() -> None:
    """Arabic yeh and kaf are the Persian ones; the zero-width non-joiner separates; digits are digits."""
    assert normal("كتاب يكي", "fa") == "کتاب یکی"
    assert normal("می\u200cخواهم", "fa") == "می خواهم"
    assert words("می\u200cخواهم", "fa") == words("مي خواهم", "fa")
    assert normal("۱۲۳ ١٢٣") == "123 123"
    assert clean("می\u200cخواهم") == "می\u200cخواهم", "Persian spelling keeps it"


def test_arabic_marks_do_not_count() -> None:
    """Tatweel, harakat and bidi marks go; Arabic keeps its own yeh."""
    assert normal("طَلَبِيّ", "ar") == normal("طلبي", "ar")
    assert normal("طلـــبي") == "طلبي"
    assert normal("\u202bطلبي\u202c") == "طلبي"
    assert folded("إلغاء أحمد مدرسة علي") == folded("الغاء احمد مدرسه على")
    assert folded("كيف") == folded("کیف")


def test_compatibility_forms_meet() -> None:
    """Full-width letters, ligatures and composed letters are the plain ones."""
    assert normal("ＯＲＤＥＲ ﬁne") == "order fine"
    assert normal("e\u0301") == normal("é")
    assert normal("ﻃﻠﺐ") == "طلب"


@pytest.mark.parametrize(
    ("lang", "one", "other"),
    [
        ("en", "returning orders", "return an order"),
        ("tr", "siparişlerim", "siparişim"),
        ("ar", "الطلب", "طلبي"),
        ("fa", "سفارش‌ها", "سفارش"),
    ],
)
def test_forms_of_a_word_have_one_stem(lang: str, one: str, other: str) -> None:
    """Where a language has a stemmer, endings do not part a question from a phrasing."""
    assert set(words(one, lang)) & set(words(other, lang))


def test_a_language_without_a_stemmer_keeps_its_words() -> None:
    """Bulgarian has none."""
    assert words("поръчките ми", "bg") == ["поръчките", "ми"]
    assert words("Wo ist's?", None) == ["wo", "ists"]


def test_ngrams_by_hand() -> None:
    """Each word stands between blanks; no gram spans two words."""
    assert ngrams("My cat") == [" my", "my ", " my ", " ca", "cat", "at ", " cat", "cat "]
    assert ngrams("a") == [" a "]
    assert ngrams("?!") == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("poruchkata", "поръчката"),
        ("kade mi e pratkata", "каде ми е пратката"),
        ("iskam da varna", "искам да варна"),
        ("6oferat", "шоферат"),
        ("4akam", "чакам"),
        ("shte doide", "ще доиде"),
        ("moqta", "моята"),
        ("tsena", "цена"),
        ("48213", "48213"),
    ],
)
def test_bulgarian_typed_in_latin_letters_becomes_cyrillic(typed: str, meant: str) -> None:
    """As it sounds; the second vowel of поръчката has several spellings, which n-grams forgive."""
    result = normalise_script(typed, "bg")
    assert result == meant or sum(a != b for a, b in zip(result, meant, strict=False)) <= 1
    assert normalise_script(result, "bg") == result


def test_only_bulgarian_is_respelled() -> None:
    """Other languages and texts in their own script stay as they are."""
    assert normalise_script("where is it", "en") == "where is it"
    assert normalise_script("къде е", "bg") == "къде е"
    assert normalise_script("fein talabi", "ar") == "fein talabi"


# ---------------------------------------------------------------- everyday words and endings

EVERYDAY = {
    "en": [("can u send it pls", "can you send it please"), ("I dont know, its wee", "I don't know, its small")],
    "ar": [
        ("وين طلبيتي", "أين طلبي"),
        ("عايز أرجّع الحاجه", "أريد أرجّع الشيء"),
        ("الطلب ماوصلش ليه؟", "الطلب لم يصل لماذا؟"),
        ("هالكراتين شلون بتوصل", "هذا الكراتين كيف بتوصل"),
        ("بغيت نهضر معكم", "أريد أتكلم معكم"),
        ("الحين أقدر أدفع كاش؟", "الآن أستطيع أدفع نقدا؟"),
    ],
    "tr": [
        ("kargom nerde, gelcek mi", "kargom nerede, gelecek mi"),
        ("Kartı giriyom almıyo", "Kartı giriyorum almıyor"),
        ("iade edicem, napcam", "iade edeceğim, ne yapacağım"),
        ("yarın alcaz mı bişey", "yarın alacağız mı bir şey"),
        ("bunu istemicem gardaş", "bunu istemeyeceğim kardeş"),
    ],
    "fa": [
        ("می‌خوام کارتمو عوض کنم", "می‌خواهم کارتم را عوض کنم"),
        ("نمی تونم وارد شم", "نمی‌توانم وارد شم"),
        ("سایتتون کی میاد", "سایتتان کی می‌آید"),
        ("یه بسته هنوز نیومده", "یک بسته هنوز نیامده"),
    ],
    "bg": [
        ("кво стана, шъ дойде ли", "какво стана, ще дойде ли"),
        ("Сакам да върна тоя килим", "искам да върна този килим"),
        ("нема ли начин да платя в брой", "няма ли начин да платя в брой"),
    ],
}


@pytest.mark.parametrize(("lang", "typed", "meant"), [(c, *pair) for c in LANGUAGES for pair in EVERYDAY[c]])
def test_everyday_words_are_compared_as_they_are_written(lang: str, typed: str, meant: str) -> None:
    """Dialects, chat spellings and short forms; what is written stays."""
    assert normalise_script(typed, lang) == meant
    assert normalise_script(meant, lang) == meant


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "Traffic on the U.S. side, P.R. and I.D. of ours"),
        ("tr", "hocam bu versiyon oyuncak, radyo ve çiçek var; kocam, amcam ve cam fincan"),
        ("tr", "gercek deri, bio pamuk, tel çırpıcı, emme gücü, satranç için piyon, audio ve studio"),
        ("ar", "مناقشة العالم: هالة والعالمية، ماركة جديدة، بدل العطل"),
        ("fa", "لیمو، زیتون، عمو و ستون؛ بهترین زمین؛ کارتون"),
        ("bg", "Не ги харесвам, че са много; това мое ли е; тел за съдове"),
        ("de", "u r bi رو"),
    ],
)
def test_words_that_only_look_like_everyday_ones_stay(lang: str, text: str) -> None:
    """Endings and short words mean something else in other words, and other languages."""
    assert normalise_script(text, lang) == text


@given(ANYTHING, SOME_LANGUAGE)
def test_what_is_compared_is_compared_as_itself(text: str, lang: str | None) -> None:
    """Rows and questions meet in one form, whichever of them was in it already."""
    once = normalise_script(clean(text), lang or "en")
    assert normalise_script(once, lang or "en") == once


def test_questions_beyond_any_shop_are_plain_and_different() -> None:
    """A line each, clean, as many in every language, none twice."""
    result = {lang: out_of_domain(lang) for lang in LANGUAGES}
    assert len({len(questions) for questions in result.values()}) == 1
    for questions in result.values():
        assert len(set(questions)) == len(questions) > 100
        assert all(question and clean(question) == question for question in questions)


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("en", "how do I cancel my GYM membership", {"gym"}),
        ("ar", "كيف ألغي اشتراكي بالنادي", {"gym"}),
        ("ar", "حسابي في Facebook والبنك", {"social", "bank"}),
        ("tr", "BİSİKLETİMİ tamir ediyor musunuz", {"bicycle"}),
        ("tr", "üniversiteye kütüphane kartı", {"university", "library"}),
        ("fa", "عضویت باشگاهمو لغو کن", {"gym"}),
        ("fa", "رمز بانکم رو چطور عوض کنم", {"bank"}),
        ("bg", "как да изтрия профила си във фейсбук", {"social"}),
        ("bg", "книгата от библиотеката", {"library"}),
        ("en", "my parcel has not arrived", set()),
        ("ar", "أين طلبي", set()),
        ("tr", "per Überweisung, kredi kartı, mağazanın yol tarifi", set()),
        ("fa", "تا یک ماه دیگه می‌رسه؟", set()),
        ("bg", "времето за доставка", set()),
        (None, "my gym", {"gym"}),
        ("xx", "", set()),
    ],
)
def test_other_domains_are_named_by_their_words(lang: str | None, text: str, expected: set[str]) -> None:
    """In any form of a word and any case, and also by an English word among others."""
    assert domains(text, lang) == expected


def test_every_language_knows_every_other_domain() -> None:
    """By words of its own, none of which names two."""
    for lang in LANGUAGES:
        result = SHIPPED[lang].domains
        assert tuple(result) == domain_names()
        words = [folded(word, lang) for several in result.values() for word in several]
        assert [word for word in words if not word or " " in word] == []
        assert len(words) > len(result)
        for name, several in result.items():
            assert all(domains(word.rstrip("*"), lang) >= {name} for word in several), (lang, name)


KNOWN = {
    "ar": ["أين طلبي؟", "كم السعر مع التوصيل", "أريد إرجاع الهدية", "عندي قسيمة خصم", "متى تفتحون الجمعة"],
    "bg": ["Доставка в чужбина", "Къде ми е поръчката?", "Не ме изпращайте на друг адрес"],
    "fa": ["سفارشم کجاست؟", "هزینه ارسال چقدر می‌شود", "می‌خوام هدیه را پس بدهم", "کد تخفیف دارم", "ساعت کار پنجشنبه"],
}


@pytest.mark.parametrize(
    ("lang", "typed", "meant"),
    [
        ("ar", "ayn 6alabi", "أين طلبي"),
        ("ar", "kam el se3r", "كم السعر"),
        ("ar", "orid erja3 el-hadiyya 2", "أريد إرجاع الهدية 2"),
        ("ar", "mata tafta7oon al jom3a?", "متى تفتحون الجمعة"),
        ("bg", "dostavka v chujbina", "доставка в чужбина"),
        ("bg", "kade mi e porachkata", "къде ми е поръчката"),
        ("bg", "kyde mi e poru4kata, ne na drug adres", "къде ми е поръчката не на друг адрес"),
        ("fa", "sefaresham kojast", "سفارشم کجاست"),
        ("fa", "hazineye ersal cheghadr mishavad", "هزینه ارسال چقدر می‌شود"),
        ("fa", "saate kare panjshanbe", "ساعت کار پنجشنبه"),
        ("fa", "mikham code takhfif", "می‌خوام کد تخفیف"),
    ],
)
def test_latin_letters_are_spelled_with_words_that_are_known(lang: str, typed: str, meant: str) -> None:
    """Vowels and doubled letters as each types them, digits for letters, the article apart or not."""
    assert Speller(KNOWN[lang], lang).spell(typed) == meant


def test_a_word_that_nothing_known_sounds_like_is_spelled_by_letters() -> None:
    assert Speller(KNOWN["ar"], "ar").spell("bint") == "بينت"
    assert Speller([], "fa").spell("ketab") == "كتاب".replace("ك", "ک")


@given(text=ANYTHING, lang=st.sampled_from(["ar", "fa", "bg"]))
def test_any_text_can_be_spelled(text: str, lang: str) -> None:
    """Numbers and words of another script stay, and nothing else comes of it than words."""
    result = Speller(KNOWN[lang], lang).spell(text)
    kept = [w for w in normal(text).split() if w.isalpha() and not w.isascii()]
    assert all(word in result for word in kept)
    assert Speller(KNOWN[lang], lang).spell("12 34") == "12 34"


@pytest.mark.parametrize(
    ("lang", "own", "latin"),
    [
        ("ar", "طلبي", "talabi"),
        ("ar", "شحن", "sha7n"),
        ("ar", "استرجاع", "estirja3"),
        ("ar", "خصم", "khasm"),
        ("ar", "خصم", "5asm"),
        ("fa", "سفارش", "sefaresh"),
        ("fa", "مرسوله", "marsule"),
        ("fa", "برگشت", "bargasht"),
        ("bg", "доставка", "dostavka"),
        ("bg", "поръчка", "poruchka"),
    ],
)
def test_a_word_and_its_latin_spelling_sound_alike(lang: str, own: str, latin: str) -> None:
    """They share the whole word's sound, and so most of its parts."""
    assert phonetic_keys(own, lang)[0] == phonetic_keys(latin, lang)[0]


def test_different_words_do_not_sound_alike() -> None:
    """Or the sounds would find everything."""
    assert phonetic_keys("سفارش", "fa")[0] != phonetic_keys("kado", "fa")[0]
    assert phonetic_keys("123", "fa") == []


def test_scripts_and_directions() -> None:
    """Arabic and Persian run from the right; a script is that of most letters."""
    assert [direction(lang) for lang in LANGUAGES] == ["ltr", "rtl", "ltr", "rtl", "ltr"]
    assert direction("fa-IR") == "rtl"
    assert [script_of(lang) for lang in LANGUAGES] == ["latin", "arabic", "latin", "arabic", "cyrillic"]
    assert script("طلب iPhone من") == "latin"
    assert script("سفارش OK هست") == "arabic"
    assert script("12 !?") == ""
    assert script("订单在哪里") == "other"
    assert typed_in_latin("fein talabi", "ar")
    assert not typed_in_latin("where is it", "en")
    assert stemmer_version()


# ---------------------------------------------------------------- which language

SHORT = {
    "en": (
        "where is my order",
        "can I return this",
        "how much is shipping",
        "I forgot my password",
        "is it dishwasher safe",
        "refund not received",
        "do you ship to France",
        "cancel order",
        "gift wrap?",
        "change delivery address",
    ),
    "ar": (
        "أين طلبي",
        "كيف أرجع المنتج",
        "كم سعر التوصيل",
        "نسيت كلمة المرور",
        "هل يمكن إلغاء الطلب",
        "متى تصل الشحنة",
        "ابغى استرجع المبلغ",
        "هل عندكم ضمان",
        "طرق الدفع المتاحة",
        "عنوان المتجر",
    ),
    "tr": (
        "siparişim nerede",
        "iade nasıl yapılır",
        "kargo ücreti ne kadar",
        "şifremi unuttum",
        "siparişi iptal etmek istiyorum",
        "param ne zaman yatar",
        "hediye paketi var mı",
        "adres değişikliği",
        "taksit yapıyor musunuz",
        "ürün kırık geldi",
    ),
    "fa": (
        "سفارش من کجاست",
        "چطور مرجوع کنم",
        "هزینه ارسال چقدر است",
        "رمز عبورم را فراموش کردم",
        "می‌خواهم سفارشم را لغو کنم",
        "پولم کی برمی‌گردد",
        "کادو می‌کنید؟",
        "آدرس را عوض کنم",
        "گارانتی دارد؟",
        "قسطی می‌فروشید",
    ),
    "bg": (
        "къде е поръчката ми",
        "как да върна продукт",
        "колко струва доставката",
        "забравих си паролата",
        "искам да откажа поръчката",
        "кога ще си получа парите",
        "опаковате ли подаръци",
        "смяна на адрес",
        "има ли гаранция",
        "плащане на вноски",
    ),
}


@pytest.mark.parametrize(("lang", "text"), [(lang, text) for lang, texts in SHORT.items() for text in texts])
def test_a_short_question_is_read_in_its_language(lang: str, text: str) -> None:
    """Without a hint from the page, and plainly enough to answer in that language."""
    guess = detect(text, LANGUAGES)
    assert guess.best == lang
    assert guess.probability >= 0.6


@pytest.mark.parametrize(
    ("page", "text"),
    [("ar", "fein el talab beta3i"), ("fa", "sefaresh man kojast"), ("bg", "kade mi e poruchkata")],
)
def test_a_text_in_latin_letters_is_in_the_language_of_its_page(page: str, text: str) -> None:
    """People type Arabic, Persian and Bulgarian on a Latin keyboard; on an English page the same is not."""
    assert detect(text, LANGUAGES, page).best == page


@pytest.mark.parametrize("page", ["ar", "fa", "bg", "tr"])
def test_english_on_a_foreign_page_is_english(page: str) -> None:
    """The page is a hint only."""
    assert detect("where is my order and when will it arrive", LANGUAGES, page).best == "en"


def test_a_text_without_letters_is_in_the_language_of_its_page() -> None:
    """Nothing else is known of it; without a page all are equal."""
    assert detect("48213", LANGUAGES, "bg").best == "bg"
    assert set(detect("48213", LANGUAGES).shares.values()) == {0.2}
    assert detect("你好", LANGUAGES, "tr").best == "tr"


@pytest.mark.parametrize(("lang", "text"), [(lang, text) for lang, texts in SHORT.items() for text in texts])
def test_what_was_spoken_before_does_not_outweigh_a_plain_text(lang: str, text: str) -> None:
    """Whatever that was, and whatever the page."""
    for before in LANGUAGES:
        assert detect(text, LANGUAGES, before=before).best == lang
        assert detect(text, LANGUAGES, before, before).best == lang


def test_what_was_spoken_before_decides_where_nothing_else_does() -> None:
    """Rather than the page, which is a hint too; neither counts against the letters."""
    for text in ("48213", "?", "ok", "iban"):
        assert detect(text, LANGUAGES, "en", "tr").best == "tr"
    assert detect("48213", LANGUAGES, "fa", "ar").best == "ar"
    assert detect("48213", LANGUAGES, None, "xx").shares == detect("48213", LANGUAGES).shares
    assert detect("кога", LANGUAGES, "en", "tr").best == "bg"
    assert detect("where is my order and when will it arrive", LANGUAGES, "tr", "tr").best == "en"
    page, before = (detect("48213", LANGUAGES, *hint).shares["bg"] for hint in (("bg",), (None, "bg")))
    assert before > page


@pytest.mark.parametrize(
    ("before", "text"),
    [("ar", "fein el talab beta3i"), ("fa", "sefaresh man kojast"), ("bg", "kade mi e poruchkata")],
)
def test_a_text_in_latin_letters_may_be_in_the_language_spoken_before(before: str, text: str) -> None:
    """On a page in any other."""
    assert detect(text, LANGUAGES, None, before).best == before
    assert detect(text, LANGUAGES, "en", before).best == before


def test_a_corpus_of_one_language_has_no_choice() -> None:
    """Whatever the text is in."""
    assert detect("къде е", ["en"]).shares == {"en": 1.0}


# ---------------------------------------------------------------- what a text leans on

OPENING = [
    ("en", "and to ireland?"),
    ("en", "ok so what about cash"),
    ("en", "what if it's been opened?"),
    ("en", "in two weeks then"),
    ("ar", "وللأردن؟"),
    ("ar", "طيب والكاش؟"),
    ("ar", "حتى لو انفتح؟"),
    ("ar", "wa lel kuwait"),
    ("tr", "peki ya kilim"),
    ("tr", "ya kapıda?"),
    ("tr", "kilim ise"),
    ("tr", "tamam peki açılmışsa"),
    ("fa", "فرش چی؟"),
    ("fa", "نقدی هم میشه؟"),
    ("fa", "خب پس کی"),
    ("fa", "pas chetor"),
    ("bg", "а до Гърция?"),
    ("bg", "ами ако е отворен"),
    ("bg", "ami na vnoski"),
]
NOT_OPENING = [
    ("en", "android app for your shop"),
    ("en", "can I pay by card and by phone"),
    ("ar", "وين طلبي"),
    ("ar", "وصلني الصحن مكسور"),
    ("ar", "ورق الهدايا بكم"),
    ("tr", "yapıştırıcı ile onarım"),
    ("tr", "vergi iadesi nasıl alınır"),
    ("fa", "چیدمان فرش"),
    ("fa", "والدینم هدیه خریدند"),
    ("bg", "амортизатор за маса"),
    ("bg", "искам фактура и гаранция"),
]


@pytest.mark.parametrize(("lang", "text"), OPENING)
def test_a_continuation_is_known_by_how_it_begins_or_ends(lang: str, text: str) -> None:
    """In five languages, in Latin letters too."""
    assert context_cues(text, lang).continuation


@pytest.mark.parametrize(("lang", "text"), NOT_OPENING)
def test_what_only_looks_like_one_is_none(lang: str, text: str) -> None:
    """A word that begins with the same letters, or an "and" in the middle."""
    assert not context_cues(text, lang).continuation


@pytest.mark.parametrize(
    ("lang", "text", "reference"),
    [
        ("en", "do they expire", True),
        ("en", "how long does that take", True),
        ("en", "is this free", True),
        ("en", "is this website safe", False),
        ("en", "that rug with the fringe", False),
        ("en", "itemised invoice", False),
        ("ar", "كم يستغرق ذلك", True),
        ("ar", "أقدر أرجعها", True),
        ("ar", "هذا الموقع مضمون", False),
        ("ar", "هل عندكم سجاد", False),
        ("tr", "bunu iade edebilir miyim", True),
        ("tr", "bu ne kadar", True),
        ("tr", "bu site güvenilir mi", False),
        ("tr", "bulgur var mı", False),
        ("fa", "پولش کی میاد", True),
        ("fa", "این چقدر طول میکشه", True),
        ("fa", "این سایت معتبره", False),
        ("fa", "سفارش من کجاست", False),
        ("fa", "قیمت فرش", False),
        ("bg", "мога ли да го върна", True),
        ("bg", "това колко струва", True),
        ("bg", "този сайт сигурен ли е", False),
        ("bg", "гори ли се дървото", False),
    ],
)
def test_a_pronoun_points_back_and_a_demonstrative_with_a_noun_does_not(lang: str, text: str, reference: bool) -> None:
    assert context_cues(text, lang).reference == reference


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "how long does it take"),
        ("en", "is it free?"),
        ("ar", "كم المدة"),
        ("ar", "وبكم؟"),
        ("tr", "ne kadar sürer"),
        ("tr", "ücretsiz mi"),
        ("fa", "چقدر طول می‌کشه"),
        ("fa", "رایگانه؟"),
        ("fa", "chand rooz"),
        ("bg", "колко време отнема"),
        ("bg", "bezplatno li e"),
    ],
)
def test_a_text_that_names_no_thing_says_so(lang: str, text: str) -> None:
    assert context_cues(text, lang).content_words == ()


@pytest.mark.parametrize(
    ("lang", "text", "content_words"),
    [
        ("en", "and the rugs?", ("rugs",)),
        ("ar", "والسجاد؟", ("والسجاد",)),
        ("tr", "peki ya kilim", ("kilim",)),
        ("fa", "فرش چی؟", ("فرش",)),
        ("bg", "а килимите?", ("килимите",)),
        ("de", "und die Teppiche", ("und", "die", "teppiche")),
    ],
)
def test_the_things_a_text_names(lang: str, text: str, content_words: tuple[str, ...]) -> None:
    """Folded; in a language without a list, all its words."""
    assert context_cues(text, lang).content_words == tuple(folded(thing) for thing in content_words)


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "by the way, do you sell lamps"),
        ("en", "also how do I season a skillet"),
        ("ar", "على فكرة عندكم معرض"),
        ("tr", "bir de mağazanız var mı"),
        ("fa", "راستی فروشگاه حضوری دارید"),
        ("bg", "между другото имате ли магазин"),
    ],
)
def test_another_subject_is_announced(lang: str, text: str) -> None:
    """And then it opens nothing of the old one."""
    result = context_cues(text, lang)
    assert result.topic_shift
    assert not result.continuation
    assert not context_cues("also" if lang != "en" else "is it also free", lang).topic_shift


@given(ANYTHING, SOME_LANGUAGE)
def test_no_text_breaks_the_cues(text: str, lang: str | None) -> None:
    """The things are some of the words; an ordinal is small."""
    result = context_cues(text, lang or "xx")
    assert result.words >= len(result.content_words)
    assert ordinal(text) in (None, -1, 1, 2, 3, 4)
    assert neither(text) in (True, False)
    assert named(text, ["one title", "another"], "en") in (None, 0, 1)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("the second one", 2),
        ("first", 1),
        ("1", 1),
        ("2.", 2),
        ("number 3 please", 3),
        ("option 2", 2),
        ("the last one", -1),
        ("ikincisi", 2),
        ("2. olan lütfen", 2),
        ("3'ü değil 2'si", None),
        ("ilki", 1),
        ("sonuncusu", -1),
        ("الثاني", 2),
        ("الخيار الأول لو سمحت", 1),
        ("رقم ٣", 3),
        ("آخر واحد", -1),
        ("دومی", 2),
        ("گزینهٔ ۱", 1),
        ("آخری لطفا", -1),
        ("втората", 2),
        ("2-рото", 2),
        ("вариант 3", 3),
        ("последното моля", -1),
        ("which one is the second fastest delivery", None),
        ("my second order is late", None),
        ("the last parcel", None),
        ("2 towels", None),
        ("first or second", None),
        ("2 kg", None),
        ("birinci kalite havlu", None),
        ("دومین سفارشم نرسید", None),
        ("вторият килим е скъсан", None),
        ("الطلب الثاني ما وصل", None),
        ("", None),
        ("1 " * 300, None),
    ],
)
def test_an_ordinal_picks_only_when_it_stands_alone(text: str, place: int | None) -> None:
    """With the words around it by which people pick; in a question it is part of the question."""
    assert ordinal(text) == place


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        ("none of these", True),
        ("Neither!", True),
        ("no, something else", True),
        ("hiçbiri", True),
        ("hayır, bunlar değil", True),
        ("ولا واحد منهم", True),
        ("لا شيء مما ذكر", True),
        ("هیچ‌کدام", True),
        ("نه، هیچکدوم", True),
        ("нито едно от тях", True),
        ("друго е", True),
        ("none of my parcels came", False),
        ("neither card works", False),
        ("hiçbiri gelmedi", False),
        ("ولا واحد منهم وصل", False),
        ("هیچکدوم نرسید", False),
        ("нито едно не пристигна", False),
        ("", False),
    ],
)
def test_a_refusal_of_all_is_nothing_else(text: str, refuses: bool) -> None:
    assert neither(text) == refuses


@pytest.mark.parametrize(
    ("lang", "text", "place"),
    [
        ("en", "the refund", 0),
        ("en", "who pays", 1),
        ("en", "when", None),
        ("en", "returns", 1),
        ("en", "refund and return", None),
        ("en", "do you ship to france", None),
        ("en", "refund for a broken plate from last week", None),
        ("tr", "para iadesi", 0),
        ("tr", "kargo ücreti", 1),
        ("ar", "استرداد", 0),
        ("ar", "الشحن", 1),
        ("fa", "ارسال", 1),
        ("bg", "връщането", 1),
    ],
)
def test_a_word_of_one_title_alone_names_it(lang: str, text: str, place: int | None) -> None:
    """Not a word of both, nor one among many of none."""
    titles = {
        "en": ["When will I get my refund?", "Who pays for the return label?"],
        "tr": ["Para iadem ne zaman yatar?", "Kargo ücreti ne kadar?"],
        "ar": ["متى يتم استرداد المبلغ؟", "كم تكلفة الشحن؟"],
        "fa": ["پولم کی برمی‌گردد؟", "هزینهٔ ارسال چقدر است؟"],
        "bg": ["Кога ще получа парите си?", "Кой плаща връщането?"],
    }
    assert named(text, titles[lang], lang) == place


# ---------------------------------------------------------------- small talk


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("greeting", ["Hi!", "hello there", "Merhaba", "selam", "السلام عليكم", "مرحبا", "سلام", "درود", "Здравейте"]),
        ("thanks", ["thanks", "thank you so much!", "teşekkür ederim", "sağ olun", "شكرا جزيلا", "مرسی", "благодаря"]),
        ("goodbye", ["bye", "good night", "görüşürüz", "hoşça kalın", "مع السلامة", "خداحافظ", "довиждане", "чао"]),
        ("robot", ["are you a robot?", "am I talking to a bot", "are you real?", "robot musun", "هل أنت روبوت"]),
        ("robot", ["تو رباتی؟", "شما ربات هستید؟", "бот ли си", "is this a real person"]),
        ("thanks", ["خیلی ممنون", "🙏", "👍🏽"]),
        ("wordless", ["", "?!", "🤔🤔", "…", "   "]),
    ],
)
def test_small_talk_is_known_in_five_languages(kind: str, texts: list[str]) -> None:
    """A greeting, a thank-you, a goodbye, a doubt whether this is a machine, and no word at all."""
    assert {text: smalltalk(text) for text in texts} == dict.fromkeys(texts, kind)


@pytest.mark.parametrize(
    "text",
    [
        "hello, where is my order",
        "good morning tea set",
        "thanks but it never arrived",
        "are you a real company",
        "is the robot vacuum in stock",
        "are you a bot? because I have been waiting for my refund for three weeks",
        "Merhaba, siparişim nerede",
        "iyi günler kargom gelmedi",
        "السلام عليكم وين طلبي",
        "شكرا بس الطلب ما وصل",
        "سلام سفارش من کجاست",
        "مرسی ولی نرسید",
        "Здравейте, къде е поръчката",
        "благодаря, но не работи",
        "48213",
        "ok",
    ],
)
def test_a_question_after_a_greeting_is_a_question(text: str) -> None:
    """Politeness does not hide what is asked."""
    assert smalltalk(text) is None


# ---------------------------------------------------------------- a person, please


@pytest.mark.parametrize(
    "text",
    [
        "I want to talk to a person",
        "human please",
        "agent",
        "can I speak to someone",
        "connect me with an agent",
        "get me a human",
        "put me through to customer service",
        "I'd like to chat with a real person",
        "need to talk to an actual person not a robot",
        "I need a person",
        "are you a bot? let me talk to a human",
        "speak to a manager",
        "temsilciyle görüşmek istiyorum",
        "beni bir insana bağla",
        "bir yetkiliyle konuşabilir miyim",
        "canlı destek",
        "CANLI DESTEK LÜTFEN",
        "müşteri hizmetlerine bağlanmak istiyorum",
        "gerçek bir insan istiyorum",
        "أريد التحدث مع موظف",
        "ممكن اكلم حد من خدمة العملاء",
        "خدمة العملاء",
        "حولني لموظف",
        "بدي احكي مع حدا",
        "أبغى أتكلم مع شخص حقيقي",
        "عايز موظف",
        "می‌خواهم با یک آدم صحبت کنم",
        "به اپراتور وصل کن",
        "پشتیبانی",
        "با یکی از همکارانتان حرف بزنم",
        "وصلم کن به اپراتور",
        "искам да говоря с човек",
        "свържете ме с оператор",
        "оператор",
        "може ли жив човек",
        "искам консултант",
        "iskam da govorq s chovek",
    ],
)
def test_a_wish_for_a_person_is_understood(text: str) -> None:
    """In five languages, bluntly or politely."""
    assert wants_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "the courier agent never came",
        "the delivery person was rude",
        "gift for a person who likes tea",
        "I want to send a gift to someone",
        "I want to give a gift to a woman",
        "give a gift card to someone",
        "can someone else collect my parcel",
        "does someone need to be home",
        "I need a bowl for 4 people",
        "can I get a refund from your agent",
        "my representative at work needs an invoice",
        "are you a real person",
        "kargo temsilcisi gelmedi",
        "kargo görevlisi kapıyı çalmadı",
        "Telefondaki görevli benimle çok kaba konuştu",
        "canlı destek hangi saatlerde",
        "başka biri teslim alabilir mi",
        "insanlar ne diyor bu ürün için",
        "مندوب التوصيل لم يأت",
        "المندوب ما اتصل",
        "أبي أرسل هدية لشخص",
        "هل يمكن لشخص آخر استلام الطلب",
        "أريد نسخة من معلوماتي الشخصية",
        "بدي اشتكي عموظف عندكن",
        "مامور پست نیامد",
        "یک نفر دیگر می‌تواند بسته را تحویل بگیرد",
        "برای یک نفر هدیه می‌خواهم",
        "куриерът не дойде",
        "човекът от куриерската фирма не се обади",
        "може ли друг човек да вземе пратката",
        "искам да прехвърля ваучера на друг човек",
        "да напиша картичка до някого",
        "",
    ],
)
def test_talk_about_a_person_is_no_wish_for_one(text: str) -> None:
    """A courier agent, a gift to someone, a rude colleague: each has an answer of its own."""
    assert not wants_person(text)


def test_a_long_text_is_no_wish_for_a_person() -> None:
    """Who writes so much describes a problem, and patterns over long texts take long."""
    assert not wants_person("talk to a person " * 40)


# ---------------------------------------------------------------- the interface's texts


def test_messages_fall_back_to_english() -> None:
    """An unknown language has English texts, and a path is no language."""
    assert messages("xx") == messages("en")
    assert messages("../en") == messages("en")
    assert messages("tr")["bot.greeting"] != messages("en")["bot.greeting"]


def test_messages_are_the_catalogues_as_they_are(lang: str) -> None:
    """Keyed by file, key and form, nothing added and nothing left out."""
    files = sorted((web_folder() / "messages" / lang).glob("*.toml"))
    expected: dict[str, str] = {}
    for file in files:
        for key, text in tomllib.loads(Path(file).read_text("utf-8")).items():
            forms = {f".{form}": each for form, each in text.items()} if isinstance(text, dict) else {"": text}
            expected |= {f"{file.stem}.{key}{form}": each for form, each in forms.items()}
    assert expected
    assert dict(messages(lang)) == expected


def test_persian_from_an_arabic_keyboard_has_its_own_letters() -> None:
    """Encoders read ك and ی as letters of two alphabets. Arabic keeps them."""
    assert normalise_script("كد تخفيفي كه", "fa") == "کد تخفیفی که"
    assert normalise_script("كيف", "ar") == "كيف"
