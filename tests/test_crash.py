"""A real server in a race and under kill -9: a few rounds of what `eval/race.py` and `eval/crash.py` do at length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from botkit.store import Store, event_table, ticket_table
from eval import crash, race

# The newest ticket of all is the newest of its conversation: whatever its state, it may be open. (An older one may be
# closed and have a successor, and two open tickets the database refuses.)
_tickets = ticket_table.alias()
NEWEST = ticket_table.c.id == sa.select(sa.func.max(_tickets.c.id)).scalar_subquery()


@pytest.fixture(scope="module")
def killed(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, crash.Found]:
    """A folder with the record of a server that was killed eight times, and what was found."""
    folder = tmp_path_factory.mktemp("crash")
    return folder, crash.crash(folder, index_folder, rounds=8)


@pytest.fixture
def record(killed: tuple[Path, crash.Found]) -> Iterator[Store]:
    opened = Store(f"sqlite:///{killed[0] / 'shop.db'}")
    yield opened
    opened.close()


def test_each_of_200_tickets_has_one_winner_and_every_loser_is_told_who(index_folder: Path, tmp_path: Path) -> None:
    result = race.race(tmp_path, index_folder, tickets=200, agents=8, pages=10)
    assert result.problems == []
    assert sum(result.won.values()) == 200
    assert result.double == 0
    assert result.losers == result.told == 7 * 200


def test_a_server_killed_at_any_moment_keeps_what_it_acknowledged(killed: tuple[Path, crash.Found]) -> None:
    """Nothing lost, doubled or out of order, no ticket in two hands, every webhook delivered, work done in between."""
    result = killed[1]
    assert result.problems == []
    assert sum(result.rounds.values()) == 8
    assert set(result.rounds) == set(crash.MOMENTS)
    assert result.acknowledged["messages"] > 40
    assert result.acknowledged["changes"] > 5
    assert sum(result.under_way.values()) > 0
    assert result.deliveries > 0


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (sa.delete(event_table).where(event_table.c.client_id == "c0-1"), "was acknowledged as"),
        (sa.update(event_table).where(event_table.c.client_id == "c0-1").values(client_id="c0-99"), "is not what was"),
        (sa.update(ticket_table).where(NEWEST).values(owner="Nobody", state="claimed"), "history ends"),
        (sa.delete(event_table).where(event_table.c.kind == "ticket.claimed"), "not what its conversation tells"),
    ],
    ids=["a message lost", "a message changed", "a state without history", "a change without event"],
)
def test_the_judge_of_the_record_sees(
    killed: tuple[Path, crash.Found], record: Store, harm: sa.Delete | sa.Update, told: str
) -> None:
    """What is done to the record here is undone again, so that the next harm is seen by itself."""
    ledger = killed[1].ledger
    assert crash.judged(record, ledger).problems == []
    with record.write() as conn:
        assert conn.execute(harm).rowcount > 0
        problems = crash.judged_in(conn, ledger).problems
        conn.rollback()
    assert any(told in problem for problem in problems), problems
