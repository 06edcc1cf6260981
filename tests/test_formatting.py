"""Numbers, plurals, lists, lengths of time, dates and times in five languages: how each is written, that every page
writes it so, and that the browser's Intl agrees."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from html import unescape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from desk_shop import PASSWORD, handed_over
from flask import Flask
from flask.testing import FlaskClient
from moving import Clock

from botkit import accounts, desk, formatting, language
from botkit.accounts import Agent
from botkit.formatting import Format
from botkit.store import Store

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ZONES = {
    "en": "Europe/London",
    "ar": "Asia/Riyadh",
    "tr": "Europe/Istanbul",
    "fa": "Asia/Tehran",
    "bg": "Europe/Sofia",
}
"""The demo's shops, one a language."""
COUNTS = (0, 1, 2, 3, 11, 100)
MORNING = datetime(2026, 12, 1, 6, 5, tzinfo=UTC)


def of(lang: str) -> Format:
    return formatting.of(lang, {"time_zone": ZONES[lang]})


# ---------------------------------------------------------------- the golden table

SAID: dict[str, dict[str, tuple[str, ...]]] = {
    "desk.matches": {
        "en": (
            *("0 canned replies", "1 canned reply", "2 canned replies"),
            *("3 canned replies", "11 canned replies", "100 canned replies"),
        ),
        "ar": ("لا ردود جاهزة", "رد جاهز واحد", "ردان جاهزان", "3 ردود جاهزة", "11 ردًا جاهزًا", "100 رد جاهز"),
        "tr": tuple(f"{n} hazır yanıt" for n in COUNTS),
        "fa": tuple(f"{n} پاسخ آماده" for n in ("۰", "۱", "۲", "۳", "۱۱", "۱۰۰")),
        "bg": (
            *("0 готови отговора", "1 готов отговор", "2 готови отговора"),
            *("3 готови отговора", "11 готови отговора", "100 готови отговора"),
        ),
    },
    "desk.in_minutes": {
        "en": tuple(f"in {n} minute{'s' * (n != 1)}" for n in COUNTS),
        "ar": ("بعد 0 دقيقة", "بعد دقيقة واحدة", "بعد دقيقتين", "بعد 3 دقائق", "بعد 11 دقيقة", "بعد 100 دقيقة"),
        "tr": tuple(f"{n} dakika sonra" for n in COUNTS),
        "fa": tuple(f"{n} دقیقهٔ دیگر" for n in ("۰", "۱", "۲", "۳", "۱۱", "۱۰۰")),
        "bg": tuple(f"след {n} минут{'а' if n == 1 else 'и'}" for n in COUNTS),
    },
}
DURATIONS = {
    ("en", "minute", "short"): ("0 mins", "1 min", "2 mins", "3 mins", "11 mins", "100 mins"),
    ("en", "day", "long"): ("0 days", "1 day", "2 days", "3 days", "11 days", "100 days"),
    ("ar", "minute", "long"): ("0 دقيقة", "دقيقة", "دقيقتان", "3 دقائق", "11 دقيقة", "100 دقيقة"),
    ("ar", "day", "long"): ("0 يوم", "يوم", "يومان", "3 أيام", "11 يومًا", "100 يوم"),
    ("tr", "minute", "short"): tuple(f"{n} dk." for n in COUNTS),
    ("tr", "day", "long"): tuple(f"{n} gün" for n in COUNTS),
    ("fa", "hour", "short"): ("۰ ساعت", "۱ ساعت", "۲ ساعت", "۳ ساعت", "۱۱ ساعت", "۱۰۰ ساعت"),
    ("fa", "day", "long"): ("۰ روز", "۱ روز", "۲ روز", "۳ روز", "۱۱ روز", "۱۰۰ روز"),
    ("bg", "minute", "short"): tuple(f"{n} мин" for n in COUNTS),
    ("bg", "day", "long"): ("0 дни", "1 ден", "2 дни", "3 дни", "11 дни", "100 дни"),
}
KINDS: dict[str, Callable[[Format, str], str]] = {
    "number": lambda f, _: f.number(1234567),
    "mean": lambda f, _: f.number(4.25, 1),
    "id": lambda f, _: f.digits(20418),
    "percent": lambda f, _: f.percent(0.87),
    "hardly": lambda f, _: f.percent(0.001),
    "list": lambda f, _: f.listed(["A", "B", "C"]),
    "day": lambda f, _: f.day(MORNING.date()),
    "long day": lambda f, _: f.day(MORNING.date(), "long"),
    "afternoon": lambda f, _: f.clock(time(16, 5)),
    "hours": lambda f, _: f.hours(time(9), time(17, 30)),
    "moment": lambda f, zone: f.moment(MORNING, ZoneInfo(zone)),
}
GOLDEN = {
    "en": (
        *("1,234,567", "4.2", "20418", "87%", "< 1%", "A, B and C", "1 Dec 2026", "1 December 2026", "16:05"),
        *("09:00–17:30", "1 Dec 2026, 06:05 (London time)"),
    ),
    "ar": (
        *("1,234,567", "4.2", "20418", "87%", "< 1%", "A وB وC", "01\u200f/12\u200f/2026", "1 ديسمبر 2026", "4:05 م"),
        *("9:00 ص – 5:30 م", "01\u200f/12\u200f/2026، 9:05 ص (بتوقيت الرياض)"),
    ),
    "tr": (
        *("1.234.567", "4,2", "20418", "%87", "< %1", "A, B ve C", "1 Ara 2026", "1 Aralık 2026", "16:05"),
        *("09:00–17:30", "1 Ara 2026 09:05 (İstanbul saatiyle)"),
    ),
    "fa": (
        *("۱٬۲۳۴٬۵۶۷", "۴٫۲", "۲۰۴۱۸", "۸۷٪", "< ۱٪", "A،\u200f B، و C", "۱۰ آذر ۱۴۰۵", "۱۰ آذر ۱۴۰۵", "۱۶:۰۵"),
        *("۹:۰۰ تا ۱۷:۳۰", "۱۰ آذر ۱۴۰۵،\u200f ۹:۳۵ (به وقت تهران)"),
    ),
    "bg": (
        *("1 234 567", "4,2", "20418", "87%", "< 1%", "A, B и C", "1.12.2026 г.", "1 декември 2026 г.", "16:05"),
        *("9:00 ч. – 17:30 ч.", "1.12.2026 г., 8:05 (часова зона София)"),
    ),
}


