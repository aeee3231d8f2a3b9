"""Keys of all kinds, as other programs write them: they come back as they are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from tests.backends.s3.support import quick
from tests.services import S3Server

from remote_store import (
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    RemoteFolder,
    Store,
    TransferFailed,
    sync,
)
from remote_store._runtime import drive
from remote_store.backends import MemoryBackend, S3Backend

ODD = [
    "a//b", "a///b", "../x", "a/../x", "./y", "a/./y", "/z", "//z", ".", "..", "a/..", "a b", " a", "a ",
    "a+b", "a%2Fb", "a%b", "%", "a%20b", "a\tb", "a\rb", "a\x01b", "a\x1fb", "a\x7fb", "a\\b", "a?b#c",
    "a&b<c>'\"", "ü/ö", "u\u0308", "日本", "\U0001f600", "~", "*", "a:b", "http://h/x", "a;b=c",
    "a/b//c/d", "\u2028", "\ufffe",
]  # fmt: skip
odd = pytest.mark.parametrize("key", ODD, ids=ascii)
_numbers = itertools.count()


def client_of(server: S3Server) -> Any:
    """Return boto's own blocking client, which looks at no names."""
    from botocore.session import Session

    options = server.options
    return Session().create_client(
        "s3",
        endpoint_url=options["endpoint_url"],
        region_name=options["region_name"],
        aws_access_key_id=options["key"],
        aws_secret_access_key=options["secret"],
    )


@pytest.fixture(scope="module")
def boto(moto: S3Server) -> Iterator[Any]:
    client = client_of(moto)
    yield client
    client.close()


@pytest.fixture
def place(boto: Any) -> str:
    """Give a bucket of moto's."""
    name = f"names-{next(_numbers)}"
    boto.create_bucket(Bucket=name)
    return name


@pytest.fixture(params=[True, False], ids=["hot path", "client"])
def store(request: pytest.FixtureRequest, moto: S3Server, place: str) -> Iterator[Store]:
    with Store(quick(place, moto.endpoint_url, hot_path=request.param)) as made:
        yield made


def keys(boto: Any, bucket: str) -> list[str]:
    return [entry["Key"] for entry in boto.list_objects_v2(Bucket=bucket).get("Contents", ())]


@pytest.mark.spec("S3-011")
@odd
def test_a_key_is_listed_as_it_is_and_opened_as_it_was_listed(
    key: str, store: Store, boto: Any, place: str
) -> None:
    boto.put_object(Bucket=place, Key=key, Body=b"x")
    (info,) = store.list_files("", recursive=True)
    assert str(info.path) == key
    assert info.name == key.rpartition("/")[2]
    assert store.read_bytes(info.path) == b"x"
    with store.read(info.path) as file:
        assert file.read() == b"x"
    assert store.is_file(info.path)
    assert store.get_file_info(info.path).path == info.path
    store.write(info.path, b"new", overwrite=True)
    assert keys(boto, place) == [key]
    store.copy(info.path, "copy")
    assert store.read_bytes("copy") == b"new"
    store.copy("copy", info.path, overwrite=True)
    store.delete("copy")
    store.move(info.path, "moved")
    assert keys(boto, place) == ["moved"]
    store.move("moved", info.path)
    store.delete(info.path)
    assert keys(boto, place) == []


@pytest.mark.spec("S3-011")
def test_going_down_folder_by_folder_ends_at_each_key(store: Store, boto: Any, place: str) -> None:
    for key in ODD:
        boto.put_object(Bucket=place, Key=key, Body=b"x")
    found = [str(info.path) for _, _, files in store.walk() for info in files]
    # A folder without a name at the top cannot be told from the root: only recursive listings show its files.
    assert sorted(found) == sorted(key for key in ODD if not key.startswith("/"))
    assert all(str(folder.path) for folder in store.iter_children("") if isinstance(folder, RemoteFolder))


@pytest.mark.spec("S3-011")
def test_going_down_in_a_child_ends_too(store: Store, boto: Any, place: str) -> None:
    for key in ("a//b/c", "a/d/e", "a/f"):
        boto.put_object(Bucket=place, Key=key, Body=b"x")
    child = store.child("a")
    assert [str(entry.path) for entry in child.iter_children("")] == ["d", "f"]
    assert list(child.list_folders("")) == ["d"]
    assert sorted(str(info.path) for info in child.list_files("", recursive=True)) == ["/b/c", "d/e", "f"]


@pytest.mark.spec("S3-011", "XFER-043")
def test_a_mirror_of_a_folder_fails_for_such_keys_alone(store: Store, boto: Any, place: str) -> None:
    for key in ("a//b/c", "a//d", "a/f"):
        boto.put_object(Bucket=place, Key=key, Body=b"x")
    target = Store(MemoryBackend())
    with pytest.raises(TransferFailed) as caught:
        sync(store, "a", target, "")
    assert {each.path for each in caught.value.report.failures} == {"a//b/c", "a//d"}
    assert [str(info.path) for info in target.list_files("", recursive=True)] == ["f"]


@pytest.mark.spec("S3-011")
def test_no_folder_is_listed_as_the_root(moto: S3Server, boto: Any, place: str) -> None:
    for key in ("!a/b", "//z", "/z", "a//b", "a/b"):
        boto.put_object(Bucket=place, Key=key, Body=b"x")
    assert folders(quick(place, moto.endpoint_url), recursive=True) == ["!a", "/", "a", "a/"]
    assert folders(quick(place, moto.endpoint_url), recursive=False) == ["!a", "a"]


def folders(backend: S3Backend, *, recursive: bool) -> list[str]:
    """Return the folders that a backend lists below its root."""

    async def main() -> list[str]:
        pages = backend.list_pages("", recursive=recursive, files=False)
        found = [str(entry.path) async for page in pages for entry in page]
        await backend.aclose()
        return sorted(found)

    return drive(main())


