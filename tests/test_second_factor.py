"""The second factor: codes by time, each taken once, and recovery codes for a lost phone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import sqlalchemy as sa
from moving import Clock

from botkit import accounts
from botkit.accounts import AccountError, Agent, TooManyGuesses
from botkit.store import Store, recovery_code_table

pytestmark = pytest.mark.databases("sqlite", "postgresql")

GOOD = "copper pan and cezve"
HERE = "192.0.2.1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mina(store: Store) -> Agent:
    return accounts.add_agent(store, "Mina", "admin", GOOD)


def switched_on(store: Store, clock: Clock, agent: Agent) -> tuple[Agent, pyotp.TOTP, list[str]]:
    phone = pyotp.TOTP(accounts.begin_factor(store, agent))
    codes = accounts.confirm_factor(store, agent, phone.at(clock.now))
    assert codes is not None
    clock.forward(30)
    result = accounts.agent(store, agent.id)
    assert result is not None
    return result, phone, codes


def test_it_is_on_only_after_a_code_has_proved_it(store: Store, clock: Clock, mina: Agent) -> None:
    secret = accounts.begin_factor(store, mina)
    assert accounts.pending_factor(store, mina) == secret
    assert accounts.confirm_factor(store, mina, "000000") is None
    result = accounts.sign_in(store, "Mina", GOOD, HERE)
    assert result is not None
    assert not result.second_factor
    codes = accounts.confirm_factor(store, mina, pyotp.TOTP(secret).at(clock.now))
    assert codes is not None
    assert len(set(codes)) == 10
    after = accounts.agent(store, mina.id)
    assert after is not None
    assert (after.second_factor, after.stamp) == (True, mina.stamp + 1)  # other sessions are over
    assert accounts.pending_factor(store, mina) is None
    with pytest.raises(AccountError, match="switch it off first"):
        accounts.begin_factor(store, mina)


def test_a_secret_that_nobody_confirmed_is_gone_after_half_an_hour(store: Store, clock: Clock, mina: Agent) -> None:
    """Or whoever sits down at an open session could take it up."""
    phone = pyotp.TOTP(accounts.begin_factor(store, mina))
    clock.forward(1800)
    assert accounts.pending_factor(store, mina) is None
    assert accounts.confirm_factor(store, mina, phone.at(clock.now)) is None


def test_the_link_fills_an_authenticator_app(store: Store, mina: Agent) -> None:
    secret = accounts.begin_factor(store, mina)
    link = urlsplit(accounts.factor_link(secret, "Mina", "Lalezar"))
    assert (link.scheme, link.netloc, link.path) == ("otpauth", "totp", "/Lalezar:Mina")
    assert parse_qs(link.query) == {"secret": [secret], "issuer": ["Lalezar"]}


def test_a_code_is_taken_once(store: Store, clock: Clock, mina: Agent) -> None:
    mina, phone, _ = switched_on(store, clock, mina)
    code = phone.at(clock.now)
    assert accounts.sign_in_with_code(store, mina, code, HERE)
    assert not accounts.sign_in_with_code(store, mina, code, HERE)
    clock.forward(30)
    assert not accounts.sign_in_with_code(store, mina, code, HERE)
    assert accounts.sign_in_with_code(store, mina, phone.at(clock.now), HERE)


def test_the_code_that_switched_it_on_opens_nothing(store: Store, clock: Clock, mina: Agent) -> None:
    phone = pyotp.TOTP(accounts.begin_factor(store, mina))
    code = phone.at(clock.now)
    accounts.confirm_factor(store, mina, code)
    now = accounts.agent(store, mina.id)
    assert now is not None
    assert not accounts.sign_in_with_code(store, now, code, HERE)


def test_of_many_who_send_one_code_at_once_one_comes_in(store: Store, clock: Clock, mina: Agent) -> None:
    mina, phone, _ = switched_on(store, clock, mina)
    code = phone.at(clock.now)
    with ThreadPoolExecutor(4) as threads:
        ends = list(threads.map(lambda _: accounts.sign_in_with_code(store, mina, code, HERE), range(4)))
    assert sorted(ends) == [False, False, False, True]


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_off(store: Store, clock: Clock, mina: Agent, steps: int, taken: bool) -> None:
    mina, phone, _ = switched_on(store, clock, mina)
    clock.forward(300)
    assert accounts.sign_in_with_code(store, mina, phone.at(clock.now + timedelta(seconds=30 * steps)), HERE) is taken


@pytest.mark.parametrize("digits", ["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"])
def test_a_code_may_be_typed_in_the_digits_of_one_s_language(
    store: Store, clock: Clock, mina: Agent, digits: str
) -> None:
    mina, phone, _ = switched_on(store, clock, mina)
    typed = "".join(digits[int(digit)] for digit in phone.at(clock.now))
    assert accounts.sign_in_with_code(store, mina, f" {typed[:3]} {typed[3:]} ", HERE)


@pytest.mark.parametrize("code", ["", " ", "\x00", "\ud800", "x" * 10_000, "12345", "1234567", "½²³①②③"])
def test_hostile_texts_are_wrong_codes_not_errors(store: Store, clock: Clock, mina: Agent, code: str) -> None:
    mina, _, _ = switched_on(store, clock, mina)
    assert not accounts.sign_in_with_code(store, mina, code, HERE)


def test_a_recovery_code_opens_once_and_is_kept_as_a_hash(store: Store, clock: Clock, mina: Agent) -> None:
    mina, _, codes = switched_on(store, clock, mina)
    with store.read() as conn:
        kept = repr(conn.execute(sa.select(recovery_code_table)).all())
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    assert accounts.sign_in_with_code(store, mina, codes[0].upper().replace("-", " "), HERE)
    assert not accounts.sign_in_with_code(store, mina, codes[0], HERE)
    assert accounts.recovery_codes_left(store, mina) == 9
    fresh = accounts.new_recovery_codes(store, mina)
    assert not accounts.sign_in_with_code(store, mina, codes[1], HERE)
    assert accounts.sign_in_with_code(store, mina, fresh[1], HERE)


def test_another_agent_s_codes_open_nothing(store: Store, clock: Clock, mina: Agent) -> None:
    mina, _, _ = switched_on(store, clock, mina)
    nima, phone, codes = switched_on(store, clock, accounts.add_agent(store, "Nima", "admin", GOOD))
    assert not accounts.sign_in_with_code(store, mina, codes[0], HERE)
    assert not accounts.sign_in_with_code(store, mina, phone.at(clock.now), HERE)
    assert accounts.sign_in_with_code(store, nima, codes[0], HERE)


def test_codes_are_guessed_at_slowly_from_anywhere(store: Store, clock: Clock, mina: Agent) -> None:
    mina, phone, _ = switched_on(store, clock, mina)
    for _ in range(5):
        assert not accounts.sign_in_with_code(store, mina, "000000", HERE)
    with pytest.raises(TooManyGuesses):
        accounts.sign_in_with_code(store, mina, phone.at(clock.now), HERE)
    for n in range(25):
        assert not accounts.sign_in_with_code(store, mina, "000000", f"203.0.113.{n}")
    with pytest.raises(TooManyGuesses):
        accounts.sign_in_with_code(store, mina, phone.at(clock.now), "203.0.113.99")


def test_an_account_that_was_closed_or_changed_meanwhile_is_not_opened_by_a_code(
    store: Store, clock: Clock, mina: Agent
) -> None:
    mina, phone, _ = switched_on(store, clock, mina)
    accounts.disable(store, "Mina")
    assert not accounts.sign_in_with_code(store, mina, phone.at(clock.now), HERE)


def test_a_lost_phone_is_switched_off(store: Store, clock: Clock, mina: Agent) -> None:
    mina, _, codes = switched_on(store, clock, mina)
    assert not accounts.factor_off(store, "mina").second_factor
    assert accounts.recovery_codes_left(store, mina) == 0
    now = accounts.agent(store, mina.id)
    assert now is not None
    assert not accounts.sign_in_with_code(store, now, codes[0], HERE)
    with pytest.raises(AccountError, match="switch it on first"):
        accounts.new_recovery_codes(store, now)
    assert [line.action for line in accounts.audited(store, target="agent:Mina")][:3] == [
        "sign_in.failed",
        "factor.off",
        "factor.on",
    ]
