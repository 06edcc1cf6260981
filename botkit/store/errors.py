"""How the record fails."""

from __future__ import annotations


class StoreError(Exception):
    """The database cannot be used as it is; the text says which one, why, and what to do."""
