"""Whether the server honours conditions of writes: found out once, and not trusted before.

There are servers that answer a conditional PUT with success and overwrite all the same,
and more that do so for a copy, when an upload in parts is completed, or for a deletion.
Amazon's own are known to honour all of these.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ..._runtime.per_loop import PerLoop
from ...capabilities import Capability
from ...errors import CapabilityNotSupported, NotFound, RemoteStoreError
from ._errors import NAME, status_of
from ._objects import bare, receipt_of, told

if TYPE_CHECKING:
    from ._api import Api

PROBE: Final = ".remote-store-probe-"
_HELD: Final = (409, 412)
_NOT_UNDERSTOOD: Final = (400, 501)
_CREATE: Final = {"IfNoneMatch": "*"}
_NO_VERSION: Final = {"IfMatch": f'"{"0" * 32}"'}


class Conditions:
    """What is known of one server. True: conditions hold; False: they are ignored; None: not known.

    Attributes:
        put: for a request that stores an object.
        copy: for a copy.
        complete: for the completion of an upload in parts, that nothing is there.
        replace: for the completion, that a certain version is there.
        delete: for a deletion. Who says that writes honour conditions has not said that these do.
    """

    def __init__(self, api: Api, known: bool | None) -> None:
        self.put = self.copy = self.complete = self.replace = known
        self.delete = False if known is False else None
        self._api = api
        self._tries = dict.fromkeys(_PROBES, 3)
        # Those who ask at the same time share one probe, which no caller's cancellation ends.
        self._probes = {
            name: PerLoop(partial(_counted, api, name, self._tries), _nothing) for name in _PROBES
        }

    @property
    def lost(self) -> set[Capability]:
        """The capabilities that the server turned out not to have."""
        if self.put is False:
            return {Capability.EXCLUSIVE_CREATE, Capability.CONDITIONAL_WRITE}
        return {Capability.EXCLUSIVE_CREATE} if False in (self.copy, self.complete) else set()

    async def known(self, name: str) -> bool | None:
        """Return what is known of a kind of request, found out now if need be."""
        if self._state(name) is not None or self._tries[name] <= 0:
            return self._state(name)
        if await self._is_amazon():
            self.put = self.copy = self.complete = self.replace = self.delete = True
        else:
            with suppress(RemoteStoreError):  # not of the caller's request: that one may well succeed
                setattr(self, name, await self._probes[name].get())
        return self._state(name)

    def _state(self, name: str) -> bool | None:
        known: bool | None = getattr(self, name)
        return known

    async def _is_amazon(self) -> bool:
        client: Any = await self._api.client()
        host = urlsplit(client.meta.endpoint_url).hostname or ""
        return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))

    async def parameters(
        self, name: str, key: str, *, if_match: str | None, refused: RemoteStoreError | None
    ) -> dict[str, str]:
        """Return a request's condition as parameters; look first where the server is not trusted.

        Raises:
            CapabilityNotSupported: the server ignores ``if_match``.
            RemoteStoreError: what is given as ``refused``: an object is there.
        """
        if refused is None:
            return {}
        state = await self.known("replace" if name == "complete" and if_match is not None else name)
        if if_match is not None:
            if state is False:
                raise CapabilityNotSupported(
                    "this server ignores the condition, so if_match would overwrite what others wrote",
                    path=key,
                    backend=NAME,
                    capability=Capability.CONDITIONAL_WRITE.value,
                )
            return {"IfMatch": f'"{bare(if_match)}"'}
        if state is not True and await self._api.head(key) is not None:
            raise refused
        return {} if state is False else dict(_CREATE)

    async def aclose(self) -> None:
        """Let go of what was found out on each loop; it stays known."""
        for probe in self._probes.values():
            await probe.aclose()


async def _nothing(_: bool) -> None:
    """Close what needs no closing."""


async def _counted(api: Api, name: str, tries: dict[str, int]) -> bool:
    """Find something out; a failure counts once, however many wait for it."""
    try:
        return await _PROBES[name](api)
    except RemoteStoreError:
        tries[name] -= 1
        raise


async def _probe_put(api: Api) -> bool:
    """Return True if the server refuses to overwrite an object of our own, made for this alone."""
    key = await _free_key(api)
    try:
        if not await _taken(api, "put_object", key, {"Body": b"probe", **_CREATE}):
            return False  # it does not take the condition at all
        again = {"Body": b"again"}
        return await _refused(api, "put_object", key, {**again, **_CREATE}) and await _refused(
            api, "put_object", key, {**again, **_NO_VERSION}
        )
    finally:
        await api.request("delete_object", key)


async def _probe_copy(api: Api) -> bool:
    """Return True if the server refuses to copy one object of our own over another."""
    source, target = await _free_key(api), await _free_key(api)
    try:
        for key in (source, target):
            await api.request("put_object", key, {"Body": b"probe"})
        parameters = {"CopySource": {"Bucket": api.bucket, "Key": source}, **_CREATE}
        return await _refused(api, "copy_object", target, parameters)
    finally:
        try:
            await api.request("delete_object", source)
        finally:
            await api.request("delete_object", target)


async def _probe_complete(api: Api, condition: dict[str, str]) -> bool:
    """Return True if the server refuses to complete an upload over an object."""
    key = await _free_key(api)
    await api.request("put_object", key, {"Body": b"probe"})
    try:
        begun = {"UploadId": told(await api.request("create_multipart_upload", key), "UploadId", key)}
        try:
            part = await api.request("upload_part", key, {**begun, "PartNumber": 1, "Body": b"again"})
            parts = {"MultipartUpload": {"Parts": [{"PartNumber": 1, **receipt_of(part, key)}]}}
            return await _refused(api, "complete_multipart_upload", key, {**begun, **parts, **condition})
        finally:
            with suppress(NotFound):  # completed
                await api.request("abort_multipart_upload", key, begun)
    finally:
        await api.request("delete_object", key)


async def _probe_delete(api: Api) -> bool:
    """Return True if the server refuses to delete an object that is not the version that was named."""
    key = await _free_key(api)
    await api.request("put_object", key, {"Body": b"probe"})
    try:
        return await _refused(api, "delete_object", key, _NO_VERSION)
    finally:
        await api.request("delete_object", key)


_PROBES: Final[Mapping[str, Callable[[Api], Awaitable[bool]]]] = {
    "put": _probe_put,
    "copy": _probe_copy,
    "complete": partial(_probe_complete, condition=_CREATE),
    "replace": partial(_probe_complete, condition=_NO_VERSION),
    "delete": _probe_delete,
}


async def _free_key(api: Api) -> str:
    """Return a key of which we know that we may delete it. Raises PermissionDenied if we may not."""
    key = f"{PROBE}{token_hex(8)}"
    await api.request("delete_object", key)
    return key


async def _taken(api: Api, operation: str, key: str, parameters: dict[str, Any]) -> bool:
    """Return True if a request succeeds, False if the server does not understand it."""
    try:
        await api.request(operation, key, parameters)
    except RemoteStoreError as error:
        if status_of(error) not in _NOT_UNDERSTOOD:
            raise
        return False
    return True


async def _refused(api: Api, operation: str, key: str, parameters: dict[str, Any]) -> bool:
    """Return True if a request's condition is said not to hold, False if it is of no account."""
    try:
        await api.request(operation, key, parameters)
    except RemoteStoreError as error:
        if status_of(error) not in (*_HELD, *_NOT_UNDERSTOOD):
            raise
        return status_of(error) in _HELD
    return False
