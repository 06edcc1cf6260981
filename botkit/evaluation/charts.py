"""Charts as inline SVG: no script, colours and dashes from the page's classes, every mark named by a text.

A chart is drawn from numbers that are ready; it computes no figure of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

_WIDTH, _HEIGHT = 440, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 26, 14, 50
_POINTS = 160
"""of a curve, at most: more cannot be seen"""
STYLES = 6
"""line styles that the page defines"""


@dataclass(frozen=True)
class Line:
    """A curve of one system: (x, y) points in [0, 1]; `style` is its number on the page; `marks` are
    (x, y, text) of points to name."""

    name: str
    style: int
    points: Sequence[tuple[float, float]]
    marks: Sequence[tuple[float, float, str]] = ()


def reliability(lines: Sequence[Line]) -> str:
    """Said probability against how often it was right: a calibrated system lies on the diagonal."""
    plane = _Plane("said probability that the first article answers", "how often it did", 1.0)
    body = [plane.segment((0, 0), (1, 1), "guide")]
    for line in lines:
        body.append(plane.curve(line))
        body += [
            plane.dot(x, y, line.style, f"{line.name}: said {_percent(x)}, right {_percent(y)}") for x, y in line.points
        ]
    body.append(plane.label(0.03, 0.93, "too modest above the diagonal"))
    body.append(plane.label(0.97, 0.05, "too sure below it", "end"))
    named = "; ".join(
        f"{line.name}: " + ", ".join(f"{_percent(x)} → {_percent(y)}" for x, y in line.points) for line in lines
    )
    return plane.drawn("Reliability: said probability against the share that was right", named, body)


def risk_coverage(lines: Sequence[Line]) -> str:
    """The error among the surest questions as more of them are answered: the lower the better."""
    known = [y for line in lines for x, y in line.points if x >= 0.05]
    plane = _Plane(
        "share of questions answered, the surest first", "wrong among them", _ceiling(max(known, default=1.0))
    )
    body = [plane.segment((0, 0.1), (1, 0.1), "guide"), plane.label(0.99, 0.1, "10 % wrong", "end", lift=4)]
    for line in lines:
        body.append(plane.curve(line))
        for place, (x, y, text) in enumerate(line.marks):
            body += [
                plane.segment((x, 0), (x, plane.most), "cut"),
                plane.dot(x, y, line.style, f"{line.name}: {text}", 5.5),
            ]
            side, shift = ("start", 6) if x < 0.5 else ("end", -6)
            body.append(plane.label(x, plane.most, text, side, lift=-14 * (line.style + place + 1), shift=shift))
    named = "; ".join(
        f"{line.name}: " + ", ".join(f"{_percent(y)} wrong at {_percent(x)}" for x, y in _at_quarters(line.points))
        for line in lines
    )
    return plane.drawn("Risk and coverage: the error among the answered as more are answered", named, body)


def histogram(name: str, sure: np.ndarray, right: np.ndarray, thresholds: Sequence[tuple[float, str]] = ()) -> str:
    """How the confidence of right ones (above the line) and of wrong ones (below) is spread, in 20 bins.

    Outside [0, 1] the axis runs from the least to the largest score.
    """
    low, high = 0.0, 1.0
    if len(sure) and (sure.min() < 0 or sure.max() > 1):
        low, high = float(sure.min()), float(sure.max())
    edges = np.linspace(low, high if high > low else low + 1, 21)
    above, below = (np.histogram(sure[mark], edges)[0] for mark in (right, ~right))
    height, top, middle = 232, 14, 106
    most = max(int(above.max(initial=1)), int(below.max(initial=1)), 1)
    unit = (middle - top - 6) / most
    span = _WIDTH - _LEFT - _RIGHT
    step = span / 20
    parts = []
    for i, (good, bad) in enumerate(zip(above.tolist(), below.tolist(), strict=True)):
        x, between = _LEFT + i * step, f"{edges[i]:.2f} to {edges[i + 1]:.2f}"
        if good:
            parts.append(_bar(x, middle - good * unit, step - 2, good * unit, "right", f"{good} right, {between}"))
        if bad:
            parts.append(_bar(x, middle, step - 2, bad * unit, "wrong", f"{bad} wrong, {between}"))
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{middle}" y2="{middle}"/>')
    for value, text in thresholds:
        x = _LEFT + span * (value - low) / (edges[-1] - low)
        parts.append(f'<line class="cut" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{height - 34}"/>')
        parts.append(_words("note", x - 4, top + 6, text, "end"))
    for share in (0, 0.25, 0.5, 0.75, 1):
        value = low + (edges[-1] - low) * share
        parts.append(_words("tick", _LEFT + span * share, height - 12, f"{value:.3g}"))
    for sign, text in ((-1, "right"), (1, "wrong")):
        parts.append(_words("tick", 16, middle + sign * (middle - top) / 2, text, turned=True))
        parts.append(_words("tick", _LEFT - 6, middle + sign * (most * unit - 4) + 4, str(most), "end"))
    result = f"{int(above.sum())} right and {int(below.sum())} wrong ones in 20 bins of the confidence"
    return _svg(f"Confidence of right and wrong ones: {name}", result, height, parts)


class _Plane:
    """Axes from 0 to 1 and from 0 to `most`, with their grid."""

    def __init__(self, x_title: str, y_title: str, most: float) -> None:
        self.most = most
        step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.25) if most / s <= 5.01 or s == 0.25)
        self.parts = []
        for value in np.arange(0, 1.01, 0.25).tolist():
            self.parts.append(self.segment((value, 0), (value, most), "grid"))
            x, y = self._at(value, 0)
            self.parts.append(_words("tick", x, y + 16, _percent(value)))
        for value in np.arange(0, most + 1e-9, step).tolist():
            self.parts.append(self.segment((0, value), (1, value), "grid"))
            x, y = self._at(0, value)
            self.parts.append(_words("tick", x - 6, y + 4, _percent(value), "end"))
        self.parts.append(_words("name", (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, x_title))
        self.parts.append(_words("name", 13, (_TOP + _HEIGHT - _BOTTOM) / 2, y_title, turned=True))

    def _at(self, x: float, y: float) -> tuple[float, float]:
        wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return _LEFT + wide * x, _TOP + high * (1 - min(y, self.most) / self.most)

    def segment(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> str:
        (x1, y1), (x2, y2) = self._at(*start), self._at(*end)
        return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'

    def curve(self, line: Line) -> str:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self._at(*p) for p in _thinned(line.points)))
        style = f"line s{line.style % STYLES}"
        return f'<polyline class="{style}" points="{points}"><title>{escape(line.name)}</title></polyline>'

    def dot(self, x: float, y: float, style: int, text: str, radius: float = 3.5) -> str:
        cx, cy = self._at(x, y)
        place = f'class="dot s{style % STYLES}" cx="{cx:.1f}" cy="{cy:.1f}" r="{radius}"'
        return f"<circle {place}><title>{escape(text)}</title></circle>"

    def label(self, x: float, y: float, text: str, anchor: str = "start", lift: float = 0, shift: float = 0) -> str:
        cx, cy = self._at(x, y)
        return _words("note", cx + shift, cy - lift, text, anchor)

    def drawn(self, title: str, told: str, body: Sequence[str]) -> str:
        return _svg(title, told, _HEIGHT, [*self.parts, *body])


def _svg(title: str, told: str, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img" direction="ltr">'
        f"<title>{escape(title)}</title><desc>{escape(told)}</desc>{''.join(parts)}</svg>"
    )


def _words(kind: str, x: float, y: float, text: str, anchor: str = "middle", turned: bool = False) -> str:
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{escape(text)}</text>'


def _bar(x: float, y: float, width: float, height: float, kind: str, text: str) -> str:
    return (
        f'<rect class="{kind}" x="{x + 1:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">'
        f"<title>{escape(text)}</title></rect>"
    )


def _thinned(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    chosen = np.unique(np.linspace(0, len(points) - 1, min(len(points), _POINTS)).round().astype(int))
    return (points[i] for i in chosen.tolist())


def _at_quarters(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    for share in (0.25, 0.5, 0.75, 1.0):
        if points:
            yield points[max(0, round(share * len(points)) - 1)]


def _ceiling(value: float) -> float:
    return min(1.0, max(0.2, math.ceil(value * 10 + 0.2) / 10))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
