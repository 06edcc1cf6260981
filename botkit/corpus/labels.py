"""The one format of judged questions: JSON lines, each a question and the articles that answer it.

    {"id": "q1", "text": "where is my parcel", "lang": "en", "relevant": ["orders/track-order"]}
    {"id": "q2", "text": "do you buy used pots", "lang": "en", "relevant": [], "qtype": "near"}
    {"id": "q3", "text": "is it dishwasher safe", "lang": "en", "rejected": ["care/copper"]}
    {"id": "d1", "lang": "en", "turns": [{"text": ..., "relevant": [...]}, {"text": ..., "kind": "choice", "pick": 2}]}

This module reads, checks and writes; it asks nothing, and whether an article exists is for whoever has the index.
What it writes can hold customers' words, so that its files are for their owner's eyes alone (mode 0600).
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

from botkit import language
from botkit.corpus import files
from botkit.corpus.model import Bad, CorpusError, Finding

SPLITS = ("dev", "test")
QTYPES = ("in", "near", "far")
SOURCES = ("golden", "editor", "agent", "customer")
TURN_KINDS = ("followup", "standalone", "choice")
PICKS = (1, 2, 3, -1)
_LANG = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")
_LABEL_FIELDS = ("id", "text", "lang", "relevant", "rejected", "split", "qtype", "slice", "source")
_DIALOGUE_FIELDS = ("id", "lang", "split", "slice", "source", "turns")
_TURN_FIELDS = ("text", "relevant", "kind", "pick")


@dataclass(frozen=True)
class Label:
    """A question and what is known of its answer.

    `relevant` has the ids of the articles that answer it: empty, it is out of scope; None, only the
    articles in `rejected` are known to be wrong (none either: nobody has judged it yet). `lang` is the language of
    the page it is asked on.
    """

    id: str
    text: str
    lang: str | None = None
    relevant: frozenset[str] | None = frozenset()
    rejected: frozenset[str] = frozenset()
    split: str | None = None
    qtype: str | None = None
    slice: str = "plain"
    source: str = "golden"

    @property
    def scope(self) -> str:
        """`in`, or `near` or `far` out of scope (`far` where the label does not say), or `rejected`."""
        if self.relevant is None:
            return "rejected"
        return "in" if self.relevant else "near" if self.qtype == "near" else "far"


@dataclass(frozen=True)
class Turn:
    """What a customer says in a dialogue. `kind` is None for the first turn; `pick` is the choice that
    is meant (-1: the last), and then `relevant` is None."""

    text: str
    relevant: frozenset[str] | None
    kind: str | None = None
    pick: int | None = None


@dataclass(frozen=True)
class Dialogue:
    """A customer's turns, of which the later ones may lean on the earlier."""

    id: str
    lang: str | None
    turns: tuple[Turn, ...]
    split: str | None = None
    slice: str = "plain"
    source: str = "golden"


def labels(*paths: Path | str) -> list[Label]:
    """The judged questions in files and folders (every `*.jsonl` below one, sorted), dialogues left out.

    Raises CorpusError with a finding for every line that is none.
    """
    return [line for line in _lines(paths, _line) if isinstance(line, Label)]


def dialogues(*paths: Path | str) -> list[Dialogue]:
    """The judged dialogues in files and folders, single questions left out. Raises CorpusError."""
    return [line for line in _lines(paths, _line) if isinstance(line, Dialogue)]


def questions(*paths: Path | str) -> list[Label]:
    """Questions that nobody has judged yet, from files and folders: of each line the `id`, `text` and `lang`, as
    labels that say nothing. Other fields are passed over. Raises CorpusError."""
    return _lines(paths, _question)


def write_labels(file: Path | TextIO, labels: Iterable[Label]) -> None:
    """Write judged questions as `labels` reads them, in place of what the file had.

    A file named by a path is replaced when all is written, never half, and only its owner may read it. ValueError: a
    label says nothing. OSError: it cannot be written.
    """
    text = "".join(_written(label) for label in labels)
    if not isinstance(file, Path):
        file.write(text)
    elif file.exists() and not file.is_file():  # a pipe or a terminal, in whose place no file may be put
        file.write_text(text, encoding="utf-8")
    else:
        _replace(file.resolve(), text.encode("utf-8"))


