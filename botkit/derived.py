"""Files worked out once on a machine from a package's data, in the user's cache folder, for every process to map.

A folder is whole or not there: it is made aside, in a process of its own, so that what the making takes is given back,
and renamed. Each start checks its files against their checksums and makes a damaged folder anew. It may be deleted at
any time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import platformdirs

from botkit.files import checksum

log = logging.getLogger("botkit")

UNUSED = 30 * 24 * 3600
"""Seconds after which what an older version of a package or of botkit made is deleted."""
_FACTS = "facts.json"
_CALL = "import importlib, pathlib, sys; importlib.import_module(sys.argv[1]).{}(*map(pathlib.Path, sys.argv[2:]))"


class DerivedError(Exception):
    """The files could not be made; the text has the reason."""


def folder(
    name: str, source: Path, version: str, module: str, function: str, say: Callable[[str], None] | None = None
) -> Path:
    """The folder `name` of files made from `source` by `function(source, folder)` of a module.

    `version` changes with what the function writes. `say` is told when they have to be made first. Raises DerivedError.
    """
    known = source.stat()
    details = f"{source.resolve()} {known.st_size} {known.st_mtime_ns} {version}"
    top = _top()
    result = top / f"{name}-{hashlib.sha256(details.encode()).hexdigest()[:16]}"
    if whole(result):
        os.utime(result)
        return result
    (say or log.info)(f"preparing {name} for this machine, once")
    scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=top))
    try:
        command = [sys.executable, "-c", _CALL.format(function), module, str(source), str(scratch)]
        environ = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        done = subprocess.run(command, capture_output=True, text=True, env=environ)  # noqa: S603 - our own modules
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
            raise DerivedError(f"{name}: cannot be prepared from {source} ({reason})")
        sums = {file.name: checksum(file) for file in sorted(scratch.iterdir())}
        (scratch / _FACTS).write_text(json.dumps(sums, indent=1) + "\n", encoding="utf-8")
        if result.exists() and not whole(result):
            shutil.rmtree(result)  # who has it mapped keeps what is mapped
        try:
            scratch.rename(result)
        except OSError as error:  # another process was quicker: what it made is the same
            if not whole(result):
                raise DerivedError(f"{result}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    _tidy(top, name)
    return result


def whole(found: Path) -> bool:
    """Whether a folder has every file as it was made."""
    try:
        sums = json.loads((found / _FACTS).read_text(encoding="utf-8"))
        return bool(sums) and all(checksum(found / name) == value for name, value in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def _top() -> Path:
    """The user's cache folder, or where that cannot be written one of the user's own among the temporary files."""
    wanted = platformdirs.user_cache_path("botkit")
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        if os.access(wanted, os.W_OK | os.X_OK):
            return wanted
    except OSError:
        pass
    spare = Path(tempfile.gettempdir()) / f"botkit-{os.getuid()}"
    log.warning("%s cannot be written: using %s", wanted, spare)
    spare.mkdir(mode=0o700, exist_ok=True)
    result = spare.lstat()
    if not stat.S_ISDIR(result.st_mode) or result.st_uid != os.getuid() or stat.S_IMODE(result.st_mode) & 0o022:
        raise DerivedError(f"{spare}: belongs to somebody else. Set XDG_CACHE_HOME to a folder of your own.")
    return spare


def _tidy(top: Path, name: str) -> None:
    for old in top.glob(f"{name}-*"):
        try:
            if time.time() - old.stat().st_mtime > UNUSED:
                shutil.rmtree(old)
        except OSError:
            continue  # another process tidies, too
