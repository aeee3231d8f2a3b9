"""Configuration as values: from code, mappings and TOML; references and secrets."""

from __future__ import annotations

import copy
import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from remote_store import BackendConfig, RegistryConfig, StoreProfile
from remote_store._secrets import is_secret

DATA: dict[str, Any] = {
    "backends": {
        "disk": {"type": "local", "options": {"root": "/data", "durable": True}},
        "scratch": {"type": "memory"},
    },
    "stores": {
        "photos": {"backend": "disk", "root_path": "photos", "options": {"team": "web"}},
        "all": {"backend": "disk"},
    },
}
CONFIG = RegistryConfig(
    backends={
        "disk": BackendConfig("local", {"root": "/data", "durable": True}),
        "scratch": BackendConfig("memory"),
    },
    stores={"photos": StoreProfile("disk", "photos", {"team": "web"}), "all": StoreProfile("disk")},
)


def options(**given: Any) -> dict[str, Any]:
    """Return the options of a backend configured with these."""
    config = RegistryConfig.from_dict({"backends": {"b": {"type": "t", "options": given}}})
    return config.backends["b"].options


# -- shape ---------------------------------------------------------------------------


@pytest.mark.spec("CFG-001")
def test_defaults() -> None:
    assert BackendConfig("local") == BackendConfig(type="local", options={})
    assert StoreProfile("disk") == StoreProfile(backend="disk", root_path="", options={})
    assert RegistryConfig() == RegistryConfig(backends={}, stores={})


@pytest.mark.spec("CFG-001")
@pytest.mark.parametrize("value", [BackendConfig("local"), StoreProfile("disk"), RegistryConfig()])
def test_configuration_is_frozen(value: Any) -> None:
    for field in dataclasses.fields(value):
        with pytest.raises(AttributeError):
            setattr(value, field.name, "x")


@pytest.mark.spec("CFG-001")
def test_each_object_has_dicts_of_its_own() -> None:
    BackendConfig("local").options["root"] = "/"
    StoreProfile("disk").options["team"] = "web"
    RegistryConfig().backends["disk"] = BackendConfig("local")
    RegistryConfig().stores["photos"] = StoreProfile("disk")
    test_defaults()


@pytest.mark.spec("CFG-002")
def test_validate() -> None:
    CONFIG.validate()
    RegistryConfig().validate()
    broken = RegistryConfig(backends=CONFIG.backends, stores={"photos": StoreProfile("dsik")})
    with pytest.raises(ValueError, match=r"'photos'.*'dsik'.*configured backends: disk, scratch$"):
        broken.validate()
    with pytest.raises(ValueError, match=r"configured backends: none$"):
        RegistryConfig(stores={"photos": StoreProfile("disk")}).validate()


@pytest.mark.spec("CFG-003")
def test_from_dict() -> None:
    assert RegistryConfig.from_dict(DATA) == CONFIG
    assert RegistryConfig.from_dict(MappingProxyType(DATA)) == CONFIG


@pytest.mark.spec("CFG-003")
@pytest.mark.parametrize("data", [{}, {"backends": None}, {"stores": None, "backends": {}}])
def test_absent_sections_are_empty(data: dict[str, Any]) -> None:
    assert RegistryConfig.from_dict(data) == RegistryConfig()


@pytest.mark.spec("CFG-003")
def test_absent_options_are_empty() -> None:
    data = {
        "backends": {"b": {"type": "memory", "options": None}},
        "stores": {"s": {"backend": "b", "options": None, "root_path": None}},
    }
    config = RegistryConfig.from_dict(data)
    assert config == RegistryConfig({"b": BackendConfig("memory")}, {"s": StoreProfile("b")})


@pytest.mark.spec("CFG-004")
@pytest.mark.parametrize(
    ("data", "place"),
    [
        (None, "the configuration"),
        ([], "the configuration"),
        ("backends", "the configuration"),
        ({"backends": []}, "'backends'"),
        ({"stores": "x"}, "'stores'"),
        ({"backends": {"b": "local"}}, "backend 'b'"),
        ({"backends": {"b": None}}, "backend 'b'"),
        ({"stores": {"s": ["b"]}}, "store 's'"),
        ({"backends": {"b": {"type": "x", "options": ["root"]}}}, "'options' of backend 'b'"),
        ({"stores": {"s": {"backend": "x", "options": 1}}}, "'options' of store 's'"),
    ],
)
def test_what_is_no_mapping_is_a_type_error(data: Any, place: str) -> None:
    with pytest.raises(TypeError, match=f"^{place} must be a mapping, not "):
        RegistryConfig.from_dict(data)


