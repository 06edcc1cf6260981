"""Arrays that a build works out and the next one would again, in a file of the index folder's cache/.

A file names its maker and its checksum. It may be deleted at any time, and a damaged one counts as
none: a build with it and one without give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def recall(file: Path, maker: str) -> dict[str, np.ndarray]:
    """The arrays that `keep` wrote, or none when they are damaged or another maker's."""
    try:
        with np.load(file, allow_pickle=False) as table:
            arrays = {name: table[name] for name in table.files if name not in ("maker", "sha256")}
            good = str(table["maker"]) == maker and str(table["sha256"]) == _checksum(arrays)
    except Exception:  # whatever a file that is not ours holds, it is no memory
        return {}
    return arrays if good else {}


def keep(file: Path, maker: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays for `recall`, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pending = file.with_name(f".{os.getpid()}-{file.name}")
    np.savez(pending, maker=np.array(maker), sha256=np.array(_checksum(arrays)), **arrays)  # type: ignore[arg-type]
    pending.replace(file)


def recall_table(file: Path, maker: str) -> dict[str, Any]:
    """`recall` for a table that JSON can hold."""
    stored = recall(file, maker)
    return dict(json.loads(stored["json"].tobytes().decode("utf-8", "surrogatepass"))) if stored else {}


def keep_table(file: Path, maker: str, table: Mapping[str, Any]) -> None:
    """`keep` for a table that JSON can hold."""
    text = json.dumps(table, ensure_ascii=False).encode("utf-8", "surrogatepass")
    keep(file, maker, {"json": np.frombuffer(text, np.uint8)})


def key_of(kind: str, text: str) -> str:
    """A name for what is worked out from a text."""
    return hashlib.sha256(f"{kind}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _checksum(arrays: Mapping[str, np.ndarray]) -> str:
    result = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        result.update(f"{name} {array.dtype} {array.shape}\0".encode())
        result.update(array.tobytes())
    return result.hexdigest()
