"""Settings for tests: nobody is kept waiting by a limit."""

from __future__ import annotations

from typing import Any

from botkit.config import Settings


def quiet(**changes: Any) -> Settings:
    """The usual settings with the limits that count by address switched off, and what a test changes."""
    off = {"requests_per_minute": 0, "rate_per_minute": 0, "conversations_per_hour": 0, "logins_per_minute": 0}
    return Settings(**(off | changes))
