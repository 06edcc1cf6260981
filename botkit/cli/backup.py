"""`botkit backup, restore`: what belongs together in one archive, and back into an empty place.

Members, with their places in the archive:

    database/<table>.jsonl          the record, as it was in one moment
    keys                            the key file
    indexes/<name>/<version>/...    the published version of each index
    botkit.toml                     the settings

What is in files beside the record (keys, attachments) is read after the record: files are written before the row that
speaks of them and stay, so that all that the rows need is there.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from botkit import __version__

from . import archive, shared

if TYPE_CHECKING:
    from botkit.store import Store

NAMED = re.compile(r"botkit-\d{8}T\d{6}Z\.zip")
_DATABASE, _KEYS, _INDEXES, _SETTINGS = "database", "keys", "indexes", "botkit.toml"
_INDEX = click.option(
    "--index", "indexes", multiple=True, type=click.Path(path_type=Path), help="index folder; may be given again"
)


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="the archive to write")
@click.option("--out-dir", "folder", type=click.Path(file_okay=False, path_type=Path), help="name it by the time, here")
@click.option(
    "--keep", type=click.IntRange(min=1), help="with --out-dir: remove all but so many of the newest good ones"
)
@_INDEX
@click.option("--without-keys", is_flag=True, help="leave the key file out, where you keep it elsewhere")
@shared.DATABASE
@click.pass_obj
def backup(
    file: Path | None,
    out: Path | None,
    folder: Path | None,
    keep: int | None,
    indexes: tuple[Path, ...],
    without_keys: bool,
    database: str | None,
) -> None:
    """Write the record, its keys, published indexes and settings into one archive, while the server goes on.

    Without --index it takes the index that the settings name. What was acknowledged before it began is in it.
    """
    if (out is None) == (folder is None):
        raise click.UsageError("give either --out ARCHIVE or --out-dir FOLDER")
    if keep is not None and folder is None:
        raise click.UsageError("--keep goes with --out-dir")
    settings = shared.settings(file, database=database)
    named = file or Path("botkit.toml")
    made = datetime.now(UTC)
    place = out or (folder or Path()) / f"botkit-{made:%Y%m%dT%H%M%SZ}.zip"
    with _told():
        from botkit.store import Store, dump, iso

        with (
            shared.written(place),
            contextlib.closing(Store(settings.database, keys=settings.keys)) as store,
            contextlib.ExitStack() as open_,
        ):
            result, problems = _indexes(indexes or ((Path(settings.index),) if settings.index else ()), open_)
            facts = {
                "botkit": __version__,
                "made_at": iso(made),
                "indexes": {name: v for name, (v, _) in result.items()},
            }
            with archive.writing(place, facts) as writer:
                with dump.snapshot(store) as snapshot:
                    writer.facts |= {
                        "schema": snapshot.revision,
                        "dialect": snapshot.dialect,
                        "columns": snapshot.columns,
                        "counts": {},
                    }
                    for table in snapshot.columns:
                        writer.add(f"{_DATABASE}/{table}.jsonl", _counted(snapshot, table, writer.facts["counts"]))
                if store.key_file.path.is_file() and not without_keys:
                    writer.add(_KEYS, [store.key_file.path.read_bytes()])
                for name, (version, files) in result.items():
                    for stream in files:
                        member = f"{_INDEXES}/{name}/{version}/{Path(stream.name).name}"
                        writer.add(member, iter(lambda stream=stream: stream.read(archive.PIECE), b""))  # type: ignore[misc]
                if named.is_file():
                    writer.add(_SETTINGS, [named.read_bytes()])
    click.echo(f"{place}: {_summary(writer.facts)}, {place.stat().st_size / 1e6:.1f} MB")
    if folder is not None and keep is not None:
        _thin_out(folder, keep)
    if problems:
        raise click.ClickException("\n".join(f"left out: {problem}" for problem in problems))


@click.command()
@click.argument("place", metavar="ARCHIVE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="only read the archive, and say whether it is whole")
@click.option("--force", is_flag=True, help="where something is already: keep it aside under another name")
@click.option(
    "--indexes",
    "folder",
    default="indexes",
    show_default=True,
    type=click.Path(path_type=Path),
    help="folder in which each index gets its own",
)
@shared.DATABASE
@click.pass_obj
def restore(file: Path | None, place: Path, check: bool, force: bool, folder: Path, database: str | None) -> None:
    """Put an archive of `botkit backup` into an empty place: the record, its keys, indexes and settings.

    The server must be stopped. All members are checked before anything is written. Everybody at the desk has to sign in
    again. An archive of SQLite can be restored to PostgreSQL, and the other way.
    """
    with _told(), archive.opened(place) as result:
        counts = _checked(result)
        facts = result.facts
        details = f"{place}: {_summary(facts)}, made {facts['made_at']} by botkit {facts['botkit']}"
        if check:
            click.echo(f"{details}: whole")
            return
        settings = shared.settings(file, database=database)
        from botkit.store import Store, dump

        aside = f"before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        toml = file or Path("botkit.toml")
        with contextlib.closing(Store(settings.database, keys=settings.keys)) as store:
            _need_room(result, folder, store)
            if result.facts["schema"] not in store.revisions():
                raise archive.ArchiveProblem(
                    f"{place}: made by a newer botkit ({result.facts['botkit']}, schema {result.facts['schema']}). "
                    "Restore it with that release."
                )
            taken = [
                (each, f"{each} is there already") for each in _places(result, folder, toml, store) if each.exists()
            ]
            full = dump.has_record(store)
            if (taken or full) and not force:
                reasons = [reason for _, reason in taken] + [f"{store!r} has a record already"] * full
                raise archive.ArchiveProblem(
                    f"{'; '.join(reasons)}. Restore into an empty place, or give --force to keep the old aside."
                )
            if full:
                click.echo(f"what was there is kept: {dump.set_aside(store, aside)}", err=True)
            for each, _ in taken:
                kept = each.with_name(f"{each.name}.{aside}")
                each.rename(kept)
                click.echo(f"what was there is kept: {kept}", err=True)
            fresh = _brings_keys(result, store)
            if fresh:  # first: the record may need them to be brought to this release's state
                archive.extracted(result, _KEYS, store.key_file.path)
            try:
                rows = dump.restore(
                    store,
                    result.facts["schema"],
                    result.facts["columns"],
                    lambda table: result.lines(f"{_DATABASE}/{table}.jsonl"),
                    _sign_everybody_out,
                )
            except BaseException:
                if fresh:
                    store.key_file.path.unlink()
                raise
            if rows != counts:
                raise archive.ArchiveProblem(f"{place}: other rows than its manifest says. Take another archive.")
            _put_indexes(result, folder)
            if _SETTINGS in result.members:
                archive.extracted(result, _SETTINGS, toml)
        click.echo(f"{details}\nrestored to {store!r}")
        if counts.get("secret") and not store.key_file.path.exists():
            click.echo(f"warning: there were no keys in it. Put its key file at {store.key_file.path}.", err=True)
        _tell_of_settings(result, settings, folder)


# ---------------------------------------------------------------- writing


def _counted(snapshot: Any, table: str, counts: dict[str, int]) -> Iterator[bytes]:
    counts[table] = 0
    for line in snapshot.rows(table):
        counts[table] += 1
        yield line


def _indexes(
    folders: tuple[Path, ...], open_: contextlib.ExitStack
) -> tuple[dict[str, tuple[str, list[BufferedReader]]], list[str]]:
    """Of each index its version and its files, opened, so that they can be read whatever is published meanwhile."""
    from botkit import index

    result: dict[str, tuple[str, list[BufferedReader]]] = {}
    problems = []
    for folder in folders:
        for attempt in range(3):  # a build may remove a version between two looks
            try:
                version = index.version_folder(folder.absolute())
                index.verify(version)
                files = [open_.enter_context(each.open("rb")) for each in sorted(version.iterdir()) if each.is_file()]
            except (index.IndexProblem, OSError) as error:
                if attempt == 2:
                    problems.append(str(error))
                continue
            if version.parent.name in result:
                raise archive.ArchiveProblem(f"two indexes have the name `{version.parent.name}`. Back them up apart.")
            result[version.parent.name] = (version.name, files)
            break
    return result, problems


def _thin_out(folder: Path, keep: int) -> None:
    """Remove what is older than the newest `keep` good archives; a damaged one is told of and counts for nothing."""
    good = 0
    for each in sorted((each for each in folder.iterdir() if NAMED.fullmatch(each.name)), reverse=True):
        if good >= keep:
            each.unlink()
            continue
        try:
            with archive.opened(each) as result:
                result.check()
            good += 1
        except archive.ArchiveProblem as problem:
            click.echo(f"warning: {problem}", err=True)


def _summary(facts: dict[str, Any]) -> str:
    counts = facts["counts"]
    indexes = ", ".join(facts["indexes"]) or "none"
    return (
        f"{counts.get('conversation', 0)} conversations, {counts.get('event', 0)} events, "
        f"{sum(counts.values())} rows in all, indexes: {indexes}"
    )


# ---------------------------------------------------------------- reading


def _checked(found: archive.Archive) -> dict[str, int]:
    """The rows of each table, after every member was read to its end."""
    facts = found.facts
    columns, counts, indexes = (facts.get(each) for each in ("columns", "counts", "indexes"))
    whole = (
        all(isinstance(facts.get(name), str) for name in ("botkit", "made_at", "schema"))
        and isinstance(columns, dict)
        and isinstance(counts, dict)
        and isinstance(indexes, dict)
        and all(isinstance(each, list) and all(isinstance(name, str) for name in each) for each in columns.values())
        and {Path(name).stem for name in found.below(_DATABASE)} == set(columns) == set(counts)
        and all(found.below(f"{_INDEXES}/{name}/{version}") for name, version in indexes.items())
    )
    if not whole or columns is None or counts is None or indexes is None:
        raise archive.ArchiveProblem(f"{found.place}: the manifest is not of a backup. Take another archive.")
    known = {_KEYS, _SETTINGS, *found.below(_DATABASE)}
    known |= {each for name, version in indexes.items() for each in found.below(f"{_INDEXES}/{name}/{version}")}
    if strange := sorted(found.members.keys() - known):
        raise archive.ArchiveProblem(
            f"{found.place}: this botkit does not know what to do with `{strange[0]}`. Restore it with a newer one."
        )
    for name in found.members:
        table = name.startswith(f"{_DATABASE}/")
        lines = sum(1 for _ in (found.lines(name) if table else found.pieces(name)))
        if table and lines != (wanted := counts[Path(name).stem]):
            raise archive.ArchiveProblem(
                f"{found.place}: the member `{name}` has {lines} rows, not {wanted}. Take another archive."
            )
    result: dict[str, int] = counts
    return result


def _need_room(found: archive.Archive, folder: Path, store: Store) -> None:
    """Refuse what the disk has no room for; what is unpacked may be far more than the archive."""
    file = store.url.database if store.url.get_backend_name() == "sqlite" else None
    for place in (folder, Path(file or folder)):
        there = next(each for each in (place.absolute(), *place.absolute().parents) if each.is_dir())
        if (free := shutil.disk_usage(there).free) < 2 * found.size:
            raise archive.ArchiveProblem(
                f"{found.place}: {found.size / 1e9:.1f} GB when unpacked, twice that is needed, {there} has "
                f"{free / 1e9:.1f} GB. Make room."
            )


def _places(found: archive.Archive, folder: Path, toml: Path, store: Store) -> list[Path]:
    """Where files go."""
    settings = [toml] if _SETTINGS in found.members else []
    keys = [store.key_file.path] if _brings_keys(found, store) else []
    return [*(folder / name for name in sorted(found.facts["indexes"])), *keys, *settings]


def _brings_keys(found: archive.Archive, store: Store) -> bool:
    """Whether the archive has keys that do not lie in their place already."""
    place = store.key_file.path
    return _KEYS in found.members and not (place.is_file() and place.read_bytes() == b"".join(found.pieces(_KEYS)))


def _put_indexes(found: archive.Archive, folder: Path) -> None:
    from botkit import index
    from botkit.index.versions import publish_folder

    for name, version in found.facts["indexes"].items():
        members = found.below(f"{_INDEXES}/{name}/{version}")
        for member in members:
            archive.extracted(found, member, folder / member.removeprefix(f"{_INDEXES}/"), 0o644)
        try:
            index.verify(folder / name / version)
        except index.IndexProblem as problem:  # a format of another release: the record is good all the same
            click.echo(f"warning: {problem}", err=True)
        publish_folder(folder / name / version, keep=1)


def _sign_everybody_out(store: Store) -> None:
    from botkit import accounts

    for agent in accounts.agents(store):
        accounts.end_sessions(store, agent.name)


def _tell_of_settings(found: archive.Archive, settings: Any, folder: Path) -> None:
    if _SETTINGS in found.members:
        click.echo(
            f"botkit.toml is restored as it was. Where it names a database other than {settings.database}, or an index "
            f"elsewhere than below {folder}, change it.",
            err=True,
        )


@contextlib.contextmanager
def _told() -> Iterator[None]:
    with shared.told():
        try:
            yield
        except archive.ArchiveProblem as problem:
            raise click.ClickException(str(problem)) from problem
        except OSError as error:
            raise click.ClickException(f"{error.filename}: {error.strerror}. Choose another place.") from error
