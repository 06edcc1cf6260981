"""Guessing at passwords: counted in the database, slower and slower, and no way to keep an owner out."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from moving import Clock

from botkit import accounts
from botkit.accounts import TooManyGuesses
from botkit.store import Store, guess_table

pytestmark = pytest.mark.databases("sqlite", "postgresql")

GOOD = "copper pan and cezve"
OFFICE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: str, clock: Clock) -> Iterator[Store]:
    store = Store(database, clock=clock)
    accounts.add_agent(store, "Mina", "admin", GOOD)
    yield store
    store.close()


def attempt(store: Store, password: str = "wrong", address: str = ELSEWHERE, name: str = "Mina") -> str | int:
    """`in`, `wrong`, or the seconds to wait."""
    try:
        return "in" if accounts.sign_in(store, name, password, address) else "wrong"
    except TooManyGuesses as wait:
        return wait.seconds


def test_five_wrong_tries_make_the_sixth_wait_and_each_later_one_waits_longer(store: Store, clock: Clock) -> None:
    assert [attempt(store) for _ in range(5)] == ["wrong"] * 5
    waits = []
    for _ in range(6):
        wait = attempt(store, GOOD)  # the right password is no way around
        assert isinstance(wait, int)
        waits.append(wait)
        clock.forward(wait)
        assert attempt(store) == "wrong"
    assert waits == [60, 120, 240, 480, 900, 900]


def test_asking_again_while_waiting_makes_it_no_longer(store: Store, clock: Clock) -> None:
    for _ in range(5):
        attempt(store)
    assert [attempt(store) for _ in range(3)] == [60, 60, 60]
    clock.forward(60)
    assert attempt(store, GOOD) == "in"


def test_a_success_forgets_what_was_mistyped(store: Store) -> None:
    for _ in range(3):
        assert [attempt(store) for _ in range(4)] == ["wrong"] * 4
        assert attempt(store, GOOD) == "in"


def test_an_unknown_name_is_refused_just_like_a_known_one(store: Store) -> None:
    known, unknown = ([attempt(store, name=name) for _ in range(8)] for name in ("Mina", "Nobody"))
    assert known == unknown
    assert attempt(store, name=" mINA") == attempt(store, name="nobody ")


def test_guesses_are_counted_across_processes_and_restarts(store: Store) -> None:
    code = """
import sys
from botkit import accounts
from botkit.store import Store
for _ in range(3):
    accounts.sign_in(Store(sys.argv[1], keys=sys.argv[3]), "Mina", "wrong", sys.argv[2])
"""
    keys = store.key_file.path
    store = Store(str(store.url), keys=keys)  # on the real clock, as the other process is
    subprocess.run([sys.executable, "-c", code, store.url.render_as_string(), ELSEWHERE, str(keys)], check=True)
    assert [attempt(store) for _ in range(2)] == ["wrong"] * 2
    assert isinstance(attempt(store), int)
    store.close()


def test_many_tries_at_once_are_no_way_around(store: Store) -> None:
    with ThreadPoolExecutor(12) as threads:
        ends = list(threads.map(lambda n: attempt(store, f"guess {n}"), range(12)))
    assert ends.count("wrong") == 5


def test_nobody_elsewhere_keeps_the_owner_out(store: Store, clock: Clock) -> None:
    """From an address where she signed in before, an admin signs in however much is guessed from others."""
    assert attempt(store, GOOD, OFFICE) == "in"
    for n in range(60):
        attempt(store, address=f"203.0.113.{n}")
    assert isinstance(attempt(store, GOOD, "203.0.113.200"), int)
    assert attempt(store, GOOD, OFFICE) == "in"


@pytest.mark.databases("sqlite")  # two thousand tries
def test_from_many_addresses_one_name_is_guessed_at_slowly(store: Store, clock: Clock) -> None:
    taken = 0
    for n in range(2000):  # a different address each time, every ten seconds: five and a half hours
        taken += attempt(store, address=f"203.0.{n // 250}.{n % 250}") == "wrong"
        clock.forward(10)
    assert 60 < taken < 110


def test_from_one_address_many_names_are_guessed_at_slowly(store: Store) -> None:
    ends = [attempt(store, name=f"name {n}") for n in range(60)]
    assert ends.count("wrong") == 50
    assert attempt(store, GOOD) == 60
    assert attempt(store, GOOD, OFFICE) == "in"


def test_an_admin_or_time_unlocks(store: Store, clock: Clock) -> None:
    for _ in range(5):
        attempt(store)
    assert set(accounts.locks(store).names) == {"Mina"}
    assert accounts.unlock(store, "mina") is True
    assert not accounts.locks(store).names
    assert attempt(store, GOOD) == "in"
    assert accounts.unlock(store, "mina") is False
    for _ in range(5):
        attempt(store)
    clock.forward(86_400)
    assert [attempt(store) for _ in range(5)] == ["wrong"] * 5  # a day later everything is forgiven


def test_an_address_stays_known_when_it_is_unlocked(store: Store) -> None:
    assert attempt(store, GOOD, OFFICE) == "in"
    for _ in range(5):
        attempt(store, address=OFFICE)
    accounts.unlock(store, "Mina")
    for n in range(60):
        attempt(store, address=f"203.0.113.{n}")
    assert attempt(store, GOOD, OFFICE) == "in"


def test_a_new_password_unlocks(store: Store) -> None:
    for _ in range(5):
        attempt(store)
    accounts.set_password(store, "Mina", "another good one")
    assert attempt(store, "another good one") == "in"


def test_neither_names_nor_addresses_are_kept(store: Store, clock: Clock) -> None:
    attempt(store, name="my secret password")
    with store.read() as conn:
        kept = repr(conn.execute(sa.select(guess_table)).all())
    assert ELSEWHERE not in kept
    assert "secret" not in kept
    assert "secret" not in repr(accounts.audited(store))
    clock.forward(8 * 86_400)
    attempt(store, GOOD, OFFICE)
    with store.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(guess_table)).scalar_one() == 3


def test_both_ends_of_a_try_are_in_the_audit_log(store: Store) -> None:
    for _ in range(5):
        attempt(store)
    attempt(store, GOOD)  # refused: not a try
    attempt(store, GOOD, OFFICE)
    attempt(store, name="Nobody", address=OFFICE)
    result = [(line.actor, line.action, line.target, line.detail) for line in accounts.audited(store)]
    assert result[:3] == [
        ("system", "sign_in.failed", "", {"address": OFFICE}),
        ("agent:Mina", "sign_in", "", {"address": OFFICE}),
        ("system", "sign_in.failed", "agent:Mina", {"address": ELSEWHERE, "wait": 60}),
    ]
    assert len(result) == 8  # five wrong, one right, one unknown, and the account made
