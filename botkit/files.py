"""What the standard library has no one call for: a file's checksum, and letting a file or a folder's names reach the
disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def checksum(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Let a file, or the names in a folder, reach the disk. OSError when it cannot be opened."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
