"""Owns the cookies of the desk: how they are named and guarded, and that what a request sets is what it reads.

A cookie holds a random text or a word that is checked when it is read; nothing in it is believed, so nothing is signed.
Over https each is `Secure` and called `__Host-...`, which no other host of the same domain can set.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, Response, g, request

from botkit.server.http.context import here

SESSION = "botkit_session"
DEVICE = "botkit_device"
LANG = "botkit_lang"
_LONGEST = 200


def install(app: Flask) -> None:
    """Send what was put and dropped with each answer."""
    app.after_request(_send)


def get(name: str) -> str:
    """The cookie's text, as it will be after this request; empty where there is none."""
    put_now = g.get("cookies", {})
    if name in put_now:
        return str(put_now[name][0])
    return request.cookies.get(_wire(name), "")[:_LONGEST]


def put(name: str, text: str, life: timedelta) -> None:
    """Keep a text in the browser for so long; an empty one takes the cookie away."""
    g.setdefault("cookies", {})[name] = (text, life)


def secure() -> bool:
    """Whether the browser came by https, as far as can be known here."""
    return request.is_secure or here().base_url.startswith("https://")


def _wire(name: str) -> str:
    return f"__Host-{name}" if secure() else name


def _send(response: Response) -> Response:
    for name, (text, life) in g.get("cookies", {}).items():
        age = life if text else 0
        response.set_cookie(_wire(name), text, max_age=age, path="/", secure=secure(), httponly=True, samesite="Lax")
    return response