def plain(text: str) -> str:
    """With ordinary spaces for those of CLDR that hold words together."""
    return re.sub("[\u00a0\u2009\u202f]", " ", text)


def test_a_kind_of_value_is_written_as_the_readers_write_it(lang: str) -> None:
    text = {kind: plain(write(of(lang), ZONES[lang])) for kind, write in KINDS.items()}
    assert text == dict(zip(KINDS, GOLDEN[lang], strict=True))


@pytest.mark.parametrize("key", SAID)
def test_a_text_that_counts_goes_with_its_number(lang: str, key: str) -> None:
    assert tuple(of(lang).say(key, n=n) for n in COUNTS) == SAID[key][lang]


@pytest.mark.parametrize(("spoken", "unit", "width"), DURATIONS)
def test_a_length_of_time_goes_with_its_number(spoken: str, unit: Any, width: Any) -> None:
    stored = tuple(plain(of(spoken).duration(n, unit, width)) for n in COUNTS)
    assert stored == DURATIONS[spoken, unit, width]


@pytest.mark.parametrize(
    ("lang", "zone", "tag", "afternoon"),
    [
        ("en", "Europe/London", "en-GB", "16:05"),
        ("en", "America/New_York", "en-US", "4:05 PM"),
        ("en", "Europe/Sofia", "en-GB", "16:05"),  # CLDR knows no English of Bulgaria
        ("en", "", "en-GB", "16:05"),
        ("tr", "Europe/London", "tr-TR", "16:05"),
        ("ar", "Africa/Cairo", "ar-EG", "4:05 م"),
        ("de", "Europe/Vienna", "de-AT", "16:05"),
        ("pt-BR", "Europe/Lisbon", "pt-BR", "16:05"),
        ("xx", "Mars/Olympus", "en-GB", "16:05"),
    ],
)
def test_the_country_is_the_shops_where_the_language_is_at_home_there(
    lang: str, zone: str, tag: str, afternoon: str
) -> None:
    """Dates and times are those of the country, digits those of the language."""
    result = formatting.of(lang, {"time_zone": zone})
    assert result.tag == f"{tag}-u-ca-gregory-nu-latn"
    assert plain(result.clock(time(16, 5))) == afternoon


def test_a_language_without_a_catalogue_counts_as_the_english_texts_do() -> None:
    """Japanese has no plural, Polish has more forms: the words are English ones."""
    for lang in ("ja", "pl", "xx"):
        assert [formatting.of(lang).say("desk.matches", n=n) for n in (1, 2)] == ["1 canned reply", "2 canned replies"]


def test_shop_facts_of_any_kind_are_no_error() -> None:
    for facts in (None, {}, {"time_zone": 7}, {"time_zone": "\0"}, {"time_zone": ["Europe/London"]}):
        assert formatting.of("fa", facts).digits("LZ-20418") == "LZ-۲۰۴۱۸"


def test_an_unknown_clock_is_utc(lang: str) -> None:
    assert of(lang).moment(MORNING, UTC).endswith(" (UTC)")
    assert of(lang).moment(MORNING, ZoneInfo("Etc/UTC")).endswith(" (UTC)")


