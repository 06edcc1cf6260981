"""What is quoted of an article: the passage found, or all of a short one, as text and as safe HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Final

from botkit import language
from botkit.answer.model import Option, Reply, Source
from botkit.corpus import Article, Passage
from botkit.index import Index

SHORT: Final = 240
"""characters of an article that is told in short"""


def quote(
    index: Index,
    article: Article,
    anchor: str,
    confidence: float | None,
    options: tuple[Option, ...],
    lang: str,
    question_lang: str | None = None,
) -> Reply:
    """The reply that quotes an article, with a note where it is in another language."""
    passages, url = quotable(article, anchor)
    text = plain_text(passages) or article.title
    html = (
        "\n".join((f"<p><strong>{escape(p.heading)}</strong></p>\n" if p.heading else "") + p.html for p in passages)
        or f"<p>{escape(article.title)}</p>"
    )
    hand_over = article.action == "handoff"
    if article.lang != lang:
        note = language.messages(lang, index.tables)["bot.other_language"]
        text, html = (
            f"{note}\n\n{text}",
            f'<p>{escape(note)}</p>\n<div lang="{escape(article.lang)}" '
            f'dir="{language.direction(article.lang, index.tables)}">{html}</div>',
        )
    return Reply(
        kind="handoff" if hand_over else "answer",
        text=text,
        html=html,
        lang=lang,
        version=index.version,
        question_lang=question_lang or lang,
        article=article.id,
        confidence=confidence,
        options=options,
        source=Source(article.title, url, article.lang),
        reason="policy" if hand_over else None,
        direction=language.direction(lang, index.tables),
    )


def quotable(article: Article, anchor: str) -> tuple[tuple[Passage, ...], str]:
    """(passages, address) of what answers: the passage found if the article is long, else the whole article."""
    passages = article.passages
    if len(passages) <= 3 and len(article.text) <= 900:
        return passages, article.url
    chosen = article.passage(anchor) if anchor else None
    if chosen is not None:
        return (chosen,), f"{article.url}#{anchor}"
    return tuple([p for p in passages if not p.heading][:1] or passages[:1]), article.url


def plain_text(passages: Sequence[Passage]) -> str:
    """Passages as text."""
    return "\n\n".join(f"{p.heading}\n{p.text}".strip() for p in passages)


def in_short(index: Index, article_id: str, lang: str) -> str:
    """The first sentences of an article's text, as many as fit SHORT characters, at least one; empty without a text."""
    article = index.best_translation(article_id, lang)
    text = " ".join(article.passages[0].text.split()) if article is not None and article.passages else ""
    sentences = re.split(r"(?<=[.!?؟۔])\s+", text)
    result = sentences[0]
    for sentence in sentences[1:]:
        if len(result) + len(sentence) >= SHORT:
            break
        result += " " + sentence
    return result
