"""Settings as the application uses them: lists, roles, origins and the desk's rules, checked where they are read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botkit.accounts import ROLES
from botkit.config import ConfigError, Settings

if TYPE_CHECKING:
    from botkit.desk import Policy


def embed_origins(settings: Settings) -> tuple[str, ...]:
    """The sites that may show the chat in a frame, like https://shop.example."""
    return tuple(_origin(text) for text in _listed(settings.embed_origins))


def second_factor_roles(settings: Settings) -> frozenset[str]:
    """Who must sign in with a second factor."""
    for text in _listed(settings.second_factor_roles):
        if text not in ROLES:
            raise ConfigError(f"second_factor_roles: no such role {text!r}: expected some of {', '.join(ROLES)}")
    return frozenset(_listed(settings.second_factor_roles))


def policy(settings: Settings) -> Policy:
    """The desk's rules."""
    from botkit.desk import Policy

    points = {}
    for part in settings.priority_tags.split(","):
        tag, _, number = part.partition("=")
        if not part.strip():
            continue
        if not re.fullmatch(r"\s*-?\d{1,3}\s*", number):
            raise ConfigError(
                f"priority_tags: invalid priority tag {part.strip()!r}: expected NAME=POINTS, e.g. vip=30, wholesale=15"
            )
        points[tag.strip().casefold()] = int(number)
    return Policy(
        offer_seconds=settings.offer_seconds,
        misses=settings.misses_before_handover,
        unhelpful=settings.unhelpful_before_handover,
        reopen_minutes=settings.reopen_minutes,
        pending_hours=settings.pending_hours,
        unattended_minutes=settings.unattended_minutes,
        high=settings.high_priority,
        live_reply=settings.live_reply_seconds,
        live_reply_high=settings.live_reply_high_seconds,
        mail_reply=settings.mail_reply_seconds,
        mail_reply_high=settings.mail_reply_high_seconds,
        points=points,
    )


def check(settings: Settings) -> None:
    """ConfigError for what cannot be read, before anything is started."""
    embed_origins(settings)
    second_factor_roles(settings)
    policy(settings)


def _listed(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"(\*\.)?[a-z0-9.-]+(:\d+)?", parts.netloc):
        raise ConfigError(f"embed_origins: invalid origin {text!r}: expected one like https://shop.example")
    return f"{parts.scheme}://{parts.netloc}"
