"""Words of other trades: the bank, the gym, the train, the telephone's apps; and questions that no shop answers.

"Cancel my gym membership" is in a shop's own words but for one, and that one says whose business it is. A question that
names a domain which neither the article found nor the index speaks of is likely another's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from botkit.language.normalise import folded, folded_rule
from botkit.language.tables import LANGUAGES, SHIPPED, Tables


def domains(text: str, lang: str | None, tables: Tables = SHIPPED) -> frozenset[str]:
    """The other domains that a text names, by the words of its language and by English ones."""
    words = folded(text, lang, tables).split()
    return frozenset(
        domain
        for code in dict.fromkeys((tables.known(lang), LANGUAGES[0]))
        if tables[code].domains
        for word in words
        for form in _forms(word, code, tables)
        if (domain := _named(form, code, tables))
    )


def out_of_domain(lang: str, tables: Tables = SHIPPED) -> tuple[str, ...]:
    """Questions that people ask of any chat and that hardly any shop's help answers: about the world, themselves, other
    trades. What is nearer to these than to an index's own rows is likely beyond it."""
    return tables[lang].out_of_domain.questions


def _forms(word: str, lang: str, tables: Tables) -> Iterator[str]:
    yield word
    prefix = tables.made(_prefix, lang)
    if prefix and len(bare := prefix.sub("", word)) > 1:
        yield bare


def _named(word: str, lang: str, tables: Tables) -> str | None:
    whole, beginnings = tables.made(_table, lang)
    if word in whole:
        return whole[word]
    starts = (beginnings.get(word[:size]) for size in range(len(word), 2, -1))
    return next((domain for domain in starts if domain), None)


def _prefix(tables: Tables, lang: str) -> re.Pattern[str] | None:
    rule = tables[lang].prefixes.domain_words
    return re.compile(folded_rule(rule, tables)) if rule else None


def _table(tables: Tables, lang: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The domain of each word and of each beginning of words, folded."""
    whole: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    for domain, words in tables[lang].domains.items():
        for word in words:
            table = beginnings if word.endswith("*") else whole
            table[folded(word, lang, tables)] = domain
    return whole, beginnings
