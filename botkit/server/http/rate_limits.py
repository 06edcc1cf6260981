"""Owns how often one address may ask: what counts against which limit, and whose turn it is at the encoder."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, TypeVar

from flask import request

from botkit.server.http.addresses import of_one_customer
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError

View = TypeVar("View", bound=Callable[..., Any])

WEIGHS_ONE = 500
"""Characters of a question that counts as one."""


def caller() -> str:
    """The address that counts: an IPv4 address, or the /64 that one IPv6 customer is given."""
    return of_one_customer(request.remote_addr)


def check(name: str, cost: float = 1.0, who: str | None = None) -> None:
    """Count this request against a limit of its address or of `who`, as so many; ApiError 429 for one too many.

    "request": any at all; "question": a customer's text; "suggestion": one for each key; "conversation": a beginning;
    "signal": a stream, a word that somebody types or has read; "login"; "desk": an agent's to the desk's API.
    """
    context, settings = here(), here().settings
    asked = settings.rate_per_minute
    allowed, seconds, burst = {
        "request": (settings.requests_per_minute, 60.0, settings.requests_per_minute // 6),
        "question": (asked, 60.0, settings.rate_burst),
        "suggestion": (4 * asked, 60.0, 4 * settings.rate_burst),
        "conversation": (settings.conversations_per_hour, 3600.0, 0),
        "signal": (4 * asked, 60.0, 0),
        "login": (settings.logins_per_minute, 60.0, 0),
        "desk": (settings.desk_rate_per_minute, 60.0, 0),
    }[name]
    if allowed <= 0:  # switched off in the settings
        return
    wait = context.rates.take(name, who or caller(), allowed / seconds, min(burst or allowed, allowed), cost)
    if wait > 0:
        context.metrics.limited(name)
        whose = "with this token or account" if who else "from your address"
        raise ApiError(
            429,
            "too_many_requests",
            f"Too many requests {whose}; try again in {math.ceil(wait)} s.",
            retry_after=math.ceil(wait),
        )


def weigh(*texts: str) -> None:
    """Count a question that was counted as one by its length: what is longer takes longer to understand."""
    more = sum(len(text) for text in texts) / WEIGHS_ONE - 1.0
    if more > 0.0:
        check("question", more)


def asking(who: str | None = None) -> AbstractContextManager[float]:
    """A turn to ask the encoder, of the caller's address or of `who`: see `encoder_queue.Turns.turn`."""
    return here().turns.turn(who or caller())


def limited(name: str) -> Callable[[View], View]:
    """Decorate a view with `check(name)`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(*args: Any, **kwargs: Any) -> Any:
            check(name)
            return view(*args, **kwargs)

        return counted  # type: ignore[return-value]

    return decorate
