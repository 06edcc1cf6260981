"""An editor's verdicts: what is shown, what may be typed, and that each is in the file as soon as it is given."""

from __future__ import annotations

import json
import os
import pty
import select
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import shop
from click.testing import CliRunner, Result
from small import write

from botkit import cli, corpus
from botkit.corpus import Label

QUESTIONS = [
    {"id": "q1", "text": "can it go in the machine", "lang": "en"},
    {"id": "q2", "text": "kargom nerede acaba", "lang": "tr"},
    {"id": "q3", "text": "do you sell ladders"},
    {"id": "q4", "text": "refund \u202e\x1b[2J please"},
]


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    return write(tmp_path, {"q.jsonl": "".join(json.dumps(q) + "\n" for q in QUESTIONS)}) / "q.jsonl"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "labels" / "editor.jsonl"


def judge(queries: Path, out: Path, typed: str, *more: str) -> Result:
    """`botkit judge` with these lines on standard input."""
    command = ["judge", "--index", str(shop.folder()), str(queries), "--out", str(out), *more]
    return CliRunner().invoke(cli.main, command, input=typed)


def verdicts(out: Path) -> dict[str, set[str]]:
    return {label.id: set(label.relevant or ()) for label in corpus.labels(out)}


def test_each_key_makes_the_label_that_it_says(queries: Path, out: Path) -> None:
    """A number, an id, none, and none of these."""
    done = judge(queries, out, "2\norders/track\n0\ns\n")
    assert (done.exit_code, done.exception) == (0, None)
    first, second, third = corpus.labels(out)
    assert first.relevant in ({"care/towel"}, {"care/rug"})
    shown = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("  2  ")]
    assert first.relevant == {shown[0]}
    assert second == Label("q2", "kargom nerede acaba", "tr", frozenset({"orders/track"}), source="editor")
    assert third == Label("q3", "do you sell ladders", None, frozenset(), qtype="near", source="editor")
    assert done.stderr == f"{out}: 3 verdicts added, 1 questions left\n"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_the_question_is_shown_with_three_candidates_by_title(queries: Path, out: Path) -> None:
    """Titles in the question's language, probabilities that fall; no control sequence reaches the terminal."""
    done = judge(queries, out, "s\ns\ns\ns\n")
    lines = done.stdout.splitlines()
    place = lines.index("[2 of 4] kargom nerede acaba  (tr)")
    shown = [line.split(maxsplit=3) for line in lines[place + 1 : place + 4]]
    assert [number for number, *_ in shown] == ["1", "2", "3"]
    assert shown[0][2:] == ["orders/track", "Siparişim nerede?"]
    sure = [float(p) for _, p, *_ in shown]
    assert sure == sorted(sure, reverse=True)
    assert 1 >= sure[0] > sure[2] >= 0
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert not out.exists()


def test_several_articles_may_answer(queries: Path, out: Path) -> None:
    judge(queries, out, "1, 2\nq\n")
    assert verdicts(out) == {"q1": {"care/rug", "care/towel"}}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("care/tovel", "no article `care/tovel`. Did you mean\n  care/towel  How do I wash a towel?\n"),
        ("track", "no article `track`. Did you mean\n  orders/track  Where is my order?\n"),
        ("4", "no candidate 4: "),
        ("1 0", "no candidate 0: "),
        ("☃" * 9, f"no article `{'☃' * 9}`. See `botkit ask`.\n"),
    ],
)
def test_what_is_no_verdict_is_asked_again(queries: Path, out: Path, typed: str, said: str) -> None:
    """With the nearest articles; an empty line is no verdict either."""
    done = judge(queries, out, f"\n{typed}\ncare/towel\nq\n")
    assert said in done.stdout
    assert verdicts(out) == {"q1": {"care/towel"}}


@pytest.mark.parametrize("stop", ["q\n", ""])
def test_a_second_run_goes_on_where_the_first_stopped(queries: Path, out: Path, stop: str) -> None:
    """Whether by `q` or at the end of the input; skipped ones are asked again."""
    assert "1 verdicts added, 3 questions left" in judge(queries, out, f"s\n0\n{stop}").stderr
    again = judge(queries, out, "care/rug\n0\n0\n")
    assert "[1 of 3] can it go in the machine" in again.stdout
    assert "kargom" not in again.stdout
    assert verdicts(out) == {"q2": set(), "q1": {"care/rug"}, "q3": set(), "q4": set()}
    done = judge(queries, out, "1\n")
    assert (done.exit_code, done.stderr) == (0, "all 4 questions are judged already\n")


