"""Owns the one exception by which a request fails, and its JSON: `{"error": {"code", "message", "field"?}}`."""

from typing import Any

from flask import Response, jsonify

UNAVAILABLE = "Not ready yet; please try again in a moment."


class ApiError(Exception):
    """A failure to tell the caller: HTTP status, a code for programs, a sentence for people.

    `field` names the part of the request at fault; `extra` goes beside it in the error object (a lost claim
    carries `owner`); `retry_after` becomes the Retry-After header, in whole seconds.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        *,
        retry_after: int | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.retry_after = retry_after
        self.extra = extra

    def response(self) -> Response:
        """The error as JSON."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field is not None:
            error["field"] = self.field
        error.update(self.extra)
        response = jsonify({"error": error})
        response.status_code = self.status
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(max(1, self.retry_after))
        if self.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response
