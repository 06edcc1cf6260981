"""Owns the open streams of one process: how many there may be, when each is woken, and when it ends.

One thread looks at the database ten times a second, at little more than whether anybody wrote at all, and wakes the
streams whose conversation moved. A stream then reads for itself what comes after its own cursor: a wake-up too many
costs a query, and none can be lost, since the cursor is the conversation's gap-free `seq`. It never decides what
somebody may see; `live_api` of customers and of the desk does.

A stream holds a thread of its worker, so there is a cap, below the number of threads. It ends after five minutes, to be
authorised again, at once when its client has gone, and within a tenth of a second when the worker is told to stop.
"""

from __future__ import annotations

import contextlib
import logging
import random
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from botkit import presence
from botkit.server.processes.worker import Line
from botkit.store import CUSTOMER, Store, StoreError

log = logging.getLogger("botkit.server")

TICK = 0.1
"""Seconds between two looks."""
CHECK = 1.0
"""Seconds after which it looks, and after which an agent's stream asks whether it still may, without a hint."""
HEARTBEAT = 15.0
"""Seconds of quiet after which a stream says that it is there."""
LIFE = 300.0
"""Seconds that a stream lives at most. The last fifth is left to chance, so that streams do not come back together."""
PRESENCE = 30.0
"""Seconds after which an open stream says again that its owner is there."""
SEND = 20.0
"""Seconds that a client may take to read what is sent before it counts as gone."""
TABS = 6
"""Streams that one conversation or one agent may have open in a process."""
FOR_AGENTS = 16
"""One place in so many is kept for agents: customers can poll, and a desk full of polling is slow for everybody."""


class Full(Exception):
    """No further stream can be opened here; come back after `seconds` and poll meanwhile."""

    seconds = 30


class Subscription:
    """One open stream: what it follows, and whether it is to look or to end. Leave it when the stream is closed."""

    def __init__(
        self,
        feed: Feed,
        key: str,
        conversations: frozenset[str],
        agent: str | None,
        line: socket.socket | None,
        address: str = "",
        unseen: bool = False,
    ) -> None:
        self.key = key
        self.address = address
        self.conversations = conversations
        self.agent = agent
        self.line = line
        self.unseen = unseen  # nobody is shown to be there
        self.mark: Any = None  # the feed's: what the stream was last woken for
        self.counts: Mapping[str, int] | None = None  # of the queue, for an agent's stream, as the feed last saw them
        self._feed = feed
        self._woken = threading.Event()
        self._moved = True
        self._ended = False
        self._until = time.monotonic() + LIFE * random.uniform(0.8, 1.0)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def wait(self) -> bool:
        """Until there is something to look at, or a heartbeat is due: then False."""
        woken = self._woken.wait(max(0.0, min(HEARTBEAT, self._until - time.monotonic())))
        self._woken.clear()
        return woken

    @property
    def over(self) -> bool:
        return self._ended or time.monotonic() >= self._until

    def moved(self) -> bool:
        """Whether there may be news since this was last asked; else it was woken to ask whether it still may."""
        if not self._moved:
            return False
        self._moved = False  # before the caller reads: what moves from now on is asked about again
        return True

    def wake(self, moved: bool = True) -> None:
        if moved:
            self._moved = True
        self._woken.set()

    def end(self) -> None:
        self._ended = True
        self._woken.set()

    def leave(self) -> None:
        """Give the place back. Safe to call again."""
        self._feed.leave(self)

    @property
    def present(self) -> frozenset[tuple[str, str]]:
        """Whom this stream shows to be there, and in which conversations."""
        if self.unseen:
            return frozenset()
        actor = CUSTOMER if self.agent is None else f"agent:{self.agent}"
        return frozenset((conversation, actor) for conversation in self.conversations)


