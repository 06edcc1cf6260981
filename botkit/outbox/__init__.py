"""What must be delivered to others: kept with the change that caused it, and sent until it has arrived.

This package owns `outbox` and `outbox_kind` and is their only writer. A row is written inside its caller's transaction,
so that it is there exactly when the change is. A worker takes one under a lease, sends it, and marks it; a worker that
dies loses its lease and another one sends it again. Delivery is at least once, each time under the same `message_id`,
by which a receiver knows a repetition. It never decides what is worth telling.

Each row has nine tries of its own, further and further apart. Besides them, while nobody answers, one row at a time
looks every few seconds whether the receiver is back; and when something has arrived, what failed before it is tried
again soon, a bounded number of times. Neither uses up a row's own tries, nor goes where quiet was asked for.

    outbox       id | message_id | kind: who delivers it | payload | made_at | due_at: not before | tries
                 lease, leased_until: who has it in hand | done_at | gave_up_at | reason: why the last try failed
                 failed_at: when that began, if it may be tried before due_at | away: nobody was there to take it
                 early: tries before due_at, since the last of its own
    outbox_kind  kind | since: somebody delivers this kind; nothing else is kept
                 well_at: when something last arrived | probe_at: nobody was there; when to look again
"""

from botkit.outbox.outbox import STATES, Delivery, NotDelivered, Worker, counts, deliveries, kinds, put, retry, work

__all__ = [
    "STATES",
    "Delivery",
    "NotDelivered",
    "Worker",
    "counts",
    "deliveries",
    "kinds",
    "put",
    "retry",
    "work",
]
