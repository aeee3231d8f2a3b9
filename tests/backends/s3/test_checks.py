"""Checksums: of what is read, of what was put together of parts, and of what only awscrt can compute."""

from __future__ import annotations

import base64
import random
import sys
import types
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.backends.s3.support import MIB, Asked, Proxy, Reply, quick
from tests.s3_buckets import Buckets

from remote_store import RemoteStoreError, Store
from remote_store._crc import joined
from remote_store.backends.s3 import _checks
from remote_store.backends.s3._checks import Damaged, check_of

DIGITS = b"123456789"
KNOWN = {
    # The check values of these algorithms in the catalogue of parametrised CRCs, and FIPS 180-4.
    "ChecksumCRC32": "cbf43926",
    "ChecksumCRC32C": "e3069283",
    "ChecksumCRC64NVME": "ae8b14860a799888",
    "ChecksumSHA1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "ChecksumSHA256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
}


def slow_crc(polynomial: int, width: int) -> Callable[[bytes, int], int]:
    """Return a reflected CRC, bit by bit."""
    ones = (1 << width) - 1

    def crc(data: bytes, previous: int = 0) -> int:
        value = previous ^ ones
        for byte in data:
            value ^= byte
            for _ in range(8):
                value = (value >> 1) ^ (polynomial if value & 1 else 0)
        return value ^ ones

    return crc


@pytest.fixture
def awscrt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give a stand-in for awscrt, which is not installed: it would replace botocore's signers."""
    package, checksums = types.ModuleType("awscrt"), types.ModuleType("awscrt.checksums")
    made: Any = checksums
    made.crc32c, made.crc64nvme = slow_crc(0x82F63B78, 32), slow_crc(0x9A6C9329AC4BC9B5, 64)
    monkeypatch.setitem(sys.modules, "awscrt", package)
    monkeypatch.setitem(sys.modules, "awscrt.checksums", checksums)
    monkeypatch.setattr(_checks, "_found", {})
    _checks.load_optional()
    yield
    _checks._found.clear()


def told(field: str, digest: str) -> dict[str, str]:
    return {field: base64.b64encode(bytes.fromhex(digest)).decode()}


@pytest.mark.spec("S3-043")
@pytest.mark.usefixtures("awscrt")
@pytest.mark.parametrize("field", KNOWN)
def test_every_algorithm_is_the_standard_one(field: str) -> None:
    for step in (1, 4, 9):
        check, wrong = check_of(told(field, KNOWN[field])), check_of(told(field, KNOWN[field]))
        assert check is not None
        assert wrong is not None
        for at in range(0, 9, step):
            check.add(at, [DIGITS[at : at + step]], 9)
        with pytest.raises(Damaged):
            wrong.add(0, [DIGITS[::-1]], 9)


@pytest.mark.spec("S3-043")
def test_nothing_is_compared_with_what_is_no_sum_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_checks, "_found", {})
    crc = told("ChecksumCRC32", KNOWN["ChecksumCRC32"])
    assert check_of(crc) is not None
    assert check_of({}) is None
    assert check_of({**crc, "ContentRange": "bytes 0-8/9"}) is None
    assert check_of({**crc, "ChecksumType": "COMPOSITE"}) is None
    assert check_of({"ChecksumCRC32": crc["ChecksumCRC32"] + "-2"}) is None
    assert check_of(told("ChecksumCRC64NVME", KNOWN["ChecksumCRC64NVME"])) is None  # nothing to compute it


@pytest.mark.spec("S3-043")
def test_who_reads_with_gaps_is_told_nothing() -> None:
    check = check_of(told("ChecksumCRC32", "00000000"))
    assert check is not None
    check.add(4, [DIGITS[4:]], 9)
    check.add(0, [DIGITS[:2], DIGITS[2:4]], 9)


