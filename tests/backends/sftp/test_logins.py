"""All the ways to log in, and to get there."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from tests.backends.sftp.support import SECRET, Login, Server, known
from tests.services import SFTPServer, sshd

from remote_store import BackendUnavailable, PermissionDenied, RemoteStoreError, Store
from remote_store.backends import SFTPBackend

Make = Callable[..., SFTPBackend]


@pytest.fixture
def home(tmp_path: Path, sshd: SFTPServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home folder in which OpenSSH's usual files are, and no agent."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True, mode=0o700)
    (folder / ".ssh" / "known_hosts").write_text(sshd.known_host_keys)
    shutil.copy(sshd.options["pkey"], folder / ".ssh" / "id_ed25519")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return folder


def works(backend: SFTPBackend) -> bool:
    """Return True if a file can be stored and read."""
    with Store(backend) as store:
        store.write("f", b"x", overwrite=True)
        return store.read_bytes("f") == b"x"


@pytest.mark.spec("SFTP-029")
def test_the_usual_key_files(make: Make, home: Path) -> None:
    assert works(make(pkey=None, known_host_keys=None))
    (home / ".ssh" / "id_ed25519").unlink()
    with pytest.raises(RemoteStoreError) as caught:
        works(make(pkey=None, known_host_keys=None))
    assert isinstance(caught.value, (PermissionDenied, BackendUnavailable))
    assert not caught.value.retryable


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[str]:
    """Run OpenSSH's agent; give its socket."""
    path = f"/tmp/agent-{os.getpid()}"
    program = shutil.which("ssh-agent")
    assert program, "ssh-agent is not installed; it comes with OpenSSH's client"
    process = subprocess.Popen([program, "-D", "-a", path], stdout=subprocess.DEVNULL)
    while not os.path.exists(path):
        assert process.poll() is None
    yield path
    process.kill()
    process.wait()
    os.unlink(path)


@pytest.mark.spec("SFTP-029")
def test_an_agent(
    make: Make, home: Path, agent: str, monkeypatch: pytest.MonkeyPatch, sshd: SFTPServer
) -> None:
    (home / ".ssh" / "id_ed25519").unlink()
    monkeypatch.setenv("SSH_AUTH_SOCK", agent)
    with pytest.raises(RemoteStoreError):
        works(make(pkey=None))
    subprocess.run(["ssh-add", "-q", sshd.options["pkey"]], check=True)
    assert works(make(pkey=None))


@pytest.mark.spec("SFTP-029")
def test_a_certificate(tmp_path: Path, root: Path) -> None:
    authority = asyncssh.generate_private_key("ssh-ed25519")
    authority.write_public_key(tmp_path / "authority.pub")
    key = asyncssh.generate_private_key("ssh-ed25519")
    certificate = authority.generate_user_certificate(key, "me", principals=[getpass.getuser()])
    more = f"TrustedUserCAKeys {tmp_path / 'authority.pub'}\n"
    with sshd(tmp_path / "server", more=more) as server:
        options: dict[str, Any] = {**server.options, "base_path": str(root), "pkey": None}
        assert works(SFTPBackend(**options, connect_kwargs={"client_keys": [(key, certificate)]}))
        with pytest.raises(RemoteStoreError):
            works(SFTPBackend(**options, connect_kwargs={"client_keys": [key]}))


class Asking(Login):
    """Asks for the password, as PAM does, instead of taking it."""

    def password_auth_supported(self) -> bool:
        return False

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        return "", "", "en", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Any) -> bool:
        self._tried.append(responses[0])
        return bool(responses[0] == SECRET)


