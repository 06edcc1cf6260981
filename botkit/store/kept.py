"""Dataclasses that are kept as JSON, or as a row: one declaration says what is written and how it is read.

What is written has every field under its own name, in the order of declaration, except that `kept(name=...)` gives it
another name and `kept(unless_default=True)` leaves it out where it says nothing. Reading is lenient, since older
releases wrote less and newer ones may write more: an unknown name is passed over, and what is missing takes the field's
default, else the empty value of its type. Constructing is strict, as with any dataclass.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Self, Union, get_args, get_origin, get_type_hints


def kept(*, name: str = "", unless_default: bool = False, read_as: str | None = None) -> Mapping[str, object]:
    """A field's metadata: the `name` that it is kept under, whether it is left out at its default, and as what it is
    read where it is missing and its type has no empty value."""
    return {"name": name, "unless_default": unless_default, "read_as": read_as}


@dataclass(frozen=True)
class Kept:
    """The base of what is kept."""

    def as_json(self) -> dict[str, object]:
        """What is written."""
        return {
            slot.key: _written(value)
            for slot in slots(type(self))
            if (value := getattr(self, slot.name)) != slot.default or not slot.unless_default
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Self:
        """From what was written, by whichever release."""
        result: dict[str, object] = {}
        for slot in slots(cls):
            value = stored.get(slot.key)
            if value is None:
                result[slot.name] = None if slot.optional and slot.key in stored else slot.missing
            else:
                result[slot.name] = value if slot.read is None else slot.read(value)
        return cls(**result)


@dataclass(frozen=True)
class Slot:
    """One field: the `key` it is kept under, its `type` without None, and how it is read."""

    name: str
    key: str
    type: object
    optional: bool
    unless_default: bool
    default: object
    missing: object
    read: Callable[[object], object] | None
    field: Field[object]


def slots(cls: type[Kept]) -> tuple[Slot, ...]:
    """The fields of what is kept."""
    if cls not in _slots:
        hints = get_type_hints(cls)
        _slots[cls] = tuple(_slot(each, hints[each.name]) for each in fields(cls))
    return _slots[cls]


_slots: dict[type[Kept], tuple[Slot, ...]] = {}


def _slot(each: Field[object], hint: object) -> Slot:
    optional = get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)
    inner = next(part for part in get_args(hint) if part is not type(None)) if optional else hint
    default = each.default if each.default_factory is MISSING else each.default_factory()
    missing = default if default is not MISSING else None if optional else _empty(each, inner)
    return Slot(
        name=each.name,
        key=str(each.metadata.get("name") or each.name),
        type=inner,
        optional=optional,
        unless_default=bool(each.metadata.get("unless_default")),
        default=default,
        missing=missing,
        read=_reader(inner),
        field=each,
    )


def _empty(each: Field[object], hint: object) -> object:
    if each.metadata.get("read_as") is not None:
        return each.metadata["read_as"]
    if get_origin(hint) is tuple:
        return ()
    if hint in (str, int, float, bool):
        assert isinstance(hint, type)
        return hint()
    if isinstance(hint, type) and issubclass(hint, Kept):
        return hint.from_json({})
    return None


def _reader(hint: object) -> Callable[[object], object] | None:
    if get_origin(hint) is tuple:
        one = _reader(get_args(hint)[0])
        return _tuple_of(one)
    if isinstance(hint, type) and issubclass(hint, Kept):
        return _object(hint)
    return None


def _tuple_of(one: Callable[[object], object] | None) -> Callable[[object], object]:
    def read(value: object) -> object:
        assert isinstance(value, list | tuple)
        return tuple(value) if one is None else tuple(one(each) for each in value)

    return read


def _object(cls: type[Kept]) -> Callable[[object], object]:
    def read(value: object) -> object:
        assert isinstance(value, Mapping)
        return cls.from_json(value)

    return read


def _written(value: object) -> object:
    if isinstance(value, tuple):
        return [_written(each) for each in value]
    return value.as_json() if isinstance(value, Kept) else value