def add_label(file: Path, label: Label) -> None:
    """Add a judged question to a file, on the disk when this returns, in place of the line with its id if there is
    one. A new file may be read by its owner alone. CorpusError: the file has a bad line; ValueError; OSError."""
    line = _written(label).encode("utf-8")
    before = file.read_bytes() if file.exists() else b""
    if label.id in {known.id for known in _lines([file] if before else [], _line)}:
        lines = before.rstrip(b"\n").split(b"\n")
        _replace(file.resolve(), b"".join(line if _id(old) == label.id else old + b"\n" for old in lines))
        return
    with open(file, "ab", opener=_private) as stream:
        stream.write((b"\n" if before and not before.endswith(b"\n") else b"") + line)
        stream.flush()
        os.fsync(stream.fileno())


def _written(label: Label) -> str:
    row: dict[str, Any] = {"id": label.id, "text": label.text}
    row |= {name: value for name in ("lang", "split", "qtype") if (value := getattr(label, name)) is not None}
    if label.relevant is not None:
        row["relevant"] = sorted(label.relevant)
    elif label.rejected:
        row["rejected"] = sorted(label.rejected)
    else:
        raise ValueError(f"the label `{label.id}` says nothing: it needs `relevant` or `rejected`")
    row |= {name: getattr(label, name) for name in ("slice", "source") if getattr(label, name) != "plain"}
    # What UTF-8 cannot hold is written as JSON writes it in ASCII.
    line = json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")
    return f"{line}\n"


def _id(raw: bytes) -> Any:
    return json.loads(raw.decode("utf-8-sig")).get("id") if raw.strip(b"\xef\xbb\xbf \t\r") else None


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _replace(file: Path, content: bytes) -> None:
    number, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # its owner's alone
    try:
        with open(number, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, file)
    except BaseException:
        os.unlink(draft)
        raise


_Read = TypeVar("_Read", Label, Label | Dialogue)


def _lines(paths: Collection[Path | str], read: Callable[[bytes, int], _Read]) -> list[_Read]:
    result: list[_Read] = []
    findings: list[Finding] = []
    for file in _files(paths, findings):
        known: dict[str, int] = {}
        try:
            content = files.content(file)
        except Bad as bad:
            findings.append(Finding(str(file), bad.line, bad.message))
            continue
        for number, raw in enumerate(content.split(b"\n"), 1):
            if not raw.strip() or (number == 1 and raw.strip() == b"\xef\xbb\xbf"):
                continue
            try:
                line = read(raw, number)
                if line.id in known:
                    first = known[line.id]
                    raise Bad(number, f"the id `{line.id}` stands in line {first} too. Give each line its own.")
            except Bad as bad:
                findings.append(Finding(str(file), bad.line, bad.message))
                continue
            known[line.id] = number
            result.append(line)
    if findings:
        raise CorpusError(findings)
    return result


def _files(paths: Collection[Path | str], findings: list[Finding]) -> Iterator[Path]:
    read: set[Path] = set()
    for path in map(Path, paths):
        named = list(files.named(path, ".jsonl")) if path.is_dir() else [(path, "", "")]
        findings += [Finding(str(place), 1, problem) for place, problem, level in named if level == "error"]
        result = [file for file, problem, _ in named if not problem]
        if not named:
            findings.append(Finding(str(path), 1, "no file *.jsonl in this folder. Put the judged questions there."))
        for file in result:
            if not files.is_file(file):
                findings.append(Finding(str(file), 1, "no such file. Give files or folders of *.jsonl."))
            elif file.resolve() not in read:
                read.add(file.resolve())
                yield file


def _row(raw: bytes, number: int) -> dict[str, Any]:
    try:
        row = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        raise Bad(number, "not UTF-8. Save the file as UTF-8.") from None
    except (ValueError, RecursionError) as error:
        raise Bad(number, f"not JSON: {error}. Write one question a line, in braces.") from None
    if not isinstance(row, dict):
        raise Bad(number, 'not a question. Write {"id": ..., "text": ..., "relevant": [...]}.')
    return row


def _question(raw: bytes, number: int) -> Label:
    row = _row(raw, number)
    return Label(_text(row, "id", number), _text(row, "text", number), _lang(row, number), relevant=None)


