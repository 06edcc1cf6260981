"""Accounts, roles, passwords and tokens."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from moving import Clock

from botkit import accounts
from botkit.accounts import AccountError, passwords
from botkit.store import Store, agent_table, agent_token_table

pytestmark = pytest.mark.databases("sqlite", "postgresql")

GOOD = "copper pan and cezve"


@pytest.fixture
def store(database: str):
    store = Store(database)
    yield store
    store.close()


def test_the_right_password_opens_the_account(store: Store) -> None:
    mina = accounts.add_agent(store, "Mina", "agent", GOOD)
    assert (mina.name, mina.role, mina.disabled) == ("Mina", "agent", False)
    assert accounts.authenticate(store, "Mina", GOOD) == mina
    assert accounts.authenticate(store, "Mina", GOOD + "!") is None
    assert accounts.authenticate(store, "Nima", GOOD) is None
    assert accounts.agent(store, mina.id) == mina
    assert accounts.agent(store, mina.id + 1) is None


@pytest.mark.parametrize(
    ("name", "typed"), [("Mina", "mINA "), ("İpek", "ipek"), ("IŞIK", "ışık"), ("مینا", "مینا"), ("Мина", "мина")]
)
def test_a_name_is_found_whatever_its_case(store: Store, name: str, typed: str) -> None:
    accounts.add_agent(store, name, "agent", GOOD)
    result = accounts.authenticate(store, typed, GOOD)
    assert result is not None
    assert result.name == name


def test_a_name_is_given_once(store: Store) -> None:
    accounts.add_agent(store, "Mina", "agent", GOOD)
    with pytest.raises(AccountError, match=r"already somebody called 'MINA'"):
        accounts.add_agent(store, "MINA", "admin", GOOD)


@pytest.mark.parametrize("name", ["", " ", "-mina", "mi\nna", "mi:na", "x" * 65, "mina\u202e"])
def test_a_name_that_could_mislead_is_refused(store: Store, name: str) -> None:
    with pytest.raises(AccountError, match="cannot be a name"):
        accounts.add_agent(store, name, "agent", GOOD)


def test_an_unknown_role_and_a_bad_password_are_refused_with_the_cure(store: Store) -> None:
    with pytest.raises(AccountError, match=r"'boss'.*agent, supervisor, editor, analyst, admin"):
        accounts.add_agent(store, "Mina", "boss", GOOD)
    with pytest.raises(AccountError, match="has 7 characters: take at least 8"):
        accounts.add_agent(store, "Mina", "agent", "1234567")
    with pytest.raises(AccountError, match="at most 256"):
        accounts.add_agent(store, "Mina", "agent", "x" * 257)
    assert accounts.agents(store) == []


def test_hostile_texts_are_wrong_passwords_and_names_not_errors(store: Store) -> None:
    accounts.add_agent(store, "Mina", "agent", GOOD)
    for text in ("", "\x00", "\ud800", "x" * 100_000, "' OR 1=1 --"):
        assert accounts.authenticate(store, "Mina", text) is None
        assert accounts.authenticate(store, text, GOOD) is None
        assert accounts.agent_by_token(store, text) is None


def test_a_few_passwords_at_a_time_are_checked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes 19 MiB for as long as it lasts."""
    accounts.add_agent(store, "Mina", "agent", GOOD)
    hasher, most, now, lock = passwords._hasher, 0, 0, threading.Lock()

    class Watched:
        def verify(self, digest: str, password: bytes) -> bool:
            nonlocal most, now
            with lock:
                now += 1
                most = max(most, now)
            try:
                return hasher.verify(digest, password)
            finally:
                with lock:
                    now -= 1

    monkeypatch.setattr(passwords, "_hasher", Watched())
    with ThreadPoolExecutor(4 * passwords.AT_ONCE) as pool:
        result = list(pool.map(lambda _: accounts.authenticate(store, "Mina", GOOD), range(4 * passwords.AT_ONCE)))
    assert all(result)
    assert 1 < most <= passwords.AT_ONCE


