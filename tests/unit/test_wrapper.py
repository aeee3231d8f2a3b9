"""``BackendWrapper`` hands on everything: what is added to the contract and forgotten here fails."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest
from tests.unit.support import run_in, worlds

from remote_store import Backend, CapabilityNotSupported, Store
from remote_store.backend import Pages, PartWriter, Reader, Writer
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.wrapper import BackendWrapper, PagesWrapper, PartWriterWrapper, ReaderWrapper, WriterWrapper

NOT_FORWARDED = {"from_url", "within_memory"}
"""A URL names no layer, and what the other gives would be one without the layer."""

WRAPPERS: list[tuple[type[Any], type[Any]]] = [
    (Backend, BackendWrapper),
    (Reader, ReaderWrapper),
    (Writer, WriterWrapper),
    (PartWriter, PartWriterWrapper),
    (Pages, PagesWrapper),
]
DUNDERS = {"__anext__"}


def members(contract: type[Any]) -> set[str]:
    """Return the public names that a class of the contract defines."""
    names = {name for name in vars(contract) if not name.startswith("_") or name in DUNDERS}
    return (names | set(inspect.get_annotations(contract))) - NOT_FORWARDED


def methods(contract: type[Any]) -> list[str]:
    return sorted(name for name in members(contract) if inspect.isfunction(vars(contract).get(name)))


CALLS = [
    pytest.param(contract, wrapper, name, id=f"{wrapper.__name__}.{name}")
    for contract, wrapper in WRAPPERS
    for name in methods(contract)
]
FACTS = [
    pytest.param(contract, wrapper, name, id=f"{wrapper.__name__}.{name}")
    for contract, wrapper in WRAPPERS
    for name in sorted(members(contract) - set(methods(contract)))
]


def test_the_introspection_sees_the_whole_contract() -> None:
    assert {"name", "capabilities", "read_bytes", "list_pages", "to_key", "unwrap", "aclose"} <= members(
        Backend
    )
    assert members(Reader) == {"seekable", "size", "version", "read", "readinto", "seek", "aclose"}
    assert members(Writer) == {"write", "commit", "abort"}
    assert {"token", "part_size", "at_once", "confirmed", "write", "commit", "abort"} < members(PartWriter)
    assert members(Pages) == {"__anext__", "aclose"}


@pytest.mark.parametrize(("contract", "wrapper"), WRAPPERS)
def test_every_method_of_the_contract_is_in_the_wrapper(contract: type[Any], wrapper: type[Any]) -> None:
    missing = set(methods(contract)) - set(vars(wrapper))
    assert not missing, f"{wrapper.__name__} does not forward {sorted(missing)}"
    extra = {name for name in vars(wrapper) if not name.startswith("_")} - members(contract)
    assert not extra, f"{wrapper.__name__} has what the contract has not: {sorted(extra)}"


@pytest.mark.parametrize(("contract", "wrapper", "name"), CALLS)
def test_the_signatures_are_those_of_the_contract(contract: type[Any], wrapper: type[Any], name: str) -> None:
    assert inspect.signature(getattr(wrapper, name)) == inspect.signature(getattr(contract, name))


@pytest.mark.parametrize(("contract", "wrapper", "name"), CALLS)
@worlds
def test_every_call_arrives_with_its_arguments_and_returns_the_answer(
    world: str, contract: type[Any], wrapper: type[Any], name: str
) -> None:
    inner = MagicMock(spec=contract)
    target: Any = getattr(inner, name)
    given, options = arguments(getattr(contract, name))

    async def main() -> None:
        result = getattr(wrapper(inner), name)(*given, **options)
        if isinstance(target, AsyncMock):
            result = await result
        returns_nothing = inspect.signature(getattr(contract, name)).return_annotation == "None"
        assert result is (None if returns_nothing else target.return_value)

    run_in(world, main)
    target.assert_called_once_with(*given, **options)


def arguments(method: Callable[..., Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return arguments for a method, each a thing of its own that is no default."""
    given: list[Any] = []
    options: dict[str, Any] = {}
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        value: Any = Mock(name=parameter.name)
        if parameter.name == "type_hint":
            value = type("Native", (), {})
        if parameter.kind is parameter.KEYWORD_ONLY:
            options[parameter.name] = value
        else:
            given.append(value)
    return given, options


@pytest.mark.parametrize(("contract", "wrapper", "name"), FACTS)
def test_every_fact_is_that_of_the_inner_object(contract: type[Any], wrapper: type[Any], name: str) -> None:
    inner = MagicMock(spec=contract)
    fact = Mock(name=name)
    setattr(inner, name, fact)
    assert getattr(wrapper(inner), name) is fact


@pytest.mark.parametrize(("contract", "wrapper", "name"), CALLS)
def test_errors_come_out_as_they_are(contract: type[Any], wrapper: type[Any], name: str) -> None:
    inner = MagicMock(spec=contract)
    error = ZeroDivisionError("inner")
    getattr(inner, name).side_effect = error
    given, options = arguments(getattr(contract, name))

    async def main() -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            result = getattr(wrapper(inner), name)(*given, **options)
            await result
        assert caught.value is error

    run_in("asyncio", main)


def test_unwrap_finds_the_layers_and_what_lies_below(tmp_path: Path) -> None:
    class One(BackendWrapper):
        pass

    class Two(BackendWrapper):
        pass

    local = LocalBackend(tmp_path)
    one = One(local)
    two = Two(one)
    assert two.unwrap(Two) is two
    assert two.unwrap(One) is one
    assert two.unwrap(LocalBackend) is local
    assert two.unwrap(Path) == tmp_path
    assert two.unwrap(BackendWrapper) is two
    assert Store(two).unwrap(One) is one
    with pytest.raises(CapabilityNotSupported, match="the local backend has no native MemoryBackend"):
        two.unwrap(MemoryBackend)


def test_repr_and_from_url() -> None:
    assert repr(BackendWrapper(MemoryBackend())) == "BackendWrapper(MemoryBackend())"
    with pytest.raises(ValueError, match="BackendWrapper cannot be opened by URL"):
        BackendWrapper.from_url("memory://")


@worlds
def test_a_layer_overrides_only_what_it_changes(world: str) -> None:
    class Shouting(BackendWrapper):
        async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
            return (await super().read_bytes(path, start=start, length=length)).upper()

        async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
            return ShoutingReader(await super().open_read(path, start=start, length=length))

    class ShoutingReader(ReaderWrapper):
        async def read(self, n: int) -> bytes:
            return (await super().read(n)).upper()

    async def main() -> None:
        backend = Shouting(MemoryBackend())
        await backend.write_bytes("f", memoryview(b"quiet"))
        assert await backend.read_bytes("f") == b"QUIET"
        reader = await backend.open_read("f", start=1)
        assert (reader.seekable, reader.size) == (True, 4)
        assert await reader.read(10) == b"UIET"
        assert (await backend.get_file_info("f")).size == 5

    run_in(world, main)
