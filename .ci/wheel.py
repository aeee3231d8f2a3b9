"""Build the distributions, and use the wheel where nothing else is: ``python3 .ci/wheel.py [FOLDER]``.

The wheel is built from the source distribution, so both are tested. They stay in FOLDER
if one is given.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import environment

CHECK = """
import asyncio, importlib.metadata, importlib.util, pathlib, sys
import remote_store
from remote_store.backends import MemoryBackend

folder = pathlib.Path(remote_store.__file__).parent
assert "site-packages" in str(folder), f"not the wheel: {folder}"
assert (folder / "py.typed").is_file(), "py.typed is missing: type checkers would ignore the annotations"
assert not (folder / "_tools").exists(), "_tools is in the wheel"
assert remote_store.__version__ == importlib.metadata.version("remote-store"), "two versions"
for optional in ("trio", "aiobotocore", "asyncssh", "azure", "pyarrow", "fsspec", "zarr", "typer", "rich"):
    assert importlib.util.find_spec(optional) is None, f"{optional} came without its extra"

with remote_store.Store(MemoryBackend()) as store:
    store.write("a/b.txt", b"blocking")
    assert store.read_bytes("a/b.txt") == b"blocking"
    assert [str(info.path) for info in store.list_files("", recursive=True)] == ["a/b.txt"]

async def main():
    async with remote_store.AsyncStore(MemoryBackend()) as store:
        await store.write("a/b.txt", b"async")
        assert await store.read_bytes("a/b.txt") == b"async"

asyncio.run(main())
print(f"remote-store {remote_store.__version__}: the wheel works, with no extra installed")
"""


def main(folder: Path) -> None:
    python = environment.prepare("build")
    environment.run(python, "-m", "build", "--outdir", folder)
    (wheel,) = folder.glob("*.whl")
    with tempfile.TemporaryDirectory() as temporary:
        fresh = environment.create(Path(temporary, "venv"))
        environment.run(fresh, "-m", "pip", "--quiet", "install", wheel)
        environment.run(fresh, "-m", "pip", "check")
        environment.run(fresh, "-I", "-W", "error", "-c", CHECK, cwd=Path(temporary))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]).resolve())
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
