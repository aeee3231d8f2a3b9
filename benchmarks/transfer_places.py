"""Where the folders of the transfers are: what is copied, from where to where, and whether it arrived."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

from benchmarks.harness import Work

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
BUCKET: Final = "transfers"
MANY: Final = 1000
"""So many files stay until the end, when all goes."""


@dataclass(frozen=True)
class Files:
    """A folder with files of one size, in up to twenty folders."""

    name: str
    count: int
    size: int
    quick_count: int
    quick_size: int

    def of(self, work: Work) -> tuple[int, int]:
        """Return how many files there are, and their size."""
        return work.pick((self.count, self.size), (self.quick_count, self.quick_size))


FILES: Final = {
    files.name: files
    for files in (
        Files("2,000 x 16 KiB", 2000, 16 * KIB, 40, 16 * KIB),
        Files("200 x 1 MiB", 200, MIB, 6, MIB),
        Files("1 x 1 GiB", 1, GIB, 1, 24 * MIB),
        Files("1,000 x 4 KiB", 1000, 4 * KIB, 40, 4 * KIB),
        Files("1 x 256 MiB", 1, 256 * MIB, 1, 24 * MIB),
    )
}


@dataclass(frozen=True)
class Servers:
    """How to reach the servers, as everybody may know it."""

    s3_url: str
    key: str
    secret: str
    filer_url: str
    master_url: str
    ssh_port: int
    ssh_user: str
    ssh_key: str
    known_host_keys: str


@dataclass(frozen=True)
class Job:
    """One copy of a folder.

    Attributes:
        kind: what is at the other end: "s3", "sftp" or "local".
        up: from this machine to there, and not back.
        local: the folder on this machine; there already, and empty if it is the target.
        remote: the other one: a prefix in the bucket, or a folder of the machine, which is there already.
    """

    kind: str
    up: bool
    local: str
    remote: str
    servers: Servers


def prepare(work: Work) -> None:
    """Make the folders and start the servers; all goes away when this process ends."""
    from tests import services  # needs what the tests need

    work.folder.mkdir(parents=True)
    for number, files in enumerate(FILES.values()):
        _fill(_folder(work, files.name), *files.of(work), seed=number)
    stack = ExitStack()
    atexit.register(stack.close)
    s3 = stack.enter_context(
        services.seaweedfs(Path(stack.enter_context(tempfile.TemporaryDirectory()), "s3"))
    )
    ssh = stack.enter_context(services.sshd(Path(stack.enter_context(tempfile.TemporaryDirectory()), "ssh")))
    options = s3.options
    found = Servers(
        s3.endpoint_url, options["key"], options["secret"], s3.filer_url, s3.master_url,
        ssh.port, ssh.user, ssh.key, ssh.known_host_keys,
    )  # fmt: skip
    (work.folder / "servers.json").write_text(json.dumps(asdict(found)))
    _client(found).create_bucket(Bucket=BUCKET)
    for files in FILES.values():
        _upload(found, _folder(work, files.name), files.name)


def servers(work: Work) -> Servers:
    return Servers(**json.loads((work.folder / "servers.json").read_text()))


def _folder(work: Work, name: str) -> Path:
    return work.folder / "here" / _plain(name)


def _plain(name: str) -> str:
    return name.replace(" ", "-").replace(",", "")


def _fill(folder: Path, count: int, size: int, seed: int) -> None:
    block = os.urandom(min(size, MIB))
    for number in range(count):
        path = folder / f"{number % 20:02}" / f"{seed}-{number:05}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            file.writelines(block for _ in range(max(1, size // len(block))))


def _client(found: Servers) -> Any:
    from botocore.session import Session

    return Session().create_client(
        "s3", endpoint_url=found.s3_url, region_name="us-east-1", aws_access_key_id=found.key,
        aws_secret_access_key=found.secret,
    )  # fmt: skip


def _upload(found: Servers, folder: Path, name: str) -> None:
    """Put there what is to be downloaded; by our own means, for those of botocore take long."""
    from remote_store import Store, upload
    from remote_store.backends import S3Backend

    with Store(
        S3Backend(
            BUCKET, endpoint_url=found.s3_url, key=found.key, secret=found.secret, region_name="us-east-1"
        )
    ) as store:
        upload(folder, store, f"down/{_plain(name)}")


@contextmanager
def job(work: Work, kind: str, up: bool, name: str) -> Iterator[Job]:
    """Give a copy to make; afterwards see that all is there, and remove it.

    Raises:
        AssertionError: something else is there than was to be copied.
    """
    found, here = servers(work), _folder(work, name)
    target = Path(tempfile.mkdtemp(prefix="target-", dir=work.folder))
    local, remote = map(str, (here, target) if up else (target, here))
    if kind == "s3":
        remote = f"up/{target.name}" if up else f"down/{_plain(name)}"
    count, size = FILES[name].of(work)
    _warm_up(work.folder, count * size)
    try:
        yield Job(kind, up, local, remote, found)
        arrived = _in_bucket(found, remote) if kind == "s3" and up else _on_disk(target)
        assert arrived == (count, count * size), f"{arrived} arrived"
    finally:
        if count < MANY:  # else later: for some seconds ext4 makes new files slowly where many were deleted
            shutil.rmtree(target)
        if kind == "s3" and up:
            _forget(found, remote)


def _warm_up(folder: Path, size: int) -> None:
    """Write that much, and forget it again.

    A virtual machine may have given unused memory back to its host, and gets it anew at ten times
    the price of writing to it. Who comes when that has happened would look slow.
    """
    block = bytes(MIB)
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(size // MIB + 1):
            file.write(block)


def _on_disk(folder: Path) -> tuple[int, int]:
    sizes = [os.stat(os.path.join(top, name)).st_size for top, _, names in os.walk(folder) for name in names]
    return len(sizes), sum(sizes)


def _in_bucket(found: Servers, prefix: str) -> tuple[int, int]:
    pages = _client(found).get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
    sizes = [entry["Size"] for page in pages for entry in page.get("Contents", ())]
    return len(sizes), sum(sizes)


def _forget(found: Servers, prefix: str) -> None:
    """Delete what was uploaded, and have the server give back its room on the disk."""
    url = f"{found.filer_url}/buckets/{BUCKET}/{prefix}?recursive=true&ignoreRecursiveError=true"
    for request in (
        Request(url, method="DELETE"),
        Request(f"{found.master_url}/vol/vacuum?garbageThreshold=0.3", method="GET"),
    ):
        try:
            urlopen(request, timeout=600).close()
        except OSError as error:
            print(f"{request.full_url}: {error}", file=sys.stderr)