@pytest.mark.spec("CFG-004")
@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"backends": {"b": {}}}, "backend 'b' has no 'type'; add it"),
        ({"backends": {"b": {"options": {}}}}, "backend 'b' has no 'type'; add it"),
        ({"stores": {"s": {"root_path": "x"}}}, "store 's' has no 'backend'; add it"),
    ],
)
def test_what_is_missing_is_a_key_error(data: Any, text: str) -> None:
    with pytest.raises(KeyError) as caught:
        RegistryConfig.from_dict(data)
    assert caught.value.args == (text,)


@pytest.mark.spec("CFG-005")
def test_a_number_is_taken_as_its_text() -> None:
    data: dict[Any, Any] = {
        "backends": {1: {"type": 2}},
        "stores": {3: {"backend": 1, "root_path": 2026}, 4.5: {"backend": "1"}},
    }
    config = RegistryConfig.from_dict(data)
    assert config.backends == {"1": BackendConfig("2")}
    assert config.stores == {"3": StoreProfile("1", "2026"), "4.5": StoreProfile("1")}
    config.validate()


@pytest.mark.spec("CFG-005")
@pytest.mark.parametrize("value", [None, [], ["local"], {}, {"type": "local"}, ()])
@pytest.mark.parametrize(("section", "key"), [("backends", "type"), ("stores", "backend")])
def test_none_or_a_collection_is_a_type_error(section: str, key: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"'{key}' of (backend|store) 'x' must be text"):
        RegistryConfig.from_dict({section: {"x": {key: value}}})


@pytest.mark.spec("CFG-006")
@pytest.mark.parametrize(
    ("data", "given", "meant"),
    [
        ({"backend": {}}, "backend", "backends"),
        ({"store": {}}, "store", "stores"),
        ({"Stores": {}}, "Stores", "stores"),
        ({"backends": {"b": {"type": "x", "option": {}}}}, "option", "options"),
        ({"backends": {"b": {"typ": "x"}}}, "typ", "type"),
        ({"stores": {"s": {"backend": "x", "rootpath": "y"}}}, "rootpath", "root_path"),
        ({"stores": {"s": {"backends": "x"}}}, "backends", "backend"),
    ],
)
def test_a_slip_of_the_pen_is_a_value_error(data: Any, given: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"unknown key '{given}' in .*; did you mean '{meant}'\\?"):
        RegistryConfig.from_dict(data)


@pytest.mark.spec("CFG-006")
def test_any_other_unknown_key_is_ignored() -> None:
    data: dict[Any, Any] = copy.deepcopy(DATA)
    data.update({"version": 1, 2: 3, "logging": {"level": "${NOT_SET}"}})
    data["backends"]["disk"]["comment"] = "x"
    data["stores"]["all"]["owner"] = "me"
    assert RegistryConfig.from_dict(data) == CONFIG


@pytest.mark.spec("CFG-007")
def test_from_dict_and_its_mapping_are_independent() -> None:
    data = copy.deepcopy(DATA)
    data["backends"]["disk"]["options"]["deep"] = {"list": [{"x": 1}]}
    before = copy.deepcopy(data)
    config = RegistryConfig.from_dict(data)
    assert data == before
    data["backends"]["disk"]["options"]["deep"]["list"][0]["x"] = 2
    data["backends"]["disk"]["options"]["deep"]["list"].append(3)
    data["stores"]["photos"]["options"]["team"] = "other"
    del data["backends"]["scratch"]
    assert config == RegistryConfig.from_dict(before)


@pytest.mark.spec("CFG-008")
def test_from_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", "/data")
    file = tmp_path / "stores.toml"
    file.write_text(
        """
        [backends.disk]
        type = "local"
        options = { root = "${DATA}", durable = true }
        [backends.scratch]
        type = "memory"
        [stores.photos]
        backend = "disk"
        root_path = "photos"
        options.team = "web"
        [stores.all]
        backend = "disk"
        """,
        encoding="utf-8",
    )
    assert RegistryConfig.from_toml(file) == CONFIG
    assert RegistryConfig.from_toml(str(file)) == CONFIG