def test_judge_all_asks_again_and_a_new_verdict_takes_the_old_ones_place(queries: Path, out: Path) -> None:
    judge(queries, out, "0\n0\n0\n0\n")
    judge(queries, out, "s\norders/track\nq\n", "--judge-all")
    assert verdicts(out) == {"q1": set(), "q2": {"orders/track"}, "q3": set(), "q4": set()}
    assert [label.qtype for label in corpus.labels(out)] == ["near", None, "near", "near"]


def test_verdicts_may_be_added_to_a_file_of_others(queries: Path, out: Path) -> None:
    """Customers' judged questions can themselves be gone through; their verdicts do not come along."""
    write(out.parent, {out.name: '{"id": "z", "text": "other", "relevant": []}'})
    customers = [{"id": "c", "text": "wash", "rejected": ["care/rug"], "source": "customer", "slice": "x"}]
    queries.write_text(json.dumps(customers[0]))
    judge(queries, out, "care/towel\n")
    assert corpus.labels(out)[1] == Label("c", "wash", relevant=frozenset({"care/towel"}), source="editor")
    assert verdicts(out)["z"] == set()


def test_what_is_wrong_with_the_files_is_said_before_anything_is_asked(queries: Path, out: Path) -> None:
    """Bad lines by file and number; dialogues; a place that cannot be written."""
    queries.write_text('{"id": "a"}\n')
    done = judge(queries, out, "1\n")
    assert (done.exit_code, f"{queries}:1: `text` is missing" in done.stderr) == (1, True)
    queries.write_text('{"id": "a", "text": "x"}\n')
    write(out.parent, {out.name: "{\n"})
    assert f"{out}:1: not JSON" in judge(queries, out, "1\n").stderr
    turns = [{"text": "x", "relevant": []}, {"text": "y", "relevant": [], "kind": "followup"}]
    write(out.parent, {out.name: json.dumps({"id": "a", "turns": turns})})
    assert "has dialogues in it" in judge(queries, out, "1\n").stderr
    done = judge(queries, queries / "out.jsonl", "0\n")
    assert (done.exit_code, "cannot be written" in done.stderr) == (1, True)
    assert judge(queries.parent, out, "").exit_code == 2


ON_A_TERMINAL = """
import fcntl, signal, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
from botkit.cli import main
main()
"""
"""Makes standard input the terminal of the new session, so that Ctrl-C reaches it, and heeds it: whoever runs tests in
the background ignores it, and that is inherited."""

CTRL_C = b"\x03"


def test_on_a_terminal_each_verdict_is_on_the_disk_before_the_next_question(queries: Path, out: Path) -> None:
    """Somebody at a real terminal, who then goes away with Ctrl-C."""
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-c", ON_A_TERMINAL, "judge", "--index", str(shop.folder()), str(queries)]
    process = subprocess.Popen(
        [*command, "--out", str(out)], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    try:
        _until(terminal, b"[1 of 4]", b"> ")
        os.write(terminal, b"care/towel\n")
        _until(terminal, b"[2 of 4]", b"> ")
        assert verdicts(out) == {"q1": {"care/towel"}}
        os.write(terminal, CTRL_C)
        assert b"1 verdicts added, 3 questions left" in _until(terminal, b"left", again=CTRL_C)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def _until(terminal: int, *marks: bytes, again: bytes = b"") -> bytes:
    """What the terminal shows until all marks were seen in their order; while it shows nothing new, `again` is typed:
    a Ctrl-C between a prompt and the reading of it is heeded at the next key."""
    known, place, last = b"", 0, time.monotonic() + 60
    for mark in marks:
        while (result := known.find(mark, place)) < 0:
            if select.select([terminal], [], [], 5)[0]:
                known += os.read(terminal, 4096)
                continue
            assert time.monotonic() < last, f"it shows no more than {known!r}"
            os.write(terminal, again)
        place = result + len(mark)
    return known
