"""Questions that have ended or held up servers, to a real one with two workers; and an encoder that fails by order."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from desk_shop import PASSWORD
from served import ROOT, Answer, Served
from small import FRUIT, article, write

from botkit import accounts
from botkit.index import Live
from botkit.store import Store

WORKERS = 2
BAD = (
    "\ufdfa" * 10,  # unfolds to 180 characters
    "\ufdfd" * 60,
    "\ufdfa\u0651\u0640" * 40,
    "ﬃ" * 300,
    "a@" * 250,
    "a" + "\u0301" * 400,
    "👩‍👩‍👧‍👦" * 60,
    "where" + "\u200b\u2060\ufeff" * 100,
    "\U000e0041" * 100,
)
FAULTY = """
import sys, time
from itertools import count
from pathlib import Path
from botkit import encoder

class Faulty:
    "The default encoder. Each third question raises; one with `hang` in it waits until there is a file `free`."
    def __init__(self, model):
        self.model, self.identity, self.asked = model, encoder.identity(model), count(1)
    def encode_query(self, texts):
        while any("hang" in text for text in texts) and not Path("free").exists():
            time.sleep(0.01)
        if next(self.asked) % 3 == 0 or any("raise" in text for text in texts):
            raise RuntimeError("the fault that was ordered")
        return self.model.encode_query(texts)
    def encode_document(self, texts):
        return self.model.encode_document(texts)

