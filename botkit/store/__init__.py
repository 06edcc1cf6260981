"""The record: one database, its schema, its migrations and the append-only event log of every conversation.

This package owns the engine (nobody else creates one), the connection's settings, the rule that a write is one
short transaction, and the tables that more than one package adds to: `conversation`, `event` and `secret`. It never
decides what an event means; `chat`, `desk` and `accounts` do, in the tables drawn here and through `append`.

    conversation  id PK | token_hash | lang | page | tags | opened_at | changed_at | last_seq
                  visitor: SHA-256 of the key that a browser keeps | customer: the name that the shop gives
    event         (conversation_id, seq) PK | kind | at | actor | client_id | data
                  unique (conversation_id, actor, client_id): a message is stored once however often it is sent
    secret        name PK | value | made_at: `keys` is the id of the key that was last used; no secret is in it any more
    agent         id PK | name | key unique | role | password_hash | stamp | added_at | disabled_at     (accounts)
                  password_until
    agent_token   id PK | hash unique | agent_id -> agent | name | scope | prefix | issued_at           (accounts)
                  expires_at | used_at
    agent_session id PK | hash unique | agent_id -> agent | half | browser | system | made_at           (accounts)
                  seen_at | ends_at | ended_at | told
    second_factor agent_id PK -> agent | secret: encrypted | begun_at | confirmed_at | last_step        (accounts)
    recovery_code hash PK | agent_id -> agent                                                           (accounts)
    guess         (who, place) PK | failures | last_at | until | known_at                               (accounts)
    audit         id PK | at | actor | action | target | detail                                         (accounts)
    outbox        id PK | message_id unique | kind | payload | made_at | due_at | tries | lease         (outbox)
                  leased_until | done_at | gave_up_at | reason | failed_at | away | early
    outbox_kind   kind PK | since | well_at | probe_at                                                  (outbox)
    ticket        id PK | conversation_id | state | reason | lang | page | candidates | opened_at       (desk)
                  claimed_at | closed_at | owner | outcome | article
                  unique (conversation_id) where state <> 'closed': one open ticket a conversation
                  its priority, clock, offer and absence are told in `docs/record.md`
    ticket_state  (ticket_id, n) PK | change | state | owner | actor | at | note                        (desk)
    profile          agent_id PK -> agent | languages | skills | share | status | seen_at | missed         (desk)
                  time_zone | shifts | holidays
    absence       id PK | agent_id -> agent | delegate | starts_at | ends_at | stage | next_at          (desk)
    satisfaction  ticket_id PK -> ticket | score | comment | lang | at                                  (desk)
    mention       id PK | agent_id -> agent | (conversation_id, seq) -> event | ticket_id -> ticket     (desk)
                  at | seen_at
    mark          (conversation_id, actor) PK | delivered | read | typing_until | online_until         (presence)

Times are UTC, in milliseconds, kept as text of a fixed width (`2026-11-21T20:28:00.123Z`): they sort as they are
and read the same on SQLite, on PostgreSQL and in JSON.
"""

from botkit.store.bounds import Added, added
from botkit.store.changes import Changes
from botkit.store.engine import exclusive, sqlite_driver
from botkit.store.errors import KeysError, StoreError
from botkit.store.event_data import CUSTOMER, EventData
from botkit.store.events import BOT, SYSTEM, Event, as_event
from botkit.store.keys import Keys, key_file
from botkit.store.schema import (
    absence_table,
    agent_session_table,
    agent_table,
    agent_token_table,
    audit_table,
    conversation_table,
    event_table,
    guess_table,
    iso,
    mark_table,
    mention_table,
    metadata,
    outbox_kind_table,
    outbox_table,
    parse_time,
    profile_table,
    recovery_code_table,
    satisfaction_table,
    second_factor_table,
    secret_table,
    ticket_state_table,
    ticket_table,
)
from botkit.store.store import Store
from botkit.store.ticket_row import TicketRow

__all__ = [
    "BOT",
    "CUSTOMER",
    "SYSTEM",
    "Added",
    "Changes",
    "Event",
    "EventData",
    "Keys",
    "KeysError",
    "Store",
    "StoreError",
    "TicketRow",
    "absence_table",
    "added",
    "agent_session_table",
    "agent_table",
    "agent_token_table",
    "as_event",
    "audit_table",
    "conversation_table",
    "event_table",
    "exclusive",
    "guess_table",
    "iso",
    "key_file",
    "mark_table",
    "mention_table",
    "metadata",
    "outbox_kind_table",
    "outbox_table",
    "parse_time",
    "profile_table",
    "recovery_code_table",
    "satisfaction_table",
    "second_factor_table",
    "secret_table",
    "sqlite_driver",
    "ticket_state_table",
    "ticket_table",
]