@pytest.mark.spec("CFG-008")
@pytest.mark.parametrize("content", [b"[backends", b"\xff\xfe", b"a = 1\na = 2"])
def test_a_file_that_is_not_toml(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "stores.toml"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"stores\.toml is not valid TOML"):
        RegistryConfig.from_toml(file)


@pytest.mark.spec("CFG-008")
def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        RegistryConfig.from_toml(tmp_path / "stores.toml")


# -- environment references ------------------------------------------------------------


@pytest.mark.spec("CFG-009")
def test_where_references_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "x")
    data = {
        "backends": {
            "${X}": {
                "type": "${X}",
                "options": {"${X}": "a${X}b${X}", "deep": [{"k": ("${X}", 1, None, True)}], "n": 1},
            }
        },
        "stores": {"${X}": {"backend": "$${X}", "root_path": "${X}/y", "options": {"o": "${X}"}}},
    }
    config = RegistryConfig.from_dict(data)
    assert config.backends == {
        "${X}": BackendConfig("x", {"${X}": "axbx", "deep": [{"k": ("x", 1, None, True)}], "n": 1})
    }
    assert config.stores == {"${X}": StoreProfile("${X}", "x/y", {"o": "x"})}


class Pair(NamedTuple):
    first: str
    second: str


@pytest.mark.spec("CFG-009", "CFG-014")
def test_a_named_tuple_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "x")
    assert options(pair=Pair("${X}", "b")) == {"pair": Pair("x", "b")}
    assert "https://me:***@host" in repr(BackendConfig("t", {"pair": Pair("https://me:secret@host", "b")}))


@pytest.mark.spec("CFG-009")
@pytest.mark.parametrize("text", ["$X", "${}", "${X", "{X}", "${X-y}", "${a b}", "%X%", "$", "$$", "${X:y}"])
def test_what_is_no_reference(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "x")
    assert options(o=text) == {"o": text}


@pytest.mark.spec("CFG-010")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${SET:-d}", "s"),
        ("${EMPTY:-d}", "d"),
        ("${UNSET:-d}", "d"),
        ("${UNSET:-}", ""),
        ("${UNSET:-a:-b c/$d}", "a:-b c/$d"),
        ("<${UNSET:-d}>", "<d>"),
    ],
)
def test_defaults_of_references(text: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SET", "s")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("UNSET", raising=False)
    assert options(o=text) == {"o": value}


@pytest.mark.spec("CFG-011")
@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"backends": {"b": {"type": "${UNSET}"}}}, "'type' of backend 'b'"),
        ({"backends": {"b": {"type": "x", "options": {"o": ["${UNSET}"]}}}}, "option 'o' of backend 'b'"),
        ({"stores": {"s": {"backend": "${UNSET}"}}}, "'backend' of store 's'"),
        ({"stores": {"s": {"backend": "b", "root_path": "${UNSET}"}}}, "'root_path' of store 's'"),
        ({"stores": {"s": {"backend": "b", "options": {"o": "${UNSET}"}}}}, "option 'o' of store 's'"),
    ],
)
def test_a_variable_that_is_not_set(data: Any, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSET", raising=False)
    with pytest.raises(ValueError) as caught:
        RegistryConfig.from_dict(data)
    assert str(caught.value).startswith(f"{place} refers to ${{UNSET}}, which is not set")


@pytest.mark.spec("CFG-011")
def test_a_variable_that_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", "")
    assert options(o="<${EMPTY}>") == {"o": "<>"}


@pytest.mark.spec("CFG-012")
def test_replaced_text_is_not_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "${B}$${B}")
    monkeypatch.setenv("B", "b")
    assert options(o="$${A} ${A} ${UNSET:-$}{B}") == {"o": "${A} ${B}$${B} ${B}"}


@pytest.mark.spec("CFG-013")
def test_configuration_in_code_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "x")
    given = {"root": "${X}", "n": 1}
    assert BackendConfig("${X}", given).options is given
    assert StoreProfile("${X}", "${X}").root_path == "${X}"
    assert given == {"root": "${X}", "n": 1}


# -- secrets -----------------------------------------------------------------------------

