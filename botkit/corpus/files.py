"""Files as editors leave them: found, opened and read so that whatever lies there is a finding and nobody waits for it.

A pipe named like an article would be waited for, a link may lead to itself, a file may be gone or closed to us by the
time it is opened, and a name may be bytes that are no text.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from botkit.corpus.model import Bad


def content(file: Path, most: int | None = None) -> bytes:
    """The bytes of a regular file; Bad if it is none, cannot be read, or has more than `most`."""
    try:
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            result = os.fstat(stream.fileno())
            if not stat.S_ISREG(result.st_mode):
                raise Bad(1, "is no file that can be read. Put a text file here, or rename it.")
            if most is not None and result.st_size > most:
                size = f"the file has {result.st_size / 1e6:.1f} MB; {most // 1000} kB are the limit"
                raise Bad(1, f"{size}. Split it into articles.")
            return stream.read()
    except (OSError, ValueError) as error:  # a name may hold a NUL
        details = error.strerror if isinstance(error, OSError) else error
        raise Bad(1, f"cannot be read ({details}). Let this account read it, or take it away.") from None


def text(data: bytes) -> str:
    """The text of a file's bytes, its lines ended by a newline alone; Bad if it is not UTF-8 or has a NUL."""
    try:
        result = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Bad(line, f"not UTF-8 (byte 0x{data[error.start]:02x}). Save the file as UTF-8.") from None
    if "\x00" in result:
        raise Bad(result[: result.index("\x00")].count("\n") + 1, "a NUL character. Remove it.")
    return result.replace("\r\n", "\n").replace("\r", "\n")


def named(top: Path, suffix: str) -> Iterator[tuple[Path, str, str]]:
    """What lies in a folder and those below under a name with this suffix, in order of the paths: path, what is wrong
    with it, and how much that is. So also a folder that cannot be looked into. Links to folders are not followed."""
    result: list[tuple[Path, str, str]] = []

    def closed(error: OSError) -> None:
        details = f"cannot be looked into ({error.strerror}). Let this account read it."
        result.append((Path(error.filename), details, "error"))

    for folder, inner, files in os.walk(top, onerror=closed):
        here = Path(folder)
        result += [(here / name, "", "") for name in files if Path(name).suffix == suffix]
        details = "a link to a folder is not followed. Put the folder itself here."
        result += [(here / name, details, "warning") for name in inner if (here / name).is_symlink()]
        details = "a folder named like a file. Rename it."
        result += [(here / name, details, "warning") for name in inner if Path(name).suffix == suffix]
    yield from sorted(result)


def within(path: Path, top: Path) -> bool:
    """Whether a path leads to something below a folder, wherever links lead; a link to itself leads nowhere."""
    try:
        return path.resolve().is_relative_to(top.resolve())
    except (OSError, RuntimeError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder, as far as this account may know."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether there is a regular file; a name that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