@pytest.mark.spec("S3-043")
def test_awscrt_that_is_not_there_or_old_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_checks, "_found", {})
    for module in (None, types.ModuleType("awscrt.checksums")):
        monkeypatch.setitem(sys.modules, "awscrt.checksums", module)
        _checks.load_optional()
        assert _checks._found == {}


@pytest.mark.spec("S3-044")
def test_the_sum_of_parts_is_the_sum_of_the_whole() -> None:
    chance = random.Random(7)
    for _ in range(50):
        parts = [chance.randbytes(chance.choice((0, 1, 8, 1000, 65_537))) for _ in range(chance.randrange(6))]
        assert joined((zlib.crc32(part), len(part)) for part in parts) == zlib.crc32(b"".join(parts))
    size = 5 << 30
    assert joined([(1, size), (2, size)]) == joined([(joined([(1, size)]), size), (2, size)])


@pytest.mark.spec("S3-043")
@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_what_others_stored_is_checked_by_their_algorithm(
    bucket: str, proxy: Proxy, buckets: Buckets, algorithm: str
) -> None:
    buckets._client.put_object(Bucket=bucket, Key="f", Body=DIGITS, ChecksumAlgorithm=algorithm)
    with Store(quick(bucket, proxy.url)) as store:
        assert store.read_bytes("f") == DIGITS
        checksum = store.get_file_info("f").checksum
        assert checksum == f"{algorithm.lower()}:{KNOWN['Checksum' + algorithm]}"

        def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
            reply = ask()
            if asked.operation == "GET":
                reply.flip = 4
            return reply

        proxy.hook = hook
        with pytest.raises(RemoteStoreError, match="damaged") as caught:
            store.read_bytes("f")
        assert caught.value.retryable


@pytest.mark.spec("S3-043")
def test_a_body_that_was_resumed_is_checked_too(bucket: str, proxy: Proxy) -> None:
    with Store(quick(bucket, proxy.url)) as store:
        store.write("f", bytes(MIB))

        def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
            reply = ask()
            if asked.operation == "GET":
                if asked.header("range"):
                    reply.flip = 0
                else:
                    reply.cut = 1000
            return reply

        proxy.hook = hook
        with pytest.raises(RemoteStoreError, match="damaged"):
            store.read_bytes("f")


LARGE = bytes(range(256)) * (45 << 10)  # 11.25 MiB


@pytest.mark.spec("S3-044")
@pytest.mark.parametrize("hot_path", [True, False])
def test_parts_are_stored_with_a_sum_of_the_whole(bucket: str, proxy: Proxy, hot_path: bool) -> None:
    with Store(quick(bucket, proxy.url, part_size=5 * MIB, hot_path=hot_path)) as store:
        result = store.write("f", LARGE)
        assert result.checksum == store.get_file_info("f").checksum == f"crc32:{zlib.crc32(LARGE):08x}"


@pytest.mark.spec("S3-044")
def test_a_server_that_does_not_know_that_kind_is_sent_none(bucket: str, proxy: Proxy) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        reply.headers = [each for each in reply.headers if each[0].lower() != "x-amz-checksum-type"]
        return reply

    proxy.hook = hook
    with Store(quick(bucket, proxy.url, part_size=5 * MIB)) as store:
        store.write("f", LARGE)
        assert store.read_bytes("f") == LARGE
    last = next(asked for asked in proxy.asked if asked.operation == "POST uploadId")
    assert last.header("x-amz-checksum-crc32") is None


@pytest.mark.spec("S3-044")
def test_checksums_that_are_switched_off_are_not_sent(bucket: str, proxy: Proxy) -> None:
    off = {"request_checksum_calculation": "when_required"}
    with Store(quick(bucket, proxy.url, off, part_size=5 * MIB)) as store:
        store.write("f", LARGE)
        assert store.read_bytes("f") == LARGE
    sent = {
        name.lower() for asked in proxy.asked for name, _ in asked.headers if asked.method in ("PUT", "POST")
    }
    assert not [name for name in sent if name.startswith("x-amz-checksum")]