SECRET = "s3cr3t-v4lue"  # the tests look for it in every text

SECRET_NAMES = [
    "password", "PASSWORD", "passwd", "passphrase", "db_password", "pwd", "secret", "client_secret",
    "aws_secret_access_key", "secret_access_key", "secretAccessKey", "key", "account_key", "api_key",
    "apikey", "apiKey", "api-key", "private_key", "access_key", "access-key", "access_token", "token",
    "session_token", "sas_token", "sas", "credential", "credentials", "connection_string", "auth",
    "basic_auth", "pkey", "encryption_key", "customer_key", "sse_customer_key", "shared_key",
    "Authorization", "X-Auth-Token",
]  # fmt: skip
PUBLIC_NAMES = [
    "root", "durable", "host", "port", "user", "username", "bucket", "region", "endpoint_url", "timeout",
    "known_hosts", "host_key", "host_key_policy", "access_key_id", "aws_access_key_id", "key_id", "keys_path",
    "author", "authority", "monkey", "keyboard", "passive",
]  # fmt: skip


@pytest.mark.spec("CFG-014")
@pytest.mark.parametrize("name", SECRET_NAMES)
def test_options_whose_name_says_secret_are_masked(name: str) -> None:
    for value in (SECRET, [SECRET], {"inner": SECRET}, SECRET.encode()):
        for given in ({name: value}, {"outer": {name: value}}, {"outer": [({name: value},)]}):
            for config in (BackendConfig("t", given), StoreProfile("b", "", given)):
                shown = repr(config)
                assert SECRET not in shown
                assert f"{name!r}: '***'" in shown


@pytest.mark.spec("CFG-014")
@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_other_options_are_shown(name: str) -> None:
    assert not is_secret(name)
    assert f"{name!r}: 'value'" in repr(BackendConfig("t", {name: "value"}))


@pytest.mark.spec("CFG-014")
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://me:{SECRET}@host/path", "https://me:***@host/path"),
        (f"sftp://me:{SECRET}@host:22/path", "sftp://me:***@host:22/path"),
        (f"redis://:{SECRET}@host", "redis://:***@host"),
        (f"https://me:{SECRET}@{SECRET}@host/a@b", "https://me:***@host/a@b"),
        (f"https://me:a:{SECRET}@host", "https://me:***@host"),
        (f"sftp://me@corp.example:{SECRET}@host/x", "sftp://me@corp.example:***@host/x"),
        (f"from https://me:{SECRET}@a to https://me:{SECRET}@b", "from https://me:***@a to https://me:***@b"),
    ],
)
def test_the_password_in_a_url_is_masked(url: str, shown: str) -> None:
    for given in ({"endpoint_url": url}, {"proxies": {"https": url}}, {"urls": [url]}):
        text = repr(BackendConfig("t", given))
        assert SECRET not in text
        assert repr(shown) in text


@pytest.mark.spec("CFG-014")
@pytest.mark.parametrize(
    "url",
    [
        "https://host/a:b@c",
        "https://me@host",
        "a:b@c",
        "https://host:80/x",
        "https://me@host:80/a@b",
        "12:30@noon",
    ],
)
def test_text_without_a_password_is_shown(url: str) -> None:
    assert repr(url) in repr(BackendConfig("t", {"endpoint_url": url}))


def every_repr(options: Mapping[str, Any]) -> list[str]:
    config = RegistryConfig(
        {"b": BackendConfig("t", dict(options))}, {"s": StoreProfile("b", "", dict(options))}
    )
    return [repr(config), str(config), repr(config.backends), f"{config.stores['s']}"]


@pytest.mark.spec("CFG-014")
def test_the_whole_configuration_masks_and_keeps(caplog: pytest.LogCaptureFixture) -> None:
    options = {"password": SECRET, "url": f"https://me:{SECRET}@host", "token": None, "n": 1}
    for text in every_repr(options):
        assert SECRET not in text
        assert "'token': None" in text, "nothing is no secret"
        assert "'n': 1" in text
    config = BackendConfig("t", options)
    with caplog.at_level(logging.INFO):
        logging.getLogger(__name__).info("using %s and %r", config, config)
    assert SECRET not in caplog.text
    assert config.options["password"] == SECRET, "masked is the text, not the value"
