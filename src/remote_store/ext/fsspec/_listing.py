"""Looking: what is where. Everything here can be awaited, and be driven for a blocking caller."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

from fsspec.asyn import AsyncFileSystem

from ..._async import Listing
from ..._async._listing import Mapped
from ...capabilities import Capability
from ...errors import InvalidPath, NotFound, RemoteStoreError
from ...models import Entry, FileInfo
from ._details import Details, of_entry, of_file, of_folder, split
from ._places import Place, Places, inside


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
        folders, files = split(path, listing)
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
            found = await self._walked(path, maxdepth, withdirs)
        else:
            found = await self._all_below(place, withdirs)
        if withdirs and place is not None and path and (found or await place.store.is_folder(place.key)):
            found.setdefault(place.name, of_folder(place.name))
        names = sorted(found)
        return {name: found[name] for name in names} if detail else names

    async def _walked(self, path: str, maxdepth: int | None, withdirs: bool) -> dict[str, Details]:
        """Return what is below a path, by a listing for each folder; of one name the folder is told."""
        found: dict[str, Details] = {}
        async for _, folders, files in self._walk(path, maxdepth, on_error=_unless_gone, detail=True):
            entries = {**files, **folders} if withdirs else files
            found |= {details["name"]: details for details in entries.values()}
        return found

    async def _all_below(self, place: Place, withdirs: bool) -> dict[str, Details]:
        """Return what is below a place, by one listing; of one name the file is told."""
        found: dict[str, Details] = {}
        try:
            async for entry in below(place):
                details = of_entry(place.prefix, entry)
                if isinstance(entry, FileInfo):
                    found[details["name"]] = details
                elif withdirs:
                    found.setdefault(details["name"], details)
        except InvalidPath:
            return {place.name: await self._info(place.name)}
        return found

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


def _pass_over(error: OSError, on_error: Any) -> None:
    """Leave out a folder that cannot be listed, or raise the error: nothing is empty because of a failure."""
    if callable(on_error):
        on_error(error)
    elif on_error == "raise" or not isinstance(error, (FileNotFoundError, PermissionError)):
        raise error


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
