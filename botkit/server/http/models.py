"""Owns what the API's models have in common: their base, the limits of their fields, and the shape of an error."""

from collections.abc import Iterator
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

MAX_TEXT = 4000
MAX_ID = 300
MAX_LANG = 35
LARGEST = 2**31 - 1
"""The largest number that a column of the database holds."""


class In(BaseModel):
    """A request: an unknown field is an error, so that a misspelt one is not silently ignored; so is a number that no
    column could hold, whatever its field says."""

    model_config = ConfigDict(extra="forbid", str_max_length=4 * MAX_TEXT)

    @model_validator(mode="after")
    def _numbers_fit(self) -> Self:
        if not all(-LARGEST - 1 <= number <= LARGEST for number in _numbers(self.__dict__)):
            raise ValueError(f"a number must lie between {-LARGEST - 1} and {LARGEST}")
        return self


def _numbers(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _numbers(each)


class ErrorDetail(BaseModel):
    """What went wrong: `code` for programs, `message` for people, `field` where one is at fault."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str
    field: str | None = None


class ErrorBody(BaseModel):
    """Every error has this shape."""

    error: ErrorDetail
