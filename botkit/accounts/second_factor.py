"""The second factor: codes of an authenticator app by time (RFC 6238), and recovery codes for a lost phone.

A code is taken once: the time step it belongs to must be later than the last one that was taken. The secret of the
app is encrypted with the keys beside the database, together with whose it is; recovery codes are kept as SHA-256.

    second_factor  agent_id -> agent | secret: encrypted | begun_at | confirmed_at: null until a code has proved it
                   last_step
    recovery_code  hash | agent_id -> agent: deleted when it is used
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

import pyotp
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit.accounts import login_throttle
from botkit.accounts.accounts import changed, end_all, required, sha256
from botkit.accounts.audit import audit
from botkit.accounts.model import AccountError, Agent
from botkit.accounts.names import key_of
from botkit.store import Keys, KeysError, Store, recovery_code_table, second_factor_table

STEP: Final = 30
DRIFT: Final = 1
"""Steps before and after the present one that are taken too: clocks of phones differ, and people type slowly."""
PENDING: Final = timedelta(minutes=30)
"""How long a fresh secret waits to be confirmed, and can be seen."""
RECOVERY_CODES: Final = 10
_PURPOSE: Final = "second factor"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def begin_factor(store: Store, agent: Agent) -> str:
    """A fresh secret for the agent's app. It counts only once `confirm_factor` has seen a code of it."""
    secret, keys = pyotp.random_base32(), store.keys
    with store.write() as conn:
        if required(conn, agent.name).second_factor:
            raise AccountError("factor_is_on", f"{agent.name!r} has a second factor: switch it off first")
        conn.execute(second_factor_table.delete().where(second_factor_table.c.agent_id == agent.id))
        conn.execute(
            second_factor_table.insert().values(
                agent_id=agent.id, secret=_sealed(keys, agent.id, secret), begun_at=store.now(), last_step=0
            )
        )
    return secret


def pending_factor(store: Store, agent: Agent) -> str | None:
    """The secret that waits to be confirmed; None when there is none, or it is confirmed."""
    mine = second_factor_table.c
    with store.read() as conn:
        sealed = conn.execute(
            sa.select(mine.secret).where(
                mine.agent_id == agent.id, mine.confirmed_at.is_(None), mine.begun_at > store.now() - PENDING
            )
        ).scalar()
    return None if sealed is None else _opened(store.keys, agent.id, sealed)


def factor_link(secret: str, name: str, issuer: str) -> str:
    """The otpauth address that opens an authenticator app with the secret filled in."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def confirm_factor(store: Store, agent: Agent, code: str) -> list[str] | None:
    """Switch the second factor on, if the code is of the secret just begun: the recovery codes, told this once.
    All sessions of the account end. None: the code is wrong."""
    keys = store.keys
    with store.write() as conn:
        if required(conn, agent.name).second_factor or not _take_step(store, conn, keys, agent.id, code):
            return None
        conn.execute(
            second_factor_table.update()
            .where(second_factor_table.c.agent_id == agent.id)
            .values(confirmed_at=store.now())
        )
        end_all(store, conn, agent)
        changed(conn, agent)
        audit(store, conn, agent, "factor.on", f"agent:{agent.name}")
        return _new_codes(conn, agent)


def new_recovery_codes(store: Store, agent: Agent) -> list[str]:
    """Fresh recovery codes, told this once; the old ones open nothing any more."""
    with store.write() as conn:
        if not required(conn, agent.name).second_factor:
            raise AccountError("factor_is_off", f"{agent.name!r} has no second factor: switch it on first")
        audit(store, conn, agent, "factor.codes", f"agent:{agent.name}")
        return _new_codes(conn, agent)


def recovery_codes_left(store: Store, agent: Agent) -> int:
    """How many recovery codes an agent has not used."""
    with store.read() as conn:
        return int(
            conn.execute(sa.select(sa.func.count()).where(recovery_code_table.c.agent_id == agent.id)).scalar_one()
        )


def factor_off(store: Store, name: str, by: Agent | None = None) -> Agent:
    """Switch a second factor off, for a lost phone; the account's sessions end."""
    with store.write() as conn:
        result = required(conn, name, by)
        for table in (second_factor_table, recovery_code_table):
            conn.execute(table.delete().where(table.c.agent_id == result.id))
        end_all(store, conn, result)
        changed(conn, result)
        audit(store, conn, by, "factor.off", f"agent:{result.name}")
        return required(conn, name)


