"""Markdown to sections of plain text and safe HTML, made once, when an index is built."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from botkit.corpus.model import Bad, Passage

MAX_NESTING = 40
MAX_QUOTES = 8
MAX_LINES = 25_000
MAX_MARKS = 50_000
"""What one file may ask of the parser, whose time grows with quotes times lines and whose memory with the marks."""
_ANCHOR = re.compile(r"\{#([A-Za-z0-9_-]+)\}\s*$")
_TOO_DEEP = f"quotes or lists are nested too deep ({MAX_NESTING} levels; a list takes two). Write it flatter."
_TOO_QUOTED = f"quotes are nested too deep: {MAX_QUOTES} levels are the limit. Write it flatter."
_OPENS = re.compile(r"(?:[ \t>]|[-+*](?=[ \t>])|\d{1,9}[.)](?=[ \t>]))*+")
_MARKS = re.compile(r"[*_~\[\]<>&\\|!]|`+")
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>|<!--")


@dataclass(frozen=True)
class Section:
    anchor: str
    heading: str
    text: str
    html: str
    line: int


@dataclass(frozen=True)
class Rendered:
    sections: tuple[Section, ...]
    links: tuple[tuple[str, int], ...]
    warnings: tuple[tuple[int, str], ...]


def passages(rendered: Rendered) -> tuple[Passage, ...]:
    return tuple(Passage(s.anchor, s.heading, s.text, s.html) for s in rendered.sections if s.heading or s.text.strip())


def render(body: str, first_line: int, folder: str, lang: str) -> Rendered:
    """Markdown to sections of plain text and safe HTML, cut at the `##` headings."""
    _check_cost(body, first_line)
    markdown = _parser()
    tokens = markdown.parse(body)
    for token in tokens:
        if token.nesting == 1 and token.level >= MAX_NESTING - 1:  # the parser leaves out what stands deeper
            raise Bad(first_line + (token.map[0] if token.map else 0), _TOO_DEEP)
    sections: list[Section] = []
    links: list[tuple[str, int]] = []
    warnings: list[tuple[int, str]] = []
    anchors: dict[str, int] = {}  # each with how many headings wanted it
    heading, anchor, line = "", "", first_line
    run: list[Any] = []

    def close() -> None:
        if heading or run:
            sections.append(
                Section(anchor, heading, _plain(run), _safe(markdown.renderer.render(run, markdown.options, {})), line)
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
        if any(c.type == "text" and _TAG.search(c.content) for c in token.children or ()):
            warnings.append((at, "raw HTML is shown as text, not as HTML. Write it as markdown."))
        if token.type == "heading_open" and token.tag == "h2" and token.level == 0:
            close()
            inline = tokens[i + 1]
            raw = "".join(c.content for c in inline.children or () if c.type in ("text", "code_inline", "text_special"))
            value = _ANCHOR.search(raw)
            heading = (raw[: value.start()] if value else raw).strip()
            anchor = value[1] if value else _slug(heading)
            base = anchor
            while anchor in anchors:
                if value:
                    raise Bad(at, f"the anchor `{base}` stands twice in this file. Rename one.")
                anchors[base] += 1
                anchor = f"{base}-{anchors[base]}"
            anchors[anchor] = 1
            line, run = at, []
            i += 3
            continue
        run.append(token)
        i += 1
    close()
    return Rendered(tuple(sections), tuple(links), tuple(warnings))


def _check_cost(body: str, first_line: int) -> None:
    """Bad for what would keep the parser busy for long, found without it."""
    lines, marks = body.split("\n"), 0
    if len(lines) > MAX_LINES:
        result = f"the text has {len(lines)} lines; {MAX_LINES} are the limit. Split it into articles."
        raise Bad(first_line + MAX_LINES, result)
    for at, line in enumerate(lines, first_line):
        opens = _OPENS.match(line)
        if opens and opens[0].count(">") > MAX_QUOTES:
            raise Bad(at, _TOO_QUOTED)
        marks += len(_MARKS.findall(line))
        if marks > MAX_MARKS:
            raise Bad(
                at, f"more than {MAX_MARKS} characters of markup, like `*` and `[`, up to here. Split it into articles."
            )


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
        try:
            parts = urlsplit(str(href))
        except ValueError as error:
            raise Bad(line, f"invalid link `{str(href)[:80]}` ({error}). Correct it.") from None
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
