"""The text of an article that is still to be written, for an editor to finish."""

from __future__ import annotations

import json
from collections.abc import Sequence


def draft(title: str, questions: Sequence[str], body: str) -> str:
    """An article's file with a title, other ways to ask it and a first body. Reading it back gives these."""
    # JSON's texts are YAML's as well, whatever is in them.
    lines = ["---", f"title: {_quoted(title)}"]
    if questions:
        lines += ["questions:", *(f"  - {_quoted(question)}" for question in questions)]
    return "\n".join([*lines, "---", body.strip(), ""])


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)
