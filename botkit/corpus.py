"""An editor's folder of markdown, read into articles; every finding has a file, a line and a cure.

    corpora/<name>/corpus.toml              name, languages, category titles, the shop's facts
    corpora/<name>/<lang>/<path>.md         one article; its id is the path, in every language
    corpora/<name>/<lang>/<path>.md         with `kind: faq`: each `## heading` is an article, <path>#<anchor>

This house owns the article format and makes the safe HTML, once. It knows nothing of vectors and
never writes.
"""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from botkit import language

MAX_FILE_BYTES = 1_000_000
MAX_NESTING = 40
_LANG = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")
_PATH_PART = re.compile(r"[^\s#?%\\:*\"<>|]+")
_ANCHOR = re.compile(r"\s*\{#([A-Za-z0-9_-]+)\}\s*$")
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


@dataclass(frozen=True)
class Passage:
    """A part of an article between two headings. `anchor` is empty for the part above the first."""

    anchor: str
    heading: str
    text: str
    html: str


@dataclass(frozen=True)
class Article:
    """One answer in one language. `id` is the same in every language."""

    id: str
    lang: str
    title: str
    passages: tuple[Passage, ...]
    questions: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    category: str = ""
    pages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    action: str = "answer"
    audience: str = "customer"
    updated: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None
    file: str = ""

    @property
    def phrasings(self) -> tuple[str, ...]:
        """Every way the article is asked for: its title, then its questions."""
        return tuple(dict.fromkeys((self.title, *self.questions)))

    @property
    def text(self) -> str:
        return "\n\n".join(f"{p.heading}\n{p.text}".strip() for p in self.passages)

    @property
    def html(self) -> str:
        """The whole body with its headings and anchors, safe to show."""
        parts = []
        for passage in self.passages:
            if passage.heading:
                parts.append(f'<h2 id="{escape(passage.anchor)}">{escape(passage.heading)}</h2>')
            parts.append(passage.html)
        return "\n".join(parts)

    @property
    def url(self) -> str:
        return f"/help/{self.lang}/{self.id}"

    def passage(self, anchor: str) -> Passage | None:
        return next((p for p in self.passages if p.anchor == anchor), None)

    def valid_on(self, day: date) -> bool:
        """Whether `valid_from` and `valid_until` let the article be shown on a day."""
        stamp = day.isoformat()
        return (self.valid_from or "") <= stamp <= (self.valid_until or "9999")


@dataclass(frozen=True)
class Corpus:
    """All articles of a folder, with what `corpus.toml` says."""

    name: str
    languages: tuple[str, ...]
    default_language: str
    articles: tuple[Article, ...]
    categories: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shop: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, order=True)
class Finding:
    """Something `check` has to say, about a line of a file."""

    file: str
    line: int
    message: str
    level: str = "error"

    def __str__(self) -> str:
        mark = "" if self.level == "error" else f"{self.level}: "
        return f"{self.file}:{self.line}: {mark}{self.message}"


