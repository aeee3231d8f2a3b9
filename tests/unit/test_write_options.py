"""``WriteOptions`` as values, and what a store refuses before it asks the storage."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from remote_store import Capability, CapabilityNotSupported, Store, WriteOptions
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.testing import FaultyBackend


@pytest.mark.spec("MOD-011", "MOD-001", "MOD-010")
def test_values() -> None:
    given = {"a": "b"}
    options = WriteOptions(content_type="text/csv", metadata=given, native={"key": "hidden"})
    given["a"] = "c"
    assert options.metadata == {"a": "b"}
    assert "hidden" not in repr(options)
    assert pickle.loads(pickle.dumps(options)) == options
    with pytest.raises(AttributeError):
        options.content_type = "x"  # type: ignore[misc]


@pytest.mark.spec("MOD-011")
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"content_type": b"text/csv"}, "content_type must be str or None, not bytes"),
        ({"if_match": 5}, "if_match must be str or None, not int"),
        ({"metadata": [("a", "b")]}, "metadata must be a mapping, not list"),
        ({"metadata": {"a": 1}}, "metadata must map str to str; 'a' does not"),
        ({"tags": {1: "a"}}, "tags must map str to str; 1 does not"),
        ({"native": {1: "a"}}, "native must map str to str; 1 does not"),
    ],
)
def test_wrong_types(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        WriteOptions(**fields)


@pytest.mark.spec("MOD-012")
def test_options_over_others() -> None:
    usual = WriteOptions(content_type="a/a", storage_class="COLD", metadata={"a": "1", "b": "1"})
    own = WriteOptions(content_type="b/b", metadata={"b": "2"}, if_match="x")
    assert own.over(usual) == WriteOptions(
        content_type="b/b", storage_class="COLD", metadata={"a": "1", "b": "2"}, if_match="x"
    )
    assert WriteOptions().over(usual) == usual


@pytest.mark.spec("STORE-051")
@pytest.mark.parametrize("wanted", [{"if_match": "x"}, {"options": WriteOptions(tags={"a": "b"})}])
def test_what_the_storage_cannot_do_is_refused_before_it_is_asked(
    tmp_path: Path, wanted: dict[str, Any]
) -> None:
    backend = FaultyBackend(LocalBackend(tmp_path))
    with Store(backend) as store:
        with pytest.raises(CapabilityNotSupported):
            store.write_atomic("f", b"x", **wanted)
        with pytest.raises(CapabilityNotSupported) as caught:
            store.write("f", b"x", **wanted)
        with pytest.raises(CapabilityNotSupported):
            store.write_text("f", "x", **wanted)
        with pytest.raises(CapabilityNotSupported):
            store.open_write("f", **wanted)
        assert caught.value.capability == ("write_options" if "options" in wanted else "conditional_write")
        assert backend.log == []
        store.write("f", b"x", options=WriteOptions())


@pytest.mark.spec("STORE-051")
def test_options_of_another_type() -> None:
    with Store(MemoryBackend()) as store, pytest.raises(TypeError, match="options must be WriteOptions"):
        store.write("f", b"x", options={"content_type": "a/b"})  # type: ignore[arg-type]


@pytest.mark.spec("CAP-001")
def test_who_can_what(tmp_path: Path) -> None:
    exclusive, conditional, options = (
        Capability.EXCLUSIVE_CREATE,
        Capability.CONDITIONAL_WRITE,
        Capability.WRITE_OPTIONS,
    )
    memory, local = MemoryBackend().capabilities, LocalBackend(tmp_path).capabilities
    assert {exclusive, conditional, options} <= set(memory)
    assert exclusive in local
    assert not {conditional, options} & set(local)
