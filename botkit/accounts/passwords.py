"""Passwords: which are taken, how they are kept (argon2id), and how one is compared."""

from __future__ import annotations

import base64
import functools
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterable
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from botkit.accounts.model import AccountError
from botkit.accounts.names import key_of

SHORTEST: Final = 8
LONGEST: Final = 256

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_HERE: Final = frozenset(
    "password passwort parola parolam sifre sifrem şifre şifrem admin administrator agent supervisor botkit changeme"
    " welcome пароль парола админ كلمةالسر كلمةالمرور مرحبا رمز رمزعبور گذرواژه پسورد".split()
)
"""What is often taken and is in no English list, or too short to be in it whole."""
_VARIETY: Final = 4
"""Characters, different ones, below which there is nothing to guess."""
# 19 MiB and two passes, OWASP's floor: the library's default takes 64 MiB for each of the sign-ins under way.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
AT_ONCE: Final = 4
"""Passwords of a process that are checked at the same time; the others wait for some hundredths of a second."""
_turns = threading.BoundedSemaphore(AT_ONCE)


def new_password() -> str:
    """A password to give to somebody: a hundred random bits that are easily typed."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def hashed(password: str, names: Iterable[str] = ()) -> str:
    """How a password is kept; PeopleError when it is too short, too long, or what everybody tries first: one of the
    most common, or one of `names` (the account's own, the shop's), whatever digits and signs are around it."""
    if len(password) < SHORTEST:
        raise AccountError(
            "short", f"the password has {len(password)} characters: take at least {SHORTEST}, a few words are best"
        )
    if len(password) > LONGEST:
        raise AccountError("long", f"the password has {len(password)} characters: take at most {LONGEST}")
    if _is_common(password):
        raise AccountError("common", "the password is one that everybody tries first: take a few words of your own")
    known = {_bare(part) for name in names for part in (name, *name.split())} - {""}
    if _bare(password) in known:
        raise AccountError(
            "own_name", "the password is the name of the account or the shop: take a few words of your own"
        )
    return _hasher.hash(_bytes(password))


def verified(digest: str, password: str) -> bool:
    """Whether this is the password; takes as long for a wrong one."""
    try:
        with _turns:
            return len(password) <= LONGEST and _hasher.verify(digest, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


@functools.cache
def decoy() -> str:
    """A hash that no password has, to be compared where there is no account: as much work as a real one."""

    def text(size: int) -> str:
        return base64.b64encode(secrets.token_bytes(size)).decode("ascii").rstrip("=")

    made = _hasher
    cost = f"m={made.memory_cost},t={made.time_cost},p={made.parallelism}"
    return f"$argon2id$v=19${cost}${text(made.salt_len)}${text(made.hash_len)}"


def _is_common(password: str) -> bool:
    plain, bare = key_of(password), _bare(password)
    if len(set(plain)) < _VARIETY or plain in _common():
        return True
    return len(bare) >= _VARIETY and (bare in _HERE or bare in _common())


@functools.cache
def _common() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # a megabyte, needed when a password is set

    return frozenset(FREQUENCY_LISTS["passwords"])


def _bare(text: str) -> str:
    """A password or a name without the digits and signs around its letters, and without blanks."""
    return re.sub(r"^[\W\d_]+|[\W\d_]+$|\s", "", key_of(text))


# What no keyboard can type, a lone surrogate, may still come over HTTP.
def _bytes(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
