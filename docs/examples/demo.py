"""Show what the library does, on a folder of yours: ``python demo.py [FOLDER]``.

Copies the folder to an S3 server that it starts on this machine, and from there into a second
folder, many files at once; then it compares the two. Where there is no such server, a store in
memory takes its place. Your folder is only read, and all that was made is removed in the end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import remote_store
from remote_store import (
    EventKind,
    RemoteStoreError,
    Store,
    TransferEvent,
    TransferFailed,
    TransferReport,
    download,
    upload,
)
from remote_store.backends import LocalBackend, MemoryBackend

PROJECT_SOURCE = Path(__file__).resolve().parents[2] / "src"
PIECE = 1 << 20
MOST_IN_MEMORY = 1 << 30
START_SECONDS = 60.0
Tree = dict[str, int]
"""The files of a folder, and their sizes in bytes."""


# -- the transfers: this is what you would write, too -----------------------------------------


def there_and_back(folder: Path, tree: Tree, store: Store, back: Path) -> set[str]:
    """Copy a folder into a store, and from there to another folder; return what stayed behind."""
    up = run("up", tree, lambda note: upload(folder, store, "copy", on_event=note))
    if up.done:
        run("down", tree, lambda note: download(store, "copy", back, on_event=note))
    return {failure.path for failure in up.failures}


def run(
    name: str, tree: Tree, transfer: Callable[[Callable[[TransferEvent], None]], object]
) -> TransferReport:
    """Run a transfer, show how far it is, and print what came of it."""
    report, ways = TransferReport(), Counter[str]()
    with watched(name, tree) as show:

        def note(event: TransferEvent) -> None:
            report.add(event)
            if event.kind is EventKind.DONE:
                ways[event.detail] += 1
            show(report)

        try:
            transfer(note)
        except TransferFailed:
            pass  # the others are there, and the report tells which failed, and why
    print(f"\n{name}\n{report}")
    for way, files in ways.most_common():
        print(f"  {files:,} files {way}")
    print(flush=True)
    return report


def differences(left: Store, right: Store, names: set[str]) -> list[str]:
    """Read files in two stores, and return the names of those that are not the same."""
    return [name for name in names if digest(left, name) != digest(right, name)]


def digest(store: Store, name: str) -> str:
    """Return the SHA-256 of a file, read piece by piece."""
    found = hashlib.sha256()
    with store.read(name) as stream:
        while piece := stream.read(PIECE):
            found.update(piece)
    return found.hexdigest()


# -- what is shown meanwhile --------------------------------------------------------------------


@contextmanager
def watched(name: str, tree: Tree) -> Iterator[Callable[[TransferReport], object]]:
    """Give what shows how far a transfer is: a bar on a terminal, and elsewhere a line for each quarter."""
    if not sys.stdout.isatty() or find_spec("rich") is None:
        yield quarters(name, len(tree))
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = BarColumn(), DownloadColumn(True), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress("{task.description}", *columns) as bar:
        task = bar.add_task(name, total=sum(tree.values()))
        yield lambda report: bar.update(
            task, completed=report.moved_bytes, description=f"{name}: {report.done:,} of {len(tree):,} files"
        )


def quarters(name: str, files: int) -> Callable[[TransferReport], None]:
    told = 0

    def show(report: TransferReport) -> None:
        nonlocal told
        if 4 * report.done // files > told:
            told = 4 * report.done // files
            print(f"{name}: {report.done:,} of {files:,} files, {size(report.moved_bytes)}", flush=True)

    return show


def size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"


# -- where the files go: an S3 server on this machine, SeaweedFS, or memory -------------------------


@contextmanager
def a_store(temporary: Path, program: str | None) -> Iterator[Store]:
    """Give a store; nothing of it is left afterwards."""
    if program is None:
        with Store(MemoryBackend()) as store:
            yield store
        return
    from remote_store.backends import S3Backend

    key, secret = secrets.token_hex(8), secrets.token_hex(16)
    with server(program, temporary, key, secret) as url:
        backend = S3Backend("demo", endpoint_url=url, key=key, secret=secret, region_name="us-east-1")
        with Store(backend) as store:
            yield store


def find_server() -> str | None:
    """Return where the server is, which comes from PyPI, if what speaks to it is there, too."""
    if find_spec("aiobotocore") is None or find_spec("httptools") is None:
        return None
    return shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")


@contextmanager
def server(program: str, folder: Path, key: str, secret: str) -> Iterator[str]:
    """Run the server as long as a block lasts, for this machine alone; give its address."""
    (folder / "data").mkdir()
    login = {"name": "demo", "credentials": [{"accessKey": key, "secretKey": secret}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [login]}))
    names = [f"{part}.port{kind}" for part in ("s3", "filer", "master", "volume", "admin")
             for kind in ("", ".grpc")]  # fmt: skip
    ports = free_ports(len(names))
    command = [
        program, f"-logdir={folder}", "mini", f"-dir={folder / 'data'}", f"-s3.config={folder / 's3.json'}",
        "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-admin.ui=false", "-webdav=false",
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.localSocket=", "-filer.localSocket=",
        *(f"-{name}={port}" for name, port in zip(names, ports, strict=True)),
    ]  # fmt: skip
    with open(folder / "output.log", "wb") as log:
        # In a session of its own: Ctrl-C reaches us alone, and we end the server when we are done with it.
        process = subprocess.Popen(  # noqa: S603 - the program that was looked for
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{ports[0]}"
        wait_for(process, url)
        yield url
    finally:
        process.kill()
        process.wait()


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urlopen(url, timeout=5).close()  # noqa: S310 - an address of this machine
            return
        except HTTPError:
            return  # it asks who we are: so it is there
        except OSError:
            time.sleep(0.05)
    raise SystemExit("demo.py: the S3 server did not start; --memory goes without it")


# -- around it ---------------------------------------------------------------------------------------


def show(folder: Path, program: str | None) -> None:
    with (
        Store(LocalBackend(folder, create=False)) as source,
        tempfile.TemporaryDirectory(prefix="remote-store-demo-") as name,
    ):
        temporary = Path(name).resolve()
        tree = {str(info.path): info.size for info in source.list_files(recursive=True)}
        check(folder, temporary, sum(tree.values()), program)
        python = f"Python {platform.python_version()} on {platform.system()}"
        print(f"remote_store {remote_store.__version__}, {python}")
        print(f"from {folder}: {len(tree):,} files, {size(sum(tree.values()))}")
        what = "an S3 server on this machine" if program else "a store in memory"
        print(f"to   {what}, and back\n", flush=True)
        with a_store(temporary, program) as store:
            behind = there_and_back(folder, tree, store, temporary / "back")
        with Store(LocalBackend(temporary / "back")) as back:
            arrived = {str(info.path) for info in back.list_files(recursive=True)}
            missing = [*(tree.keys() - behind - arrived), *differences(source, back, arrived)]
    if missing:
        raise SystemExit(f"demo.py: {len(missing):,} files are not the same, {missing[0]!r} among them")
    print(f"compared: all {len(arrived):,} files that came back are the same")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(f"memory of this process at its peak: {size(peak)}")


def check(folder: Path, temporary: Path, needed: int, program: str | None) -> None:
    """Look before copying."""
    if temporary.is_relative_to(folder.resolve()):
        raise SystemExit(f"demo.py: {folder} is where temporary files go; name another folder")
    free = shutil.disk_usage(temporary).free
    if 2 * needed > 0.9 * free:
        raise SystemExit(f"demo.py: {folder} takes {size(needed)}, and {temporary} has only {size(free)}")
    if program is None and needed > MOST_IN_MEMORY:
        raise SystemExit(f"demo.py: {folder} takes {size(needed)}, which is too much for a store in memory")


def main() -> None:
    parser = argparse.ArgumentParser(description="Show what remote_store does, on a folder of yours.")
    parser.add_argument(
        "folder", nargs="?", type=Path, default=PROJECT_SOURCE, help="default: this project's source"
    )
    parser.add_argument("--memory", action="store_true", help="copy to a store in memory, and not to S3")
    chosen = parser.parse_args()
    if not chosen.folder.is_dir():
        parser.exit(2, f"demo.py: there is no folder {str(chosen.folder)!r}; name one that exists\n")
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # file names may be no text
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the server and all files go then, too
    try:
        show(chosen.folder.absolute(), None if chosen.memory else find_server())
    except RemoteStoreError as error:
        parser.exit(1, f"demo.py: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "demo.py: stopped\n")


if __name__ == "__main__":
    main()
