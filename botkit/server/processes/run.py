"""Owns the start of the serving processes: gunicorn, its workers and what they share.

Each worker makes its own application after the fork, never before: FAISS and the encoder start threads, and
threads do not survive a fork. What must be shared, the buckets of the rate limits and the folder of the metrics,
is made here first.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import resource
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from botkit.server.processes import worker
from botkit.server.processes.arbiter import PatientArbiter, started

if TYPE_CHECKING:
    from flask import Flask

M_ARENA_MAX = -8
"""glibc's number for how many heaps there may be."""
GRACE = 20
"""Seconds that a worker has to finish its requests when the server stops."""


def run(
    app_factory: Callable[[], Flask],
    host: str,
    port: int,
    workers: int = 2,
    threads: int = 8,
    streams: int = 384,
    connections_per_address: int = 128,
) -> None:
    """Serve until a signal ends it. `app_factory` is called once in each worker; a worker in which it raises is tried
    again, later each time.

    A live stream occupies a thread for minutes, so each worker has `streams` threads more than the `threads` that
    answer: gunicorn starts one only when all others are busy, and one that waits costs some tens of kilobytes.

    An address holds at most `connections_per_address` connections of each worker; 0: any number, as it must be where
    all come from a proxy.

    Make a `Rates` before and pass it to `create_app` in the factory, so that limits count across workers.
    """
    # One core a worker: threads of FAISS, BLAS and the encoder that wait for each other by spinning cost more than
    # they give. Read when a worker imports those libraries.
    for name, value in (("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1"), ("OMP_WAIT_POLICY", "passive")):
        os.environ.setdefault(name, value)
    worker.Worker.per_address = connections_per_address
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # a connection is a file
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # Else each thread allocates in a heap of its own, and what lives long there holds what an old index has freed.
    _glibc("mallopt", M_ARENA_MAX, 2)
    metrics = Path(tempfile.mkdtemp(prefix="botkit-metrics-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)  # read when a worker imports prometheus-client
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("botkit").setLevel(logging.INFO)
    master = os.getpid()
    try:
        _Server(app_factory, _options(host, port, workers, threads, streams)).run()
    finally:
        if os.getpid() == master:
            shutil.rmtree(metrics, ignore_errors=True)


def _options(host: str, port: int, workers: int, threads: int, streams: int) -> dict[str, Any]:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return {
        "bind": [address],
        "workers": workers,
        "worker_class": "botkit.server.processes.worker.Worker",
        "threads": threads + streams,
        "worker_connections": 1000 + 2 * streams,  # a stream's client keeps a second connection for what it sends
        "timeout": 60,
        "graceful_timeout": GRACE,
        "keepalive": 15,
        # A worker's sign of life is a file's time: in memory, a busy disk cannot make it look dead.
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108
        "limit_request_line": 8190,
        "limit_request_fields": 64,
        "sendfile": False,  # it would pass by the limit in time on an answer
        "control_socket_disable": True,
        # Its access log would hold addresses and what people search for; `botkit.access` holds neither.
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "info",
        "forwarded_allow_ips": "",
        "pre_fork": lambda master, worker: master.expect(worker),
        "post_worker_init": _begin,
        "child_exit": _forget,
    }


def _begin(worker: Any) -> None:
    """Let the worker's streams know when it is told to stop: it would wait for them, and they for it.

    What is there by now is no longer searched for garbage: to walk through all of it holds up every request for some
    60 ms.
    """
    worker.wsgi.extensions["botkit"].feed.start(alive=lambda: worker.alive)
    gc.freeze()
    started(worker)


def settle() -> None:
    """After another index took the old one's place: give the old one's memory back, and leave the new one out of later
    searches for garbage, as `_begin` did with the first. It costs one walk through everything."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    _glibc("malloc_trim", 0)  # it keeps what is freed unless it is asked


def _glibc(name: str, *arguments: int) -> None:
    """Call a function of glibc's; where another library stands in its place, nothing happens."""
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)


def _forget(master: Any, worker: Any) -> None:
    """Let the metrics of a worker that ended keep their counts and lose its live gauges."""
    from prometheus_client import multiprocess

    master.ended(worker)
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn without its command line and its files."""

    def __init__(self, app_factory: Callable[[], Flask], options: dict[str, Any]) -> None:
        self._app_factory = app_factory
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if value is not None:
                self.cfg.set(name, value)

    def run(self) -> None:
        PatientArbiter(self).run()

    def load(self) -> Flask:
        return self._app_factory()
