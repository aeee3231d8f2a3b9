"""Signatures, held against botocore's own signer."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from remote_store.backends.s3._signing import (
    EMPTY,
    UNSIGNED,
    Credentials,
    Signer,
    query_string,
    quoted_path,
    stamp_of,
)

CASES = 3000
LETTERS = "abcXYZ019-_.~ !$&'()*+,;=:@%/?#[]\"<>\\^`{|}\t\n\x01\x7féüñ日本😀"
NAMES = ("range", "if-match", "if-none-match", "content-type", "x-amz-checksum-crc32", "x-amz-checksum-mode")
WORDS = (
    "bytes=0-99",
    "*",
    '"abc"',
    "text/plain; charset=utf-8",
    "a  b   c",
    "AAAAAA==",
    " padded ",
    "tab\tbed",
)
START = datetime(2026, 1, 31, 23, 59, 30, tzinfo=UTC)


def text(chance: random.Random, most: int = 30) -> str:
    return "".join(chance.choices(LETTERS, k=chance.randint(1, most)))


@pytest.mark.spec("S3-028")
def test_signatures_are_those_of_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(4)
    now = START
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: now.replace(tzinfo=None))
    signers = {region: Signer(region) for region in ("us-east-1", "eu-central-1")}
    for _ in range(CASES):
        now += timedelta(seconds=chance.randint(0, 3000))  # over midnights, too
        region = chance.choice(list(signers))
        credentials = Credentials(text(chance), text(chance), chance.choice([None, "session/token+=="]))
        method = chance.choice(["GET", "PUT", "HEAD", "DELETE"])
        host = chance.choice(["bucket.s3.amazonaws.com", "127.0.0.1:8333", "[::1]:9000"])
        path = f"/bucket/{quoted_path(text(chance))}"
        query = query_string({text(chance, 8): text(chance) for _ in range(chance.randint(0, 4))})
        payload = chance.choice([EMPTY, UNSIGNED])
        headers = {name: chance.choice(WORDS) for name in chance.sample(NAMES, chance.randint(0, 4))}
        headers["x-amz-content-sha256"] = payload

        ours = signers[region].sign(
            credentials, (method, host, path, query), headers, stamp_of(now.timestamp())
        )

        url = f"http://{host}{path}{'?' if query else ''}{query}"
        request = AWSRequest(method, url, {**headers, "host": host})
        theirs = S3SigV4Auth(BotoCredentials(*credentials), "s3", region)
        monkeypatch.setattr(theirs, "payload", lambda _request, payload=payload: payload)
        theirs.add_auth(request)
        assert ours["authorization"] == request.headers["Authorization"], (method, url, headers)
        assert ours["x-amz-date"] == request.headers["X-Amz-Date"]
        assert ours.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")
        assert urlsplit(url).query == query


@pytest.mark.spec("S3-028")
def test_headers_that_were_given_are_kept() -> None:
    headers = {"x-amz-content-sha256": EMPTY, "range": "bytes=1-2"}
    request = ("GET", "host", "/b/k", "")

    signed = Signer("us-east-1").sign(
        Credentials("key", "secret"), request, headers, stamp_of(START.timestamp())
    )
    assert set(signed) == {*headers, "host", "x-amz-date", "authorization"}
    assert "x-amz-date" not in headers
    assert "secret" not in signed["authorization"]
