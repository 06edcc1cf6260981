"""An agent's account, its roles and rights, and how a change of it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


class AccountError(Exception):
    """An account cannot be made or changed like this; the text says why and what to do. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


ROLES: Final = ("agent", "supervisor", "editor", "analyst", "admin")

MAY: Final = {
    "desk": ("agent", "supervisor", "admin"),  # see the queue, claim, write, close
    "overrule": ("supervisor", "admin"),  # release, transfer or close what another agent holds
    "overview": ("supervisor", "analyst", "admin"),  # see the whole desk at a glance; what customers wrote is not in it
    "report": ("supervisor", "editor", "analyst", "admin"),
    "audit": ("supervisor", "admin"),  # read who did and saw what
    "people": ("admin",),  # accounts, and what waits to be delivered
}
"""What each role may; the page of accounts and docs/agents.md show this table."""

SCOPES: Final = ("read", "answer", "full")
"""What a token allows of what its agent's role does: to look, to take and answer and close, everything."""
_SCOPED: Final = ("desk", "overview")  # what the narrower ones leave of the rights


@dataclass(frozen=True)
class Agent:
    """A member of the team. `stamp` changes with the account. `must_change`: the password was given by somebody else.
    `scope` and `token` are of the token that the agent came with, if it was one."""

    id: int
    name: str
    role: str
    stamp: int
    disabled: bool
    must_change: bool = False
    second_factor: bool = False
    scope: str = field(default="full", compare=False)
    token: int | None = field(default=None, compare=False)

    def may(self, what: str) -> bool:
        """Whether role and scope allow `desk`, `overrule` or another right of MAY; a closed account may nothing."""
        return not self.disabled and self.role in MAY[what] and (self.scope == "full" or what in _SCOPED)

    @property
    def may_write(self) -> bool:
        """Whether the scope allows to change anything."""
        return self.scope != "read"