# ---------------------------------------------------------------- the catalogues


def catalogue(lang: str) -> dict[str, Any]:
    """All texts of a language, those that count as tables."""
    return {
        f"{file.stem}.{key}": text
        for file in sorted((language.web_folder() / "messages" / lang).glob("*.toml"))
        for key, text in tomllib.loads(file.read_text(encoding="utf-8")).items()
    }


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def categories(lang: str) -> dict[str, list[int]]:
    """CLDR's categories of whole numbers, with those up to a thousand that are in each."""
    result: dict[str, list[int]] = {}
    for n in range(1001):
        result.setdefault(Locale.parse(lang).plural_form(n), []).append(n)
    return result


def test_a_text_that_counts_has_exactly_the_forms_of_its_language(lang: str) -> None:
    """Nothing else has `{n}`. A form may leave the number out where it is of one number alone, as the dual is."""
    english, forms = catalogue("en"), categories(lang)
    assert "n" not in set().union(*(places(text) for text in catalogue(lang).values() if isinstance(text, str)))
    counting = {key: text for key, text in catalogue(lang).items() if isinstance(text, dict)}
    assert len(counting) == sum(isinstance(text, dict) for text in english.values()) > 5
    for key, table in counting.items():
        assert table.keys() == forms.keys(), key
        for form, text in table.items():
            wanted = places(english[key]["other"])
            assert places(text) in ([wanted, wanted - {"n"}] if len(forms[form]) == 1 else [wanted]), (key, form)
            assert text.strip() == text != "", (key, form)


def test_the_catalogues_have_the_same_keys_and_places(lang: str) -> None:
    english, own = catalogue("en"), catalogue(lang)
    assert own.keys() == english.keys()
    for key, text in own.items():
        assert isinstance(text, dict) == isinstance(english[key], dict), key
        if isinstance(text, str):
            assert text.strip(), key
            assert places(text) == places(english[key]), key


def test_the_catalogues_are_written_in_the_digits_of_their_pages(lang: str) -> None:
    """But for how a field is typed, and names that have a digit."""
    typed = {"team.wrong_hours", "team.wrong_days"}
    foreign = "[0-9٠-٩]" if lang == "fa" else "[٠-٩۰-۹]"
    for key, text in catalogue(lang).items():
        for each in text.values() if isinstance(text, dict) else [text]:
            assert key in typed or not re.search(foreign, each), (key, each)


# ---------------------------------------------------------------- the pages


@pytest.fixture
def clock() -> Clock:
    return Clock()


def text_of(page: str) -> str:
    return plain(unescape(re.sub(r"<[^>]*>", "", page)))


HERE = {  # on the clock of the test corpus's first shop, in London
    "en": "20 Nov 2026, 12:00 (London time)",
    "ar": "20\u200f/11\u200f/2026، 12:00 م (بتوقيت لندن)",
    "tr": "20 Kas 2026 12:00 (Londra saatiyle)",
    "fa": "۲۹ آبان ۱۴۰۵،\u200f ۱۲:۰۰ (به وقت لندن)",
    "bg": "20.11.2026 г., 12:00 (часова зона Лондон)",
}


def test_the_desk_says_times_waits_and_numbers_in_the_readers_language(
    app: Flask, store: Store, clock: Clock, sara: Agent, boss: Agent, signed_in: Callable[[str], FlaskClient], lang: str
) -> None:
    """Without a script: on the clock of the shop, which is named; and the browser is told the same locale."""
    ticket = handed_over(store)
    clock.forward(minutes=11)
    browser = signed_in("Sara")
    queue = browser.get(f"/desk?lang={lang}").text
    format = formatting.of(lang, app.extensions["botkit"].index.shop(lang))
    assert f'data-locale="{format.tag}"' in queue
    waits = {"en": "11 mins", "ar": "11 د", "tr": "11 dk.", "fa": "۱۱ دقیقه", "bg": "11 мин"}
    assert waits[lang] in text_of(queue)
    desk.claim(store, ticket, sara)
    page = browser.get(f"/desk/tickets/{ticket}").text
    assert HERE[lang] in text_of(page)
    match = re.search(r"data-matches='(.*?)'", page)
    assert match
    assert json.loads(unescape(match[1])) == catalogue(lang)["desk.matches"]
    named = {"en": "1", "ar": "1", "tr": "1", "fa": "۱", "bg": "1"}[lang]
    assert language.messages(lang)["desk.ticket"].format(id=named) in text_of(page)
    overview = signed_in("Boss").get(f"/desk/overview?lang={lang}").text
    assert f"{format.number(1)} / {format.number(4)}" in text_of(overview)


