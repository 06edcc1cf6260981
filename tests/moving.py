"""A clock that tests move by hand."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Time for `Store(clock=...)` that stands still until `forward`; from a Friday at noon on, when shops are open."""

    def __init__(self, now: datetime = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float = 0.0, **span: float) -> datetime:
        """Move it on by seconds, or by what `timedelta` takes."""
        self.now += timedelta(seconds=seconds, **span)
        return self.now
