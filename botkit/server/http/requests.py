"""Owns the reading of hostile requests: bytes to checked models and forms, the bearer token, the parts of an address.

Whatever arrives, a view gets what a database can hold or the caller gets a clear 4xx: no text has a NUL or half a
surrogate pair in it, and no number is larger than a column. It never looks at what a text means.
"""

import json
import re
from typing import Any, NoReturn, TypeVar

from flask import Flask, request
from flask import Request as FlaskRequest
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.routing import IntegerConverter, Map
from werkzeug.utils import cached_property

from botkit.server.http.errors import ApiError
from botkit.server.http.models import LARGEST

DEEPEST = 16
"""Levels of a JSON body. No model here has more than four."""
LONGEST_TOKEN = 512

Model = TypeVar("Model", bound=BaseModel)

MOST_FIELDS = 1000
"""Of a form, as the framework takes of one in parts: to read tens of thousands takes longer than all that follows."""

# A browser that cuts a text in the middle of an emoji sends half of it: harmless, so it is dropped, as a NUL is.
_UNFIT = re.compile("[\0\ud800-\udfff]")


class Request(FlaskRequest):
    """A request whose query and form have only what a database can hold."""

    @cached_property
    def args(self) -> MultiDict[str, str]:
        return _fit(super().args)

    @cached_property
    def form(self) -> ImmutableMultiDict[str, str]:
        if self.mimetype == "application/x-www-form-urlencoded" and self.get_data().count(b"&") >= MOST_FIELDS:
            raise ApiError(413, "too_large", f"The form has more than {MOST_FIELDS} fields.")
        return _fit(super().form)


class Number(IntegerConverter):
    """A number in an address: what no column can hold is no address."""

    def __init__(self, map: Map, fixed_digits: int = 0, min: int | None = None, max: int | None = LARGEST) -> None:
        super().__init__(map, fixed_digits, min, max)


def install(app: Flask) -> None:
    """Read all that `app` is asked through here; before its routes are made."""
    app.request_class = Request
    app.url_map.converters["int"] = Number
    app.before_request(_refuse_unfit_address)


def _refuse_unfit_address() -> None:
    if _UNFIT.search(request.path):
        raise ApiError(404, "not_found", "Nothing is served at this address.")


def _fit(given: MultiDict[str, str]) -> ImmutableMultiDict[str, str]:
    # A part of a form may have no name at all, whatever its type says.
    items = [(name, value) for name, value in given.items(multi=True) if name is not None]
    return ImmutableMultiDict([(_UNFIT.sub("", name), _UNFIT.sub("", value)) for name, value in items])


def body(model: type[Model], *, optional: bool = False) -> Model:
    """The JSON body as `model`; ApiError 400 or 415 otherwise. `optional`: no body at all counts as {}."""
    raw = request.get_data(cache=False)
    if optional and not raw:
        return _checked(model, {})
    if request.mimetype != "application/json":
        raise ApiError(415, "unsupported_media_type", "Send JSON with Content-Type: application/json.")
    return _checked(model, _parsed(raw))


def query(model: type[Model]) -> Model:
    """The query string as `model`; ApiError 400 otherwise. A parameter given twice counts once, the first."""
    return _checked(model, request.args.to_dict(flat=True))


def bearer() -> str:
    """The bearer token of the request; ApiError 401 when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN or not token.isascii():
        raise ApiError(401, "unauthorized", "Send a bearer token: Authorization: Bearer TOKEN.")
    return token


def _parsed(raw: bytes) -> Any:
    try:
        return _whole(json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant))
    except UnicodeDecodeError:
        raise ApiError(400, "bad_json", "The body is not UTF-8.") from None
    except RecursionError:
        raise ApiError(400, "bad_json", "The body is nested too deeply.") from None
    except ValueError as error:
        # A JSONDecodeError says where; any other ValueError here is a number beyond all bounds.
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise ApiError(400, "bad_json", f"The body is not valid JSON{where}.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _whole(value: Any, levels: int = DEEPEST) -> Any:
    """The same with strings that a database can hold; RecursionError for too many levels."""
    if isinstance(value, str):
        return _UNFIT.sub("", value)
    if isinstance(value, dict | list) and not levels:
        raise RecursionError
    if isinstance(value, dict):
        return {_UNFIT.sub("", key): _whole(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item, levels - 1) for item in value]
    return value


def _checked(model: type[Model], value: Any) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or None
        if field is not None and not re.fullmatch(r"[a-z_.0-9]{1,60}", field):
            field = None  # a field of the caller's own invention is not repeated back
        message = f"{field}: {first['msg']}." if field else f"{first['msg']}."
        raise ApiError(400, "invalid", message, field) from None
