"""Commands that change nothing: ls, tree, find, stat, du, cat."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from .._sync import Store
from ..errors import InvalidPath, NotFound
from ..models import FileInfo, FolderInfo, RemoteFolder
from ._errors import Usage, reporting
from ._output import bytes_of, entry_as_dict, human, printable, say, say_json, time_of
from ._places import Place, Places, telling_of

Location = Annotated[str, typer.Argument(help="store-name:path, a URL, or a path of this machine.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object for each line.")]
Human = Annotated[bool, typer.Option("--human", "-H", help="Sizes in K, M, G: powers of 1024.")]
LongHuman = Annotated[bool, typer.Option("--human", "-H", help="As --long, with sizes in K, M, G.")]
CHUNK: Final = 1 << 20
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def entries(place: Place, recursive: bool) -> Iterable[FileInfo | RemoteFolder]:
    """Give what is in a folder, or the file that is there.

    Raises:
        NotFound: nothing is there.
    """
    store, path = place.store, place.path
    if path and store.is_file(path):
        return [store.get_file_info(path)]
    if path and not store.is_folder(path):
        raise NotFound("there is no such file or folder", path=place.location(path))
    return store.list_files(path, recursive=True) if recursive else store.iter_children(path)


def folder(place: Place) -> Place:
    """Return a place that is a folder.

    Raises:
        NotFound: it is none.
    """
    if place.path and not place.store.is_folder(place.path):
        raise NotFound("there is no such folder", path=place.location(place.path))
    return place


@reporting
def ls(
    context: typer.Context,
    location: Location,
    long: Annotated[bool, typer.Option("--long", "-l", help="Sizes and times too.")] = False,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="All files below.")] = False,
    human_sizes: LongHuman = False,
    as_json: Json = False,
) -> None:
    """List files and folders, in the order in which the storage gives them."""
    with Places(context.obj) as places:
        place = places.find(location)
        for entry in entries(place, recursive):
            name = place.below(str(entry.path))
            if as_json:
                say_json(entry_as_dict(entry, name))
            else:
                say(_line(entry, name, human_sizes) if long or human_sizes else _shown(entry, name))


def _shown(entry: FileInfo | RemoteFolder, name: str) -> str:
    return f"{name}/" if isinstance(entry, RemoteFolder) else name


def _line(entry: FileInfo | RemoteFolder, name: str, human_sizes: bool) -> str:
    if isinstance(entry, RemoteFolder):
        return f"{'-':>12}  {'-':<20}  {name}/"
    size = human(entry.size) if human_sizes else str(entry.size)
    return f"{size:>12}  {time_of(entry.modified_at):<20}  {name}"


@reporting
def tree(context: typer.Context, location: Location, as_json: Json = False) -> None:
    """Show a folder and all below it as a tree."""
    with Places(context.obj) as places:
        place = folder(places.find(location))
        if not as_json:
            say(place.text)
        for entry, lines in _branch(place.store, place.path, ""):
            if as_json:
                say_json(entry_as_dict(entry, place.below(str(entry.path))))
            else:
                say(lines + _shown(entry, entry.name))


def _branch(store: Store, path: str, indent: str) -> Iterator[tuple[FileInfo | RemoteFolder, str]]:
    """Give all below a folder, each with the lines that lead to it."""
    children = sorted(store.iter_children(path), key=lambda entry: entry.name)
    for number, entry in enumerate(children, 1):
        last = number == len(children)
        yield entry, f"{indent}{'└── ' if last else '├── '}"
        if isinstance(entry, RemoteFolder) and not entry.is_link:
            yield from _branch(store, str(entry.path), indent + ("    " if last else "│   "))


@reporting
def find(
    context: typer.Context,
    location: Location,
    glob: Annotated[str | None, typer.Option(help="Pattern of the path below LOCATION: **/*.csv")] = None,
    size: Annotated[str | None, typer.Option(help="+1M for at least, -10k for at most.")] = None,
    newer: Annotated[str | None, typer.Option(help="Changed within: 7d, 12h, 30m.")] = None,
    older: Annotated[str | None, typer.Option(help="Not changed for: 7d, 12h, 30m.")] = None,
    as_json: Json = False,
) -> None:
    """Find files by name, size and age."""
    least, most = _sizes(size)
    after, before = _moment(newer), _moment(older)
    with Places(context.obj) as places:
        place = folder(places.find(location))
        for name, info in _found(place, glob):
            changed = info.modified_at
            fits = least <= info.size and (most is None or info.size <= most)
            if not fits or ((after or before) and changed is None):
                continue
            if (after and changed and changed < after) or (before and changed and changed > before):
                continue
            if as_json:
                say_json(entry_as_dict(info, name))
            else:
                say(name)


def _found(place: Place, glob: str | None) -> Iterator[tuple[str, FileInfo]]:
    """Give files, each with its path below a place.

    Raises:
        Usage: the pattern is malformed.
    """
    store, path = place.store, place.path
    if glob is None:
        for info in store.list_files(path, recursive=True):
            yield place.below(str(info.path)), info
        return
    try:
        found = (store.child(path) if path else store).glob(glob)
    except InvalidPath as error:
        raise Usage(f"--glob {glob}: {error.message}") from error
    with telling_of(path):
        for info in found:
            yield str(info.path), info


def _sizes(text: str | None) -> tuple[int, int | None]:
    if text is None:
        return 0, None
    if text[:1] not in ("+", "-"):
        raise Usage(f"--size is +1M for at least, or -10k for at most, not {text!r}")
    amount = bytes_of(text[1:])
    return (amount, None) if text[0] == "+" else (0, amount)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]+)([smhdw])", text)
    if match is None:
        raise Usage(f"an age is a number with s, m, h, d or w, such as 7d, not {text!r}")
    try:
        return datetime.now(UTC) - timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    except (OverflowError, ValueError):  # so many digits, too
        return datetime.min.replace(tzinfo=UTC)  # as long ago as can be


@reporting
def stat(context: typer.Context, location: Location, as_json: Json = False) -> None:
    """Show all that is known of a file, or the sum of a folder."""
    with Places(context.obj) as places:
        place = places.find(location)
        store, path = place.store, place.path
        where = place.location(path)
        if path and store.is_file(path):
            facts = entry_as_dict(store.get_file_info(path), where)
        else:
            found = _sum(place)
            facts = {"type": "folder", "path": where, "files": found.file_count, "size": found.total_size}
        if as_json:
            say_json(facts)
            return
        for name, value in facts.items():
            if value is not None:
                print(f"{name + ':':<14}{printable(str(value))}")


def _sum(place: Place) -> FolderInfo:
    try:
        return place.store.get_folder_info(place.path)
    except (NotFound, InvalidPath) as error:  # it is no file either
        raise NotFound("there is no such file or folder", path=place.location(place.path)) from error


@reporting
def du(context: typer.Context, location: Location, human_sizes: Human = False, as_json: Json = False) -> None:
    """Add up the files in each folder of a folder, and in all of it."""
    with Places(context.obj) as places:
        place = places.find(location)
        sums: dict[str, list[int]] = {}
        total = [0, 0]
        for entry in entries(place, recursive=True):
            assert isinstance(entry, FileInfo)
            name, below, _ = place.below(str(entry.path)).partition("/")
            for each in (total, sums.setdefault(name, [0, 0])) if below else (total,):
                each[0] += 1
                each[1] += entry.size
        for name, (files, size) in [*sorted(sums.items()), (".", total)]:
            if as_json:
                say_json({"path": name, "files": files, "size": size})
            else:
                say(f"{human(size) if human_sizes else size:>12}  {files:>9} files  {name}")


@reporting
def cat(
    context: typer.Context,
    location: Location,
    offset: Annotated[int, typer.Option(min=0, help="First byte, counted from 0.")] = 0,
    length: Annotated[int | None, typer.Option(min=0, help="Most bytes; by default all.")] = None,
) -> None:
    """Write the bytes of a file, or of a part of it."""
    with Places(context.obj) as places:
        place = places.find(location)
        with place.store.read(place.path, start=offset, length=length) as stream:
            while chunk := stream.read(CHUNK):
                sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (ls, tree, find, stat, du, cat):
        app.command()(command)
