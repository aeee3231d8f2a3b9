"""Which server may be who it says it is."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import asyncssh
import pytest
from tests.backends.sftp.support import SECRET, Server, known
from tests.runtime.support import WORLDS, run

from remote_store import AsyncStore, BackendUnavailable, PermissionDenied, Store
from remote_store.backends import HostKeyPolicy, SFTPBackend

KEY, OTHER = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
POLICIES = list(HostKeyPolicy)
every_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.value)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(KEY)
    yield made
    made.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give the path of a file for known keys, in a folder that is not there."""
    return tmp_path / "ssh" / "known_hosts"


def again(port: int, key: asyncssh.SSHKey) -> Server:
    """Return a server at the same place, with another key."""
    return Server(key, port=port)


def ping(backend: SFTPBackend) -> None:
    with Store(backend) as store:
        store.ping()


def fingerprints(*keys: asyncssh.SSHKey) -> list[str]:
    return [key.get_fingerprint() for key in keys]


@pytest.mark.spec("SFTP-007")
def test_strict_refuses_what_is_not_known(server: Server, root: Path, file: Path) -> None:
    with pytest.raises(BackendUnavailable, match="TRUST_ON_FIRST_USE") as caught:
        ping(server.backend(root, host_keys_path=file))
    assert fingerprints(KEY)[0] in str(caught.value)
    assert str(file) in str(caught.value)
    assert not caught.value.retryable
    assert isinstance(caught.value.__cause__, asyncssh.HostKeyNotVerifiable)
    assert not file.exists()
    assert server.tried == []


@pytest.mark.spec("SFTP-006", "SFTP-007")
def test_strict_takes_what_is_known(server: Server, root: Path, file: Path) -> None:
    ping(server.backend(root, known_host_keys=known(server, KEY)))
    file.parent.mkdir()
    file.write_text(f"# a comment\n\nothers.example ssh-ed25519 AAAA\n{known(server, KEY)}\n")
    with pytest.raises(BackendUnavailable):
        ping(server.backend(root, known_host_keys=known(server, OTHER), host_keys_path=file))
    file.write_text(known(server, KEY))
    ping(server.backend(root, host_keys_path=file))


