"""How the record fails."""

from __future__ import annotations


class StoreError(Exception):
    """The database cannot be used as it is; the text says which one, why, and what to do."""


class KeysError(StoreError):
    """The key file is not there, cannot be read, or is not the one that this database was used with."""
