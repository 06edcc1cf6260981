"""What opens an account and for how long: sessions, tokens, passwords nobody guesses, names that mislead nobody."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from moving import Clock

from botkit import accounts
from botkit.accounts import AccountError, Agent, TooManyGuesses
from botkit.store import Store, agent_session_table, agent_token_table

pytestmark = pytest.mark.databases("sqlite", "postgresql")

GOOD = "copper pan and cezve"
LIFE, IDLE = timedelta(hours=12), timedelta(hours=2)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
OFFICE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: str, clock: Clock) -> Iterator[Store]:
    store = Store(database, clock=clock)
    yield store
    store.close()


@pytest.fixture
def mina(store: Store) -> Agent:
    return accounts.add_agent(store, "Mina", "admin", GOOD)


def begin(store: Store, agent: Agent, **more: bool) -> str:
    return accounts.begin_session(store, agent, FIREFOX, LIFE, **more)


def opens(store: Store, text: str) -> bool:
    return accounts.session_of(store, text, IDLE) is not None


# ---------------------------------------------------------------- sessions


def test_a_session_is_its_browser_s_and_is_kept_as_a_hash(store: Store, mina: Agent) -> None:
    text = begin(store, mina)
    result = accounts.session_of(store, text, IDLE)
    assert result is not None
    session, whose = result
    assert whose == mina
    assert (session.browser, session.system, session.half) == ("Firefox", "Linux", False)
    with store.read() as conn:
        assert text not in repr(conn.execute(sa.select(agent_session_table)).all())
    for other in ("", text[:-1], text + "x", text.swapcase(), "\x00", "\ud800", "' OR 1=1 --"):
        assert not opens(store, other)


def test_a_session_ends_after_a_time_without_use_and_in_any_case_in_the_end(
    store: Store, clock: Clock, mina: Agent
) -> None:
    used, unused = begin(store, mina), begin(store, mina)
    for _ in range(11):
        clock.forward(3600)
        result = accounts.session_of(store, used, IDLE)
        assert result is not None
        accounts.note_seen(store, result[0])
    assert not opens(store, unused)
    clock.forward(3599)
    assert opens(store, used)
    clock.forward(1)
    assert not opens(store, used)


def test_what_was_signed_out_of_opens_nothing_and_the_others_go_on(store: Store, mina: Agent) -> None:
    one, two = begin(store, mina), begin(store, mina)
    result = accounts.session_of(store, one, IDLE)
    assert result is not None
    accounts.sign_out(store, *result)
    assert (opens(store, one), opens(store, two)) == (False, True)
    assert [line.action for line in accounts.audited(store, limit=1)] == ["sign_out"]


CHANGES: dict[str, Callable[[Store, str], object]] = {
    "disable": accounts.disable,
    "password": lambda store, name: accounts.set_password(store, name, "another good one"),
    "role": lambda store, name: accounts.set_role(store, name, "agent"),
    "factor": accounts.factor_off,
    "everywhere": accounts.end_sessions,
}


@pytest.mark.parametrize("how", CHANGES)
def test_what_changes_an_account_ends_its_sessions_and_nobody_else_s(store: Store, mina: Agent, how: str) -> None:
    ali = accounts.add_agent(store, "Ali", "agent", GOOD)
    mine, theirs = begin(store, mina), begin(store, ali)
    CHANGES[how](store, "Mina")
    assert (opens(store, mine), opens(store, theirs)) == (False, True)
    if how == "disable":
        accounts.enable(store, "Mina")
        assert not opens(store, mine)


@pytest.mark.parametrize("how", CHANGES)
def test_a_sign_in_under_way_opens_nothing_when_the_account_is_changed_before_its_end(
    store: Store, mina: Agent, how: str
) -> None:
    """The password was right when it was looked at."""
    result = accounts.authenticate(store, "Mina", GOOD)
    assert result is not None
    CHANGES[how](store, "Mina")
    with pytest.raises(AccountError) as refused:
        begin(store, result)
    assert refused.value.code == "changed"


def at_once(*works: Callable[[], object]) -> None:
    """Do these at the same time; what is refused with PeopleError is so."""
    start = threading.Barrier(len(works))

    def do(work: Callable[[], object]) -> None:
        start.wait()
        with contextlib.suppress(AccountError):
            work()

    threads = [threading.Thread(target=do, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_no_session_slips_through_while_all_are_ended(store: Store, mina: Agent) -> None:
    for _ in range(20):
        now, begun = accounts.agent(store, mina.id), list[str]()
        assert now is not None
        at_once(lambda: begun.append(begin(store, now)), lambda: accounts.end_sessions(store, "Mina"))  # noqa: B023
        assert not any(opens(store, text) for text in begun)


def test_of_two_admins_who_demote_each_other_one_is_left(store: Store) -> None:
    for n in range(10):
        one, two = (accounts.add_agent(store, f"{name} {n}", "admin", GOOD) for name in ("Mina", "Ali"))
        at_once(
            lambda: accounts.set_role(store, one.name, "agent", by=two),  # noqa: B023
            lambda: accounts.disable(store, two.name, by=one),  # noqa: B023
        )
        left = [accounts.agent(store, each.id) for each in (one, two)]
        assert sum(agent is not None and agent.may("people") for agent in left) == 1


def test_who_was_changed_meanwhile_changes_nobody(store: Store, mina: Agent) -> None:
    ali = accounts.add_agent(store, "Ali", "agent", GOOD)
    accounts.set_password(store, "Mina", "another good one")
    asks: list[Callable[[], object]] = [
        lambda: accounts.add_agent(store, "Sara", "admin", GOOD, by=mina),
        lambda: accounts.set_password(store, "Mina", "a third good one", by=mina),
        lambda: accounts.set_password(store, "Ali", "a third good one", by=mina),
        lambda: accounts.set_role(store, "Ali", "admin", by=mina),
        lambda: accounts.disable(store, "Ali", by=mina),
        lambda: accounts.enable(store, "Ali", by=mina),
        lambda: accounts.end_sessions(store, "Ali", by=mina),
        lambda: accounts.end_session(store, ali, 1, by=mina),
        lambda: accounts.unlock(store, "Ali", by=mina),
        lambda: accounts.factor_off(store, "Ali", by=mina),
        lambda: accounts.issue_token(store, "Ali", by=mina),
        lambda: accounts.revoke_token(store, ali, 1, by=mina),
        lambda: accounts.revoke_tokens(store, "Ali", by=mina),
    ]
    before = len(accounts.audited(store))
    for ask in asks:
        with pytest.raises(AccountError) as refused:
            ask()
        assert refused.value.code == "changed"
    assert len(accounts.audited(store)) == before
    assert [each.name for each in accounts.agents(store)] == ["Ali", "Mina"]


def test_who_chooses_a_password_of_their_own_takes_another_one(store: Store, mina: Agent) -> None:
    """Else the one that an admin has seen stays."""
    ali = accounts.add_agent(store, "Ali", "agent", GOOD, temporary=True, by=mina)
    with pytest.raises(AccountError) as refused:
        accounts.set_password(store, "ali", GOOD, by=ali)
    assert refused.value.code == "same"
    assert accounts.set_password(store, "ali", "another good one", by=ali).must_change is False


def test_one_s_sessions_are_listed_and_one_of_them_is_ended(store: Store, clock: Clock, mina: Agent) -> None:
    ali = accounts.add_agent(store, "Ali", "agent", GOOD)
    begin(store, mina, half=True)  # not signed in yet: not listed
    first = begin(store, mina)
    clock.forward(60)
    second = begin(store, mina)
    listed = accounts.sessions(store, mina, IDLE)
    assert len(listed) == 2
    assert listed[0].made_at > listed[1].made_at
    assert not accounts.end_session(store, ali, listed[1].id)  # not Ali's to end
    assert accounts.end_session(store, mina, listed[1].id, by=mina)
    assert not accounts.end_session(store, mina, listed[1].id, by=mina)
    assert (opens(store, first), opens(store, second)) == (False, True)
    accounts.end_sessions(store, "Mina", but=listed[0].id)
    assert opens(store, second)


def test_a_password_without_its_code_counts_for_ten_minutes(store: Store, clock: Clock, mina: Agent) -> None:
    text = begin(store, mina, half=True)
    result = accounts.session_of(store, text, IDLE)
    assert result is not None
    assert result[0].half
    clock.forward(accounts.HALF.total_seconds())
    assert not opens(store, text)


def test_sessions_that_ended_long_ago_are_forgotten(store: Store, clock: Clock, mina: Agent) -> None:
    for _ in range(3):
        begin(store, mina)
    clock.forward(timedelta(days=31).total_seconds())
    begin(store, mina)
    with store.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(agent_session_table)).scalar() == 1


def test_what_the_next_page_says_is_said_once_and_never_piles_up(store: Store, mina: Agent) -> None:
    text = begin(store, mina)

    def session() -> accounts.Session:
        result = accounts.session_of(store, text, IDLE)
        assert result is not None
        return result[0]

    for n in range(9):
        accounts.tell(store, session(), f"said {n}")
    assert accounts.take_told(store, session()) == tuple(f"said {n}" for n in range(4, 9))
    assert accounts.take_told(store, session()) == ()


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (FIREFOX, ("Firefox", "Linux")),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19 like Mac OS X) Version/19.0 Mobile Safari/604.1", ("Safari", "iPhone")),
        ("Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/143.0 Safari/537.36 Edg/143.0", ("Edge", "Windows")),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/143.0 Mobile Safari/537.36", ("Chrome", "Android")),
        ("curl/8.0", ("", "")),
        ("", ("", "")),
        ("\x00<script>", ("", "")),
    ],
)  # fmt: skip
def test_a_session_is_known_by_browser_and_system(
    store: Store, mina: Agent, user_agent: str, expected: tuple[str, str]
) -> None:
    accounts.begin_session(store, mina, user_agent, LIFE)
    listed = accounts.sessions(store, mina, IDLE)
    assert [(each.browser, each.system) for each in listed] == [expected]


# ---------------------------------------------------------------- tokens


def test_a_token_has_a_name_a_scope_an_end_and_a_last_use(store: Store, clock: Clock, mina: Agent) -> None:
    token = accounts.issue_token(store, "Mina", label=" warehouse\n display ", scope="read", days=30)
    (listed,) = accounts.tokens(store, mina)
    assert (listed.name, listed.scope, listed.used_at) == ("warehouse display", "read", None)
    assert token.startswith(listed.prefix)
    assert listed.expires_at == store.now() + timedelta(days=30)
    assert accounts.agent_by_token(store, token) == mina
    assert accounts.tokens(store, mina)[0].used_at == store.now()
    clock.forward(timedelta(days=30).total_seconds())
    assert accounts.agent_by_token(store, token) is None
    assert len(accounts.tokens(store, mina)) == 1  # over, and still to be seen
    with store.read() as conn:
        assert token not in repr(conn.execute(sa.select(agent_token_table)).all())


def test_a_token_s_name_is_kept_as_it_is_read(store: Store, mina: Agent) -> None:
    """With the joiner that divides Persian words, without what would turn a line around."""
    for label in ("نمایش\u200cگر انبار", "\u202eyalpsid\u2069\0", "\u200c"):
        accounts.issue_token(store, "Mina", label=label)
    assert [each.name for each in accounts.tokens(store, mina)] == ["", "yalpsid", "نمایش\u200cگر انبار"]


def test_a_scope_allows_less_than_the_role_and_never_more(store: Store, mina: Agent) -> None:
    accounts.add_agent(store, "Ana", "analyst", GOOD)

    def allowed(name: str, scope: str) -> tuple[set[str], bool]:
        result = accounts.agent_by_token(store, accounts.issue_token(store, name, scope=scope))
        assert result is not None
        return {what for what in accounts.MAY if result.may(what)}, result.may_write

    assert allowed("Mina", "full") == (set(accounts.MAY), True)
    assert allowed("Mina", "answer") == ({"desk", "overview"}, True)
    assert allowed("Mina", "read") == ({"desk", "overview"}, False)
    assert allowed("Ana", "answer") == ({"overview"}, True)
    with pytest.raises(AccountError, match="no such scope 'everything': expected one of read, answer, full"):
        accounts.issue_token(store, "Mina", scope="everything")
    for days in (0, -1, accounts.MOST_DAYS + 1):
        with pytest.raises(AccountError, match=f"cannot last {days} days: take 1 to {accounts.MOST_DAYS}"):
            accounts.issue_token(store, "Mina", days=days)


@pytest.mark.parametrize("how", ["password", "disable"])
def test_a_token_ends_with_the_password_and_with_the_account(store: Store, mina: Agent, how: str) -> None:
    token = accounts.issue_token(store, "Mina")
    if how == "password":
        accounts.set_password(store, "Mina", "another good one")
    else:
        accounts.disable(store, "Mina")
        accounts.enable(store, "Mina")
    assert accounts.agent_by_token(store, token) is None
    line = next(each for each in accounts.audited(store, target="agent:Mina") if "tokens" in each.detail)
    assert line.detail["tokens"] == 1


def test_one_token_is_revoked_and_the_others_stay(store: Store, mina: Agent) -> None:
    ali = accounts.add_agent(store, "Ali", "agent", GOOD)
    one, two = (accounts.issue_token(store, "Mina", label=label) for label in ("one", "two"))
    numbers = {each.name: each.id for each in accounts.tokens(store, mina)}
    assert not accounts.revoke_token(store, ali, numbers["one"])
    assert accounts.revoke_token(store, mina, numbers["one"])
    assert not accounts.revoke_token(store, mina, numbers["one"])
    assert accounts.agent_by_token(store, one) is None
    assert accounts.agent_by_token(store, two) == mina


# ---------------------------------------------------------------- passwords and names


@pytest.mark.parametrize(
    "password",
    [
        "password", "Password1", "PASSWORD!!", "password123", "12345678", "123456789", "qwertyuiop", "11111111",
        "aaaaaaaa", "iloveyou", "letmein2024", "sunshine!", "administrator", "admin123", "changeme1", "welcome1",
        "parola123", "Şifre123", "şifrem2026", "SİFRE!!!1", "парола123", "Парола!2026", "пароль12", "كلمةالسر1",
        "رمزعبور۱۲۳", "گذرواژه1", "botkit2026", "ｐａｓｓｗｏｒｄ",
    ],
)  # fmt: skip
def test_what_everybody_tries_first_is_no_password(store: Store, password: str) -> None:
    with pytest.raises(AccountError, match="everybody tries first"):
        accounts.add_agent(store, "Mina", "agent", password)


@pytest.mark.parametrize("password", ["MinaNazari", "mina nazari", "Nazari2026", "lalezar1", "Lalezar Home!"])
def test_neither_is_the_name_of_the_account_or_the_shop(store: Store, password: str) -> None:
    with pytest.raises(AccountError, match="name of the account or the shop"):
        accounts.add_agent(store, "Mina Nazari", "agent", password, shop=["Lalezar Home"])


@pytest.mark.parametrize(
    "password",
    ["copper pan and cezve", "dört bakır tepsi", "سجاد قديم وشاي", "فرش قرمز کنار در", "медна тава и чай",
     "xK9#mP2vQ7wL", "demo-password"],
)  # fmt: skip
def test_words_of_one_s_own_are_taken_in_every_language(store: Store, password: str) -> None:
    accounts.add_agent(store, "Mina", "agent", password)
    assert accounts.authenticate(store, "Mina", password) is not None


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("admin", "аdmin"), ("admin", "ADМIN"), ("Paul", "PauI"), ("Paul", "Pau1"), ("Olga", "0lga"),
        ("Anna", "Аnnа"), ("Mina Nazari", "Mina  Nazari"), ("علی", "علي"), ("کریم", "كريم"),
        ("Ολγα", "Oλγα"), ("scope", "ѕсоре"),
    ],
)  # fmt: skip
def test_a_name_that_would_be_taken_for_another_is_refused(store: Store, name: str, other: str) -> None:
    accounts.add_agent(store, name, "admin", GOOD)
    with pytest.raises(AccountError, match=r"would be taken for|already somebody called"):
        accounts.add_agent(store, other, "agent", GOOD)


def test_names_that_only_resemble_each_other_may_both_work_here(store: Store) -> None:
    for name in ("Berna", "Bema", "Иван", "Ivan", "Ani", "Anı Su", "Марина", "Marina", "علی", "علا", "سارا", "ساره"):
        accounts.add_agent(store, name, "agent", GOOD)
    assert len(accounts.agents(store)) == 12


# ---------------------------------------------------------------- who is kept out, and who is not


def attempt(store: Store, name: str, password: str = "wrong", address: str = OFFICE, device: str = "") -> str:
    """`in`, `wrong`, or what was tried too often."""
    try:
        return "in" if accounts.sign_in(store, name, password, address, device) else "wrong"
    except TooManyGuesses as wait:
        return wait.what


def test_fifty_wrong_names_from_an_office_keep_out_only_who_never_signed_in_there(
    store: Store, clock: Clock, mina: Agent
) -> None:
    accounts.add_agent(store, "Ali", "agent", GOOD)
    accounts.add_agent(store, "Omid", "agent", GOOD)
    assert attempt(store, "Mina", GOOD) == "in"
    assert attempt(store, "Omid", GOOD, address=ELSEWHERE, device="omid's phone") == "in"
    tried = [attempt(store, f"nobody {n}") for n in range(60)]
    assert (tried[0], tried[-1]) == ("wrong", "address")
    assert attempt(store, "Mina", GOOD) == "in"
    assert attempt(store, "Omid", GOOD, device="omid's phone") == "in"
    assert attempt(store, "Ali", GOOD) == "address"
    assert accounts.locks(store).addresses == {OFFICE: pytest.approx(900, abs=900)}
    assert accounts.unlock_address(store, OFFICE)
    assert attempt(store, "Ali", GOOD) == "in"
    assert not accounts.locks(store).addresses


def test_an_account_that_is_unlocked_is_let_in_where_the_address_is_not(store: Store, mina: Agent) -> None:
    for n in range(60):
        attempt(store, f"nobody {n}")
    assert attempt(store, "Mina", GOOD) == "address"
    accounts.unlock(store, "Mina")
    assert attempt(store, "Mina", GOOD) == "in"


def test_a_known_place_waits_for_its_own_guesses(store: Store, mina: Agent) -> None:
    assert attempt(store, "Mina", GOOD, device="hers") == "in"
    assert [attempt(store, "Mina", device="hers") for _ in range(6)] == ["wrong"] * 5 + ["here"]