def test_how_long_to_wait_is_said_with_its_preposition(app: Flask, clock: Clock, sara: Agent, lang: str) -> None:
    browser = app.test_client()
    browser.get(f"/desk/login?lang={lang}")
    text = {
        "en": "Try again in 60 seconds, or",
        "ar": "حاول بعد 60 ثانية، أو",
        "tr": "60 saniye sonra yeniden deneyin",
        "fa": "۶۰ ثانیهٔ دیگر دوباره امتحان کنید",
        "bg": "Опитайте отново след 60 секунди или",
    }
    for _ in range(6):
        page = browser.post("/desk/login", data={"name": "Sara", "password": "wrong"}).text
    assert text[lang] in text_of(page)


def test_an_administrator_is_told_for_how_many_days_a_password_opens(
    app: Flask, store: Store, clock: Clock, boss: Agent, signed_in: Callable[[str], FlaskClient], lang: str
) -> None:
    accounts.add_agent(store, "Root", "admin", PASSWORD)
    browser = signed_in("Root")
    browser.get(f"/desk?lang={lang}")
    page = browser.post(f"/desk/accounts/{boss.id}/password", follow_redirects=True).text
    days = {"en": "for 3 days", "ar": "لمدة 3 أيام", "tr": "3 gün", "fa": "۳ روز", "bg": "за 3 дни"}
    assert days[lang] in text_of(page)


def test_a_customer_is_told_when_the_team_is_back_on_the_shops_clock(app: Flask, clock: Clock, lang: str) -> None:
    """The test corpus has shops in three languages; others have the first one's hours."""
    clock.now = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # before nine on a Saturday in all three
    customer = app.test_client()
    begun = customer.post("/api/v1/conversations", json={"lang": lang, "page": "/cart"}).json
    assert begun is not None
    headers = {"Authorization": f"Bearer {begun['token']}"}
    answer = customer.post(f"/api/v1/conversations/{begun['id']}/handoff", json={}, headers=headers).json
    assert answer is not None
    texts = {
        "en": "on Monday at 09:00 (London time)",
        "ar": "غدًا عند الساعة 9:00 ص (بتوقيت الرياض)",
        "fa": "امروز ساعت ۹:۰۰ (به وقت تهران)",
    }
    text = answer["reply"]["text"]
    assert texts.get(lang, texts["en"]) in plain(text)


def test_the_help_centre_and_the_demo_shop_have_their_numbers_from_the_same_place(client: FlaskClient) -> None:
    for lang, two in (("en", "(2)"), ("ar", "(2)"), ("fa", "(۲)")):
        assert two in text_of(client.get(f"/demo/{lang}").text)
    assert '"locale": "fa-IR-u-ca-persian-nu-arabext"' in client.get("/widget?lang=fa").text


# ---------------------------------------------------------------- the browser

IN_THE_BROWSER = """([tag, zone, moments]) => moments.map((at) => [
  new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeZone: zone }).format(new Date(at)),
  new Intl.DateTimeFormat(tag, { timeStyle: "short", timeZone: zone }).format(new Date(at)),
])"""


def test_the_browsers_intl_writes_the_same_days_times_and_numbers(browser: Browser, lang: str) -> None:
    """By the tag of the page, over a century: the calendar, the digits, the order, the clock."""
    format, zone = of(lang), ZoneInfo(ZONES[lang])
    moments = [datetime(1975, 1, 1, 6, 5, tzinfo=UTC) + timedelta(days=41 * n, minutes=97 * n) for n in range(900)]
    page = browser.new_page()
    result = page.evaluate(IN_THE_BROWSER, [format.tag, ZONES[lang], [at.isoformat() for at in moments]])
    numbers = page.evaluate("tag => [7, 11, 4.5].map((n) => new Intl.NumberFormat(tag).format(n))", format.tag)
    chosen = page.evaluate("tag => [0, 1, 2, 3, 11, 100].map((n) => new Intl.PluralRules(tag).select(n))", lang)
    page.close()
    here = [at.astimezone(zone) for at in moments]
    assert [[plain(part) for part in pair] for pair in result] == [
        [plain(format.day(at.date())), plain(format.clock(at.time()))] for at in here
    ]
    assert numbers == [format.number(n) for n in (7, 11, 4.5)]
    assert chosen == [format.plural(n) for n in COUNTS]


def test_the_years_of_the_persian_calendar_begin_with_spring() -> None:
    """Nowruz of common and of leap years."""
    spring = {1399: date(2020, 3, 20), 1400: date(2021, 3, 21), 1403: date(2024, 3, 20), 1404: date(2025, 3, 21)}
    for year, day in spring.items():
        assert of("fa").day(day) == of("fa").digits(f"1 فروردین {year}")
    assert of("fa").day(date(2025, 3, 20)) == "۳۰ اسفند ۱۴۰۳"
