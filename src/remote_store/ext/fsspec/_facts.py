"""Times, versions and URLs of files."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from ...errors import CapabilityNotSupported
from ._details import Details
from ._listing import Looking
from ._places import inside


class Facts(Looking):
    """Part of ``RemoteStoreFileSystem``."""

    async def _modified(self, path: str) -> datetime:
        """Return when a file was written, in UTC."""
        details = await self._info(path)
        if "mtime" not in details:
            raise CapabilityNotSupported(
                "this storage does not tell when the file was written", path=path, capability="metadata"
            )
        return datetime.fromtimestamp(details["mtime"], UTC)

    async def _created(self, path: str) -> datetime:
        """Return when this version of a file came into being: each is written as a whole."""
        return await self._modified(path)

    async def _ukey(self, path: str) -> str:
        """Return text that is another for another version of a file, by its ETag if it has one."""
        details = await self._info(path)
        return sha256(repr(_version(details)).encode()).hexdigest()

    async def _checksum(self, path: str) -> int:
        """Return a number that is another for another version of a file."""
        return int(await self._ukey(path), 16)

    async def _sign(self, path: str, expiration: float = 100, **kwargs: Any) -> str:
        """Return a URL by which anybody may read a file, for so many seconds; see ``Store.presign``."""
        place = inside(self._places, self._strip_protocol(path))
        return await place.store.presign(place.key, expires=expiration, **kwargs)


def _version(details: Details) -> tuple[Any, ...]:
    if (etag := details.get("etag")) is not None:
        return details["name"], etag
    return details["name"], details["size"], details.get("mtime"), details["type"]
