"""Registries: stores by name, backends made once and closed together. Both faces."""

from __future__ import annotations

import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest

from remote_store import (
    AsyncRegistry,
    AsyncStore,
    BackendConfig,
    BackendUnavailable,
    InvalidPath,
    Registry,
    RegistryConfig,
    Store,
    StoreProfile,
    register_backend,
)
from remote_store.backends import MemoryBackend
from remote_store.backends._known import _registered

SECRET = "s3cr3t-v4lue"
FACES: list[Any] = [AsyncRegistry, Registry]
faces = pytest.mark.parametrize("face", FACES)


class Counted(MemoryBackend):
    """Counts its makings and closings; fails to close if told so."""

    made: ClassVar[list[Counted]] = []

    def __init__(self, tag: str = "", error: BaseException | None = None) -> None:
        super().__init__()
        self.tag, self.error, self.closings = tag, error, 0
        Counted.made.append(self)

    async def aclose(self) -> None:
        self.closings += 1
        if self.error is not None:
            raise self.error


@pytest.fixture(autouse=True)
def types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counted, "made", [])
    monkeypatch.setitem(_registered, "counted", Counted)


def config(**backends: dict[str, Any]) -> RegistryConfig:
    """Return a configuration with one store for each backend, of the same name."""
    return RegistryConfig(
        {name: BackendConfig("counted", options) for name, options in backends.items()},
        {name: StoreProfile(name) for name in backends},
    )


async def close(registry: AsyncRegistry | Registry) -> None:
    await registry.aclose() if isinstance(registry, AsyncRegistry) else registry.close()


@pytest.mark.spec("REG-001")
@faces
def test_a_registry_validates_its_configuration(face: type[Registry]) -> None:
    with pytest.raises(ValueError, match="'s' names the backend 'b', which is not configured"):
        face(RegistryConfig(stores={"s": StoreProfile("b")}))


@pytest.mark.spec("REG-001")
@faces
def test_without_a_configuration_it_is_empty(face: type[Registry]) -> None:
    assert face() == face(None) == face(RegistryConfig())
    with pytest.raises(KeyError, match="configured stores: none"):
        face().get_store("s")


