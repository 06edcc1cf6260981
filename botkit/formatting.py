"""Owns how numbers, plurals, lists, lengths of time, dates and times are written, by CLDR, and which text of the
catalogues goes with a number. The only importer of babel.

The language of the page decides on words and digits, the country of the shop on the order of a date and on the clock.
The digits are the ones that CLDR has for the language: Persian's own for Persian, 0 to 9 for Arabic. `tag` tells the
browser's Intl the same, so that a page and its script agree.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Any, Final, Literal

from babel import Locale, UnknownLocaleError, dates, lists, numbers, units
from babel.core import get_global

from botkit import language

Unit = Literal["second", "minute", "hour", "day"]
Width = Literal["medium", "long"]

_USUAL: Final = {"en": "GB"}
"""The country of a language's readers where the shop tells none, unless it is the one that CLDR holds likely."""
_ZEROS: Final = {"arab": 0x660, "arabext": 0x6F0}
_PERSIAN_MONTHS: Final = (
    *("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور"),
    *("مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"),
)
_PERSIAN_EPOCH: Final = date(622, 3, 21).toordinal()


@dataclass(frozen=True)
class Format:
    """How one language is written in one country."""

    lang: str
    locale: Locale
    tables: language.Tables
    numbering: str
    """CLDR's name of the digits: `latn`, `arab` or `arabext`."""

    @property
    def tag(self) -> str:
        """The same for the browser's Intl, such as `fa-IR-u-ca-persian-nu-arabext`."""
        calendar = "persian" if self._persian else "gregory"
        return f"{str(self.locale).replace('_', '-')}-u-ca-{calendar}-nu-{self.numbering}"

    # Texts

    @functools.cached_property
    def _texts(self) -> Mapping[str, str]:
        return language.messages(self.lang, self.tables)

    def say(self, key: str, /, **values: Any) -> str:
        """A text of the catalogues with its {names} filled in.

        Of a text that counts, the form that goes with `n`. A number is written as one; `id` is what something is
        called, so its digits are never grouped. Texts stay as they are.
        """
        text = self._texts.get(key)
        if text is None:
            text = self._texts.get(f"{key}.{self.plural(values['n'])}") or self._texts[f"{key}.other"]
        if values:
            text = text.format_map({name: self._value(name, value) for name, value in values.items()})
        return text

    def forms(self, key: str) -> dict[str, str]:
        """All forms of a text that counts, by CLDR's category, for a script to choose from."""
        start = f"{key}."
        return {k.removeprefix(start): text for k, text in self._texts.items() if k.startswith(start)}

    def plural(self, n: float) -> str:
        """CLDR's category of a number, in the language that the catalogue is written in."""
        spoken = self.lang if self.lang in self.tables.interface else language.LANGUAGES[0]
        return str((_locale(spoken) or Locale("en")).plural_form(n))

    # Numbers

    def digits(self, text: object) -> str:
        """A text with its ASCII digits as the language writes them."""
        return str(text).translate(_table(self.numbering))

    def number(self, value: float, decimals: int | None = None) -> str:
        """A number in groups of thousands, with exactly so many decimals, or as many as it needs up to three."""
        pattern = None if decimals is None else "#,##0" + ("." + "0" * decimals if decimals else "")
        return self.digits(numbers.format_decimal(value, pattern, self.locale, numbering_system=self.numbering))

    def percent(self, share: float) -> str:
        """A share of one in whole percent; one too small for that as less than one percent."""
        text = numbers.format_percent(0.01 if 0 < share < 0.005 else share, locale=self.locale)
        if self.numbering == "arabext":  # babel keeps the Latin sign
            text = text.replace("%", "٪")
        return ("< " if 0 < share < 0.005 else "") + self.digits(text)

    def listed(self, items: Iterable[str]) -> str:
        return lists.format_list(list(items), "standard", self.locale)

    def duration(self, n: int, unit: Unit, width: Literal["short", "long"] = "short") -> str:
        """A length of time in one unit, such as "5 mins" or, long, "5 minutes"."""
        name = f"duration-{unit}"
        return self.digits(units.format_unit(n, name, width, locale=self.locale, numbering_system=self.numbering))

    # Days and times

    def day(self, day: date, width: Width = "medium") -> str:
        if self._persian:
            year, month, of_month = _persian(day)
            return self.digits(f"{of_month} {_PERSIAN_MONTHS[month - 1]} {year}")
        return self.digits(dates.format_date(day, width, self.locale))

    def clock(self, at: time) -> str:
        return self.digits(dates.format_time(at, "short", locale=self.locale))

    def hours(self, start: time, end: time) -> str:
        """From one time of a day to another."""
        twelve = "a" in str(dates.get_time_format("short", self.locale))
        return self.digits(dates.format_interval(start, end, "hm" if twelve else "Hm", locale=self.locale))

    def moment(self, at: datetime, zone: tzinfo) -> str:
        """A day and a time on a clock, which is named."""
        here = at.astimezone(zone)
        pattern = str(dates.get_datetime_format("medium", self.locale))
        shown = pattern.replace("{1}", self.day(here.date())).replace("{0}", self.clock(here.time()))
        return f"{shown} ({self.zone(zone)})"

    def zone(self, zone: tzinfo) -> str:
        """The name of a clock, by the city that CLDR has for it."""
        if getattr(zone, "key", "UTC") in ("UTC", "Etc/UTC"):
            return "UTC"
        city = dates.get_timezone_location(zone, locale=self.locale, return_city=True)
        return self.say("site.zone", city=city)

    @property
    def _persian(self) -> bool:
        """Whether days are counted in the Solar Hijri calendar, as CLDR prefers it for Iran."""
        return self.locale.language == "fa" and self.locale.territory == "IR"

    def _value(self, name: str, value: Any) -> Any:
        if name == "id":
            return self.digits(value)
        return self.number(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def of(lang: str, shop: Mapping[str, Any] | None = None, tables: language.Tables = language.SHIPPED) -> Format:
    """The format of a language, in the country of a shop's `time_zone` where CLDR knows the language there. `tables`
    have the texts of a corpus's own."""
    zone = (shop or {}).get("time_zone")
    return _format(lang, zone if isinstance(zone, str) else "", tables)


def categories(lang: str) -> frozenset[str]:
    """CLDR's categories of a language's plurals; those of English for a language that it does not know."""
    return frozenset((_locale(lang) or Locale("en")).plural_form.tags) | {"other"}


@functools.lru_cache(maxsize=64)
def _format(lang: str, zone: str, tables: language.Tables) -> Format:
    code, _, country = lang.partition("-")
    likely = get_global("likely_subtags").get(code, "").rpartition("_")[2]
    countries = (country.upper(), get_global("zone_territories").get(zone), _USUAL.get(code), likely)
    names = [f"{code}_{each}" for each in countries if each] + [code, "en_GB"]
    locale = next(result for name in names if (result := _locale(name)) is not None)
    numbering = Locale.parse(locale.language).default_numbering_system
    return Format(lang, locale, tables, numbering if numbering in _ZEROS else "latn")


def _locale(name: str) -> Locale | None:
    try:
        return Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        return None


@functools.cache
def _table(numbering: str) -> dict[int, int]:
    zero = _ZEROS.get(numbering, ord("0"))
    return {ord("0") + value: zero + value for value in range(10)}


def _persian(day: date) -> tuple[int, int, int]:
    """Year, month and day of the Solar Hijri calendar, by the cycle of 33 years that ICU, and so Intl, reckons with."""
    days = day.toordinal() - _PERSIAN_EPOCH
    year = 1 + (33 * days + 3) // 12053
    of_year = days - 365 * (year - 1) - (8 * year + 21) // 33
    month = of_year // 31 if of_year < 186 else (of_year - 6) // 30
    return year, month + 1, of_year - (31 * month if month <= 6 else 30 * month + 6) + 1
