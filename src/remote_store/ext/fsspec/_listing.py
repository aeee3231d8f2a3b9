"""Looking: what is where. Everything here can be awaited, and be driven for a blocking caller."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeAlias

from fsspec.asyn import AsyncFileSystem

from ..._async import Listing
from ..._async._listing import Mapped
from ...capabilities import Capability
from ...errors import InvalidPath, NotFound, RemoteStoreError
from ...models import Entry, FileInfo
from .._paths import said
from ._places import Place, Places, inside

Details: TypeAlias = dict[str, Any]
"""What fsspec knows of a file or folder: name, size, type and more."""


def of_folder(name: str) -> Details:
    return {"name": name, "size": 0, "type": "directory"}


def of_file(prefix: str, info: FileInfo) -> Details:
    found: Details = {"name": said(str(info.path), prefix), "size": info.size, "type": "file"}
    if info.modified_at is not None:
        found["mtime"] = info.modified_at.timestamp()
    for name in ("etag", "checksum", "content_type"):
        if (value := getattr(info, name)) is not None:
            found[name] = value
    return found


def of_entry(prefix: str, entry: Entry) -> Details:
    if isinstance(entry, FileInfo):
        return of_file(prefix, entry)
    found = of_folder(said(str(entry.path), prefix))
    return {**found, "islink": True} if entry.is_link else found


def below(place: Place) -> Listing[Entry]:
    """List all files and folders below a folder, a page at a time."""
    scope = place.store._scope
    scope.require(Capability.LIST)
    scope.require(Capability.RECURSIVE_LIST)

    def convert(entry: Entry) -> Entry | None:
        return scope.file_info(entry) if isinstance(entry, FileInfo) else scope.folder(entry)

    key = scope.folder_key(place.key)
    return Listing(scope, key, place.key, Mapped(scope.backend.list_pages(key, recursive=True), convert))


class Looking(AsyncFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Part of ``RemoteStoreFileSystem``."""

    _places: Places

    async def _file_info(self, path: str) -> tuple[Place, FileInfo | None]:
        """Return where a path leads, and the facts of a file or None for a folder.

        Raises:
            NotFound: there is neither.
        """
        place = inside(self._places, self._strip_protocol(path))
        store, key = place.store, place.key
        if key:
            try:
                return place, await store.get_file_info(key)
            except InvalidPath:
                if await store.is_folder(key):
                    return place, None
                raise
        if not await store.is_folder(""):
            raise NotFound("the root of this store is not there", path=place.name)
        return place, None

    async def _info(self, path: str, **kwargs: Any) -> Details:
        name = self._strip_protocol(path)
        if self._places.find(name) is None:
            return of_folder("")
        place, info = await self._file_info(name)
        return of_folder(place.name) if info is None else of_file(place.prefix, info)

    async def _ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        found = await self._children(self._places.find(self._strip_protocol(path)))
        return found if detail else [entry["name"] for entry in found]

    async def _children(self, place: Place | None) -> list[Details]:
        if place is None:
            return [of_folder(name) for name in self._places.names()]
        try:
            children = place.store.iter_children(place.path)
            found = [of_entry(place.prefix, entry) async for entry in children]
        except InvalidPath:
            return [await self._info(place.name)]
        if not found and place.key and not await place.store.is_folder(place.path):
            raise NotFound("there is no such file or folder", path=place.name)
        return sorted(found, key=lambda entry: str(entry["name"]))

    async def _expand_path(
        self, path: Any, recursive: bool = False, maxdepth: int | None = None, **kwargs: Any
    ) -> list[str]:
        try:
            found: list[str] = await super()._expand_path(path, recursive, maxdepth, **kwargs)
        except FileNotFoundError as error:
            if isinstance(error, RemoteStoreError) and error.path:
                raise
            text = path if isinstance(path, str) else ", ".join(map(str, path))
            raise NotFound("there is no such file or folder, and nothing matches", path=text) from error
        return found

    async def _exists(self, path: str, **kwargs: Any) -> bool:
        return await self._asked(path, lambda place: place.store.exists(place.key))

    async def _isfile(self, path: str) -> bool:
        return await self._asked(path, lambda place: place.store.is_file(place.key), top=False)

    async def _isdir(self, path: str) -> bool:
        return await self._asked(path, lambda place: place.store.is_folder(place.key))

    async def _asked(self, path: str, question: Callable[[Place], Any], top: bool = True) -> bool:
        try:
            place = self._places.find(self._strip_protocol(path))
        except NotFound:
            return False
        return top if place is None else bool(await question(place))

    async def _walk(
        self,
        path: str,
        maxdepth: int | None = None,
        topdown: bool = True,
        on_error: Any = "omit",
        detail: bool = False,
        **kwargs: Any,
    ) -> AsyncGenerator[tuple[str, Any, Any]]:
        """Go through folders; links to folders are named, and not gone into.

        Those that are not there, or may not be looked into, are left out unless ``on_error`` says otherwise.
        """
        if maxdepth is not None and maxdepth < 1:
            raise ValueError("maxdepth must be at least 1")
        path = self._strip_protocol(path)
        async for step in self._steps(self._places.find, path, maxdepth, topdown, on_error, detail):
            yield step

    async def _steps(
        self,
        find: Callable[[str], Place | None],
        path: str,
        maxdepth: int | None,
        topdown: bool,
        on_error: Any,
        detail: bool,
    ) -> AsyncGenerator[tuple[str, Any, Any]]:
        try:
            listing = await self._children(find(path))
        except OSError as error:
            _pass_over(error, on_error)
            return
        folders, files = _split(path, listing)
        names: Any = dict(folders) if detail else list(folders)
        step = (path, names, files if detail else list(files))
        if topdown:
            yield step
        deeper = None if maxdepth is None else maxdepth - 1
        for name in list(names) if deeper != 0 else ():  # without those that the caller took out meanwhile
            if not folders[name].get("islink"):
                below, listed = folders[name]["name"], self._places.listed
                async for inner in self._steps(listed, below, deeper, topdown, on_error, detail):
                    yield inner
        if not topdown:
            yield step

    async def _find(
        self,
        path: str,
        maxdepth: int | None = None,
        withdirs: bool = False,
        detail: bool = False,
        **kwargs: Any,
    ) -> Any:
        path = self._strip_protocol(path)
        place = self._places.find(path)
        if maxdepth is not None or place is None:
            return await super()._find(
                path, maxdepth=maxdepth, withdirs=withdirs, detail=detail, on_error=_unless_gone
            )
        found: dict[str, Details] = {}
        try:
            async for entry in below(place):
                details = of_entry(place.prefix, entry)
                if isinstance(entry, FileInfo):
                    found[details["name"]] = details
                elif withdirs:  # of a file and a folder of one name the file is told
                    found.setdefault(details["name"], details)
        except InvalidPath:
            found = {place.name: await self._info(path)}
        else:
            if withdirs and path and (found or await place.store.is_folder(place.key)):
                found.setdefault(place.name, of_folder(place.name))
        names = sorted(found)
        return {name: found[name] for name in names} if detail else names

    async def _du(
        self,
        path: str,
        total: bool = True,
        maxdepth: int | None = None,
        withdirs: bool = False,
        **kwargs: Any,
    ) -> Any:
        found = await self._find(path, maxdepth=maxdepth, withdirs=withdirs, detail=True)
        sizes = {name: entry["size"] for name, entry in found.items()}
        return sum(sizes.values()) if total else sizes


def _split(path: str, listing: list[Details]) -> tuple[dict[str, Details], dict[str, Details]]:
    """Return the folders and the files of a listing by name; a file that was itself listed is ""."""
    folders, files = {}, {}
    for entry in listing:
        if entry["type"] == "directory":
            folders[_last(entry)] = entry
        else:
            files["" if entry["name"] == path else _last(entry)] = entry
    return folders, files


def _last(entry: Details) -> str:
    """Return the last component of a name; "/" if it is empty, for "" would name the folder above."""
    return str(entry["name"]).rpartition("/")[2] or "/"


def _pass_over(error: OSError, on_error: Any) -> None:
    """Leave out a folder that cannot be listed, or raise the error: nothing is empty because of a failure."""
    if callable(on_error):
        on_error(error)
    elif on_error == "raise" or not isinstance(error, (FileNotFoundError, PermissionError)):
        raise error


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
