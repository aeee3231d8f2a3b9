"""Backend types by name: built in, behind extras, and from other packages."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.unit.support import fresh_python

from remote_store import BackendConfig, Registry, RegistryConfig, StoreProfile, register_backend
from remote_store import backends as public
from remote_store.backends import LocalBackend, MemoryBackend, _known
from remote_store.backends._known import backend_class

EXTRAS = [
    ("s3", "s3", ["aiobotocore"]),
    ("s3-pyarrow", "s3-pyarrow", ["aiobotocore"]),
    ("s3-pyarrow", "s3-pyarrow", ["pyarrow"]),
    ("sftp", "sftp", ["asyncssh"]),
    ("azure", "azure", ["azure.storage.blob"]),
]

PLUGIN = """
    from remote_store import Backend
    from remote_store.backends import MemoryBackend

    print("loaded")

    class TapeBackend(MemoryBackend):
        def __init__(self, drive=0):
            super().__init__()
            self.drive = drive

    not_a_backend = dict

    def make():
        return TapeBackend()
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A third-party package in a folder that is on the path, as pip would leave it."""
    (tmp_path / "tape_store.py").write_text(
        "\n".join(line[4:] for line in PLUGIN.splitlines()), encoding="utf-8"
    )
    info = tmp_path / "tape_store-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: tape-store\nVersion: 1.0\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(
        "[remote_store.backends]\n"
        "tape = tape_store:TapeBackend\n"
        "dict = tape_store:not_a_backend\n"
        "maker = tape_store:make\n"
        "broken = tape_store_that_is_not_there:X\n"
        "memory = tape_store:TapeBackend\n"
        "[console_scripts]\n"
        "disk = tape_store:TapeBackend\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tape_store", raising=False)
    importlib.invalidate_caches()
    return tmp_path


def store_of(kind: str, **options: Any) -> Any:
    config = RegistryConfig({"b": BackendConfig(kind, options)}, {"s": StoreProfile("b")})
    return Registry(config).get_store("s")


@pytest.mark.spec("REG-010")
def test_the_types_that_are_always_there() -> None:
    assert backend_class("memory") is MemoryBackend
    assert backend_class("local") is LocalBackend


@pytest.mark.spec("REG-011")
@pytest.mark.parametrize(("kind", "extra", "hidden"), EXTRAS)
def test_a_missing_extra_is_answered_with_its_install_line(
    kind: str, extra: str, hidden: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in hidden:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError) as caught:
        store_of(kind)
    assert str(caught.value).endswith(f': pip install "remote-store[{extra}]"')
    assert f"the {kind!r} backend needs " in str(caught.value)
    assert hidden[0] in str(caught.value)


@pytest.mark.spec("REG-011")
def test_only_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "present_sdk.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    dream = _known._Builtin(".dream", "DreamBackend", "dream", ("absent_sdk.core", "present_sdk"))
    monkeypatch.setitem(_known._BUILTIN, "dream", dream)
    with pytest.raises(
        ValueError, match=r'^the \'dream\' backend needs absent_sdk\.core: pip install "remote'
    ):
        backend_class("dream")


@pytest.mark.spec("REG-011")
def test_a_type_that_this_version_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        _known._BUILTIN, "dream", _known._Builtin(".dream", "DreamBackend", "dream", ("json",))
    )
    with pytest.raises(ValueError, match="not part of this version of remote-store"):
        backend_class("dream")


@pytest.mark.spec("REG-011")
def test_a_built_in_type_is_imported_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("remote_store.backends.dream")
    module.__spec__ = importlib.machinery.ModuleSpec("remote_store.backends.dream", None)
    module.DreamBackend = MemoryBackend  # type: ignore[attr-defined]  # modules take any attribute
    monkeypatch.setitem(sys.modules, "remote_store.backends.dream", module)
    monkeypatch.setitem(
        _known._BUILTIN, "dream", _known._Builtin(".dream", "DreamBackend", "dream", ("json",))
    )
    assert backend_class("dream") is MemoryBackend


@pytest.mark.spec("REG-011", "REG-012")
def test_nothing_is_imported_before_it_is_used(installed: Path) -> None:
    script = """
        import sys
        import remote_store
        config = remote_store.RegistryConfig.from_dict({
            "backends": {"m": {"type": "memory"}, "t": {"type": "tape"}, "s": {"type": "s3"}},
            "stores": {"m": {"backend": "m"}, "t": {"backend": "t"}, "s": {"backend": "s"}},
        })
        registry = remote_store.Registry(config)
        registry.get_store("m")
        sdks = {"aiobotocore", "pyarrow", "asyncssh", "azure.storage.blob", "tape_store"}
        print(sorted(sdks & set(sys.modules)))
        registry.get_store("t")
        print(sorted(sdks & set(sys.modules)))
    """
    assert fresh_python(script, folder=installed).splitlines() == ["[]", "loaded", "['tape_store']"]


@pytest.mark.spec("REG-012")
def test_a_third_party_type_is_found_by_its_entry_point(installed: Path) -> None:
    store = store_of("tape", drive=3)
    store.write("f", b"x")
    tape = backend_class("tape")
    assert store.read_bytes("f") == b"x"
    assert tape.__module__ == "tape_store"
    assert backend_class("tape") is tape
    with pytest.raises(ValueError, match="given: drvie"):
        store_of("tape", drvie=3)


@pytest.mark.spec("REG-012")
@pytest.mark.parametrize("kind", ["dict", "maker"])
def test_an_entry_point_that_is_no_backend(installed: Path, kind: str) -> None:
    with pytest.raises(
        ValueError, match=f"entry point '{kind}' in group 'remote_store.backends' is no subclass"
    ):
        store_of(kind)


@pytest.mark.spec("REG-012")
def test_a_package_that_cannot_be_imported_says_so_itself(installed: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="tape_store_that_is_not_there"):
        store_of("broken")


@pytest.mark.spec("REG-012")
def test_a_package_cannot_take_a_built_in_name(installed: Path) -> None:
    assert backend_class("memory") is MemoryBackend


@pytest.mark.spec("REG-012", "REG-014")
def test_only_the_right_group_counts(installed: Path) -> None:
    with pytest.raises(ValueError, match="unknown backend type 'disk'"):
        store_of("disk")


@pytest.mark.spec("REG-013")
def test_a_registered_class_comes_first(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_known, "_registered", {})

    class Mine(MemoryBackend):
        pass

    register_backend("tape", Mine)
    register_backend("memory", Mine)
    assert backend_class("tape") is backend_class("memory") is Mine


@pytest.mark.spec("REG-014")
@pytest.mark.parametrize("kind", ["tapes", "", "Local", "s3 "])
def test_an_unknown_type_lists_the_known_ones(
    kind: str, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_known, "_registered", {"ours": MemoryBackend})
    with pytest.raises(ValueError) as caught:
        store_of(kind)
    known = "azure, broken, dict, local, maker, memory, ours, s3, s3-pyarrow, sftp, tape"
    assert str(caught.value) == f"unknown backend type {kind!r}; known types: {known}"


def test_the_public_module_exports_its_backends_lazily() -> None:
    for name in public.__all__:
        assert callable(getattr(public, name))
    assert set(public.__all__) <= set(dir(public))
    with pytest.raises(AttributeError, match="has no attribute 'FloppyBackend'"):
        public.FloppyBackend  # noqa: B018 - the look-up is the test
    script = """
        import sys, remote_store.backends
        print(sorted(name for name in sys.modules if name.startswith("remote_store.backends.")))
    """
    assert fresh_python(script).strip() == "['remote_store.backends._known']"