@pytest.mark.spec("SFTP-006")
def test_the_argument_wins_over_config_and_environment(
    server: Server, root: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong = known(server, KEY), known(server, OTHER)
    monkeypatch.setenv("SFTP_KNOWN_HOST_KEYS", right)
    ping(server.backend(root, host_keys_path=file))
    with pytest.raises(BackendUnavailable):
        ping(server.backend(root, config={"known_host_keys": wrong}))
    monkeypatch.setenv("SFTP_KNOWN_HOST_KEYS", wrong)
    ping(server.backend(root, config={"known_host_keys": right}))
    with pytest.raises(BackendUnavailable):
        ping(server.backend(root, config={"known_host_keys": right}, known_host_keys=wrong))
    file.parent.mkdir()
    file.write_text(right)
    with pytest.raises(BackendUnavailable):
        ping(server.backend(root, host_keys_path=file))
    with pytest.raises(ValueError, match="config"):
        server.backend(root, config={"unknown": 1})


@pytest.mark.spec("SFTP-006")
def test_hashed_names(server: Server, root: Path) -> None:
    import base64
    import hashlib
    import hmac

    salt = bytes(range(20))
    name = f"[127.0.0.1]:{server.port}"
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    pair = "|".join(base64.b64encode(each).decode() for each in (salt, digest))
    line = f"|1|{pair} {KEY.export_public_key().decode()}"
    ping(server.backend(root, known_host_keys=line))
    with pytest.raises(BackendUnavailable, match="on file"):
        ping(
            server.backend(
                root, known_host_keys=line.replace(line.split()[2], known(server, OTHER).split()[2])
            )
        )


@pytest.mark.spec("SFTP-006", "SFTP-008")
def test_an_ipv6_address(root: Path, file: Path) -> None:
    server = Server(KEY, "::1")
    try:
        policy = HostKeyPolicy.TRUST_ON_FIRST_USE
        ping(server.backend(root, host_keys_path=file, host_key_policy=policy))
        assert file.read_text().startswith(f"[::1]:{server.port} ssh-ed25519 ")
        ping(server.backend(root, host_keys_path=file))
    finally:
        server.close()


@pytest.mark.spec("SFTP-006")
def test_one_of_several_keys_is_on_file(root: Path, file: Path) -> None:
    server = Server(RSA)
    try:
        ping(server.backend(root, known_host_keys=known(server, RSA)))
        with pytest.raises(BackendUnavailable, match="on file") as caught:
            ping(server.backend(root, known_host_keys=known(server, KEY)))
        assert all(each in str(caught.value) for each in fingerprints(KEY, RSA))
    finally:
        server.close()


@pytest.mark.spec("SFTP-006")
def test_a_file_that_is_none(server: Server, root: Path, file: Path) -> None:
    with pytest.raises(BackendUnavailable, match="cannot be read"):
        ping(server.backend(root, host_keys_path=root))
    (root / "loop").symlink_to(root / "none" / "loop")
    with pytest.raises(BackendUnavailable, match="cannot be written down"):
        ping(server.backend(root, host_keys_path=root / "loop", host_key_policy="tofu"))


@pytest.mark.spec("SFTP-008", "SFTP-010")
def test_trusted_on_first_use_and_held_to_it(server: Server, root: Path, file: Path) -> None:
    first = server.backend(root, host_keys_path=file, host_key_policy="tofu")
    ping(first)
    line = file.read_text()
    assert line.split()[:2] == [f"[127.0.0.1]:{server.port}", "ssh-ed25519"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    ping(server.backend(root, host_keys_path=file, host_key_policy="tofu"))
    ping(server.backend(root, host_keys_path=file))
    assert file.read_text() == line
    server.close()
    other = again(server.port, OTHER)
    try:
        for policy in POLICIES:
            with pytest.raises(BackendUnavailable, match="on file") as caught:
                ping(other.backend(root, host_keys_path=file, host_key_policy=policy))
            assert all(each in str(caught.value) for each in fingerprints(KEY, OTHER))
            assert not caught.value.retryable
        assert other.tried == []
        assert file.read_text() == line
    finally:
        other.close()
        server.__init__(KEY)  # type: ignore[misc]  # for the fixture to close


@pytest.mark.spec("SFTP-008")
def test_a_failed_login_trusts_nobody(server: Server, root: Path, file: Path) -> None:
    with pytest.raises(PermissionDenied):
        ping(server.backend(root, host_keys_path=file, host_key_policy="tofu", password="wrong"))
    assert not file.exists()


@pytest.mark.spec("SFTP-008")
def test_a_file_without_a_last_line_end_is_continued(server: Server, root: Path, file: Path) -> None:
    file.parent.mkdir()
    file.write_text(known(server, OTHER).replace("127.0.0.1", "192.0.2.1").strip())
    file.chmod(0o644)
    ping(server.backend(root, host_keys_path=file, host_key_policy="tofu"))
    assert len(file.read_text().splitlines()) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    ping(server.backend(root, host_keys_path=file))


@pytest.mark.spec("SFTP-008", "SFTP-010", "SFTP-040")
def test_trusted_on_first_use_under_an_alias(server: Server, root: Path, file: Path) -> None:
    alias: dict[str, Any] = {"connect_kwargs": {"host_key_alias": "kept.example"}, "host_keys_path": file}
    for policy in ("tofu", "tofu", "strict"):
        ping(server.backend(root, host_key_policy=policy, **alias))
    line = file.read_text()
    assert line.startswith(f"[kept.example]:{server.port} ssh-ed25519 ")
    assert len(line.splitlines()) == 1
    file.write_text(line.replace(known(server, KEY).split()[2], known(server, OTHER).split()[2]))
    with pytest.raises(BackendUnavailable, match="on file"):
        ping(server.backend(root, host_key_policy="tofu", **alias))


@pytest.mark.spec("SFTP-008")
def test_many_first_connections(server: Server, root: Path, file: Path) -> None:
    backends = [server.backend(root, host_keys_path=file, host_key_policy="tofu") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ping, backends))
    assert len(file.read_text().splitlines()) == 1
    ping(server.backend(root, host_keys_path=file))


@pytest.mark.spec("SFTP-009", "SFTP-010")
def test_added_for_as_long_as_the_backend_lives(server: Server, root: Path, file: Path) -> None:
    backend = server.backend(root, host_keys_path=file, host_key_policy=HostKeyPolicy.AUTO_ADD)
    ping(backend)
    ping(backend)
    assert not file.exists()
    server.close()
    other = again(server.port, OTHER)
    try:
        with pytest.raises(BackendUnavailable, match="on file"):
            ping(backend)
        ping(other.backend(root, host_keys_path=file, host_key_policy="auto"))
    finally:
        other.close()
        server.__init__(KEY)  # type: ignore[misc]  # for the fixture to close


@pytest.mark.spec("SFTP-010")
@every_policy
def test_a_revoked_key(server: Server, root: Path, policy: HostKeyPolicy) -> None:
    line = f"@revoked {known(server, KEY)}"
    with pytest.raises(BackendUnavailable, match="Host key is revoked"):
        ping(server.backend(root, known_host_keys=line, host_key_policy=policy, host_keys_path=root / "none"))
    assert server.tried == []


@pytest.mark.spec("SFTP-011")
def test_a_wrong_password_is_sent_once(server: Server, root: Path) -> None:
    backend = server.backend(root, known_host_keys=known(server, KEY), password="wrong")
    with Store(backend) as store:
        with pytest.raises(PermissionDenied, match="password") as caught:
            store.read_bytes("f")
        assert server.tried == ["wrong"]
        assert not caught.value.retryable
        assert "wrong" not in str(caught.value)
        assert SECRET not in repr(backend)
    ping(server.backend(root, known_host_keys=known(server, KEY)))
    assert server.tried == ["wrong", SECRET]


@pytest.mark.spec("SFTP-011")
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("connections", [1, 4])
def test_many_calls_send_a_wrong_password_once(
    server: Server, root: Path, world: str, connections: int
) -> None:
    async def look(store: AsyncStore) -> None:
        with pytest.raises(PermissionDenied):
            await store.exists("f")

    async def main() -> None:
        options: dict[str, Any] = {"password": "wrong", "connections": connections}
        async with AsyncStore(server.backend(root, known_host_keys=known(server, KEY), **options)) as store:
            async with anyio.create_task_group() as group:
                for _ in range(50):
                    group.start_soon(look, store)

    run(world, main)
    assert server.tried == ["wrong"]