def test_a_new_password_ends_the_old_one_and_its_sessions(store: Store) -> None:
    before = accounts.add_agent(store, "Mina", "agent", GOOD)
    after = accounts.set_password(store, "mina", "another good one")
    assert after.stamp != before.stamp
    assert accounts.authenticate(store, "Mina", GOOD) is None
    assert accounts.authenticate(store, "Mina", "another good one") == after
    with pytest.raises(AccountError, match="no account called 'Nima'"):
        accounts.set_password(store, "Nima", GOOD)


def test_a_closed_account_opens_nothing_until_it_is_opened_again(store: Store) -> None:
    before = accounts.add_agent(store, "Mina", "supervisor", GOOD)
    token = accounts.issue_token(store, "Mina")
    closed = accounts.disable(store, "Mina")
    assert closed.disabled
    assert closed.stamp != before.stamp
    assert not closed.may("desk")
    assert accounts.authenticate(store, "Mina", GOOD) is None
    assert accounts.agent_by_token(store, token) is None
    with pytest.raises(AccountError, match="closed"):
        accounts.issue_token(store, "Mina")
    opened = accounts.enable(store, "Mina")
    assert accounts.authenticate(store, "Mina", GOOD) == opened
    assert accounts.agent_by_token(store, token) is None  # whoever had it must be given another


def test_a_token_names_its_agent_until_it_is_revoked(store: Store) -> None:
    mina = accounts.add_agent(store, "Mina", "agent", GOOD)
    one, two = accounts.issue_token(store, "Mina"), accounts.issue_token(store, "Mina")
    assert one != two
    assert accounts.agent_by_token(store, one) == accounts.agent_by_token(store, two) == mina
    assert accounts.revoke_tokens(store, "Mina") == 2
    assert accounts.agent_by_token(store, one) is None


def test_the_database_holds_nothing_that_opens_an_account(store: Store) -> None:
    accounts.add_agent(store, "Mina", "agent", GOOD)
    token = accounts.issue_token(store, "Mina")
    with store.read() as conn:
        kept = repr(conn.execute(sa.select(agent_table)).all()) + repr(conn.execute(sa.select(agent_token_table)).all())
    assert "$argon2id$" in kept
    assert GOOD not in kept
    assert token not in kept


def test_roles_allow_what_they_are_for() -> None:
    def allowed(role: str) -> set[str]:
        agent = accounts.Agent(1, "Mina", role, 1, False)
        return {what for what in accounts.MAY if agent.may(what)}

    assert {role: allowed(role) for role in accounts.ROLES} == {
        "agent": {"desk"},
        "supervisor": {"desk", "overrule", "overview", "report", "audit"},
        "editor": {"report"},
        "analyst": {"overview", "report"},
        "admin": {"desk", "overrule", "overview", "report", "audit", "people"},
    }


def test_the_table_of_roles_in_the_documents_is_that_of_the_code() -> None:
    document = (Path(__file__).parent.parent / "docs/agents.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([\w, ]+) \|$", document, re.MULTILINE)
    assert rows == [(what, ", ".join(roles)) for what, roles in accounts.MAY.items()]


def test_a_password_given_by_somebody_else_is_marked_and_ends_by_itself(database: str) -> None:
    clock = Clock()
    store = Store(database, clock=clock)
    value = accounts.new_password()
    assert accounts.add_agent(store, "Mina", "agent", value, temporary=True).must_change
    clock.forward(accounts.TEMPORARY.total_seconds())
    result = accounts.authenticate(store, "Mina", value)
    assert result is not None
    assert result.must_change
    clock.forward(1)
    assert accounts.authenticate(store, "Mina", value) is None
    accounts.set_password(store, "Mina", GOOD)
    clock.forward(365 * 86_400)
    result = accounts.authenticate(store, "Mina", GOOD)
    assert result is not None
    assert not result.must_change
    store.close()


def test_another_role_ends_sessions_begun_in_the_old_one(store: Store) -> None:
    before = accounts.add_agent(store, "Mina", "admin", GOOD)
    after = accounts.set_role(store, "mina", "agent")
    assert (after.role, after.stamp) == ("agent", before.stamp + 1)
    assert accounts.set_role(store, "mina", "agent") == after
    with pytest.raises(AccountError, match="no such role 'boss'"):
        accounts.set_role(store, "mina", "boss")


