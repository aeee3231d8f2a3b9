"""Where a location leads: a store and a path in it.

``name:path`` is a store of the configuration, ``scheme://...`` a URL, and all else a path of
this machine; so is what begins with ``.``, ``/`` or ``~``, or has a slash before its colon.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import quote, unquote, urlsplit

from .._sync import Registry, Store, open_store
from ..backends._known import require_whole
from ..config import CONFIG_VARIABLE, FILE_NAME, RegistryConfig, usual_file
from ..errors import InvalidPath, RemoteStoreError
from ..paths import normalize
from ..transfer.plan import joined
from ._errors import Usage, words

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ODD: Final = re.compile(r"[%#?\x00-\x1f\x7f]")
"""What cannot stand for itself in the path of a URL."""


class Place(NamedTuple):
    """A location.

    Attributes:
        store: where it is.
        path: the path in the store; "" is all of it.
        text: as the user wrote it.
        base: what stands before the paths of the store, where they are written as locations.
    """

    store: Store
    path: str
    text: str
    base: str

    @property
    def is_inside(self) -> bool:
        """True if what goes there keeps its name: the location ends in a slash."""
        return self.text.endswith(("/", ":")) or self.text in (".", "..")

    @property
    def is_dotted(self) -> bool:
        """True if it is the current folder, or the one above of something, by dots and not by its name."""
        return self.text.rstrip("/").rpartition("/")[2] in (".", "..")

    def location(self, path: str) -> str:
        """Return a path of the store as a location; of a URL, without its options."""
        return self.base + (_ODD.sub(_escaped, path) if "://" in self.base else path)

    def below(self, path: str) -> str:
        """Return a path of the store as seen from here; what is here itself has but its name."""
        if path == self.path:
            return path.rpartition("/")[2]
        return path.removeprefix(f"{self.path}/") if self.path else path

    def holds(self, path: str) -> bool:
        """Return True if a path of the store is this place, or below it."""
        return not self.path or f"{path}/".startswith(f"{self.path}/")


def _escaped(match: re.Match[str]) -> str:
    return quote(match[0], errors="surrogatepass")


def located(error: RemoteStoreError, places: Collection[Place]) -> str | None:
    """Return the path of an error as a location; as it is where more than one place may be meant.

    One that begins with a slash is in no store: it is that of a journal, on this machine.
    """
    path = error.path
    if path is None or path.startswith("/") or any(path == place.location(place.path) for place in places):
        return path
    held = [place for place in places if place.holds(path)]
    nearest = max((len(place.path) for place in held), default=0)
    found = {place.location(path) for place in held if len(place.path) == nearest}
    return found.pop() if len(found) == 1 else path


@contextmanager
def telling_of(folder: str) -> Iterator[None]:
    """Have errors of a store's child tell paths of the store."""
    try:
        yield
    except RemoteStoreError as error:
        error.path = joined(folder, error.path or "")
        raise


class Places:
    """Opens stores for locations, and closes them together."""

    def __init__(self, config: Path | None) -> None:
        self._config = config
        self._registry: Registry | None = None
        self._opened: dict[str, Store] = {}
        self._found: list[Place] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, RemoteStoreError):
            error.path = located(error, self._found)
        for store in self._opened.values():
            store.close()
        if self._registry is not None:
            self._registry.close()

    def find(self, text: str) -> Place:
        """Return where a location leads.

        Raises:
            Usage: there is no such store, no configuration, or the path is malformed.
            ValueError: the URL does not fit.
        """
        if not text:
            raise Usage("a location is missing: store-name:path, a URL, or a path of this machine")
        try:
            self._found.append(self._place(text))
        except InvalidPath as error:
            raise Usage(f"{text}: {error.message}") from error
        return self._found[-1]

    def _place(self, text: str) -> Place:
        if _URL.match(text):
            return self._of_url(text)
        name, colon, path = text.partition(":")
        if colon and name and "/" not in name and name[0] not in ".~":
            return Place(self._of_name(name), normalize(path), text, f"{name}:")
        try:
            absolute = os.path.abspath(os.path.expanduser(text))
        except FileNotFoundError as error:
            raise Usage("the current folder is not there any more; go to one that is") from error
        return Place(self._open("file:///"), normalize(absolute.lstrip("/")), text, "/")

    def _of_url(self, text: str) -> Place:
        require_whole(text)
        parts = urlsplit(text)
        root = "/" if parts.scheme.lower() == "file" else ""
        query = f"?{parts.query}" if parts.query else ""
        store = self._open(f"{parts.scheme}://{parts.netloc}{root}{query}")
        path = normalize(unquote(parts.path).lstrip("/"))
        return Place(store, path, text.partition("?")[0], f"{parts.scheme}://{parts.netloc}/")

    def _open(self, url: str) -> Store:
        if url not in self._opened:
            self._opened[url] = open_store(url)
        return self._opened[url]

    def _of_name(self, name: str) -> Store:
        if self._registry is None:
            self._registry = Registry(self.config())
        try:
            return self._registry.get_store(name)
        except KeyError as error:
            raise Usage(
                f"{error.args[0]}; the configuration is {self.config_file()}, and a path of this machine"
                " with a colon begins with ./"
            ) from error
        except InvalidPath as error:
            raise Usage(f"store {name!r} of {self.config_file()}: {words(error)}") from error

    def config(self) -> RegistryConfig:
        """Return the configuration.

        Raises:
            Usage: there is none, it cannot be read, or it makes no sense.
        """
        file = self.config_file()
        if file is None:
            raise Usage(
                f"there is no configuration: make {FILE_NAME} here, give --config FILE, or set"
                f" {CONFIG_VARIABLE}; a path of this machine with a colon begins with ./"
            )
        try:
            found = RegistryConfig.from_toml(file)
            found.validate()
        except OSError as error:
            raise Usage(f"the configuration cannot be read: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise Usage(f"{error.args[0]}; the configuration is {file}") from error
        return found

    def config_file(self) -> Path | None:
        """Return the file with the configuration; None if there is none."""
        return self._config if self._config is not None else usual_file()