class CorpusError(Exception):
    """The corpus cannot be read; `findings` has every error with file and line."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))


def load(folder: Path | str) -> Corpus:
    """The corpus in `folder`. Raises CorpusError with every error found, not the first alone."""
    corpus, findings = check(folder)
    errors = [f for f in findings if f.level == "error"]
    if corpus is None or errors:
        raise CorpusError(errors)
    return corpus


def check(folder: Path | str) -> tuple[Corpus | None, list[Finding]]:
    """The corpus as far as it can be read, and all findings, sorted by file and line."""
    return _Reader(Path(folder)).read()


def digest(folder: Path | str) -> str:
    """A hash of every source file of a corpus, its name and its bytes."""
    found = hashlib.sha256()
    top = Path(folder)
    for file in sorted([*top.glob("corpus.toml"), *top.rglob("*.md")]):
        if file.is_file():
            found.update(f"{file.relative_to(top).as_posix()}\0{file.stat().st_size}\0".encode())
            found.update(file.read_bytes())
    return found.hexdigest()[:16]


class _Bad(Exception):
    """One finding that ends the reading of one file."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.findings: list[Finding] = []
        self.lines: dict[tuple[str, str, str], int] = {}

    def say(self, file: Path | str, line: int, message: str, level: str = "error") -> None:
        shown = str(file)
        self.findings.append(Finding(shown, line, message, level))

    def read(self) -> tuple[Corpus | None, list[Finding]]:
        if not self.folder.is_dir():
            self.say(self.folder, 1, "there is no such folder. Give the folder that holds corpus.toml.")
            return None, self.findings
        facts = self._facts()
        if facts is None:
            return None, sorted(self.findings)
        articles: list[Article] = []
        for lang in facts.languages:
            for file in self._files(lang):
                try:
                    articles.extend(self._file(file, lang))
                except _Bad as bad:
                    self.say(file, bad.line, bad.message)
        if not articles and not self.findings:
            wanted = ", ".join(f"{lang}/<path>.md" for lang in facts.languages)
            self.say(self.folder, 1, f"no article found. Write the first one as {wanted}.")
        corpus = replace(facts, articles=tuple(sorted(articles, key=lambda a: (a.id, a.lang))))
        self._across(corpus)
        return corpus, sorted(self.findings)

    # -- corpus.toml

    def _facts(self) -> Corpus | None:
        import tomllib

        file = self.folder / "corpus.toml"
        table: dict[str, Any] = {}
        if file.is_file():
            try:
                table = tomllib.loads(self._text(file))
            except _Bad as bad:
                self.say(file, bad.line, bad.message)
                return None
            except tomllib.TOMLDecodeError as error:
                found = re.search(r"line (\d+)", str(error))
                self.say(file, int(found[1]) if found else 1, f"not valid TOML: {error}. Correct that line.")
                return None
        known = ("name", "languages", "default_language", "default", "categories", "shop")
        for key in table:
            if key not in known:
                self.say(file, 1, f"unknown key `{key}`. Known keys: {', '.join(known)}.")
        found_langs = sorted(p.name for p in self.folder.iterdir() if p.is_dir() and _LANG.fullmatch(p.name))
        languages = table.get("languages", found_langs)
        if not isinstance(languages, list) or not all(isinstance(x, str) and _LANG.fullmatch(x) for x in languages):
            self.say(file, 1, '`languages` must be a list of language codes, like ["en", "tr"].')
            return None
        if not languages:
            self.say(
                self.folder,
                1,
                "an empty corpus: no corpus.toml with `languages` and no language folder. "
                "Make a folder like en/ and put the first article in it.",
            )
            return None
        for name in found_langs:
            if name not in languages:
                self.say(
                    self.folder / name,
                    1,
                    f"the folder `{name}` is not among `languages` of corpus.toml and is left out. Add it there.",
                    "warning",
                )
        default = table.get("default_language", table.get("default", languages[0]))
        if default not in languages:
            self.say(file, 1, f"default_language `{default}` is not among languages {languages}. Choose one of them.")
            return None
        name = table.get("name", self.folder.resolve().name)
        categories = table.get("categories", {})
        shop = table.get("shop", {})
        if not isinstance(categories, dict) or not all(isinstance(v, dict) for v in categories.values()):
            self.say(file, 1, '`categories` must be tables of titles, like [categories.returns] en = "Returns".')
            categories = {}
        if not isinstance(shop, dict) or not all(isinstance(v, dict) for v in shop.values()):
            self.say(file, 1, "`shop` must be a table per language, like [shop.en].")
            shop = {}
        return Corpus(str(name), tuple(languages), str(default), (), categories, shop)

    def _files(self, lang: str) -> Iterator[Path]:
        top = self.folder / lang
        if not top.is_dir():
            self.say(
                top,
                1,
                f"`{lang}` is among the languages but has no folder. Make it or take `{lang}` out of corpus.toml.",
                "warning",
            )
            return
        root = self.folder.resolve()
        for file in sorted(top.rglob("*")):
            if file.is_symlink() and not file.resolve().is_relative_to(root):
                self.say(
                    file, 1, "a link that leads out of the corpus folder is not followed. Put the file itself here."
                )
            elif file.suffix == ".md" and file.is_file():
                yield file

    def _text(self, file: Path) -> str:
        size = file.stat().st_size
        if size > MAX_FILE_BYTES:
            raise _Bad(
                1,
                f"the file has {size / 1e6:.1f} MB; {MAX_FILE_BYTES / 1e6:.0f} MB is the limit. Split it into "
                "articles.",
            )
        data = file.read_bytes()
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise _Bad(line, f"not UTF-8 (byte 0x{data[error.start]:02x}). Save the file as UTF-8.") from None
        if "\x00" in text:
            raise _Bad(text[: text.index("\x00")].count("\n") + 1, "a NUL character. Remove it.")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    # -- one file

    def _file(self, file: Path, lang: str) -> list[Article]:
        path = PurePosixPath(file.relative_to(self.folder / lang).as_posix()).with_suffix("")
        for part in path.parts:
            if not _PATH_PART.fullmatch(part):
                raise _Bad(1, f"`{part}` cannot be part of an article's id. Use letters, digits, `-`, `_` and `.`.")
        text = self._text(file)
        if not text.startswith("---\n"):
            raise _Bad(1, "no front matter. Begin the file with a line `---`, then `title: ...`, then `---`.")
        end = re.search(r"^---[ \t]*$", text[4:], re.MULTILINE)
        if end is None:
            raise _Bad(1, "the front matter has no end. Close it with a line `---`.")
        head, body = text[4 : 4 + end.start()], text[4 + end.end() :]
        body_line = text[: 4 + end.end()].count("\n") + 1
        meta, lines = _front_matter(head)
        kind = meta.get("kind", "article")
        if kind not in ("article", "faq"):
            raise _Bad(lines.get("kind", 1), f"unknown kind `{kind}`. Leave it out, or write `kind: faq`.")
        category = meta.get("category", path.parent.name or "general")
        self._known_keys(file, meta, lines, _FAQ_KEYS if kind == "faq" else ("kind", *_ARTICLE_KEYS))
        common: dict[str, Any] = {
            "lang": lang,
            "category": str(category),
            "file": file.relative_to(self.folder).as_posix(),
        }
        for key in ("updated", "valid_from", "valid_until"):
            if key in meta:
                common[key] = _day(meta[key], key, lines.get(key, 1))
        common["audience"] = _one_of(meta.get("audience", "customer"), _AUDIENCES, "audience", lines.get("audience", 1))
        if kind == "faq":
            return self._faq(file, path, meta, lines, body, body_line, common)
        title = _title(meta, lines)
        self.lines[(str(path), lang, "")] = lines.get("title", 1)
        rendered = _render(body, body_line, file.relative_to(self.folder / lang).parent.as_posix(), lang)
        self._links(file, lang, rendered)
        article = Article(
            id=str(path),
            title=title,
            passages=_passages(rendered),
            **common,
            **_lists(meta, lines, _LIST_KEYS),
            action=_one_of(meta.get("action", "answer"), _ACTIONS, "action", lines.get("action", 1)),
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
        import difflib

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
        rendered = _render(body, body_line, file.relative_to(self.folder / lang).parent.as_posix(), lang)
        self._links(file, lang, rendered)
        entries = meta.get("entries") or {}
        if not isinstance(entries, dict):
            raise _Bad(lines.get("entries", 1), "`entries` must map a heading's anchor to its questions, tests, pages.")
        if not rendered.sections or (len(rendered.sections) == 1 and not rendered.sections[0].heading):
            raise _Bad(
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
                raise _Bad(
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
                    **_lists({**inherited, **entry}, lines, _LIST_KEYS, f"entries.{section.anchor}."),
                    action=_one_of(entry.get("action", "answer"), _ACTIONS, "action", section.line),
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

    def _links(self, file: Path, lang: str, rendered: _Rendered) -> None:
        top = self.folder / lang
        for target, line in rendered.links:
            resolved = (file.parent / target).resolve()
            if not resolved.is_relative_to(top.resolve()):
                self.say(
                    file, line, f"the link `{target}` leads out of the folder {lang}/. Link to an article inside it."
                )
            elif not resolved.is_file():
                self.say(file, line, f"the link `{target}` leads to no file. Correct the path.")
        for line, message in rendered.warnings:
            self.say(file, line, message, "warning")

    # -- between files

    def _across(self, corpus: Corpus) -> None:
        seen: dict[tuple[str, str], Article] = {}
        asked: dict[tuple[str, str], Article] = {}
        ids = {article.id for article in corpus.articles}
        for article in corpus.articles:
            file = self.folder / article.file
            line = self.lines.get((article.id, article.lang, ""), 1)
            key = (article.id.casefold(), article.lang)
            if key in seen:
                self.say(
                    file,
                    line,
                    f"two articles have the id `{article.id}` in `{article.lang}`: here and in "
                    f"{seen[key].file}. Rename one.",
                )
            seen[key] = article
            phrasings = {language.folded(p, article.lang) for p in article.phrasings}
            for phrasing in article.phrasings:
                form = (language.folded(phrasing, article.lang), article.lang)
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
                if language.folded(test, article.lang) in phrasings:
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


# ---------------------------------------------------------------- front matter


def _front_matter(head: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The front matter, and the line of each key (`entries.hours.tests` for an inner one)."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        depth = 0
        for event in yaml.parse(head, Loader=loader):
            line = event.start_mark.line + 2 if event.start_mark else 2
            if isinstance(event, yaml.AliasEvent):
                raise _Bad(line, "YAML aliases (`*name`) are not allowed. Write the value out.")
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                depth += 1
                if depth > 6:
                    raise _Bad(line, "the front matter is nested too deep. Keep to the known keys.")
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                depth -= 1
        node: Any = yaml.compose(head, Loader=loader)
        lines: dict[str, int] = {}
        if node is not None:
            if not isinstance(node, yaml.MappingNode):
                raise _Bad(node.start_mark.line + 2, "the front matter must have lines like `title: ...`.")
            _key_lines(node, "", lines)
        meta = yaml.load(head, Loader=loader) or {}  # noqa: S506 - a safe loader in both cases
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise _Bad(
            mark.line + 2 if mark else 2,
            f"broken YAML: {problem}. Quote a text that contains `: ` or begins with a special character.",
        ) from None
    except ValueError as error:  # such as a date of the 40th of May
        raise _Bad(2, f"broken YAML: {error}.") from None
    return meta, lines


def _key_lines(node: Any, prefix: str, lines: dict[str, int]) -> None:
    import yaml

    for key, value in node.value:
        name = f"{prefix}{key.value}"
        if name in lines:
            raise _Bad(key.start_mark.line + 2, f"the key `{key.value}` stands twice. Keep one.")
        lines[name] = key.start_mark.line + 2
        if isinstance(value, yaml.MappingNode):
            _key_lines(value, f"{name}.", lines)


def _title(meta: Mapping[str, Any], lines: Mapping[str, int]) -> str:
    title = meta.get("title")
    if title is None:
        raise _Bad(1, "the article has no title. Add a line `title: ...` to the front matter.")
    if not isinstance(title, (str, int, float)) or isinstance(title, bool) or not language.clean(str(title)):
        raise _Bad(lines.get("title", 1), "the title must be a text. Quote it.")
    return " ".join(language.clean(str(title)).split())


def _lists(meta: Mapping[str, Any], lines: Mapping[str, int], keys: Iterable[str], within: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in keys:
        value = meta.get(key)
        if value is None:
            continue
        if not isinstance(value, list) or not all(isinstance(v, (str, int, float, date)) for v in value):
            raise _Bad(
                lines.get(f"{within}{key}", 1),
                f"`{key}` must be a list of texts, each on a line of its own after `- `. Quote one that contains `: `.",
            )
        texts = [" ".join(language.clean(str(v)).split()) for v in value]
        found[key] = tuple(dict.fromkeys(t for t in texts if t))
    return found


def _one_of(value: Any, choices: tuple[str, ...], key: str, line: int) -> str:
    if value not in choices:
        raise _Bad(line, f"`{key}` is `{value}` but must be one of: {', '.join(choices)}.")
    return str(value)


def _day(value: Any, key: str, line: int) -> str:
    if isinstance(value, date):
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise _Bad(line, f"`{key}` must be a day like 2027-01-31, not `{value}`.") from None


# ---------------------------------------------------------------- markdown


@dataclass(frozen=True)
class _Section:
    anchor: str
    heading: str
    text: str
    html: str
    line: int


@dataclass(frozen=True)
class _Rendered:
    sections: tuple[_Section, ...]
    links: tuple[tuple[str, int], ...]
    warnings: tuple[tuple[int, str], ...]


def _passages(rendered: _Rendered) -> tuple[Passage, ...]:
    return tuple(Passage(s.anchor, s.heading, s.text, s.html) for s in rendered.sections if s.heading or s.text.strip())


def _render(body: str, first_line: int, folder: str, lang: str) -> _Rendered:
    """Markdown to sections of plain text and safe HTML, cut at the `##` headings."""
    markdown = _parser()
    depth = max((len(line) - len(line.lstrip("> ")) for line in body.split("\n")), default=0)
    if depth > 4 * MAX_NESTING:
        raise _Bad(first_line, f"lists or quotes are nested deeper than {MAX_NESTING}. Write it flatter.")
    tokens = markdown.parse(body)
    deepest = max((t.level for t in tokens), default=0)
    if deepest > 2 * MAX_NESTING:
        raise _Bad(first_line, f"lists or quotes are nested deeper than {MAX_NESTING}. Write it flatter.")
    sections: list[_Section] = []
    links: list[tuple[str, int]] = []
    warnings: list[tuple[int, str]] = []
    anchors: set[str] = set()
    heading, anchor, line = "", "", first_line
    run: list[Any] = []

    def close() -> None:
        if heading or run:
            sections.append(
                _Section(anchor, heading, _plain(run), _safe(markdown.renderer.render(run, markdown.options, {})), line)
            )

    i = 0
    while i < len(tokens):
        token = tokens[i]
        at = first_line + (token.map[0] if token.map else 0)
        if token.type == "heading_open" and token.tag == "h1":
            token.tag = "h2"
            tokens[i + 2].tag = "h2"
        if token.type == "inline":
            links.extend(_rewrite_links(token, at, folder, lang))
        if token.type == "html_block" or any(c.type == "html_inline" for c in token.children or ()):
            warnings.append((at, "raw HTML is shown as text, not as HTML. Write it as markdown."))
        if token.type == "heading_open" and token.tag == "h2" and token.level == 0:
            close()
            inline = tokens[i + 1]
            raw = "".join(c.content for c in inline.children or () if c.type in ("text", "code_inline", "text_special"))
            given = _ANCHOR.search(raw)
            heading = (raw[: given.start()] if given else raw).strip()
            anchor = given[1] if given else _slug(heading)
            base, n = anchor, 2
            while anchor in anchors:
                if given:
                    raise _Bad(at, f"the anchor `{base}` stands twice in this file. Rename one.")
                anchor, n = f"{base}-{n}", n + 1
            anchors.add(anchor)
            line, run = at, []
            i += 3
            continue
        run.append(token)
        i += 1
    close()
    return _Rendered(tuple(sections), tuple(links), tuple(warnings))


@functools.lru_cache(maxsize=1)
def _parser() -> Any:
    from markdown_it import MarkdownIt

    # Raw HTML is off: what looks like a tag is shown as text.
    return MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])


def _safe(html: str) -> str:
    import nh3

    return str(
        nh3.clean(
            html,
            tags={
                "p",
                "br",
                "ul",
                "ol",
                "li",
                "strong",
                "em",
                "s",
                "a",
                "code",
                "pre",
                "blockquote",
                "h2",
                "h3",
                "h4",
                "h5",
                "h6",
                "hr",
                "table",
                "thead",
                "tbody",
                "tr",
                "th",
                "td",
            },
            attributes={"a": {"href", "title"}, "ol": {"start"}},
            url_schemes={"http", "https", "mailto", "tel"},
            link_rel="noopener noreferrer",
        )
    ).strip()


def _rewrite_links(inline: Any, line: int, folder: str, lang: str) -> list[tuple[str, int]]:
    """Links to other files become links to their pages; the files named are returned for a check."""
    named = []
    for child in inline.children or ():
        if child.type == "image":
            child.type, child.tag, child.nesting, child.content = "text", "", 0, child.content
            child.children = None
            continue
        href = child.attrs.get("href") if child.type == "link_open" else None
        if not href:
            continue
        parts = urlsplit(str(href))
        if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
            continue
        path = unquote(parts.path)
        named.append((path, line))
        steps: list[str] = [] if folder == "." else folder.split("/")
        for part in PurePosixPath(path).parts:
            if part == "..":
                steps = steps[:-1]
            else:
                steps.append(part)
        target = "/".join(steps).removesuffix(".md")
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        child.attrs["href"] = f"/help/{lang}/{target}{fragment}"
    return named


def _plain(tokens: list[Any]) -> str:
    """The readable text of a run of block tokens."""
    lines: list[str] = []
    row: list[str] = []
    item = False
    for token in tokens:
        if token.type == "list_item_open":
            item = True
        elif token.type == "inline":
            text = "".join(
                "\n" if c.type in ("softbreak", "hardbreak") else c.content
                for c in token.children or ()
                if c.type in ("text", "code_inline", "softbreak", "hardbreak", "text_special")
            ).replace("\n", " ")
            row.append(text)
        elif token.type in ("fence", "code_block"):
            lines.append(token.content.rstrip())
        if token.type in ("paragraph_close", "heading_close", "tr_close") and row:
            lines.append(("• " if item else "") + " | ".join(r for r in row if r))
            row, item = [], False
    return "\n".join(lines)


def _slug(text: str) -> str:
    kept = re.sub(r"[^\w\s-]", "", unicodedata.normalize("NFKC", text).lower().replace("i\u0307", "i"))
    return re.sub(r"[\s_-]+", "-", kept).strip("-") or "section"
