"""The evaluation scripts run and print what they promise; no figure is asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def printed(script: str, *given: str) -> str:
    """What a script prints, run as its readers run it."""
    command = [sys.executable, str(ROOT / "eval" / script), *given]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, env=environ)
    assert done.returncode == 0, done.stderr
    assert "machine: " in done.stdout
    assert f"command: python eval/{script} " in done.stdout
    return done.stdout


def write_jsonl(file: Path, rows: list[dict[str, object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def test_bench_prints_each_of_its_tables(index_folder: Path) -> None:
    shown = printed("bench.py", "--quick", "--only", "a,b,c,e,f", "--before", str(ROOT), "--index", str(index_folder))

    for name in "abcef":
        table = shown.partition(f"\n{name}. ")[2].partition("\n\n")[2].partition("\n\n")[0]
        assert "| --- |" in table, name


def test_streams_prints_delivery_and_what_one_too_many_finds(
    index_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOTKIT_STREAMS", "8")
    small = ("--streams", "6", "--rate", "10", "--seconds", "1", "--most", "12", "--index", str(index_folder))
    shown = printed("streams.py", *small)
    assert "| delivery, ms | 10 |" in shown
    assert "messages that never came: 0; streams out of order: 0" in shown
    assert "got 503 (after " in shown


def test_a_rebuild_gives_the_bytes_of_a_full_build(index_folder: Path) -> None:
    shown = printed("bench.py", "--quick", "--only", "d", "--index", str(index_folder))

    assert shown.rstrip().endswith("| yes |")


def test_constants_prints_a_line_for_each_value(index_folder: Path) -> None:
    value = ("--index", str(index_folder), "--only", "detection,followups", "--most", "5")
    shown = printed("constants.py", *value)
    for constant in ("page", "foreign", "latin_word", "unsure", "uncued"):
        assert shown.count(f"| {constant} |") == 4, constant


def test_public_builds_each_set_and_prints_it(tmp_path: Path) -> None:
    intents = [
        {"id": f"i {n}", "lang": "en", "questions": [f"topic{n} how", f"topic{n} why"], "answer": ""} for n in (1, 2)
    ]
    asked = {"id": "q", "lang": "en", "text": "how about topic1", "relevant": ["i 1"], "split": "dev"}
    write_jsonl(tmp_path / "clinc150" / "faq.jsonl", intents)
    write_jsonl(tmp_path / "clinc150" / "queries.jsonl", [asked, asked | {"relevant": []}])
    write_jsonl(tmp_path / "banking77" / "faq.jsonl", intents)
    write_jsonl(tmp_path / "banking77" / "queries.jsonl", [asked | {"split": "test"}])
    article = {"id": "tr:a", "lang": "tr", "questions": ["Parola"], "answer": "Ayarlar.", "group": "a"}
    write_jsonl(
        tmp_path / "helparticles" / "faq.jsonl",
        [article, article | {"id": "bg:a", "lang": "bg", "questions": ["Парола"], "answer": "Настройки."}],
    )
    title = {"id": "t", "lang": "tr", "text": "Parola", "relevant": ["tr:a", "bg:a"], "split": "dev", "qtype": "title"}
    write_jsonl(tmp_path / "helparticles" / "queries.jsonl", [title, title | {"lang": "en", "qtype": "slug-en"}])

    shown = printed("public.py", "--data", str(tmp_path), "--phrasings", "1,all", "--baselines", "none")

    lines = [line.split("|")[1].strip() for line in shown.splitlines() if line.startswith("|")][2:]
    assert lines == [
        "clinc150, 1 phrasings",
        "clinc150, all phrasings",
        "helparticles en, slug-en",
        "helparticles tr, other languages' title",
    ]


def test_a_day_at_the_desk_prints_both_queues() -> None:
    shown = printed("desk_day.py", "--scale", "0.1", "--seed", "3")

    lines = [[cell.strip() for cell in line.split("|")[1:3]] for line in shown.splitlines() if line.startswith("|")][2:]
    matters = ["everyday", "asked for a person", "complaint, refund", "all"]
    assert lines == [[queue, m] for queue in ("priority with ageing", "first in, first out") for m in matters]


def test_pairs_finds_one_that_the_model_has() -> None:
    """Of three products the first of botkit's own gains most on kinds of bots that the model was fitted without."""
    result = printed("pairs.py", "--from-nothing", "--steps", "1", "--among", "known_grams,fused_margin")
    before, after = (line.split(" | ") for line in result.splitlines() if line.startswith(("| as it is", "| +")))
    assert after[0] == "| + known_grams × fused_margin"
    assert float(after[-1].rstrip(" |")) > float(before[-1].rstrip(" |"))


def test_memory_while_versions_are_published(index_folder: Path) -> None:
    result = printed("publishes.py", "--index", str(index_folder), "--publishes", "2", "--seconds", "0.2")
    rows = [line.split(" | ") for line in result.splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert [row[0] for row in rows] == ["| 0", "| 1", "| 2"]
    assert {row[2] for row in rows} == {"1"}, "old versions are still mapped"
    assert "0 failed" in result


def test_crossings_counts_what_a_question_and_a_page_go_through(index_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    shown = printed("crossings.py", "--index", str(index_folder), "--json", str(file))
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert set(figures) == {"a question", "a ticket's page"}
    for what, counted in figures.items():
        assert f"| {what} | {' | '.join(str(number) for number in counted.values())} |" in shown


def test_matches_prints_what_each_match_lets_through(index_folder: Path, tmp_path: Path) -> None:
    rows = [{"id": "1", "lang": "en", "text": "where is my parcel", "relevant": ["orders/track"], "split": "dev"}]
    far = [{"id": "2", "lang": "en", "text": "what time is it in Tokyo", "relevant": [], "split": "dev"}]
    write_jsonl(tmp_path / "asked" / "en.jsonl", rows)
    write_jsonl(tmp_path / "far" / "en.jsonl", far)
    folders = ("--golden", str(tmp_path / "asked"), "--elsewhere", str(tmp_path / "far"))
    shown = printed("matches.py", "--index", str(index_folder), *folders)
    assert "| good |" in shown
    assert "| near |" in shown


def test_routes_names_the_file_of_each_route() -> None:
    command = [sys.executable, str(ROOT / "eval" / "routes.py")]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, env=environ)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:]]
    assert len(rows) > 80
    for _, address, file in rows:
        assert file == "flask" or (ROOT / file).is_file(), address
