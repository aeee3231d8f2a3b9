"""Stores by name: the program says what it needs, and a configuration says where that is."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from remote_store import (
    AsyncRegistry,
    BackendConfig,
    Registry,
    RegistryConfig,
    StoreProfile,
    open_store,
    register_backend,
)
from remote_store.backends import MemoryBackend

TOML = """
[backends.disk]
type = "local"
options = { root = "${EXAMPLE_ROOT}/data" }   # the environment gets in only where it is named

[backends.scratch]
type = "${EXAMPLE_SCRATCH:-memory}"           # with a default

[stores.reports]
backend = "disk"
root_path = "reports"

[stores.cache]
backend = "scratch"
"""


def from_a_file(folder: Path) -> None:
    os.environ["EXAMPLE_ROOT"] = str(folder)
    (folder / "stores.toml").write_text(TOML)
    config = RegistryConfig.from_toml(folder / "stores.toml")

    # The registry makes each backend once, when it is first needed, and closes them all in the end.
    with Registry(config) as registry:
        registry.get_store("reports").write_text("may.txt", "20 sold")
        registry.get_store("cache").write("key", b"value")
    print("on the disk:", (folder / "data/reports/may.txt").read_text())

    async def awaited() -> None:
        async with AsyncRegistry(config) as registry:
            print("awaited:", await registry.get_store("reports").read_text("may.txt"))

    asyncio.run(awaited())


def in_code(folder: Path) -> None:
    config = RegistryConfig(
        backends={"disk": BackendConfig("local", {"root": str(folder / "data")})},
        stores={"all": StoreProfile("disk"), "reports": StoreProfile("disk", "reports")},
    )
    with Registry(config) as registry:
        print("all:", [str(info.path) for info in registry.get_store("all").list_files(recursive=True)])
        print("reports:", [str(info.path) for info in registry.get_store("reports").list_files()])

    # Secrets are masked wherever a configuration is shown.
    print(BackendConfig("sftp", {"host": "example.org", "password": "hunter2"}))


def mistakes_are_named() -> None:
    try:
        Registry(RegistryConfig(stores={"reports": StoreProfile("disc")}))
    except ValueError as error:
        print("refused:", error)
    try:
        RegistryConfig.from_dict({"backend": {}})
    except ValueError as error:
        print("refused:", error)


def a_type_of_ones_own() -> None:
    class Scratch(MemoryBackend):
        """A backend of this program; one in a package is found by its entry point."""

    register_backend("scratch", Scratch)
    config = RegistryConfig.from_dict(
        {"backends": {"mine": {"type": "scratch"}}, "stores": {"tmp": {"backend": "mine"}}}
    )
    with Registry(config) as registry:
        print("of one's own:", registry.get_store("tmp").write("a", b"1").size, "byte")


def by_url(folder: Path) -> None:
    # For a single store no configuration is needed.
    with open_store((folder / "data").as_uri()) as store:
        print("by URL:", store.read_text("reports/may.txt"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        from_a_file(Path(temporary))
        in_code(Path(temporary))
        mistakes_are_named()
        a_type_of_ones_own()
        by_url(Path(temporary))
