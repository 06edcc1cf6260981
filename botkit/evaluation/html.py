"""The report as one HTML page: what the template shows of a set. Counts for pictures, no figure of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jinja2
from markupsafe import Markup

from botkit import language
from botkit.evaluation import charts
from botkit.evaluation.formats import ALL, Row, number, percent, plain, proof, shown, signed
from botkit.evaluation.metrics import bins, risk_curve, sureness
from botkit.evaluation.runner import Evaluation, Outcome

SHOWN = 300
"""wrong answers of a kind that the page lists; the JSON has all"""


def drawn(report: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> str:
    """The page, of what the report says of itself and of the `content` of each set by name."""
    world = jinja2.Environment(
        loader=jinja2.FileSystemLoader(language.web_folder() / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    world.filters |= {"percent": percent, "number": number, "plain": plain, "shown": shown, "signed": signed}
    return world.get_template("quality/report.html").render(report=report, parts=parts)


def content(evaluations: Sequence[Evaluation], rows: Sequence[Row], listed: bool) -> dict[str, Any]:
    """What the template shows of a set; `listed`: with its wrong answers."""
    main = evaluations[0]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.group, row.name), []).append(row)
    result = next(r.figures for r in rows if r.group == ALL)
    return {
        "main": main,
        "told": result,
        "systems": [e.system for e in evaluations],
        "groups": groups,
        "ends": [(name, _ends(_of(main, group, name))) for group, name in groups] if result.get("bound") else [],
        "proofs": [
            (e, proof(row.figures))
            for e, row in zip(evaluations, (r for r in rows if r.group == ALL), strict=True)
            if e.answer_threshold is not None
        ],
        "charts": _charts(evaluations),
        "wrong": _wrong(main) if listed else [],
    }


def _of(e: Evaluation, group: str, name: str) -> Evaluation:
    return e.only(lang=name if group == "language" else None, slice=name if group == "slice" else None)


_Test = Callable[[Outcome], bool]
_ENDS: tuple[tuple[str, tuple[str, ...], tuple[tuple[str, str, _Test], ...]], ...] = (
    (
        "An article answers",
        ("in",),
        (
            ("right answer", "good", lambda o: bool(o.answered and o.right)),
            ("asked back, right one offered", "fair", lambda o: o.offered),
            ("not answered", "none", lambda o: not o.answered and not o.offered),
            ("wrong answer", "bad", lambda o: bool(o.answered and not o.right)),
        ),
    ),
    (
        "No article answers",
        ("near", "far"),
        (
            ("rightly not answered", "good", lambda o: not o.answered and o.kind != "clarify"),
            ("asked back in vain", "none", lambda o: not o.answered and o.kind == "clarify"),
            ("wrong answer", "bad", lambda o: bool(o.answered)),
        ),
    ),
)
"""What customers can meet, by scope: a name, the page's class and a test; each outcome passes one."""


def _ends(e: Evaluation) -> list[tuple[str, list[tuple[str, str, int, float]]]]:
    """What customers met, in scope and out of it: (what, class, number, share) each."""
    result = []
    for title, scopes, kinds in _ENDS:
        outcomes = [o for o in e.outcomes if o.label.scope in scopes]
        counts = [(name, style, sum(test(o) for o in outcomes)) for name, style, test in kinds]
        if outcomes:
            result.append((title, [(name, style, count, count / len(outcomes)) for name, style, count in counts]))
    return result


def _charts(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """Charts as SVG, made of numbers and of names that `charts` escapes."""
    curves, trust, spread = [], [], []
    for style, e in enumerate(evaluations):
        sure, right = sureness(e.outcomes)
        if not len(sure):
            continue
        curve = risk_curve(e.outcomes)
        marks = []
        cuts: list[tuple[float, str]] = []
        if e.answer_threshold is not None:
            answered = [o for o in e.outcomes if o.answered and o.right is not None]
            if answered:
                coverage = len(answered) / len(sure)
                risk = sum(not o.right for o in answered) / len(answered)
                text = f"from {e.answer_threshold:.2f}: {100 * coverage:.0f} % answered, {100 * risk:.0f} % wrong"
                marks = [(coverage, risk, text)]
            cuts = [(e.answer_threshold, f"answers from {e.answer_threshold:.2f}")]
            points = [(float(c.mean()), float(r.mean())) for c, r in bins(sure, right)]
            trust.append(charts.Line(e.system, style, points))
        curves.append(charts.Line(e.system, style, curve, marks))
        spread.append((e.system, Markup(charts.histogram(e.system, sure, right, cuts))))  # noqa: S704
    return {
        "risk": Markup(charts.risk_coverage(curves)) if curves else "",  # noqa: S704
        "reliability": Markup(charts.reliability(trust)) if trust else "",  # noqa: S704
        "histograms": spread,
        "legend": [(line.name, line.style % charts.STYLES) for line in curves],
        "calibrated": [(line.name, line.style % charts.STYLES) for line in trust],
    }


def _wrong(e: Evaluation) -> list[dict[str, Any]]:
    """Wrong outcomes by what the customer met, the surest first."""
    wrong = sorted((o for o in e.outcomes if o.wrong), key=lambda o: -o.confidence)
    kinds: tuple[tuple[str, str, list[Outcome]], ...]
    if e.answer_threshold is None:
        kinds = (("Another article is first", "", wrong),)
    else:
        kinds = (
            ("Answered wrongly", "A customer read an answer to another question.", [o for o in wrong if o.answered]),
            (
                "Asked back, the right article among the choices",
                "One more tap for the customer.",
                [o for o in wrong if not o.answered and o.offered],
            ),
            (
                "Not found, not answered",
                "A person had to help although an article answers.",
                [o for o in wrong if not o.answered and not o.offered],
            ),
        )
    return [
        {
            "title": title,
            "meaning": meaning,
            "count": len(outcomes),
            "open": place == 0,
            "cases": [_case(e, o) for o in outcomes[:SHOWN]],
            "hidden": max(0, len(outcomes) - SHOWN),
        }
        for place, (title, meaning, outcomes) in enumerate(kinds)
    ]


def _case(e: Evaluation, o: Outcome) -> dict[str, Any]:
    by_article = {article: title for (article, lang), title in e.titles.items() if lang == o.label.lang}

    def named(article: str) -> tuple[str, str]:
        return article, by_article.get(article) or next((t for (a, _), t in e.titles.items() if a == article), "")

    return {
        "outcome": o,
        "label": o.label,
        "text": language.clean(o.label.text),
        "relevant": [named(a) for a in sorted(o.label.relevant or ())],
        "rejected": [named(a) for a in sorted(o.label.rejected)],
        "article": named(o.article) if o.article else None,
        "options": [(*named(a), sure) for a, sure in o.options],
        "explanation": o.explanation[:8],
    }