@pytest.mark.spec("S3-011")
def test_a_line_break_in_a_key(seaweedfs: S3Server, bucket: str) -> None:
    with Store(quick(bucket, seaweedfs.endpoint_url)) as store:  # moto does not understand such an address
        store.write("a/b\nc", b"x")
        (info,) = store.list_files("a")
        assert (str(info.path), store.read_bytes(info.path)) == ("a/b\nc", b"x")
        store.delete_folder("a", recursive=True)
        assert not store.exists("a")


@pytest.mark.spec("S3-011")
@pytest.mark.parametrize("recursive", [False, True])
def test_only_what_is_on_its_way_is_not_listed(store: Store, boto: Any, place: str, recursive: bool) -> None:
    begins = ".remote-store-arrow-"
    hidden = f"{begins}{'0a' * 16}"
    theirs = [f"{begins}notes.txt", f"{hidden}0", f"{begins}{'0A' * 16}", ".remote-store-probe-x"]
    for key in (hidden, *theirs):
        boto.put_object(Bucket=place, Key=key, Body=b"x")
    assert sorted(str(info.path) for info in store.list_files("", recursive=recursive)) == sorted(theirs)


@pytest.mark.spec("S3-011", "S3-024")
def test_a_folder_of_odd_keys_is_deleted(store: Store, boto: Any, place: str) -> None:
    for key in ODD:
        boto.put_object(Bucket=place, Key=f"folder/{key}", Body=b"x")
    boto.put_object(Bucket=place, Key="folder2/f", Body=b"x")
    store.delete_folder("folder", recursive=True)
    assert keys(boto, place) == ["folder2/f"]


@pytest.mark.spec("S3-009")
def test_a_foreign_marker_is_a_folder_and_no_file(store: Store, boto: Any, place: str) -> None:
    boto.put_object(Bucket=place, Key="a/", Body=b"")
    boto.put_object(Bucket=place, Key="b/c/", Body=b"")
    assert store.is_folder("a")
    assert store.exists("a")
    assert not store.is_file("a")
    assert sorted(store.list_folders("")) == ["a", "b"]
    assert list(store.list_folders("b")) == ["c"]
    assert list(store.list_files("", recursive=True)) == []
    assert list(store.list_files("a")) == []
    assert [str(folder) for folder, _, _ in store.walk()] == ["", "a", "b", "b/c"]
    assert store.get_folder_info("a").file_count == 0
    with pytest.raises(InvalidPath):
        store.read_bytes("a")
    store.delete_folder("a")
    with pytest.raises(DirectoryNotEmpty):
        store.delete_folder("b")
    store.delete_folder("b", recursive=True)
    assert keys(boto, place) == []


@pytest.mark.spec("S3-009")
def test_no_marker_is_ever_written(store: Store, boto: Any, place: str) -> None:
    store.write("a/b/f", b"x")
    assert keys(boto, place) == ["a/b/f"]
    store.delete("a/b/f")
    assert not store.exists("a")
    with pytest.raises(NotFound):
        store.delete_folder("a")


@pytest.mark.spec("S3-010")
def test_a_file_and_a_folder_of_one_name(store: Store, boto: Any, place: str) -> None:
    store.write("a", b"file")
    store.write("a/b", b"below")
    assert store.is_file("a")
    assert store.is_folder("a")
    assert sorted(str(entry.path) for entry in store.iter_children("")) == ["a", "a"]
    assert [str(info.path) for info in store.list_files("a")] == ["a/b"]
    assert store.read_bytes("a") == b"file"
    store.delete("a")
    with pytest.raises(InvalidPath):
        store.delete("a")
    with pytest.raises(InvalidPath):
        store.get_file_info("a")
    store.delete_folder("a", recursive=True)
    assert keys(boto, place) == []


@pytest.mark.spec("S3-010")
def test_folder_questions_about_a_file(store: Store) -> None:
    store.write("a", b"file")
    assert not store.is_folder("a")
    with pytest.raises(InvalidPath):
        list(store.list_files("a"))
    with pytest.raises(InvalidPath):
        store.delete_folder("a", recursive=True)
    with pytest.raises(InvalidPath):
        store.get_folder_info("a")


LONG = "n" * 300


@pytest.mark.spec("S3-012")
@pytest.mark.parametrize("key", [LONG, f"a/{LONG}", "n" * 1025])
def test_a_name_that_is_too_long(key: str, seaweedfs: S3Server, bucket: str) -> None:
    with Store(quick(bucket, seaweedfs.endpoint_url)) as store:
        with pytest.raises(InvalidPath):
            store.write(key, b"x")
        assert not store.exists(key)
        with pytest.raises(NotFound):
            store.read_bytes(key)


@pytest.mark.spec("S3-012")
def test_a_name_that_is_no_unicode_text(store: Store) -> None:
    key = "a\ud800"
    store.write("f", b"x")
    for call in (store.read_bytes, store.get_file_info, store.delete, store.delete_folder):
        with pytest.raises(InvalidPath, match="no Unicode text") as caught:
            call(key)
        assert caught.value.path == key
    for act in (store.copy, store.move):
        with pytest.raises(InvalidPath, match="no Unicode text"):
            act("f", key)
        with pytest.raises(InvalidPath, match="no Unicode text"):
            act(key, "f", overwrite=True)
    with pytest.raises(InvalidPath, match="no Unicode text"):
        store.write(key, b"x")
    with pytest.raises(InvalidPath, match="no Unicode text"):
        list(store.list_files(key))
    assert not store.exists(key)
    assert not store.is_folder(key)
    assert not store.is_file(key)
    assert store.read_bytes("f") == b"x"
