"""Front matter: YAML read strictly, with the line of every key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from botkit import language
from botkit.corpus.model import Bad

MAX_HEAD_BYTES = 100_000
MAX_TITLE = 300
MAX_TEXTS = 1_000
MAX_TEXT = 500
MAX_TEST = 4_000
"""Characters of what a customer may type, which a test repeats; a phrasing is a question and not a story."""


def parts_of(text: str) -> tuple[str, str, int]:
    """(front matter, body, line on which the body begins) of a file."""
    if not text.startswith("---\n"):
        raise Bad(1, "no front matter. Begin the file with a line `---`, then `title: ...`, then `---`.")
    end = re.search(r"^---[ \t]*$", text[4:], re.MULTILINE)
    if end is None:
        raise Bad(1, "the front matter has no end. Close it with a line `---`.")
    head, body = text[4 : 4 + end.start()], text[4 + end.end() :]
    return head, body, text[: 4 + end.end()].count("\n") + 1


def front_matter(head: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The front matter, and the line of each key (`entries.hours.tests` for an inner one)."""
    import yaml

    size = len(head.encode("utf-8"))
    if size > MAX_HEAD_BYTES:
        raise Bad(
            1, f"the front matter has {size} bytes; {MAX_HEAD_BYTES} are the limit. Keep the phrasings that differ."
        )
    odd = _UNPRINTABLE.search(head)
    if odd is not None:
        line = head[: odd.start()].count("\n") + 2
        raise Bad(line, f"broken YAML: the control character U+{ord(odd[0]):04X}. Remove it.")
    # Every value is the text that stands there: as YAML has it, 1:59:59 is a number in base 60, and so on without end.
    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        depth = 0
        for event in yaml.parse(head, Loader=loader):
            line = event.start_mark.line + 2 if event.start_mark else 2
            if isinstance(event, yaml.AliasEvent):
                raise Bad(line, "YAML aliases (`*name`) are not allowed. Write the value out.")
            if getattr(event, "tag", None):
                raise Bad(line, "broken YAML: tags (`!name`) are not allowed. Quote a text that begins with `!`.")
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                depth += 1
                if depth > 6:
                    raise Bad(line, "the front matter is nested too deep. Keep to the known keys.")
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                depth -= 1
        node: Any = yaml.compose(head, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        raise Bad(
            mark.line + 2 if mark else 2,
            f"broken YAML: {_problem(error)}. Quote a text that contains `: ` or begins with a special character.",
        ) from None
    if node is None or (isinstance(node, yaml.ScalarNode) and _value(node) is None):
        return {}, {}
    if not isinstance(node, yaml.MappingNode):
        raise Bad(node.start_mark.line + 2, "the front matter must have lines like `title: ...`.")
    lines: dict[str, int] = {}
    _key_lines(node, "", lines)
    return _value(node), lines


def _problem(error: Any) -> str:
    return str(getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).splitlines()[0])


def _value(node: Any) -> Any:
    import yaml

    if isinstance(node, yaml.MappingNode):
        return {key.value: _value(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(each) for each in node.value]
    return None if node.style is None and node.value in _NOTHING else node.value


def _key_lines(node: Any, prefix: str, lines: dict[str, int]) -> None:
    import yaml

    for key, value in node.value:
        at = key.start_mark.line + 2
        if not isinstance(key, yaml.ScalarNode):
            raise Bad(at, "a key must be a word. Keep to lines like `title: ...`.")
        name = f"{prefix}{key.value}"
        if name in lines:
            raise Bad(at, f"the key `{key.value}` stands twice. Keep one.")
        lines[name] = at
        if isinstance(value, yaml.MappingNode):
            _key_lines(value, f"{name}.", lines)


def title_of(meta: Mapping[str, Any], lines: Mapping[str, int], noun: str = "article") -> str:
    title = meta.get("title")
    if title is None:
        raise Bad(1, f"the {noun} has no title. Add a line `title: ...` to the front matter.")
    if not isinstance(title, str) or not language.clean(title):
        raise Bad(lines.get("title", 1), "the title must be a text. Quote it.")
    text = " ".join(language.clean(title).split())
    if len(text) > MAX_TITLE:
        raise Bad(
            lines.get("title", 1),
            f"the title has {len(text)} characters; {MAX_TITLE} are the limit. Move the rest into the text.",
        )
    return text


def lists(meta: Mapping[str, Any], lines: Mapping[str, int], keys: Iterable[str], within: str = "") -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key in keys:
        value = meta.get(key)
        if value is None:
            continue
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise Bad(
                lines.get(f"{within}{key}", 1),
                f"`{key}` must be a list of texts, each on a line of its own after `- `. Quote one that contains `: `.",
            )
        at = lines.get(f"{within}{key}", 1)
        if len(value) > MAX_TEXTS:
            raise Bad(at, f"`{key}` has {len(value)} lines; {MAX_TEXTS} are the limit. Keep those that differ.")
        texts = [" ".join(language.clean(v).split()) for v in value]
        most = MAX_TEST if key == "tests" else MAX_TEXT
        long = next((text for text in texts if len(text) > most), None)
        if long is not None:
            raise Bad(
                at, f"a line of `{key}` has {len(long)} characters; {most} are the limit: “{long[:40]}…”. Shorten it."
            )
        result[key] = tuple(dict.fromkeys(t for t in texts if t))
    return result


def one_of(value: Any, choices: tuple[str, ...], key: str, line: int) -> str:
    if value not in choices:
        raise Bad(line, f"`{key}` is `{value}` but must be one of: {', '.join(choices)}.")
    return str(value)


def day_of(value: Any, key: str, line: int) -> str:
    result = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        if result is None:
            raise ValueError
        return date(int(result[1]), int(result[2]), int(result[3])).isoformat()
    except ValueError:
        shown = f", not `{value:.40}`" if isinstance(value, str) else ""
        raise Bad(line, f"`{key}` must be a day like 2027-01-31{shown}.") from None


_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOTHING = ("", "~", "null", "Null", "NULL")
_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt ].*)?")
