"""A clock that tests move by hand."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Time for `Store(clock=...)`; it stands still until `forward`."""

    def __init__(self, at: datetime = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
