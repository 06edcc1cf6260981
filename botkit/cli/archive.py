"""An archive: members that are kept together, in one zip file with a manifest of their sizes and SHA-256.

It is written beside its place under a name of its own, read back whole, and only then renamed, so that there is never
half an archive. Reading trusts nothing: a member counts only if the manifest names it and its bytes are those that were
written, no more of them are read than the manifest says, and a name leads nowhere but below a folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from botkit.files import sync

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
PIECE: Final = 1 << 20
LONGEST_LINE: Final = 64 << 20
_NAME: Final = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}/){0,8}[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
_SHA256: Final = re.compile("[0-9a-f]{64}")
_MEMBERS: Final = 100_000


class ArchiveProblem(Exception):
    """An archive cannot be written, or is damaged or foreign; the text names it, the member and the cure."""


class Writer:
    """Takes members; `facts` go into the manifest."""

    def __init__(self, file: zipfile.ZipFile, facts: Mapping[str, Any]) -> None:
        self._file = file
        self.facts: dict[str, Any] = dict(facts)
        self.members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a member from the pieces of its content."""
        if not _NAME.fullmatch(name) or name in self.members:
            raise ArchiveProblem(f"`{name}` cannot be kept under that name. Use letters, digits, `-`, `_` and `.`.")
        digest, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name)
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        with self._file.open(info, "w", force_zip64=True) as stream:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                stream.write(piece)
        self.members[name] = {"bytes": size, "sha256": digest.hexdigest()}


@contextlib.contextmanager
def writing(place: Path, facts: Mapping[str, Any]) -> Iterator[Writer]:
    """Write an archive, there when the block has ended and not before; its owner alone may read it."""
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        if place.exists():
            raise ArchiveProblem(f"{place} is there already. Choose another name, or --out-dir for a name by the time.")
        number = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        with os.fdopen(number, "w+b") as stream:
            with zipfile.ZipFile(stream, "w") as file:
                writer = Writer(file, facts)
                yield writer
                manifest = {"format": FORMAT, **writer.facts, "members": writer.members}
                file.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1), zipfile.ZIP_DEFLATED)
            stream.flush()
            os.fsync(stream.fileno())
        with opened(draft) as archive:
            archive.check()
        draft.rename(place)
        sync(place.parent)
    except OSError as error:
        raise ArchiveProblem(f"{place}: cannot be written ({error.strerror}). Make room, or choose another.") from error
    finally:
        draft.unlink(missing_ok=True)


class Archive:
    """An archive whose manifest has been read. Its members are checked as they are read."""

    def __init__(self, place: Path, file: zipfile.ZipFile) -> None:
        self.place = place
        self._file = file
        self._infos = {info.filename: info for info in file.infolist()}
        self.facts = self._manifest()
        self.members: dict[str, dict[str, Any]] = self.facts["members"]
        for name, info in self._infos.items():
            if stat.S_ISLNK(info.external_attr >> 16) or info.is_dir() or info.flag_bits & 1:
                raise self._wrong(name, "is a link, a folder or encrypted")
            if name != MANIFEST and name not in self.members:
                raise self._wrong(name, "is not in the manifest")
        if len(self._infos) != len(file.infolist()):
            raise self._wrong(MANIFEST, "does not tell two members of one name apart")

    @property
    def size(self) -> int:
        """Bytes of all members."""
        return sum(int(result["bytes"]) for result in self.members.values())

    def below(self, folder: str) -> list[str]:
        """The members in a folder, sorted."""
        return sorted(name for name in self.members if name.startswith(f"{folder}/"))

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member's content in pieces; ArchiveProblem, at its end at the latest, if it is not what was written."""
        result, digest, size = self.members[name], hashlib.sha256(), 0
        try:
            with self._file.open(self._infos[name]) as stream:
                while piece := stream.read(PIECE):
                    size += len(piece)
                    if size > result["bytes"]:
                        break
                    digest.update(piece)
                    yield piece
        except KeyError:
            raise self._wrong(name, "is missing") from None
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
            raise self._wrong(name, "is damaged") from None
        if size != result["bytes"] or digest.hexdigest() != result["sha256"]:
            raise self._wrong(name, "is damaged: its checksum is not the manifest's")

    def lines(self, name: str) -> Iterator[bytes]:
        """A member's lines."""
        rest = b""
        for piece in self.pieces(name):
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
            if len(rest) > LONGEST_LINE:
                raise self._wrong(name, "has a line without end")
        if rest:
            raise self._wrong(name, "ends within a line")

    def check(self) -> None:
        """Read every member to its end."""
        for name in self.members:
            for _ in self.pieces(name):
                pass

    def _manifest(self) -> dict[str, Any]:
        info = self._infos.get(MANIFEST)
        try:
            if info is None or info.file_size > LONGEST_LINE:
                raise ValueError
            with self._file.open(info) as stream:
                results = json.loads(stream.read(LONGEST_LINE))
            if results["format"] != FORMAT:
                raise ArchiveProblem(
                    f"{self.place}: format {results['format']!r} is not {FORMAT}, which this botkit reads. "
                    "Restore it with the release that made it, or a newer one."
                )
            members = results["members"]
            if len(members) > _MEMBERS:
                raise ValueError
            for name, details in members.items():
                counted, digest = type(details["bytes"]) is int, _SHA256.fullmatch(details["sha256"])
                if not (_NAME.fullmatch(name) and counted and digest):
                    raise ValueError
        except ArchiveProblem:
            raise
        except Exception:  # whatever it is made of, it is no manifest
            raise self._wrong(MANIFEST, "is damaged or missing") from None
        result: dict[str, Any] = results
        return result

    def _wrong(self, name: str, what: str) -> ArchiveProblem:
        return ArchiveProblem(f"{self.place}: the member `{name}` {what}. Take another archive.")


@contextlib.contextmanager
def opened(place: Path) -> Iterator[Archive]:
    """An archive to read. ArchiveProblem: there is none, or it is none."""
    try:
        file = zipfile.ZipFile(place)
    except OSError as error:
        raise ArchiveProblem(f"{place}: cannot be read ({error.strerror}). Name an archive of botkit.") from None
    except Exception:  # a broken directory fails in many ways
        raise ArchiveProblem(f"{place}: not a whole archive, or none of botkit. Take another one.") from None
    with file:
        yield Archive(place, file)


def extracted(archive: Archive, name: str, place: Path, mode: int = 0o600) -> None:
    """Write a member to a new file, its owner's alone if no other `mode` is given; on the disk when this returns."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, mode), "wb") as stream:
        for piece in archive.pieces(name):
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())
