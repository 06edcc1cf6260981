"""Owns the OpenAPI document: which routes are in it and what each takes and gives, from the pydantic models.

A view is described where it stands, with `@describe(...)`; its docstring is the summary. It checks nothing at
run time: reading a request is the work of `requests`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import current_app
from pydantic import BaseModel
from spectree import Response, SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from botkit import __version__
from botkit.server.http.models import ErrorBody

View = TypeVar("View", bound=Callable[..., Any])

_DESCRIPTION = (
    "Answers customers' questions from a shop's help articles, keeps their conversations, and hands them to "
    'people. Bodies are JSON in UTF-8. Every error is `{"error": {"code", "message", "field"?}}`.'
)

_document = SpecTree(
    "flask",
    title="botkit",
    version=__version__,
    description=_DESCRIPTION,
    path="openapi",
    mode="strict",
    annotations=False,
    page_templates={},
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    validation_error_status=400,
    validation_error_model=ErrorBody,
    security_schemes=[
        SecurityScheme(
            name="conversation",
            data=SecuritySchemeData(
                type=SecureType.HTTP, scheme="bearer", description="The token of the conversation."
            ),
        ),
        SecurityScheme(
            name="desk",
            data=SecuritySchemeData(
                type=SecureType.HTTP, scheme="bearer", description="An agent's token: `botkit user token NAME`."
            ),
        ),
    ],
)


def describe(
    *,
    gives: Mapping[int, type[BaseModel]],
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    security: str | None = None,
    tag: str,
    errors: tuple[int, ...] = (),
    parameters: Mapping[str, str] | None = None,
) -> Callable[[View], View]:
    """Put the decorated view into the document; write it below the route decorator.

    `gives` maps a status to its model; `errors` are further statuses that carry the error object; `security` is
    "conversation", "desk" or None; `parameters` describes the variables of the path.
    """
    models: dict[str, Any] = {f"HTTP_{status}": model for status, model in gives.items()}
    for status in {*errors, 400, 429, *((401, 403) if security else ())}:
        models[f"HTTP_{status}"] = ErrorBody
    documented = _document.validate(
        json=body,
        query=query,
        resp=Response(**models),
        tags=(tag,),
        security=[{security: []}] if security else [],
        path_parameter_descriptions=parameters,
        skip_validation=True,
    )

    def decorate(view: View) -> View:
        # Only what spectree notes on the view is wanted: its own wrapper reads a response to the end, and a stream has
        # none.
        @wraps(documented(view))
        def plain(*args: Any, **kwargs: Any) -> Any:
            return view(*args, **kwargs)

        return plain  # type: ignore[return-value]

    return decorate


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the running application; made once."""
    _document.app = current_app
    spec: dict[str, Any] = _document.spec
    return spec


@dataclass(frozen=True)
class Field:
    """A row of the table of a body, a query or an answer."""

    name: str
    kind: str
    required: bool
    text: str


@dataclass(frozen=True)
class Endpoint:
    """One method of one address, for people."""

    method: str
    path: str
    summary: str
    text: str
    security: str | None
    takes: tuple[Field, ...]
    gives: tuple[Field, ...]
    given_status: str
    errors: tuple[str, ...]


def readable() -> list[tuple[str, list[Endpoint]]]:
    """The document as groups of endpoints, for a page."""
    spec = document()
    schemas = spec["components"]["schemas"]
    groups: dict[str, list[Endpoint]] = {}
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            good = {status: result for status, result in operation["responses"].items() if status < "400"}
            status, result = next(iter(good.items()))
            body = operation.get("requestBody", {})
            takes = [
                Field(item["name"], _kind(item["schema"]), item.get("required", False), _text(item))
                for item in operation["parameters"]
                if item["in"] == "query"
            ]
            security = [name for choice in operation.get("security", []) for name in choice]
            endpoint = Endpoint(
                method=method.upper(),
                path=path,
                summary=operation["summary"],
                text=operation["description"],
                security=security[0] if security else None,
                takes=(*takes, *_fields(body, schemas)),
                gives=tuple(_fields(result, schemas)),
                given_status=status,
                errors=tuple(sorted(set(operation["responses"]) - set(good))),
            )
            groups.setdefault(operation["tags"][0], []).append(endpoint)
    return list(groups.items())


def _fields(holder: dict[str, Any], schemas: dict[str, Any]) -> list[Field]:
    schema = holder.get("content", {}).get("application/json", {}).get("schema", {})
    schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    required = schema.get("required", [])
    return [
        Field(name, _kind(item), name in required, _text(item)) for name, item in schema.get("properties", {}).items()
    ]


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_kind(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", "any"))


def _text(item: dict[str, Any]) -> str:
    return str(item.get("description") or item.get("schema", {}).get("description") or "")
