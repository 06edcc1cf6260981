"""Files that their owner alone may read and write, whatever the umask of the process is."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from botkit.files import sync

log = logging.getLogger("botkit.store")

PRIVATE: Final = 0o600


def make_private(path: Path) -> None:
    """Make an empty file if there is none. OSError when the folder does not allow it."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, PRIVATE))


def tighten(paths: Iterable[Path]) -> None:
    """Take away what others may do with these files, where they are there, and say so in the log."""
    for path in paths:
        try:
            mode = path.stat().st_mode & 0o777
            if not mode & 0o077:
                continue
            path.chmod(mode & 0o700)
            log.warning("%s could be read by others (%o): now its owner alone may (%o)", path, mode, mode & 0o700)
        except FileNotFoundError:
            continue
        except OSError as error:
            log.warning("%s can be read by others and cannot be changed (%s): chmod 600 it", path, error.strerror)


def write_private(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, over what was there; it is on the disk when this returns."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, PRIVATE), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync(path.parent)
