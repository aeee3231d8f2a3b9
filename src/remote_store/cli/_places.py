"""Where a location leads: a store and a path in it.

``name:path`` is a store of the configuration, ``scheme://...`` a URL, and all else a path of
this machine; so is what begins with ``.``, ``/`` or ``~``, or has a slash before its colon.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import unquote, urlsplit

from .._sync import Registry, Store, open_store
from ..backends._known import require_whole
from ..config import CONFIG_VARIABLE, FILE_NAME, RegistryConfig, usual_file
from ..paths import normalize
from ._errors import Usage

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Place(NamedTuple):
    """A location.

    Attributes:
        store: where it is.
        path: the path in the store; "" is all of it.
        text: as the user wrote it.
    """

    store: Store
    path: str
    text: str

    @property
    def is_inside(self) -> bool:
        """True if what goes there keeps its name: the location ends in a slash."""
        return self.text.endswith(("/", ":")) or self.text in (".", "..")


class Places:
    """Opens stores for locations, and closes them together."""

    def __init__(self, config: Path | None) -> None:
        self._config = config
        self._registry: Registry | None = None
        self._opened: dict[str, Store] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for store in self._opened.values():
            store.close()
        if self._registry is not None:
            self._registry.close()

    def find(self, text: str) -> Place:
        """Return where a location leads.

        Raises:
            Usage: there is no such store, or no configuration.
            ValueError: the URL does not fit.
            InvalidPath: the path is malformed.
        """
        if not text:
            raise Usage("a location is missing: store-name:path, a URL, or a path of this machine")
        if _URL.match(text):
            return self._of_url(text)
        name, colon, path = text.partition(":")
        if colon and name and "/" not in name and name[0] not in ".~":
            return Place(self._of_name(name), normalize(path), text)
        absolute = os.path.abspath(os.path.expanduser(text))
        return Place(self._open("file:///"), normalize(absolute.lstrip("/")), text)

    def _of_url(self, text: str) -> Place:
        require_whole(text)
        parts = urlsplit(text)
        root = "/" if parts.scheme.lower() == "file" else ""
        query = f"?{parts.query}" if parts.query else ""
        store = self._open(f"{parts.scheme}://{parts.netloc}{root}{query}")
        return Place(store, normalize(unquote(parts.path).lstrip("/")), text.partition("?")[0])

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
            raise Usage(f"{error.args[0]}; the configuration is {self.config_file()}") from error

    def config(self) -> RegistryConfig:
        """Return the configuration.

        Raises:
            Usage: there is none, or it cannot be read.
        """
        file = self.config_file()
        if file is None:
            raise Usage(
                f"there is no configuration: make {FILE_NAME} here, give --config FILE, or set"
                f" {CONFIG_VARIABLE}; a path of this machine with a colon begins with ./"
            )
        try:
            return RegistryConfig.from_toml(file)
        except OSError as error:
            raise Usage(f"the configuration cannot be read: {error}") from error

    def config_file(self) -> Path | None:
        """Return the file with the configuration; None if there is none."""
        return self._config if self._config is not None else usual_file()
