"""Canned replies: what agents say often, kept as files beside the articles, read as strictly.

    replies/<lang>/<path>.md

    ---
    title: Thanks for waiting            what an agent sees in the list
    shortcut: /thanks                    what an agent types; its own in each language
    tags: [greeting]                     optional
    ---
    Thank you for waiting. I have order {order} here.

The text goes to the customer as plain text: a blank line parts paragraphs, a line that begins with `- ` stays a line,
other lines of a paragraph are joined. Nothing else of markdown means anything in a chat.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from botkit import language
from botkit.corpus.frontmatter import front_matter, lists, parts_of, title_of
from botkit.corpus.model import VARIABLE, VARIABLES, Bad, CannedReply

FOLDER: Final = "replies"
KEYS: Final = ("title", "shortcut", "tags")
LONGEST: Final = 3500
"""Characters of a text. A message may have 4,000, and what fills a variable is longer than its name."""

_SHORTCUT = re.compile(r"/[^\W_](?:[\w\u200c-]{0,22}[^\W_])?")
_ITEM = re.compile(r"\s*(?:[-*•]|\d+[.)])\s+")
_MARKUP = re.compile(r"\*\*|__|`|^#{1,6} |\]\(|^>|^\|", re.MULTILINE)
_BRACES = re.compile(r"\{[^{}\n]*\}?|\}")


def parts(text: str) -> tuple[dict[str, Any], dict[str, int], str, int]:
    """(front matter, the line of each key, body, its first line) of a file."""
    head, body, body_line = parts_of(text)
    meta, lines = front_matter(head)
    return meta, lines, body, body_line


def reply(
    reply_id: str, lang: str, file: str, meta: Mapping[str, Any], lines: Mapping[str, int], body: str, body_line: int
) -> CannedReply:
    """The reply of a file, or Bad."""
    title = title_of(meta, lines, "reply")
    text = _text(body)
    if not text:
        raise Bad(body_line, "the reply has no text. Write what is said to the customer below the front matter.")
    if len(text) > LONGEST:
        raise Bad(body_line, f"the text has {len(text)} characters; {LONGEST} is the limit. Make two replies of it.")
    for result in _BRACES.finditer(body):
        line = body_line + body[: result.start()].count("\n")
        name = result.group().strip("{} ")
        if not VARIABLE.fullmatch(result.group()):
            raise Bad(line, f"invalid variable `{result.group()}`. Write one as `{{order}}`, and no other braces.")
        if name not in VARIABLES:
            near = difflib.get_close_matches(name.casefold(), VARIABLES, n=1)
            cure = f"Did you mean `{{{near[0]}}}`?" if near else f"Known: {', '.join(f'{{{v}}}' for v in VARIABLES)}."
            raise Bad(line, f"unknown variable `{{{name}}}`. {cure}")
    marked = _MARKUP.search(body)
    if marked is not None:
        line = body_line + body[: marked.start()].count("\n")
        raise Bad(line, f"`{marked.group().strip()}`: a reply is said as plain text. Write it without markup.")
    return CannedReply(
        id=reply_id,
        lang=lang,
        title=title,
        shortcut=_shortcut(meta, lines),
        text=text,
        file=file,
        **lists(meta, lines, ("tags",)),
    )


def across(
    found: Sequence[tuple[CannedReply, Path, int]], top: Path, languages: Sequence[str]
) -> Iterator[tuple[Path, int, str, str]]:
    """(file, line, message, level) of what must hold between replies; each comes with its file and its shortcut's
    line."""
    used: dict[tuple[str, str], CannedReply] = {}
    for each, file, line in found:
        first = used.setdefault((each.lang, each.shortcut.casefold()), each)
        if first is not each:
            message = f"the shortcut `{each.shortcut}` is also that of {first.file}. Change one of the two."
            yield file, line, message, "error"
    having: dict[str, list[tuple[str, Path]]] = {}
    for each, file, _ in found:
        having.setdefault(each.id, []).append((each.lang, file))
    for reply_id, translations in having.items():
        known = {lang for lang, _ in translations}
        missing = [lang for lang in languages if lang not in known]
        if missing:
            wanted = ", ".join(f"{top.name}/{lang}/{reply_id}.md" for lang in missing)
            message = f"no translation into {', '.join(missing)}. Write {wanted}."
            yield translations[0][1], 1, message, "warning"


def _shortcut(meta: Mapping[str, Any], lines: Mapping[str, int]) -> str:
    value = meta.get("shortcut")
    if value is None:
        raise Bad(1, "the reply has no shortcut. Add a line like `shortcut: /thanks` to the front matter.")
    if not isinstance(value, str) or not _SHORTCUT.fullmatch(language.clean(value)):
        raise Bad(
            lines["shortcut"],
            "the shortcut must be `/` and 1 to 24 letters, digits or `-`, like `/thanks`.",
        )
    return language.clean(value)


def _text(body: str) -> str:
    paragraphs = []
    for part in re.split(r"\n\s*\n", language.clean(body)):
        lines: list[str] = []
        for line in part.split("\n"):
            if lines and not _ITEM.match(line):
                lines[-1] += f" {line.strip()}"
            else:
                lines.append(line.strip())
        paragraphs.append("\n".join(lines))
    return "\n\n".join(p for p in paragraphs if p)
