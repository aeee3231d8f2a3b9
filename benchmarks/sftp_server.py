"""OpenSSH's server for the benchmarks, and a long way to it: ``python -m benchmarks.sftp_server FOLDER``.

Prints how to get there as JSON, and serves until its standard input ends. The long way
holds back whatever passes for 10 ms in each direction.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import asyncssh

from benchmarks.long_way import long_way

CONFIG: Final = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
PidFile none
Subsystem sftp internal-sftp
MaxStartups 200:30:400
"""


def begin(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the server, with keys of its own."""
    for name in ("host", "user"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / name)
        key.write_public_key(folder / f"{name}.pub")
        (folder / name).chmod(0o600)
    shutil.copy(folder / "user.pub", folder / "authorized")
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder))
    Path("/run/sshd").mkdir(exist_ok=True)
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert program, "sshd is not installed"
    log = (folder / "log").open("wb")
    return subprocess.Popen([program, "-D", "-e", "-f", str(folder / "config")], stdout=log, stderr=log)


async def main(folder: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    process = begin(folder, port)
    try:
        found: dict[str, Any] = {"near": port, "far": await long_way(port)}
        print(json.dumps(found), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    finally:
        process.kill()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
