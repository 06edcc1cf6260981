"""The proof under load runs, and would tell of a customer without an answer. It asserts no time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_an_attack_is_told_with_what_others_had_of_it(index_folder: Path) -> None:
    """For each attack a line: every message of the others answered, no worker ended by itself."""
    value = ("--seconds", "2", "--only", "ligatures,slow heads,damaged version", "--index", str(index_folder))
    command = [sys.executable, str(ROOT / "eval" / "hostile.py"), *value]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines() if "|" in line][2:]
    assert [line[0] for line in lines] == ["ligatures", "slow heads", "damaged version"]
    for name, sent, _, _, _, failed, ended, _, got, _ in lines:
        assert (sent, failed, ended) == ("10", "0", "0"), name
        assert "×" in got or name == "damaged version"
    assert "command: python eval/hostile.py --seconds 2" in done.stdout
