"""The keys of the record: a file beside the database, never in it, so that a copy of the database opens nothing.

    {"keys": [{"key": 32 random bytes in base64, "made_at": "2026-11-21T20:28:00.123Z", "until": null or a time}, ...]}

The first key is the current one: with it is encrypted, signed and hashed. What an older one encrypted or signed is
still read until its `until`. Each purpose has a key of its own, derived from these. A key's id is a hash of it; the
database keeps the id of the one it was last used with, so that a wrong file is noticed before it does harm.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import BadData, URLSafeTimedSerializer

from botkit.store.errors import KeysError
from botkit.store.files import tighten, write_private
from botkit.store.schema import iso, parse_time

BYTES: Final = 32
_CURE: Final = (
    "restore it from the backup, or run `botkit keys reset`, which switches all second factors off and goes on with "
    "new keys"
)


@dataclass(frozen=True)
class Key:
    """One key of the file; `until`: it is not accepted any more from then on."""

    value: bytes
    made_at: datetime
    until: datetime | None = None

    @property
    def id(self) -> str:
        return self.derived("id").hex()[:16]

    def derived(self, purpose: str) -> bytes:
        """The key for one purpose alone."""
        return HKDF(algorithm=SHA256(), length=BYTES, salt=None, info=f"botkit {purpose}".encode()).derive(self.value)


@dataclass(frozen=True)
class Keys:
    """The keys that count, the current one first. A `purpose` is a word like `second factor`: what was made for one is
    nothing for another."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        return self.keys[0]

    @cached_property
    def ids(self) -> frozenset[str]:
        return frozenset(key.id for key in self.keys)

    def encrypt(self, purpose: str, text: str) -> str:
        """A text that only these keys read again, with proof that nobody changed it."""
        return self._fernet(purpose).encrypt(text.encode("utf-8")).decode("ascii")

    def decrypt(self, purpose: str, encrypted: str) -> str:
        """The text, or KeysError when none of these keys made it."""
        try:
            return self._fernet(purpose).decrypt(encrypted.encode("utf-8")).decode("utf-8")
        except InvalidToken as error:
            raise KeysError(f"what the database has encrypted ({purpose}) is not of this key file: {_CURE}") from error

    def digest(self, purpose: str, *parts: str) -> str:
        """A hash, in hex, that nobody without the current key can make or compare."""
        text = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hmac.new(self.current.derived(purpose), text, hashlib.sha256).hexdigest()

    def sign(self, purpose: str, value: Any) -> str:
        """A value that JSON can hold, with its time and a signature, for an address: anybody reads it, nobody changes
        it."""
        return str(self._signer(purpose).dumps(value))

    def signed(self, purpose: str, text: str, within: timedelta) -> Any:
        """The value in what `sign` made no longer ago than `within`; None for anything else."""
        try:
            return self._signer(purpose).loads(text, max_age=int(within.total_seconds()))
        except BadData:
            return None

    def _fernet(self, purpose: str) -> MultiFernet:
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key.derived(purpose))) for key in self.keys])

    def _signer(self, purpose: str) -> URLSafeTimedSerializer:
        oldest_first = [key.derived(purpose) for key in reversed(self.keys)]
        return URLSafeTimedSerializer(oldest_first, salt=purpose, signer_kwargs={"digest_method": hashlib.sha256})


class KeyFile:
    """The file itself. It is read again only when it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, int, int], tuple[Key, ...]] | None = None

    def read(self, now: datetime) -> Keys | None:
        """The keys that count now; None when there is no file. KeysError when it cannot be read."""
        keys = self._all()
        if keys is None:
            return None
        return Keys(tuple(key for n, key in enumerate(keys) if n == 0 or key.until is None or key.until > now))

    def make(self, now: datetime) -> Keys:
        """A new file with one new key, over what was there."""
        self._write([Key(secrets.token_bytes(BYTES), now)])
        made = self.read(now)
        assert made is not None
        return made

    def add(self, now: datetime) -> Keys:
        """A new current key before the others; those that count no more are dropped."""
        result = self.read(now)
        self._write([Key(secrets.token_bytes(BYTES), now), *(result.keys if result else ())])
        added = self.read(now)
        assert added is not None
        return added

    def retire(self, now: datetime, until: datetime) -> None:
        """Let all keys but the current one count until then, and no longer."""
        result = self.read(now)
        assert result is not None
        older = [replace(key, until=min(key.until or until, until)) for key in result.keys[1:]]
        self._write([result.current, *older])

    def missing(self) -> KeysError:
        return KeysError(f"the key file {self.path} is not there, and the database was used with one: {_CURE}")

    def wrong(self, wanted: str) -> KeysError:
        return KeysError(
            f"the key file {self.path} is not the one that the database was used with (it has no key {wanted}): {_CURE}"
        )

    def _all(self) -> tuple[Key, ...] | None:
        try:
            result = os.stat(self.path)
            at = (result.st_mtime_ns, result.st_ino, result.st_size)
            if self._read is not None and self._read[0] == at:
                return self._read[1]
            tighten([self.path])
            keys = _parsed(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeysError(
                f"the key file {self.path} cannot be read ({error.strerror}): let this account read it"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise KeysError(f"the key file {self.path} is damaged: {_CURE}") from error
        self._read = (at, keys)
        return keys

    def _write(self, keys: Sequence[Key]) -> None:
        rows = [
            {
                "key": base64.b64encode(key.value).decode("ascii"),
                "made_at": iso(key.made_at),
                "until": iso(key.until) if key.until else None,
            }
            for key in keys
        ]
        try:
            write_private(self.path, json.dumps({"keys": rows}, indent=1).encode("ascii") + b"\n")
        except OSError as error:
            raise KeysError(
                f"the key file {self.path} cannot be written ({error.strerror}): let this account write to its folder, "
                "or name another file in the setting `keys`"
            ) from error
        self._read = None


def _parsed(text: bytes) -> tuple[Key, ...]:
    keys = tuple(
        Key(
            base64.b64decode(row["key"], validate=True),
            parse_time(row["made_at"]),
            parse_time(row["until"]) if row["until"] else None,
        )
        for row in json.loads(text)["keys"]
    )
    if not keys or any(len(key.value) != BYTES for key in keys):
        raise binascii.Error("a key has another length")
    return keys


def key_file(database: str, keys: str = "") -> Path:
    """Where the keys lie: in the file that the setting `keys` names, else beside an SQLite file (`botkit.keys` for
    `botkit.db`), else as `botkit.keys` in the working directory."""
    if keys:
        return Path(keys).absolute()
    url = sa.make_url(database)
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database).absolute().with_suffix(".keys")
    return Path("botkit.keys").absolute()
