"""An opened version of an index: what pages show of its articles, and the search over them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from botkit import encoder as encoders
from botkit import language
from botkit.corpus import Article, CannedReply
from botkit.index.hits import Ranking, Search
from botkit.index.rows import rows_of
from botkit.index.search import Searcher
from botkit.index.versions import IndexProblem, verify, version_folder

SUGGEST_BY = 16
"""Different words that complete a question: more are none that somebody is still typing."""


class Index:
    """An opened version: immutable, safe to share between threads."""

    def __init__(self, folder: Path, encoder: encoders.Encoder, manifest: Mapping[str, Any]) -> None:
        self.folder, self.encoder, self.manifest = folder, encoder, manifest
        self.guard = encoders.Guard(encoder.encode_query)
        self.version = folder.name
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        self.name: str = facts["name"]
        self.languages: tuple[str, ...] = tuple(facts["languages"])
        self.default_language: str = facts["default_language"]
        self._category_titles: dict[str, dict[str, str]] = dict(facts["categories"])
        self._shop: dict[str, dict[str, Any]] = facts["shop"]
        with (folder / "articles.jsonl").open(encoding="utf-8") as lines:
            self._articles = [Article.of(json.loads(line)) for line in lines]
        self._replies = _replies(folder, manifest)
        names = (self.name, *(str(shop.get("name", "")) for shop in self._shop.values()))
        self.tables = language.Tables.of(_additions(folder, manifest), names)
        self._by_key = {(a.id, a.lang): a for a in self._articles}
        self.ids: tuple[str, ...] = tuple(dict.fromkeys(a.id for a in self._articles))
        self.confidence: dict[str, Any] = json.loads((folder / "confidence.json").read_text(encoding="utf-8"))
        self._shown = _Shown(self._articles, self.ids)
        self._listed: dict[str, tuple[date, list[Article]]] = {}
        self._suggested: dict[str, tuple[date, list[tuple[str, str, list[str], bool]]]] = {}
        rows = rows_of(self._articles, self.ids, self.languages)
        ranking = Ranking.read(manifest["ranking"])
        self.searcher = Searcher(folder, self.ids, self.languages, rows, ranking, self._shown.hidden, self.tables)

    @classmethod
    def open(cls, folder: Path | str, encoder: encoders.Encoder | None = None) -> Index:
        """The published version of an index folder, or a version folder itself.

        Every file is checked against the manifest's SHA-256. `encoder` must be the one the index
        was built with; by default it is loaded. Raises IndexProblem.
        """
        path = version_folder(Path(folder))
        manifest = verify(path)
        try:
            model = encoder or encoders.load(manifest["encoder"])
        except encoders.EncoderError as error:
            raise IndexProblem(f"{path}: {error}") from error
        if encoders.identity(model) != manifest["encoder_identity"]:
            raise IndexProblem(
                f"{path}: built with the encoder {manifest['encoder_identity']}, but "
                f"this one is {encoders.identity(model)}. "
                "Rebuild the index with `botkit index`, or serve with its own encoder."
            )
        return cls(path, model, manifest)

    # -- what pages show

    def article(self, article_id: str, lang: str, for_agent: bool = False) -> Article | None:
        """The article in exactly that language, if customers, or with `for_agent` agents, may see it today."""
        value = self._by_key.get((article_id, lang))
        return value if value is not None and _shows(value, for_agent) else None

    def best_translation(self, article_id: str, lang: str, for_agent: bool = False) -> Article | None:
        """The article in that language, else in the default one, else in any: the first that customers, or with
        `for_agent` agents, may see today."""
        choices = dict.fromkeys((lang, self.default_language, *self.languages))
        result = (self.article(article_id, choice, for_agent) for choice in choices)
        return next((article for article in result if article is not None), None)

    def title(self, article_id: str, lang: str) -> str | None:
        """What an article is called, whoever may see it and when: for records of what was once shown."""
        choices = (lang, self.default_language, *self.languages)
        return next((self._by_key[article_id, c].title for c in choices if (article_id, c) in self._by_key), None)

    def articles(self, lang: str) -> list[Article]:
        """The articles of a language that customers may see today."""
        today, known = date.today(), self._listed.get(lang)
        if known is None or known[0] != today:
            listed = [a for a in self._articles if a.lang == lang and _shows(a, for_agent=False)]
            known = self._listed[lang] = (today, listed)
        return known[1].copy()

    def replies(self, lang: str) -> list[CannedReply]:
        """The canned replies of a language, by id: for agents, never for customers."""
        return [reply for reply in self._replies if reply.lang == lang]

    def categories(self, lang: str) -> list[tuple[str, str]]:
        """(id, title) of the categories that have an article, in the corpus's order."""
        used = list(dict.fromkeys(a.category for a in self.articles(lang)))
        order = [c for c in self._category_titles if c in used] + [c for c in used if c not in self._category_titles]
        return [(c, self._category_titles.get(c, {}).get(lang) or c.replace("-", " ").capitalize()) for c in order]

    def shop(self, lang: str) -> dict[str, Any]:
        """The shop's facts in a language, else in the default one."""
        return self._shop.get(lang) or self._shop.get(self.default_language) or {"name": self.name}

    def starters(self, page: str | None, lang: str, limit: int = 4) -> list[Article]:
        """The articles that the site offers first on a page, by their `pages` patterns."""
        path = (page or "").split("?")[0].split("#")[0]
        known = self.articles(lang)
        fitting = [a for a in known if any(fnmatchcase(path, pattern) for pattern in a.pages)]
        general = [a for a in known if a.pages and a not in fitting]
        return [*fitting, *general][:limit]

    def suggest(self, prefix: str, lang: str, limit: int = 6) -> list[tuple[str, str]]:
        """(article id, phrasing) whose words begin as the words typed, titles before questions."""
        typed = list(dict.fromkeys(language.folded(prefix, lang, self.tables).split()))[:SUGGEST_BY]
        if not typed:
            return []
        ranked = []
        for order, (article_id, phrasing, tokens, is_title) in enumerate(self._suggestions(lang)):
            if all(any(t.startswith(w) for t in tokens) for w in typed):
                ranked.append(
                    (
                        not (tokens and tokens[0].startswith(typed[0])),
                        not is_title,
                        len(tokens),
                        order,
                        article_id,
                        phrasing,
                    )
                )
        result: dict[str, str] = {}
        for *_, article_id, phrasing in sorted(ranked):
            result.setdefault(article_id, phrasing)
        return list(result.items())[:limit]

    def _suggestions(self, lang: str) -> list[tuple[str, str, list[str], bool]]:
        """(article id, phrasing, its words, whether it is the title) of all that customers may see today."""
        today, known = date.today(), self._suggested.get(lang)
        if known is None or known[0] != today:
            shown = self.articles(lang)
            words = [
                (a.id, p, language.folded(p, lang, self.tables).split(), p == a.title)
                for a in shown
                for p in a.phrasings
            ]
            known = self._suggested[lang] = (today, words)
        return known[1]

    # -- search

    def search(
        self, text: str, lang: str | None = None, limit: int = 10, *, deadline: float | None = None
    ) -> Search:
        """The articles that fit a question, best first; `lang` is the page's language, if known."""
        return self.search_many([text], lang, limit, deadline=deadline)[0]

    def search_many(
        self,
        texts: Sequence[str],
        lang: str | Sequence[str | None] | None = None,
        limit: int = 10,
        before: Sequence[str | None] | None = None,
        for_agent: bool = False,
        *,
        deadline: float | None = None,
    ) -> list[Search]:
        """`search` for many questions, their vectors made in one batch. `before` has for each the language of the
        turn before it, if there was one; `for_agent` finds the articles that are for agents alone, too.

        `deadline` is how many seconds the encoder may take; where it fails or is late, and at 0 without being asked,
        words alone find the articles. With None it has all the time, and its errors are the caller's.
        """
        if not texts:
            return []
        pages = [lang] * len(texts) if lang is None or isinstance(lang, str) else list(lang)
        earlier = before or [None] * len(texts)
        shares = [self.shares(*each) for each in zip(texts, pages, earlier, strict=True)]
        read = [self.searcher.normalise_script(*each) for each in zip(texts, shares, strict=True)]
        vectors = self.encode(read) if deadline is None else self.guard.encode(read, deadline)
        result = [None] * len(read) if vectors is None else list(vectors)
        return [
            self.searcher.rank(text, vector, share, limit, for_agent, spelled)
            for text, vector, share, spelled in zip(texts, result, shares, read, strict=True)
        ]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Question vectors as the model gives them, float32 of shape (texts, dimensions)."""
        return self.encoder.encode_query(texts)

    def shares(self, text: str, page: str | None = None, before: str | None = None) -> Mapping[str, float]:
        """Which language a question may be in; see `Searcher.shares`."""
        return self.searcher.shares(text, page, before)

    def rank(self, text: str, vector: np.ndarray | None, shares: Mapping[str, float], limit: int = 10) -> Search:
        """`search` with a vector and a language distribution that are known already."""
        return self.searcher.rank(text, vector, shares, limit)


class _Shown:
    """Which articles may be seen today. Apart from the index, so that what it is given to does not hold the index: an
    old version goes with its last user, and waits for no search for garbage."""

    def __init__(self, articles: Sequence[Article], ids: Sequence[str]) -> None:
        self._articles, self._ids = articles, ids
        self._hidden_on: dict[bool, tuple[date, np.ndarray]] = {}

    def hidden(self, for_agent: bool) -> np.ndarray:
        """Articles that no customer, or no agent, may see today, as a mask over the ids."""
        today, known = date.today(), self._hidden_on.get(for_agent)
        if known is None or known[0] != today:
            shown = {a.id for a in self._articles if _shows(a, for_agent)}
            known = self._hidden_on[for_agent] = (today, np.array([i not in shown for i in self._ids], bool))
        return known[1]


def _shows(article: Article, for_agent: bool) -> bool:
    return (for_agent or article.audience == "customer") and article.valid_on(date.today())


def tables(folder: Path | str) -> tuple[tuple[str, ...], language.Tables]:
    """The languages of the published version of an index folder, and the tables it is read by; without opening it or
    looking whether it is whole. Raises IndexProblem."""
    path = version_folder(Path(folder))
    try:
        facts = json.loads((path / "facts.json").read_text(encoding="utf-8"))
        return tuple(facts["languages"]), language.Tables.of(_additions(path, {}))
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise IndexProblem(f"{path}: cannot be read ({error}). Build the index again with `botkit index`.") from error


ADDITIONS = "languages.json"


def _additions(folder: Path, manifest: Mapping[str, Any]) -> language.Additions | None:
    file = folder / ADDITIONS
    if file.name not in manifest.get("files", (file.name,)) or not file.is_file():  # as with replies
        return None
    return language.Additions.of(file.read_text(encoding="utf-8"))


def _replies(folder: Path, manifest: Mapping[str, Any]) -> tuple[CannedReply, ...]:
    file = folder / "replies.jsonl"
    if file.name not in manifest.get("files", (file.name,)) or not file.is_file():  # a draft lists no files yet
        return ()
    with file.open(encoding="utf-8") as lines:
        return tuple(CannedReply.of(json.loads(line)) for line in lines)
