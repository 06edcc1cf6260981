"""How a change of an account is refused."""

from __future__ import annotations


class PeopleError(Exception):
    """An account cannot be made or changed like this; the text says why and what to do. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