def test_every_change_of_an_account_is_in_the_audit_log_with_who_did_it(store: Store) -> None:
    boss = accounts.add_agent(store, "Boss", "admin", GOOD)
    accounts.add_agent(store, "Mina", "agent", GOOD, by=boss)
    accounts.set_role(store, "Mina", "editor", by=boss)
    accounts.set_password(store, "Mina", GOOD, temporary=True, by=boss)
    token = accounts.issue_token(store, "Mina")
    accounts.revoke_tokens(store, "Mina", by=boss)
    accounts.disable(store, "Mina", by=boss)
    accounts.enable(store, "Mina", by=boss)
    accounts.end_sessions(store, "Mina", by=boss)
    accounts.unlock(store, "Mina", by=boss)
    with pytest.raises(AccountError):
        accounts.set_password(store, "Mina", "short", by=boss)
    lines = accounts.audited(store, target="agent:Mina")
    assert [(line.actor, line.action, line.detail) for line in reversed(lines)] == [
        ("agent:Boss", "account.added", {"role": "agent"}),
        ("agent:Boss", "account.role", {"before": "agent", "role": "editor"}),
        ("agent:Boss", "account.password", {"temporary": True}),
        ("console", "token.issued", {"prefix": token[:9], "scope": "full", "days": 365}),
        ("agent:Boss", "token.revoked", {"tokens": 1}),
        ("agent:Boss", "account.disabled", {}),
        ("agent:Boss", "account.enabled", {}),
        ("agent:Boss", "account.sessions_ended", {"sessions": 0}),
        ("agent:Boss", "account.unlocked", {}),
    ]
    assert {line.action for line in lines} <= set(accounts.ACTIONS)


def test_the_audit_log_stands_and_falls_with_what_it_tells(store: Store) -> None:
    mina = accounts.add_agent(store, "Mina", "agent", GOOD)
    with pytest.raises(RuntimeError), store.write() as conn:  # noqa: PT012 - the block is what is tested
        accounts.audit(store, conn, mina, "export", "labels")
        raise RuntimeError
    assert accounts.audited(store, action="export") == []


def test_the_audit_log_is_read_in_pages_by_actor_action_and_time(database: str) -> None:
    clock = Clock()
    store = Store(database, clock=clock)
    mina = accounts.add_agent(store, "Mina", "agent", GOOD)
    for n in range(5):
        clock.forward(60)
        with store.write() as conn:
            accounts.audit(store, conn, mina if n % 2 else None, "export", f"report {n}")
    first = accounts.audited(store, action="export", limit=2)
    second = accounts.audited(store, action="export", limit=2, before=first[-1].id)
    assert [line.target for line in first + second] == ["report 4", "report 3", "report 2", "report 1"]
    assert [line.target for line in accounts.audited(store, actor="agent:Mina")] == ["report 3", "report 1"]
    assert [line.target for line in accounts.audited(store, since=first[1].at)] == ["report 4", "report 3"]
    store.close()


def test_a_ticket_left_open_on_a_screen_is_noted_once_an_hour(database: str) -> None:
    clock = Clock()
    store = Store(database, clock=clock)
    mina, nima = (accounts.add_agent(store, name, "agent", GOOD) for name in ("Mina", "Nima"))
    for _ in range(3):
        accounts.audit_read(store, mina, "ticket:1")
    accounts.audit_read(store, mina, "ticket:2")
    accounts.audit_read(store, nima, "ticket:1")
    assert len(accounts.audited(store, action="ticket.read")) == 3
    clock.forward(3600)
    accounts.audit_read(store, mina, "ticket:1")
    assert len(accounts.audited(store, action="ticket.read")) == 4
    store.close()


def test_a_conversation_token_matches_its_own_hash_alone() -> None:
    (one, hash_one), (two, hash_two) = accounts.new_token(), accounts.new_token()
    assert one != two
    assert one not in hash_one
    assert accounts.matches(one, hash_one)
    assert accounts.matches(two, hash_two)
    assert not accounts.matches(one, hash_two)
    assert not accounts.matches("\ud800", hash_one)