@pytest.mark.spec("SFTP-029", "SFTP-011")
def test_a_server_that_asks(root: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = Server(key, login=Asking)
    try:
        assert works(server.backend(root, known_host_keys=known(server, key)))
        assert server.tried == [SECRET]
        with pytest.raises(PermissionDenied):
            works(server.backend(root, known_host_keys=known(server, key), password="wrong"))
        assert server.tried == [SECRET, "wrong"]
    finally:
        server.close()


@pytest.mark.spec("SFTP-029")
def test_a_configuration_of_openssh(home: Path, root: Path, sshd: SFTPServer) -> None:
    config = home / ".ssh" / "config"
    config.write_text(
        f"Host storage\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User {getpass.getuser()}\n"
        f"  IdentityFile {sshd.options['pkey']}\n"
    )
    (home / ".ssh" / "id_ed25519").unlink()
    options: dict[str, Any] = {"base_path": str(root), "connect_kwargs": {"config": [str(config)]}}
    assert works(SFTPBackend("storage", **options))
    (home / ".ssh" / "known_hosts").write_text("")
    with pytest.raises(BackendUnavailable, match="known"):
        works(SFTPBackend("storage", **options))


@pytest.mark.spec("SFTP-006", "SFTP-040")
@pytest.mark.parametrize("how", ["name", "alias", "option"])
def test_the_second_of_two_keys_under_an_alias(home: Path, tmp_path: Path, root: Path, how: str) -> None:
    """What the server is called on file decides about the kind of key that it is asked for."""
    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    rsa.write_private_key(tmp_path / "rsa")
    (tmp_path / "rsa").chmod(0o600)
    with sshd(tmp_path / "server", more=f"HostKey {tmp_path / 'rsa'}\n") as server:
        name = "127.0.0.1" if how == "name" else "kept.example"
        line = f"[{name}]:{server.port} {rsa.export_public_key().decode()}"
        (home / ".ssh" / "known_hosts").write_text(line)
        alias = "  HostKeyAlias kept.example\n" if how == "alias" else ""
        config = home / ".ssh" / "config"
        config.write_text(f"Host storage\n  HostName 127.0.0.1\n  Port {server.port}\n{alias}")
        kwargs: dict[str, Any] = {"config": [str(config)]}
        if how == "option":
            kwargs["host_key_alias"] = "kept.example"
        assert works(SFTPBackend("storage", pkey=server.key, base_path=str(root), connect_kwargs=kwargs))


class AskingMore(Asking):
    """Asks for a password, and then for a code, one question after another or both at once."""

    at_once = False

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        self._asked = [("Password: ", False), *([("Code: ", True)] if self.at_once else [])]
        return "", "", "en", self._asked

    def validate_kbdint_response(self, username: str, responses: Any) -> Any:
        self._tried.append("/".join(responses))
        if not self.at_once and self._tried[-1] != "123" and SECRET in responses:
            return "", "", "en", [("Code: ", True)]
        return self._tried[-1] in ("123", f"{SECRET}/123")

    def password_auth_supported(self) -> bool:
        return True


class AskingAtOnce(AskingMore):
    at_once = True


@pytest.fixture(params=[AskingMore, AskingAtOnce], ids=["in turn", "at once"])
def curious(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Give a server that has two questions, and takes passwords, too."""
    server = Server(KEY, login=request.param)
    yield server
    server.close()


KEY = asyncssh.generate_private_key("ssh-ed25519")


def tried(server: Server) -> str:
    """Return everything that was sent, and forget it."""
    said, server.tried[:] = "/".join(server.tried), []
    return said


@pytest.mark.spec("SFTP-039")
def test_several_questions(curious: Server, root: Path) -> None:
    asked: list[str] = []

    def answer(text: str) -> str:
        asked.append(text)
        return {"Password: ": SECRET, "Code: ": "123"}[text]

    options: dict[str, Any] = {"known_host_keys": known(curious, KEY)}
    assert works(curious.backend(root, answers=answer, **options))
    assert (tried(curious), asked) == (f"{SECRET}/123", ["Code: "])
    assert works(curious.backend(root, answers=answer, **{**options, "password": None}))
    assert (tried(curious), asked[1:]) == (f"{SECRET}/123", ["Password: ", "Code: "])


@pytest.mark.spec("SFTP-011", "SFTP-039")
def test_wrong_answers_are_given_once(curious: Server, root: Path) -> None:
    options: dict[str, Any] = {"known_host_keys": known(curious, KEY)}
    with pytest.raises(PermissionDenied):
        works(curious.backend(root, answers=lambda text: "wrong", **options))
    assert tried(curious) == f"{SECRET}/wrong"
    with pytest.raises(PermissionDenied):
        works(curious.backend(root, password="bad", answers=lambda text: "123", **options))
    assert tried(curious).count("bad") == 1

    def broken(text: str) -> str:
        raise LookupError(f"no answer to {text}")

    with pytest.raises(BackendUnavailable, match="no answer to Code") as caught:
        works(curious.backend(root, answers=broken, **options))
    assert not caught.value.retryable
    with pytest.raises(BackendUnavailable, match="must return str"):
        works(curious.backend(root, answers=lambda text: 123, **options))


@pytest.mark.spec("SFTP-010", "SFTP-039")
def test_a_client_of_the_users(curious: Server, root: Path) -> None:
    """It answers what is asked; which server is trusted it does not decide."""

    class Client(asyncssh.SSHClient):
        def kbdint_auth_requested(self) -> str:
            return ""

        def kbdint_challenge_received(self, name: str, instructions: str, lang: str, prompts: Any) -> Any:
            return [{"Password: ": SECRET, "Code: ": "123"}[text] for text, _ in prompts]

        def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            return True

    kwargs: dict[str, Any] = {"connect_kwargs": {"client_factory": Client}, "password": None}
    assert works(curious.backend(root, known_host_keys=known(curious, KEY), **kwargs))
    other = asyncssh.generate_private_key("ssh-ed25519")
    with pytest.raises(BackendUnavailable, match="on file"):
        works(curious.backend(root, known_host_keys=known(curious, other), **kwargs))


@pytest.mark.spec("SFTP-010", "SFTP-039")
@pytest.mark.parametrize("on_file", ["authority", "key"])
def test_a_client_of_the_users_trusts_no_authority(root: Path, on_file: str) -> None:
    class Client(asyncssh.SSHClient):
        def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            return True

    ours, theirs, host = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))
    certificate = theirs.generate_host_certificate(host, "host", principals=["127.0.0.1"])
    server = Server((host, certificate))
    line = f"[127.0.0.1]:{server.port} {ours.export_public_key().decode()}"
    kwargs: dict[str, Any] = {"client_factory": Client}
    if on_file == "key":
        kwargs["server_host_key_algs"] = ["ssh-ed25519-cert-v01@openssh.com"]
    known_keys = line if on_file == "key" else f"@cert-authority {line}"
    try:
        with pytest.raises(BackendUnavailable, match="not trusted"):
            works(server.backend(root, known_host_keys=known_keys, connect_kwargs=kwargs))
    finally:
        server.close()


@pytest.mark.spec("SFTP-029")
@pytest.mark.parametrize("how", ["tunnel", "config"])
def test_a_jump_host(home: Path, root: Path, sshd: SFTPServer, make: Make, how: str) -> None:
    jump = f"{getpass.getuser()}@localhost:{sshd.port}"
    line = sshd.known_host_keys.replace("127.0.0.1", "localhost")
    (home / ".ssh" / "known_hosts").write_text(line)
    if how == "tunnel":
        assert works(make(connect_kwargs={"tunnel": jump}))
    else:
        (home / ".ssh" / "config").write_text(f"Host 127.0.0.1\n  ProxyJump {jump}\n")
        assert works(make(connect_kwargs={"config": [str(home / ".ssh" / "config")]}))


@pytest.mark.spec("SFTP-029")
def test_a_jump_host_that_is_not_trusted_or_refuses(home: Path, sshd: SFTPServer, make: Make) -> None:
    jump = f"{getpass.getuser()}@localhost:{sshd.port}"
    (home / ".ssh" / "known_hosts").write_text("")
    with pytest.raises(
        BackendUnavailable, match=r"the jump host on the way .* localhost.*known_hosts"
    ) as caught:
        works(make(connect_kwargs={"tunnel": jump}))
    assert not caught.value.retryable
    line = sshd.known_host_keys.replace("127.0.0.1", "localhost")
    (home / ".ssh" / "known_hosts").write_text(line)
    (home / ".ssh" / "id_ed25519").unlink()
    with pytest.raises(PermissionDenied, match="to the jump host on the way"):
        works(make(connect_kwargs={"tunnel": jump}))
