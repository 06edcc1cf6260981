"""What does not work in a language, because nobody has written down yet what it takes."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from botkit.language.messages import messages
from botkit.language.tables import LANGUAGES, SHIPPED, Tables

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "greetings, thanks and goodbyes": ("smalltalk.greeting", "smalltalk.thanks", "smalltalk.goodbye"),
    "asking for a person": ("person.phrases", "person.alone", "person.rules"),
    "complaints and refunds first in the queue": ("concerns.complaint", "concerns.refund", "concerns.data_request"),
    "questions that hang on the one before": ("followup.grammar",),
    "picking by “the second one”": ("ordinals.first", "ordinals.second", "ordinals.last"),
    "refusing all that was offered": ("followup.refusals",),
    "colloquial words": ("colloquial.words",),
    "telling other trades' questions": ("domains", "out_of_domain.questions"),
}


def lacking(lang: str, tables: Tables = SHIPPED) -> dict[str, tuple[str, ...]]:
    """What does not work in a language for want of words, and the keys of which any would bring it."""
    table = tables[lang]
    return {what: keys for what, keys in _NEEDED.items() if not any(_value(table, key) for key in keys)}


def shortcomings(lang: str, tables: Tables = SHIPPED) -> list[str]:
    """What somebody who runs a bot in a language should know, each with its cure; nothing for the package's own."""
    if lang in LANGUAGES:
        return []
    result = []
    missing = "; ".join(f"{what} ({', '.join(keys)})" for what, keys in lacking(lang, tables).items())
    if missing:
        result.append(
            f"in `{lang}` this does not work: {missing}. Write the keys in languages/{lang}.toml of the corpus; "
            "docs/languages.md says how."
        )
    details = tables.added.texts.get(lang, {})
    if not details:
        result.append(
            f"the interface has no texts in `{lang}` and speaks English there. Write them in messages/{lang}/*.toml of "
            "the corpus, with the keys of the English ones."
        )
    elif absent := _absent(details):
        some = ", ".join(f"`{key}`" for key in absent[:3])
        more = f" and {len(absent) - 3} more" if len(absent) > 3 else ""
        result.append(f"these texts that customers see have no `{lang}` and are shown in English: {some}{more}.")
    return result


FACING = ("bot", "chat", "help", "site", "widget")
"""the catalogues whose texts customers see"""


def _absent(told: Mapping[str, str]) -> list[str]:
    """The texts that customers see, `file.key`, of which a catalogue has none; the forms of one that counts are one."""
    known = {_text_of(key) for key in told}
    plain = dict.fromkeys(_text_of(key) for key in messages(LANGUAGES[0]) if key.split(".")[0] in FACING)
    return [text for text in plain if text not in known]


def _text_of(key: str) -> str:
    return ".".join(key.split(".")[:2])


def _value(table: Any, key: str) -> Any:
    return functools.reduce(getattr, key.split("."), table)
