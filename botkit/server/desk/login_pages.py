"""Owns the pages of signing in, with a password and with a code, and of signing out."""

from __future__ import annotations

import contextlib

from flask import Blueprint, Response, request

from botkit import desk
from botkit.server.desk import layout, session
from botkit.server.http.context import here
from botkit.server.http.templates import Texts
from botkit.store import StoreError

blueprint = Blueprint("login_pages", __name__)


@blueprint.get("/desk/login/code")
def code_page() -> Response:
    wanted = session.within_desk(request.args.get("next"))
    if session.half_in() is None:
        return layout.to(session.onward(wanted))
    return layout.show("desk/code.html", None, next=wanted)


@blueprint.post("/desk/login/code")
def code() -> Response:
    wanted = session.within_desk(request.form.get("next"))
    try:
        session.give_code(request.form.get("code", "")[:80])
    except session.Refused as refusal:
        if refusal.code == "expired":
            return layout.to(session.onward(wanted))
        t = Texts(layout.language_of_reader())
        too_many = refusal.code == "too_many"
        problem = layout.too_many(refusal.seconds, refusal.what, t) if too_many else t("accounts.wrong_code")
        response = layout.show("desk/code.html", None, status=429 if too_many else 401, problem=problem, next=wanted)
        if refusal.seconds:
            response.headers["Retry-After"] = str(refusal.seconds)
        return response
    return layout.to(session.onward(wanted))


@blueprint.get("/desk/login")
def login_page() -> Response:
    wanted = session.within_desk(request.args.get("next"))
    if session.half_in() is not None or session.signed_in() is not None:
        return layout.to(session.onward(wanted))
    return layout.show("desk/login.html", None, next=wanted, name="")


@blueprint.post("/desk/login")
def login() -> Response:
    name, wanted = request.form.get("name", "")[:80], session.within_desk(request.form.get("next"))
    try:
        session.sign_in(name, request.form.get("password", ""))
    except session.Refused as refusal:
        t = Texts(layout.language_of_reader())
        status = {"wrong": 401, "no_place": 403, "too_many": 429}[refusal.code]
        too_many = refusal.code == "too_many"
        problem = layout.too_many(refusal.seconds, refusal.what, t) if too_many else t(f"desk.{refusal.code}")
        response = layout.show("desk/login.html", None, status=status, problem=problem, next=wanted, name=name)
        if refusal.seconds:
            response.headers["Retry-After"] = str(refusal.seconds)
        return response
    return layout.to(session.onward(wanted))


@blueprint.post("/desk/logout")
def logout() -> Response:
    agent = session.by_session()
    session.sign_out()
    if agent is not None:
        with contextlib.suppress(StoreError):  # presence ends by itself too
            desk.left(here().store, agent)
    return layout.to("/desk/login")