def _line(raw: bytes, number: int) -> Label | Dialogue:
    row = _row(raw, number)
    is_dialogue = "turns" in row
    _known(row, _DIALOGUE_FIELDS if is_dialogue else _LABEL_FIELDS, number)
    common: dict[str, Any] = {
        "id": _text(row, "id", number),
        "lang": _lang(row, number),
        "split": _one_of(row, "split", SPLITS, number),
        "slice": _text(row, "slice", number) if row.get("slice") is not None else "plain",
        "source": _one_of(row, "source", SOURCES, number) or "golden",
    }
    if is_dialogue:
        return Dialogue(turns=_turns(row["turns"], number), **common)
    relevant, rejected = _ids(row, "relevant", number), _ids(row, "rejected", number)
    if (relevant is None) == (rejected is None):
        both = "both `relevant` and `rejected`" if relevant is not None else "neither `relevant` nor `rejected`"
        raise Bad(
            number,
            f"{both}. Give `relevant` (a list of article ids, [] if no article answers), or, "
            "when only wrong articles are known, `rejected`.",
        )
    if rejected is not None and not rejected:
        raise Bad(number, "`rejected` is empty. Name at least one article, or give `relevant`.")
    qtype = _one_of(row, "qtype", QTYPES, number)
    if relevant is not None and qtype is not None and (qtype == "in") != bool(relevant):
        raise Bad(
            number,
            f"`qtype` is `{qtype}` but `relevant` {'names articles' if relevant else 'is empty'}. "
            "A question is `in` if and only if an article answers it.",
        )
    text = _text(row, "text", number)
    return Label(text=text, relevant=relevant, rejected=rejected or frozenset(), qtype=qtype, **common)


def _turns(rows: Any, number: int) -> tuple[Turn, ...]:
    if not isinstance(rows, list) or len(rows) < 2 or not all(isinstance(row, dict) for row in rows):
        raise Bad(number, '`turns` must be a list of two turns or more, each like {"text": ..., "relevant": [...]}.')
    turns = []
    for place, row in enumerate(rows):
        _known(row, _TURN_FIELDS, number)
        relevant, pick = _ids(row, "relevant", number), _one_of(row, "pick", PICKS, number)
        if (relevant is None) == (pick is None):
            raise Bad(number, f"turn {place + 1} needs either `relevant` or `pick`. Give one of them.")
        kind = _one_of(row, "kind", TURN_KINDS, number)
        if place == 0 and (kind or pick):
            raise Bad(number, "the first turn stands alone: take `kind` and `pick` out.")
        if place > 0 and kind is None:
            raise Bad(number, f"turn {place + 1} has no `kind`. Write one of: {', '.join(TURN_KINDS)}.")
        turns.append(Turn(_text(row, "text", number), relevant, kind, pick))
    return tuple(turns)


def _known(row: Mapping[str, Any], names: Collection[str], number: int) -> None:
    for key in row:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            cure = f"Did you mean `{near[0]}`?" if near else f"Known fields: {', '.join(names)}."
            raise Bad(number, f"unknown field `{key}`. {cure}")


def _text(row: Mapping[str, Any], key: str, number: int) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not language.clean(value).strip():
        problem = f"`{key}` must be a text with something in it" if key in row else f"`{key}` is missing"
        raise Bad(number, f'{problem}. Write "{key}": "...".')
    return value


def _lang(row: Mapping[str, Any], number: int) -> str | None:
    value = row.get("lang")
    if value is not None and not (isinstance(value, str) and _LANG.fullmatch(value)):
        raise Bad(number, f"`lang` is `{value}` but must be a language code like `en`. Correct it or leave it out.")
    return value


def _one_of(row: Mapping[str, Any], key: str, choices: Collection[Any], number: int) -> Any:
    value = row.get(key)
    if value is not None and (isinstance(value, bool) or value not in choices):
        raise Bad(number, f"`{key}` is `{value}` but must be one of: {', '.join(map(str, choices))}.")
    return value


def _ids(row: Mapping[str, Any], key: str, number: int) -> frozenset[str] | None:
    value = row.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
        raise Bad(number, f'`{key}` must be a list of article ids, like ["returns/how"].')
    return frozenset(value)
