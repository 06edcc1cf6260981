"""Hostile requests to a real server, half a minute on each database; and that what they do would be noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval import fuzz
from eval.chance import PERSONAL, Answer, Request

SEED = 2026
SECONDS = 30


@pytest.mark.databases("sqlite", "postgresql")
def test_half_a_minute_of_hostile_requests_harms_nothing(index_folder: Path, tmp_path: Path, database: str) -> None:
    """No error of ours, no worker that ends, no traceback, no secret or personal data in the log, no growth."""
    result = fuzz.fuzz(tmp_path, index_folder, SECONDS, SEED, database=database)
    assert not result.problems, f"seed {SEED}:\n" + "\n".join(result.problems)[:20_000]
    assert result.requests >= 200
    assert result.statuses[200] > result.requests / 20
    assert len(result.routes) > len(result.missed)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(500, {}, b"oops"), "500 b'oops'"),
        (Answer(502), "502"),
        (Answer(503), "503"),
        (Answer(0), "no answer"),
        (Answer(303, {"location": "//evil.example/desk"}), "a way out of here"),
        (Answer(303, {"location": "https://evil.example"}), "a way out of here"),
        (Answer(303, {"location": "javascript:alert(1)"}), "a way out of here"),
    ],
)
def test_an_answer_that_is_wrong_is_found(answer: Answer, told: str) -> None:
    assert told in str(fuzz.wrong_answer(Request(b"GET / HTTP/1.1", "127.0.0.2", "GET"), answer))


@pytest.mark.parametrize(
    ("request_is_whole", "answer"),
    [
        (True, Answer(400)),
        (True, Answer(503, {"retry-after": "5"})),
        (True, Answer(303, {"location": "/desk/login?next=//evil.example"})),
        (False, Answer(0)),
        (False, Answer(501)),
    ],
)
def test_an_answer_that_is_right_is_not(request_is_whole: bool, answer: Answer) -> None:
    assert fuzz.wrong_answer(Request(b"GET / HTTP/1.1", "127.0.0.2", "GET", request_is_whole), answer) is None


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        "ERROR botkit.server: unexpected ValueError at GET /desk",
        "[CRITICAL] WORKER TIMEOUT (pid:7)",
        "[ERROR] Worker (pid:7) was sent SIGABRT!",
        f"INFO botkit.access: GET /help/en/search?q={PERSONAL[0]}",
        "INFO botkit.access: GET /help/en/search?q=Z%C3%BCmr%C3%BCt%20Karaa%C4%9Fa%C3%A7l%C4%B1o%C4%9Flu",
        "INFO botkit.server: the token bk_secret",
    ],
)
def test_a_log_that_says_what_it_must_not_is_found(line: str) -> None:
    quiet = "INFO botkit.access: GET /desk 303 0.1 ms 4109d4f157be4f149356e5d6bc1a49e0\n"
    assert list(fuzz.wrong_in_log(quiet, {"bk_secret"})) == []
    assert list(fuzz.wrong_in_log(quiet + line, {"bk_secret"})) != []
