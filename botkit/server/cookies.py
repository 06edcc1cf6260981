"""Owns when the key of the session's cookie is read: with the first cookie, so that a record that is away keeps neither
the server from starting nor a visitor, who has no such cookie, from being served."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from botkit.store import StoreError


class LateKey(SecureCookieSessionInterface):
    """Flask's signed cookies with a key from `key`, which may raise StoreError: then nobody is known, and nothing is
    kept, until it gives one."""

    def __init__(self, key: Callable[[], str | bytes]) -> None:
        self._key = key

    def get_signing_serializer(self, app: Flask) -> Any:
        if not app.secret_key:
            try:
                app.secret_key = self._key()
            except StoreError:  # told by what really needs the record
                return None
        return super().get_signing_serializer(app)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        known = super().open_session(app, request) if self.get_cookie_name(app) in request.cookies else None
        return known if known is not None else SecureCookieSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session.modified and session and self.get_signing_serializer(app) is None:
            return
        super().save_session(app, session, response)
