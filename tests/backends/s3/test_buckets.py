"""Many objects and none: deletions and listings in few requests, and a bucket that is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from tests.backends.s3.support import MIB, Proxy, quick
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
    Store,
)
from remote_store.backends import S3Backend
from remote_store.backends.s3._api import Api


async def fill(bucket: str, url: str, names: list[str]) -> None:
    """Write many small objects, some at once."""
    async with AsyncStore(quick(bucket, url)) as store:
        limiter = anyio.Semaphore(32)

        async def write(name: str) -> None:
            async with limiter:
                await store.write(name, b"x")

        async with anyio.create_task_group() as group:
            for name in names:
                group.start_soon(write, name)


@pytest.mark.spec("S3-024", "S3-025")
def test_a_thousand_deletions_in_one_request(
    store: Store, proxy: Proxy, bucket: str, seaweedfs: S3Server
) -> None:
    names = [f"folder/{number // 100}/{number:05}" for number in range(1100)]
    anyio.run(fill, bucket, seaweedfs.endpoint_url, [*names, "folder2/f"])
    with Store(quick(bucket, proxy.url)) as store:
        store.delete_folder("folder", recursive=True)
        kinds = proxy.operations()
        assert (kinds.count("POST delete"), kinds.count("GET list-type"), len(kinds)) == (2, 3, 5)
        assert [str(info.path) for info in store.list_files("", recursive=True)] == ["folder2/f"]


@pytest.mark.spec("S3-024")
def test_what_could_not_be_deleted_is_named(
    bucket: str, seaweedfs: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Api.request
    code = "AccessDenied"

    async def request(self: Api, operation: str, *args: Any, **options: Any) -> dict[str, Any]:
        if operation != "delete_objects":
            return await ask(self, operation, *args, **options)
        return {"Errors": [{"Key": "a/gone", "Code": "NoSuchKey"}, {"Key": "a/x", "Code": code}]}

    monkeypatch.setattr(Api, "request", request)
    with Store(quick(bucket, seaweedfs.endpoint_url)) as store:
        store.write("a/x", b"x")
        store.write("a/y", b"x")
        with pytest.raises(PermissionDenied, match=r"1 of 2 objects .*: AccessDenied") as caught:
            store.delete_folder("a", recursive=True)
        assert caught.value.path == "a/x"
        code = "Unheard"
        with pytest.raises(RemoteStoreError, match="Unheard") as caught_too:
            store.delete_folder("a", recursive=True)
        assert caught_too.value.path == "a/x"


def failing(monkeypatch: pytest.MonkeyPatch, *codes: str) -> list[list[str]]:
    """Have the first keys of deletions fail, once for each code; return the keys that were to be deleted."""
    ask = Api.request
    asked: list[list[str]] = []

    async def request(
        self: Api, operation: str, key: str | None, parameters: Any = None, **options: Any
    ) -> dict[str, Any]:
        if operation == "delete_objects":
            named = parameters["Delete"]["Objects"]
            asked.append([each["Key"] for each in named])
            if len(asked) <= len(codes):
                parameters = {"Delete": {"Objects": named[1:]}}
                done = await ask(self, operation, key, parameters, **options) if named[1:] else {}
                return {**done, "Errors": [{"Key": named[0]["Key"], "Code": codes[len(asked) - 1]}]}
        return await ask(self, operation, key, parameters, **options)

    monkeypatch.setattr(Api, "request", request)
    return asked


@pytest.mark.spec("S3-024")
@pytest.mark.parametrize("code", ["InternalError", "SlowDown"])
def test_deletions_that_failed_for_now_are_tried_again(
    bucket: str, seaweedfs: S3Server, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    client = {"retries": {"total_max_attempts": 3}}
    with Store(quick(bucket, seaweedfs.endpoint_url, client)) as store:
        for name in ("x", "y", "z"):
            store.write(f"a/{name}", b"x")
        asked = failing(monkeypatch, code, code)
        store.delete_folder("a", recursive=True)
        assert asked == [["a/x", "a/y", "a/z"], ["a/x"], ["a/x"]]
        assert not store.exists("a")


@pytest.mark.spec("S3-024")
@pytest.mark.parametrize(
    ("codes", "kind", "tries"),
    [
        (["SlowDown"] * 3, BackendUnavailable, 2),
        (["SlowDown", "AccessDenied"], PermissionDenied, 2),
        (["AccessDenied"], PermissionDenied, 1),
    ],
    ids=str,
)
def test_deletions_are_not_tried_forever(
    bucket: str, seaweedfs: S3Server, monkeypatch: pytest.MonkeyPatch,
    codes: list[str], kind: type[Exception], tries: int,
) -> None:  # fmt: skip
    client = {"retries": {"total_max_attempts": 2}}
    with Store(quick(bucket, seaweedfs.endpoint_url, client)) as store:
        store.write("a/x", b"x")
        store.write("a/y", b"x")
        asked = failing(monkeypatch, *codes)
        with pytest.raises(kind, match="1 of 2 objects"):
            store.delete_folder("a", recursive=True)
    assert len(asked) == tries


@pytest.mark.spec("S3-025")
@pytest.mark.parametrize("recursive", [False, True])
def test_pages_hold_a_thousand_keys(recursive: bool, bucket: str, seaweedfs: S3Server, proxy: Proxy) -> None:
    names = [f"{number:05}" for number in range(2500)]

    async def main() -> list[int]:
        await fill(bucket, seaweedfs.endpoint_url, names)
        backend = quick(bucket, proxy.url)
        pages = [page async for page in backend.list_pages("", recursive=recursive)]
        await backend.aclose()
        assert sorted(str(entry.path) for page in pages for entry in page) == names
        return [len(page) for page in pages]

    assert anyio.run(main) == [1000, 1000, 500]
    assert proxy.operations() == ["GET list-type"] * 3


OPERATIONS: dict[str, Callable[[Store], object]] = {
    "ping": lambda store: store.ping(),
    "read_bytes": lambda store: store.read_bytes("f"),
    "read": lambda store: store.read("f"),
    "read nothing": lambda store: store.read_bytes("f", length=0),
    "write": lambda store: store.write("f", b"x"),
    "write over": lambda store: store.write("f", b"x", overwrite=True),
    "write much": lambda store: store.write("f", bytes(6 * MIB)),
    "get_file_info": lambda store: store.get_file_info("f"),
    "get_folder_info": lambda store: store.get_folder_info("f"),
    "delete": lambda store: store.delete("f"),
    "delete, missing_ok": lambda store: store.delete("f", missing_ok=True),
    "delete_folder": lambda store: store.delete_folder("f"),
    "delete_folder, missing_ok": lambda store: store.delete_folder("f", recursive=True, missing_ok=True),
    "copy": lambda store: store.copy("f", "g"),
    "move": lambda store: store.move("f", "g"),
    "list_files": lambda store: list(store.list_files()),
    "list_folders": lambda store: list(store.list_folders("f")),
    "walk": lambda store: list(store.walk()),
    "glob": lambda store: list(store.glob("**/*.txt")),
}


@pytest.mark.spec("S3-027")
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_on_a_missing_bucket(name: str, seaweedfs: S3Server) -> None:
    with Store(S3Backend("no-such-bucket", part_size=5 * MIB, **seaweedfs.options)) as store:
        with pytest.raises(NotFound, match="no such bucket"):
            OPERATIONS[name](store)


@pytest.mark.spec("S3-027")
def test_a_missing_bucket_holds_nothing(seaweedfs: S3Server) -> None:
    with Store(S3Backend("no-such-bucket", **seaweedfs.options)) as store:
        for path in ("", "f", "a/b"):
            assert not store.exists(path)
            assert not store.is_folder(path)
        assert not store.is_file("f")


@pytest.mark.spec("S3-018", "S3-019")
@pytest.mark.parametrize("hot_path", [True, False])
@pytest.mark.parametrize("size", [10, 12 << 20], ids=["one request", "parts"])
def test_who_comes_second_is_refused_by_the_server(
    proxy: Proxy, bucket: str, buckets: Buckets, size: int, hot_path: bool
) -> None:
    with Store(quick(bucket, proxy.url, part_size=5 << 20, hot_path=hot_path)) as store:
        with pytest.raises(AlreadyExists) as caught:
            with store.open_write("f") as stream:
                stream.write(bytes(size))
                store.write("f", b"first", overwrite=True)
        assert caught.value.path == "f"
        assert store.read_bytes("f") == b"first"
    last = "PUT" if size == 10 else "POST uploadId"
    conditions = [asked.header("if-none-match") for asked in proxy.asked if asked.operation == last]
    assert "*" in conditions
    assert buckets.unfinished(bucket) == []