def sign_in_with_code(store: Store, agent: Agent, code: str, address: str, device: str = "") -> bool:
    """Whether the code is one of the agent's app or a recovery code, each taken once; TooManyGuesses."""
    guess, keys = login_throttle.begin(store, key_of(agent.name), address, device, "code"), store.keys
    with store.write() as conn:
        now = required(conn, agent.name)
        how = None
        if now.second_factor and not now.disabled and now.stamp == agent.stamp:
            how = "code" if _take_step(store, conn, keys, agent.id, code) else _take_recovery(conn, agent.id, code)
        if how is None:
            wait = login_throttle.waits(store, conn, guess)
            audit(
                store,
                conn,
                "system",
                "sign_in.failed",
                f"agent:{agent.name}",
                address=address,
                factor="code",
                wait=wait or None,
            )
            return False
        login_throttle.succeeded(store, conn, guess)
        audit(store, conn, agent, "sign_in", address=address, factor=how)
        return True


def rotate_keys(store: Store, keep: timedelta) -> int:
    """Make a new current key and encrypt all second factors with it; how many. What older keys signed counts for `keep`
    longer, then they are dropped. Wrong guesses and known addresses are forgotten."""
    store.keys  # noqa: B018 - KeysError, before anything is changed
    with store.write() as conn:
        old = store.settle_keys(conn)
        keys = store.key_file.add(store.now())
        rows = conn.execute(sa.select(second_factor_table.c.agent_id, second_factor_table.c.secret)).all()
        for row in rows:
            fresh = _sealed(keys, row.agent_id, _opened(old, row.agent_id, row.secret))
            conn.execute(
                second_factor_table.update().where(second_factor_table.c.agent_id == row.agent_id).values(secret=fresh)
            )
        store.mark_keys(conn, keys)
        audit(store, conn, None, "keys.rotated", "", factors=len(rows))
    # Only now: had the transaction failed, the old key would still be needed.
    store.key_file.retire(store.now(), store.now() + keep)
    return len(rows)


def reset_keys(store: Store) -> int:
    """Go on with the key file as it is, a new one where there is none, when the right one is lost: all second factors
    are switched off, since nobody can read them any more; how many."""
    with store.write() as conn:
        store.settle_keys(conn, adopt=True)
        gone = conn.execute(second_factor_table.delete()).rowcount
        conn.execute(recovery_code_table.delete())
        audit(store, conn, None, "keys.reset", "", factors=gone)
        return gone


def _take_step(store: Store, conn: Connection, keys: Keys, agent_id: int, code: str) -> bool:
    mine = second_factor_table.c.agent_id == agent_id
    row = conn.execute(sa.select(second_factor_table).where(mine).with_for_update()).one_or_none()
    typed = _plain(code)
    if row is None or len(typed) != 6:
        return False
    if row.confirmed_at is None and row.begun_at <= store.now() - PENDING:
        return False
    step = _matching(_opened(keys, agent_id, row.secret), typed, store.now())
    if step is None or step <= row.last_step:
        return False
    conn.execute(second_factor_table.update().where(mine).values(last_step=step))
    return True


def _matching(secret: str, typed: str, at: datetime) -> int | None:
    """The latest step near this time whose code was typed."""
    totp, present = pyotp.TOTP(secret, interval=STEP), int(at.timestamp()) // STEP
    for step in range(present + DRIFT, present - DRIFT - 1, -1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), typed.encode()):
            return step
    return None


def _take_recovery(conn: Connection, agent_id: int, code: str) -> str | None:
    used = conn.execute(
        recovery_code_table.delete().where(
            recovery_code_table.c.agent_id == agent_id, recovery_code_table.c.hash == sha256(_plain(code))
        )
    ).rowcount
    return "recovery code" if used else None


def _new_codes(conn: Connection, agent: Agent) -> list[str]:
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    conn.execute(recovery_code_table.delete().where(recovery_code_table.c.agent_id == agent.id))
    conn.execute(recovery_code_table.insert(), [{"hash": sha256(_plain(code)), "agent_id": agent.id} for code in codes])
    return codes


def _new_code() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def _sealed(keys: Keys, agent_id: int, secret: str) -> str:
    return keys.encrypt(_PURPOSE, f"{agent_id}:{secret}")


def _opened(keys: Keys, agent_id: int, sealed: str) -> str:
    owner, _, secret = keys.decrypt(_PURPOSE, sealed).partition(":")
    if owner != str(agent_id):
        raise KeysError(f"the second factor of agent {agent_id} was put there from another account: switch it off")
    return secret


def _plain(code: str) -> str:
    """A code as it is compared: no blanks or dashes, small letters, and any language's digits as 0 to 9."""
    return "".join(str(int(char)) if char.isdecimal() else char.lower() for char in code[:64] if char.isalnum())
