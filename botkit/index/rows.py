"""Articles to rows: what is matched, in the order in which it lies on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from botkit import language
from botkit.corpus import Article
from botkit.language import SHIPPED, Tables

PHRASINGS, PASSAGES = CHANNELS = ("phrasings", "passages")


@dataclass(frozen=True)
class Row:
    """One phrasing or one passage. `group` is the article's number, `lang_number` its language's."""

    text: str
    lang: str
    group: int
    lang_number: int
    anchor: str

    def read(self, tables: Tables = SHIPPED) -> str:
        """The text as it is compared: questions are brought to the same form."""
        return language.normalise_script(self.text, self.lang, tables)


def rows_of(articles: Sequence[Article], ids: Sequence[str], languages: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of each channel, by article, then language, then as written."""
    number = {article_id: i for i, article_id in enumerate(ids)}
    lang_number = {lang: i for i, lang in enumerate(languages)}
    result: dict[str, list[Row]] = {name: [] for name in CHANNELS}
    for a in articles:
        place = (a.lang, number[a.id], lang_number[a.lang])
        result[PHRASINGS].extend(Row(p, *place, "") for p in a.phrasings)
        for passage in a.passages:
            # A passage is read with its title, or it would be about nothing.
            heading = f" – {passage.heading}" if passage.heading else ""
            result[PASSAGES].append(Row(f"{a.title}{heading}\n{passage.text}", *place, passage.anchor))
    return result