@pytest.mark.spec("REG-002")
def test_get_store_returns_a_new_store_each_time(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.txt").write_bytes(b"a")
    with Registry(
        RegistryConfig(
            {"disk": BackendConfig("local", {"root": str(tmp_path)})},
            {"photos": StoreProfile("disk", "/photos/"), "all": StoreProfile("disk")},
        )
    ) as registry:
        photos = registry.get_store("photos")
        assert type(photos) is Store
        assert photos is not registry.get_store("photos")
        assert photos == registry.get_store("photos")
        assert photos.read_bytes("a.txt") == registry.get_store("all").read_bytes("photos/a.txt") == b"a"


@pytest.mark.spec("REG-002")
@faces
def test_a_root_that_is_no_path_is_refused(face: type[Registry]) -> None:
    given = RegistryConfig({"b": BackendConfig("counted")}, {"s": StoreProfile("b", "../x")})
    with pytest.raises(InvalidPath):
        face(given).get_store("s")
    assert Counted.made == []


@pytest.mark.spec("REG-003")
@faces
def test_an_unknown_name_is_a_key_error(face: type[Registry]) -> None:
    with pytest.raises(KeyError) as caught:
        face(config(b={}, a={})).get_store("c")
    assert caught.value.args == ("there is no store 'c'; configured stores: a, b",)


@pytest.mark.spec("REG-004")
@faces
def test_a_backend_is_made_when_it_is_needed_and_shared(face: type[Registry]) -> None:
    given = RegistryConfig(
        {"b": BackendConfig("counted", {"tag": "one"}), "c": BackendConfig("counted", {"tag": "two"})},
        {"s": StoreProfile("b"), "t": StoreProfile("b", "t"), "u": StoreProfile("c")},
    )
    registry = face(given)
    assert Counted.made == []
    registry.get_store("s")
    registry.get_store("t")
    assert [backend.tag for backend in Counted.made] == ["one"]
    registry.get_store("u")
    assert [backend.tag for backend in Counted.made] == ["one", "two"]


@pytest.mark.spec("REG-004")
@faces
def test_once_also_when_32_threads_ask(face: type[Registry], monkeypatch: pytest.MonkeyPatch) -> None:
    barrier, making = threading.Barrier(32), threading.Event()

    class Slow(Counted):
        def __init__(self) -> None:
            super().__init__()
            making.wait(0.05)  # room for the other threads to come in

    monkeypatch.setitem(_registered, "counted", Slow)
    registry = face(config(b={}))

    def ask(_: int) -> Any:
        barrier.wait(20)
        return registry.get_store("b")

    with ThreadPoolExecutor(32) as pool:
        stores = list(pool.map(ask, range(32)))
    assert len(Counted.made) == 1
    assert len(set(stores)) == 1


@pytest.mark.spec("REG-005")
def test_closing_closes_every_backend_that_was_made() -> None:
    with Registry(config(a={}, b={}, c={})) as registry:
        registry.get_store("a")
        registry.get_store("b")
        assert [backend.closings for backend in Counted.made] == [0, 0]
    assert [backend.closings for backend in Counted.made] == [1, 1]
    registry.close()
    assert [backend.closings for backend in Counted.made] == [1, 1], "closing twice is fine"


@pytest.mark.anyio
@pytest.mark.spec("REG-005")
async def test_so_does_the_async_registry() -> None:
    async with AsyncRegistry(config(a={}, b={}, c={})) as registry:
        assert type(registry.get_store("a")) is AsyncStore
        registry.get_store("b")
    await registry.aclose()
    assert [backend.closings for backend in Counted.made] == [1, 1]


@pytest.mark.anyio
@pytest.mark.spec("REG-005")
@faces
async def test_one_failure_is_raised_as_it_is_after_all_are_closed(face: type[Registry]) -> None:
    error = ConnectionResetError("gone")
    registry = face(config(a={}, b={"error": error}, c={}))
    for name in "abc":
        registry.get_store(name)
    with pytest.raises(ConnectionResetError) as caught:
        await close(registry)
    assert caught.value is error
    assert [backend.closings for backend in Counted.made] == [1, 1, 1]
    await close(registry)
    assert [backend.closings for backend in Counted.made] == [1, 1, 1]


@pytest.mark.anyio
@pytest.mark.spec("REG-005")
@faces
async def test_several_failures_are_raised_as_one_group(face: type[Registry]) -> None:
    errors = [ConnectionResetError("gone"), ValueError("odd")]
    registry = face(config(a={"error": errors[0]}, b={}, c={"error": errors[1]}))
    for name in "abc":
        registry.get_store(name)
    with pytest.raises(ExceptionGroup) as caught:
        await close(registry)
    assert set(caught.value.exceptions) == set(errors)
    assert [backend.closings for backend in Counted.made] == [1, 1, 1]


@pytest.mark.spec("REG-005")
def test_the_block_closes_when_it_fails() -> None:
    with pytest.raises(ZeroDivisionError):
        with Registry(config(a={})) as registry:
            registry.get_store("a")
            raise ZeroDivisionError
    assert Counted.made[0].closings == 1


@pytest.mark.spec("REG-006")
def test_after_closing_old_stores_refuse_and_the_registry_goes_on() -> None:
    registry = Registry(config(a={}))
    old = registry.get_store("a")
    child = old.child("x")
    old.write("f", b"old")
    registry.close()
    for store in (old, child):
        with pytest.raises(BackendUnavailable, match="closed") as caught:
            store.exists("f")
        assert caught.value.retryable is False
    new = registry.get_store("a")
    assert not new.exists("f"), "a new backend"
    new.write("f", b"new")
    with pytest.raises(BackendUnavailable):
        old.exists("f")
    registry.close()
    assert [backend.closings for backend in Counted.made] == [1, 1]


@pytest.mark.spec("REG-006")
def test_closing_a_store_of_a_registry_does_nothing() -> None:
    with Registry(config(a={})) as registry:
        with registry.get_store("a") as store:
            store.write("f", b"x")
        assert store.read_bytes("f") == b"x"
        assert Counted.made[0].closings == 0


@pytest.mark.spec("REG-007")
def test_repr_lists_the_names_of_the_stores() -> None:
    given = config(b={}, a={})
    assert repr(Registry(given)) == "Registry(stores=['a', 'b'])"
    assert repr(AsyncRegistry(given)) == "AsyncRegistry(stores=['a', 'b'])"


def every_text(error: BaseException) -> str:
    return f"{error!s} {error!r} " + "".join(traceback.format_exception(error))


class Picky(Counted):
    """Quotes what it was given in the error of its constructor, as careless code does."""

    def __init__(self, **options: Any) -> None:
        raise TypeError(f"cannot use {options}")


@pytest.mark.spec("REG-007", "REG-015")
@faces
@pytest.mark.parametrize(
    "options",
    [
        {"password": SECRET},
        {"client": {"password": SECRET}},
        {"client": {"urls": [f"https://me:{SECRET}@host"]}},
        {"url": f"https://me:{SECRET}@host"},
        {"password": f"{SECRET}'\"\n"},
    ],
)
def test_no_error_shows_a_secret(
    face: type[Registry], options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_registered, "counted", Picky)
    registry = face(config(b=options))
    with pytest.raises(ValueError) as caught:
        registry.get_store("b")
    assert SECRET not in every_text(caught.value)
    assert SECRET not in repr(registry)
    with pytest.raises(KeyError) as unknown:
        registry.get_store("c")
    assert SECRET not in every_text(unknown.value)


@pytest.mark.spec("REG-007")
@faces
def test_a_configuration_that_does_not_hold_together_shows_no_secret(face: type[Registry]) -> None:
    given = RegistryConfig({"b": BackendConfig("local", {"password": SECRET})}, {"s": StoreProfile("c")})
    with pytest.raises(ValueError) as caught:
        face(given)
    assert SECRET not in every_text(caught.value)


@pytest.mark.spec("REG-008")
@faces
def test_equality(face: type[Registry]) -> None:
    one, same, other = (
        face(config(a={"tag": "1"})),
        face(config(a={"tag": "1"})),
        face(config(a={"tag": "2"})),
    )
    one.get_store("a")
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != config(a={"tag": "1"})
    assert len({one, same, other}) == 2


@pytest.mark.spec("REG-008")
def test_the_faces_are_not_equal() -> None:
    assert Registry() != AsyncRegistry()


@pytest.mark.spec("REG-009")
@faces
def test_the_options_of_a_store_are_the_applications_own(face: type[Registry]) -> None:
    given = RegistryConfig(
        {"b": BackendConfig("counted")}, {"s": StoreProfile("b", "", {"tag": "no", "x": 1})}
    )
    face(given).get_store("s")
    assert Counted.made[0].tag == ""
    assert given.stores["s"].options == {"tag": "no", "x": 1}


@pytest.mark.spec("REG-010")
@faces
def test_local_and_memory_are_always_there(face: type[Registry], tmp_path: Path) -> None:
    given = RegistryConfig(
        {"l": BackendConfig("local", {"root": str(tmp_path)}), "m": BackendConfig("memory")},
        {"l": StoreProfile("l"), "m": StoreProfile("m")},
    )
    registry = face(given)
    assert "'local'" in repr(registry.get_store("l"))
    assert "'memory'" in repr(registry.get_store("m"))


@pytest.mark.spec("REG-015")
@faces
@pytest.mark.parametrize(
    ("kind", "options", "listed"),
    [
        (
            "memory",
            {"size": SECRET, "limit": SECRET},
            "given: limit, size.*not know limit, size, but: no",
        ),
        ("local", {}, "given: none"),
        (
            "local",
            {"root": "/nowhere", "colour": SECRET},
            "given: colour, root.*colour, but: root, durable, create",
        ),
        ("counted", {"tga": SECRET}, "given: tga"),
    ],
)
def test_options_that_do_not_fit(
    face: type[Registry], kind: str, options: dict[str, Any], listed: str
) -> None:
    registry = face(RegistryConfig({"b": BackendConfig(kind, options)}, {"s": StoreProfile("b")}))
    with pytest.raises(ValueError, match=listed) as caught:
        registry.get_store("s")
    assert SECRET not in every_text(caught.value)
    assert f"'b' of type {kind!r}" in str(caught.value)


@pytest.mark.spec("REG-013")
def test_register_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remote_store.backends._known._registered", {})
    given = RegistryConfig({"b": BackendConfig("memory")}, {"s": StoreProfile("b")})
    register_backend("memory", Counted)
    Registry(given).get_store("s")
    assert len(Counted.made) == 1

    class Other(Counted):
        pass

    register_backend("memory", Other)
    Registry(given).get_store("s")
    assert type(Counted.made[-1]) is Other, "the last call wins"


@pytest.mark.spec("REG-013")
@pytest.mark.parametrize("cls", [object, dict, MemoryBackend(), None, "memory", lambda: MemoryBackend()])
def test_only_backends_can_be_registered(cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    registered: dict[str, Any] = {}
    monkeypatch.setattr("remote_store.backends._known._registered", registered)
    with pytest.raises(TypeError, match=r"a backend must be a subclass of remote_store\.Backend"):
        register_backend("mine", cls)
    assert registered == {}


@pytest.mark.spec("REG-006")
def test_closing_and_asking_from_many_threads() -> None:
    registry = Registry(config(a={}))
    stop = threading.Event()

    def ask() -> set[Store]:
        stores = set()
        while not stop.is_set():
            stores.add(registry.get_store("a"))
        return stores

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        for _ in range(300):
            registry.close()
        stop.set()
        stores = set().union(*(future.result(20) for future in asking))
    registry.close()
    assert [backend.closings for backend in Counted.made] == [1] * len(Counted.made)
    for store in stores:
        with pytest.raises(BackendUnavailable):
            store.exists("f")


@pytest.mark.spec("REG-006")
def test_a_store_asked_for_while_the_registry_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    stores: list[Store] = []

    class Asks(Counted):
        async def aclose(self) -> None:
            await super().aclose()
            if not stores:
                stores.append(registry.get_store("a"))

    monkeypatch.setitem(_registered, "counted", Asks)
    registry = Registry(config(a={}))
    registry.get_store("a")
    registry.close()
    old, new = Counted.made
    assert old.closings == 1
    if new.closings:
        with pytest.raises(BackendUnavailable):
            stores[0].exists("f")
    else:
        assert not stores[0].exists("f")
