"""Texts in five languages: normal forms, words, scripts, guesses, small talk and the wish for a person."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.language import (
    LANGUAGES,
    clean,
    detect,
    direction,
    folded,
    messages,
    native,
    ngrams,
    normal,
    script,
    script_of,
    smalltalk,
    sounds,
    stemmer_version,
    typed_in_latin,
    wants_person,
    web_folder,
    words,
)

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
    assert all(sound.strip() for sound in sounds(text, lang or "fa"))
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
    found = native(typed, "bg")
    assert found == meant or sum(a != b for a, b in zip(found, meant, strict=False)) <= 1
    assert native(found, "bg") == found


def test_only_bulgarian_is_respelled() -> None:
    """Other languages and texts in their own script stay as they are."""
    assert native("where is it", "en") == "where is it"
    assert native("къде е", "bg") == "къде е"
    assert native("fein talabi", "ar") == "fein talabi"


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
    assert sounds(own, lang)[0] == sounds(latin, lang)[0]


def test_different_words_do_not_sound_alike() -> None:
    """Or the sounds would find everything."""
    assert sounds("سفارش", "fa")[0] != sounds("kado", "fa")[0]
    assert sounds("123", "fa") == []


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


def test_a_corpus_of_one_language_has_no_choice() -> None:
    """Whatever the text is in."""
    assert detect("къде е", ["en"]).shares == {"en": 1.0}


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
    """Keyed by file and key, nothing added and nothing left out."""
    files = sorted((web_folder() / "messages" / lang).glob("*.toml"))
    expected = {
        f"{file.stem}.{key}": text
        for file in files
        for key, text in tomllib.loads(Path(file).read_text("utf-8")).items()
    }
    assert expected
    assert dict(messages(lang)) == expected
