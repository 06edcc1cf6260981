"""Accounts, roles, passwords and tokens."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from botkit import people
from botkit.people import PeopleError
from botkit.store import Store, agent_table, agent_token_table

GOOD = "copper pan and cezve"


@pytest.fixture
def store(tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path}/record.db")
    store.migrate()
    yield store
    store.close()


def test_the_right_password_opens_the_account(store: Store) -> None:
    mina = people.add_agent(store, "Mina", "agent", GOOD)
    assert (mina.name, mina.role, mina.disabled) == ("Mina", "agent", False)
    assert people.authenticate(store, "Mina", GOOD) == mina
    assert people.authenticate(store, "Mina", GOOD + "!") is None
    assert people.authenticate(store, "Nima", GOOD) is None
    assert people.agent(store, mina.id) == mina
    assert people.agent(store, mina.id + 1) is None


@pytest.mark.parametrize(
    ("name", "typed"), [("Mina", "mINA "), ("İpek", "ipek"), ("IŞIK", "ışık"), ("مینا", "مینا"), ("Мина", "мина")]
)
def test_a_name_is_found_whatever_its_case(store: Store, name: str, typed: str) -> None:
    people.add_agent(store, name, "agent", GOOD)
    found = people.authenticate(store, typed, GOOD)
    assert found is not None
    assert found.name == name


def test_a_name_is_given_once(store: Store) -> None:
    people.add_agent(store, "Mina", "agent", GOOD)
    with pytest.raises(PeopleError, match=r"already somebody called 'MINA'"):
        people.add_agent(store, "MINA", "admin", GOOD)


@pytest.mark.parametrize("name", ["", " ", "-mina", "mi\nna", "mi:na", "x" * 65, "mina\u202e"])
def test_a_name_that_could_mislead_is_refused(store: Store, name: str) -> None:
    with pytest.raises(PeopleError, match="cannot be a name"):
        people.add_agent(store, name, "agent", GOOD)


def test_an_unknown_role_and_a_bad_password_are_refused_with_the_cure(store: Store) -> None:
    with pytest.raises(PeopleError, match=r"'boss'.*agent, supervisor, editor, analyst, admin"):
        people.add_agent(store, "Mina", "boss", GOOD)
    with pytest.raises(PeopleError, match="has 7 characters: take at least 8"):
        people.add_agent(store, "Mina", "agent", "1234567")
    with pytest.raises(PeopleError, match="at most 256"):
        people.add_agent(store, "Mina", "agent", "x" * 257)
    assert people.agents(store) == []


def test_hostile_texts_are_wrong_passwords_and_names_not_errors(store: Store) -> None:
    people.add_agent(store, "Mina", "agent", GOOD)
    for text in ("", "\x00", "\ud800", "x" * 100_000, "' OR 1=1 --"):
        assert people.authenticate(store, "Mina", text) is None
        assert people.authenticate(store, text, GOOD) is None
        assert people.agent_by_token(store, text) is None


def test_a_new_password_ends_the_old_one_and_its_sessions(store: Store) -> None:
    before = people.add_agent(store, "Mina", "agent", GOOD)
    after = people.set_password(store, "mina", "another good one")
    assert after.stamp != before.stamp
    assert people.authenticate(store, "Mina", GOOD) is None
    assert people.authenticate(store, "Mina", "another good one") == after
    with pytest.raises(PeopleError, match="nobody called 'Nima'"):
        people.set_password(store, "Nima", GOOD)


def test_a_closed_account_opens_nothing_until_it_is_opened_again(store: Store) -> None:
    before = people.add_agent(store, "Mina", "supervisor", GOOD)
    token = people.issue_token(store, "Mina")
    closed = people.disable(store, "Mina")
    assert closed.disabled
    assert closed.stamp != before.stamp
    assert not closed.may("desk")
    assert people.authenticate(store, "Mina", GOOD) is None
    assert people.agent_by_token(store, token) is None
    with pytest.raises(PeopleError, match="closed"):
        people.issue_token(store, "Mina")
    opened = people.enable(store, "Mina")
    assert people.authenticate(store, "Mina", GOOD) == opened
    assert people.agent_by_token(store, token) == opened


def test_a_token_names_its_agent_until_it_is_revoked(store: Store) -> None:
    mina = people.add_agent(store, "Mina", "agent", GOOD)
    one, two = people.issue_token(store, "Mina"), people.issue_token(store, "Mina")
    assert one != two
    assert people.agent_by_token(store, one) == people.agent_by_token(store, two) == mina
    assert people.revoke_tokens(store, "Mina") == 2
    assert people.agent_by_token(store, one) is None


def test_the_database_holds_nothing_that_opens_an_account(store: Store) -> None:
    people.add_agent(store, "Mina", "agent", GOOD)
    token = people.issue_token(store, "Mina")
    with store.read() as conn:
        kept = repr(conn.execute(sa.select(agent_table)).all()) + repr(conn.execute(sa.select(agent_token_table)).all())
    assert "$argon2id$" in kept
    assert GOOD not in kept
    assert token not in kept


def test_roles_allow_what_they_are_for() -> None:
    def allowed(role: str) -> set[str]:
        agent = people.Agent(1, "Mina", role, 1, False)
        return {what for what in ("desk", "overrule", "report", "people") if agent.may(what)}

    assert {role: allowed(role) for role in people.ROLES} == {
        "agent": {"desk"},
        "supervisor": {"desk", "overrule", "report"},
        "editor": {"report"},
        "analyst": {"report"},
        "admin": {"desk", "overrule", "report", "people"},
    }


def test_a_conversation_token_matches_its_own_hash_alone() -> None:
    (one, hash_one), (two, hash_two) = people.new_token(), people.new_token()
    assert one != two
    assert one not in hash_one
    assert people.matches(one, hash_one)
    assert people.matches(two, hash_two)
    assert not people.matches(one, hash_two)
    assert not people.matches("\ud800", hash_one)
