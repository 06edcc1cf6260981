"""Holds judged dialogues with an index, turn by turn, as a conversation would go, with the turns before and without
them. Counts how each kind of turn fares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from botkit import answer, language
from botkit.answer import Before, Reply
from botkit.corpus import Dialogue, Turn
from botkit.index import Index

BATCH = 64
"""turns whose vectors are made at once"""
KINDS = ("first", "followup", "standalone", "choice")


@dataclass(frozen=True)
class TurnOutcome:
    """A judged turn with what was said to it.

    `kind` is one of KINDS. `right` says whether the first candidate is right, `among_three` whether one of the first
    three is; both are None for a pick by place where the bot had not offered so many articles.
    """

    dialogue: str
    lang: str | None
    kind: str
    turn: Turn
    reply: Reply
    right: bool | None
    among_three: bool | None

    @property
    def answered(self) -> bool:
        """An article was given as the answer."""
        return self.reply.source is not None


SHARES = ("accuracy_at_1", "accuracy_at_3", "answered", "precision", "leaning")


@dataclass(frozen=True)
class Held:
    """A set of dialogues, held with the bot's own replies as what went before, and each turn as if it were the
    first."""

    name: str
    with_context: tuple[TurnOutcome, ...]
    alone: tuple[TurnOutcome, ...]

    def figures(self) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
        """`turn_figures` by language and of all; `on` with what went before, `off` without."""
        details = {}
        for lang in [*dict.fromkeys(o.lang or "–" for o in self.with_context), "all"]:
            details[lang] = {
                name: turn_figures([o for o in result if lang in ("all", o.lang or "–")])
                for name, result in (("off", self.alone), ("on", self.with_context))
            }
        return details

    def rows(self) -> list[tuple[str, str, int, str, dict[str, float | None]]]:
        """(language, kind of turn, how many can be judged, context, SHARES) of all figures that count anything."""
        return [
            (lang, kind, parts[name][kind]["judged"], name, {share: parts[name][kind][share] for share in SHARES})
            for lang, parts in self.figures().items()
            for kind in KINDS
            for name in parts
            if parts[name][kind]["judged"]
        ]


def hold(index: Index, name: str, dialogues: Sequence[Dialogue], **options: Any) -> Held:
    """Hold dialogues twice, with what went before and without; `options` are those of `converse`."""
    on, off = (tuple(converse(index, dialogues, context=context, **options)) for context in (True, False))
    return Held(name, on, off)


def converse(
    index: Index,
    dialogues: Iterable[Dialogue],
    *,
    context: bool = True,
    answer_threshold: float = 0.0,
    clarify_threshold: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> list[TurnOutcome]:
    """Every turn of every dialogue by `answer.replies`, on a page in the dialogue's language, with the bot's own
    replies as what went before: a wrong answer misleads the next turn as it would a customer's.

    Without `context` each turn is asked as if it were the first. A hand-over does not end a dialogue, since the next
    turn has its judgement. A threshold of 0 takes the index's own. `progress` is called with how many turns of how
    many are done. The outcomes are in the order of the dialogues and their turns.
    """
    asked = list(dialogues)
    total = sum(len(dialogue.turns) for dialogue in asked)
    outcomes: dict[tuple[int, int], TurnOutcome] = {}
    before: list[Before | None] = [None] * len(asked)
    misses = [0] * len(asked)
    for place in range(max((len(dialogue.turns) for dialogue in asked), default=0)):
        speaking = [n for n, dialogue in enumerate(asked) if place < len(dialogue.turns)]
        by_misses = [[n for n in speaking if misses[n] == missed] for missed in sorted({misses[n] for n in speaking})]
        for alike in by_misses:
            missed = misses[alike[0]]
            for start in range(0, len(alike), BATCH):
                batch = alike[start : start + BATCH]
                texts = [language.clean(asked[n].turns[place].text) for n in batch]
                replies = answer.replies(
                    index,
                    texts,
                    lang=[asked[n].lang for n in batch],
                    misses=missed,
                    answer_threshold=answer_threshold,
                    clarify_threshold=clarify_threshold,
                    before=[before[n] for n in batch] if context else None,
                )
                for n, text, reply in zip(batch, texts, replies, strict=True):
                    outcomes[n, place] = _judged(asked[n], place, reply, before[n])
                    before[n] = Before.of(text, reply, before[n])
                    if reply.kind != "smalltalk":
                        misses[n] = missed + 1 if reply.kind == "clarify" else 0
                if progress:
                    progress(len(outcomes), total)
    return [outcomes[key] for key in sorted(outcomes)]


def turn_figures(outcomes: Sequence[TurnOutcome]) -> dict[str, dict[str, Any]]:
    """For each kind of turn, and for `later` (all but the first): `turns`, `judged` (those that can be), and of the
    judged the shares `accuracy_at_1`, `accuracy_at_3`, `answered` and `leaning` (read with the turn before), and
    `precision`, the share of right among the answered. A share of nothing is None."""
    result = {}
    for kind in (*KINDS, "later"):
        kept = [o for o in outcomes if o.kind == kind or (kind == "later" and o.kind != "first")]
        judged = [o for o in kept if o.right is not None]
        answered = [o for o in judged if o.answered]
        result[kind] = {
            "turns": len(kept),
            "judged": len(judged),
            "accuracy_at_1": _share([bool(o.right) for o in judged]),
            "accuracy_at_3": _share([bool(o.among_three) for o in judged]),
            "answered": _share([o.answered for o in judged]),
            "precision": _share([bool(o.right) for o in answered]),
            "leaning": _share([o.reply.understood is not None for o in judged]),
        }
    return result


def _judged(dialogue: Dialogue, place: int, reply: Reply, before: Before | None) -> TurnOutcome:
    turn = dialogue.turns[place]
    right: bool | None
    among: bool | None
    if turn.relevant is not None:
        right = reply.article in turn.relevant
        among = any(option.article in turn.relevant for option in reply.options)
    else:
        offered = before.options if before else ()
        number = len(offered) if turn.pick == -1 else (turn.pick or 0)
        if not 1 <= number <= len(offered):
            right = among = None
        else:
            right = among = reply.article == offered[number - 1] and reply.understood is not None
    return TurnOutcome(dialogue.id, dialogue.lang, turn.kind or "first", turn, reply, right, among)


def _share(marks: Sequence[bool]) -> float | None:
    return sum(marks) / len(marks) if marks else None
