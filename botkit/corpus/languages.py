"""What a corpus adds to the languages: languages/<code>.toml, tables as in the package, and messages/<code>/*.toml, the
interface's texts. Checked here, so that every mistake is a finding with its line."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from botkit import formatting, language
from botkit.corpus import files
from botkit.corpus.facts import Say
from botkit.corpus.model import Bad

TABLES: Final = "languages"
TEXTS: Final = "messages"
MAX_BYTES: Final = 1_000_000
NAMED: Final = 5
"""keys that a finding names; of more, it tells the number"""


def sources(folder: Path) -> Iterator[Path]:
    """Every file that `additions` reads, in order."""
    for top in (folder / TABLES, folder / TEXTS):
        yield from (file for file, problem, _ in files.named(top, ".toml") if not problem)


def additions(folder: Path, say: Say) -> language.Additions:
    """What the corpus in a folder adds, as far as it can be used; each finding is told to
    `say(file, line, message, level)`."""
    tables: dict[str, dict[str, Any]] = {}
    texts: dict[str, dict[str, str]] = {}
    for file in _files(folder / TABLES, folder, say):
        if file.parent != folder / TABLES or not language.CODE.fullmatch(file.stem):
            say(file, 1, f"not a language's file. Name it by the language's code, like {TABLES}/de.toml.")
            continue
        text, raw = _read(file, say)
        tables[file.stem], problems = language.checked(raw)
        for key, message in problems:
            say(file, _line(text, key), message)
    plain = language.messages(language.LANGUAGES[0])
    for file in _files(folder / TEXTS, folder, say):
        lang = file.parent.name
        if file.parent.parent != folder / TEXTS or not language.CODE.fullmatch(lang):
            say(file, 1, f"not a catalogue. Put it into a folder of its language, like {TEXTS}/de/bot.toml.")
            continue
        text, raw = _read(file, say)
        result = texts.setdefault(lang, {})
        for key, value in raw.items():
            problem = _problem(f"{file.stem}.{key}", value, plain, formatting.categories(lang))
            if problem:
                say(file, _line(text, key), problem)
            else:
                result |= language.keyed(file.stem, {key: value})
    return language.Additions(tables, texts)


def _files(top: Path, folder: Path, say: Say) -> Iterator[Path]:
    for file, problem, level in files.named(top, ".toml") if files.is_folder(top) else ():
        if problem:
            say(file, 1, problem, level)
        elif not files.within(file, folder):
            say(file, 1, "a link that leads out of the corpus folder, or nowhere, is not followed. Put the file here.")
        else:
            yield file


def _read(file: Path, say: Say) -> tuple[str, dict[str, Any]]:
    try:
        text = files.text(files.content(file, MAX_BYTES))
        return text, tomllib.loads(text)
    except Bad as bad:
        say(file, bad.line, bad.message)
    except RecursionError:
        say(file, 1, "nested too deep. Keep to the keys of the package's own files.")
    except ValueError as error:
        match = re.search(r"line (\d+)", str(error))
        say(file, int(match[1]) if match else 1, f"not valid TOML: {error}. Correct that line.")
    return "", {}


def _line(text: str, key: str) -> int:
    """The line in which a key is set, as far as its last part tells; else the first."""
    section, _, last = key.rpartition(".")
    head = re.search(rf"^\s*\[{re.escape(section)}\]", text, re.MULTILINE) if section else None
    named = rf"^\s*\[?(?:{re.escape(section)}\.)?[\"']?{re.escape(last)}[\"']?\s*[=\]]"
    result = re.compile(named, re.MULTILINE).search(text, head.end() if head else 0)
    return text[: result.end()].count("\n") + 1 if result else 1


def _problem(key: str, value: Any, plain: Mapping[str, str], categories: Collection[str]) -> str:
    """What is wrong with a text of the interface; one that counts has a form for each of its language's categories."""
    counts = f"{key}.other" in plain
    if key not in plain and not counts:
        return f"unknown text `{key}`. Take the keys from the English catalogue."
    if counts:
        wanted = ", ".join(f'{each} = "..."' for each in sorted(categories))
        if not isinstance(value, dict) or set(value) != set(categories):
            return f"`{key}` counts: it must have the forms of its language, {{ {wanted} }}."
        problems = (_text_problem(f"{key}.{form}", text, plain[f"{key}.other"]) for form, text in value.items())
        return next((problem for problem in problems if problem), "")
    return _text_problem(key, value, plain[key])


def _text_problem(key: str, value: Any, plain: str) -> str:
    if not isinstance(value, str):
        return f"`{key}` must be a text in quotes."
    try:
        named = {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}
        known = {name for _, name, _, _ in string.Formatter().parse(plain) if name is not None}
    except ValueError:
        return f"`{key}` has a brace too many or too few. Write what is to be filled in like {{name}}."
    if named - known:
        may = ", ".join(f"{{{name}}}" for name in sorted(known)) or "nothing"
        return f"`{key}` has {{{sorted(named - known)[0]}}}, which is not filled in there. It may have {may}."
    return ""
