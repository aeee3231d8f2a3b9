"""Pages of keys as files and folders.

A folder is what keys have before a slash. It is there while a key is below it, or while
an object of its own name and a slash marks it; such objects come from other programs,
are no files here, and are never written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ..._runtime.tasks import Task, begun, soon, unbroken
from ...backend import Pages
from ...errors import InvalidPath, RemoteStoreError
from ...models import Entry, RemoteFolder
from ...paths import RemotePath
from ._api import Api
from ._errors import NAME
from ._objects import info_of_entry, next_token

PAGE_KEYS: Final = 1000  # the most a server gives
HIDDEN: Final = ".remote-store-arrow-"
"""How keys begin that hold content on its way to another key."""
UNSHOWN: Final = re.compile(f"{re.escape(HIDDEN)}[0-9a-f]{{32}}")
"""Such keys; others that begin so are files like any."""


class S3Pages(Pages):
    """A listing: one request for each page.

    From the second page on, the next one is asked for while the caller works on the last:
    who stops after the first entries pays for one request only.
    """

    def __init__(self, api: Api, path: str, recursive: bool, files: bool, folders: bool) -> None:
        self._api, self._path = api, path
        self._prefix = f"{path}/" if path else ""
        self._recursive, self._files, self._folders = recursive, files, folders
        self._next: dict[str, str] | None = {}
        self._ahead: Task[dict[str, Any]] | None = None
        self._any = False
        self._last = ""  # the folder that the last key was in

    async def __anext__(self) -> list[Entry]:
        if self._next is None:
            raise StopAsyncIteration
        return await self._api.leaf(self._page)

    async def _page(self) -> list[Entry]:
        assert self._next is not None
        answer = await self._answer(self._next)
        token = None
        if answer.get("IsTruncated"):
            token = next_token(answer, self._next.get("ContinuationToken"), self._path)
        if token is not None and self._next:
            self._ahead = begun(_request, self._api, self._parameters({"ContinuationToken": token}))
        entries = self._read(answer)
        self._any = self._any or bool(answer.get("Contents") or answer.get("CommonPrefixes"))
        if token is None and not self._any and self._path and await self._api.head(self._path) is not None:
            raise InvalidPath("this is a file, not a folder", path=self._path, backend=NAME)
        self._next = {"ContinuationToken": token} if token is not None else None
        return entries

    def _read(self, answer: dict[str, Any]) -> list[Entry]:
        try:
            return list(self._entries(answer))
        except KeyError as error:
            self._drop()  # who asks again gets this page
            raise RemoteStoreError(
                f"an entry of the server's listing has no {error.args[0]}", path=self._path, backend=NAME
            ) from error

    async def _answer(self, position: dict[str, str]) -> dict[str, Any]:
        if self._ahead is None:
            return await _request(self._api, self._parameters(position))
        try:
            answer = await unbroken(self._ahead)  # who is cancelled finds the same page again
        except RemoteStoreError:
            self._ahead = None
            raise
        self._ahead = None
        return answer

    def _parameters(self, position: dict[str, str]) -> dict[str, Any]:
        level = {} if self._recursive else {"Delimiter": "/"}
        return {"Prefix": self._prefix, "MaxKeys": PAGE_KEYS, **level, **position}

    async def aclose(self) -> None:
        self._drop()
        self._next = None

    def __del__(self) -> None:
        self._drop()

    def _drop(self) -> None:
        ahead, self._ahead = getattr(self, "_ahead", None), None
        if ahead is not None and not ahead.done():
            soon(ahead.get_loop(), ahead.cancel)

    def _entries(self, answer: dict[str, Any]) -> Iterator[Entry]:
        for found in answer.get("CommonPrefixes", ()) if self._folders else ():
            if found["Prefix"] != "/":  # a folder without a name would be the root: endless for who goes down
                yield RemoteFolder(RemotePath._of(found["Prefix"][:-1]))
        for found in answer.get("Contents", ()):
            key: str = found["Key"]
            if self._recursive and self._folders:
                yield from self._new_folders(key)
            unshown = key.startswith(HIDDEN) and UNSHOWN.fullmatch(key)
            if self._files and not key.endswith("/") and not unshown:
                yield info_of_entry(found)

    def _new_folders(self, key: str) -> Iterator[Entry]:
        """Report the folders on the way to a key, each the first time: its keys come one after another."""
        folder = key[len(self._prefix) :].rpartition("/")[0]
        if folder == self._last:
            return
        known = f"{self._last}/"
        at = folder.find("/")
        while at >= 0 or folder:
            name = folder if at < 0 else folder[:at]
            if not known.startswith(f"{name}/") and (name or self._prefix):
                yield RemoteFolder(RemotePath._of(self._prefix + name))
            if at < 0:
                break
            at = folder.find("/", at + 1)
        self._last = folder


async def _request(api: Api, parameters: dict[str, Any]) -> dict[str, Any]:
    """Ask for a page. No method, for a request that is under way must not keep a dropped listing alive."""
    return await api.request("list_objects_v2", None, parameters)
