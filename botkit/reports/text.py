"""A summary of episodes as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from botkit.reports.episodes import OUTCOMES


def table(figures: Mapping[str, Any]) -> str:
    """A summary as text, for a terminal: a column per language, the formula of each measure beside it."""
    begin, end = figures["since"] or "the beginning", figures["until"] or figures["now"]
    parts = [f"Episodes that started from {begin} to {end}, as of {figures['now']}"]
    for block in (figures, figures["long_window"]):
        columns = {"all": block, **block["languages"]}
        lines = [["", *columns]]
        for name in ("episodes", "open"):
            lines.append([name, *(str(column[name]) for column in columns.values())])
        for outcome in OUTCOMES:
            lines.append([outcome, *(str(column["outcomes"][outcome]) for column in columns.values())])
        for number, measure in enumerate(block["measures"]):
            values = [_percent(column["measures"][number]) for column in columns.values()]
            lines.append([measure["name"], *values, f"= {measure['formula']}"])
        low_high = [f"{m['name']} {_interval(m)}" for m in block["measures"] if m["value"] is not None]
        text = _aligned(lines)
        if low_high:
            text += "\n95 % intervals, all languages: " + ", ".join(low_high)
        parts.append(f"Quiet for {block['window_hours']} h counts as the end\n{text}")
    satisfaction = figures["satisfaction"]
    if satisfaction["count"]:
        counts = ", ".join(f"{score}: {number}" for score, number in satisfaction["scores"].items())
        mean, answered = satisfaction["mean"], f"{satisfaction['count']} of {satisfaction['asked']} asked"
        parts.append(f"Satisfaction: {mean:.1f} of 5, {answered} ({counts})")
    return "\n\n".join(parts) + "\n"


def _percent(measure: Mapping[str, Any]) -> str:
    return "-" if measure["value"] is None else f"{100 * measure['value']:.0f} %"


def _interval(measure: Mapping[str, Any]) -> str:
    return f"{100 * measure['low']:.0f}-{100 * measure['high']:.0f} %"


def _aligned(lines: Iterable[Sequence[str]]) -> str:
    rows = [list(line) for line in lines]
    count = len(rows[0])
    widths = [max(len(row[i]) for row in rows) for i in range(count)]
    text = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(row[i].rjust(max(widths[i], 5)) for i in range(1, count)), *row[count:]]
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)
