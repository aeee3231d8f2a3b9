"""``open_store`` and ``open_async_store``: a store from a URL."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from remote_store import AsyncStore, BackendUnavailable, Store, open_async_store, open_store
from remote_store.backends import LocalBackend, MemoryBackend, _known

SECRET = "s3cr3t-v4lue"
openers = pytest.mark.parametrize("opener", [open_store, open_async_store])


@pytest.mark.spec("REG-016")
def test_memory_is_new_and_empty_each_time() -> None:
    with open_store("memory://") as one, open_store("memory://") as two:
        one.write("f", b"x")
        assert type(one) is Store
        assert one != two
        assert not two.exists("f")


@pytest.mark.spec("REG-016")
def test_the_store_owns_its_backend(tmp_path: Path) -> None:
    store = open_store(tmp_path.as_uri())
    child = store.child("x")
    store.close()
    for closed in (store, child):
        with pytest.raises(BackendUnavailable, match="closed"):
            closed.exists("f")


@pytest.mark.anyio
@pytest.mark.spec("REG-016")
async def test_the_async_face(tmp_path: Path) -> None:
    async with open_async_store(tmp_path.as_uri()) as store:
        assert type(store) is AsyncStore
        await store.write("a/f", b"x")
    assert (tmp_path / "a" / "f").read_bytes() == b"x"
    with pytest.raises(BackendUnavailable, match="closed"):
        await store.exists("f")


@pytest.mark.spec("REG-016")
def test_a_scheme_stands_for_the_type_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tape(MemoryBackend):
        @classmethod
        def from_url(cls, url: str) -> Any:
            assert url == "tape://drive/0"
            return cls(), "reels"

    monkeypatch.setitem(_known._registered, "tape", Tape)
    assert repr(open_store("tape://drive/0")) == "Store(backend='memory', root_path='reels')"


@pytest.mark.spec("REG-016")
def test_a_type_that_takes_no_url_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tape(MemoryBackend):
        from_url = LocalBackend.__mro__[1].__dict__["from_url"]  # that of Backend itself

    monkeypatch.setitem(_known._registered, "tape", Tape)
    with pytest.raises(ValueError, match="Tape cannot be opened by URL"):
        open_store(f"tape://me:{SECRET}@drive")


@pytest.mark.spec("REG-017")
@pytest.mark.parametrize(
    "name", ["plain", "with space", "a%41b", "ü/ö", "q?mark", "hash#tag", "semi;colon", "a&b"]
)
def test_file_opens_a_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir(parents=True)
    (folder / "f").write_bytes(b"x")
    for url in (folder.as_uri(), f"file://localhost{quote(str(folder))}", f"FILE://{quote(str(folder))}"):
        with open_store(url) as store:
            assert store.read_bytes("f") == b"x"
            assert store.unwrap(Path) == folder


@pytest.mark.spec("REG-017")
@pytest.mark.parametrize("durable", [True, False])
def test_options_come_as_a_query(tmp_path: Path, durable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []

    class Watched(LocalBackend):
        def __init__(self, root: str, **options: Any) -> None:
            given.append(options)
            super().__init__(root, **options)

    monkeypatch.setitem(_known._registered, "local", Watched)
    open_store(f"{tmp_path.as_uri()}?durable={str(durable).lower()}")
    open_store(f"{tmp_path.as_uri()}/new?durable=true&create=false")
    open_store(f"{tmp_path.as_uri()}?")
    assert given == [{"durable": durable}, {"durable": True, "create": False}, {}]
    assert not (tmp_path / "new").exists()


@pytest.mark.spec("REG-017")
@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("file://", "file:///absolute/folder"),
        ("file://relative/path", "file:///absolute/folder"),
        ("file://example.org/data", "file:///absolute/folder"),
        ("file://?durable=true", "file:///absolute/folder"),
        ("file:///data?colour=red", "unknown option 'colour'.*known options: create, durable"),
        ("file:///data?durable=yes", "option 'durable' must be true or false, not 'yes'"),
        ("file:///data?durable", "option 'durable' must be true or false, not ''"),
        ("s3://b?colour=red", "unknown option 'colour' in an s3: URL"),
        ("s3-pyarrow://b?colour=red", "unknown option 'colour' in an s3-pyarrow: URL"),
        ("s3-pyarrow://", "a folder of a bucket is s3-pyarrow://bucket/folder"),
        ("memory://x", "memory://"),
        ("memory:///", "memory://"),
        ("memory://?a=b", "memory://"),
    ],
)
@openers
def test_a_url_that_does_not_fit(opener: Any, url: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def init(self: LocalBackend, root: str, **options: Any) -> None:
        raise AssertionError(f"made a backend on {root} with {options}")

    monkeypatch.setattr(LocalBackend, "__init__", init)
    with pytest.raises(ValueError, match=text):
        opener(url)


@pytest.mark.spec("REG-019")
@pytest.mark.parametrize("mark", ["#", "#part", "\t", "\n", "\rx"])
@pytest.mark.parametrize("url", ["file:///data", "s3://b/f", "s3-pyarrow://b/f", "sftp://h/f", "memory://"])
@openers
def test_what_a_parser_leaves_out(opener: Any, url: str, mark: str) -> None:
    for odd in (f"{url}{mark}", f"{url}{mark}?anon=true", f"{url}?anon=true{mark}"):
        with pytest.raises(ValueError, match=f"as %{ord(mark[0]):02X}$"):
            opener(odd)


@pytest.mark.spec("REG-019")
@pytest.mark.parametrize(
    ("type_name", "url"), [("local", "file:///f#"), ("s3", "s3://b/f#"), ("sftp", "sftp://h/f#")]
)
def test_no_backend_leaves_it_out_either(type_name: str, url: str) -> None:
    with pytest.raises(ValueError, match="a folder of "):
        _known.backend_class(type_name).from_url(url)


@pytest.mark.spec("REG-017")
@openers
def test_a_folder_that_no_system_can_name(opener: Any) -> None:
    with pytest.raises(ValueError, match="root must be the path of a folder"):
        opener("file:///a%00b")


@pytest.mark.spec("REG-018")
@pytest.mark.parametrize(
    "url",
    [
        f"ftp://me:{SECRET}@host/path",
        f"x://:{SECRET}@host",
        f"me:{SECRET}@host",
        f"ftp:me:{SECRET}@host",
        f"://me:{SECRET}@host",
        f"//me:{SECRET}@host/path",
        "file:relative",
        "file:/data",
        "/data",
        "data",
        "",
        "C:\\data",
        "unknown://",
    ],
)
@openers
def test_an_unknown_scheme_or_none(opener: Any, url: str) -> None:
    with pytest.raises(ValueError) as caught:
        opener(url)
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in str(caught.value) + repr(caught.value) + shown.rpartition("Error: ")[2]
    assert "azure, file, memory, s3, s3-pyarrow, sftp" in str(caught.value)


@pytest.mark.spec("REG-018", "REG-017")
@pytest.mark.parametrize("url", [f"file://me:{SECRET}@host/data", f"memory://me:{SECRET}@host"])
@openers
def test_nor_does_a_known_scheme_show_a_password(opener: Any, url: str) -> None:
    with pytest.raises(ValueError) as caught:
        opener(url)
    assert SECRET not in str(caught.value)


@pytest.mark.spec("REG-018")
@pytest.mark.parametrize("scheme", ["tape", "ours"])
def test_schemes_of_other_packages_are_listed_too(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_known._registered, scheme, MemoryBackend)
    with pytest.raises(ValueError, match=rf"known schemes: .*\b{scheme}\b"):
        open_store("unknown://")
