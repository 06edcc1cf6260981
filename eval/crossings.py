"""What one request goes through: files of the package, calls between them, statements and transactions.

    python eval/crossings.py --index indexes/lalezar [--json FILE]

A customer's question (POST .../messages) and an agent's page of a ticket that has been handed over, each asked once to
warm up and then once more to be counted, on an SQLite file of its own. A crossing is a call from one file of botkit
into another one.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import sqlalchemy as sa

import botkit
from botkit import accounts
from botkit.config import Settings
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store
from eval import common

PACKAGE = str(Path(botkit.__file__).parent) + "/"
PASSWORD = "a tray of tulip glasses"
QUIET = Settings(rate_per_minute=0, requests_per_minute=0, conversations_per_hour=0, logins_per_minute=0)


class Counted:
    """What happened while it counted."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.crossings: Counter[tuple[str, str]] = Counter()
        self.statements: list[str] = []
        self.transactions = 0

    def called(self, frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if event != "call" or not name.startswith(PACKAGE):
            return
        self.files.add(name)
        before = frame.f_back
        while before is not None and not before.f_code.co_filename.startswith(PACKAGE):
            before = before.f_back  # through a library and back
        if before is not None and before.f_code.co_filename != name:
            self.crossings[before.f_code.co_filename, name] += 1

    def row(self, what: str) -> list[Any]:
        return [what, len(self.files), self.crossings.total(), len(self.statements), self.transactions]


@contextmanager
def counting() -> Iterator[Counted]:
    """Count in this thread."""
    counted = Counted()

    def executed(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            counted.statements.append(statement)

    def begun(conn: Any) -> None:
        counted.transactions += 1

    hooks: dict[str, Callable[..., None]] = {"after_cursor_execute": executed, "begin": begun}
    for name, hook in hooks.items():
        sa.event.listen(sa.Engine, name, hook)
    sys.setprofile(counted.called)
    try:
        yield counted
    finally:
        sys.setprofile(None)
        for name, hook in hooks.items():
            sa.event.remove(sa.Engine, name, hook)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=common.ROOT / "indexes" / "lalezar", help="index folder")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="botkit-crossings-") as folder:
        store = Store(f"sqlite:///{folder}/botkit.db")
        store.migrate()
        with closing(store):
            asked, shown = question(options.index, store), ticket_page(options.index, store)
            result = {"a question": asked, "a ticket's page": shown}
    print(common.machine("sqlalchemy", "flask") + "\n")
    print(
        common.table(
            ["request", "files", "crossings", "statements", "transactions"], [f.row(w) for w, f in result.items()]
        )
    )
    if options.json:
        rows = {
            what: dict(zip(("files", "crossings", "statements", "transactions"), f.row(what)[1:], strict=True))
            for what, f in result.items()
        }
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def question(index: Path, store: Store) -> Counted:
    """One message of a customer, answered."""
    client = create_app(index=Live(index), store=store, settings=QUIET).test_client()
    details = client.post("/api/v1/conversations", json={"lang": "en"}).get_json()
    headers = {"Authorization": f"Bearer {details['token']}"}

    def say(number: int) -> None:
        body = {"client_id": f"c-{number}", "text": "How do I send something back?"}
        answer = client.post(f"/api/v1/conversations/{details['id']}/messages", json=body, headers=headers)
        assert answer.status_code == 200, answer.text

    say(1)
    with counting() as result:
        say(2)
    return result


def ticket_page(index: Path, store: Store) -> Counted:
    """The page of a claimed ticket, as its agent sees it."""
    app = create_app(index=Live(index), store=store, settings=QUIET)
    accounts.add_agent(store, "Mina", "agent", PASSWORD)
    customer, agent = app.test_client(), app.test_client()
    details = customer.post("/api/v1/conversations", json={"lang": "en"}).get_json()
    headers = {"Authorization": f"Bearer {details['token']}"}
    for number, text in enumerate(("Where is my order?", "can I talk to a person")):
        body = {"client_id": f"c-{number}", "text": text}
        customer.post(f"/api/v1/conversations/{details['id']}/messages", json=body, headers=headers)
    agent.post("/desk/login", data={"name": "Mina", "password": PASSWORD})
    agent.post("/desk/tickets/1/claim")

    def look() -> None:
        answer = agent.get("/desk/tickets/1")
        assert answer.status_code == 200, answer.text

    look()
    with counting() as result:
        look()
    return result


if __name__ == "__main__":
    main()
