"""Memory of a server while versions are published under load: what the old ones leave behind.

    python eval/publishes.py --index indexes/lalezar --publishes 20

Each version is a copy of the index under another name of the shop, so that no file is shared with the one before.
Clients ask all the while. After each publication the next one waits until every worker serves it. Printed: the resident
memory of the workers together, how many versions they still have files of in memory, and the longest answer.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from botkit.index import verify, version_folder
from botkit.index.versions import publish_folder, seal_folder
from eval import serving
from eval.common import ROOT, machine, read_jsonl, say, table

PATIENCE = 120.0
OPENING = 10.0
"""Seconds after a publication from which an old version counts as left behind."""
QUESTIONS = ROOT / "eval" / "golden"


@dataclass
class Load:
    """Clients that each wait for their answer and ask on until told to stop."""

    port: int
    texts: list[str]
    clients: int
    spent: list[float] = field(default_factory=list)
    """Milliseconds of each answer since `took` was last asked."""
    answered: int = 0
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(self.clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def took(self) -> list[float]:
        result, self.spent = self.spent, []
        return result

    def _ask(self, number: int) -> None:
        place = number
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as line:
            while not self._over.is_set():
                begun = time.perf_counter()
                try:
                    serving.ask(line, self.texts[place % len(self.texts)])
                    self.answered += 1
                except (OSError, http.client.HTTPException) as error:
                    self.failed.append(repr(error))
                    line.close()
                self.spent.append(1000 * (time.perf_counter() - begun))
                place += self.clients


def copy_of(folder: Path, name: str) -> Path:
    """A sealed copy of the published version, which differs in the shop's name alone."""
    source, draft = version_folder(folder), folder / ".draft-copy"
    shutil.copytree(source, draft)
    manifest = verify(source)
    del manifest["files"]
    facts = json.loads((draft / "facts.json").read_text(encoding="utf-8"))
    (draft / "facts.json").write_text(json.dumps(facts | {"name": name}), encoding="utf-8")
    (draft / "manifest.json").unlink()
    return seal_folder(draft, manifest)


def mapped(folder: Path, workers: list[int]) -> list[set[str]]:
    """Of each process, the versions that it has files of in its memory."""
    maps = [Path(f"/proc/{worker}/maps").read_text().splitlines() for worker in workers]
    inside = f"{folder}/"
    return [{line.split(inside, 1)[1].split("/")[0] for line in lines if inside in line} for lines in maps]


def wait_for(version: str, folder: Path, server: serving.Server) -> None:
    """Until every worker has opened a version, and a little longer where another one is not gone then."""
    begun = time.monotonic()
    while (result := mapped(folder, server.workers())) and not all(each == {version} for each in result):
        opened, spent = all(version in each for each in result), time.monotonic() - begun
        if opened and spent > OPENING:
            return
        if spent > PATIENCE:
            raise RuntimeError(f"{version} is not served after {PATIENCE:.0f} s")
        time.sleep(0.1)


def resident(workers: list[int]) -> float:
    """Resident memory, in MB, of these processes together."""
    return sum(serving.rollup(worker, "Rss") for worker in workers) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, default=ROOT / "indexes" / "lalezar")
    parser.add_argument("--publishes", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0, help="of load before each look")
    parser.add_argument("--still", action="store_true", help="publish nothing: what load alone does to the memory")
    value = parser.parse_args()
    texts = [line["text"] for file in sorted(QUESTIONS.glob("*.jsonl")) for line in read_jsonl(file)]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve() / "index"
        folder.mkdir()
        published = version_folder(value.index)
        publish_folder(shutil.copytree(published, folder / published.name), keep=5)
        port = serving.free_port()
        command = serving.botkit(folder, Path(made) / "shop.db", port, value.workers)
        rows, version = [], published.name
        with serving.started(command, port, texts[0]) as server, Load(port, texts, value.clients) as load:
            for number in range(value.publishes + 1):
                if number and not value.still:
                    made_now = copy_of(folder, f"shop {number}")
                    version = made_now.name
                    publish_folder(made_now, keep=5)
                wait_for(version, folder, server)
                time.sleep(value.seconds * (4 if number == 0 else 1))
                workers = server.workers()
                versions = max(map(len, mapped(folder, workers)))
                spent = load.took()
                rows.append((number, resident(workers), versions, np.median(spent), max(spent)))
                say(f"  {number}: {rows[-1][1]:.0f} MB, {versions} versions")
        first, last = rows[0][1], rows[-1][1]
        shown = [
            (number, f"{memory:.0f} MB", versions, f"{half:.0f} ms", f"{longest:.0f} ms")
            for number, memory, versions, half, longest in rows
        ]
        print(table(("publications", "memory of the workers", "versions mapped", "answer p50", "longest"), shown))
        print(f"\nfrom {first:.0f} to {last:.0f} MB: {100 * (last / first - 1):+.1f} %")
        print(f"{load.answered} questions answered, {len(load.failed)} failed\n\n{machine('gunicorn')}")
    return 1 if load.failed else 0


if __name__ == "__main__":
    sys.exit(main())
