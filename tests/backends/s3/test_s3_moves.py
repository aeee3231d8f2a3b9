"""A move deletes no version but the one that it copied, also where the server ignores conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.backends.s3.support import Asked, Proxy, Reply, error_reply, quick
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import PreconditionFailed, Store

PROBE = ".remote-store-probe-"
PROBED = ["DELETE", "PUT", "DELETE", "DELETE"]
Ask = Callable[[], Reply]


class Front:
    """A server that can be spoilt, and a bucket with one file."""

    def __init__(self, server: S3Server) -> None:
        self.name = server.name
        self.buckets = Buckets(server)
        self.bucket = self.buckets.new()
        self.proxy = Proxy(server.endpoint_url)
        self.boto.put_object(Bucket=self.bucket, Key="f", Body=b"one")

    @property
    def boto(self) -> Any:
        return self.buckets._client

    def store(self, **options: Any) -> Store:
        return Store(quick(self.bucket, self.proxy.url, **options))

    def content(self) -> dict[str, bytes]:
        keys = self.buckets.keys(self.bucket)
        return {key: self.boto.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}

    def write_after_the_copy(self, asked: Asked, ask: Ask) -> Reply:
        reply = ask()
        if asked.operation == "PUT copy" and PROBE not in asked.target:
            self.boto.put_object(Bucket=self.bucket, Key="f", Body=b"two")
        return reply

    def operations(self, *, probes: bool) -> list[str]:
        return [asked.operation for asked in self.proxy.asked if (PROBE in asked.target) == probes]


@pytest.fixture(params=["seaweedfs", "rclone", "moto"])
def front(request: pytest.FixtureRequest) -> Iterator[Front]:
    """Give servers that honour the condition of a deletion, and one that ignores it."""
    made = Front(request.getfixturevalue(request.param))
    yield made
    made.proxy.close()
    made.buckets.close()


@pytest.mark.spec("S3-023")
@pytest.mark.parametrize("known", [None, True, False])
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_written_between_copy_and_deletion_stays(
    front: Front, known: bool | None, overwrite: bool
) -> None:
    front.proxy.hook = front.write_after_the_copy
    with front.store(conditional_writes=known) as store, pytest.raises(PreconditionFailed, match="was kept"):
        store.move("f", "g", overwrite=overwrite)
    assert front.content() == {"f": b"two", "g": b"one"}


@pytest.mark.spec("S3-023", "S3-037")
def test_a_deletion_that_ignores_its_condition_is_found_out(moto: S3Server) -> None:
    front = Front(moto)

    def hook(asked: Asked, ask: Ask) -> Reply:
        if asked.method == "DELETE":
            asked.headers = [each for each in asked.headers if each[0].lower() != "if-match"]
        return front.write_after_the_copy(asked, ask)

    front.proxy.hook = hook
    with front.store() as store, pytest.raises(PreconditionFailed, match="was kept"):
        store.move("f", "g")
    assert front.content() == {"f": b"two", "g": b"one"}
    front.proxy.close()


@pytest.mark.spec("S3-023", "S3-037")
def test_what_a_move_asks(front: Front) -> None:
    with front.store() as store:
        store.move("f", "g", overwrite=True)
        assert front.operations(probes=True) == PROBED
        store.move("g", "f", overwrite=True)
        assert front.operations(probes=True) == PROBED  # once
    looks = ["HEAD"] if front.name == "rclone" else []
    assert front.operations(probes=False) == ["HEAD", "PUT copy", *looks, "DELETE"] * 2
    assert front.content() == {"f": b"one"}


@pytest.mark.spec("S3-039")
def test_where_it_cannot_be_found_out_both_are_done(front: Front) -> None:
    def hook(asked: Asked, ask: Ask) -> Reply:
        return error_reply(403, "AccessDenied") if PROBE in asked.target else ask()

    front.proxy.hook = hook
    with front.store() as store:
        store.move("f", "g", overwrite=True)
    assert front.operations(probes=False) == ["HEAD", "PUT copy", "HEAD", "DELETE"]
    assert front.proxy.asked[-1].header("if-match")


@pytest.mark.spec("S3-038")
def test_a_server_that_does_not_take_a_condition_is_sent_none(moto: S3Server) -> None:
    front = Front(moto)

    def hook(asked: Asked, ask: Ask) -> Reply:
        condition = asked.method == "DELETE" and asked.header("if-match")
        return error_reply(501, "NotImplemented") if condition else ask()

    front.proxy.hook = hook
    with front.store() as store:
        store.move("f", "g")
    assert front.content() == {"g": b"one"}
    front.proxy.close()
