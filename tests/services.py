"""Real servers for the tests: started once by who needs one first, stopped at the end.

Each listens on free ports of this machine, keeps its data in a temporary folder, and talks
to nobody outside.
"""

from __future__ import annotations

import atexit
import getpass
import json
import os
import random
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import asyncssh
import trustme

START_SECONDS = 60.0
KEY, SECRET = "test-access-key", "test-secret-key"


@dataclass(frozen=True)
class S3Server:
    """How to reach a server of the S3 protocol."""

    name: str
    endpoint_url: str
    filer_url: str = ""
    """Where SeaweedFS shows its folders, buckets among them; empty for other servers."""
    master_url: str = ""
    """Where SeaweedFS can be told to give back room on the disk."""
    tls_url: str = ""
    """The same server over TLS, where it has it."""
    ca_file: str = ""

    @property
    def tls_options(self) -> dict[str, Any]:
        """Arguments of an ``S3Backend`` that speaks TLS to this server."""
        return {**self.options, "endpoint_url": self.tls_url, "client_options": {"verify": self.ca_file}}

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of an ``S3Backend`` on this server, but for the bucket."""
        return {"endpoint_url": self.endpoint_url, "key": KEY, "secret": SECRET, "region_name": "us-east-1"}


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, below those that connections are given.

    Processes that test at the same time would now and then be given the same one, before their
    servers listen: this one keeps the UDP port of the same number, which no server wants.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(12000, 32000)
        mark = socket.socket(type=socket.SOCK_DGRAM)
        try:
            mark.bind(("127.0.0.1", port))
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            mark.close()
            continue
        atexit.register(mark.close)
        found.append(port)
    return found


def program(name: str) -> str:
    """Return the path of a program that came with a Python package."""
    beside = Path(sysconfig.get_path("scripts"), name)
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is not installed; install the dependency group 'servers'"
    return found


@contextmanager
def running(
    command: list[str], folder: Path, ready: Callable[[], bool], env: dict[str, str] | None = None
) -> Iterator[None]:
    """Run a server for as long as a block lasts; what it says goes to a file."""
    with open(folder / "output.log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            _wait(process, ready, folder / "output.log")
            yield
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Return True if something speaks HTTP there, whatever it says."""
    try:
        with urlopen(url, timeout=5):  # an address of this machine
            return True
    except OSError as error:
        return hasattr(error, "code")


@contextmanager
def seaweedfs(folder: Path, *, cores: int | None = None) -> Iterator[S3Server]:
    """Run SeaweedFS: it checks signatures and honours conditional writes and checksums.

    Args:
        folder: where its files go.
        cores: how many it uses at once; all by default. With fewer it spends less time on sharing them out.
    """
    ports = free_ports(11)
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    folder.mkdir(parents=True, exist_ok=True)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    names = (
        "s3.port", "s3.port.grpc", "filer.port", "filer.port.grpc", "master.port", "master.port.grpc",
        "volume.port", "volume.port.grpc", "admin.port", "admin.port.grpc",
    )  # fmt: skip
    (folder / "data").mkdir(parents=True)
    (folder / "logs").mkdir()
    credentials = [{"accessKey": KEY, "secretKey": SECRET}]
    identity = {"name": "test", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    command = [
        program("weed"),
        f"-logdir={folder / 'logs'}",
        "mini",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        "-admin.ui=false",
        "-webdav=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.config={folder / 's3.json'}",
        "-s3.autoCreateBucket=false",
        "-s3.localSocket=",
        "-filer.localSocket=",
        f"-s3.port.https={ports[10]}",
        f"-s3.cert.file={folder / 'cert.pem'}",
        f"-s3.key.file={folder / 'key.pem'}",
        *(f"-{name}={port}" for name, port in zip(names, ports, strict=False)),
    ]
    url = f"http://127.0.0.1:{ports[0]}"
    env = None if cores is None else {**os.environ, "GOMAXPROCS": str(cores)}
    with running(command, folder, lambda: answers(url), env):
        filer_url, tls_url = f"http://127.0.0.1:{ports[2]}", f"https://127.0.0.1:{ports[10]}"
        _share_volumes(filer_url)
        master_url = f"http://127.0.0.1:{ports[4]}"
        yield S3Server("seaweedfs", url, filer_url, master_url, tls_url, str(folder / "ca.pem"))


def _share_volumes(filer_url: str) -> None:
    """Let all buckets use the same volumes: the first file in a bucket takes 2 ms then, not 200."""
    rule = {"locationPrefix": "/buckets/", "collection": "tests"}
    request = Request(f"{filer_url}/etc/seaweedfs/filer.conf", json.dumps({"locations": [rule]}).encode())
    request.method = "PUT"
    urlopen(request).close()


@contextmanager
def rclone(folder: Path) -> Iterator[S3Server]:
    """Run rclone's server: it takes conditional writes, and ignores the condition."""
    port = free_ports(1)[0]
    (folder / "data").mkdir(parents=True)
    login = f"{KEY},{SECRET}"
    command = [
        program("rclone"), "serve", "s3", "--config", str(folder / "none"), "--addr", f"127.0.0.1:{port}",
        "--auth-key", login, str(folder / "data"),
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with running(command, folder, lambda: answers(url)):
        yield S3Server("rclone", url)


@dataclass(frozen=True)
class SFTPServer:
    """How to reach a server of the SFTP protocol; it shows the files of this machine."""

    port: int
    user: str
    key: str
    """Path of the private key to log in with."""
    known_host_keys: str

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of an ``SFTPBackend`` on this server."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "username": self.user,
            "pkey": self.key,
            "known_host_keys": self.known_host_keys,
        }


SSHD = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
PidFile none
Subsystem sftp internal-sftp {options}
MaxStartups 200:30:400
MaxSessions 100
PerSourceMaxStartups none
"""


def sshd_program() -> str:
    """Return the path of OpenSSH's server."""
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found, "sshd is not installed; install Debian's openssh-server, or that of your system"
    return found


@contextmanager
def sshd(folder: Path, *, denied: str = "", more: str = "") -> Iterator[SFTPServer]:
    """Run OpenSSH's server, with keys of its own, for the user who runs the tests.

    ``denied`` names requests, with commas between them, that it is not to know; ``more`` is
    further configuration, and wins.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # it insists
    for name in ("host", "user"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / name)
        key.write_public_key(folder / f"{name}.pub")
        (folder / name).chmod(0o600)
    shutil.copy(folder / "user.pub", folder / "authorized")
    port = free_ports(1)[0]
    (folder / "config").write_text(
        more + SSHD.format(port=port, folder=folder, options=f"-P {denied}" if denied else "")
    )
    command = [sshd_program(), "-D", "-e", "-f", str(folder / "config")]
    with running(command, folder, lambda: greets(port)):
        known = f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}"
        yield SFTPServer(port, getpass.getuser(), str(folder / "user"), known)


def greets(port: int) -> bool:
    """Return True if something speaks SSH there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


@contextmanager
def moto(folder: Path) -> Iterator[S3Server]:
    """Run moto's server: it checks little, but takes and lists every key, as Amazon does."""
    port = free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"
    command = [program("moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with running(command, folder, lambda: answers(url)):
        yield S3Server("moto", url)