class Feed:
    """The streams of this process. `most`: how many there may be, 0 for none; `per_address`: how many of customers at
    one address, 0 for any number. `tick`, if given, is called about once a second for as long as the process serves, in
    a thread of its own."""

    def __init__(
        self, store: Store, most: int = 384, tick: Callable[[], object] | None = None, per_address: int = 0
    ) -> None:
        self.most = most
        self.per_address = per_address
        self._store = store
        self._tick = tick
        self._alive: Callable[[], bool] = lambda: True
        self._lock = threading.Lock()
        self._open: set[Subscription] = set()
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._fresh = False
        self._said: set[tuple[str, str]] = set()  # who was said to be there

    def start(self, alive: Callable[[], bool] = lambda: True) -> None:
        """Begin to look, and to tick; a stream does so too when it is the first. `alive` says whether the process
        still serves: when it does not, all streams end."""
        with self._lock:
            self._alive = alive
            self._begin()

    def close(self) -> None:
        """End all streams and stop looking. The next stream begins again."""
        with self._lock:
            threads, self._threads = self._threads, []
            self._closing.set()
        for thread in threads:
            thread.join()

    def __len__(self) -> int:
        return len(self._open)

    def subscribe(
        self, conversation_id: str, line: socket.socket | None = None, address: str = ""
    ) -> Subscription:
        """A place for a customer's stream of this conversation, or Full."""
        most = self.most - self.most // FOR_AGENTS
        following = frozenset({conversation_id})
        return self._enter(Subscription(self, conversation_id, following, None, line, address), most)

    def subscribe_agent(self, name: str, line: socket.socket | None = None, *, unseen: bool = False) -> Subscription:
        """A place for an agent's stream, or Full. What it follows is said as it goes, in `conversations`. `unseen`: a
        program looks, and the agent is not there for that."""
        return self._enter(Subscription(self, f"agent:{name}", frozenset(), name, line, unseen=unseen), self.most)

    def leave(self, subscription: Subscription) -> None:
        with self._lock:
            self._open.discard(subscription)

    def _enter(self, subscription: Subscription, most: int) -> Subscription:
        with self._lock:
            tabs = sum(other.key == subscription.key for other in self._open)
            if len(self._open) >= most or tabs >= TABS or not self._alive():
                raise Full
            if self.per_address and subscription.address:
                theirs = sum(other.address == subscription.address for other in self._open)
                if theirs >= self.per_address:
                    raise Full
            self._begin()
            self._open.add(subscription)
            self._fresh = True
        line = subscription.line
        if isinstance(line, Line):
            line.endless(SEND)
        elif line is not None:
            line.settimeout(SEND)
        return subscription

    def _begin(self) -> None:
        if any(thread.is_alive() for thread in self._threads) and not self._closing.is_set():
            return
        self._closing = threading.Event()
        works = [self._follow] + ([self._keep_time] if self._tick is not None else [])
        self._threads = [
            threading.Thread(target=work, args=(self._closing,), name="botkit-live", daemon=True) for work in works
        ]
        for thread in self._threads:
            thread.start()

    def _over(self, closing: threading.Event) -> bool:
        return closing.is_set() or not self._alive()

    def _keep_time(self, closing: threading.Event) -> None:
        assert self._tick is not None
        due = time.monotonic()
        while not self._over(closing):
            if time.monotonic() >= due:
                due = time.monotonic() + CHECK
                try:
                    self._tick()
                except Exception as error:  # it is tried again in a second
                    known = isinstance(error, StoreError)  # a database that is away needs no traceback each second
                    log.error("the tick failed: %s", error, exc_info=None if known else error)
            closing.wait(TICK)

    def _follow(self, closing: threading.Event) -> None:
        try:
            while not self._over(closing):
                try:
                    with contextlib.closing(self._store.watch()) as changes:
                        self._look_on(changes, closing)
                except Exception as error:  # a database that is away comes back; the streams stay open meanwhile
                    log.error("the live streams cannot look: %s", error)
                    closing.wait(CHECK)
        finally:
            with self._lock:
                ended = list(self._open)
            for subscription in ended:
                subscription.end()

    def _look_on(self, changes: Any, closing: threading.Event) -> None:
        checked = result = 0.0
        owed = False  # whether anybody wrote since agents' streams last asked whether they still may
        while not self._over(closing):
            changed = changes.wait(TICK)
            owed = owed or changed
            now = time.monotonic()
            with self._lock:
                fresh, self._fresh = self._fresh, False
                streams = list(self._open)
            due = now - checked >= CHECK
            if not (changed or fresh or due) or not (streams or self._said):
                continue
            if due:
                checked = now
                self._end_lost(streams)
            self._look(streams, check=due and owed)
            owed = owed and not due
            again = now - result >= PRESENCE
            result = now if again else result
            self._tell_presence(streams, again)

    def _look(self, streams: list[Subscription], check: bool) -> None:
        """Wake those whose conversations, tickets, mentions or marks are not as they were."""
        ids = {conversation for stream in streams for conversation in stream.conversations}
        agents = any(stream.agent is not None for stream in streams)
        with self._store.read() as conn:
            heads = self._store.heads(conn, ids)
            rooms = presence.rooms(conn, ids)
            desk_counts = presence.desk_counts(conn) if agents else None
            mentions = presence.mentions(conn) if agents else {}
        now = self._store.now()
        nobody = presence.Room()
        for stream in streams:
            if stream.agent is None:
                mark: Any = [
                    (heads.get(each), rooms.get(each, nobody).for_customer(now)) for each in stream.conversations
                ]
            else:
                assert desk_counts is not None
                # The agent's own read mark counts too: it is what "unread" is reckoned from.
                mark = [
                    desk_counts.counts,
                    desk_counts.of.get(stream.agent),
                    mentions.get(stream.agent),
                    {
                        each: (
                            heads.get(each),
                            rooms.get(each, nobody).for_agent(now),
                            rooms.get(each, nobody).marks.get(f"agent:{stream.agent}", presence.Mark()).read,
                        )
                        for each in stream.conversations
                    },
                ]
                stream.counts = desk_counts.counts
            if mark != stream.mark:
                stream.mark = mark
                stream.wake()
            elif check and stream.agent is not None:
                stream.wake(moved=False)

    def _tell_presence(self, streams: list[Subscription], again: bool) -> None:
        here = {pair for stream in streams for pair in stream.present}
        gone = self._said - here
        fresh = here if again else here - self._said
        if not (fresh or gone):
            return
        self._said = here
        try:
            presence.present(self._store, fresh, gone)
        except Exception as error:  # it is only a courtesy, and said again in half a minute; reading goes on
            log.warning("who is there could not be written: %s", error)

    def _end_lost(self, streams: list[Subscription]) -> None:
        """End the streams whose clients have hung up: without this each would hold its place until a heartbeat."""
        poll, by_number = select.poll(), dict[int, Subscription]()
        for stream in streams:
            number = stream.line.fileno() if stream.line is not None else -1
            if number >= 0:
                by_number[number] = stream
                poll.register(number, getattr(select, "POLLRDHUP", 0))
        for number, _ in poll.poll(0) if by_number else ():
            by_number[number].end()