load = encoder.load
encoder.load = lambda *args, **more: Faulty(load(*args, **more))
from botkit.cli import main
main()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server and its database are."""
    return tmp_path_factory.mktemp("questions")


@pytest.fixture(scope="module")
def server(index_folder: Path, folder: Path) -> Iterator[Served]:
    with Served(folder, "serve", "--index", index_folder, "--workers", WORKERS) as served:
        served.until(lambda: served.status("GET", "/readyz") == 200, "not ready")
        yield served


@pytest.fixture
def same(server: Served) -> Iterator[Served]:
    """The server, whose workers must be the same afterwards."""
    before = server.until(lambda: len(result := server.workers()) == WORKERS and result, "workers")
    yield server
    server.serves()
    assert server.workers() == before, server.log[-4000:]


def asked(server: Served, text: str, **more: Any) -> Answer:
    answer = server.ask("POST", "/api/v1/ask", {"text": text, **more})
    assert answer is not None, server.log[-4000:]
    assert answer.status == 200, answer.text
    return answer


def signed_in(server: Served, name: str) -> dict[str, str]:
    """The header of a session."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    form = urlencode({"name": name, "password": PASSWORD})
    line.request("POST", "/desk/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = line.getresponse()
    line.close()
    assert answer.status == 303
    return {"Cookie": "; ".join(each.partition(";")[0] for each in answer.headers.get_all("Set-Cookie", []))}


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize("text", BAD, ids=lambda text: f"{ord(text[0]):04x}-{len(text)}")
def test_a_text_is_harmless_as_a_question_a_search_and_the_turn_before(same: Served, text: str) -> None:
    asked(same, text)
    asked(same, "and to Ireland?", lang="en", before={"text": text})
    for path in ("/help/fa/search?q=", "/api/v1/search?q=", "/api/v1/suggest?lang=ar&q="):
        assert same.status("GET", path + quote(text)) == 200


def test_texts_that_are_stored_harm_nobody_who_opens_the_ticket(same: Served, folder: Path) -> None:
    result = same.ask("POST", "/api/v1/conversations", {"lang": "ar"})
    assert result is not None
    path, bearer = f"/api/v1/conversations/{result.json['id']}", {"Authorization": f"Bearer {result.json['token']}"}
    assert same.status("POST", f"{path}/handoff", {}, **bearer) == 200
    with closing(Store(f"sqlite:///{folder / 'botkit.db'}")) as store:
        accounts.add_agent(store, "Ali", "agent", PASSWORD)
    session = signed_in(same, "Ali")
    for number, text in enumerate(BAD):  # each is the last one in its turn, for which replies are looked for
        assert same.status("POST", f"{path}/messages", {"client_id": f"m-{number}", "text": text}, **bearer) == 200
        for address in ("/desk", "/desk/tickets/1", "/api/v1/desk/tickets/1", "/api/v1/desk/tickets/1/assist"):
            assert same.status("GET", address, **session) == 200
    assert same.status("GET", f"/desk/tickets/1?q={quote(BAD[0])}", **session) == 200


def test_a_build_takes_them_and_names_the_file_of_what_it_does_not_take(tmp_path: Path) -> None:
    texts = {f"en/bad-{number}.md": article(f"About {number}", text) for number, text in enumerate(BAD)}
    corpus = write(tmp_path / "corpus", FRUIT | texts)
    built = botkit(tmp_path, "index", corpus, "--out", tmp_path / "index", "--allow-failing-tests")
    assert built.returncode == 0 or "en/bad-" in built.stderr, built.stderr
    assert "Traceback" not in built.stderr


# ---------------------------------------------------------------- an encoder that fails by order


def botkit(folder: Path, *arguments: object, code: str = "from botkit.cli import main; main()") -> Any:
    """A command, run in a folder."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def faulty(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A server with such an encoder, and the folder in which a file `free` ends its hanging."""
    folder = tmp_path_factory.mktemp("faulty")
    arguments = ("serve", "--index", index_folder, "--workers", 1)
    with Served(folder, *arguments, code=FAULTY) as served:
        served.until(lambda: served.status("GET", "/readyz") == 200, "not ready")
        yield served, folder
        (folder / "free").touch()


def test_every_question_is_answered_or_honestly_missed_while_each_third_fails(
    faulty: tuple[Served, Path], live: Live
) -> None:
    """By the API, alone and in a conversation, and by the pages; a title is found whether there is a vector or not."""
    server, _ = faulty
    result = server.ask("POST", "/api/v1/conversations", {"lang": "en"})
    assert result is not None
    path, bearer = f"/api/v1/conversations/{result.json['id']}", {"Authorization": f"Bearer {result.json['token']}"}
    for number, each in enumerate(list(live.current().articles("en")) * 2):
        reply = asked(server, each.title, lang="en").json
        assert reply["article"] == each.id
        assert asked(server, "qwrtzx plmkn 77", lang="en").json["kind"] in ("handoff", "clarify")
        assert server.status("GET", "/help/en/search?q=" + quote(each.title)) == 200
        message = {"client_id": f"m-{number}", "text": each.title}
        assert server.status("POST", f"{path}/messages", message, **bearer) == 200
    assert "answered by words alone" in server.log
    assert "Traceback" not in server.log


def test_an_encoder_that_hangs_holds_up_nobody_and_is_asked_again_when_it_is_free(
    faulty: tuple[Served, Path],
) -> None:
    server, folder = faulty
    replies: list[int] = []
    several = [
        threading.Thread(target=lambda: replies.append(asked(server, "my parcels hang somewhere").status))
        for _ in range(6)
    ]
    for thread in several:
        thread.start()
    assert asked(server, "Where is my order?", lang="en").json["article"] == "orders/track-order"
    for thread in several:
        thread.join()
    assert replies == [200] * 6
    (folder / "free").touch()
    server.until(lambda: asked(server, "my parcels hang somewhere").status == 200)


def test_the_command_line_answers_too_and_says_what_failed(index_folder: Path, tmp_path: Path) -> None:
    question = "raise my question where is my order"
    done = botkit(tmp_path, "ask", question, "--index", index_folder, "--lang", "en", "--explain", code=FAULTY)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(("answer", "clarify", "handoff"))
    assert "the fault that was ordered; answered by words alone" in done.stderr
    assert "Traceback" not in done.stderr
