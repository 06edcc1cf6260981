"""Reads a corpus folder: every file, then what must hold between files. Collects findings, never stops at one."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from botkit import language
from botkit.corpus import canned, files, languages
from botkit.corpus.facts import facts as facts_of
from botkit.corpus.frontmatter import day_of, front_matter, lists, one_of, parts_of, title_of
from botkit.corpus.markdown import Rendered, passages, render
from botkit.corpus.model import Article, Bad, CannedReply, Corpus, Finding, Passage

MAX_FILE_BYTES = 256_000
_NO_TEXT = re.compile("[\ud800-\udfff]")
_PATH_PART = re.compile(r"[^\s#?%\\:*\"<>|]+")
_ACTIONS = ("answer", "handoff")
_AUDIENCES = ("customer", "agent")
_LIST_KEYS = ("questions", "tests", "pages", "tags", "related")
_ARTICLE_KEYS = (
    "title",
    "questions",
    "category",
    "pages",
    "tests",
    "tags",
    "valid_from",
    "valid_until",
    "updated",
    "audience",
    "related",
    "action",
)
_FAQ_KEYS = (
    "kind",
    "title",
    "category",
    "pages",
    "tags",
    "entries",
    "updated",
    "audience",
    "valid_from",
    "valid_until",
)
_ENTRY_KEYS = ("questions", "tests", "pages", "tags", "related", "action")


class Reader:
    def __init__(self, folder: Path, known: Mapping[str, dict[str, Any]]) -> None:
        self.folder = folder
        self.known = known
        self.seen: dict[str, dict[str, Any]] = {}
        self.links: list[tuple[str, int]] = []
        self.forms: dict[tuple[str, str], str] = {}
        self.findings: list[Finding] = []
        self.lines: dict[tuple[str, str, str], int] = {}
        self.tables = language.SHIPPED

    def say(self, file: Path | str, line: int, message: str, level: str = "error") -> None:
        shown = str(file)
        self.findings.append(Finding(shown, line, message, level))

    def read(self) -> tuple[Corpus | None, list[Finding]]:
        if not files.is_folder(self.folder):
            self.say(self.folder, 1, "no such folder. Give the folder that holds corpus.toml.")
            return None, self.findings
        facts = facts_of(self.folder, self.say)
        if facts is None:
            return None, sorted(self.findings)
        facts = replace(facts, additions=languages.additions(self.folder, self.say))
        self.tables = facts.tables
        for lang in facts.languages:
            for message in language.shortcomings(lang, self.tables):
                self.say(self.folder / "corpus.toml", 1, message, "warning")
        articles: list[Article] = []
        for lang in facts.languages:
            for file in self._files(lang):
                try:
                    articles.extend(self._read(file, lang))
                except Bad as bad:
                    self.say(file, bad.line, bad.message)
        if not articles and not self.findings:
            wanted = ", ".join(f"{lang}/<path>.md" for lang in facts.languages)
            self.say(self.folder, 1, f"no article found. Write the first one as {wanted}.")
        corpus = replace(
            facts,
            articles=tuple(sorted(articles, key=lambda a: (a.id, a.lang))),
            replies=self._replies(facts.languages),
        )
        self._across(corpus)
        return corpus, sorted(self.findings)

    def _files(self, lang: str) -> Iterator[Path]:
        top = self.folder / lang
        if not files.is_folder(top):
            self.say(
                top,
                1,
                f"`{lang}` is among the languages but has no folder. Make it or take `{lang}` out of corpus.toml.",
                "warning",
            )
            return
        yield from self._markdown(top)

    def _markdown(self, top: Path) -> Iterator[Path]:
        out = "a link that leads out of the corpus folder, or nowhere, is not followed. Put the file itself here."
        if not files.within(top, self.folder):
            self.say(top, 1, out)
            return
        for file, problem, level in files.named(top, ".md"):
            if problem:
                self.say(file, 1, problem, level)
            elif file.is_symlink() and not files.within(file, self.folder):
                self.say(file, 1, out)
            else:
                yield file

    def _text(self, file: Path) -> str:
        return files.text(files.content(file, MAX_FILE_BYTES))

    # -- one file

    def _read(self, file: Path, lang: str) -> list[Article]:
        """The articles of a file; from an earlier check, where that found nothing to say about the same bytes."""
        path = file.relative_to(self.folder).as_posix()
        data = files.content(file, MAX_FILE_BYTES)
        made = f"{path}\0{self.tables.digest}".rstrip("\0").encode("utf-8", "surrogatepass")
        key = hashlib.sha256(made + b"\0" + data).hexdigest()
        entry = self.known.get(key)
        findings = len(self.findings)
        if entry is None:
            self.links = []
            try:
                articles = self._file(file, lang, data)
            except Bad:
                self._follow(file, lang, self.links)
                raise
            texts = {text for a in articles for text in (*a.phrasings, *a.tests)}
            entry = {
                "articles": [a.table() for a in articles],
                "lines": [self.lines[(a.id, lang, "")] for a in articles],
                "links": self.links,
                "forms": {text: language.folded(text, lang, self.tables) for text in sorted(texts)},
            }
        else:
            articles = [Article.of(table) for table in entry["articles"]]
            self.lines |= {(a.id, lang, ""): line for a, line in zip(articles, entry["lines"], strict=True)}
        if len(self.findings) == findings:
            self.seen[key] = entry
        self.forms |= {(text, lang): form for text, form in entry["forms"].items()}
        self._follow(file, lang, entry["links"])
        return articles

    def _file(self, file: Path, lang: str, data: bytes) -> list[Article]:
        path = PurePosixPath(file.relative_to(self.folder / lang).as_posix()).with_suffix("")
        for part in path.parts:
            if _NO_TEXT.search(part):
                raise Bad(1, "its name is not UTF-8. Rename it with letters, digits, `-`, `_` and `.`.")
            if not _PATH_PART.fullmatch(part):
                raise Bad(1, f"`{part}` cannot be part of an article's id. Use letters, digits, `-`, `_` and `.`.")
        head, body, body_line = parts_of(files.text(data))
        meta, lines = front_matter(head)
        kind = meta.get("kind", "article")
        if kind not in ("article", "faq"):
            raise Bad(lines.get("kind", 1), f"unknown kind `{kind}`. Leave it out, or write `kind: faq`.")
        category = meta.get("category") or path.parent.name or "general"
        if not isinstance(category, str):
            raise Bad(lines.get("category", 1), "`category` must be a text. Write it on the same line.")
        self._known_keys(file, meta, lines, _FAQ_KEYS if kind == "faq" else ("kind", *_ARTICLE_KEYS))
        common: dict[str, Any] = {
            "lang": lang,
            "category": category,
            "file": file.relative_to(self.folder).as_posix(),
        }
        for key in ("updated", "valid_from", "valid_until"):
            if key in meta:
                common[key] = day_of(meta[key], key, lines.get(key, 1))
        if common.get("valid_from", "") > common.get("valid_until", "9999-12-31"):
            raise Bad(
                lines["valid_until"],
                "`valid_until` lies before `valid_from`, so it would never be shown. Correct one of the days.",
            )
        common["audience"] = one_of(meta.get("audience", "customer"), _AUDIENCES, "audience", lines.get("audience", 1))
        if kind == "faq":
            return self._faq(file, path, meta, lines, body, body_line, common)
        title = title_of(meta, lines)
        self.lines[(str(path), lang, "")] = lines.get("title", 1)
        rendered = render(body, body_line, file.relative_to(self.folder / lang).parent.as_posix(), lang)
        self._links(file, rendered)
        article = Article(
            id=str(path),
            title=title,
            passages=passages(rendered),
            **common,
            **lists(meta, lines, _LIST_KEYS),
            action=one_of(meta.get("action", "answer"), _ACTIONS, "action", lines.get("action", 1)),
        )
        if not article.text.strip():
            self.say(
                file,
                body_line,
                "the article has no text: a customer would get only its title. Write the answer "
                "below the front matter.",
                "warning",
            )
        return [article]

    def _known_keys(
        self, file: Path, meta: Mapping[str, Any], lines: Mapping[str, int], known: Iterable[str], within: str = ""
    ) -> None:
        names = list(known)
        for key in meta:
            if key not in names:
                near = difflib.get_close_matches(str(key), names, n=1)
                cure = f"Did you mean `{near[0]}`?" if near else f"Known keys: {', '.join(names)}."
                self.say(file, lines.get(f"{within}{key}", 1), f"unknown key `{key}`. {cure}")

    def _faq(
        self,
        file: Path,
        path: PurePosixPath,
        meta: dict[str, Any],
        lines: dict[str, int],
        body: str,
        body_line: int,
        common: dict[str, Any],
    ) -> list[Article]:
        lang = common["lang"]
        rendered = render(body, body_line, file.relative_to(self.folder / lang).parent.as_posix(), lang)
        self._links(file, rendered)
        entries = meta.get("entries") or {}
        if not isinstance(entries, dict):
            raise Bad(lines.get("entries", 1), "`entries` must map a heading's anchor to its questions, tests, pages.")
        if not rendered.sections or (len(rendered.sections) == 1 and not rendered.sections[0].heading):
            raise Bad(
                body_line, "a `kind: faq` file without a question. Write each as a `## heading`, its answer below."
            )
        articles = []
        for section in rendered.sections:
            if not section.heading:
                if section.text.strip():
                    self.say(
                        file,
                        section.line,
                        "text above the first `## heading` belongs to no question and is left "
                        "out. Move it below a heading.",
                        "warning",
                    )
                continue
            entry = entries.get(section.anchor) or {}
            if not isinstance(entry, dict):
                raise Bad(
                    lines.get(f"entries.{section.anchor}", 1),
                    f"entry `{section.anchor}` must have keys like `questions:`.",
                )
            self._known_keys(file, entry, lines, _ENTRY_KEYS, f"entries.{section.anchor}.")
            if not section.text.strip():
                self.say(file, section.line, f"the question `{section.heading}` has no answer below it.", "warning")
            inherited: dict[str, Any] = {key: meta[key] for key in ("pages", "tags") if key in meta}
            self.lines[(f"{path}#{section.anchor}", lang, "")] = section.line
            articles.append(
                Article(
                    id=f"{path}#{section.anchor}",
                    title=section.heading,
                    passages=(Passage("", "", section.text, section.html),),
                    **common,
                    **lists({**inherited, **entry}, lines, _LIST_KEYS, f"entries.{section.anchor}."),
                    action=one_of(entry.get("action", "answer"), _ACTIONS, "action", section.line),
                )
            )
        anchors = {section.anchor for section in rendered.sections}
        for anchor in entries:
            if anchor not in anchors:
                self.say(
                    file,
                    lines.get(f"entries.{anchor}", 1),
                    f"entry `{anchor}` has no heading. Write `## ... {{#{anchor}}}` or take the entry out.",
                )
        return articles

    def _links(self, file: Path, rendered: Rendered) -> None:
        self.links.extend(rendered.links)
        for line, message in rendered.warnings:
            self.say(file, line, message, "warning")

    def _follow(self, file: Path, lang: str, links: Iterable[tuple[str, int]]) -> None:
        top = self.folder / lang
        for target, line in links:
            if not files.within(file.parent / target, top):
                self.say(
                    file, line, f"the link `{target}` leads out of the folder {lang}/. Link to an article inside it."
                )
            elif not files.is_file(file.parent / target):
                self.say(file, line, f"the link `{target}` leads to no file. Correct the path.")

    # -- canned replies

    def _replies(self, languages: tuple[str, ...]) -> tuple[CannedReply, ...]:
        """What agents say often: replies/<lang>/<path>.md, beside the articles and never among them."""
        top = self.folder / canned.FOLDER
        if not files.is_folder(top):
            return ()
        try:
            others = sorted(p for p in top.iterdir() if p.is_dir() and p.name not in languages)
        except OSError as error:
            self.say(top, 1, f"cannot be looked into ({error.strerror}). Let this account read it.")
            return ()
        for other in others:
            self.say(
                other,
                1,
                f"the folder `{other.name}` is not among the languages {', '.join(languages)} and is left out. "
                "Rename it, or add the language to corpus.toml.",
                "warning",
            )
        result: list[tuple[CannedReply, Path, int]] = []
        for lang in languages:
            for file in self._markdown(top / lang) if files.is_folder(top / lang) else ():
                path = PurePosixPath(file.relative_to(top / lang).as_posix()).with_suffix("")
                try:
                    meta, lines, body, body_line = canned.parts(self._text(file))
                    self._known_keys(file, meta, lines, canned.KEYS)
                    shown = file.relative_to(self.folder).as_posix()
                    reply = canned.reply(str(path), lang, shown, meta, lines, body, body_line)
                    result.append((reply, file, lines["shortcut"]))
                except Bad as bad:
                    self.say(file, bad.line, bad.message)
        for file, line, message, level in canned.across(result, top, languages):
            self.say(file, line, message, level)
        return tuple(sorted((reply for reply, _, _ in result), key=lambda r: (r.id, languages.index(r.lang))))

    # -- between files

    def _across(self, corpus: Corpus) -> None:
        known: dict[tuple[str, str], Article] = {}
        asked: dict[tuple[str, str], Article] = {}
        ids = {article.id for article in corpus.articles}
        for article in corpus.articles:
            file = self.folder / article.file
            line = self.lines.get((article.id, article.lang, ""), 1)
            key = (article.id.casefold(), article.lang)
            if key in known:
                self.say(
                    file,
                    line,
                    f"two articles have the id `{article.id}` in `{article.lang}`: here and in "
                    f"{known[key].file}. Rename one.",
                )
            known[key] = article
            phrasings = {self.forms[(p, article.lang)] for p in article.phrasings}
            for phrasing in article.phrasings:
                form = (self.forms[(phrasing, article.lang)], article.lang)
                other = asked.setdefault(form, article)
                if other.id != article.id:
                    self.say(
                        file,
                        line,
                        f"“{phrasing}” is also a phrasing of `{other.id}` ({other.file}). A question "
                        "can lead to one article only: reword one.",
                        "warning",
                    )
            for test in article.tests:
                if self.forms[(test, article.lang)] in phrasings:
                    self.say(
                        file,
                        line,
                        f"the test “{test}” equals a phrasing, so it tests nothing. Word it as another customer would.",
                        "warning",
                    )
            for other_id in article.related:
                if other_id not in ids:
                    self.say(file, line, f"related article `{other_id}` does not exist. Correct the id.")
            titles = corpus.categories.get(article.category)
            if corpus.categories and (titles is None or article.lang not in titles):
                self.say(
                    file,
                    line,
                    f"category `{article.category}` has no title in `{article.lang}`. Add it to "
                    f"[categories.{article.category}] in corpus.toml.",
                    "warning",
                )
