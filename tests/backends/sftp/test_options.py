"""What can be asked of an SFTP backend before any server is, and private keys in all their forms."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from tests.backends.sftp.support import SECRET, Server, known
from tests.services import SFTPServer

from remote_store import BackendConfig, Registry, RegistryConfig, Store, StoreProfile, open_store
from remote_store.backends import HostKeyPolicy, SFTPBackend, load_private_key

ED25519 = asyncssh.generate_private_key("ssh-ed25519")
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
ECDSA = asyncssh.generate_private_key("ecdsa-sha2-nistp256")


@pytest.mark.spec("SFTP-001")
@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"host": ""}, "host"),
        ({"host": "  "}, "host"),
        ({"host": "user@host"}, "host"),
        ({"host": "host/folder"}, "host"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"timeout": 0}, "timeout"),
        ({"connections": 0}, "connections"),
        ({"memory_limit": 1000}, "memory_limit"),
        ({"base_path": ""}, "base_path"),
        ({"base_path": "a\0b"}, "base_path"),
        ({"host_key_policy": "trusting"}, "'strict', 'tofu', 'auto'"),
        ({"connect_kwargs": {"host": "other"}}, "host does not belong"),
        ({"connect_kwargs": {"known_hosts": None}}, "host_key_policy and known_host_keys"),
        ({"connect_kwargs": {"compression_algs": None, "colour": 1}}, "'colour' in connect_kwargs"),
        ({"connect_kwargs": {"self": 1}}, "'self' in connect_kwargs"),
        ({"timeout": float("nan")}, "timeout"),
        ({"connect_kwargs": {"client_factory": asyncssh.SSHClient}, "answers": str}, "not both"),
    ],
)
def test_what_makes_no_sense(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        SFTPBackend(**{"host": "server.example", **options})


@pytest.mark.spec("SFTP-001")
@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"port": "22"}, "port must be int, not str"),
        ({"username": 5}, "username must be str, not int"),
        ({"password": b"x"}, "password must be str, not bytes"),
        ({"passphrase": 5}, "passphrase"),
        ({"pkey": 5}, "pkey must be a key"),
        ({"pkey": b"x"}, "pkey must be a key"),
        ({"known_host_keys": b"x"}, "known_host_keys"),
        ({"connections": 1.5}, "connections"),
        ({"connect_kwargs": {"sock": 5}}, "sock in connect_kwargs must be a socket"),
        ({"base_path": b"/"}, "base_path"),
    ],
)
def test_what_is_of_another_type(options: dict[str, Any], match: str) -> None:
    with pytest.raises(TypeError, match=match):
        SFTPBackend(**{"host": "server.example", **options})


@pytest.mark.spec("SFTP-001")
def test_no_secret_is_shown() -> None:
    secrets: dict[str, Any] = {"password": "p4ssword", "passphrase": "p4ssphrase", "pkey": "k3y"}
    backend = SFTPBackend("server.example", base_path="/data", connect_kwargs={"password": "p4ss"}, **secrets)
    shown = repr(backend) + repr(backend._options)
    assert repr(backend) == "SFTPBackend('server.example:22', base_path='/data')"
    assert not [secret for secret in (*secrets.values(), "p4ss") if secret in shown]
    with pytest.raises(TypeError):
        SFTPBackend(b"server")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="answers"):
        SFTPBackend("server.example", answers="secret")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="client_factory"):
        SFTPBackend("server.example", connect_kwargs={"client_factory": 1})


@pytest.mark.spec("SFTP-004")
def test_urls(sshd: SFTPServer, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend, folder = SFTPBackend.from_url(
        "sftp://me%40here@[::1]:2222/a%20b?host_key_policy=tofu&timeout=3&connections=2&host_keys_path=/k"
    )
    options = backend._options  # type: ignore[attr-defined]
    assert (options.host, options.port, options.username) == ("::1", 2222, "me@here")
    assert (options.base_path, folder) == ("/a b", "")
    assert (options.timeout, options.connections, options.host_keys_path) == (3, 2, "/k")
    assert options.host_key_policy is HostKeyPolicy.TRUST_ON_FIRST_USE
    for url, match in (
        ("sftp://me:secret@host/", "password"),
        ("sftp://host/?password=x", "password"),
        ("sftp://host/?colour=x", "colour"),
        ("sftp:///folder", "sftp://user@host"),
        ("sftp://host/#x", "sftp://user@host"),
    ):
        with pytest.raises(ValueError, match=match) as caught:
            SFTPBackend.from_url(url)
        assert "secret" not in str(caught.value)
    monkeypatch.setenv("SFTP_KNOWN_HOST_KEYS", sshd.known_host_keys)
    monkeypatch.setenv("HOME", str(root))
    (root / ".ssh").mkdir()
    (root / ".ssh" / "id_ed25519").write_bytes(Path(sshd.key).read_bytes())
    with open_store(f"sftp://{sshd.user}@127.0.0.1:{sshd.port}{root}") as store:
        store.write("f", b"x")
    assert (root / "f").read_bytes() == b"x"


@pytest.mark.spec("SFTP-004")
def test_in_a_registry(sshd: SFTPServer, root: Path) -> None:
    config = RegistryConfig(
        backends={"files": BackendConfig("sftp", {**sshd.options, "base_path": str(root)})},
        stores={"data": StoreProfile("files", "inner")},
    )
    with Registry(config) as registry:
        registry.get_store("data").write("f", b"x")
    assert (root / "inner" / "f").read_bytes() == b"x"


@pytest.mark.spec("SFTP-005")
def test_a_pickled_backend(make: Callable[..., SFTPBackend], sshd: SFTPServer, root: Path) -> None:
    for key in (
        sshd.key,
        Path(sshd.key),
        load_private_key(sshd.key, from_file=True),
        Path(sshd.key).read_text(),
    ):
        with Store(make(pkey=key)) as store:
            store.write("f", b"x", overwrite=True)
            copy = pickle.loads(pickle.dumps(store))
        with copy:
            assert copy.read_bytes("f") == b"x"
            assert "PRIVATE" not in repr(copy)


@pytest.mark.spec("SFTP-002")
def test_a_key_that_cannot_be_used(make: Callable[..., SFTPBackend], tmp_path: Path) -> None:
    from remote_store import BackendUnavailable, PermissionDenied

    encrypted = tmp_path / "key"
    encrypted.write_bytes(ED25519.export_private_key(passphrase="sesame"))
    for options, match in (
        ({"pkey": str(tmp_path / "none")}, "No such file"),
        ({"pkey": encrypted}, "passphrase"),
        ({"pkey": str(encrypted), "passphrase": "wrong"}, "passphrase"),
    ):
        with Store(make(**options)) as store, pytest.raises(BackendUnavailable, match=match) as caught:
            store.ping()
        assert not caught.value.retryable
    for path in (encrypted, str(encrypted)):
        with Store(make(pkey=path, passphrase="sesame")) as store, pytest.raises(PermissionDenied):
            store.ping()  # it can be read, and is not the server's


@pytest.mark.spec("SFTP-002")
def test_who_has_a_password_tries_no_keys(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").write_bytes(ED25519.export_private_key())
    monkeypatch.setenv("HOME", str(tmp_path))
    key = asyncssh.generate_private_key("ssh-ed25519")
    authorized = asyncssh.import_authorized_keys(ED25519.export_public_key().decode())
    server = Server(key, authorized_client_keys=authorized)
    try:
        with Store(server.backend(root, known_host_keys=known(server, key))) as store:
            store.ping()
        assert server.tried == [SECRET]
        with Store(server.backend(root, known_host_keys=known(server, key), password=None)) as store:
            store.ping()
        assert server.tried == [SECRET]  # the usual key file did
    finally:
        server.close()


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "windows": lambda text: text.replace("\n", "\r\n"),
    "no last line end": str.strip,
    "spaces": lambda text: text.replace("\n", " "),
    "one line": lambda text: text.replace("\n", ""),
    "written out": lambda text: text.replace("\n", "\\n"),
    "written out for windows": lambda text: text.replace("\n", "\\r\\n"),
    "indented": lambda text: "\n".join(f"    {line}" for line in text.splitlines()),
    "blank lines": lambda text: text.replace("\n", "\n\n"),
    "within other text": lambda text: f"key:\n{text}\nthe end\n",
}


@pytest.mark.spec("SFTP-003")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", [ED25519, RSA, ECDSA], ids=["ed25519", "rsa", "ecdsa"])
@pytest.mark.parametrize("format_name", ["openssh", "pkcs8-pem", "pkcs1-pem"])
def test_private_keys(key: asyncssh.SSHKey, format_name: str, form: str) -> None:
    if format_name == "pkcs1-pem" and key is ED25519:
        format_name = "openssh"  # there is none for it
    text = FORMS[form](key.export_private_key(format_name).decode())
    assert load_private_key(text).export_public_key() == key.export_public_key()
    assert load_private_key(text.encode()).export_public_key() == key.export_public_key()


@pytest.mark.spec("SFTP-003")
@pytest.mark.parametrize("form", ["as it is", "spaces", "written out"])
@pytest.mark.parametrize("format_name", ["openssh", "pkcs8-pem", "pkcs1-pem"])
def test_encrypted_private_keys(format_name: str, form: str, tmp_path: Path) -> None:
    text = FORMS[form](RSA.export_private_key(format_name, "sesame").decode())
    (tmp_path / "key").write_text(text)
    found = load_private_key(tmp_path / "key", from_file=True, passphrase="sesame")
    assert found.export_public_key() == RSA.export_public_key()
    for passphrase in (None, "wrong"):
        with pytest.raises(ValueError, match=r"(?i)passphrase"):
            load_private_key(text, passphrase=passphrase)


@pytest.mark.spec("SFTP-003")
def test_what_is_no_private_key(tmp_path: Path) -> None:
    public = ED25519.export_public_key().decode()
    for text in ("", "secret", public, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"):
        with pytest.raises(ValueError, match="BEGIN") as caught:
            load_private_key(text)
        assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match="cannot be used"):
        load_private_key("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----")
    for kind in ("ssh-dss", "ssh-ed448"):
        with pytest.raises(ValueError, match=f"of type {kind}"):
            load_private_key(asyncssh.generate_private_key(kind).export_private_key().decode())
    with pytest.raises(TypeError, match="from_file"):
        load_private_key(tmp_path)
    with pytest.raises(FileNotFoundError):
        load_private_key(tmp_path / "none", from_file=True)


@pytest.mark.spec("SFTP-028")
def test_native_names(make: Callable[..., SFTPBackend], root: Path) -> None:
    backend = make()
    assert backend.to_key(f"{root}/a/b c") == "a/b c"
    assert backend.to_key(f"{root}2/a") == f"{root}2/a"
    assert backend.to_key("a/b") == "a/b"
    assert SFTPBackend("host").to_key("/a/b") == "a/b"
