"""How figures are written: percentages, signs, dashes, and what they prove, the same in a terminal and on a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ALL = "all"


@dataclass(frozen=True)
class Row:
    """A line of a table: one system on all questions of a set, or on those of a language or slice."""

    group: str
    """`all`, `language` or `slice`"""
    name: str
    system: str
    figures: Mapping[str, Any]


def percent(share: float | None) -> str:
    """`93.2` for a share of 0.932, a dash for None."""
    return "–" if share is None else f"{100 * share:.1f}"


def proof(told: Mapping[str, Any]) -> str:
    """What these questions prove of the error among the answered, in a sentence; '' where nothing can be."""
    limits: Mapping[str, Any] | None = told.get("bound")
    if limits is None:
        return ""
    if not limits["answered"]:
        return "nothing was answered, so nothing is proven of the answers"
    return (
        f"{limits['errors']} of {limits['answered']} answered were wrong; with {100 * (1 - limits['delta']):.0f} % "
        f"confidence at most {percent(limits['upper'])} % of all answers are (exact binomial bound), "
        "for questions like these and a threshold that was not chosen on them"
    )


def signed(difference: float) -> str:
    """`+2.7` for a difference of 0.027; what rounds to nought has a plus."""
    return f"{100 * difference:+z.1f}"


def number(value: float | None) -> str:
    """Three decimals, a dash for None."""
    return "–" if value is None else f"{value:.3f}"


def plain(name: str) -> str:
    """A key as words."""
    return {"auroc": "AUROC", "accuracy_at_1": "at 1", "accuracy_at_3": "at 3"}.get(name, name.replace("_", " "))


def shown(value: object) -> str:
    """A certificate's value as text."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
